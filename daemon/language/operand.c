/*
 * operand.c: what stands between {{ }} and in the arguments of tags: values, paths, ranges, filters,
 * conditions.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "compiler.h"

#define DEPTH_MAX 100
#define ARGUMENTS_MAX 16

/* --- literals and names --------------------------------------------------------------------------------- */

static bool push_constant(struct compiler *c, struct value v)
{
	compiler_emit(c, OP_CONST, compiler_constant(c, v));
	compiler_push(c, 1);
	return true;
}

/* Not `nil.x`, which is a part of something with that name. */
static bool is_alone(const struct compiler *c)
{
	struct lexer ahead = c->lexer;

	lex_next(&ahead);
	return ahead.at.kind != LEX_DOT && ahead.at.kind != LEX_OPEN_SQUARE;
}

static bool is_special(const struct compiler *c)
{
	return (lex_is(&c->lexer, "empty") || lex_is(&c->lexer, "blank")) && is_alone(c);
}

static bool literal_name(const struct compiler *c, struct value *out)
{
	if (lex_is(&c->lexer, "true") || lex_is(&c->lexer, "false"))
		*out = value_bool(lex_is(&c->lexer, "true"));
	else if (lex_is(&c->lexer, "nil") || lex_is(&c->lexer, "null"))
		*out = value_nil;
	else if (is_special(c))
		*out = value_slice((struct slice){ "", 0 });
	else
		return false;
	return is_alone(c);
}

static bool is_guarded(const struct compiler *c, int symbol)
{
	for (size_t i = 0; i < c->guard_count; i++)
		if (c->guards[i] == symbol)
			return true;
	return false;
}

static void push_name(struct compiler *c, struct slice name, size_t offset, bool strict)
{
	size_t v = compiler_variable(c, name), at;
	int symbol = c->f->variables[v].symbol;

	at = compiler_emit(c, OP_VARIABLE, c->f->variables[v].slot);
	compiler_push(c, 1);
	c->uses = xgrow(c->uses, &c->use_cap, c->use_count + 1, sizeof(*c->uses));
	c->uses[c->use_count++] = (struct name_use){ .instruction = at,
		.variable = v,
		.source = c->piece->source,
		.offset = c->piece->offset + (size_t)(c->lexer.text - c->piece->text.data) + offset,
		.strict = strict && !c->testing,
		.guarded = symbol >= 0 && is_guarded(c, symbol),
		.in_text = c->html_on && c->html.where == HTML_TEXT };
	if (c->testing && symbol >= 0) {
		c->guards = xgrow(c->guards, &c->guard_cap, c->guard_count + 1, sizeof(*c->guards));
		c->guards[c->guard_count++] = symbol;
	}
}

static const struct open_loop *loop_of(const struct compiler *c, struct slice name)
{
	for (int i = c->loop_count - 1; i >= 0; i--)
		if (c->loops[i].name.len == name.len &&
			memcmp(c->loops[i].name.data, name.data, name.len) == 0)
			return &c->loops[i];
	return NULL;
}

static enum loop_field loop_field(struct slice name)
{
	static const char *const names[] = { [LOOP_INDEX] = "index",
		[LOOP_INDEX0] = "index0",
		[LOOP_RINDEX] = "rindex",
		[LOOP_RINDEX0] = "rindex0",
		[LOOP_FIRST] = "first",
		[LOOP_LAST] = "last",
		[LOOP_LENGTH] = "length",
		[LOOP_NAME] = "name" };

	for (int i = 0; i < LOOP_OBJECT; i++)
		if (slice_is(name, names[i]))
			return (enum loop_field)i;
	return LOOP_OBJECT;
}

/* forloop, forloop.parentloop.index ... of the loops around; the lexer is behind `forloop`. */
static bool push_loop(struct compiler *c)
{
	int loop = c->loop_count - 1;
	enum loop_field field = LOOP_OBJECT;
	size_t at;

	while (c->lexer.at.kind == LEX_DOT && field == LOOP_OBJECT) {
		lex_next(&c->lexer);
		if (c->lexer.at.kind != LEX_NAME) {
			compiler_fail_here(c, "a name");
			return false;
		}
		field = loop_field(c->lexer.at.text);
		if (field == LOOP_OBJECT && lex_is(&c->lexer, "parentloop"))
			loop--;
		else if (field == LOOP_OBJECT)
			loop = -1;
		lex_next(&c->lexer);
	}
	if (loop < 0)
		return push_constant(c, value_nil);
	at = compiler_emit(c, OP_LOOP_FIELD, loop);
	c->f->code[at].n = (int16_t)field;
	compiler_push(c, 1);
	return true;
}

