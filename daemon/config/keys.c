/*
 * keys.c: reading a mapping by its table of keys.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "keys.h"
#include "scalar.h"

const char *key_type_name(enum key_type type)
{
	static const char *const names[] = {
		[KEY_TEXT] = "text",
		[KEY_NAME] = "name",
		[KEY_INT] = "whole number",
		[KEY_REAL] = "number",
		[KEY_SIZE] = "size",
		[KEY_DURATION] = "duration",
		[KEY_RATE] = "rate",
		[KEY_PERCENT] = "percentage",
		[KEY_MINUTE] = "time of day",
		[KEY_CHOICE] = "one of",
		[KEY_HOST] = "domain",
		[KEY_PATH] = "path",
		[KEY_URL] = "URL",
		[KEY_SECRET] = "secret",
		[KEY_TEXTS] = "list of texts",
		[KEY_NODE] = "text",
		[KEY_EXPRESSION] = "expression",
		[KEY_MAP] = "mapping",
		[KEY_LIST] = "list",
		[KEY_OTHERS] = "mapping",
		[KEY_TEXT_OR_LIST] = "text or list",
		[KEY_TEXT_OR_MAP] = "text or mapping",
	};

	return names[type];
}

const char *keys_hint(struct load *l, const char *name, const char *const *known)
{
	const char *nearest = text_nearest(name, known);
	struct buf words = BUF_INIT;
	size_t n = 0;

	if (nearest)
		return arena_printf(l->scratch, "; did you mean `%s`?", nearest);
	while (known[n])
		n++;
	if (!n)
		return "; there are none yet";
	if (n > 24)
		return "";
	buf_str(&words, n == 1 ? "; there is only " : "; there are ");
	for (size_t i = 0; i < n; i++)
		buf_printf(&words, "%s`%s`", i == 0 ? "" : i == n - 1 ? " and " : ", ", known[i]);
	const char *hint = arena_strdup(l->scratch, buf_cstr(&words));
	buf_clear(&words);
	return hint;
}

bool keys_expect(struct load *l, const struct yaml_node *node, enum yaml_kind kind, const char *what)
{
	static const char *const kinds[] = {
		[YAML_TEXT] = "one text",
		[YAML_LIST] = "a list",
		[YAML_MAP] = "a mapping (`key: value`)",
	};

	if (node->kind == kind && !yaml_empty(node))
		return true;
	complain(l, node, "%s is %s here; it must be %s", what, yaml_kind_name(node), kinds[kind]);
	return false;
}

bool keys_name(struct load *l, const struct yaml_node *node)
{
	struct err err;

	if (!scalar_name(node->text, &err))
		return true;
	complain(l, node, "%s", err.text);
	return false;
}

/* --- one value -------------------------------------------------------------------------------------------------- */

static int check_bounds(const struct key *key, int64_t value, struct err *err)
{
	struct buf least = BUF_INIT, most = BUF_INIT;

	if ((!key->least && !key->most) || (value >= key->least && value <= key->most))
		return 0;
	scalar_print(key->type, key->least, &least);
	scalar_print(key->type, key->most, &most);
	err_set(err, "out of bounds; %s to %s are allowed", buf_cstr(&least), buf_cstr(&most));
	buf_clear(&least);
	buf_clear(&most);
	return -1;
}

static int set_integer(const struct key *key, const char *text, void *member, struct err *err)
{
	int64_t value;
	int rc = key->type == KEY_DURATION ? text_duration(text, &value, err)
		: key->type == KEY_SIZE	   ? scalar_size(text, &value, err)
					   : scalar_int(text, &value, err);

	if (rc || check_bounds(key, value, err))
		return -1;
	if (key->type == KEY_INT) {
		if (value < INT_MIN || value > INT_MAX)
			return err_set(err, "too large");
		*(int *)member = (int)value;
	} else {
		*(int64_t *)member = value;
	}
	return 0;
}

