#!/bin/bash
# tests/bench/npm/build.sh FOLDER: fetches what the benches are compared with, and compiles the native half of better-sqlite3.
#
# Its prebuilt binaries are not in the registry, so its own sources are compiled, with the SQLite and the options that it brings,
# against the headers of the node that is here. node-gyp would do the same two commands.
set -euo pipefail
folder=$(realpath -m "$1")
here=$(dirname "$(realpath "$0")")

"$here/../../npm/fetch.py" "$folder" "$here/package-lock.json"
cd "$folder"
out=better_sqlite3.node
of="$(node -p 'process.version + process.arch') $(cat node_modules/better-sqlite3/.integrity)"
[[ -e $out && $(cat $out.of 2>/dev/null) == "$of" ]] && exit
include=$(node -p 'process.execPath.replace(/bin[/]node$/, "include/node")')
[[ -e $include/node.h ]] || { echo "there is no $include/node.h for node $(node -p process.version): install libnode-dev" >&2; exit 1; }
echo "compiling better-sqlite3, which takes a minute" >&2
source=node_modules/better-sqlite3
mapfile -t defines < <(sed -n "s/^ *'\([A-Z0-9_=]*\)',.*/-D\1/p" $source/deps/defines.gypi)
gcc -O3 -fPIC -w "${defines[@]}" -c -o sqlite3.o $source/deps/sqlite3/sqlite3.c
g++ -std=c++20 -O3 -fPIC -w -shared -DNODE_GYP_MODULE_NAME=better_sqlite3 -I"$include" -I$source/deps/sqlite3 -Wl,-Bsymbolic -Wl,--exclude-libs,ALL \
	-o $out $source/src/better_sqlite3.cpp sqlite3.o
printf '%s' "$of" >$out.of
