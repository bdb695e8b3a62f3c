#!/usr/bin/env python3
"""What comes back, through the whole daemon: sign-ups are mailed to the development sink, and answers of all kinds arrive in a Maildir.

Judged from outside: by nurturectl, by the mail that goes out, and by where the files of the Maildir are.
"""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import world as worlds  # noqa: E402
from answers import FORM, NURTURE, SALES, SEQUENCE, SITE, bounce, complaint, reply, sign_up  # noqa: E402
from world import BUILD, TOP, World, check, wait_for, write  # noqa: E402

OPERATOR = SITE + """mailboxes:
  - {{name: replies, url: "maildir:{f}/replies", poll: 1 hour}}
keep: {{events: 1 year, raw_mail: 1 day}}
"""


class Mailbox:
    """The Maildir that the daemon reads."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        for part in ("tmp", "new", "cur"):
            os.makedirs("%s/%s" % (folder, part))

    def deliver(self, text):
        self.count += 1
        name = "%04d.test" % self.count
        write("%s/tmp/%s" % (self.folder, name), text)
        os.rename("%s/tmp/%s" % (self.folder, name), "%s/new/%s" % (self.folder, name))
        return name

    def taken(self, name):
        return os.path.exists("%s/cur/%s:2,S" % (self.folder, name))

    def deliver_and_wait(self, text):
        name = self.deliver(text)
        wait_for("the daemon to take %s" % name, lambda: self.taken(name))


def state(world, who):
    return world.prospect(who)


def test_kinds(world, box, sink):
    people = {kind: "%s@people.test" % kind for kind in ("human", "away", "hard", "full", "angry", "bye", "leave", "stranger")}
    mails = {kind: sign_up(world, sink, who) for kind, who in people.items()}
    box.deliver_and_wait(reply(mails["human"], people["human"], "Please call me tomorrow."))
    box.deliver_and_wait(reply(mails["away"], people["away"], "I am out of the office until 1 December.", "Auto-Submitted: auto-replied\n"))
    box.deliver_and_wait(bounce(mails["hard"], people["hard"], "5.1.1", "User unknown"))
    box.deliver_and_wait(bounce(mails["full"], people["full"], "5.2.2", "Mailbox full"))
    box.deliver_and_wait(complaint(mails["angry"]))
    box.deliver_and_wait(reply(mails["bye"], people["bye"], "Please unsubscribe me."))
    unsubscribe = re.search(r"mailto:([^?>]+)", str(mails["leave"]["List-Unsubscribe"])).group(1)
    box.deliver_and_wait("From: %s\nTo: %s\nSubject: unsubscribe\n\n" % (people["leave"], unsubscribe))
    box.deliver_and_wait("From: %s\nTo: r+%s@reply.example.test\nSubject: Re: x\n\nUnsubscribe me\n" % (people["stranger"], "a" * 34))
    got = {kind: state(world, who) for kind, who in people.items()}
    for kind, s in got.items():
        check(s, "%s is known" % kind)
    text = {kind: str(s) for kind, s in got.items()}
    check("call_me" in text["human"] and "replied" in text["human"], "a reply: intent, and the sequence stopped: %s" % text["human"])
    check("auto_reply" in text["away"] and "replied" not in text["away"], "an automatic one stops nothing: %s" % text["away"])
    check("hard_bounce" in text["hard"], "an unknown user is suppressed: %s" % text["hard"])
    check("hard_bounce" not in text["full"] and "soft_bounce" in text["full"], "a full mailbox is counted: %s" % text["full"])
    check("complaint" in text["angry"], "a complaint suppresses: %s" % text["angry"])
    check("withdrawn" in text["bye"], "a reply that asks for it withdraws: %s" % text["bye"])
    last = got["bye"]["consents"][-1]
    check((last["what"], last["words"], last["by"]) == ("withdrawn", "Please unsubscribe me.", "prospect"), "in their words: %s" % last)
    check("withdrawn" in text["leave"], "so does a mail to the unsubscribe address: %s" % text["leave"])
    check("withdrawn" not in text["stranger"], "a token that we did not sign changes nothing: %s" % text["stranger"])
    return mails


def test_repeated(world, box, mails):
    text = reply(mails["human"], "human@people.test", "Please call me tomorrow.")
    before = str(state(world, "human@people.test")).count("'reply'")
    box.deliver_and_wait(text)
    check(str(state(world, "human@people.test")).count("'reply'") == before, "the same bytes again change nothing")


def intake_of(world):
    done = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(world.daemon_process.pid)], stdout=subprocess.PIPE, text=True)
    found = [int(line.split()[0]) for line in done.stdout.splitlines() if "nurtured-intake" in line and "defunct" not in line]
    return found[0] if found else None


def test_intake_dies(world, box, mails):
    first = wait_for("the intake", lambda: intake_of(world))
    os.kill(first, signal.SIGKILL)
    wait_for("another intake", lambda: intake_of(world) not in (None, first))
    box.deliver_and_wait(reply(mails["full"], "full@people.test", "What does it cost?"))
    check("pricing" in str(state(world, "full@people.test")), "mail is read again")


def test_daemon_restarts(world, box, mails):
    world.stop_daemon()
    name = box.deliver(reply(mails["away"], "away@people.test", "Not right now, try me again in March."))
    world.start_daemon()
    wait_for("what came meanwhile", lambda: box.taken(name))
    check("not_now" in str(state(world, "away@people.test")), "and it counts")


def raw_mails(world):
    db = sqlite3.connect("file:%s/state/nurtured.db?mode=ro" % world.folder, uri=True)
    (n,) = db.execute("SELECT count(*) FROM inbound_raw").fetchone()
    db.close()
    return n


def test_raw_mail_goes(world, box):
    """Its bytes are kept as long as the operator says: looked at on start."""
    before = raw_mails(world)
    check(before > 5, "bytes are kept")
    world.stop_daemon()
    name = box.deliver("From: x@people.test\n\nfrom three days ago\n")
    days_ago = time.time() - 3 * 86400
    os.utime("%s/new/%s" % (box.folder, name), (days_ago, days_ago))
    world.start_daemon()
    wait_for("the old mail to be taken", lambda: box.taken(name))
    check(raw_mails(world) == before + 1, "its bytes too")
    world.stop_daemon()
    world.start_daemon()
    wait_for("the old bytes to go", lambda: raw_mails(world) == before)


def test_reload(world, box, mails):
    """A mailbox that moves is read where it is now."""
    other = Mailbox(world.folder + "/moved")
    with open(world.conf) as f:
        was = f.read()
    write(world.conf, was.replace("maildir:%s/replies" % world.folder, "maildir:%s/moved" % world.folder))
    world.daemon_process.send_signal(signal.SIGHUP)
    other.deliver_and_wait(reply(mails["stranger"], "stranger@people.test", "Can we schedule a call?"))
    check("meeting" in str(state(world, "stranger@people.test")), "read where it is now")
    stays = box.deliver("From: x@people.test\n\nnobody reads this\n")
    check(not box.taken(stays), "and not where it was")
    os.unlink("%s/new/%s" % (box.folder, stays))
    write(world.conf, was)
    world.daemon_process.send_signal(signal.SIGHUP)
    box.deliver_and_wait("From: x@people.test\n\nback again\n")


DEADLY = """#!%s
import json, os, signal, socket, struct
s = socket.socket(fileno=3)
def take(n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise SystemExit(0)
        data += more
    return data
def send(**m):
    data = json.dumps(m).encode()
    s.sendall(struct.pack(">I", len(data)) + data)
config = json.loads(take(struct.unpack(">I", take(4))[0]))
send(type="ready", uidvalidity=0)
send(type="state", state="reading", key="bad")
if "bad" not in config["skip"]:
    os.kill(os.getpid(), signal.SIGSEGV)
send(type="mail", key="bad", uid=0, uidvalidity=0, sha256="ab" * 32, size=1, received=0, **{"class": "unreadable"})
take(struct.unpack(">I", take(4))[0])
open("%s", "w").close()
take(1)
"""


def test_deadly_mail(world):
    """An intake that a mail ends: played by a program of a few lines beside a copy of the daemon."""
    world.stop_daemon()
    programs, seen = world.folder + "/programs", world.folder + "/committed"
    write(programs + "/nurtured-intake", DEADLY % (sys.executable, seen), 0o755)
    shutil.copy(BUILD + "/nurtured", programs)
    worlds.BUILD = programs
    world.start_daemon()
    wait_for("the mail to be passed over and committed", lambda: os.path.exists(seen))
    with open(world.folder + "/daemon.log") as f:
        log = f.read()
    check(log.count("event=mail.quarantined") == 1, "an error is logged, once")
    check(log.count("signal=11") == 2, "it was tried twice")
    worlds.BUILD = BUILD
    world.stop_daemon()


def main():
    with World() as world:
        box = Mailbox(world.folder + "/replies")
        kept = world.folder + "/sent"
        sink = world.sink("-m", kept)
        world.templates("ebook-delivery", "three-mistakes")
        world.configure(OPERATOR.format(f=world.folder, top=TOP, relay="smtp://127.0.0.1:%s" % sink.port), nurture=NURTURE, sales=SALES,
                        forms__free_ebook=FORM, sequences__ebook=SEQUENCE)
        world.start_daemon()
        mails = test_kinds(world, box, kept)
        test_repeated(world, box, mails)
        test_intake_dies(world, box, mails)
        test_daemon_restarts(world, box, mails)
        test_reload(world, box, mails)
        test_raw_mail_goes(world, box)
        test_deadly_mail(world)


main()
