#!/bin/bash
# banned.sh [ROOT]: calls that have a safer sister, that belong to one file, or that a daemon must not make.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "${1:-$here/../..}"

bad=0
mapfile -t files < <(find daemon include tests -name '*.[ch]' | sort)
code=$(perl "$here/code.pl" --no-strings "${files[@]}")

# ban WHY FILES-WHERE-IT-IS-ALLOWED CALL...: both are regular expressions, "-" allows it nowhere
ban() {
	local why=$1 allowed=$2 found call
	shift 2
	for call in "$@"; do
		found=$(grep -E "(^[^:]+:[0-9]+:|[^[:alnum:]_.>])$call[[:blank:]]*\(" <<<"$code" | grep -vE "^($allowed):" || true)
		if [[ $found ]]; then
			sed "s|\$|    <- $call(): $why|" <<<"$found"
			bad=1
		fi
	done
}

ban 'no bound; use buf_str(), snprintf() or memcpy()' - strcpy strcat sprintf vsprintf strncpy
ban 'no bound; C11 has none' 'tests/.*' gets
# a test reads what it wrote itself
ban 'says nothing of errors; use text_int() or text_double()' 'tests/.*' atoi atol atoll atof
ban 'keeps state between calls; use strcspn() or strchr()' - strtok
ban 'use x*alloc() of base/mem.h' 'daemon/base/mem\.c|tests/.*' malloc calloc realloc reallocarray strdup strndup asprintf vasprintf alloca
ban 'time comes from base/clock.h' 'daemon/base/clock\.c|tests/.*' time gettimeofday
# a condition's time limit needs a timespec
ban 'time comes from base/clock.h' 'daemon/base/clock\.c|daemon/store/store\.c|tests/.*' clock_gettime
# nurturectl prints in the zone of whoever sits at the terminal
ban 'the zone of the process is nobody'\''s; use base/zone.h' 'daemon/console/say\.c|tests/.*' localtime localtime_r mktime tzset ctime
ban 'use base/random.h' - rand srand random srandom drand48
ban 'changes every thread' - setlocale
ban 'a shell reads what a stranger may have written' 'tests/.*' system popen
# the store thread and the programs that have no loop may wait; a test may poll what gives no event, in small steps
blocking='daemon/store/.*|tests/bench/.*|tests/peers/.*|daemon/ctl\.c|daemon/intake\.c|daemon/listen/.*'
ban 'blocks; wait for an event' "$blocking" sleep nanosleep
# nor does what only a crash build has: to stall is what it is for
ban 'blocks; wait for an event' "$blocking|daemon/base/crash\.c|tests/.*" usleep
echo "${#files[@]} files"
exit "$bad"
