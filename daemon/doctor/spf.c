/*
 * spf.c: see spf.h. All of the tree is walked, whatever matches first, so that the lookups are those of the worst case.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "spf.h"

#define DEPTH_MAX 12
#define LOOKUPS_MOST 60	/* more is not counted: it is wrong by far */

struct walk {
	struct names *names;
	const struct names_list *addresses;
	struct spf_whole *out;
};

/* How one got to a domain: how deep, whether its `+` lets somebody send, whether its `all` is that of the whole. */
struct way {
	int depth;
	bool counts, top;
};

static enum spf_found walk_domain(struct walk *w, const char *domain, struct way way, struct err *err);

static void cover(struct walk *w, const struct spf_term *t, const struct names_list *named)
{
	size_t i, k;

	for (i = 0; i < w->addresses->count; i++)
		for (k = 0; k < named->count; k++)
			w->out->covers |= spf_covers(named->items[k], w->addresses->items[i], t->bits4, t->bits6);
}

static int walk_hosts(struct walk *w, const struct spf_term *t, const char *domain, bool counts, struct err *err)
{
	struct names_list hosts = { 0 }, named;
	int rc = t->kind == SPF_MX ? names_mx(w->names, domain, &hosts, err) : names_addresses(w->names, domain, &hosts, err);
	size_t i;

	if (rc == 0)
		w->out->voids++;
	for (i = 0; rc > 0 && counts && t->kind == SPF_MX && i < hosts.count && i < 10; i++) {
		if (names_addresses(w->names, hosts.items[i], &named, err) > 0)
			cover(w, t, &named);
		names_list_clear(&named);
	}
	if (rc > 0 && counts && t->kind == SPF_A)
		cover(w, t, &hosts);
	names_list_clear(&hosts);
	return rc < 0 ? -1 : 0;
}

static enum spf_found walk_term(struct walk *w, const struct spf_term *t, const char *domain, struct way way, struct err *err)
{
	const char *target = t->domain[0] ? t->domain : domain;
	bool counts = way.counts && t->qualifier == '+';
	size_t i;

	switch (t->kind) {
	case SPF_ALL:
		return SPF_FOUND;
	case SPF_IP4: case SPF_IP6:
		for (i = 0; counts && i < w->addresses->count; i++)
			w->out->covers |= spf_term_covers(t, w->addresses->items[i]);
		return SPF_FOUND;
	case SPF_PTR: case SPF_EXISTS:
		w->out->lookups++;
		return SPF_FOUND;
	case SPF_A: case SPF_MX:
		w->out->lookups++;
		return t->macro || walk_hosts(w, t, target, counts, err) == 0 ? SPF_FOUND : SPF_UNTOLD;
	case SPF_INCLUDE: case SPF_REDIRECT:
		w->out->lookups++;
		return t->macro ? SPF_FOUND : walk_domain(w, target, (struct way){ way.depth + 1, counts, way.top && t->kind == SPF_REDIRECT }, err);
	}
	return SPF_FOUND;
}

/* The one SPF record of a domain. */
static enum spf_found fetch(struct names *names, const char *domain, struct spf_record *out, struct err *err)
{
	struct names_list texts;
	enum spf_found found = SPF_NONE;
	const char *text = NULL;
	int rc = names_txt(names, domain, &texts, err);
	size_t i, count = 0;

	for (i = 0; i < texts.count; i++) {
		if (!spf_is(texts.items[i]))
			continue;
		text = texts.items[i];
		count++;
	}
	if (rc < 0)
		found = SPF_UNTOLD;
	else if (count > 1)
		found = SPF_SEVERAL;
	else if (count == 1)
		found = spf_parse(text, out, err) < 0 ? SPF_BROKEN : SPF_FOUND;
	names_list_clear(&texts);
	return found;
}

/* A record inside of another, which has to be there. */
static enum spf_found inner(enum spf_found found, const char *domain, struct err *err)
{
	if (found == SPF_NONE)
		err_set(err, "it names %s, which has no SPF record", domain);
	else if (found == SPF_SEVERAL)
		err_set(err, "it names %s, which has several SPF records", domain);
	else if (found == SPF_BROKEN)
		err_prefix(err, "it names %s, whose SPF record is wrong", domain);
	return found == SPF_UNTOLD || found == SPF_FOUND ? found : SPF_BROKEN;
}

static enum spf_found walk_domain(struct walk *w, const char *domain, struct way way, struct err *err)
{
	struct spf_record *r = xmalloc(sizeof(*r));
	enum spf_found found = fetch(w->names, domain, r, err), under;
	size_t i;

	if (way.depth > 0)
		found = inner(found, domain, err);
	if (way.top && found == SPF_FOUND) {
		w->out->all = r->all;
		w->out->after_all = r->after_all;
	}
	for (i = 0; found == SPF_FOUND && i < r->count && w->out->lookups < LOOKUPS_MOST && way.depth < DEPTH_MAX; i++) {
		/* redirect counts only where there is no `all` */
		if (r->terms[i].kind == SPF_REDIRECT && r->all)
			continue;
		under = walk_term(w, &r->terms[i], domain, way, err);
		if (under != SPF_FOUND)
			found = under;
	}
	free(r);
	return found;
}

enum spf_found spf_look(struct names *names, const char *domain, const struct names_list *addresses, struct spf_whole *out, struct err *err)
{
	struct walk w = { .names = names, .addresses = addresses, .out = out };

	memset(out, 0, sizeof(*out));
	return walk_domain(&w, domain, (struct way){ 0, true, true }, err);
}
