#!/usr/bin/env python3
"""One prospect's story, played through the interfaces that the world sees, on the shipped conf/ and templates/.

The daemon and its peers run in a temporary folder (tests/flow/lib/world.py). What the copy of conf/ changes is listed in CHANGES:
waits of days become seconds, so that the story can be watched.
"""
import email.message
import email.utils
import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow", "lib"))
from world import BUILD, TOP, Failed, Maildir, World, check, free_port, links, part, wait_for, write  # noqa: E402

TERMINAL = sys.stdout.isatty()
STAY = TERMINAL and os.environ.get("DEMO") != "once"
PAUSE = 1.2 if TERMINAL else 0
WIDTH = 96
WHO = "eva.sommer@nordlicht.test"
WORDS = "How much would it cost for 40 people? Can we talk on Thursday?"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept": "text/html", "Accept-Language": "en"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

OPERATOR = """\
state: {f}/state
files: files
templates: {top}/templates
control: {f}/control.sock
listen: {{address: 127.0.0.1, port: {port}, public_url: "http://127.0.0.1:{port}", allow_redirect: [www.example.com]}}
sender:
  from: "Ana at Example <ana@example.com>"
  company: Example Ltd
  postal_address: "1 High Street, 12345 Town"
  bounce_domain: bounce.example.com
  reply_domain: reply.example.com
relays:
  - {{name: sink, url: "smtp://127.0.0.1:{smtp}", tls: none, ehlo: demo.example.com}}
mailboxes:
  - {{name: replies, url: "maildir:{f}/replies", poll: 1 s}}
click_hold: 5 s
allow_private: [127.0.0.0/8]
"""

# file, what stands there, what the demo puts in its place
CHANGES = (
    ("nurture.yaml", r"^quiet:.*\n(^[ \t].*\n?)*", ""),
    ("nurture.yaml", r"at_most: 1 per 2 days", "at_most: 9 per day"),
    ("forms/free-ebook.yaml", r"^thanks:.*\n", ""),
    ("sequences/ebook.yaml", r"wait: 2 days", "wait: 3 s"),
    ("sequences/ebook.yaml", r"at_most: 3 days", "at_most: 5 minutes"),
    ("sequences/ebook.yaml", r"wait: 5 days", "wait: 5 minutes"),
    ("sales.yaml", r"https://crm\.example\.com/", "http://127.0.0.1:{alerts}/"),
    ("sales.yaml", r"https://chat\.example\.com/", "http://127.0.0.1:{alerts}/"),
)


# --- telling ---------------------------------------------------------------------------------------------------------

def colour(code, text):
    return "\033[%sm%s\033[0m" % (code, text) if TERMINAL and not os.environ.get("NO_COLOR") else text


def tell(text=""):
    print(text, flush=True)


def step(text):
    time.sleep(PAUSE)
    tell("\n" + colour("1", "==> " + text))


def note(text):
    for line in text.splitlines():
        tell("    " + line)


def sheet(title, text, wrap=True):
    """A text in a frame open to the right, so that it can be copied."""
    tell(colour("2", "    ,--- " + title + " " + "-" * max(0, WIDTH - 10 - len(title))))
    for line in text.strip("\n").splitlines():
        if not wrap:
            tell(colour("2", "    | ") + line)
            continue
        indent = " " * (len(line) - len(line.lstrip()))
        for piece in textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]:
            tell(colour("2", "    | ") + piece)
    tell(colour("2", "    `" + "-" * (WIDTH - 5)))


def laid_out(value, indent=""):
    """JSON in which what fits into a line stands in one."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(indent) + len(flat) < WIDTH - 20:
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + laid_out(v, inner) for v in value) + "\n" + indent + "]"
    return "{\n" + ",\n".join(inner + json.dumps(k) + ": " + laid_out(v, inner) for k, v in value.items()) + "\n" + indent + "}"


def show_alert(taken):
    """A chat's message as people read it there, another one as it came."""
    body = json.loads(taken["body"])
    blocks = body.get("blocks", [])
    if not blocks:
        sheet("the alert", laid_out(body))
        return
    sheet("the alert in the chat", "\n\n".join(text for block in blocks for text in texts_of(block)))


def texts_of(block):
    """Every text in a block of Slack's Block Kit, buttons with their links."""
    if isinstance(block, list):
        return [text for b in block for text in texts_of(b)]
    if not isinstance(block, dict):
        return []
    if isinstance(block.get("text"), str):
        return [block["text"]]
    out = [text for v in block.values() for text in texts_of(v)]
    return ["[%s] %s" % (" ".join(out), block["url"])] if "url" in block else out


