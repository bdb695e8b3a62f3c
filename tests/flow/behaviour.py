#!/usr/bin/env python3
"""What a website's server and its pages say of people: track, page, identify and batch, by key, by Segment's write key and by signature; and
nurture.js in a real browser on a real page, before and after consent, joined to a prospect by a sign-up and by a click from a mail.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import SECRET, lay_out, sign_up  # noqa: E402
from world import Maildir, World, check, links, main, part, wait_for, write  # noqa: E402

KEY = {"Authorization": "Bearer key"}
BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def events(w, who):
    """What they did, oldest first, without what followed from it."""
    return [(e["name"], e["subject"]) for e in reversed(w.prospect(who)["events"]) if not e["name"].endswith("_changed")]


def post(w, path, body, headers=KEY):
    status, _, text = w.post_json(path, body, headers)
    return status, json.loads(text) if text.startswith("{") else text


def signed(body, at=None, name="msg-1", secret=SECRET):
    at = str(int(time.time()) if at is None else at)
    mac = hmac.new(base64.b64decode(secret[6:]), ("%s.%s." % (name, at)).encode() + body, hashlib.sha256).digest()
    return {"webhook-id": name, "webhook-timestamp": at, "webhook-signature": "v1,AAAA v1," + base64.b64encode(mac).decode(), "Content-Type": "application/json"}


def configure(w, public="http://127.0.0.1:8025"):
    lay_out(w, "http://127.0.0.1:9/lead")
    text = open(w.conf).read()
    write(w.conf, text.replace("api_key:", 'api_secret: "file:%s/conf/secrets/hook", api_key:' % w.folder).replace("http://127.0.0.1:8025", public))


def by_the_server():
    with World() as w:
        configure(w)
        w.start_daemon()
        # who proves nothing
        check(post(w, "/v1/identify", {"userId": "u1", "traits": {"email": "eva@people.test"}}, {})[0] == 401, "anybody may identify")
        check(post(w, "/v1/batch", {"batch": []}, {})[0] == 401, "anybody may post a batch")
        check(post(w, "/v1/identify", {"userId": "u1"}, {"Authorization": "Basic " + base64.b64encode(b"wrong:").decode()})[0] == 401, "another write key")
        # before anybody knows them: by the website's own number
        check(post(w, "/v1/track", {"userId": "u1", "event": "Webinar Watched", "messageId": "t1"})[0] == 200, "track refused")
        got = post(w, "/v1/identify", {"userId": "u1", "anonymousId": "visitor-0001", "messageId": "i1", "traits":
                                       {"email": "Eva@People.test", "firstName": "Eva", "company": "Nordlicht", "shoeSize": 44}})
        check(got == (200, {"success": True, "ignored": ["shoeSize"]}), "identify: %s" % (got,))
        p = w.prospect("eva@people.test")
        check(p["fields"].get("first_name") == "Eva" and p["consent"] == "none", "fields: %s, consent: %s" % (p["fields"], p["consent"]))
        check(events(w, "eva@people.test") == [("webinar_watched", "")], "what they did before: %s" % events(w, "eva@people.test"))
        # by their number from now on, and by the browser that was named with it
        check(post(w, "/v1/page", {"userId": "u1", "properties": {"url": "https://www.example.test/pricing?x=1"}, "messageId": "p1"})[0] == 200, "page refused")
        check(post(w, "/v1/page", {"anonymousId": "visitor-0001", "properties": {"path": "/compare"}, "messageId": "p2"}, {})[0] == 200, "a visitor's page refused")
        check(events(w, "eva@people.test")[1:] == [("page_view", "/pricing"), ("page_view", "/compare")], "pages: %s" % events(w, "eva@people.test"))
        # the same again changes nothing; later values win
        check(post(w, "/v1/page", {"userId": "u1", "properties": {"path": "/again"}, "messageId": "p1"})[0] == 200 and len(events(w, "eva@people.test")) == 3, "a repeat counted")
        post(w, "/v1/identify", {"userId": "eva@people.test", "traits": {"company": "Sonne"}})
        check(w.prospect("eva@people.test")["fields"].get("company") == "Sonne", "a trait was not overwritten")
        # what is wrong is said
        for path, body, words in (
                ("/v1/identify", {"traits": {}}, "about nobody"), ("/v1/identify", {"userId": "u1", "traits": {"company": {}}}, "traits.company is not a single value"),
                ("/v1/identify", {"userId": "u1", "traits": {"timezone": "Mars/North"}}, "timezone"), ("/v1/identify", {"userId": "a b"}, "userId is"),
                ("/v1/identify", {"userId": "x@", "traits": {}}, "email"), ("/v1/page", {"userId": "u1"}, "a page needs properties.path"),
                ("/v1/track", {"userId": "u1", "event": "reply"}, "makes itself"), ("/v1/track", {"userId": "u1", "event": "x", "timestamp": "now"}, "timestamp"),
                ("/v1/batch", {"x": 1}, "batch is missing")):
            status, answer = post(w, path, body)
            check(status == 422 and words in answer["detail"], "%s %s: %s %s" % (path, body, status, answer))
        check(w.prospect("u1") is None, "a prospect was made of a number")
        # Segment's write key, and signatures of Standard Webhooks
        check(post(w, "/v1/track", {"userId": "u1", "event": "demo_asked"}, {"Authorization": "Basic " + base64.b64encode(b"key:").decode()})[0] == 200, "the write key was refused")
        body = json.dumps({"userId": "u1", "event": "signed"}).encode()
        for wrong in (signed(body + b" "), signed(body, int(time.time()) - 301), signed(body, secret="whsec_" + base64.b64encode(b"x" * 32).decode()), dict(signed(body), **{"webhook-id": "other"})):
            check(w.request("POST", "/v1/track", body, wrong)[0] == 401, "taken: %s" % wrong)
        for _ in range(2):
            check(w.request("POST", "/v1/track", body, signed(body))[0] == 200, "a signed one was refused")
        check([e[0] for e in events(w, "eva@people.test")].count("signed") == 1, "the same webhook-id counted twice")


def a_batch():
    with World() as w:
        configure(w)
        w.start_daemon()
        batch = [{"type": "identify", "userId": "u1", "traits": {"email": "eva@people.test"}, "messageId": "1"},
                 {"type": "track", "userId": "u1", "event": "a", "messageId": "2"}, {"type": "alias", "userId": "u1"}, {"type": "page", "userId": "u1"}, 7,
                 {"type": "page", "userId": "u1", "properties": {"path": "/x"}, "messageId": "3"}, {"userId": "u1"}]
        status, answer = post(w, "/v1/batch", {"batch": batch, "sentAt": "2026-11-22T03:21:35Z"})
        check(status == 200 and answer["taken"] == 3 and [e["index"] for e in answer["errors"]] == [2, 3, 4, 6], "%s %s" % (status, answer))
        check(events(w, "eva@people.test") == [("a", ""), ("page_view", "/x")], "events: %s" % events(w, "eva@people.test"))
        post(w, "/v1/batch", {"batch": batch})
        check(len(events(w, "eva@people.test")) == 2, "the same batch counted twice")
        status, answer = post(w, "/v1/batch", {"batch": [{"type": "group"}]})
        check(status == 422 and answer["errors"][0]["index"] == 0, "%s %s" % (status, answer))
        check(post(w, "/v1/batch", {"batch": []})[0] == 200, "an empty one was refused")
        many = [{"type": "track", "userId": "u1", "event": "many", "messageId": "m%d" % n} for n in range(1001)]
        check(post(w, "/v1/batch", {"batch": many})[0] == 413, "1001 were taken")
        check(post(w, "/v1/batch", {"batch": many[:1000]})[1]["taken"] == 1000, "1000 were not taken")


def first_and_last_touch():
    with World() as w:
        configure(w)
        w.start_daemon()
        visit = {"anonymousId": "visitor-0007", "context": {"page": {"url": "https://www.example.test/guide", "search": "utm_source=news%20letter&utm_medium=email&x=y", "referrer": "https://mail.example.org/inbox?who=eva"}}}
        check(post(w, "/v1/page", visit, {})[0] == 200, "refused")
        check(w.post_json("/v1/forms/ebook", {"email": "eva@people.test", "first_name": "Eva", "anonymousId": "visitor-0007"})[0] == 202, "no sign-up")
        p = w.prospect("eva@people.test")
        first = p["first_touch"]
        check((first["source"], first["medium"], first["referrer"], first["path"]) == ("news letter", "email", "mail.example.org", "/guide"), "first: %s" % first)
        check("who=eva" not in json.dumps(p), "another site's address was kept")
        post(w, "/v1/track", {"anonymousId": "visitor-0007", "event": "page_view", "context": {"page": {"path": "/pricing", "url": "https://www.example.test/pricing", "referrer": "https://www.google.test/"}}}, {})
        p = w.prospect("eva@people.test")
        check(p["first_touch"]["source"] == "news letter" and p["last_touch"]["source"] == "www.google.test" and p["last_touch"]["medium"] == "referral", "touches: %s %s" % (p["first_touch"], p["last_touch"]))
        # a page of the same site is no touch
        post(w, "/v1/page", {"anonymousId": "visitor-0007", "context": {"page": {"path": "/a", "url": "https://www.example.test/a", "referrer": "https://www.example.test/b"}}}, {})
        check(w.prospect("eva@people.test")["last_touch"]["source"] == "www.google.test", "the site itself was a touch")


class Site:
    """A website that carries nurture.js and says into its title how far its script came."""

    def __init__(self):
        self.pages = {}
        pages = self.pages

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = pages.get(self.path.split("?")[0], "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def browse(w, url, profile):
    """The page's text when its script has written `done`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    out = subprocess.run([program, *BROWSER, "--user-data-dir=" + profile, "--virtual-time-budget=8000", "--dump-dom", url],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, text=True).stdout
    check('id="done"' in out, "the page's script did not end:\n" + out[-1500:])
    return out


