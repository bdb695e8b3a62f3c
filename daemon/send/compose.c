/*
 * compose.c: see compose.h.
 *
 * Everything is rendered into buffers that are kept between messages, then encoded into the envelope's body in one go. Tokens are
 * made when a template asks for them: each costs an HMAC.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/rows.h"

#include "compose.h"
#include "mime.h"

#define HTML_WARN (80 * 1024)
#define HTML_MAX (100 * 1024)	/* Gmail clips what is longer, unsubscribe link and all */
#define TEXT_VISIBLE_MIN 20	/* a text part of fewer letters beside a real HTML part is an oversight, and spam filters think so too */
#define HTML_REAL 200

/* Names in mail templates whose values are made here. */
enum own { OWN_SUBJECT, OWN_PREHEADER, OWN_UNSUBSCRIBE, OWN_PREFERENCES, OWN_DOWNLOAD, OWN_CONFIRM, OWN_OPEN, OWNS };
static const char *const own_names[OWNS] = {
	"subject", "preheader", "unsubscribe_url", "preferences_url", "download_url", "confirm_url", "open_url"
};

struct compose {
	struct plan *plan;
	const struct token_ring *ring;
	signed char *own;		/* by symbol: what is made here, or -1 */
	struct identity {		/* of each sender of the plan, in their order */
		struct buf from;		/* whole From line */
		struct buf list_id;		/* whole List-Id line */
		struct buf click;		/* of a tracked link what stands before the token, as HTML wants it */
		char feedback_sender[16];	/* last part of Feedback-ID */
	} *identities;
	struct buf own_headers;		/* whole lines: those of config */
	struct buf date;		/* whole Date line of the second `date_of` */
	int64_t date_of;
	struct arena *arena;		/* of one message */
	struct buf subject, preheader, html, text, path;
};

/* One message in the making. */
struct draft {
	struct compose *c;
	const struct mail *mail;
	const struct sender_config *sender;
	const struct identity *identity;
	int64_t now;
	struct slice subject, preheader;
	struct value own[OWNS];
	bool made[OWNS];
	char message_token[TOKEN_TEXT], unsubscribe_token[TOKEN_TEXT];
	struct buf *out;
	struct err *err;
};

/* --- once a plan -------------------------------------------------------------------------------------------------- */

/* Feedback-ID's sender: 5 to 15 characters, always the same: of the company, or of the domain where that is too short. */
static void set_feedback_sender(const struct sender_config *sender, struct identity *id)
{
	const char *sources[] = { sender->company, sender->message_domain };
	size_t i, n = 0;
	const char *s;

	for (i = 0; i < 2 && n < 5; i++)
		for (n = 0, s = sources[i]; *s && n < sizeof(id->feedback_sender) - 1; s++)
			if (isalnum((unsigned char)*s) && (unsigned char)*s < 0x80)
				id->feedback_sender[n++] = (char)tolower((unsigned char)*s);
	while (n < 5)
		id->feedback_sender[n++] = 'x';
	id->feedback_sender[n] = '\0';
}

static int set_identity(const struct sender_config *sender, struct identity *id, struct err *err)
{
	char list[300];

	set_feedback_sender(sender, id);
	text_html(&id->click, sender->tracking_url, strlen(sender->tracking_url));
	buf_str(&id->click, "/c/");
	snprintf(list, sizeof(list), "nurture.%.250s", sender->message_domain);
	return mime_mailbox(&id->from, "From", slice_of(sender->from_name), sender->from.text, err) < 0 ||
		mime_mailbox(&id->list_id, "List-Id", slice_of(sender->company), list, err) < 0 ? -1 : 0;
}

struct compose *compose_new(struct plan *plan, const struct token_ring *ring, struct err *err)
{
	struct compose *c = xcalloc(1, sizeof(*c));
	const struct operator_config *o = &plan->operator;
	size_t s, symbols = vocabulary_count(plan->mail_names);
	int i, at, rc = 0;

