#!/bin/bash
# finds.sh: the checks beside this file do find what they look for: each gets a tree with one fault planted.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
bad=0

# plant WANT(found|clean) CHECK FILE TEXT
plant() {
	local want=$1 check=$2 file=$3 text=$4 got=clean
	rm -rf "${tree:?}"/*
	mkdir -p "$tree"/{daemon/{base,store,decide,send,ingest,language,simulate},include/{base,store,decide,send},tests/base,docs,conf,templates}
	touch "$tree"/include/{base/buf.h,store/store.h,decide/decide.h,send/send.h} "$tree/daemon/store/inside.h" "$tree/daemon/base/a.c"
	printf '%s\n' "$text" >"$tree/$file"
	bash "$here/$check" "$tree" >"$tree/output" 2>&1 || got=found
	if [[ $got != "$want" ]]; then
		echo "$check: $got, not $want: $file: $text"
		cat "$tree/output"
		bad=1
	fi
}

plant clean layers.sh daemon/send/a.c '#include "decide/decide.h"'
plant clean layers.sh daemon/send/a.c '#include "send/send.h"'
plant clean layers.sh daemon/send/a.c '/* #include "ingest/x.h" */'
plant clean layers.sh daemon/store/a.c '#include "inside.h"'
plant clean layers.sh daemon/main.c '#include "send/send.h"'
plant clean layers.sh daemon/store/a.c '#include <sqlite3.h>'
plant found layers.sh daemon/base/a.c '#include "store/store.h"'
plant found layers.sh include/base/a.h '#include "decide/decide.h"'
plant found layers.sh daemon/store/a.c '#include "decide/decide.h"'
plant found layers.sh daemon/ingest/a.c '#include "send/send.h"'
plant found layers.sh daemon/decide/a.c ' # include "send/send.h"'
plant clean layers.sh daemon/simulate/a.c '#include "decide/decide.h"'
plant found layers.sh daemon/simulate/a.c '#include "send/send.h"'
plant found layers.sh daemon/decide/a.c '#include "store/inside.h"'
plant found layers.sh daemon/decide/a.c '#include "../store/inside.h"'
plant found layers.sh daemon/main.c '#include "store/inside.h"'
plant found layers.sh daemon/send/a.c '#include <sqlite3.h>'
plant found layers.sh daemon/base/a.c '#include <glib.h>'
plant found layers.sh daemon/ingest/a.c '#include <libetpan/libetpan.h>'

plant clean banned.sh daemon/base/a.c 'x_strcpy(a); my.time(); p->time(); /* strcpy(a, b) */ char *s = "system(x)";'
plant clean banned.sh daemon/base/mem.c '	p = malloc(1);'
plant clean banned.sh tests/base/a.c '	p = malloc(1);'
plant found banned.sh daemon/base/a.c '	strcpy(a, b);'
plant found banned.sh daemon/base/a.c 'x = atoi(b);'
plant found banned.sh daemon/base/a.c 'if (!strtok (a, b))'
plant found banned.sh daemon/store/a.c '	p = malloc(1);'
plant found banned.sh include/base/a.h 'static inline char *f(void) { return strdup("x"); }'
plant found banned.sh daemon/send/a.c 'time(NULL);'
plant found banned.sh daemon/send/a.c 'system("ls");'
plant found banned.sh tests/base/a.c 'sprintf(a, "x");'
plant clean banned.sh tests/base/a.c 'x = atoi(b);'
plant found banned.sh tests/base/a.c 'sleep(1);'
plant found banned.sh daemon/send/a.c 'usleep(100);'

plant clean sql.sh daemon/store/a.c 'static const char s[] = "SELECT a FROM b";'
plant clean sql.sh daemon/send/a.c '/* SELECT a FROM b */ say("please SELECT one", "DELETED FROMAGE");'
plant found sql.sh daemon/send/a.c 'static const char s[] = "SELECT a FROM b";'
plant found sql.sh daemon/send/a.c '	"DELETE FROM b"'
plant found sql.sh daemon/main.c '	run("UPDATE prospect SET x = 1");'
plant found sql.sh include/decide/a.h '#define Q "INSERT INTO x VALUES (1)"'

plant clean metrics.sh daemon/send/a.c $'METRIC(a, COUNTER, "n_total", "r=\\"a\\"", "Help.");\nMETRIC(b, COUNTER, "n_total", "r=\\"b\\"", "Help.");'
plant found metrics.sh daemon/send/a.c $'METRIC(a, COUNTER, "n_total", "r=\\"a\\"", "Help.");\nMETRIC(b, COUNTER, "n_total", "r=\\"a\\"", "Help.");'

plant clean words.sh docs/a.md 'They open the mail; the header is theirs.'
plant clean words.sh daemon/base/a.c 'say("they wrote"); /* he */'
plant found words.sh docs/a.md 'Then he opens it.'
plant found words.sh daemon/base/a.c 'say("when he wrote");'
plant found words.sh daemon/base/a.c '/* TODO */'
plant found words.sh conf/a.yaml 'state: /root/x'
exit "$bad"
