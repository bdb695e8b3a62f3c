#!/usr/bin/env python3
"""The daemon as a whole, measured from outside: sign-ups, mails, the loop under load, memory. Figures are for this machine and this minute;
each stands beside a limit that was measured in the same run: the same listener without the store, Postfix's smtp-source into the same sink.

usage: bench.py [signups|mails|million|loop ...]      (all without names)
"""
import http.client
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow", "lib"))
from world import BUILD, World, Peer, check, run, wait_for, write  # noqa: E402

MAILS = 20000
ROUNDS = 3

OPERATOR = """
state: {f}/state
templates: {f}/templates
control: {f}/control.sock
listen: {{port: 0, public_url: "https://t.example.com"}}
sender: {{from: "Ana at Example <ana@example.com>", company: Example Ltd, postal_address: "1 High Street, 12345 Town", bounce_domain: bounce.example.com, reply_domain: reply.example.com}}
relays:
  - {{name: main, url: "smtp://127.0.0.1:{port}", tls: none, connections: {connections}}}
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


def big_template():
    """About 10 KB of message, 15 substitutions, two conditions, five tracked links."""
    words = ("Most teams choose a vendor by the length of its list of features and find out a year later what they should have asked. "
             "Three questions tell more than forty pages of a matrix, and none of them is about the price. ")
    body = "".join("<p style=\"margin:0 0 16px;line-height:24px\">{{ first_name }}, %s {{ company }} %s</p>\n" % (words, "and so on. " * 12) for _ in range(9))
    links = "".join('<p><a href="https://www.example.com/read/%d">Read part %d</a></p>\n' % (n, n) for n in range(5))
    return ("---\nsubject: \"{{ first_name }}, three questions for {{ company }}\"\n---\n<html><body>\n<h1>Hello {{ first_name }}</h1>\n"
            "{% if role contains \"Head\" %}<p>As {{ role }} you know this.</p>{% else %}<p>You know this.</p>{% endif %}\n" + body + links +
            "{% unless country == \"US\" %}<p>Written for {{ country }}.</p>{% endunless %}\n"
            "<p><a href=\"{{ unsubscribe_url }}\">Stop these mails</a> {{ sender.company }}, {{ sender.postal_address }}</p>\n"
            "{% if open_url %}<img src=\"{{ open_url }}\" width=\"1\" height=\"1\" alt=\"\">{% endif %}</body></html>\n")


def configure(w, port, connections):
    f = w.folder
    templates = f + "/templates"
    if not os.path.isdir(templates):
        top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decide", "templates")
        shutil.copytree(top, templates)
        write(templates + "/emails/bench.liquid", big_template())
        os.makedirs(f + "/replies/new")
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


def rows(w, sql):
    """After the daemon has stopped."""
    db = sqlite3.connect(w.folder + "/state/nurtured.db")
    try:
        return db.execute(sql).fetchone()[0]
    finally:
        db.close()


def seed(w, prospects, due):
    shutil.rmtree(w.folder + "/state", ignore_errors=True)
    run(BUILD + "/tests/bench/seed", w.folder + "/state", str(prospects), str(due), "bench", "mail")


# --- sign-ups

LUA = """
local thread = 0
function setup(t) t:set("id", thread); thread = thread + 1 end
function init() n = 0; seed = os.time() end
function request()
  n = n + 1
  local mail = "p" .. id .. "x" .. n .. "x" .. seed .. "@people" .. (n %% 97) .. ".example"
  return wrk.format("POST", "/v1/forms/bench", {["Content-Type"] = "application/json"},
    '{"email":"' .. mail .. '","first_name":"Eva","company":"Example & Sons","role":"Head of IT","country":"DE"}')
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
""".replace("%%", "%")


def wrk(w, script, path="", seconds=8):
    out = run("wrk", "-t2", "-c64", "-d%ds" % seconds, "-s", script, "http://127.0.0.1:%d%s" % (w.port, path))
    got = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", out)
    check(got, "wrk said nothing: " + out)
    requests, us, p50, p99, status, broken = map(int, got.groups())
    return {"requests": requests, "rate": requests / us * 1e6, "p50": p50 / 1000, "p99": p99 / 1000, "status": status, "broken": broken}


def signups():
    print("== sign-ups: POST, durable, 64 keep-alive connections, 2 threads of wrk on the same machine")
    with World() as w:
        configure(w, 9, 1)
        lua = write(w.folder + "/signup.lua", LUA)
        plain = write(w.folder + "/healthz.lua", LUA[:LUA.index("function request")].replace("function init() n = 0; seed = os.time() end", "") + LUA[LUA.index("function done"):])
        w.start_daemon()
        pid = w.daemon_process.pid
        results, limits, used = [], [], []
        for _ in range(ROUNDS):
            limits.append(wrk(w, plain, "/healthz", 4))
            before = cpu(pid)
            results.append(wrk(w, lua))
            used.append((cpu(pid) - before) / results[-1]["requests"] * 1000)
        memory = peak(pid)
        w.stop_daemon()
        total = sum(r["requests"] for r in results)
        stored = rows(w, "SELECT count(*) FROM consent")
        good = total - sum(r["status"] for r in results)
        print("answered 2xx %d, stored %d (wrk cuts off what is under way at the end of a round)" % (good, stored))
        check(good > total * 0.9, "only %d of %d sign-ups were accepted" % (good, total))
        check(stored >= good, "fewer sign-ups are stored than were acknowledged")
        report("sign-ups/s", [r["rate"] for r in results])
        report("p50 ms", [r["p50"] for r in results])
        report("p99 ms", [r["p99"] for r in results])
        report("CPU s/1000", used)
        report("ratio to GET /healthz of the same listener", [r["rate"] / l["rate"] for r, l in zip(results, limits)])
        print("%-45s %.0f MB" % ("peak memory", memory))


def report(name, values):
    print("%-45s %.3g   (%.3g .. %.3g)" % (name, statistics.median(values), min(values), max(values)))


# --- mails

def smtp_source(connections, delay, mails):
    """Postfix's own generator, which composes and records nothing, into the same sink: messages/s."""
    sink = Peer(BUILD + "/peers/smtp_sink", "-p", "0", "-e", str(mails), *(["-d", str(delay)] if delay else []))
    run("smtp-source", "-d", "-s", str(connections), "-m", str(mails), "-l", "10240", "-f", "a@example.com", "-t", "b@example.com", "127.0.0.1:%d" % sink.port)
    return sink_result(sink, mails)["rate"]


