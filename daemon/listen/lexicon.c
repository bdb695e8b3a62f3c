/*
 * lexicon.c: see lexicon.h. Words are found by their first letters, so that thousands of them cost little; those that may begin in
 * any way are few.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "lexicon.h"

#define BUCKET_BITS 15
#define BUCKETS (1 << BUCKET_BITS)
#define HEAD 8		/* bytes that choose a bucket */
#define PARTS_MAX 24	/* of an entry; each character of those that are written without spaces is one */
#define TYPOS_FROM 7	/* letters, from which one may be wrong */
#define FAR 5		/* words, for `+` */
#define SENSES_MAX 4000	/* of one text */

struct part {
	char *text;
	size_t len;
	bool any_start, any_end, far;
};

struct entry {
	uint16_t language;
	uint8_t meaning;
	bool typos, gap;
	unsigned count;
	struct entry *next;	/* of its bucket */
	struct part parts[];
};

struct lexicon {
	char **languages, *meanings[MEANINGS_MAX];
	size_t language_count, meaning_count;
	struct entry *buckets[BUCKETS], *loose, *mistyped[256];
};

/* --- what is written ------------------------------------------------------------------------------------- */

/* By its first n bytes, HEAD at most. */
static size_t bucket_of(const char *s, size_t n)
{
	unsigned h = (unsigned)n;

	for (size_t i = 0; i < n; i++)
		h = h * 31 + (unsigned char)s[i];
	return h * 2654435761u >> (32 - BUCKET_BITS);
}

static size_t head(size_t len)
{
	return len < HEAD ? len : HEAD;
}

static int meaning_named(struct lexicon *v, const char *name)
{
	int i = lexicon_meaning(v, name, strlen(name));

	if (i >= 0 || v->meaning_count == MEANINGS_MAX)
		return i;
	v->meanings[v->meaning_count] = xstrdup(name);
	return (int)v->meaning_count++;
}

/* One between _ and +; without spaces it may become several. How many there are then. */
static unsigned add_parts(struct part *parts, unsigned count, struct arena *arena, struct slice text, bool far)
{
	bool any_start = text.len > 1 && text.data[0] == '-', any_end = text.len > 1 && text.data[text.len - 1] == '-';
	struct token *tokens;
	size_t n;

	text.data += any_start;
	text.len -= any_start + any_end;
	if (slice_is(text, "@")) {
		if (count < PARTS_MAX)
			parts[count++] = (struct part){ .text = xstrdup("@"), .len = 1, .far = far };
		return count;
	}
	n = tokens_read(arena, text.data, text.len, PARTS_MAX, &tokens);
	for (size_t i = 0; i < n && count < PARTS_MAX; i++)
		parts[count++] = (struct part){
			.text = xstrndup(tokens[i].text.data, tokens[i].text.len), .len = tokens[i].text.len, .any_start = any_start && i == 0,
			.any_end = any_end && i == n - 1, .far = far && i == 0,
		};
	return count;
}

/* The byte that tells most of its first letter: the second, where it has two. */
static size_t first_letter(const struct part *p)
{
	return (unsigned char)p->text[0] >= 0x80;
}

static void file_entry(struct lexicon *v, struct entry *e)
{
	const struct part *first = &e->parts[0];
	struct entry **list = first->any_start || (first->any_end && first->len < 2) ? &v->loose : &v->buckets[bucket_of(first->text, head(first->len))];

	if (e->typos) {
		struct entry *copy = xmalloc(sizeof(*copy) + sizeof(copy->parts[0]));

		memcpy(copy, e, sizeof(*copy) + sizeof(copy->parts[0]));
		copy->parts[0].text = xstrdup(first->text);
		copy->next = v->mistyped[(unsigned char)first->text[first_letter(first)]];
		v->mistyped[(unsigned char)first->text[first_letter(first)]] = copy;
	}
	e->next = *list;
	*list = e;
}

