#!/bin/bash
# deps.sh: tests/deps.sh asks for nothing that is there, never replaces a mail server, and says what to do without root.
# What dpkg would say is played by a script; nothing is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
bad=0

cat >"$dir/dpkg-query" <<'PLAYED'
#!/bin/bash
case $* in
*Provides*) printf '%s\n' 'installed base-files base' 'config-files exim4-base mail-transport-agent' "${MTA:-}" ;;
*) printf '%s\n' 'installed gcc' 'config-files swaks' 'not-installed make' ;;
esac
PLAYED
for tool in apt-get sudo debconf-set-selections; do
	printf '#!/bin/bash\necho "%s $*" >>%q\nexit 1\n' "$tool" "$dir/called" >"$dir/$tool"
done
chmod +x "$dir"/*

# try WANT-STATUS WANT-TEXT COMMAND...
try() {
	local want=$1 text=$2 status=0
	shift 2
	PATH=$dir:$PATH "$@" >"$dir/output" 2>&1 || status=$?
	if [[ $status != "$want" || -e $dir/called ]] || ! grep -qF -- "$text" "$dir/output"; then
		echo "$*: $status, not $want with \"$text\":"
		cat "$dir/output" "$dir/called" 2>/dev/null || true
		bad=1
	fi
	rm -f "$dir/called"
}

try 0 'all packages are there' bash tests/deps.sh gcc
try 1 'exim4-daemon-light is the mail server' \
	env MTA='installed exim4-daemon-light default-mta, mail-transport-agent' bash tests/deps.sh gcc postfix
try 1 'apt-get install postfix' env MTA='installed msmtp-mta mail-transport-agent' bash tests/deps.sh postfix
rm "$dir/sudo"
if ((EUID == 0)); then
	cp tests/deps.sh "$dir/copy.sh"
	# the tree may lie where only root can read; and a sudo of this machine must not be found
	for tool in bash sed grep head; do
		ln -s "$(command -v "$tool")" "$dir/$tool"
	done
	try 1 'run as root: apt-get install make swaks' setpriv --reuid=65534 --regid=65534 --clear-groups \
		env PATH="$dir" bash "$dir/copy.sh" gcc make swaks
fi
exit "$bad"
