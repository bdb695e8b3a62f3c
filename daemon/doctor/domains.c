/*
 * domains.c: what DNS says of the domains that mail is from, comes back to, and links to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"

#include "inside.h"
#include "records.h"
#include "spf.h"

#define LOOKUPS_MAX 10	/* RFC 7208 4.6.4 */
#define VOIDS_MAX 2

/* What of a sender is needed at several places. */
struct from {
	const struct sender_config *sender;
	bool owner;			/* the domain is that of somebody in sales, as whom the sender's mails go */
	const char *domain, *organisation;
	struct dmarc_record dmarc;	/* valid if found */
	bool dmarc_found;
};

static bool same_organisation(const char *a, const char *b)
{
	return !strcmp(address_registrable(a), address_registrable(b));
}

/* --- SPF ------------------------------------------------------------------------------------------------------------ */

static void judge_spf(struct doctor *d, const char *domain, const struct spf_whole *spf)
{
	struct findings *f = &d->findings;
	bool good = false;

	if (spf->lookups > LOOKUPS_MAX) {
		findings_add(f, DOCTOR_ERROR, "spf", domain, "it takes %d DNS lookups, %d are allowed: receivers count it as no SPF", spf->lookups, LOOKUPS_MAX);
		findings_next(f, "take `include`s out that nobody sends through any more, or replace them by ip4: and ip6:");
	} else if (spf->voids > VOIDS_MAX) {
		findings_add(f, DOCTOR_ERROR, "spf", domain, "%d of the names in it are not in DNS, %d are allowed: receivers count it as no SPF", spf->voids, VOIDS_MAX);
		findings_next(f, "take the names out that are gone");
	} else if (spf->all == '+') {
		findings_add(f, DOCTOR_ERROR, "spf", domain, "it ends in +all: everybody may send in its name");
		findings_next(f, "end it in -all, or in ~all while you find out who sends");
	} else {
		good = true;
	}
	findings_fact(f, FACT_SPF, good);
	if (good && spf->all != '-' && spf->all != '~') {
		findings_add(f, DOCTOR_WARNING, "spf", domain, "%s: others may send in its name", spf->all ? "it ends in ?all, which says nothing of them" : "it has no `all` at its end");
		findings_next(f, "end it in -all, or in ~all while you find out who sends");
	} else if (good) {
		findings_add(f, DOCTOR_OK, "spf", domain, "one record, %d DNS lookups, ends in %call", spf->lookups, spf->all);
	}
	if (good && spf->after_all) {
		findings_add(f, DOCTOR_WARNING, "spf", domain, "what stands behind `all` in it is not read");
		findings_next(f, "move `all` to its end");
	}
}

static void judge_spf_relay(struct doctor *d, const char *domain, const struct spf_whole *spf)
{
	struct findings *f = &d->findings;

	if (d->relays.count == 0) {
		findings_add(f, DOCTOR_NOTE, "spf.relay", domain, "by which address the relay sends cannot be told from here");
		findings_next(f, "nurturectl doctor --probe tells what a receiver makes of it");
	} else if (spf->covers) {
		findings_add(f, DOCTOR_OK, "spf.relay", domain, "it lets the relay send (%s)", d->relays.items[0]);
	} else {
		findings_add(f, DOCTOR_WARNING, "spf.relay", domain, "it does not name the address of the relay, %s", d->relays.items[0]);
		findings_next(f, "add what your relay's pages tell to `include`, or ip4:%s; if it sends by other addresses, the Authentication-Results of a mail of yours tell them", d->relays.items[0]);
	}
}

