/*
 * outcome.c: see outcome.h.
 *
 * A table, first row that fits. Enhanced codes (RFC 3463, 5248) say more than the three digits where a relay gives them; the basic digit wins over
 * the enhanced class for whether to try again. Words suppress somebody only where codes are silent, but they can save somebody whom a code condemns.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/patterns.h"
#include "base/reason.h"

#include "outcome.h"

#define BIT(stage) (1u << (stage))
#define ANY_STAGE (~0u)
#define BEFORE_MAIL (BIT(STAGE_CONNECT) | BIT(STAGE_GREET) | BIT(STAGE_EHLO) | BIT(STAGE_TLS) | BIT(STAGE_AUTH))
#define LATE (BIT(STAGE_RCPT) | BIT(STAGE_DATA) | BIT(STAGE_DOT))

/* --- words ---------------------------------------------------------------------------------------------------- */

/* The relay's own limits for us. */
static struct pattern too_much_today = PATTERN("daily\\s+(?:\\S+\\s+){0,3}(?:quota|limit)|sending\\s+quota");
static struct pattern too_fast = PATTERN("throttling\\s+failure|maximum\\s+sending\\s+rate|sending\\s+rate\\s+exceeded");
/* At RCPT: Postfix, for one, says there what it has against the sender (smtpd_delay_reject). */
static struct pattern sender_refused = PATTERN("sender\\s+address\\s+rejected|not\\s+owned\\s+by\\s+user|not\\s+allowed\\s+to\\s+send\\s+as");
/* They speak of the sender or of policy, whatever else they say: nobody is suppressed for them. */
static struct pattern not_the_user = PATTERN("sender|\\bspf\\b|dkim|dmarc|policy|blocked|spam|blacklist|temporar|\\bdns\\b");
/* Of a mail whose domain is not authenticated (Gmail 5.7.26, Microsoft 5.7.515, RFC 7372). */
static struct pattern unauthenticated = PATTERN("unauthenticated|required\\s+authentication\\s+level");

enum words {
	ANY_WORDS,
	USER_UNKNOWN,		/* there is no such mailbox */
	SUSPENDED,		/* there is one, and it is shut */
	FULL,
	TOO_FAST,
	TOO_MUCH_TODAY,
	SENDER_REFUSED,
	NOT_THE_ADDRESS,	/* whatever the code says, it is somebody else's fault */
};

/* A reply, and what can be told of it; the reason in its words only once it is asked for, NULL: they name none. */
struct heard {
	enum smtp_stage stage;
	const struct reply *reply;
	const char *in_words;
	bool read;
};

static const char *reason_in_words(struct heard *h)
{
	if (!h->read)
		h->in_words = reason_of_text(h->reply->text);
	h->read = true;
	return h->in_words;
}

static bool reason_is(struct heard *h, const char *reason)
{
	const char *said = reason_in_words(h);

	return said && strcmp(said, reason) == 0;
}

static bool words_fit(struct heard *h, enum words words)
{
	const char *text = h->reply->text;

	switch (words) {
	case ANY_WORDS:
		break;
	case USER_UNKNOWN:
		return reason_is(h, "userunknown") && !pattern_in(&not_the_user, text);
	case SUSPENDED:
		return reason_is(h, "suspend") && !pattern_in(&not_the_user, text);
	case FULL:
		return reason_is(h, "mailboxfull");
	case TOO_FAST:
		return pattern_in(&too_fast, text);
	case TOO_MUCH_TODAY:
		return pattern_in(&too_much_today, text);
	case SENDER_REFUSED:
		return pattern_in(&sender_refused, text);
	case NOT_THE_ADDRESS:
		return reason_in_words(h) && reason_kind(h->in_words, "", true) == BOUNCE_SENDER;
	}
	return true;
}

/* --- the table ------------------------------------------------------------------------------------------------ */

struct policy {
	unsigned stages;
	int low, high;			/* reply codes */
	const char *enhanced;		/* subject.detail, alternatives separated by blanks; "": must have none; NULL: any */
	enum words words;
	struct judgement then;
};

#define DEFER_COUNTED { .outcome = OUTCOME_DEFERRED, .counted = true }
#define DEFER(f) { .outcome = OUTCOME_DEFERRED, .fault = f }
#define FAIL(f) { .outcome = OUTCOME_FAILED, .fault = f }
#define HARD { .outcome = OUTCOME_FAILED, .fault = FAULT_PROSPECT, .hard_bounce = true }
#define LESS(f, w, t) { .outcome = OUTCOME_DEFERRED, .fault = f, .slow = { SLOW_RELAY, w, t } }

/* RFC 3463 3.2, RFC 7505, RFC 7293. 5.7.27 is not among them: it is the sender's domain that takes no mail. */
#define NO_SUCH_ADDRESS "1.1 1.2 1.3 1.6 1.10 4.4 7.17 7.18"

