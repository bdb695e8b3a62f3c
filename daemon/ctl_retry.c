/*
 * ctl_retry.c: nurturectl retry --unknown: shows the mails in doubt, asks, and has each sent again or taken as sent.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "console/report.h"

#include "ctl.h"

#define LISTED_MOST 1000	/* by the daemon, at once */

static bool is_meant(const struct command *c, const json_t *mail)
{
	static const char *const members[] = { "delivery", "prospect", "address" };
	size_t i;

	for (i = 0; c->argument && i < sizeof(members) / sizeof(members[0]); i++) {
		const char *value = json_string_value(json_object_get(mail, members[i]));

		if (value && strcmp(value, c->argument) == 0)
			return true;
	}
	return !c->argument;
}

static json_t *meant(const struct command *c, const json_t *all)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < json_array_size(all); i++)
		if (is_meant(c, json_array_get(all, i)))
			json_array_append(list, json_array_get(all, i));
	return list;
}

static void show(const struct command *c, const json_t *list)
{
	struct buf out = BUF_INIT;

	if (c->json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		report_print(&out, list, clock_now());
		fputs(buf_cstr(&out), stdout);
	}
	fflush(stdout);
	buf_clear(&out);
}

static bool agreed(const struct command *c, size_t count)
{
	char answer[16];

	fprintf(stderr, c->as_sent ? "Take %zu %s as sent? [y/N] " : "Send %zu %s again, though they may have arrived? [y/N] ", count,
		count == 1 ? "mail" : "mails");
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The first that is refused says why, and the others have their turn. */
static int decide_all(const struct command *c, const json_t *list)
{
	size_t count = json_array_size(list), i, done = 0;
	int rc = EXIT_DONE;

	for (i = 0; i < count; i++) {
		struct buf path = BUF_INIT;
		json_t *answer;

		buf_printf(&path, "/deliveries/%s/%s", json_string_value(json_object_get(json_array_get(list, i), "delivery")),
			c->as_sent ? "sent" : "again");
		answer = ctl_answer(c, buf_cstr(&path), "{}", &rc);
		done += answer != NULL;
		json_decref(answer);
		buf_clear(&path);
		if (rc == EXIT_NO_DAEMON)
			break;
	}
	fprintf(c->json ? stderr : stdout, "%zu of %zu %s\n", done, count, c->as_sent ? "taken as sent" : "are sent again");
	return rc;
}

int ctl_retry(const struct command *c)
{
	int rc = EXIT_DONE;
	json_t *all, *list;

	if (strcmp(c->queue, "unknown") != 0) {
		ctl_complain("what may be tried again by hand are mails in doubt: say --unknown");
		return EXIT_WRONG_USAGE;
	}
	all = ctl_answer(c, "/queue?unknown", NULL, &rc);
	if (!all)
		return rc;
	list = meant(c, all);
	if (!c->yes || !c->json)
		show(c, list);
	if (json_array_size(all) == LISTED_MOST)
		ctl_complain("these are the latest 1000; give the command again for the others");
	if (json_array_size(list) == 0) {
		rc = c->argument ? EXIT_REFUSED : EXIT_DONE;
	} else if (c->yes) {
		rc = decide_all(c, list);
	} else if (!c->json && !isatty(STDIN_FILENO)) {	/* a program looks first, then says --yes */
		ctl_complain("nothing was done: there is no terminal to ask at; say --yes");
		rc = EXIT_REFUSED;
	} else if (!c->json) {
		rc = agreed(c, json_array_size(list)) ? decide_all(c, list) : EXIT_REFUSED;
	}
	json_decref(list);
	json_decref(all);
	return rc;
}
