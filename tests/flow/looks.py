#!/usr/bin/env python3
"""The shipped mails and pages as a browser shows them, at 360, 600 and 960 pixels, light and dark.

Rendered by `nurturectl template render` from the data below, laid out by Chromium in one page of frames a mode. Nothing may
scroll sideways, every text has to stand out from its ground (WCAG 2: contrast of 4.5, 3 for large type), what can be pressed has
to be large enough for a thumb, and the text part of a mail has to say what the mail says.

usage: tests/flow/looks.py [build folder]; --shots FOLDER keeps pictures of each mode and width.
"""
import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTHS = (360, 600, 960)
PARTS = {"page", "countries"}		# of pages; each other file there is looked at
AT_ONCE = 12
BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--hide-scrollbars"]

WORDS = "Yes, send me the eBook and a few mails about choosing a vendor. I can stop at any time."
LONG = "Rindfleischetikettierungsueberwachungsaufgabenuebertragungsgesetz"

PREFERENCES = "https://mail.example.com/p/abcdefghijklmnopqrstuvwxyz234567ab"
UNSUBSCRIBE = "https://mail.example.com/u/abcdefghijklmnopqrstuvwxyz234567ab"
MAIL = {
	"first_name": "Maria", "role": "head of operations", "company": "Nordlicht " + LONG, "employees": 40, "country": "DE", "read_case": None,
	"webinar": "Four vendors, ten ugly rows, live", "webinar_at": "2031-06-12T13:00:00Z", "webinar_when": "Thursday 12 June, 15:00 Berlin time",
	"trial_ends_at": "2031-06-26T13:00:00Z",
	"email": "maria.sommer-with-a-very-long-name@nordlicht-logistics.example", "subject": "A subject", "preheader": "A preheader",
	"sender": {"name": "Ana at Example", "email": "ana@example.com", "company": "Example Ltd",
		"postal_address": "1 High Street, 12345 Town"},
	"owner": {"name": "Ben", "email": "ben@example.com"}, "tags": ["reviewer"], "grade": "B2",
	"unsubscribe_url": UNSUBSCRIBE, "preferences_url": PREFERENCES,
	"download_url": "https://mail.example.com/d/abcdefghijklmnopqrstuvwxyz234567ab", "confirm_url": None, "open_url": None,
	"consent_words": WORDS, "consented_at": "2031-05-04T09:00:00Z", "list": "just-looking", "stage": "awareness", "tone": "gentle", "language": "en", "form": "free-ebook",
}
# the person of whom next to nothing is known: what may be empty is, and what has a default says it
BARE = dict(MAIL, first_name="there", role=None, company=None, employees=None, country=None, webinar="our webinar",
	webinar_when="The time stands in your calendar entry.", trial_ends_at=None, owner=None, tags=[], grade=None, tone="direct", language=None, form=None)
CONFIRM = {"confirm_url": "https://mail.example.com/y/abcdefghijklmnopqrstuvwxyz234567ab"}

