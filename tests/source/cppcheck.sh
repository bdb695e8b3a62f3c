#!/bin/bash
# cppcheck.sh: what cppcheck finds wrong, where it is installed (it is not among the packages that we ask for).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v cppcheck >/dev/null; then
	echo "cppcheck is not installed"
	exit 0
fi
# suppressed: what it takes for wrong in L_STR("why", "text"), in pointers to the ends of a linker section, and in
# functions that return a pointer to a struct of another file; in `s[i] && i < n`, where a NUL ends s; and where as many
# elements are copied as were filled
cppcheck --quiet --std=c11 --language=c --enable=warning,portability --inline-suppr --error-exitcode=1 -j "$(nproc)" -Iinclude \
	-D_GNU_SOURCE -D__GNUC__=12 '-DVERSION="x"' '-D__attribute__(x)=' --suppress=missingIncludeSystem --suppress=unknownMacro \
	--suppress=arrayIndexThenCheck --suppress=uninitvar:daemon/language/tags.c --suppress=incorrectStringBooleanError --suppress=comparePointers \
	--suppress=CastIntegerToAddressAtReturn \
	--template='{file}:{line}: {message} [{id}]' daemon
