#!/usr/bin/env python3
"""The pages that people see, as the daemon serves them, before axe-core in Chromium: phone and desktop, light and dark, in each language that
they exist in. They work without JavaScript: everything here is done with plain requests, and a GET changes nothing.

usage: tests/flow/pages.py [--shots FOLDER]: pictures, too.
"""
import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import npm  # noqa: E402
from look import SECRET, lay_out, ring  # noqa: E402
from world import TOP, Maildir, World, check, links, main, wait_for, write  # noqa: E402

BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=120000"]
HTML = {"Accept": "text/html,application/xhtml+xml"}
SHOTS = None

TOPICS = """
topics:
  - {name: guides, title: "Guides and eBooks", about: "How to choose, and what goes wrong."}
  - {name: news, title: "News", about: "What is new, once a month."}
"""

RUN = """
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], iframes: false}).then(function (r) {
  var out = r.violations.map(function (v) { return v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map(function (n) { return n.html.slice(0, 120); }).join(' | '); });
  if (document.documentElement.scrollWidth > innerWidth) out.push('scrolls sideways: ' + document.documentElement.scrollWidth + ' > ' + innerWidth);
  parent.postMessage({found: out, passes: r.passes.length}, '*');
}, function (e) { parent.postMessage({found: [String(e)], passes: 0}, '*'); });
"""
# one after the other: a page that is measured is the only one there is
OUTER = """<!doctype html><meta charset=utf-8><title>not done</title><script>
var pages = %s, seen = [];
function next() {
  var old = document.querySelector('iframe'), frame;
  if (old) old.remove();
  if (seen.length === pages.length) { document.title = JSON.stringify(seen); return; }
  frame = document.createElement('iframe');
  frame.style.cssText = 'border:0;width:%dpx;height:1000px';
  frame.srcdoc = pages[seen.length];
  document.body.appendChild(frame);
}
addEventListener('message', function (e) { seen.push(e.data); next(); });
addEventListener('load', next);
</script><body style="margin:0">"""


