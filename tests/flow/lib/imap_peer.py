"""An IMAP server that plays what real ones do wrong. It serves one mailbox, in the clear; `faults` takes over single commands.

A fault is a function (connection, tag, arguments) by the name of a command (GREETING, LOGIN, SELECT, FETCH, MOVE, ...): it answers, and returns True
if that was all, or hangs up by raising Gone.
"""
import re
import socket
import threading


class Gone(Exception):
    pass


class Connection:
    def __init__(self, peer, sock):
        self.peer, self.sock = peer, sock
        self.file = sock.makefile("rb")
        self.folder = None              # that is looked into; None: the mailbox

    def say(self, text):
        try:
            self.sock.sendall(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        except OSError:
            raise Gone from None

    def hear(self):
        try:
            line = self.file.readline()
        except OSError:
            raise Gone from None
        if not line:
            raise Gone
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def silence(self):
        """Says nothing more, and does not hang up."""
        while True:
            self.hear()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.file.close()
        self.sock.close()


class ImapPeer:
    def __init__(self, mails=(), capabilities="IDLE UIDPLUS MOVE"):
        self.mails = {i + 1: m for i, m in enumerate(mails)}
        self.folders = {}
        self.flags = {}                 # of mails of the mailbox, by uid
        self.capabilities = capabilities
        self.uidvalidity = 7
        self.faults = {}
        self.heard = []                 # commands, as "NAME arguments"
        self.sessions = 0
        self.idle = None                # the connection that waits
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = "imap://127.0.0.1:%d/INBOX" % self.port
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def settings(self, **more):
        return dict({"url": self.url, "cleartext": True, "user": "replies", "password": "secret", "poll_seconds": 3600}, **more)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            c = Connection(self, sock)
            self.open.append(c)
            self.sessions += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def stop(self):
        self.listener.close()
        for c in self.open:
            c.close()

    def serve(self, c):
        try:
            if not self.fault(c, "GREETING", "*", ""):
                c.say("* OK ready")
            while True:
                tag, _, rest = c.hear().partition(" ")
                name, _, arguments = rest.partition(" ")
                if name.upper() == "UID":
                    name, _, arguments = arguments.partition(" ")
                name = name.upper()
                self.heard.append(("%s %s" % (name, arguments)).strip())
                if not self.fault(c, name, tag, arguments):
                    getattr(self, "on_" + name.lower())(c, tag, arguments)
        except (Gone, ValueError, OSError):
            c.close()

    def fault(self, c, name, tag, arguments):
        fn = self.faults.get(name)
        return fn(c, tag, arguments) if fn else False

    def times(self, name):
        return sum(1 for h in self.heard if h.split()[0] == name)

    # --- commands

    def on_capability(self, c, tag, arguments):
        c.say("* CAPABILITY IMAP4rev1 " + self.capabilities)
        c.say(tag + " OK done")

    def ok(self, c, tag, arguments):
        c.say(tag + " OK done")

    on_login = on_noop = on_create = ok

    def on_logout(self, c, tag, arguments):
        c.say("* BYE")
        c.say(tag + " OK done")
        raise Gone

    def on_select(self, c, tag, arguments):
        c.folder = None
        self.selected(c, tag, "READ-WRITE", self.uidvalidity)

    def on_examine(self, c, tag, arguments):
        c.folder = arguments.strip('"')
        if c.folder in self.folders:
            self.selected(c, tag, "READ-ONLY", 1)
        else:
            c.say(tag + " NO there is no such folder")

    def selected(self, c, tag, how, uidvalidity):
        c.say("* FLAGS (\\Seen \\Deleted)")
        c.say("* %d EXISTS" % len(self.box(c)))
        c.say("* OK [UIDVALIDITY %d] it is" % uidvalidity)
        c.say(tag + " OK [%s] done" % how)

    def box(self, c):
        return self.mails if c.folder is None else {i + 1: m for i, m in enumerate(self.folders[c.folder])}

    def number(self, uid, box=None):
        return sorted(box or self.mails).index(uid) + 1

    def on_search(self, c, tag, arguments):
        box = self.box(c)
        found = sorted(box)
        header = re.search(r'HEADER "?Message-ID"? "?([^" ]+)', arguments)
        if header:
            found = [u for u in found if b"Message-ID: %s\r\n" % header.group(1).encode() in box[u]]
        marked = re.search(r"\b(UN)?DELETED\b", arguments)
        if marked:
            found = [u for u in found if ("\\Deleted" in self.flags.get(u, ())) != bool(marked.group(1))]
        unkeyword = re.search(r"UNKEYWORD ([^ )]+)", arguments)
        if unkeyword:
            found = [u for u in found if unkeyword.group(1) not in self.flags.get(u, ())]
        c.say("* SEARCH " + " ".join(str(u) for u in found))
        c.say(tag + " OK done")

    def chosen(self, arguments, box=None):
        box = self.mails if box is None else box
        out = []
        for piece in arguments.split()[0].split(","):
            first, _, last = piece.partition(":")
            if last == "*":
                wanted = [u for u in box if u >= int(first)] or sorted(box)[-1:]
            else:
                wanted = [u for u in box if int(first) <= u <= int(last or first)]
            out += wanted
        return sorted(set(out))

    def on_fetch(self, c, tag, arguments):
        box = self.box(c)
        for uid in self.chosen(arguments, box):
            data, number = box[uid], self.number(uid, box)
            if "HEADER.FIELDS" in arguments:
                field = re.search(rb"Message-ID:.*\r\n", data).group() + b"\r\n"
                c.say(b"* %d FETCH (UID %d RFC822.SIZE %d BODY[HEADER.FIELDS (Message-ID)] {%d}\r\n" % (number, uid, len(data), len(field)) + field + b")\r\n")
            elif "BODY" in arguments:
                c.say(b'* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "02-Nov-2026 10:00:00 +0000" BODY[]<0> {%d}\r\n' % (number, uid, len(data), len(data))
                      + data + b")\r\n")
            else:
                c.say("* %d FETCH (UID %d RFC822.SIZE %d)" % (number, uid, len(data)))
        c.say(tag + " OK done")

    def on_store(self, c, tag, arguments):
        for uid in self.chosen(arguments):
            self.flags.setdefault(uid, set()).update(re.search(r"\((.*)\)", arguments).group(1).split())
        c.say(tag + " OK done")

    def leave(self, c, uids):
        for uid in uids:
            n = self.number(uid)
            del self.mails[uid]
            c.say("* %d EXPUNGE" % n)

    def on_move(self, c, tag, arguments):
        uids = self.chosen(arguments)
        self.folders.setdefault(arguments.split()[1].strip('"'), []).extend(self.mails[u] for u in uids)
        self.leave(c, uids)
        c.say(tag + " OK done")

    def on_copy(self, c, tag, arguments):
        self.folders.setdefault(arguments.split()[1].strip('"'), []).extend(self.mails[u] for u in self.chosen(arguments))
        c.say(tag + " OK done")

    def on_expunge(self, c, tag, arguments):
        deleted = [u for u in sorted(self.mails) if "\\Deleted" in self.flags.get(u, ())]
        self.leave(c, [u for u in deleted if not arguments or u in self.chosen(arguments)])
        c.say(tag + " OK done")

    def on_idle(self, c, tag, arguments):
        self.idle = c
        c.say("+ idling")
        line = c.hear()
        self.heard.append(line.upper())
        if not self.fault(c, "DONE", tag, ""):
            c.say(tag + " OK done")

    # --- what happens meanwhile

    def deliver(self, data, tell=True):
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = data
        if tell:
            self.idle.say("* %d EXISTS" % len(self.mails))
        return uid


def once(fn, times=1):
    """A fault that is one only so many times."""
    left = [times]

    def fault(c, tag, arguments):
        if left[0] == 0:
            return False
        left[0] -= 1
        return fn(c, tag, arguments)
    return fault


def says(text):
    def fault(c, tag, arguments):
        c.say(text.replace("TAG", tag))
        return True
    return fault


def says_bye(text):
    def fault(c, tag, arguments):
        c.say("* BYE " + text)
        raise Gone
    return fault


def is_silent(c, tag, arguments):
    c.silence()


def when(pattern, fn):
    """Only for arguments that match."""
    return lambda c, tag, arguments: fn(c, tag, arguments) if re.search(pattern, arguments) else False
