#!/bin/bash
# layers.sh [ROOT]: includes run one way: {ingest, send, listen, handoff, console, simulate} -> decide -> {store, language,
# config} -> base; doctor -> config. The outer folders never include each other, nobody includes a folder's insides, and a library that
# one folder is there to hide is included by nobody else.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
cd "${1:-$here/../..}"

declare -A below=(
	[base]=""
	[language]="base"
	[config]="base language"
	[store]="base"
	[decide]="base language config store"
)
below[doctor]="base language config"
for folder in ingest send listen handoff console simulate; do
	below[$folder]="base language config store decide"
done

# library header (a glob) and the files that may include it (a regular expression)
libraries=(
	'glib*.h' '^daemon/(base/zone|base/address|language/letters|listen/(bounce_notice|tokens)|store/claims)\.c$'
	'sqlite3.h' '^daemon/store/'
	'libpq-fe.h' '^daemon/store/'
	'libetpan/*' '^daemon/(listen/|intake\.c)'
	'libxml/*' '^daemon/(listen/|intake\.c)'
	'gnutls/*' '^daemon/(listen/|intake\.c)'
	'yaml.h' '^daemon/config/'
	'idn2.h' '^daemon/base/address\.c$'
	'libpsl.h' '^daemon/base/address\.c$'
)

bad=0
complain() {
	echo "$1: $2"
	bad=1
}

# intake.c is the main() of what listen/ does in a process of its own, and sees its insides
check_folder() {
	local place=$1 folder=$2 header=$3 target=${3%%/*}
	if [[ $header == */* && -z ${below[$target]+x} ]]; then
		complain "$place" "\"$header\": no such folder"
	elif [[ $header == */* && $folder != main && $target != "$folder" && " ${below[$folder]} " != *" $target "* ]]; then
		complain "$place" "$folder may not include \"$header\"; it may use: ${below[$folder]:-nothing}"
	elif [[ $header == */* && ! -e include/$header && $place != daemon/intake.c:* ]]; then
		complain "$place" "\"$header\" is not in include/: a folder's insides are its own"
	fi
}

check_library() {
	local place=$1 file=$2 header=$3 i
	for ((i = 0; i < ${#libraries[@]}; i += 2)); do
		# shellcheck disable=SC2053 # a glob is meant
		if [[ $header == ${libraries[i]} && ! $file =~ ${libraries[i + 1]} ]]; then
			complain "$place" "<$header> belongs to ${libraries[i + 1]} alone"
		fi
	done
}

mapfile -t files < <(find daemon include -name '*.[ch]' | sort)
while IFS= read -r line; do
	[[ $line =~ ^([^:]+):([0-9]+):[[:blank:]]*#[[:blank:]]*include[[:blank:]]*([\"\<])([^\"\>]+) ]] || continue
	file=${BASH_REMATCH[1]} place=${BASH_REMATCH[1]}:${BASH_REMATCH[2]} kind=${BASH_REMATCH[3]} header=${BASH_REMATCH[4]}
	folder=${file#*/}
	if [[ $folder == */* ]]; then
		folder=${folder%%/*}
	else
		folder=main
	fi
	if [[ $folder != main && -z ${below[$folder]+x} ]]; then
		complain "$place" "the folder $folder has no place in the order of layers"
	elif [[ $header == *..* ]]; then
		complain "$place" "\"$header\" climbs out of its folder"
	elif [[ $kind == '"' ]]; then
		check_folder "$place" "$folder" "$header"
	else
		check_library "$place" "$file" "$header"
	fi
done < <(perl "$here/code.pl" "${files[@]}" | grep -E '^[^:]+:[0-9]+:[[:blank:]]*#[[:blank:]]*include')
echo "${#files[@]} files"
exit "$bad"
