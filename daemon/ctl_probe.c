/*
 * ctl_probe.c: nurturectl doctor --probe: a mail goes the way of all mail, from the daemon over the relay to the mailbox that the daemon reads, and
 * what arrived is judged by doctor/probe.c. The daemon knows it again as its own mail, so that nothing follows from it.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "doctor/doctor.h"

#include "ctl.h"

#define LOOK_EACH_MS 250

/* One mail; the probe's texts point into it. */
struct trip {
	struct doctor_probe probe;
	int64_t begin;		/* clock_steady() */
	json_t *sent;		/* the answer of send-test */
	json_t *mail;		/* /mails/ID of what came */
	struct buf raw;
	struct err err;
};

struct trips {
	const char *socket;
	struct trip *list;
	size_t count;
};

static const char *said(const json_t *json, const char *key)
{
	const char *s = json_string_value(json_object_get(json, key));

	return s ? s : "";
}

/* A new reference, or NULL with err, which may be NULL. */
static json_t *ask(const char *socket, const char *path, const char *body, struct err *err)
{
	struct buf answer = BUF_INIT;
	int status = ctl_ask(socket, path, body, &answer, err);
	json_t *json = status < 0 ? NULL : json_loadb(buf_cstr(&answer), answer.len, 0, NULL);

	buf_clear(&answer);
	if (status >= 0 && (status < 200 || status > 299)) {
		err_set(err, "%s", *said(json, "detail") ? said(json, "detail") : "the daemon refuses it");
		json_decref(json);
		json = NULL;
	}
	return json;
}

static void send(const char *socket, struct trip *t, const char *template, const char *owner)
{
	json_t *json = json_pack("{s:b, s:s*}", "probe", true, "owner", owner);
	char *body = json_dumps(json, JSON_COMPACT);
	struct buf path = BUF_INIT;

	buf_str(&path, "/templates/");
	text_percent(&path, template, strlen(template));
	buf_str(&path, "/send-test");
	t->begin = clock_steady();
	t->sent = ask(socket, buf_cstr(&path), body, &t->err);
	t->probe.to = t->sent ? said(t->sent, "to") : NULL;
	t->probe.state = said(t->sent, "state");
	t->probe.reply = t->sent ? said(t->sent, "reply") : t->err.text;
	t->probe.took = clock_steady() - t->begin;
	json_decref(json);
	free(body);
	buf_clear(&path);
}

/* The relay may have it, and it has not come yet. */
static bool is_awaited(const struct trip *t)
{
	return t->sent && !t->mail && (strcmp(t->probe.state, "sent") == 0 || strcmp(t->probe.state, "unknown") == 0);
}

/* Did it go to that address, or does it tell that one to there could not? */
static bool is_about(const json_t *mail, bool bounce, const char *to)
{
	const json_t *recipient;
	bool found = false;
	size_t i;

	if (bounce)
		return strcasecmp(said(json_object_get(mail, "bounce"), "recipient"), to) == 0;
	json_array_foreach(json_object_get(mail, "recipients"), i, recipient)
		found |= strcasecmp(json_string_value(recipient), to) == 0;
	return found;
}

static void fetch(const char *socket, struct trip *t)
{
	char *path = xasprintf("/mails/%s/raw", said(t->mail, "mail"));

	t->probe.mailbox = said(t->mail, "mailbox");
	if (ctl_ask(socket, path, NULL, &t->raw, &t->err) == 200) {
		t->probe.raw = buf_cstr(&t->raw);
		t->probe.len = t->raw.len;
	}
	free(path);
}

static void arrived(const char *socket, struct trip *t, json_t *mail, bool bounce)
{
	t->mail = json_incref(mail);
	t->probe.took = clock_steady() - t->begin;
	if (bounce)
		t->probe.bounce = said(json_object_get(mail, "bounce"), "diagnostic");
	else
		fetch(socket, t);
}

static bool is_known(const struct trips *trips, const char *id)
{
	for (size_t i = 0; i < trips->count; i++)
		if (strcmp(said(trips->list[i].mail, "mail"), id) == 0)
			return true;
	return false;
}

/* A row of /mails. */
static void compare(struct trips *trips, const json_t *row)
{
	bool bounce = strcmp(said(row, "class"), "bounce") == 0;
	json_t *mail;
	char *path;

	if ((!bounce && strcmp(said(row, "detail"), "own_loop") != 0) || is_known(trips, said(row, "mail")))
		return;
	path = xasprintf("/mails/%s", said(row, "mail"));
	mail = ask(trips->socket, path, NULL, NULL);
	for (size_t i = 0; mail && i < trips->count; i++)
		if (is_awaited(&trips->list[i]) && is_about(mail, bounce, trips->list[i].probe.to))
			arrived(trips->socket, &trips->list[i], mail, bounce);
	json_decref(mail);
	free(path);
}

/* True: some are awaited still. */
static bool look(struct trips *trips)
{
	json_t *list = ask(trips->socket, "/mails", NULL, NULL), *row;
	bool left = false;
	size_t i;

	json_array_foreach(list, i, row)
		compare(trips, row);
	json_decref(list);
	for (i = 0; i < trips->count; i++)
		left |= is_awaited(&trips->list[i]);
	return left;
}

/* The daemon lists the latest mails alone, so that what came meanwhile is looked at after each one. owner: NULL, or as whom it goes */
static void begin(struct trips *trips, const struct mail_template *mail, size_t sender, const struct owner *owner)
{
	struct trip *t = &trips->list[trips->count++];

	t->probe = (struct doctor_probe){ .sender = sender, .owner = owner ? owner->email : NULL, .unused = !mail };
	if (!mail)
		return;
	send(trips->socket, t, mail->name, owner ? owner->name : NULL);
	look(trips);
}

/* For all of them, or for notices that they could not be delivered. */
static void wait_for(struct trips *trips, int wait_s)
{
	int64_t until = clock_steady() + wait_s * US_SECOND;
	size_t i;

	while (look(trips) && clock_steady() < until)
		poll(NULL, 0, LOOK_EACH_MS);
	for (i = 0; i < trips->count; i++)
		if (is_awaited(&trips->list[i]))
			trips->list[i].probe.took = clock_steady() - trips->list[i].begin;
}

static void finish(struct trip *t, struct doctor *doctor)
{
	doctor_probe(doctor, &t->probe);
	json_decref(t->sent);
	json_decref(t->mail);
	buf_clear(&t->raw);
}

void ctl_probe(const struct command *c, const struct plan *plan, int wait_s, struct doctor *doctor)
{
	struct trips trips = { .socket = c->socket };
	size_t i, k;

	trips.list = xcalloc(plan->operator.sender_count * (1 + plan->sales.owner_count), sizeof(*trips.list));
	for (i = 0; i < plan->operator.sender_count; i++) {
		const struct mail_template *of_owners = doctor_mail_of(plan, i, true);

		begin(&trips, doctor_mail_of(plan, i, false), i, NULL);
		for (k = 0; of_owners && k < plan->sales.owner_count; k++)
			begin(&trips, of_owners, i, &plan->sales.owners[k]);
	}
	wait_for(&trips, wait_s);
	for (i = 0; i < trips.count; i++)
		finish(&trips.list[i], doctor);
	free(trips.list);
}
