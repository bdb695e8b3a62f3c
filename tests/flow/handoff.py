#!/usr/bin/env python3
"""Webhooks over https: a receiver whose certificate nobody vouches for gets no alert, not a byte of it."""
import http.server
import json
import os
import ssl
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import lay_out, ring, sign_up  # noqa: E402
from world import World, check, main, run, wait_for  # noqa: E402


class Https:
    """A receiver with a certificate of its own making."""

    def __init__(self, folder):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem")
        self.posts = []
        self.handshakes = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client):
                outer.handshakes += 1   # the client turned away

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def a_receiver_without_a_valid_certificate_gets_nothing():
    with World() as w:
        receiver = w.add(Https(w.folder))
        lay_out(w, "https://localhost:%d/lead" % receiver.port)
        w.start_daemon()
        sign_up(w, "eva@people.test")
        ring(w, "eva@people.test")
        wait_for("the attempt to fail", lambda: "event=alert.again" in open(w.folder + "/daemon.log").read())
        log = open(w.folder + "/daemon.log").read()
        check("certificate" in log, "failed for another reason:\n" + log)
        check(receiver.handshakes > 0, "nobody came")
        check(not receiver.posts, "it was posted all the same")
        status = w.ctl("status")
        check(status["lanes"][2]["waiting"] == 1 and status["alerts_dead"] == 0, "the alert is not kept: " + json.dumps(status))


main(a_receiver_without_a_valid_certificate_gets_nothing)
