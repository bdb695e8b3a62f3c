/*
 * shape_group.c: to which group of recipients a domain belongs: a provider's, by its name or by its MX (shape_mx.c), or its own; and how fast each goes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"

#include "shape_parts.h"

/* With the domains of a country: the first label of what is registered. */
static const struct { const char *label, *group; } families[] = {
	{ "outlook", "microsoft" }, { "hotmail", "microsoft" }, { "live", "microsoft" }, { "msn", "microsoft" }, { "yahoo", "yahoo" },
};

static const struct { const char *domain, *group; } known[] = {
	{ "gmail.com", "gmail" }, { "googlemail.com", "gmail" },
	{ "passport.com", "microsoft" }, { "windowslive.com", "microsoft" },
	{ "aol.com", "yahoo" }, { "aol.de", "yahoo" }, { "aol.co.uk", "yahoo" }, { "aol.fr", "yahoo" }, { "aim.com", "yahoo" }, { "ymail.com", "yahoo" },
	{ "rocketmail.com", "yahoo" }, { "myyahoo.com", "yahoo" }, { "verizon.net", "yahoo" }, { "netscape.net", "yahoo" },
	{ "icloud.com", "icloud" }, { "me.com", "icloud" }, { "mac.com", "icloud" },
	{ "gmx.de", "gmx" }, { "gmx.net", "gmx" }, { "gmx.at", "gmx" }, { "gmx.ch", "gmx" }, { "gmx.com", "gmx" }, { "gmx.fr", "gmx" }, { "gmx.us", "gmx" },
	{ "gmx.co.uk", "gmx" }, { "gmx.info", "gmx" }, { "gmx.org", "gmx" }, { "gmx.biz", "gmx" }, { "gmx.eu", "gmx" }, { "web.de", "gmx" },
	{ "mail.com", "gmx" }, { "email.de", "gmx" }, { "caramail.com", "gmx" },
	{ "mail.ru", "mail-ru" }, { "bk.ru", "mail-ru" }, { "inbox.ru", "mail-ru" }, { "list.ru", "mail-ru" }, { "internet.ru", "mail-ru" },
	{ "yandex.ru", "yandex" }, { "yandex.com", "yandex" }, { "ya.ru", "yandex" }, { "yandex.by", "yandex" }, { "yandex.kz", "yandex" },
	{ "t-online.de", "t-online" }, { "magenta.de", "t-online" }, { "freenet.de", "freenet" },
	{ "orange.fr", "orange" }, { "wanadoo.fr", "orange" }, { "free.fr", "free" }, { "laposte.net", "laposte" }, { "sfr.fr", "sfr" },
	{ "neuf.fr", "sfr" }, { "libero.it", "libero" }, { "virgilio.it", "libero" }, { "iol.it", "libero" }, { "tim.it", "tim" }, { "alice.it", "tim" },
	{ "comcast.net", "comcast" }, { "xfinity.com", "comcast" }, { "att.net", "att" }, { "sbcglobal.net", "att" }, { "bellsouth.net", "att" },
	{ "cox.net", "cox" }, { "btinternet.com", "bt" }, { "btopenworld.com", "bt" }, { "sky.com", "sky" }, { "virginmedia.com", "virgin" },
	{ "ntlworld.com", "virgin" }, { "blueyonder.co.uk", "virgin" }, { "proton.me", "proton" }, { "protonmail.com", "proton" }, { "pm.me", "proton" },
	{ "fastmail.com", "fastmail" }, { "fastmail.fm", "fastmail" }, { "zoho.com", "zoho" }, { "zohomail.com", "zoho" },
	{ "qq.com", "qq" }, { "foxmail.com", "qq" }, { "163.com", "netease" }, { "126.com", "netease" }, { "yeah.net", "netease" },
	{ "naver.com", "naver" }, { "daum.net", "daum" }, { "hanmail.net", "daum" }, { "bluewin.ch", "bluewin" }, { "seznam.cz", "seznam" },
	{ "wp.pl", "wp" }, { "o2.pl", "wp" }, { "onet.pl", "onet" }, { "interia.pl", "interia" }, { "uol.com.br", "uol" }, { "bol.com.br", "uol" },
	{ "terra.com.br", "terra" },
};

/* RFC 2606 and 6761: nobody's mailbox lies there. */
static bool is_nobodys(const char *domain)
{
	static const char *const ends[] = { ".example", ".test", ".invalid", ".localhost", ".local", ".internal", "example.com", "example.net", "example.org" };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_ends_with(domain, ends[i]))
			return true;
	return !strchr(domain, '.');
}

