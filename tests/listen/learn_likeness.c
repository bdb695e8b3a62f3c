/*
 * learn_likeness.c: learns the weights of likeness.h from texts: files whose name begins with "wishes" or "unsubscribe" are of people who want no
 * more mails, all others are not; a line is a language, a tab and the text, "\n" a line break in it. `make likeness` runs it.
 *
 * usage: learn_likeness [-o WEIGHTS] FILE...
 *
 * First a fifth of the texts at a time is judged by what the other four teach: what is printed is what may be hoped for with texts that were never
 * seen. Then all of them teach, and WEIGHTS is written: the same from the same texts, so that a change of it can be looked at.
 *
 * A support vector machine: an outermost margin with squared loss, found by coordinate descent in the dual (Hsieh and others, "A Dual Coordinate
 * Descent Method for Large-scale Linear SVM", 2008). Rare traits count more than common ones (the logarithm of how rare, as everywhere in the field).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/plan.h"

#include "../../daemon/listen/intake_program.h"
#include "../../daemon/listen/lexicon.h"
#include "../../daemon/listen/likeness.h"
#include "../../daemon/listen/speech.h"

#define LEAST 3		/* texts that have a trait; what is rarer is chance */
#define FOLDS 5
#define ROUNDS 25
#define LOSS 0.1	/* the C of the literature */
#define LINE_MAX_BYTES 16384

struct example {
	uint32_t *places;
	size_t count;
	bool wish;
	unsigned fold;
	double value;
};

struct school {
	struct lexicon *lexicon;
	struct example *list;
	size_t count, cap;
	double rare[LIKENESS_PLACES], weights[LIKENESS_PLACES], bias;
	uint64_t random;
};

static void add_example(struct school *s, const char *text, bool wish)
{
	struct arena *arena = arena_new(0);
	struct example *e;
	struct speech *speech;
	struct traits traits = { 0 };
	size_t count;

	s->list = xgrow(s->list, &s->cap, s->count + 1, sizeof(*s->list));
	e = &s->list[s->count];
	*e = (struct example){ .wish = wish, .fold = (unsigned)(s->count * UINT64_C(2654435761) >> 16) % FOLDS };
	s->count++;
	speech = speech_read(s->lexicon, arena, text, strlen(text));
	speech_tokens(speech, &count);
	traits_read(arena, speech, 0, count, &traits);
	e->count = traits.count;
	e->places = xcalloc(traits.count + 1, sizeof(*e->places));
	for (size_t i = 0; i < traits.count; i++)
		e->places[i] = traits.list[i].place;
	arena_free(&arena);
}

static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void read_texts(struct school *s, const char *path)
{
	const char *name = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	char line[LINE_MAX_BYTES];
	bool wish;

	if (!f) {
		perror(path);
		exit(1);
	}
	name = name ? name + 1 : path;
	wish = !strncmp(name, "wishes", 6) || !strncmp(name, "unsubscribe", 11);
	while (fgets(line, sizeof(line), f)) {
		char *text = strchr(line, '\t');

		if (*line == '#' || !text)
			continue;
		text[1 + strcspn(text + 1, "\n")] = '\0';
		unescape(++text);
		add_example(s, text, wish);
	}
	fclose(f);
}

/* xorshift64: the same order each time. */
static size_t random_below(struct school *s, size_t n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (size_t)(s->random % n);
}

static void weigh_rareness(struct school *s, struct example *const *taught, size_t count)
{
	size_t *having = xcalloc(LIKENESS_PLACES, sizeof(*having));

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < taught[i]->count; k++)
			having[taught[i]->places[k]]++;
	for (size_t k = 0; k < LIKENESS_PLACES; k++)
		s->rare[k] = having[k] < LEAST ? 0 : log((1 + (double)count) / (1 + (double)having[k])) + 1;
	free(having);
}

static double value_of(const struct school *s, const struct example *e)
{
	double sum = 0;

	for (size_t k = 0; k < e->count; k++)
		sum += s->weights[e->places[k]] * s->rare[e->places[k]];
	return s->bias + sum / sqrt((double)(e->count ? e->count : 1));
}

struct dual {
	double alpha, square;
	struct example *e;
};

/* One example is given its due: its margin is to be 1. */
static void correct(struct school *s, struct dual *d)
{
	double sign = d->e->wish ? 1 : -1, slack = 1 / (2 * LOSS), root = sqrt((double)(d->e->count ? d->e->count : 1));
	double alpha = d->alpha - (sign * value_of(s, d->e) - 1 + slack * d->alpha) / (d->square + slack), by;

	alpha = alpha < 0 ? 0 : alpha;
	by = (alpha - d->alpha) * sign;
	d->alpha = alpha;
	s->bias += by;
	for (size_t k = 0; k < d->e->count; k++)
		s->weights[d->e->places[k]] += by * s->rare[d->e->places[k]] / root;
}

