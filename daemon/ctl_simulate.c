/*
 * ctl_simulate.c: nurturectl simulate: which people, from when, and what is done with what they live through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/persona.h"
#include "listen/words.h"
#include "simulate/population.h"
#include "simulate/timeline.h"

#include "ctl.h"

#define DAYS_MAX 3650
#define POPULATION_DAYS 30

/* What was typed, understood. */
struct wish {
	const struct command *command;
	struct plan *plan;
	struct personas personas;
	int64_t seed, days, people, over;	/* days 0: not said */
	bool dated;
	struct persona_date from;
	int from_minute;
};

static struct words *replies;	/* by the rules of the plan */

static void read_reply(const char *text, int64_t at, struct reply_reading *out)
{
	static struct words_reading r;

	words_read(replies, text, at, &r);
	out->intent = r.intent;
	out->until = r.until;
	snprintf(out->intents, sizeof(out->intents), "%s", r.intents);
}

/* --- understanding ---------------------------------------------------------------------------------- */

static int number(const char *option, const char *text, int64_t least, int64_t most, int64_t *out, struct err *err)
{
	if (!text)
		return 0;
	if (text_int(text, out) || *out < least || *out > most)
		return err_set(err, "%s is a number from %lld to %lld, not `%s`", option, (long long)least, (long long)most, text);
	return 0;
}

static int check_usage(const struct command *c, struct err *err)
{
	const struct command_simulate *s = &c->simulate;

	if (s->update && !s->golden)
		return err_set(err, "--update writes the file of --golden; name it");
	if (s->golden && c->json)
		return err_set(err, "--golden keeps the text; leave --json away");
	if (!s->population && (s->database || s->people || s->over))
		return err_set(err, "--database, --people and --over are for --population");
	if (!s->population && !s->persona)
		return err_set(err, "who? --persona FILE, or --population");
	if (s->population && c->argument)
		return err_set(err, "--population goes through all sequences; leave `%s` away", c->argument);
	if (s->database && s->people)
		return err_set(err, "--database has its people; leave --people away");
	if (s->population && s->golden && !s->from)
		return err_set(err, "what begins now differs tomorrow: give --from, to compare it with a file");
	if (s->population && s->golden && !s->people && !s->database)
		return err_set(err, "the people of the daemon differ tomorrow: --golden needs --people, or --database");
	if (s->over && !s->people)
		return err_set(err, "--over says how --people come; how many are they?");
	return 0;
}

static int understand(struct wish *w, struct err *err)
{
	const struct command_simulate *s = &w->command->simulate;

	w->seed = 1;
	if (check_usage(w->command, err) || number("--seed", s->seed, 0, INT64_MAX, &w->seed, err) ||
		number("--days", s->days, 1, DAYS_MAX, &w->days, err))
		return -1;
	w->over = US_DAY;
	if (number("--people", s->people, 1, POPULATION_MAX, &w->people, err) || (s->over && text_duration(s->over, &w->over, err)))
		return -1;
	w->dated = s->from != NULL;
	if (s->from && persona_date_parse(s->from, &w->from, &w->from_minute, err))
		return err_prefix(err, "--from");
	return 0;
}

/* What was named, or personas/ beside the operator's file. */
static char *persona_path(const struct command *c)
{
	const char *slash = strrchr(c->config, '/');

	if (c->simulate.persona)
		return xstrdup(c->simulate.persona);
	return xasprintf("%.*spersonas", slash ? (int)(slash - c->config) + 1 : 0, c->config);
}

/* The config and the personas; EXIT_DONE, or why not after saying it. */
static int load(struct wish *w)
{
	char *path = persona_path(w->command);
	struct plan_errors errors = { 0 };
	int rc = EXIT_DONE;

	w->plan = plan_load_to_look(w->command->config, &errors);
	if (!w->plan || personas_load(path, w->plan, &w->personas, &errors))
		rc = EXIT_BAD_CONFIG;
	else
		replies = words_new(w->plan);
	fputs(buf_cstr(&errors.text), stderr);
	buf_clear(&errors.text);
	free(path);
	return rc;
}

/* --- what becomes of the text ----------------------------------------------------------------------- */

static int compare(const char *file, const struct buf *text)
{
	struct buf diff = BUF_INIT;
	struct err err;
	int same = golden_compare(file, (struct slice){ buf_cstr(text), text->len }, &diff, &err);

	if (same < 0)
		ctl_complain(err.text);
	fputs(buf_cstr(&diff), stderr);
	buf_clear(&diff);
	return same == 1 ? EXIT_DONE : EXIT_REFUSED;
}

static int update(const char *file, const struct buf *text)
{
	struct err err;

	if (golden_write(file, (struct slice){ buf_cstr(text), text->len }, &err) == 0)
		return EXIT_DONE;
	ctl_complain(err.text);
	return EXIT_REFUSED;
}

static int put(const struct command *c, const struct buf *text)
{
	if (c->simulate.golden)
		return c->simulate.update ? update(c->simulate.golden, text) : compare(c->simulate.golden, text);
	fwrite(buf_cstr(text), 1, text->len, stdout);
	return EXIT_DONE;
}

/* --- one person ------------------------------------------------------------------------------------- */