def show_mail(m):
    head = "".join("%s: %s\n" % (name, " ".join(str(m[name]).split()))
                   for name in ("From", "To", "Reply-To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post") if m[name])
    sheet("the mail, its text part", head + "\n" + part(m, "plain"))


# --- the installation ------------------------------------------------------------------------------------------------

def choose_port():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", 8025))
            return 8025
        except OSError:
            return free_port()


def adapt(folder, alerts):
    for name, old, new in CHANGES:
        path = folder + "/conf/" + name
        with open(path) as f:
            text = f.read()
        text, count = re.subn(old, lambda _, new=new: new.replace("{alerts}", str(alerts)), text, flags=re.MULTILINE)
        check(count, "conf/%s does not say %s any more" % (name, old))
        write(path, text)


def install(w):
    f = w.folder
    secret = "whsec_" + secrets.token_urlsafe(24).replace("-", "A").replace("_", "B")
    shutil.copytree(TOP + "/conf", f + "/conf")
    write(f + "/conf/secrets/crm-webhook", secret + "\n", 0o600)
    for name in ("new", "cur", "tmp"):
        os.makedirs("%s/replies/%s" % (f, name))
    smtp = w.sink("-m", f + "/sent").port
    alerts = w.receiver("-s", secret).port
    adapt(f, alerts)
    w.configure(OPERATOR.format(f=f, top=TOP, port=choose_port(), smtp=smtp))
    w.sent = Maildir(f + "/sent")
    w.told = set()
    return smtp, alerts


def ctl(w, *args):
    """What nurturectl prints for people."""
    done = subprocess.run([BUILD + "/nurturectl", "-s", w.folder + "/control.sock", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, "nurturectl %s: %s" % (" ".join(args), done.stdout))
    return done.stdout


def next_mail(w, what):
    """The next one to Eva that has not been told of."""
    def found():
        return [m for m in w.sent.messages() if WHO in str(m["To"]) and m["Message-ID"] not in w.told]
    m = wait_for("%s to %s" % (what, WHO), found)[0]
    w.told.add(m["Message-ID"])
    return m


def link_of(m, kind):
    found = [url for url in links(m) if "/%s/" % kind in url]
    check(found, "no link of the kind /%s/ in the mail %r" % (kind, m["Subject"]))
    return found[0]


def get(w, url):
    return w.request("GET", url, None, BROWSER)


def answer_mail(w, m, words):
    """What a mail program makes of "reply", put into the Maildir as a mail server would."""
    r = email.message.EmailMessage()
    r["From"] = str(m["To"])
    r["To"] = str(m["Reply-To"])
    r["Subject"] = "Re: " + str(m["Subject"])
    r["Date"] = email.utils.localtime()
    r["Message-ID"] = email.utils.make_msgid(domain="nordlicht.test")
    r["In-Reply-To"] = str(m["Message-ID"])
    r["References"] = str(m["Message-ID"])
    quoted = "\n".join("> " + line for line in part(m, "plain").splitlines())
    r.set_content("%s\n\nOn %s, %s wrote:\n%s\n" % (words, email.utils.formatdate(localtime=True), m["From"], quoted))
    name = "%d.%s.demo" % (time.time(), secrets.token_hex(4))
    path = w.folder + "/replies/tmp/" + name
    with open(path, "wb") as f:
        f.write(r.as_bytes())
    os.rename(path, w.folder + "/replies/new/" + name)
    return r


# --- the story -------------------------------------------------------------------------------------------------------

def sign_up(w):
    step("Eva finds the free eBook on the website and fills in the form.")
    fields = {"email": WHO, "first_name": "Eva", "company": "Nordlicht", "role": "Head of IT", "country": "DE"}
    note("POST /v1/forms/free-ebook  " + json.dumps(fields))
    status, _, body = w.post_json("/v1/forms/free-ebook", fields, {"Idempotency-Key": "eva-1", "Origin": "https://www.example.com"})
    check(status == 202, "the sign-up was answered %d %s" % (status, body))
    note("202 %s  (it is on disk)" % body.strip())


def confirm(w):
    step("Double opt-in: nothing but this mail goes out before she says that it was her.")
    m = next_mail(w, "the confirmation")
    show_mail(m)
    url = link_of(m, "y")
    step("She opens the link. A scanner would, too: a GET changes nothing.")
    status, _, page = get(w, url)
    check(status == 200 and "<form" in page, "the confirmation page was answered %d" % status)
    check(w.prospect(WHO)["consent"] == "pending", "a GET has changed the consent")
    note("GET %s\n200, a page with a button; consent: pending" % url)
    step("She presses the button.")
    status, _, _ = w.request("POST", url, "", dict(BROWSER, **FORM))
    check(status == 200 and w.prospect(WHO)["consent"] == "given", "the button was answered %d" % status)
    note("POST %s\n200; consent: given, with the words, the day and the page" % url)


def read_ebook(w):
    step("The eBook sequence begins.")
    m = next_mail(w, "the eBook")
    show_mail(m)
    step("She downloads the eBook.")
    status, headers, body = get(w, link_of(m, "d"))
    check(status == 200 and body.startswith("%PDF"), "the download was answered %d" % status)
    note("200 %s, %s bytes" % (headers["Content-Type"], headers["Content-Length"]))


def click(w):
    step("Two days later (three seconds here) the sequence mails again.")
    m = next_mail(w, "the next mail of the sequence")
    show_mail(m)
    step("She clicks.")
    url = link_of(m, "c")
    status, headers, _ = get(w, url)
    check(status == 302, "the click was answered %d" % status)
    note("GET %s\n302 %s" % (url, headers["Location"]))
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)["nurtured"][0]
    step("On the website, with her consent, nurture.js reports the pages that she reads.")
    for path in ("/compare", "/pricing"):
        view = {"anonymousId": "0f3c2b1a99887766", "event": "page_view", "messageId": "view" + path.replace("/", "-"),
                "context": {"page": {"path": path}, "nurtured": token}}
        status, _, body = w.request("POST", "/v1/track", json.dumps(view), {"Content-Type": "text/plain", "Origin": "https://www.example.com"})
        check(status == 200, "the page view was answered %d %s" % (status, body))
        note("POST /v1/track  page_view %s: 200" % path)
    note("The click counts in 5 seconds (90 in real life): until then a scanner could give itself away.")
    wait_for("the click to count", lambda: [e for e in w.prospect(WHO)["events"] if e["name"] == "click"])
    eva = w.prospect(WHO)
    note("It counts. stage: %s   list: %s   score: %s" % (eva["stage"], eva["list"], points(eva["score"])))
    note("sequences: " + ", ".join("%(sequence)s %(state)s (%(why)s)" % e for e in eva["enrolments"]))
    return m


