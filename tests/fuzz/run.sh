#!/bin/bash
# tests/fuzz/run.sh BUILD SECONDS: each fuzzer in turn. What it finds new goes below BUILD, not into the tree; an
# input that breaks something is named at the end: add it to tests/fuzz/corpus/ with the fix.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
seconds=$2
broken=0
shopt -s nullglob

for source in tests/fuzz/fuzz_*.c; do
	name=${source##*/fuzz_}
	name=${name%.c}
	found=$build/corpus/$name
	mkdir -p "$found"
	echo "== $name, $seconds s"
	if ! "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-verbosity=0 -artifact_prefix="$build/broken-$name-" "$found" "tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
		broken=$((broken + 1))
		tail -n 60 "$build/$name.log"
		echo "$name broke; its inputs:" "$build/broken-$name-"*
	fi
	sed -n 's/^stat::number_of_executed_units: */   inputs tried: /p' "$build/$name.log"
done
exit $((broken != 0))
