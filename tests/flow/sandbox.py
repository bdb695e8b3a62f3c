#!/usr/bin/env python3
"""A reader that an attacker has taken over (tests/listen/wild.c): what it tries ends it, the mail is put aside and shown, and those behind it are read.

In a real daemon, with a Maildir that a fetcher looks after, and a socket for mail that is brought.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import world as worlds  # noqa: E402
from answers import FORM, NURTURE, SALES, SEQUENCE, SITE  # noqa: E402
from world import BUILD, TOP, World, check, wait_for, write  # noqa: E402

OPERATOR = SITE + """mailboxes:
  - {{name: replies, url: "maildir:{f}/replies", poll: 1 hour}}
keep: {{events: 1 year, raw_mail: 1 day}}
"""
SIGSYS = 31


def text(subject, says):
    return "From: ann@people.test\nTo: replies@reply.example.test\nSubject: %s\nMessage-ID: <%s@people.test>\n\n%s\n" % (subject, subject, says)


def deliver(world, name, data):
    write("%s/replies/tmp/%s" % (world.folder, name), data)
    os.rename("%s/replies/tmp/%s" % (world.folder, name), "%s/replies/new/%s" % (world.folder, name))


def bring(world, data):
    return subprocess.run([BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "ingest"], input=data.encode(), stdout=subprocess.DEVNULL).returncode


def classes(world):
    return {m["subject"] or m["mail"]: m["class"] for m in world.ctl("mail", "list")}


def log(world):
    with open(world.folder + "/daemon.log") as f:
        return f.read()


def test_mailbox(world):
    wild = ["exec", "spin"]
    for i, what in enumerate(wild):
        deliver(world, "%d.%s" % (i, what), text(what, "wild: " + what))
    deliver(world, "8.open", text("open", "wild: open"))
    deliver(world, "9.good", text("good", "Please call me tomorrow."))
    wait_for("the mail behind them to be read", lambda: "good" in classes(world))
    read = classes(world)
    check(read["good"] == "human", "it is read: %r" % read)
    check(read["open"] == "human", "a file that may not be opened is only that: %r" % read)
    check(list(read.values()).count("unreadable") == len(wild), "the others are shown, unread: %r" % read)
    said = log(world)
    check(said.count("event=mail.quarantined") == len(wild), "and each is told of once")
    check(not os.path.exists("/tmp/wild"), "no file was made")


def test_brought(world):
    wild = ["socket", "fork", "kill", "unlink"]
    for what in wild:
        check(bring(world, text("brought " + what, "wild: " + what)) == 0, "taken: it will not be better another time")
    check(bring(world, text("brought good", "Please call me tomorrow.")) == 0, "the next")
    read = classes(world)
    check(read["brought good"] == "human" and list(read.values()).count("unreadable") == 6, "read: %r" % read)
    said = log(world)
    check(said.count("signal=%d" % SIGSYS) == 2 * len(wild), "by the kernel, twice each")


def main():
    programs = os.path.join(BUILD, "tests/listen/wild")
    with World() as world:
        for part in ("tmp", "new", "cur"):
            os.makedirs("%s/replies/%s" % (world.folder, part))
        world.templates("ebook-delivery", "three-mistakes")
        world.configure(OPERATOR.format(f=world.folder, top=TOP, relay="smtp://127.0.0.1:1"), nurture=NURTURE, sales=SALES, forms__free_ebook=FORM, sequences__ebook=SEQUENCE)
        shutil.copytree(programs, world.folder + "/programs")
        shutil.copy(BUILD + "/nurtured", world.folder + "/programs")
        worlds.BUILD = world.folder + "/programs"
        world.start_daemon()
        worlds.BUILD = BUILD
        test_mailbox(world)
        test_brought(world)
        world.stop_daemon()


main()