/* With a vocabulary a name may have points in it: the longest that is one. Steps behind it. */
static struct slice longest_name(struct compiler *c)
{
	struct slice best = c->lexer.at.text;
	struct lexer l = c->lexer, after;

	lex_next(&l);
	after = l;
	while (c->options->vocabulary && l.at.kind == LEX_DOT) {
		struct slice longer;

		lex_next(&l);
		if (l.at.kind != LEX_NAME)
			break;
		longer = (struct slice){ best.data, (size_t)(l.at.text.data + l.at.text.len - best.data) };
		lex_next(&l);
		if (vocabulary_find(c->options->vocabulary, longer) >= 0) {
			best = longer;
			after = l;
		}
	}
	c->lexer = after;
	return best;
}

static bool push_loop_variable(struct compiler *c, struct slice name)
{
	const struct open_loop *loop = loop_of(c, name);

	if (!loop)
		return false;
	compiler_emit(c, OP_SLOT, loop->slot);
	compiler_push(c, 1);
	return true;
}

static bool push_head(struct compiler *c, bool strict)
{
	size_t offset = c->lexer.at.offset;
	struct value v;

	if (c->lexer.at.kind == LEX_OPEN_SQUARE) {
		lex_next(&c->lexer);
		if (c->lexer.at.kind == LEX_TEXT) {
			if (!push_loop_variable(c, c->lexer.at.text))
				push_name(c, c->lexer.at.text, offset, strict);
			lex_next(&c->lexer);
		} else {
			if (c->options->vocabulary) {
				compiler_fail(c, offset,
					"a name is wanted here: which one [ ] means shows only later");
				return false;
			}
			if (!operand_value(c, false))
				return false;
			compiler_emit(c, OP_FREE_DYNAMIC, 0);
		}
		if (c->lexer.at.kind != LEX_CLOSE_SQUARE) {
			compiler_fail_here(c, "]");
			return false;
		}
		lex_next(&c->lexer);
		return true;
	}
	if (literal_name(c, &v)) {
		lex_next(&c->lexer);
		return push_constant(c, v);
	}
	if (lex_is(&c->lexer, "forloop") && c->loop_count) {
		lex_next(&c->lexer);
		return push_loop(c);
	}
	if (push_loop_variable(c, c->lexer.at.text)) {
		lex_next(&c->lexer);
		return true;
	}
	push_name(c, longest_name(c), offset, strict);
	return true;
}

static bool push_path(struct compiler *c, bool strict)
{
	size_t at;

	if (!push_head(c, strict))
		return false;
	for (;;) {
		if (c->lexer.at.kind == LEX_DOT) {
			lex_next(&c->lexer);
			if (c->lexer.at.kind != LEX_NAME) {
				compiler_fail_here(c, "a name");
				return false;
			}
			at = compiler_emit(c, OP_GET, compiler_constant(c, value_slice(c->lexer.at.text)));
			c->f->code[at].strict = true;
			lex_next(&c->lexer);
		} else if (c->lexer.at.kind == LEX_OPEN_SQUARE) {
			lex_next(&c->lexer);
			if (!operand_value(c, false))
				return false;
			if (c->lexer.at.kind != LEX_CLOSE_SQUARE) {
				compiler_fail_here(c, "]");
				return false;
			}
			lex_next(&c->lexer);
			compiler_emit(c, OP_INDEX, 0);
			compiler_push(c, -1);
		} else {
			return true;
		}
	}
}

/* Of the code from there on: is it one constant? */
static bool is_constant(const struct compiler *c, size_t code)
{
	return c->f->count == code + 1 && c->f->code[code].op == OP_CONST;
}

