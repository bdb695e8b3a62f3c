#!/usr/bin/env python3
"""nurturectl doctor, against a real relay (Postfix), a real mailbox (Dovecot) and a DNS server on loopback: a good world, and worlds with one thing wrong.
"""
import copy
import http.server
import json
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dns import Dns  # noqa: E402
from world import BUILD, TOP, Failed, World, check, free_port, run, write  # noqa: E402

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
SALES = "{cooldown: 14 days, on_hot: pause, owners: [%s], alerts: []}"
OWNERS = "{name: ben, email: ben@sales.example.test}, {name: cleo, email: %s}"
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
  - deliver: {send: ebook-delivery, even_in: quiet%s}
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
        self.spoiler = None     # a peer that is not as it should be
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
        owners = changed.pop("owners", "")
        words.update(changed)
        self.configure(OPERATOR.format(**words), nurture=NURTURE, sales=SALES % owners, forms__free_ebook=FORM, sequences__ebook=SEQUENCE % (", as: owner" if owners else ""))

    def heal(self, records):
        """As it was before the last test."""
        if self.spoiler:
            self.spoiler.stop()
            self.spoiler = None
        self.dns.records.clear()
        self.dns.records.update(copy.deepcopy(records))
        self.dns.broken.clear()
        self.web.status = 200
        shutil.rmtree(self.folder + "/conf", ignore_errors=True)
        shutil.rmtree(self.folder + "/other-tls", ignore_errors=True)
        os.chmod(self.folder + "/state", 0o750)
        self.write_config()

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

    def expect(self, name, level, what, *follows):
        """One finding of that check has that level and those words, and nothing else is wrong but in checks that follow from it."""
        found, rules = self.doctor()
        mine = [f for f in found if f["check"] == name and f["level"] == level and what in f["what"]]
        check(mine, "no %s of %s with %r: %s" % (level, name, what, [f for f in found if f["check"] == name]))
        others = [f for f in found if f["level"] in ("warning", "error") and f not in mine and f["check"] not in follows]
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


def spoiled(name, level, what, spoil, *args):
    """A test: in a good world `spoil` breaks one thing; it is found, and nothing else."""
    def test(w):
        spoil(w)
        w.expect(name, level, what, *args)
    return test


def owner_of(address, *records):
    """Mails are from owners, and one of them has that address; `records`: of their domain."""
    def spoil(w):
        w.dns.records.update(records)
        w.write_config(owners=OWNERS % address)
    return spoil


def other_test(w, selector="s1"):
    """A domain of an owner that is not the sender's, and whose mail the relay signs."""
    owner_of("cleo@other.test", ("_dmarc.other.test", [("TXT", "v=DMARC1; p=reject; rua=mailto:dmarc@other.test")]),
             (selector + "._domainkey.other.test", w.dns.records["s1._domainkey.example.test"]))(w)


def owners(w):
    """Their domains are looked at, too, where mails are from them; the sender's signature does for what is below its domain."""
    owner_of("cleo@example.test")(w)
    found, _ = w.doctor()
    wrong = [f for f in found if f["level"] in ("warning", "error")]
    check(not wrong, "wrong with owners: %s" % wrong)
    check([f["about"] for f in found if f["check"] == "owner"] == ["ben@sales.example.test", "cleo@example.test"], "the owners: %s" % found)
    check([f["about"] for f in found if f["check"] == "dmarc"] == ["example.test", "sales.example.test"], "dmarc: %s" % found)
    check([f["about"] for f in found if f["check"] == "dkim"] == ["s1._domainkey.example.test"], "dkim: %s" % found)
    other_test(w)
    w.expect("alignment", "warning", "return paths at bounce.example.test do not count for From")
    found, _ = w.doctor()
    check([f for f in found if f["check"] == "dkim" and f["about"] == "s1._domainkey.other.test" and f["level"] == "ok"], "the owner's key: %s" % found)


def record(name, *values):
    """Other records under a name; none: it is gone."""
    def spoil(w):
        if values:
            w.dns.records[name] = list(values)
        else:
            del w.dns.records[name]
    return spoil


def txt(name, *texts):
    return record(name, *[("TXT", t) for t in texts])


def config(**changed):
    return lambda w: w.write_config(**{k: v(w) if callable(v) else v for k, v in changed.items()})


def broken_name(name):
    return lambda w: w.dns.broken.add(name)


def short_key(w):
    w.dns.records["s1._domainkey.example.test"] = [("TXT", rsa_record(w.folder, 512))]


def weak_key(w):
    w.dns.records["s1._domainkey.example.test"] = [("TXT", rsa_record(w.folder, 1024))]


def in_test(w):
    w.dns.records["s1._domainkey.example.test"] = [("TXT", w.dns.records["s1._domainkey.example.test"][0][1].replace("v=DKIM1;", "v=DKIM1; t=y;"))]


