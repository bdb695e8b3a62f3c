#!/usr/bin/env python3
"""Erasure: a person of whom every kind of thing is known is forgotten, and nothing of them is found in any file of the daemon's, also when it is
killed at any place on the way; the ledger still verifies; and their address is not mailed again until they confirm.

Builds nurtured with crash points, too (BUILD/crash).
"""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from answers import bounce, reply  # noqa: E402
from look import SECRET, lay_out, ring, sign_up  # noqa: E402
from world import BUILD, TOP, Maildir, World, check, links, main, run, wait_for  # noqa: E402

WHO = "zebulon.quagmire@people.test"
WORDS = "my xylophone is broken"
# of the address, the name, the company, what they wrote
TRACES = [b"zebulon", b"quagmire", b"xylophone", b"wombat ltd"]


def files(w):
    for folder, _, names in os.walk(w.folder + "/state"):
        for name in names:
            yield os.path.join(folder, name)


def traces(w):
    found = []
    for path in files(w):
        with open(path, "rb") as f:
            data = f.read().lower()
        found += ["%s in %s" % (t.decode(), os.path.basename(path)) for t in TRACES if t in data]
    return found


def ctl(w, *args):
    return subprocess.run([BUILD + "/nurturectl", "-s", w.folder + "/control.sock", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def mail_to(w, who):
    return wait_for("a mail to %s" % who, lambda: [m for m in Maildir(w.folder + "/sent").messages() if who in str(m["To"])])[-1]


def deliver(w, name, text):
    with open("%s/replies/tmp/%s" % (w.folder, name), "w") as f:
        f.write(text)
    os.rename("%s/replies/tmp/%s" % (w.folder, name), "%s/replies/new/%s" % (w.folder, name))
    wait_for("the daemon to take %s" % name, lambda: os.path.exists("%s/replies/cur/%s:2,S" % (w.folder, name)))
    os.remove("%s/replies/cur/%s:2,S" % (w.folder, name))


def become_known(w):
    """Sign-up, a mail, an open and a click, a reply, a bounce, behaviour, an alert."""
    sign_up(w, WHO)
    w.post_json("/v1/forms/ebook", {"email": WHO, "first_name": "Zebulon", "company": "Wombat Ltd"})
    mail = mail_to(w, WHO)
    for link in links(mail):
        if "/c/" in link:
            w.request("GET", link, headers={"User-Agent": "Mozilla/5.0 xylophone"})
    deliver(w, "1", reply(mail, WHO, WORDS))
    deliver(w, "2", bounce(mail, WHO, "5.2.2", "Mailbox full " + WORDS))
    ring(w, WHO)
    wait_for("the alert", lambda: [a for a in w.alerts_taken() if "zebulon" in str(a).lower()] or b"zebulon" in open(w.alerts, "rb").read())
    check({t.split()[0] for t in traces(w)} >= {"zebulon", "quagmire", "xylophone"}, "nothing of them is there before")


def exported(w):
    """All of it, to be handed to them; nothing of others."""
    done = ctl(w, "prospect", "export", WHO)
    check(done.returncode == 0, "export: %s" % done.stderr)
    for t in TRACES:
        check(t.decode() in done.stdout.lower(), "%s is not in the export" % t)
    check("eva@" not in done.stdout, "somebody else is in the export")
    known = json.loads(done.stdout)
    tables = known["tables"]
    for name in ("prospect", "address", "consent", "event", "event_count", "score_term", "delivery", "hit", "enrolment", "lead", "alert", "journal", "inbound", "inbound_raw"):
        check(tables[name], "the export has no %s" % name)
    check(known["person"]["email"] == WHO and known["score"], "who they are: %s" % known["person"])
    check(tables["prospect"][0]["fields"]["company"] == "Wombat Ltd", "fields: %s" % tables["prospect"])
    check([c for c in tables["consent"] if c["words"] and c["what"]], "the words that they agreed to: %s" % tables["consent"])
    check(all(h["verdict"] in ("human", "machine", "unknown") and isinstance(h["reasons"], list) for h in tables["hit"]), "hits: %s" % tables["hit"])
    check([m for m in tables["inbound_raw"] if WORDS in m["raw"]], "their own mail")


def begin(w):
    receiver = w.receiver("-s", SECRET)
    lay_out(w, "http://127.0.0.1:%d/lead" % receiver.port)
    w.start_daemon()


def nothing_is_left():
    with World() as w:
        begin(w)
        sign_up(w, "eva@people.test")
        become_known(w)
        exported(w)
        got = ctl(w, "prospect", "erase", WHO)
        check(got.returncode == 1 and "--yes" in got.stderr, "without a terminal it asks for --yes: %s" % got)
        done = ctl(w, "prospect", "erase", WHO, "--yes")
        check(done.returncode == 0 and "erased" in done.stdout, "erase: %s" % done)
        left = traces(w)
        check(not left, "left behind: %s" % left)
        check(ctl(w, "prospect", "show", WHO).returncode == 1, "they are still known")
        check(ctl(w, "prospect", "export", WHO).returncode == 1, "and can be exported")
        check(ctl(w, "prospect", "erase", WHO, "--yes").returncode == 1, "and can be erased again")
        check(ctl(w, "consent", "verify").returncode == 0, "the chain is broken")
        check("erased" in ctl(w, "suppression", "list", WHO).stdout, "they are not suppressed")
        check(ctl(w, "prospect", "show", "eva@people.test").returncode == 0, "others are gone, too")
        w.stop_daemon()
        left = traces(w)
        check(not left, "left behind after a stop: %s" % left)
        w.start_daemon()
        w.post_json("/v1/forms/ebook", {"email": WHO, "first_name": "Zebulon"})
        shown = wait_for("them to be known again", lambda: ctl(w, "prospect", "why", WHO).stdout)
        check("erased" in shown, "a sign-up alone lifts it: %s" % shown)
        check(not [m for m in Maildir(w.folder + "/sent").messages() if WHO in str(m["To"])][1:], "mailed again")


def killed_on_the_way():
    folder = os.path.relpath(BUILD + "/crash", TOP)     # as kill.py names it: what depends on which header is found by name
    run("make", "-s", "-C", TOP, "CRASH=1", "BUILD=" + folder, folder + "/nurtured", folder + "/nurtured-intake")
    for point in ("erase.suppressed", "erase.before_commit", "erase.after_commit"):
        with World() as w:
            begin(w)
            become_known(w)
            w.stop_daemon()
            with open(w.folder + "/daemon.log", "ab") as log:
                start = log.tell()
                w.daemon_process = subprocess.Popen([BUILD + "/crash/nurtured", "-c", w.conf], stdout=log, stderr=log, env=dict(w.env, NURTURED_CRASH=point))
            w.wait_ready(start)
            ctl(w, "prospect", "erase", WHO, "--yes")
            check(w.daemon_process.wait() == -signal.SIGKILL, "%s was not passed" % point)
            w.start_daemon()
            if point == "erase.after_commit":
                check(not traces(w), "a start does not cut the log: %s" % traces(w))
            again = ctl(w, "prospect", "erase", WHO, "--yes")
            check(again.returncode == (1 if point == "erase.after_commit" else 0), "%s: %s" % (point, again))
            check(not traces(w), "%s: left behind: %s" % (point, traces(w)))
            check(ctl(w, "consent", "verify").returncode == 0, "%s: the chain is broken" % point)
            check("erased" in ctl(w, "suppression", "list", WHO).stdout, "%s: they are not suppressed" % point)


main(nothing_is_left, killed_on_the_way)
