/*
 * dialogue.c: see dialogue.h.
 *
 * What goes out is appended to one buffer; each command that has a reply puts an entry into the ring of expected replies, with the position at which
 * it ends, so that a reply that comes before its command has left is known for what it is. advance() writes whatever may be written now.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "dialogue.h"

const char *const stage_names[] = {
	"connect", "greet", "ehlo", "tls", "auth", "mail", "rcpt", "data", "dot", "rset", "lone dot", "quit"
};

const char *const trouble_names[] = {
	"", "no connection", "connection lost", "timeout", "not SMTP", "connection closed by 421", "stopped", "withdrawn",
	"certificate refused"
};

const struct dialogue_times dialogue_times_default = {
	.mail = 300 * US_SECOND,
	.rcpt = 300 * US_SECOND,
	.data = 120 * US_SECOND,
	.dot = 600 * US_SECOND,		/* a shorter one is what makes duplicates */
	.rset = 20 * US_SECOND,
	.quit = 5 * US_SECOND,
	.block = 180 * US_SECOND,
};

void dialogue_init(struct dialogue *d, unsigned can, int64_t size_limit)
{
	memset(d, 0, sizeof(*d));
	reply_init(&d->parser);
	d->can = can;
	d->size_limit = size_limit;
}

void dialogue_clear(struct dialogue *d)
{
	buf_clear(&d->out);
}

static struct dialogue_slot *slot_at(struct dialogue *d, int n)
{
	return &d->slots[(d->first + n) % 2];
}

static struct dialogue_slot *slot_of(struct dialogue *d, const struct envelope *envelope)
{
	int i;

	for (i = 0; i < d->count; i++)
		if (slot_at(d, i)->envelope == envelope)
			return slot_at(d, i);
	return NULL;
}

/* --- ends ----------------------------------------------------------------------------------------------------- */

static struct dialogue_end *end_first_slot(struct dialogue *d, enum smtp_stage stage, enum trouble trouble)
{
	struct dialogue_slot *s = slot_at(d, 0);
	struct dialogue_end *end = &d->ends[(d->end_first + d->end_count) % 2];

	assert(d->count > 0 && d->end_count < 2);
	d->end_count++;
	end->envelope = s->envelope;
	end->stage = stage;
	end->trouble = trouble;
	end->in_doubt = false;
	end->untouched = !s->heard;
	end->reused = d->finished > 0;
	if (trouble != TROUBLE_NONE) {
		end->reply.code = 0;
		end->reply.enhanced[0] = '\0';
		snprintf(end->reply.text, sizeof(end->reply.text), "%s", trouble_names[trouble]);
	}
	s->envelope = NULL;
	d->first = (d->first + 1) % 2;
	d->count--;
	d->finished++;
	return end;
}

static void end_replied(struct dialogue *d, enum smtp_stage stage, const struct reply *reply)
{
	reply_copy(&end_first_slot(d, stage, TROUBLE_NONE)->reply, reply);
}

/* The command that the slot waits on. */
static enum smtp_stage slot_stage(const struct dialogue *d, const struct dialogue_slot *s)
{
	unsigned i;

	if (s->state == SLOT_DOTTED)
		return STAGE_DOT;
	if (s->state == SLOT_GO)
		return STAGE_DATA;
	for (i = 0; i < d->expected_count; i++) {
		const struct expected *e = &d->expected[(d->expected_first + i) % DIALOGUE_EXPECTED];

		if (e->slot == s)
			return e->stage;
	}
	return STAGE_MAIL;
}

