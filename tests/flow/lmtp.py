#!/usr/bin/env python3
"""Mail that other mail servers bring by LMTP (RFC 2033): a scripted client that says what clients should not, and real Postfix.

Needs root, as Postfix does. Judged by the answers, by nurturectl, and by what the database holds.
"""
import os
import re
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from answers import FORM, NURTURE, SALES, SEQUENCE, SITE, addr, bounce, reply, return_path, sign_up  # noqa: E402
import world as worlds  # noqa: E402
from world import BUILD, PATIENCE, TOP, MailServer, World, check, free_port, run, wait_for, write  # noqa: E402

OPERATOR = SITE + """mailboxes:
  - {{name: socket, url: "lmtp:{f}/lmtp.sock", domains: [feedback.example.test]}}
  - {{name: port, url: "lmtp://127.0.0.1:{port}"}}
keep: {{events: 1 year, raw_mail: 1 day}}
"""


DEADLY = """#!%s
import json, os, signal, socket, struct
s = socket.socket(fileno=3)
data = b""
while b"deadly" not in data:
    data += s.recv(65536)
data = json.dumps({"type": "state", "state": "reading", "key": ""}).encode()
s.sendall(struct.pack(">I", len(data)) + data)
os.kill(os.getpid(), signal.SIGSEGV)
"""


class Client:
    """Says what it is told to, and reads answers line by line."""

    def __init__(self, where, greet=True):
        self.socket = socket.socket(socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(where)
        self.lines = self.socket.makefile("rb")
        self.answer("220")
        if greet:
            self.say("LHLO test")
            self.answer("250")

    def say(self, *lines):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, code):
        """The last line of the next answer, which must begin so."""
        while True:
            line = self.lines.readline().decode()
            check(line, "the connection was closed where %s was awaited" % code)
            if line[3] == " ":
                break
        check(line.startswith(code), "%s was awaited: %s" % (code, line))
        return line

    def end(self):
        check(self.lines.readline() == b"", "it is closed")
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()


def crlf(text):
    return text.replace("\n", "\r\n").encode()


def give(world, sender, recipients, text):
    """One mail as a well-behaved client brings it; its answers, one for each recipient."""
    c = Client(world.folder + "/lmtp.sock")
    c.say("MAIL FROM:<%s>" % sender)
    c.answer("250")
    for r in recipients:
        c.say("RCPT TO:<%s>" % r)
        c.answer("250")
    c.say("DATA")
    c.answer("354")
    c.send(crlf(text) + b".\r\n")
    got = [c.lines.readline().decode() for _ in recipients]
    c.say("QUIT")
    c.answer("221")
    c.end()
    return got


def inbound(world):
    """(mailbox, class) of each mail that came in, oldest first, and how many bytes are kept of it."""
    db = sqlite3.connect("file:%s/state/nurtured.db?mode=ro" % world.folder, uri=True)
    rows = db.execute("SELECT mailbox, class, bytes, (SELECT length(raw) FROM inbound_raw r WHERE r.bucket = i.bucket AND r.inbound = i.id)"
                      " FROM inbound i ORDER BY id").fetchall()
    db.close()
    return rows


def test_kinds(world, mails):
    who = "human@people.test"
    text = reply(mails["human"], who, "Please call me tomorrow.").replace(addr(mails["human"]["Reply-To"]), "sales@example.test")
    to = addr(mails["human"]["Reply-To"])
    got = give(world, who, [to], text)
    check(got == ["250 2.1.5 <%s> taken\r\n" % to], "an answer for the recipient: %r" % got)
    check("call_me" in str(world.prospect(who)), "known by the envelope recipient alone, and committed when it is answered")
    before = len(inbound(world))
    check(give(world, who, [to], text)[0].startswith("250"), "the same again is taken")
    check(len(inbound(world)) == before, "and known")
    hard = "hard@people.test"
    give(world, "", [return_path(mails["hard"])], bounce(mails["hard"], hard, "5.1.1", "User unknown").replace("Return-Path: <>\n", ""))
    check("hard_bounce" in str(world.prospect(hard)), "a bounce, from the null sender")
    leave = re.search(r"mailto:([^?>]+)", str(mails["leave"]["List-Unsubscribe"])).group(1)
    give(world, "leave@people.test", [leave], "From: leave@people.test\nTo: undisclosed-recipients:;\nSubject: x\n\n")
    check("withdrawn" in str(world.prospect("leave@people.test")), "an unsubscribe address in the envelope")


