#!/bin/bash
# demo.sh: what `make demo` runs: a whole installation on loopback, and one prospect's way through it.
#
# Nothing leaves this machine: the relay is a sink of our own, replies arrive in a Maildir, alerts at a receiver of our own.
# On a terminal it then stays for you to play the prospect, until Ctrl-C. Without one, or with DEMO=once, it ends by itself:
# status 0 if the story went as told, 1 if not, with the daemon's log. KEEP=1 leaves its folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export BUILD=${BUILD:-$PWD/build}
exec python3 tests/demo/demo.py
