/*
 * shape.c: `shape` of the operator's file: how fast each mailbox provider is mailed, and how much goes out of a sender's domain in a day.
 */
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/mx.h"
#include "base/zone.h"

#include "scalar.h"
#include "shape.h"

#define PER_SECOND_MOST 10000	/* beyond that a rate is none */

static const char *const switch_choices[] = { "on", "off", NULL };

static const struct key group_keys[] = {
	{ ROW(KEY_NAME, shape_group, name), .required = true, .help = "its name in reports, metrics and reasons" },
	{ ROW(KEY_TEXTS, shape_group, domains), .fallback_help = "none", .help = "domains of recipients, as they are registered: gmail.com" },
	{ ROW(KEY_TEXTS, shape_group, mx), .fallback_help = "none",
		.help = "hosts that take the mail of other domains (MX), and all hosts below them: mail.protection.outlook.com" },
	{ ROW(KEY_RATE, shape_group, rate), .required = true, .help = "how fast they are mailed, all together" },
	{ ROW(KEY_INT, shape_group, burst), .fallback = "5", .least = 1, .most = 10000, .help = "how many go out at once after a while without any" },
	NO_KEY,
};
static const struct key_table group_table = { "a group", "Recipients that are mailed at one rate.", group_keys };

struct warm_up_keys {
	const struct yaml_node *since;
	int first;
};

static const struct key warm_up_keys[] = {
	{ ROW(KEY_NODE, warm_up_keys, since), .required = true, .help = "its first day: 2026-12-01" },
	{ ROW(KEY_INT, warm_up_keys, first), .fallback = "50", .least = 1, .most = 100000,
		.help = "mails of the first day; each day may see twice as many as the day before, unless they bounce or bring complaints" },
	NO_KEY,
};
static const struct key_table warm_up_table = { "`warm_up`", "A sending domain that is not known yet.", warm_up_keys };

struct shape_sender_keys {
	const char *domain;
	int per_day;
	const struct yaml_node *warm_up;
};

static const struct key shape_sender_keys[] = {
	{ ROW(KEY_HOST, shape_sender_keys, domain), .required = true, .help = "the domain of From" },
	{ ROW(KEY_INT, shape_sender_keys, per_day), .fallback_help = "no limit", .least = 1, .most = 100000000, .help = "mails a day, at most" },
	{ ROW(KEY_MAP, shape_sender_keys, warm_up), .table = &warm_up_table, .fallback_help = "none", .help = "begin with few and send more every day" },
	NO_KEY,
};
static const struct key_table sender_table = { "a sender's domain", "How much goes out in its name.", shape_sender_keys };

struct shape_keys {
	int limits;
	struct rate providers, others;
	int provider_burst, other_burst;
	int mx;
	const struct yaml_node *resolver, *groups, *senders;
};

static const struct key shape_keys[] = {
	{ ROW(KEY_CHOICE, shape_keys, limits), .fallback = "on", .choices = switch_choices,
		.help = "off: nothing here holds back a mail" },
	{ ROW(KEY_RATE, shape_keys, providers), .fallback = "2 per second",
		.help = "how fast each of the large mailbox providers is mailed (gmail, microsoft, yahoo, icloud, gmx, ...)" },
	{ ROW(KEY_INT, shape_keys, provider_burst), .fallback = "5", .least = 1, .most = 10000,
		.help = "how many go to one of them at once after a while without any" },
	{ ROW(KEY_RATE, shape_keys, others), .fallback = "20 per second",
		.help = "how fast any other domain is mailed; names that nobody can register, such as example.com and .test, have no limit" },
	{ ROW(KEY_INT, shape_keys, other_burst), .fallback = "100", .least = 1, .most = 10000, .help = "and how many at once" },
	{ ROW(KEY_CHOICE, shape_keys, mx), .fallback = "on", .choices = switch_choices,
		.help = "on: a domain whose mail a provider's servers take (its MX, in DNS) is mailed at that provider's rate" },
	{ ROW(KEY_NODE, shape_keys, resolver), .fallback_help = "as /etc/resolv.conf says",
		.help = "the DNS server that is asked for it: an IPv4 address, with a port if it is not 53" },
	{ ROW(KEY_LIST, shape_keys, groups), .table = &group_table, .help = "groups of your own; a provider's name gives that another rate" },
	{ ROW(KEY_LIST, shape_keys, senders), .table = &sender_table, .help = "how much goes out in the name of a domain" },
	NO_KEY,
};
const struct key_table shape_table = { "`shape`", "How fast mail goes out, so that receivers go on taking it.", shape_keys };

