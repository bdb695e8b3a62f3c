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

/* What was found; the probe's texts point into these. */
struct trip {
	const char *socket;
	struct doctor_probe probe;
	json_t *sent;		/* the answer of send-test */
	json_t *mail;		/* /mails/ID of what came */
	struct buf raw;
	struct err err;
};

static const char *said(const json_t *json, const char *key)
{
	const char *s = json_string_value(json_object_get(json, key));

	return s ? s : "";
}

/* A new reference, or NULL with err; *status_out (may be NULL) is that of HTTP. */
static json_t *ask(struct trip *t, const char *path, const char *body)
{
	struct buf answer = BUF_INIT;
	int status = ctl_ask(t->socket, path, body, &answer, &t->err);
	json_t *json = status < 0 ? NULL : json_loadb(buf_cstr(&answer), answer.len, 0, NULL);

	buf_clear(&answer);
	if (status >= 0 && (status < 200 || status > 299)) {
		err_set(&t->err, "%s", *said(json, "detail") ? said(json, "detail") : "the daemon refuses it");
		json_decref(json);
		json = NULL;
	}
	return json;
}

static void send(struct trip *t, const char *template, const char *owner)
{
	json_t *json = json_pack("{s:b, s:s*}", "probe", true, "owner", owner);
	char *body = json_dumps(json, JSON_COMPACT);
	struct buf path = BUF_INIT;

	buf_str(&path, "/templates/");
	text_percent(&path, template, strlen(template));
	buf_str(&path, "/send-test");
	t->sent = ask(t, buf_cstr(&path), body);
	t->probe.to = t->sent ? said(t->sent, "to") : NULL;
	t->probe.state = said(t->sent, "state");
	t->probe.reply = t->sent ? said(t->sent, "reply") : t->err.text;
	json_decref(json);
	free(body);
	buf_clear(&path);
}

/* Did this one, a row of /mails, go to our address, or does it tell that ours could not? */
static bool is_ours(struct trip *t, const json_t *row)
{
	bool bounce = strcmp(said(row, "class"), "bounce") == 0, ours = false;
	const json_t *recipient;
	char *path;
	size_t i;

	if (!bounce && strcmp(said(row, "detail"), "own_loop") != 0)
		return false;
	path = xasprintf("/mails/%s", said(row, "mail"));
	t->mail = ask(t, path, NULL);
	free(path);
	json_array_foreach(json_object_get(t->mail, "recipients"), i, recipient)
		ours |= !bounce && strcasecmp(json_string_value(recipient), t->probe.to) == 0;
	if (bounce && strcasecmp(said(json_object_get(t->mail, "bounce"), "recipient"), t->probe.to) == 0) {
		t->probe.bounce = said(json_object_get(t->mail, "bounce"), "diagnostic");
		ours = true;
	}
	if (!ours) {
		json_decref(t->mail);
		t->mail = NULL;
	}
	return ours;
}

static bool look(struct trip *t)
{
	json_t *list = ask(t, "/mails", NULL), *row;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, row)
		if ((found = is_ours(t, row)))
			break;
	json_decref(list);
	return found;
}

static void fetch(struct trip *t)
{
	char *path = xasprintf("/mails/%s/raw", said(t->mail, "mail"));

	t->probe.mailbox = said(t->mail, "mailbox");
	if (ctl_ask(t->socket, path, NULL, &t->raw, &t->err) == 200) {
		t->probe.raw = buf_cstr(&t->raw);
		t->probe.len = t->raw.len;
	}
	free(path);
}

/* For itself, or for a notice that it could not be delivered. */
static void wait_for(struct trip *t, int wait_s)
{
	int64_t begin = clock_steady();
	bool came;

	while (!(came = look(t)) && clock_steady() < begin + wait_s * US_SECOND)
		poll(NULL, 0, LOOK_EACH_MS);
	t->probe.took += clock_steady() - begin;
	if (came && !t->probe.bounce)
		fetch(t);
}

/* owner: NULL, or as whom it goes */
static void probe(const struct command *c, const char *template, size_t sender, const struct owner *owner, int wait_s, struct doctor *doctor)
{
	struct trip t = { .socket = c->socket, .probe = { .sender = sender, .owner = owner ? owner->email : NULL } };
	int64_t begin = clock_steady();

	send(&t, template, owner ? owner->name : NULL);
	t.probe.took = clock_steady() - begin;
	if (strcmp(t.probe.state, "sent") == 0 || strcmp(t.probe.state, "unknown") == 0)
		wait_for(&t, wait_s);
	doctor_probe(doctor, &t.probe);
	json_decref(t.sent);
	json_decref(t.mail);
	buf_clear(&t.raw);
}

void ctl_probe(const struct command *c, const struct plan *plan, int wait_s, struct doctor *doctor)
{
	size_t i, k;

	for (i = 0; i < plan->operator.sender_count; i++) {
		const struct mail_template *mail = doctor_mail_of(plan, i, false), *of_owners = doctor_mail_of(plan, i, true);

		if (mail)
			probe(c, mail->name, i, NULL, wait_s, doctor);
		else
			doctor_probe(doctor, &(struct doctor_probe){ .sender = i, .unused = true });
		for (k = 0; of_owners && k < plan->sales.owner_count; k++)
			probe(c, of_owners->name, i, &plan->sales.owners[k], wait_s, doctor);
	}
}
