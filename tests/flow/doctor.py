#!/usr/bin/env python3
"""nurturectl doctor, against a real relay (Postfix), a real mailbox (Dovecot) and a DNS server on loopback: a good world, and worlds with one thing wrong.
"""
import copy
import http.server
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dns import Dns  # noqa: E402
from world import BUILD, TOP, World, check, free_port, run, write  # noqa: E402

OPERATOR = """
state: {f}/state
templates: {f}/templates
files: {top}/conf/files
control: {f}/control.sock
listen: {{address: 127.0.0.1, port: 0, public_url: "{web}"}}
sender:
  from: "Ana at Example <ana@example.test>"
  company: Example Ltd
  postal_address: "1 High Street, 12345 Town"
  bounce_domain: {bounce}
  reply_domain: reply.example.test
  dkim_selectors: {selectors}
relays:
  - {{name: main, url: "{relay}", tls: {tls}{login}, ca_file: {ca}}}
mailboxes:
  - {{name: replies, url: "{mailbox}", user: "replies@reply.test", password: "file:{f}/{imap_password}", ca_file: {ca}, poll: 1 s}}
"""
NURTURE = """
fields: {first_name: {type: text, default: there}, company: {type: text}, role: {type: text}}
stages: [{name: awareness}]
lists: [{name: just-looking, at_most: 9 per day, tone: gentle}]
score: {half_life: 30 days, interest: []}
"""
SALES = "{cooldown: 14 days, on_hot: pause, alerts: []}"
FORM = """
form: free-ebook
fields: [email, first_name]
consent: {purpose: newsletter, words: "Yes."}
confirm: single
download: choosing-a-vendor.pdf
limits: {per_address: 100 per hour, per_ip: 1000 per hour}
trust: fill
"""
SEQUENCE = """
sequence: ebook
list: just-looking
enter: {on: signup, when: event.form == "free-ebook"}
again: never
steps:
  - deliver: {send: ebook-delivery, even_in: quiet}
  - {end: done}
"""


def rsa_record(folder, bits):
    """The TXT record of a new key, which lies in FOLDER/BITS.pem."""
    key = "%s/%d.pem" % (folder, bits)
    run("openssl", "genrsa", "-out", key, str(bits))
    text = run("openssl", "rsa", "-in", key, "-pubout")
    return "v=DKIM1; k=rsa; p=" + "".join(line for line in text.splitlines() if line and "-" not in line and "writing" not in line)


