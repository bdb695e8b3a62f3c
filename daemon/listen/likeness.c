/*
 * likeness.c: see likeness.h. A linear model: each trait has a weight, and the likeness is their sum over the root of their number, so that a long
 * text is judged as a short one. Traits are not kept by name: a hash says where its weight stands, a byte each.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lexicon.h"
#include "likeness.h"
#include "speech.h"
#include "tokens.h"

#define PIECE_LEAST 3		/* letters of a piece of a word, its ends counted as letters */
#define PIECE_MOST 5
#define WORD_MOST 64		/* letters that are looked at */
#define SEED UINT64_C(0xcbf29ce484222325)
#define WORDS 3			/* that follow each other */
#define SKIP 3			/* words from the first of a pair to the second */
#define FOLLOW 6		/* meanings behind one that are looked at with it, */
#define FOLLOW_THEN 4		/* and behind those; */
#define NEAR 5			/* at most so many words on */
#define ALONE 3			/* words of a sentence that is judged by itself */
#define TOLD 4			/* words that are named */
#define TELLING 0.05
#define HEAD_MOST 120

/* the path is the compiler's working directory's: make runs at the top of the tree */
__asm__(
	".section .rodata\n"
	".global likeness_weights\n.type likeness_weights, @object\n"
	"likeness_weights:\n.incbin \"daemon/listen/likeness.weights\"\n"
	".global likeness_weights_end\n.type likeness_weights_end, @object\n"
	"likeness_weights_end:\n.byte 0\n"
	".previous\n");

extern const char likeness_weights[], likeness_weights_end[];

/* --- traits ----------------------------------------------------------------------------------------------- */

enum kind { PIECE = 'p', PHRASE = 'w', PAIR = 's', MEANING = 'm', MEETING = 'n', ORDER = 'o' };

/* A word, or a mark that stands for the beginning of a sentence, its end, its question or call. */
struct unit {
	struct slice text;
	size_t token;
};

struct reader {
	struct arena *arena;
	const struct token *tokens;
	const struct sense *senses;
	size_t first, end, sense_count;
	uint64_t names[MEANINGS_MAX];	/* of meanings: a hash of what it is called, for its number is another in each vocabulary; 0: not asked yet */
	const struct speech *speech;
	struct traits *out;
};

