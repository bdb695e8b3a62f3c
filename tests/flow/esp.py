#!/usr/bin/env python3
"""What mail services report by webhook: each with its own proof, real signatures by openssl, forged ones, repeats, and what follows. The
certificate of SNS is fetched over verified TLS from a host that carries its name, by way of a proxy, as behind a company's wall.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from look import lay_out, sign_up  # noqa: E402
from world import Maildir, World, check, main, run, wait_for, write  # noqa: E402

PATH = "0123456789abcdef-SECRET"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
HOST = "sns.eu-west-1.amazonaws.com"


def now():
    return datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%S.000Z")


# --- the world --------------------------------------------------------------------------------------------------------------


def keys(w):
    d = w.folder + "/keys"
    os.makedirs(d)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sns.amazonaws.com", "-keyout", d + "/sns.key", "-out", d + "/sns.pem")
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", d + "/sendgrid.key")
    run("openssl", "ec", "-in", d + "/sendgrid.key", "-pubout", "-outform", "DER", "-out", d + "/sendgrid.pub")
    write(d + "/path", PATH + "\n", 0o600)
    write(d + "/password", "pass:word\n", 0o600)
    write(d + "/token", "bearer-of-brevo\n", 0o600)
    write(d + "/signing", "key-of-mailgun\n", 0o600)
    return d


def configure(w, ses="certificate: {d}/sns.pem"):
    lay_out(w, "http://127.0.0.1:9/lead")
    d = keys(w)
    with open(d + "/sendgrid.pub", "rb") as f:
        public = base64.b64encode(f.read()).decode()
    text = open(w.conf).read() + """
esp:
  - {service: ses, path: "file:%(d)s/path", topics: ["%(topic)s"], SES}
  - {service: sendgrid, path: "file:%(d)s/path", public_key: "%(public)s"}
  - {service: postmark, path: "file:%(d)s/path", user: hook, password: "file:%(d)s/password"}
  - {service: mailgun, path: "file:%(d)s/path", signing_key: "file:%(d)s/signing"}
  - {service: mailjet, path: "file:%(d)s/path", user: hook, password: "file:%(d)s/password"}
  - {service: brevo, path: "file:%(d)s/path", token: "file:%(d)s/token"}
