"""A POP3 server that plays what real ones do wrong, in the clear. `faults` takes over single commands, as in imap_peer.py; so its faults fit here."""
import socket
import threading

from imap_peer import Connection, Gone


class Pop3Peer:
    def __init__(self, mails):
        self.mails = dict(mails)        # name: bytes
        self.faults = {}
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def settings(self, **more):
        return dict({"url": "pop3://127.0.0.1:%d" % self.port, "cleartext": True, "user": "old", "password": "secret", "poll_seconds": 3600}, **more)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            c = Connection(self, sock)
            self.open.append(c)
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def stop(self):
        self.listener.close()
        for c in self.open:
            c.close()

    def serve(self, c):
        names = list(self.mails)        # numbered anew in each session
        deleted = []
        try:
            c.say("+OK ready")
            while True:
                name, _, argument = c.hear().partition(" ")
                self.heard.append(("%s %s" % (name, argument)).strip())
                fault = self.faults.get(name)
                if fault and fault(c, "", argument):
                    continue
                if name in ("UIDL", "LIST"):
                    rows = ["%d %s" % (i + 1, n if name == "UIDL" else len(self.mails[n])) for i, n in enumerate(names) if n in self.mails]
                    c.say("\r\n".join(["+OK"] + rows + ["."]))
                elif name == "RETR":
                    data = self.mails[names[int(argument) - 1]]
                    c.say(b"+OK\r\n" + data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                elif name == "DELE":
                    deleted.append(names[int(argument) - 1])
                    c.say("+OK")
                elif name == "QUIT":
                    for n in deleted:
                        self.mails.pop(n, None)
                    c.say("+OK")
                    raise Gone
                else:
                    c.say("+OK")
        except (Gone, ValueError, OSError):
            c.close()
