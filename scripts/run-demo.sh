#!/usr/bin/env bash
# Serves the platform on a scratch demo: a git repository with a bare remote,
# and Standard Release imported at the first start.
set -euo pipefail
demo=$1 addr=$2
bin/vwmp demo "$demo"
if [ ! -e "$demo/data/INSTANCE" ]; then
  bin/vwmp workflow import --template release/"Standard Release" --id standard-release \
    --data "$demo/data" --workspace "$demo/repo"
fi
cat <<TEXT

Try this next, in another terminal:
  bin/vwmp execute standard-release --data $demo/data -p summary="My first release" -p kb_docs_ok=true
  git -C $demo/repo log --oneline --decorate

TEXT
exec bin/vwmp serve --addr "$addr" --data "$demo/data" --workspace "$demo/repo"
