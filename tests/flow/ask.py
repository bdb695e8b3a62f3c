#!/usr/bin/env python3
"""What marketers ask a running daemon by nurturectl, and what they are told: a condition's value, a score, why a person got what they got, what a
reload would change, how many are in a sequence, its picture, and who would enter a mailing before they do.
"""
import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import SECRET, lay_out, ring, sign_up  # noqa: E402
from world import BUILD, Maildir, World, check, links, main, wait_for, write  # noqa: E402

MAILING = """
sequence: mailing
enter: by hand
beside: any
steps:
  - news: {send: case-study, even_in: quiet}
  - {wait: 9 days}
  - more: {send: short-version}
"""


def ctl(w, *args, stdin=subprocess.DEVNULL):
    done = subprocess.run([BUILD + "/nurturectl", "-s", w.folder + "/control.sock", *args], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=dict(os.environ, TZ="UTC"))
    return done.returncode, done.stdout, done.stderr


def expect(got, status, *words):
    check(got[0] == status, "status %d, not %d: %s%s" % (got[0], status, got[1], got[2]))
    for word in words:
        check(re.search(word, got[1] + got[2], re.M), "no %r in\n%s%s" % (word, got[1], got[2]))


def edit(path, old, new):
    text = open(path).read()
    check(old in text, "no %r in %s" % (old, path))
    write(path, text.replace(old, new))


def answer(w, *args):
    got = ctl(w, *args, "--json")
    check(got[0] == 0, "%s: %s%s" % (args, got[1], got[2]))
    return json.loads(got[1])


def begin(w, alerts_to="http://127.0.0.1:9/lead"):
    lay_out(w, alerts_to)
    write(w.folder + "/conf/sequences/mailing.yaml", MAILING)
    w.start_daemon()
    for who in ("eva", "max"):
        sign_up(w, who + "@people.test")
    wait_for("the first mails", lambda: all(
        [m["state"] for m in answer(w, "prospect", "why", who + "@people.test")["mails"]] == ["sent"] for who in ("eva", "max")))


def conditions_and_scores():
    with World() as w:
        begin(w)
        expect(ctl(w, "eval", 'interest >= 9 and not did("purchase")', "--prospect", "eva@people.test", "--explain"), 0,
               r"^yes  ", r"^  interest >= 9 and not did", r'^      did\("purchase"\): no$')
        expect(ctl(w, "eval", "first_name", "--prospect", "eva@people.test"), 0, '^"Eva"$')
        expect(ctl(w, "eval", "interest >= 9 and nto replied()", "--prospect", "eva@people.test"), 1,
               r"^nurturectl: column 19: ", r"^  interest >= 9 and nto replied\(\)$", r"^ {20}\^$")
        expect(ctl(w, "eval", "event.path", "--prospect", "eva@people.test"), 1, "there is no event at hand here")
        expect(ctl(w, "eval", "score", "--prospect", "nobody@people.test"), 1, "nobody here")
        expect(ctl(w, "score", "eva@people.test"), 0, r"^eva@people.test: score (10|9\.9)", r"^INTEREST", r"signup: 10 on signup$", "it is the same")
        check(answer(w, "score", "max@people.test")["check"]["agrees"], "the score is another")


def why_a_person_got_what_they_got():
    with World() as w:
        receiver = w.receiver("-s", SECRET)
        begin(w, "http://127.0.0.1:%d/lead" % receiver.port)
        page = ctl(w, "prospect", "why", "eva@people.test")
        expect(page, 0, r"^Eva <eva@people.test>   pro_", r"^COMES NEXT$", r"^  ebook: active since", r"^    because of: signup ebook$", r"^    wait 2 days$",
               r"^    next +mistakes: mail three-mistakes$", r"^    ends as converted when stage >= \"decision\"   \(now: no\)$",
               r"^  \w.* ebook-delivery +ebook / deliver +sent$", r"relay: 250", r"^HOT: no$", r"^STAGE: awareness", r"^LIST: just-looking")
        check(max(len(line) for line in page[1].splitlines()) <= 100, "a line is longer than 100 columns")
        ring(w, "eva@people.test")
        wait_for("the lead", lambda: answer(w, "leads"))
        expect(ctl(w, "prospect", "why", "eva@people.test"), 0, r"^HOT: yes$", r"because of: asked$", r"^  lead led_\w+, .*: new, of ana$",
               r"^  makes no second lead until", r"^  ebook: paused since", r"^    paused: hot$")