/* By its name, as it is registered; NULL: it tells nothing. */
static const char *group_by_name(struct shape *s, const char *domain)
{
	const struct shape_domain *d = (const struct shape_domain *)shape_find(&s->domains, domain);
	size_t i, n;

	if (d)
		return d->group;
	n = strcspn(domain, ".");
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strlen(families[i].label) == n && strncmp(families[i].label, domain, n) == 0)
			return families[i].group;
	return NULL;
}

const char *shape_group_name(struct shape *s, const char *domain, bool *provider)
{
	const char *registered = address_registrable(domain), *group = group_by_name(s, registered);

	if (!group)
		group = shape_mx_group(s, domain);
	*provider = group != NULL;
	return group ? group : registered;
}

bool shape_has_mx(struct shape *s, const char *domain)
{
	const char *registered = address_registrable(domain);

	return !is_nobodys(registered) && !group_by_name(s, registered);
}

const struct shape_group *shape_configured(const struct shape *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->config.group_count; i++)
		if (strcmp(s->config.groups[i].name, name) == 0)
			return &s->config.groups[i];
	return NULL;
}

static void set_pace(struct shape *s, struct shape_group_state *g)
{
	const struct shape_group *own = shape_configured(s, g->named.name);
	struct rate rate = own ? own->rate : g->provider ? s->config.provider : s->config.other;

	if (s->config.off)
		rate = (struct rate){ 0 };
	pace_set(&g->pace, rate.count, rate.within, own ? own->burst : g->provider ? s->config.provider_burst : s->config.other_burst);
}

static struct shape_group_state *make_group(struct shape *s, const char *name, bool provider)
{
	struct shape_group_state *g = (struct shape_group_state *)shape_named(&s->groups, name, sizeof(*g));

	g->provider = provider;
	pace_init(&g->pace, 0, 0, 1);
	set_pace(s, g);
	return g;
}

struct shape_group_state *shape_group_named(struct shape *s, const char *name)
{
	struct shape_group_state *g = (struct shape_group_state *)shape_find(&s->groups, name);

	return g ? g : make_group(s, name, !strchr(name, '.'));
}

static void free_group(struct shape_named *n, void *arg)
{
	pace_clear(&((struct shape_group_state *)n)->pace);
	shape_free_named(n, arg);
}

/* A domain that nothing is known of but that it was mailed some time ago. */
static void drop_idle(struct shape_named *n, void *arg)
{
	struct shape_group_state *g = (struct shape_group_state *)n;
	struct shape_table *t = &((struct shape *)arg)->groups;
	int64_t now = clock_now();

	if (g->pace.spent / 1000 > now || g->pace.slow_until || g->pace.places[PACE_OTHERS].last > now || g->pace.places[PACE_FIRST].last > now)
		return;
	shape_take_out(t, n);
	free_group(n, NULL);
}

struct shape_group_state *shape_group_of(struct shape *s, const char *domain)
{
	const char *name;
	struct shape_group_state *g;
	bool provider;

	if (is_nobodys(address_registrable(domain)) && !shape_find(&s->domains, address_registrable(domain)))
		return NULL;
	name = shape_group_name(s, domain, &provider);
	g = (struct shape_group_state *)shape_find(&s->groups, name);
	if (g)
		return g;
	if (s->groups.count > GROUPS_MOST && !shape_has_changes(s))
		shape_each(&s->groups, drop_idle, s);
	return make_group(s, name, provider);
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static void know_domain(struct shape *s, const char *domain, const char *group)
{
	((struct shape_domain *)shape_named(&s->domains, domain, sizeof(struct shape_domain)))->group = group;
}

static void again_pace(struct shape_named *n, void *arg)
{
	set_pace(arg, (struct shape_group_state *)n);
}

void shape_use_groups(struct shape *s)
{
	size_t i, k;

	shape_clear_table(&s->domains, shape_free_named);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		know_domain(s, known[i].domain, known[i].group);
	for (i = 0; i < s->config.group_count; i++)
		for (k = 0; s->config.groups[i].domains[k]; k++)
			know_domain(s, s->config.groups[i].domains[k], s->config.groups[i].name);
	shape_each(&s->groups, again_pace, s);
}

void shape_clear_groups(struct shape *s)
{
	shape_clear_table(&s->groups, free_group);
	shape_clear_table(&s->domains, shape_free_named);
}
