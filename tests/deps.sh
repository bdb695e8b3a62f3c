#!/bin/bash
# tests/deps.sh [--quiet] PACKAGE...: installs the Debian packages that are missing.
#
# Nothing in them is started: a policy-rc.d of ours says no while they are unpacked, and the one that was there comes
# back afterwards. No package is removed for it, and a mail server of another make is never replaced.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-nurtured

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

quiet=
if [[ ${1:-} == --quiet ]]; then
	quiet=1
	shift
fi

command -v dpkg-query >/dev/null ||
	die "this is not Debian; install what these packages hold, and call make with the target you wanted: $*"

missing=()
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
for package in "$@"; do
	grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
	[[ $quiet ]] || echo "all packages are there"
	exit 0
fi

if [[ " ${missing[*]} " == *" postfix "* ]]; then
	other=$(dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
		sed -n 's/^installed \([^ ]*\) .*mail-transport-agent.*/\1/p' | head -n 1)
	[[ -z $other ]] ||
		die "$other is the mail server of this machine, and Debian lets postfix only take its place." \
			"The tests need postfix's programs, not its service. Run them on a machine or in a container without $other," \
			"or, if nobody needs $other here, run: apt-get install postfix"
fi

if ((EUID != 0)); then
	command -v sudo >/dev/null ||
		die "these packages are missing, and there is no sudo; run as root: apt-get install ${missing[*]}"
	exec sudo -- "$0" ${quiet:+--quiet} "$@"
fi

# one at a time: two of us would take each other's policy for the machine's
exec 9>/run/lock/nurtured-deps
flock 9

restore() {
	if [[ -e $kept || -L $kept ]]; then
		mv -f "$kept" "$policy"
	else
		rm -f "$policy"
	fi
}

hold_services() {
	# a run that was killed left the machine's own one here
	if [[ ! -e $kept && ! -L $kept ]] && [[ -e $policy || -L $policy ]]; then
		mv "$policy" "$kept"
	fi
	trap restore EXIT
	trap 'exit 130' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

# a thousand lines that nobody reads, unless it fails
install_packages() {
	local log status=0
	log=$(mktemp)
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove --no-install-recommends \
		-o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >"$log" 2>&1 || status=$?
	((status == 0)) || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

echo "installing, which can take some minutes: ${missing[*]}" >&2
hold_services
if [[ " ${missing[*]} " == *" postfix "* ]]; then
	echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
fi
if ! install_packages; then
	echo "once more with fresh package lists" >&2
	apt-get update -qq >&2
	install_packages || die "apt-get could not install: ${missing[*]}"
fi
