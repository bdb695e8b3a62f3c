#!/usr/bin/env python3
"""The whole daemon fetches mail from real Dovecot in three ways: told by IDLE and moved, by POP3 and deleted, with a token of OAuth 2.0; what
`nurturectl doctor`, `mailbox` and the metrics say of it while it goes well, and while the token is refused. Needs root, as Dovecot does.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from answers import FORM, NURTURE, SALES, SEQUENCE, SITE, bounce, reply, sign_up  # noqa: E402
from dovecot import Dovecot, token  # noqa: E402
from world import BUILD, TOP, World, check, wait_for, write  # noqa: E402

OPERATOR = SITE + """mailboxes:
  - {{name: replies, url: "{imaps}", user: replies, password: "file:{f}/secret", ca_file: "{ca}", poll: 1 hour, after: move, move_to: Erledigt/Zurückgewiesen}}
  - {{name: old, url: "pop3s://localhost:{pop3s}", user: old, password: "file:{f}/secret", ca_file: "{ca}", poll: 1 s, after: delete}}
  - {{name: office, url: "{imaps}", user: office, token_command: ["{f}/token", office], ca_file: "{ca}", poll: 1 hour, after: seen}}
keep: {{events: 1 year, raw_mail: 1 day}}
"""


def mailbox(world, name):
    return [m for m in world.ctl("mailbox") if m["mailbox"] == name][0]


def give_token(world, text):
    """What the command prints: a stand-in for oama and its like."""
    write(world.folder + "/token", "#!/bin/sh\ntest \"$1\" = office && printf '%%s\\n' '%s'\n" % text, 0o755)


def doctor(world):
    done = subprocess.run([BUILD + "/nurturectl", "doctor", "-c", world.conf, "--json"], stdout=subprocess.PIPE, text=True)
    return [f for f in json.loads(done.stdout)["findings"] if f["check"].startswith("mailbox")]


def test_doctor(world):
    found = {f["about"]: f for f in doctor(world) if f["check"] == "mailbox"}
    check(sorted(found) == ["office", "old", "replies"] and all(f["level"] == "ok" for f in found.values()), "all can be read: %r" % found)
    check("UIDL" in found["old"]["what"], "POP3: %r" % found["old"])
    give_token(world, token(user="office", lives=-5))
    found = [f for f in doctor(world) if f["about"] == "office"]
    check(found[0]["level"] == "error" and "refuses the login" in found[0]["what"] and "token" in found[0]["next"], "a token that ran out: %r" % found)
    write(world.folder + "/token", "#!/bin/sh\nexit 3\n", 0o755)
    found = [f for f in doctor(world) if f["about"] == "office"]
    check(found[0]["level"] == "error" and "status 3" in found[0]["what"], "no token at all: %r" % found)
    give_token(world, token(user="office"))


def test_fetched(world, dovecot, sink):
    for name, state in (("replies", "waits"), ("old", "polls"), ("office", "waits")):
        wait_for("%s to be read" % name, lambda: mailbox(world, name)["state"] == state)
    mails = {who: sign_up(world, sink, who + "@people.test") for who in ("human", "gone", "other")}
    began = time.monotonic()
    dovecot.append(reply(mails["human"], "human@people.test", "Please call me tomorrow.").encode())
    wait_for("the reply", lambda: "call_me" in str(world.prospect("human@people.test")))
    print("| told by IDLE, a reply is known after %.2f s" % (time.monotonic() - began))
    wait_for("it to be moved", lambda: len(dovecot.contents("Erledigt/Zurückgewiesen")) == 1)
    check(dovecot.subjects() == [], "it is not in the inbox any more")
    dovecot.append(bounce(mails["gone"], "gone@people.test", "5.1.1", "User unknown").encode(), user="old")
    wait_for("the bounce", lambda: "hard_bounce" in str(world.prospect("gone@people.test")))
    wait_for("it to be deleted", lambda: dovecot.subjects(user="old") == [])
    dovecot.append(reply(mails["other"], "other@people.test", "What does it cost?").encode(), user="office")
    wait_for("the other reply", lambda: "pricing" in str(world.prospect("other@people.test")))
    wait_for("it to be marked", lambda: len(dovecot.subjects(what="SEEN", user="office")) == 1)
    return mails


def metric(world, line):
    done = subprocess.run(["curl", "-s", "--unix-socket", world.folder + "/control.sock", "http://x/metrics"], stdout=subprocess.PIPE, text=True)
    return [float(got.split()[-1]) for got in done.stdout.splitlines() if got.startswith(line)][0]


def test_refused(world, dovecot, mails):
    """The token runs out under way: said, not forgotten, and over with a reload once there is a good one."""
    give_token(world, token(user="office", lives=-5))
    subprocess.run(["doveadm", "-c", dovecot.folder + "/dovecot.conf", "kick", "office"], stdout=subprocess.DEVNULL)
    wait_for("the login to be refused twice", lambda: "login failed" in mailbox(world, "office")["trouble"] and mailbox(world, "office")["state"] == "fails")
    wait_for("an alarm", lambda: [a for a in world.ctl("status")["alarms"] if a["kind"] == "mailbox" and a["sample"] == "office"])
    bad = mailbox(world, "office")
    check("token_command" in bad["do"] and bad["tried_again"], "what to do: %r" % bad)
    check(metric(world, 'nurtured_mailbox_up{mailbox="office"}') == 0 and metric(world, 'nurtured_mailbox_up{mailbox="replies"}') == 1, "metrics")
    give_token(world, token(user="office"))
    dovecot.append(reply(mails["other"], "other@people.test", "Can we schedule a call?").encode(), user="office")
    check(subprocess.run([BUILD + "/nurturectl", "-s", world.folder + "/control.sock", "reload"], stdout=subprocess.DEVNULL).returncode == 0, "reload")
    wait_for("the reply that came meanwhile", lambda: "meeting" in str(world.prospect("other@people.test")))
    wait_for("it to go well", lambda: mailbox(world, "office")["state"] == "waits" and not mailbox(world, "office")["trouble"])


def test_server_away(world, dovecot, mails):
    dovecot.stop()
    wait_for("it to be noticed", lambda: all(mailbox(world, name)["state"] == "fails" for name in ("replies", "old", "office")))
    check("nurturectl doctor" in mailbox(world, "replies")["do"], "%r" % mailbox(world, "replies"))
    dovecot.start()
    dovecot.append(reply(mails["human"], "human@people.test", "And what does it cost?").encode())
    wait_for("the reply that came meanwhile", lambda: "pricing" in str(world.prospect("human@people.test")))
    wait_for("it to be moved", lambda: len(dovecot.contents("Erledigt/Zurückgewiesen")) == 2 and dovecot.subjects() == [])


def main():
    with World() as world:
        dovecot = world.add(Dovecot(world.folder + "/dovecot", separator="/"))
        write(world.folder + "/secret", "secret\n", 0o600)
        give_token(world, token(user="office"))
        kept = world.folder + "/sent"
        sink = world.sink("-m", kept)
        world.templates("ebook-delivery", "three-mistakes")
        world.configure(OPERATOR.format(f=world.folder, top=TOP, relay="smtp://127.0.0.1:%s" % sink.port, imaps=dovecot.url(), pop3s=dovecot.pop3s,
                                        ca=dovecot.folder + "/ca.pem"), nurture=NURTURE, sales=SALES, forms__free_ebook=FORM, sequences__ebook=SEQUENCE)
        test_doctor(world)
        world.start_daemon()
        mails = test_fetched(world, dovecot, kept)
        test_refused(world, dovecot, mails)
        test_server_away(world, dovecot, mails)


main()
