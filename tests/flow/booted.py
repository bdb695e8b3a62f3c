#!/usr/bin/env python3
"""The service as it is installed, under a systemd that has booted: it starts with its credentials and all its fences, takes sign-ups, mails, and reads
mail; it is reloaded, killed, frozen and stopped; and what cannot start is not tried again and again.

systemd runs in namespaces of its own, on a copy of this machine's files that goes with them. That needs root, overlayfs and cgroup2; where a machine
does not give them, in a container say, this says so and that is all.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from world import BUILD, TOP, Failed, check, run, wait_for, write  # noqa: E402

# the folder is $1; first in a mount namespace, then as the first process of its own
OUTER = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/all"
mkdir -p "$1"/all/up "$1"/all/work "$1"/all/root "$1"/all/groups
cp -a "$1"/staged/. "$1"/all/up/
mount -t cgroup2 cgroup2 "$1/all/groups"
mkdir "$1/all/groups/$2"
echo $$ >"$1/all/groups/$2/cgroup.procs"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/all/up,workdir=$1/all/work" "$1/all/root"
exec unshare --cgroup --pid --uts --ipc --net --fork --kill-child bash "$1/inner" "$1"
"""
# shared: what systemd mounts for a service must be seen there
INNER = """set -e
root=$1/all/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
cd "$root"
mkdir -p old run/lock
pivot_root . old
umount -l /old
cd /
mount --make-rshared /
/usr/bin/python3 -c 'import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 1))'
systemd-sysusers nurtured.conf
chown -R root:nurtured /etc/nurtured
mkdir /run/sent
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=booted.target --log-target=journal --show-status=no
"""
RELAY = """
relays:
  - {name: main, url: "smtp://127.0.0.1:2525", tls: none}
mailboxes:
  - {name: brought, url: "lmtp:/run/nurtured/lmtp.sock"}
"""
# all that a machine may refuse
POSSIBLE = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root" "$1/groups"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mount -t cgroup2 cgroup2 "$1/groups"
mkdir "$1/groups/$2"
rmdir "$1/groups/$2"
exec unshare --cgroup --pid --uts --ipc --net --fork --kill-child true
"""
# what is left of its control groups, when all in them is gone
CLEAN = """mount --make-rprivate /
mount -t cgroup2 cgroup2 "$1/all"
[ ! -d "$1/all/$2" ] || find "$1/all/$2" -depth -type d -exec rmdir {} +
"""
SINK = "[Service]\nExecStart=/usr/sbin/nurtured-test-sink -p 2525 -m /run/sent\n"
LMTP = """
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("/run/nurtured/lmtp.sock")
f = s.makefile("rwb")
def answer():
    while True:
        line = f.readline()
        if line[3:4] == b" ":
            return print(line.decode().strip())
answer()
for line in (b"LHLO here", b"MAIL FROM:<eva@people.test>", b"RCPT TO:<r@reply.example.com>", b"DATA",
             b"From: eva@people.test\\r\\nSubject: Re: your eBook\\r\\n\\r\\nPlease call me.\\r\\n."):
    f.write(line + b"\\r\\n")
    f.flush()
    answer()
