/*
 * yaml.c: libyaml's events become a tree with places.
 *
 * libyaml counts characters, not bytes, in its marks, and more kinds of line breaks than editors do; events come in
 * order of the file, so one cursor that only moves forward turns its indexes into bytes, lines and columns.
 */
#include <string.h>
#include <yaml.h>

#include "base/text.h"

#include "yaml.h"

struct cursor {
	size_t index, byte; /* characters and bytes before it */
	int line, column;
};

struct reader {
	yaml_parser_t parser;
	struct complaints *complaints;
	const struct source *source;
	struct cursor at;
};

static const char cut_hint[] = "inside { } YAML ends a bare expression at a comma or a bracket: write it on "
			       "a line of its own, or in quotes";

static const char tab_hint[] = "YAML indents with spaces, not with tabs";

/* A byte order mark is no character of the first line. */
static struct cursor cursor_start(const struct source *s)
{
	return (struct cursor){
		.byte = s->len >= 3 && !memcmp(s->text, "\xef\xbb\xbf", 3) ? 3 : 0,
		.line = 1,
		.column = 1,
	};
}

static void cursor_seek(struct cursor *c, const struct source *s, size_t index)
{
	while (c->index < index && c->byte < s->len) {
		bool ends = s->text[c->byte] == '\n';

		c->byte++;
		while (c->byte < s->len && ((unsigned char)s->text[c->byte] & 0xc0) == 0x80)
			c->byte++;
		c->index++;
		c->line += ends;
		c->column = ends ? 1 : c->column + 1;
	}
}

static struct yaml_node *node_new(struct reader *r, enum yaml_kind kind, const yaml_event_t *event)
{
	struct yaml_node *n = arena_calloc(r->complaints->arena, 1, sizeof(*n));

	n->kind = kind;
	n->source = r->source;
	cursor_seek(&r->at, r->source, event->start_mark.index);
	n->line = r->at.line;
	n->column = r->at.column;
	n->start = r->at.byte;
	cursor_seek(&r->at, r->source, event->end_mark.index);
	n->end = r->at.byte;
	return n;
}

static void complain_mark(struct reader *r, const yaml_mark_t *mark, const char *text)
{
	struct cursor at = cursor_start(r->source);

	cursor_seek(&at, r->source, mark->index);
	complain_at(r->complaints, r->source, at.line, at.column, "%s", text);
}

static bool is_tab(const struct source *s, const yaml_mark_t *mark)
{
	struct cursor at = cursor_start(s);

	cursor_seek(&at, s, mark->index);
	return at.byte < s->len && s->text[at.byte] == '\t';
}

/* What libyaml says, in its words: they are right, if terse; and a hint where a bare expression was cut, or a tab stands. */
static void complain_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "this is no YAML";

	if (p->error == YAML_READER_ERROR) {
		int line, column;

		source_place(r->source, p->problem_offset, &line, &column);
		complain_at(r->complaints, r->source, line, column, "%s", problem);
		return;
	}
	const char *hint = p->context && strstr(p->context, "flow") ? cut_hint
		: is_tab(r->source, &p->problem_mark) ? tab_hint : NULL;

	complain_mark(r, &p->problem_mark,
		arena_printf(r->complaints->arena, "%s%s%s%s%s", problem, p->context ? " " : "",
			p->context ? p->context : "", hint ? "; " : "", hint ? hint : ""));
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	complain_syntax(r);
	return -1;
}

/* Takes and deletes the event; NULL after a complaint. */
static struct yaml_node *read_node(struct reader *r, yaml_event_t *event, int depth, bool inside);

static int check_properties(
	struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		complain_mark(r, &event->start_mark, "anchors are not read; write the value out");
	else if (tag)
		complain_mark(r, &event->start_mark,
			"tags are not read; each key knows its type, leave the `!` away or put it in quotes");
	return anchor || tag ? -1 : 0;
}

static struct yaml_node *read_text(struct reader *r, const yaml_event_t *event)
{
	static const enum yaml_quoting quoting[] = {
		[YAML_ANY_SCALAR_STYLE] = YAML_BARE,
		[YAML_PLAIN_SCALAR_STYLE] = YAML_BARE,
		[YAML_SINGLE_QUOTED_SCALAR_STYLE] = YAML_SINGLE,
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = YAML_DOUBLE,
		[YAML_LITERAL_SCALAR_STYLE] = YAML_BLOCK,
		[YAML_FOLDED_SCALAR_STYLE] = YAML_BLOCK,
	};

	if (check_properties(r, event, event->data.scalar.anchor, event->data.scalar.tag))
		return NULL;
	struct yaml_node *n = node_new(r, YAML_TEXT, event);

	n->quoting = quoting[event->data.scalar.style];
	n->len = event->data.scalar.length;
	n->text = arena_strndup(r->complaints->arena, (const char *)event->data.scalar.value, n->len);
	if (strlen(n->text) != n->len) { /* "\0" in double quotes */
		complain_mark(r, &event->start_mark, "a text cannot contain NUL; leave the \"\\0\" away");
		return NULL;
	}
	return n;
}

