/*
 * bench_render.c: what rendering a mail of 10 KB with 15 substitutions, 2 conditionals and a loop costs,
 * against the least that any engine could do: a list of literals and look-ups, appended one after the
 * other. Both run in turns; prints the medians and their ratio.
 *
 * For render.py, which measures other engines between ours: `--liquid`, `--handlebars`, `--data` and `--output` print the
 * template, the same in Handlebars, the values as JSON and what comes out; `--serve` reads a number of renders a line and
 * answers with nanoseconds a render.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "language/template.h"

#define NAMES 15
#define ROUNDS 31
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

static char *source_text(bool handlebars)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < NAMES; i++) {
		filler(&b);
		buf_printf(&b, handlebars ? "<b>{{n%d}}</b>" : "<b>{{ n%d }}</b>", i);
	}
	buf_str(&b, handlebars ? "{{#if n0}}<p>yes</p>{{else}}<p>no</p>{{/if}}{{#unless n1}}x{{/unless}}<ul>"
				 "{{#each list}}<li>{{this}}</li>{{/each}}</ul>"
			       : "{% if n0 %}<p>yes</p>{% else %}<p>no</p>{% endif %}{% unless n1 %}x{% endunless %}<ul>"
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

/* --- measuring ------------------------------------------------------------------------------------------ */

struct bench {
	struct vocabulary *vocabulary;
	struct arena *data, *scratch;
	struct world world;
	struct template *template;
	struct flat program[NAMES * 2 + ITEMS * 3 + 8];
	size_t instructions;
	struct buf out;
};

static void bench_init(struct bench *b)
{
	char *source = source_text(false);
	struct value_builder *list;
	struct template_options options = { .escape = TEMPLATE_HTML };
	struct template_error errors[1];
	size_t count;

	*b = (struct bench){ .vocabulary = vocabulary_new(), .data = arena_new(0), .scratch = arena_new(0) };
	b->instructions = flat_program(b->program);
	list = value_build_list(b->data);
	for (int i = 0; i < NAMES; i++) {
		b->world.values[i] = value_text(arena_printf(b->data, "value %d", i));
		vocabulary_add(b->vocabulary, &(struct symbol){ .name = arena_printf(b->data, "n%d", i), .type = VALUE_TEXT });
		if (i < ITEMS)
			value_add(list, b->world.values[i]);
	}
	vocabulary_add(b->vocabulary, &(struct symbol){ .name = "list", .type = VALUE_LIST });
	b->world.values[NAMES] = value_built(list);
	options.vocabulary = b->vocabulary;
	b->template = template_compile("bench", source, &options, errors, 1, &count);
	if (!b->template) {
		fprintf(stderr, "%s\n", errors[0].text);
		exit(1);
	}
	free(source);
}

static void bench_clear(struct bench *b)
{
	for (size_t i = 0; i < 2 * NAMES; i += 2)
		free((void *)(uintptr_t)b->program[i].text);
	template_free(&b->template);
	vocabulary_free(&b->vocabulary);
	arena_free(&b->scratch);
	arena_free(&b->data);
	buf_clear(&b->out);
}

/* Nanoseconds a render. */
static double render(struct bench *b, int renders)
{
	struct template_env env = { .ctx = &b->world, .name = by_symbol, .arena = b->scratch };
	int64_t start = clock_steady();
	struct err err;

	for (int i = 0; i < renders; i++) {
		buf_reset(&b->out);
		arena_reset(b->scratch);
		if (template_render(b->template, &env, &b->out, &err) != TEMPLATE_DONE)
			exit(1);
	}
	return (double)(clock_steady() - start) * 1000 / renders;
}

static double render_flat(struct bench *b, int renders)
{
	int64_t start = clock_steady();

	for (int i = 0; i < renders; i++) {
		buf_reset(&b->out);
		flat_run(b->program, b->instructions, &b->world, &b->out);
	}
	return (double)(clock_steady() - start) * 1000 / renders;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare(struct bench *b)
{
	double times[2][ROUNDS];
	char *output;
	size_t size;

	render(b, 1);
	output = xstrdup(buf_cstr(&b->out));
	size = b->out.len;
	render_flat(b, 1);
	if (strcmp(output, buf_cstr(&b->out)) != 0) {
		fprintf(stderr, "the two do not give the same\n");
		return 1;
	}
	free(output);
	for (int round = 0; round < ROUNDS; round++) {
		times[0][round] = render_flat(b, RENDERS);
		times[1][round] = render(b, RENDERS);
	}
	qsort(times[0], ROUNDS, sizeof(double), by_size);
	qsort(times[1], ROUNDS, sizeof(double), by_size);
	printf("render: %zu bytes, template %.2f us, literals and look-ups %.2f us, ratio %.2f\n", size,
		times[1][ROUNDS / 2] / 1000, times[0][ROUNDS / 2] / 1000, times[1][ROUNDS / 2] / times[0][ROUNDS / 2]);
	return 0;
}

static void serve(struct bench *b)
{
	char line[32];

	while (fgets(line, sizeof(line), stdin)) {
		printf("%.1f\n", render(b, atoi(line)));
		fflush(stdout);
	}
}

static void print_data(const struct bench *b)
{
	struct buf out = BUF_INIT;

	buf_char(&out, '{');
	for (int i = 0; i <= NAMES; i++) {
		buf_printf(&out, i ? ", \"%s\": " : "\"%s\": ", vocabulary_symbol(b->vocabulary, i)->name);
		value_to_json(&out, b->world.values[i]);
	}
	buf_char(&out, '}');
	puts(buf_cstr(&out));
	buf_clear(&out);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct bench b;
	char *source;
	int rc = 0;

	bench_init(&b);
	if (strcmp(what, "--serve") == 0) {
		serve(&b);
	} else if (strcmp(what, "--data") == 0) {
		print_data(&b);
	} else if (strcmp(what, "--output") == 0) {
		render(&b, 1);
		fputs(buf_cstr(&b.out), stdout);
	} else if (strcmp(what, "--liquid") == 0 || strcmp(what, "--handlebars") == 0) {
		source = source_text(what[2] == 'h');
		fputs(source, stdout);
		free(source);
	} else {
		rc = compare(&b);
	}
	bench_clear(&b);
	return rc;
}
