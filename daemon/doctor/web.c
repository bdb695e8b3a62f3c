/*
 * web.c: what links in mails begin with: does the world find it, over TLS, and is it us who answer?
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/text.h"

#include "peer.h"

static void answered(struct doctor *d, struct peer *p, const char *url)
{
	struct findings *f = &d->findings;
	int days = peer_certificate(p);
	long status = 0;
	char left[64] = "";

	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		findings_add(f, DOCTOR_ERROR, "web", url, "what answers there is not nurtured: /healthz is %ld", status);
		findings_next(f, "does nginx or Caddy hand all paths on to `listen`, and does the daemon run?");
		return;
	}
	if (days >= 0)
		snprintf(left, sizeof(left), ", certificate for %d more days", days);
	findings_add(f, DOCTOR_OK, "web", url, "it answers%s", left);
}

static void look_url(struct doctor *d, const char *url)
{
	struct findings *f = &d->findings;
	const char *ca = d->wish.ca_file ? d->wish.ca_file : "/etc/ssl/certs/ca-certificates.crt";
	char *health;
	struct peer p;
	CURLcode code;

	if (findings_has(f, "web", url))
		return;
	health = xasprintf("%s/healthz", url);
	if (peer_init(&p, d, "web", url, health, ca) == 0) {
		curl_easy_setopt(p.easy, CURLOPT_PROTOCOLS_STR, "http,https");
		code = curl_easy_perform(p.easy);
		if (code == CURLE_OK)
			answered(d, &p, url);
		else
			peer_failed(&p, code);
	}
	peer_clear(&p);
	free(health);
	if (!text_starts_with(url, "https://")) {
		findings_add(f, DOCTOR_WARNING, "web.tls", url, "links in mails begin with http://: browsers warn of it, and mail programs do not post to it to unsubscribe");
		findings_next(f, "put nginx or Caddy with a certificate in front, and write https://");
	}
}

/* A link to a stranger's domain looks like a forgery. */
static void look_host(struct doctor *d, const struct sender_config *s)
{
	struct findings *f = &d->findings;
	struct names_list list;
	struct place place;
	size_t i;
	bool public = false;
	struct err err;
	int rc;

	if (place_of(s->tracking_url, &place) < 0)
		return;
	if (!findings_has(f, "web.dns", place.host)) {
		rc = names_addresses(d->names, place.host, &list, &err);
		for (i = 0; i < list.count; i++)
			public |= !names_private(list.items[i]);
		if (rc <= 0) {
			if (rc == 0)
				err_set(&err, "%s is not in DNS: no link in a mail works", place.host);
			findings_add(f, DOCTOR_ERROR, "web.dns", place.host, "%s", err.text);
			findings_next(f, "make an A record of %s that names the machine in front of nurtured", place.host);
		} else if (!public) {
			findings_add(f, DOCTOR_NOTE, "web.dns", place.host, "its address is of this machine or network: others cannot follow links");
		} else {
			findings_add(f, DOCTOR_OK, "web.dns", place.host, "%s", list.items[0]);
		}
		if (strchr(place.host, '.') && rc > 0 && public) {
			char *organisation = xstrdup(address_registrable(s->message_domain));

			if (strcmp(organisation, address_registrable(place.host)) != 0) {
				findings_add(f, DOCTOR_NOTE, "web.dns", place.host, "links are of another domain than From (%s), which filters dislike", s->message_domain);
				findings_next(f, "give the sender a tracking_url below %s", organisation);
			}
			free(organisation);
		}
		names_list_clear(&list);
	}
	place_clear(&place);
}

void web_look(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->operator->sender_count; i++) {
		look_host(d, &d->operator->senders[i]);
		look_url(d, d->operator->senders[i].tracking_url);
	}
	look_url(d, d->operator->listen.public_url);
}