/* The connection is over. Refusals that were read stay what they are; of the rest only a dot that may have left is in doubt. */
static void shut(struct dialogue *d, enum trouble trouble)
{
	struct dialogue_slot *s;
	enum smtp_stage stage;
	bool doubt;

	while (d->count > 0) {
		s = slot_at(d, 0);
		stage = slot_stage(d, s);
		doubt = s->state == SLOT_DOTTED && d->handed >= s->dot_end;
		if (s->refused)
			end_replied(d, s->refused_at, &s->refusal);
		else if (s->envelope->forbidden && !doubt)
			end_first_slot(d, stage, TROUBLE_WITHDRAWN);
		else
			end_first_slot(d, stage, trouble)->in_doubt = doubt;
	}
	d->closed = true;
	d->expected_count = 0;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static uint64_t out_end(const struct dialogue *d)
{
	return d->out_base + d->out.len;
}

static void expect(struct dialogue *d, enum smtp_stage stage, struct dialogue_slot *slot)
{
	struct expected *e = &d->expected[(d->expected_first + d->expected_count) % DIALOGUE_EXPECTED];

	assert(d->expected_count < DIALOGUE_EXPECTED);
	d->expected_count++;
	e->stage = stage;
	e->slot = slot;
	e->end = out_end(d);
}

/* RFC 3461 4: '+' and '=' as +XX. The address is ASCII, and printable. */
static void add_xtext(struct buf *out, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = strcspn(s, "+=");
		buf_add(out, s, n);
		if (n == 0)
			buf_printf(out, "+%02X", *s);
		n += n == 0;
	}
}

/* RFC 6533 3, utf-8-addr-unitext: letters stand for themselves. */
static void add_unitext(struct buf *out, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = strcspn(s, "+=");
		buf_add(out, s, n);
		if (n == 0)
			buf_printf(out, "\\x{%02X}", *s);
		n += n == 0;
	}
}

static void write_mail(struct dialogue *d, struct dialogue_slot *s)
{
	buf_str(&d->out, "MAIL FROM:<");
	buf_str(&d->out, s->envelope->return_path);
	buf_char(&d->out, '>');
	if (d->can & CAN_SIZE) {
		buf_str(&d->out, " SIZE=");
		text_decimal(&d->out, (int64_t)s->envelope->body.len);
	}
	if (d->can & CAN_DSN) {
		buf_str(&d->out, " RET=HDRS ENVID=");
		buf_str(&d->out, s->envelope->envid);
	}
	if (s->envelope->utf8)
		buf_str(&d->out, " BODY=8BITMIME SMTPUTF8");
	buf_str(&d->out, "\r\n");
	expect(d, STAGE_MAIL, s);
}

static void write_rcpt(struct dialogue *d, struct dialogue_slot *s)
{
	buf_str(&d->out, "RCPT TO:<");
	buf_str(&d->out, s->envelope->recipient);
	buf_char(&d->out, '>');
	if (d->can & CAN_DSN) {
		buf_str(&d->out, s->envelope->utf8 ? " NOTIFY=FAILURE,DELAY ORCPT=utf-8;" : " NOTIFY=FAILURE,DELAY ORCPT=rfc822;");
		(s->envelope->utf8 ? add_unitext : add_xtext)(&d->out, s->envelope->recipient);
	}
	buf_str(&d->out, "\r\n");
	expect(d, STAGE_RCPT, s);
}

static void write_data(struct dialogue *d, struct dialogue_slot *s)
{
	buf_str(&d->out, "DATA\r\n");
	expect(d, STAGE_DATA, s);
}

static void write_reset(struct dialogue *d)
{
	buf_str(&d->out, "RSET\r\n");
	expect(d, STAGE_RSET, NULL);
	d->need_reset = false;
}

/* With PIPELINING the whole group, else its first command. RSET only after a refusal: some sites count it as junk. */
static void write_envelope(struct dialogue *d, struct dialogue_slot *s)
{
	if (d->need_reset)
		write_reset(d);
	s->state = SLOT_OUT;
	write_mail(d, s);
	if (!(d->can & CAN_PIPELINE))
		return;
	write_rcpt(d, s);
	write_data(d, s);
}

/* Where nothing else waits to go out, which is the rule, the body's memory becomes the output's: the largest of all copies is saved. */
static void add_body(struct dialogue *d, struct buf *body)
{
	struct buf empty = d->out;

	if (d->out.len > 0) {
		buf_add(&d->out, body->data, body->len);
		return;
	}
	d->out = *body;
	*body = empty;
}

