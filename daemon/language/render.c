/*
 * render.c: runs a compiled template: one loop over flat code with a small stack of values. All that is
 * made on the way lies in the caller's arena; whatever a template does, it ends within its limits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

#define OUTPUT_MAX (1 << 20)
#define ARENA_MAX (16 << 20)
#define STEPS_MAX 100000
#define DEPTH_MAX 16
#define BOUND_MAX (INT64_C(1) << 60)	/* of limit and offset: as good as none */

struct loop {
	struct value_list items;	/* of a list */
	const struct value_object *object;	/* or of an object: pairs */
	int64_t first;			/* or of a range */
	enum value_type type;
	size_t from, count, index;
	bool reversed;
	const char *name;
	bool has_parent;
};

struct frame {
	const struct function *f;
	struct value *slots;
	bool *set;
	int64_t *memories;
	struct loop loops[LOOPS_MAX];
	size_t captures[CAPTURES_MAX];
	int capture_count;
	struct value stack[STACK_MAX + 1];	/* the first is never used: the top of an empty stack */
};

/* --- failing -------------------------------------------------------------------------------------------- */

struct value render_fail(struct render *r, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	if (r->result != TEMPLATE_DONE)
		return value_nil;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->result = TEMPLATE_FAILED;
	if (r->line)
		err_set(r->err, "%s (%s line %d)", text, r->place, r->line);
	else
		err_set(r->err, "%s", text);
	return value_nil;
}

static void fail_empty(struct render *r, int symbol)
{
	if (r->result == TEMPLATE_DONE)
		err_set(r->err, "empty field: %s", vocabulary_symbol(r->t->vocabulary, symbol)->name);
	r->result = TEMPLATE_FAILED;
}

struct value render_scratch(struct render *r)
{
	struct value v;

	if (r->scratch.len > OUTPUT_MAX || arena_used(r->env->arena) - r->arena_start > ARENA_MAX) {
		buf_reset(&r->scratch);
		return render_fail(r, "the template makes too much text");
	}
	v = value_slice((struct slice){
		arena_strndup(r->env->arena, buf_cstr(&r->scratch), r->scratch.len), r->scratch.len });
	buf_reset(&r->scratch);
	return v;
}

/* --- escaping ------------------------------------------------------------------------------------------- */

/* Browsers drop white space and controls inside a scheme, so they count for nothing here. */
static bool scheme_is_safe(struct slice s)
{
	static const char *const safe[] = { "http", "https", "mailto", "tel", "cid" };
	char scheme[8];
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c <= ' ' || c == 0x7f)
			continue;
		if (c == '/' || c == '?' || c == '#')
			return true;
		if (c == ':') {
			scheme[n] = '\0';
			for (size_t k = 0; k < sizeof(safe) / sizeof(safe[0]); k++)
				if (strcmp(scheme, safe[k]) == 0)
					return true;
			return false;
		}
		if (n + 1 < sizeof(scheme))
			scheme[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		else
			n = sizeof(scheme) - 1;
	}
	return true;
}

static void out_header(struct render *r, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c < 0x20 || c == 0x7f ||
			(c == 0xe2 && i + 2 < s.len && (unsigned char)s.data[i + 1] == 0x80 &&
				((unsigned char)s.data[i + 2] & 0xfe) == 0xa8)) {
			render_fail(r, "header_injection: a value with a line break or control character in "
				       "a header");
			return;
		}
	}
	buf_add(r->out, s.data, s.len);
}

/* The inside of a JSON string: text_json() without its quotes. */
static void out_json(struct render *r, struct slice s)
{
	size_t at = r->out->len;

	text_json(r->out, s.data ? s.data : "", s.len);
	buf_cut(r->out, r->out->len - 1);
	memmove(r->out->data + at, r->out->data + at + 1, r->out->len - at - 1);
	buf_cut(r->out, r->out->len - 1);
}

