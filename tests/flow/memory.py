#!/usr/bin/env python3
"""What mails of 25 MB cost in memory: the process that fetches them over IMAP, and the one that reads their first 5 MB, as docs/operations.md says.

Ordinary large mails, and the shapes that need most; each comes twice, and the second time nothing grows.
"""
import base64
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from imap_peer import ImapPeer  # noqa: E402
from intake_end import Intake  # noqa: E402
from world import BUILD, check  # noqa: E402

MB = 1 << 20
LARGE = 25 * MB
# peak resident MiB: as docs/operations.md promises
ORDINARY, ANY, FETCHER = 80, 300, 120
HEAD = ("From: Ann Other <ann@people.test>\r\nTo: replies@reply.example.test\r\nSubject: %s\r\nMessage-ID: <%s@people.test>\r\n"
        "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n%s")


def filled(name, fields, row, tail=b""):
    """Rows up to 25 MB behind those fields."""
    head = (HEAD % (name, name, fields)).encode()
    return head + row * ((LARGE - len(head) - len(tail)) // len(row)) + tail


def html(name, row):
    return filled(name, "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><table>\r\n", row)


def attached():
    binary = random.Random(5).randbytes(54 * 300000)
    mixed = ('Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlease call me.\r\n--b\r\n'
             "Content-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    return filled("attachment", mixed + base64.encodebytes(binary).decode().replace("\n", "\r\n"), b"\r\n", b"--b--\r\n")


def nested():
    out = ""
    for i in range(18):
        out += 'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i)
        if i % 2 == 0:
            out += "Content-Type: message/rfc822\r\n\r\nFrom: ann@people.test\r\nSubject: in %d\r\n" % i
    return filled("nested", out + "Content-Type: text/plain\r\n\r\n", b"words of many a sort, and more of them\r\n")


def notice(row):
    """Of a mail that came back, to so many that it takes 25 MB to name them."""
    head = HEAD.replace("Ann Other <ann@people.test>", "MAILER-DAEMON@people.test") % ("Undelivered Mail Returned to Sender", "notice", "\r\n550 5.1.1 unknown user\r\n")
    return (head.encode() + row * (LARGE // len(row)))[:LARGE]


SHAPES = (
    (ORDINARY, filled("plain text", "\r\n", b"Please call me tomorrow, it is urgent.\r\n")),
    (ORDINARY, attached()),
    (ORDINARY, html("HTML", b'<tr><td style="color:red">M&uuml;ller &amp; <b>co</b></td><td><a href="https://x.test/y">z</a></td></tr>\r\n')),
    (ORDINARY, nested()),
    (ORDINARY, notice(b"<eva@people.test>: 550 5.1.1 no such user here\r\n")),
    (ORDINARY, notice(b"eva@people.test ")),
    (ANY, html("tags alone", b"<b>")),
    (ANY, filled("Latin-1 alone", "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n", b"\xfc" * 76 + b"\r\n")),
    (ANY, filled("fields alone", "", b"X-A: b\r\n")),
    (ANY, filled("parts alone", 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n', b"--b\r\n\r\nx\r\n")),
)


def peak(pid):
    """MiB that the process has had resident at most."""
    with open("/proc/%d/status" % pid) as f:
        return int([line.split()[1] for line in f if line.startswith("VmHWM:")][0]) / 1024


def reader_of(intake):
    with open("/proc/%d/task/%d/children" % (intake.process.pid, intake.process.pid)) as f:
        (child,) = f.read().split()
    return int(child)


def is_sanitized():
    with open(BUILD + "/nurtured-intake", "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def main():
    if is_sanitized():
        print("| nothing is measured: a build for a sanitizer needs other amounts")
        return
    peer = ImapPeer([data for _, data in SHAPES] * 2)
    intake = Intake(**peer.settings(raw=True))
    highest = []
    for turn in range(2):
        for most, data in SHAPES:
            got = intake.wait("mail")
            check(got["raw"] == data and got["class"] == ("bounce" if b"MAILER-DAEMON" in data[:100] else "human"), "%s: whole, and read: %r" % (got["subject"], got["class"]))
            if turn == 0:       # what one peaked at stays the peak of the next, so they get larger
                taken = peak(reader_of(intake))
                print("| %s: its reader has had %d MiB" % (got["subject"], taken))
                check(taken < most, "too much for %s" % got["subject"])
            intake.commit(got)
        highest.append((peak(reader_of(intake)), peak(intake.process.pid)))
    print("| the reader %d MiB, the fetcher %d MiB; after as many again %d and %d" % (highest[0] + highest[1]))
    check(highest[1][1] < FETCHER, "the fetcher took %d MiB" % highest[1][1])
    for before, after in zip(*highest):
        check(after < before * 1.1, "it grows: %d MiB, then %d" % (before, after))
    intake.hang_up()
    peer.stop()


main()