static void write_body(struct dialogue *d, struct dialogue_slot *s)
{
	struct buf *body = &s->envelope->body;

	add_body(d, body);
	buf_str(&d->out, ".\r\n");
	s->state = SLOT_DOTTED;
	expect(d, STAGE_DOT, s);
	s->dot_end = out_end(d);
}

static bool may_write_body(const struct envelope *e)
{
#ifdef NURTURED_BREAK_dot
	return true;	/* the kill harness proves with this that it would see a dot before its commit */
#else
	return e->granted;
#endif
}

/* 354 came for the first slot: 1 something was written, 0 wait, -1 the connection had to be closed. */
static int after_go(struct dialogue *d, struct dialogue_slot *s)
{
	if (s->refused) {
		/* every recipient was refused and yet 354: an empty message is what ends it (RFC 2920 3.1) */
		buf_str(&d->out, ".\r\n");
		s->state = SLOT_DOTTED;
		s->dot_end = UINT64_MAX;	/* nothing of the message is in it: never in doubt */
		expect(d, STAGE_LONE_DOT, s);
		return 1;
	}
	if (s->envelope->forbidden) {
		shut(d, TROUBLE_STOPPED);
		return -1;
	}
	if (!may_write_body(s->envelope))
		return 0;
	write_body(d, s);
	return 1;
}

/* Whether the second message's envelope may go out behind the first one's dot. */
static bool may_chain(const struct dialogue *d, const struct dialogue_slot *first, const struct dialogue_slot *second)
{
	return (d->can & CAN_PIPELINE) && d->accepted > 0 && first->state == SLOT_DOTTED && !first->refused &&
		second->state == SLOT_QUEUED && !second->envelope->forbidden;
}

static void advance(struct dialogue *d)
{
	struct dialogue_slot *s;

	if (d->closed || d->count == 0)
		return;
	s = slot_at(d, 0);
	if (s->state == SLOT_QUEUED && d->expected_count == 0)
		write_envelope(d, s);
	if (s->state == SLOT_GO && after_go(d, s) < 0)
		return;
	if (d->count > 1 && may_chain(d, s, slot_at(d, 1)))
		write_envelope(d, slot_at(d, 1));
}

int dialogue_room(const struct dialogue *d)
{
	if (d->closed || d->quitting)
		return 0;
	return (d->accepted > 0 ? 2 : 1) - d->count;
}

void dialogue_add(struct dialogue *d, struct envelope *envelope)
{
	struct dialogue_slot *s = slot_at(d, d->count);

	assert(dialogue_room(d) > 0 && d->end_count == 0);
	d->count++;
	memset(s, 0, offsetof(struct dialogue_slot, refusal));
	s->envelope = envelope;
	s->dot_end = 0;
	envelope->granted = envelope->forbidden = false;
	advance(d);
}

void dialogue_grant(struct dialogue *d, struct envelope *envelope)
{
	envelope->granted = true;
	advance(d);
}

void dialogue_forbid(struct dialogue *d, struct envelope *envelope)
{
	struct dialogue_slot *s = slot_of(d, envelope);

	assert(s);
	envelope->forbidden = true;
	if (s->state == SLOT_DOTTED) {
		if (!s->refused && d->handed < s->dot_end)
			shut(d, TROUBLE_STOPPED);
		return;
	}
	if (s->state == SLOT_QUEUED && s == slot_at(d, d->count - 1)) {
		/* not a byte of it is out; if another is before it, that one's end must come first */
		if (d->count == 1)
			end_first_slot(d, STAGE_MAIL, TROUBLE_WITHDRAWN);
		return;
	}
	advance(d);
}

void dialogue_quit(struct dialogue *d)
{
	if (d->closed || d->quitting)
		return;
	assert(d->count == 0);
	d->quitting = true;
	buf_str(&d->out, "QUIT\r\n");
	expect(d, STAGE_QUIT, NULL);
}

struct slice dialogue_output(const struct dialogue *d)
{
	if (d->closed || d->out_done == d->out.len)
		return (struct slice){ "", 0 };
	return (struct slice){ d->out.data + d->out_done, d->out.len - d->out_done };
}