/* By all but those of the fold. */
static void learn(struct school *s, unsigned fold)
{
	struct example **taught = xcalloc(s->count + 1, sizeof(struct example *));
	struct dual *duals = xcalloc(s->count + 1, sizeof(*duals)), swap;
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].fold != fold)
			taught[count++] = &s->list[i];
	weigh_rareness(s, taught, count);
	memset(s->weights, 0, sizeof(s->weights));
	s->bias = 0;
	s->random = UINT64_C(88172645463325252);
	for (size_t i = 0; i < count; i++) {
		double square = 0;

		for (size_t k = 0; k < taught[i]->count; k++)
			square += s->rare[taught[i]->places[k]] * s->rare[taught[i]->places[k]];
		duals[i] = (struct dual){ .e = taught[i], .square = 1 + square / (double)(taught[i]->count ? taught[i]->count : 1) };
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = count; i > 1; i--) {
			size_t other = random_below(s, i);

			swap = duals[i - 1];
			duals[i - 1] = duals[other];
			duals[other] = swap;
		}
		for (size_t i = 0; i < count; i++)
			correct(s, &duals[i]);
	}
	free(taught);
	free(duals);
}

/* From texts of one kind nothing can be learned. */
static bool has_both(const struct school *s)
{
	size_t wishes = 0;

	for (size_t i = 0; i < s->count; i++)
		wishes += s->list[i].wish;
	return wishes > 0 && wishes < s->count;
}

static void print_hopes(const struct school *s)
{
	static const double marks[] = { -0.5, -0.25, -0.1, 0, 0.25, 0.35, 0.45, 0.6, 0.8, 1 };
	size_t wishes = 0;

	for (size_t i = 0; i < s->count; i++)
		wishes += s->list[i].wish;
	printf("%zu wishes, %zu others; of those that were not learned from, likeness alone, at least\n", wishes, s->count - wishes);
	for (size_t m = 0; m < sizeof(marks) / sizeof(*marks); m++) {
		size_t found = 0, wrong = 0;

		for (size_t i = 0; i < s->count; i++) {
			found += s->list[i].wish && s->list[i].value >= marks[m];
			wrong += !s->list[i].wish && s->list[i].value >= marks[m];
		}
		printf("  %5.2f: %.2f %% of wishes, %.2f %% of others\n", marks[m], 100.0 * (double)found / (double)wishes,
			100.0 * (double)wrong / (double)(s->count - wishes));
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 0, -1 after a message. */
static int write_weights(const struct school *s, const char *path)
{
	double *sizes = xcalloc(LIKENESS_PLACES, sizeof(*sizes)), scale;
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return -1;
	}
	for (size_t k = 0; k < LIKENESS_PLACES; k++)
		sizes[k] = fabs(s->weights[k] * s->rare[k]);
	qsort(sizes, LIKENESS_PLACES, sizeof(*sizes), by_size);
	/* a few stand out; to give each its due would leave the others few steps */
	scale = sizes[LIKENESS_PLACES - LIKENESS_PLACES / 1000] / 127;
	free(sizes);
	fprintf(f, "likeness 1 bias %lld scale %lld texts %zu\n", llround(s->bias * 1e9), llround(scale * 1e9), s->count);
	for (size_t k = 0; k < LIKENESS_PLACES; k++)
		fputc((int)lround(fmax(-127, fmin(127, s->weights[k] * s->rare[k] / scale))) & 255, f);
	if (fclose(f) != 0) {
		perror(path);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct school *s = xcalloc(1, sizeof(*s));
	struct plan *plan = plan_of_replies();
	json_t *setting = intake_setting(plan);
	const char *out = NULL;
	int option, rc;

	while ((option = getopt(argc, argv, "o:")) != -1) {
		if (option != 'o')
			return 2;
		out = optarg;
	}
	s->lexicon = lexicon_new(json_object_get(json_object_get(setting, "replies"), "vocabulary"));
	for (int i = optind; i < argc; i++)
		read_texts(s, argv[i]);
	if (!has_both(s)) {
		fprintf(stderr, "learn_likeness: there have to be wishes and others in the files; it is their names that tell\n");
		return 2;
	}
	for (unsigned fold = 0; fold < FOLDS; fold++) {
		learn(s, fold);
		for (size_t i = 0; i < s->count; i++)
			if (s->list[i].fold == fold)
				s->list[i].value = value_of(s, &s->list[i]);
	}
	print_hopes(s);
	learn(s, FOLDS);
	rc = out ? write_weights(s, out) : 0;
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].places);
	free(s->list);
	lexicon_free(&s->lexicon);
	json_decref(setting);
	plan_unref(&plan);
	free(s);
	return rc < 0;
}