def sink_result(sink, mails):
    out = sink.process.stdout.read()
    sink.process.wait()
    got = re.search(r"mails (\d+) bytes (\d+) seconds ([0-9.]+) cpu ([0-9.]+)", out)
    check(got and int(got.group(1)) == mails, "the sink took %s" % out)
    seconds = float(got.group(3))
    return {"rate": mails / seconds, "seconds": seconds, "size": int(got.group(2)) / mails, "cpu": float(got.group(4)) / seconds}


def one_run(w, connections, delay, prospects):
    seed(w, prospects, MAILS)
    sink = Peer(BUILD + "/peers/smtp_sink", "-p", "0", "-e", str(MAILS), *(["-d", str(delay)] if delay else []))
    configure(w, sink.port, connections)
    began = time.monotonic()
    w.start_daemon()
    began = time.monotonic() - began
    pid = w.daemon_process.pid
    result = sink_result(sink, MAILS)
    result["start"] = began
    wait_for("the last row", lambda: (w.ctl("queue") and cpu_settled(pid)))
    result["used"] = cpu(pid) / MAILS * 1000
    result["memory"] = peak(pid)
    w.stop_daemon()
    result["recorded"] = rows(w, "SELECT count(*) FROM delivery WHERE state = 3")
    check(result["recorded"] == MAILS, "%d of %d are recorded as sent" % (result["recorded"], MAILS))
    return result


def cpu_settled(pid):
    before = cpu(pid)
    time.sleep(0.2)
    return cpu(pid) - before < 0.02


def mail_table(title, connections, delay, prospects, rounds=ROUNDS):
    print("== %s" % title)
    with World() as w:
        results, limits = [], []
        for _ in range(rounds):
            limits.append(smtp_source(connections, delay, MAILS))
            results.append(one_run(w, connections, delay, prospects))
        report("messages/s, due row to 250 and committed", [r["rate"] for r in results])
        report("CPU s/1000 (the start of the daemon included)", [r["used"] for r in results])
        report("ratio to smtp-source -d into the same sink", [r["rate"] / l for r, l in zip(results, limits)])
        report("s from start to listening", [r["start"] for r in results])
        report("sink's CPU share", [r["cpu"] for r in results])
        print("%-45s %.0f MB; message %.0f bytes" % ("peak memory", max(r["memory"] for r in results), results[0]["size"]))
        return results


