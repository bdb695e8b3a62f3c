"""What the rows of bench.py have in common: a daemon with one sequence and a mail of 10 KB, peers to send to, and what a process used."""
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flow", "lib"))
from world import BUILD, Peer, check, run, wait_for, write  # noqa: E402

OPERATOR = """
state: {f}/state
templates: {f}/templates
control: {f}/control.sock
listen: {{port: 0, public_url: "https://t.example.com"}}
sender: {{from: "Ana at Example <ana@example.com>", company: Example Ltd, postal_address: "1 High Street, 12345 Town", bounce_domain: bounce.example.com, reply_domain: reply.example.com}}
relays:
  - {{name: main, url: "smtp://127.0.0.1:{port}", tls: none, connections: {connections}, messages: 100000}}
mailboxes:
  - {{name: replies, url: "maildir:{f}/replies"}}
"""

NURTURE = """
fields:
  first_name: {type: text, default: there}
  role: {type: text, default: ""}
  company: {type: text, default: your company}
  country: {type: text, default: ""}
stages:
  - name: awareness
  - {name: decision, when: interest >= 60, until: interest < 40}
lists:
  - {name: ready-to-buy, when: stage == "decision", at_most: 1 per day}
  - {name: just-looking, at_most: 1 per 2 days}
score:
  half_life: 30 days
  fit:
    - {name: decides, points: 20, when: 'role matches /head of|chief/i'}
  interest:
    - {on: signup, points: 10}
    - {on: click, points: 5, at_most: 15 per 7 days}
"""

FORM = """
form: bench
fields: [email, first_name, company, role, country]
consent: {purpose: newsletter, words: "Yes, send me the eBook."}
confirm: single
limits: {per_address: 1000 per hour, per_ip: 1000000000 per hour}
"""

SEQUENCE = """
sequence: bench
list: just-looking
enter: {on: signup, when: 'event.form == "other"'}
goal: stage >= "decision"
exit: list != "just-looking"
on_change: move
steps:
  - mail: {send: bench}
  - {wait: 30 days}
  - again: {send: bench}
"""

SALES = """
hot: score >= 500
replies_to: sales@example.com
"""


# --- the mail: the same in Liquid for the daemon and in Handlebars for the Node program. 15 substitutions, 2 conditions, a loop, 5 tracked links

WORDS = ("Most teams choose a vendor by the length of its list of features and find out a year later what they should have asked. "
         "Three questions tell more than forty pages of a matrix, and none of them is about the price. ") * 3

BODY = ("<html><body>\n<h1>Hello {{ first_name }}</h1>\n" + "[if]<p>As {{ role }} you know this.</p>[else]<p>You know this.</p>[end]\n" +
        "".join("<p style=\"margin:0 0 16px;line-height:24px\">{{ first_name }}, %sAt {{ company }} too.</p>\n" % WORDS for _ in range(6)) +
        "<ul>\n[for]<li>Part {{ part }}, in five minutes</li>\n[done]</ul>\n" +
        "".join("<p><a href=\"[link %d]\">Read part %d</a></p>\n" % (n, n) for n in range(5)) + "[unless]<p>Written for {{ country }}.</p>[finish]\n")

FOOT = "<p><a href=\"{{ unsubscribe_url }}\">Stop these mails</a> Example Ltd, 1 High Street, 12345 Town</p>\n"
SUBJECT = "{{ first_name }}, three questions for {{ company }}"

LIQUID = {"[if]": '{% if role contains "Head" %}', "[else]": "{% else %}", "[end]": "{% endif %}", "[for]": "{% for part in (1..5) %}", "[done]": "{% endfor %}",
          "[unless]": '{% unless country == "US" %}', "[finish]": "{% endunless %}"}
HANDLEBARS = {"[if]": "{{#if is_head}}", "[else]": "{{else}}", "[end]": "{{/if}}", "[for]": "{{#each parts}}", "[done]": "{{/each}}",
              "[unless]": "{{#unless is_us}}", "[finish]": "{{/unless}}", "{{ part }}": "{{ this }}"}