static bool push_range(struct compiler *c)
{
	size_t first = c->f->count, last, at;
	bool fixed;

	lex_next(&c->lexer);
	if (!operand_value(c, false))
		return false;
	if (c->lexer.at.kind != LEX_DOTDOT) {
		compiler_fail_here(c, "the .. of a range");
		return false;
	}
	lex_next(&c->lexer);
	fixed = is_constant(c, first);
	last = c->f->count;
	if (!operand_value(c, false))
		return false;
	if (c->lexer.at.kind != LEX_CLOSE) {
		compiler_fail_here(c, ")");
		return false;
	}
	lex_next(&c->lexer);
	fixed = fixed && is_constant(c, last);
	at = compiler_emit(c, OP_RANGE, 0);
	c->f->code[at].strict = !fixed;	/* Liquid cuts literals off, (1.5..3), and refuses a name that is a decimal */
	compiler_push(c, -1);
	return true;
}

bool operand_value(struct compiler *c, bool strict)
{
	struct value v;
	bool done;

	if (++c->depth > DEPTH_MAX) {
		compiler_fail(c, c->lexer.at.offset, "this is nested too deep");
		c->depth--;
		return false;
	}
	switch (c->lexer.at.kind) {
	case LEX_INT:
		v = value_int(c->lexer.at.integer);
		break;
	case LEX_REAL:
		v = value_real(c->lexer.at.real);
		break;
	case LEX_TEXT:
		v = value_slice(c->lexer.at.text);
		break;
	case LEX_OPEN:
		done = push_range(c);
		c->depth--;
		return done;
	case LEX_NAME:
	case LEX_OPEN_SQUARE:
		done = push_path(c, strict);
		c->depth--;
		return done;
	default:
		compiler_fail_here(c, "a name, a text or a number");
		c->depth--;
		return false;
	}
	c->depth--;
	lex_next(&c->lexer);
	return push_constant(c, v);
}

/* --- filters -------------------------------------------------------------------------------------------- */

struct chain {
	bool raw;	/* | raw */
	bool markup;	/* what it gives is HTML already */
	bool json;	/* the last one was json */
};

struct arguments {
	int plain, keywords;
};

static bool is_keyword(const struct compiler *c)
{
	struct lexer ahead = c->lexer;

	lex_next(&ahead);
	return c->lexer.at.kind == LEX_NAME && ahead.at.kind == LEX_COLON;
}

/*
 * One turn over the arguments: those with a name, or those without, whichever is asked for; of the others only the
 * lexer takes notice. *more: there are others.
 */
static bool push_some(struct compiler *c, bool strict, bool keywords, int *count, bool *more)
{
	do {
		size_t code = c->f->count, uses = c->use_count;
		int stack = c->stack;
		bool pair;

		lex_next(&c->lexer);
		pair = is_keyword(c);
		if (pair) {
			push_constant(c, value_slice(c->lexer.at.text));
			lex_next(&c->lexer);
			lex_next(&c->lexer);
		}
		if (!operand_value(c, strict))
			return false;
		if (pair == keywords) {
			++*count;
		} else {
			c->f->count = code;
			c->use_count = uses;
			c->stack = stack;
			*more = true;
		}
		if (*count > ARGUMENTS_MAX) {
			compiler_fail_here(c, "the end of this long list");
			return false;
		}
	} while (c->lexer.at.kind == LEX_COMMA);
	return true;
}

/* Those with a name come last, wherever they stand. */
static bool push_arguments(struct compiler *c, bool strict, struct arguments *a)
{
	struct lexer start = c->lexer;
	bool keywords = false, plain = false;

	if (!push_some(c, strict, false, &a->plain, &keywords))
		return false;
	if (!keywords)
		return true;
	c->lexer = start;
	return push_some(c, strict, true, &a->keywords, &plain);
}

static void emit_filter(struct compiler *c, int filter, const struct arguments *a)
{
	size_t at;

	if (a->keywords) {
		compiler_emit(c, OP_KEYWORDS, a->keywords);
		compiler_push(c, 1 - 2 * a->keywords);
	}
	at = compiler_emit(c, OP_FILTER, filter);
	c->f->code[at].n = (int16_t)a->plain;
	c->f->code[at].strict = a->keywords > 0;
	compiler_push(c, -a->plain - (a->keywords ? 1 : 0));
}

static void plain_filter(struct compiler *c, const char *name)
{
	struct arguments none = { 0, 0 };

	emit_filter(c, filter_find(slice_of(name)), &none);
}

static bool keeps_markup(struct slice name)
{
	return slice_is(name, "strip") || slice_is(name, "lstrip") || slice_is(name, "rstrip") ||
	       slice_is(name, "strip_newlines");
}

