#!/usr/bin/env bash
# Installs what the tests of the Python and TypeScript SDKs need: gRPC for the
# system's Python where it lacks, and the node packages of the lock file.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! /usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null && ! python3 -c 'import grpc, google.protobuf' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -qq -y python3-grpcio python3-protobuf >/dev/null || { apt-get update -qq && apt-get install -qq -y python3-grpcio python3-protobuf >/dev/null; }
  else
    echo "No Python here has gRPC: the tests of the Python SDK are skipped." >&2
  fi
fi
if [ pluginsdk/typescript/package-lock.json -nt pluginsdk/typescript/node_modules/.built ]; then
  npm --prefix pluginsdk/typescript ci --silent
  touch pluginsdk/typescript/node_modules/.built
fi
