#!/usr/bin/env python3
"""nurturectl doctor --probe: a mail goes from the daemon over real Postfix, signed by OpenDKIM, to real Dovecot and is read there: in a good world, and in
worlds where something on the way is wrong. Needs root.
"""
import copy
import os
import re
import shutil
import subprocess
import sys
import threading

from doctor import OWNERS, Clinic, rsa_record
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from world import BUILD, Failed, check, free_port, run, wait_for, write  # noqa: E402

RESULTS = "mail.example.test; spf=pass smtp.mailfrom=bounce.example.test; dkim=pass (2048-bit key) header.d=example.test; dmarc=pass (p=quarantine) header.from=example.test"
SIGNED = "from,to,subject,date,reply-to,message-id,mime-version,content-type,list-unsubscribe,list-unsubscribe-post,feedback-id"


class Signer:
    """OpenDKIM as a milter of Postfix."""

    def __init__(self, folder, port, **changed):
        words = dict(Socket="inet:%d@127.0.0.1" % port, Domain="example.test", Selector="s1", KeyFile=folder + "/2048.pem", Mode="s", Canonicalization="relaxed/relaxed",
                     SignHeaders=SIGNED, InternalHosts=folder + "/internal", RequireSafeKeys="no", Syslog="no", PidFile=folder + "/opendkim.pid", UserID="root")
        words.update(changed)
        write(folder + "/internal", "127.0.0.1\n")
        write(folder + "/opendkim.conf", "".join("%s %s\n" % w for w in words.items()))
        self.process = subprocess.Popen(["opendkim", "-f", "-x", folder + "/opendkim.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("opendkim", lambda: connects(port))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def connects(port):
    import socket
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Road(Clinic):
    def open(self):
        super().open()
        self.signer = None
        self.milter = free_port()
        # names that the daemon finds, too
        self.write_config(relay="smtp://localhost:%d" % self.mail.smtp, mailbox="imaps://localhost:%d/INBOX" % self.mail.imaps)

    def heal_road(self):
        """As it was before the last test; the daemon anew, since a connection that it kept open would go the old way."""
        super().stop_daemon()
        self.sign()
        self.postfix()
        self.start_daemon()

    def postfix(self, **words):
        """Settings of the relay, beside those that it always has."""
        conf = self.mail.folder + "/postfix/conf"
        write(conf + "/prepend", "/./ PREPEND Authentication-Results: %s\n" % words.pop("results", RESULTS))
        values = dict({"smtpd_milters": "inet:127.0.0.1:%d" % self.milter, "smtpd_recipient_restrictions": "check_recipient_access regexp:%s/prepend" % conf,
                       "header_checks": "", "lmtp_header_checks": "", "lmtp_body_checks": "", "virtual_alias_maps": "regexp:%s/aliases" % conf}, **words)
        run("postconf", "-c", conf, "-e", *("%s=%s" % v for v in values.items()))
        run("postfix", "-c", conf, "reload")

    def release(self, count):
        """What the relay holds back, as soon as it has so many."""
        conf = self.mail.folder + "/postfix/conf"
        wait_for("%d mails at the relay" % count, lambda: len(run("postqueue", "-c", conf, "-j").splitlines()) == count)
        self.postfix(defer_transports="")
        run("postqueue", "-c", conf, "-f")

    def table(self, name, text):
        return "regexp:" + write(self.mail.folder + "/postfix/conf/" + name, text)

    def sign(self, **changed):
        if self.signer:
            self.signer.stop()
        self.signer = Signer(self.folder, self.milter, **changed)

    def probe(self, *args):
        found, rules = self.doctor("--probe", "-s", self.folder + "/control.sock", "--wait", "8", *args)
        return [f for f in found if f["check"].startswith("probe")], rules

    def stop_daemon(self, *args):
        super().stop_daemon(*args)
        if getattr(self, "signer", None):
            self.signer.stop()
            self.signer = None


def good(w):
    found, rules = w.probe()
    wrong = [f for f in found if f["level"] not in ("ok",)]
    check(not wrong, "wrong in a good world: %s" % wrong)
    names = [f["check"] for f in found]
    check(names == ["probe", "probe.dkim", "probe.signed", "probe.auth", "probe.auth", "probe.auth", "probe.tls", "probe.headers"], names)
    check("RSA, 2048 bits" in found[1]["what"], found[1])
    check([r for r in rules if "one-click" in r and rules[r] == "yes"], rules)
    print("| %s" % found[0]["what"])
    # nothing followed from it
    check(w.ctl("status")["alarms"] == [], "an alarm")
    text = subprocess.run([BUILD + "/nurturectl", "doctor", "--probe", "-s", w.folder + "/control.sock", "-c", w.conf, "--resolver", "127.0.0.1:%d" % w.dns.port, "--ca", w.mail.ca],
                          stdout=subprocess.PIPE, text=True).stdout
    check("ok       probe.signed: ana@example.test: From, To, Subject" in text, text)


def simple(w):
    w.sign(Canonicalization="simple/simple")
    good(w)


def two_signatures(w):
    """The service's own beside ours, as mail services sign."""
    write(w.folder + "/keys", "ours example.test:s1:%s/2048.pem\ntheirs service.test:s1:%s/2048.pem\n" % (w.folder, w.folder))
    write(w.folder + "/signings", "* ours\n* theirs\n")
    w.dns.records["s1._domainkey.service.test"] = w.dns.records["s1._domainkey.example.test"]
    w.sign(KeyTable=w.folder + "/keys", SigningTable="refile:" + w.folder + "/signings", MultipleSignatures="yes")
    found, _ = w.probe()
    dkim = sorted((f["level"], f["what"]) for f in found if f["check"] == "probe.dkim")
    check([level for level, _ in dkim] == ["note", "ok"] and "service.test" in dkim[0][1], dkim)


SENDERS = """
senders:
  - {name: shop, from: "Example Shop <shop@example.test>"}
  - {name: idle, from: "Nobody <idle@example.test>"}
"""


def all_senders(w):
    """One of them only a version for another language is from; by another there is no mail."""
    text = open(w.conf).read()
    german = w.folder + "/templates/emails/ebook-delivery.de.liquid"
    try:
        write(w.conf, text + SENDERS)
        write(german, re.sub("(?m)^subject:", "from: shop\nsubject:", open(w.folder + "/templates/emails/ebook-delivery.liquid").read(), count=1))
        super(Road, w).stop_daemon()
        w.start_daemon()
        found, _ = w.probe()
        ok = [f["about"] for f in found if f["check"] == "probe" and f["level"] == "ok"]
        check(sorted(ok) == ["ana@example.test", "shop@example.test"], "arrived: %s" % found)
        notes = [(f["about"], f["what"]) for f in found if f["level"] == "note"]
        check(notes == [("idle@example.test", "no mail is from it, so that there is none to send")], "notes: %s" % notes)
        check([f for f in found if f["about"] == "shop@example.test" and f["check"] == "probe.headers" and f["level"] == "ok"], "the shop's: %s" % found)
    finally:
        write(w.conf, text)
        os.unlink(german)


def owners(w):
    """Mails go as from two owners: as from each one is sent, and judged by their own domain, for which nobody signs at one."""
    try:
        w.write_config(relay="smtp://localhost:%d" % w.mail.smtp, mailbox="imaps://localhost:%d/INBOX" % w.mail.imaps, owners=OWNERS % "cleo@other.test")
        super(Road, w).stop_daemon()
        w.sign(Domain="example.test,sales.example.test")
        w.dns.records["s1._domainkey.sales.example.test"] = w.dns.records["s1._domainkey.example.test"]
        w.start_daemon()
        # none arrives before the last was handed over, so they are not waited for one after the other
        w.postfix(defer_transports="lmtp")
        release = threading.Thread(target=w.release, args=(3,))
        release.start()
        found, _ = w.probe("--wait", "60")
        release.join()
        arrived = [f["about"] for f in found if f["check"] == "probe" and f["level"] == "ok"]
        check(sorted(arrived) == ["ana@example.test", "ben@sales.example.test", "cleo@other.test"], "arrived: %s" % found)
        for address in arrived[:2]:
            check([f for f in found if f["about"] == address and f["check"] == "probe.dkim" and f["level"] == "ok"], "%s is not signed for: %s" % (address, found))
        check([f for f in found if f["about"] == "cleo@other.test" and f["check"] == "probe.dkim" and f["level"] == "error" and "nobody signed" in f["what"]], "unsigned: %s" % found)
        check(not [f for f in found if f["check"] == "probe.headers" and f["level"] != "ok"], "changed: %s" % found)
    finally:
        w.postfix(defer_transports="")
        w.write_config(relay="smtp://localhost:%d" % w.mail.smtp, mailbox="imaps://localhost:%d/INBOX" % w.mail.imaps)


def wrong(spoil, *expected, rules=()):
    """A test: `spoil` breaks something; then there are these findings (check, level, words), and no other warning or error of the probe."""
    def test(w):
        spoil(w)
        found, met = w.probe()
        left = [f for f in found if f["level"] in ("warning", "error")]
        for name, level, what in expected:
            mine = [f for f in left if f["check"] == name and f["level"] == level and what in f["what"]]
            check(mine, "no %s of %s with %r: %s" % (level, name, what, found))
            left = [f for f in left if f not in mine]
        check(not left, "wrong besides: %s" % left)
        for rule in rules:
            check([r for r in met if rule in r and met[r] == "no"], "%s is met: %s" % (rule, met))
    return test


def header(pattern):
    return lambda w: w.postfix(header_checks=w.table("header", pattern + "\n"))


def after(kind, pattern):
    """Changed behind the signer."""
    return lambda w: w.postfix(**{"lmtp_%s_checks" % kind: w.table(kind, pattern + "\n")})


def signer(**changed):
    return lambda w: w.sign(**changed)


def other_key(w):
    w.dns.records["s1._domainkey.example.test"] = [("TXT", rsa_record(w.folder, 1024))]


def key_is_a_test(w):
    text = w.dns.records["s1._domainkey.example.test"][0][1]
    w.dns.records["s1._domainkey.example.test"] = [("TXT", text.replace("v=DKIM1;", "v=DKIM1; t=y;"))]


def no_key(w):
    w.dns.records["s1._domainkey.example.test"] = []


def strict(w):
    w.dns.records["_dmarc.example.test"] = [("TXT", "v=DMARC1; p=quarantine; adkim=s; rua=mailto:dmarc@example.test")]
    w.dns.records["s1._domainkey.mail.example.test"] = w.dns.records["s1._domainkey.example.test"]
    w.sign(Domain="mail.example.test", SigningTable="refile:" + write(w.folder + "/signings", "* mail\n"),
           KeyTable=write(w.folder + "/keys", "mail mail.example.test:s1:%s/2048.pem\n" % w.folder))


def to_another(w):
    w.postfix(virtual_alias_maps=w.table("elsewhere", "/^r\\+.*@reply/ eva@people.test"))


def to_nobody(w):
    w.postfix(virtual_alias_maps=w.table("nowhere", "/^b\\+.*@bounce/ replies@reply.test"), lmtp_header_checks="",
              smtpd_recipient_restrictions="", virtual_mailbox_maps=w.table("boxes", "/^replies@/ x"), smtpd_reject_unlisted_recipient="no")


def refused(w):
    w.postfix(smtpd_recipient_restrictions="check_recipient_access " + w.table("refuse", "/./ REJECT 5.7.1 not from you"))


def daemon_down(w):
    super(Road, w).stop_daemon()


NOT_ONE_CLICK = ("one-click",)
COUNTS = ("probe.dkim", "error", "no signature counts for From")
BROKEN = {
    "unsigned": wrong(lambda w: w.postfix(smtpd_milters=""), ("probe.dkim", "error", "nobody signed"), rules=("one-click", "DKIM")),
    "signed_by_another": wrong(lambda w: (w.sign(Domain="service.test", SigningTable="refile:" + write(w.folder + "/signings", "* s\n"), KeyTable=write(
        w.folder + "/keys", "s service.test:s1:%s/2048.pem\n" % w.folder)), w.dns.records.update({"s1._domainkey.service.test": w.dns.records["s1._domainkey.example.test"]})),
        COUNTS, rules=NOT_ONE_CLICK),
    "signed_by_a_part_and_strict": wrong(strict, COUNTS, rules=NOT_ONE_CLICK),
    "another_key": wrong(other_key, ("probe.dkim", "error", "a signed header was changed after it was signed, or the key"), COUNTS, rules=NOT_ONE_CLICK),
    "no_key": wrong(no_key, ("probe.dkim", "error", "there is no key in DNS"), COUNTS, rules=NOT_ONE_CLICK),
    "key_is_a_test": wrong(key_is_a_test, ("probe.dkim", "error", "t=y"), COUNTS, rules=NOT_ONE_CLICK),
    "unsubscribe_not_signed": wrong(signer(SignHeaders="from,to,subject,date,reply-to,message-id,feedback-id,mime-version,content-type"),
                                    ("probe.signed", "error", "List-Unsubscribe, List-Unsubscribe-Post"), rules=NOT_ONE_CLICK),
    "little_signed": wrong(signer(SignHeaders="from,list-unsubscribe,list-unsubscribe-post"), ("probe.signed", "warning", "To, Subject, Date, Reply-To, Feedback-ID")),
    "subject_tagged_behind_the_signer": wrong(after("header", "/^Subject: (.*)/ REPLACE Subject: [EXT] $1"), ("probe.dkim", "error", "a signed header was changed"), COUNTS,
                                              ("probe.headers", "warning", "subject came as `[EXT] [Test]"), rules=NOT_ONE_CLICK),
    "body_changed_behind_the_signer": wrong(after("body", "/^--=_n_.*--$/ REPLACE --changed--"), ("probe.dkim", "error", "the body was changed"), COUNTS, rules=NOT_ONE_CLICK),
    "from_rewritten": wrong(header("/^From:/ REPLACE From: <service@example.test>"), ("probe.headers", "error", "from came as `<service@example.test>`")),
    "reply_to_rewritten": wrong(header("/^Reply-To:/ REPLACE Reply-To: <x@example.test>"), ("probe.headers", "error", "reply-to came as")),
    "message_id_rewritten": wrong(header("/^Message-ID:/ REPLACE Message-ID: <0102@eu-west-1.amazonses.com>"), ("probe.headers", "warning", "message-id came as")),
    "date_rewritten": wrong(header("/^Date:/ REPLACE Date: Mon, 24 Nov 2025 09:15:00 +0000"), ("probe.headers", "warning", "date came as")),
    "sender_added": wrong(header("/^X-Nurtured-ID:/ PREPEND Sender: <service@service.test>"), ("probe.headers", "warning", "sender came as")),
    "subject_twice": wrong(header("/^X-Nurtured-ID:/ PREPEND Subject: Another"), ("probe.headers", "error", "subject is there 2 times")),
    "one_click_taken_out": wrong(header("/^List-Unsubscribe-Post:/ IGNORE"), ("probe.headers", "error", "list-unsubscribe-post was taken out"), rules=NOT_ONE_CLICK),
    "unsubscribe_of_the_service": wrong(header("/^List-Unsubscribe:/ REPLACE List-Unsubscribe: <https://service.test/u/1>"), ("probe.headers", "error", "list-unsubscribe came as")),
    # a step behind the relay, from one address of the world to another, and not by TLS
    "in_the_clear": wrong(header("/^X-Nurtured-ID:/ PREPEND Received: from out.service.test (out.service.test [192.0.2.10]) by in.receiver.test (Postfix) with ESMTP id 4T;"
                                 " Mon, 24 Nov 2025 09:15:00 +0000"), ("probe.tls", "warning", "it went from 192.0.2.10 to in.receiver.test without TLS")),
    "receiver_says_no": wrong(lambda w: w.postfix(results="mx.test; spf=softfail smtp.mailfrom=x; dkim=none; dmarc=fail (p=none; dis=none) header.from=example.test"),
                              ("probe.auth", "error", "spf=softfail"), ("probe.auth", "warning", "dkim=none"), ("probe.auth", "error", "dmarc=fail")),
    "to_another_mailbox": wrong(to_another, ("probe", "error", " s it did not come to a mailbox")),
    "to_nobody": wrong(to_nobody, ("probe", "error", "came back")),
    "refused": wrong(refused, ("probe", "error", "not from you")),
    "daemon_down": wrong(daemon_down, ("probe", "error", "cannot reach the daemon")),
}


def main():
    wanted = sys.argv[1:]
    bad = 0
    with Road() as w:
        w.open()
        records = copy.deepcopy(w.dns.records)
        for name, test in [("good", good), ("simple", simple), ("two_signatures", two_signatures), ("all_senders", all_senders), ("owners", owners)] + list(BROKEN.items()):
            if wanted and name not in wanted:
                continue
            w.dns.records.clear()
            w.dns.records.update(copy.deepcopy(records))
            w.heal_road()
            try:
                test(w)
                print("ok   " + name, flush=True)
            except Failed as e:
                bad += 1
                print("FAIL %s: %s" % (name, e), flush=True)
        if bad:
            raise Failed("%d cases" % bad)


if __name__ == "__main__":
    try:
        main()
    except Failed:
        sys.exit(1)
