/*
 * tags.c: the tags of Liquid, and abort. A block compiles its branches from the same place in the HTML and
 * sees to it that they end in the same one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

/* --- blocks --------------------------------------------------------------------------------------------- */

struct block {
	const struct piece *opened;	/* the tag that opened it */
	struct html begin, end;
	bool ended;			/* `end` is known */
	bool was_blank;
	size_t code;
	size_t guards;
	size_t *exits;			/* jumps to behind the block */
	size_t exit_count, exit_cap;
};

static void block_open(struct compiler *c, struct block *b)
{
	*b = (struct block){ .opened = c->piece, .begin = c->html, .was_blank = c->blank, .code = c->f->count,
		.guards = c->guard_count };
	c->blank = true;
}

/* A branch is over: note where in the HTML it ended, and go back to where they all begin. */
static void block_branch(struct compiler *c, struct block *b, const struct html *end)
{
	if (!b->ended)
		b->end = *end;
	else if (c->html_on && !html_meet(&b->end, end))
		compile_error(c->errors, b->opened->source, b->opened->offset,
			"the ways through this block end in different places of the HTML: one %s, one %s",
			html_place(&b->end), html_place(end));
	b->ended = true;
	c->html = b->begin;
}

static void block_exit(struct compiler *c, struct block *b)
{
	b->exits = xgrow(b->exits, &b->exit_cap, b->exit_count + 1, sizeof(*b->exits));
	b->exits[b->exit_count++] = compiler_emit(c, OP_JUMP, 0);
}

/* The text of a block that puts out nothing but white space is not put out either. */
static void block_close(struct compiler *c, struct block *b)
{
	for (size_t i = 0; i < b->exit_count; i++)
		compiler_patch(c, b->exits[i]);
	free(b->exits);
	for (size_t i = b->code; c->blank && i < c->f->count; i++)
		if (c->f->code[i].op == OP_LITERAL && !c->f->code[i].strict)
			c->f->code[i].op = OP_NOTHING;
	c->blank = c->blank && b->was_blank;
	c->guard_count = b->guards;
	if (b->ended)
		c->html = b->end;
}

static void missing_end(struct compiler *c, const struct block *b, const char *end)
{
	compile_error(c->errors, b->opened->source, b->opened->offset, "this block has no %s", end);
}

/* --- if, unless ----------------------------------------------------------------------------------------- */

static size_t condition_jump(struct compiler *c, struct slice text, bool unless)
{
	compiler_lex(c, text);
	if (operand_condition(c))
		compiler_end(c);
	c->stack = 0;
	return compiler_emit(c, unless ? OP_JUMP_TRUE : OP_JUMP_FALSE, 0);
}

static void compile_if(struct compiler *c, struct slice rest, bool unless)
{
	static const char *const ends[2][4] = { { "elsif", "else", "endif", NULL },
		{ "elsif", "else", "endunless", NULL } };
	bool has_else = false;
	struct block b;
	size_t jump;
	int end;

	block_open(c, &b);
	jump = condition_jump(c, rest, unless);
	for (;;) {
		struct slice tail;

		end = compiler_block(c, ends[unless]);
		block_branch(c, &b, &c->html);
		if (end == 2 || end < 0)
			break;
		block_exit(c, &b);
		if (!has_else)
			compiler_patch(c, jump);
		piece_tag(c->piece, &tail);
		if (has_else && c->options->vocabulary)
			compiler_fail(c, 0, "nothing can follow the else of this block");
		else if (end == 1 && tail.len && c->options->vocabulary)
			compiler_fail(c, 0, "else takes no condition; write elsif");
		if (end == 0 && !has_else)
			jump = condition_jump(c, tail, false);
		has_else = has_else || end == 1;
	}
	if (end < 0)
		missing_end(c, &b, ends[unless][2]);
	if (!has_else) {
		compiler_patch(c, jump);
		block_branch(c, &b, &b.begin);
	}
	block_close(c, &b);
}

