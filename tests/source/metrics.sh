#!/bin/bash
# metrics.sh [ROOT]: no series of the metrics is declared twice: a scraper refuses the whole page for it.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "${1:-$here/../..}"

declared=$(sed -nE 's/^METRIC\([a-z0-9_]+, [A-Z]+, ("[^"]+"), ("([^"\\]|\\.)*"),.*/\1 \2/p' $(find daemon -name '*.c'))
all=$(grep -rhc '^METRIC(' daemon --include='*.c' | awk '{n += $1} END {print n}')
read=$(wc -l <<<"$declared")
[[ $read == "$all" ]] || { echo "$all metrics are declared, $read of them could be read"; exit 1; }
twice=$(sort <<<"$declared" | uniq -d)
[[ -z $twice ]] || { echo "declared twice: $twice"; exit 1; }
echo "| $all series"