static void out_slice(struct render *r, struct slice s, enum escape_mode mode)
{
	if (s.len == 0)
		return;
	switch (mode) {
	case ESCAPE_NONE:
		buf_add(r->out, s.data, s.len);
		return;
	case ESCAPE_HTML:
		text_html(r->out, s.data, s.len);
		return;
	case ESCAPE_URL:
		if (scheme_is_safe(s))
			text_html(r->out, s.data, s.len);
		else
			buf_char(r->out, '#');
		return;
	case ESCAPE_URL_SAFE:
		if (scheme_is_safe(s))
			buf_add(r->out, s.data, s.len);
		else
			buf_char(r->out, '#');
		return;
	case ESCAPE_HEADER:
		out_header(r, s);
		return;
	case ESCAPE_JSON:
		out_json(r, s);
		return;
	}
}

static void out_value(struct render *r, struct value v, enum escape_mode mode)
{
	if (v.type == VALUE_TEXT) {
		out_slice(r, v.text, mode);
	} else if (v.type == VALUE_INT || mode == ESCAPE_NONE) {
		value_to_text(r->out, v);
	} else if (v.type != VALUE_NIL) {
		buf_reset(&r->scratch);
		value_to_text(&r->scratch, v);
		out_slice(r, (struct slice){ buf_cstr(&r->scratch), r->scratch.len }, mode);
		buf_reset(&r->scratch);
	}
}

/* --- names ---------------------------------------------------------------------------------------------- */

static struct value symbol_value(struct render *r, int symbol, bool strict)
{
	struct value v = r->env->name(r->env->ctx, symbol);

	if (strict && (v.type == VALUE_NIL || (v.type == VALUE_TEXT && v.text.len == 0)))
		fail_empty(r, symbol);
	return v;
}

static struct value free_value(struct render *r, struct value name)
{
	if (name.type != VALUE_TEXT || !r->env->free_name)
		return value_nil;
	return r->env->free_name(r->env->ctx, name.text);
}

static struct value variable_value(struct render *r, const struct frame *f, const struct instruction *i)
{
	if (f->set[i->a])
		return f->slots[i->a];
	if (i->b >= 0)
		return symbol_value(r, i->b, i->strict);
	return i->b == NO_NAME ? value_nil : free_value(r, r->t->constants[-1 - i->b]);
}

static bool range_end(struct render *r, struct value v, bool strict, int64_t *out)
{
	*out = liquid_integer(v);
	if (v.type == VALUE_INT || v.type == VALUE_TEXT || v.type == VALUE_NIL || (v.type == VALUE_REAL && !strict))
		return true;
	render_fail(r, "a range is made of whole numbers, not of a %s", value_type_name(v.type));
	return false;
}

static struct value range_value(struct render *r, struct value a, struct value b, bool strict)
{
	struct value v = { .type = VALUE_RANGE };

	if (!range_end(r, a, strict, &v.integer) || !range_end(r, b, strict, &v.last))
		return value_nil;
	return v;
}

static struct value keywords_value(struct render *r, const struct value *pairs, int count)
{
	struct value_builder *b = value_build_object(r->env->arena);

	for (int i = 0; i < count; i++)
		value_put_slice(b, pairs[2 * i].text, pairs[2 * i + 1]);
	return value_built(b);
}

/* --- loops ---------------------------------------------------------------------------------------------- */

static bool loop_over(struct render *r, struct loop *l, struct value v)
{
	l->type = v.type;
	switch (v.type) {
	case VALUE_LIST:
		l->items = *v.list;
		l->count = v.list->count;
		return true;
	case VALUE_OBJECT:
		l->object = v.object;
		l->count = v.object->count;
		return true;
	case VALUE_RANGE:
		l->first = v.integer;
		l->count = v.last >= v.integer ? (size_t)((uint64_t)v.last - (uint64_t)v.integer) + 1 : 0;
		return true;
	case VALUE_TEXT:
		l->items = *liquid_list(r, &v, 1).list;
		l->count = v.text.len ? 1 : 0;
		return true;
	case VALUE_NIL:
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_SPECIAL:
		return false;
	}
	return false;
}

static struct value loop_item(struct render *r, const struct loop *l)
{
	size_t i = l->from + (l->reversed ? l->count - 1 - l->index : l->index);
	struct value two[2];

	if (l->type == VALUE_RANGE)
		return value_int(l->first + (int64_t)i);
	if (l->type != VALUE_OBJECT)
		return l->items.items[i];
	two[0] = value_slice(l->object->pairs[i].key);
	two[1] = l->object->pairs[i].value;
	return liquid_list(r, two, 2);
}

