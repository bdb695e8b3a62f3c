/*
 * ses_notice.c: the JSON is written anew as the fields of a delivery status (RFC 3464) or a feedback report
 * (RFC 5965), so that nothing behind has to know of it. Nobody has signed it: it counts as any mail does.
 */
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ses_notice.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* One line, whatever the JSON holds. */
static void add_field(struct buf *out, const char *name, const char *prefix, const char *value)
{
	if (!*value)
		return;
	buf_printf(out, "%s: %s", name, prefix);
	for (; *value; value++)
		buf_char(out, (unsigned char)*value < ' ' ? ' ' : *value);
	buf_char(out, '\n');
}

/* Servers on the way fold long lines, within strings, too. */
static json_t *parse(const char *text)
{
	struct buf flat = BUF_INIT;
	json_t *out;

	for (; *text; text++)
		if (*text != '\n' && *text != '\r')
			buf_char(&flat, *text);
	out = json_loadb(buf_cstr(&flat), flat.len, 0, NULL);
	buf_clear(&flat);
	return out;
}

static void add_bounce(struct buf *out, const json_t *bounce)
{
	size_t i;
	json_t *r;

	add_field(out, "Reporting-MTA", "", text_of(bounce, "reportingMTA"));
	buf_char(out, '\n');
	json_array_foreach(json_object_get(bounce, "bouncedRecipients"), i, r) {
		const char *status = text_of(r, "status");

		add_field(out, "Final-Recipient", "rfc822; ", text_of(r, "emailAddress"));
		add_field(out, "Action", "", *text_of(r, "action") ? text_of(r, "action") : "failed");
		if (!*status)
			status = strcmp(text_of(bounce, "bounceType"), "Permanent") ? "4.0.0" : "5.0.0";
		add_field(out, "Status", "", status);
		if (strstr(text_of(bounce, "bounceSubType"), "Suppress"))
			add_field(out, "Diagnostic-Code", "smtp; ", "the address is on the suppression list");
		else
			add_field(out, "Diagnostic-Code", "", text_of(r, "diagnosticCode"));
		buf_char(out, '\n');
	}
}

static void add_complaint(struct buf *out, const json_t *complaint)
{
	const char *type = text_of(complaint, "complaintFeedbackType");
	const json_t *first = json_array_get(json_object_get(complaint, "complainedRecipients"), 0);

	add_field(out, "Feedback-Type", "", *type ? type : "abuse");
	add_field(out, "Original-Rcpt-To", "", text_of(first, "emailAddress"));
}

static void add_delivery(struct buf *out, const json_t *delivery)
{
	size_t i;
	json_t *to;

	json_array_foreach(json_object_get(delivery, "recipients"), i, to) {
		add_field(out, "Final-Recipient", "rfc822; ", json_string_value(to) ? json_string_value(to) : "");
		add_field(out, "Action", "", "delivered");
		add_field(out, "Status", "", "2.0.0");
		buf_char(out, '\n');
	}
}

static const char *kept(struct arena *arena, struct buf *b)
{
	const char *out = b->len ? arena_strndup(arena, b->data, b->len) : NULL;

	buf_clear(b);
	return out;
}

static void read_original(struct opened_mail *m, const json_t *mail)
{
	struct buf fields = BUF_INIT;
	const char *raw;
	size_t i;
	json_t *h;

	json_array_foreach(json_object_get(mail, "headers"), i, h)
		if (*text_of(h, "name"))
			add_field(&fields, text_of(h, "name"), "", text_of(h, "value"));
	raw = kept(m->arena, &fields);
	if (!raw || m->has_original)
		return;
	m->original_raw = (struct slice){ raw, strlen(raw) };
	headers_parse(&m->original, m->arena, raw, strlen(raw));
	m->has_original = m->original.count > 0;
}

static void read_message(struct opened_mail *m, const json_t *message)
{
	const char *type = *text_of(message, "notificationType") ? text_of(message, "notificationType") : text_of(message, "eventType");
	struct buf status = BUF_INIT, feedback = BUF_INIT;

	if (!strcmp(type, "Bounce"))
		add_bounce(&status, json_object_get(message, "bounce"));
	else if (!strcmp(type, "Complaint"))
		add_complaint(&feedback, json_object_get(message, "complaint"));
	else if (!strcmp(type, "Delivery"))
		add_delivery(&status, json_object_get(message, "delivery"));
	else
		return;
	m->status = kept(m->arena, &status);
	m->feedback = kept(m->arena, &feedback);
	m->status_in_text = false;
	m->notice = "";
	read_original(m, json_object_get(message, "mail"));
}

void ses_notice_read(struct opened_mail *m)
{
	const char *said = *m->plain ? m->plain : m->notice, *text = said + strspn(said, " \r\n\t");
	json_t *outer = NULL, *inner = NULL;
	const char *within;

	if (*text != '{' || !(strstr(text, "notificationType") || strstr(text, "eventType")))
		return;
	/* SNS adds a line on how to unsubscribe behind the raw form */
	within = strstr(text, "\n--\n");
	outer = parse(within ? arena_strndup(m->arena, text, (size_t)(within - text)) : text);
	if (!outer)
		return;
	if (*text_of(outer, "Message"))
		inner = parse(text_of(outer, "Message"));
	read_message(m, inner ? inner : outer);
	json_decref(inner);
	json_decref(outer);
}
