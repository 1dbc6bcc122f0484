#!/usr/bin/env bash
# Makes the generated code of the Python and TypeScript SDKs anew. Python's is
# made by protoc 3.21.12 (Debian's protobuf-compiler): code of an old generator
# runs with old and new runtimes alike. TypeScript's is made by the
# protoc-gen-es of the version of the runtime that the lock file has.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(protoc --version)" != "libprotoc 3.21.12" ]; then
  echo "protoc 3.21.12 is needed (apt-get install protobuf-compiler), and there is: $(protoc --version)" >&2
  exit 1
fi
generator=$(mktemp -d)
trap 'rm -rf "$generator"' EXIT
npm --prefix "$generator" install --silent --no-save "@bufbuild/protoc-gen-es@2.17.0"
cd pluginsdk/proto
protoc --python_out=../python/vwmp_plugin plugin.proto
protoc --plugin="$generator/node_modules/.bin/protoc-gen-es" --es_out=../typescript/src/vwmp --es_opt=target=ts,import_extension=js plugin.proto
