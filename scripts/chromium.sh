#!/usr/bin/env bash
# Sees to it that there is a Chromium for the browser tests: the one named by
# VWMP_CHROMIUM, or Debian's, which is installed where it is missing.
set -euo pipefail
if [ -x "${VWMP_CHROMIUM:-/usr/bin/chromium}" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "install Chromium and set VWMP_CHROMIUM to it" >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null
