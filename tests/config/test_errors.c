/*
 * test_errors.c: every kind of mistake, and what is said of it. A row makes one good file wrong and gives the whole
 * output, so that nothing else is complained about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mistakes.h"

static const struct mistake operator_mistakes[] = {
	{ "nurtured.yaml", "sender:", "sendr:",
		"nurtured.yaml:1:1: `sender` is missing in the operator's file; it is who the mail is from, "
		"with its postal address\n"
		"nurtured.yaml:4:1: unknown key `sendr` in the operator's file; did you mean `sender`?\n" },
	{ "nurtured.yaml", "  postal_address: \"1 High Street, 12345 Town\"\n", "",
		"nurtured.yaml:5:3: `postal_address` is missing in `sender`; it is the company's postal "
		"address: the law of most countries "
		"wants it in every marketing mail\n" },
	{ "nurtured.yaml", "\"1 High Street, 12345 Town\"", "",
		"nurtured.yaml:7:18: `postal_address` is nothing here; it must be one text\n" },
	{ "nurtured.yaml", "\"1 High Street, 12345 Town\"", "\"\"",
		"nurtured.yaml:7:19: `postal_address`: it is empty; write something, or leave the key "
		"away\n" },
	{ "nurtured.yaml", "port: 0", "port: 99999",
		"nurtured.yaml:3:57: `port`: out of bounds; 0 to 65535 are allowed\n" },
	{ "nurtured.yaml", "port: 0", "port: x1",
		"nurtured.yaml:3:57: `port`: `x1` is no whole number; write it in digits\n" },
	{ "nurtured.yaml", "port: 0", "address: here",
		"nurtured.yaml:3:60: `here` is no IP address; write it like 127.0.0.1 or ::1\n" },
	{ "nurtured.yaml", "port: 0", "trusted_proxies: [10.0.0.0/8, \"::1/128\", 10.0.0.0/33, proxy]",
		"nurtured.yaml:3:92: `10.0.0.0/33` in `trusted_proxies` is wrong; write an IP address or a "
		"network like 10.0.0.0/8\n"
		"nurtured.yaml:3:105: `proxy` in `trusted_proxies` is wrong; write an IP address or a "
		"network like 10.0.0.0/8\n" },
	{ "nurtured.yaml", "port: 0", "trusted_proxies: 10.0.0.1",
		"nurtured.yaml:3:68: `trusted_proxies` is a text here; it must be a list\n" },
	{ "nurtured.yaml", "port: 0", "max_body: 1 KB",
		"nurtured.yaml:3:61: `max_body`: `KB` is no unit of size; there are B, KiB, MiB and GiB\n" },
	{ "nurtured.yaml", "port: 0", "max_body: 1 GiB",
		"nurtured.yaml:3:61: `max_body`: out of bounds; 1 KiB to 16 MiB are allowed\n" },
	{ "nurtured.yaml", "port: 0", "request_timeout: 1 day",
		"nurtured.yaml:3:68: `request_timeout`: out of bounds; 1 second to 5 minutes are allowed\n" },
	{ "nurtured.yaml", "port: 0", "max_body: much",
		"nurtured.yaml:3:61: `max_body`: `much` is no size; write it like 256 KiB\n" },
	{ "nurtured.yaml", ", user: replies, password: credential:imap-password", "",
		"nurtured.yaml:11:5: the mailbox has no `user`; IMAP wants a login\n" },
	{ "nurtured.yaml", "  company: Example Ltd", "  company: \"Example\\u0007 Ltd\"",
		"nurtured.yaml:6:12: `company`: there is a control character in it; take it out\n" },
	{ "nurtured.yaml", "credential:smtp-password", "file:/dev/null",
		"nurtured.yaml:9:81: `password`: /dev/null is no regular file\n" },
	{ "nurtured.yaml", "https://mail.example.com/", "mail.example.com",
		"nurtured.yaml:3:22: `public_url`: `mail.example.com` is no whole URL; it begins like "
		"https://\n" },
	{ "nurtured.yaml", "ana@Example.com", "ana at example",
		"nurtured.yaml:5:9: `from`: the email address has no @; write it like Ana at Example "
		"<ana@example.com>\n" },
	{ "nurtured.yaml", "  company: Example Ltd", "  separator: \"*\"\n  company: Example Ltd",
		"nurtured.yaml:6:14: `separator`: `*` is no choice here; there are `+`, `-` and `=`\n" },
	{ "nurtured.yaml", "  company: Example Ltd", "  bounce_domain: bounce\n  company: Example Ltd",
		"nurtured.yaml:6:18: `bounce_domain`: `bounce` is no domain name; write it like "
		"mail.example.com\n" },
	{ "nurtured.yaml", "relays:", "senders: [{from: b@x.example}, {name: shop}, {name: default, from: c@x.example}]\nrelays:",
		"nurtured.yaml:8:11: `name` is missing in a sender; it is what `from` in the front matter of a mail calls it\n"
		"nurtured.yaml:8:32: `from` is missing in a sender; it is who writes: `Ben at Example <ben@example.org>`\n"
		"nurtured.yaml:8:53: `default` is the name of `sender` itself; give this one another\n" },
	{ "nurtured.yaml", "relays:", "senders: [{name: shop, from: b@x.example}, {name: shop, from: c@x.example}, ben]\nrelays:",
		"nurtured.yaml:8:51: there are two senders `shop`; each has a name of its own\n"
		"nurtured.yaml:8:77: a sender is a text here; it must be a mapping (`key: value`)\n" },
	{ "nurtured.yaml", "relays:", "senders: [{name: shop, from: Ben, tracking_url: 'https://x.example/?go='}]\nrelays:",
		"nurtured.yaml:8:30: `from`: the email address has no @; write it like Ana at Example <ana@example.com>\n"
		"nurtured.yaml:8:49: there is a ? in `tracking_url`; links are made by adding to it\n" },
	{ "nurtured.yaml", "relays:", "senders: [{name: shop, from: \"\xc3\x89milie <\xc3\xa9milie@x.example>\"}]\nrelays:",
		"nurtured.yaml:8:30: `from`: the part before the @ must be ASCII, or few could take mail from it; the name may have any letters\n" },
	{ "nurtured.yaml", "relays:", "senders: [{name: shop, from: b@x.example, dkim_selectors: [s1, s1..x., 's 2']}]\nrelays:",
		"nurtured.yaml:8:64: `s1..x.` in `dkim_selectors` is wrong; write what stands before ._domainkey. in its name, like s1\n"
		"nurtured.yaml:8:72: `s 2` in `dkim_selectors` is wrong; write what stands before ._domainkey. in its name, like s1\n" },
	{ "nurtured.yaml", "relays:", "message: {headers: {X_A: a, subject: b, Content-Language: c, Resent-To: d, X-B: [e], x-b: f, X-C: \"g\\nh\"}}\nrelays:",
		"nurtured.yaml:8:21: `X_A` is no name of a header; it is letters, digits and -, at most 60 of them\n"
		"nurtured.yaml:8:29: the header subject is made by nurtured or by the relay; choose another name, such as X-subject\n"
		"nurtured.yaml:8:41: the header Content-Language is made by nurtured or by the relay; choose another name, such as X-Content-Language\n"
		"nurtured.yaml:8:62: the header Resent-To is made by nurtured or by the relay; choose another name, such as X-Resent-To\n"
		"nurtured.yaml:8:81: a header is a list here; it must be one text\n"
		"nurtured.yaml:8:86: the header x-b is there twice\n"
		"nurtured.yaml:8:99: a header is one line of at most 900 bytes, without control characters\n" },
	{ "nurtured.yaml", "relays:", "message: {precedence: bulk}\nrelays:",
		"nurtured.yaml:8:23: `precedence`: `bulk` is no choice here; there are `never`, `mailings` and `always`\n" },
	{ "nurtured.yaml", "relays:", "shape: {others: 20000 per second, groups: [{name: a, domains: [a.example], rate: 1 per second}, "
		"{name: a, domains: [b.example], rate: 2 per second}]}\nrelays:",
		"nurtured.yaml:8:17: `others` is more than 10000 per second; to have no limit there is `limits: off`\n"
		"nurtured.yaml:8:97: there are two groups `a`; each has a name of its own\n" },
	{ "nurtured.yaml", "relays:", "shape: {senders: [{domain: a.example}, {domain: b.example, warm_up: {since: soon}}]}\nrelays:",
		"nurtured.yaml:8:19: the sender's domain `a.example` has neither `per_day` nor `warm_up`; without them it has no limit\n"
		"nurtured.yaml:8:77: `since`: `soon` is no date; write it like 2026-12-25\n" },
	{ "nurtured.yaml", "credential:smtp-password", "hunter2",
		"nurtured.yaml:9:81: `password`: a secret does not stand in config: put it in a file that "
		"only the service can read, and write credential:NAME (systemd's LoadCredential=) or "
		"file:/path/to/it\n" },
	{ "nurtured.yaml", "credential:smtp-password", "credential:nope",
		"nurtured.yaml:9:81: `password`: there is no credential `nope` in credentials; give the "
		"service `LoadCredential=nope:/path/to/file`, or write file:/path here\n" },
	{ "nurtured.yaml", "credential:smtp-password", "credential:../api-key",
		"nurtured.yaml:9:81: `password`: `../api-key` is no name; a letter comes first, then "
		"letters, digits, - and _\n" },
	{ "nurtured.yaml", "credential:smtp-password", "file:secret",
		"nurtured.yaml:9:81: `password`: the path of a secret is absolute: file:/path/to/it\n" },
	{ "nurtured.yaml", "credential:smtp-password", "file:/nowhere/secret",
		"nurtured.yaml:9:81: `password`: /nowhere/secret cannot be opened: No such file or "
		"directory\n" },
	{ "nurtured.yaml", "smtp://relay.example.com:587", "smtp://me:pass@relay.example.com:587",
		"nurtured.yaml:9:23: `url`: there is a user or a password in the URL; they have keys of "
		"their own, and files\n" },
	{ "nurtured.yaml", ", password: credential:smtp-password", "",
		"nurtured.yaml:9:5: the relay has a `user` and no `password`; it names a secret: "
		"credential:NAME or file:/path\n" },
	{ "nurtured.yaml", "user: nurtured, ", "",
		"nurtured.yaml:9:65: the relay has a `password` and no `user`; give both, or neither\n" },
	{ "nurtured.yaml", "user: nurtured,", "tls: none, user: nurtured,",
		"nurtured.yaml:9:60: `tls: none` would send everything in the clear to relay.example.com; "
		"it is for this machine only\n" },
	{ "nurtured.yaml", "smtp://relay.example.com:587\",", "smtps://127.0.0.1:465\", tls: none,",
		"nurtured.yaml:9:53: smtps:// is TLS already; `tls: none` goes with the scheme without the "
		"s\n" },
	{ "nurtured.yaml", "user: nurtured,", "tls: maybe, user: nurtured,",
		"nurtured.yaml:9:60: `tls`: `maybe` is no choice here; there are `required` and `none`\n" },
	{ "nurtured.yaml", "user: nurtured,", "connections: 51, user: nurtured,",
		"nurtured.yaml:9:68: `connections`: out of bounds; 1 to 50 are allowed\n" },
	{ "nurtured.yaml", "mailboxes:", "  - {name: main, url: \"smtp://b.example.com\"}\nmailboxes:",
		"nurtured.yaml:10:12: there are two relays `main`; each has a name of its own\n" },
	{ "nurtured.yaml", "user: nurtured,", "backup: yes, user: nurtured,",
		"nurtured.yaml:9:3: every relay is a `backup`; there must be one that is not\n" },
	{ "nurtured.yaml", "user: nurtured,", "backup: perhaps, weight: 0, rate: fast, user: nurtured,",
		"nurtured.yaml:9:63: `backup`: `perhaps` is no choice here; there are `no` and `yes`\n"
		"nurtured.yaml:9:80: `weight`: out of bounds; 1 to 100 are allowed\n"
		"nurtured.yaml:9:89: `rate`: `fast` is no rate; write it like 3 per hour or 2 per 30 days\n" },
	{ "nurtured.yaml", "user: nurtured,", "rate: 0 per second, user: nurtured,",
		"nurtured.yaml:9:61: `rate`: `0` is no number for a rate; a whole number of at least 1 stands before `per`\n" },
	{ "nurtured.yaml", "relays:", "  relay: mian\nsenders: [{name: shop, from: b@x.example, relay: other}]\nrelays:",
		"nurtured.yaml:8:10: `relay`: `mian` is none of `relays`; did you mean `main`?\n"
		"nurtured.yaml:9:50: `relay`: `other` is none of `relays`; there is only `main`\n" },
	{ "nurtured.yaml",
		"  - {name: main, url: \"smtp://relay.example.com:587\", user: nurtured, password: "
		"credential:smtp-password}\n",
		"  []\n", "nurtured.yaml:9:3: `relays` is empty; name the one that takes the mail\n" },
	{ "nurtured.yaml", "relays:", "esp:\n"
		"  - {service: sendmail, path: credential:api-key}\n"
		"  - {service: ses, path: credential:imap-password, token: credential:imap-password}\n"
		"  - {service: ses, path: credential:imap-password, topics: [mail]}\n"
		"  - {service: sendgrid, path: credential:imap-password}\n"
		"  - {service: sendgrid, path: credential:imap-password, public_key: MFkwEwYHKoZIzj0C}\n"
		"  - {service: mailgun, path: credential:imap-password, topics: [x]}\n"
		"  - {service: postmark, path: credential:imap-password, user: \"a:b\", password: credential:imap-password}\n"
		"  - {service: mailjet, path: credential:imap-password, user: hook}\n"
		"  - {service: brevo, path: credential:imap-password}\n"
		"  - {service: brevo, path: credential:imap-password, user: hook, token: credential:imap-password}\n"
		"relays:",
		"nurtured.yaml:9:15: `service`: `sendmail` is no choice here; there are `ses`, `sendgrid`, `postmark`, `mailgun`, `mailjet` and `brevo`\n"
		"nurtured.yaml:9:31: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:10:5: `ses` needs `topics`: the ARNs of your SNS topics; without them anybody's topic would be believed\n"
		"nurtured.yaml:10:26: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:10:59: `token` does nothing for ses; leave it away\n"
		"nurtured.yaml:11:26: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:11:26: two of `esp` have this path; each has one of its own\n"
		"nurtured.yaml:11:61: `mail` is no topic; write its ARN, like arn:aws:sns:eu-west-1:123456789012:mail\n"
		"nurtured.yaml:12:5: `sendgrid` needs `public_key`: switch on the signed event webhook, and copy its verification key here\n"
		"nurtured.yaml:12:31: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:13:31: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:13:31: two of `esp` have this path; each has one of its own\n"
		"nurtured.yaml:13:69: `public_key` is no public key; copy the verification key of the signed event webhook whole\n"
		"nurtured.yaml:14:5: `mailgun` needs `signing_key`: the HTTP webhook signing key, as credential:NAME or file:/path\n"
		"nurtured.yaml:14:30: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:14:64: `topics` does nothing for mailgun; leave it away\n"
		"nurtured.yaml:15:31: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:15:63: a user of HTTP basic authentication has no colon in it\n"
		"nurtured.yaml:16:5: mailjet signs nothing, so it needs `user` and `password`\n"
		"nurtured.yaml:16:30: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:17:5: brevo signs nothing, so it needs `user` and `password`, or `token`\n"
		"nurtured.yaml:17:28: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:18:5: `token` and `user` are two ways to prove the same; give one\n"
		"nurtured.yaml:18:28: `path` must be 16 to 128 letters, digits, - or _, for it is part of an address; `openssl rand -hex 16` makes one\n"
		"nurtured.yaml:18:28: two of `esp` have this path; each has one of its own\n" },
	{ "nurtured.yaml", "port: 0", "api_secret: credential:api-key",
		"nurtured.yaml:3:63: `api_secret`: the secret does not begin with whsec_; make one with: printf 'whsec_%s' \"$(openssl rand -base64 32)\"\n" },
	{ "nurtured.yaml", "/INBOX", "",
		"nurtured.yaml:11:26: `imaps://imap.example.com` names no mailbox; write "
		"imaps://host/INBOX\n" },
	{ "nurtured.yaml", "imaps://", "nntp://",
		"nurtured.yaml:11:26: `url`: `nntp:` is no scheme for this; it is imaps, imap, pop3s or pop3; or a "
		"folder: maildir:/path; or lmtp:/path of a socket\n" },
	{ "nurtured.yaml", "imaps://", "pop3://",
		"nurtured.yaml:11:26: `pop3://imap.example.com/INBOX` names a folder, and POP3 has none; write pop3s://host\n" },
	{ "nurtured.yaml", "imaps://imap.example.com/INBOX\", user: replies,", "pop3s://imap.example.com\", after: move, move_to: Done, tls: none,",
		"nurtured.yaml:11:5: the mailbox has no `user`; POP3 wants a login\n"
		"nurtured.yaml:11:61: POP3 has no way to move a mail; `after` is keep or delete\n"
		"nurtured.yaml:11:87: pop3s:// is TLS already; `tls: none` goes with the scheme without the s\n"
		"nurtured.yaml:11:103: the mailbox has a `password` and no `user`; give both, or neither\n" },
	{ "nurtured.yaml", "user: replies,", "user: replies, after: archive,",
		"nurtured.yaml:11:82: `after`: `archive` is no choice here; there are `keep`, `seen`, `move` and `delete`\n" },
	{ "nurtured.yaml", "user: replies,", "user: replies, after: move,",
		"nurtured.yaml:11:82: `after: move` needs `move_to`: the folder to move to\n" },
	{ "nurtured.yaml", "user: replies,", "user: replies, move_to: Done,",
		"nurtured.yaml:11:84: `move_to` goes with `after: move`; take it out, or add that\n" },
	{ "nurtured.yaml", "user: replies,", "user: replies, token_file: /run/token, token_command: [oama, access],",
		"nurtured.yaml:11:114: `token_file` and `token_command` are two ways to the same; give one\n"
		"nurtured.yaml:11:114: `token_command` begins with the whole path of a program: [/usr/bin/oama, access, replies@example.com]\n"
		"nurtured.yaml:11:140: with a token there is no `password`; take one of them out\n" },
	{ "nurtured.yaml", "maildir:/var", "maildir:var",
		"nurtured.yaml:12:24: `maildir:var/mail/replies` is wrong; a Maildir has an absolute path: "
		"maildir:/var/mail/replies\n" },
	{ "nurtured.yaml", "\"maildir:/var/mail/replies\"", "\"maildir:/var/mail/replies\", user: x, password: credential:imap-password, tls: none, after: seen",
		"nurtured.yaml:12:59: a Maildir has no use for `user`; take it out\n"
		"nurtured.yaml:12:72: a Maildir has no use for `password`; take it out\n"
		"nurtured.yaml:12:103: a Maildir has no use for `tls`; take it out\n"
		"nurtured.yaml:12:116: a Maildir has no use for `after`; take it out\n" },
	{ "nurtured.yaml", "user: replies,", "user: replies, domains: [x.example],",
		"nurtured.yaml:11:84: IMAP has no use for `domains`; take it out\n" },
	{ "nurtured.yaml", "maildir:/var/mail/replies\"", "lmtp:lmtp.sock\"}\n  - {name: a, url: \"lmtp://192.0.2.1:24\"}\n  - {name: b, url: \"lmtp://127.0.0.1\"}\n"
		"  - {name: c, url: \"lmtp:/run/x\", domains: [\"a b\"]}\n  - {name: d, url: \"lmtp:/run/x\", poll: 1 s",
		"nurtured.yaml:12:24: `lmtp:lmtp.sock` is wrong; a socket has an absolute path of at most 107 bytes: lmtp:/run/nurtured/lmtp.sock\n"
		"nurtured.yaml:13:20: `lmtp://192.0.2.1:24` is wrong; mail comes by LMTP from this machine only: lmtp:/run/nurtured/lmtp.sock, or "
		"lmtp://127.0.0.1:2003\n"
		"nurtured.yaml:14:20: `lmtp://127.0.0.1` is wrong; mail comes by LMTP from this machine only: lmtp:/run/nurtured/lmtp.sock, or "
		"lmtp://127.0.0.1:2003\n"
		"nurtured.yaml:15:45: `domains`: `a b` is no domain name; write it like mail.example.com\n"
		"nurtured.yaml:16:20: two mailboxes listen at `lmtp:/run/x`; each has a place of its own\n"
		"nurtured.yaml:16:41: LMTP has no use for `poll`; take it out\n" },
	{ "nurtured.yaml", "name: local", "name: replies",
		"nurtured.yaml:12:12: there are two mailboxes `replies`; each has a name of its own\n" },
	{ "nurtured.yaml", "mailboxes:",
		"keep: {events: 1 hour}\nlog: {level: loud}\nallow_private: [everything]\nmailboxes:",
		"nurtured.yaml:10:16: `events`: out of bounds; 1 day to 36500 days are allowed\n"
		"nurtured.yaml:11:14: `level`: `loud` is no choice here; there are `error`, `warn`, `info` "
		"and `debug`\n"
		"nurtured.yaml:12:17: `everything` in `allow_private` is wrong; write a network like "
		"10.0.0.0/8\n" },
	{ "nurtured.yaml", "[www.example.com]", "[www.example.com, \"https://b.example\"]",
		"nurtured.yaml:3:94: `https://b.example` in `allow_redirect` is wrong; write a host alone, "
		"like www.example.com\n" },
	{ "nurtured.yaml", "https://mail.example.com/", "https://mail.example.com/?",
		"nurtured.yaml:3:22: there is a ? in `public_url`; links are made by adding to it\n" },
	{ "nurtured.yaml", "files: files",
		"files: files\ncontrol: "
		"/run/a-very-long-name-of-a-folder/and-another-one-in-it/and-one-more-below/"
		"because-somebody-likes-folders/control.sock",
		"nurtured.yaml:3:10: the path of a socket has at most 107 bytes; this one has 118: "
		"/run/a-very-long-name-of-a-folder/and-another-one-in-it/and-one-more-below/"
		"because-somebody-likes-folders/control.sock\n" },
	{ "forms/b.yml", NULL, "form: b\n",
		"forms/b.yml:1:1: this file is not read; let its name end with .yaml\n" },
	{ "nurtured.yaml", NULL, "- a\n- b\n",
		"nurtured.yaml:1:1: the operator's file is a list here; it must be a mapping (`key: "
		"value`)\n" },
};

static const struct mistake nurture_mistakes[] = {
	{ "nurture.yaml", NULL, NULL,
		"nurture.yaml:1:1: there is no such file; it belongs beside the operator's file\n" },
	{ "nurture.yaml", NULL, "stages: []\nlists: [{name: a}]\n",
		"nurture.yaml:1:9: `stages` is empty; name at least one\n" },
	{ "nurture.yaml", NULL, "stages: [{name: a}]\nlists: []\n",
		"nurture.yaml:2:8: `lists` is empty; name at least one\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\n",
		"nurture.yaml:4:3: the name has 65 characters; at most 64 are allowed\n" },
	{ "nurture.yaml", "1 per day", "0 per day",
		"nurture.yaml:12:56: `at_most`: `0` is no number for a rate; a whole number of at least 1 stands before `per`\n" },
	{ "nurture.yaml", "1 per day", "1 per moon",
		"nurture.yaml:12:56: `at_most`: \"1 moon\" lacks a unit of time: s, min, h, days, weeks, months or years; a rate "
		"is written like 3 per hour or 2 per 30 days\n" },
	{ "nurture.yaml", "1 per day", "1 per 10 ms", "nurture.yaml:12:56: `at_most`: a rate counts over at least 1 s\n" },
	{ "nurture.yaml", "type: number", "type: nomber",
		"nurture.yaml:4:17: `type`: `nomber` is no choice here; did you mean `number`?\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  email: {type: text}\n",
		"nurture.yaml:4:3: `email` is a name that nurtured has given something already; call the "
		"field otherwise\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  zip-code:\n",
		"nurture.yaml:4:3: `zip-code` could not be told from a subtraction; use _ in names of "
		"fields\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  2nd:\n",
		"nurture.yaml:4:3: `2nd` is no name; a letter comes first, then letters, digits, - and _\n" },
	{ "nurture.yaml", "{type: number}", "{type: number, default: many}",
		"nurture.yaml:4:34: `many` is no number; `seats` holds numbers\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  since: {type: time, default: today}\n",
		"nurture.yaml:4:32: `today` is no time; write it like 2026-11-22T03:21:35Z\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  wants: {type: bool, default: yes}\n",
		"nurture.yaml:4:32: `yes` is neither true nor false; `wants` holds only these\n" },
	{ "nurture.yaml", "  - name: awareness\n", "  - name: awareness\n    when: fit > 3\n",
		"nurture.yaml:8:11: the first stage is where everybody begins; it has neither `when` nor "
		"`until`\n" },
	{ "nurture.yaml", "    when: interest >= 60 or intent == \"pricing\"\n    until: interest < 40\n", "",
		"nurture.yaml:8:5: `when` is missing: nobody would ever reach this stage\n" },
	{ "nurture.yaml", "- name: awareness", "- name: awareness\n  - {name: awareness, when: fit > 3}",
		"nurture.yaml:8:12: there are two stages `awareness`; each has a name of its own\n" },
	{ "nurture.yaml", "{name: looking, at_most", "{name: looking, when: fit > 1, at_most",
		"nurture.yaml:13:27: the last list takes everybody who is left; it has no `when`\n" },
	{ "nurture.yaml", "when: stage == \"decision\", ", "",
		"nurture.yaml:12:5: `when` is missing: this list would take everybody, and none be left for "
		"those below\n" },
	{ "nurture.yaml", "interest >= 60 or intent", "list == 'buying' or intent",
		"nurture.yaml:9:11: `list` is not known yet here: fit is reckoned first, then the stage, "
		"then the list\n" },
	{ "nurture.yaml", "interest < 40", "fit > 3 and stage == 'decision'",
		"nurture.yaml:10:24: `stage` is not known yet here: fit is reckoned first, then the stage, "
		"then the list\n" },
	{ "nurture.yaml", "stage == \"decision\",", "list == \"looking\",",
		"nurture.yaml:12:26: `list` is not known yet here: fit is reckoned first, then the stage, "
		"then the list\n" },
	{ "nurture.yaml", "seats > 10", "score > 10",
		"nurture.yaml:18:39: `score` is not known yet here: fit is reckoned first, then the stage, "
		"then the list\n" },
	{ "nurture.yaml", "stage == \"decision\",", "stage == \"decision\" and stage == \"awareness\",",
		"nurture.yaml:12:26: this condition can never hold; leave it away, or ask something else\n" },
	{ "nurture.yaml", "stage == \"decision\",", "stage >= \"awareness\",",
		"nurture.yaml:12:26: this condition always holds: nobody would be left for the lists "
		"below; leave it away, or ask something else\n" },
	{ "nurture.yaml", "interest >= 60 or intent == \"pricing\"",
		"intent == \"demo\" and intent == \"other\"",
		"nurture.yaml:9:11: this condition can never hold; leave it away, or ask something else\n" },
	{ "nurture.yaml", "1 per day", "one a day",
		"nurture.yaml:12:56: `at_most`: `one a day` is no rate; write it like 3 per hour or 2 per "
		"30 days\n" },
	{ "nurture.yaml", "stage == \"decision\"", "stage == \"desicion\"",
		"nurture.yaml:12:35: stage is never \"desicion\"; did you mean \"decision\"?\n" },
	{ "nurture.yaml", "seats > 10", "seets > 10",
		"nurture.yaml:18:39: unknown name \"seets\"; did you mean \"seats\"?\n" },
	{ "nurture.yaml", "role matches /chief/i and seats > 10", "fit > 3 and seats > 2 or fit > 9",
		"nurture.yaml:18:35: `and` and `or` stand side by side: put the part that belongs together "
		"in ( )\n" },
	{ "nurture.yaml", "interest >= 60 or", ">\n      interest >= 60\n      or visted(\"/x\") or",
		"nurture.yaml:11:10: unknown function \"visted\"; did you mean \"visited\"?\n" },
	{ "nurture.yaml", "event.path == \"/pricing\"", "visited(\"/pricing\", 3 days)",
		"nurture.yaml:22:56: a comma or ) is wanted here, not the end; inside { } YAML ends a bare "
		"expression at a comma or a bracket: write it on a line of its own, or in quotes\n" },
	{ "nurture.yaml", "event.path == \"/pricing\"", "event.path in [\"/a\"]",
		"nurture.yaml:22:52: did not find expected ',' or '}' while parsing a flow mapping; inside "
		"{ } YAML ends a bare expression at a comma or a bracket: write it on a line of its own, "
		"or in quotes\n" },
	{ "nurture.yaml", "    - points: 20\n", "    - points: many\n",
		"nurture.yaml:17:15: `points`: `many` is no number; write it like 15 or 2.5\n" },
	{ "nurture.yaml", "    - points: 20\n", "    - points: 2000\n",
		"nurture.yaml:17:15: `points`: out of bounds; -1000 to 1000 are allowed\n" },
	{ "nurture.yaml", "{on: signup, points: 10}", "{on: signup, points: 10, name: fit-1}",
		"nurture.yaml:15:3: two score rules are called `fit-1`; give one another `name`\n" },
	{ "nurture.yaml", "{on: signup, points: 10}", "{on: open_machine, points: 10}",
		"nurture.yaml:20:12: `open_machine`: what machines do is never scored; name the event "
		"without _machine\n" },
	{ "nurture.yaml", "half_life: 10 days", "half_life: 10 dogs",
		"nurture.yaml:15:14: `half_life`: \"10 dogs\" lacks a unit of time: s, min, h, days, weeks, "
		"months or years\n" },
	{ "nurture.yaml", "[sun]", "[sunday]",
		"nurture.yaml:23:16: `sunday` is no choice here; there are `mon`, `tue`, `wed`, `thu`, "
		"`fri`, `sat` and `sun`\n" },
	{ "nurture.yaml", "[sun]", "[mon, tue, wed, thu, fri, sat, sun]",
		"nurture.yaml:23:15: all seven days are quiet; no mail would ever go out\n" },
	{ "nurture.yaml", "\"19:00\"", "\"07:00\"",
		"nurture.yaml:23:8: `before` is not earlier than `after`; mail goes out between the two, so "
		"nothing ever would\n" },
	{ "nurture.yaml", "\"08:00\"", "8",
		"nurture.yaml:23:30: `before`: `8` is no time of day; write it like \"08:00\"\n" },
	{ "nurture.yaml", "Europe/Berlin", "Europe/Berlyn",
		"nurture.yaml:23:65: there is no time zone `Europe/Berlyn`; write it like Europe/Berlin\n" },
	{ "nurture.yaml", "quiet:", "holidays: [\"25.12.\"]\nquiet:",
		"nurture.yaml:23:12: `25.12.` is no date; write it like \"12-25\" (every year) or 2026-12-25\n" },
	{ "nurture.yaml", "quiet:", "holidays: [2026-02-29]\nquiet:",
		"nurture.yaml:23:12: there is no day `2026-02-29` in the calendar\n" },
	{ "nurture.yaml", "quiet:", "holidays: [\"12-25\", \"12-26\", \"12-25\"]\nquiet:",
		"nurture.yaml:23:30: `12-25` is in `holidays` twice\n" },
	{ "nurture.yaml", "quiet:", "holidays: [{when: fit > 3}]\nquiet:",
		"nurture.yaml:23:12: `on` is missing in a holiday; it is the day: \"12-25\" every year, or "
		"2026-04-03 once\n" },
	{ "nurture.yaml", "quiet:", "holidays: [[\"12-25\"]]\nquiet:",
		"nurture.yaml:23:12: a holiday is a list here; it must be a mapping (`key: value`)\n" },
	{ "nurture.yaml", "quiet:", "holidays:\n  - {on: \"12-25\", when: contry == \"DE\"}\nquiet:",
		"nurture.yaml:24:25: unknown name \"contry\"; a text stands in quotes\n" },
	{ "nurture.yaml", "  half_life", "  grades: {fit: [40, 20], interest: [60, 30, 10]}\n  half_life",
		"nurture.yaml:15:17: `fit` has 2 numbers; a grade has three bounds, like [40, 20, 0]\n" },
	{ "nurture.yaml", "  half_life", "  grades: {fit: [40, 20, 0], interest: [60, 70, 10]}\n  half_life",
		"nurture.yaml:15:45: the bounds of a grade fall: 70 is not below 60\n" },
	{ "nurture.yaml", "  half_life", "  grades: {fit: [40, some, 0], interest: [60, 30, 10]}\n  half_life",
		"nurture.yaml:15:22: `some` is no number; write it like 15 or 2.5\n" },
	{ "nurture.yaml", "  half_life", "  grades: {fit: [40, 20, 0]}\n  half_life",
		"nurture.yaml:15:11: `interest` is missing in `grades`; it is from how much interest on the figure is "
		"1, 2 and 3, like [60, 30, 10]; below it is 4\n" },
	{ "nurture.yaml", "seats > 10", "grade == \"A1\"",
		"nurture.yaml:18:39: unknown name \"grade\"; a text stands in quotes\n" },
	{ "nurture.yaml", "  role:\n", "  role:\n  grade:\n  tags:\n  owner:\n",
		"nurture.yaml:4:3: `grade` is a name that nurtured has given something already; call the field otherwise\n"
		"nurture.yaml:5:3: `tags` is a name that nurtured has given something already; call the field otherwise\n"
		"nurture.yaml:6:3: `owner` is a name that nurtured has given something already; call the field otherwise\n" },
	{ "nurture.yaml", "event.path == \"/pricing\"", "stage == \"decision\"",
		"nurture.yaml:22:38: `stage` is not known yet here: interest is counted first, as the event comes\n" },
	{ "nurture.yaml", "event.path == \"/pricing\"", "score > 3",
		"nurture.yaml:22:38: `score` is not known yet here: interest is counted first, as the event comes\n" },
	{ "nurture.yaml", "interest < 40", "intent < \"demo\"",
		"nurture.yaml:10:19: intent has no order; ask for its values: intent in [\"unsubscribe\", \"legal\"]\n" },
	{ "nurture.yaml", "interest < 40", "tags > 3",
		"nurture.yaml:10:17: tags is a list and 3 is a number: these cannot be compared; for an item "
		"of a list write: contains\n" },
	{ "nurture.yaml", "Europe/Berlin", "Europe/Berlin, default_timezone: UTC",
		"nurture.yaml:23:98: `default_timezone` has no effect: `timezone` is the same for "
		"everybody\n" },
};

/* With a grid. */
static const struct mistake grade_mistakes[] = {
	{ "sales.yaml", "score >= 80", "grade <= \"B2\"",
		"sales.yaml:2:10: grade has no order; ask for its values: grade in [\"A1\", \"A2\"]\n" },
	{ "sales.yaml", "score >= 80", "grade == \"A5\"",
		"sales.yaml:2:13: grade is never \"A5\"; did you mean \"A1\"?\n" },
	{ "sales.yaml", "score >= 80", "grade in [\"A1\", \"E1\"]",
		"sales.yaml:2:20: grade is never \"E1\"; did you mean \"A1\"?\n" },
};

