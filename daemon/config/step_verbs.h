/*
 * step_verbs.h: the verbs that a step can have, with their options as tables of keys.
 */
#ifndef CONFIG_STEP_VERBS_H
#define CONFIG_STEP_VERBS_H

#include "keys.h"

struct verb {
	const char *name;
	enum step_kind kind;
	const struct key_table *table;
};
extern const struct verb step_verbs[];	/* ends with a NULL name */

#define STEP_BRANCHES_MAX 20
#define STEP_SHARE_MAX 1000
#define STEP_ARMS_MAX 8
#define STEP_TAGS_MAX 20

/* What any step can have; a verb's table names its part. Nodes are looked up when all steps are known. */
struct step_keys {
	const struct yaml_node *send, *wait, *wait_until, *wait_for, *cond, *split, *test, *set, *tag, *move, *go, *end;
	/* of mails */
	const struct yaml_node *even_in, *as_owner, *thread;
	int64_t valid_for;
	/* of tests */
	const char *by;
	int64_t within;
	int method, size;
	double sure;
	/* of waits and questions */
	int64_t before, after, at_most;
	const struct yaml_node *then_name, *else_name;
	/* of move */
	int64_t hold;
	/* of alert and webhook */
	const char *alert, *url;
	const struct yaml_node *as, *secret;
};

/* An item of `test` that is no plain name. */
struct step_arm_keys {
	const struct yaml_node *mail, *subject, *name;
};
extern const struct key_table step_arm_table;

#endif