static void look_spf(struct doctor *d, const char *domain)
{
	struct findings *f = &d->findings;
	struct spf_whole spf;
	struct err err;

	if (findings_has(f, "spf", domain))
		return;
	switch (spf_look(d->names, domain, &d->relays, &spf, &err)) {
	case SPF_UNTOLD:
		findings_add(f, DOCTOR_WARNING, "spf", domain, "%s", err.text);
		findings_next(f, "look again later; if it stays, ask who runs the DNS of %s", domain);
		return;
	case SPF_NONE:
		findings_add(f, DOCTOR_ERROR, "spf", domain, "it has no SPF record, and return paths are there");
		findings_next(f, "make a TXT record of %s: v=spf1 include:... -all, with what your relay tells you to include", domain);
		findings_fact(f, FACT_SPF, false);
		return;
	case SPF_SEVERAL:
		findings_add(f, DOCTOR_ERROR, "spf", domain, "it has several SPF records: receivers count them as none");
		findings_next(f, "make one of them, with all the terms before one `all`");
		findings_fact(f, FACT_SPF, false);
		return;
	case SPF_BROKEN:
		findings_add(f, DOCTOR_ERROR, "spf", domain, "its SPF record is wrong: %s", err.text);
		findings_next(f, "mend it: a wrong record counts as none");
		findings_fact(f, FACT_SPF, false);
		return;
	case SPF_FOUND:
		judge_spf(d, domain, &spf);
		judge_spf_relay(d, domain, &spf);
		return;
	}
}

/* --- DMARC ---------------------------------------------------------------------------------------------------------- */

/* 1, 0 none, -1 nobody could tell, -2 several, -3 wrong */
static int fetch_dmarc(struct doctor *d, const char *domain, struct dmarc_record *out, struct err *err)
{
	char *name = xasprintf("_dmarc.%s", domain);
	struct names_list texts;
	const char *text = NULL;
	int rc = names_txt(d->names, name, &texts, err);
	size_t i, count = 0;

	for (i = 0; i < texts.count; i++) {
		if (!dmarc_is(texts.items[i]))
			continue;
		text = texts.items[i];
		count++;
	}
	if (rc >= 0)
		rc = count > 1 ? -2 : count == 0 ? 0 : dmarc_parse(text, out, err) < 0 ? -3 : 1;
	names_list_clear(&texts);
	free(name);
	return rc;
}

bool domains_aligned(struct doctor *d, const char *from, const char *signer)
{
	struct dmarc_record r = { 0 };

	if (fetch_dmarc(d, from, &r, NULL) == 0 && fetch_dmarc(d, address_registrable(from), &r, NULL) != 1)
		r.strict_dkim = false;
	return r.strict_dkim ? !strcmp(from, signer) : same_organisation(from, signer);
}

static void judge_dmarc(struct doctor *d, const struct from *from, bool inherited)
{
	struct findings *f = &d->findings;
	const struct dmarc_record *r = &from->dmarc;
	enum dmarc_policy policy = inherited ? r->subdomains : r->policy;

	findings_fact(f, FACT_DMARC, true);
	if (policy == DMARC_NONE) {
		findings_add(f, DOCTOR_NOTE, "dmarc", from->domain, "p=none: receivers report forgeries and deliver them");
		findings_next(f, "when the reports are clean, go to p=quarantine");
	} else {
		findings_add(f, DOCTOR_OK, "dmarc", from->domain, "p=%s%s", dmarc_policy_names[policy], inherited ? ", of the domain above it" : "");
	}
	if (r->percent < 100 && policy != DMARC_NONE)
		findings_add(f, DOCTOR_NOTE, "dmarc", from->domain, "pct=%d: for the others the policy is one step milder", r->percent);
	if (!r->reports[0]) {
		findings_add(f, DOCTOR_WARNING, "dmarc.reports", from->domain, "no address for reports: nobody learns who sends in its name");
		findings_next(f, "add rua=mailto:dmarc@%s", from->organisation);
	} else if (strncmp(r->reports, "mailto:", 7) != 0) {
		findings_add(f, DOCTOR_WARNING, "dmarc.reports", from->domain, "rua is no mailto: address, and no receiver reports to others");
		findings_next(f, "write rua=mailto:dmarc@%s", from->organisation);
	} else {
		findings_add(f, DOCTOR_OK, "dmarc.reports", from->domain, "reports go to %s", r->reports + 7);
	}
}