/* Which ends of commands lie in (from, to]. */
static unsigned wrote(const struct dialogue *d, uint64_t from, uint64_t to)
{
	unsigned mask = 0, i;

	for (i = 0; i < d->expected_count; i++) {
		const struct expected *e = &d->expected[(d->expected_first + i) % DIALOGUE_EXPECTED];

		if (e->end <= from || e->end > to)
			continue;
		if (e->stage == STAGE_MAIL)
			mask |= WROTE_ENVELOPE;
		if (e->stage == STAGE_DOT)
			mask |= WROTE_DOT;
	}
	return mask;
}

unsigned dialogue_written(struct dialogue *d, size_t n, size_t handed)
{
	uint64_t from = d->out_base + d->out_done;
	unsigned mask;

	assert(n <= handed && d->out_done + handed <= d->out.len);
	if (from + handed > d->handed)
		d->handed = from + handed;
	mask = wrote(d, from, from + n);
	d->out_done += n;
	if (d->out_done == d->out.len) {
		d->out_base += d->out.len;
		d->out_done = 0;
		buf_reset(&d->out);
	}
	return mask;
}

/* --- replies -------------------------------------------------------------------------------------------------- */

static struct expected take_expected(struct dialogue *d)
{
	struct expected e = d->expected[d->expected_first];

	d->expected_first = (d->expected_first + 1) % DIALOGUE_EXPECTED;
	d->expected_count--;
	return e;
}

/* The reply to what was just taken makes no sense: the message stands where it stood. */
static void shut_on_garbage(struct dialogue *d)
{
	d->expected_first = (d->expected_first + DIALOGUE_EXPECTED - 1) % DIALOGUE_EXPECTED;
	d->expected_count++;
	shut(d, TROUBLE_GARBAGE);
}

static void refuse(struct dialogue *d, struct dialogue_slot *s, enum smtp_stage stage, const struct reply *reply)
{
	if (s->refused)
		return;
	s->refused = true;
	s->refused_at = stage;
	reply_copy(&s->refusal, reply);
}

/* The message's own transaction is over without a dot: the next one begins with RSET. */
static void end_refused(struct dialogue *d, struct dialogue_slot *s)
{
	d->need_reset = true;
	end_replied(d, s->refused_at, &s->refusal);
}

/* Lock-step: the next command, if there is still a reason to go on. */
static void next_command(struct dialogue *d, struct dialogue_slot *s, enum smtp_stage done)
{
	if (d->can & CAN_PIPELINE)
		return;
	if (s->refused) {
		end_refused(d, s);
	} else if (s->envelope->forbidden) {
		d->need_reset = true;
		end_first_slot(d, done, TROUBLE_WITHDRAWN);
	} else if (done == STAGE_MAIL) {
		write_rcpt(d, s);
	} else {
		write_data(d, s);
	}
}

static void on_data(struct dialogue *d, struct dialogue_slot *s, const struct reply *reply)
{
	if (reply->code == 354) {
		s->state = SLOT_GO;
		return;
	}
	if (reply->code < 400) {
		shut_on_garbage(d);
		return;
	}
	refuse(d, s, STAGE_DATA, reply);
	end_refused(d, s);
}

/* A 2xx that comes before the dot has left is nonsense; a refusal then is one, but the rest of the body would be read as commands. */
static void on_dot_reply(struct dialogue *d, const struct expected *e, const struct reply *reply)
{
	bool early = d->handed < e->end;

	if (reply->code < 400 && (early || reply->code >= 300)) {
		shut_on_garbage(d);
		return;
	}
	if (reply->code < 300)
		d->accepted++;
	end_replied(d, STAGE_DOT, reply);
	if (early)
		shut(d, TROUBLE_STOPPED);
}

/* 421: the relay closes. It is the answer to what is waited for, if anything is. */
static void on_closing(struct dialogue *d, const struct reply *reply)
{
	struct expected e;

	if (d->count > 0 && d->expected_count > 0) {
		e = take_expected(d);
		if (e.slot && !e.slot->refused) {
			assert(e.slot == slot_at(d, 0));
			end_replied(d, e.stage, reply);
		}
	} else if (d->count > 0 && slot_at(d, 0)->state == SLOT_GO) {
		end_replied(d, STAGE_DATA, reply);
	}
	shut(d, TROUBLE_CLOSED);
}

