#!/bin/bash
# runner.sh: tests/run.sh counts right: whatever way a test breaks, it is seen. (T keeps it from running itself.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tests"
bad=0

# try WANT-LINE WANT-STATUS NAME SCRIPT: a program with that body, and what the runner must say at the end
try() {
	local status=0 last
	printf '#!/bin/bash\n%s\n' "$4" >"$dir/tests/planted_$3"
	chmod +x "$dir/tests/planted_$3"
	T='planted_*' tests/run.sh build "$dir/tests/planted_$3" >"$dir/output" 2>/dev/null || status=$?
	last=$(tail -n 1 "$dir/output")
	if [[ $last != "$1" || $status != "$2" ]]; then
		echo "$3: \"$last\" and $status, not \"$1\" and $2"
		cat "$dir/output"
		bad=1
	fi
}

try '1 passed, 0 failed' 0 plain 'exit 0'
try '0 passed, 1 failed' 1 plain_failure 'echo why; exit 3'
try '2 passed, 0 failed' 0 tap 'printf "1..2\nok 1 - a\nok 2 - b\n"'
try '1 passed, 1 failed' 1 tap_failure 'printf "1..2\nok 1 - a\nnot ok 2 - b\n"; exit 1'
try '1 passed, 1 failed' 1 tap_failure_hidden 'printf "1..2\nok 1 - a\nnot ok 2 - b\n"; exit 0'
try '1 passed, 1 failed' 1 died 'printf "1..3\nok 1 - a\n"; kill -KILL $$'
try '2 passed, 1 failed' 1 leaked 'printf "1..2\nok 1 - a\nok 2 - b\n"; exit 23'
try '1 passed, 1 failed' 1 skipped 'printf "1..2\nok 1 - a\nok 2 # SKIP b\n"'
try '0 passed, 1 failed' 1 before_the_first 'printf "1..3\n"; exit 0'
try '1 passed, 0 failed' 0 private_folder '[[ -d $TMPDIR && -z $(ls -A "$TMPDIR") ]] && touch "$TMPDIR/x"'
try '1 passed, 0 failed' 0 a_make_of_its_own '[[ -z ${MAKEFLAGS:-} && $BUILD == /*/build ]]'
exit "$bad"