PAGE = """<!doctype html><html lang="en"><title>Site</title><body>
<form data-nurture-form="ebook" data-nurture-message="Look into your mailbox."><label>Email <input name="email"></label><label>First name <input name="first_name"></label><button>Go</button></form>
<script src="%s/nurture.js"></script><script>
function end() { var p = document.createElement('p'); p.id = 'done'; p.textContent = 'stored:' + (localStorage.getItem('nurture.id') ? 'yes' : 'no'); document.body.appendChild(p); }
%s
</script></body></html>"""


def nurture_js():
    with World() as w:
        site = w.add(Site())
        configure(w)
        text = open(w.folder + "/conf/forms/ebook.yaml").read()
        write(w.folder + "/conf/forms/ebook.yaml", re.sub(r"(?m)^allow_origin:.*\n", "", text) + '\nallow_origin: ["http://127.0.0.1:%d"]\n' % site.port)
        w.start_daemon()
        base, here = "http://127.0.0.1:%d" % w.port, "http://127.0.0.1:%d" % site.port
        profile = tempfile.mkdtemp(dir=w.folder)
        # before consent nothing is stored and nothing is sent
        site.pages["/quiet"] = PAGE % (base, "nurture('page'); nurture('track', 'page_view'); setTimeout(end, 500);")
        check("stored:no" in browse(w, here + "/quiet", profile), "something is stored without consent")
        # consent, two pages (the second without loading), then the form, wrong and right
        site.pages["/guide"] = PAGE % (base, """
          nurture('consent', true); history.pushState({}, '', '/pricing');
          var form = document.forms[0], n = 0;
          form.elements.email.value = 'nobody'; form.elements.first_name.value = 'Eva'; form.requestSubmit();
          new MutationObserver(function () {
            var note = document.querySelector('[data-nurture-error]');
            if (note && n === 0) { n = 1; document.title = note.textContent; setTimeout(function () { form.elements.email.value = 'eva@people.test'; form.requestSubmit(); }, 300); }
            if (/Look into your mailbox/.test(document.body.textContent.replace(/script/g, '')) && document.querySelector('[role=status]') && n === 1) { n = 2; setTimeout(end, 500); }
          }).observe(document.body, {childList: true, subtree: true});""")
        out = browse(w, here + "/guide?utm_source=ad&secret=1", profile)
        check("stored:yes" in out and 'role="status"' in out, "the form was not thanked for: " + out[-800:])
        check(re.search(r"<title>[^<]*@", out), "the error stood nowhere: " + out[:300])
        wait_for("the page views", lambda: ("page_view", "/pricing") in events(w, "eva@people.test"))
        got = events(w, "eva@people.test")
        check(("page_view", "/guide") in got and ("page_view", "/quiet") not in got, "events: %s" % got)
        p = w.prospect("eva@people.test")
        check(p["first_touch"]["source"] == "ad" and "secret" not in json.dumps(p), "touch: %s" % p["first_touch"])
        # withdrawn: forgotten
        site.pages["/leave"] = PAGE % (base, "nurture('consent', false); setTimeout(end, 300);")
        check("stored:no" in browse(w, here + "/leave", profile), "the visitor is not forgotten")
        # another browser, by a click from the mail
        sign_up(w, "max@people.test")
        site.pages["/compare"] = PAGE % (base, "nurture('consent', true); setTimeout(end, 800);")
        mail = wait_for("the mail", lambda: [m for m in Maildir(w.folder + "/sent").messages() if "max@people.test" in (m["To"] or "")])[0]
        token = next(re.search(r"/c/([a-z2-7]{34})", url).group(1) for url in links(mail) if "/c/" in url)
        browse(w, here + "/compare?nurtured=" + token, tempfile.mkdtemp(dir=w.folder))
        wait_for("the visit", lambda: ("page_view", "/compare") in events(w, "max@people.test"))


main(by_the_server, a_batch, first_and_last_touch, nurture_js)
