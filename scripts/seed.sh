#!/usr/bin/env bash
# Makes a folder with a demo repository and a data folder that looks used: a
# dozen workflows, and some hundred executions over the last two weeks.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
bin/vwmp demo "$folder" >/dev/null
at=(--data "$folder/data" --workspace "$folder/repo")
bin/vwmp workflow import --template release/"Standard Release" --id standard-release "${at[@]}" >/dev/null
for file in scripts/seed/workflows/*.yaml; do
  bin/vwmp workflow import "$file" --id "$(basename "$file" .yaml)" "${at[@]}" >/dev/null
done
go run ./scripts/seed --data "$folder/data"