	c->plan = plan_ref(plan);
	c->ring = ring;
	c->arena = arena_new(16 * 1024);
	c->own = xmalloc(symbols);
	memset(c->own, -1, symbols);
	for (i = 0; i < OWNS; i++) {
		at = vocabulary_find(plan->mail_names, slice_of(own_names[i]));
		if (at >= 0)
			c->own[at] = (signed char)i;
	}
	c->identities = xcalloc(o->sender_count, sizeof(*c->identities));
	for (s = 0; s < o->sender_count && !rc; s++)
		rc = set_identity(&o->senders[s], &c->identities[s], err);
	for (s = 0; s < o->message.header_count && !rc; s++)
		rc = mime_text(&c->own_headers, o->message.headers[s].name, slice_of(o->message.headers[s].value), err);
	if (rc)
		compose_free(&c);
	return c;
}

void compose_free(struct compose **compose)
{
	struct compose *c = *compose;

	if (!c)
		return;
	for (size_t i = 0; i < c->plan->operator.sender_count; i++) {
		buf_clear(&c->identities[i].from);
		buf_clear(&c->identities[i].list_id);
		buf_clear(&c->identities[i].click);
	}
	free(c->own);
	free(c->identities);
	buf_clear(&c->own_headers);
	buf_clear(&c->date);
	plan_unref(&c->plan);
	arena_free(&c->arena);
	buf_clear(&c->subject);
	buf_clear(&c->preheader);
	buf_clear(&c->html);
	buf_clear(&c->text);
	buf_clear(&c->path);
	free(c);
	*compose = NULL;
}

const struct plan *compose_plan(const struct compose *c)
{
	return c->plan;
}

/* --- values and links that carry tokens ----------------------------------------------------------------------------- */

static struct value make_url(struct draft *m, const char *path, enum token_kind kind, int64_t id, const char *suffix)
{
	char token[TOKEN_TEXT];

	token_make(m->c->ring, kind, id, 0, m->now, token);
	return value_text(arena_join(m->c->arena, m->sender->tracking_url, path, token, suffix));
}

static struct value text_or_nil(struct slice s)
{
	return s.len ? value_slice(s) : value_nil;
}

static struct value make_own(struct draft *m, enum own which)
{
	const struct mail *mail = m->mail;

	switch (which) {
	case OWN_SUBJECT:
		return text_or_nil(m->subject);
	case OWN_PREHEADER:
		return text_or_nil(m->preheader);
	case OWN_UNSUBSCRIBE:
		return value_text(arena_join(m->c->arena, m->sender->tracking_url, "/u/", m->unsubscribe_token));
	case OWN_PREFERENCES:
		return make_url(m, "/p/", TOKEN_PREFERENCES, mail->prospect, "");
	case OWN_DOWNLOAD:
		return *mail->download ? make_url(m, "/d/", TOKEN_DOWNLOAD, mail->delivery, "") : value_nil;
	case OWN_CONFIRM:
		if (mail->kind == DELIVERY_TEST)	/* there is nothing to confirm behind it */
			return make_url(m, "/y/", TOKEN_CONFIRM, mail->delivery, "");
		return mail->consent ? make_url(m, "/y/", TOKEN_CONFIRM, mail->consent, "") : value_nil;
	case OWN_OPEN:
		return mail->track == TRACK_ALL ? make_url(m, "/o/", TOKEN_OPEN, mail->delivery, ".gif") : value_nil;
	case OWNS:
		break;
	}
	return value_nil;
}

/* Each is made once a message: templates ask twice, whether there is one and what it is. The subject and the preheader may not be there yet. */
static struct value own_value(struct draft *m, enum own which)
{
	if (which == OWN_SUBJECT || which == OWN_PREHEADER)
		return make_own(m, which);
	if (!m->made[which]) {
		m->own[which] = make_own(m, which);
		m->made[which] = true;
	}
	return m->own[which];
}

static struct value name_cb(void *ctx, int symbol)
{
	struct draft *m = ctx;

	/* a forward is rendered with the names of alerts, which have none of ours */
	if (m->mail->kind == DELIVERY_FORWARD || m->c->own[symbol] < 0)
		return m->mail->values[symbol];
	return own_value(m, (enum own)m->c->own[symbol]);
}

