#!/usr/bin/env python3
"""Thousands of messages, composed by the daemon's own code, before judges: our rules (lib/mail_rules.py), CPython's strict parser, mailparser of npm,
and, for all shipped mails in all their languages, SpamAssassin without the network.

Names, subjects and texts are of many scripts, with emoji, right-to-left marks, words longer than a line, and what looks like an encoded-word; mails
have pictures and attachments, are in threads, from owners, from other senders, one-to-one and mailings.

usage: tests/flow/messages.py; BUILD names the build folder. MESSAGES: how many are made up, SEED: of what.
"""
import base64
import collections
import email
import email.errors
import email.policy
import glob
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unicodedata
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")

import mail_rules
import npm
from world import TOP, write

BUILD = os.environ.get("BUILD", TOP + "/build")
COUNT = int(os.environ.get("MESSAGES", "2000"))
SPAM_MOST = 1.0		# five is spam
NOW = 1764000000 * 1000000
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
TERMS = "Allgemeine Geschäftsbedingungen.txt"
FILES = {TERMS: "Es gelten keine.\n".encode(), "price list.pdf": b"%PDF-1.4\n" + bytes(range(256)) * 40}

SENDERS = """
  tracking_url: https://go.example.com
senders:
  - {name: shop, from: '"Jürgen Müller-Lüdenscheidt, Vertrieb" <juergen@Läden.example>', company: "Müller & Söhne GmbH", postal_address: "Königsallee 1, Düsseldorf",
     reply_domain: antwort.läden.example, bounce_domain: bounce.läden.example, separator: "-"}
message: {headers: {X-Company: "Example Größe"}, precedence: mailings, suppress_auto_replies: yes}
"""

ODD = """---
subject: "{{ words }}"
preheader: "{{ words }}"
%s---
<!doctype html>
<html><body>%s
<p>Dear {{ first_name }}, here is what we promised you, and a little more.</p>
<p>{{ body }}</p>
<p><a href="https://www.example.com/offer?a=1&amp;b=2">Look at it</a></p>
<p>{{ sender.company }}, {{ sender.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body></html>
"""
LOGO = '<img src="logo.png" width="40" alt="Logo"><img src="cid:foot.png" width="40" alt="">'
KINDS = {
    "odd": ("", "", 0, []),
    "odd-pictures": ("", LOGO, 2, []),
    "odd-files": ("attach: [%s, price list.pdf]\n" % TERMS, "", 0, [TERMS, "price list.pdf"]),
    "odd-all": ("attach: price list.pdf\nfrom: shop\n", LOGO, 2, ["price list.pdf"]),
    "odd-shop": ("from: shop\n", "", 0, []),
    "odd-person": ("mode: one-to-one\n", "", 0, []),
}
TYPES = {TERMS: "text/plain", "price list.pdf": "application/pdf"}
DEFAULT = {"name": "Ana at Example", "email": "ana@example.com", "domain": "example.com", "reply_domain": "reply.example.com", "separator": "+",
           "url": "https://go.example.com", "company": "Example Ltd", "postal_address": "1 High Street, 12345 Town"}
SHOP = {"name": "Jürgen Müller-Lüdenscheidt, Vertrieb", "email": "juergen@xn--lden-loa.example", "domain": "xn--lden-loa.example", "reply_domain": "antwort.xn--lden-loa.example",
        "separator": "-", "url": "https://go.example.com", "company": "Müller & Söhne GmbH", "postal_address": "Königsallee 1, Düsseldorf"}

ALPHABETS = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "äöüßéèçñøåłžşğ", "абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω",
             "あいうえおかきくけこ漢字日本語件名", "中文主題郵件測試內容", "한국어제목메일", "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "กขคงจฉชซญ", "हिन्दीविषय",
             "😀🎉🚀👩‍👩‍👧‍👦🇩🇪✅", "0123456789", "!#$%&'*+-/=?^_`{|}~", "\"\\()<>[]:;@,.", "e\u0301a\u0308\u200d\u200e\u200f\u202b\ufeff"]
