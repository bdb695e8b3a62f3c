/*
 * mistakes.h: rows that make one file of tests/config/good wrong, and the whole of what is said of it.
 */
#ifndef TESTS_CONFIG_MISTAKES_H
#define TESTS_CONFIG_MISTAKES_H

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct mistake {
	const char *file, *old, *new; /* old NULL: the whole file; new NULL too: no file */
	const char *said;
};

/* In a folder that may differ from the good one in other files. */
CONF void try_mistakes_in(struct conf *c, const struct mistake *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct plan *plan;
		char *said;

		if (rows[i].new)
			conf_edit(c, rows[i].file, rows[i].old, rows[i].new);
		else
			conf_remove(c, rows[i].file);
		plan = conf_load(c, &said);
		if (strcmp(said, rows[i].said) != 0) {
			fprintf(stderr, "row %zu, %s `%s` -> `%s`:\n%swas said in place of\n%s", i,
				rows[i].file, rows[i].old ? rows[i].old : "", rows[i].new ? rows[i].new : "",
				said, rows[i].said);
			wrong++;
		}
		conf_restore(c, rows[i].file);
		plan_unref(&plan);
		free(said);
	}
	assert_int_equal(wrong, 0);
}

CONF void try_mistakes(const struct mistake *rows, size_t count)
{
	struct conf c;

	conf_init(&c);
	try_mistakes_in(&c, rows, count);
	conf_clear(&c);
}

#endif
