#!/usr/bin/env python3
"""The daemon as a whole, measured from outside. Figures are for this machine and this minute; each stands beside a limit that was measured in the
same run: the same listener without the store, Postfix's smtp-source into the same sink, a Node program that does the same work. What was
answered or sent is counted in the database afterwards: a row that lost something fails.

usage: bench.py [--mails N] [--rounds N] [ROW ...]

signups      sign-ups by POST, 64 connections, against GET /healthz
mails        20,000 due, 20 connections: against the Node program and against smtp-source -d; then 50 connections to a relay that answers
             each read 5 ms later, against what its round trips allow
busy         sign-ups and a timer of the loop while mails go out at full rate
tls          20 verified TLS connections to a real Postfix: memory
hits         opens and clicks of real mails, 64 connections, against GET /healthz
loop         sign-ups and /healthz while connections are held, and while TLS connections are opened
million      100,000 against 1,000,000 prospects in the file
tenmillion   100,000 against 10,000,000: 10 GB of disk and ten minutes or more, so only when it is named
"""
import argparse
import glob
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import threading
import time

from measure import (BUILD, HERE, check, configure, cpu, handlebars_mail, metrics, peak, quantile, report, rows, run, seed, settled, sink, sink_result,
                     smtp_source, wait_for, write)
from world import World

MAILS = 20000
ROUNDS = 3
BUSY = 5		# times MAILS: for busy, which needs some seconds
GOAL_MB = 57		# listmonk's own figure for a campaign

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
PLAIN = LUA[LUA.index("function done"):]


def wrk(w, script, path="", seconds=8):
    """Of its latencies in ms, its rate, and how many answers there were, and which were none."""
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
        plain = write(w.folder + "/healthz.lua", PLAIN)
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
        memory_line(memory)


# --- mails

def ours(w, connections, delay, prospects):
    seed(w, prospects, MAILS)
    peer = sink("-d", delay, mails=MAILS)
    configure(w, peer.port, connections)
    began = time.monotonic()
    w.start_daemon()
    began = time.monotonic() - began
    pid = w.daemon_process.pid
    result = sink_result(peer, MAILS)
    result["start"] = began
    wait_for("the last row", lambda: settled(pid))
    all_of_it = cpu(pid)
    result["memory"] = peak(pid)
    w.stop_daemon()
    recorded = rows(w, "SELECT count(DISTINCT prospect) FROM delivery WHERE state = 3")
    check(recorded == MAILS, "%d of %d are recorded as sent" % (recorded, MAILS))
    w.start_daemon()
    wait_for("the daemon to have started", lambda: settled(w.daemon_process.pid))
    result["start_used"] = cpu(w.daemon_process.pid)
    w.stop_daemon()
    result["used"] = (all_of_it - result["start_used"]) / MAILS * 1000
    return result