static int check_person(const struct wish *w, struct err *err)
{
	const char *sequence = w->command->argument;
	const char **names = xcalloc(w->plan->sequence_count + 1, sizeof(*names)), *near = NULL;
	size_t i;

	for (i = 0; i < w->plan->sequence_count; i++)
		names[i] = w->plan->sequences[i].name;
	if (sequence && !plan_sequence(w->plan, sequence))
		near = text_nearest(sequence, names);
	free(names);
	if (sequence && !plan_sequence(w->plan, sequence))
		return err_set(err, "no sequence `%s`%s%s%s", sequence, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
	if (w->personas.count != 1)
		return err_set(err, "%zu personas; a timeline is of one: name its file, or ask for --population", w->personas.count);
	if (w->command->simulate.golden && !w->dated && !w->personas.all[0]->dated)
		return err_set(err, "what begins today differs tomorrow: give the persona `starts`, or --from, to compare it with a file");
	return 0;
}

static int one_person(const struct wish *w, struct buf *out, struct err *err)
{
	struct timeline_options options = {
		.plan = w->plan, .persona = w->personas.all[0], .sequence = w->command->argument, .dated = w->dated, .from = w->from,
		.from_minute = w->from_minute, .days = (int)w->days, .seed = (uint64_t)w->seed, .json = w->command->json, .read_reply = read_reply,
	};

	return timeline_make(&options, out, err);
}

/* --- everybody -------------------------------------------------------------------------------------- */

/* At 00:00 of that day unless a time is given, by the clock of the config's quiet hours. */
static int64_t population_start(const struct wish *w)
{
	const struct zone *zone = w->plan->quiet.set && w->plan->quiet.zone ? w->plan->quiet.zone : zone_find("UTC");
	int minute = w->from_minute > 0 ? w->from_minute : 0;

	if (!w->dated)
		return clock_now();
	return zone_instant(zone, w->from.year, w->from.month, w->from.day, minute / 60, minute % 60, 0);
}

static int population(const struct wish *w, const char *database, struct buf *out, struct err *err)
{
	struct population_options options = {
		.plan = w->plan, .personas = &w->personas, .people = w->people, .over = w->over, .database = database, .start = population_start(w),
		.days = w->days ? (int)w->days : POPULATION_DAYS, .seed = (uint64_t)w->seed, .json = w->command->json, .read_reply = read_reply,
	};

	return population_make(&options, out, err);
}

/* The daemon makes a copy of its database: *path_out, free() it. An exit status. */
static int ask_for_copy(const struct command *c, char **path_out)
{
	struct buf answer = BUF_INIT;
	struct err err;
	int status = ctl_ask(c->socket, "/snapshot", "{}", &answer, &err);
	json_t *json = json_loadb(buf_cstr(&answer), answer.len, 0, NULL);
	const char *path = json_string_value(json_object_get(json, "path")), *detail = json_string_value(json_object_get(json, "detail"));
	int rc = EXIT_DONE;

	if (status < 0) {
		ctl_complain(err.text);
		ctl_complain("without a daemon: --database FILE with a copy of its database, or --people N");
		rc = EXIT_NO_DAEMON;
	} else if (status != 200 || !path) {
		ctl_complain(detail ? detail : "the daemon gave no copy of its database");
		rc = EXIT_REFUSED;
	} else {
		*path_out = xstrdup(path);
	}
	json_decref(json);
	buf_clear(&answer);
	return rc;
}

static void give_copy_back(const struct command *c)
{
	struct buf answer = BUF_INIT;
	struct err err;

	/* it goes by itself, too */
	(void)ctl_ask(c->socket, "/snapshot/remove", "{}", &answer, &err);
	buf_clear(&answer);
}

static int everybody(const struct wish *w, struct buf *out)
{
	const struct command_simulate *s = &w->command->simulate;
	bool ask = !s->database && !s->people;
	char *copy = NULL;
	struct err err;
	int rc = ask ? ask_for_copy(w->command, &copy) : EXIT_DONE;

	if (rc != EXIT_DONE)
		return rc;
	if (population(w, ask ? copy : s->database, out, &err)) {
		ctl_complain(err.text);
		rc = EXIT_REFUSED;
	}
	if (ask)
		give_copy_back(w->command);
	free(copy);
	return rc;
}

/* ---------------------------------------------------------------------------------------------------- */

static int run(struct wish *w)
{
	struct buf out = BUF_INIT;
	struct err err;
	int rc = load(w);

	if (rc != EXIT_DONE)
		return rc;
	if (w->command->simulate.population) {
		rc = everybody(w, &out);
	} else if (check_person(w, &err)) {
		rc = EXIT_WRONG_USAGE;
		ctl_complain(err.text);
	} else if (one_person(w, &out, &err)) {
		rc = EXIT_REFUSED;
		ctl_complain(err.text);
	}
	if (rc == EXIT_DONE)
		rc = put(w->command, &out);
	buf_clear(&out);
	return rc;
}

int ctl_simulate(const struct command *c)
{
	struct wish w = { .command = c };
	struct err err;
	int rc;

	log_setup(LOG_ERROR, false);
	if (understand(&w, &err)) {
		ctl_complain(err.text);
		return EXIT_WRONG_USAGE;
	}
	rc = run(&w);
	personas_clear(&w.personas);
	words_free(&replies);
	plan_unref(&w.plan);
	return rc;
}