def points(score):
    """The number in a prospect's score, whatever it comes with."""
    return "%g" % round(score["total"] if isinstance(score, dict) else score, 1)


def reply(w, m):
    step("She answers the mail. Her answer arrives in the mailbox.")
    r = answer_mail(w, m, "Hi Ana,\n\n%s\n\nBest\nEva" % WORDS)
    sheet("her mail", "".join("%s: %s\n" % (k, " ".join(str(v).split())) for k, v in r.items() if k in ("From", "To", "Subject", "In-Reply-To"))
          + "\n" + r.get_content().split("\n>")[0] + "\n> (and her copy of the mail)")
    wait_for("the reply to make her hot", lambda: w.prospect(WHO)["hot"])
    eva = w.prospect(WHO)
    note("Read, matched by the token in its To, told from a machine's: intent: %s" % eva["intent"])
    note("stage: %s   list: %s   score: %s   hot: yes" % (eva["stage"], eva["list"], points(eva["score"])))
    check(all(e["state"] == "ended" for e in eva["enrolments"]), "a sequence goes on after a reply: %s" % eva["enrolments"])


def alert(w):
    step("Sales gets the alert, signed, with the reasons and with links to answer.")

    def both():
        taken = {a["path"].split("/")[1]: a for a in w.alerts_taken()}
        return taken if {"hooks", "services"} <= set(taken) else None
    taken = wait_for("both alerts", both)
    signed = taken["hooks"]
    check(signed["signature"] == "valid", "the signature of the alert is %s" % signed["signature"])
    note("POST %s  webhook-id: %s  signature: %s" % (signed["path"], signed["id"], signed["signature"]))
    body = json.loads(signed["body"])
    check("40 people" in json.dumps(body["data"]["words"]) and WHO in signed["body"], "the alert says neither who nor what")
    show_alert(signed)
    note("POST %s  the same for people in a chat (as: slack)" % taken["services"]["path"])
    show_alert(taken["services"])
    owner = wait_for("the reply to be forwarded", lambda: [m for m in w.sent.messages() if WHO in str(m["Reply-To"])])[-1]
    note('Her mail itself was forwarded to %s, as "%s"; answering it answers Eva.' % (owner["To"], owner["Subject"]))
    return body["data"]


