/*
 * program.h: a compiled template from inside: functions of flat code (the template and each partial it
 * renders), and what the compiler, the filters and the renderer share. Nobody outside of the template files
 * looks in.
 */
#ifndef LANGUAGE_PROGRAM_H
#define LANGUAGE_PROGRAM_H

#include "base/digest.h"
#include "language/template.h"

#define STACK_MAX 64		/* values an expression may need at once */
#define LOOPS_MAX 16		/* loops in loops, in one function */
#define CAPTURES_MAX 16
#define FUNCTIONS_MAX 200
#define NO_NAME INT32_MIN

enum op {
	OP_NOTHING,
	OP_LITERAL,	/* a: length; text */
	OP_OUT_SYMBOL,	/* a: symbol; {{ name }} in one step. `strict`: not empty */
	OP_OUT,		/* the top, escaped by `mode` */
	OP_CONST,	/* a: index of a constant */
	OP_SYMBOL,	/* a: symbol of the vocabulary; `strict` */
	OP_FREE,	/* a: constant with the name to ask the caller for */
	OP_FREE_DYNAMIC, /* the top is the name */
	OP_VARIABLE,	/* a: slot; if it is unset, b: symbol, or -1 - constant with its name, or NO_NAME */
	OP_SLOT,	/* a: slot, always set */
	OP_LOOP_FIELD,	/* a: loop; n: enum loop_field */
	OP_GET, /* a: constant with the key; the top becomes its part. `strict`: first, last, size too */
	OP_INDEX,    /* pops a key; the top becomes its part */
	OP_RANGE,    /* pops two, pushes the range between them. `strict`: decimals are a mistake */
	OP_KEYWORDS, /* a: pairs of key and value on the stack become one object */
	OP_FILTER,   /* a: filter; n: arguments on the stack; strict: the last is the keywords' object */
	OP_COMPARE,  /* a: enum comparison; pops two, pushes yes or no */
	OP_POP,
	OP_JUMP,       /* a: where */
	OP_JUMP_FALSE, /* pops */
	OP_JUMP_TRUE,
	OP_KEEP_FALSE, /* jumps and keeps the top if it is false, else pops it */
	OP_KEEP_TRUE,
	OP_ASSIGN, /* a: slot; pops */
	OP_CAPTURE,
	OP_CAPTURED, /* a: slot */
	OP_FOR, /* a: where if there is nothing; n: enum for_flags; b: loop description. Pops */
	OP_NEXT,      /* a: where the body begins; b: loop description */
	OP_CYCLE,     /* a: values on the stack, below them the name of the group (`strict`: one of ours); pushes one */
	OP_CASE,      /* a: first of three slots: value, matched, times. Pops the value */
	OP_WHEN,      /* a: the same; pops a value and counts a match */
	OP_WHEN_NEXT, /* a: the same; b: where if there is none left */
	OP_CASE_ELSE, /* a: the same; b: where if something matched */
	OP_RENDER,    /* a: call description */
	OP_LINK,      /* a: link */
	OP_ABORT,     /* pops the reason */
	OP_END,
};

enum escape_mode {
	ESCAPE_NONE,
	ESCAPE_HTML,
	ESCAPE_URL,	/* the beginning of a URL in an attribute: the scheme is looked at, then HTML */
	ESCAPE_URL_SAFE, /* the same for what is HTML already */
	ESCAPE_HEADER,
	ESCAPE_JSON,
};

enum comparison { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_CONTAINS };

enum loop_field {
	LOOP_INDEX,
	LOOP_INDEX0,
	LOOP_RINDEX,
	LOOP_RINDEX0,
	LOOP_FIRST,
	LOOP_LAST,
	LOOP_LENGTH,
	LOOP_NAME,
	LOOP_OBJECT,
};

enum for_flags { FOR_LIMIT = 1, FOR_OFFSET = 2, FOR_CONTINUE = 4, FOR_REVERSED = 8 };

struct instruction {
	uint16_t op;
	uint8_t mode;		/* enum escape_mode */
	bool strict;
	int16_t n;
	int32_t line;		/* in the function's source, for messages */
	int32_t a;
	union {
		int32_t b;
		const char *text;
	};
};

struct for_description {
	const char *name;	/* "tag-product.tags": the key of `offset: continue` */
	int slot;		/* of the variable */
	int loop;		/* its place among the open loops */
	int memory;		/* index of where it stopped, shared by equal names */
};

struct argument {
	struct slice name;
	int slot;		/* in the function called; -1: it does not use it */
};

struct variable {
	struct slice name;
	int slot;
	int symbol;		/* of the vocabulary, or -1 */
	bool assigned, captured;
};

struct call_description {
	int function;
	int count;
	struct argument *arguments;	/* values on the stack in this order */
	struct argument with;		/* of `with` and `for` */
	bool has_with, each;		/* `each`: `for`, once per item */
	const struct source *source;	/* where it is called, for messages of the compiler */
	size_t offset;
	int forloop;			/* slot of forloop in the function, or -1 */
};