PAGE = {
	"title": "A title", "company": "Example Ltd", "postal_address": "1 High Street, 12345 Town", "home_url": "https://mail.example.com",
	"message": "", "action": "/x", "token": "abc", "email": None, "download_url": None, "lead": None, "answer": None, "next_url": None,
	"consent_words": None, "form": None, "fields": None, "language": "en", "languages": None, "topics": None, "limits": None, "paused_until": None,
	"until_least": "2031-05-05", "until_most": "2033-05-04", "withdrawn": False, "unsubscribe_url": None, "preferences_url": None,
}
FIELDS = [
	{"name": "email", "label": "Email", "type": "email", "required": True, "value": "maria@", "error": "Email has nothing behind the @"},
	{"name": "first_name", "label": "First name", "type": "text", "required": True, "value": LONG},
	{"name": "company", "label": "Company", "type": "text", "required": False, "value": ""},
	{"name": "news", "label": "News, too", "type": "checkbox", "required": False, "value": "true"},
]
FORM = {"name": "free-ebook", "label": "Free ebook", "purpose": "newsletter", "honeypot": "website", "double": True, "download": True}
TOPICS = [
	{"name": "guides", "title": "Guides " + LONG, "about": "What we learned. A mail or two a week, for a few weeks.", "on": True},
	{"name": "offers", "title": "Offers", "about": None, "on": False},
]
LIMITS = [
	{"value": "", "count": 0, "per": "all", "on": False}, {"value": "1/7", "count": 1, "per": "week", "on": True},
	{"value": "1/30", "count": 1, "per": "month", "on": False},
]
LANGUAGES = [{"code": "en", "name": "English", "on": True}, {"code": "de", "name": "Deutsch", "on": False}]
LEAD = {"id": "led_0", "name": "Maria Sommer " + LONG, "email": MAIL["email"], "state": "new"}
PAGES = [
	("signup", {"form": FORM, "fields": FIELDS, "consent_words": WORDS, "message": "Please look at what is marked."}),
	("confirm", {"message": "One click confirms your address."}),
	("confirmed", {"message": "Your address is confirmed.", "next_url": "https://www.example.com/"}),
	("thanks", {"message": "We have sent you a mail."}),
	("unsubscribe", {"message": "One click.", "email": "m***@nordlicht.example", "preferences_url": "/p/x"}),
	("unsubscribed", {"message": "You get no more mail.", "email": "m***@nordlicht.example"}),
	("confirm.de", {"message": "Ein Klick."}),
	("confirmed.de", {"message": "Danke.", "next_url": "https://www.example.com/"}),
	("unsubscribe.de", {"message": "Ein Klick.", "email": "m***@nordlicht.example", "preferences_url": "/p/x"}),
	("unsubscribed.de", {"message": "Sie bekommen keine Mails mehr.", "email": "m***@nordlicht.example"}),
	("preferences", {"email": "m***@nordlicht.example", "topics": TOPICS, "limits": LIMITS, "languages": LANGUAGES, "answer": "saved"}),
	("preferences", {"email": "m***@nordlicht.example", "limits": LIMITS, "withdrawn": True, "paused_until": "2031-06-05", "answer": "wrong", "message": "Until when?"}),
	("preferences.de", {"email": "m***@nordlicht.example", "topics": TOPICS, "limits": LIMITS, "languages": LANGUAGES, "language": "de"}),
	("error", {"title": "This link has expired", "message": "We can send it once more.", "action": "/d/x", "button": "Send it to me again"}),
	("sales-answer", {"lead": LEAD, "answer": "accept", "message": "You take this lead."}),
	("sales-answer", {"lead": LEAD, "answer": "reject", "message": "Please say why."}),
	("sales-answer", {"lead": LEAD, "answer": "won", "message": "How much is it worth?"}),
	("sales-answer", {"lead": LEAD, "answer": "lost", "message": "Please say why."}),
	("sales-answered", {"lead": dict(LEAD, state="won"), "answer": "won", "message": "Thank you."}),
]

# What is measured in each frame. A ground is the first background that is not transparent, from the text outwards.
MEASURE = """
function colour(s) {
	var n = s.match(/[0-9.]+/g).map(Number);
	return {rgb: n.slice(0, 3), solid: n.length < 4 || n[3] > 0};
}
function light(rgb) {
	var v = rgb.map(function (c) { c /= 255; return c <= .03928 ? c / 12.92 : Math.pow((c + .055) / 1.055, 2.4); });
	return .2126 * v[0] + .7152 * v[1] + .0722 * v[2];
}
function ground(e, win) {
	for (; e; e = e.parentElement) {
		var c = colour(win.getComputedStyle(e).backgroundColor);
		if (c.solid) return c.rgb;
	}
	return [255, 255, 255];
}
function shown(e, win) {
	for (var p = e; p; p = p.parentElement) {
		var s = win.getComputedStyle(p);
		if (s.display === 'none' || s.visibility === 'hidden') return false;
	}
	var r = e.getBoundingClientRect();
	return r.width > 1 && r.right > 0;
}
function measure(frame) {
	var doc = frame.contentDocument, win = frame.contentWindow, root = doc.documentElement, out = {faint: [], small: [], texts: 0};
	out.scroll = Math.max(root.scrollWidth, doc.body.scrollWidth);
	out.width = win.innerWidth;
	out.ground = ground(doc.body, win).join();
	doc.querySelectorAll('body *').forEach(function (e) {
		var words = Array.prototype.some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
		if (words && shown(e, win)) {
			var s = win.getComputedStyle(e), a = light(colour(s.color).rgb), b = light(ground(e, win));
			var ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
			var large = parseFloat(s.fontSize) >= 24 || (parseFloat(s.fontSize) >= 18.6 && s.fontWeight >= 700);
			out.texts++;
			if (ratio < (large ? 3 : 4.5)) out.faint.push(e.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
		}
		if (e.matches('button, .button a, a.button, input:not([type=checkbox]):not([type=radio]), textarea') && shown(e, win)
				&& e.getBoundingClientRect().height < 44)
			out.small.push(e.outerHTML.slice(0, 60));
		if (e.tagName === 'IMG' && !e.hasAttribute('alt')) out.small.push('no alt: ' + e.outerHTML.slice(0, 60));
	});
	return out;
}
addEventListener('load', function () {
	document.title = JSON.stringify(Array.prototype.map.call(document.querySelectorAll('iframe'), measure));
});
"""