def translate(body, words, link):
    for ours, theirs in words.items():
        body = body.replace(ours, theirs)
    return re.sub(r"\[link (\d)\]", link, body)


def liquid_mail():
    return ('---\nsubject: "%s"\n---\n' % SUBJECT + translate(BODY, LIQUID, r"https://www.example.com/read/\1") + FOOT +
            '{% if open_url %}<img src="{{ open_url }}" width="1" height="1" alt="">{% endif %}</body></html>\n')


def handlebars_mail(folder):
    html = translate(BODY, HANDLEBARS, r"{{ links.[\1] }}") + FOOT
    text = re.sub(r"<a href=\"([^\"]+)\">([^<]*)</a>", r"\2: \1", html)
    text = re.sub(r"<[^>]+>", "", text.replace("</p>", "\n").replace("</h1>", "\n"))
    write(folder + "/subject", SUBJECT)
    write(folder + "/html", html + '<img src="{{ open_url }}" width="1" height="1" alt=""></body></html>\n')
    write(folder + "/text", text)
    return folder


# --- the daemon

def configure(w, port, connections):
    f = w.folder
    templates = f + "/templates"
    if not os.path.isdir(templates):
        shutil.copytree(HERE + "/../decide/templates", templates)
        write(templates + "/emails/bench.liquid", liquid_mail())
        for part in ("cur", "new", "tmp"):
            os.makedirs(f + "/replies/" + part)
    w.configure(OPERATOR.format(f=f, port=port, connections=connections), nurture=NURTURE, forms__bench=FORM, sequences__bench=SEQUENCE, sales=SALES)


def cpu(pid):
    """CPU seconds of a process so far."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    """The most memory that it held, MB."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def rows(w, sql, path=None):
    """After the daemon has stopped."""
    db = sqlite3.connect(path or w.folder + "/state/nurtured.db")
    try:
        return db.execute(sql).fetchone()[0]
    finally:
        db.close()


def seed(w, prospects, due):
    shutil.rmtree(w.folder + "/state", ignore_errors=True)
    run(BUILD + "/tests/bench/seed", w.folder + "/state", str(prospects), str(due), "bench", "mail")


def metrics(w):
    """All lines of /metrics: name with labels, value."""
    text = run("curl", "-s", "--unix-socket", w.folder + "/control.sock", "http://nurtured/metrics")
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


def settled(pid):
    """It has nothing to do any more."""
    before = cpu(pid)
    time.sleep(0.2)
    return cpu(pid) - before < 0.02


# --- peers

def sink(*args, mails=None):
    """With `mails` it ends when it has them."""
    return Peer(BUILD + "/peers/smtp_sink", "-p", "0", *(["-e", str(mails)] if mails else []), *map(str, args))


def sink_result(peer, mails):
    out = peer.process.stdout.read()
    peer.process.wait()
    got = re.search(r"mails (\d+) bytes (\d+) seconds ([0-9.]+) cpu ([0-9.]+) from ([0-9.]+) to ([0-9.]+) delay ([0-9.]+)", out)
    check(got and int(got.group(1)) == mails, "the sink took %s" % out)
    seconds = float(got.group(3))
    return {"rate": mails / seconds, "size": int(got.group(2)) / mails, "cpu": float(got.group(4)) / seconds, "from": float(got.group(5)), "to": float(got.group(6)),
            "delay": float(got.group(7))}


def smtp_source(connections, mails, *args):
    """Postfix's own generator, which composes and records nothing, into the same sink: messages/s."""
    peer = sink(*args, mails=mails)
    run("smtp-source", "-d", "-s", str(connections), "-m", str(mails), "-l", "10240", "-f", "a@example.com", "-t", "b@example.com", "127.0.0.1:%d" % peer.port)
    return sink_result(peer, mails)["rate"]


def report(name, values):
    print("%-55s %.3g   (%.3g .. %.3g)" % (name, statistics.median(values), min(values), max(values)))


def quantile(values, q):
    return sorted(values)[int(len(values) * q)]