/* --- case ----------------------------------------------------------------------------------------------- */

static void compile_when(struct compiler *c, struct slice text, int slots)
{
	compiler_lex(c, text);
	for (;;) {
		if (!operand_compared(c))
			return;
		compiler_emit(c, OP_WHEN, slots);
		compiler_push(c, -1);
		if (c->lexer.at.kind != LEX_COMMA && !lex_is(&c->lexer, "or"))
			break;
		lex_next(&c->lexer);
	}
	if (c->options->vocabulary)	/* Liquid itself overlooks what follows */
		compiler_end(c);
}

static void compile_case(struct compiler *c, struct slice rest)
{
	static const char *const ends[] = { "when", "else", "endcase", NULL };
	int slots = c->f->slots, end;
	bool has_else = false;
	size_t code, again, uses;
	struct slice tail;
	struct block b;

	c->f->slots += 3;
	block_open(c, &b);
	compiler_lex(c, rest);
	c->testing = true;
	if (operand_value(c, false))
		compiler_end(c);
	c->testing = false;
	c->stack = 0;
	compiler_emit(c, OP_CASE, slots);
	code = c->f->count;
	uses = c->use_count;
	end = compiler_block(c, ends);
	for (size_t i = code; i < c->f->count; i++) /* what stands before the first when is never put out */
		c->f->code[i].op = OP_NOTHING;
	c->use_count = uses;
	c->html = b.begin;
	while (end == 0 || end == 1) {
		bool is_when = end == 0;

		piece_tag(c->piece, &tail);
		has_else = has_else || !is_when;
		if (is_when)
			compile_when(c, tail, slots);
		else if (tail.len)
			compiler_fail(c, 0, "else takes no condition; write when");
		c->stack = 0;
		again = compiler_emit(c, is_when ? OP_WHEN_NEXT : OP_CASE_ELSE, slots);
		end = compiler_block(c, ends);
		block_branch(c, &b, &c->html);
		if (is_when)
			compiler_emit(c, OP_JUMP, (int32_t)again);
		compiler_patch(c, again);
	}
	if (end < 0)
		missing_end(c, &b, "endcase");
	if (!has_else)
		block_branch(c, &b, &b.begin);
	block_close(c, &b);
}

/* --- for ------------------------------------------------------------------------------------------------ */

static int memory_of(struct compiler *c, const char *name)
{
	for (size_t i = 0; i < c->f->loop_count; i++)
		if (strcmp(c->f->loops[i].name, name) == 0)
			return c->f->loops[i].memory;
	return c->f->memories++;
}

static bool for_parameters(struct compiler *c, const struct for_description *d, int *flags)
{
	int offset = 0, limit = 0;

	while (c->lexer.at.kind != LEX_END) {
		bool is_limit = lex_is(&c->lexer, "limit");

		if (c->lexer.at.kind == LEX_COMMA) {
			lex_next(&c->lexer);
			continue;
		}
		if (lex_is(&c->lexer, "reversed")) {
			*flags |= FOR_REVERSED;
			lex_next(&c->lexer);
			continue;
		}
		if ((!is_limit && !lex_is(&c->lexer, "offset")) || (is_limit ? limit++ : offset++)) {
			compiler_fail_here(c, "limit, offset or reversed");
			return false;
		}
		lex_next(&c->lexer);
		if (c->lexer.at.kind != LEX_COLON) {
			compiler_fail_here(c, "a colon");
			return false;
		}
		lex_next(&c->lexer);
		if (!is_limit && lex_is(&c->lexer, "continue")) {
			*flags |= FOR_CONTINUE;
			lex_next(&c->lexer);
			continue;
		}
		if (!operand_value(c, false))
			return false;
		compiler_emit(c, OP_ASSIGN, d->slot + (is_limit ? 1 : 2));
		compiler_push(c, -1);
		*flags |= is_limit ? FOR_LIMIT : FOR_OFFSET;
	}
	return true;
}

