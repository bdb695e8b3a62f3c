#!/usr/bin/env python3
"""The library of programmes in conf/: every persona lives through it as their golden file says, and the programmes behave.

Beside the golden files, what must hold whatever they say: each sequence is lived by two personas or more, each of its steps by some, with
both outcomes of each question; nobody gets two mails on one day that they did not ask for, none at night, on a weekend or a holiday, none
after they said no; every mail can be made for every persona, in every language, and `nurturectl template lint` has nothing to say.

usage: tests/flow/programmes.py [--update], which writes the golden files anew.
"""
import collections
import concurrent.futures
import datetime
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CTL = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "nurturectl")
CONF = os.path.join(ROOT, "conf")
VERBS = "send wait wait_until wait_for if split test set tag move alert webhook go end".split()
HOLIDAYS = ("01-01", "12-25", "12-26", "04-03", "04-06")

problems = []


def complain(text):
	problems.append(text)
	print("programmes: " + text)


def read(path):
	with open(path, encoding="utf-8") as f:
		return f.read()


def stem(path):
	return os.path.basename(path).rsplit(".", 1)[0]


# --- what the files say -----------------------------------------------------------------------------------------------

class Step:
	"""One of the steps of a sequence, from the few ways of writing them that conf/ has."""

	def __init__(self, text, count):
		key, rest = re.match(r"\{?([\w-]+):\s*(.*)", text, re.S).groups()
		self.text = text
		self.verb = key
		self.name = None
		if key not in VERBS:
			self.name = key
			self.verb = re.match(r"\{?(\w+):", rest).group(1)
		count[self.verb] += 1
		self.name = self.name or "%s-%d" % (self.verb, count[self.verb])
		self.argument = self.option(self.verb)
		self.next = None

	def option(self, key):
		m = re.search(r"\b%s:\s*(?:'([^']*)'|\"([^\"]*)\"$|([^\n]*?))(?:, \w+: |\}*$|\n)" % key, self.text, re.M)
		return next((g for g in m.groups() if g is not None), "").strip() if m else None

	def outcomes(self):
		"""The steps to which a question leads."""
		if self.verb == "if":
			return {self.option("then") or self.next, self.option("else") or self.next}
		if self.verb == "wait_for":
			return {self.next, self.option("otherwise") or self.next}
		if self.verb == "split":
			return set(re.findall(r"([\w-]+): \d+", self.text))
		return set()


def read_steps(text):
	lines = text[text.index("\nsteps:"):].split("\n")[2:]
	items = []
	for line in lines:
		line = re.sub(r"\s+#.*", "", line)
		if line.startswith("  - "):
			items.append(line[4:])
		elif line.strip():
			items[-1] += "\n" + line.strip()
	count = collections.Counter()
	steps = [Step(item, count) for item in items]
	for step, behind in zip(steps, steps[1:]):
		step.next = behind.name
	return steps


def gone_through(steps, name):
	"""Where who stands before that step comes to rest: not at a `go`."""
	step = next(s for s in steps if s.name == name)
	return gone_through(steps, step.argument) if step.verb == "go" else name


def read_sequences():
	return {re.search(r"(?m)^sequence: (\S+)", text).group(1): read_steps(text) for text in map(read, glob.glob(CONF + "/sequences/*.yaml"))}


def read_fields():
	"""Names and what mails say where they are empty."""
	text = read(CONF + "/nurture.yaml")
	text = text[text.index("\nfields:"):text.index("\nstages:")]
	return {name: default for name, default in re.findall(r"(?m)^  (\w+): +\{type: \w+(?:, default: ([^}]*))?\}", text)}


# --- living -----------------------------------------------------------------------------------------------------------

def simulate(persona, *options):
	"""A sequence that is entered by hand is named: it is that with which the persona's name begins."""
	by_hand = [s for s in map(stem, glob.glob(CONF + "/sequences/*.yaml")) if stem(persona).startswith(s) and "\nenter: by hand" in read("%s/sequences/%s.yaml" % (CONF, s))]
	return subprocess.run([CTL, "simulate", *by_hand, "--persona", persona, "-c", CONF + "/nurtured.yaml", *options], capture_output=True, text=True)