static const struct mistake form_mistakes[] = {
	{ "forms/book.yaml", "download: book.pdf\n", "attach: true\n", "forms/book.yaml:7:9: `attach` has no effect without `download`\n" },
	{ "forms/book.yaml", "download: book.pdf\n", "download: book.pdf\nattach: maybe\n",
		"forms/book.yaml:8:9: `attach`: `maybe` is no choice here; there are `no`, `yes`, `false` and `true`\n" },
	{ "templates/emails/confirm.liquid", "confirm_url", "unsubscribe_url",
		"forms/book.yaml:1:1: the mail `confirm` has no link to confirm with; put {{ confirm_url "
		"}} into it\n" },
	{ "templates/emails/confirm.txt.liquid", NULL, "Hello\n",
		"forms/book.yaml:1:1: the mail `confirm` has no link to confirm with; put {{ confirm_url "
		"}} into its text part\n" },
	{ "templates/emails/confirm.liquid", "subject:", "title:",
		"forms/book.yaml:1:1: there is no mail `confirm` in templates/emails/; a form with "
		"`confirm: double` sends it\n" },
	{ "forms/book.yaml", "[email, first_name, company]", "[email, firstname, company]",
		"forms/book.yaml:2:17: there is no field `firstname` in nurture.yaml; did you mean "
		"`first_name`?\n" },
	{ "forms/book.yaml", "[email, first_name, company]", "[first_name, company]",
		"forms/book.yaml:2:9: `email` is missing in `fields`; without it nobody can be mailed\n" },
	{ "forms/book.yaml", "[email, first_name, company]", "[email, company, company]",
		"forms/book.yaml:2:26: `company` is in `fields` twice\n" },
	{ "forms/book.yaml", "[email, first_name, company]", "[email, company, [role]]",
		"forms/book.yaml:2:26: an item of `fields` is a list here; it must be one text\n" },
	{ "forms/book.yaml", "required: [company]", "required: [role]",
		"forms/book.yaml:3:12: `role` is required and not in `fields`; put it there too\n" },
	{ "forms/book.yaml", "  words: \"Yes, send me the book.\"\n", "",
		"forms/book.yaml:5:3: `words` is missing in `consent`; it is the very words that the person "
		"agrees to; they are kept with the consent\n" },
	{ "forms/book.yaml", "required:", "confirm: triple\nrequired:",
		"forms/book.yaml:3:10: `confirm`: `triple` is no choice here; there are `double` and "
		"`single`\n" },
	{ "forms/book.yaml", "required:", "confirm: single\nconfirm_mail: confirm\nrequired:",
		"forms/book.yaml:4:15: `confirm_mail` has no effect: `confirm` is single\n" },
	{ "forms/book.yaml", "required:", "confirm_mail: confrim\nrequired:",
		"forms/book.yaml:3:15: there is no mail `confrim` in templates/emails/; did you mean "
		"`confirm`?\n" },
	{ "forms/book.yaml", "book.pdf", "boook.pdf",
		"forms/book.yaml:7:11: there is no file files/boook.pdf; put it there\n" },
	{ "forms/book.yaml", "book.pdf", "../nurtured.yaml",
		"forms/book.yaml:7:11: `../nurtured.yaml` is no file name; it is one in files, without a "
		"path\n" },
	{ "forms/book.yaml", "book.pdf", ".book.pdf",
		"forms/book.yaml:7:11: `.book.pdf` is no file name; it is one in files, without a path\n" },
	{ "forms/book.yaml", "www.example.com/thanks", "evil.example/thanks",
		"forms/book.yaml:8:9: `evil.example` is not in `allow_redirect` of `listen` in the "
		"operator's file; add it there\n" },
	{ "forms/book.yaml", "[\"https://www.example.com\"]", "[\"https://www.example.com/\", \"*\"]",
		"forms/book.yaml:9:16: `https://www.example.com/` has a path; an origin ends with its host "
		"or port, like https://www.example.com\n"
		"forms/book.yaml:9:44: `*` is no whole URL; it begins like https://\n" },
	{ "forms/book.yaml", "per_ip: 30 per hour", "per_ip: 30",
		"forms/book.yaml:10:18: `per_ip`: `30` is no rate; write it like 3 per hour or 2 per 30 "
		"days\n" },
	{ "forms/book.yaml", "limits:", "honeypot: company\nlimits:",
		"forms/book.yaml:2:9: `company` is a field and the honeypot too; call the honeypot "
		"otherwise\n" },
	{ "forms/second.yaml", NULL, "form: book\nfields: [email]\nconsent: {purpose: news, words: Yes}\n",
		"forms/second.yaml:1:7: there are two forms `book`; each has a name of its own\n" },
};