static void link_cb(void *ctx, int index, struct buf *out)
{
	struct draft *m = ctx;
	char token[TOKEN_TEXT];

	token_make(m->c->ring, TOKEN_CLICK, m->mail->delivery, (uint8_t)index, m->now, token);
	buf_add(out, m->identity->click.data, m->identity->click.len);
	buf_add(out, token, TOKEN_TEXT - 1);
}

/*
 * The link that nobody sees, reaches by keyboard or hears read, in the HTML part alone: who follows it follows every link. Not in mails that read as
 * if a person had written them.
 */
static void put_honeypot(struct draft *m)
{
	static const char end[] = "</body>";
	const struct mail *mail = m->mail;
	struct buf *html = &m->c->html, rest = BUF_INIT;
	const char *at = NULL, *next = buf_cstr(html);

	if (!m->c->plan->operator.tracking.honeypot || mail->kind != DELIVERY_STEP || mail->track == TRACK_NONE || mail->one_to_one)
		return;
	while ((next = strcasestr(next, end)))
		at = next++;
	if (at) {
		buf_str(&rest, at);
		buf_cut(html, (size_t)(at - html->data));
	}
	buf_str(html, "<div aria-hidden=\"true\" style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\"><a tabindex=\"-1\" rel=\"nofollow\" href=\"");
	link_cb(m, HIT_HONEYPOT, html);
	buf_str(html, "\"></a></div>");
	buf_add(html, buf_cstr(&rest), rest.len);
	buf_clear(&rest);
}

/* Links are counted in the HTML part; the text part shows people where they go. */
static enum template_result render(struct draft *m, const struct template *t, bool tracked, struct buf *out)
{
	struct template_env env = {
		.now = m->now,
		.ctx = m,
		.name = name_cb,
		.link = tracked ? link_cb : NULL,
		.arena = m->c->arena,
	};

	buf_reset(out);
	return t ? template_render(t, &env, out, m->err) : TEMPLATE_DONE;
}

/* --- headers -------------------------------------------------------------------------------------------------------- */

static void put_field(struct draft *m, const char *name, const char *value)
{
	buf_join(m->out, name, ": ", value, "\r\n");
}

/* The owner if the step says so, else the sender that the mail names. */
static int put_from(struct draft *m)
{
	const struct owner *owner = m->mail->owner;

	if (owner)
		return mime_mailbox(m->out, "From", slice_of(owner->full_name), owner->email, m->err);
	buf_add(m->out, m->identity->from.data, m->identity->from.len);
	return 0;
}

static int put_reply_to(struct draft *m)
{
	const struct sender_config *sender = m->sender;
	char token[TOKEN_TEXT];
	struct address person;

	if (m->mail->reply_to) {
		/* some senders' own addresses are odder than those we accept: the forward says them in its text */
		if (address_parse(m->mail->reply_to, &person, NULL) < 0 || address_has_letters(&person))
			return 0;
		return mime_mailbox(m->out, "Reply-To", slice_of(""), person.text, m->err);
	}
	token_make(m->c->ring, TOKEN_REPLY, m->mail->delivery, 0, m->now, token);
	buf_join(m->out, "Reply-To: <r", (char[]){ sender->separator, '\0' }, token, "@", sender->reply_domain, ">\r\n");
	return 0;
}

/* RFC 5322 section 3.6.4: the mails before it in its thread, by the Message-IDs that they had. */
static void put_thread(struct draft *m)
{
	const struct mail *mail = m->mail;
	struct buf ids = BUF_INIT;
	char token[TOKEN_TEXT];
	size_t i;

	if (!mail->before_count)
		return;
	for (i = 0; i < mail->before_count; i++) {
		token_make(m->c->ring, TOKEN_MESSAGE, mail->before[i].delivery, 0, mail->before[i].planned, token);
		buf_printf(&ids, "%s<n1.%s@%s>", i ? "\r\n " : " ", token, mail->before[i].domain);
	}
	buf_printf(m->out, "In-Reply-To: <n1.%s@%s>\r\nReferences:%s\r\n", token, mail->before[i - 1].domain, ids.data);
	buf_clear(&ids);
}