def test_two_recipients(world, mails):
    """Each is somebody of their own."""
    text = "From: boss@people.test\nTo: you all\nSubject: Re: x\n\nWhat does it cost?\n"
    to = [addr(mails[kind]["Reply-To"]) for kind in ("first", "second")]
    got = give(world, "boss@people.test", to, text)
    check([line[:3] for line in got] == ["250", "250"], "an answer each: %r" % got)
    for kind in ("first", "second"):
        check("pricing" in str(world.prospect(kind + "@people.test")), "%s is heard" % kind)


def test_refusals(world):
    c = Client(world.folder + "/lmtp.sock", greet=False)
    for line, code in (("MAIL FROM:<a@b.test>", "503"), ("EHLO test", "500"), ("LHLO", "501"), ("LHLO test", "250"), ("RCPT TO:<a@reply.example.test>", "503"),
                       ("DATA", "503"), ("MAIL FROM: a@b.test", "501"), ("MAIL FROM:<a@b.test> RET=HDRS", "555"), ("MAIL FROM:<a@b.test> SIZE=x", "501"),
                       ("MAIL FROM:<a@b.test> SIZE=26214401", "552"), ("mail from:<@x.test,@y.test:a@b.test> size=1000 BODY=8BITMIME SMTPUTF8", "250"),
                       ("MAIL FROM:<a@b.test>", "503"), ("DATA", "503"), ("RCPT TO:<>", "501"), ("RCPT TO:<a@elsewhere.test>", "550"),
                       ("RCPT TO:<r+%s@elsewhere.test>" % ("a" * 34), "250"), ("RCPT TO:<abuse@FEEDBACK.example.test>", "250"), ("RCPT TO:<postmaster>", "250"),
                       ("RCPT TO:<\"a>b\"@bounce.example.test>", "250"), ("RCPT TO:<a@reply.example.test> NOTIFY=NEVER", "555"), ("DATA now", "501"),
                       ("NOOP", "250"), ("VRFY a", "252"), ("MAKE TEA", "500"), ("RSET", "250"), ("DATA", "503")):
        c.say(line)
        c.answer(code)
    c.send(b"NO\0OP\r\n")
    c.answer("500")
    c.say("MAIL FROM:<>")
    c.answer("250")
    for i in range(100):
        c.say("RCPT TO:<a%d@reply.example.test>" % i)
        c.answer("250")
    c.say("RCPT TO:<one-more@reply.example.test>")
    c.answer("452")
    c.say("NOOP " + "x" * 5000)
    c.answer("500")
    c.end()


def test_pipelined(world):
    """All at once, two mails and a farewell; dots, NULs, lines without end; and every byte on its own."""
    before = len(inbound(world))
    one = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<x@reply.example.test>\r\nDATA\r\n"
    body = b"From: a@b.test\r\nSubject: pipelined\r\n\r\n..leading dot\r\n\0 \xff\n.\n bare\r.\r\r\n" + b"y" * 100000 + b"\r\n.\r\n"
    talk = b"LHLO x\r\n" + one + body + one.replace(b"x@", b"y@") + body + b"QUIT\r\n"
    c = Client(world.folder + "/lmtp.sock", greet=False)
    c.send(talk)
    for code in ("250", "250", "250", "354", "250", "250", "250", "354", "250", "221"):
        c.answer(code)
    c.end()
    c = Client(("127.0.0.1", world.lmtp_port), greet=False)
    c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in talk.replace(b"y" * 100000, b"y").replace(b"QUIT", b"RSET").replace(b"Subject: ", b"Subject: by bytes "):
        c.send(bytes([byte]))
    for code in ("250", "250", "250", "354", "250", "250", "250", "354", "250", "250"):
        c.answer(code)
    c.close()
    got = inbound(world)[before:]
    check([row[0] for row in got] == ["socket", "socket", "port", "port"], "four mails: %r" % (got,))
    expected = len(body) - 4 - len(b"\r\n.\r\n") + len(b"\r\n") + 3
    check(got[0][2] == expected, "without the dots that were added: %d, not %d" % (got[0][2], expected))


