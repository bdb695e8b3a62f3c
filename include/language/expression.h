/*
 * expression.h: the conditions that marketers write in config: parsed, typed and bound to names once, evaluated often.
 *
 * Literals (text in '' or "", numbers, true false nil, durations `14 days`, lists in [ ]), names, `event.x`, `== != < <= > >=
 * contains in matches /re/i and or not ( )`, and functions over history. Mixing `and` and `or` without parentheses is an error.
 * Comparisons with nil are false (but == nil and != nil), never an error at run time. No side effect, bounded cost.
 *
 * A compiled expression is immutable: any thread may evaluate it. Errors carry the offset in the text, so that
 * config can say line and column inside the YAML scalar.
 */
#ifndef LANGUAGE_EXPRESSION_H
#define LANGUAGE_EXPRESSION_H

#include "language/value.h"

/* --- names ----------------------------------------------------------------------------------------------------- */

struct symbol {
	const char *name;		/* "role", "stage", "interest" */
	enum value_type type;
	const char *const *values;	/* NULL, or the only texts it can have, ended by NULL ("stage": in order, and < > compare by place) */
	bool unordered;			/* `values` stand in no order: < > are refused */
	bool decays;			/* a number that goes to nothing with time by itself: interest, score */
	bool may_be_empty;		/* NIL is possible */
};

/* Symbols by index; the index is what programs and environments use. Built while config loads, then immutable. */
struct vocabulary;

struct vocabulary *vocabulary_new(void);
void vocabulary_free(struct vocabulary **v);
/* Copies the symbol. Returns its index, or -1 if the name is there. */
int vocabulary_add(struct vocabulary *v, const struct symbol *symbol);
int vocabulary_find(const struct vocabulary *v, struct slice name);	/* index or -1 */
const struct symbol *vocabulary_symbol(const struct vocabulary *v, int index);
size_t vocabulary_count(const struct vocabulary *v);

/* --- history --------------------------------------------------------------------------------------------------- */

enum history_what {
	HISTORY_HELD,	/* did visited clicked opened sent replied: is the count > 0 */
	HISTORY_COUNT,	/* times visits clicks opens */
	HISTORY_SINCE,	/* since(name): duration since the last; nil if never */
};

/*
 * The first argument is a literal, so the plan knows which event touches which rule. What each function asks for:
 * did(name, within) times(name, within) since(name): any event; visited(glob, within) visits(...): "page_view" with a
 * path; clicked(template, within) clicks(...): "click"; opened opens: "open"; sent: "sent"; replied(within): "reply";
 * opened_any clicked_any: also the machine's ("open" and "open_machine", `machine` set).
 */
struct history_call {
	enum history_what what;
	const char *event;	/* name of the event */
	const char *subject;	/* exact, or a glob if `glob`; NULL: any. Template of a mail, path of a page */
	bool glob;
	bool machine;		/* count events named "<event>_machine" too */
	int64_t within;		/* microseconds back from now; 0: ever */
};

struct history_answer {
	int64_t count;		/* in the window; HELD and SINCE need only know whether it is 0 */
	int64_t newest;		/* time of the newest in the window; undefined if count is 0 */
	int64_t oldest;		/* time of the oldest in the window (COUNT only) */
};

/* --- evaluation ------------------------------------------------------------------------------------------------ */

struct expression_env {
	int64_t now;
	void *ctx;
	/* The value of a symbol of the vocabulary, now. */
	struct value (*symbol)(void *ctx, int symbol);
	/* event.NAME of the event at hand; NIL where there is none. */
	struct value (*event)(void *ctx, struct slice name);
	struct history_answer (*history)(void *ctx, const struct history_call *call);
	/*
	 * When a decaying symbol passes `threshold` if nothing happens: falls below it, or climbs above it if it decays from
	 * below; TIME_NEVER if it never does, as where it moves away from it.
	 */
	int64_t (*falls)(void *ctx, int symbol, double threshold);
};

struct expression;

enum expression_flags {
	EXPRESSION_EVENT = 1,	/* event.x may be used (enter, score rules) */
};

struct expression_error {
	size_t offset;		/* bytes into the text */
	char text[ERR_TEXT];	/* with what was meant, where that can be guessed */
};

/* `want` VALUE_BOOL for conditions; VALUE_NIL takes any type. NULL on error. The vocabulary must outlive the result. */
struct expression *expression_compile(const struct vocabulary *v, const char *text, enum value_type want, unsigned flags,
		struct expression_error *error);
void expression_free(struct expression **e);

/*
 * *until_out (may be NULL): the first instant at which the value could become another by time alone (a window's end, a decaying
 * number's crossing), TIME_NEVER if none; never earlier than needed for a comparison with one number.
 */
struct value expression_eval(const struct expression *e, const struct expression_env *env, int64_t *until_out);
bool expression_holds(const struct expression *e, const struct expression_env *env, int64_t *until_out);

/* Canonical text: parses back to the same program. */
void expression_print(const struct expression *e, struct buf *out);
/* A line for each part with its value, indented: for `eval --explain` and for `why`. */
void expression_explain(const struct expression *e, const struct expression_env *env, struct buf *out);

/* What it names. Symbols, and the calls over history (their events); valid as long as the expression. */
struct expression_uses {
	const int *symbols;
	size_t symbol_count;
	const struct history_call *calls;
	size_t call_count;
	bool time;	/* its value can change by time alone */
};
const struct expression_uses *expression_uses(const struct expression *e);

#endif
