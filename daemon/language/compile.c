/*
 * compile.c: pieces to functions of flat code. Text goes through the HTML tokenizer on its way, which
 * splits off tracked links and knows where outputs stand. When a function is complete its names are
 * resolved and its code is made dense.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "compiler.h"
#include "names.h"

#define NESTING_MAX 16
#define LINKS_MAX 255

/* --- errors and places ---------------------------------------------------------------------------------- */

void compile_place(const struct source *source, size_t offset, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset && i < source->len; i++) {
		++*column;
		if (source->text[i] == '\n') {
			++*line;
			*column = 1;
		}
	}
}

void compile_error(
	struct compile_errors *errors, const struct source *source, size_t offset, const char *fmt, ...)
{
	struct template_error *e;
	va_list ap;

	if (errors->count++ >= errors->max)
		return;
	e = &errors->items[errors->count - 1];
	compile_place(source, offset, &e->line, &e->column);
	e->may_be_empty = false;
	snprintf(e->file, sizeof(e->file), "%s", source->name);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
}

void compiler_fail(struct compiler *c, size_t offset_in_piece, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->lexer.text)
		offset_in_piece += (size_t)(c->lexer.text - c->piece->text.data);
	compile_error(c->errors, c->piece->source, c->piece->offset + offset_in_piece, "%s", text);
}

void compiler_fail_here(struct compiler *c, const char *wanted)
{
	char shown[64];

	if (c->lexer.at.kind == LEX_BAD)
		compiler_fail(c, c->lexer.at.offset, "%s", c->lexer.complaint);
	else
		compiler_fail(c, c->lexer.at.offset, "%s is wanted here, not %s", wanted,
			lex_show(&c->lexer, shown));
}

void compiler_lex(struct compiler *c, struct slice text)
{
	lex_init(&c->lexer, text.data, text.len, false);
}

void compiler_end(struct compiler *c)
{
	if (c->lexer.at.kind != LEX_END)
		compiler_fail_here(c, "the end");
}

/* --- code ----------------------------------------------------------------------------------------------- */

static int line_here(struct compiler *c)
{
	size_t offset = c->piece ? c->piece->offset : 0;

	if (!c->piece)
		return 0;
	if (c->line_source != c->piece->source || offset < c->line_offset) {
		c->line_source = c->piece->source;
		c->line_offset = 0;
		c->line = 1;
	}
	for (; c->line_offset < offset; c->line_offset++)
		c->line += c->line_source->text[c->line_offset] == '\n';
	return c->line;
}

size_t compiler_emit(struct compiler *c, enum op op, int32_t a)
{
	struct function *f = c->f;

	f->code = xgrow(f->code, &f->cap, f->count + 1, sizeof(*f->code));
	f->code[f->count] = (struct instruction){ .op = (uint16_t)op, .a = a, .line = line_here(c) };
	return f->count++;
}

void compiler_push(struct compiler *c, int n)
{
	c->stack += n;
	if (c->stack == STACK_MAX - 1 && n > 0)
		compiler_fail(c, c->lexer.at.offset, "this is too long");
}

void compiler_patch(struct compiler *c, size_t instruction)
{
	struct instruction *i = &c->f->code[instruction];

	if (i->op == OP_WHEN_NEXT || i->op == OP_CASE_ELSE)
		i->b = (int32_t)c->f->count;
	else
		i->a = (int32_t)c->f->count;
}

const char *compiler_keep(struct compiler *c, struct slice s)
{
	return arena_strndup(c->t->arena, s.len ? s.data : "", s.len);
}

int compiler_constant(struct compiler *c, struct value v)
{
	struct template *t = c->t;

	if (v.type == VALUE_TEXT)
		v.text.data = compiler_keep(c, v.text);
	t->constants = xgrow(t->constants, &t->constant_cap, t->constant_count + 1, sizeof(*t->constants));
	t->constants[t->constant_count] = v;
	return (int)t->constant_count++;
}

int compiler_slot(struct compiler *c)
{
	return c->f->slots++;
}

size_t compiler_variable(struct compiler *c, struct slice name)
{
	struct function *f = c->f;

	for (size_t i = 0; i < f->variable_count; i++)
		if (f->variables[i].name.len == name.len &&
			memcmp(f->variables[i].name.data, name.data, name.len) == 0)
			return i;
	f->variables = xgrow(f->variables, &f->variable_cap, f->variable_count + 1, sizeof(*f->variables));
	f->variables[f->variable_count] = (struct variable){ .name = { compiler_keep(c, name), name.len },
		.slot = compiler_slot(c),
		.symbol = c->options->vocabulary ? vocabulary_find(c->options->vocabulary, name) : -1 };
	return f->variable_count++;
}