def test_too_large(world):
    before = len(inbound(world))
    c = Client(world.folder + "/lmtp.sock")
    c.say("MAIL FROM:<a@b.test>", "RCPT TO:<x@reply.example.test>", "RCPT TO:<y@bounce.example.test>", "DATA")
    for code in ("250", "250", "250", "354"):
        c.answer(code)
    line = b"z" * 998 + b"\r\n"
    for _ in range(26):
        c.send(line * 1100)
    c.send(b".\r\n")
    c.answer("552")
    c.answer("552")
    check(len(inbound(world)) == before, "nothing is kept of it")
    c.say("MAIL FROM:<a@b.test>", "RCPT TO:<x@reply.example.test>", "DATA")
    for code in ("250", "250", "354"):
        c.answer(code)
    c.send(b"From: a@b.test\r\nSubject: large\r\n\r\n" + line * 25000 + b".\r\n")
    c.answer("250")
    c.close()
    mailbox, _, size, kept = inbound(world)[-1]
    check(size == 25000000 + 34 and size < kept < size + 1000, "25 MB are taken, and kept, behind their envelope: %d %d" % (size, kept))


def test_lost(world, mails):
    """Before the dot: nothing. Behind it: taken, whether the answer can be said or not."""
    who, to = "lost@people.test", addr(mails["lost"]["Reply-To"])
    head = b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (who.encode(), to.encode())
    text = crlf(reply(mails["lost"], who, "Can we schedule a call?"))
    before = len(inbound(world))
    c = Client(world.folder + "/lmtp.sock")
    c.send(head + text + b".\r")
    for code in ("250", "250", "354"):
        c.answer(code)
    c.close()
    c = Client(world.folder + "/lmtp.sock")
    c.send(head + text + b".\r\n")
    c.close()
    wait_for("the mail whose dot came", lambda: "meeting" in str(world.prospect(who)))
    got = give(world, who, [to], text.decode().replace("\r\n", "\n"))
    check(got[0].startswith("250") and len(inbound(world)) == before + 1, "brought again, it is known")


def test_many_connections(world):
    clients = [Client(world.folder + "/lmtp.sock") for _ in range(20)]
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(world.folder + "/lmtp.sock")
    check(s.makefile("rb").readline().startswith(b"421 4.3.2"), "one too many")
    s.close()
    for c in clients:
        c.say("QUIT")
        c.answer("221")
        c.end()
    with smtplib.LMTP("127.0.0.1", world.lmtp_port) as lmtp:
        check(lmtp.sendmail("a@b.test", ["x@reply.example.test", "y@elsewhere.test"], "Subject: by smtplib\n\nx\n")["y@elsewhere.test"][0] == 550, "smtplib")


def test_restart(world, mails):
    """What is killed leaves a socket behind; nothing that was answered is lost."""
    world.stop_daemon(signal.SIGKILL)
    world.start_daemon()
    who, to = "after@people.test", addr(mails["after"]["Reply-To"])
    check(give(world, who, [to], reply(mails["after"], who, "Please call me"))[0].startswith("250"), "it listens again")
    check("call_me" in str(world.prospect(who)), "and reads")
    with open(world.conf) as f:
        was = f.read()
    write(world.conf, was.replace("/lmtp.sock", "/moved.sock"))
    world.ctl("reload")
    check(not os.path.exists(world.folder + "/lmtp.sock"), "where it listened nobody is")
    Client(world.folder + "/moved.sock").close()
    write(world.conf, was.replace("lmtp:%s/lmtp.sock" % world.folder, "lmtp:%s/no/such/folder.sock" % world.folder))
    world.ctl("reload")
    Client(world.folder + "/moved.sock").close()
    write(world.conf, was)
    world.ctl("reload")
    Client(world.folder + "/lmtp.sock").close()
    Client(("127.0.0.1", world.lmtp_port)).close()