/* "item-(1..n)": what the loop goes over, up to where the compiler's lexer stands now, without white space. */
static const char *loop_name(struct compiler *c, struct slice name, struct lexer l)
{
	struct buf b = BUF_INIT;
	const char *kept;

	buf_add(&b, name.data, name.len);
	buf_char(&b, '-');
	for (; l.at.kind != LEX_END && l.at.offset < c->lexer.at.offset; lex_next(&l))
		buf_add(&b, l.text + l.at.offset, l.at.end - l.at.offset);
	kept = compiler_keep(c, (struct slice){ buf_cstr(&b), b.len });
	buf_clear(&b);
	return kept;
}

/*
 * `NAME in VALUE ...`: pushes the collection. The description's slots: the variable's, then limit's and
 * offset's.
 */
static bool for_head(struct compiler *c, struct for_description *d, struct slice *name, int *flags)
{
	struct lexer start;

	if (c->lexer.at.kind != LEX_NAME) {
		compiler_fail_here(c, "a name");
		return false;
	}
	*name = c->lexer.at.text;
	lex_next(&c->lexer);
	if (!lex_is(&c->lexer, "in")) {
		compiler_fail_here(c, "in");
		return false;
	}
	lex_next(&c->lexer);
	start = c->lexer;
	c->testing = true;
	if (!operand_value(c, false)) {
		c->testing = false;
		return false;
	}
	c->testing = false;
	d->slot = c->f->slots;
	c->f->slots += 3;
	d->name = loop_name(c, *name, start);
	d->memory = memory_of(c, d->name);
	return for_parameters(c, d, flags);
}

static void patch_all(struct compiler *c, size_t *jumps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		compiler_patch(c, jumps[i]);
	free(jumps);
}

static void for_body(
	struct compiler *c, struct block *b, const struct for_description *d, struct slice name, int flags)
{
	static const char *const ends[] = { "else", "endfor", NULL };
	struct open_loop loop;
	size_t begin = compiler_emit(c, OP_FOR, 0), description = c->f->loop_count - 1, next;
	int end;

	c->f->code[begin].n = (int16_t)flags;
	c->f->code[begin].b = (int32_t)description;
	c->stack = 0;
	c->loops[c->loop_count++] =
		(struct open_loop){ .name = name, .slot = d->slot, .captures = c->capture_count };
	end = compiler_block(c, ends);
	loop = c->loops[--c->loop_count];	/* a loop behind `else` takes its place */
	patch_all(c, loop.continues, loop.continue_count);
	next = compiler_emit(c, OP_NEXT, (int32_t)begin + 1);
	c->f->code[next].b = (int32_t)description;
	block_branch(c, b, &c->html);
	if (c->html_on && !html_meet(&b->end, &b->begin))
		compile_error(c->errors, b->opened->source, b->opened->offset,
			"this loop ends %s and began %s: each turn has to come back to where it began",
			html_place(&b->end), html_place(&b->begin));
	if (end == 0) {
		static const char *const last[] = { "endfor", NULL };

		block_exit(c, b);
		compiler_patch(c, begin);
		end = compiler_block(c, last) == 0;
		block_branch(c, b, &c->html);
	} else {
		compiler_patch(c, begin);
	}
	if (end != 1)
		missing_end(c, b, "endfor");
	patch_all(c, loop.breaks, loop.break_count);
}

static void compile_for(struct compiler *c, struct slice rest)
{
	struct for_description d = { .loop = c->loop_count };
	struct slice name = { "", 0 };
	int flags = 0;
	struct block b;

	block_open(c, &b);
	compiler_lex(c, rest);
	if (c->loop_count >= LOOPS_MAX - 1) {
		compiler_fail(c, 0, "more than %d loops inside one another", LOOPS_MAX - 1);
		c->at = c->pieces->count;
		block_close(c, &b);
		return;
	}
	d.name = "";
	for_head(c, &d, &name, &flags);
	c->f->loops = xgrow(c->f->loops, &c->f->loop_cap, c->f->loop_count + 1, sizeof(*c->f->loops));
	c->f->loops[c->f->loop_count++] = d;
	for_body(c, &b, &d, name, flags);
	block_close(c, &b);
}

