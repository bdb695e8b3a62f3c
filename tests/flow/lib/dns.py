"""A DNS server on loopback, UDP and TCP, that answers what it was told: real packets (RFC 1035), cut at 512 bytes on UDP."""
import ipaddress
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "CNAME": 5}


def name_bytes(name):
    if name in (".", ""):
        return b"\0"
    return b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split(".")) + b"\0"


def rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        preference, host = value.split()
        return struct.pack(">H", int(preference)) + name_bytes(host)
    if kind == "TXT":
        raw = value.encode()
        return b"".join(bytes([len(raw[i:i + 255])]) + raw[i:i + 255] for i in range(0, max(len(raw), 1), 255))
    return name_bytes(value)


class Dns:
    """records: {"example.test": [("TXT", "v=spf1 -all"), ...]}; may be changed under way. In `broken` names are answered SERVFAIL, in `silent` not at all by TCP."""

    def __init__(self, records):
        self.records = records
        self.broken = set()
        self.silent = set()
        self.asked = []
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                sock.sendto(server.answer(data, 512), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                head = self.rfile.read(2)
                if len(head) == 2:
                    out = server.answer(self.rfile.read(struct.unpack(">H", head)[0]), 65535)
                    # in two parts, as a network may
                    if server.asked[-1][0] not in server.silent:
                        self.wfile.write(struct.pack(">H", len(out)) + out[:100])
                        self.wfile.write(out[100:])

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        while True:     # one port, free for both
            self.udp = socketserver.UDPServer(("127.0.0.1", 0), Udp)
            self.port = self.udp.server_address[1]
            try:
                self.tcp = TcpServer(("127.0.0.1", self.port), Tcp)
                break
            except OSError:
                self.udp.server_close()
        for s in (self.udp, self.tcp):
            threading.Thread(target=s.serve_forever, daemon=True).start()

    def answer(self, data, most):
        number, flags, questions = struct.unpack(">HHH", data[:6])
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12:at + 5]
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        if name in self.broken:
            return struct.pack(">HHHHHH", number, 0x8182, 1, 0, 0, 0) + question
        known = self.records.get(name, [])
        found = [b"\xc0\x0c" + struct.pack(">HHIH", TYPES[k], 1, 60, len(rdata(k, v))) + rdata(k, v) for k, v in known if TYPES[k] == kind]
        code = 0 if name in self.records else 3
        out = struct.pack(">HHHHHH", number, 0x8180 | code, 1, len(found), 0, 0) + question + b"".join(found)
        if len(out) > most:
            out = struct.pack(">HHHHHH", number, 0x8380, 1, 0, 0, 0) + question
        return out

    def stop(self):
        for s in (self.udp, self.tcp):
            s.shutdown()
            s.server_close()
