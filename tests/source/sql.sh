#!/bin/bash
# sql.sh [ROOT]: SQL stands under daemon/store/ and nowhere else in the program.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "${1:-$here/../..}"

mapfile -t files < <(find daemon include -name '*.[ch]' -not -path 'daemon/store/*' | sort)
found=$(perl "$here/code.pl" "${files[@]}" |
	grep -E '"[^"]*\b(SELECT\b[^"]*\b(FROM|[0-9*?])|INSERT (OR [A-Z]+ )?INTO\b|UPDATE [a-z_]+( SET|")|DELETE FROM\b|(CREATE|DROP|ALTER) (UNIQUE )?(TABLE|INDEX|VIEW)\b|BEGIN IMMEDIATE|PRAGMA [a-z])' || true)
if [[ $found ]]; then
	sed 's/$/    <- SQL belongs under daemon\/store\//' <<<"$found"
	exit 1
fi
echo "${#files[@]} files"