/* limit and offset: nil is none, texts count if they are numbers. */
static bool bound_of(struct render *r, struct value v, int64_t *out)
{
	if (v.type == VALUE_NIL || !liquid_whole(r, v, out))
		return v.type == VALUE_NIL;
	if (*out > BOUND_MAX)
		*out = BOUND_MAX;
	if (*out < -BOUND_MAX)
		*out = -BOUND_MAX;
	return true;
}

/* From the item `from` on, `limit` of them; what stands before the first one counts, too. */
static void cut_loop(struct loop *l, int64_t from, int64_t limit)
{
	int64_t count = (int64_t)l->count, to = limit == BOUND_MAX ? count : limit + from;

	if (l->type == VALUE_TEXT)	/* one turn, whatever the bounds say */
		return;
	from = from < 0 ? 0 : from;
	to = to > count ? count : to;
	l->from = from < count ? (size_t)from : l->count;
	l->count = to > from ? (size_t)(to - from) : 0;
}

/* Is there anything to loop over? */
static bool loop_begin(struct render *r, struct frame *f, const struct instruction *i, struct value v)
{
	const struct for_description *d = &f->f->loops[i->b];
	struct loop *l = &f->loops[d->loop];
	int64_t from = 0, limit = BOUND_MAX;

	*l = (struct loop){ .reversed = i->n & FOR_REVERSED, .name = d->name, .has_parent = d->loop > 0 };
	if (i->n & FOR_CONTINUE)
		from = f->memories[d->memory];
	if ((i->n & FOR_OFFSET) && !bound_of(r, f->slots[d->slot + 2], &from))
		return false;
	if ((i->n & FOR_LIMIT) && !bound_of(r, f->slots[d->slot + 1], &limit))
		return false;
	if (loop_over(r, l, v))
		cut_loop(l, from, limit);
	f->memories[d->memory] = from + (int64_t)l->count;
	if (l->count == 0)
		return false;
	f->slots[d->slot] = loop_item(r, l);
	return true;
}

static struct value loop_object(struct render *r, const struct loop *l)
{
	struct value_builder *b = value_build_object(r->env->arena);
	int64_t index = (int64_t)l->index, count = (int64_t)l->count;

	value_put(b, "name", value_text(l->name));
	value_put(b, "length", value_int(count));
	value_put(b, "index", value_int(index + 1));
	value_put(b, "index0", value_int(index));
	value_put(b, "rindex", value_int(count - index));
	value_put(b, "rindex0", value_int(count - index - 1));
	value_put(b, "first", value_bool(index == 0));
	value_put(b, "last", value_bool(index == count - 1));
	return value_built(b);
}

static struct value loop_field(struct render *r, const struct loop *l, enum loop_field field)
{
	int64_t index = (int64_t)l->index, count = (int64_t)l->count;

	switch (field) {
	case LOOP_INDEX:
		return value_int(index + 1);
	case LOOP_INDEX0:
		return value_int(index);
	case LOOP_RINDEX:
		return value_int(count - index);
	case LOOP_RINDEX0:
		return value_int(count - index - 1);
	case LOOP_FIRST:
		return value_bool(index == 0);
	case LOOP_LAST:
		return value_bool(index == count - 1);
	case LOOP_LENGTH:
		return value_int(count);
	case LOOP_NAME:
		return value_text(l->name);
	case LOOP_OBJECT:
		return loop_object(r, l);
	}
	return value_nil;
}

/* --- the other instructions ----------------------------------------------------------------------------- */

static struct value filtered(struct render *r, const struct instruction *i, struct value *top)
{
	struct filter_call call = { .r = r, .count = i->n, .keywords = value_nil };

	if (i->strict)
		call.keywords = *top--;
	call.args = top - i->n + 1;
	call.in = top[-i->n];
	return filter_at(i->a)->run(&call);
}

/* `named`: a group that the template names by a value; the others are named by what stands in them. */
static struct value cycled(struct render *r, const struct value *values, int count, bool named)
{
	struct cycle_state *s;
	int64_t turn;

