"""A small world to run nurtured in: the daemon, and around it real Postfix and Dovecot, or our own peers, all on loopback.

Everything lies in one temporary folder and ends when the world is closed. Postfix and Dovecot need root. Waiting is for events, with a
generous end (PATIENCE) after which the test fails and says what it waited for.
"""
import email
import email.policy
import glob
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
PATIENCE = float(os.environ.get("PATIENCE", "90"))


class Failed(Exception):
    pass


def wait_for(what, fn):
    """The first true value of fn(); fails with `what` when patience ends."""
    end = time.monotonic() + PATIENCE
    while True:
        got = fn()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed("waited in vain for " + what)
        time.sleep(0.05)


def check(condition, what):
    if not condition:
        raise Failed(what)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*args, **kw):
    # into a file, not a pipe: what becomes a daemon keeps its output open
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **kw)
        out.seek(0)
        text = out.read()
    if done.returncode:
        raise Failed("%s: status %d\n%s" % (" ".join(args), done.returncode, text))
    return text


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


class Peer:
    """A program of ours whose first line says on which port it listens."""

    def __init__(self, *args, log=None):
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        check(line.startswith("listening "), "%s did not start: %s" % (args[0], line))
        self.port = int(line.split()[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        rest = self.process.stdout.read()
        self.process.stdout.close()
        return rest


class Maildir:
    def __init__(self, path):
        self.path = path

    def messages(self):
        files = sorted(glob.glob(self.path + "/new/*") + glob.glob(self.path + "/cur/*"), key=lambda p: os.stat(p).st_mtime)
        out = []
        for path in files:
            try:
                with open(path, "rb") as f:
                    out.append(email.message_from_binary_file(f, policy=email.policy.default))
            except FileNotFoundError:       # moved from new to cur just now
                pass
        return out

    def find(self, subject):
        return [m for m in self.messages() if subject in (m["Subject"] or "")]

    def wait(self, subject):
        return wait_for("a mail with the subject %r in %s" % (subject, self.path), lambda: self.find(subject))[-1]


def part(message, kind):
    body = message.get_body(preferencelist=(kind,))
    return body.get_content() if body else ""


def links(message):
    return re.findall(r'href="([^"]+)"', part(message, "html"))


class MailServer:
    """Real Postfix as relay (TLS and AUTH demanded) and real Dovecot as mailbox (IMAPS, LMTP from Postfix, SASL for Postfix)."""

    DOMAINS = ("people.test", "sales.test", "reply.test", "bounce.test", "reply.example.test", "bounce.example.test", "example.test")

    def __init__(self, folder):
        self.folder = folder
        self.smtp, self.imaps = free_port(), free_port()
        self.certificates()
        self.users = {"eva@people.test": "eva", "ute@people.test": "ute", "max@people.test": "max", "sales@sales.test": "sales",
                      "replies@reply.test": "replies", "nurtured@example.test": "relay-password"}
        self.dovecot()
        self.postfix()

    def certificates(self):
        d = self.folder + "/tls"
        os.makedirs(d)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-subj", "/CN=Test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", d + "/ca.key", "-out", d + "/ca.pem")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", d + "/key.pem", "-out", d + "/req.pem")
        write(d + "/ext", "subjectAltName=DNS:localhost,DNS:relay.example.test,DNS:imap.example.test,DNS:mail.example.test,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", d + "/req.pem", "-CA", d + "/ca.pem", "-CAkey", d + "/ca.key", "-CAcreateserial", "-days", "90",
            "-extfile", d + "/ext", "-out", d + "/cert.pem")
        self.ca = d + "/ca.pem"

    def dovecot(self):
        d = self.folder + "/dovecot"
        os.makedirs(d + "/mail")
        nobody = pwd.getpwnam("nobody")
        os.chown(d + "/mail", nobody.pw_uid, nobody.pw_gid)
        write(d + "/users", "".join("%s:{PLAIN}%s\n" % u for u in self.users.items()))
        write(d + "/dovecot.conf", """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{f}/tls/cert.pem
ssl_key = <{f}/tls/key.pem
mail_location = maildir:{d}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
postmaster_address = postmaster@example.test
hostname = mail.example.test
passdb {{
  driver = passwd-file
  args = {d}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={d}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service lmtp {{
  unix_listener {d}/lmtp {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener {d}/auth {{
    mode = 0666
  }}
}}
""".format(d=d, f=self.folder, imaps=self.imaps))
        os.chmod(self.folder, 0o755)
        run("dovecot", "-c", d + "/dovecot.conf")

    def postfix(self):
        d = self.folder + "/postfix"
        for part_ in ("conf", "queue", "data"):
            os.makedirs(d + "/" + part_)
        user = pwd.getpwnam("postfix")
        os.chown(d + "/data", user.pw_uid, user.pw_gid)
        write(d + "/conf/aliases", r"/^[bru]\+.*@(reply|bounce)\.(example\.)?test$/ replies@reply.test" + "\n")
        write(d + "/conf/main.cf", """
compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/data
maillog_file = {d}/log
maillog_file_prefixes = {f}
myhostname = mail.example.test
mydestination =
mynetworks =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domains}
virtual_alias_maps = regexp:{d}/conf/aliases
virtual_transport = lmtp:unix:{dove}/lmtp
smtpd_tls_cert_file = {f}/tls/cert.pem
smtpd_tls_key_file = {f}/tls/key.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dove}/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sender_restrictions =
smtpd_recipient_restrictions =
smtp_host_lookup = native
default_transport = error:no mail leaves this machine
relay_transport = error:no mail leaves this machine
bounce_queue_lifetime = 1m
minimal_backoff_time = 5s
queue_run_delay = 5s
""".format(d=d, f=self.folder, dove=self.folder + "/dovecot", domains=", ".join(self.DOMAINS)))
        services = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
        write(d + "/conf/master.cf", services.format(port=self.smtp))
        run("postfix", "-c", d + "/conf", "start")

    def mailbox(self, user):
        return Maildir("%s/dovecot/mail/%s" % (self.folder, user))

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder + "/postfix/conf", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["doveadm", "-c", self.folder + "/dovecot/dovecot.conf", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def logs(self):
        out = ""
        for path in (self.folder + "/postfix/log", self.folder + "/dovecot/log"):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    out += "--- %s\n%s" % (path, "".join(f.readlines()[-60:]))
        return out


class World:
    """Closes everything in reverse when left; prints the logs when a test failed."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nurtured-flow.")
        os.chmod(self.folder, 0o755)
        self.things = []
        self.daemon_process = None
        self.port = None
        self.env = dict(os.environ)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print("FAILED: %s" % (value,))
            for path in [self.folder + "/daemon.log"]:
                if os.path.exists(path):
                    with open(path, errors="replace") as f:
                        print("--- daemon\n" + "".join(f.readlines()[-80:]))
            for thing in self.things:
                if hasattr(thing, "logs"):
                    print(thing.logs())
        self.stop_daemon()
        for thing in reversed(self.things):
            thing.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print("kept: " + self.folder)
        return False

    def add(self, thing):
        self.things.append(thing)
        return thing

    def mail_server(self):
        self.mail = self.add(MailServer(self.folder))
        return self.mail

    def sink(self, *args):
        return self.add(Peer(BUILD + "/peers/smtp_sink", "-p", "0", *args))

    def receiver(self, *args):
        self.alerts = self.folder + "/alerts.log"
        return self.add(Peer(BUILD + "/peers/webhook_receiver", "-p", "0", "-l", self.alerts, *args))

    def alerts_taken(self):
        if not os.path.exists(self.alerts):
            return []
        with open(self.alerts) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    # --- the daemon

    def configure(self, operator, **files):
        """operator: text of nurtured.yaml; files: name with __ for / and without .yaml."""
        self.conf = self.folder + "/conf/nurtured.yaml"
        write(self.conf, operator)
        for name, text in files.items():
            write("%s/conf/%s.yaml" % (self.folder, name.replace("__", "/")), text)

    def templates(self, *mails):
        """The shipped templates, of the mails only these: others want fields that the test's nurture.yaml does not have."""
        others = {os.path.basename(path) for path in glob.glob(TOP + "/templates/emails/*")}
        others -= {name + ".liquid" for name in mails + ("confirm", "letter", "letter-style")}
        shutil.copytree(TOP + "/templates", self.folder + "/templates", ignore=lambda folder, names: [n for n in names if n in others and folder.endswith("emails")])

    def start_daemon(self, *args, env=None, wait=True):
        log = open(self.folder + "/daemon.log", "ab")
        start = log.tell()
        self.daemon_process = subprocess.Popen([BUILD + "/nurtured", "-c", self.conf, *args], stdout=log, stderr=log, env=dict(self.env, **(env or {})))
        log.close()
        if wait:
            self.wait_ready(start)
        return self.daemon_process

    def wait_ready(self, start=0):
        def ready():
            if self.daemon_process.poll() is not None:
                raise Failed("the daemon ended with status %d" % self.daemon_process.returncode)
            with open(self.folder + "/daemon.log", errors="replace") as f:
                f.seek(start)
                found = re.search(r"event=listening.*?port=(\d+)", f.read())
            if found:
                self.port = int(found.group(1))
            return found
        wait_for("the daemon to listen", ready)

    def stop_daemon(self, number=signal.SIGTERM):
        p = self.daemon_process
        if p and p.poll() is None:
            p.send_signal(number)
            p.wait()
        self.daemon_process = None
        return p.returncode if p else None

    def request(self, method, path, body=None, headers=None):
        if path.startswith("http"):
            url = urllib.parse.urlsplit(path)
            path = url.path + ("?" + url.query if url.query else "")
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        text = r.read().decode(errors="replace")
        c.close()
        return r.status, dict(r.getheaders()), text

    def post_json(self, path, value, headers=None):
        return self.request("POST", path, json.dumps(value), dict({"Content-Type": "application/json"}, **(headers or {})))

    def post_form(self, path, fields, headers=None):
        return self.request("POST", path, urllib.parse.urlencode(fields), dict({"Content-Type": "application/x-www-form-urlencoded"}, **(headers or {})))

    def ctl(self, *args):
        done = subprocess.run([BUILD + "/nurturectl", "-s", self.folder + "/control.sock", "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None

    def prospect(self, who):
        return self.ctl("prospect", "show", who)


def main(*tests):
    """Runs the named tests (all without names); prints a line each; status 1 if one failed."""
    wanted = sys.argv[1:]
    bad = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        try:
            test()
            print("ok   %s" % test.__name__, flush=True)
        except Exception as e:
            bad += 1
            print("FAIL %s: %s" % (test.__name__, e), flush=True)
            if not isinstance(e, Failed):
                import traceback
                traceback.print_exc()
    sys.exit(1 if bad else 0)