def a_reload_is_seen_before_it_is_made():
    with World() as w:
        begin(w)
        expect(ctl(w, "plan"), 0, "a reload would change nothing")
        edit(w.folder + "/conf/nurture.yaml", "when:  interest >= 30", "when:  interest >= 5")
        edit(w.folder + "/conf/nurture.yaml", "until: interest < 20", "until: interest < 2")
        edit(w.folder + "/conf/sequences/ebook.yaml", "- mistakes: {send: three-mistakes}", "- errors: {send: three-mistakes}")
        edit(w.folder + "/conf/sequences/ebook.yaml", "exit: list != \"just-looking\"\n", "")
        edit(w.folder + "/conf/sequences/ebook.yaml", "list: just-looking\n", "")
        expect(ctl(w, "plan"), 0, r"^  stage consideration: changed$", r"^  sequence ebook: changed$", r"^    step mistakes +gone: mail three-mistakes$",
               r"^ +2 at `mistakes`, a step that is gone: end$", r"^ +2 stage: awareness -> consideration$", r"^ +2 list: just-looking -> comparing$")
        edit(w.folder + "/conf/sequences/ebook.yaml", "on_change: move", "on_change: move\ngone: {mistakes: nudge}")
        expect(ctl(w, "plan"), 0, r"^ +2 at `mistakes`, a step that is gone, go to `nudge`$")
        check(answer(w, "prospect", "show", "eva@people.test")["stage"] == "awareness", "looking has changed something")
        expect(ctl(w, "reload"), 0)
        wait_for("everybody to be looked at", lambda: "event=sweep.done" in open(w.folder + "/daemon.log").read())
        person = answer(w, "prospect", "show", "eva@people.test")
        check(person["stage"] == "consideration" and person["list"] == "comparing", "%s, %s" % (person["stage"], person["list"]))
        expect(ctl(w, "plan"), 0, "a reload would change nothing")
        edit(w.folder + "/conf/nurture.yaml", "half_life: 30 days", "half_life: soon")
        expect(ctl(w, "plan"), 1, r"nurture.yaml:\d+:\d+: .*half_life", "a reload would be refused")


def sequences_and_their_pictures():
    with World() as w:
        begin(w)
        expect(ctl(w, "sequence", "list"), 0, r"^ebook +2 ", r"^mailing +0 .*by hand$")
        expect(ctl(w, "sequence", "show", "ebook"), 0, r"^ebook, version \w{12}; 2 people have entered$", r"^ +2 +-   mistakes +mail three-mistakes$")
        expect(ctl(w, "sequence", "show", "ebok"), 1, "did you mean `ebook`")
        got = ctl(w, "sequence", "graph", "ebook", "-c", w.conf)
        expect(got, 0, "2 people here")
        picture = xml.etree.ElementTree.fromstring(got[1])
        check(picture.get("role") == "img" and picture[0].text == "Sequence ebook", "no title")
        names = {"".join(g.itertext()) for g in picture.iter("{http://www.w3.org/2000/svg}g") if (g.get("class") or "").startswith("node")}
        check(any("three-mistakes" in name for name in names) and len(names) > 8, str(names))
        expect(ctl(w, "sequence", "graph", "ebook", "-c", w.conf, "--dot"), 0, '^digraph "ebook" {$')
        expect(ctl(w, "sequence", "graph", "ebok", "-c", w.conf), 1, "did you mean `ebook`")
        w.stop_daemon()
        got = ctl(w, "sequence", "graph", "ebook", "-c", w.conf)
        check(got[0] == 0 and " here" not in got[1] and "<svg" in got[1], got[2])


def at_a_terminal(w, typed, *args):
    """As ctl(), with a terminal to ask at."""
    master, slave = pty.openpty()
    os.write(master, typed.encode())
    got = ctl(w, *args, stdin=slave)
    os.close(slave)
    os.close(master)
    return got


