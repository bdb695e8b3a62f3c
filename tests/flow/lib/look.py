"""A daemon with the lists and mails of tests/decide, our own sink as relay, a Maildir, and one alert target; and how a person becomes hot in it."""
import os
import shutil

from world import TOP, check, write

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

OPERATOR = """
state: {f}/state
templates: {f}/templates
control: {f}/control.sock
listen: {{address: 127.0.0.1, port: 0, public_url: "http://127.0.0.1:8025", api_key: "file:{f}/conf/secrets/api-key"}}
sender:
  from: "Ana at Example <ana@example.test>"
  company: Example Ltd
  postal_address: "1 High Street, 12345 Town"
  bounce_domain: bounce.example.test
  reply_domain: reply.example.test
relays:
  - {{name: main, url: "smtp://127.0.0.1:{smtp}", tls: none}}
mailboxes:
  - {{name: replies, url: "maildir:{f}/replies"}}
allow_private: [127.0.0.0/8]
"""

SALES = """
hot: did("asked", 1 day)
cooldown: 14 days
on_hot: pause
replies_to: sales@example.test
owners:
  - {name: ana, email: ana@example.test, share: 1}
alerts:
  - {to: "%s", as: standard, secret: hook}
"""


def lay_out(w, alerts_to):
    conf = TOP + "/tests/decide/conf"
    shutil.copytree(TOP + "/tests/decide/templates", w.folder + "/templates")
    for part in ("forms", "sequences"):
        shutil.copytree("%s/%s" % (conf, part), "%s/conf/%s" % (w.folder, part))
    shutil.copy(conf + "/nurture.yaml", w.folder + "/conf/nurture.yaml")
    write(w.folder + "/conf/secrets/hook", SECRET + "\n", 0o600)
    write(w.folder + "/conf/secrets/api-key", "key\n", 0o600)
    for part in ("new", "cur", "tmp"):
        os.makedirs("%s/replies/%s" % (w.folder, part))
    w.configure(OPERATOR.format(f=w.folder, smtp=w.sink("-m", w.folder + "/sent").port), sales=SALES % alerts_to)


def sign_up(w, address):
    status, _, text = w.post_json("/v1/forms/ebook", {"email": address, "first_name": "Eva"})
    check(status == 202, "sign-up: %d %s" % (status, text))


def ring(w, address):
    """Makes them hot through the public interface."""
    status, _, text = w.post_json("/v1/track", {"type": "track", "event": "asked", "userId": address, "messageId": "m-1", "context": {"traits": {"email": address}}},
                                  {"Authorization": "Bearer key"})
    check(status in (200, 202), "track: %d %s" % (status, text))
