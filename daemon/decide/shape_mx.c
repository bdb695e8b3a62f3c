/*
 * shape_mx.c: whose mail servers take the mail of a domain of its own: company.com at Google is mailed at Google's rate. What DNS said lies in the
 * store; what was used lately is here, in a table of fixed size where a domain may push out another. Nobody waits for DNS but a mail that nobody
 * awaits, to a domain that was never asked for, and for some seconds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "shape_parts.h"

#define MX_SLOTS 16384
#define ASKED_FOR US_MINUTE	/* then it is asked again, if no answer has come */

struct mx_slot {
	uint64_t domain;		/* its hash */
	int64_t until;
	uint16_t rule;			/* from 1; 0: it is nobody's */
	bool asked;			/* and not answered yet */
};

/* By the names of servers, for domains that are in no list of a provider's own; the order is that of looking. */
static const struct mx_rule known_mx[] = {
	{ "google.com", "gmail" }, { "googlemail.com", "gmail" }, { "olc.protection.outlook.com", "microsoft" },
	{ "mail.protection.outlook.com", "microsoft-365" }, { "mx.microsoft", "microsoft-365" }, { "yahoodns.net", "yahoo" },
	{ "mail.icloud.com", "icloud" }, { "pphosted.com", "proofpoint" }, { "ppe-hosted.com", "proofpoint" }, { "gpphosted.com", "proofpoint" },
	{ "mimecast.com", "mimecast" }, { "mimecast.co.za", "mimecast" }, { "messagelabs.com", "messagelabs" }, { "iphmx.com", "cisco" },
	{ "barracudanetworks.com", "barracuda" }, { "trendmicro.com", "trendmicro" }, { "trendmicro.eu", "trendmicro" },
	{ "hornetsecurity.com", "hornetsecurity" }, { "antispameurope.com", "hornetsecurity" }, { "retarus.com", "retarus" },
	{ "gmx.net", "gmx" }, { "kundenserver.de", "ionos" }, { "perfora.net", "ionos" }, { "ionos.com", "ionos" }, { "rzone.de", "strato" },
	{ "t-online.de", "t-online" }, { "secureserver.net", "godaddy" }, { "emailsrvr.com", "rackspace" }, { "messagingengine.com", "fastmail" },
	{ "zoho.com", "zoho" }, { "zoho.eu", "zoho" }, { "zoho.in", "zoho" }, { "protonmail.ch", "proton" }, { "yandex.net", "yandex" },
	{ "yandex.ru", "yandex" }, { "mail.ru", "mail-ru" }, { "qq.com", "qq" }, { "mxhichina.com", "alibaba" }, { "ovh.net", "ovh" },
	{ "gandi.net", "gandi" }, { "hostedemail.com", "opensrs" }, { "registrar-servers.com", "namecheap" }, { "one.com", "one" },
	{ "infomaniak.ch", "infomaniak" }, { "aruba.it", "aruba" }, { "home.pl", "home-pl" }, { "seznam.cz", "seznam" },
};