	for (s = r->cycles; s; s = s->older)
		if (s->named == named && liquid_same(s->key, values[-1]))
			break;
	if (!s) {
		s = arena_alloc(r->env->arena, sizeof(*s));
		*s = (struct cycle_state){ values[-1], named, 0, r->cycles };
		r->cycles = s;
	}
	turn = s->next;
	s->next = turn + 1 < count ? turn + 1 : 0;
	return turn < count ? values[turn] : value_nil;	/* the group may have been longer elsewhere */
}

static void end_capture(struct render *r, struct frame *f, int slot)
{
	size_t start = f->captures[--f->capture_count], n = r->out->len - start;

	f->slots[slot] =
		value_slice((struct slice){ arena_strndup(r->env->arena, buf_cstr(r->out) + start, n), n });
	f->set[slot] = true;
	buf_cut(r->out, start);
}

static void link_out(struct render *r, const struct instruction *i)
{
	if (r->env->link)
		r->env->link(r->env->ctx, i->a, r->out);
	else
		buf_str(r->out, i->text);
}

static void run(struct render *r, struct frame *f);

static void frame_begin(struct render *r, struct frame *f, const struct function *function)
{
	f->f = function;
	f->capture_count = 0;
	f->slots = NULL;
	if (function->slots) {
		f->slots = arena_alloc(r->env->arena, (size_t)function->slots * sizeof(*f->slots));
		f->set = arena_calloc(r->env->arena, (size_t)function->slots, sizeof(*f->set));
	}
	if (function->memories)
		f->memories = arena_calloc(r->env->arena, (size_t)function->memories, sizeof(*f->memories));
}

static void frame_set(struct frame *f, int slot, struct value v)
{
	if (slot < 0)
		return;
	f->slots[slot] = v;
	f->set[slot] = true;
}

/* values: what `with` or `for` gives, if it does, then the arguments. */
static void call_once(struct render *r, const struct call_description *call, const struct value *values,
	struct value with, const struct loop *loop)
{
	struct frame *inner = arena_alloc(r->env->arena, sizeof(*inner));
	struct cycle_state *cycles = r->cycles;

	frame_begin(r, inner, r->t->functions[call->function]);
	for (int i = 0; i < call->count; i++)
		frame_set(inner, call->arguments[i].slot, values[i]);
	if (call->has_with && with.type != VALUE_NIL)
		frame_set(inner, call->with.slot, with);
	if (loop)
		frame_set(inner, call->forloop, loop_object(r, loop));
	r->cycles = NULL;	/* it has cycles of its own, new each time */
	run(r, inner);
	r->cycles = cycles;
}

static void render_partial(struct render *r, const struct call_description *call, const struct value *values)
{
	struct value with = call->has_with ? values[0] : value_nil;
	struct loop loop = { .name = r->t->functions[call->function]->name };
	const char *place = r->place;

	values += call->has_with;
	if (++r->depth > DEPTH_MAX) {
		render_fail(r, "templates render one another more than %d deep", DEPTH_MAX);
	} else if (!call->each ||
		   (with.type != VALUE_LIST && with.type != VALUE_RANGE && with.type != VALUE_OBJECT)) {
		call_once(r, call, values, with, NULL);
	} else if (loop_over(r, &loop, with)) {
		for (; loop.index < loop.count && r->result == TEMPLATE_DONE; loop.index++) {
			r->steps++;
			call_once(r, call, values, loop_item(r, &loop), &loop);
		}
	}
	r->depth--;
	r->place = place;
}

static bool over_limit(struct render *r)
{
	if (r->steps > STEPS_MAX)
		render_fail(r, "more than %d steps", STEPS_MAX);
	else if (r->out->len - r->start > OUTPUT_MAX)
		render_fail(r, "more than %d bytes of output", OUTPUT_MAX);
	else if (arena_used(r->env->arena) - r->arena_start > ARENA_MAX)
		render_fail(r, "the template makes too much text");
	return r->result != TEMPLATE_DONE;
}

static void begin_case(struct frame *f, int slot, struct value v)
{
	f->slots[slot] = v;
	f->slots[slot + 1] = value_bool(false);
	f->slots[slot + 2] = value_int(0);
}