static int set_real(const struct key *key, const char *text, double *member, struct err *err)
{
	double value;

	if (text_double(text, &value))
		return err_set(err, "`%s` is no number; write it like 15 or 2.5", text);
	if (value < (double)key->least || value > (double)key->most)
		return err_set(err, "out of bounds; %lld to %lld are allowed", (long long)key->least,
			(long long)key->most);
	*member = value;
	return 0;
}

static int set_percent(const struct key *key, const char *text, double *member, struct err *err)
{
	double value;

	if (scalar_percent(text, &value, err))
		return -1;
	if (value * 100 < (double)key->least || value * 100 > (double)key->most)
		return err_set(err, "out of bounds; %lld%% to %lld%% are allowed", (long long)key->least,
			(long long)key->most);
	*member = value;
	return 0;
}

static int set_choice(struct load *l, const struct key *key, const char *text, int *member, struct err *err)
{
	for (int i = 0; key->choices[i]; i++) {
		if (!strcmp(key->choices[i], text)) {
			*member = i;
			return 0;
		}
	}
	return err_set(err, "`%s` is no choice here%s", text, keys_hint(l, text, key->choices));
}

static int set_text(
	struct load *l, const struct key *key, const char *text, const char **member, struct err *err)
{
	if (!*text)
		return err_set(err, "it is empty; write something, or leave the key away");
	if (text_has_control(text, strlen(text)))
		return err_set(err, "there is a control character in it; take it out");
	if (key->type == KEY_NAME && scalar_name(text, err))
		return -1;
	if (key->type == KEY_HOST)
		return scalar_host(l->arena, text, member, err);
	if (key->type == KEY_PATH)
		return scalar_path(l->arena, l->folder, text, member, err);
	if (key->type == KEY_URL)
		return scalar_url(l->arena, text, key->choices, member, err);
	if (key->type == KEY_SECRET) {
		const char *secret = secret_read(l, text, err);

		if (!secret)
			return -1;
		*member = secret;
		return 0;
	}
	*member = arena_strdup(l->arena, text);
	return 0;
}

/* A scalar, from a node or from a row's fallback. */
static int set_scalar(struct load *l, const struct key *key, const char *text, void *member, struct err *err)
{
	switch (key->type) {
	case KEY_TEXT:
	case KEY_NAME:
	case KEY_HOST:
	case KEY_PATH:
	case KEY_URL:
	case KEY_SECRET:
		return set_text(l, key, text, member, err);
	case KEY_INT:
	case KEY_SIZE:
	case KEY_DURATION:
		return set_integer(key, text, member, err);
	case KEY_REAL:
		return set_real(key, text, member, err);
	case KEY_RATE:
		return scalar_rate(text, member, err);
	case KEY_PERCENT:
		return set_percent(key, text, member, err);
	case KEY_MINUTE:
		return scalar_minute(text, member, err);
	case KEY_CHOICE:
		return set_choice(l, key, text, member, err);
	case KEY_TEXTS:
	case KEY_NODE:
	case KEY_EXPRESSION:
	case KEY_MAP:
	case KEY_LIST:
	case KEY_OTHERS:
	case KEY_TEXT_OR_LIST:
	case KEY_TEXT_OR_MAP:
		break;
	}
	assert(!"a key that is no scalar");
	return -1;
}

static int set_texts(
	struct load *l, const struct key *key, const struct yaml_node *node, const char *const **member)
{
	const char **texts = arena_calloc(l->arena, node->count + 1, sizeof(*texts));
	int rc = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];
		struct err err;
		int place;

		if (!keys_expect(l, item, YAML_TEXT, "an item of this list")) {
			rc = -1;
		} else if (key->choices && set_choice(l, key, item->text, &place, &err)) {
			complain(l, item, "%s", err.text);
			rc = -1;
		}
		texts[i] = arena_strdup(l->arena, item->text ? item->text : "");
	}
	*member = texts;
	return rc;
}