static void look_dmarc(struct doctor *d, struct from *from)
{
	struct findings *f = &d->findings;
	bool seen = findings_has(f, "dmarc", from->domain), inherited = false;
	struct err err;
	int rc = fetch_dmarc(d, from->domain, &from->dmarc, &err);

	if (rc == 0 && strcmp(from->domain, from->organisation) != 0) {
		rc = fetch_dmarc(d, from->organisation, &from->dmarc, &err);
		inherited = true;
	}
	from->dmarc_found = rc == 1;
	if (seen)
		return;
	if (rc == 1) {
		judge_dmarc(d, from, inherited);
		return;
	}
	if (rc == -1) {
		findings_add(f, DOCTOR_WARNING, "dmarc", from->domain, "%s", err.text);
		findings_next(f, "look again later; if it stays, ask who runs the DNS of %s", from->domain);
		return;
	}
	findings_fact(f, FACT_DMARC, false);
	if (rc == 0)
		findings_add(f, DOCTOR_ERROR, "dmarc", from->domain, "there is no DMARC record, and Gmail, Yahoo and Microsoft insist on one");
	else if (rc == -2)
		findings_add(f, DOCTOR_ERROR, "dmarc", from->domain, "there are several DMARC records: receivers count them as none");
	else
		findings_add(f, DOCTOR_ERROR, "dmarc", from->domain, "its DMARC record is wrong: %s", err.text);
	findings_next(f, "have one TXT record of _dmarc.%s: v=DMARC1; p=none; rua=mailto:dmarc@%s", from->domain, from->organisation);
}

/* --- DKIM ----------------------------------------------------------------------------------------------------------- */

int domains_fetch_dkim(struct doctor *d, const char *selector, const char *domain, struct dkim_key *out, struct err *err)
{
	char *name = xasprintf("%s._domainkey.%s", selector, domain);
	struct names_list texts;
	const char *text = NULL;
	int rc = names_txt(d->names, name, &texts, err);
	size_t i, count = 0;

	for (i = 0; i < texts.count; i++) {
		if (!dkim_is(texts.items[i]))
			continue;
		text = texts.items[i];
		count++;
	}
	if (rc >= 0)
		rc = count > 1 ? -2 : count == 0 ? 0 : dkim_parse(text, out, err) < 0 ? -3 : 1;
	names_list_clear(&texts);
	free(name);
	return rc;
}

static void judge_key(struct doctor *d, const char *about, const struct dkim_key *key)
{
	struct findings *f = &d->findings;

	findings_fact(f, FACT_DKIM, key->bits && !key->testing && (key->ed25519 || key->bits >= 1024));
	if (!key->bits) {
		findings_add(f, DOCTOR_ERROR, "dkim", about, "the key was revoked: p is empty");
		findings_next(f, "publish the key that the relay signs with, or name its selector in dkim_selectors");
	} else if (key->testing) {
		findings_add(f, DOCTOR_ERROR, "dkim", about, "it says t=y, a test: receivers treat mail signed with it as unsigned");
		findings_next(f, "take t=y out");
	} else if (!key->ed25519 && key->bits < 1024) {
		findings_add(f, DOCTOR_ERROR, "dkim", about, "its RSA key has %d bits; receivers take none below 1024", key->bits);
		findings_next(f, "have the relay make a key of 2048 bits, under a new selector");
	} else if (!key->ed25519 && key->bits < 2048) {
		findings_add(f, DOCTOR_WARNING, "dkim", about, "its RSA key has %d bits, which is weak", key->bits);
		findings_next(f, "have the relay make a key of 2048 bits, under a new selector");
	} else if (key->ed25519) {
		findings_add(f, DOCTOR_NOTE, "dkim", about, "an ed25519 key: Gmail and Microsoft do not check such a signature");
		findings_next(f, "sign with an RSA key of 2048 bits besides");
	} else {
		findings_add(f, DOCTOR_OK, "dkim", about, "an RSA key of %d bits", key->bits);
	}
}