/* --- text ----------------------------------------------------------------------------------------------- */

static void emit_literal(struct compiler *c, const char *s, size_t n)
{
	size_t at;

	if (n == 0)
		return;
	at = compiler_emit(c, OP_LITERAL, (int32_t)n);
	c->f->code[at].text = compiler_keep(c, (struct slice){ s, n });
}

static bool is_tracked(const struct compiler *c, struct slice url)
{
	return c->options->track_links && c->value_here && strcmp(c->html.tag, "a") == 0 && !c->html.closing
		&& strcmp(c->html.attribute, "href") == 0 && !c->html.outlook
		&& ((url.len > 8 && strncasecmp(url.data, "https://", 8) == 0)
			|| (url.len > 7 && strncasecmp(url.data, "http://", 7) == 0));
}

static void emit_link(struct compiler *c, struct slice html)
{
	struct template *t = c->t;
	struct buf url = BUF_INIT;
	size_t at;

	if (t->link_count >= LINKS_MAX) {
		compiler_fail(c, (size_t)(html.data - c->piece->text.data), "this is more than %d links",
			LINKS_MAX);
		return;
	}
	html_decode(&url, html);
	t->links = xgrow(t->links, &t->link_cap, t->link_count + 1, sizeof(*t->links));
	t->links[t->link_count] = arena_strdup(t->arena, buf_cstr(&url));
	buf_clear(&url);
	at = compiler_emit(c, OP_LINK, (int32_t)t->link_count++);
	c->f->code[at].text = compiler_keep(c, html);
	c->f->code[at].n = 0;
	c->tag_link = (ssize_t)at;
}

/* The latest one: data-track="no" may stand behind the href, and the text comes behind the tag. */
static void forget_link(struct compiler *c, ssize_t link)
{
	struct instruction *i = &c->f->code[link];

	i->op = OP_LITERAL;
	i->a = (int32_t)strlen(i->text);
	c->t->link_count--;
}

