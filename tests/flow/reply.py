#!/usr/bin/env python3
"""nurturectl reply test: there is an answer for every mail, whatever its bytes are, and the exit status says whether all files could be opened."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from world import BUILD, TOP, check  # noqa: E402

CLASSES = {"human", "auto", "bounce", "complaint", "challenge", "mdn", "calendar", "unsubscribe"}
MAILS = os.path.join(TOP, "tests/listen/mails")


def ctl(*args, stdin=b""):
    p = subprocess.run([os.path.join(BUILD, "nurturectl"), "reply", "test", *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def read(*args, stdin=b"", status=0):
    rc, out, err = ctl("--json", *args, stdin=stdin)
    check(rc == status, "%r: status %d, %s" % (args, rc, err))
    lines = [json.loads(line) for line in out.splitlines()]
    for said in lines:
        check(said["class"] in CLASSES, said)
        check(isinstance(said["text"], str) and isinstance(said["intents"], list), said)
        check(all(isinstance(name, str) for name in said["intents"]), said)
        check(said["bounce"] is None or said["bounce"]["kind"] in ("hard", "soft"), said)
        check((said["bounce"] is None) == (said["class"] != "bounce"), said)
        check((said["class"] == "human") <= bool(said["intents"]), said)
    return lines


def what_it_says():
    [said] = read(os.path.join(MAILS, "bounce_postfix.eml"))
    check({k: said["bounce"][k] for k in ("kind", "reason", "status", "recipient")} ==
          {"kind": "hard", "reason": "userunknown", "status": "5.1.1", "recipient": "bob@people.test"}, said)
    [said] = read(os.path.join(MAILS, "human_gmail.eml"))
    check(said["class"] == "human" and said["intents"][0] == "meeting" and said["text"].startswith("Could we have"), said)
    with open(os.path.join(MAILS, "unsubscribe_mailto.eml"), "rb") as f:
        [said] = read("-", stdin=f.read())
    check(said["class"] == "unsubscribe", said)
    rc, page, _ = ctl(os.path.join(MAILS, "human_gmail.eml"))
    check(rc == 0 and "class       human\n" in page and "leads       meeting\n" in page, page)


def folders(scratch):
    shutil.copytree(MAILS, os.path.join(scratch, "all/deep"))
    got = read(os.path.join(scratch, "all"))
    check(len(got) == len(os.listdir(MAILS)), "a line a file")
    check([g["file"] for g in got] == sorted(g["file"] for g in got), "in the order of their names")
    rc, _, err = ctl("--json", os.path.join(scratch, "none.eml"))
    check(rc == 1 and "none.eml" in err, err)
    got = read(os.path.join(scratch, "none.eml"), os.path.join(MAILS, "mdn.eml"), status=1)
    check([g["class"] for g in got] == ["mdn"], "the others are read all the same")
    rc, _, _ = ctl("--json")
    check(rc == 64, "which file?")
    rc, _, err = ctl("-c", os.path.join(scratch, "none.yaml"), os.path.join(MAILS, "mdn.eml"))
    check(rc == 78, err)
    read("-c", os.path.join(TOP, "conf/nurtured.yaml"), os.path.join(MAILS, "mdn.eml"))


def hostile(scratch):
    chance = random.Random(7)
    head = b"From: a@example.net\r\nTo: b@example.net\r\nSubject: x\r\n"
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(5000))
    messages = b"Content-Type: message/rfc822\n\n" * 40000
    mails = {
        "empty": b"", "one": b"\n", "nul": b"\0" * 3000, "binary": chance.randbytes(200000), "no header": b"just words, no header\n",
        "header alone": head, "huge": head + b"\r\n" + b"word " * 3000000, "one line": head + b"\r\n" + b"a" * 6000000,
        "nested": head + nested, "messages": head + messages, "utf16": ("Subject: x\n\nunsubscribe\n").encode("utf-16"),
        "cr": head.replace(b"\r\n", b"\r") + b"\rstop\r", "html bomb": head + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300000,
        "bad base64": head + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=?!*" * 1000, "quotes": head + b"\r\n" + b"> " * 200000,
        "on wrote": head + b"\r\n" + b"On On On wrote " * 60000, "from lines": b"From x\n" * 20000, "colons": b":" * 100000,
        "long fields": b"To: " + b"<a@b>," * 100000 + b"\n\nhi\n",
    }
    for name in sorted(os.listdir(MAILS)):
        with open(os.path.join(MAILS, name), "rb") as f:
            whole = f.read()
        for cut in (1, len(whole) // 3, len(whole) // 2, len(whole) - 2):
            mails["%s %d" % (name, cut)] = whole[:cut]
        flipped = bytearray(whole)
        for _ in range(60):
            flipped[chance.randrange(len(flipped))] = chance.randrange(256)
        mails[name + " flipped"] = bytes(flipped)
    folder = os.path.join(scratch, "hostile")
    os.mkdir(folder)
    for name, data in mails.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    check(len(read(folder)) == len(mails), "an answer for each")
    [said] = read("-", stdin=mails["huge"])
    check(said["class"] == "human", said)


def main():
    scratch = tempfile.mkdtemp()
    try:
        what_it_says()
        folders(scratch)
        hostile(scratch)
    finally:
        shutil.rmtree(scratch)
    print("1..1\nok 1 - reply test")


main()