/* RFC 2369 and 8058: the pair that mailbox providers look for. DKIM has to sign both, which is the relay's work. */
static void put_unsubscribe(struct draft *m)
{
	const struct sender_config *sender = m->sender;

	buf_join(m->out, "List-Unsubscribe: <", sender->tracking_url, "/u/", m->unsubscribe_token, ">,\r\n <mailto:u",
		(char[]){ sender->separator, '\0' }, m->unsubscribe_token, "@", sender->reply_domain, "?subject=unsubscribe>\r\n",
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}

/* One part of Feedback-ID: what would end it is replaced, groups are named, never people. */
static void put_feedback_part(struct buf *out, const char *s)
{
	size_t i;

	for (i = 0; s[i] && i < 50; i++)
		buf_char(out, isalnum((unsigned char)s[i]) && (unsigned char)s[i] < 0x80 ? s[i] : '-');
	buf_char(out, ':');
}

static void put_feedback(struct draft *m)
{
	const struct mail *mail = m->mail;

	buf_str(m->out, "Feedback-ID: ");
	put_feedback_part(m->out, mail->kind == DELIVERY_STEP ? mail->sequence : mail->kind == DELIVERY_TEST ? "test" : "optin");
	put_feedback_part(m->out, mail->kind == DELIVERY_STEP ? mail->step : mail->kind == DELIVERY_TEST ? "test" : "confirm");
	put_feedback_part(m->out, mail->kind != DELIVERY_STEP ? "transactional" : mail->mailing ? "mailing" : "drip");
	buf_str(m->out, m->identity->feedback_sender);
	buf_str(m->out, "\r\n");
}

/* What tells mailbox providers that a program sends this to many: for them to file it, count its complaints, and offer a way out. */
static void put_bulk(struct draft *m)
{
	const struct message_config *config = &m->c->plan->operator.message;
	const struct mail *mail = m->mail;
	bool listed = mail->kind == DELIVERY_STEP || mail->kind == DELIVERY_TEST;

	if (listed && !mail->one_to_one)
		buf_add(m->out, m->identity->list_id.data, m->identity->list_id.len);
	if (listed)
		put_unsubscribe(m);
	if (mail->one_to_one)
		return;
	put_feedback(m);
	if (config->precedence == PRECEDENCE_ALWAYS || (config->precedence == PRECEDENCE_MAILINGS && mail->mailing))
		put_field(m, "Precedence", "bulk");
	if (config->suppress_auto_replies)
		put_field(m, "X-Auto-Response-Suppress", "OOF, AutoReply");
}

/* Of thousands of messages it is the same. */
static const char *date_line(struct compose *c, int64_t now)
{
	if (c->date.len == 0 || c->date_of != now / US_SECOND) {
		buf_reset(&c->date);
		mime_date(&c->date, now);
		c->date_of = now / US_SECOND;
	}
	return buf_cstr(&c->date);
}

static int put_headers(struct draft *m)
{
	const struct mail *mail = m->mail;

	buf_str(m->out, date_line(m->c, m->now));
	if (put_from(m) < 0 || put_reply_to(m) < 0 || mime_mailbox(m->out, "To", slice_of(mail->to_name), mail->address->text, m->err) < 0 ||
	    mime_text(m->out, "Subject", m->subject, m->err) < 0)
		return -1;
	buf_join(m->out, "Message-ID: <n1.", m->message_token, "@", m->sender->message_domain, ">\r\n");
	put_thread(m);
	if (mail->kind == DELIVERY_FORWARD)
		put_field(m, "Auto-Submitted", "auto-generated");	/* or the owner's out-of-office would answer the prospect */
	else
		put_bulk(m);
	put_field(m, "X-Nurtured-ID", m->message_token);
	if (mail->kind != DELIVERY_FORWARD)
		buf_add(m->out, m->c->own_headers.data, m->c->own_headers.len);
	put_field(m, "MIME-Version", "1.0");
	return 0;
}

/* --- bodies --------------------------------------------------------------------------------------------------------- */

static size_t visible(const struct buf *text)
{
	size_t i, n = 0;

	for (i = 0; i < text->len && n < TEXT_VISIBLE_MIN; i++)
		n += (unsigned char)text->data[i] > ' ';
	return n;
}

static int check_sizes(struct draft *m)
{
	const struct compose *c = m->c;

	if (c->html.len > HTML_MAX)
		return err_set(m->err, "the HTML part has %zu bytes, more than %d: mailboxes would clip it", c->html.len, HTML_MAX);
	if (c->html.len > HTML_WARN)
		log_warn("mail.large", L_STR("template", m->mail->template->name), L_INT("html_bytes", (int64_t)c->html.len));
	if (c->html.len > HTML_REAL && visible(&c->text) < TEXT_VISIBLE_MIN)
		return err_set(m->err, "the text part is all but empty");
	return 0;
}

static int put_part(struct draft *m, const char *type, const struct buf *content)
{
	buf_join(m->out, "Content-Type: ", type, "; charset=utf-8\r\n", NULL);
	return mime_body(m->out, (struct slice){ buf_cstr(content), content->len }, m->err);
}

/* A multipart: its header is written by multipart_begin(), each part behind part_begin(). */
struct multipart {
	char boundary[MIME_BOUNDARY];
};

static void multipart_begin(struct draft *m, struct multipart *p, const char *type)
{
	mime_boundary(p->boundary);
	buf_join(m->out, "Content-Type: multipart/", type, ";\r\n boundary=\"", p->boundary, "\"\r\n", NULL);
}

static void part_begin(struct draft *m, const struct multipart *p)
{
	buf_join(m->out, "\r\n--", p->boundary, "\r\n");
}

static void multipart_end(struct draft *m, const struct multipart *p)
{
	buf_join(m->out, "\r\n--", p->boundary, "--\r\n");
}

/* Encoded when the plan was loaded. */
static int put_file(struct draft *m, const struct multipart *p, const struct attachment *a, bool picture)
{
	part_begin(m, p);
	if (mime_file(m->out, a->type, a->name, picture ? PICTURE_HOST : NULL, m->err) < 0)
		return -1;
	buf_add(m->out, a->body.data, a->body.len);
	return 0;
}

/* RFC 2387: the HTML and what it shows. */
static int put_html(struct draft *m)
{
	const struct mail_template *t = m->mail->template;
	struct multipart related;
	size_t i;

	if (!t->picture_count)
		return put_part(m, "text/html", &m->c->html);
	multipart_begin(m, &related, "related; type=\"text/html\"");
	part_begin(m, &related);
	if (put_part(m, "text/html", &m->c->html) < 0)
		return -1;
	for (i = 0; i < t->picture_count; i++)
		if (put_file(m, &related, t->pictures[i], true) < 0)
			return -1;
	multipart_end(m, &related);
	return 0;
}

/* RFC 2046 5.1.4: the plainest first. */
static int put_alternative(struct draft *m)
{
	struct multipart alternative;

	multipart_begin(m, &alternative, "alternative");
	part_begin(m, &alternative);
	if (put_part(m, "text/plain", &m->c->text) < 0)
		return -1;
	part_begin(m, &alternative);
	if (put_html(m) < 0)
		return -1;
	multipart_end(m, &alternative);
	return 0;
}

static int put_body(struct draft *m)
{
	const struct mail_template *t = m->mail->template;
	struct multipart mixed;
	size_t i;

	if (!t->attachment_count && !m->mail->attachment)
		return put_alternative(m);
	multipart_begin(m, &mixed, "mixed");
	part_begin(m, &mixed);
	if (put_alternative(m) < 0)
		return -1;
	for (i = 0; i < t->attachment_count; i++)
		if (put_file(m, &mixed, t->attachments[i], false) < 0)
			return -1;
	if (m->mail->attachment && put_file(m, &mixed, m->mail->attachment, false) < 0)
		return -1;
	multipart_end(m, &mixed);
	return 0;
}

/* Its own, that of its arm of a test, or that of the thread it answers. */
static enum template_result put_subject(struct draft *m)
{
	const struct mail *mail = m->mail;
	const struct template *t = mail->before_count ? mail->first_subject : mail->subject ? mail->subject : mail->template->subject;
	struct compose *c = m->c;
	enum template_result result = render(m, t, false, &c->subject);

	if (result == TEMPLATE_DONE && mail->before_count)
		m->subject = value_text(arena_printf(c->arena, "Re: %s", buf_cstr(&c->subject))).text;
	else if (result == TEMPLATE_DONE && mail->kind == DELIVERY_TEST)
		m->subject = value_text(arena_printf(c->arena, "[Test] %s", buf_cstr(&c->subject))).text;
	else
		m->subject = (struct slice){ buf_cstr(&c->subject), c->subject.len };
	return result;
}

static enum template_result put_mail(struct draft *m)
{
	const struct mail_template *t = m->mail->template;
	struct compose *c = m->c;
	enum template_result result = put_subject(m);

	if (result == TEMPLATE_DONE)
		result = render(m, t->preheader, false, &c->preheader);
	m->preheader = (struct slice){ buf_cstr(&c->preheader), c->preheader.len };
	if (result == TEMPLATE_DONE)
		result = render(m, t->html, m->mail->track != TRACK_NONE, &c->html);
	if (result == TEMPLATE_DONE) {
		put_honeypot(m);
		result = render(m, t->text, false, &c->text);
	}
	if (result != TEMPLATE_DONE)
		return result;
	return put_headers(m) < 0 || check_sizes(m) < 0 || put_body(m) < 0 ? TEMPLATE_FAILED : TEMPLATE_DONE;
}

static enum template_result put_forward(struct draft *m)
{
	const struct template *t = m->c->plan->forward;
	struct compose *c = m->c;
	enum template_result result = render(m, template_meta(t, "subject"), false, &c->subject);

	m->subject = c->subject.len ? (struct slice){ c->subject.data, c->subject.len } : slice_of("A reply");
	if (result == TEMPLATE_DONE)
		result = render(m, t, false, &c->text);
	if (result != TEMPLATE_DONE)
		return result;
	return put_headers(m) < 0 || put_part(m, "text/plain", &c->text) < 0 ? TEMPLATE_FAILED : TEMPLATE_DONE;
}

static int put_envelope(struct draft *m, struct envelope *out)
{
	const struct sender_config *sender = m->sender;
	char token[TOKEN_TEXT];
	struct buf *path = &m->c->path;

	token_make(m->c->ring, TOKEN_BOUNCE, m->mail->delivery, 0, m->now, token);
	buf_reset(path);
	buf_join(path, "b", (char[]){ sender->separator, '\0' }, token, "@", sender->bounce_domain);
	if (path->len >= sizeof(out->return_path))
		return err_set(m->err, "bounce_domain is too long");
	memcpy(out->return_path, path->data, path->len + 1);
	out->utf8 = address_has_letters(m->mail->address);
	_Static_assert(sizeof(out->recipient) >= sizeof(m->mail->address->text), "any address fits");
	memcpy(out->recipient, m->mail->address->text, sizeof(m->mail->address->text));
	memcpy(out->envid, m->message_token, TOKEN_TEXT);
	return 0;
}

enum template_result compose_mail(struct compose *c, const struct mail *mail, int64_t now, struct envelope *out, struct err *err)
{
	struct draft m = {
		.c = c, .mail = mail, .sender = mail->sender, .identity = &c->identities[mail->sender - c->plan->operator.senders],
		.now = now, .out = &out->body, .err = err,
	};
	enum template_result result;
	int64_t max;

	arena_reset(c->arena);
	buf_reset(&out->body);
	token_make(c->ring, TOKEN_MESSAGE, mail->delivery, 0, mail->planned, m.message_token);
	if (mail->kind != DELIVERY_FORWARD)
		token_make(c->ring, TOKEN_UNSUBSCRIBE, mail->delivery, 0, now, m.unsubscribe_token);
	if (put_envelope(&m, out) < 0)
		return TEMPLATE_FAILED;
	result = mail->kind == DELIVERY_FORWARD ? put_forward(&m) : put_mail(&m);
	/* the dialogue puts the dot behind it; here it is still in the cache */
	assert(result != TEMPLATE_DONE || (out->body.len >= 2 && memcmp(out->body.data + out->body.len - 2, "\r\n", 2) == 0));
	max = c->plan->operator.message.max_size;
	if (result == TEMPLATE_DONE && (int64_t)out->body.len > max) {
		err_set(err, "the message has %zu bytes, more than the %lld of `max_size`", out->body.len, (long long)max);
		result = TEMPLATE_FAILED;
	}
	return result;
}