PIECES = ["=?UTF-8?Q?no_word?=", "=?", "?=", "\"quoted\"", "<b@c.example>", "a\\b", "From ", ".", "..", "=20", "Re:", "&amp;", "<b>", "100 %", "{{ x }}", "A" * 120, "ü" * 90]

problems = []
counts = collections.Counter()


def complain(case, text):
    problems.append("%s: %s" % (case.get("label", "?"), text))


# --- what is written ----------------------------------------------------------------------------------------------------

def words(rng, most):
    out = []
    for _ in range(rng.randint(1, most)):
        if rng.random() < .12:
            out.append(rng.choice(PIECES))
        else:
            letters = rng.choice(ALPHABETS)
            out.append("".join(rng.choice(letters) for _ in range(rng.randint(1, 14))))
    return (" " if rng.random() < .9 else "  ").join(out).strip() or "x"


def text(rng):
    return "\n".join(words(rng, 30) for _ in range(rng.randint(1, 8)))


def sender_of(template):
    return SHOP if template in ("odd-all", "odd-shop") else DEFAULT


def odd_case(rng, number):
    template = rng.choice(list(KINDS))
    _, _, pictures, files = KINDS[template]
    sender = sender_of(template)
    case = {
        "label": "%s %d" % (template, number), "template": template, "name": words(rng, 4) if rng.random() < .9 else "", "sender": sender,
        "address": rng.choice(["bob@customer.example", "Bob.O'Neil+x@xn--mller-kva.example", "a@bücher.example", "émilie@customer.example", "E\u0301milie.测试@bücher.example", "x_%s@customer.example" % ("y" * 50)]),
        "pictures": pictures, "attachments": [TYPES[f] for f in files], "files": list(files), "subject": words(rng, 24),
        "one_to_one": template == "odd-person", "before": rng.choice([0, 0, 0, 1, 5]), "mailing": rng.random() < .2,
        "owner": words(rng, 3) if template == "odd-person" or rng.random() < .1 else None, "planned": NOW - 3600 * 1000000,
        "now": NOW + number * 977 * 1000000, "sequence": words(rng, 2)[:40], "step": words(rng, 2)[:40],
    }
    if rng.random() < .1:
        case["form"] = "free-ebook"
        case["attachments"].append("application/pdf")
        case["files"].append("choosing-a-vendor.pdf")
    case["body"] = text(rng)
    case["values"] = {"words": case["subject"], "first_name": words(rng, 2), "body": case["body"],
                      "sender": {k: sender[k] for k in ("name", "company", "postal_address")}}
    return case


