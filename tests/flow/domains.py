#!/usr/bin/env python3
"""Whose mail server takes the mail of a domain: a DNS server of ours says, and the domain is mailed at that provider's rate. Domains are such as nobody
has; the names of their servers are real.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from dns import Dns  # noqa: E402
from look import SECRET, lay_out, sign_up  # noqa: E402
from world import World, check, main, wait_for  # noqa: E402

MX = 15
RECORDS = {
    "alpha-nurtured-flow.com": [("MX", "5 alt1.aspmx.l.google.com"), ("MX", "1 ASPMX.L.GOOGLE.com")],
    "sub.beta-nurtured-flow.co.uk": [("MX", "0 beta.mail.protection.outlook.com")],
    "gamma-nurtured-flow.com": [("MX", "10 mx3.hoster-nurtured-flow.net"), ("MX", "20 aspmx.l.google.com")],
    "delta-nurtured-flow.com": [("MX", "10 notgoogle.com")],
    "epsilon-nurtured-flow.com": [("A", "192.0.2.1")],
    # more than fits into a packet: the whole of it comes by TCP
    "zeta-nurtured-flow.com": [("MX", "%d mx%02d.some-long-name-of-a-hoster.nurtured-flow.net" % (20 + i, i)) for i in range(30)] + [("MX", "10 aspmx.l.google.com")],
    "eta-nurtured-flow.com": [("MX", "%d mx%02d.some-long-name-of-a-hoster.nurtured-flow.net" % (20 + i, i)) for i in range(30)] + [("MX", "10 aspmx.l.google.com")],
}
GROUPS = {"alpha-nurtured-flow.com": "gmail", "sub.beta-nurtured-flow.co.uk": "microsoft-365", "gamma-nurtured-flow.com": "hoster",
          "delta-nurtured-flow.com": "delta-nurtured-flow.com", "epsilon-nurtured-flow.com": "epsilon-nurtured-flow.com",
          "broken-nurtured-flow.com": "broken-nurtured-flow.com", "gone-nurtured-flow.com": "gone-nurtured-flow.com", "gmail.com": "gmail", "zeta-nurtured-flow.com": "gmail",
          "eta-nurtured-flow.com": "eta-nurtured-flow.com"}
# how often each is asked for: till it is answered, and twice where the packet is too small
ASKED = {"broken-nurtured-flow.com": 3, "gmail.com": 0, "zeta-nurtured-flow.com": 2, "eta-nurtured-flow.com": 6}


def group_of(w, domain):
    return w.ctl("domain", domain)["rate"]["group"]


def add_to_config(w, text):
    with open(w.conf, "a") as f:
        f.write(text)


def asked(dns, domain):
    return len([1 for name, kind in dns.asked if name == domain and kind == MX])


def begin(w, dns, more=""):
    lay_out(w, "http://127.0.0.1:%d/lead" % w.receiver("-s", SECRET).port)
    add_to_config(w, "shape:\n  resolver: 127.0.0.1:%d\n  groups:\n    - {name: hoster, mx: [hoster-nurtured-flow.net], rate: 7 per minute}\n%s" % (dns.port, more))
    w.start_daemon()


def a_domain_is_mailed_as_who_takes_its_mail():
    dns = Dns(RECORDS)
    dns.broken.add("broken-nurtured-flow.com")
    dns.silent.add("eta-nurtured-flow.com")     # hangs up without a word, on TCP
    try:
        with World() as w:
            begin(w, dns)
            for domain in GROUPS:
                sign_up(w, "eva@" + domain)
            for domain, group in GROUPS.items():
                wait_for("%s in %s" % (domain, group), lambda: group_of(w, domain) == group)
                check(asked(dns, domain) == ASKED.get(domain, 1), "%s: %s" % (domain, dns.asked))
            check(w.ctl("domain", "gamma-nurtured-flow.com")["rate"]["per_minute"] == 7, "not the rate of its group")
            for domain in GROUPS:
                wait_for("the mail to " + domain, lambda: [d for d in w.prospect("eva@" + domain)["deliveries"] if d["state"] == "sent"])
            # a restart asks nobody, and knows it all the same
            check(w.stop_daemon() == 0, "SIGTERM does not end it with 0")
            count = len(dns.asked)
            w.start_daemon()
            for domain, group in GROUPS.items():
                check(group_of(w, domain) == group, "%s is in %s after a restart" % (domain, group_of(w, domain)))
            check(len(dns.asked) == count, "asked again: %s" % dns.asked[count:])
    finally:
        dns.stop()


def without_it_nobody_is_asked():
    dns = Dns(RECORDS)
    try:
        with World() as w:
            begin(w, dns, "  mx: off\n")
            sign_up(w, "eva@alpha-nurtured-flow.com")
            wait_for("the mail", lambda: [d for d in w.prospect("eva@alpha-nurtured-flow.com")["deliveries"] if d["state"] == "sent"])
            check(group_of(w, "alpha-nurtured-flow.com") == "alpha-nurtured-flow.com" and not dns.asked, "%s" % dns.asked)
    finally:
        dns.stop()


if __name__ == "__main__":
    main(a_domain_is_mailed_as_who_takes_its_mail, without_it_nobody_is_asked)
