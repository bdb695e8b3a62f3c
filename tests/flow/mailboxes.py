#!/usr/bin/env python3
"""nurtured-intake against servers: real Dovecot (IDLE, MOVE, flags, POP3, tokens), and peers that do what servers do wrong. The test plays the daemon.

Needs root, as Dovecot does. Everything is on loopback, in one folder that goes away.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dovecot import Dovecot, token  # noqa: E402
from imap_peer import Gone, ImapPeer, is_silent, once, says, says_bye, when  # noqa: E402
from intake_end import Intake, mail, settings  # noqa: E402
from pop3_peer import Pop3Peer  # noqa: E402
from world import PATIENCE, Failed, check  # noqa: E402


def rests(intake, learns):
    """All is read, and it waits."""
    while True:
        m = intake.next()
        check(m["type"] in ("state", "ready", "gone"), "unexpected: %r" % m)
        if m["type"] == "state" and m["state"] == "rests":
            check(m["learns"] == learns, "it learns of mail by being %s" % m["learns"])
            return


def take(intake, subject):
    got = intake.wait("mail")
    check(got["subject"] == subject, "%r, not %r" % (got["subject"], subject))
    intake.commit(got)
    return got


def gone(intake, key):
    while True:
        m = intake.next()
        check(m["type"] in ("state", "gone"), "unexpected: %r" % m)
        if m["type"] == "gone":
            check(m["key"] == key, "gone: %r" % m)
            return


# --- Dovecot -----------------------------------------------------------------------------------------------------------------

def test_told_at_once(dovecot):
    intake = Intake(**settings(dovecot))
    rests(intake, "told")
    dovecot.append(mail("early"))       # the poll is an hour away
    take(intake, "early")
    rests(intake, "told")
    dovecot.append(mail("later"))
    take(intake, "later")
    intake.send(type="poll_now")        # in the middle of IDLE
    rests(intake, "told")
    intake.quiet()


def test_moved(dovecot):
    dovecot.append(mail("to be moved"))
    intake = Intake(**settings(dovecot, after="move", move_to="Done.2026"))
    got = [intake.wait("mail") for _ in range(3)][-1]
    check(got["subject"] == "to be moved" and "Done.2026" not in dovecot.folders(), "nothing is moved before it is committed")
    intake.commit(got)
    gone(intake, got["key"])
    check(dovecot.subjects("Done.2026") == ["to be moved"], "the folder was made, and has it")
    check("to be moved" not in dovecot.subjects(), "the inbox has it no longer")
    intake.hang_up()
    return got


def test_names_of_folders(dovecot):
    """As people write them: the one that is read, and the one moved to, which is made with the folder that it is in."""
    dovecot.append(mail("in letters"))
    c = dovecot.client()
    check(c.create('"Post & B&APw-ro"')[0] == "NO", "this one is wrong: & stands for itself in no name")
    for words in ((c.create, '"Post &- B&APw-ro"'), (c.copy, "2", '"Post &- B&APw-ro"')):
        check(words[0](*words[1:])[0] == "OK", "%r" % (words,))
    c.logout()
    intake = Intake(**settings(dovecot, url=dovecot.url(folder="Post%20&%20B%C3%BCro"), after="move", move_to="Erledigt/Zurückgewiesen"))
    got = take(intake, "in letters")
    gone(intake, got["key"])
    intake.hang_up()
    check(dovecot.contents("Erledigt/Zurückgewiesen") == ["in letters"], "it is there")
    check(dovecot.contents("Post & Büro") == [], "and is not where it was")
    intake = Intake(**settings(dovecot, after="move", move_to="Erledigt/Zur&APw-ckgewiesen"))
    check([intake.wait("mail")["subject"], intake.wait("mail")["subject"]] == ["early", "in letters"], "the inbox")
    intake.send(type="committed", key="%d:2" % intake_validity(dovecot))
    gone(intake, "%d:2" % intake_validity(dovecot))
    check(dovecot.contents("Erledigt/Zurückgewiesen") == ["in letters"] * 2, "as the server has it, it is the same folder")
    intake.hang_up()


def intake_validity(dovecot):
    c = dovecot.client()
    out = int(c.response("UIDVALIDITY")[1][0])
    c.logout()
    return out


def test_finished_after_a_crash(dovecot, watermark):
    """Committed, and killed before it was moved: the daemon remembers, and the mail is not read again."""
    dovecot.append(mail("half done"), mail("and one more"))
    first = Intake(**settings(dovecot, after="move", move_to="Done.2026", watermark=watermark))
    got = first.wait("mail")
    check(got["subject"] == "half done", "%r" % got["subject"])
    first.hang_up()
    mark = {"uidvalidity": got["uidvalidity"], "last_uid": got["uid"]}
    old = "%d:%d" % (got["uidvalidity"] - 1, got["uid"])
    second = Intake(**settings(dovecot, after="move", move_to="Done.2026", watermark=mark, known={got["key"]: False, old: False}))
    gone(second, old)
    gone(second, got["key"])
    more = second.wait("mail")
    check(more["subject"] == "and one more", "the next one: %r" % more["subject"])
    check(dovecot.subjects("Done.2026") == ["to be moved", "half done"], "it is moved once")
    second.send(type="committed", key=more["key"], leave=True)
    rests(second, "told")
    check("and one more" in dovecot.subjects(), "what could not be read stays")
    second.quiet()
    return {"uidvalidity": more["uidvalidity"], "last_uid": more["uid"]}


def test_seen_and_deleted(dovecot, watermark):
    dovecot.append(mail("seen"))
    intake = Intake(**settings(dovecot, after="seen", watermark=watermark))
    got = take(intake, "seen")
    gone(intake, got["key"])
    check("seen" in dovecot.subjects(what="SEEN") and "early" not in dovecot.subjects(what="SEEN"), "only that one is marked")
    intake.hang_up()
    dovecot.append(mail("deleted"))
    intake = Intake(**settings(dovecot, after="delete", watermark={"uidvalidity": got["uidvalidity"], "last_uid": got["uid"]}))
    gone(intake, take(intake, "deleted")["key"])
    check("deleted" not in dovecot.subjects() and "seen" in dovecot.subjects(), "only that one is deleted")
    intake.hang_up()


def pop3(dovecot, **more):
    return settings(dovecot, **dict({"url": "pop3s://localhost:%d" % dovecot.pop3s}, **more))


def test_pop3_keeps(dovecot):
    subjects = dovecot.subjects()
    intake = Intake(**pop3(dovecot))
    got = [intake.wait("mail") for _ in subjects]
    check([m["subject"] for m in got] == subjects and got[0]["uid"] == 0, "all of them: %r" % [m["subject"] for m in got])
    check(got[0]["size"] == len(mail("early")), "whole: %r" % got[0]["size"])
    for m in got:
        intake.commit(m)
    rests(intake, "asks")
    dovecot.append(mail("new in POP3"))
    intake.send(type="poll_now")
    last = intake.wait("mail")
    check(last["subject"] == "new in POP3", "only the new one comes: %r" % last["subject"])
    intake.hang_up()
    known = {m["key"]: False for m in got}
    again = Intake(**pop3(dovecot, known=dict(known, **{"of-a-mail-long-gone": False})))
    gone(again, "of-a-mail-long-gone")
    take(again, "new in POP3")
    rests(again, "asks")
    again.quiet()
    check(dovecot.subjects() == subjects + ["new in POP3"], "they are left on the server")
    return dict(known, **{last["key"]: False})


def test_pop3_deletes(dovecot, known):
    """One that was taken before a crash, and one that stays."""
    keys = list(known)
    known[keys[0]] = True
    dovecot.append(mail("and away"))
    intake = Intake(**pop3(dovecot, url="pop3://localhost:%d" % dovecot.pop3, starttls=True, known={}, more_known=True, after="delete"))
    intake.send(type="known", known=known)
    take(intake, "and away")
    rests(intake, "asks")
    check(dovecot.subjects() == ["early"], "all are deleted but the one that stays: %r" % dovecot.subjects())
    intake.send(type="poll_now")
    left = set(keys[1:])
    while left:
        m = intake.next()
        if m["type"] == "gone":
            left.discard(m["key"])
    intake.hang_up()


def test_pop3_refused(dovecot):
    intake = Intake(**pop3(dovecot, password="wrong"))
    problem = intake.wait("problem")
    check(problem["kind"] == "login" and problem["retry_in"] >= 300 and "localhost: login failed" in problem["what"], "%r" % problem)
    intake.quiet()


def by_token(dovecot, **more):
    config = settings(dovecot, by_token=True, **more)
    del config["password"]
    return config


def test_tokens(dovecot, mechanism):
    for config in (by_token(dovecot), by_token(dovecot, url="pop3s://localhost:%d" % dovecot.pop3s)):
        intake = Intake(**config)
        intake.wait("token_wanted")
        intake.send(type="token", token=token(lives=-5))
        problem = intake.wait("problem")
        check(problem["kind"] == "network" and problem["retry_in"] == 5, "one that ran out is replaced soon: %r" % problem)
        check(token()[:40] not in problem["what"], "no token in a problem")
        intake.send(type="poll_now")
        intake.wait("token_wanted")
        intake.send(type="token", token=token(user="replies", lives=-5))
        problem = intake.wait("problem")
        check(problem["kind"] == "login" and problem["retry_in"] >= 300, "refused again, a person must see to it: %r" % problem)
        intake.send(type="poll_now")
        intake.wait("token_wanted")
        intake.send(type="token", why="oama ended by status 1")
        check(intake.wait("problem")["what"] == "oama ended by status 1", "why there is none")
        intake.send(type="poll_now")
        intake.wait("token_wanted")
        intake.send(type="token", token=token())
        check(intake.wait("mail")["subject"] == "early", "a good one is let in")
        intake.hang_up()
    check(dovecot.logins(mechanism) == 2, "one of IMAP and one of POP3, by %s" % mechanism)


def test_no_tokens(dovecot):
    """A server that takes passwords only."""
    for config in (by_token(dovecot), by_token(dovecot, url="pop3s://localhost:%d" % dovecot.pop3s)):
        intake = Intake(**config)
        intake.wait("token_wanted")
        intake.send(type="token", token=token())
        problem = intake.wait("problem")
        check(problem["kind"] == "login" and "takes no token" in problem["what"], "%r" % problem)
        intake.hang_up()


class Cut:
    """Between the intake and a server: when the server has done what has `word` in it, the answer does not come."""

    def __init__(self, port, word):
        self.port, self.word, self.said, self.done = port, word, False, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.port))
        threading.Thread(target=self.up, args=(client, server), daemon=True).start()
        while True:
            data = server.recv(65536)
            if self.said or not data:
                break
            client.sendall(data)
        while b" OK " not in data and data:
            data = server.recv(65536)
        server.close()
        self.done.set()

    def up(self, client, server):
        while True:
            try:
                data = client.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.said = self.said or self.word in data
            server.sendall(data)


def test_killed_while_moving(dovecot, expunges):
    """Without MOVE it takes several commands; killed behind any of them, each mail is in the folder once all the same, and nowhere else but marked as deleted."""
    words = (b"UID COPY", b"UID STORE", b"EXPUNGE") if expunges else (b"UID COPY", b"UID STORE")
    dovecot.make_folder("Done")
    mark, subjects = None, []
    for word in words:
        subjects.append("killed at %s" % word.decode())
        dovecot.append(mail(subjects[-1]))
        cut = Cut(dovecot.imap, word)
        intake = Intake(**settings(dovecot, url="imap://127.0.0.1:%d/INBOX" % cut.listener.getsockname()[1], cleartext=True, after="move", move_to="Done",
                                   watermark=mark or {"uidvalidity": 0, "last_uid": 0}))
        got = intake.wait("mail")
        while got["subject"] != subjects[-1]:
            got = intake.wait("mail")
        intake.commit(got)
        check(cut.done.wait(PATIENCE), "%r was not said" % word)
        intake.process.kill()
        intake.hang_up()
        cut.listener.close()
        mark = {"uidvalidity": got["uidvalidity"], "last_uid": got["uid"]}
        again = Intake(**settings(dovecot, after="move", move_to="Done", watermark=mark, known={got["key"]: False}))
        gone(again, got["key"])
        rests(again, "told")
        again.hang_up()
        check(dovecot.contents("Done") == subjects, "%r" % dovecot.contents("Done"))
        check(dovecot.contents("INBOX") == ["early"] + ([] if expunges else subjects), "%r" % dovecot.contents("INBOX"))


def with_dovecot(fn, folder, *args, **how):
    dovecot = Dovecot(folder, **how)
    try:
        dovecot.append(mail("early"))
        fn(dovecot, *args)
    except Failed:
        print(open(folder + "/log").read()[-3000:])
        raise
    finally:
        dovecot.stop()


# --- the peer ----------------------------------------------------------------------------------------------------------------

def with_peer(fn):
    def test(*args):
        peer = ImapPeer([mail("one"), mail("two")])
        try:
            fn(peer, *args)
        finally:
            peer.stop()
    test.__name__ = fn.__name__
    return test


@with_peer
def test_lost_in_a_literal(peer):
    """Twice the connection ends in the middle of the first mail: it comes once, and whole."""
    def half(c, tag, arguments):
        data = peer.mails[1]
        c.say(b"* 1 FETCH (UID 1 RFC822.SIZE %d BODY[]<0> {%d}\r\n" % (len(data), len(data)) + data[:30])
        raise Gone
    peer.faults["FETCH"] = once(when("^1 .*BODY", half), 2)
    intake = Intake(**peer.settings())
    for _ in range(2):
        problem = intake.wait("problem")
        check(problem["kind"] == "network" and "closed the connection" in problem["what"], "%r" % problem)
    check(take(intake, "one")["size"] == len(mail("one")), "whole")
    take(intake, "two")
    rests(intake, "told")
    intake.quiet()


@with_peer
def test_literals_that_lie(peer):
    """One mail cannot be had in any way: three attempts, then it comes unread, and the next one is read."""
    for lie in ("{4294967295}", "{3}", "{99999999999999999999}", "{-5}"):
        peer.faults["FETCH"] = when("^1 .*BODY", says("* 1 FETCH (UID 1 BODY[]<0> %s\r\nabcdefghijklmnop)\r\nTAG OK done" % lie))
        intake = Intake(**peer.settings())
        problems = 0
        while True:
            m = intake.next()
            problems += m["type"] == "problem"
            if m["type"] == "mail" and m.get("subject") == "two":
                break
            if m["type"] == "mail":
                check(m["class"] == "unreadable" and problems == 2, "%s: %d problems, %r" % (lie, problems, m))
                intake.send(type="committed", key=m["key"], leave=True)
        intake.hang_up()


@with_peer
def test_more_than_was_asked_for(peer):
    """A flood of lines, one line without end, and a list without end: bounded, told, and over when the server behaves."""
    def flood(line):
        def fault(c, tag, arguments):
            while True:
                c.say(line)
        return fault
    peer.faults["GREETING"] = once(flood(b"* OK " + b"x" * 65536), 1)
    peer.faults["NOOP"] = once(flood(b"* OK still here\r\n" * 1000), 1)
    intake = Intake(**peer.settings())
    check("more than was asked for" in intake.wait("problem")["what"], "an endless greeting")
    take(intake, "one")
    take(intake, "two")
    rests(intake, "told")
    intake.send(type="poll_now")
    problem = intake.wait("problem")
    check("more than was asked for" in problem["what"], "a flood: %r" % problem)
    rests(intake, "told")
    intake.quiet()


@with_peer
def test_another_uidvalidity(peer):
    """The server counts anew under way: the mails come again under new keys, for the daemon to recognise; marks of old keys are dropped."""
    peer.faults["MOVE"] = says("TAG NO not now")
    intake = Intake(**peer.settings(after="move", move_to="Done"))
    old, other = intake.wait("mail"), intake.wait("mail")
    intake.commit(old)
    check(intake.wait("problem")["kind"] == "after", "MOVE is refused")
    intake.commit(other)
    rests(intake, "told")
    peer.uidvalidity = 8
    peer.idle.close()
    check(intake.wait("problem")["kind"] == "network", "lost")
    gone(intake, old["key"])
    gone(intake, other["key"])
    keys = []
    while len(keys) < 2:
        m = intake.next()
        if m["type"] == "mail":
            keys.append(m["key"])
    check(keys == ["8:1", "8:2"], "%r" % keys)
    intake.hang_up()


@with_peer
def test_bye(peer):
    peer.faults["GREETING"] = once(says_bye("too many sessions"), 1)
    peer.faults["LOGIN"] = once(says_bye("shutting down"), 1)
    intake = Intake(**peer.settings())
    for _ in range(2):
        problem = intake.wait("problem")
        check(problem["kind"] == "network" and problem["retry_in"] <= 5, "BYE is no refusal: %r" % problem)
    take(intake, "one")
    take(intake, "two")
    rests(intake, "told")
    peer.idle.say("* BYE maintenance")
    problem = intake.wait("problem")
    check("maintenance" in problem["what"] and problem["kind"] == "network", "BYE while it waits: %r" % problem)
    rests(intake, "told")
    intake.quiet()


@with_peer
def test_no_to_login(peer):
    peer.faults["LOGIN"] = once(says("TAG NO [UNAVAILABLE] try later"), 1)
    intake = Intake(**peer.settings())
    check(intake.wait("problem")["kind"] == "network", "not available is not refused")
    check(intake.wait("mail")["subject"] == "one", "and is tried again soon")
    intake.hang_up()
    peer.faults["LOGIN"] = says("TAG NO [AUTHENTICATIONFAILED] wrong password")
    intake = Intake(**peer.settings())
    problem = intake.wait("problem")
    check(problem["kind"] == "login" and problem["retry_in"] >= 300 and "wrong password" in problem["what"], "%r" % problem)
    peer.faults.clear()
    intake.send(type="poll_now")
    check(intake.wait("mail")["subject"] == "one", "a reload tries at once")
    intake.hang_up()
    peer.capabilities = "LOGINDISABLED AUTH=PLAIN"
    peer.faults["AUTHENTICATE"] = lambda c, tag, arguments: plain_login(c, tag, arguments)
    intake = Intake(**peer.settings())
    check(intake.wait("mail")["subject"] == "one", "AUTHENTICATE where there is no LOGIN")
    intake.hang_up()


def plain_login(c, tag, arguments):
    check(arguments == "PLAIN", arguments)
    c.say("+ ")
    c.say(tag + (" OK in" if c.hear() == "AHJlcGxpZXMAc2VjcmV0" else " NO out"))
    return True


@with_peer
def test_no_to_move(peer):
    """Told, kept in mind, and no reason not to read on. Without MOVE it is copied, marked and expunged by its UID."""
    peer.faults["MOVE"] = says("TAG NO [CANNOT] no such folder")
    intake = Intake(**peer.settings(after="move", move_to="Done"))
    one, two = intake.wait("mail"), intake.wait("mail")
    intake.commit(one)
    problem = intake.wait("problem")
    check(problem["kind"] == "after" and "no such folder" in problem["what"] and problem["retry_in"] == 0, "%r" % problem)
    check(peer.times("CREATE") == 1, "it tried to make the folder")
    intake.commit(two)
    rests(intake, "told")
    check(sorted(peer.mails) == [1, 2], "both are where they were")
    intake.hang_up()
    peer.faults.clear()
    peer.capabilities = "IDLE UIDPLUS"
    intake = Intake(**peer.settings(after="move", move_to="Done", watermark={"uidvalidity": 7, "last_uid": 2},
                                    known={one["key"]: False, two["key"]: False}))
    gone(intake, one["key"])
    gone(intake, two["key"])
    check(not peer.mails and len(peer.folders["Done"]) == 2 and peer.times("EXPUNGE") == 1, "moved by COPY, STORE and EXPUNGE: %r" % peer.heard)
    rests(intake, "told")
    intake.hang_up()


@with_peer
def test_marked_without_uids(peer):
    """Neither MOVE nor UIDPLUS: EXPUNGE takes all that are marked, whoever marked them, so it is never said; ours stay marked."""
    peer.capabilities = "IDLE"
    intake = Intake(**peer.settings(after="move", move_to="Done"))
    one, two = intake.wait("mail"), intake.wait("mail")
    intake.commit(one)
    gone(intake, one["key"])
    check(peer.folders["Done"] == [mail("one")] and peer.flags[1] == {"\\Deleted"}, "moved: %r" % peer.heard[-6:])
    intake.commit(two)
    gone(intake, two["key"])
    intake.hang_up()
    peer.deliver(mail("three"), tell=False)
    intake = Intake(**peer.settings(after="delete", watermark={"uidvalidity": 7, "last_uid": 2}))
    gone(intake, take(intake, "three")["key"])
    check(sorted(peer.mails) == [1, 2, 3] and len(peer.folders["Done"]) == 2 and peer.times("EXPUNGE") == 0, "nothing is expunged: %r" % peer.heard)
    check(all(peer.flags[uid] == {"\\Deleted"} for uid in peer.mails), "all are marked: %r" % peer.flags)
    intake.hang_up()
    # the server has counted anew: what is marked was taken, and is not copied once more
    peer.uidvalidity = 8
    peer.deliver(mail("four"), tell=False)
    intake = Intake(**peer.settings(after="move", move_to="Done", watermark={"uidvalidity": 7, "last_uid": 3}))
    gone(intake, take(intake, "four")["key"])
    rests(intake, "told")
    check(peer.folders["Done"] == [mail("one"), mail("two"), mail("four")], "copied once: %r" % peer.heard)
    intake.hang_up()


@with_peer
def test_refused_behind_a_copy(peer):
    """A mail that cannot be marked is not copied again, neither at once nor by the next run."""
    peer.capabilities = "IDLE UIDPLUS"
    peer.faults["STORE"] = says("TAG NO [NOPERM] not yours")
    intake = Intake(**peer.settings(after="move", move_to="Done"))
    one, two = intake.wait("mail"), intake.wait("mail")
    intake.commit(one)
    problem = intake.wait("problem")
    check("not yours" in problem["what"] and peer.times("COPY") == 1 and peer.times("CREATE") == 0, "%r, %r" % (problem, peer.heard))
    intake.hang_up()
    peer.faults.clear()
    again = Intake(**peer.settings(after="move", move_to="Done", watermark={"uidvalidity": 7, "last_uid": 2}, known={one["key"]: False, two["key"]: False}))
    gone(again, one["key"])
    gone(again, two["key"])
    check(peer.folders["Done"] == [mail("one"), mail("two")] and not peer.mails, "each is there once: %r" % peer.heard)
    again.hang_up()


@with_peer
def test_searches_that_lie(peer):
    """A copy that cannot be looked for is made again rather than never, and a mail of the same Message-ID that is another is no copy."""
    peer.capabilities = "IDLE UIDPLUS"
    peer.folders["Done"] = [mail("one"), mail("two", text="the same Message-ID, another mail")]
    peer.faults["SEARCH"] = when("one|%s" % abs(hash("one")), says("TAG BAD no such search"))
    intake = Intake(**peer.settings(after="move", move_to="Done", watermark={"uidvalidity": 7, "last_uid": 2}, known={"7:1": False, "7:2": False}))
    gone(intake, "7:1")
    gone(intake, "7:2")
    check(len(peer.folders["Done"]) == 4 and not peer.mails, "%r" % peer.heard)
    rests(intake, "told")
    intake.hang_up()
    peer.mails, peer.flags = {3: mail("three")}, {}
    peer.faults["FETCH"] = when("HEADER", says("* 1 FETCH (UID 3 BODY[HEADER.FIELDS (Message-ID)] {nonsense}\r\nTAG OK done"))
    intake = Intake(**peer.settings(after="move", move_to="Done", watermark={"uidvalidity": 7, "last_uid": 3}, known={"7:3": False}))
    check(intake.wait("problem")["kind"] == "network", "that is no IMAP")
    gone(intake, "7:3")
    check(len(peer.folders["Done"]) == 5 and not peer.mails, "%r" % peer.heard)
    intake.hang_up()


@with_peer
def test_idle(peer):
    """An EXPUNGE and small talk are no news, EXISTS is; told between commands, it is heard too; IDLE that is refused is done without."""
    intake = Intake(**peer.settings())
    take(intake, "one")
    take(intake, "two")
    rests(intake, "told")
    looks = peer.times("FETCH")
    del peer.mails[1]
    peer.idle.say("* 1 EXPUNGE\r\n* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))")
    peer.deliver(mail("three"))
    take(intake, "three")
    check(peer.times("FETCH") == looks + 2, "one look, and the mail: %r" % peer.heard[-6:])
    rests(intake, "told")
    told = []

    def beside(c, tag, arguments):
        if not told:
            told.append(peer.deliver(mail("beside"), tell=False))
            c.say("* 2 EXISTS\r\n" + tag + " OK nothing")   # behind the list
            return True
        return False
    peer.faults["FETCH"] = beside
    intake.send(type="poll_now")
    take(intake, "beside")
    rests(intake, "told")
    intake.hang_up()
    peer.faults = {"IDLE": says("TAG BAD never")}
    intake = Intake(**peer.settings(poll_seconds=1, watermark={"uidvalidity": 7, "last_uid": max(peer.mails)}))
    rests(intake, "asks")
    peer.deliver(mail("polled"), tell=False)
    take(intake, "polled")
    intake.hang_up()


@with_peer
def test_largest_uid(peer):
    peer.mails = {4294967295: mail("the last of all")}
    intake = Intake(**peer.settings(watermark={"uidvalidity": 7, "last_uid": 4294967290}))
    take(intake, "the last of all")
    rests(intake, "told")
    intake.send(type="poll_now")
    rests(intake, "told")
    intake.quiet()


def with_pop3(fn):
    def test():
        peer = Pop3Peer({"a": mail("one"), "b": mail("two", "Please call me.\r\n.\r\n..dots")})
        try:
            fn(peer)
        finally:
            peer.stop()
    return test


@with_pop3
def test_pop3_lost_in_a_mail(peer):
    """Twice the connection ends in the middle of the first mail: it comes once, and whole; lines that begin with a dot too."""
    def half(c, tag, argument):
        c.say(b"+OK\r\n" + peer.mails["a"][:60])
        raise Gone
    peer.faults["RETR"] = once(when("^1$", half), 2)
    intake = Intake(**peer.settings(after="delete"))
    for _ in range(2):
        problem = intake.wait("problem")
        check(problem["kind"] == "network" and "closed the connection" in problem["what"], "%r" % problem)
    check(take(intake, "one")["size"] == len(mail("one")), "whole")
    check(take(intake, "two")["text"] == "Please call me.\n.\n..dots", "dots")
    rests(intake, "asks")
    check(not peer.mails, "both are deleted")
    intake.quiet()


@with_pop3
def test_pop3_killed_before_quit(peer):
    """What was deleted in a session that did not end is there again: it is known, is not fetched, and is deleted again."""
    def dies(c, tag, argument):
        raise Gone
    peer.faults["QUIT"] = once(dies)
    intake = Intake(**peer.settings(after="delete"))
    take(intake, "one")
    take(intake, "two")
    check(intake.wait("problem")["kind"] == "network", "lost at QUIT")
    intake.send(type="poll_now")
    rests(intake, "asks")
    check(not peer.mails and sum(h.startswith("RETR") for h in peer.heard) == 2, "deleted, and fetched once: %r" % peer.heard)
    intake.hang_up()


@with_pop3
def test_pop3_that_cannot(peer):
    """A mail that is refused three times comes unread, and stays; floods end; a server without UIDL cannot be read."""
    peer.faults["RETR"] = when("^1$", says("-ERR it is damaged"))
    intake = Intake(**peer.settings(after="delete"))
    for _ in range(2):
        check("it is damaged" in intake.wait("problem")["what"], "why")
    bad = intake.wait("mail")
    check(bad["class"] == "unreadable" and bad["key"] == "a", "%r" % bad)
    intake.send(type="committed", key="a", leave=True)
    take(intake, "two")
    rests(intake, "asks")
    check(list(peer.mails) == ["a"], "what could not be read stays")
    intake.hang_up()

    def flood(c, tag, argument):
        c.say("+OK")
        while True:
            c.say(b"1 x" * 30000)
    peer.faults = {"UIDL": once(flood)}
    intake = Intake(**peer.settings(known={"a": True}))
    check("more than was asked for" in intake.wait("problem")["what"], "a list without end")
    rests(intake, "asks")
    intake.hang_up()
    peer.faults = {"UIDL": says("-ERR what is that")}
    intake = Intake(**peer.settings())
    check("cannot be told" in intake.wait("problem")["what"], "no UIDL")
    intake.hang_up()
    peer.faults = {"PASS": once(says("-ERR [IN-USE] somebody else reads it"))}
    intake = Intake(**peer.settings())
    check(intake.wait("problem")["kind"] == "network", "in use is not refused")
    intake.hang_up()


def begin_silence():
    """Servers that answer nothing any more, each at another place: half a minute passes for all of them at once."""
    out = []
    for place in ("GREETING", "CAPABILITY", "LOGIN", "SELECT", "FETCH", "IDLE", "DONE"):
        peer = ImapPeer([mail("one")])
        peer.faults[place] = once(is_silent, 1)
        out.append((place, peer, Intake(**peer.settings(watermark={"uidvalidity": 7, "last_uid": 0}))))
    for place, peer, intake in out:
        if place in ("IDLE", "DONE"):
            intake.commit(intake.wait("mail"))
        if place == "DONE":     # half open: noticed when it is spoken to
            rests(intake, "told")
            intake.send(type="poll_now")
    return out


def end_silence(silent):
    for place, peer, intake in silent:
        problem = intake.wait("problem")
        check(problem["kind"] == "network" and "no answer in time" in problem["what"], "%s: %r" % (place, problem))
        if place not in ("IDLE", "DONE"):
            check(intake.wait("mail")["subject"] == "one", "it goes on, after silence at " + place)
        intake.hang_up()
        peer.stop()


def main():
    top = tempfile.mkdtemp()
    os.chmod(top, 0o755)
    dovecot = None
    try:
        silent = begin_silence()
        dovecot = Dovecot(top + "/dovecot")
        test_told_at_once(dovecot)
        moved = test_moved(dovecot)
        mark = test_finished_after_a_crash(dovecot, {"uidvalidity": moved["uidvalidity"], "last_uid": moved["uid"]})
        test_seen_and_deleted(dovecot, mark)
        known = test_pop3_keeps(dovecot)
        test_pop3_deletes(dovecot, known)
        test_pop3_refused(dovecot)
        test_tokens(dovecot, "XOAUTH2")
        with_dovecot(test_tokens, top + "/bearer", "OAUTHBEARER", mechanisms="plain oauthbearer")
        with_dovecot(test_no_tokens, top + "/plain", mechanisms="plain")
        with_dovecot(test_names_of_folders, top + "/names", separator="/")
        for more in (" UIDPLUS", ""):
            with_dovecot(test_killed_while_moving, top + "/moving" + more.strip(), bool(more), capabilities="IMAP4rev1 SASL-IR IDLE" + more)
        for test in (test_lost_in_a_literal, test_literals_that_lie, test_more_than_was_asked_for, test_another_uidvalidity, test_bye, test_no_to_login,
                     test_no_to_move, test_marked_without_uids, test_refused_behind_a_copy, test_searches_that_lie, test_idle, test_largest_uid, test_pop3_lost_in_a_mail, test_pop3_killed_before_quit, test_pop3_that_cannot):
            test()
        end_silence(silent)
    except Failed as why:
        if dovecot:
            print(open(dovecot.folder + "/log").read()[-3000:])
        print("FAILED: %s" % why)
        raise
    finally:
        if dovecot:
            subprocess.run(["doveadm", "-c", dovecot.folder + "/dovecot.conf", "stop"], stderr=subprocess.DEVNULL)
        shutil.rmtree(top)


main()
