#!/usr/bin/env python3
"""kill -9 at every named place, and between the dot and its 250: nothing acknowledged is lost, nothing happens twice, what was stopped stays stopped.

	kill.py [POINT...]		all points, the dot, and the dot of a broken build, which must be found out

Builds nurtured with crash points, and once more with the dot written before its commit. For each point the daemon is started again and again under
load, to be killed at the n-th passage; then it may come to rest and people.py judges. KILLS=n kills so often at each point (5), and six times as
often at the dot.
"""
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dovecot import Dovecot  # noqa: E402
from people import People, lay_out  # noqa: E402
from world import BUILD, PATIENCE, TOP, Failed, World, check, run  # noqa: E402

KILLS = int(os.environ.get("KILLS", "5"))
GOOD, BROKEN = BUILD + "/crash", BUILD + "/crash-dot"
DOT = "between the dot and its 250"
BROKEN_DOT = "the same, dot ahead of its commit"
SLOW_COMMITS = {"NURTURED_STALL": "store.before_commit:20"}

# point: who makes the load, and at which passages to kill
POINTS = {
    "signup.after_parse": ("ppndpbpp", (1, 3, 6, 10, 15)),
    "signup.after_commit_before_reply": ("ppndpbpp", (1, 3, 6, 10, 15)),
    "plan.before_commit": ("pphdbu", (1, 3, 6, 9, 14)),
    "score.before_commit": ("pphdbc", (1, 3, 6, 9, 14)),
    "claim.after_commit": ("ppdbu", (1, 2, 3, 4, 6)),
    "sending.after_commit": ("pppdbu", (1, 2, 4, 7, 11)),
    "smtp.after_mailfrom": ("pppdbu", (1, 2, 4, 7, 11)),
    "smtp.after_last_byte": ("pppdbu", (1, 2, 4, 7, 11)),
    "smtp.after_250_before_commit": ("pppdbu", (1, 2, 3, 5, 8)),
    "sent.after_commit": ("pppdbu", (1, 2, 4, 7, 11)),
    "imap.after_fetch": ("rrrp", (1, 2, 3, 1, 2)),
    "imap.before_commit": ("rrrp", (1, 2, 3, 1, 2)),
    "imap.after_commit_before_flag": ("rrrp", (1, 2, 3, 1, 2)),
    "imap.after_move": ("rrrp", (1, 2, 3, 1, 2)),
    "unsubscribe.before_commit": ("uuup", (1, 2, 3, 1, 2)),
    "unsubscribe.after_commit_before_reply": ("uuup", (1, 2, 3, 1, 2)),
    "hits.before_commit": ("cccp", (1, 2, 3, 1, 2)),
    "digest.before_commit": ("cccp", (1, 2, 3, 1, 2)),
    "outbox.after_2xx_before_commit": ("hhhp", (1, 2, 3, 1, 2)),
    "store.before_commit": ("pdurhbc", (2, 5, 9, 16, 25)),
    "store.after_commit": ("pdurhbc", (2, 5, 9, 16, 25)),
    "store.before_sync": ("pdurhbc", (2, 5, 9, 16, 25)),
    "reload.after_parse": ("pdurhbc", (1, 1, 1, 1, 1)),
    "checkpoint.during": ("pdurhbc", (1, 3, 7, 12, 20)),
    "lease.before_takeover": ("pdurhbc", (1, 1, 1, 1, 1)),
    "lease.after_takeover": ("pdurhbc", (1, 1, 1, 1, 1)),
    "migrate.step": ("pdurhbc", (1, 2, 5, 9, 4)),
}


class Victim(World):
    """A world whose daemon is killed."""

    def __init__(self, programs, *sink_options, imap=False):
        super().__init__()
        self.programs = programs
        self.kill_file = self.folder + "/kill"
        self.dovecot = self.add(Dovecot(self.folder + "/dovecot")) if imap else None
        if imap:
            self.dovecot.make_folder("Done")
        lay_out(self, "-K", self.kill_file, *sink_options, dovecot=self.dovecot)
        self.people = People(self)
        self.things.append(self.people)

    def start(self, env=None, wait=lambda: True):
        """Starts it anew; True when it listens, False when it was killed before."""
        if self.daemon_process:
            self.people.count["kills"] += 1
        self.port = None
        with open(self.folder + "/daemon.log", "ab") as log:
            at = log.tell()
            self.daemon_process = subprocess.Popen([self.programs + "/nurtured", "-c", self.conf], stdout=log, stderr=log,
                                                   env=dict(self.env, **(env or {})))
        end = time.monotonic() + PATIENCE
        while wait():
            check(time.monotonic() < end, "the daemon does not listen")
            with open(self.folder + "/daemon.log", errors="replace") as f:
                f.seek(at)
                for line in f:
                    if "event=listening" in line and line.endswith("\n"):
                        self.port = int(line.split("port=")[1].split()[0])
                        return True
            if self.died():
                break
            time.sleep(0.005)
        return False

    def died(self):
        """Whether it was killed. Any other end is a failure of its own."""
        code = self.daemon_process.poll()
        check(code in (None, -signal.SIGKILL), "the daemon ended with status %s" % code)
        return code is not None

    def kill(self):
        os.kill(self.daemon_process.pid, signal.SIGKILL)
        self.daemon_process.wait()

    def verdict(self, confirmations=False):
        """When it has come to rest: the counts, and what was wrong."""
        self.people.settle(confirmations)
        return self.people.judge(), self.people.wrong

    def load_until_killed(self, what, kinds, every=None):
        """More people come until the daemon is dead. every() is called between the turns."""
        end = time.monotonic() + PATIENCE
        more = 0
        while not self.died():
            if time.monotonic() > more:
                self.people.add(kinds)
                more = time.monotonic() + 1
            check(time.monotonic() < end, "the daemon never came to " + what)
            self.people.turn()
            if every:
                every()
            time.sleep(0.01)