def live(persona, update):
	"""What happens to them; and it has to be what is kept."""
	golden = "%s/golden/%s.txt" % (CONF, stem(persona))
	kept = simulate(persona, "--golden", golden, *(["--update"] if update else []))
	if kept.returncode:
		complain("%s does not live as conf/golden says:\n%s%s" % (stem(persona), kept.stdout, kept.stderr))
	lived = simulate(persona, "--json")
	if lived.returncode:
		complain("%s: %s" % (stem(persona), lived.stderr))
		return []
	return json.loads(lived.stdout)["things"]


class Walk:
	"""What of the sequences was lived by whom."""

	def __init__(self, sequences):
		self.sequences = sequences
		self.entered = collections.defaultdict(set)
		self.seen = set()

	def step_of(self, sequence, name):
		return next((s for s in self.sequences[sequence] if s.name == name), None)

	def branch(self, entered, thing):
		"""It does not say of which sequence: of one that they entered, with that step, that question and that outcome."""
		target = thing["why"].rsplit(": ", 1)[1]
		for sequence in entered:
			step = self.step_of(sequence, thing["step"])
			if step and target in step.outcomes() and (step.verb == "split" or step.argument in thing["why"]):
				self.seen.add((sequence, step.name, target))

	def add(self, persona, things):
		entered = set()
		for t in things:
			what, sequence = t["what"], t.get("sequence")
			if what == "enters":
				entered.add(sequence)
				self.entered[sequence].add(persona)
			elif what == "branch":
				self.branch(entered, t)
			elif what in ("mail", "waits") and sequence:
				self.seen.add((sequence, what, t["step"]))
			elif what in ("tag", "untag", "move"):
				self.seen.add(tuple(t["why"].split(": ", 1)))
			elif what == "note" and t["text"] in ("alert", "webhook"):
				self.seen.add((t["why"], t["text"], t["to"]))
			elif what == "ends":
				self.seen.add((sequence, what, t["why"]))

	def missing(self, sequence, step):
		"""What of a step nobody has lived; nothing for those that show only in what follows."""
		if step.verb in ("send", "test"):
			wanted = {(sequence, "mail", step.name)}
		elif step.verb in ("wait", "wait_until"):
			wanted = {(sequence, "waits", gone_through(self.sequences[sequence], step.next))}
		elif step.verb in ("tag", "move"):
			wanted = {(sequence, step.name)}
		elif step.verb == "alert":
			wanted = {(sequence, "alert", step.argument.strip('"'))}
		elif step.verb == "webhook":
			wanted = {(sequence, "webhook", step.name)}
		elif step.verb == "end":
			wanted = {(sequence, "ends", step.argument)}
		else:
			wanted = {(sequence, step.name, target) for target in step.outcomes()}
		return wanted - self.seen

	def check(self):
		for sequence, steps in sorted(self.sequences.items()):
			if len(self.entered[sequence]) < 2:
				complain("%s is lived by %d personas" % (sequence, len(self.entered[sequence])))
			for step in steps:
				for what in sorted(self.missing(sequence, step)):
					complain("%s: nobody lives step `%s`: %s" % (sequence, step.name, " ".join(what[1:])))
		return sum(len(steps) for steps in self.sequences.values())


# --- manners ----------------------------------------------------------------------------------------------------------

def asked_for(sequences, thing):
	"""Quiet hours and caps do not hold for it: (in quiet hours, over the cap)."""
	step = next(s for s in sequences[thing["sequence"]] if s.name == thing["step"])
	even_in = step.option("even_in")
	return even_in in ("quiet", "always"), even_in in ("cap", "always")


