/*
 * load.h: one load of a plan under way: what the parts of the loader share. One thread, from plan_load() to its end.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/plan.h"

#include "source.h"
#include "yaml.h"

/* A plan and what it owns beyond its arena. */
struct plan_body {
	struct plan plan;		/* first: a struct plan * is a struct plan_body * */
	struct arena *arena;
	struct expression **expressions;
	size_t expression_count, expression_cap;
	struct template **templates;
	size_t template_count, template_cap;
	char **secrets;			/* wiped when the plan goes */
	size_t secret_count, secret_cap;
	struct plan_page {
		const char *name;
		const char *base, *language;	/* "confirm" and "de" of confirm.de; language "" without one */
		const struct template *template;
	} *pages;
	size_t page_count;
	const char *folder;		/* of the operator's file */
	bool no_secrets;		/* see plan_load_to_look() */
	const struct sequence *old;	/* of one of `olds`: what it is */
	struct plan_body *olds;		/* of older sequences, each with what it owns; `plan` of theirs is not used */
};

/* What a condition decides: it cannot ask what is decided after it. */
enum decides { DECIDES_NOTHING, DECIDES_INTEREST, DECIDES_FIT, DECIDES_STAGE, DECIDES_LIST };

/* An expression that is compiled when all names are known. */
struct pending {
	const struct yaml_node *node;
	unsigned flags;
	enum decides decides;
	struct expression **out;
};

struct load {
	struct plan_body *body;
	struct plan *plan;		/* &body->plan */
	struct arena *arena;		/* the plan's */
	struct arena *scratch;		/* trees and sources: until the load is over */
	struct complaints complaints;
	bool no_secrets;		/* they are named, but not read: see plan_load_to_look() */
	const char *folder;		/* of the operator's file; no slash at the end, "" for the root */
	struct buf versions;		/* digests of what was read */
	struct pending *pending;
	size_t pending_count, pending_cap;
	struct known_attachment *attachments;	/* those that were read: attachments.c */
	bool operator_known;		/* folders and hosts can be looked up */
	bool nurture_known;		/* fields, stages and lists can be looked up */
	bool mails_known;		/* so can mail templates */
	const struct yaml_node *topics;	/* of nurture.yaml; NULL */

	/* where things were written, for checks across files; in the scratch arena */
	const struct sequence_nodes {
		const struct yaml_node *root, *goal, *exit, *beside, *holdout, *gone;
		const struct step_node {
			const struct yaml_node *at;	/* its name, else the whole of it */
			const struct yaml_node *map;	/* the verb and its options */
		} *steps;
		bool whole;	/* all steps were understood */
	} *sequences;				/* as in plan->sequences */
};

/* At a node. */
void complain(struct load *l, const struct yaml_node *node, const char *fmt, ...) PRINTF(3, 4);

/* Reads folder/name and parses it; NULL if it is wrong or not there, with a complaint but for missing ones if `optional`. */
const struct yaml_node *load_file(struct load *l, const char *name, bool optional);
/* Names of the *.yaml (or so) files of folder/name in byte order, NULL at the end; none if there is no folder. */
const char *const *load_names(struct load *l, const char *folder, const char *suffix);

/* *out is set once all files are read; `node` may be NULL. */
void load_expression(struct load *l, const struct yaml_node *node, unsigned flags, struct expression **out);
void load_decision(struct load *l, const struct yaml_node *node, enum decides decides, struct expression **out);
void load_expressions(struct load *l);
/* Of a literal that stands in an expression: the place of the n-th byte of its text. */
void complain_inside(struct load *l, const struct yaml_node *node, size_t offset, const char *fmt, ...) PRINTF(4, 5);

/* The parts, in the order in which they are read. */
void operator_load(struct load *l, const char *file);
void nurture_load(struct load *l);
void mails_load(struct load *l);
void pages_load(struct load *l);	/* and alerts */
void forms_load(struct load *l);
void sequences_load(struct load *l);
void sales_load(struct load *l);
void check_plan(struct load *l);	/* what only the whole can tell; only if nothing was wrong before */
void rules_build(struct load *l);

/*
 * What `credential:NAME` or `file:/path` names, without the line break at its end; the plan owns and wipes it. NULL after an error.
 */
const char *secret_read(struct load *l, const char *reference, struct err *err) MUSTCHECK;
/* credential:NAME if the service has it, else <folder>/secrets/NAME. */
const char *secret_named(struct load *l, const char *name, struct err *err) MUSTCHECK;

#endif
