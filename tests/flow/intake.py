#!/usr/bin/env python3
"""nurtured-intake against a Maildir and against real Dovecot (IMAPS and STARTTLS, certificates of a CA of our own): the test plays the daemon.

Needs root, as Dovecot does. Everything is on loopback, in one folder that goes away.
"""
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dovecot import Dovecot  # noqa: E402
from intake_end import TOKEN, WINDOW, Intake, mail, settings  # noqa: E402
from world import BUILD, PATIENCE, Failed, check, wait_for  # noqa: E402


# --- Maildir -----------------------------------------------------------------------------------------------------------------

def maildir(folder):
    for part in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(folder, part))
    return folder


def deliver(folder, name, data):
    with open(os.path.join(folder, "tmp", name), "wb") as f:
        f.write(data)
    os.rename(os.path.join(folder, "tmp", name), os.path.join(folder, "new", name))


def test_maildir(top):
    box = maildir(top + "/box")
    deliver(box, "1.a", mail("first"))
    intake = Intake(url="maildir:" + box, poll_seconds=3600, raw=True)
    intake.wait("ready")
    got = intake.wait("mail")
    check(intake.states == ["1.a"], "the mail is named before it is read")
    check(got["class"] == "human" and got["text"] == "Please call me tomorrow.", "reading: %r" % got)
    check(got["tokens"][0]["kind"] == "r" and got["tokens"][0]["text"] == TOKEN, "token: %r" % got["tokens"])
    raw = got["raw"]
    check(raw == mail("first") and got["sha256"] == hashlib.sha256(raw).hexdigest() and got["size"] == len(raw), "bytes and digest")
    check(os.path.exists(box + "/new/1.a"), "the file stays in new/ until it is committed")
    deliver(box, "2.b", mail("second"))	# the poll is an hour away: the arrival itself wakes it
    second = intake.wait("mail")
    check(second["subject"] == "second", "second mail")
    intake.commit(got)
    wait_for("the file to move", lambda: os.path.exists(box + "/cur/1.a:2,S"))
    intake.hang_up()
    check(os.listdir(box + "/new") == ["2.b"], "the second was not committed")
    again = Intake(url="maildir:" + box, poll_seconds=3600)
    check(again.wait("mail")["key"] == "2.b", "what was not committed comes again")
    again.quiet()


def test_large(top):
    """25 MB come as they are, their digest is that of the first 5, and what is out is bounded."""
    box = maildir(top + "/large")
    large = mail("large") + (b"z" * 998 + b"\r\n") * 30000
    large = large[:25 * 1024 * 1024 + 10]
    for name in ("1", "2", "3"):
        deliver(box, name, large)
    intake = Intake(url="maildir:" + box, poll_seconds=3600, raw=True)
    first = intake.wait("mail")
    check(first["raw"] == large[:-10] and first["size"] == len(large), "its bytes, up to 25 MB: %d" % len(first["raw"]))
    check(first["sha256"] == hashlib.sha256(large[:5 << 20]).hexdigest(), "digest")
    intake.send(type="poll_now")
    intake.commit(first)
    check(intake.wait("mail")["key"] == "2", "the next when that is committed")
    intake.quiet()


def test_window(top):
    box = maildir(top + "/window")
    for i in range(20):
        deliver(box, "%02d" % i, mail("number %d" % i))
    intake = Intake(url="maildir:" + box, poll_seconds=3600)
    first = [intake.wait("mail") for _ in range(WINDOW)]
    check([m["key"] for m in first] == ["%02d" % i for i in range(WINDOW)], "in order")
    intake.send(type="poll_now")
    intake.commit(first[0])
    ninth = intake.wait("mail")
    check(ninth["key"] == "%02d" % WINDOW, "one more for one that was committed")
    todo = first[1:] + [ninth]
    seen = WINDOW + 1
    while seen < 20:
        intake.commit(todo.pop(0))
        todo.append(intake.wait("mail"))
        seen += 1
    for m in todo:
        intake.commit(m)
    wait_for("new/ to be empty", lambda: not os.listdir(box + "/new"))
    intake.quiet()


