/*
 * sales.c: sales.yaml: who is hot, who gets them, and where the alert goes.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "sales.h"
#include "targets.h"

static const char *const hot_choices[] = { "pause", "stop", "go_on", NULL };

struct owner_keys {
	const struct yaml_node *name, *email, *when;
	const char *full_name;
	int share;
};

static const struct key owner_keys[] = {
	{ ROW(KEY_NODE, owner_keys, name), .required = true, .help = "their name" },
	{ ROW(KEY_NODE, owner_keys, email), .required = true,
		.help = "the mail address that replies of their leads go to, and that mails `as: owner` are from; before the @ ASCII alone" },
	{ ROW(KEY_TEXT, owner_keys, full_name), .fallback_help = "the name",
		.help = "who mails `as: owner` are from" },
	{ ROW(KEY_EXPRESSION, owner_keys, when), .fallback_help = "takes turns",
		.help = "whose leads are theirs; the first owner whose `when` holds" },
	{ ROW(KEY_INT, owner_keys, share), .fallback_help = "1", .least = 1, .most = 1000,
		.help = "how many leads at each turn, compared with the others" },
	NO_KEY,
};
static const struct key_table owner_table = { "an owner", "A person in sales.", owner_keys };

struct alert_keys {
	const char *to;
	const struct yaml_node *as, *secret;
};

static const struct key alert_keys[] = {
	{ ROW(KEY_URL, alert_keys, to), .required = true, .choices = targets_schemes,
		.help = "where it is posted" },
	{ ROW(KEY_NODE, alert_keys, as), .fallback_help = "standard",
		.help = "standard (Standard Webhooks), slack, or a template of yours in alerts/" },
	{ ROW(KEY_NODE, alert_keys, secret), .fallback_help = "none; `standard` needs one",
		.help = "the key it is signed with: the name of a credential, or of a file in secrets/ "
			"beside this file" },
	NO_KEY,
};
static const struct key_table alert_table = { "an alert", "Where the news of a hot lead goes.", alert_keys };

struct sales_keys {
	const struct yaml_node *hot, *replies_to, *owners, *alerts;
	int64_t cooldown;
	int on_hot;
};

static const struct key sales_keys[] = {
	{ ROW(KEY_EXPRESSION, sales_keys, hot), .fallback_help = "nobody ever is",
		.help = "who is hot: acts when it becomes true" },
	{ ROW(KEY_DURATION, sales_keys, cooldown), .fallback = "14 days", .least = US_MINUTE,
		.most = 3650 * US_DAY, .help = "after which the same person can become hot again" },
	{ ROW(KEY_CHOICE, sales_keys, on_hot), .fallback = "pause", .choices = hot_choices,
		.help = "what happens to the person's sequences" },
	{ ROW(KEY_NODE, sales_keys, replies_to), .fallback_help = "nobody",
		.help = "who gets the replies of people who have no owner" },
	{ ROW(KEY_LIST, sales_keys, owners), .table = &owner_table, .help = "the people in sales" },
	{ ROW(KEY_LIST, sales_keys, alerts), .table = &alert_table,
		.help = "where the news of a hot lead goes" },
	NO_KEY,
};
const struct key_table sales_table = { "sales.yaml", "Who is hot, who gets them, and where the alert goes.",
	sales_keys };

/* The address in lower-case A-labels; NULL after a complaint. */
static const char *take_address(struct load *l, const struct yaml_node *node)
{
	struct address address;
	struct err err;

	if (!node)
		return NULL;
	if (address_parse(node->text, &address, &err)) {
		complain(l, node, "`%s`: %s", node->text, err.text);
		return NULL;
	}
	if (address_has_letters(&address)) {
		complain(l, node, "`%s`: the part before the @ must be ASCII, as mail is sent from it, too", node->text);
		return NULL;
	}
	return arena_strdup(l->arena, address.text);
}

static void load_owners(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct owner *owners = arena_calloc(l->arena, n + 1, sizeof(*owners));

	for (size_t i = 0; i < n; i++) {
		struct owner_keys keys = { 0 };

		keys_read(l, list->items[i], &owner_table, &keys);
		owners[i].name =
			keys.name && keys_name(l, keys.name) ? arena_strdup(l->arena, keys.name->text) : "";
		for (size_t k = 0; k < i && keys.name; k++) {
			if (!strcmp(owners[k].name, keys.name->text))
				complain(l, keys.name,
					"there are two owners `%s`; each has a name of its own",
					keys.name->text);
		}
		owners[i].full_name = keys.full_name ? keys.full_name : owners[i].name;
		owners[i].email = take_address(l, keys.email);
		load_expression(l, keys.when, 0, &owners[i].when);
		owners[i].share = keys.share ? keys.share : keys.when ? 0 : 1;
		if (keys.when && keys.share)
			complain(
				l, keys.when, "an owner has `when` or `share`: leads by a rule, or in turns");
	}
	l->plan->sales.owners = owners;
	l->plan->sales.owner_count = n;
}

static void load_alert(struct load *l, const struct yaml_node *map, struct alert_target *alert)
{
	struct alert_keys keys = { 0 };

	keys_read(l, map, &alert_table, &keys);
	targets_fill(l, map, "a `standard` alert", keys.to, keys.as, keys.secret, alert);
}

static void load_alerts(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct alert_target *alerts = arena_calloc(l->arena, n + 1, sizeof(*alerts));

	for (size_t i = 0; i < n; i++)
		load_alert(l, list->items[i], &alerts[i]);
	l->plan->sales.alerts = alerts;
	l->plan->sales.alert_count = n;
}

void sales_load(struct load *l)
{
	struct sales *sales = &l->plan->sales;
	struct sales_keys keys = { 0 };

	keys_read(l, load_file(l, "sales.yaml", true), &sales_table, &keys);
	load_expression(l, keys.hot, 0, &sales->hot);
	sales->cooldown = keys.cooldown;
	sales->on_hot = (enum on_hot)keys.on_hot;
	sales->replies_to = take_address(l, keys.replies_to);
	load_owners(l, keys.owners);
	load_alerts(l, keys.alerts);
}
