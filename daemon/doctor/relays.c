/*
 * relays.c: does each relay take our mail: name, TLS, login, and what it can do; and what the world finds under its address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#include "peer.h"
#include "records.h"

/* --- addresses ------------------------------------------------------------------------------------------------------ */

static void add_public(struct names_list *to, const struct names_list *from)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		if (names_private(from->items[i]))
			continue;
		to->items = xreallocarray(to->items, to->count + 1, sizeof(*to->items));
		to->items[to->count++] = xstrdup(from->items[i]);
	}
}

void relays_find(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->operator->relay_count; i++) {
		struct names_list list;
		struct place place;

		if (place_of(d->operator->relays[i].url, &place) < 0)
			continue;
		if (names_addresses(d->names, place.host, &list, NULL) > 0)
			add_public(&d->relays, &list);
		names_list_clear(&list);
		place_clear(&place);
	}
}

/* Does the name lead back to the address? */
static bool leads_back(struct doctor *d, const char *name, const char *ip)
{
	struct names_list list;
	bool same = false;
	size_t i;

	if (names_addresses(d->names, name, &list, NULL) > 0)
		for (i = 0; i < list.count; i++)
			same |= spf_covers(list.items[i], ip, 32, 128);
	names_list_clear(&list);
	return same;
}

void relays_look_reverse(struct doctor *d, const char *ip)
{
	struct findings *f = &d->findings;
	struct names_list list;
	struct err err;
	int rc;

	if (findings_has(f, "reverse", ip))
		return;
	rc = names_ptr(d->names, ip, &list, &err);
	if (rc < 0) {
		findings_add(f, DOCTOR_WARNING, "reverse", ip, "%s", err.text);
		findings_next(f, "look again later");
	} else if (rc == 0) {
		findings_fact(f, FACT_PTR, false);
		findings_add(f, DOCTOR_ERROR, "reverse", ip, "the relay's address has no name in DNS: Gmail refuses such mail");
		findings_next(f, "have whom the address is from set its PTR record to the relay's name");
	} else if (!leads_back(d, list.items[0], ip)) {
		findings_fact(f, FACT_PTR, false);
		findings_add(f, DOCTOR_ERROR, "reverse", ip, "its name %s does not lead back to it", list.items[0]);
		findings_next(f, "let %s have %s as its address", list.items[0], ip);
	} else {
		findings_fact(f, FACT_PTR, true);
		findings_add(f, DOCTOR_OK, "reverse", ip, "%s, and back", list.items[0]);
	}
	names_list_clear(&list);
}

/* --- the relay ------------------------------------------------------------------------------------------------------ */

/* "250-SIZE 10240000" of the last EHLO reply; 0: no limit, -1: it names none. */
static int64_t size_limit(const struct peer *p)
{
	const char *at = NULL, *next = buf_cstr(&p->said);
	char number[24] = "";
	int64_t size;

	while ((next = strcasestr(next, "SIZE"))) {
		at = next;
		next += 4;
	}
	if (!at || at[4] != ' ')
		return at ? 0 : -1;
	snprintf(number, sizeof(number), "%.*s", (int)strspn(at + 5, "0123456789"), at + 5);
	return text_int(number, &size) < 0 ? 0 : size;
}

static void judge_abilities(struct doctor *d, const struct peer *p, const struct relay_config *relay)
{
	struct findings *f = &d->findings;
	int64_t size = size_limit(p);

	if (size > 0 && size < d->operator->message.max_size) {
		findings_add(f, DOCTOR_WARNING, "relay.size", relay->name, "it takes mails of %lld bytes at most, and the config allows %lld", (long long)size,
			(long long)d->operator->message.max_size);
		findings_next(f, "let message.max_size be less, or the relay's limit more");
	}
	if (!peer_says(p, "PIPELINING"))
		findings_add(f, DOCTOR_NOTE, "relay.pipelining", relay->name, "no PIPELINING: a mail takes more turns to and fro, so that less go out a second");
	if (!peer_says(p, "DSN"))
		findings_add(f, DOCTOR_NOTE, "relay.dsn", relay->name, "no DSN: bounces are known by their return path alone, which is enough");
	if (!peer_says(p, "8BITMIME"))
		findings_add(f, DOCTOR_NOTE, "relay.8bitmime", relay->name, "no 8BITMIME: mails of nurtured are of 7 bits, nothing follows");
	if (!peer_says(p, "SMTPUTF8"))
		findings_add(f, DOCTOR_NOTE, "relay.smtputf8", relay->name, "no SMTPUTF8: addresses with letters outside of ASCII before the @ cannot be mailed to");
}

static void say_goodbye(struct peer *p)
{
	size_t n;

	/* whether it hears it is no matter: the connection is closed next */
	if (curl_easy_send(p->easy, "QUIT\r\n", 6, &n) != CURLE_OK)
		n = 0;
}

static void taken(struct doctor *d, struct peer *p, const struct relay_config *relay)
{
	struct findings *f = &d->findings;
	bool tls = relay->tls != TLS_NONE;
	int days = tls ? peer_certificate(p) : -1;
	char left[64] = "";

	if (days >= 0)
		snprintf(left, sizeof(left), ", certificate for %d more days", days);
	findings_add(f, DOCTOR_OK, "relay", relay->name, "%s port %d: %s%s%s", p->place.host, p->place.port, tls ? "TLS verified" : "without TLS, on this machine",
		relay->user ? ", login taken" : ", no login", left);
	if (tls)
		findings_fact(f, FACT_TLS, true);
	judge_abilities(d, p, relay);
	say_goodbye(p);
}

static void look_relay(struct doctor *d, const struct relay_config *relay)
{
	char *url = relay->ehlo ? xasprintf("%s/%s", relay->url, relay->ehlo) : xstrdup(relay->url);
	struct peer p;
	CURLcode code;

	if (peer_init(&p, d, "relay", relay->name, url, relay->ca_file) == 0) {
		curl_easy_setopt(p.easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
		curl_easy_setopt(p.easy, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(p.easy, CURLOPT_USE_SSL, (long)(relay->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
		if (relay->user) {
			curl_easy_setopt(p.easy, CURLOPT_USERNAME, relay->user);
			curl_easy_setopt(p.easy, CURLOPT_PASSWORD, relay->password);
		}
		code = curl_easy_perform(p.easy);
		/* libcurl goes on without a login where none is offered */
		if (relay->user && !peer_says(&p, "AUTH") && (code == CURLE_OK || code == CURLE_LOGIN_DENIED)) {
			findings_add(&d->findings, DOCTOR_ERROR, "relay", relay->name, "%s offers no login at port %d", p.place.host, p.place.port);
			findings_next(&d->findings, "use its port for submission, 587 or 465, or leave user and password out");
		} else if (code == CURLE_OK) {
			taken(d, &p, relay);
		} else {
			peer_failed(&p, code);
			if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CONNECT_ERROR)
				findings_fact(&d->findings, FACT_TLS, false);
		}
	}
	peer_clear(&p);
	free(url);
}

void relays_look(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->operator->relay_count; i++)
		look_relay(d, &d->operator->relays[i]);
	for (i = 0; i < d->relays.count; i++)
		relays_look_reverse(d, d->relays.items[i]);
	if (d->relays.count == 0) {
		findings_add(&d->findings, DOCTOR_NOTE, "reverse", "relay", "the address by which it sends cannot be told from here: it is on this machine, or not in DNS");
		findings_next(&d->findings, "nurturectl doctor --probe finds it, if its mail leaves this machine");
	}
}