/* Korean letters are parts of syllables: there they do not count. */
static size_t letters(const struct part *p)
{
	return (unsigned char)p->text[0] >= 0xe0 ? 0 : text_utf8_length(p->text, p->len);
}

static void add_word(struct lexicon *v, struct arena *arena, uint16_t language, uint8_t meaning, const char *s, size_t n)
{
	struct part parts[PARTS_MAX];
	unsigned count = 0;
	bool far = false, gap = false;
	struct entry *e;

	for (const char *end = s + n; s < end;) {
		size_t len = 0;

		while (s + len < end && s[len] != '_' && s[len] != '+')
			len++;
		count = add_parts(parts, count, arena, (struct slice){ s, len }, far);
		far = s + len < end && s[len] == '+';
		gap |= far;
		s += len + 1;
	}
	if (!count)
		return;
	e = xmalloc(sizeof(*e) + count * sizeof(e->parts[0]));
	*e = (struct entry){ .language = language, .meaning = meaning, .gap = gap, .count = count };
	memcpy(e->parts, parts, count * sizeof(e->parts[0]));
	e->typos = count == 1 && !parts[0].any_start && letters(&parts[0]) >= TYPOS_FROM;
	file_entry(v, e);
}

static void add_words(struct lexicon *v, struct arena *arena, uint16_t language, const char *meaning, const char *words)
{
	int m = meaning_named(v, meaning);

	while (m >= 0 && words[strspn(words, " \n")]) {
		size_t n;

		words += strspn(words, " \n");
		n = strcspn(words, " \n");
		add_word(v, arena, language, (uint8_t)m, words, n);
		words += n;
	}
}

struct lexicon *lexicon_new(const json_t *languages)
{
	struct lexicon *v = xcalloc(1, sizeof(*v));
	struct arena *arena = arena_new(0);
	json_t *meanings, *words;
	const char *language, *meaning;

	v->languages = xcalloc(json_object_size(languages) + 1, sizeof(*v->languages));
	v->languages[v->language_count++] = xstrdup("all");
	json_object_foreach((json_t *)(uintptr_t)languages, language, meanings) {
		size_t n = LANGUAGE_ALL;

		if (strcmp(language, "all")) {
			if (v->language_count == LANGUAGES_MAX)
				continue;
			n = v->language_count++;
			v->languages[n] = xstrdup(language);
		}
		json_object_foreach(meanings, meaning, words)
			add_words(v, arena, (uint16_t)n, meaning, json_string_value(words));
	}
	arena_free(&arena);
	return v;
}

static void free_entries(struct entry *e)
{
	while (e) {
		struct entry *next = e->next;

		for (unsigned i = 0; i < e->count; i++)
			free(e->parts[i].text);
		free(e);
		e = next;
	}
}

void lexicon_free(struct lexicon **lexicon)
{
	struct lexicon *v = *lexicon;

	if (!v)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		free_entries(v->buckets[i]);
	free_entries(v->loose);
	for (size_t i = 0; i < 256; i++)
		free_entries(v->mistyped[i]);
	for (size_t i = 0; i < v->language_count; i++)
		free(v->languages[i]);
	for (size_t i = 0; i < v->meaning_count; i++)
		free(v->meanings[i]);
	free(v->languages);
	free(v);
	*lexicon = NULL;
}

size_t lexicon_languages(const struct lexicon *v)
{
	return v->language_count;
}

const char *lexicon_language(const struct lexicon *v, size_t language)
{
	return v->languages[language];
}

const char *lexicon_meaning_name(const struct lexicon *v, unsigned meaning)
{
	return v && meaning < v->meaning_count ? v->meanings[meaning] : "";
}

int lexicon_meaning(const struct lexicon *v, const char *name, size_t n)
{
	for (size_t i = 0; i < v->meaning_count; i++)
		if (slice_is((struct slice){ name, n }, v->meanings[i]))
			return (int)i;
	return -1;
}