"""
SIGN_UP = """
import urllib.request
body = b'{"email": "eva@people.test", "first_name": "Eva", "company": "Nordlicht", "role": "Head of IT", "country": "DE"}'
print(urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8025/v1/forms/free-ebook", body, {"Content-Type": "application/json"})).status)
"""


class Booted:
    def __init__(self):
        self.folder = tempfile.mkdtemp()
        os.mkdir(self.folder + "/all")
        write(self.folder + "/outer", OUTER)
        write(self.folder + "/inner", INNER)
        self.lay_out(self.folder + "/staged")
        self.group = "nurtured-booted-%d" % os.getpid()
        self.first = subprocess.Popen(["unshare", "--mount", "--fork", "--kill-child", "bash", self.folder + "/outer", self.folder, self.group],
                                      stdin=subprocess.DEVNULL, stdout=open(self.folder + "/said", "w"), stderr=subprocess.STDOUT)

    def boot(self):
        self.pid = wait_for("systemd", self.find)
        wait_for("it to boot", lambda: "booted.target" in self.do("systemctl", "list-units", "--no-legend", "--state=active", "booted.target")[1])

    def lay_out(self, root):
        run("make", "-s", "-C", TOP, "-o", "all", "install", "BUILD=" + BUILD, "PREFIX=/usr", "SYSCONFDIR=/etc", "DESTDIR=" + root)
        run("install", "-D", BUILD + "/peers/smtp_sink", root + "/usr/sbin/nurtured-test-sink")
        conf = root + "/etc/nurtured/nurtured.yaml"
        text = open(conf).read()
        text = re.sub(r"(?ms)^relays:.*?(?=^# esp:)", RELAY.lstrip() + "\n", text).replace("  # api_key:", "  api_key:")
        check("credential:api-key" in text and "2525" in text, "the example has another layout: " + text)
        self.good = text
        write(conf, text)
        for secret in ("smtp-password", "imap-password", "crm-webhook", "api-key"):
            write("%s/etc/nurtured/secrets/%s" % (root, secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0o600)
        units = root + "/etc/systemd/system/"
        write(units + "booted.target", "[Unit]\nDescription=What is tested\n")
        write(units + "sink.service", SINK)
        # the watchdog is as it is, but for its patience
        write(units + "nurtured.service.d/soon.conf", "[Service]\nWatchdogSec=3s\n")

    def find(self):
        """The first process of the inner namespace, once it is systemd."""
        if self.first.poll() is not None:
            raise Failed("it did not come up: " + open(self.folder + "/said").read())
        pid = str(self.first.pid)
        for _ in range(2):
            pid = subprocess.run(["pgrep", "-P", pid], stdout=subprocess.PIPE, text=True).stdout.strip()
            if not pid:
                return None
        # outer became the second unshare; below it is the first process
        try:
            return pid if os.readlink("/proc/%s/exe" % pid).endswith("/systemd") else None
        except OSError:     # a step on the way there, that has ended
            return None

    def do(self, *args, stdin=""):
        root = "/proc/%s/root" % self.pid
        done = subprocess.run(["nsenter", "-t", self.pid, "-m", "-p", "-u", "-i", "-n", "-C", "--root=" + root, "--wd=" + root, "env", "-i",
                               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def systemctl(self, *args, status=0):
        got = self.do("systemctl", *args)
        check(got[0] == status, "systemctl %s: status %d, %s%s" % (" ".join(args), got[0], got[1], self.journal() if got[0] else ""))
        return got[1].strip()

    def show(self, name):
        return self.systemctl("show", "-p", name, "--value", "nurtured")

    def journal(self):
        return self.do("journalctl", "-u", "nurtured", "-o", "cat", "--no-pager")[1]

    def ctl(self, *args):
        status, out = self.do("nurturectl", *args, "--json")
        return json.loads(out) if status == 0 else None

    def config(self, text):
        self.do("sh", "-c", "cat >/etc/nurtured/nurtured.yaml", stdin=text)

    def stop(self):
        self.first.kill()
        self.first.wait()
        wait_for("its control groups to be empty", lambda: subprocess.run(["unshare", "--mount", "sh", "-c", CLEAN, "clean", self.folder, self.group],
                                                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0)
        run("rm", "-rf", self.folder)


def is_up(b, restarts):
    return b.show("NRestarts") == str(restarts) and b.show("ActiveState") == "active" and b.ctl("status")


def it_runs(b):
    b.systemctl("start", "sink")
    b.systemctl("start", "nurtured")
    check(b.show("StatusText") == "taking sign-ups", "it says: " + b.show("StatusText"))
    check(b.ctl("status")["ready"], "it is not ready")
    status, said = b.do("python3", "-c", SIGN_UP)
    check(status == 0 and said.strip() == "202", "sign-up: " + said)
    wait_for("the mail", lambda: "eva@people.test" in b.do("sh", "-c", "cat /run/sent/new/*")[1])
    # by a process of its own, inside all fences
    status, said = b.do("python3", "-c", LMTP)
    check(status == 0 and said.splitlines()[-1].startswith("250"), "LMTP: " + said)
    mails = wait_for("the reply to be read", lambda: b.ctl("mail", "list"))
    check(mails[0]["class"] == "human" and mails[0]["detail"] == "call_me", "read as: %s" % mails)
    check(b.do("sh", "-c", "ls -A /var/lib/nurtured && stat -c %U:%a /var/lib/nurtured")[1].endswith("nurtured:750\n"), "its folder is not its own")


def it_is_reloaded(b):
    b.systemctl("reload", "nurtured")
    wait_for("the reload", lambda: "event=reloaded" in b.journal())
    b.config(b.good + "colour: blue\n")
    b.systemctl("reload", "nurtured")
    wait_for("the refusal", lambda: "event=reload.refused" in b.journal())
    b.config(b.good)
    check(is_up(b, 0), "a bad config stops it")


def it_comes_back(b):
    b.do("kill", "-KILL", b.show("MainPID"))
    wait_for("it, killed, to come back", lambda: is_up(b, 1))
    b.do("kill", "-STOP", b.show("MainPID"))
    wait_for("it, frozen, to come back", lambda: is_up(b, 2))
    check(b.ctl("prospect", "show", "eva@people.test")["email"] == "eva@people.test", "she is forgotten")


def it_ends(b):
    b.systemctl("stop", "nurtured")
    check((b.show("Result"), b.show("ExecMainStatus")) == ("success", "0"), "stopped: %s %s" % (b.show("Result"), b.show("ExecMainStatus")))
    b.config(b.good + "colour: blue\n")
    check(b.do("systemctl", "start", "nurtured")[0] == 1, "a bad config starts")
    check((b.show("ActiveState"), b.show("ExecMainStatus"), b.show("NRestarts")) == ("failed", "78", "0"), "it is tried again: " + b.journal())
    check("EPERM" not in b.journal() and "Operation not permitted" not in b.journal(), "a fence is in the way: " + b.journal())


def refused():
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.run(["unshare", "--mount", "bash", "-c", POSSIBLE, "possible", folder, "nurtured-possible-%d" % os.getpid()],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return p.returncode and p.stdout.strip()


def main():
    why = refused()
    if why:
        print("NOT TRIED: no systemd can be booted on this machine: " + why)
        return
    b = Booted()
    try:
        b.boot()
        for test in (it_runs, it_is_reloaded, it_comes_back, it_ends):
            test(b)
            print("ok   " + test.__name__, flush=True)
    except Failed as e:
        print("FAIL %s" % e)
        sys.exit(1)
    finally:
        b.stop()


if __name__ == "__main__":
    try:
        main()
    except Failed as e:
        print("FAIL %s" % e)
        sys.exit(1)
