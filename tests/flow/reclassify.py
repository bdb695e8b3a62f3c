#!/usr/bin/env python3
"""nurturectl reclassify, on a real daemon: kept mail read again by other rules. What was missed is done, once; what is not taken back is told.

Rules get better by the operator's replies.yaml, as here for words of unsubscribing; and by a new version, which is played by putting other bytes where
the kept ones are while the daemon is down.
"""
import json
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from answers import FORM, NURTURE, SALES, SEQUENCE, SITE, bounce, reply, sign_up  # noqa: E402
from world import BUILD, TOP, Maildir, World, check, wait_for, write  # noqa: E402

OPERATOR = SITE + """keep: {{events: 1 year, raw_mail: 1 day}}
"""
PEOPLE = ("soft", "hard", "away", "talks", "leaves")


def who(name):
    return name + "@people.test"


def bring(world, text):
    ctl = [BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "ingest"]
    check(subprocess.run(ctl, input=text.encode()).returncode == 0, "taken")


def reclassify(world, *args):
    ctl = [BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "-c", world.conf, "reclassify", "--json", *args]
    done = subprocess.run(ctl, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0, "reclassify: %s" % done.stderr)
    return {c["was"].split()[0] + "/" + c["prospect"]: c for c in json.loads(done.stdout)}


def swap(world, ids, bytes_of):
    """Other bytes for kept mails, as if the rules had been others."""
    world.stop_daemon()
    db = sqlite3.connect(world.folder + "/state/nurtured.db")
    for name, text in bytes_of.items():
        (n,) = db.execute("SELECT count(*) FROM inbound_raw WHERE instr(raw, CAST(? AS BLOB))", (who(name),)).fetchone()
        check(n == 1, "%d mails of %s" % (n, name))
        db.execute("UPDATE inbound_raw SET raw = ? WHERE instr(raw, CAST(? AS BLOB))", (text.encode(), who(name)))
    db.commit()
    db.close()
    world.start_daemon()


def main():
    with World() as world:
        kept = world.folder + "/sent"
        sink = world.sink("-m", kept)
        world.templates("ebook-delivery", "three-mistakes")
        files = dict(nurture=NURTURE, sales=SALES, forms__free_ebook=FORM, sequences__ebook=SEQUENCE)
        world.configure(OPERATOR.format(f=world.folder, top=TOP, relay="smtp://127.0.0.1:%s" % sink.port), **files)
        world.start_daemon()
        mails = {name: sign_up(world, kept, who(name)) for name in PEOPLE}
        bring(world, bounce(mails["soft"], who("soft"), "5.2.2", "Mailbox full"))
        bring(world, bounce(mails["hard"], who("hard"), "5.1.1", "User unknown"))
        bring(world, reply(mails["away"], who("away"), "I am out of the office until 1 December.", "Auto-Submitted: auto-replied\n"))
        bring(world, reply(mails["talks"], who("talks"), "Interesting read, by the way."))
        bring(world, reply(mails["leaves"], who("leaves"), "Zorp zorp zorp."))
        ids = {name: world.prospect(who(name))["id"] for name in PEOPLE}
        check(not reclassify(world), "the same rules read the same")

        swap(world, ids, {"soft": bounce(mails["soft"], who("soft"), "5.1.1", "User unknown"), "hard": bounce(mails["hard"], who("hard"), "5.2.2", "Mailbox full"),
                          "away": reply(mails["away"], who("away"), "Please call me tomorrow.")})
        with open(TOP + "/conf/replies.yaml") as f:
            rules = f.read()
        first = rules.index("say:\n", rules.index("name: unsubscribe\n")) + len("say:\n")
        write(os.path.dirname(world.conf) + "/replies.yaml", rules[:first] + "      - 'zorp zorp zorp'\n" + rules[first:])
        world.ctl("reload")
        sent = len(Maildir(kept).messages())
        before = {name: str(world.prospect(who(name))) for name in PEOPLE}
        would = reclassify(world, "--dry-run")
        check({k.split("/")[1] for k in would} == {ids[n] for n in ("soft", "hard", "away", "leaves")}, "what differs: %r" % would)
        check({name: str(world.prospect(who(name))) for name in PEOPLE} == before, "a dry run changes nothing")
        check(len(reclassify(world, "--dry-run", "--class", "bounce")) == 2, "only those that were bounces")
        check(not reclassify(world, "--dry-run", "--since", "2099-01-01T00:00:00Z"), "only those since then")

        did = reclassify(world)
        check(did == would, "what was announced: %r" % did)
        check("hard_bounce" in str(world.prospect(who("soft"))), "the dead address is suppressed now")
        check("withdrawn" in str(world.prospect(who("leaves"))), "the wish is heard now")
        check("call_me" in str(world.prospect(who("away"))), "so is the reply")
        check("hard_bounce" in str(world.prospect(who("hard"))) and did["bounce/" + ids["hard"]]["stays"], "what was done stays, and that is told")
        why = str(world.ctl("prospect", "why", who("soft"))) + str(world.prospect(who("soft")))
        check("bounce soft" in why, "the journal says so: %s" % why)
        wait_for("the reply to be forwarded", lambda: len(Maildir(kept).messages()) > sent)

        after = {name: str(world.prospect(who(name))) for name in PEOPLE}
        check(not reclassify(world), "once more: nothing differs")
        check({name: str(world.prospect(who(name))) for name in PEOPLE} == after, "and nothing is done twice")
        one = [m["mail"] for m in world.ctl("mail", "list") if m["class"] == "bounce"][0]
        check(not reclassify(world, one), "one of them, by its id")
        world.stop_daemon()


main()
