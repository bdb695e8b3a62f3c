#!/usr/bin/env python3
"""Who opened and clicked, with the real daemon: a person, a scanner that nothing gives away but the link that nobody sees, and the counts of both."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import SECRET, lay_out, sign_up  # noqa: E402
from world import Maildir, World, check, links, main, part, wait_for  # noqa: E402

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Accept": "text/html", "Accept-Language": "de"}
HIDDEN = r'<div aria-hidden="true" style="display:none[^"]*"><a tabindex="-1" rel="nofollow" href="([^"]+)"'


def begin(w, more):
    lay_out(w, "http://127.0.0.1:%d/lead" % w.receiver("-s", SECRET).port)
    with open(w.conf, "a") as f:
        f.write(more)
    w.start_daemon()


def mail_to(w, who):
    return wait_for("the mail to " + who, lambda: [m for m in Maildir(w.folder + "/sent").messages() if who in (m["To"] or "")])[0]


def follow(w, url):
    status, headers, _ = w.request("GET", re.sub("^http://[^/]*", "", url), None, BROWSER)
    check(status == 302, "%s: %d" % (url, status))
    return headers["Location"]


def clicks(w, who):
    mails = w.ctl("hits", "show", who)["mails"]
    return mails[0] if mails else {"clicks": {}, "opens": {}, "hits": []}


def settled(w, who, verdict, times):
    """When all have taken effect."""
    def look():
        mail = clicks(w, who)
        return mail["clicks"].get(verdict) == times and not [h for h in mail["hits"] if h["held_back"]] and mail
    return wait_for("%d clicks of %s: %s" % (times, who, verdict), look)


def reasons(mail, what="click"):
    return [sorted(r["reason"] for r in h["why"]) for h in mail["hits"] if h["what"] == what]


def the_link_that_nobody_sees():
    with World() as w:
        begin(w, "tracking: {honeypot: yes}\nclick_hold: 2 s\n")
        for who in ("person", "scanner"):
            sign_up(w, who + "@people.test")
        mails = {who: mail_to(w, who + "@people.test") for who in ("person", "scanner")}
        traps = {who: re.findall(HIDDEN, part(mail, "html")) for who, mail in mails.items()}
        shown = {who: [url for url in links(mail) if "/c/" in url and url not in traps[who]] for who, mail in mails.items()}
        check(all(len(t) == 1 for t in traps.values()) and shown["person"] and traps["person"] != traps["scanner"], "links: %s, %s" % (shown, traps))
        check(traps["person"][0] not in part(mails["person"], "plain"), "the text has it, too")

        # both look the same at first
        for who in ("person", "scanner"):
            check(not follow(w, shown[who][0]).startswith("http://127.0.0.1:8025"), "a click leads to where the link did")
            settled(w, who + "@people.test", "unknown", 1)
        # a person goes on on the website; a scanner goes on in the mail
        token = re.search(r"/c/([a-z2-7]{34})", shown["person"][0]).group(1)
        status, _, text = w.post_json("/v1/page", {"anonymousId": "visitor-1", "name": "Compare", "messageId": "p1",
                                                   "context": {"nurtured": token, "page": {"path": "/compare"}}}, {"Authorization": "Bearer key"})
        check(status == 200, "page: %d %s" % (status, text))
        home = follow(w, traps["scanner"][0])
        check(home.split("?")[0].rstrip("/") == "http://127.0.0.1:8025", "it leads home: " + home)
        person = settled(w, "person@people.test", "human", 1)
        scanner = settled(w, "scanner@people.test", "machine", 2)
        check("came-back" in reasons(person)[0], "the person: %s" % reasons(person))
        check(all("honeypot" in r and "burst" not in r for r in reasons(scanner)), "the scanner: %s" % reasons(scanner))

        # the counts say so, of mails; and nothing came of what the scanner did
        lately = wait_for("the counts", lambda: w.ctl("status")["mails_of_7_days"])
        check(lately["clicked"] == {"human": 1, "unknown": 0, "machine": 1}, "status: %s" % lately)
        [row] = [r for r in w.ctl("domain", "people.test")["days"]]
        check(row["clicks"] == {"human": 1, "unknown": 0, "machine": 1}, "domain: %s" % row)
        names = [e["name"] for e in w.prospect("scanner@people.test")["events"]]
        check("click" not in names and "click_machine" in names, "events: %s" % names)


def without_it_there_is_none():
    with World() as w:
        begin(w, "click_hold: 2 s\n")
        sign_up(w, "person@people.test")
        check(not re.findall(HIDDEN, part(mail_to(w, "person@people.test"), "html")), "a hidden link that nobody asked for")


if __name__ == "__main__":
    main(the_link_that_nobody_sees, without_it_there_is_none)
