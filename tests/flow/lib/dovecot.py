"""A real Dovecot of a few users: IMAP and POP3, with TLS from the first byte and by STARTTLS, certificates of a CA of our own, passwords and tokens.

Needs root, as Dovecot does. Everything is on loopback, in one folder.
"""
import base64
import hashlib
import hmac
import imaplib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time

from world import check, free_port, run, wait_for, write


KEY = b"what signs the tokens of this test"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(user="replies", lives=3600):
    """A JWT (RFC 7519) as Dovecot takes it."""
    now = int(time.time())
    head = encode(json.dumps({"typ": "JWT", "alg": "HS256"}).encode()) + b"." + encode(json.dumps(
        {"sub": user, "iat": now - 10, "nbf": now - 10, "exp": now + lives}).encode())
    return (head + b"." + encode(hmac.new(KEY, head, hashlib.sha256).digest())).decode()


class Dovecot:
    def __init__(self, folder, capabilities="", mechanisms="plain xoauth2 oauthbearer", separator="."):
        self.folder = folder
        self.imap, self.imaps, self.pop3, self.pop3s = free_port(), free_port(), free_port(), free_port()
        os.makedirs(folder + "/mail")
        shutil.chown(folder + "/mail", "nobody", "nogroup")
        self.certificates()
        write(folder + "/users", "".join("%s:{PLAIN}secret\n" % user for user in ("replies", "old", "office")))
        write(folder + "/keys/default/HS256/default", base64.b64encode(KEY).decode())
        write(folder + "/oauth2.conf", "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix=%s/keys/\nusername_attribute = sub\n" % folder)
        write(folder + "/dovecot.conf", """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{d}/cert.pem
ssl_key = <{d}/key.pem
mail_location = maildir:{d}/mail/%u
namespace inbox {{
  inbox = yes
  separator = {separator}
}}
first_valid_uid = 1
first_valid_gid = 1
auth_failure_delay = 0
auth_mechanisms = {mechanisms}
{capabilities}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {d}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  args = {d}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={d}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
""".format(d=folder, imap=self.imap, imaps=self.imaps, pop3=self.pop3, pop3s=self.pop3s, mechanisms=mechanisms, separator=separator,
           capabilities="imap_capability = " + capabilities if capabilities else ""))
        self.start()

    def certificates(self):
        d = self.folder
        for ca in ("ca", "other"):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=%s" % ca,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", d + "/%s.key" % ca, "-out", d + "/%s.pem" % ca)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", d + "/key.pem",
            "-out", d + "/req.pem")
        write(d + "/ext", "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", d + "/req.pem", "-CA", d + "/ca.pem", "-CAkey", d + "/ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", d + "/ext", "-out", d + "/cert.pem")

    def start(self):
        run("dovecot", "-c", self.folder + "/dovecot.conf")

        def listening():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.imaps)) == 0
        wait_for("dovecot to listen", listening)

    def stop(self):
        """Sessions outlive the master process: they are ended first."""
        for words in (("kick", "replies"), ("stop",)):
            subprocess.run(["doveadm", "-c", self.folder + "/dovecot.conf", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def logins(self, mechanism):
        """How many were let in that way."""
        with open(self.folder + "/log") as f:
            return sum("-login: Info: Login:" in line and "method=%s," % mechanism in line for line in f)

    def client(self, user="replies"):
        context = ssl.create_default_context(cafile=self.folder + "/ca.pem")
        c = imaplib.IMAP4_SSL("localhost", self.imaps, ssl_context=context)
        c.login(user, "secret")
        c.select("INBOX")
        return c

    def append(self, *mails, user="replies"):
        c = self.client(user)
        for m in mails:
            check(c.append("INBOX", None, None, m)[0] == "OK", "APPEND")
        c.logout()

    def subjects(self, folder="INBOX", what="ALL", user="replies"):
        """Of the mails in it, oldest first."""
        c = self.client(user)
        out = []
        if c.select(folder, readonly=True)[0] == "OK":
            for n in c.search(None, what)[1][0].split():
                out.append(c.fetch(n, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1].decode().split(":", 1)[1].strip())
        c.logout()
        return out

    def contents(self, folder, user="replies"):
        """Subjects in a folder that is named in UTF-8: no IMAP, so nobody's modified UTF-7."""
        out = run("doveadm", "-c", self.folder + "/dovecot.conf", "fetch", "-u", user, "hdr.subject", "mailbox", folder, "all")
        return [line.split(": ", 1)[1] for line in out.splitlines() if line.startswith("hdr.subject: ")]

    def make_folder(self, name):
        c = self.client()
        check(c.create(name)[0] == "OK", "CREATE")
        c.logout()

    def folders(self):
        c = self.client()
        out = " ".join(str(line) for line in c.list()[1])
        c.logout()
        return out

    def keywords(self, uid):
        c = self.client()
        flags = c.uid("FETCH", str(uid), "(FLAGS)")[1]
        c.logout()
        return str(flags)

    def url(self, host="localhost", folder="INBOX"):
        return "imaps://%s:%d/%s" % (host, self.imaps, folder)