static const struct mistake sales_mistakes[] = {
	{ "sales.yaml", "score >= 80", "scor >= 80",
		"sales.yaml:2:4: unknown name \"scor\"; did you mean \"score\"?\n" },
	{ "sales.yaml", "\"demo\"]", "\"demmo\"]",
		"sales.yaml:3:28: intent is never \"demmo\"; did you mean \"demo\"?\n" },
	{ "sales.yaml", "replies_to:", "on_hot: pauze\nreplies_to:",
		"sales.yaml:4:9: `on_hot`: `pauze` is no choice here; did you mean `pause`?\n" },
	{ "sales.yaml", "sales@example.com", "sales",
		"sales.yaml:4:13: `sales`: the email address has no @\n" },
	{ "sales.yaml", "email: ana@example.com, ", "",
		"sales.yaml:6:5: `email` is missing in an owner; it is the mail address that replies of "
		"their leads go to, and that mails `as: owner` are from; before the @ ASCII alone\n" },
	{ "sales.yaml", "name: ben", "name: ana",
		"sales.yaml:7:12: there are two owners `ana`; each has a name of its own\n" },
	{ "sales.yaml", "when: company == \"Acme\"", "when: company == \"Acme\", share: 2",
		"sales.yaml:6:47: an owner has `when` or `share`: leads by a rule, or in turns\n" },
	{ "sales.yaml", "share: 2", "share: 0",
		"sales.yaml:7:48: `share`: out of bounds; 1 to 1000 are allowed\n" },
	{ "sales.yaml", "secret: crm-webhook", "as: standard",
		"sales.yaml:9:5: `secret` is missing: a `standard` alert is signed; name a credential or a "
		"file in secrets/\n" },
	{ "sales.yaml", "secret: crm-webhook", "secret: crm-webhok",
		"sales.yaml:9:56: `secret`: there is no secret `crm-webhok`: neither a credential of that "
		"name nor secrets/crm-webhok; put whsec_ and at least 24 random bytes in base64 there\n" },
	{ "sales.yaml", "secret: crm-webhook", "secret: whsec_AAAA",
		"sales.yaml:9:56: `secret`: a secret does not stand in config: put it in secrets/ beside "
		"this file, or in a credential, and write the name of that\n" },
	{ "sales.yaml", "secret: crm-webhook", "secret: api-key",
		"sales.yaml:9:56: `secret`: the secret does not begin with whsec_; make one with: printf "
		"'whsec_%s' \"$(openssl rand -base64 32)\"\n" },
	{ "sales.yaml", "as: slack", "as: slak",
		"sales.yaml:10:44: there is no template `slak` in alerts/; did you mean `slack`?\n" },
	{ "sales.yaml", "https://chat.example.com/x", "mailto:x",
		"sales.yaml:10:10: `to`: `mailto:x` is no whole URL; it begins like https://\n" },
	/* last: the good folder has no credentials to put back */
	{ "credentials/crm-webhook", NULL, "whsec_!!!!",
		"sales.yaml:9:56: `secret`: what follows whsec_ in the secret is not base64\n" },
	{ "credentials/crm-webhook", NULL, "whsec_AAAA",
		"sales.yaml:9:56: `secret`: the secret has 3 bytes; it needs 24 to 64\n" },
};