def pipe(world, data, *args):
    done = subprocess.run([BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "ingest", *args], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.returncode


def test_pipe(world, mails):
    """nurturectl ingest: the statuses that mail servers know."""
    who, to = "pipe@people.test", addr(mails["pipe"]["Reply-To"])
    text = reply(mails["pipe"], who, "Please call me tomorrow.").replace(to, "sales@example.test").encode()
    before = len(inbound(world))
    check(pipe(world, text, "-f", who, "-r", to) == 0, "taken")
    check("call_me" in str(world.prospect(who)), "committed when it ends")
    check(pipe(world, text, "-f", who, "-r", to) == 0 and len(inbound(world)) == before + 1, "the same again is known")
    gone = "gone@people.test"
    report = bounce(mails["gone"], gone, "5.1.1", "User unknown").replace("Return-Path: <>\n", "").encode()
    check(pipe(world, report, "-f", "MAILER-DAEMON", "-r", return_path(mails["gone"])) == 0, "a bounce as pipe(8) writes its sender")
    check("hard_bounce" in str(world.prospect(gone)), "suppresses")
    check(pipe(world, b"From: a@b.test\n\n" + b"\0\xff" * 3500000, "-f", "") == 0, "7 MB of anything, no recipient")
    check(inbound(world)[-1][0] == "pipe" and inbound(world)[-1][2] == 7000016, "with its size")
    for data, args in ((b"", ()), (b"x" * 26214401, ()), (text, ("-r", "")), (text, ("-r", "a\nb@c.test")), (text, ("-f", "<a@b.test>"))):
        check(pipe(world, data, *args) == 65, "%r is not taken" % (args,))
    check(pipe(world, text, "--all") == 64, "another option")
    world.stop_daemon()
    check(pipe(world, text, "-f", who, "-r", to) == 75, "without the daemon: later")
    world.start_daemon()


def test_shown(world):
    """What came in can be seen, whomever it is about."""
    mails = world.ctl("mail", "list")
    check(len(mails) == min(50, len(inbound(world))), "all that came: %d" % len(mails))
    check([m["received"] for m in mails] == sorted((m["received"] for m in mails), reverse=True), "newest first")
    call = [m for m in mails if m["from"] == "pipe@people.test"][0]
    check((call["mailbox"], call["class"], call["detail"]) == ("pipe", "human", "call_me") and call["prospect"].startswith("pro_"), "a reply: %r" % call)
    check([m for m in mails if m["class"] == "bounce"][0]["detail"] == "hard", "a bounce")
    check([m for m in mails if m["subject"] == "large"][0]["prospect"] is None, "about nobody")
    shown = world.ctl("mail", "show", call["mail"])
    check(shown["delivery"].startswith("del_") and shown["tokens"][0]["where"] == "delivered-to" and shown["text"] == "Please call me tomorrow.", "why: %r" % shown)
    ctl = [BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "mail", "show"]
    raw = subprocess.run(ctl + [call["mail"], "--raw"], stdout=subprocess.PIPE).stdout
    check(raw.startswith(b"Return-Path: <pipe@people.test>\r\nDelivered-To: r+") and b"Please call me" in raw, "its bytes, behind its envelope")
    for wrong in ("inb_0000000000000", "eva@people.test"):
        check(subprocess.run(ctl + [wrong], stderr=subprocess.DEVNULL).returncode == 1, "%s is none" % wrong)


def test_broken_program(world):
    """A reader that does not even begin puts no mail aside: all comes again. One that dies over a mail twice does."""
    before = len(inbound(world))
    world.stop_daemon()
    programs = world.folder + "/programs"
    write(programs + "/nurtured-intake", "#!/bin/sh\nexit 127\n", 0o755)
    shutil.copy(BUILD + "/nurtured", programs)
    worlds.BUILD = programs
    world.start_daemon()
    text = b"From: a@b.test\nSubject: deadly\n\nx\n"
    check(pipe(world, text) == 75 and len(inbound(world)) == before, "a broken program: later")
    write(programs + "/nurtured-intake", DEADLY % sys.executable, 0o755)
    check(pipe(world, text) == 0, "a mail that ends its reader twice is taken")
    check(inbound(world)[before:] == [("pipe", "unreadable", len(text), len(text))], "and kept unread: %r" % (inbound(world)[before:],))
    with open(world.folder + "/daemon.log") as f:
        log = f.read()
    check(log.count("event=mail.quarantined") == 1 and log.count("signal=11") == 2, "it was tried twice")
    worlds.BUILD = BUILD
    world.stop_daemon()
    world.start_daemon()
    check(pipe(world, text) == 0 and len(inbound(world)) == before + 1, "brought again, it is known")


def test_postfix(world, mails):
    """Real Postfix brings what comes for our domains; while we are down it keeps it."""
    # those two are ours here
    MailServer.DOMAINS = tuple(d for d in MailServer.DOMAINS if d not in ("reply.example.test", "bounce.example.test"))
    server = world.mail_server()
    conf = server.folder + "/postfix/conf"
    write(conf + "/aliases", r"/^[bru]\+.*@(reply|bounce)\.test$/ replies@reply.test" + "\n")
    write(conf + "/transport", "reply.example.test lmtp:unix:%s/lmtp.sock\nbounce.example.test lmtp:unix:%s/lmtp.sock\n" % (world.folder, world.folder))
    with open(conf + "/main.cf", "a") as f:
        f.write("transport_maps = texthash:%s/transport\nrelay_domains = reply.example.test, bounce.example.test\nlmtp_destination_concurrency_failed_cohort_limit = 0\n" % conf)
    run("postfix", "-c", conf, "reload")
    who, to = "max@people.test", addr(mails["max"]["Reply-To"])

    def bring(text):
        with smtplib.SMTP("127.0.0.1", server.smtp) as smtp:
            smtp.sendmail(who, [to], crlf(text))
    bring(reply(mails["max"], who, "What does it cost?"))
    wait_for("the mail by Postfix", lambda: "pricing" in str(world.prospect(who)))
    world.stop_daemon()
    bring(reply(mails["max"], who, "Call me tomorrow, please."))
    wait_for("Postfix to put it off", lambda: "status=deferred" in open(server.folder + "/postfix/log").read())
    world.start_daemon()
    run("postqueue", "-c", conf, "-f")
    wait_for("the mail that waited", lambda: "call_me" in str(world.prospect(who)))


def main():
    with World() as world:
        kept = world.folder + "/sent"
        sink = world.sink("-m", kept)
        world.lmtp_port = free_port()
        world.templates("ebook-delivery", "three-mistakes")
        world.configure(OPERATOR.format(f=world.folder, top=TOP, relay="smtp://127.0.0.1:%s" % sink.port, port=world.lmtp_port), nurture=NURTURE, sales=SALES,
                        forms__free_ebook=FORM, sequences__ebook=SEQUENCE)
        world.start_daemon()
        mails = {kind: sign_up(world, kept, kind + "@people.test") for kind in ("human", "hard", "leave", "first", "second", "lost", "after", "pipe", "gone", "max")}
        test_kinds(world, mails)
        test_two_recipients(world, mails)
        test_refusals(world)
        test_pipelined(world)
        test_too_large(world)
        test_lost(world, mails)
        test_many_connections(world)
        test_restart(world, mails)
        test_pipe(world, mails)
        test_shown(world)
        test_broken_program(world)
        test_postfix(world, mails)


main()
