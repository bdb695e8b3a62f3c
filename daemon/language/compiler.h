/*
 * compiler.h: the state of one compilation, shared by compile.c (functions, blocks, text), operand.c (what
 * stands in an output or a condition) and tags.c.
 */
#ifndef LANGUAGE_COMPILER_H
#define LANGUAGE_COMPILER_H

#include "html.h"
#include "lex.h"
#include "pieces.h"
#include "program.h"

/* A name in the code, to be resolved when the function is complete: an assignment may still follow. */
struct name_use {
	size_t instruction;
	size_t variable;
	const struct source *source;
	size_t offset;
	bool strict;		/* must not be empty */
	bool guarded;		/* stands inside an `if` that tests it */
	bool in_text;		/* an HTML output in text, not in an attribute */
};

struct open_loop {
	struct slice name;
	int slot;
	int captures;		/* open when it began */
	size_t *breaks, *continues;
	size_t break_count, break_cap, continue_count, continue_cap;
};

struct compiler {
	struct template *t;
	const struct template_options *options;
	struct compile_errors *errors;
	struct buf *digest;
	bool html_on;			/* escape by place */
	bool partial;			/* a function other than the first */
	int nesting;			/* of partials */
	struct function *f;
	const struct pieces *pieces;
	size_t at;
	const struct piece *piece;
	struct lexer lexer;
	int stack;			/* values on it, here */
	struct html html;
	bool blank;			/* the block at hand has put out nothing yet */
	bool value_here;		/* the attribute's value began in the text piece at hand */
	bool untracked;			/* the tag at hand has data-track="no" */
	ssize_t tag_link;		/* the link in the tag at hand, or -1 */
	ssize_t text_link;		/* the link whose text is at hand, or -1 */
	char link_text[9];		/* how that begins */
	size_t link_text_len;
	struct name_use *uses;
	size_t use_count, use_cap;
	int *guards;			/* symbols tested by the blocks around */
	size_t guard_count, guard_cap;
	bool testing;			/* names read now are tests */
	struct open_loop loops[LOOPS_MAX];
	int loop_count;
	int captures[CAPTURES_MAX];	/* slots of the open captures */
	int capture_count;
	int depth;			/* of blocks and conditions */
	/* the line of the last place asked for */
	const struct source *line_source;
	size_t line_offset;
	int line;
};

/* compile.c */
void compiler_fail(struct compiler *c, size_t offset_in_piece, const char *fmt, ...) PRINTF(3, 4);
void compiler_fail_here(struct compiler *c, const char *wanted);
size_t compiler_emit(struct compiler *c, enum op op, int32_t a);
void compiler_push(struct compiler *c, int n);
int compiler_constant(struct compiler *c, struct value v);
const char *compiler_keep(struct compiler *c, struct slice s);
int compiler_slot(struct compiler *c);
size_t compiler_variable(struct compiler *c, struct slice name);
void compiler_patch(struct compiler *c, size_t instruction);
/*
 * Compiles up to one of the tags named (ended by NULL), or the end. Returns its index, or -1 at the end;
 * c->piece is the tag.
 */
int compiler_block(struct compiler *c, const char *const *ends);
/* The function that renders the partial, compiled when it is first asked for; -1 if there is none such. */
int compiler_partial(struct compiler *c, struct slice name, size_t offset);
/* Starts the lexer on what stands behind the tag's name. */
void compiler_lex(struct compiler *c, struct slice text);
/* Is everything read? Says so if not. */
void compiler_end(struct compiler *c);

/* operand.c: each pushes one value; false after an error. */
bool operand_value(struct compiler *c, bool strict);
/* What stands beside a comparison: `empty` and `blank` mean something there; elsewhere they are an empty text. */
bool operand_compared(struct compiler *c);
bool operand_filtered(struct compiler *c);
bool operand_condition(struct compiler *c);
/* All of {{ ... }} or {% echo ... %}. */
void operand_output(struct compiler *c, struct slice text);
/* Do names in the text at hand have to be there? Not if it has `| default:`. */
bool operand_is_strict(const struct compiler *c);

/* tags.c: false if there is no such tag. */
bool tags_compile(struct compiler *c, struct slice name, struct slice rest);

#endif