class Node:
    """npm/sender.js, on a database of its own."""

    def __init__(self, w):
        self.db, self.templates = w.folder + "/node.db", handlebars_mail(w.folder + "/handlebars")
        self.env = dict(os.environ, NODE_PATH=BUILD + "/bench-npm/node_modules", NODE_ENV="production")

    def command(self, what, *args):
        return ["node", HERE + "/npm/sender.js", what, self.db, BUILD + "/bench-npm/better_sqlite3.node", *map(str, args)]

    def seed(self, prospects, due):
        for path in glob.glob(self.db + "*"):
            os.unlink(path)
        run(*self.command("seed", prospects, due), env=self.env)

    def send(self, mails, port, connections):
        """CPU seconds and MB that it took to send so many."""
        p = subprocess.Popen(self.command("send", port, connections, self.templates), env=self.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said = p.stdout.readline().strip()
        check(said == "sent %d" % mails, "the Node program said: " + said)
        used = cpu(p.pid), peak(p.pid)
        p.communicate()
        return used


def node(w, connections, prospects):
    """The same prospects, mail, sink, and the same durable rows."""
    program = Node(w)
    program.seed(prospects, MAILS)
    peer = sink(mails=MAILS)
    used, memory = program.send(MAILS, peer.port, connections)
    result = sink_result(peer, MAILS)
    result["memory"] = memory
    result["used"] = (used - program.send(0, peer.port, connections)[0]) / MAILS * 1000
    recorded = rows(w, "SELECT count(DISTINCT prospect) FROM delivery WHERE state = 3 AND NOT EXISTS (SELECT 1 FROM sending)", program.db)
    check(recorded == MAILS, "the Node program recorded %d of %d" % (recorded, MAILS))
    return result


def ours_lines(results):
    report("messages/s, due row to 250 and committed", [r["rate"] for r in results])
    report("CPU s/1000", [r["used"] for r in results])
    report("CPU s of a start, which is not in it", [r["start_used"] for r in results])
    report("s from start to listening", [r["start"] for r in results])
    report("sink's CPU share", [r["cpu"] for r in results])
    memory_line(max(r["memory"] for r in results), "; message %.0f bytes" % results[0]["size"])


def memory_line(mb, more=""):
    print("%-55s %.0f MB, %.2f of the goal of %d MB%s" % ("peak memory", mb, mb / GOAL_MB, GOAL_MB, more))


def mails():
    print("== mails: %d due, 20 connections, no delay, 100,000 prospects" % MAILS)
    with World() as w:
        mine, theirs, limits = [], [], []
        for _ in range(ROUNDS):
            theirs.append(node(w, 20, 100000))
            limits.append(smtp_source(20, MAILS))
            mine.append(ours(w, 20, 0, 100000))
        ours_lines(mine)
        report("smtp-source -d: messages/s", limits)
        report("Node program: messages/s", [r["rate"] for r in theirs])
        report("Node program: CPU s/1000", [r["used"] for r in theirs])
        print("%-55s %.0f MB; message %.0f bytes" % ("Node program: peak memory", max(r["memory"] for r in theirs), theirs[0]["size"]))
        report("ratio to smtp-source -d into the same sink (goal 1)", [r["rate"] / l for r, l in zip(mine, limits)])
        report("ratio to the Node program, messages/s (goal 20)", [r["rate"] / t["rate"] for r, t in zip(mine, theirs)])
        report("ratio to the Node program, CPU a message (goal 0.05)", [r["used"] / t["used"] for r, t in zip(mine, theirs)])
    delayed()


def delayed():
    """With the next envelope behind the dot, a message is one round trip: 250 for it, 250 250 354 for the next, in one answer."""
    print("== mails: %d due, 50 connections, each read answered 5 ms later, 100,000 prospects" % MAILS)
    with World() as w:
        results, limits = [], []
        for _ in range(ROUNDS):
            limits.append(smtp_source(50, MAILS, "-d", 5))
            results.append(ours(w, 50, 5, 100000))
        ours_lines(results)
        report("the sink's delay in truth, ms", [r["delay"] for r in results])
        allowed = [50 / (r["delay"] / 1000) for r in results]
        report("messages/s that one round trip a message allows", allowed)
        report("share of that (goal 0.9)", [r["rate"] / a for r, a in zip(results, allowed)])
        report("ratio to smtp-source -d into the same sink", [r["rate"] / l for r, l in zip(results, limits)])


def growth(prospects):
    print("== mails: %d due, 20 connections, no delay, 100,000 against %d prospects" % (MAILS, prospects))
    with World() as w:
        need, disk = prospects * 1000, os.statvfs(w.folder)
        if disk.f_bavail * disk.f_frsize < need:
            print("skipped: it needs %d GB below %s, and there are %d" % (need // 10**9, w.folder, disk.f_bavail * disk.f_frsize // 10**9))
            return
        small = [ours(w, 20, 0, 100000) for _ in range(ROUNDS)]
        large = [ours(w, 20, 0, prospects)]
        size = os.path.getsize(w.folder + "/state/nurtured.db") / prospects
        ours_lines(large)
        report("messages/s with 100,000", [r["rate"] for r in small])
        report("CPU s/1000 with 100,000", [r["used"] for r in small])
        print("%-55s %.0f" % ("bytes of file a prospect", size))
        report("ratio of CPU a message (goal 1.5)", [large[0]["used"] / r["used"] for r in small])


def million():
    growth(1000000)


def tenmillion():
    growth(10000000)


# --- at full rate

class SignUps(threading.Thread):
    """A sign-up every 20 ms on a connection of its own, from now until it is stopped: when, and how many ms until its 2xx."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port, self.number, self.took, self.refused, self.stop = port, number, [], 0, False

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port)
        due = time.monotonic()
        while not self.stop:
            body = json.dumps({"email": "s%dx%d@people%d.example" % (self.number, len(self.took), len(self.took) % 97), "first_name": "Eva", "country": "DE"})
            start = time.monotonic()
            c.request("POST", "/v1/forms/bench", body, {"Content-Type": "application/json"})
            answer = c.getresponse()
            answer.read()
            self.took.append((start, (time.monotonic() - start) * 1000))
            self.refused += answer.status >= 300
            due += 0.02
            time.sleep(max(0, due - time.monotonic()))
        c.close()


def late(before, after, q):
    """The quantile of nurtured_loop_late_seconds between two looks at /metrics, ms; within a bucket as if evenly spread."""
    found = [re.fullmatch(r'nurtured_loop_late_seconds_bucket\{le="(.*)"\}', name) for name in after]
    buckets = sorted((float(f.group(1)), after[f.group(0)] - before.get(f.group(0), 0)) for f in found if f)
    want, low, below = buckets[-1][1] * q, 0, 0
    for bound, count in buckets:
        if count >= want:
            return (low if bound == float("inf") else low + (bound - low) * (want - below) / max(count - below, 1)) * 1000
        low, below = bound, count


class Looks(threading.Thread):
    """/metrics from time to time."""

    def __init__(self, w):
        super().__init__(daemon=True)
        self.w, self.looks, self.stop = w, [], False

    def run(self):
        while not self.stop:
            self.looks.append((time.monotonic(), metrics(self.w)))
            time.sleep(0.2)

    def between(self, start, end):
        inside = [m for at, m in self.looks if start <= at <= end]
        check(len(inside) >= 2, "it was over before /metrics was read twice; more --mails")
        return inside[0], inside[-1]


def busy_once(w):
    mails = MAILS * BUSY
    seed(w, mails, mails)
    peer = sink(mails=mails)
    configure(w, peer.port, 20)
    w.start_daemon()
    pid = w.daemon_process.pid
    threads = [SignUps(w.port, n) for n in range(4)]
    looks = Looks(w)
    for t in threads + [looks]:
        t.start()
    result = sink_result(peer, mails)
    for t in threads + [looks]:
        t.stop = True
        t.join()
    wait_for("the last row", lambda: settled(pid))
    result["memory"] = peak(pid)
    w.stop_daemon()
    signed = sum(len(t.took) for t in threads)
    check(not sum(t.refused for t in threads), "sign-ups were refused")
    check(rows(w, "SELECT count(*) FROM consent") == signed, "not every sign-up is in the database")
    check(rows(w, "SELECT count(DISTINCT prospect) FROM delivery WHERE state = 3") == mails, "not every mail is recorded")
    took = [ms for t in threads for at, ms in t.took if result["from"] <= at <= result["to"]]
    before, after = looks.between(result["from"], result["to"])
    result.update(p50=quantile(took, 0.5), p99=quantile(took, 0.99), most=max(took), signups=len(took), late50=late(before, after, 0.5), late99=late(before, after, 0.99),
                  timers=after["nurtured_loop_late_seconds_count"] - before["nurtured_loop_late_seconds_count"])
    return result


def busy():
    print("== at full rate: %d due, 20 connections, no delay; on 4 connections a sign-up every 20 ms each" % (MAILS * BUSY))
    with World() as w:
        results = [busy_once(w) for _ in range(ROUNDS)]
        report("messages/s", [r["rate"] for r in results])
        report("sign-ups meanwhile", [r["signups"] for r in results])
        report("sign-up p50 ms", [r["p50"] for r in results])
        report("sign-up p99 ms (goal 20)", [r["p99"] for r in results])
        report("sign-up worst ms", [r["most"] for r in results])
        report("timers of the loop meanwhile", [r["timers"] for r in results])
        report("late by, p50 ms", [r["late50"] for r in results])
        report("late by, p99 ms (goal 10)", [r["late99"] for r in results])
        memory_line(max(r["memory"] for r in results))


# --- TLS

def start_postfix(w):
    """It takes mail for everybody, and throws it away."""
    mail = w.mail_server()
    conf = w.folder + "/postfix/conf"
    run("postconf", "-c", conf, "-e", "default_transport = discard:bench")
    run("postfix", "-c", conf, "reload")
    return mail


def use_tls(w, mail):
    """The relay of configure() becomes the real Postfix, verified, with AUTH."""
    password = write(w.folder + "/relay-password", "relay-password\n", 0o600)
    with open(w.conf) as f:
        text = f.read().replace('url: "smtp://127.0.0.1:%d", tls: none' % mail.smtp,
                                'url: "smtp://localhost:%d", user: nurtured@example.test, password: "file:%s", ca_file: %s' % (mail.smtp, password, mail.ca))
    write(w.conf, text)


def connections_to(port):
    with open("/proc/net/tcp") as f:
        return sum(1 for line in f if re.match(r"\s*\d+: \S+ 0100007F:%04X 01 " % port, line))


def tls():
    due = max(MAILS // 10, 500)
    print("== %d due, 20 verified TLS connections with AUTH to a real Postfix" % due)
    with World() as w:
        mail = start_postfix(w)
        seed(w, 100000, due)
        configure(w, mail.smtp, 20)
        use_tls(w, mail)
        w.start_daemon()
        pid = w.daemon_process.pid
        most = 0

        def all_gone():
            nonlocal most
            most = max(most, connections_to(mail.smtp))
            return metrics(w)["nurtured_delivery_due"] == 0 and settled(pid)
        wait_for("all of them to be sent", all_gone)
        memory = peak(pid)
        w.stop_daemon()
        check(most == 20, "there were %d connections" % most)
        sent = rows(w, "SELECT count(*) FROM delivery WHERE state = 3")
        check(sent == due, "%d of %d are recorded as sent" % (sent, due))
        print("%-55s %d" % ("connections at a time", most))
        memory_line(memory)


# --- opens and clicks

HITS = """
local requests, n, thread = {}, 0, 0
function setup(t) t:set("start", thread * 7919); thread = thread + 1 end
function init()
  for path in io.lines("%s") do requests[#requests + 1] = wrk.format("GET", path) end
  n = start
end
function request() n = n + 1; return requests[n %% #requests + 1] end
"""
HIT_MAILS = 4000


def tracked(folder):
    """Paths of the links and pictures of each mail that the sink kept."""
    paths = []
    for name in glob.glob(folder + "/new/*"):
        with open(name, encoding="latin-1") as f:
            text = f.read().replace("=\n", "").replace("=3D", "=")
        paths += re.findall(r'https://t\.example\.com(/[oc]/[^"]+)"', text)
        os.unlink(name)
    random.seed(1)
    random.shuffle(paths)
    return paths


def hits():
    print("== opens and clicks: tokens of %d real mails, 64 keep-alive connections, 2 threads of wrk on the same machine" % HIT_MAILS)
    with World() as w:
        seed(w, HIT_MAILS, HIT_MAILS)
        peer = sink("-m", w.folder + "/sent", mails=HIT_MAILS)
        configure(w, peer.port, 20)
        w.start_daemon()
        sink_result(peer, HIT_MAILS)
        pid = w.daemon_process.pid
        wait_for("the last row", lambda: settled(pid))
        paths = tracked(w.folder + "/sent")
        check(len(paths) == HIT_MAILS * 6, "%d tracked addresses in %d mails" % (len(paths), HIT_MAILS))
        lua = write(w.folder + "/hits.lua", HITS % write(w.folder + "/paths", "\n".join(paths) + "\n") + PLAIN)
        plain = write(w.folder + "/healthz.lua", HITS % write(w.folder + "/healthz", "/healthz\n") + PLAIN)
        results, limits, used, plain_used, recorded_in, drained = [], [], [], [], [], []

        def waits(*what):
            got = metrics(w)
            return sum(got["nurtured_hits_" + name] for name in what) == 0
        for _ in range(ROUNDS):
            before = cpu(pid)
            limits.append(wrk(w, plain, "", 4))
            plain_used.append((cpu(pid) - before) / limits[-1]["requests"] * 1000)
            before = cpu(pid)
            results.append(wrk(w, lua, "", 5))
            used.append((cpu(pid) - before) / results[-1]["requests"] * 1000)
            ended = time.monotonic()
            wait_for("all of them to be recorded", lambda: waits("waiting"))
            recorded_in.append(time.monotonic() - ended)
            wait_for("all of them to take effect", lambda: waits("waiting", "packed"))
            drained.append(time.monotonic() - ended)
        full, memory = metrics(w)["nurtured_hits_book_full_total"], peak(pid)
        w.stop_daemon()
        answered, refused = sum(r["requests"] for r in results), sum(r["status"] for r in results)
        recorded, kept = rows(w, "SELECT sum(times) FROM hit WHERE kind IN ('o', 'c')"), rows(w, "SELECT count(*) FROM hit")
        print("answered %d, of them 503 or worse %d; recorded %d in %d rows (64 a round can be under way when wrk ends)" % (answered, refused, recorded, kept))
        check(not sum(r["broken"] for r in results), "connections broke")
        check(answered - refused <= recorded <= answered - refused + 64 * ROUNDS, "not every hit that was answered is in the database")
        report("answered/s (goal 60000)", [(r["requests"] - r["status"]) / r["requests"] * r["rate"] for r in results])
        report("GET /healthz of the same listener/s", [l["rate"] for l in limits])
        report("ratio to it", [r["rate"] / l["rate"] for r, l in zip(results, limits)])
        report("p50 ms", [r["p50"] for r in results])
        report("p99 ms", [r["p99"] for r in results])
        report("CPU s/1000 while they come", used)
        report("CPU s/1000 of GET /healthz", plain_used)
        report("s until the last was recorded", recorded_in)
        report("s until the last took effect", drained)
        print("%-55s %d" % ("had to wait for the store", full))
        memory_line(memory)


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


def observe(w, lua, seconds):
    prober = Prober(w.port)
    prober.start()
    out = run("wrk", "-t1", "-c4", "-d%ds" % seconds, "-s", lua, "http://127.0.0.1:%d" % w.port)
    prober.stop = True
    prober.join()
    got = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", out)
    return int(got.group(4)) / 1000, quantile(prober.late, 0.99), max(prober.late)


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
        peer = sink("-H", 3000)
        configure(w, peer.port, 20)
        w.start_daemon()
        held = observe(w, lua, 9)
        w.stop_daemon()
        peer.stop()
        lines(idle, held, "held at the dot")
    print("== the loop while 20 TLS connections are opened and opened again (real Postfix, verified, AUTH)")
    with World() as w:
        lua = write(w.folder + "/signup.lua", LUA)
        mail = start_postfix(w)
        seed(w, 20000, 0)
        configure(w, mail.smtp, 20)
        w.start_daemon()
        idle = observe(w, lua, 5)
        w.stop_daemon()
        seed(w, 20000, 3000)
        configure(w, mail.smtp, 20)
        use_tls(w, mail)
        w.start_daemon()
        busy = observe(w, lua, 5)
        w.stop_daemon()
        lines(idle, busy, "opening TLS")


def lines(idle, busy, what):
    print("%-55s idle %.2f ms, %s %.2f ms, ratio %.2f" % ("sign-up p99", idle[0], what, busy[0], busy[0] / idle[0]))
    print("%-55s idle %.2f ms, %s %.2f ms, ratio %.2f" % ("prober p99", idle[1], what, busy[1], busy[1] / idle[1]))
    print("%-55s idle %.2f ms, %s %.2f ms" % ("prober worst", idle[2], what, busy[2]))


ROWS = (signups, mails, busy, tls, hits, loop, million)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[*(row.__name__ for row in ROWS), "tenmillion", []])
    options = parser.parse_args()
    MAILS, ROUNDS = options.mails, options.rounds
    for name in options.rows or [row.__name__ for row in ROWS]:
        globals()[name]()
        print(flush=True)
