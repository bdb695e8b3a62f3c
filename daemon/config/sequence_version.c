/*
 * sequence_version.c: a digest of what a sequence's file says. Comments, quotes and the way it is laid out do not
 * change it; nor do keys that touch nobody under way, or that only say what a change does to them.
 */
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "sequences.h"

static const char *const left_out[] = { "on_change", "gone", "priority", "holdout", "holdout_for", "track", "utm", "spread", NULL };

static bool counts(const struct yaml_node *key)
{
	for (size_t i = 0; left_out[i]; i++) {
		if (!strcmp(key->text, left_out[i]))
			return false;
	}
	return true;
}

/* Every part says its kind and its length first, so that no two trees are written alike. */
static void add(struct buf *out, const struct yaml_node *n, bool top)
{
	static const char kinds[] = { [YAML_TEXT] = 't', [YAML_LIST] = 'l', [YAML_MAP] = 'm' };
	size_t count = n->kind == YAML_TEXT ? n->len : n->count;

	for (size_t i = 0; top && i < n->count; i++)
		count -= n->kind == YAML_MAP && !counts(n->keys[i]);
	buf_printf(out, "%c%zu:", kinds[n->kind], count);
	if (n->kind == YAML_TEXT)
		buf_add(out, n->text, n->len);
	for (size_t i = 0; n->kind != YAML_TEXT && i < n->count; i++) {
		if (n->kind == YAML_MAP && top && !counts(n->keys[i]))
			continue;
		if (n->kind == YAML_MAP)
			add(out, n->keys[i], false);
		add(out, n->items[i], false);
	}
}

const char *sequence_version(struct arena *arena, const struct yaml_node *root)
{
	struct buf said = BUF_INIT, hex = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	const char *version;

	add(&said, root, true);
	digest_sha256(buf_cstr(&said), said.len, digest);
	text_hex(&hex, digest, sizeof(digest));
	version = arena_strndup(arena, buf_cstr(&hex), SEQUENCE_VERSION);
	buf_clear(&said);
	buf_clear(&hex);
	return version;
}