static uint64_t hash_of(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h ? h : 1;
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_of_rules(const struct shape *s)
{
	struct buf text = BUF_INIT;
	uint64_t hash;
	size_t i;

	for (i = 0; i < s->mx_rule_count; i++)
		buf_printf(&text, "%s %s\n", s->mx_rules[i].suffix, s->mx_rules[i].group);
	hash = hash_of(buf_cstr(&text));
	buf_clear(&text);
	return hash;
}

void shape_use_mx(struct shape *s)
{
	size_t count = sizeof(known_mx) / sizeof(known_mx[0]), i, k;
	struct mx_rule *rules;
	uint64_t hash;

	for (i = 0; i < s->config.group_count; i++)
		for (k = 0; s->config.groups[i].mx[k]; k++)
			count++;
	rules = arena_calloc(s->arena, count, sizeof(*rules));
	s->mx_rules = rules;
	s->mx_rule_count = count;
	for (i = 0; i < s->config.group_count; i++)
		for (k = 0; s->config.groups[i].mx[k]; k++)
			*rules++ = (struct mx_rule){ s->config.groups[i].mx[k], s->config.groups[i].name };
	memcpy(rules, known_mx, sizeof(known_mx));
	hash = hash_of_rules(s);
	if (hash != s->mx_hash && s->mx_slots)	/* what they said is read again from the store */
		memset(s->mx_slots, 0, MX_SLOTS * sizeof(*s->mx_slots));
	s->mx_hash = hash;
}

/* Is the host that, or one below it? */
static bool is_below(const char *host, const char *suffix)
{
	size_t n = strlen(host), m = strlen(suffix);

	return n >= m && strcmp(host + n - m, suffix) == 0 && (n == m || host[n - m - 1] == '.');
}

static uint16_t rule_of(const struct shape *s, const char *host)
{
	size_t i;

	for (i = 0; i < s->mx_rule_count; i++)
		if (is_below(host, s->mx_rules[i].suffix))
			return (uint16_t)(i + 1);
	return 0;
}

/* --- what is known ------------------------------------------------------------------------------------------------- */

static struct mx_slot *slot_of(const struct shape *s, const char *domain, uint64_t *hash_out)
{
	*hash_out = hash_of(domain);
	return s->mx_slots ? &s->mx_slots[*hash_out % MX_SLOTS] : NULL;
}

static struct mx_slot *find(const struct shape *s, const char *domain)
{
	uint64_t hash;
	struct mx_slot *slot = slot_of(s, domain, &hash);

	return slot && slot->domain == hash ? slot : NULL;
}

static struct mx_slot *make(struct shape *s, const char *domain)
{
	uint64_t hash;
	struct mx_slot *slot;

	if (!s->mx_slots)
		s->mx_slots = xcalloc(MX_SLOTS, sizeof(*s->mx_slots));
	slot = slot_of(s, domain, &hash);
	if (slot->domain != hash)
		*slot = (struct mx_slot){ .domain = hash };
	return slot;
}

const char *shape_mx_group(const struct shape *s, const char *domain)
{
	const struct mx_slot *slot = find(s, domain);

	return slot && slot->rule ? s->mx_rules[slot->rule - 1].group : NULL;
}

void shape_learn(struct shape *s, const struct mx_host *h)
{
	struct mx_slot *slot = make(s, h->domain);

	slot->rule = rule_of(s, h->host);
	slot->until = h->until;
	slot->asked = false;
}

/* 1 it will be asked, 0 too many are already. */
static int ask(struct shape *s, struct db *db, const char *domain, int64_t now)
{
	struct mx_slot *slot;

	if (s->wanted_count == MX_WANTED)
		return 0;
	slot = make(s, domain);
	slot->asked = true;
	slot->until = now + ASKED_FOR;
	s->wanted[s->wanted_count++] = xstrdup(domain);
	db_after_commit(db, s->on_wanted, s->on_wanted_arg);
	return 1;
}

static int recall(struct shape *s, struct db *db, const char *domain, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct mx_host host;
	int found = mx_hosts_find(db, domain, arena, &host, err);

	if (found == 1)
		shape_learn(s, &host);
	arena_free(&arena);
	return found;
}

int shape_know(struct shape *s, struct db *db, const char *domain, int64_t now, struct err *err)
{
	struct mx_slot *slot;
	int found;

	if (!s->on_wanted || s->config.off || s->config.no_mx || !shape_has_mx(s, domain))
		return 1;
	slot = find(s, domain);
	if (slot && slot->until > now)
		return !slot->asked;
	found = slot && !slot->asked ? 1 : recall(s, db, domain, err);
	if (found < 0)
		return -1;
	slot = find(s, domain);
	if (found && slot->until > now)
		return 1;
	/* what was true is used until there is something newer */
	return !ask(s, db, domain, now) || found;
}

size_t shape_take_wanted(struct shape *s, char *out[MX_WANTED])
{
	size_t count = s->wanted_count;

	memcpy(out, s->wanted, count * sizeof(*out));
	s->wanted_count = 0;
	return count;
}

void shape_on_wanted(struct shape *s, void (*fn)(void *arg), void *arg)
{
	s->on_wanted = fn;
	s->on_wanted_arg = arg;
}

void shape_clear_mx(struct shape *s)
{
	while (s->wanted_count)
		free(s->wanted[--s->wanted_count]);
	free(s->mx_slots);
}
