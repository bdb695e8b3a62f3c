#!/bin/bash
# tests/bench/run.sh [ROW...]: everything that is measured, in one run, or these rows of bench.py alone. BUILD names the folder of the programs.
#
# What needs the whole daemon is in bench.py; each bench_* measures one part alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-$PWD/build}

python3 tests/bench/bench.py "$@"
(($# == 0)) || exit 0
for program in "$BUILD"/tests/bench/bench_*; do
	[ -x "$program" ] && [ -f "$program" ] && [[ $program != *.* ]] || continue
	printf '\n== %s\n' "$(basename "$program")"
	"$program"
done
printf '\n== rendering, against engines of npm\n'
python3 tests/bench/render.py