class Clinic(World):
    """A world in which everything is good, until a test spoils something."""

    def __init__(self):
        super().__init__()
        write(self.folder + "/smtp-password", "relay-password\n", 0o600)
        write(self.folder + "/imap-password", "replies\n", 0o600)
        write(self.folder + "/wrong-password", "guess\n", 0o600)
        os.makedirs(self.folder + "/state")
        os.chmod(self.folder + "/state", 0o750)
        self.templates("ebook-delivery")

    def open(self):
        self.mail_server()
        self.web = self.add(Healthy(self.mail.folder + "/tls"))
        self.dns = self.add(Dns({
            "example.test": [("MX", "10 mx.example.test")],
            "bounce.example.test": [("TXT", "unrelated"), ("TXT", "v=spf1 include:_spf.example.test -all"), ("MX", "10 mx.example.test")],
            "reply.example.test": [("MX", "20 gone.example.test"), ("MX", "10 mx.example.test")],
            # too long for UDP
            "_spf.example.test": [("TXT", "v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/32 " + " ".join("ip4:198.51.100.%d" % i for i in range(1, 80)) + " ?all")],
            "_dmarc.example.test": [("TXT", "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.test")],
            "s1._domainkey.example.test": [("TXT", rsa_record(self.folder, 2048))],
            # the relay listens on this machine, and the world sees another address of it
            "relay.example.test": [("A", "127.0.0.1"), ("A", "192.0.2.10")],
            "10.2.0.192.in-addr.arpa": [("PTR", "relay.example.test")],
            "imap.example.test": [("A", "127.0.0.1")],
            "mx.example.test": [("A", "192.0.2.20")],
            "mail.example.test": [("A", "127.0.0.1"), ("A", "192.0.2.30")],
        }))
        self.write_config()

    def write_config(self, **changed):
        words = dict(f=self.folder, top=TOP, web="https://mail.example.test:%d" % self.web.port, relay="smtp://relay.example.test:%d" % self.mail.smtp, tls="required",
                     login=", user: nurtured@example.test, password: \"file:%s/smtp-password\"" % self.folder, ca=self.mail.ca,
                     mailbox="imaps://imap.example.test:%d/INBOX" % self.mail.imaps, imap_password="imap-password", bounce="bounce.example.test", selectors="[s1]")
        words.update(changed)
        self.configure(OPERATOR.format(**words), nurture=NURTURE, sales=SALES, forms__free_ebook=FORM, sequences__ebook=SEQUENCE)

    def doctor(self, *args):
        done = subprocess.run([BUILD + "/nurturectl", "doctor", "-c", self.conf, "--resolver", "127.0.0.1:%d" % self.dns.port, "--ca", self.mail.ca, "--json", *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check(done.stdout, "the doctor said nothing: %s" % done.stderr)
        found = json.loads(done.stdout)
        # whether this machine's clock and disk are good is not for a test to say
        ours = [f for f in found["findings"] if f["check"] not in ("clock", "disk")]
        levels = [f["level"] for f in found["findings"]]
        worst = next((s for level, s in (("error", 2), ("warning", 1)) if level in levels), 0)
        check(done.returncode == worst, "status %d, and the worst is %d" % (done.returncode, worst))
        for f in ours:
            check(f["level"] in ("ok", "note") or f.get("next"), "nothing to do about %s" % f)
        return ours, {r["rule"]: r["met"] for r in found["rules"]}

    def expect(self, name, level, what, *args):
        """One finding of that check has that level and those words, and nothing else is wrong."""
        found, rules = self.doctor(*args)
        mine = [f for f in found if f["check"] == name and f["level"] == level and what in f["what"]]
        check(mine, "no %s of %s with %r: %s" % (level, name, what, [f for f in found if f["check"] == name]))
        others = [f for f in found if f["level"] in ("warning", "error") and f not in mine]
        check(not others, "%s: wrong besides: %s" % (what, others))
        return rules


class Healthy:
    """What stands in front of nurtured: TLS, and /healthz."""

    def __init__(self, tls):
        self.status = 200
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(server.status if self.path == "/healthz" else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls + "/cert.pem", tls + "/key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Talk:
    """A server of few words: a greeting, then an answer to each line by its first word."""

    def __init__(self, greeting, answers):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(greeting)
                for line in self.rfile:
                    word = line.split()[0].upper() if line.split() else b""
                    self.wfile.write(answers.get(word, b"250 ok\r\n"))
                    if word == b"QUIT":
                        return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def good(w):
    found, rules = w.doctor()
    wrong = [f for f in found if f["level"] in ("warning", "error")]
    check(not wrong, "wrong in a good world: %s" % wrong)
    checks = {f["check"] for f in found}
    for name in ("spf", "spf.relay", "dmarc", "dmarc.reports", "dkim", "alignment", "mx", "reverse", "relay", "mailbox", "web", "web.dns", "state", "config", "backup"):
        check(name in checks, "%s is not checked" % name)
    check("2048 bits" in [f for f in found if f["check"] == "dkim"][0]["what"], "the key's length")
    check("1 DNS lookups" in [f for f in found if f["check"] == "spf"][0]["what"], "the lookups")
    met = [r for r, m in rules.items() if m == "yes"]
    check(len(met) == 8, "of the rules only these are met: %s" % met)
    text = subprocess.run([BUILD + "/nurturectl", "doctor", "-c", w.conf, "--resolver", "127.0.0.1:%d" % w.dns.port, "--ca", w.mail.ca], stdout=subprocess.PIPE, text=True).stdout
    check("Gmail" in text and "ok       dkim: s1._domainkey.example.test: an RSA key of 2048 bits\n" in text, text)


if __name__ == "__main__":
    with Clinic() as world_:
        world_.open()
        good(world_)
        print("ok   good")
