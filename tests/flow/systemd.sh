#!/bin/bash
# The unit as systemd reads it: known directives only, nothing ignored, and no more exposed than the threshold (score times ten).
# Needs systemd-analyze (Debian's systemd); no service manager has to run.
set -euo pipefail
cd "$(dirname "$0")/../.."

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
	echo "systemd.sh: $1" >&2
	failed=1
}

# verify wants the program and the pages to be there: those of this tree stand in for the installed ones
unit=$dir/nurtured.service
sed -e "s,^ExecStart=/usr/sbin/nurtured ,ExecStart=/bin/true ," -e '/^Documentation=/d' systemd/nurtured.service >"$unit"
said=$(systemd-analyze verify --man=no "$unit" 2>&1) || fail "verify refuses the unit"
[ -z "$said" ] || fail "verify complains: $said"

systemd-analyze security --offline=true --threshold=15 --no-pager systemd/nurtured.service >"$dir/security" 2>&1 || {
	grep '^✗' "$dir/security" >&2 || cat "$dir/security" >&2
	fail "the unit is more exposed than 1.5"
}
tail -n 1 "$dir/security"

# and the check can fail: the same unit without its filter and its bounding set
sed -e '/^SystemCallFilter=/d' -e '/^CapabilityBoundingSet=/d' systemd/nurtured.service >"$dir/open.service"
if systemd-analyze security --offline=true --threshold=15 --no-pager "$dir/open.service" >/dev/null 2>&1; then
	fail "an open unit passes too: the threshold is not looked at"
fi

if ! systemd-sysusers --dry-run "$PWD/systemd/nurtured.sysusers" >"$dir/sysusers" 2>&1; then
	cat "$dir/sysusers" >&2
	fail "sysusers refuses nurtured.sysusers"
fi

exit $failed
