#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time that
# is given (30s unless said otherwise). A finding stays in testdata/fuzz of its
# package, where the ordinary tests run it from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
for_time=${1:-30s}
failed=0
while IFS=: read -r file target; do
	echo "== $target in $(dirname "$file")"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$for_time" "./$(dirname "$file")" || failed=1
done < <(grep -rhoE --include='*_test.go' -H '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|^\./||; s|:func |:|' | sort)
exit "$failed"
