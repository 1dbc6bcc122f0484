#!/usr/bin/env bash
# Sees to it that there is a Chromium for the browser tests: the one named by
# VWMP_CHROMIUM, or Debian's, which is installed where it is missing: the one
# without a window, which takes half the time, where Debian has it.
set -euo pipefail
if [ -n "${VWMP_CHROMIUM:-}" ]; then
  [ -x "$VWMP_CHROMIUM" ] && exit 0
  echo "VWMP_CHROMIUM names no program: $VWMP_CHROMIUM" >&2
  exit 1
fi
if [ -x /usr/bin/chromium-headless-shell ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  if [ -x /usr/bin/chromium ]; then exit 0; fi
  echo "install Chromium and set VWMP_CHROMIUM to it" >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
install() { DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$1" >/dev/null; }
$sudo apt-get update -qq || [ -x /usr/bin/chromium ]
install chromium-headless-shell || [ -x /usr/bin/chromium ] || install chromium