def kill_at_start(w, point, n, kinds):
    """Killed in the middle of the load, whatever it is doing, and again when it starts."""
    w.start()
    w.people.add(kinds)
    for _ in range(3):
        w.people.turn()
    w.kill()
    check(not w.start({"NURTURED_CRASH": "%s:%d" % (point, n)}), "the daemon started without passing " + point)


def kill_at_first_start(w, point, n):
    """The start that makes the database goes on where the one before was killed; when all is made, there is a next database."""
    while w.start({"NURTURED_CRASH": "%s:%d" % (point, n)}):
        w.kill()
        shutil.rmtree(w.folder + "/state")


def kill_under_way(w, point, n, kinds):
    """Some points need more than load: a reload is asked for, a checkpoint is made when the daemon stops."""
    turns = [0]

    def every():
        turns[0] += 1
        if point == "reload.after_parse" and turns[0] % 3 == 0:
            with open(w.folder + "/conf/sequences/story.yaml", "a") as f:
                f.write("# changed %d\n" % turns[0])
            w.daemon_process.send_signal(signal.SIGHUP)
        if point == "checkpoint.during" and turns[0] == 5:
            w.daemon_process.send_signal(signal.SIGTERM)

    if w.start({"NURTURED_CRASH": "%s:%d" % (point, n)}):
        w.load_until_killed(point, kinds, every)


def kill_at_point(point):
    kinds, passages = POINTS[point]
    with Victim(GOOD, imap=point.startswith("imap.")) as w:
        for i in range(KILLS):
            n = passages[i % len(passages)]
            if point == "migrate.step":
                kill_at_first_start(w, point, n)
            elif point.startswith("lease."):
                kill_at_start(w, point, n, kinds)
            else:
                kill_under_way(w, point, n, kinds)
        w.start()
        w.people.add(kinds)
        return w.verdict()


def kill_at_any_time():
    """From outside, some time after the start, or before it is done."""
    chance = random.Random(KILLS)
    with Victim(GOOD) as w:
        for _ in range(4 * KILLS):
            w.people.add("pdurhbc")
            at = time.monotonic() + chance.choice((0.05, 0.3, 1.2)) * chance.random()
            w.start(wait=lambda: time.monotonic() < at)
            while w.port and time.monotonic() < at:
                w.people.turn()
            w.kill()
        w.start()
        return w.verdict()


def kill_at_dot(programs):
    """The sink holds its 250 back and kills who sends when a dot has come. Commits take long, so that a dot may well be ahead of its own."""
    with Victim(programs, "-H", "150") as w:
        for i in range(6 * KILLS):
            turns = [i % 4]

            def arm():
                turns[0] -= 1
                if turns[0] == -1:
                    with open(w.kill_file + ".new", "w") as f:
                        f.write(str(w.daemon_process.pid))
                    os.rename(w.kill_file + ".new", w.kill_file)

            w.start(SLOW_COMMITS)
            w.load_until_killed("the dot", "ppdn", arm)
        w.start()
        return w.verdict(confirmations=programs == GOOD)


COLUMNS = "kills people acknowledged asked-again mails unknown alerts alerts-again lost twice after-stop wrong-alerts"


def show(name, *cells):
    print("| %-38s" % name + "".join("%*s" % (len(c) + 1, cell) for c, cell in zip(COLUMNS.split(), cells)), flush=True)


def make(folder, *more):
    folder = os.path.relpath(folder, TOP)       # as the Makefile itself would name it: what depends on which header is found by name
    run("make", "-s", "-C", TOP, "-j%d" % os.cpu_count(), "CRASH=1", "BUILD=" + folder, folder + "/nurtured", folder + "/nurtured-intake", *more)


def build():
    make(GOOD)
    shutil.rmtree(BROKEN, ignore_errors=True)
    shutil.copytree(GOOD, BROKEN, copy_function=shutil.copy2)
    os.unlink(BROKEN + "/daemon/send/dialogue.o")       # the only one that differs
    make(BROKEN, "BREAK=dot")


def try_row(name, fn):
    """Runs it, prints its row; whether all was as it must be."""
    try:
        count, wrong = fn()
    except Failed as e:
        show(name, "failed:", e)
        return False
    show(name, *[count[c] for c in ("kills", "people", "acknowledged", "repeated", "mails", "unknown", "alerts", "alerts_again", "lost", "twice", "after", "alert")])
    if name == BROKEN_DOT:
        print("| the broken build mailed %d steps twice: %s" % (count["twice"], "found out" if count["twice"] else "NOT FOUND OUT"))
        return count["twice"] > 0
    if name == DOT:
        print("| of the confirmations in doubt %d came again, with the Message-ID they had" % count["confirmed_again"])
    for rule, words in wrong:
        print("    %s: %s" % (rule, words))
    return not wrong


def main():
    rows = {point: lambda point=point: kill_at_point(point) for point in POINTS}
    rows["any time"] = kill_at_any_time
    rows[DOT] = lambda: kill_at_dot(GOOD)
    rows[BROKEN_DOT] = lambda: kill_at_dot(BROKEN)
    wanted = [name for name in rows if not sys.argv[1:] or name in sys.argv[1:]]
    build()
    show("killed", *COLUMNS.split())
    with concurrent.futures.ThreadPoolExecutor(1) as aside:
        # a confirmation in doubt is sent again after a minute, which the others need not wait for
        if DOT in wanted:
            rows[DOT] = aside.submit(rows[DOT]).result
        bad = [name for name in wanted if not try_row(name, rows[name])]
    sys.exit(1 if bad else 0)


main()