def outcome(w, data):
    step("Sales takes the lead with one click, and some weeks later says that it was won.")
    for name, fields, state in (("accept", {}, "accepted"), ("won", {"amount": "12000"}, "won")):
        url = data["links"][name]
        before = w.prospect(WHO)["lead"]["state"]
        status, _, page = get(w, url)
        check(status == 200 and "<form" in page, "the answer page was answered %d" % status)
        check(w.prospect(WHO)["lead"]["state"] == before, "a GET has answered for sales")
        status, _, _ = w.request("POST", url, urllib.parse.urlencode(fields), dict(BROWSER, **FORM))
        check(status == 200 and w.prospect(WHO)["lead"]["state"] == state, "the answer %s was answered %d" % (name, status))
        note("POST %s  %s: the lead is %s" % (url, urllib.parse.urlencode(fields) or "(the button)", state))


def story(w):
    smtp, alerts = install(w)
    step("nurtured starts on the shipped conf/, with a file of SQLite.")
    w.start_daemon()
    note("the daemon on http://127.0.0.1:%d, an SMTP sink on %d, an alert receiver on %d; all in %s" % (w.port, smtp, alerts, w.folder))
    sign_up(w)
    confirm(w)
    read_ebook(w)
    m = click(w)
    reply(w, m)
    outcome(w, alert(w))
    step("What nurtured knows of her now, and why: nurturectl prospect show %s" % WHO)
    sheet("nurturectl", ctl(w, "prospect", "show", WHO), wrap=False)


# --- afterwards ------------------------------------------------------------------------------------------------------

class Visitor:
    """You: mails and alerts are shown as they come, a line that you type is the reply to the last mail."""

    def __init__(self, w):
        self.w = w
        self.mails = {m["Message-ID"] for m in w.sent.messages()}
        self.alerts = len(w.alerts_taken())
        self.last = None
        self.typing = sys.stdin.isatty()

    def look(self):
        for m in self.w.sent.messages():
            if m["Message-ID"] in self.mails:
                continue
            self.mails.add(m["Message-ID"])
            step("A mail to %s" % m["To"])
            show_mail(m)
            if "r+" in str(m["Reply-To"]):
                self.last = m
        for a in self.w.alerts_taken()[self.alerts:]:
            self.alerts += 1
            step("An alert: POST %s, signature: %s" % (a["path"], a["signature"]))
            show_alert(a)

    def listen(self):
        """Half a second for you to type."""
        if not self.typing:
            time.sleep(0.5)
            return
        if not select.select([sys.stdin], [], [], 0.5)[0]:
            return
        line = sys.stdin.readline()
        if not line:
            self.typing = False
        elif line.strip() and not self.last:
            note("There is no mail to you yet that could be answered: sign up first.")
        elif line.strip():
            answer_mail(self.w, self.last, line.strip())
            note("Sent as the reply of %s to %r." % (self.last["To"], str(self.last["Subject"])))

    def stay(self):
        w = self.w
        tell("\n" + colour("1;32", "Now you: http://127.0.0.1:%d/signup/free-ebook" % w.port))
        note("Sign up with any address: no mail leaves this machine. Your mails and the alerts appear here; open their links in the browser.")
        note("A line that you type here is your reply to the last mail. Ctrl-C ends it all.")
        note("%s/nurturectl -s %s/control.sock status" % (os.path.relpath(BUILD), w.folder))
        note("mails: %s/sent    log: %s    config: %s" % (w.folder, w.folder + "/daemon.log", w.conf))
        while True:
            check(w.daemon_process.poll() is None, "the daemon ended with status %s" % w.daemon_process.returncode)
            self.look()
            self.listen()


def let_end(w):
    """Ctrl-C reaches the daemon as well as us; a second signal would cut it short."""
    try:
        w.daemon_process.wait(1)
    except subprocess.TimeoutExpired:
        pass


def interrupted(number, frame):
    raise KeyboardInterrupt


def play():
    with World() as w:
        try:
            story(w)
            if STAY:
                Visitor(w).stay()
        except KeyboardInterrupt:
            tell("\nStopping.")
            if w.daemon_process:
                let_end(w)
            return STAY
        check(w.stop_daemon() == 0, "the daemon did not end well")
    tell("\nThat was the whole way: sign-up, mail, click, page view, reply, hot, alert, outcome.")
    return True


def main():
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(0 if play() else 130)
    except Failed:
        sys.exit(1)    # the world has told
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