static void on_command(struct dialogue *d, const struct expected *e, const struct reply *reply)
{
	struct dialogue_slot *s = e->slot;

	if (d->handed < e->end || (reply->code >= 300 && reply->code < 400)) {
		shut_on_garbage(d);
		return;
	}
	if (!s)
		return;
	s->heard = true;
	if (reply->code >= 400)
		refuse(d, s, e->stage, reply);
	next_command(d, s, e->stage);
}

static void on_reply(struct dialogue *d, const struct reply *reply)
{
	struct expected e;

	if (reply->code == 421) {
		on_closing(d, reply);
		return;
	}
	if (d->expected_count == 0) {
		shut(d, TROUBLE_GARBAGE);
		return;
	}
	e = take_expected(d);
	switch (e.stage) {
	case STAGE_DATA:
		if (d->handed < e.end) {
			shut_on_garbage(d);
			return;
		}
		e.slot->heard = true;
		on_data(d, e.slot, reply);
		return;
	case STAGE_DOT:
		on_dot_reply(d, &e, reply);
		return;
	case STAGE_LONE_DOT:
		end_replied(d, e.slot->refused_at, &e.slot->refusal);
		return;
	case STAGE_QUIT:
		shut(d, TROUBLE_STOPPED);
		return;
	case STAGE_MAIL: case STAGE_RCPT: case STAGE_RSET:
	case STAGE_CONNECT: case STAGE_GREET: case STAGE_EHLO: case STAGE_TLS: case STAGE_AUTH:
		on_command(d, &e, reply);
	}
}

/* A withdrawn message of which nothing went out ends when its turn comes. */
static void drop_forbidden(struct dialogue *d)
{
	while (!d->closed && d->count > 0 && slot_at(d, 0)->state == SLOT_QUEUED && slot_at(d, 0)->envelope->forbidden)
		end_first_slot(d, STAGE_MAIL, TROUBLE_WITHDRAWN);
}

void dialogue_input(struct dialogue *d, const char *data, size_t n)
{
	int rc;

	while (n > 0 && !d->closed) {
		rc = reply_feed(&d->parser, &data, &n);
		if (rc < 0)
			shut(d, TROUBLE_GARBAGE);
		else if (rc > 0)
			on_reply(d, &d->parser.reply);
		drop_forbidden(d);
		advance(d);
	}
}

void dialogue_fail(struct dialogue *d, enum trouble trouble)
{
	if (!d->closed)
		shut(d, trouble);
}

bool dialogue_next_end(struct dialogue *d, struct dialogue_end *out)
{
	const struct dialogue_end *end = &d->ends[d->end_first];

	if (d->end_count == 0)
		return false;
	memcpy(out, end, offsetof(struct dialogue_end, reply));
	reply_copy(&out->reply, &end->reply);
	d->end_first = (d->end_first + 1) % 2;
	d->end_count--;
	return true;
}

bool dialogue_closed(const struct dialogue *d)
{
	return d->closed;
}

bool dialogue_idle(const struct dialogue *d)
{
	return d->count == 0 && d->expected_count == 0 && d->out_done == d->out.len;
}

int64_t dialogue_timeout(const struct dialogue *d, const struct dialogue_times *times)
{
	if (d->closed)
		return 0;
	if (d->out_done < d->out.len)
		return times->block;
	if (d->expected_count == 0)
		return 0;
	switch (d->expected[d->expected_first].stage) {
	case STAGE_RCPT:
		return times->rcpt;
	case STAGE_DATA:
		return times->data;
	case STAGE_DOT: case STAGE_LONE_DOT:
		return times->dot;
	case STAGE_RSET:
		return times->rset;
	case STAGE_QUIT:
		return times->quit;
	case STAGE_MAIL:
	case STAGE_CONNECT: case STAGE_GREET: case STAGE_EHLO: case STAGE_TLS: case STAGE_AUTH:
		break;
	}
	return times->mail;
}