def evil_cases():
    """Each of these must be refused, and say why."""
    evil = ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\tb", "a\x01b", "a\x7fb", "a\u2028b", "a\u2029b", "\x1b[31m"]
    base = {"template": "odd", "name": "Bob", "address": "bob@customer.example", "planned": NOW, "now": NOW}
    values = {"words": "A subject", "first_name": "Bob", "body": "A text of some words.", "sender": DEFAULT}
    for bad in evil:
        yield dict(base, values=dict(values, words=bad), why="header_injection")
        yield dict(base, values=values, name=bad, why="header_injection")
        yield dict(base, values=values, owner=bad, why="header_injection")
    for bad in ("a\x00b", "a\x01b", "a\x1bb", "a\x7fb"):
        yield dict(base, values=dict(values, body=bad), why="")
    yield dict(base, values=dict(values, words="w" * 1000), why="900")
    for address in ("é@b>\r\nRCPT TO:<evil@c.example", "é>@c.example", "é\u2028@c.example", "é\u202e@c.example", "a@b>\r\nRCPT TO:<evil@c.example", "a b@c.example", "a@[127.0.0.1]", "\"a b\"@c.example", "a@b..example"):
        yield dict(base, values=values, address=address, why="")


# --- the shipped mails --------------------------------------------------------------------------------------------------

def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def stem(path):
    return os.path.basename(path)[:-len(".liquid")]


def shipped():
    return [stem(p) for p in sorted(glob.glob(TOP + "/templates/emails/*.liquid")) if re.match(r"---\n(.*\n)*?subject:", read(p))]


def shipped_cases():
    people = []
    for path in sorted(glob.glob(TOP + "/conf/personas/*.yaml")):
        inside = re.search(r"(?m)^fields: \{(.*)\}$", read(path))
        said = {m[0]: m[1].strip('"') for m in re.findall(r'(\w+): ("[^"]*"|[^,]*)(?:, |$)', inside.group(1))} if inside else {}
        people.append((os.path.basename(path), said, re.search(r"(?m)^email: (\S+)", read(path)).group(1)))
    for name in shipped():
        for persona, said, address in people:
            values = dict({
                "first_name": "Maria", "webinar": "Four vendors, live", "webinar_at": "2031-06-12T13:00:00Z", "webinar_when": "Thursday 12 June, 15:00",
                "trial_ends_at": "2031-06-26T13:00:00Z"}, **said)
            values.update({"email": address, "sender": {k: DEFAULT[k] for k in ("name", "email", "company", "postal_address")},
                           "consent_words": "Yes, send me the eBook and a few mails about choosing a vendor. I can stop at any time.",
                           "list": "just-looking", "stage": "awareness", "tone": "gentle", "tags": [], "grade": "B2", "owner": {"name": "Ben", "email": "ben@example.com"}})
            confirm = name.startswith("confirm")
            yield {"label": "%s for %s" % (name, persona), "template": name, "name": said.get("first_name", ""), "address": address, "values": values,
                   "sender": DEFAULT, "confirm": confirm, "download": "choosing-a-vendor.pdf", "planned": NOW, "now": NOW, "shipped": True}


# --- composing ----------------------------------------------------------------------------------------------------------

def lay_out(folder):
    shutil.copytree(TOP + "/conf", folder + "/conf", ignore=shutil.ignore_patterns("golden"))
    shutil.copytree(TOP + "/templates", folder + "/templates")
    operator = read(folder + "/conf/nurtured.yaml")
    operator, n = re.subn(r'(?m)^  separator: .*\n', lambda m: m.group(0) + SENDERS.lstrip("\n"), operator, count=1)
    assert n
    write(folder + "/conf/nurtured.yaml", operator)
    nurture = read(folder + "/conf/nurture.yaml")
    write(folder + "/conf/nurture.yaml", re.sub(r"(?m)^fields:.*\n", lambda m: m.group(0) + "  words: {type: text, default: x}\n  body: {type: text, default: x}\n", nurture, count=1))
    form = folder + "/conf/forms/free-ebook.yaml"
    write(form, re.sub(r"(?m)^download:", "attach: yes\ndownload:", read(form), count=1))
    for name, (front, pictures, _, _) in KINDS.items():
        write("%s/templates/emails/%s.liquid" % (folder, name), ODD % (front, pictures))
    for name in ("logo.png", "foot.png"):
        with open("%s/templates/emails/%s" % (folder, name), "wb") as f:
            f.write(PNG)
    for name, data in FILES.items():
        with open("%s/conf/files/%s" % (folder, name), "wb") as f:
            f.write(data)
    with open(folder + "/conf/files/choosing-a-vendor.pdf", "rb") as f:
        FILES["choosing-a-vendor.pdf"] = f.read(300000)
    with open(folder + "/conf/files/choosing-a-vendor.pdf", "wb") as f:		# a smaller book: it is in hundreds of mails
        FILES["choosing-a-vendor.pdf"] = FILES["choosing-a-vendor.pdf"][:20000]
        f.write(FILES["choosing-a-vendor.pdf"])


class Composer:
    def __init__(self, folder):
        self.process = subprocess.Popen([BUILD + "/tests/send/letters", folder + "/conf/nurtured.yaml"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, case):
        try:
            self.process.stdin.write(json.dumps({k: v for k, v in case.items() if v is not None}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            sys.exit("tests/send/letters has ended")
        line = self.process.stdout.readline()
        if not line:
            sys.exit("tests/send/letters has ended")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            complain({}, "tests/send/letters: %d" % self.process.returncode)


# --- judging ------------------------------------------------------------------------------------------------------------

def squeezed(s):
    """Without what wrapping and links change: the words alone."""
    return "".join(s.split())


def from_name(case):
    return case["owner"].strip() if case.get("owner") else case["sender"]["name"]


def spelt(s):
    """Runs of blanks count as one where syntax says so."""
    return " ".join(s.split())


def file_name(part):
    """By RFC 2231 where it is there; Python takes the plain one."""
    exact = re.search(r"filename\*=UTF-8''([^;\s]*)", part.as_bytes().partition(b"\n\n")[0].decode("ascii"))
    return urllib.parse.unquote(exact.group(1)) if exact else part.get_filename()


def check_python(data, case):
    strict = email.policy.default.clone(raise_on_defect=True, utf8=case["utf8"])
    # from bytes Python takes letters beyond ASCII for damage, whatever its policy says
    mail = email.message_from_string(data.decode(), policy=strict) if case["utf8"] else email.message_from_bytes(data, policy=strict)
    for part in mail.walk():
        if part.defects:
            complain(case, "defects: %s" % part.defects)
    for name, value in mail.items():
        if [d for d in value.defects if not (case["utf8"] and name == "To" and isinstance(d, email.errors.NonASCIILocalPartDefect))]:
            complain(case, "%s: %s" % (name, value.defects))
    plain, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    case["text_seen"] = plain
    if case.get("shipped"):
        for body in (plain, html):
            for needed in (["/u/", case["sender"]["postal_address"]] if not case["confirm"] else ["/y/", case["sender"]["postal_address"]]):
                if needed not in body:
                    complain(case, "a body without %s" % needed)
        return
    subject = ("Re: " if case["before"] else "") + case["subject"]
    if str(mail["Subject"]) != subject:
        complain(case, "subject %r came back as %r" % (subject, str(mail["Subject"])))
    # names without their blanks: Python 3.11 puts one between two encoded-words of a phrase; mailparser has them exactly
    to = mail["To"].addresses
    if len(to) != 1 or squeezed(to[0].display_name) != squeezed(case["name"]) or "xn--" in case["address"] and to[0].addr_spec != case["address"]:
        complain(case, "To %r came back as %r" % (case["name"], to))
    local = unicodedata.normalize("NFC", case["address"].split("@")[0])
    if to[0].username != local or case["utf8"] == local.isascii() or "bücher" in case["address"] and to[0].domain != "xn--bcher-kva.example":
        complain(case, "%s became %s" % (case["address"], to[0].addr_spec))
    if not data.replace(to[0].username.encode(), b"", 1).isascii():
        complain(case, "letters beyond ASCII outside of To")
    if squeezed(mail["From"].addresses[0].display_name) != squeezed(from_name(case)):
        complain(case, "From %r came back as %r" % (from_name(case), mail["From"]))
    if squeezed(case["body"]) not in squeezed(plain):
        complain(case, "the text is not what was written")
    for needed in ("/u/", case["sender"]["postal_address"]):
        if needed not in plain or needed not in html:
            complain(case, "a body without %s" % needed)
    files = [(file_name(p), p.get_payload(decode=True)) for p in mail.walk() if p.get_content_disposition() == "attachment"]
    if files != [(name, FILES[name]) for name in case["files"]]:
        complain(case, "attachments came back as %s" % [name for name, _ in files])
    pictures = [(p["Content-ID"], p.get_payload(decode=True)) for p in mail.walk() if p.get_content_disposition() == "inline"]
    if pictures != [("<%s@inline>" % n, PNG) for n in ("logo.png", "foot.png")][:case["pictures"]]:
        complain(case, "pictures came back as %s" % pictures)
    if case["pictures"] and ("cid:logo.png@inline" not in html or "cid:foot.png@inline" not in html):
        complain(case, "the HTML does not show its pictures")


def check_node(made):
    stream = b"".join(len(data).to_bytes(4, "big") + data for data, _ in made)
    done = subprocess.run(["node", TOP + "/tests/flow/lib/parse_mails.js"], input=stream, stdout=subprocess.PIPE, env=npm.environment())
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(found) != len(made):
        complain({}, "mailparser read %d of %d" % (len(found), len(made)))
    for (data, case), f in zip(made, found):
        if squeezed(f["text"] or "") != squeezed(case["text_seen"]):
            complain(case, "mailparser: another text")
        if case.get("shipped"):
            continue
        subject = ("Re: " if case["before"] else "") + case["subject"]
        if spelt(f["subject"]) != spelt(subject):
            complain(case, "mailparser: subject %r came back as %r" % (subject, f["subject"]))
        if spelt(f["to"][0]["name"]) != spelt(case["name"]) or spelt(f["from"][0]["name"]) != spelt(from_name(case)):
            complain(case, "mailparser: names %r %r came back as %r %r" % (case["name"], from_name(case), f["to"], f["from"]))
        files = [(a["name"], a["sum"]) for a in f["files"] if not a["cid"]]
        if files != [(name, hashlib.md5(FILES[name]).hexdigest()) for name in case["files"]]:
            complain(case, "mailparser: attachments %s" % files)
        if [a["cid"] for a in f["files"] if a["cid"]] != ["logo.png@inline", "foot.png@inline"][:case["pictures"]]:
            complain(case, "mailparser: pictures %s" % f["files"])


def check_spam(folder, made):
    """As a relay hands them on: with a Received line, and Return-Path."""
    received = "Return-Path: <%s>\r\nReceived: from mail.example.com (mail.example.com [81.2.69.142])\r\n\tby mx.customer.example (Postfix) with ESMTPS id 4XyZ\r\n" \
               "\tfor <bob@customer.example>; Mon, 24 Nov 2025 16:00:02 +0000 (UTC)\r\n"
    names = {}
    for number, (data, case) in enumerate(made):
        path = "%s/spam-%03d.eml" % (folder, number)
        names[path] = case
        with open(path, "wb") as f:
            f.write((received % case["return_path"]).encode() + data)
    done = subprocess.run(["perl", TOP + "/tests/flow/lib/spam.pl"] + sorted(names), capture_output=True, text=True)
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    if done.returncode or len(lines) != len(made):
        complain({}, "SpamAssassin read %d of %d: %s" % (len(lines), len(made), done.stderr[-500:]))
    hits = collections.Counter()
    for score, path, rules in lines:
        hits.update(rules.split(","))
        counts["worst"] = max(counts["worst"], float(score))
        if float(score) > SPAM_MOST:
            complain(names[path], "SpamAssassin gives it %s: %s" % (score, rules))
    return hits


def main():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    with tempfile.TemporaryDirectory() as folder:
        lay_out(folder)
        compose = Composer(folder)
        made = []
        for case in [odd_case(rng, i) for i in range(COUNT)] + list(shipped_cases()):
            reply = compose(case)
            if "refused" in reply:
                if not (case.get("shipped") and "the webinar has begun" in reply["refused"]):
                    complain(case, "refused: %s" % reply["refused"])
                continue
            data = base64.b64decode(reply["message"])
            case["return_path"], case["utf8"] = reply["return_path"], reply["utf8"]
            if not re.match("b%s%s@bounce\\." % (re.escape(case["sender"]["separator"]), mail_rules.TOKEN), reply["return_path"]):
                complain(case, "return path %s" % reply["return_path"])
            mail_rules.check(data, case, lambda text: complain(case, text))
            try:
                check_python(data, case)
            except Exception as e:
                complain(case, "CPython's parser: %s: %s" % (type(e).__name__, e))
                continue
            made.append((data, case))
        refused = 0
        for case in evil_cases():
            reply = compose(case)
            refused += 1
            if "refused" not in reply or case["why"] not in reply["refused"]:
                complain(case, "%r is not refused as it should be: %s" % (case, reply.get("refused")))
        compose.close()
        check_node(made)
        one_each = {}
        for data, case in made:
            if case.get("shipped"):
                one_each.setdefault(case["template"], (data, case))
        hits = check_spam(folder, list(one_each.values()))
    print("| %d messages, %d of them shipped mails; %d refused as they should be; the worst has %.1f points of spam (%s)" % (
        len(made), sum(1 for _, c in made if c.get("shipped")), refused, counts["worst"], ", ".join("%s %d" % h for h in sorted(hits.items()))))
    for problem in problems[:40]:
        print(textwrap.shorten(problem, 400))
    if problems:
        print("%d problems" % len(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