static void append(struct reader *r, struct yaml_node *to, struct yaml_node *key, struct yaml_node *item)
{
	struct arena *arena = r->complaints->arena;

	/* counts 0, 4, 8, 16 ... are where the arrays are full */
	if (to->count == 0 || (to->count >= 4 && !(to->count & (to->count - 1)))) {
		size_t cap = to->count ? to->count * 2 : 4;
		struct yaml_node **items = arena_calloc(arena, cap, sizeof(*items));
		struct yaml_node **keys = key ? arena_calloc(arena, cap, sizeof(*keys)) : NULL;

		if (to->count) {
			memcpy(items, to->items, to->count * sizeof(*items));
			if (key)
				memcpy(keys, to->keys, to->count * sizeof(*keys));
		}
		to->items = items;
		to->keys = keys;
	}
	to->items[to->count] = item;
	if (key)
		to->keys[to->count] = key;
	to->count++;
}

static struct yaml_node *read_list(struct reader *r, struct yaml_node *list, int depth, bool inside)
{
	for (;;) {
		yaml_event_t event;
		struct yaml_node *item;

		if (next_event(r, &event))
			return NULL;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return list;
		}
		item = read_node(r, &event, depth, inside);
		if (!item)
			return NULL;
		append(r, list, NULL, item);
	}
}

static struct yaml_node *read_key(
	struct reader *r, yaml_event_t *event, const struct yaml_node *map, bool inside)
{
	if (event->type != YAML_SCALAR_EVENT) {
		complain_mark(r, &event->start_mark, "a key must be a plain name");
		yaml_event_delete(event);
		return NULL;
	}
	struct yaml_node *key = read_node(r, event, 0, inside), *before;

	if (key && (before = yaml_key(map, key->text))) {
		complain_at(r->complaints, r->source, key->line, key->column,
			"`%s` is here twice; the first is in line %d", key->text, before->line);
	}
	return key;
}

static struct yaml_node *read_map(struct reader *r, struct yaml_node *map, int depth, bool inside)
{
	for (;;) {
		yaml_event_t event;
		struct yaml_node *key, *value;

		if (next_event(r, &event))
			return NULL;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return map;
		}
		key = read_key(r, &event, map, inside);
		if (!key || next_event(r, &event))
			return NULL;
		value = read_node(r, &event, depth, inside);
		if (!value)
			return NULL;
		append(r, map, key, value);
	}
}

static struct yaml_node *read_node(struct reader *r, yaml_event_t *event, int depth, bool inside)
{
	struct yaml_node *n = NULL;
	bool flow = false;

	if (depth > YAML_DEPTH) {
		complain_mark(
			r, &event->start_mark, "nested more than 16 levels deep; nothing here needs that");
	} else if (event->type == YAML_SCALAR_EVENT) {
		n = read_text(r, event);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		if (!check_properties(
			    r, event, event->data.sequence_start.anchor, event->data.sequence_start.tag))
			n = node_new(r, YAML_LIST, event);
		flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		if (!check_properties(
			    r, event, event->data.mapping_start.anchor, event->data.mapping_start.tag))
			n = node_new(r, YAML_MAP, event);
		flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	} else {
		complain_mark(r, &event->start_mark, "aliases are not read; write the value out");
	}
	yaml_event_delete(event);
	if (!n)
		return NULL;
	n->inside = inside;
	if (n->kind == YAML_LIST)
		return read_list(r, n, depth + 1, inside || flow);
	if (n->kind == YAML_MAP)
		return read_map(r, n, depth + 1, inside || flow);
	return n;
}

/* Expects `type`; whatever comes is deleted. */
static int expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	yaml_event_t event;
	int rc = 0;

	if (next_event(r, &event))
		return -1;
	if (event.type == YAML_DOCUMENT_START_EVENT &&
		event.data.document_start.tag_directives.start !=
			event.data.document_start.tag_directives.end) {
		complain_mark(r, &event.start_mark, "%TAG is not read; leave it away");
		rc = -1;
	} else if (event.type != type) {
		complain_mark(r, &event.start_mark, otherwise);
		rc = -1;
	}
	yaml_event_delete(&event);
	return rc;
}

static struct yaml_node *read_document(struct reader *r)
{
	yaml_event_t event;
	struct yaml_node *root;

	if (expect(r, YAML_STREAM_START_EVENT, "this is no YAML") ||
		expect(r, YAML_DOCUMENT_START_EVENT, "the file is empty") || next_event(r, &event))
		return NULL;
	root = read_node(r, &event, 1, false);
	if (!root || expect(r, YAML_DOCUMENT_END_EVENT, "something stands behind the end") ||
		expect(r, YAML_STREAM_END_EVENT, "a second document begins; one file holds one"))
		return NULL;
	return root;
}

/* libyaml would say only at which byte. */
static int check_utf8(struct complaints *c, const struct source *source)
{
	const char *line = source->text, *end = source->text + source->len;
	int number = 1;

	if (source->len == 0 || text_utf8_valid(source->text, source->len))
		return 0;
	for (; line < end; number++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((stop ? stop : end) - line);

		if (n && !text_utf8_valid(line, n)) {
			complain_at(c, source, number, 1, "this line is not UTF-8; save the file as UTF-8");
			return -1;
		}
		line += n + 1;
	}
	complain_at(c, source, 1, 1, "the file is not UTF-8; save it as UTF-8");
	return -1;
}