/* what the other files name is there, too */
#define REPLIES(intents) "intents:\n" intents \
	"  - {name: pricing, then: hot, say: [price]}\n  - {name: meeting, then: hot, say: [meet]}\n  - {name: demo, then: hot, say: [demo]}\n"
#define THANKS "  - {name: thanks, then: go_on, say: [thanks]}\n"

static const struct mistake replies_mistakes[] = {
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: gone, say: [thanks]}\n"),
		"replies.yaml:2:26: `then`: `gone` is no choice here; there are `unsubscribe`, `suppress`, `task`, `hot`, `stop`, `pause`, `review` and `go_on`\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: go_on}\n"),
		"replies.yaml:2:5: `say` is missing in an intent; it is patterns; one that matches is enough\n" },
	{ "replies.yaml", NULL, REPLIES(THANKS THANKS),
		"replies.yaml:3:12: there are two intents `thanks`; each has a name of its own\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: other, then: go_on, say: [thanks]}\n"),
		"replies.yaml:2:12: `other` is what is none of these; give it another name\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: go_on, say: ['(thanks']}\n"),
		"replies.yaml:2:39: this pattern does not compile: missing closing parenthesis, before ``\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: go_on, say: [thanks], unless: ['a{2,1}']}\n"),
		"replies.yaml:2:57: this pattern does not compile: numbers out of order in {} quantifier, before `})(?!\\w)`\n" },
	{ "replies.yaml", NULL, "words: {month: may}\n" REPLIES("  - {name: thanks, then: go_on, say: ['in {mont}']}\n"),
		"replies.yaml:3:39: `{mont}` is no entry of `words`; name it there, or write \\{ for the brace\n" },
	{ "replies.yaml", NULL, "words: {a: '{b}', b: '{a}'}\n" REPLIES("  - {name: thanks, then: go_on, say: ['{a}']}\n"),
		"replies.yaml:3:39: `{a}` is no entry of `words` that ends\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks}}\n" REPLIES("  - {name: thanks, then: go_on, means: [thank/tank]}\n"),
		"replies.yaml:3:41: `tank` is no meaning of the `vocabulary`; give it words there\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank .me']}\n"),
		"replies.yaml:3:41: `.me`: put a space on both sides of `.`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank. me']}\n"),
		"replies.yaml:3:41: `thank.`: put a space on both sides of `.`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank>me']}\n"),
		"replies.yaml:3:41: `thank>me`: put a space on both sides of `>`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['!me']}\n"),
		"replies.yaml:3:41: only what may not be there is named; put a meaning that must be before it, as in `remove !thing`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank . !me']}\n"),
		"replies.yaml:3:41: only what may not be there is named; put a meaning that must be before it, as in `remove !thing`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank . ']}\n"),
		"replies.yaml:3:41: a meaning is missing; a form is meanings, as in `remove me`, and `.` stands between two of them\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['']}\n"),
		"replies.yaml:3:41: a meaning is missing; a form is meanings, as in `remove me`, and `.` stands between two of them\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank . me . thank']}\n"),
		"replies.yaml:3:41: `.` may be once in a form; make two forms of it\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['me me me me me me me me thank']}\n"),
		"replies.yaml:3:41: `thank`: more than 8 words of a form are not looked for; make two forms of it\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['> me']}\n"),
		"replies.yaml:3:41: `>` stands between two meanings; write `a > b`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank > , me']}\n"),
		"replies.yaml:3:41: `,` stands between two meanings; write `a , b`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank >']}\n"),
		"replies.yaml:3:41: a meaning is missing behind the last `>` or `,`; write `a > b`\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank > !me']}\n"),
		"replies.yaml:3:41: `!me` may be nowhere in the clause; put no `>` and no `,` before it\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank !me/!thank']}\n"),
		"replies.yaml:3:41: `!me/!thank`: one `!` stands before the first of its meanings, and is for all of them\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank =me']}\n"),
		"replies.yaml:3:41: `=me`: `=` stands at the start of a form, or behind its full stop\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['~=thank']}\n"),
		"replies.yaml:3:41: `=thank`: `=` stands at the start of a form, or behind its full stop\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank/']}\n"),
		"replies.yaml:3:41: `thank/`: a meaning is missing; `/` stands between two, `!` before one\n" },
	{ "replies.yaml", NULL, "vocabulary: {en: {thank: thanks, me: me}}\n" REPLIES("  - {name: thanks, then: go_on, means: ['thank !']}\n"),
		"replies.yaml:3:41: `!`: a meaning is missing; `/` stands between two, `!` before one\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: go_on, over: [thank], say: [thanks]}\n"),
		"replies.yaml:2:40: there is no intent `thank`; did you mean `thanks`?\n" },
	{ "replies.yaml", NULL, REPLIES("  - {name: thanks, then: go_on, say: [[thanks]]}\n"),
		"replies.yaml:2:39: a pattern is a list here; it must be one text\n" },
	{ "replies.yaml", NULL, "many: 0\n" REPLIES(THANKS), "replies.yaml:1:7: `many`: out of bounds; 1 to 16 are allowed\n" },
};