def many_includes(w):
    for i in range(11):
        w.dns.records["%d.spf.example.test" % i] = [("TXT", "v=spf1 ip4:203.0.113.%d -all" % i)]
    w.dns.records["bounce.example.test"][1] = ("TXT", "v=spf1 ip4:192.0.2.10 " + " ".join("include:%d.spf.example.test" % i for i in range(11)) + " -all")


def talk(greeting, answers):
    """A relay on this machine of another kind."""
    def spoil(w):
        peer = w.spoiler = Talk(greeting, answers)
        w.write_config(relay="smtp://127.0.0.1:%d" % peer.port, tls="none", login="")
    return spoil


def without_starttls(w):
    w.spoiler = Talk(b"220 relay ESMTP\r\n", {b"EHLO": b"250-relay\r\n250 SIZE 50000000\r\n"})
    w.write_config(relay="smtp://relay.example.test:%d" % w.spoiler.port)


def web_of(*args):
    """The web server has another certificate."""
    def spoil(w):
        d = w.folder + "/other-tls"
        os.makedirs(d)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=other", "-keyout", d + "/key.pem", "-out", d + "/req.pem")
        write(d + "/ext", "subjectAltName=DNS:%s\n" % args[0])
        tls = w.mail.folder + "/tls"
        ca = ["-CA", tls + "/ca.pem", "-CAkey", tls + "/ca.key", "-CAcreateserial"] if len(args) < 3 else ["-signkey", d + "/key.pem"]
        run("openssl", "x509", "-req", "-in", d + "/req.pem", *ca, "-days", str(args[1]), "-extfile", d + "/ext", "-out", d + "/cert.pem")
        w.spoiler = Healthy(d)
        w.write_config(web="https://mail.example.test:%d" % w.spoiler.port)
    return spoil


def mode(path, bits):
    return lambda w: os.chmod(w.folder + "/" + path, bits)


def open_secret(w):
    write(w.folder + "/conf/secrets/spare", "x\n", 0o644)


def web_is_another(w):
    w.web.status = 404