def test_hostile_mail(top):
    box = maildir(top + "/hostile")
    nested = "".join("Content-Type: message/rfc822\r\n\r\n" for _ in range(40000))
    deliver(box, "1.nested", ("From: a@people.test\r\nSubject: deep\r\n" + nested + "\r\nend\r\n").encode())
    boundary = "".join('Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(10000))
    deliver(box, "2.multi", ("From: a@people.test\r\nSubject: wide\r\n" + boundary + "\r\nend\r\n").encode())
    deliver(box, "3.binary", bytes(range(256)) * 64)
    deliver(box, "4.skip", mail("this one was the end of it, twice"))
    os.mkdir(box + "/new/5.folder")
    deliver(box, "6.good", mail("good"))
    intake = Intake(url="maildir:" + box, poll_seconds=3600, skip=["4.skip"])
    got = {}
    while len(got) < 5:
        m = intake.next()
        if m["type"] == "mail":
            got[m["key"]] = m
    check(got["4.skip"]["class"] == "unreadable" and "text" not in got["4.skip"], "skipped unread: %r" % got["4.skip"])
    check(got["6.good"]["class"] == "human", "the mail behind them is read")
    check(got["1.nested"]["subject"] == "deep" and got["2.multi"]["subject"] == "wide", "bombs are read flat")
    intake.hang_up()


def test_nonsense_from_the_daemon(top):
    check(Intake(url="gopher://nowhere").process.wait(PATIENCE) == 0, "an url that it cannot read ends it")
    check(Intake(url="maildir:" + top + "/nowhere").process.wait(PATIENCE) == 0, "so does a Maildir that is not there")
    intake = Intake()
    intake.socket.sendall(b"\xff\xff\xff\xff{}")
    check(intake.process.wait(PATIENCE) == 0, "and a frame that is too long")
    check(subprocess.run([BUILD + "/nurtured-intake"], stderr=subprocess.DEVNULL).returncode == 64, "without a socket: usage")


# --- Dovecot -----------------------------------------------------------------------------------------------------------------

def test_imap(dovecot):
    dovecot.append(mail("one"), mail("two"))
    intake = Intake(**settings(dovecot))
    validity = intake.wait("ready")["uidvalidity"]
    one, two = intake.wait("mail"), intake.wait("mail")
    check([one["subject"], two["subject"]] == ["one", "two"] and one["uid"] < two["uid"], "in order of uids")
    check(one["uidvalidity"] == validity and one["key"] == "%d:%d" % (validity, one["uid"]), "key: %r" % one["key"])
    check(one["sha256"] == hashlib.sha256(mail("one")).hexdigest(), "the bytes as they were appended")
    intake.commit(one)
    wait_for("$Nurtured", lambda: "$Nurtured" in dovecot.keywords(one["uid"]))
    check("$Nurtured" not in dovecot.keywords(two["uid"]), "only on what was committed")
    check("Seen" not in dovecot.keywords(one["uid"]), "reading leaves it unseen")
    dovecot.append(mail("three"))
    intake.send(type="poll_now")
    three = intake.wait("mail")
    check(three["subject"] == "three", "poll_now looks at once")
    intake.hang_up()
    behind = Intake(**settings(dovecot, watermark={"uidvalidity": validity, "last_uid": two["uid"]}))
    check(behind.wait("mail")["uid"] == three["uid"], "from the watermark on")
    behind.quiet()
    return validity, three["uid"]


def test_new_uidvalidity(dovecot, watermark):
    validity, last = watermark
    intake = Intake(**settings(dovecot, watermark={"uidvalidity": validity + 1, "last_uid": last + 100}))
    check([intake.wait("mail")["subject"] for _ in range(3)] == ["one", "two", "three"], "another UIDVALIDITY: all of the last 30 days")
    intake.quiet()


def test_starttls(dovecot):
    intake = Intake(**settings(dovecot, url="imap://localhost:%d/INBOX" % dovecot.imap, starttls=True))
    check(intake.wait("mail")["subject"] == "one", "read over STARTTLS")
    intake.hang_up()


def refused(dovecot, why, **more):
    intake = Intake(**settings(dovecot, **more))
    problem = intake.wait("problem")
    check(why in problem["what"].lower(), "%r in %r" % (why, problem["what"]))
    check("secret" not in problem["what"], "no password in a problem")
    intake.quiet()
    return problem


def test_refused(dovecot):
    refused(dovecot, "certificate", cainfo=dovecot.folder + "/other.pem")
    refused(dovecot, "certificate", url=dovecot.url("127.0.0.1"))	# the certificate is for localhost
    refused(dovecot, "certificate", cainfo=dovecot.folder + "/other.pem", url="imap://localhost:%d/INBOX" % dovecot.imap, starttls=True)
    check(refused(dovecot, "login", password="wrong")["retry_in"] >= 300, "a wrong password is not tried again soon")
    check("secret" in open(dovecot.folder + "/users").read(), "the account is there")
    in_the_clear = Intake(**settings(dovecot, url="imap://localhost:%d/INBOX" % dovecot.imap))
    check("starttls" in in_the_clear.wait("problem")["what"].lower(), "no password in the clear unless told so")
    check(in_the_clear.process.wait(PATIENCE) == 0, "that is a config to be corrected")
    in_the_clear = Intake(**settings(dovecot, url="imap://localhost:%d/INBOX" % dovecot.imap, cleartext=True))
    check(in_the_clear.wait("mail")["subject"] == "one", "told so, it does")
    in_the_clear.hang_up()


def test_server_restarts(dovecot):
    intake = Intake(**settings(dovecot, poll_seconds=1))
    for subject in ("one", "two", "three"):
        check(intake.wait("mail")["subject"] == subject, "read once")
    dovecot.stop()
    intake.wait("problem")
    dovecot.start()
    dovecot.append(mail("four"))
    problems = 0
    while True:
        m = intake.next()
        if m["type"] == "mail":
            break
        problems += m["type"] == "problem"
        check(problems < 10, "it comes back: %r" % m)
    check(m["subject"] == "four", "goes on behind what it had: %r" % m["subject"])
    intake.hang_up()


def main():
    top = tempfile.mkdtemp()
    os.chmod(top, 0o755)
    dovecot = None
    try:
        test_maildir(top)
        test_window(top)
        test_large(top)
        test_hostile_mail(top)
        test_nonsense_from_the_daemon(top)
        dovecot = Dovecot(top + "/dovecot")
        watermark = test_imap(dovecot)
        test_new_uidvalidity(dovecot, watermark)
        test_starttls(dovecot)
        test_refused(dovecot)
        test_server_restarts(dovecot)
    except Failed as why:
        if dovecot:
            print(open(dovecot.folder + "/log").read()[-3000:])
        print("FAILED: %s" % why)
        raise
    finally:
        if dovecot:
            subprocess.run(["doveadm", "-c", dovecot.folder + "/dovecot.conf", "stop"], stderr=subprocess.DEVNULL)
        shutil.rmtree(top)


main()