static const struct policy policies[] = {
	{ BIT(STAGE_DOT), 200, 299, NULL, ANY_WORDS, { .outcome = OUTCOME_SENT } },

	/* the operator's: login, certificate, TLS that is wanted */
	{ BIT(STAGE_AUTH), 500, 599, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ BIT(STAGE_AUTH), 454, 454, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 530, 530, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 534, 535, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 538, 538, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },

	/* the relay's */
	{ ANY_STAGE, 421, 421, NULL, ANY_WORDS, DEFER(FAULT_RELAY) },
	{ BEFORE_MAIL, 400, 599, NULL, ANY_WORDS, DEFER(FAULT_RELAY) },
	{ ANY_STAGE, 400, 599, NULL, TOO_MUCH_TODAY, LESS(FAULT_QUOTA, SLOW_PAUSE, US_HOUR) },
	{ ANY_STAGE, 400, 499, NULL, TOO_FAST, LESS(FAULT_QUOTA, SLOW_HALVE, 10 * US_MINUTE) },
	{ ANY_STAGE, 452, 452, "3.1 5.3", ANY_WORDS, LESS(FAULT_RELAY, SLOW_HALVE, 10 * US_MINUTE) },

	{ ANY_STAGE, 400, 499, NULL, ANY_WORDS, DEFER_COUNTED },

	/* size: the message's wherever it is said */
	{ ANY_STAGE, 500, 599, "3.4 2.3", ANY_WORDS, FAIL(FAULT_MESSAGE) },

	/* no way for its letters (RFC 6531 4.2): that may change, so nobody is suppressed; and it says nothing of the sequence */
	{ ANY_STAGE, 500, 599, "6.7 6.9", ANY_WORDS, FAIL(FAULT_PROSPECT) },

	/* who it is from */
	{ BIT(STAGE_MAIL), 500, 599, NULL, ANY_WORDS, DEFER(FAULT_SENDER) },
	{ BIT(STAGE_RCPT) | BIT(STAGE_DATA), 500, 599, "1.7 1.8", ANY_WORDS, DEFER(FAULT_SENDER) },
	{ BIT(STAGE_RCPT) | BIT(STAGE_DATA), 500, 599, NULL, SENDER_REFUSED, DEFER(FAULT_SENDER) },

	/* the prospect's */
	{ LATE, 500, 599, "2.2", ANY_WORDS, FAIL(FAULT_PROSPECT) },
	{ LATE, 500, 599, NO_SUCH_ADDRESS, FULL, FAIL(FAULT_PROSPECT) },
	{ LATE, 500, 599, NO_SUCH_ADDRESS, NOT_THE_ADDRESS, FAIL(FAULT_MESSAGE) },
	{ LATE, 500, 599, NO_SUCH_ADDRESS, ANY_WORDS, HARD },
	{ LATE, 500, 599, "2.1 1.0 0.0", USER_UNKNOWN, HARD },
	{ LATE, 500, 599, "2.1", SUSPENDED, HARD },
	{ LATE, 500, 599, "", USER_UNKNOWN, HARD },
	{ LATE, 500, 599, "", SUSPENDED, FAIL(FAULT_PROSPECT) },
	{ LATE, 500, 599, "", FULL, FAIL(FAULT_PROSPECT) },

	/* policy, content, what nobody knows: never suppresses anybody */
	{ ANY_STAGE, 500, 599, NULL, ANY_WORDS, FAIL(FAULT_MESSAGE) },
};

static bool enhanced_fits(const char *enhanced, const char *wanted)
{
	size_t n;

	if (!wanted)
		return true;
	if (!*wanted || !*enhanced)
		return !*wanted && !*enhanced;
	for (; *wanted; wanted += n + (wanted[n] == ' ')) {
		n = strcspn(wanted, " ");
		if (strlen(enhanced + 2) == n && memcmp(enhanced + 2, wanted, n) == 0)
			return true;
	}
	return false;
}

static struct judgement look_up(struct heard *h)
{
	const struct reply *reply = h->reply;
	const struct policy *p;

	for (p = policies; p < policies + sizeof(policies) / sizeof(policies[0]); p++)
		if ((p->stages & BIT(h->stage)) && reply->code >= p->low && reply->code <= p->high &&
		    enhanced_fits(reply->enhanced, p->enhanced) && words_fit(h, p->words))
			return p->then;
	/* a 2xx or 3xx where it says nothing: the dialogue lets none through */
	return (struct judgement)DEFER(FAULT_RELAY);
}

/* --- reason and advice ---------------------------------------------------------------------------------------- */

/* Why, in sisimai's words. What the relay says of our quota would read as a full mailbox. */
static const char *reason_for(struct heard *h, enum fault fault)
{
	const struct reply *r = h->reply;

	if (fault == FAULT_QUOTA)
		return "speeding";
	if (enhanced_fits(r->enhanced, "7.20 7.21 7.22 7.23 7.24 7.26 7.515") || pattern_in(&unauthenticated, r->text))
		return "authfailure";
	if (reason_in_words(h))
		return h->in_words;
	return reason_of_status(r->enhanced, r->code);
}

static struct slow advice(struct heard *h)
{
	struct slow slow = advice_of(h->reply->text);
	bool later = h->reply->code < 500;