problems = []


def complain(text):
	problems.append(text)
	print("looks: " + text)


def render(build, kind, name, data, folder, *options):
	path = os.path.join(folder, "data.json")
	with open(path, "w", encoding="utf-8") as f:
		json.dump(data, f)
	done = subprocess.run([os.path.join(build, "nurturectl"), "template", "render", os.path.join(ROOT, "templates", kind, name + ".liquid"),
		"--data", path, *options], capture_output=True, text=True)
	if done.returncode:
		sys.exit("looks: %s/%s does not render:\n%s" % (kind, name, done.stderr))
	return done.stdout


def mails():
	"""Every mail in templates/emails, of whatever language: what has a subject and is no text part."""
	folder = os.path.join(ROOT, "templates", "emails")
	for file in sorted(os.listdir(folder)):
		with open(os.path.join(folder, file), encoding="utf-8") as f:
			if file.endswith(".liquid") and not file.endswith(".txt.liquid") and re.match(r"---\n(.*\n)*?subject:", f.read()):
				yield file[:-len(".liquid")]


def links(document):
	return [html.unescape(url) for url in re.findall(r'<a href="([^"]*)"', document)]


def check_mail(name, document, text):
	"""One call to action, over https, in both parts; nothing that is empty shows."""
	confirms = name.startswith("confirm")
	targets = sorted(set(links(document)) - {UNSUBSCRIBE, PREFERENCES})
	words = len(text.split())
	if len(targets) > 1 or (not targets and not re.search(r"\b[Rr]eply with\b", text)):
		complain("%s: one mail, one call to action; this has %s" % (name, ", ".join(targets) or "none"))
	for target in targets:
		if not re.match(r"https://(www\.example\.com/|mail\.example\.com/[yd]/)", target):
			complain("%s: leads to %s" % (name, target))
		if target not in text:
			complain("%s: the text part does not have %s" % (name, target))
	if re.search(r"</?[a-z]|&[a-z]+;|\{[{%]", text):
		complain("%s: the text part has markup in it" % name)
	if not 60 <= words <= 260:
		complain("%s: the text part has %d words" % (name, words))
	if "\n\n\n" in text:
		complain("%s: the text part has two blank lines in a row" % name)
	if re.search(r"\S  \S| [,.;:?]|,,|\b(nil|None)\b", text):
		complain("%s: the text part has a hole in it" % name)
	if not confirms and UNSUBSCRIBE not in text:
		complain("%s: the text part has no link to unsubscribe" % name)
	if re.search(r"\.[a-z]{2}$", name) and 'lang="%s"' % name[-2:] not in document:
		complain("%s: the document does not say that its language is %s" % (name, name[-2:]))


def check_head(name, head):
	"""The subject shows whole on a phone, the preheader goes on where it stops."""
	subject, preheader = (re.search(r"(?m)^%s: (.*)$" % key, head).group(1) for key in ("subject", "preheader"))
	if not 8 <= len(subject) <= 62:
		complain("%s: the subject has %d characters: %s" % (name, len(subject), subject))
	if not 25 <= len(preheader) <= 100:
		complain("%s: the preheader has %d characters: %s" % (name, len(preheader), preheader))
	if re.search(r"!|\b[A-Z]{4,}\b|(?i:\bfree money|act now|last chance)", subject):
		complain("%s: the subject shouts: %s" % (name, subject))


