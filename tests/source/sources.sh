#!/bin/bash
# tests/source/sources.sh: every C file of a folder of daemon/ stands in the Makefile, and nothing that is not there.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

diff <(sed -n 's/^\t\(daemon\/[a-z]*\/[a-z0-9_]*\.c\).*/\1/p' Makefile | LC_ALL=C sort) <(printf '%s\n' daemon/*/*.c | LC_ALL=C sort) ||
	{ echo "< only in the Makefile, > only in the tree"; exit 1; }
