"""The daemon's end of nurtured-intake's socket, for tests that play the daemon."""
import json
import os
import socket
import struct
import subprocess

from world import BUILD, PATIENCE, Failed, check

TOKEN = "aebagbafaydqqcikbmgq2dqpcaireeyuca"
WINDOW = 8


# as the daemon sends what conf/replies.yaml says: some of it
REPLIES = {"line": 0.95, "order": 0.85, "word": 0.6, "long_text": 1500, "many": 3, "intents": [
    {"name": "call_me", "weight": 1.0, "hot": True, "alone": False, "over": [], "say": ["call me"], "unless": []},
    {"name": "unsubscribe", "weight": 1.0, "hot": False, "alone": False, "over": [], "say": ["unsubscribe"], "unless": []}]}


class Intake:
    """The daemon's end of the socket."""

    def __init__(self, **config):
        ours, theirs = socket.socketpair()
        fd = theirs.fileno()
        # bash puts the socket where it belongs (sh knows one digit): dup2 in a forked Python is not for programs with threads
        self.process = subprocess.Popen(["bash", "-c", 'exec "$0" 3<&%d' % fd if fd != 3 else 'exec "$0"', os.path.join(BUILD, "nurtured-intake")],
                                        pass_fds=[fd])
        theirs.close()
        self.socket = ours
        self.socket.settimeout(PATIENCE)
        self.got = b""
        self.states = []
        if config:
            self.send(type="configure", name="replies", **dict({"replies": REPLIES}, **config))

    def send(self, **message):
        data = json.dumps(message).encode()
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def next(self):
        while True:
            if len(self.got) >= 4:
                (n,) = struct.unpack(">I", self.got[:4])
                if len(self.got) >= 4 + n:
                    message = json.loads(self.got[4:4 + n])
                    self.got = self.got[4 + n:]
                    if message["type"] == "mail" and message.get("bytes"):
                        message["raw"] = self.take(message["bytes"])
                    return message
            self.more()

    def more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise Failed("the intake ended")
        self.got += data

    def take(self, n):
        while len(self.got) < n:
            self.more()
        data, self.got = self.got[:n], self.got[n:]
        return data

    def wait(self, kind):
        while True:
            message = self.next()
            if message["type"] == kind:
                return message
            check(message["type"] in ("state", "ready"), "unexpected: %r" % message)
            if message["type"] == "state" and message["state"] == "reading":
                self.states.append(message["key"])

    def commit(self, mail):
        self.send(type="committed", key=mail["key"])

    def quiet(self):
        """Nothing but states comes although it was asked to look: a poll answered by silence is seen by the end of the process."""
        self.send(type="stop")
        while True:
            try:
                message = self.next()
            except Failed:
                break
            check(message["type"] in ("state", "ready"), "unexpected: %r" % message)
        check(self.process.wait(PATIENCE) == 0, "stop ends it with status 0")
        self.socket.close()

    def hang_up(self):
        self.socket.close()
        return self.process.wait(PATIENCE)


def mail(subject, text="Please call me tomorrow.", to="r+%s@reply.example.test" % TOKEN):
    return ("From: Ann Other <ann@people.test>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@people.test>\r\n"
            "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n" % (to, subject, abs(hash(subject)), text)).encode()


def settings(dovecot, **more):
    return dict({"url": dovecot.url(), "user": "replies", "password": "secret", "cainfo": dovecot.folder + "/ca.pem", "poll_seconds": 3600}, **more)