def mails():
    mail_table("mails: %d due, 20 connections, no delay, 100,000 prospects" % MAILS, 20, 0, 100000)
    mail_table("mails: %d due, 50 connections, each read answered 5 ms later, 100,000 prospects" % MAILS, 50, 5, 100000)


def million():
    mail_table("mails: %d due, 20 connections, no delay, 1,000,000 prospects" % MAILS, 20, 0, 1000000, 1)
    mail_table("mails: %d due, 50 connections, 5 ms, 1,000,000 prospects" % MAILS, 50, 5, 1000000, 1)


# --- the loop while connections are held

class Prober(threading.Thread):
    """Asks /healthz every millisecond on one connection: how late the loop comes to an answer."""

    def __init__(self, port):
        super().__init__()
        self.port, self.late, self.stop = port, [], False

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port)
        while not self.stop:
            start = time.perf_counter()
            c.request("GET", "/healthz")
            c.getresponse().read()
            self.late.append((time.perf_counter() - start) * 1000)
            time.sleep(0.001)
        c.close()

    def p99(self):
        return sorted(self.late)[int(len(self.late) * 0.99)]


def observe(w, lua, seconds):
    prober = Prober(w.port)
    prober.start()
    out = run("wrk", "-t1", "-c4", "-d%ds" % seconds, "-s", lua, "http://127.0.0.1:%d" % w.port)
    prober.stop = True
    prober.join()
    got = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", out)
    return int(got.group(4)) / 1000, prober.p99(), max(prober.late)


def loop():
    print("== the loop: 4 connections of sign-ups and a prober every 1 ms; every relay connection held for 3 s at the dot")
    with World() as w:
        lua = write(w.folder + "/signup.lua", LUA)
        seed(w, 1000, 0)
        configure(w, 9, 20)
        w.start_daemon()
        idle = observe(w, lua, 6)
        w.stop_daemon()
        seed(w, 20000, 2000)
        sink = Peer(BUILD + "/peers/smtp_sink", "-p", "0", "-H", "3000")
        configure(w, sink.port, 20)
        w.start_daemon()
        held = observe(w, lua, 9)
        w.stop_daemon()
        sink.stop()
        lines(idle, held, "held at the dot")
    print("== the loop while 20 TLS connections are opened and opened again (real Postfix, verified, AUTH)")
    with World() as w:
        lua = write(w.folder + "/signup.lua", LUA)
        mail = w.mail_server()
        password = write(w.folder + "/relay-password", "relay-password\n", 0o600)
        seed(w, 20000, 0)
        configure(w, mail.smtp, 20)
        w.start_daemon()
        idle = observe(w, lua, 5)
        w.stop_daemon()
        seed(w, 20000, 3000)
        configure(w, mail.smtp, 20)
        with open(w.conf) as f:
            text = f.read().replace('url: "smtp://127.0.0.1:%d", tls: none' % mail.smtp,
                                    'url: "smtp://localhost:%d", user: nurtured@example.test, password: "file:%s", ca_file: %s' % (mail.smtp, password, mail.ca))
        write(w.conf, text)
        w.start_daemon()
        busy = observe(w, lua, 5)
        w.stop_daemon()
        lines(idle, busy, "opening TLS")


def lines(idle, busy, what):
    print("%-45s idle %.2f ms, %s %.2f ms, ratio %.2f" % ("sign-up p99", idle[0], what, busy[0], busy[0] / idle[0]))
    print("%-45s idle %.2f ms, %s %.2f ms, ratio %.2f" % ("prober p99", idle[1], what, busy[1], busy[1] / idle[1]))
    print("%-45s idle %.2f ms, %s %.2f ms" % ("prober worst", idle[2], what, busy[2]))


if __name__ == "__main__":
    names = sys.argv[1:] or ["signups", "mails", "million", "loop"]
    for name in names:
        globals()[name]()
        print(flush=True)
