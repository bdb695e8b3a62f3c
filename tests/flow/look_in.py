#!/usr/bin/env python3
"""Looking in: nurturectl and the control socket of a running daemon, a reload that is taken and one that is refused, and what the service
manager is told (NOTIFY_SOCKET and the watchdog, played by the test).
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import SALES, SECRET, lay_out, ring, sign_up  # noqa: E402
from world import BUILD, PATIENCE, World, check, main, wait_for, write  # noqa: E402


def ctl(w, *args):
    """Status, standard output, standard error of nurturectl, its words for people."""
    done = subprocess.run([BUILD + "/nurturectl", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, TZ="UTC"))
    return done.returncode, done.stdout, done.stderr


def ask(w, *args):
    return ctl(w, "-s", w.folder + "/control.sock", *args)


def expect(got, status, *words):
    check(got[0] == status, "status %d, not %d: %s%s" % (got[0], status, got[1], got[2]))
    for word in words:
        check(re.search(word, got[1] + got[2], re.M), "no %r in\n%s%s" % (word, got[1], got[2]))


def people_find_what_they_look_for():
    with World() as w:
        receiver = w.receiver("-s", SECRET)
        lay_out(w, "http://127.0.0.1:%d/lead" % receiver.port)
        w.start_daemon()
        sign_up(w, "eva@people.test")
        wait_for("the first mail", lambda: "sent" in ask(w, "prospect", "show", "eva@people.test")[1])

        expect(ask(w, "status"), 0, r"^ready +yes$", r"^prospects +1$", r"^  send +\d", r"^mails of 7 days$", r"^  opened$", r"^    machine +0$")
        expect(ask(w, "prospect", "show", "eva@people.test"), 0, r"^email +eva@people.test$", r"^list +just-looking$", r"\((now|\d+ \w+ ago)\)$", r"ebook-delivery")
        expect(ask(w, "prospect", "why", "eva@people.test"), 0, r"signup")
        expect(ask(w, "prospect", "show", "nobody@people.test"), 1, "nobody here")
        expect(ask(w, "queue"), 0, r"^lanes$", r"^  LANE +DUE +WAITING")
        expect(ask(w, "retry", "--unknown"), 0, "^none$")
        expect(ask(w, "retry", "--unknown", "--as-sent", "--yes", "eva@people.test"), 1, "^none$")
        expect(ask(w, "retry"), 64, "--due|--unknown")
        expect(ask(w, "relay"), 0, r"^relay +main$", r"^  state +closed$", r"^  sent +\d", r"^said$", r"dot +250 ")
        expect(ask(w, "relay", "main"), 0, r"^relay +main$", r"^  extensions +PIPELINING")
        expect(ask(w, "relay", "other"), 1, "no relay has that name")
        for which in ("--unknown", "--deferred", "--dead"):
            expect(ask(w, "queue", which), 0, "^none$")
        expect(ask(w, "leads"), 0, "^none$")

        expect(ask(w, "consent", "verify"), 0, r"^good +yes$", r"^chains +1024$")
        expect(ask(w, "suppression", "list", "max@people.test"), 1, "not on the list")
        expect(ask(w, "suppression", "add", "max@people.test", "--reason", "asked by phone"), 0, r"^changed +yes$")
        expect(ask(w, "suppression", "list", "MAX@people.test"), 0, "asked by phone|manual", r"\((now|\d+ seconds? ago)\)")
        expect(ask(w, "suppression", "remove", "max@people.test"), 0, r"^changed +yes$")
        expect(ask(w, "suppression", "add", "max"), 1)

        # another list: as a file, with what is wrong by line; then all of it, and as hashes back again
        write(w.folder + "/list.csv", "email,reason,at,source\r\nmax@people.test,complaint,2026-01-02T03:04:05Z,\"crm, old\"\r\nnobody,,,\n\n"
              "a,b\nEVA@people.test,,,\n\"ute@people.test\",unsubscribe,,\n")
        got = ask(w, "suppression", "import", w.folder + "/list.csv", "--dry-run")
        expect(got, 1, r"^3 would be new, 0 known before, 2 wrong$", r"list.csv:3: .*", r"list.csv:5: it has another number of fields")
        expect(ask(w, "suppression", "list"), 0, "^none$")
        expect(ask(w, "suppression", "import", w.folder + "/list.csv"), 1, r"^3 new, 0 known before, 2 wrong$")
        expect(ask(w, "suppression", "list", "max@people.test"), 0, "complaint", "crm, old")
        expect(ask(w, "suppression", "list"), 0, r"^ADDRESS", r"^eva@people.test +manual .* import$", r"^[0-9a-f]{8}-[0-9a-f]{3}-[0-9a-f]{64} complaint +2026-01-02T03:04:05Z crm, old$")
        expect(ask(w, "prospect", "why", "eva@people.test"), 0, "suppress")
        exported = ask(w, "suppression", "export")
        expect(exported, 0, r"^email,hash,reason,at,source$", r"^eva@people.test,", r'^,[0-9a-f-]{77},complaint,2026-01-02T03:04:05Z,"crm, old"$')
        again = subprocess.run([BUILD + "/nurturectl", "-s", w.folder + "/control.sock", "suppression", "import", "-"], input=exported[1], stdout=subprocess.PIPE, text=True)
        check((again.returncode, again.stdout) == (0, "0 new, 3 known before, 0 wrong\n"), str(again))
        write(w.folder + "/list.csv", "mail\nx@people.test\n")
        expect(ask(w, "suppression", "import", w.folder + "/list.csv"), 1, "no column `mail`; did you mean `email`")

        answer = json.loads(ask(w, "status", "--json")[1])
        check(answer["prospects"] == 1 and answer["lanes"][1]["lane"] == "send", "status --json: %s" % answer)


def a_mail_in_doubt_is_decided_by_hand():
    """The relay hangs up after the dot, once."""
    peer = subprocess.Popen([BUILD + "/peers/smtp_peer", "--drop", "dot", "--only", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with World() as w:
            lay_out(w, "http://127.0.0.1:%d/lead" % w.receiver("-s", SECRET).port)
            with open(w.conf) as f:
                text = f.read()
            write(w.conf, re.sub(r"smtp://127\.0\.0\.1:\d+", "smtp://127.0.0.1:" + peer.stdout.readline().split()[1], text))
            w.start_daemon()
            sign_up(w, "eva@people.test")
            [doubt] = wait_for("the mail to be in doubt", lambda: w.ctl("queue", "--unknown"))
            expect(ask(w, "retry", "--unknown"), 1, "eva@people.test", "no terminal to ask at; say --yes")
            expect(ask(w, "retry", "--unknown", "--json"), 0, doubt["delivery"])
            expect(ask(w, "retry", "--unknown", "--yes", doubt["delivery"]), 0, "1 of 1 are sent again")
            wait_for("the mail", lambda: [d for d in w.prospect("eva@people.test")["deliveries"] if d["id"] == doubt["delivery"] and d["state"] == "sent"])
            check("to=eva@people.test" in peer.stdout.readline(), "another mail came")
            expect(ask(w, "prospect", "why", "eva@people.test"), 0, "again")
            expect(ask(w, "queue", "--unknown"), 0, "^none$")
    finally:
        peer.stdin.close()
        peer.wait()


def metrics_and_health_are_on_the_control_socket():
    with World() as w:
        lay_out(w, "http://127.0.0.1:9/lead")
        w.start_daemon()
        sign_up(w, "eva@people.test")

        def get(path):
            return subprocess.run(["curl", "-sS", "--fail", "--unix-socket", w.folder + "/control.sock", "http://nurtured" + path],
                                  stdout=subprocess.PIPE, check=True, text=True).stdout
        check(json.loads(get("/healthz"))["ok"] and json.loads(get("/readyz"))["ok"], "health")
        page = get("/metrics")
        for line in (r'^nurtured_build_info\{version="[^"]+"\} 1$', r'^nurtured_signups_total\{[^}]*accepted[^}]*\} 1$', r"^nurtured_prospects 1$",
                     r"^nurtured_config_last_reload_successful 1$", r"^nurtured_delivery_lag_seconds [\d.]+$", r"^nurtured_disk_free_bytes [1-9]"):
            check(re.search(line, page, re.M), "no %s in\n%s" % (line, page))
        check("eva" not in page and "pro_" not in page, "a person in the metrics")
        mode = os.stat(w.folder + "/control.sock").st_mode & 0o777
        check(mode == 0o660, "mode %o" % mode)
        w.stop_daemon()
        check(not os.path.exists(w.folder + "/control.sock"), "the socket outlived the daemon")


def a_reload_is_all_or_nothing():
    with World() as w:
        lay_out(w, "http://127.0.0.1:9/lead")
        w.start_daemon()
        before = json.loads(ask(w, "status", "--json")[1])["config"]["version"]
        good = open(w.folder + "/conf/nurture.yaml").read()
        write(w.folder + "/conf/nurture.yaml", good.replace("name: customers,", "name: customers, colour: red,").replace("half_life: 30 days", "half_life: soon"))
        expect(ask(w, "reload"), 1, r"nurture.yaml:\d+:\d+: .*colour", r"nurture.yaml:\d+:\d+: .*half_life", "nothing has changed")
        check(json.loads(ask(w, "status", "--json")[1])["config"]["version"] == before, "a refused config is in force")
        expect(ctl(w, "check", "-c", w.conf), 78, "colour")
        write(w.folder + "/conf/nurture.yaml", good.replace("half_life: 30 days", "half_life: 20 days"))
        expect(ctl(w, "check", "-c", w.conf), 0, r"is good: [1-9]\d* sequences")
        expect(ask(w, "reload"), 0, r"^reloaded +yes$")
        check(json.loads(ask(w, "status", "--json")[1])["config"]["version"] != before, "the new config is not in force")


def an_alert_that_is_gone_is_dead_and_can_be_replayed():
    with World() as w:
        receiver = w.receiver("-s", SECRET)
        lay_out(w, "http://127.0.0.1:%d/lead" % receiver.port)
        w.start_daemon()
        sign_up(w, "eva@people.test")
        # the first attempt finds nobody; when the second is due, the target is not in the config any more
        stop(w, receiver)
        ring(w, "eva@people.test")
        wait_for("a first attempt", lambda: "event=alert.again" in open(w.folder + "/daemon.log").read())
        write(w.folder + "/conf/sales.yaml", SALES % "http://127.0.0.1:9/other")
        expect(ask(w, "reload"), 0)
        dead = wait_for("the alert to be dead", lambda: json.loads(ask(w, "queue", "--dead", "--json")[1]))[0]
        check("sales.yaml" in dead["error"], str(dead))
        expect(ask(w, "queue", "--dead"), 0, dead["alert"])

        w.receiver("-s", SECRET, "-p", str(receiver.port))
        write(w.folder + "/conf/sales.yaml", SALES % ("http://127.0.0.1:%d/lead" % receiver.port))
        expect(ask(w, "reload"), 0)
        expect(ask(w, "alert", "replay", "alr_0000000000001"), 1, "no such alert")
        expect(ask(w, "alert", "replay", dead["alert"]), 0, r"^replayed +yes$")
        taken = wait_for("the alert", w.alerts_taken)
        check(len(taken) == 1 and taken[0]["id"] == dead["alert"] and taken[0]["signature"] == "valid", str(taken))
        wait_for("the outcome", lambda: "event=alert.delivered" in open(w.folder + "/daemon.log").read())
        expect(ask(w, "alert", "replay", dead["alert"]), 1, "not dead")
        expect(ask(w, "leads"), 0, "eva@people.test", "ana")


def stop(w, peer):
    w.things.remove(peer)
    peer.stop()


def the_service_manager_is_told():
    with World() as w:
        lay_out(w, "http://127.0.0.1:9/lead")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(w.folder + "/notify")
        manager.settimeout(PATIENCE)
        said = []

        def until(word):
            while not any(word in line for line in said):
                said.extend(manager.recv(4096).decode().split("\n"))

        w.start_daemon(env={"NOTIFY_SOCKET": w.folder + "/notify", "WATCHDOG_USEC": "4000000"})
        until("READY=1")
        until("WATCHDOG=1")
        del said[:]
        w.daemon_process.send_signal(signal.SIGHUP)
        until("RELOADING=1")
        until("MONOTONIC_USEC=")
        until("READY=1")
        del said[:]
        w.daemon_process.terminate()
        until("STOPPING=1")
        check(w.daemon_process.wait() == 0, "status %d" % w.daemon_process.returncode)
        manager.close()


def without_a_daemon_it_says_so():
    with World() as w:
        expect(ctl(w, "-s", w.folder + "/control.sock", "status"), 69, "cannot reach the daemon")
        expect(ctl(w), 64, "which verb")
        expect(ctl(w, "prospect", "shwo", "x"), 64, "did you mean `prospect show`")
        expect(ctl(w, "check", "-c", w.folder + "/nothing.yaml"), 78, "nothing.yaml")
        expect(ctl(w, "-h"), 0, "usage: nurturectl", "template render FILE")
        expect(ctl(w, "-V"), 0, r"^nurturectl \d")
        write(w.folder + "/a.liquid", "Hi {{ name }}{% if a %}!{% endif %}")
        write(w.folder + "/bad.liquid", "one\n{% if %}")
        write(w.folder + "/data.json", '{"name": "<Eva>", "a": true}')
        got = ctl(w, "template", "render", w.folder + "/a.liquid", "--data", w.folder + "/data.json")
        check(got == (0, "Hi &lt;Eva&gt;!", ""), str(got))
        got = ctl(w, "template", "render", w.folder + "/a.liquid", "--plain")
        check(got == (0, "Hi ", ""), str(got))
        expect(ctl(w, "template", "render", w.folder + "/bad.liquid", "--plain"), 1, r"bad\.liquid:2:\d+: ")


main(people_find_what_they_look_for, a_mail_in_doubt_is_decided_by_hand, metrics_and_health_are_on_the_control_socket, a_reload_is_all_or_nothing,
     an_alert_that_is_gone_is_dead_and_can_be_replayed, the_service_manager_is_told, without_a_daemon_it_says_so)
