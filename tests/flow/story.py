#!/usr/bin/env python3
"""The main job on real input: a website's sign-up, real Postfix as the relay (TLS, AUTH), real Dovecot as the mailbox (IMAPS), replies sent through
Postfix, a webhook receiver as sales. Needs root, for Postfix and Dovecot."""
import email.message
import email.utils
import os
import re
import smtplib
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from world import TOP, World, check, links, main, part, wait_for, write  # noqa: E402

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

OPERATOR = """
state: {f}/state
files: {top}/conf/files
templates: {f}/templates
control: {f}/control.sock
listen: {{port: 0, public_url: "http://t.example.test", allow_redirect: [www.example.test], api_key: "file:{f}/secrets/api-key"}}
sender: {{from: "Ana at Example <ana@example.test>", company: Example Ltd, postal_address: "1 High Street, 12345 Town", bounce_domain: bounce.test, reply_domain: reply.test}}
relays:
  - {{name: main, url: "smtp://localhost:{smtp}", user: nurtured@example.test, password: "file:{f}/secrets/relay", ca_file: {ca}, connections: 4}}
mailboxes:
  - {{name: replies, url: "imaps://localhost:{imaps}/INBOX", user: replies@reply.test, password: "file:{f}/secrets/imap", ca_file: {ca}, poll: 1 s}}
click_hold: 1 s
allow_private: [127.0.0.0/8]
log: {{level: debug}}
"""

NURTURE = """
fields:
  first_name: {type: text, default: there}
  role: {type: text}
  company: {type: text}
  country: {type: text}
stages:
  - name: awareness
  - {name: consideration, when: 'interest >= 30 or visited("/compare*", 30 days)', until: interest < 20}
  - {name: decision, when: 'interest >= 60 or intent == "pricing"', until: interest < 40}
lists:
  - {name: ready-to-buy, when: stage == "decision"}
  - {name: just-looking}
score:
  half_life: 30 days
  interest:
    - {on: signup, points: 10}
    - {on: click, points: 5, at_most: 15 per 7 days}
    - {on: page_view, points: 15, at_most: 30 per 7 days, when: event.path == "/pricing"}
    - {on: reply, points: 20}
"""

SALES = """
hot: intent in ["meeting", "call_me", "pricing", "demo"]
cooldown: 14 days
on_hot: pause
replies_to: sales@sales.test
alerts:
  - {to: "http://127.0.0.1:%d/lead", as: standard, secret: crm}
"""

FORM = """
form: %s
fields: [email, first_name, company, role, country]
consent: {purpose: newsletter, words: "Yes, send me the eBook and a few mails about choosing a vendor."}
confirm: %s
download: choosing-a-vendor.pdf
thanks: https://www.example.test/thanks
allow_origin: ["https://www.example.test"]
limits: {per_address: 100 per hour, per_ip: 1000 per hour}
"""

SEQUENCE = """
sequence: ebook
list: just-looking
enter: {on: signup, when: 'event.form == "free-ebook" or event.form == "plain"'}
goal: stage >= "decision"
exit: list != "just-looking"
on_change: move
steps:
  - deliver: {send: ebook-delivery}
  - {wait: 4 s}
  - mistakes: {send: three-mistakes}
  - {wait: 30 days}
  - nudge: {send: short-version}
"""


def start(w):
    mail = w.mail_server()
    sales = w.receiver("-s", SECRET)
    for name, text in (("relay", "relay-password"), ("imap", "replies"), ("crm", SECRET), ("api-key", "the-website")):
        write("%s/secrets/%s" % (w.folder, name), text + "\n", 0o600)
    os.makedirs(w.folder + "/conf/secrets")
    write(w.folder + "/conf/secrets/crm", SECRET + "\n", 0o600)
    w.templates("ebook-delivery", "three-mistakes", "short-version")
    w.configure(OPERATOR.format(f=w.folder, top=TOP, smtp=mail.smtp, imaps=mail.imaps, ca=mail.ca), nurture=NURTURE, sales=SALES % sales.port,
                forms__free_ebook=FORM % ("free-ebook", "double"), forms__plain=FORM % ("plain", "single"), sequences__ebook=SEQUENCE)
    w.start_daemon()
    return mail