static uint64_t mix(uint64_t hash, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t begin(enum kind kind)
{
	return mix(SEED, (const char[]){ (char)kind }, 1);
}

static uint64_t mix_unit(uint64_t hash, struct slice s)
{
	return mix(mix(hash, s.data, s.len), " ", 1);
}

static void add(struct reader *r, uint64_t hash, size_t token)
{
	uint32_t place = (uint32_t)((hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - LIKENESS_BITS));
	struct traits *out = r->out;

	if (out->seen[place / 64] >> place % 64 & 1)
		return;
	out->seen[place / 64] |= UINT64_C(1) << place % 64;
	if (out->count == out->cap) {
		struct trait *list = arena_alloc(r->arena, 2 * out->cap * sizeof(*list));

		memcpy(list, out->list, out->count * sizeof(*list));
		out->list = list;
		out->cap *= 2;
	}
	out->list[out->count++] = (struct trait){ place, (uint32_t)token };
}

static uint64_t mix_meaning(struct reader *r, uint64_t hash, unsigned meaning)
{
	const char *name;

	if (!r->names[meaning]) {
		name = speech_meaning(r->speech, meaning);
		r->names[meaning] = mix(SEED, name, strlen(name));
	}
	return (hash ^ r->names[meaning]) * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t add_letter(struct slice *letters, size_t count, const char *data, size_t n)
{
	letters[count] = (struct slice){ data, n };
	return count + 1;
}

/* Words are valid UTF-8: each letter ends where the next begins. */
static size_t letter_bytes(struct slice word, size_t at)
{
	size_t end = at + 1;

	while (end < word.len && ((unsigned char)word.data[end] & 0xc0) == 0x80)
		end++;
	return end - at;
}

static void add_pieces(struct reader *r, size_t token)
{
	struct slice word = r->tokens[token].text, letters[WORD_MOST + 2];
	size_t count = add_letter(letters, 0, "_", 1);

	for (size_t at = 0; at < word.len && count <= WORD_MOST;) {
		size_t n = letter_bytes(word, at);

		count = add_letter(letters, count, word.data + at, n);
		at += n;
	}
	count = add_letter(letters, count, "_", 1);
	for (size_t from = 0; from < count; from++) {
		uint64_t hash = begin(PIECE);

		for (size_t n = 1; n <= PIECE_MOST && from + n <= count; n++) {
			hash = mix(hash, letters[from + n - 1].data, letters[from + n - 1].len);
			if (n >= PIECE_LEAST)
				add(r, hash, token);
		}
	}
}

static bool ends_sentence(const struct reader *r, size_t token)
{
	return token + 1 == r->end || r->tokens[token + 1].sentence != r->tokens[token].sentence;
}

static size_t units_of(const struct reader *r, struct unit **out)
{
	struct unit *list = arena_alloc(r->arena, (4 * (r->end - r->first) + 1) * sizeof(*list));
	size_t n = 0;

	for (size_t i = r->first; i < r->end; i++) {
		if (i == r->first || ends_sentence(r, i - 1))
			list[n++] = (struct unit){ slice_of("^"), i };
		list[n++] = (struct unit){ r->tokens[i].text, i };
		if (r->tokens[i].mark)
			list[n++] = (struct unit){ slice_of(r->tokens[i].mark == '?' ? "?" : "!"), i };
		if (ends_sentence(r, i))
			list[n++] = (struct unit){ slice_of("$"), i };
	}
	*out = list;
	return n;
}

static void add_phrases(struct reader *r)
{
	struct unit *units;
	size_t count = units_of(r, &units);

	for (size_t from = 0; from < count; from++) {
		uint64_t hash = begin(PHRASE);
		size_t n;

		for (n = 0; n < WORDS && from + n < count; n++) {
			hash = mix_unit(hash, units[from + n].text);
			add(r, hash, units[from].token);
		}
		hash = mix_unit(begin(PAIR), units[from].text);
		for (n = 1; n <= SKIP && from + n < count; n++)
			add(r, mix_unit(hash, units[from + n].text), units[from].token);
	}
}

/* What is meant in a sentence, and each two of it, in whatever language and order. */
static void add_meetings(struct reader *r)
{
	struct meanings all = { 0 };

	for (size_t i = 0; i < r->sense_count; i++) {
		size_t at = r->senses[i].first;

		meanings_add(&all, r->senses[i].meaning);
		if (i + 1 < r->sense_count && r->tokens[r->senses[i + 1].first].sentence == r->tokens[at].sentence)
			continue;
		for (unsigned a = 0; a < MEANINGS_MAX; a++) {
			if (!meanings_have(all, a))
				continue;
			add(r, mix_meaning(r, begin(MEANING), a), at);
			for (unsigned b = a + 1; b < MEANINGS_MAX; b++)
				if (meanings_have(all, b))
					add(r, mix_meaning(r, begin(MEETING), a) ^ mix_meaning(r, begin(MEETING), b), at);
		}
		all = (struct meanings){ 0 };
	}
}

/* The next sense from `at` on that may follow `before`: near behind it, in its language. */
static bool follows(const struct reader *r, size_t before, size_t *at)
{
	const struct sense *a = &r->senses[before], *b;

	for (; *at < r->sense_count; ++*at) {
		b = &r->senses[*at];
		if (b->first > a->last + NEAR || r->tokens[b->first].sentence != r->tokens[a->first].sentence)
			return false;
		if (b->first > a->last && (a->language == b->language || a->language == LANGUAGE_ALL || b->language == LANGUAGE_ALL))
			return true;
	}
	return false;
}

/* Meanings that follow each other, two and three. */
static void add_orders(struct reader *r)
{
	for (size_t i = 0; i < r->sense_count; i++) {
		size_t j = i + 1;

		for (int left = FOLLOW; left > 0 && follows(r, i, &j); left--, j++) {
			uint64_t two = mix_meaning(r, mix_meaning(r, begin(ORDER), r->senses[i].meaning), r->senses[j].meaning);
			size_t k = j + 1;

			add(r, two, r->senses[i].first);
			for (int then = FOLLOW_THEN; then > 0 && follows(r, j, &k); then--, k++)
				add(r, mix_meaning(r, two, r->senses[k].meaning), r->senses[i].first);
		}
	}
}

/* Of all that are in the text, those that begin there: they stand in the order of where they do. */
static void take_senses(struct reader *r, size_t first, size_t end)
{
	size_t count, from = 0, to;
	const struct sense *all = speech_senses(r->speech, &count);

	while (from < count && all[from].first < first)
		from++;
	for (to = from; to < count && all[to].first < end; to++)
		;
	r->senses = all + from;
	r->sense_count = to - from;
}

static void forget(struct arena *arena, struct traits *t)
{
	if (!t->seen) {
		t->seen = arena_calloc(arena, LIKENESS_PLACES / 64, sizeof(*t->seen));
		t->cap = 1024;
		t->list = arena_alloc(arena, t->cap * sizeof(*t->list));
	}
	for (size_t i = 0; i < t->count; i++)
		t->seen[t->list[i].place / 64] = 0;
	t->count = 0;
}

void traits_read(struct arena *arena, const struct speech *speech, size_t first, size_t end, struct traits *out)
{
	struct reader r = { .arena = arena, .speech = speech, .first = first, .end = end, .out = out };
	size_t count;

	r.tokens = speech_tokens(speech, &count);
	take_senses(&r, first, end);
	forget(arena, out);
	for (size_t i = first; i < end; i++)
		add_pieces(&r, i);
	add_phrases(&r);
	add_meetings(&r);
	add_orders(&r);
}

/* --- the weights ------------------------------------------------------------------------------------------- */

static int64_t number_behind(const char *head, const char *word)
{
	const char *at = strstr(head, word);

	return at ? strtoll(at + strlen(word), NULL, 10) : 0;
}

struct likeness likeness_shipped(void)
{
	const char *end = memchr(likeness_weights, '\n', HEAD_MOST);
	char head[HEAD_MOST + 1] = "";

	/* the linker put it here */
	assert(end && likeness_weights_end - end - 1 == LIKENESS_PLACES);
	memcpy(head, likeness_weights, (size_t)(end - likeness_weights));
	return (struct likeness){ .bias = (double)number_behind(head, "bias ") * 1e-9, .scale = (double)number_behind(head, "scale ") * 1e-9,
		.weights = (const signed char *)end + 1 };
}

/* --- a text ------------------------------------------------------------------------------------------------ */

/* As much of a word as is looked at. */
static struct slice begin_of(struct slice word)
{
	size_t n = 0;

	for (int letters = 0; letters < WORD_MOST && n < word.len; letters++)
		n += letter_bytes(word, n);
	return (struct slice){ word.data, n };
}

/* The words that told most, those for it and those against it. */
static const char *tell(struct arena *arena, const struct token *tokens, size_t count, double *points)
{
	const char *why = "";

	for (int told = 0; told < TOLD; told++) {
		struct slice word;
		size_t most = 0;

		for (size_t i = 1; i < count; i++)
			if (fabs(points[i]) > fabs(points[most]))
				most = i;
		if (count == 0 || fabs(points[most]) < TELLING)
			break;
		word = begin_of(tokens[most].text);
		why = arena_printf(arena, "%s%s%.*s %+.2f", why, *why ? ", " : "", (int)word.len, word.data, points[most]);
		points[most] = 0;
	}
	return why;
}

struct judge {
	const struct likeness *likeness;
	struct arena *arena;
	const struct speech *speech;
	const struct token *tokens;
	struct traits traits;
	double *points;		/* of words */
};

/* Of words `first` to `end`, whose points are set. */
static double judge(struct judge *j, size_t first, size_t end)
{
	double unit, value = j->likeness->bias;

	traits_read(j->arena, j->speech, first, end, &j->traits);
	memset(j->points + first, 0, (end - first) * sizeof(*j->points));
	unit = j->traits.count ? j->likeness->scale / sqrt((double)j->traits.count) : 0;
	for (size_t i = 0; i < j->traits.count; i++)
		j->points[j->traits.list[i].token] += j->likeness->weights[j->traits.list[i].place] * unit;
	for (size_t i = first; i < end; i++)
		value += j->points[i];
	return fmax(-LIKENESS_MOST, fmin(LIKENESS_MOST, value));
}

static size_t end_of_sentence(const struct token *tokens, size_t count, size_t first)
{
	size_t end = first + 1;

	while (end < count && tokens[end].sentence == tokens[first].sentence)
		end++;
	return end;
}

/* The whole, as it tells what is spoken of; and each sentence, for a wish that stands at the end of a long mail. */
void likeness_read(const struct likeness *likeness, struct arena *arena, const struct speech *speech, struct likeness_reading *out)
{
	struct judge j = { .likeness = likeness, .arena = arena, .speech = speech };
	size_t count, best = 0, best_end = 0, first, end;
	double most = 0, value;

	j.tokens = speech_tokens(speech, &count);
	j.points = arena_calloc(arena, count + 1, sizeof(*j.points));
	*out = (struct likeness_reading){ .value = likeness->bias, .why = "" };
	for (first = 0; first < count; first = end) {
		end = end_of_sentence(j.tokens, count, first);
		/* "Stop! The invoice is wrong.": what is short means what the rest says */
		if (end - first < ALONE && end - first < count)
			continue;
		value = judge(&j, first, end);
		if (best_end > 0 && value <= most)
			continue;
		most = value;
		best = first;
		best_end = end;
	}
	if (count == 0)
		return;
	out->from = j.tokens[best].from;
	out->to = j.tokens[best_end ? best_end - 1 : count - 1].to;
	/* a text of one sentence has been judged */
	if (best > 0 || best_end != count) {
		value = judge(&j, 0, count);
		if (best_end == 0 || value >= most) {
			most = value;
			best = 0;
			best_end = count;
		} else {
			judge(&j, best, best_end);
		}
	}
	out->value = most;
	out->why = tell(arena, j.tokens + best, best_end - best, j.points + best);
}