struct yaml_node *yaml_parse(struct complaints *c, const struct source *source)
{
	struct reader r = { .complaints = c, .source = source, .at = cursor_start(source) };
	struct yaml_node *root;

	if (source->len > SOURCE_MAX) {
		complain_at(c, source, 1, 1, "the file has %zu bytes; at most %d are read", source->len,
			SOURCE_MAX);
		return NULL;
	}
	if (check_utf8(c, source))
		return NULL;
	if (!yaml_parser_initialize(&r.parser)) {
		complain_at(c, source, 1, 1, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r.parser, (const unsigned char *)source->text + r.at.byte, source->len - r.at.byte);
	root = read_document(&r);
	yaml_parser_delete(&r.parser);
	return root;
}

static size_t find(const struct yaml_node *map, const char *key)
{
	size_t i = 0;

	if (map->kind != YAML_MAP)
		return map->count;
	while (i < map->count && strcmp(map->keys[i]->text, key) != 0)
		i++;
	return i;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	size_t i = find(map, key);

	return i < map->count ? map->items[i] : NULL;
}

struct yaml_node *yaml_key(const struct yaml_node *map, const char *key)
{
	size_t i = find(map, key);

	return i < map->count ? map->keys[i] : NULL;
}

bool yaml_empty(const struct yaml_node *node)
{
	return node->kind == YAML_TEXT && node->quoting == YAML_BARE && !node->len;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_TEXT:
		return yaml_empty(node) ? "nothing" : "a text";
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "a mapping";
	}
	return "";
}

/* --- from a place in the text back to the file ------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* libyaml has checked that it is one. */
static unsigned long hex(char c)
{
	return (unsigned long)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 0xf;
}

/* What an escape in double quotes writes (blanks aside), and how long it is. */
static size_t escape_bytes(const char *s, size_t left, size_t *written)
{
	static const char kinds[] = "xuU", digits[] = { 2, 4, 8 };
	const char *kind = left > 1 && s[1] ? strchr(kinds, s[1]) : NULL;
	unsigned long code = 0;
	size_t n;

	if (left < 2 || is_blank(s[1]) || s[1] == 'n' || s[1] == 't' || s[1] == 'r') {
		*written = 0;
		return left < 2 ? left : 2;
	}
	*written = 1;
	if (!kind) {
		*written = s[1] == 'N' || s[1] == '_' ? 2 : s[1] == 'L' || s[1] == 'P' ? 3 : 1;
		return 2;
	}
	n = (size_t)digits[kind - kinds];
	if (n + 2 > left)
		return left;
	for (size_t i = 0; i < n; i++)
		code = code * 16 + hex(s[2 + i]);
	*written = code < 0x80 ? (code <= ' ' ? 0 : 1) : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	return n + 2;
}

static size_t content_start(const struct yaml_node *n)
{
	size_t at = n->start;

	if (n->quoting == YAML_SINGLE || n->quoting == YAML_DOUBLE)
		return at + 1;
	if (n->quoting == YAML_BLOCK) {
		while (at < n->end && n->source->text[at] != '\n')
			at++;
	}
	return at;
}

/* The length of what stands at `at`, and how many bytes of the text that are no blanks it writes. */
static size_t piece(const struct yaml_node *node, size_t at, size_t *written)
{
	const char *raw = node->source->text;

	*written = !is_blank(raw[at]);
	if (node->quoting == YAML_SINGLE && raw[at] == '\'')
		return 2;
	if (node->quoting == YAML_DOUBLE && raw[at] == '\\')
		return escape_bytes(raw + at, node->end - at, written);
	return 1;
}

/*
 * Folding, indentation and stripping change blanks only, so the characters that are no blanks are counted in the
 * text and counted off again in the file.
 */
void yaml_place(const struct yaml_node *node, size_t offset, int *line, int *column)
{
	/* a place in the text is that of its character, not of the blanks before it */
	bool on_character = offset < node->len && !is_blank(node->text[offset]);
	size_t wanted = 0, seen = 0, at = content_start(node);

	if (node->kind != YAML_TEXT) {
		*line = node->line;
		*column = node->column;
		return;
	}
	for (size_t i = 0; i < offset && i < node->len; i++)
		wanted += !is_blank(node->text[i]);
	while (at < node->end) {
		size_t written, n = piece(node, at, &written);

		if (seen >= wanted && (written || !on_character))
			break;
		seen += written;
		at += n;
	}
	source_place(node->source, at, line, column);
}

bool yaml_cut(const struct yaml_node *node)
{
	int open = 0;
	char quote = 0;

	if (node->kind != YAML_TEXT || node->quoting != YAML_BARE || !node->inside)
		return false;
	for (size_t i = 0; i < node->len; i++) {
		char c = node->text[i];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(')
			open++;
		else if (c == ')')
			open--;
	}
	return open > 0 || quote;
}
