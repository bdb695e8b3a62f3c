#!/bin/bash
# install.sh: what `make install` lays down is whole: the programs run, the configuration is accepted as it lies there,
# a second install leaves the operator's files alone, and DESTDIR keeps everything out of the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
	echo "install.sh: $1"
	failed=1
}

lay_down() {
	make -s -o all install BUILD="${BUILD:-build}" "$@"
}

lay_down PREFIX="$dir/usr" SYSCONFDIR="$dir/etc"
for program in sbin/nurtured sbin/nurtured-intake bin/nurturectl; do
	[[ -x $dir/usr/$program ]] || fail "$program is not there"
done
[[ -f $dir/usr/lib/systemd/system/nurtured.service ]] || fail "the unit is not there"
[[ $("$dir/usr/sbin/nurtured" -V) == *[0-9].[0-9]* ]] || fail "nurtured -V tells no version"

# the secrets that the example names
for secret in smtp-password imap-password crm-webhook api-key; do
	printf 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n' >"$dir/etc/nurtured/secrets/$secret"
	chmod 600 "$dir/etc/nurtured/secrets/$secret"
done
said=$(CREDENTIALS_DIRECTORY="$dir/etc/nurtured/secrets" "$dir/usr/sbin/nurtured" -n -c "$dir/etc/nurtured/nurtured.yaml" 2>&1) ||
	fail "the installed configuration is refused: $said"
echo 'colour: blue' >>"$dir/etc/nurtured/nurtured.yaml"
if "$dir/usr/sbin/nurtured" -n -c "$dir/etc/nurtured/nurtured.yaml" >/dev/null 2>&1; then
	fail "nurtured -n takes anything"
fi

lay_down PREFIX="$dir/usr" SYSCONFDIR="$dir/etc"
[[ $(tail -n 1 "$dir/etc/nurtured/nurtured.yaml") == 'colour: blue' ]] || fail "the operator's file was replaced"

lay_down DESTDIR="$dir/staged"
[[ -x $dir/staged/usr/sbin/nurtured && -f $dir/staged/etc/nurtured/nurtured.yaml ]] || fail "DESTDIR is not where it went"
grep -q '^templates: /usr/share/nurtured/templates' "$dir/staged/etc/nurtured/nurtured.yaml" ||
	fail "the staged configuration names the staging folder"
exit "$failed"
