#!/usr/bin/env python3
"""nurturectl simulate: one person's timeline and its golden file, what is refused and how, and the population of a daemon that runs: of its people,
by a copy of its database that goes away again.
"""
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import lay_out, sign_up  # noqa: E402
from world import BUILD, TOP, Maildir, World, check, main, wait_for, write  # noqa: E402

CONF = TOP + "/tests/simulate/conf/nurtured.yaml"
PERSONAS = TOP + "/tests/simulate/personas"

READER = """
persona: Somebody who opens everything
email: any@people.test
behaviour:
  - opens all
"""


def simulate(*args, conf=CONF, zone="UTC"):
    done = subprocess.run([BUILD + "/nurturectl", "simulate", *args, "-c", conf], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, TZ=zone))
    return done.returncode, done.stdout, done.stderr


def expect(got, status, out="", err=""):
    check(got[0] == status, "status %d, not %d:\n%s%s" % (got[0], status, got[1], got[2]))
    check(out in got[1], "no %r in\n%s" % (out, got[1]))
    check(err in got[2], "no %r in\n%s" % (err, got[2]))


def a_timeline_is_kept_and_compared():
    with World() as w:
        golden, reader = w.folder + "/golden.txt", PERSONAS + "/reader.yaml"
        expect(simulate("guide", "--persona", reader), 0, 'mail         tips: "Three tips, Eva"\n')
        expect(simulate("guide", "--persona", reader, "--golden", golden), 1, err="--update writes it")
        expect(simulate("guide", "--persona", reader, "--golden", golden, "--update"), 0)
        check(open(golden).read() == open(PERSONAS + "/reader.txt").read(), "what is kept is not what the unit test keeps")
        same = simulate("guide", "--persona", reader, "--golden", golden, zone="Pacific/Auckland")
        check(same == (0, "", ""), "in another zone: %r" % (same,))
        expect(simulate("guide", "--persona", reader, "--golden", golden, "--from", "2026-03-03"), 1, err="-  0  Mon 2026-03-02 09:30  signs up")
        check(json.loads(simulate("guide", "--persona", reader, "--json")[1])["mails"] > 4, "no mails in JSON")


def what_is_refused_says_what_was_meant():
    with World() as w:
        silent = PERSONAS + "/silent.yaml"
        wrong = write(w.folder + "/wrong.yaml", "persona: E\nemail: e@x.example\nbehaviour: [opns all]\n")
        today = write(w.folder + "/today.yaml", READER)
        expect(simulate("--persona", wrong), 78, err="wrong.yaml:3:13: no phrase begins with `opns`; did you mean `opens`?")
        expect(simulate("--persona", w.folder + "/none.yaml"), 78, err="none.yaml:1:1: there is no such file")
        expect(simulate("gide", "--persona", silent), 64, err="no sequence `gide`; did you mean `guide`?")
        expect(simulate("--persona", PERSONAS), 64, err="a timeline is of one")
        expect(simulate("guide"), 64, err="who? --persona FILE")
        expect(simulate("--persona", today, "--golden", w.folder + "/x"), 64, err="what begins today differs tomorrow")
        expect(simulate("--persona", silent, "--days", "0"), 64, err="--days is a number from 1 to 3650, not `0`")
        expect(simulate("--persona", silent, "--from", "soon"), 64, err="--from: `soon` is no date")
        expect(simulate("--persona", silent, "--update"), 64, err="--update writes the file of --golden")
        expect(simulate("--persona", silent, "--people", "3"), 64, err="are for --population")
        expect(simulate("guide", "--population", "--people", "3"), 64, err="leave `guide` away")
        expect(simulate("--population", "--people", "3", "--persona", w.folder), 78, err="wrong.yaml:3:13: ")
        expect(simulate("--population", "--persona", silent, "-s", w.folder + "/none.sock"), 69, err="--database FILE with a copy")
        expect(simulate("--population", "--persona", silent, "--database", w.folder + "/none.db"), 1, err="none.db: No such file or directory")
        expect(simulate("--persona", silent, conf=w.folder + "/none.yaml"), 78, err="there is no such file")


def the_people_of_a_daemon_live_on_in_a_copy():
    with World() as w:
        lay_out(w, "https://crm.example.test/lead")
        reader = write(w.folder + "/reader.yaml", READER)
        sent = Maildir(w.folder + "/sent")
        conf, state = w.folder + "/conf/nurtured.yaml", w.folder + "/state"
        w.start_daemon()
        for i in range(5):
            sign_up(w, "p%d@people.test" % i)
        wait_for("five mails", lambda: len(sent.messages()) >= 5)
        before = w.ctl("status")
        args = ("--population", "--persona", reader, "--days", "40", "-s", w.folder + "/control.sock")
        got = simulate(*args, "--json", conf=conf)
        check(got[0] == 0, "population: %s%s" % got[1:])
        report = json.loads(got[1])
        check(report["all"]["came"] == 0 and report["all"]["mails"] >= 5 and sum(report["all"]["opened"].values()) >= 5, "five people live on: %s" % report["all"])
        check(not glob.glob(state + "/snapshot-*"), "the copy is still there")
        after = w.ctl("status")
        check(before["prospects"] == after["prospects"] == 5 and len(sent.messages()) == 5, "the daemon has noticed")
        # its own file is not to be touched while it runs; a copy of it is as good
        expect(simulate(*args, "--database", state + "/nurtured.db", conf=conf), 1, err="a daemon has it open; take a copy")
        w.stop_daemon()
        expect(simulate(*args, "--database", state + "/nurtured.db", conf=conf), 0, out="the people of the database, 40 days from")


main(a_timeline_is_kept_and_compared, what_is_refused_says_what_was_meant, the_people_of_a_daemon_live_on_in_a_copy)
