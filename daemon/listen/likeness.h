/*
 * likeness.h: how much a text is like those of people who want no more mails, by weights that were learned from thousands of texts
 * (tests/listen/learn_likeness.c). Forms and patterns know what somebody wrote down; this knows what is usual. It finds a wish in words that no
 * form has, and takes back a form that was met by chance. Pure; any thread.
 */
#ifndef LISTEN_LIKENESS_H
#define LISTEN_LIKENESS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct speech;

#define LIKENESS_BITS 20
#define LIKENESS_PLACES (1u << LIKENESS_BITS)
/*
 * Something that is in a text: a piece of a word, words that stand together, meanings of the vocabulary that do. Its place says which weight is
 * its; those that share one by chance are not told apart.
 */
struct trait {
	uint32_t place;
	uint32_t token;		/* where it begins */
};

struct traits {
	struct trait *list;	/* each place once */
	size_t count, cap;
	uint64_t *seen;		/* a bit a place */
};

/* What is in words `first` to `end` of the text. `out` begins as zeroes, and may be filled again; the memory is the arena's. */
void traits_read(struct arena *arena, const struct speech *speech, size_t first, size_t end, struct traits *out);

struct likeness {
	double bias, scale;
	const signed char *weights;	/* of places; times `scale` */
};

/* As they are in the program: the file daemon/listen/likeness.weights, a line of bias and scale in billionths, then a byte a place. */
struct likeness likeness_shipped(void);

#define LIKENESS_MOST 8.99	/* and least: a rule that asks for 9, or for less than -9, is for none; the setting's limits */

struct likeness_reading {
	double value;		/* above 0: more like a wish than not; beyond 1 and -1 it is clear. Of the whole text or of the sentence that is most so */
	const char *why;	/* the words that told most, each with what it added or took: "spam +0.31, question -0.20"; "": there are none */
	size_t from, to;	/* bytes of the text: the sentence that is most like a wish */
};

/* What it says is the arena's. */
void likeness_read(const struct likeness *likeness, struct arena *arena, const struct speech *speech, struct likeness_reading *out);

#endif
