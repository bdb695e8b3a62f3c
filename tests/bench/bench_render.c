/*
 * bench_render.c: what rendering a mail of 10 KB with 15 substitutions, 2 conditionals and a loop costs,
 * against the least that any engine could do: a list of literals and look-ups, appended one after the
 * other. Both run in turns; prints the medians and their ratio.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "language/template.h"

#define NAMES 15
#define ROUNDS 15
#define RENDERS 2000
#define ITEMS 5

struct world {
	struct value values[NAMES + 1];
};

/* --- the flat program: what the template comes down to -------------------------------------------------- */

struct flat {
	const char *text;
	size_t len;
	int name;		/* -1: text */
};

static void flat_run(const struct flat *program, size_t count, const struct world *w, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (program[i].name < 0)
			buf_add(out, program[i].text, program[i].len);
		else
			text_html(out, w->values[program[i].name].text.data,
				w->values[program[i].name].text.len);
	}
}

/* --- the template --------------------------------------------------------------------------------------- */

static struct value by_symbol(void *ctx, int symbol)
{
	const struct world *w = ctx;

	return w->values[symbol];
}

static void filler(struct buf *b)
{
	for (int i = 0; i < 6; i++)
		buf_str(b, "<p style=\"margin:0 0 16px;line-height:1.5\">Choosing a vendor is easier with a "
			   "list of what you need.</p>\n");
}

static char *source_text(void)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < NAMES; i++) {
		filler(&b);
		buf_printf(&b, "<b>{{ n%d }}</b>", i);
	}
	buf_str(&b, "{% if n0 == \"value 0\" %}<p>yes</p>{% else %}<p>no</p>{% endif %}{% unless n1 %}x{% "
		    "endunless %}<ul>"
		    "{% for i in list %}<li>{{ i }}</li>{% endfor %}</ul>");
	return buf_take(&b);
}

/* The same output as literals and look-ups. */
static size_t flat_program(struct flat *program)
{
	size_t n = 0;

	for (int i = 0; i < NAMES; i++) {
		struct buf b = BUF_INIT;

		if (i)
			buf_str(&b, "</b>");
		filler(&b);
		buf_str(&b, "<b>");
		program[n].len = b.len;
		program[n].text = buf_take(&b);
		program[n++].name = -1;
		program[n++].name = i;
	}
	program[n++] = (struct flat){ "</b><p>yes</p><ul>", 18, -1 };
	for (int i = 0; i < ITEMS; i++) {
		program[n++] = (struct flat){ "<li>", 4, -1 };
		program[n++] = (struct flat){ NULL, 0, i };
		program[n++] = (struct flat){ "</li>", 5, -1 };
	}
	program[n++] = (struct flat){ "</ul>", 5, -1 };
	return n;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct vocabulary *v = vocabulary_new();
	struct template_options options = { .escape = TEMPLATE_HTML, .vocabulary = v };
	struct flat program[NAMES * 2 + ITEMS * 3 + 8];
	struct arena *arena = arena_new(0), *data = arena_new(0);
	struct world w;
	struct template_env env = { .ctx = &w, .name = by_symbol, .arena = arena };
	struct value_builder *list = value_build_list(data);
	double times[2][ROUNDS];
	struct buf out[2] = { BUF_INIT, BUF_INIT };
	struct template_error errors[1];
	size_t count, instructions = flat_program(program);
	struct template *t;
	char *source = source_text();
	struct err err;

	for (int i = 0; i < NAMES; i++) {
		w.values[i] = value_text(arena_printf(data, "value %d", i));
		vocabulary_add(
			v, &(struct symbol){ .name = arena_printf(data, "n%d", i), .type = VALUE_TEXT });
		if (i < ITEMS)
			value_add(list, w.values[i]);
	}
	vocabulary_add(v, &(struct symbol){ .name = "list", .type = VALUE_LIST });
	w.values[NAMES] = value_built(list);
	t = template_compile("bench", source, &options, errors, 1, &count);
	if (!t) {
		fprintf(stderr, "%s\n", errors[0].text);
		return 1;
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int which = 0; which < 2; which++) {
			int64_t start = clock_steady();

			for (int i = 0; i < RENDERS; i++) {
				buf_reset(&out[which]);
				if (which == 0) {
					flat_run(program, instructions, &w, &out[0]);
				} else {
					arena_reset(arena);
					if (template_render(t, &env, &out[1], &err) != TEMPLATE_DONE)
						return 1;
				}
			}
			times[which][round] = (double)(clock_steady() - start) / RENDERS;
		}
	}
	if (strcmp(buf_cstr(&out[0]), buf_cstr(&out[1])) != 0) {
		fprintf(stderr, "the two do not give the same\n");
		return 1;
	}
	qsort(times[0], ROUNDS, sizeof(double), by_size);
	qsort(times[1], ROUNDS, sizeof(double), by_size);
	printf("render: %zu bytes, template %.2f us, literals and look-ups %.2f us, ratio %.2f\n", out[1].len,
		times[1][ROUNDS / 2], times[0][ROUNDS / 2], times[1][ROUNDS / 2] / times[0][ROUNDS / 2]);
	for (size_t i = 0; i < 2 * NAMES; i += 2)
		free((void *)(uintptr_t)program[i].text);
	template_free(&t);
	vocabulary_free(&v);
	arena_free(&arena);
	arena_free(&data);
	buf_clear(&out[0]);
	buf_clear(&out[1]);
	free(source);
	return 0;
}