/* A link that shows an address and leads to another one looks like phishing: it stays as it is. */
static bool shows_address(const struct compiler *c)
{
	static const char *const begins[] = { "http://", "https://", "www." };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (c->link_text_len >= strlen(begins[i]) && strncasecmp(c->link_text, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static void link_text(struct compiler *c, char byte)
{
	if (c->text_link < 0 || c->html.where != HTML_TEXT || c->link_text_len == sizeof(c->link_text))
		return;
	if (c->link_text_len || !strchr(" \t\r\n", byte))
		c->link_text[c->link_text_len++] = byte;
}

static void tag_begins(struct compiler *c)
{
	if (c->text_link >= 0 && c->link_text_len) {
		if (shows_address(c))
			forget_link(c, c->text_link);
		c->text_link = -1;
	}
	c->untracked = false;
	c->tag_link = -1;
}

static void tag_ends(struct compiler *c)
{
	if (c->tag_link >= 0 && c->untracked) {
		forget_link(c, c->tag_link);
		c->tag_link = -1;
	}
	if (c->html.closing)
		c->text_link = -1;
	if (c->tag_link >= 0) {
		c->text_link = c->tag_link;
		c->link_text_len = 0;
	}
	c->tag_link = -1;
}

/* src="logo.png" or src="cid:logo.png"; what has another scheme, or a path, is a URL. */
static bool is_picture(const struct compiler *c, struct slice src)
{
	return c->options->picture && c->value_here && strcmp(c->html.tag, "img") == 0 && strcmp(c->html.attribute, "src") == 0 && src.len > 0 &&
		((src.len > 4 && strncasecmp(src.data, "cid:", 4) == 0) || (!memchr(src.data, ':', src.len) && !memchr(src.data, '/', src.len)));
}

static void emit_picture(struct compiler *c, struct slice src)
{
	struct buf name = BUF_INIT;
	const char *written;
	struct err err;

	html_decode(&name, src);
	written = c->options->picture(c->options->picture_ctx, buf_cstr(&name) + (text_starts_with(buf_cstr(&name), "cid:") ? 4 : 0), &err);
	if (written)
		emit_literal(c, written, strlen(written));
	else
		compiler_fail(c, (size_t)(src.data - c->piece->text.data), "%s", err.text);
	buf_clear(&name);
}

/* A value ended at s[i]. Returns where the literal that follows begins. */
static size_t value_ended(struct compiler *c, struct slice s, size_t start, size_t value, size_t i)
{
	struct slice text = { s.data + value, i - value };

	if (c->value_here && strcmp(c->html.attribute, "data-track") == 0 && slice_is_nocase(text, "no"))
		c->untracked = true;
	if (is_picture(c, text)) {
		emit_literal(c, s.data + start, value - start);
		emit_picture(c, text);
		return i;
	}
	if (!is_tracked(c, text))
		return start;
	emit_literal(c, s.data + start, value - start);
	emit_link(c, text);
	return i;
}

static void html_text(struct compiler *c, struct slice s)
{
	size_t start = 0, value = 0;

	c->value_here = false;
	for (size_t i = 0; i < s.len; i++) {
		switch (html_feed(&c->html, s.data[i])) {
		case HTML_NOTHING:
			link_text(c, s.data[i]);
			break;
		case HTML_TAG_BEGINS:
			tag_begins(c);
			break;
		case HTML_VALUE_BEGINS:
			value = c->html.where == HTML_VALUE_QUOTED ? i + 1 : i;
			c->value_here = true;
			break;
		case HTML_VALUE_ENDS:
			start = value_ended(c, s, start, value, i);
			break;
		case HTML_TAG_ENDS:
			tag_ends(c);
			break;
		}
	}
	emit_literal(c, s.data + start, s.len - start);
}

static void text_piece(struct compiler *c)
{
	struct slice s = c->piece->text;

	if ((c->piece->raw && s.len) || slice_trim(s).len)
		c->blank = false;
	if (c->t->escape == TEMPLATE_HEADER && (text_has_control(s.data, s.len) || memchr(s.data, '\t', s.len)))
		compiler_fail(c, 0, "a header value is one line without control characters");
	if (c->html_on)
		html_text(c, s);
	else
		emit_literal(c, s.data, s.len);
}

/* --- blocks --------------------------------------------------------------------------------------------- */

static void unknown_tag(struct compiler *c, struct slice name)
{
	static const char *const known[] = { "assign", "capture", "if", "unless", "case", "for", "cycle",
		"comment", "raw", "echo", "liquid", "render", "abort", "break", "continue", "else", "elsif",
		"when", "endif", "endunless", "endcase", "endfor", "endcapture", "endcomment", "endraw",
		NULL };
	char text[40];
	const char *near;

	snprintf(text, sizeof(text), "%.*s", (int)(name.len < 30 ? name.len : 30), name.data);
	near = text_nearest(text, known);
	if (near && strcmp(near, text) == 0)
		compiler_fail(c, 0, "%s stands here without its beginning", text);
	else if (near)
		compiler_fail(c, 0, "unknown tag \"%s\"; did you mean \"%s\"?", text, near);
	else
		compiler_fail(c, 0, "unknown tag \"%s\"", text);
}

static int one_of(struct slice name, const char *const *ends)
{
	for (int i = 0; ends && ends[i]; i++)
		if (slice_is(name, ends[i]))
			return i;
	return -1;
}

int compiler_block(struct compiler *c, const char *const *ends)
{
	int lines = c->piece ? c->piece->lines : 0, end;
	struct slice name, rest;

	while (c->at < c->pieces->count) {
		c->piece = &c->pieces->items[c->at++];
		c->lexer.text = NULL;
		c->stack = 0;
		if (c->piece->kind == PIECE_TEXT) {
			text_piece(c);
			continue;
		}
		if (c->piece->kind == PIECE_OUTPUT) {
			operand_output(c, c->piece->text);
			continue;
		}
		name = piece_tag(c->piece, &rest);
		end = one_of(name, ends);
		if (end >= 0 && c->piece->lines != lines)
			compiler_fail(c, 0, "a block that begins in {%% liquid %%} ends in it, and no other does");
		if (end >= 0)
			return end;
		if (!tags_compile(c, name, rest))
			unknown_tag(c, name);
	}
	return -1;
}

/* --- names, when a function is complete ----------------------------------------------------------------- */

static void unknown_name(struct compiler *c, const struct name_use *u, const struct variable *v)
{
	const char **names = vocabulary_names(c->options->vocabulary), *near;
	char text[80];

	snprintf(text, sizeof(text), "%.*s", (int)(v->name.len < 70 ? v->name.len : 70), v->name.data);
	near = text_nearest(text, names);
	compile_error(c->errors, u->source, u->offset, "unknown name \"%s\"%s%s%s", text,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
}

static void check_strict(struct compiler *c, const struct name_use *u, const struct variable *v)
{
	const struct symbol *s = vocabulary_symbol(c->options->vocabulary, v->symbol);

	if (u->strict && s->may_be_empty && !u->guarded)
		compile_error(c->errors, u->source, u->offset,
			"%s may be empty: write {{ %s | default: \"...\" }} or put it inside {%% if %s %%}",
			s->name, s->name, s->name);
	else
		return;
	if (c->errors->count <= c->errors->max)
		c->errors->items[c->errors->count - 1].may_be_empty = true;
}

/* An output of a name that is only ever captured is HTML already. */
static void trust_captured(struct function *f, const struct name_use *u, const struct variable *v)
{
	struct instruction *next = &f->code[u->instruction + 1];

	if (v->captured && u->in_text && u->instruction + 1 < f->count && next->op == OP_OUT &&
		next->mode == ESCAPE_HTML)
		next->mode = ESCAPE_NONE;
}

static void resolve(struct compiler *c, const struct name_use *u)
{
	struct function *f = c->f;
	const struct variable *v = &f->variables[u->variable];
	struct instruction *i = &f->code[u->instruction];

	if (v->symbol >= 0)
		c->t->uses[v->symbol] = true;
	if (v->assigned || v->captured || c->partial) {
		i->b = v->symbol >= 0 ? v->symbol
		       : c->partial   ? NO_NAME
				      : -1 - compiler_constant(c, value_slice(v->name));
		i->strict = u->strict && v->symbol >= 0;
		if (v->assigned || v->captured) {
			i->strict = false;
			if (!v->assigned)
				trust_captured(f, u, v);
		} else if (v->symbol >= 0) {
			check_strict(c, u, v);
		}
		return;
	}
	if (v->symbol < 0 && c->options->vocabulary) {
		unknown_name(c, u, v);
		return;
	}
	i->strict = u->strict;
	i->op = v->symbol >= 0 ? OP_SYMBOL : OP_FREE;
	i->a = v->symbol >= 0 ? v->symbol : compiler_constant(c, value_slice(v->name));
	if (v->symbol < 0)
		return;
	check_strict(c, u, v);
	if (u->instruction + 1 < f->count && i[1].op == OP_OUT) {
		i->op = OP_OUT_SYMBOL;
		i->mode = i[1].mode;
		i[1].op = OP_NOTHING;
	}
}

static void make_dense(struct function *f)
{
	int32_t *place = xcalloc(f->count + 1, sizeof(*place));
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		place[i] = (int32_t)n;
		n += f->code[i].op != OP_NOTHING;
	}
	place[f->count] = (int32_t)n;
	n = 0;
	for (size_t i = 0; i < f->count; i++) {
		struct instruction *k = &f->code[i];

		if (k->op == OP_NOTHING)
			continue;
		if (k->op == OP_WHEN_NEXT || k->op == OP_CASE_ELSE)
			k->b = place[k->b];
		if (k->op == OP_JUMP || k->op == OP_JUMP_FALSE || k->op == OP_JUMP_TRUE ||
			k->op == OP_KEEP_FALSE || k->op == OP_KEEP_TRUE || k->op == OP_FOR ||
			k->op == OP_NEXT)
			k->a = place[k->a];
		f->code[n++] = *k;
	}
	f->count = n;
	free(place);
}

/* --- functions ------------------------------------------------------------------------------------------ */

static struct function *function_new(struct template *t, const char *name)
{
	struct function *f = xcalloc(1, sizeof(*f));

	f->name = arena_strdup(t->arena, name);
	t->functions[t->function_count++] = f;
	return f;
}

static void compile_function(struct compiler *c)
{
	html_init(&c->html);
	c->tag_link = c->text_link = -1;
	while (c->at < c->pieces->count)
		compiler_block(c, NULL);
	if (c->html_on && c->html.where != HTML_TEXT && c->pieces->count && c->errors->count == 0) {
		c->lexer.text = NULL;
		compiler_fail(c, c->piece->text.len, "the template ends %s", html_place(&c->html));
	}
	compiler_emit(c, OP_END, 0);
	for (size_t i = 0; i < c->use_count; i++)
		resolve(c, &c->uses[i]);
	make_dense(c->f);
	free(c->uses);
	free(c->guards);
}

struct source *compile_source(struct arena *arena, const char *name, const char *text)
{
	struct source *s = arena_calloc(arena, 1, sizeof(*s));
	const char *end;

	s->name = arena_strdup(arena, name);
	s->text = arena_strdup(arena, text);
	s->len = strlen(text);
	if (strncmp(s->text, "---\n", 4) != 0 && strncmp(s->text, "---\r\n", 5) != 0)
		return s;
	for (end = strchr(s->text, '\n'); end; end = strchr(end + 1, '\n')) {
		if (strncmp(end + 1, "---\n", 4) == 0)
			s->skip = (size_t)(end + 5 - s->text);
		else if (strncmp(end + 1, "---\r\n", 5) == 0)
			s->skip = (size_t)(end + 6 - s->text);
		else if (strcmp(end + 1, "---") == 0)
			s->skip = s->len;
		if (s->skip)
			return s;
	}
	return s;
}

static void digest_source(struct buf *digest, const struct source *s)
{
	buf_printf(digest, "%s %zu ", s->name, s->len);
	buf_add(digest, s->text, s->len);
}

static void compile_partial(struct compiler *c, struct function *f, const struct source *source)
{
	struct compiler inner = { .t = c->t,
		.options = c->options,
		.errors = c->errors,
		.digest = c->digest,
		.html_on = c->html_on,
		.partial = true,
		.nesting = c->nesting + 1,
		.f = f };
	struct pieces html = { 0 }, text = { 0 };
	struct err err;
	size_t at;

	digest_source(c->digest, source);
	if (pieces_cut(&html, source, &at, &err) < 0)
		compile_error(c->errors, source, at, "%s", err.text);
	if (c->t->tidy)
		as_text(&text, &html, c->t->arena);
	inner.pieces = c->t->tidy ? &text : &html;
	compile_function(&inner);
	pieces_clear(&html);
	pieces_clear(&text);
}

int compiler_partial(struct compiler *c, struct slice name, size_t offset)
{
	struct template *t = c->t;
	char text[128];
	const char *source;

	snprintf(text, sizeof(text), "%.*s", (int)(name.len < 120 ? name.len : 120), name.data);
	for (size_t i = 1; i < t->function_count; i++)
		if (strcmp(t->functions[i]->name, text) == 0)
			return (int)i;
	source = c->options->load ? c->options->load(c->options->load_ctx, text) : NULL;
	if (!source) {
		compiler_fail(c, offset, "there is no template \"%s\" to render", text);
		return -1;
	}
	if (t->function_count >= FUNCTIONS_MAX || c->nesting >= NESTING_MAX) {
		compiler_fail(c, offset, "too many templates render one another");
		return -1;
	}
	compile_partial(c, function_new(t, text), compile_source(t->arena, text, source));
	for (size_t i = 1; i < t->function_count; i++)
		if (strcmp(t->functions[i]->name, text) == 0)
			return (int)i;
	return -1;
}

/* --- calls, when all functions are complete ------------------------------------------------------------- */

static int slot_of(const struct function *f, struct slice name)
{
	for (size_t i = 0; i < f->variable_count; i++)
		if (f->variables[i].name.len == name.len &&
			memcmp(f->variables[i].name.data, name.data, name.len) == 0)
			return f->variables[i].slot;
	return -1;
}

/* Are all names passed that the partial needs and that nobody else gives it? */
static void check_call(
	const struct template *t, const struct call_description *call, struct compile_errors *errors)
{
	const struct function *f = t->functions[call->function];

	for (size_t i = 0; i < f->variable_count; i++) {
		const struct variable *v = &f->variables[i];
		bool given = v->assigned || v->captured || v->symbol >= 0 || slice_is(v->name, "forloop")
			|| (call->has_with && call->with.slot == v->slot);

		for (int k = 0; k < call->count; k++)
			given = given || call->arguments[k].slot == v->slot;
		if (!given)
			compile_error(errors, call->source, call->offset,
				"%s uses \"%.*s\", which this render does not pass", f->name,
				(int)v->name.len, v->name.data);
	}
}

static void resolve_calls(struct template *t, const struct function *f, struct compile_errors *errors)
{
	for (size_t i = 0; i < f->call_count; i++) {
		struct call_description *call = &f->calls[i];
		const struct function *to = t->functions[call->function];

		for (int k = 0; k < call->count; k++)
			call->arguments[k].slot = slot_of(to, call->arguments[k].name);
		call->with.slot = call->has_with ? slot_of(to, call->with.name) : -1;
		call->forloop = call->each ? slot_of(to, slice_of("forloop")) : -1;
		if (t->vocabulary)
			check_call(t, call, errors);
	}
}

void compile_pieces(struct template *t, const struct pieces *pieces, const struct template_options *options,
		struct compile_errors *errors, struct buf *digest)
{
	struct compiler c = { .t = t,
		.options = options,
		.errors = errors,
		.digest = digest,
		.pieces = pieces,
		.html_on = t->escape == TEMPLATE_HTML && !t->tidy };

	c.f = function_new(t, t->name);
	compile_function(&c);
	for (size_t i = 0; i < t->function_count; i++)
		resolve_calls(t, t->functions[i], errors);
}