def look_at(w, pages):
    """What axe-core finds on each page, in each mode."""
    with open(npm.path("axe-core") + "/axe.min.js", encoding="utf-8") as f:
        axe = f.read().replace("</script", "<\\/script")
    tail = "<script>%s</script><script>%s</script></body>" % (axe, RUN)
    documents = json.dumps([page.replace("</body>", tail) for _, page in pages]).replace("</", "<\\/")
    for width in (360, 1100):
        outer = write("%s/outer-%d.html" % (w.folder, width), OUTER % (documents, width))
        for dark in (False, True):
            command = [shutil.which("chromium") or "chromium-browser", *BROWSER, "--user-data-dir=%s/profile" % w.folder, "--window-size=1200,1100"]
            if dark:
                command.append("--blink-settings=preferredColorScheme=0")
            dom = subprocess.run(command + ["--dump-dom", "file://" + outer], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            title = re.search(r"<title>(.*?)</title>", dom, re.S)
            check(title and title.group(1).startswith("["), "axe-core did not end: " + dom[-300:])
            seen = json.loads(html.unescape(title.group(1)))
            for (name, page), one in zip(pages, seen):
                where = "%s at %d, %s" % (name, width, "dark" if dark else "light")
                check(not one["found"], "%s:\n  %s" % (where, "\n  ".join(one["found"])))
                check(one["passes"] >= 8, "%s: next to nothing was looked at" % where)
                if SHOTS:
                    plain = write("%s/plain.html" % w.folder, page)
                    subprocess.run(command + ["--window-size=%d,1000" % max(width, 500), "--screenshot=%s/%s-%d-%s.png" % (SHOTS, name, width, "dark" if dark else "light"),
                                              "file://" + plain], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Visit:
    def __init__(self, w):
        self.w = w
        self.pages = []

    def get(self, name, path, status=200):
        got, _, page = self.w.request("GET", path, None, HTML)
        check(got == status, "%s: %d %s" % (name, got, page[:300]))
        self.look(name, page)
        return page

    def post(self, name, path, fields, status=200):
        got, _, page = self.w.post_form(path, fields, HTML)
        check(got == status, "%s: %d %s" % (name, got, page[:300]))
        self.look(name, page)
        return page

    def look(self, name, page):
        check("<script" not in page, "%s has a script" % name)
        self.pages.append((name, page))


def sign_up(w, address, form, language):
    status, _, text = w.post_json("/v1/forms/" + form, {"email": address, "first_name": "Eva", "language": language})
    check(status == 202, "sign-up: %d %s" % (status, text))


def mail_to(w, address, having):
    def find():
        for m in Maildir(w.folder + "/sent").messages():
            if address in (m["To"] or "") and any(having in url for url in links(m)):
                return m
    return wait_for("a mail to %s with %s" % (address, having), find)


def path_in(message, part):
    return next(re.sub(r"^https?://[^/]+", "", url) for url in links(message) if part in url)


def edit(path, old, new):
    with open(path) as f:
        text = f.read()
    check(old in text, "no %r in %s" % (old, path))
    write(path, text.replace(old, new))


def walk(visit, language, end):
    w = visit.w
    who = "eva%s@people.test" % end
    sign_up(w, who, "careful", language)
    confirm = path_in(mail_to(w, who, "/y/"), "/y/")
    visit.get("confirm" + end, confirm)
    check(w.prospect(who)["consent"] == "pending", "a GET confirmed")
    visit.post("confirmed" + end, confirm, {})
    check(w.prospect(who)["consent"] == "given", "a POST did not confirm")
    sign_up(w, "ute" + end + "@people.test", "ebook", language)
    mail = mail_to(w, "ute" + end + "@people.test", "/u/")
    unsubscribe, preferences = path_in(mail, "/u/"), path_in(mail, "/p/")
    page = visit.get("preferences" + end, preferences)
    check('lang="%s"' % language in page and "Guides and eBooks" in page, "not in %s: %s" % (language, page[:200]))
    visit.post("preferences-saved" + end, preferences, {"topics": "1", "topic": "guides", "pause": "30"})
    topics = w.prospect("ute" + end + "@people.test")["topics"]
    check("guides" in topics and "news" not in topics, "topics: %s" % topics)
    visit.get("unsubscribe" + end, unsubscribe)
    check(not w.prospect("ute" + end + "@people.test")["suppressed"], "a GET unsubscribed")
    visit.post("unsubscribed" + end, unsubscribe, {})
    check(w.prospect("ute" + end + "@people.test")["suppressed"]["reason"] == "unsubscribe", "a POST did not unsubscribe")


def people_see():
    with World() as w:
        receiver = w.receiver("-s", SECRET)
        lay_out(w, "http://127.0.0.1:%d/lead" % receiver.port)
        for folder in ("pages", "alerts"):
            shutil.copytree("%s/templates/%s" % (TOP, folder), "%s/templates/%s" % (w.folder, folder), dirs_exist_ok=True)
        with open(w.folder + "/conf/nurture.yaml", "a") as f:
            f.write(TOPICS)
        for mail, topic in (("three-mistakes", "guides"), ("case-study", "news")):
            edit("%s/templates/emails/%s.liquid" % (w.folder, mail), "---\nsubject", "---\ntopic: %s\nsubject" % topic)
        edit(w.folder + "/templates/emails/ebook-delivery.liquid", '<p><a href="{{ unsubscribe_url', '<p><a href="{{ preferences_url }}">Topics</a> <a href="{{ unsubscribe_url')
        w.start_daemon()
        visit = Visit(w)
        walk(visit, "en", "")
        walk(visit, "de", "-de")
        visit.get("signup", "/signup/ebook")
        visit.post("signup-wrong", "/v1/forms/ebook", {"email": "eva@", "first_name": ""}, 422)
        visit.get("error", "/u/" + "a" * 34, 404)
        sign_up(w, "leo@people.test", "ebook", "en")
        wait_for("the first mail", lambda: [m for m in Maildir(w.folder + "/sent").messages() if "leo@people.test" in (m["To"] or "")])
        ring(w, "leo@people.test")
        alert = wait_for("the alert", w.alerts_taken)[0]
        answer = re.search(r"(/s/[a-z2-7]{34})", alert["body"].replace("\\/", "/")).group(1)
        visit.get("sales-answer", answer)
        visit.post("sales-answered", answer, {})
        look_at(w, visit.pages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots")
    options, rest = parser.parse_known_args()
    SHOTS = options.shots
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
    sys.argv[1:] = rest
    main(people_see)