/* What makes a value from those on top: the new top. Where the result is not DONE any more, it is none. */
static inline struct value *value_op(
	struct render *r, const struct frame *f, const struct instruction *i, struct value *top)
{
	switch (i->op) {	/* those that run() sends here */
	case OP_CONST:
		*++top = r->t->constants[i->a];
		break;
	case OP_SYMBOL:
		*++top = symbol_value(r, i->a, i->strict);
		break;
	case OP_FREE:
		*++top = free_value(r, r->t->constants[i->a]);
		break;
	case OP_FREE_DYNAMIC:
		*top = free_value(r, *top);
		break;
	case OP_VARIABLE:
		*++top = variable_value(r, f, i);
		break;
	case OP_SLOT:
		*++top = f->slots[i->a];
		break;
	case OP_LOOP_FIELD:
		*++top = loop_field(r, &f->loops[i->a], (enum loop_field)i->n);
		break;
	case OP_GET:
		*top = liquid_part(r, *top, r->t->constants[i->a], i->strict);
		break;
	case OP_INDEX:
		top--;
		*top = liquid_part(r, *top, top[1], false);
		break;
	case OP_RANGE:
		top--;
		*top = range_value(r, top[0], top[1], i->strict);
		break;
	case OP_KEYWORDS:
		top -= 2 * i->a - 1;
		*top = keywords_value(r, top, i->a);
		break;
	case OP_FILTER: {
		struct value result = filtered(r, i, top);

		top -= i->n + i->strict;
		*top = result;
		over_limit(r);
		break;
	}
	case OP_COMPARE:
		top--;
		*top = value_bool(liquid_compare(r, (enum comparison)i->a, top[0], top[1]));
		break;
	case OP_CYCLE:
		top -= i->a;
		*top = cycled(r, top + 1, i->a, !i->strict);
		break;
	}
	return top;
}

/* The next turn of a loop: false at its end. */
static bool loop_next(struct render *r, struct frame *f, const struct instruction *i)
{
	const struct for_description *d = &f->f->loops[i->b];
	struct loop *l = &f->loops[d->loop];

	if (over_limit(r) || ++l->index >= l->count)
		return false;
	f->slots[d->slot] = loop_item(r, l);
	return true;
}

/* OP_WHEN_NEXT and OP_CASE_ELSE: is the body behind it for this value? */
static bool case_body(struct frame *f, const struct instruction *i)
{
	int64_t *times = &f->slots[i->a + 2].integer;

	if (i->op == OP_CASE_ELSE)
		return !f->slots[i->a + 1].boolean;
	if (*times == 0)
		return false;
	--*times;
	return true;
}

static void count_match(struct frame *f, int slot, struct value v)
{
	if (!liquid_equal(f->slots[slot], v))
		return;
	f->slots[slot + 1].boolean = true;
	f->slots[slot + 2].integer++;
}

static void aborted(struct render *r, struct value reason)
{
	struct slice why = liquid_text(r, reason);

	err_set(r->err, "%.*s", (int)(why.len < 400 ? why.len : 400), why.data ? why.data : "");
	r->result = TEMPLATE_ABORTED;
}

