#!/bin/bash
# words.sh [ROOT]: no marks of unfinished work, no paths of somebody's machine, and a person is "they" in what people
# read: docs, pages, mails, messages.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "${1:-$here/../..}"

bad=0
complain() {
	if [[ $1 ]]; then
		sed "s|\$|    <- $2|" <<<"$1"
		bad=1
	fi
}

mapfile -t all < <(find daemon include tests docs conf templates systemd debian .ci Makefile README.md -type f \
	-not -path 'tests/fuzz/corpus/*' -not -path 'tests/listen/texts/*' -not -path 'tests/source/*' 2>/dev/null | sort)
complain "$(grep -nIE '\b(TODO|FIXME)\b' "${all[@]}" || true)" 'finish it or drop it'
complain "$(grep -nIE '(^|[^[:alnum:]_])/(work|root|Users)/' "${all[@]}" || true)" 'a path of one machine'

mapfile -t read < <(find docs conf templates README.md -type f \( -name '*.md' -o -name '*.liquid' -o -name '*.yaml' -o -name '*.html' \) 2>/dev/null | sort)
if ((${#read[@]})); then
	# the words of replies.yaml are others' words: all of it but its comments is
	complain "$(grep -nIiE '\b(he|she|his|him|her|hers)\b' "${read[@]}" | grep -vE '\(\?:|^conf/replies\.yaml:[0-9]+: ' || true)" 'a person is "they"'
fi
# in the program's texts too, but not in the patterns that read what others wrote
mapfile -t code < <(find daemon -name '*.c' | sort)
complain "$(perl "$here/code.pl" "${code[@]}" | grep -E '"[^"]*\b(he|she|his|him)\b[^"]*"' | grep -vF '\\s' | grep -vF '\\b' || true)" 'a person is "they"'
echo "${#all[@]} files"
exit "$bad"