def check_manners(sequences, persona, things):
	day_of_last, no = None, None
	for t in things:
		if t["what"] in ("unsubscribes", "complains", "bounces") or (t["what"] == "suppressed"):
			no = t["what"]
		if t["what"] != "mail" or "sequence" not in t:
			continue
		at = datetime.datetime.fromisoformat(t["at"])
		quiet_too, cap_too = asked_for(sequences, t)
		if no:
			complain("%s gets %s after they said no: %s" % (persona, t["mail"], no))
		if not quiet_too and (at.hour < 8 or at.hour >= 19 or at.weekday() > 4 or at.strftime("%m-%d") in HOLIDAYS):
			complain("%s gets %s on %s" % (persona, t["mail"], at.strftime("%A %Y-%m-%d %H:%M")))
		if not cap_too:
			if at.date() == day_of_last:
				complain("%s gets %s on the day of another mail, %s" % (persona, t["mail"], day_of_last))
			day_of_last = at.date()


# --- making every mail for everybody ----------------------------------------------------------------------------------

def fields_of(text):
	inside = re.search(r"(?m)^fields: \{(.*)\}$", text).group(1)
	return {m[0]: m[1].strip('"') for m in re.findall(r'(\w+): ("[^"]*"|[^,]*)(?:, |$)', inside)}


def data_of(persona, fields):
	text = read(persona)
	said = fields_of(text)
	email, language = (re.search(r"(?m)^%s: (\S+)" % key, text) for key in ("email", "language"))
	data = {name: said.get(name) or default or None for name, default in fields.items()}
	data.update({
		"email": email.group(1), "language": language and language.group(1), "form": None, "subject": "A subject", "preheader": "A preheader",
		"sender": {"name": "Ana at Example", "email": "ana@example.com", "company": "Example Ltd", "postal_address": "1 High Street, 12345 Town"},
		"owner": None, "tags": [], "grade": "C4", "consent_words": None, "consented_at": None, "list": "just-looking", "stage": "awareness", "tone": "gentle",
		"unsubscribe_url": "https://mail.example.com/u/x", "preferences_url": "https://mail.example.com/p/x", "open_url": None,
		"download_url": "https://mail.example.com/d/x", "confirm_url": "https://mail.example.com/y/x",
	})
	return data


def make(template, data):
	done = subprocess.run([CTL, "template", "render", template, "--data", data, "--headers"], capture_output=True, text=True)
	return None if done.returncode == 0 or "the webinar has begun" in done.stderr else done.stderr


def check_mails(personas):
	mails = [path for path in sorted(glob.glob(ROOT + "/templates/emails/*.liquid")) if re.match(r"---\n(.*\n)*?subject:", read(path))]
	fields = read_fields()
	with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
		jobs = []
		for persona in personas:
			data = "%s/%s.json" % (folder, stem(persona))
			with open(data, "w", encoding="utf-8") as f:
				json.dump(data_of(persona, fields), f)
			jobs += [(persona, mail, pool.submit(make, mail, data)) for mail in mails]
		for persona, mail, job in jobs:
			if job.result():
				complain("%s cannot be made for %s: %s" % (stem(mail), stem(persona), job.result()))
	return len(mails)


def check_lint():
	done = subprocess.run([CTL, "template", "lint", "--all", "-c", CONF + "/nurtured.yaml"], capture_output=True, text=True)
	if done.returncode or "0 errors, 0 warnings" not in done.stdout:
		complain("the templates are not clean:\n%s%s" % (done.stdout, done.stderr))


def main():
	update = "--update" in sys.argv[1:]
	personas = sorted(glob.glob(CONF + "/personas/*.yaml"))
	os.makedirs(CONF + "/golden", exist_ok=True)
	walk = Walk(read_sequences())
	for persona in personas:
		things = live(persona, update)
		walk.add(stem(persona), things)
		check_manners(walk.sequences, stem(persona), things)
	for golden in glob.glob(CONF + "/golden/*.txt"):
		if not os.path.exists("%s/personas/%s.yaml" % (CONF, stem(golden))):
			complain("conf/golden/%s.txt is of nobody" % stem(golden))
	steps = walk.check()
	mails = check_mails(personas)
	check_lint()
	print("| %d personas, %d sequences, %d steps, %d mails for each: %d problems" % (len(personas), len(walk.sequences), steps, mails, len(problems)))
	return 1 if problems else 0


if __name__ == "__main__":
	sys.exit(main())