static const struct mistake template_mistakes[] = {
	{ "templates/emails/letter.liquid", "{{ unsubscribe_url }}", "",
		"sequences/book.yaml:11:5: the mail `mistakes` has no link to unsubscribe; put {{ "
		"unsubscribe_url }} into it or its layout\n"
		"sequences/second.yaml:5:5: the mail `delivery` has no link to unsubscribe; put {{ "
		"unsubscribe_url }} into it or its layout\n" },
	{ "templates/emails/mistakes.txt.liquid", "{{ unsubscribe_url }}", "",
		"sequences/book.yaml:11:5: the text part of the mail `mistakes` has no link to "
		"unsubscribe; put {{ unsubscribe_url }} into mistakes.txt.liquid\n" },
	{ "templates/emails/delivery.liquid", "<p>Hello {{ first_name }}", "<p>Hello {{ firstname }}",
		"templates/emails/delivery.liquid:6:13: unknown name \"firstname\"; did you mean "
		"\"first_name\"?\n" },
	{ "templates/emails/delivery.liquid", "Your book, {{ first_name }}", "Your book, {{ firstname }}",
		"templates/emails/delivery.liquid:2:24: unknown name \"firstname\"; did you mean "
		"\"first_name\"?\n" },
	{ "templates/emails/delivery.liquid", "<p>Hello {{ first_name }}", "<p>Hello {{ role }}",
		"templates/emails/delivery.liquid:6:13: role may be empty: write {{ role | default: \"...\" "
		"}} or put it inside {% if role %}\n" },
	{ "templates/emails/delivery.liquid", "<p>Hello {{ first_name }}", "<p>{% if role %}Hello",
		"templates/emails/delivery.liquid:6:6: this block has no endif\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: leter",
		"templates/emails/delivery.liquid:4:1: there is no layout \"leter\"\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: ../pages/error",
		"templates/emails/delivery.liquid:4:1: there is no layout \"../pages/error\"\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: parts/letter",
		"templates/emails/delivery.liquid:4:1: there is no layout \"parts/letter\"\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "attach: [book.pdf, none.pdf, ../nurtured.yaml]\nlayout: letter",
		"templates/emails/delivery.liquid:4:1: `attach`: there is no file files/none.pdf; put it there\n"
		"templates/emails/delivery.liquid:4:1: `attach`: `../nurtured.yaml` is no file name; it is one of at most 200 bytes without a path\n" },
	{ "templates/emails/delivery.liquid", "<p>Hello", "<img src=\"logo.png\" alt=\"\"><p>Hello",
		"templates/emails/delivery.liquid:6:11: there is no file templates/emails/logo.png; put it there\n" },
	{ "templates/emails/delivery.liquid", "<p>Hello", "<img src=\"cid:lo go.png\" alt=\"\"><img src='logo.svg' alt=\"\"><p>Hello",
		"templates/emails/delivery.liquid:6:11: `lo go.png` is no URL, and no name of a picture beside the template; those are letters, digits, '.', '-' "
		"and '_'\n"
		"templates/emails/delivery.liquid:6:43: mail programs do not show `logo.svg`; take a .png, .jpg or .gif\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "mode: 1:1\nlayout: letter",
		"templates/emails/delivery.liquid:4:1: `mode`: `1:1` is no choice here; there are `programme` and `one-to-one`\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: letter\ntrack: some",
		"templates/emails/delivery.liquid:5:1: `track`: `some` is no choice here; there are `none`, `clicks` and `all`\n" },
	{ "nurtured.yaml", "relays:", "tracking: {egress: /nowhere.csv}\nrelays:",
		"nurtured.yaml:8:20: `egress`: /nowhere.csv: No such file or directory\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: letter\nfrom: shop",
		"templates/emails/delivery.liquid:5:1: `from`: `shop` is no sender; it names one of `senders` in the operator's file; there is "
		"only `default`\n" },
	{ "templates/emails/delivery.liquid", "layout: letter", "layout: letter\ntopic: news",
		"templates/emails/delivery.liquid:5:1: there is no topic `news` in nurture.yaml; it has no `topics`\n" },
	{ "nurture.yaml", "quiet:", "topics:\n  - {name: news, title: News}\nquiet:",
		"nurture.yaml:24:12: no mail and no sequence is of the topic `news`: whoever subscribes to it would get nothing; name it in the "
		"front matter of a mail, or take it out\n" },
	{ "nurture.yaml", "quiet:", "topics:\n  - {name: news, title: News, languages: {german: {title: x}}}\n  - {name: news, title: News}\nquiet:",
		"nurture.yaml:24:12: no mail and no sequence is of the topic `news`: whoever subscribes to it would get nothing; name it in the "
		"front matter of a mail, or take it out\n"
		"nurture.yaml:24:43: `german` is no language; write it like de or de-AT\n"
		"nurture.yaml:25:12: there are two topics `news`; each has a name of its own\n" },
	{ "nurture.yaml", "quiet:", "language: english-1\nquiet:",
		"nurture.yaml:23:11: `english-1` is no language; write it like en or de-AT\n" },
	{ "forms/book.yaml", "download:", "topics: [news]\ndownload:",
		"forms/book.yaml:7:10: there is no topic `news` in nurture.yaml; it has no `topics`\n" },
	{ "forms/book.yaml", "download:", "topics: []\ndownload:",
		"forms/book.yaml:7:9: `topics` is empty: a sign-up would subscribe to nothing; name one, or leave it away\n" },
	{ "forms/book.yaml", "words:", "basis: implied-inquiry\n  words:",
		"forms/book.yaml:6:10: who confirms has said yes, which is no `implied-inquiry` consent; leave `basis` away, or write "
		"`confirm: single`\n" },
	{ "sequences/book.yaml", "list: looking", "list: looking\ntopic: news",
		"sequences/book.yaml:3:8: there is no topic `news` in nurture.yaml; it has no `topics`\n" },
	{ "templates/emails/letter.liquid", "{{ sender.company }}", "{{ sneder.company }}",
		"templates/emails/letter.liquid:1:32: unknown name \"sneder\"; did you mean \"sender\"?\n" },
	{ "templates/emails/mistakes.txt.liquid", "Compare:", "{{ compare }}",
		"templates/emails/mistakes.txt.liquid:1:4: unknown name \"compare\"; did you mean "
		"\"company\"?\n" },
	{ "templates/emails/mistakes.liquid", "subject:", "title:",
		"sequences/book.yaml:11:22: there is no mail `mistakes` in templates/emails/; there are "
		"`confirm` and `delivery`\n"
		"sequences/book.yaml:12:24: there is no mail `mistakes` in templates/emails/; there are "
		"`confirm` and `delivery`\n"
		"sequences/book.yaml:19:19: there is no mail `mistakes` in templates/emails/; there are "
		"`confirm` and `delivery`\n" },
	{ "templates/pages/thanks.liquid", NULL, NULL,
		"templates/pages/thanks.liquid:1:1: there is no such template; nurtured needs it\n" },
	{ "templates/pages/thanks.liquid", "title", "titel",
		"templates/pages/thanks.liquid:1:8: unknown name \"titel\"; did you mean \"title\"?\n" },
	{ "templates/pages/extra.liquid", NULL, "---\ntitle: x\n---\n{{ titel }}\n",
		"templates/pages/extra.liquid:4:4: unknown name \"titel\"; did you mean \"title\"?\n" },
	{ "templates/alerts/slack.liquid", "words", "wrods",
		"templates/alerts/slack.liquid:1:14: unknown name \"wrods\"; did you mean \"words\"?\n" },
	{ "templates/alerts/forward.liquid", NULL, NULL,
		"templates/alerts/forward.liquid:1:1: there is no such template; nurtured needs it\n" },
	{ "templates/alerts/forward.liquid", "{{ words }}", "{{ wrods }}",
		"templates/alerts/forward.liquid:4:4: unknown name \"wrods\"; did you mean \"words\"?\n" },
};

static void test_operator(void **state)
{
	try_mistakes(operator_mistakes, COUNT(operator_mistakes));
}

static void test_nurture(void **state)
{
	try_mistakes(nurture_mistakes, COUNT(nurture_mistakes));
}

static void test_grades(void **state)
{
	struct conf c;

	conf_init(&c);
	conf_edit(&c, "nurture.yaml", "  half_life", "  grades: {fit: [40, 20, 0], interest: [60, 30, 10]}\n  half_life");
	try_mistakes_in(&c, grade_mistakes, COUNT(grade_mistakes));
	conf_clear(&c);
}

static void test_forms(void **state)
{
	try_mistakes(form_mistakes, COUNT(form_mistakes));
}

static void test_templates(void **state)
{
	try_mistakes(template_mistakes, COUNT(template_mistakes));
}

static void test_replies(void **state)
{
	try_mistakes(replies_mistakes, COUNT(replies_mistakes));
}

static void test_sales(void **state)
{
	try_mistakes(sales_mistakes, COUNT(sales_mistakes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_nurture),
		cmocka_unit_test(test_grades),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_sales),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