""".replace("SES", ses.format(d=d)) % {"d": d, "topic": TOPIC, "public": public}
    write(w.conf, text)
    return d


def sent_to(w, address):
    """Signs up, and the mail that they got: its Message-ID."""
    sign_up(w, address)
    return wait_for("the mail to " + address, lambda: [m for m in Maildir(w.folder + "/sent").messages() if address in (m["To"] or "")])[0]


def post(w, service, body, headers=None, path=PATH):
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return w.request("POST", "/v1/esp/%s/%s" % (service, path), data, dict({"Content-Type": "application/json"}, **(headers or {})))[0]


def basic(user="hook", password="pass:word"):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()}


def signed(key, data, digest="-sha256"):
    return base64.b64encode(subprocess.run(["openssl", "dgst", digest, "-sign", key], input=data, stdout=subprocess.PIPE, check=True).stdout).decode()


def suppressed(w, address):
    p = w.prospect(address)
    return (p.get("suppressed") or {}).get("reason") if p else None


def why(w, address):
    return json.dumps(w.ctl("prospect", "show", address))


# --- each service -----------------------------------------------------------------------------------------------------------


def sns(d, message, kind="Notification", version="2", topic=TOPIC, message_id="m-1", **more):
    body = {"Type": kind, "MessageId": message_id, "TopicArn": topic, "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": now(), "SignatureVersion": version, "SigningCertURL": "https://%s/SimpleNotificationService-1.pem" % HOST}
    body.update(more)
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] if kind == "Notification" else \
            ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join("%s\n%s\n" % (n, body[n]) for n in names if n in body)
    body["Signature"] = signed(d + "/sns.key", text.encode(), "-sha256" if version == "2" else "-sha1")
    return body


def ses_bounce(address, token="", kind="Permanent", subtype="General", text="smtp; 550 5.1.1 user unknown", relay="0102018c-aaaa"):
    headers = [{"name": "X-Nurtured-ID", "value": token}] if token else []
    return {"eventType": "Bounce", "mail": {"messageId": relay, "destination": [address], "headers": headers},
            "bounce": {"bounceType": kind, "bounceSubType": subtype, "feedbackId": "f", "bouncedRecipients": [{"emailAddress": address, "status": "5.1.1", "diagnosticCode": text}]}}


def amazon_ses():
    with World() as w:
        d = configure(w)
        w.start_daemon()
        for who in ("eva", "max", "ida", "tom", "kim"):
            sign_up(w, who + "@people.test")
        mail = sent_to(w, "ann@people.test")
        token = mail["X-Nurtured-ID"]
        good = sns(d, ses_bounce("elsewhere@people.test", token))
        # forged in every way
        check(post(w, "ses", good, path=PATH + "x") == 404, "another path was taken")
        check(post(w, "sendmail", good) == 404, "an unknown service was taken")
        check(post(w, "ses", dict(good, Message=good["Message"].replace("Permanent", "Permament"))) == 403, "a changed message was taken")
        check(post(w, "ses", sns(d, ses_bounce("eva@people.test"), topic=TOPIC + "2")) == 403, "another topic was taken")
        check(post(w, "ses", sns(d, ses_bounce("eva@people.test"), Timestamp="2020-01-01T00:00:00.000Z")) == 403, "an old one was taken")
        check(post(w, "ses", good, {"x-amz-sns-message-type": "SubscriptionConfirmation"}) == 403, "a header that says otherwise was taken")
        check(post(w, "ses", "[1,2") == 400, "what is no JSON was taken")
        check(not suppressed(w, "ann@people.test"), "a forgery had an effect")
        # the token says who, not the address
        check(post(w, "ses", good) == 200, "a good one was refused")
        check(suppressed(w, "ann@people.test") == "hard_bounce", "no suppression after a hard bounce: " + why(w, "ann@people.test"))
        check(post(w, "ses", good) == 200, "a repeat was refused")
        check(sum(e["name"] == "bounce" for e in w.prospect("ann@people.test")["events"]) == 1, "a repeat was another bounce")
        # without a token, the address; signature version 1
        check(post(w, "ses", sns(d, ses_bounce("eva@people.test"), version="1", message_id="m-2", Subject="x")) == 200, "version 1 was refused")
        check(suppressed(w, "eva@people.test") == "hard_bounce", "no suppression by address")
        # called permanent, but a full mailbox or a policy in the receiver's own words
        for n, text in enumerate(("smtp; 552 5.2.2 mailbox full", "smtp; 550 5.7.1 blocked by DMARC policy")):
            check(post(w, "ses", sns(d, ses_bounce("max@people.test", text=text), message_id="m-3%d" % n)) == 200, "refused")
            check(not suppressed(w, "max@people.test"), "suppressed for: " + text)
        # complaints: not spam is none; several candidates and no token blame nobody
        complaint = {"notificationType": "Complaint", "mail": {"messageId": "x", "headers": []},
                     "complaint": {"complaintFeedbackType": "not-spam", "complainedRecipients": [{"emailAddress": "ida@people.test"}]}}
        check(post(w, "ses", sns(d, complaint, message_id="m-4")) == 200 and not suppressed(w, "ida@people.test"), "not-spam was a complaint")
        complaint["complaint"] = {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": a + "@people.test"} for a in ("ida", "tom")]}
        check(post(w, "ses", sns(d, complaint, message_id="m-5")) == 200, "refused")
        check(not suppressed(w, "ida@people.test") and not suppressed(w, "tom@people.test"), "one of two was blamed")
        check("complaint.unattributed" in open(w.folder + "/daemon.log").read(), "no alarm")
        complaint["complaint"]["complainedRecipients"].pop()
        check(post(w, "ses", sns(d, complaint, message_id="m-6")) == 200 and suppressed(w, "ida@people.test") == "complaint", "no complaint")
        # about a stranger: remembered for when they come
        check(post(w, "ses", sns(d, ses_bounce("stranger@people.test", subtype="OnAccountSuppressionList"), message_id="m-7")) == 200, "refused")
        sign_up(w, "stranger@people.test")
        wait_for("a stranger's suppression", lambda: suppressed(w, "stranger@people.test") == "hard_bounce")
        check(post(w, "ses", sns(d, "Successfully validated SNS topic for Amazon SES event publishing.", message_id="m-8")) == 200, "plain words were refused")
        check(post(w, "ses", sns(d, {"eventType": "New Thing"}, message_id="m-9")) == 200, "what is new was refused")


def the_certificate_of_sns():
    with World() as w:
        d = configure(w, ses="ca_file: {d}/ca.pem")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", d + "/ca.key", "-out", d + "/ca.pem")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + HOST, "-keyout", d + "/host.key", "-out", d + "/host.req")
        write(d + "/ext", "subjectAltName=DNS:%s\n" % HOST)
        run("openssl", "x509", "-req", "-in", d + "/host.req", "-CA", d + "/ca.pem", "-CAkey", d + "/ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", d + "/ext", "-out", d + "/host.pem")
        host = w.add(Host(d))
        proxy = w.add(Proxy(host.port))
        w.env["https_proxy"] = "http://127.0.0.1:%d" % proxy.port
        w.start_daemon()
        for who in ("eva", "max"):
            sign_up(w, who + "@people.test")
        # an address that is not SNS's is never asked
        for url in ("https://sns.eu-west-1.amazonaws.com.evil.test/x.pem", "http://%s/x.pem" % HOST, "https://sns.us-east-1.amazonaws.com/x.pem",
                    "https://%s@evil.test/x.pem" % HOST, "https://%s/x.pem?y" % HOST):
            check(post(w, "ses", sns(d, ses_bounce("eva@people.test"), SigningCertURL=url)) == 403, "taken from " + url)
        check(not proxy.asked, "it was asked: %s" % proxy.asked)
        check(post(w, "ses", sns(d, ses_bounce("eva@people.test"))) == 200, "a good one was refused")
        check(suppressed(w, "eva@people.test") == "hard_bounce", "nothing followed")
        check(post(w, "ses", sns(d, ses_bounce("max@people.test"), message_id="m-2")) == 200, "a second one was refused")
        check(host.paths == ["/SimpleNotificationService-1.pem"], "the certificate is fetched once: %s" % host.paths)
        check(proxy.asked == [HOST + ":443"], "asked: %s" % proxy.asked)
        # a subscription is confirmed only for a topic of ours, only at SNS
        subscribe = "https://%s/?Action=ConfirmSubscription&Token=t" % HOST
        check(post(w, "ses", sns(d, "You have chosen", "SubscriptionConfirmation", Token="t", SubscribeURL=subscribe, topic=TOPIC + "2", message_id="m-3")) == 403, "another's topic")
        check(post(w, "ses", sns(d, "You have chosen", "SubscriptionConfirmation", Token="t", SubscribeURL="https://evil.test/", message_id="m-4")) == 403, "another's host")
        check(post(w, "ses", sns(d, "You have chosen", "SubscriptionConfirmation", Token="t", SubscribeURL=subscribe, message_id="m-5")) == 200, "refused")
        wait_for("the confirmation", lambda: "/?Action=ConfirmSubscription&Token=t" in host.paths)
        wait_for("its log line", lambda: "sns.confirmed" in open(w.folder + "/daemon.log").read())
        # a host that fails: the service is told to come again
        check(post(w, "ses", sns(d, ses_bounce("eva@people.test"), message_id="m-6", SigningCertURL="https://%s/missing.pem" % HOST)) == 503, "no 503")


class Host:
    """A host of SNS, by its own certificate."""

    def __init__(self, d):
        self.paths = paths = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                paths.append(self.path)
                with open(d + "/sns.pem", "rb") as f:
                    body = f.read()
                self.send_response(404 if "missing" in self.path else 200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(d + "/host.pem", d + "/host.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy:
    """CONNECT, wherever to, leads to one port."""

    def __init__(self, to):
        self.asked, self.to = [], to
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        self.asked.append(head.split()[1].decode())
        s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.to)) as t:
            while True:
                for a, b in ((s, t), (t, s)):
                    if a in select.select([s, t], [], [])[0]:
                        data = a.recv(65536)
                        if not data:
                            s.close()
                            return
                        b.sendall(data)

    def stop(self):
        self.listener.close()


def sendgrid_head(d, body, at=None):
    at = str(int(time.time()) if at is None else at)
    return {"X-Twilio-Email-Event-Webhook-Timestamp": at, "X-Twilio-Email-Event-Webhook-Signature": signed(d + "/sendgrid.key", at.encode() + body)}


def sendgrid():
    with World() as w:
        d = configure(w)
        w.start_daemon()
        mail = sent_to(w, "ann@people.test")
        for who in ("eva", "max", "ida", "tom"):
            sign_up(w, who + "@people.test")
        body = json.dumps([
            {"event": "processed", "email": "eva@people.test", "sg_event_id": "0"},
            {"event": "bounce", "type": "bounce", "email": "ann@people.test", "smtp-id": mail["Message-ID"], "sg_event_id": "1", "status": "5.1.1", "reason": "550 5.1.1 no such user here"},
            {"event": "bounce", "type": "blocked", "email": "eva@people.test", "sg_event_id": "2", "status": "5.7.1", "reason": "550 5.7.1 blocked"},
            {"event": "spamreport", "email": "max@people.test", "sg_event_id": "3"},
            {"event": "group_unsubscribe", "email": "ida@people.test", "sg_event_id": "4"},
            {"event": "dropped", "email": "tom@people.test", "reason": "Bounced Address", "sg_event_id": "5"},
        ]).encode()
        head = sendgrid_head(d, body)
        check(post(w, "sendgrid", body) == 403, "unsigned")
        check(post(w, "sendgrid", body + b" ", head) == 403, "another body")
        check(post(w, "sendgrid", body, sendgrid_head(d, body, int(time.time()) - 400)) == 403, "an old one")
        check(post(w, "sendgrid", body, head) == 200, "a good one was refused")
        got = {a: suppressed(w, a + "@people.test") for a in ("ann", "eva", "max", "ida", "tom")}
        check(got == {"ann": "hard_bounce", "eva": None, "max": "complaint", "ida": "unsubscribe", "tom": "hard_bounce"}, "suppressed: %s" % got)
        # a large one: more than other addresses take
        large = json.dumps([{"event": "delivered", "email": "eva@people.test", "sg_event_id": "d%d" % n, "pad": "x" * 200} for n in range(2000)]).encode()
        check(300000 < len(large) < 1048576 and post(w, "sendgrid", large, sendgrid_head(d, large)) == 200, "a large one was refused")
        check(w.post_json("/v1/forms/ebook", {"email": "x@people.test", "first_name": "x" * 300000})[0] == 413, "a form took as much")


def the_others():
    with World() as w:
        configure(w)
        w.start_daemon()
        for who in ("eva", "max", "ida", "tom", "kim", "pia", "leo", "zoe"):
            sign_up(w, who + "@people.test")
        # Postmark: user and password
        bounce = {"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "MessageID": "883953f4", "Email": "eva@people.test", "Details": "smtp;550 5.1.1 unknown user",
                  "BouncedAt": now()}
        check(post(w, "postmark", bounce) == 401 and post(w, "postmark", bounce, basic(password="x")) == 401, "without a login")
        check(post(w, "postmark", bounce, basic()) == 200 and suppressed(w, "eva@people.test") == "hard_bounce", "postmark: no bounce")
        check(post(w, "postmark", {"RecordType": "SubscriptionChange", "Recipient": "max@people.test", "SuppressSending": True, "SuppressionReason": "ManualSuppression",
                                   "ChangedAt": now()}, basic()) == 200 and suppressed(w, "max@people.test") == "unsubscribe", "postmark: no unsubscription")
        # Mailgun: in the body
        stamp, token = str(int(time.time())), "t" * 50
        mac = hmac.new(b"key-of-mailgun", (stamp + token).encode(), hashlib.sha256).hexdigest()
        failed = {"signature": {"timestamp": stamp, "token": token, "signature": mac},
                  "event-data": {"event": "failed", "severity": "temporary", "id": "g1", "recipient": "ida@people.test", "delivery-status": {"code": 450, "message": "try again"}}}
        check(post(w, "mailgun", dict(failed, signature=dict(failed["signature"], signature=mac[:-1] + ("0" if mac[-1] != "0" else "1")))) == 403, "a wrong signature")
        check(post(w, "mailgun", failed) == 200 and not suppressed(w, "ida@people.test"), "mailgun: temporary")
        failed["event-data"].update(severity="permanent", id="g2", reason="bounce")
        failed["event-data"]["delivery-status"] = {"code": 550, "message": "5.1.1 The email account that you tried to reach does not exist"}
        # the same token again says nothing
        check(post(w, "mailgun", failed) == 200 and not suppressed(w, "ida@people.test"), "mailgun: a token was taken twice")
        token = "u" * 50
        failed["signature"] = {"timestamp": stamp, "token": token, "signature": hmac.new(b"key-of-mailgun", (stamp + token).encode(), hashlib.sha256).hexdigest()}
        check(post(w, "mailgun", failed) == 200 and suppressed(w, "ida@people.test") == "hard_bounce", "mailgun: permanent")
        # Mailjet: one or many
        check(post(w, "mailjet", {"event": "bounce", "time": 1430812195, "MessageID": 13792286917004336, "email": "tom@people.test", "hard_bounce": True, "error": "user unknown"}) == 401, "without a login")
        check(post(w, "mailjet", [{"event": "bounce", "time": 1430812195, "MessageID": 13792286917004336, "email": "tom@people.test", "hard_bounce": True, "error": "user unknown"},
                                  {"event": "bounce", "time": 1430812196, "MessageID": 13792286917004337, "email": "kim@people.test", "hard_bounce": False, "error": "quota exceeded"}], basic()) == 200, "mailjet refused")
        check(suppressed(w, "tom@people.test") == "hard_bounce" and not suppressed(w, "kim@people.test"), "mailjet")
        check(post(w, "mailjet", {"event": "spam", "time": 1, "MessageID": 1, "email": "kim@people.test"}, basic()) == 200 and suppressed(w, "kim@people.test") == "complaint", "mailjet: spam")
        # Brevo: bearer
        brevo = {"event": "hard_bounce", "email": "pia@people.test", "id": 7, "message-id": "<2018@relay.test>", "reason": "550 5.1.1 unknown", "ts_epoch": 1604933654000}
        check(post(w, "brevo", brevo, {"Authorization": "Bearer nonsense"}) == 401, "another bearer")
        check(post(w, "brevo", brevo, {"Authorization": "Bearer bearer-of-brevo"}) == 200 and suppressed(w, "pia@people.test") == "hard_bounce", "brevo")
        check(post(w, "brevo", dict(brevo, event="unique_proxy_open", email="leo@people.test", ts_epoch=1), {"Authorization": "Bearer bearer-of-brevo"}) == 200, "brevo: an open")
        check(not suppressed(w, "leo@people.test") and not suppressed(w, "zoe@people.test"), "too many were suppressed")
        log = open(w.folder + "/daemon.log").read()
        check("@people.test" not in log, "an address is in the log")


main(amazon_ses, the_certificate_of_sns, sendgrid, the_others)