BROKEN = {
    "owner_not_signed_for": spoiled("dkim", "error", "there is no key", lambda w: other_test(w, "another"), "alignment"),
    "owner_without_dmarc": spoiled("dmarc", "error", "no DMARC record", lambda w: (other_test(w), w.dns.records.pop("_dmarc.other.test")), "alignment"),
    "owner_who_is_strict": spoiled("alignment", "warning", "do not count for From (aspf=s)",
                                   owner_of("cleo@example.test", ("_dmarc.example.test", [("TXT", "v=DMARC1; p=reject; aspf=s; rua=mailto:dmarc@example.test")]))),
    "no_spf": spoiled("spf", "error", "no SPF record", record("bounce.example.test", ("MX", "10 mx.example.test"))),
    "two_spf": spoiled("spf", "error", "several SPF records", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 -all"), ("TXT", "v=spf1 a -all"))),
    "wrong_spf": spoiled("spf", "error", "is no mechanism", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 ipv4:192.0.2.10 -all"))),
    "wrong_included_spf": spoiled("spf", "error", "it names _spf.example.test, whose SPF record is wrong", txt("_spf.example.test", "v=spf1 ip4:nowhere -all")),
    "gone_included_spf": spoiled("spf", "error", "which has no SPF record", record("_spf.example.test")),
    "eleven_lookups": spoiled("spf", "error", "it takes 11 DNS lookups", many_includes),
    "three_voids": spoiled("spf", "error", "3 of the names in it are not in DNS", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 ip4:192.0.2.10 a:x.test a:y.test mx:z.test -all"))),
    "everybody_may_send": spoiled("spf", "error", "+all", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 ip4:192.0.2.10 +all"))),
    "spf_says_nothing": spoiled("spf", "warning", "?all", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 ip4:192.0.2.10 ?all"))),
    "behind_all": spoiled("spf", "warning", "behind `all`", record("bounce.example.test", ("MX", "10 mx.example.test"), ("TXT", "v=spf1 ip4:192.0.2.10 -all mx"))),
    "relay_not_in_spf": spoiled("spf.relay", "warning", "192.0.2.10", txt("_spf.example.test", "v=spf1 ip4:203.0.113.1 -all")),
    "dns_fails": spoiled("spf", "warning", "DNS gives no answer for _spf.example.test", broken_name("_spf.example.test")),
    "no_dmarc": spoiled("dmarc", "error", "no DMARC record", record("_dmarc.example.test")),
    "two_dmarc": spoiled("dmarc", "error", "several DMARC records", txt("_dmarc.example.test", "v=DMARC1; p=none", "v=DMARC1; p=reject")),
    "wrong_dmarc": spoiled("dmarc", "error", "it has no policy", txt("_dmarc.example.test", "v=DMARC1; rua=mailto:x@example.test")),
    "dmarc_without_reports": spoiled("dmarc.reports", "warning", "no address for reports", txt("_dmarc.example.test", "v=DMARC1; p=reject")),
    "dmarc_reports_to_the_web": spoiled("dmarc.reports", "warning", "no mailto:", txt("_dmarc.example.test", "v=DMARC1; p=reject; rua=https://example.test/dmarc")),
    "strict_alignment": spoiled("alignment", "warning", "(aspf=s)", txt("_dmarc.example.test", "v=DMARC1; p=reject; aspf=s; rua=mailto:d@example.test")),
    "no_key": spoiled("dkim", "error", "there is no key", config(selectors="[s2]")),
    "key_of_512": spoiled("dkim", "error", "512 bits", short_key),
    "key_of_1024": spoiled("dkim", "warning", "1024 bits", weak_key),
    "revoked_key": spoiled("dkim", "error", "revoked", txt("s1._domainkey.example.test", "v=DKIM1; p=")),
    "cut_key": spoiled("dkim", "error", "no RSA key", txt("s1._domainkey.example.test", "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN")),
    "key_in_test": spoiled("dkim", "error", "t=y", in_test),
    "no_mx": spoiled("mx", "error", "neither MX nor address: replies", record("reply.example.test")),
    "no_mx_but_address": spoiled("mx", "warning", "has no MX", record("reply.example.test", ("A", "192.0.2.20"))),
    "null_mx": spoiled("mx", "error", "takes no mail", record("reply.example.test", ("MX", "0 ."))),
    "mx_that_is_gone": spoiled("mx", "error", "none of its MX has an address", record("reply.example.test", ("MX", "10 gone.example.test"))),
    "no_reverse": spoiled("reverse", "error", "has no name", record("10.2.0.192.in-addr.arpa")),
    "reverse_leads_elsewhere": spoiled("reverse", "error", "does not lead back", record("10.2.0.192.in-addr.arpa", ("PTR", "mx.example.test"))),
    "relay_not_in_dns": spoiled("relay", "error", "nowhere.example.test is not in DNS", config(relay="smtp://nowhere.example.test:587")),
    "relay_silent": spoiled("relay", "error", "nothing answers", config(relay=lambda w: "smtp://relay.example.test:%d" % free_port())),
    "relay_password": spoiled("relay", "error", "refuses the login", config(login=lambda w: ", user: nurtured@example.test, password: \"file:%s/wrong-password\"" % w.folder)),
    "relay_without_starttls": spoiled("relay", "error", "offers no STARTTLS", without_starttls),
    "relay_without_login": spoiled("relay", "error", "offers no login", lambda w: (talk(b"220 relay ESMTP\r\n", {b"EHLO": b"250-relay\r\n250 SIZE 50000000\r\n"})(w), w.write_config(
        relay="smtp://127.0.0.1:%d" % w.spoiler.port, tls="none"))),
    "relay_of_small_mails": spoiled("relay.size", "warning", "1000 bytes at most", talk(b"220 relay ESMTP\r\n", {b"EHLO": b"250-relay\r\n250-SIZE 1000\r\n250 DSN\r\n"})),
    "mailbox_password": spoiled("mailbox", "error", "refuses the login", config(imap_password="wrong-password")),
    "mailbox_folder": spoiled("mailbox", "error", "no such folder: \"Nowhere\"", config(mailbox=lambda w: "imaps://imap.example.test:%d/Nowhere" % w.mail.imaps)),
    "mailbox_silent": spoiled("mailbox", "error", "nothing answers", config(mailbox=lambda w: "imaps://imap.example.test:%d/INBOX" % free_port())),
    "web_not_in_dns": spoiled("web.dns", "error", "no link in a mail works", record("mail.example.test"), "web"),
    "web_of_another": spoiled("web", "error", "/healthz is 404", web_is_another),
    "web_of_another_name": spoiled("web", "error", "the certificate is not for mail.example.test", web_of("www.example.test", 90)),
    "web_expires": spoiled("web", "warning", "the certificate of mail.example.test ends in", web_of("mail.example.test", 3)),
    "web_signed_by_itself": spoiled("web", "error", "nobody vouches", web_of("mail.example.test", 90, "self")),
    "state_open": spoiled("state", "error", "mode 755", mode("state", 0o755)),
    "config_open": spoiled("config", "error", "may change it", mode("conf/nurtured.yaml", 0o666)),
    "secret_open": spoiled("secrets", "error", "others may read it", open_secret),
}


def main():
    wanted = sys.argv[1:]
    bad = 0
    with Clinic() as w:
        w.open()
        records = copy.deepcopy(w.dns.records)
        for name, test in [("good", good), ("owners", owners)] + list(BROKEN.items()):
            if wanted and name not in wanted:
                continue
            w.heal(records)
            try:
                test(w)
                print("ok   " + name, flush=True)
            except Failed as e:
                bad += 1
                print("FAIL %s: %s" % (name, e), flush=True)
        w.heal(records)
        if bad:
            raise Failed("%d cases" % bad)


if __name__ == "__main__":
    try:
        main()
    except Failed:
        sys.exit(1)
