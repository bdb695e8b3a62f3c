"""People who sign up, confirm, click, buy, reply, become hot and unsubscribe, as often as it takes; and what must be true of them in the end.

Each has one way to go. Everybody tries again what was not acknowledged, with the same key. What is judged is what the world saw: mails at the
sink, POSTs at the receiver, answers over HTTP, files in the Maildir. The daemon's word counts for one thing only, the mails that it
calls unknown, because rule 2 of the design says that these are shown.
"""
import concurrent.futures
import email
import email.policy
import email.utils
import http.client
import json
import os
import re
import shutil
import socket
import threading
import time
import urllib.parse

from world import TOP, Failed, links, write

OPERATOR = """
state: {f}/state
templates: {f}/templates
control: {f}/control.sock
listen: {{address: 127.0.0.1, port: 0, public_url: "http://127.0.0.1:8025", api_key: "file:{f}/conf/secrets/api-key"}}
sender:
  from: "Ana at Example <ana@example.test>"
  company: Example Ltd
  postal_address: "1 High Street, 12345 Town"
  bounce_domain: bounce.example.test
  reply_domain: reply.example.test
relays:
  - {{name: main, url: "smtp://127.0.0.1:{smtp}", tls: none, connections: {connections}}}
mailboxes:
  - {{name: replies, {mailbox}}}
allow_private: [127.0.0.0/8]
click_hold: 1 second
"""
NURTURE = """
fields: {first_name: {type: text, default: there}}
stages:
  - name: awareness
  - {name: consideration, when: "interest >= 30", until: "interest < 20"}
lists: [{name: everybody, at_most: 1000 per day, tone: gentle}]
score:
  half_life: 30 days
  interest:
    - {on: signup, points: 10}
    - {on: click,  points: 5}
    - {on: asked,  points: 30}
    - {on: reply,  points: 20}
"""
SALES = """
hot: did("asked", 1 day)
cooldown: 14 days
on_hot: go_on
replies_to: sales@sales.test
owners: [{name: ana, email: ana@sales.test, share: 1}]
alerts:
  - {to: "http://127.0.0.1:%d/lead", as: standard, secret: hook}
"""
FORM = """
form: %s
fields: [email, first_name]
consent: {purpose: newsletter, words: "Yes."}
confirm: %s
limits: {per_address: 1000 per hour, per_ip: 1000000 per hour}
"""
STORY = """
sequence: story
list: everybody
enter: {on: signup, when: event.form != "shop"}
again: never
on_change: move
steps:
  - one: {send: one}
  - {wait: 1 second}
  - two: {send: two}
  - {wait: 1 second}
  - three: {send: three}
  - {end: done}
"""
RECEIPT = """
sequence: receipt
list: everybody
enter: {on: bought}
again: always
on_change: move
steps:
  - receipt: {send: receipt}
  - {end: done}
"""
MAIL = """---
subject: "%s"
---
<html><body><p>Hello {{ first_name }}, <a href="https://www.example.com/%s">read it</a>.</p>
<p><a href="{{ unsubscribe_url }}">Stop these mails</a> {{ sender.company }}, {{ sender.postal_address }}</p></body></html>
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONNECTIONS = 4
STEPS = ("one", "two", "three")
KINDS = {"p": "plain", "d": "double opt-in", "u": "unsubscribes", "r": "replies", "h": "hot", "b": "buys", "c": "clicks", "n": "never confirms"}
FORMS = {"d": "careful", "n": "careful", "b": "shop"}
EXPECTED = {"p": STEPS, "d": STEPS, "u": STEPS[:1], "r": STEPS[:1], "h": STEPS, "b": ("receipt",), "c": STEPS, "n": ()}


def lay_out(w, *sink_options, dovecot=None):
    """Sink, receiver and config; the daemon is not started. Replies come to a Maildir, or to that of Dovecot, where each is moved to Done."""
    f = w.folder
    w.replies = dovecot.folder + "/mail/replies" if dovecot else f + "/replies"
    mailbox = 'url: "maildir:%s"' % w.replies
    if dovecot:
        write(f + "/conf/secrets/imap", "secret\n", 0o600)
        mailbox = 'url: "%s", user: replies, password: "file:%s/conf/secrets/imap", ca_file: "%s/ca.pem", after: move, move_to: Done' % (
            dovecot.url(), f, dovecot.folder)
    for part in ("pages", "alerts"):
        shutil.copytree("%s/tests/decide/templates/%s" % (TOP, part), "%s/templates/%s" % (f, part))
    os.makedirs(f + "/templates/emails")
    shutil.copy(TOP + "/tests/decide/templates/emails/confirm.liquid", f + "/templates/emails/confirm.liquid")
    for name in STEPS + ("receipt",):
        write("%s/templates/emails/%s.liquid" % (f, name), MAIL % (name, name))
    write(f + "/templates/alerts/standard.liquid", '{"email":{{ prospect.email | json }}}\n')
    write(f + "/conf/secrets/hook", SECRET + "\n", 0o600)
    write(f + "/conf/secrets/api-key", "key\n", 0o600)
    for part in ("new", "cur", "tmp"):
        os.makedirs("%s/%s" % (w.replies, part), exist_ok=True)
    sink = w.sink("-m", f + "/sent", *sink_options)
    receiver = w.receiver("-s", SECRET)
    w.configure(OPERATOR.format(f=f, smtp=sink.port, connections=CONNECTIONS, mailbox=mailbox), nurture=NURTURE, sales=SALES % receiver.port,
                forms__ebook=FORM % ("ebook", "single"), forms__careful=FORM % ("careful", "double"), forms__shop=FORM % ("shop", "single"),
                sequences__story=STORY, sequences__receipt=RECEIPT)


class Mail:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.message = email.message_from_binary_file(f, policy=email.policy.default)
        self.to = str(self.message["Delivered-To"])
        self.id = str(self.message["Message-ID"]).strip()
        self.subject = str(self.message["Subject"])
        # written when the mail was composed, in whole seconds
        self.composed = email.utils.parsedate_to_datetime(self.message["Date"]).timestamp()

    def about(self):
        """Of a forwarded reply: who wrote it."""
        return email.utils.parseaddr(str(self.message["Reply-To"]))[1]


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Person:
    def __init__(self, kind, number):
        self.kind = kind
        self.address = "%s%d@people.test" % (kind, number)
        self.key = "signup-%d" % number
        self.number = number
        self.answer = None          # to the sign-up: its id
        self.again = 0              # sign-ups to send once more, with the same key
        self.mails = {}             # subject: the mails
        self.done = set()           # what was acknowledged
        self.stopped = None         # when the acknowledgement of a stop was seen
        self.reply = None           # the file's name
        self.clicks = 0             # requests for links of theirs
        self.answered = 0           # ... that were answered
        self.clicked_in = None      # after so many kills

    def got(self, subject):
        return self.mails.get(subject, [])

    def expects(self):
        if self.answer is None or (self.kind == "d" and "confirm" not in self.done) or (self.kind == "b" and "buy" not in self.done):
            return ()
        return EXPECTED[self.kind]


class People:
    """The load on one world."""

    def __init__(self, world):
        self.world = world
        self.people = {}
        self.forwards = {}
        self.seen = set()
        self.count = {"acknowledged": 0, "repeated": 0, "kills": 0}
        self.wrong = []
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.local = threading.local()
        self.lock = threading.Lock()

    def add(self, kinds):
        for kind in kinds:
            p = Person(kind, len(self.people))
            self.people[p.address] = p

    # --- over HTTP

    def request(self, method, path, body=None, headers=None):
        """(status, text), or None if no whole answer came."""
        port = self.world.port or 1     # nobody listens there
        if getattr(self.local, "port", None) != port:
            self.local.port = port
            self.local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            self.local.connection.request(method, path, body, headers or {})
            r = self.local.connection.getresponse()
            text = r.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            self.local.connection.close()
            return None
        if r.status >= 400 and r.status != 503:
            raise Failed("%s %s: %d %s" % (method, path, r.status, text))
        return (r.status, text) if r.status < 400 else None

    def acknowledge(self, p, what):
        with self.lock:
            self.count["acknowledged"] += 1
        p.done.add(what)

    def sign_up(self, p):
        got = self.request("POST", "/v1/forms/" + FORMS.get(p.kind, "ebook"), json.dumps({"email": p.address, "first_name": "Eva"}),
                           {"Content-Type": "application/json", "Idempotency-Key": p.key})
        if not got:
            return
        answer = json.loads(got[1])["id"]
        if p.answer is None:
            p.answer = answer
            self.acknowledge(p, "signup")
        else:
            p.again -= 1
            with self.lock:
                self.count["repeated"] += 1
            if p.answer != answer:
                self.wrong.append(("lost", "%s: the same key got %s, then %s" % (p.address, p.answer, answer)))

    def track(self, p, event):
        got = self.request("POST", "/v1/track", json.dumps({"type": "track", "event": event, "userId": p.address, "messageId": "%s-%d" % (event, p.number),
                                                            "context": {"traits": {"email": p.address}}}),
                           {"Content-Type": "application/json", "Authorization": "Bearer key"})
        if got:
            self.acknowledge(p, {"asked": "ask", "bought": "buy"}[event])

    def confirm(self, p):
        path = urllib.parse.urlsplit([at for at in links(p.got("Please confirm")[0].message) if "/y/" in at][0]).path
        if self.request("POST", path, "", {"Content-Type": "application/x-www-form-urlencoded"}):
            self.acknowledge(p, "confirm")

    def unsubscribe(self, p):
        url = re.search(r"<(http[^>]+)>", str(p.got("one")[0].message["List-Unsubscribe"])).group(1)
        if self.request("POST", urllib.parse.urlsplit(url).path, "List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"}):
            p.stopped = time.time()
            self.acknowledge(p, "unsubscribe")

    def click(self, p):
        p.done.add("click")             # a browser does not try again
        p.clicked_in = self.count["kills"]
        for at in links(p.got("one")[0].message):
            if "/c/" in at:
                p.clicks += 1
                p.answered += bool(self.request("GET", urllib.parse.urlsplit(at).path, None, {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"}))

    # --- by mail

    def write_reply(self, p):
        m = p.got("one")[0].message
        to = email.utils.parseaddr(str(m["Reply-To"]))[1]
        p.reply = "%06d.test" % p.number
        box = self.world.replies + "/"
        write(box + "tmp/" + p.reply, "From: Eva <%s>\nTo: %s\nSubject: Re: %s\nMessage-ID: <reply-%d@people.test>\nIn-Reply-To: %s\nDate: %s\n\n"
              "We have read it and will talk about it in our team.\n" % (p.address, to, m["Subject"], p.number, m["Message-ID"], email.utils.formatdate()))
        owner = os.stat(self.world.replies)
        os.chown(box + "tmp/" + p.reply, owner.st_uid, owner.st_gid)
        os.rename(box + "tmp/" + p.reply, box + "new/" + p.reply)

    def look_at_replies(self):
        waiting = set(os.listdir(self.world.replies + "/new"))
        if os.path.isdir(self.world.replies + "/.Done"):        # else cur/ is where what was read goes
            waiting |= {name.split(":")[0] for name in os.listdir(self.world.replies + "/cur")}
        for p in self.people.values():
            if p.reply and not p.stopped and p.reply not in waiting:
                p.stopped = time.time()
                self.acknowledge(p, "reply")

    def look_at_mails(self):
        folder = self.world.folder + "/sent/new"
        for name in sorted(set(os.listdir(folder)) - self.seen):
            self.seen.add(name)
            m = Mail(folder + "/" + name)
            p = self.people.get(m.to)
            if p:
                p.mails.setdefault(m.subject, []).append(m)
            else:
                self.forwards.setdefault(m.about(), []).append(m)

    # --- one turn of everybody

    def wishes(self, p):
        if p.answer is None or p.again:
            return self.sign_up
        if p.kind == "h" and "ask" not in p.done:
            return lambda who: self.track(who, "asked")
        if p.kind == "b" and "buy" not in p.done:
            return lambda who: self.track(who, "bought")
        if p.kind == "d" and p.got("Please confirm") and "confirm" not in p.done:
            return self.confirm
        if p.kind == "u" and p.got("one") and "unsubscribe" not in p.done:
            return self.unsubscribe
        if p.kind == "c" and p.got("one") and "click" not in p.done:
            return self.click
        if p.kind == "r" and p.got("one") and not p.reply:
            return self.write_reply
        return None

    def turn(self):
        """Everybody does what they can do now. How many had something to do."""
        self.look_at_mails()
        self.look_at_replies()
        todo = [(wish, p) for p in self.people.values() for wish in [self.wishes(p)] if wish]
        for done in [self.pool.submit(wish, p) for wish, p in todo]:
            done.result()
        return len(todo)

    # --- when it is quiet

    def ask(self, path):
        c = Unix(self.world.folder + "/control.sock")
        try:
            c.request("GET", path)
            text = c.getresponse().read().decode()
        finally:
            c.close()
        return text

    def busy(self):
        """Whether the daemon has something to do within the next seconds."""
        metrics = self.ask("/metrics")
        for name in ("nurtured_send_stock", "nurtured_send_under_way", "nurtured_hits_waiting", "nurtured_hits_packed"):
            if float(re.search("^%s (.*)$" % name, metrics, re.M).group(1)):
                return True
        status = json.loads(self.ask("/status"))
        soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 5))
        return status["store"]["waiting"] > 0 or any(lane["next"] and lane["next"] < soon for lane in status["lanes"])

    def listed(self, state):
        return [(d["address"], d["template"]) for d in json.loads(self.ask("/queue?" + state))]

    def missing(self):
        """What was acknowledged and has not been seen: (person, what)."""
        unknown = self.listed("unknown")
        again = self.listed("deferred")         # a confirmation that may not have come is sent again, a minute later
        out = []
        for p in self.people.values():
            if p.answer is None:
                out.append((p, "the answer to the sign-up"))
            elif p.kind in "dn" and not p.got("Please confirm") and (p.address, "confirm") not in again:
                out.append((p, "the confirmation"))
            for step in p.expects():
                if not p.got(step) and (p.address, step) not in unknown:
                    out.append((p, "step " + step))
        alerts = {json.loads(a["body"])["email"] for a in self.world.alerts_taken()}
        out += [(p, "the alert") for p in self.people.values() if "ask" in p.done and p.address not in alerts]
        out += [(p, "the reply's end") for p in self.people.values() if p.reply and not p.stopped]
        forwarded = [p for p in self.people.values() if p.kind == "r" and p.stopped and p.address not in self.forwards]
        in_doubt = len([1 for address, _ in unknown if address.endswith("@sales.test")])
        return out + [(p, "the forwarded reply") for p in forwarded[in_doubt:]]

    def settle(self, confirmations=False):
        """Until nothing moves any more; with `confirmations`, until those that were in doubt came again, too. Everybody signs up once more: with
        the same key it is the same sign-up."""
        end = time.monotonic() + 180
        quiet = 0
        for p in self.people.values():
            p.again = 1 if p.answer else 0
        while quiet < 2 or (quiet < 60 and self.missing()) or (confirmations and self.listed("deferred")):
            if time.monotonic() > end:
                raise Failed("the daemon does not come to rest: " + self.ask("/status"))
            quiet = 0 if self.turn() or self.busy() else quiet + 1
            time.sleep(0.05)
        self.turn()

    def clicks_of(self, p):
        """How many clicks of theirs the daemon knows of."""
        mails = json.loads(self.ask("/hits/" + p.address))["mails"]
        return sum(h["times"] for m in mails for h in m["hits"] if h["what"] == "click")

    # --- the verdict

    def judge(self):
        """Counts, and what was wrong as (rule, words) in self.wrong."""
        wrong = self.wrong
        for p, what in self.missing():
            wrong.append(("lost", "%s (%s): %s never came" % (p.address, KINDS[p.kind], what)))
        for p in self.people.values():
            for subject, mails in p.mails.items():
                different = len({m.id for m in mails})
                if different > 1 or (len(mails) > 1 and subject != "Please confirm"):
                    wrong.append(("twice", "%s: %r came %d times, with %d Message-IDs" % (p.address, subject, len(mails), different)))
                if p.kind == "n" and subject != "Please confirm":
                    wrong.append(("after", "%s: %r came without a confirmation" % (p.address, subject)))
                for m in mails:
                    if p.stopped and m.composed >= int(p.stopped) + 1:
                        wrong.append(("after", "%s: %r was written %.1f s after the stop" % (p.address, subject, m.composed - p.stopped)))
        for p in [p for p in self.people.values() if p.clicks]:
            known = self.clicks_of(p)
            if known > p.clicks:
                wrong.append(("twice", "%s clicked %d times, and %d are known" % (p.address, p.clicks, known)))
            # what is answered is recorded with the next commit: only a kill takes it away
            if p.clicked_in == self.count["kills"] and known < p.answered:
                wrong.append(("lost", "%s: of %d clicks that were answered %d are known" % (p.address, p.answered, known)))
        for address, mails in self.forwards.items():
            if len(mails) > 1:
                wrong.append(("twice", "the reply of %s was forwarded %d times" % (address, len(mails))))
        ids = {}
        alerts = self.world.alerts_taken()
        for a in alerts:
            ids.setdefault(json.loads(a["body"])["email"], set()).add(a["id"])
            if a["signature"] != "valid":
                wrong.append(("alert", "a signature is " + a["signature"]))
        for address, several in ids.items():
            if len(several) > 1 or address not in self.people or self.people[address].kind != "h":
                wrong.append(("alert", "%s: alerts %s" % (address, sorted(several))))
        unknown = self.listed("unknown")
        most = self.count["kills"] * 2 * CONNECTIONS
        if len(unknown) > most:
            wrong.append(("lost", "%d mails are in doubt after %d kills; more than %d cannot be" % (len(unknown), self.count["kills"], most)))
        self.count.update(
            people=len(self.people), mails=sum(len(m) for p in self.people.values() for m in p.mails.values()), unknown=len(unknown),
            alerts=len(alerts), alerts_again=len(alerts) - sum(len(i) for i in ids.values()),
            confirmed_again=sum(len(p.got("Please confirm")) - 1 for p in self.people.values() if p.got("Please confirm")),
            lost=len([1 for rule, _ in wrong if rule == "lost"]), twice=len([1 for rule, _ in wrong if rule == "twice"]),
            after=len([1 for rule, _ in wrong if rule == "after"]), alert=len([1 for rule, _ in wrong if rule == "alert"]))
        return self.count

    def stop(self):
        self.pool.shutdown()