/*
 * In HTML, escape marks its result as done, and newline_to_br escapes first; in a text part neither has
 * anything to do.
 */
static bool special_filter(struct compiler *c, struct slice name, struct chain *chain)
{
	bool escape = slice_is(name, "escape") || slice_is(name, "escape_once") || slice_is(name, "h");
	bool lines = slice_is(name, "newline_to_br");

	chain->json = slice_is(name, "json");
	if (slice_is(name, "raw")) {
		chain->raw = true;
		if (c->t->tidy)
			plain_filter(c, "strip_html");
		return true;
	}
	if (c->t->tidy && (escape || lines))
		return true;
	if (!c->html_on)
		return false;
	if (lines && !chain->markup)
		plain_filter(c, "escape");
	chain->markup = escape || lines || (chain->markup && keeps_markup(name));
	return false;
}

static bool push_filter(struct compiler *c, bool strict, struct chain *chain)
{
	struct slice name = c->lexer.at.text;
	size_t offset = c->lexer.at.offset;
	struct arguments a = { 0, 0 };
	const struct filter *f;
	char text[64];
	int filter, count;

	if (c->lexer.at.kind != LEX_NAME) {
		compiler_fail_here(c, "a filter");
		return false;
	}
	lex_next(&c->lexer);
	if (special_filter(c, name, chain) && c->lexer.at.kind != LEX_COLON)
		return true;
	filter = filter_find(name);
	if (filter < 0) {
		snprintf(text, sizeof(text), "%.*s", (int)(name.len < 60 ? name.len : 60), name.data);
		compiler_fail(c, offset, "unknown filter \"%s\"%s%s%s", text,
			filter_nearest(text) ? "; did you mean \"" : "",
			filter_nearest(text) ? filter_nearest(text) : "", filter_nearest(text) ? "\"?" : "");
		return false;
	}
	if (c->lexer.at.kind == LEX_COLON && !push_arguments(c, strict, &a))
		return false;
	f = filter_at(filter);
	if (a.keywords && !f->keywords) {
		compiler_fail(c, offset, "the filter %s takes no argument with a name", f->name);
		return false;
	}
	count = a.plain + (a.keywords > 0);
	if (count < f->min || count > f->max) {
		compiler_fail(c, offset, "the filter %s takes %s%d argument%s, not %d", f->name,
			f->max == f->min ? ""
			: count > f->max ? "at most "
					 : "at least ",
			count > f->max ? f->max : f->min,
			(count > f->max ? f->max : f->min) == 1 ? "" : "s", count);
		return false;
	}
	emit_filter(c, filter, &a);
	return true;
}

bool operand_is_strict(const struct compiler *c)
{
	struct lexer l = c->lexer;

	if (!c->options->vocabulary)
		return false;
	while (l.at.kind != LEX_END && l.at.kind != LEX_BAD) {
		bool pipe = l.at.kind == LEX_PIPE;

		lex_next(&l);
		if (pipe && lex_is(&l, "default"))
			return false;
	}
	return true;
}

static bool push_chain(struct compiler *c, struct chain *chain)
{
	bool strict = operand_is_strict(c);

	if (!operand_value(c, strict))
		return false;
	while (c->lexer.at.kind == LEX_PIPE) {
		lex_next(&c->lexer);
		if (!push_filter(c, strict, chain))
			return false;
	}
	return true;
}

bool operand_filtered(struct compiler *c)
{
	struct chain chain = { 0 };

	return push_chain(c, &chain);
}

/* --- outputs -------------------------------------------------------------------------------------------- */

static enum escape_mode html_mode(struct compiler *c, const struct chain *chain)
{
	const struct html *h = &c->html;
	bool url = h->where == HTML_VALUE_QUOTED && html_is_url(h) && h->value_empty;