	if (slow.scope != SLOW_NOTHING)
		return slow;
	if (later && (BEFORE_MAIL & BIT(h->stage)) && reason_is(h, "toomanyconn"))
		return (struct slow){ SLOW_RELAY, SLOW_HALVE, 10 * US_MINUTE };
	if (later && (LATE & BIT(h->stage)) && (reason_is(h, "toomanyconn") || reason_is(h, "speeding")))
		return (struct slow){ SLOW_GROUP, SLOW_HALVE, 10 * US_MINUTE };
	return (struct slow){ .scope = SLOW_NOTHING };
}

static struct judgement judge_reply(enum smtp_stage stage, const struct reply *reply)
{
	struct heard h = { .stage = stage, .reply = reply };
	struct judgement j = look_up(&h);

	if (j.outcome == OUTCOME_SENT)
		return j;
	j.reason = reason_for(&h, j.fault);
	j.disagrees = reply->enhanced[0] && reply->enhanced[0] != '0' + reply->code / 100;
	if (j.slow.scope == SLOW_NOTHING)
		j.slow = advice(&h);
	return j;
}

/* A connection that ended in the midst of this very message may have ended because of it: then the try counts. */
static struct judgement judge_lost(const struct dialogue_end *end)
{
	struct judgement j = DEFER(FAULT_RELAY);

	if (end->untouched && end->reused)
		j.fault = FAULT_NONE;	/* gone stale while it lay idle */
	j.counted = !end->untouched;
	return j;
}

static struct judgement judge(const struct dialogue_end *end)
{
	struct judgement j = { .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY, .reason = "networkerror" };

	if (end->in_doubt) {
		j.outcome = OUTCOME_UNKNOWN;
		return j;
	}
	switch (end->trouble) {
	case TROUBLE_NONE:
		return judge_reply(end->stage, &end->reply);
	case TROUBLE_WITHDRAWN:
		return (struct judgement){ .outcome = OUTCOME_WITHDRAWN };
	case TROUBLE_UNVERIFIED:
		j.fault = FAULT_OPERATOR;
		j.reason = "failedstarttls";
		return j;
	case TROUBLE_CLOSED: case TROUBLE_STOPPED:
		j.fault = FAULT_NONE;
		return j;
	case TROUBLE_REFUSED:
		return j;
	case TROUBLE_LOST: case TROUBLE_TIMEOUT: case TROUBLE_GARBAGE:
		break;
	}
	j = judge_lost(end);
	j.reason = "networkerror";
	return j;
}

struct judgement outcome_judge(const struct dialogue_end *end)
{
	struct judgement j = judge(end);

	if (end->trouble == TROUBLE_NONE && end->reply.code == 421 && end->untouched && end->reused)
		j.fault = FAULT_NONE;	/* it lay idle too long */
	if (!j.reason)
		j.reason = "";
	return j;
}

/* --- when again ----------------------------------------------------------------------------------------------- */

static int64_t spread(int64_t us, double dice)
{
	return us * 8 / 10 + (int64_t)((double)us * 0.4 * dice);
}

int64_t outcome_retry(int counted, int64_t first, double dice)
{
	static const int minutes[] = { 1, 5, 15, 30, 60, 120, 240, 240, 480, 480, 720 };

	if (counted < 0 || counted >= (int)(sizeof(minutes) / sizeof(minutes[0])))
		return -1;
	return spread(minutes[counted] * first, dice);
}

int64_t outcome_again(enum fault fault, int64_t first, double dice)
{
	switch (fault) {
	case FAULT_OPERATOR:
		return spread(5 * first, dice);
	case FAULT_QUOTA:
		return spread(2 * first, dice);
	case FAULT_SENDER:
		return spread(15 * first, dice);
	case FAULT_RELAY:
		return spread(first / 2, dice);
	case FAULT_NONE: case FAULT_MESSAGE: case FAULT_PROSPECT:
		break;
	}
	return 0;
}

/* --- the relay's id ------------------------------------------------------------------------------------------- */

static size_t id_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("-_.@", s[n])))
		n++;
	while (n > 0 && s[n - 1] == '.')
		n--;
	return n;
}

/* strcasestr() prepares itself for long texts; here the words are in small letters, and stand near the beginning. */
static const char *find_words(const char *text, const char *words)
{
	size_t n = strlen(words);

	for (; *text; text++)
		if ((*text | 0x20) == *words && strncasecmp(text, words, n) == 0)
			return text;
	return NULL;
}

void outcome_relay_id(const char *text, char *out, size_t size)
{
	static const char *const before[] = { "queued as ", "id=", "ok " };	/* in small letters */
	const char *at;
	size_t i, n;

	out[0] = '\0';
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		at = find_words(text, before[i]);
		if (!at)
			continue;
		at += strlen(before[i]);
		n = id_length(at);
		/* SES's "Ok 0102018..." is long; "Ok queued" is a word */
		if (n == 0 || n >= size || (i == 2 && n < 16))
			continue;
		memcpy(out, at, n);
		out[n] = '\0';
		return;
	}
}
