#!/bin/bash
# tests/run.sh BUILD [PROGRAM...]: runs the unit tests that are given, then tests/flow and tests/source.
# tests/run.sh BUILD --source: only tests/source.
#
# One line a test, the output of those that failed below it (of others the lines that begin with `| `: what they counted),
# and at the end `N passed, N failed`. A program that
# speaks TAP (cmocka does) counts by its cases, another as one. Scripts run in the root of the tree with BUILD and a
# TMPDIR of their own, which is removed. T=PATTERN runs only what matches the glob, such as T='*store*'.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BUILD=$(realpath -m "$1")
export BUILD
shift
# a test that calls make wants a make of its own
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# a test that hangs must not hang the rest: seconds for a unit test, and for a script
limit_unit=240
limit_script=900
passed=0
failed=0
scratch=$(mktemp -d)
chmod 755 "$scratch"	# mail servers look in with accounts of their own
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

ok() {
	passed=$((passed + 1))
	printf 'ok      %s\n' "$1"
}

not_ok() {
	failed=$((failed + 1))
	printf 'FAILED  %s\n' "$1"
}

# count NAME STATUS OUTPUT: the cases of a TAP output, or the program as a whole
count() {
	local name=$1 status=$2 output=$3 plan=0 seen=0 bad=0 line
	while IFS= read -r line; do
		case $line in
		1..[0-9]*)
			plan=$((plan + ${line#1..}))
			continue
			;;
		'not ok '*)
			not_ok "$name: ${line#not ok * - }"
			bad=$((bad + 1))
			;;
		'ok '*'# SKIP'* | 'ok '*'# skip'*)
			not_ok "$name: skipped: ${line#ok }"
			bad=$((bad + 1))
			;;
		'ok '*)
			ok "$name: ${line#ok * - }"
			;;
		*)
			continue
			;;
		esac
		seen=$((seen + 1))
	done < <(grep -aE '^(1\.\.[0-9]+$|ok [0-9]|not ok [0-9])' "$output")
	if ((plan == 0 && seen == 0)); then
		if ((status == 0)); then
			ok "$name"
		else
			not_ok "$name: exit status $status"
			bad=1
		fi
	elif ((seen < plan)); then
		not_ok "$name: ended after $seen of $plan, exit status $status"
		bad=1
	elif ((status != 0 && bad == 0)); then
		not_ok "$name: exit status $status"
		bad=1
	fi
	if ((bad == 0)); then
		sed -n 's/^| /        | /p' "$output"
	else
		sed 's/^/        | /' "$output"
	fi
}

# run SECONDS NAME COMMAND...
run() {
	local limit=$1 name=$2 status=0
	shift 2
	# shellcheck disable=SC2053 # a glob is meant
	[[ -z ${T:-} || $name == ${T} ]] || return 0
	mkdir "$scratch/tmp"
	TMPDIR=$scratch/tmp CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$@" \
		>"$scratch/output" 2>&1 </dev/null || status=$?
	((status != 124 && status != 137)) || echo "(ended by the runner or by SIGKILL)" >>"$scratch/output"
	count "$name" "$status" "$scratch/output"
	rm -rf "$scratch/tmp"
}

if [[ ${1:-} != --source ]]; then
	for program in "$@"; do
		name=${program##*tests/}
		if [[ $name == fuzz/replay_* ]]; then
			run "$limit_unit" "$name" "$program" tests/fuzz/corpus/"${name#fuzz/replay_}"/*
		else
			run "$limit_unit" "$name" "$program"
		fi
	done
	for script in tests/flow/*.sh tests/flow/*.py; do
		[[ -f $script ]] || continue
		case $script in
		*.sh) run "$limit_script" "${script#tests/}" bash "$script" ;;
		*.py) run "$limit_script" "${script#tests/}" python3 "$script" ;;
		esac
	done
fi
for script in tests/source/*.sh; do
	run "$limit_script" "${script#tests/}" bash "$script"
done

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