	if (chain->raw)
		return ESCAPE_NONE;
	switch (h->where) {
	case HTML_TEXT:
	case HTML_TAG_OPEN:
	case HTML_COMMENT:
	case HTML_MARKUP:
		break;
	case HTML_RAW_TEXT:
		if (strcmp(h->raw_tag, "script") == 0 || strcmp(h->raw_tag, "style") == 0)
			compiler_fail(c, 0, "an output inside %s cannot be made safe; put it elsewhere",
				h->raw_tag);
		break;
	case HTML_VALUE_QUOTED:
		if (strncmp(h->attribute, "on", 2) == 0)
			compiler_fail(c, 0, "an output inside %s=\"\" cannot be made safe; put it elsewhere",
				h->attribute);
		break;
	case HTML_TAG_NAME:
	case HTML_IN_TAG:
	case HTML_ATTRIBUTE_NAME:
		compiler_fail(
			c, 0, "an output inside a tag stands in a quoted attribute or nowhere (or: | raw)");
		break;
	case HTML_BEFORE_VALUE:
	case HTML_VALUE_BARE:
		compiler_fail(c, 0, "put quotes around the value of %s",
			h->attribute[0] ? h->attribute : "this attribute");
		break;
	}
	if (url)
		return chain->markup ? ESCAPE_URL_SAFE : ESCAPE_URL;
	return chain->markup ? ESCAPE_NONE : ESCAPE_HTML;
}

static enum escape_mode output_mode(struct compiler *c, const struct chain *chain)
{
	switch (c->t->escape) {
	case TEMPLATE_PLAIN:
		return ESCAPE_NONE;
	case TEMPLATE_HTML:
		return html_mode(c, chain);
	case TEMPLATE_HEADER:
		return ESCAPE_HEADER;
	case TEMPLATE_JSON:
		return chain->raw || chain->json ? ESCAPE_NONE : ESCAPE_JSON;
	}
	return ESCAPE_NONE;
}

void operand_output(struct compiler *c, struct slice text)
{
	struct chain chain = { 0 };
	size_t at;

	compiler_lex(c, text);
	c->blank = false;
	if (c->lexer.at.kind == LEX_END)
		return;
	if (push_chain(c, &chain)) {
		compiler_end(c);
		at = compiler_emit(c, OP_OUT, 0);
		c->f->code[at].mode = (uint8_t)output_mode(c, &chain);
	}
	c->stack = 0;
	if (c->html_on)
		html_output(&c->html);
}

/* --- conditions ----------------------------------------------------------------------------------------- */

static bool comparison_at(const struct compiler *c, enum comparison *how)
{
	switch (c->lexer.at.kind) {
	case LEX_EQ:
		*how = COMPARE_EQ;
		return true;
	case LEX_NE:
		*how = COMPARE_NE;
		return true;
	case LEX_LT:
		*how = COMPARE_LT;
		return true;
	case LEX_LE:
		*how = COMPARE_LE;
		return true;
	case LEX_GT:
		*how = COMPARE_GT;
		return true;
	case LEX_GE:
		*how = COMPARE_GE;
		return true;
	case LEX_NAME:
		*how = COMPARE_CONTAINS;
		return lex_is(&c->lexer, "contains");
	default:
		return false;
	}
}

bool operand_compared(struct compiler *c)
{
	struct value v = { .type = VALUE_SPECIAL, .integer = lex_is(&c->lexer, "blank") };

	if (!is_special(c))
		return operand_value(c, false);
	lex_next(&c->lexer);
	return push_constant(c, v);
}

static bool push_condition(struct compiler *c)
{
	enum comparison how;
	size_t jump;
	bool done;

	if (!operand_compared(c))
		return false;
	if (comparison_at(c, &how)) {
		lex_next(&c->lexer);
		if (!operand_compared(c))
			return false;
		compiler_emit(c, OP_COMPARE, (int32_t)how);
		compiler_push(c, -1);
	}
	if (!lex_is(&c->lexer, "and") && !lex_is(&c->lexer, "or"))
		return true;
	/* right to left, as Liquid does: a and b or c is a and (b or c) */
	jump = compiler_emit(c, lex_is(&c->lexer, "and") ? OP_KEEP_FALSE : OP_KEEP_TRUE, 0);
	compiler_push(c, -1);
	lex_next(&c->lexer);
	if (++c->depth > DEPTH_MAX) {
		compiler_fail(c, c->lexer.at.offset, "this condition is too long");
		c->depth--;
		return false;
	}
	done = push_condition(c);
	c->depth--;
	compiler_patch(c, jump);
	return done;
}

bool operand_condition(struct compiler *c)
{
	bool done;

	c->testing = true;
	done = push_condition(c);
	c->testing = false;
	return done;
}