def browse(folder, documents, width, dark, shot, number):
	"""What each document measures; some at a time, because a picture can only be so wide."""
	if len(documents) > AT_ONCE:
		return browse(folder, documents[:AT_ONCE], width, dark, shot, number) + browse(folder, documents[AT_ONCE:], width, dark, shot, number + 1)
	path = os.path.join(folder, "frames.html")
	with open(path, "w", encoding="utf-8") as f:
		f.write("<!doctype html><meta charset=utf-8><title>not measured</title><style>body{margin:0;white-space:nowrap}"
			"iframe{border:0;height:1300px;width:%dpx;margin:0 8px 0 0}</style><script>%s</script>" % (width, MEASURE))
		for document in documents:
			f.write('<iframe scrolling=no srcdoc="%s"></iframe>' % html.escape(document))
	command = [shutil.which("chromium") or shutil.which("chromium-browser"), *BROWSER, "--user-data-dir=" + os.path.join(folder, "profile"),
		"--window-size=%d,1300" % ((width + 8) * len(documents))]
	if dark:
		command.append("--blink-settings=preferredColorScheme=0")
	if shot:
		subprocess.run(command + ["--screenshot=" + shot % number, "file://" + path], capture_output=True, check=True)
	dom = subprocess.run(command + ["--dump-dom", "file://" + path], capture_output=True, text=True, check=True).stdout
	return json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom, re.S).group(1)))


def check_frame(name, width, mode, seen):
	where = "%s at %d, %s" % (name, width, mode)
	if seen["width"] != width:
		complain("%s: the frame is %d wide" % (where, seen["width"]))
	if seen["scroll"] > seen["width"]:
		complain("%s: scrolls sideways, %d wide" % (where, seen["scroll"]))
	if seen["texts"] < 3:
		complain("%s: there is next to nothing on it" % where)
	for text in seen["faint"]:
		complain("%s: too faint: %s" % (where, text))
	for text in seen["small"]:
		complain("%s: too small for a thumb: %s" % (where, text))


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("build", nargs="?", default=os.environ.get("BUILD", os.path.join(ROOT, "build")))
	parser.add_argument("--shots")
	args = parser.parse_args()
	if not shutil.which("chromium") and not shutil.which("chromium-browser"):
		sys.exit("looks: there is no chromium; apt-get install chromium")
	with tempfile.TemporaryDirectory() as folder:
		names, documents = [], []
		for name in mails():
			for data in (BARE, MAIL):
				data = dict(data, **(CONFIRM if name.startswith("confirm") else {}))
				document = render(args.build, "emails", name, data, folder)
				check_mail(name, document, render(args.build, "emails", name, data, folder, "--text"))
				check_head(name, render(args.build, "emails", name, data, folder, "--headers"))
			names.append("emails/" + name)
			documents.append(document)
		for name, data in PAGES:
			names.append("pages/%s %s" % (name, data.get("answer") or ""))
			documents.append(render(args.build, "pages", name, dict(PAGE, **data), folder))
		for file in os.listdir(os.path.join(ROOT, "templates", "pages")):
			if file.endswith(".liquid") and file[:-len(".liquid")] not in PARTS | {name for name, _ in PAGES}:
				complain("pages/%s is not looked at" % file)
		grounds = {}
		for dark in (False, True):
			for width in WIDTHS:
				mode = "dark" if dark else "light"
				shot = args.shots and os.path.join(args.shots, "%s-%d-%%d.png" % (mode, width))
				for name, seen in zip(names, browse(folder, documents, width, dark, shot, 1), strict=True):
					check_frame(name, width, mode, seen)
					grounds.setdefault(name, set()).add(seen["ground"])
		for name in names:
			if len(grounds[name]) != 2:
				complain("%s: dark mode looks as light mode does" % name)
	print("looks: %d mails and pages, %d widths, light and dark: %d problems" % (len(names), len(WIDTHS), len(problems)))
	return 1 if problems else 0


if __name__ == "__main__":
	sys.exit(main())