static void compile_jump(struct compiler *c, bool is_break)
{
	struct open_loop *loop = c->loop_count ? &c->loops[c->loop_count - 1] : NULL;
	size_t **jumps, *count, *cap;

	c->blank = false;
	for (int i = c->capture_count - 1; i >= (loop ? loop->captures : 0); i--)
		compiler_emit(c, OP_CAPTURED, c->captures[i]);
	if (!loop) {
		if (c->options->vocabulary)
			compiler_fail(c, 0, "%s stands outside of a loop", is_break ? "break" : "continue");
		compiler_emit(c, OP_END, 0);
		return;
	}
	jumps = is_break ? &loop->breaks : &loop->continues;
	count = is_break ? &loop->break_count : &loop->continue_count;
	cap = is_break ? &loop->break_cap : &loop->continue_cap;
	*jumps = xgrow(*jumps, cap, *count + 1, sizeof(**jumps));
	(*jumps)[(*count)++] = compiler_emit(c, OP_JUMP, 0);
}

/* --- assign, capture, cycle, abort ---------------------------------------------------------------------- */

static bool target_name(struct compiler *c, bool quoted, struct slice *name)
{
	if (c->lexer.at.kind != LEX_NAME && c->lexer.at.kind != LEX_INT && !(quoted && c->lexer.at.kind == LEX_TEXT)) {
		compiler_fail_here(c, "a name");
		return false;
	}
	*name = c->lexer.at.text;
	lex_next(&c->lexer);
	return true;
}

static void compile_assign(struct compiler *c, struct slice rest)
{
	struct slice name;
	size_t v;

	compiler_lex(c, rest);
	if (!target_name(c, false, &name))
		return;
	if (c->lexer.at.kind != LEX_ASSIGN) {
		compiler_fail_here(c, "=");
		return;
	}
	lex_next(&c->lexer);
	if (!operand_filtered(c))
		return;
	compiler_end(c);
	v = compiler_variable(c, name);
	c->f->variables[v].assigned = true;
	compiler_emit(c, OP_ASSIGN, c->f->variables[v].slot);
}

static void compile_capture(struct compiler *c, struct slice rest)
{
	static const char *const ends[] = { "endcapture", NULL };
	const struct piece *opened = c->piece;
	struct html outside = c->html;
	bool was_blank = c->blank;
	struct slice name = { "", 0 };
	size_t v, code = c->f->count;

	compiler_lex(c, rest);
	if (target_name(c, true, &name))
		compiler_end(c);
	v = compiler_variable(c, name);
	c->f->variables[v].captured = true;
	if (c->capture_count >= CAPTURES_MAX) {
		compiler_fail(c, 0, "more than %d captures inside one another", CAPTURES_MAX);
		c->at = c->pieces->count;
		return;
	}
	c->captures[c->capture_count++] = c->f->variables[v].slot;
	compiler_emit(c, OP_CAPTURE, 0);
	html_init(&c->html);
	if (compiler_block(c, ends) < 0)
		compile_error(c->errors, opened->source, opened->offset, "this block has no endcapture");
	if (c->html_on && c->html.where != HTML_TEXT)
		compile_error(c->errors, opened->source, opened->offset, "this capture ends %s",
			html_place(&c->html));
	c->html = outside;
	c->blank = was_blank;
	c->capture_count--;
	compiler_emit(c, OP_CAPTURED, c->f->variables[v].slot);
	for (size_t i = code; i < c->f->count; i++)
		if (c->f->code[i].op == OP_LITERAL)
			c->f->code[i].strict = true;
}

static bool is_list_end(const struct lexer *l)
{
	return l->at.kind == LEX_COMMA || l->at.kind == LEX_END;
}