def path_of(url):
    check(url.startswith("http://t.example.test/"), "not a link of ours: " + url)
    return url[len("http://t.example.test"):]


def reply_to(mail, message, sender, text, server, subject=None):
    m = email.message.EmailMessage()
    m["From"] = "Eva Sommer <%s>" % sender
    m["To"] = message["Reply-To"]
    m["Subject"] = subject or "Re: " + message["Subject"]
    m["In-Reply-To"] = message["Message-ID"]
    m["Message-ID"] = email.utils.make_msgid(domain="people.test")
    m["Date"] = email.utils.localtime()
    quoted = "\n".join("> " + line for line in part(message, "plain").splitlines())
    m.set_content("%s\n\nEva\n\nOn Mon, 23 Nov 2026 at 09:00, Ana at Example <ana@example.test> wrote:\n%s\n" % (text, quoted))
    smtp = smtplib.SMTP("127.0.0.1", server.smtp)
    smtp.send_message(m)
    smtp.quit()


def test_story():
    """Sign-up, double opt-in, eBook, click, page view, reply, hot, alert, answer."""
    with World() as w:
        server = start(w)
        box = server.mailbox("eva@people.test")

        status, _, body = w.post_json("/v1/forms/free-ebook", {"email": "eva@people.test", "first_name": "Eva", "role": "Head of IT"}, {"Idempotency-Key": "a1"})
        check(status == 202, "sign-up: %s %s" % (status, body))
        again = w.post_json("/v1/forms/free-ebook", {"email": "eva@people.test", "first_name": "Eva", "role": "Head of IT"}, {"Idempotency-Key": "a1"})
        check(again[0] == 202 and again[2] == body, "the same key was answered otherwise: %s %s" % (again[2], body))

        confirm = wait_for("the confirmation", box.messages)[0]
        check("List-Unsubscribe" not in confirm, "a confirmation is no bulk mail")
        link = [l for l in links(confirm) if "/y/" in l]
        check(link, "no confirmation link in: " + part(confirm, "html"))
        status, _, page = w.request("GET", path_of(link[0]))
        check(status == 200 and "<form" in page and w.prospect("eva@people.test")["consent"] == "pending", "GET must show a page and change nothing")
        status, _, page = w.request("POST", path_of(link[0]), "", {"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 200 and w.prospect("eva@people.test")["consent"] == "given", "POST confirms: %s %s" % (status, page))

        ebook = wait_for("the eBook", lambda: [m for m in box.messages() if m["List-Unsubscribe"]])[0]
        check(ebook["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", "no one-click unsubscribe")
        check(re.search(r"r\+[a-z2-7]{34}@reply\.test", ebook["Reply-To"]), "Reply-To has no token: " + ebook["Reply-To"])
        check(len(part(ebook, "plain")) > 200, "the text part says nothing")
        download = [l for l in links(ebook) if "/d/" in l]
        check(download, "no download link")
        status, headers, data = w.request("GET", path_of(download[0]))
        check(status == 200 and data.startswith("%PDF") and "attachment" in headers["Content-Disposition"], "download: %s %s" % (status, headers))

        mistakes = wait_for("the second mail", lambda: [m for m in box.messages() if m["List-Unsubscribe"] and m["Message-ID"] != ebook["Message-ID"]])[0]
        click = [l for l in links(mistakes) if "/c/" in l]
        check(click, "no tracked link")
        status, headers, _ = w.request("GET", path_of(click[0]), None, {"User-Agent": "Mozilla/5.0 (X11) Firefox/120", "Accept": "text/html", "Accept-Language": "de"})
        check(status == 302 and not headers["Location"].startswith("http://t.example.test"), "click: %s %s" % (status, headers))
        status, _, body = w.post_json("/v1/track", {"userId": "eva@people.test", "event": "page_view", "messageId": "m1", "context": {"page": {"path": "/pricing"}}},
                                      {"Authorization": "Bearer the-website"})
        check(status in (200, 202), "track: %s %s" % (status, body))
        wait_for("the click to count", lambda: [e for e in w.prospect("eva@people.test")["events"] if e["name"] == "click"])

        reply_to(box, mistakes, "eva@people.test", "How much would it cost for 40 people? Could you send me a quote?", server)
        alert = wait_for("the alert", w.alerts_taken)
        check(len(alert) == 1 and alert[0]["signature"] == "valid" and alert[0]["id"].startswith("alr_"), "alert: %s" % alert)
        check("40 people" in alert[0]["body"] and "eva@people.test" in alert[0]["body"], "the alert does not say who or what: " + alert[0]["body"])
        eva = w.prospect("eva@people.test")
        check(eva["hot"] and eva["stage"] == "decision" and eva["intent"] == "pricing", "not hot: %s" % eva)
        check(all(e["state"] == "ended" for e in eva["enrolments"]), "the sequence goes on: %s" % eva["enrolments"])
        wait_for("the reply to be forwarded to sales", server.mailbox("sales@sales.test").messages)
        forwarded = server.mailbox("sales@sales.test").messages()[0]
        check("40 people" in part(forwarded, "plain") and "eva@people.test" in forwarded["Reply-To"], "the forwarded mail: %s" % forwarded)

        won = re.search(r'"http://t\.example\.test(/s/[a-z2-7]+)"', alert[0]["body"].replace("\\/", "/"))
        check(won, "no answer links: " + alert[0]["body"])
        answer = re.findall(r'http://t\.example\.test(/s/[a-z2-7]+)', alert[0]["body"].replace("\\/", "/"))
        status, _, page = w.request("GET", answer[0])
        check(status == 200 and w.prospect("eva@people.test")["lead"]["state"] == "new", "GET must not answer")
        status, _, page = w.post_form(answer[0], {})
        check(status == 200 and w.prospect("eva@people.test")["lead"]["state"] == "accepted", "accept: %s %s" % (status, page))
        lead = w.prospect("eva@people.test")["lead"]["id"]
        status, _, body = w.post_json("/v1/outcomes", {"lead": lead, "outcome": "won", "amount": 12000}, {"Authorization": "Bearer the-website"})
        check(status in (200, 202) and w.prospect("eva@people.test")["lead"]["state"] == "won", "outcome: %s %s" % (status, body))
        check(w.stop_daemon() == 0, "SIGTERM does not end it with 0")


def test_bounce_suppresses():
    """Postfix takes the mail, Dovecot knows nobody of that name, Postfix returns it to the signed return path."""
    with World() as w:
        start(w)
        check(w.post_json("/v1/forms/plain", {"email": "nobody@people.test", "first_name": "No"})[0] == 202, "sign-up")
        wait_for("the bounce to suppress", lambda: (w.prospect("nobody@people.test") or {}).get("suppressed"))
        nobody = w.prospect("nobody@people.test")
        check(nobody["suppressed"]["reason"] == "hard_bounce", "%s" % nobody["suppressed"])
        check(all(e["state"] == "ended" for e in nobody["enrolments"]), "the sequence goes on")


def test_letters_beyond_ascii():
    """Postfix offers SMTPUTF8 and takes the mail; Dovecot's LMTP does not, so that it comes back by RFC 6533: nobody's address is dead for that."""
    with World() as w:
        server = start(w)
        check(w.post_json("/v1/forms/plain", {"email": "E\u0301milie@people.test", "first_name": "Émilie"})[0] == 202, "sign-up")

        def bounced():
            with open(w.folder + "/daemon.log", errors="replace") as f:
                return re.search(r"event=mail\.taken .*class=bounce .*prospect=pro_", f.read())
        wait_for("the bounce to be taken for theirs", bounced)
        emilie = w.prospect("émilie@people.test")
        with open(server.folder + "/postfix/log") as f:
            log = f.read()
        check(re.search(r"to=<Émilie@people\.test>.*dsn=5\.6\.7", log), "Postfix had another reason")
        check(not emilie["suppressed"], "suppressed: %s" % emilie["suppressed"])
        check(all(e["state"] == "active" for e in emilie["enrolments"]), "%s" % emilie["enrolments"])


def test_one_click_unsubscribe_stops_the_next_step():
    with World() as w:
        server = start(w)
        check(w.post_json("/v1/forms/plain", {"email": "ute@people.test", "first_name": "Ute"})[0] == 202, "sign-up")
        ute, max_ = server.mailbox("ute@people.test"), server.mailbox("max@people.test")
        first = wait_for("the first mail", ute.messages)[0]
        url = re.search(r"<(http[^>]+)>", first["List-Unsubscribe"]).group(1)
        status, _, page = w.request("GET", path_of(url))
        check(status == 200 and not w.prospect("ute@people.test")["suppressed"], "a GET unsubscribes nobody")
        status, headers, _ = w.request("POST", path_of(url), "List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 200 and "Set-Cookie" not in headers, "one-click: %s" % status)
        check(w.prospect("ute@people.test")["suppressed"]["reason"] == "unsubscribe", "not suppressed")
        # the same sequence, begun later, has come to its second step: hers was due before
        check(w.post_json("/v1/forms/plain", {"email": "max@people.test", "first_name": "Max"})[0] == 202, "sign-up")
        wait_for("the other's second mail", lambda: len(max_.messages()) == 2)
        check(len(ute.messages()) == 1, "mail after an unsubscribe")
        check(len([d for d in w.prospect("ute@people.test")["deliveries"] if d["state"] == "sent"]) == 1, "a delivery after an unsubscribe")


def test_a_mail_to_the_unsubscribe_address_is_enough():
    """As mail programs send it: any mail to u+TOKEN, whatever it says and whoever sends it; also from a machine."""
    with World() as w:
        server = start(w)
        check(w.post_json("/v1/forms/plain", {"email": "ute@people.test", "first_name": "Ute"})[0] == 202, "sign-up")
        first = wait_for("the first mail", server.mailbox("ute@people.test").messages)[0]
        to = re.search(r"<mailto:([^>?]+)", first["List-Unsubscribe"]).group(1)
        m = email.message.EmailMessage()
        m["From"], m["To"], m["Subject"] = "Somebody <max@people.test>", to, "unsubscribe"
        m["Auto-Submitted"] = "auto-generated"
        m["Message-ID"] = email.utils.make_msgid(domain="people.test")
        m["Date"] = email.utils.localtime()
        m.set_content("")
        smtp = smtplib.SMTP("127.0.0.1", server.smtp)
        smtp.send_message(m)
        smtp.quit()
        wait_for("the suppression", lambda: (w.prospect("ute@people.test")["suppressed"] or {}).get("reason") == "unsubscribe")
        ute = w.prospect("ute@people.test")
        check(ute["consent"] == "withdrawn" and all(e["state"] == "ended" for e in ute["enrolments"]), "still on: %s" % ute["enrolments"])
        check(not server.mailbox("ute@people.test").messages()[1:] and not server.mailbox("max@people.test").messages(), "a mail answers it")


def test_wrong_certificate_sends_nothing():
    with World() as w:
        mail = w.mail_server()
        w.receiver("-s", SECRET)
        for name, text in (("relay", "relay-password"), ("imap", "replies"), ("api-key", "the-website")):
            write("%s/secrets/%s" % (w.folder, name), text + "\n", 0o600)
        write(w.folder + "/conf/secrets/crm", SECRET + "\n", 0o600)
        w.templates("ebook-delivery", "three-mistakes", "short-version")
        w.configure(OPERATOR.format(f=w.folder, top=TOP, smtp=mail.smtp, imaps=mail.imaps, ca="/etc/ssl/certs/ca-certificates.crt"), nurture=NURTURE,
                    sales=SALES % 9, forms__plain=FORM % ("plain", "single"), sequences__ebook=SEQUENCE)
        w.start_daemon()
        check(w.post_json("/v1/forms/plain", {"email": "eva@people.test", "first_name": "Eva"})[0] == 202, "sign-up")

        def refused():
            with open(w.folder + "/daemon.log", errors="replace") as f:
                text = f.read()
            return re.search(r"event=relay\.\S*fail.*certificate", text) or re.search(r"event=relay.*(certificate|SSL)", text)
        wait_for("the relay's certificate to be refused", refused)
        check(not mail.mailbox("eva@people.test").messages(), "mail went out over an unverified connection")


if __name__ == "__main__":
    main(test_story, test_bounce_suppresses, test_letters_beyond_ascii, test_one_click_unsubscribe_stops_the_next_step,
         test_a_mail_to_the_unsubscribe_address_is_enough, test_wrong_certificate_sends_nothing)