static void look_selector(struct doctor *d, const struct from *from, const char *selector)
{
	struct findings *f = &d->findings;
	char *about = xasprintf("%s._domainkey.%s", selector, from->domain);
	struct dkim_key key;
	struct err err;
	int rc;

	if (findings_has(f, "dkim", about)) {
		free(about);
		return;
	}
	rc = domains_fetch_dkim(d, selector, from->domain, &key, &err);
	if (rc == 0 && strcmp(from->domain, from->organisation) != 0)
		rc = domains_fetch_dkim(d, selector, from->organisation, &key, &err);
	if (rc == 1) {
		judge_key(d, about, &key);
	} else if (rc == -1) {
		findings_add(f, DOCTOR_WARNING, "dkim", about, "%s", err.text);
		findings_next(f, "look again later; if it stays, ask who runs the DNS of %s", from->domain);
	} else {
		findings_fact(f, FACT_DKIM, false);
		if (rc == -3)
			err_prefix(&err, "the key is wrong");
		findings_add(f, DOCTOR_ERROR, "dkim", about, "%s", rc == 0 ? "there is no key" : rc == -2 ? "there are several keys under one selector" : err.text);
		findings_next(f, "publish there, as one TXT record, what your relay gives you");
	}
	free(about);
}

static void look_dkim(struct doctor *d, const struct from *from)
{
	struct findings *f = &d->findings;
	const char *const *s = from->sender->dkim_selectors;

	for (; s && *s; s++)
		look_selector(d, from, *s);
	if ((s && s != from->sender->dkim_selectors) || findings_has(f, "dkim", from->domain))
		return;
	if (from->owner) {
		findings_add(f, DOCTOR_NOTE, "dkim", from->domain, "whether the relay signs for it, too, cannot be told from DNS alone");
		findings_next(f, "a signature of %s does not count for it: let the relay sign with d=%s, and name the selector in `dkim_selectors` of the sender",
			from->sender->message_domain, from->domain);
		return;
	}
	findings_add(f, DOCTOR_NOTE, "dkim", from->domain, "which key the relay signs with cannot be told from DNS alone");
	findings_next(f, "nurturectl doctor --probe tells; name its selector in `dkim_selectors` of the sender");
}

/* --- where mail comes back to, what links lead to ------------------------------------------------------------------- */

static bool resolves(struct doctor *d, const char *host)
{
	struct names_list list;
	bool found = names_addresses(d->names, host, &list, NULL) > 0;

	names_list_clear(&list);
	return found;
}

static void look_mx(struct doctor *d, const char *domain, const char *what)
{
	struct findings *f = &d->findings;
	struct names_list hosts;
	struct err err;
	size_t i = 0;
	int rc;

	if (findings_has(f, "mx", domain))
		return;
	rc = names_mx(d->names, domain, &hosts, &err);
	while (i < hosts.count && !resolves(d, hosts.items[i]))
		i++;
	if (rc < 0) {
		findings_add(f, DOCTOR_WARNING, "mx", domain, "%s", err.text);
		findings_next(f, "look again later; if it stays, ask who runs the DNS of %s", domain);
	} else if (rc == 0 && resolves(d, domain)) {
		findings_add(f, DOCTOR_WARNING, "mx", domain, "it has no MX: %s go to its own address, and some senders insist on an MX", what);
		findings_next(f, "make an MX record of %s that names the server of the mailbox", domain);
	} else if (rc == 0 || !strcmp(hosts.items[0], ".")) {
		findings_add(f, DOCTOR_ERROR, "mx", domain, "%s: %s are lost", rc ? "its MX says that it takes no mail" : "it has neither MX nor address", what);
		findings_next(f, "make an MX record of %s that names the server of the mailbox", domain);
	} else if (i == hosts.count) {
		findings_add(f, DOCTOR_ERROR, "mx", domain, "none of its MX has an address (%s): %s are lost", hosts.items[0], what);
		findings_next(f, "mend the name, or make an A record of it");
	} else {
		findings_add(f, DOCTOR_OK, "mx", domain, "%s go to %s", what, hosts.items[i]);
	}
	names_list_clear(&hosts);
}

