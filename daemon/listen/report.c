/*
 * report.c: how each mailbox does: for people, with what to do where something is wrong, and for scrapers.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "listen/listen.h"

#include "mailbox.h"

/* What a person does about a trouble of that kind. */
static const char *remedy(const struct mailbox_condition *c)
{
	const struct mailbox_config *config = c->config;
	bool token = config->token_file || config->token_command;

	if (!strcmp(c->kind, "login") && token)
		return "see that token_file or token_command gives a token that the server takes (nurturectl doctor tries it), then: nurturectl reload";
	if (!strcmp(c->kind, "login"))
		return "check `user`, and the password in its file, then: nurturectl reload";
	if (!strcmp(c->kind, "config"))
		return "mend `url` in nurtured.yaml, then: nurturectl reload";
	if (!strcmp(c->kind, "mail"))
		return "look at that file in new/ of the Maildir, and at who may read it";
	if (!strcmp(c->kind, "after"))
		return "let the account write there, or change `after`; mails are read all the same";
	if (!strcmp(c->kind, "intake"))
		return "look into the log: journalctl -u nurtured";
	return config->kind == MAILBOX_MAILDIR ? "look at the folder, and at who may read it" : "nurturectl doctor looks at its name, port, TLS and login";
}

static json_t *condition_json(const struct mailbox_condition *c, bool full)
{
	json_t *json = json_pack("{s:s, s:s, s:o, s:I, s:o}", "mailbox", c->config->name, "state", mailbox_state_names[c->state], "looked",
		answer_time(c->looked), "taken", (json_int_t)c->taken, "trouble", answer_text(c->problem));

	if (!full)
		return json;
	json_object_set_new(json, "url", json_string(c->config->url));
	json_object_set_new(json, "last_taken", answer_time(c->taken_at));
	json_object_set_new(json, "troubles", json_integer((json_int_t)c->problems));
	json_object_set_new(json, "reader_restarts", json_integer((json_int_t)c->restarts));
	if (!*c->problem)
		return json;
	json_object_set_new(json, "trouble_since", answer_time(c->problem_at));
	json_object_set_new(json, "tried_again", answer_time(c->retry));
	json_object_set_new(json, "do", json_string(remedy(c)));
	return json;
}

int listen_report(const struct listen *l, bool full, struct buf *out)
{
	struct mailbox_condition *all;
	size_t count = listen_conditions(l, &all);
	json_t *list = json_array();
	struct err err;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, condition_json(&all[i], full));
	free(all);
	return answer_give(out, list, &err);
}

static double is_up(const struct mailbox_condition *c)
{
	return c->state != MAILBOX_FAILS;
}

static double looked(const struct mailbox_condition *c)
{
	return (double)c->looked / US_SECOND;
}

static double taken(const struct mailbox_condition *c)
{
	return (double)c->taken;
}

/* A name is a word (config): it needs no escapes. */
void listen_metrics(const struct listen *l, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct mailbox_condition *c);
	} rows[] = {
		{ "nurtured_mailbox_up", "gauge", "0 while a mailbox cannot be read.", is_up },
		{ "nurtured_mailbox_looked_timestamp_seconds", "gauge", "When all of a mailbox was last known to be read; 0: not since the start.", looked },
		{ "nurtured_mailbox_mails_total", "counter", "Mails of a mailbox that were committed.", taken },
	};
	struct mailbox_condition *all;
	size_t found = listen_conditions(l, &all), count = 0;
	char labels[128];

	for (size_t i = 0; i < found; i++)	/* what mail is brought to is always up */
		if (all[i].state != MAILBOX_LISTENS)
			all[count++] = all[i];
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
		for (size_t i = 0; i < count; i++) {
			snprintf(labels, sizeof(labels), "mailbox=\"%s\"", all[i].config->name);
			metrics_line(out, i == 0, rows[k].name, rows[k].type, rows[k].help, labels, rows[k].value(&all[i]));
		}
	free(all);
}
