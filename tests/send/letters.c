/*
 * letters.c: composes what it is told to: letters OPERATOR_FILE reads a case a line on standard input and writes an answer a line, for
 * tests/flow/messages.py. A case is {"template", "name", "address", "values", ...}; the answer {"message": base64, "return_path"} or {"refused"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

#include "../../daemon/send/compose.h"

struct letters {
	struct plan *plan;
	struct compose *compose;
	struct envelope envelope;
};

static const char *text_of(const json_t *c, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(c, name));

	return s ? s : otherwise;
}

static struct value *values_of(const struct plan *plan, const json_t *c, struct arena *arena)
{
	struct value *values = arena_calloc(arena, vocabulary_count(plan->mail_names) + 1, sizeof(*values));
	const char *name;
	json_t *member;

	json_object_foreach(json_object_get(c, "values"), name, member) {
		int place = vocabulary_find(plan->mail_names, slice_of(name));

		if (place >= 0)
			values[place] = value_from_json(arena, member);
	}
	return values;
}

/* The first `before` mails of a thread; their delivery and time are made up. */
static struct mail_before *thread_of(const json_t *c, const struct sender_config *sender, struct arena *arena, size_t *count)
{
	struct mail_before *before;

	*count = (size_t)json_integer_value(json_object_get(c, "before"));
	before = arena_calloc(arena, *count + 1, sizeof(*before));
	for (size_t i = 0; i < *count; i++)
		before[i] = (struct mail_before){ (int64_t)(1000 + i), (int64_t)(i + 1) * US_DAY + INT64_C(1760000000) * US_SECOND, sender->message_domain };
	return before;
}

static int compose_case(struct letters *l, const json_t *c, struct arena *arena, struct err *err)
{
	const struct mail_template *template = plan_mail(l->plan, text_of(c, "template", ""));
	struct owner owner = { .full_name = text_of(c, "owner", NULL), .email = "owner@example.com" };
	const struct form *form = plan_form(l->plan, text_of(c, "form", ""));
	bool confirm = json_is_true(json_object_get(c, "confirm"));
	struct address address;
	struct mail mail;

	if (!template)
		return err_set(err, "there is no template `%s`", text_of(c, "template", ""));
	if (address_parse(text_of(c, "address", ""), &address, err) < 0)
		return -1;
	mail = (struct mail){
		.delivery = 1234567890123, .prospect = 77, .kind = confirm ? DELIVERY_CONFIRM : DELIVERY_STEP,
		.template = template, .sender = &l->plan->operator.senders[template->sender], .address = &address, .to_name = text_of(c, "name", ""),
		.values = values_of(l->plan, c, arena), .sequence = text_of(c, "sequence", "ebook"), .step = text_of(c, "step", "mistakes"),
		.download = text_of(c, "download", ""), .attachment = form ? form->attachment : NULL, .consent = confirm ? 9 : 0,
		.owner = owner.full_name ? &owner : NULL, .one_to_one = json_is_true(json_object_get(c, "one_to_one")),
		.mailing = json_is_true(json_object_get(c, "mailing")), .planned = json_integer_value(json_object_get(c, "planned")),
	};
	mail.before = thread_of(c, mail.sender, arena, &mail.before_count);
	mail.first_subject = template->subject;
	return compose_mail(l->compose, &mail, json_integer_value(json_object_get(c, "now")), &l->envelope, err) == TEMPLATE_DONE ? 0 : -1;
}

static json_t *answer(struct letters *l, const char *line)
{
	json_t *c = json_loads(line, 0, NULL), *reply;
	struct arena *arena = arena_new(0);
	struct buf body = BUF_INIT;
	struct err err = { "" };

	if (compose_case(l, c, arena, &err) < 0) {
		reply = json_pack("{s:s}", "refused", err.text);
	} else {
		text_base64(&body, l->envelope.body.data, l->envelope.body.len);
		reply = json_pack("{s:s, s:s, s:b}", "message", body.data, "return_path", l->envelope.return_path, "utf8", l->envelope.utf8);
	}
	buf_clear(&body);
	arena_free(&arena);
	json_decref(c);
	return reply;
}

int main(int argc, char **argv)
{
	static const uint8_t keys[1][TOKEN_SECRET] = { { 1, 2, 3 } };
	static const uint8_t ids[1] = { 0 };
	struct token_ring *ring = token_ring_new(keys, ids, 1);
	struct plan_errors errors = { 0 };
	struct letters l = { .envelope = { .body = BUF_INIT } };
	struct err err = { "" };
	char *line = NULL;
	size_t room = 0;

	l.plan = argc > 1 ? plan_load_to_look(argv[1], &errors) : NULL;
	l.compose = l.plan ? compose_new(l.plan, ring, &err) : NULL;
	if (!l.compose) {
		fprintf(stderr, "%s%s\n", buf_cstr(&errors.text), err.text);
		return 1;
	}
	while (getline(&line, &room, stdin) > 0) {
		json_t *reply = answer(&l, line);

		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(reply);
	}
	free(line);
	compose_free(&l.compose);
	plan_unref(&l.plan);
	token_ring_free(&ring);
	buf_clear(&l.envelope.body);
	buf_clear(&errors.text);
	return 0;
}