/* Ends at OP_END, or where the result is not DONE any more. */
static void run(struct render *r, struct frame *f)
{
	const struct instruction *code = f->f->code, *i = code;
	struct value *top = f->stack;

	r->place = f->f->name;
	for (;; i++) {
		bool jump = false;

		if (++r->steps > STEPS_MAX && over_limit(r))
			return;
		switch ((enum op)i->op) {
		case OP_NOTHING:
			break;
		case OP_LITERAL:
			buf_add(r->out, i->text, (size_t)i->a);
			break;
		case OP_OUT_SYMBOL:
			out_value(r, symbol_value(r, i->a, i->strict), (enum escape_mode)i->mode);
			break;
		case OP_OUT:
			r->line = i->line;
			out_value(r, *top--, (enum escape_mode)i->mode);
			over_limit(r);
			break;
		case OP_CONST:
		case OP_SYMBOL:
		case OP_FREE:
		case OP_FREE_DYNAMIC:
		case OP_VARIABLE:
		case OP_SLOT:
		case OP_LOOP_FIELD:
		case OP_GET:
		case OP_INDEX:
		case OP_RANGE:
		case OP_KEYWORDS:
		case OP_FILTER:
		case OP_COMPARE:
		case OP_CYCLE:
			r->line = i->line;
			top = value_op(r, f, i, top);
			break;
		case OP_POP:
			top--;
			break;
		case OP_JUMP:
			jump = true;
			break;
		case OP_JUMP_FALSE:
			jump = !liquid_truth(*top--);
			break;
		case OP_JUMP_TRUE:
			jump = liquid_truth(*top--);
			break;
		case OP_KEEP_FALSE:
			jump = !liquid_truth(*top);
			top -= !jump;
			break;
		case OP_KEEP_TRUE:
			jump = liquid_truth(*top);
			top -= !jump;
			break;
		case OP_ASSIGN:
			frame_set(f, i->a, *top--);
			break;
		case OP_CAPTURE:
			f->captures[f->capture_count++] = r->out->len;
			break;
		case OP_CAPTURED:
			end_capture(r, f, i->a);
			break;
		case OP_FOR:
			r->line = i->line;
			jump = !loop_begin(r, f, i, *top--);
			over_limit(r);
			break;
		case OP_NEXT:
			jump = loop_next(r, f, i);
			break;
		case OP_CASE:
			begin_case(f, i->a, *top--);
			break;
		case OP_WHEN:
			count_match(f, i->a, *top--);
			break;
		case OP_WHEN_NEXT:
		case OP_CASE_ELSE:
			if (!case_body(f, i))
				i = code + i->b - 1;
			break;
		case OP_RENDER:
			r->line = i->line;
			top -= f->f->calls[i->a].count + f->f->calls[i->a].has_with;
			render_partial(r, &f->f->calls[i->a], top + 1);
			over_limit(r);
			break;
		case OP_LINK:
			link_out(r, i);
			break;
		case OP_ABORT:
			aborted(r, *top--);
			break;
		case OP_END:
			return;
		}
		if (r->result != TEMPLATE_DONE)
			return;
		if (jump)
			i = code + i->a - 1;
	}
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* To the left, without the CRs that are in it. */
static char *move_line(char *to, const char *from, const char *end, bool crs)
{
	const char *cr;

	while (crs && (cr = memchr(from, '\r', (size_t)(end - from)))) {
		memmove(to, from, (size_t)(cr - from));
		to += cr - from;
		from = cr + 1;
	}
	if (to != from)
		memmove(to, from, (size_t)(end - from));
	return to + (end - from);
}

/*
 * Text parts: no white space at line ends, at most one blank line, none at the beginning, one line break
 * at the end.
 */
static void tidy(struct buf *out, size_t start)
{
	char *to = out->data + start, *from = to, *first = to, *end = out->data + out->len, *line_end, *last;
	int lines = 2;		/* line breaks just written; as if two stood before the beginning */
	bool crs = from < end && memchr(from, '\r', (size_t)(end - from));

	for (; from < end; from = line_end + 1) {
		line_end = memchr(from, '\n', (size_t)(end - from));
		if (!line_end)
			line_end = end;
		last = line_end;
		while (from < last && is_blank(*from))
			from++;
		while (last > from && is_blank(last[-1]))
			last--;
		if (from < last)
			lines = 0;
		to = move_line(to, from, last, crs);
		if (line_end < end && lines < 2 && to > first)
			*to++ = '\n';
		lines++;
	}
	while (to > first && to[-1] == '\n')
		to--;
	buf_cut(out, (size_t)(to - out->data));
	if (to > first)
		buf_char(out, '\n');
}

enum template_result template_render(
	const struct template *t, const struct template_env *env, struct buf *out, struct err *err)
{
	struct render r = { .t = t,
		.env = env,
		.out = out,
		.err = err,
		.start = out->len,
		.arena_start = arena_used(env->arena),
		.result = TEMPLATE_DONE };
	struct frame frame;

	frame_begin(&r, &frame, t->functions[0]);
	run(&r, &frame);
	if (r.result == TEMPLATE_DONE)
		over_limit(&r);
	if (r.result != TEMPLATE_DONE)
		buf_cut(out, r.start);
	else if (t->tidy)
		tidy(out, r.start);
	buf_clear(&r.scratch);
	return r.result;
}