/* --- one mapping ------------------------------------------------------------------------------------------------ */

static bool is_scalar(enum key_type type)
{
	return type < KEY_TEXTS;
}

static void set_fallback(struct load *l, const struct key *key, void *member)
{
	static const char *const none[] = { NULL };
	struct err err;

	if (key->type == KEY_TEXTS)
		*(const char *const **)member = none;
	if (key->fallback && set_scalar(l, key, key->fallback, member, &err))
		assert(!"a default that its own table refuses");
}

static enum yaml_kind kind_of(enum key_type type)
{
	if (type == KEY_TEXTS || type == KEY_LIST)
		return YAML_LIST;
	return type == KEY_MAP || type == KEY_OTHERS ? YAML_MAP : YAML_TEXT;
}

/* Is the node of the kind that the key wants? */
static bool fits(struct load *l, const struct key *key, const struct yaml_node *node)
{
	bool list = key->type == KEY_TEXT_OR_LIST, map = key->type == KEY_TEXT_OR_MAP;

	if (!list && !map)
		return keys_expect(l, node, kind_of(key->type), arena_printf(l->scratch, "`%s`", key->name));
	if (node->kind != (list ? YAML_MAP : YAML_LIST) && !yaml_empty(node))
		return true;
	complain(l, node, "`%s` is %s here; it must be one text or %s", key->name, yaml_kind_name(node),
		list ? "a list" : "a mapping (`key: value`)");
	return false;
}

static int read_value(struct load *l, const struct key *key, const struct yaml_node *node, void *member)
{
	struct err err;

	if (!fits(l, key, node))
		return -1;
	if (key->type == KEY_TEXTS)
		return set_texts(l, key, node, member);
	if (!is_scalar(key->type)) {
		*(const struct yaml_node **)member = node;
		return 0;
	}
	if (!set_scalar(l, key, node->text, member, &err))
		return 0;
	complain(l, node, "`%s`: %s", key->name, err.text);
	return -1;
}

static const struct key *find_key(const struct key_table *table, const char *name)
{
	for (const struct key *key = table->keys; key->name; key++) {
		if (!strcmp(key->name, name))
			return key;
	}
	return NULL;
}

static const char *const *key_names(struct load *l, const struct key_table *table)
{
	size_t n = 0;
	const char **names;

	while (table->keys[n].name)
		n++;
	names = arena_calloc(l->scratch, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = table->keys[i].name;
	return names;
}

static int check_known(struct load *l, const struct yaml_node *map, const struct key_table *table)
{
	bool cut = false;
	int rc = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *key = map->keys[i];

		if (find_key(table, key->text)) {
			cut = cut || yaml_cut(map->items[i]);
			continue;
		}
		rc = -1;
		/* what is left of a cut expression: its own complaint says it better */
		if (cut && yaml_empty(map->items[i]))
			continue;
		complain(l, key, "unknown key `%s` in %s%s", key->text, table->name,
			keys_hint(l, key->text, key_names(l, table)));
	}
	return rc;
}

int keys_read(struct load *l, const struct yaml_node *map, const struct key_table *table, void *out)
{
	int rc = 0;

	for (const struct key *key = table->keys; key->name; key++)
		set_fallback(l, key, (char *)out + key->offset);
	if (!map)
		return 0;
	if (!keys_expect(l, map, YAML_MAP, table->name))
		return -1;
	if (check_known(l, map, table))
		rc = -1;
	for (const struct key *key = table->keys; key->name; key++) {
		const struct yaml_node *node = yaml_get(map, key->name);

		if (node && read_value(l, key, node, (char *)out + key->offset)) {
			rc = -1;
		} else if (!node && key->required) {
			complain(
				l, map, "`%s` is missing in %s; it is %s", key->name, table->name, key->help);
			rc = -1;
		}
	}
	return rc;
}