struct function {
	const char *name;
	struct instruction *code;
	size_t count, cap;
	int slots;
	int memories;
	struct for_description *loops;
	size_t loop_count, loop_cap;
	struct call_description *calls;
	size_t call_count, call_cap;
	struct variable *variables;
	size_t variable_count, variable_cap;
};

struct meta {
	const char *key;
	const char *text;
	struct template *template;	/* NULL for keys that are no templates: layout, topic */
};

struct template {
	char *name;
	struct arena *arena;		/* of texts, constants and names */
	enum template_escape escape;
	const struct vocabulary *vocabulary;
	struct function *functions[FUNCTIONS_MAX];
	size_t function_count;
	struct value *constants;
	size_t constant_count, constant_cap;
	bool *uses;			/* by symbol */
	const char **links;
	size_t link_count, link_cap;
	struct meta *metas;
	size_t meta_count, meta_cap;
	struct template *text_part;
	bool tidy;			/* a text part: white space is made up at the end */
	uint8_t digest[SHA256_SIZE];
};

/* --- rendering ------------------------------------------------------------------------------------------ */

struct cycle_state {
	struct value key;
	bool named;
	int64_t next;
	struct cycle_state *older;
};

struct render {
	const struct template *t;
	const struct template_env *env;
	struct buf *out;
	struct buf scratch;		/* for filters that build texts */
	struct err *err;
	size_t start;			/* out's length at the beginning */
	size_t arena_start;
	int steps, depth;
	enum template_result result;
	struct cycle_state *cycles;
	int line;
	const char *place;		/* the function at hand, for messages */
};

/* Sets the error ("NAME line N: ...") and the result FAILED; returns nil, so that a filter can return it. */
struct value render_fail(struct render *r, const char *fmt, ...) PRINTF(2, 3);
/* The scratch buffer's content as a text in the arena; empties it. */
struct value render_scratch(struct render *r);

/* --- Liquid's idea of values: semantics.c --------------------------------------------------------------- */

bool liquid_truth(struct value v);
bool liquid_equal(struct value a, struct value b);
bool liquid_same(struct value a, struct value b);	/* 1 and 1.0 are equal, but not the same */
bool liquid_compare(struct render *r, enum comparison how, struct value a, struct value b);
/* v.key, v[key]; `dotted`: first, last and size mean what they say unless the object has such a key. */
struct value liquid_part(struct render *r, struct value v, struct value key, bool dotted);
/* Any value as a text: a text itself, others written into the arena. */
struct slice liquid_text(struct render *r, struct value v);
/* Leading digits of a text, whole numbers of reals; 0 for what is no number. */
int64_t liquid_integer(struct value v);
/* A whole number, or a text that is one from end to end; else the render fails. */
bool liquid_whole(struct render *r, struct value v, int64_t *out);
/*
 * What a loop or a list filter sees: lists as they are, nested ones flat if asked for, objects and texts
 * as one item, nil as none.
 */
struct value_list liquid_items(struct render *r, struct value v, bool flatten);
struct value liquid_list(struct render *r, const struct value *items, size_t count);

/* --- filters: filters.c --------------------------------------------------------------------------------- */

struct filter_call {
	struct render *r;
	struct value in;
	const struct value *args;
	int count;
	struct value keywords;	/* an object, or nil */
};

struct filter {
	const char *name;
	int min, max;		/* arguments */
	struct value (*run)(struct filter_call *c);
	bool keywords;		/* takes arguments with a name */
};

/* Tables ended by a NULL name, one a file. */
extern const struct filter filters_text[];
extern const struct filter filters_number[];
extern const struct filter filters_list[];
extern const struct filter filters_other[];

/* By its number; -1 if there is none such. */
int filter_find(struct slice name);
const struct filter *filter_at(int index);
const char *filter_nearest(const char *name);

/* --- the compiler --------------------------------------------------------------------------------------- */

struct pieces;
struct source;

struct compile_errors {
	struct template_error *items;
	size_t max, count;
};

/* Line and column, in bytes, from 1. */
void compile_place(const struct source *source, size_t offset, int *line, int *column);
void compile_error(struct compile_errors *errors, const struct source *source, size_t offset, const char *fmt,
	...) PRINTF(4, 5);
/* Compiles pieces as the template's first function. `text_part`: they are text made from HTML. */
void compile_pieces(struct template *t, const struct pieces *pieces, const struct template_options *options,
		struct compile_errors *errors, struct buf *digest);
/* A source whose text is copied into the arena; `skip` is set behind its front matter. */
struct source *compile_source(struct arena *arena, const char *name, const char *text);

#define LAYOUTS_MAX 4		/* in one another */

/* The pieces of a source inside its layouts, which are left in layouts_out; their number. Sources live in the arena. */
size_t template_expand(struct pieces *out, const struct source **layouts_out, struct arena *arena, const struct source *source,
	const struct template_options *options, struct compile_errors *errors);
/* A value of front matter without the quotes around it. */
struct slice template_front_value(struct slice s);

/* HTML pieces as text pieces: as_text.c. Texts live in the arena. */
void as_text(struct pieces *out, const struct pieces *in, struct arena *arena);

#endif