/* --- what is read ---------------------------------------------------------------------------------------- */

static bool holds(const struct part *p, struct slice word)
{
	if (word.len < p->len || (word.len > p->len && !p->any_start && !p->any_end))
		return false;
	if (!p->any_start)
		return (p->any_end || word.len == p->len) && !memcmp(word.data, p->text, p->len);
	if (!p->any_end)
		return !memcmp(word.data + word.len - p->len, p->text, p->len);
	return memmem(word.data, word.len, p->text, p->len) != NULL;
}

/* The word begins with the part, but for one letter that is wrong, missing, too many, or changed places with the next. */
static bool nearly(const struct part *p, struct slice word)
{
	size_t i = 0, left, rest;

	while (i < p->len && i < word.len && p->text[i] == word.data[i])
		i++;
	left = p->len - i;
	rest = word.len - i;
	if (!i || left < 2)	/* the last letter is the ending's */
		return false;
	return (rest >= left && !memcmp(word.data + i + 1, p->text + i + 1, left - 1)) ||
	       (rest >= left + 1 && !memcmp(word.data + i + 1, p->text + i, left)) ||
	       (rest >= left - 1 && !memcmp(word.data + i, p->text + i + 1, left - 1)) ||
	       (rest >= left && word.data[i] == p->text[i + 1] && word.data[i + 1] == p->text[i] && !memcmp(word.data + i + 2, p->text + i + 2, left - 2));
}

/* Where the entry ends that begins with token `at`; count: it does not stand there. */
static size_t entry_end(const struct entry *e, const struct token *tokens, size_t count, size_t at)
{
	for (unsigned k = 1; k < e->count; k++) {
		size_t last = at + (e->parts[k].far ? FAR : 1);

		do {
			if (++at >= count || tokens[at].sentence != tokens[at - 1].sentence || tokens[at].part)
				return count;
		} while (!holds(&e->parts[k], tokens[at].text) && at < last);
		if (!holds(&e->parts[k], tokens[at].text))
			return count;
	}
	return at;
}

struct reader {
	const struct token *tokens;
	size_t count;
	struct sense *senses;
	size_t sense_count, cap;
};

static void try_list(struct reader *r, const struct entry *e, size_t at, bool typo)
{
	for (; e && r->sense_count < SENSES_MAX; e = e->next) {
		size_t end;

		if (typo ? !nearly(&e->parts[0], r->tokens[at].text) : !holds(&e->parts[0], r->tokens[at].text))
			continue;
		end = entry_end(e, r->tokens, r->count, at);
		if (end == r->count)
			continue;
		r->senses = xgrow(r->senses, &r->cap, r->sense_count + 1, sizeof(*r->senses));
		r->senses[r->sense_count++] = (struct sense){ e->language, e->meaning, e->gap, (unsigned)at, (unsigned)end };
	}
}

size_t lexicon_read(const struct lexicon *v, struct arena *arena, const struct token *tokens, size_t count, struct sense **senses_out)
{
	struct reader r = { .tokens = tokens, .count = count };

	for (size_t i = 0; i < count; i++) {
		struct slice word = tokens[i].text;
		size_t before = r.sense_count;

		if (!word.len)
			continue;
		for (size_t k = 1; k <= head(word.len); k++)
			try_list(&r, v->buckets[bucket_of(word.data, k)], i, false);
		try_list(&r, v->loose, i, false);
		if (r.sense_count == before && word.len + 1 >= TYPOS_FROM)
			try_list(&r, v->mistyped[(unsigned char)word.data[(unsigned char)word.data[0] >= 0x80]], i, true);
	}
	*senses_out = arena_alloc(arena, (r.sense_count + 1) * sizeof(*r.senses));
	if (r.sense_count)
		memcpy(*senses_out, r.senses, r.sense_count * sizeof(*r.senses));
	free(r.senses);
	return r.sense_count;
}