/* The values of a cycle; how many, or -1. A literal nil is none of them. *fixed: all are literals. */
static int cycle_values(struct compiler *c, bool *fixed)
{
	int values = 0;

	for (*fixed = true;;) {
		struct lexer ahead = c->lexer;
		size_t code = c->f->count;

		lex_next(&ahead);
		if ((lex_is(&c->lexer, "nil") || lex_is(&c->lexer, "null")) && is_list_end(&ahead)) {
			c->lexer = ahead;
		} else {
			if (!operand_value(c, false))
				return -1;
			values++;
			*fixed = *fixed && c->f->code[code].op == OP_CONST;
		}
		if (c->lexer.at.kind != LEX_COMMA)
			return values;
		lex_next(&c->lexer);
		if (c->lexer.at.kind == LEX_END)
			return values;
	}
}

/*
 * {% cycle 'a', 'b' %} or {% cycle group: 'a', 'b' %}. Without a group those with the same literals go on for one
 * another; one with names in it stands alone.
 */
static void compile_cycle(struct compiler *c, struct slice rest)
{
	size_t at, name = c->f->count;
	struct lexer ahead;
	bool fixed, grouped;
	struct buf group = BUF_INIT;
	int values;

	c->blank = false;
	compiler_lex(c, rest);
	ahead = c->lexer;
	lex_next(&ahead);
	grouped = ahead.at.kind == LEX_COLON;
	if (grouped) {
		if (!operand_value(c, false))
			return;
		lex_next(&c->lexer);
	} else {
		compiler_emit(c, OP_CONST, 0);
		compiler_push(c, 1);
	}
	values = cycle_values(c, &fixed);
	if (values < 0)
		return;
	compiler_end(c);
	if (!grouped) {
		if (!fixed)
			buf_printf(&group, "#%zu.%zu", c->t->function_count, name);
		for (size_t i = name + 1; fixed && i < c->f->count; i++) {
			value_to_source(&group, c->t->constants[c->f->code[i].a]);
			buf_char(&group, ',');
		}
		c->f->code[name].a = compiler_constant(c, value_slice((struct slice){ buf_cstr(&group), group.len }));
		buf_clear(&group);
	}
	at = compiler_emit(c, OP_CYCLE, values);
	c->f->code[at].strict = !grouped;
	at = compiler_emit(c, OP_OUT, 0);
	c->f->code[at].mode = c->t->escape == TEMPLATE_HTML && c->html_on ? ESCAPE_HTML
			      : c->t->escape == TEMPLATE_HEADER		  ? ESCAPE_HEADER
			      : c->t->escape == TEMPLATE_JSON		  ? ESCAPE_JSON
									  : ESCAPE_NONE;
	if (c->html_on)
		html_output(&c->html);
}

static void compile_abort(struct compiler *c, struct slice rest)
{
	c->blank = false;
	compiler_lex(c, rest);
	if (!operand_filtered(c))
		return;
	compiler_end(c);
	compiler_emit(c, OP_ABORT, 0);
}

/* --- render --------------------------------------------------------------------------------------------- */

static bool render_arguments(struct compiler *c, struct call_description *call)
{
	struct argument arguments[16];

	while (c->lexer.at.kind != LEX_END) {
		if (c->lexer.at.kind == LEX_COMMA) {
			lex_next(&c->lexer);
			continue;
		}
		if (c->lexer.at.kind != LEX_NAME || call->count >= 16) {
			compiler_fail_here(c, "name: value");
			return false;
		}
		arguments[call->count] =
			(struct argument){ { compiler_keep(c, c->lexer.at.text), c->lexer.at.text.len }, -1 };
		lex_next(&c->lexer);
		if (c->lexer.at.kind != LEX_COLON) {
			compiler_fail_here(c, "a colon");
			return false;
		}
		lex_next(&c->lexer);
		if (!operand_value(c, operand_is_strict(c)))
			return false;
		call->count++;
	}
	call->arguments = arena_alloc(c->t->arena, sizeof(arguments));
	memcpy(call->arguments, arguments, (size_t)call->count * sizeof(arguments[0]));
	return true;
}