static void check_rate(struct load *l, const struct yaml_node *map, const char *key, const struct rate *rate)
{
	if (rate->count / (rate->within / US_SECOND ? rate->within / US_SECOND : 1) > PER_SECOND_MOST)
		complain(l, yaml_get(map, key), "`%s` is more than %d per second; to have no limit there is `limits: off`", key, PER_SECOND_MOST);
}

static bool has_names(const char *const *names)
{
	return names && names[0];
}

/* In lower case and A-labels, as they are compared; those that are no names are left away, after a complaint. */
static const char *const *load_hosts(struct load *l, const struct yaml_node *map, const char *key, const char *const *names)
{
	const char **hosts;
	size_t n = 0, good = 0, i;
	struct err err;

	while (names && names[n])
		n++;
	hosts = arena_calloc(l->arena, n + 1, sizeof(*hosts));
	for (i = 0; i < n; i++) {
		if (scalar_host(l->arena, names[i], &hosts[good], &err) < 0)
			complain(l, yaml_get(map, key), "`%s`: %s", key, err.text);
		else
			good++;
	}
	return hosts;
}

static void load_groups(struct load *l, const struct yaml_node *list)
{
	struct shape_config *c = &l->plan->operator.shape;
	size_t n = list ? list->count : 0;
	struct shape_group *groups = arena_calloc(l->arena, n + 1, sizeof(*groups));

	for (size_t i = 0; i < n; i++) {
		keys_read(l, list->items[i], &group_table, &groups[i]);
		if (!groups[i].name)
			groups[i].name = "";
		if (!has_names(groups[i].domains) && !has_names(groups[i].mx))
			complain(l, list->items[i], "the group `%s` has neither `domains` nor `mx`; nobody is in it", groups[i].name);
		groups[i].domains = load_hosts(l, list->items[i], "domains", groups[i].domains);
		groups[i].mx = load_hosts(l, list->items[i], "mx", groups[i].mx);
		check_rate(l, list->items[i], "rate", &groups[i].rate);
		for (size_t k = 0; k < i; k++)
			if (*groups[i].name && !strcmp(groups[k].name, groups[i].name))
				complain(l, list->items[i], "there are two groups `%s`; each has a name of its own", groups[i].name);
	}
	c->groups = groups;
	c->group_count = n;
}

static void load_warm_up(struct load *l, const struct yaml_node *map, struct shape_sender *sender)
{
	struct warm_up_keys keys = { 0 };
	int year, month, day;
	struct err err;

	if (!map)
		return;
	keys_read(l, map, &warm_up_table, &keys);
	sender->warm_up = true;
	sender->first = keys.first;
	if (!keys.since)
		return;
	if (scalar_date(keys.since->text, false, &year, &month, &day, &err))
		complain(l, keys.since, "`since`: %s", err.text);
	else
		sender->since = zone_instant(zone_find("UTC"), year, month, day, 0, 0, 0) / US_DAY;
}

static void load_senders(struct load *l, const struct yaml_node *list)
{
	struct shape_config *c = &l->plan->operator.shape;
	size_t n = list ? list->count : 0;
	struct shape_sender *senders = arena_calloc(l->arena, n + 1, sizeof(*senders));

	for (size_t i = 0; i < n; i++) {
		struct shape_sender_keys keys = { 0 };

		keys_read(l, list->items[i], &sender_table, &keys);
		senders[i] = (struct shape_sender){ .domain = keys.domain ? keys.domain : "", .per_day = keys.per_day };
		load_warm_up(l, keys.warm_up, &senders[i]);
		if (*senders[i].domain && !keys.per_day && !keys.warm_up)
			complain(l, list->items[i], "the sender's domain `%s` has neither `per_day` nor `warm_up`; without them it has no limit", keys.domain);
	}
	c->senders = senders;
	c->sender_count = n;
}

void shape_load(struct load *l, const struct yaml_node *map)
{
	struct shape_config *c = &l->plan->operator.shape;
	struct shape_keys keys = { 0 };
	struct err err;

	keys_read(l, map, &shape_table, &keys);
	*c = (struct shape_config){ .off = keys.limits == 1, .provider = keys.providers, .provider_burst = keys.provider_burst,
		.other = keys.others, .other_burst = keys.other_burst };
	if (map) {
		check_rate(l, map, "providers", &c->provider);
		check_rate(l, map, "others", &c->other);
	}
	c->no_mx = keys.mx == 1;
	if (keys.resolver && mx_check_resolver(keys.resolver->text, &err) < 0)
		complain(l, keys.resolver, "`resolver`: %s", err.text);
	else if (keys.resolver)
		c->resolver = arena_strdup(l->arena, keys.resolver->text);
	load_groups(l, keys.groups);
	load_senders(l, keys.senders);
}