static void look_alignment(struct doctor *d, const struct from *from)
{
	struct findings *f = &d->findings;
	const char *bounce = from->sender->bounce_domain;
	bool strict = from->dmarc_found && from->dmarc.strict_spf;
	bool aligned = strict ? !strcmp(bounce, from->domain) : same_organisation(bounce, from->domain);

	if (findings_has(f, "alignment", from->domain))
		return;
	if (aligned) {
		findings_fact(f, FACT_ALIGNED, true);
		findings_add(f, DOCTOR_OK, "alignment", from->domain, "return paths at %s count for From", bounce);
	} else {
		findings_add(f, DOCTOR_WARNING, "alignment", from->domain, "return paths at %s do not count for From%s: DMARC rests on DKIM alone", bounce,
			strict ? " (aspf=s)" : "");
		if (strict)
			findings_next(f, "take aspf=s out of the DMARC record");
		else if (from->owner)
			findings_next(f, "let the relay sign with d=%s, or give the owner an address at %s", from->domain, from->sender->message_domain);
		else
			findings_next(f, "let bounce_domain be below %s", from->organisation);
	}
}

/* --- who mails are from ----------------------------------------------------------------------------------------------- */

/* DNS of the domain that From names. */
static void look_from(struct doctor *d, const struct sender_config *sender, const char *domain, bool owner)
{
	struct from from = { .sender = sender, .owner = owner, .domain = domain };
	char *organisation = xstrdup(address_registrable(domain));

	from.organisation = organisation;
	look_dmarc(d, &from);
	/* of an owner: the sender's own signature will do, if it counts */
	if (!owner || !domains_aligned(d, domain, sender->message_domain))
		look_dkim(d, &from);
	look_alignment(d, &from);
	free(organisation);
}

/* What a step sends by that sender; NULL. */
static const struct mail_template *mail_of_step(const struct step *step, size_t sender)
{
	size_t i;

	if (step->kind == STEP_SEND && step->mail->sender == sender)
		return step->mail;
	for (i = 0; step->kind == STEP_TEST && i < step->arm_count; i++)
		if (step->arms[i].mail->sender == sender)
			return step->arms[i].mail;
	return NULL;
}

const struct mail_template *doctor_mail_of(const struct plan *plan, size_t sender, bool as_owner)
{
	const struct mail_template *mail;
	size_t i;
	int k;

	for (i = 0; i < plan->sequence_count; i++) {
		const struct sequence *s = &plan->sequences[i];

		for (k = 0; k < s->step_count; k++) {
			mail = mail_of_step(&s->steps[k], sender);
			if (mail && (!as_owner || s->steps[k].as_owner || s->one_to_one || mail->one_to_one))
				return mail;
		}
	}
	for (i = 0; !as_owner && i < plan->mail_count; i++)
		if (plan->mails[i].sender == sender)
			return &plan->mails[i];
	return NULL;
}

static void look_owners(struct doctor *d, size_t at)
{
	const struct sender_config *sender = &d->operator->senders[at];
	const struct sales *sales = &d->wish.plan->sales;
	size_t i;

	if (!doctor_mail_of(d->wish.plan, at, true))
		return;
	for (i = 0; i < sales->owner_count; i++) {
		const struct owner *owner = &sales->owners[i];

		findings_add(&d->findings, DOCTOR_OK, "owner", owner->email, "mails of %s go as from them, too", sender->from.text);
		look_from(d, sender, strrchr(owner->email, '@') + 1, true);
	}
}

void domains_look(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->operator->sender_count; i++) {
		const struct sender_config *s = &d->operator->senders[i];

		look_spf(d, s->bounce_domain);
		look_from(d, s, s->message_domain, false);
		look_owners(d, i);
		look_mx(d, s->bounce_domain, "bounces");
		look_mx(d, s->reply_domain, "replies");
	}
}