def a_mailing_is_looked_at_before_it_goes():
    with World() as w:
        begin(w)
        status, _, _ = w.post_json("/v1/forms/careful", {"email": "slow@people.test", "first_name": "Eva"})
        check(status == 202, "status %d" % status)
        command = ("sequence", "enroll", "mailing", "--where", 'first_name == "Eva"')
        shown = (r'^mailing, where first_name == "Eva"$', r"^ +3  people there are$", r"^ +2  would enter$", r"^ +1  match, but: no consent$",
                 r"^  eva@people.test$", r"^  slow@people.test +no consent$")

        def entered():
            return answer(w, "sequence", "show", "mailing")["entered"]
        expect(ctl(w, *command), 1, *shown, "there is no terminal to ask at; say --yes")
        expect(at_a_terminal(w, "n\n", *command), 1, *shown, r"Put 2 people into it\? \[y/N\]")
        check(entered() == 0, "they entered without a yes")
        check(answer(w, *command)["would_enter"] == 2 and entered() == 0, "--json enters")
        expect(at_a_terminal(w, "y\n", *command), 0, r"^2 people have entered mailing$")
        # one mail in two days is all that their list allows: they hear of it then, and whoever asks hears why not now
        wait_for("the gate", lambda: answer(w, "prospect", "why", "eva@people.test")["held"])
        expect(ctl(w, "prospect", "why", "eva@people.test"), 0, r"^    held: cap of list just-looking$", r"news: cap of list just-looking; until \w{3} .*, in 1 day$")
        # the same again changes nothing
        expect(ctl(w, *command), 0, r"^ +2  match, but: is or was in it$", r"^ +0  would enter$")
        check(answer(w, *command, "--yes")["entered"] == 0 and entered() == 2, "they entered twice")
        expect(ctl(w, "sequence", "enroll", "mailing", "--where", "first_name = 1"), 1, "column 12", r"^ {13}\^$")
        expect(ctl(w, "prospect", "why", "eva@people.test"), 0, r'because of: by hand: first_name == "Eva"')


def a_mail_is_looked_at_before_it_goes():
    with World() as w:
        begin(w)
        box = Maildir(w.folder + "/sent")
        command = ("template", "send-test", "three-mistakes", "--to", "boss@people.test")
        expect(ctl(w, *command, "--prospect", "eva@people.test"), 0, r"^three-mistakes to boss@people.test: sent: .*Ok")
        got = box.wait("[Test] ")
        check(got["To"] == "Eva <boss@people.test>" and "sender" not in str(got["Subject"]), "%s, %s" % (got["To"], got["Subject"]))
        check(got["Reply-To"] == "ana@example.test", got["Reply-To"])
        before = answer(w, "prospect", "show", "eva@people.test")
        clicks = [at for at in links(got) if "/c/" in at]
        status, headers, _ = w.request("GET", clicks[0], None, {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"})
        check(status in (302, 303) and headers["Location"].startswith("https://www.example.com/"), "%d %s" % (status, headers))
        leave = re.search(r"<(http[^>]+)>", str(got["List-Unsubscribe"])).group(1)
        status, _, _ = w.request("POST", leave, "List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 200, "unsubscribe: %d" % status)
        after = answer(w, "prospect", "show", "eva@people.test")
        check(before == after, "a test mail has changed something: %s, %s" % (before, after))
        expect(ctl(w, "suppression", "list", "boss@people.test"), 1, "not on the list")
        write(w.folder + "/data.json", '{"first_name": "Max"}')
        expect(ctl(w, *command, "--data", w.folder + "/data.json"), 0, "sent")
        expect(ctl(w, "template", "send-test", "three", "--to", "boss@people.test"), 1, "no mail `three`")
        expect(ctl(w, *command, "--data", w.folder + "/nothing.json"), 1, "nothing.json")


main(conditions_and_scores, why_a_person_got_what_they_got, a_reload_is_seen_before_it_is_made, sequences_and_their_pictures,
     a_mailing_is_looked_at_before_it_goes, a_mail_is_looked_at_before_it_goes)