/* `with VALUE as NAME` or `for VALUE as NAME`: the value is pushed below the arguments. */
static bool render_with(struct compiler *c, struct call_description *call, struct slice name)
{
	const char *slash = name.len ? memrchr(name.data, '/', name.len) : NULL;
	struct slice as =
		slash ? (struct slice){ slash + 1, (size_t)(name.data + name.len - slash) - 1 } : name;

	if (!lex_is(&c->lexer, "with") && !lex_is(&c->lexer, "for"))
		return true;
	call->has_with = true;
	call->each = lex_is(&c->lexer, "for");
	lex_next(&c->lexer);
	c->testing = call->each;
	if (!operand_value(c, !call->each && operand_is_strict(c))) {
		c->testing = false;
		return false;
	}
	c->testing = false;
	if (lex_is(&c->lexer, "as")) {
		lex_next(&c->lexer);
		if (c->lexer.at.kind != LEX_NAME) {
			compiler_fail_here(c, "a name");
			return false;
		}
		as = c->lexer.at.text;
		lex_next(&c->lexer);
	}
	call->with.name = (struct slice){ compiler_keep(c, as), as.len };
	return true;
}

static void compile_render(struct compiler *c, struct slice rest)
{
	struct call_description call = { .with.slot = -1, .forloop = -1, .source = c->piece->source };
	struct slice name;

	c->blank = false;
	compiler_lex(c, rest);
	call.offset = c->piece->offset + (size_t)(rest.data - c->piece->text.data);
	if (c->lexer.at.kind != LEX_TEXT) {
		compiler_fail_here(c, "the name of a template in quotes");
		return;
	}
	if (c->html_on && c->html.where != HTML_TEXT)
		compiler_fail(c, 0, "render stands %s; it can stand in text only", html_place(&c->html));
	name = c->lexer.at.text;
	lex_next(&c->lexer);
	if (!render_with(c, &call, name) || !render_arguments(c, &call))
		return;
	call.function = compiler_partial(c, name, 0);
	if (call.function < 0)
		return;
	c->f->calls = xgrow(c->f->calls, &c->f->call_cap, c->f->call_count + 1, sizeof(*c->f->calls));
	c->f->calls[c->f->call_count] = call;
	compiler_emit(c, OP_RENDER, (int32_t)c->f->call_count++);
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static void compile_unless(struct compiler *c, struct slice rest)
{
	compile_if(c, rest, true);
}

static void compile_plain_if(struct compiler *c, struct slice rest)
{
	compile_if(c, rest, false);
}

static void compile_break(struct compiler *c, struct slice rest)
{
	compile_jump(c, true);
}

static void compile_continue(struct compiler *c, struct slice rest)
{
	compile_jump(c, false);
}

bool tags_compile(struct compiler *c, struct slice name, struct slice rest)
{
	static const struct {
		const char *name;
		void (*compile)(struct compiler *c, struct slice rest);
		bool block;
	} tags[] = {
		{ "if", compile_plain_if, true },
		{ "unless", compile_unless, true },
		{ "case", compile_case, true },
		{ "for", compile_for, true },
		{ "capture", compile_capture, true },
		{ "assign", compile_assign, false },
		{ "echo", operand_output, false },
		{ "cycle", compile_cycle, false },
		{ "render", compile_render, false },
		{ "abort", compile_abort, false },
		{ "break", compile_break, false },
		{ "continue", compile_continue, false },
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!slice_is(name, tags[i].name))
			continue;
		if (tags[i].block && c->depth > 60) {
			compiler_fail(c, 0, "more than 60 blocks inside one another");
			c->at = c->pieces->count;
			return true;
		}
		c->depth += tags[i].block;
		tags[i].compile(c, rest);
		c->depth -= tags[i].block;
		c->stack = 0;
		return true;
	}
	return false;
}
