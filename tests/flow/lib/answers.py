"""A programme of one mail, and what people and machines answer to it."""
import re

from world import Maildir, check, wait_for

# what is below it names the mailboxes
SITE = """
state: {f}/state
templates: {f}/templates
files: {top}/conf/files
control: {f}/control.sock
listen: {{address: 127.0.0.1, port: 0, public_url: http://127.0.0.1}}
sender:
  from: "Ana at Example <ana@example.test>"
  company: Example Ltd
  postal_address: "1 High Street, 12345 Town"
  bounce_domain: bounce.example.test
  reply_domain: reply.example.test
relays:
  - {{name: main, url: "{relay}", tls: none}}
"""
NURTURE = """
fields: {first_name: {type: text, default: there}, company: {type: text}, role: {type: text}}
stages: [{name: awareness}]
lists: [{name: just-looking, at_most: 9 per day, tone: gentle}]
score:
  half_life: 30 days
  interest: [{on: reply, points: 20}]
"""
SALES = """
hot: intent in ["meeting", "call_me", "pricing"]
cooldown: 14 days
on_hot: pause
replies_to: sales@example.test
owners: [{name: ana, email: ana@example.test}]
alerts: []
"""
FORM = """
form: free-ebook
fields: [email, first_name]
consent: {purpose: newsletter, words: "Yes."}
confirm: single
download: choosing-a-vendor.pdf
limits: {per_address: 100 per hour, per_ip: 1000 per hour}
trust: fill
"""
SEQUENCE = """
sequence: ebook
list: just-looking
enter: {on: signup, when: event.form == "free-ebook"}
again: never
on_change: move
steps:
  - deliver: {send: ebook-delivery, even_in: quiet}
  - {wait: 30 days}
  - {end: done}
"""


def sign_up(world, sink, who):
    status, _, body = world.post_json("/v1/forms/free-ebook", {"email": who, "first_name": "Bob"})
    check(status == 202, "sign-up: %d %s" % (status, body))

    def mail():
        for m in Maildir(sink).messages():
            if who in str(m["To"]):
                return m
        return None
    return wait_for("the mail to %s" % who, mail)


def addr(field):
    return re.search(r"[^<\s]+@[^>\s]+", str(field)).group(0)


def return_path(m):
    return addr(m["Return-Path"])


def reply(m, who, text, extra=""):
    return ("From: Bob <%s>\nTo: %s\nSubject: Re: %s\nMessage-ID: <reply-%s>\nIn-Reply-To: %s\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n%s\n%s\n\n"
            "On Mon, 2 Nov 2026 at 10:00, Ana <ana@example.test> wrote:\n> Hello\n> unsubscribe here: http://127.0.0.1/u/x\n"
            % (who, addr(m["Reply-To"]), m["Subject"], who, m["Message-ID"], extra, text))


def bounce(m, who, status, words):
    return ("Return-Path: <>\nFrom: MAILER-DAEMON@relay.test\nTo: %s\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nIt could not be delivered.\n\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.test\n\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: %s\n"
            "Diagnostic-Code: smtp; 550 %s %s\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: %s\nSubject: x\n\n--b--\n"
            % (return_path(m), who, status, status, words, m["Message-ID"]))


def complaint(m):
    return ("From: fbl@provider.test\nTo: abuse@example.test\nSubject: complaint\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nAbuse report.\n\n"
            "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n\n"
            "--b\nContent-Type: message/rfc822\n\nMessage-ID: %s\nFrom: ana@example.test\nSubject: x\n\nHello\n--b--\n" % m["Message-ID"])
