/*
 * outcome.c: see outcome.h.
 *
 * A table, first row that fits. Enhanced codes (RFC 3463, 5248) say more than the three digits where a relay gives them; the basic digit wins over
 * the enhanced class for whether to try again. Text decides only where codes are silent, because servers' words are not to be trusted with
 * suppressing somebody.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#include "outcome.h"

const char *const fault_names[] = { "", "relay", "operator", "quota", "message", "prospect" };

#define BIT(stage) (1u << (stage))
#define ANY_STAGE (~0u)
#define BEFORE_MAIL (BIT(STAGE_CONNECT) | BIT(STAGE_GREET) | BIT(STAGE_EHLO) | BIT(STAGE_TLS) | BIT(STAGE_AUTH))
#define LATE (BIT(STAGE_RCPT) | BIT(STAGE_DATA) | BIT(STAGE_DOT))

/* Texts by which receivers say that there is no such mailbox. Lower case. */
static const char *const user_unknown[] = {
	"user unknown", "unknown user", "no such user", "no such mailbox", "no such recipient", "no such address",
	"recipient unknown", "unknown recipient", "recipient not found", "user not found", "mailbox not found",
	"mailbox does not exist", "user does not exist", "account does not exist", "address does not exist",
	"recipient does not exist", "user doesn't exist", "doesn't have a", "account that you tried to reach",
	"no mailbox here", "not a valid recipient", "invalid recipient", "invalid mailbox", "unknown mailbox",
	"unknown address", "unrouteable address", "no longer available", "account is disabled", "account has been disabled",
	NULL
};

static const char *const too_fast[] = {
	"throttling failure", "maximum sending rate", "daily message quota", "sending rate exceeded", "sending quota",
	NULL
};

/* They speak of the sender or of policy, whatever else they say. */
static const char *const not_the_user[] = { "sender", "spf", "dkim", "dmarc", "policy", "blocked", "spam", "blacklist", NULL };

enum words { ANY_WORDS, USER_UNKNOWN, TOO_FAST };

struct policy {
	unsigned stages;
	int low, high;			/* reply codes */
	const char *enhanced;		/* subject.detail, alternatives separated by blanks, "1.*" for a whole subject; "": must have none; NULL: any */
	enum words words;
	struct judgement then;
};

#define DEFER_COUNTED { .outcome = OUTCOME_DEFERRED, .counted = true }
#define DEFER(f) { .outcome = OUTCOME_DEFERRED, .fault = f }
#define FAIL(f) { .outcome = OUTCOME_FAILED, .fault = f }
#define HARD { .outcome = OUTCOME_FAILED, .fault = FAULT_PROSPECT, .hard_bounce = true }

static const struct policy policies[] = {
	{ BIT(STAGE_DOT), 200, 299, NULL, ANY_WORDS, { .outcome = OUTCOME_SENT } },

	/* the operator's: login, certificate, an identity that the relay does not take */
	{ BIT(STAGE_AUTH), 500, 599, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ BIT(STAGE_AUTH), 454, 454, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 530, 530, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 534, 535, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },
	{ ANY_STAGE, 538, 538, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },

	/* the relay's */
	{ ANY_STAGE, 421, 421, NULL, ANY_WORDS, DEFER(FAULT_RELAY) },
	{ BEFORE_MAIL, 400, 599, NULL, ANY_WORDS, DEFER(FAULT_RELAY) },
	{ ANY_STAGE, 400, 499, NULL, TOO_FAST, DEFER(FAULT_QUOTA) },
	{ ANY_STAGE, 452, 452, "3.1 5.3", ANY_WORDS, DEFER(FAULT_RELAY) },

	{ ANY_STAGE, 400, 499, NULL, ANY_WORDS, DEFER_COUNTED },

	/* size: the message's wherever it is said */
	{ ANY_STAGE, 552, 552, "3.4 2.3", ANY_WORDS, FAIL(FAULT_MESSAGE) },
	{ ANY_STAGE, 500, 599, "3.4 2.3", ANY_WORDS, FAIL(FAULT_MESSAGE) },

	{ BIT(STAGE_MAIL), 500, 599, NULL, ANY_WORDS, DEFER(FAULT_OPERATOR) },

	/* the prospect's */
	{ LATE, 500, 599, "2.2", ANY_WORDS, FAIL(FAULT_PROSPECT) },
	{ LATE, 500, 599, "1.1 1.2 1.3 1.6 1.10 4.4 7.17 7.18 7.27", ANY_WORDS, HARD },
	{ LATE, 500, 599, "2.1 1.0 0.0", USER_UNKNOWN, HARD },
	{ LATE, 500, 599, "", USER_UNKNOWN, HARD },

	/* policy, content, what nobody knows: never suppresses anybody */
	{ ANY_STAGE, 500, 599, NULL, ANY_WORDS, FAIL(FAULT_MESSAGE) },
};

/* Is one of the words in the text? Case is ignored. */
static bool says(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

/* "1.10" against one alternative of `n` bytes. */
static bool enhanced_is(const char *detail, const char *alternative, size_t n)
{
	return strlen(detail) == n && memcmp(detail, alternative, n) == 0;
}

static bool enhanced_fits(const char *enhanced, const char *wanted)
{
	size_t n;

	if (!wanted)
		return true;
	if (!*wanted || !*enhanced)
		return !*wanted && !*enhanced;
	for (; *wanted; wanted += n + (wanted[n] == ' ')) {
		n = strcspn(wanted, " ");
		if (enhanced_is(enhanced + 2, wanted, n))
			return true;
	}
	return false;
}

static bool words_fit(const char *text, enum words words)
{
	switch (words) {
	case ANY_WORDS:
		break;
	case USER_UNKNOWN:
		return says(text, user_unknown) && !says(text, not_the_user);
	case TOO_FAST:
		return says(text, too_fast);
	}
	return true;
}

static struct judgement judge_reply(enum smtp_stage stage, const struct reply *reply)
{
	const struct policy *p;

	for (p = policies; p < policies + sizeof(policies) / sizeof(policies[0]); p++)
		if ((p->stages & BIT(stage)) && reply->code >= p->low && reply->code <= p->high &&
		    enhanced_fits(reply->enhanced, p->enhanced) && words_fit(reply->text, p->words))
			return p->then;
	/* a 2xx or 3xx where it says nothing: the dialogue lets none through */
	return (struct judgement)DEFER(FAULT_RELAY);
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

struct judgement outcome_judge(const struct dialogue_end *end)
{
	if (end->in_doubt)
		return (struct judgement){ .outcome = OUTCOME_UNKNOWN, .fault = FAULT_RELAY };
	switch (end->trouble) {
	case TROUBLE_NONE:
		break;
	case TROUBLE_WITHDRAWN:
		return (struct judgement){ .outcome = OUTCOME_WITHDRAWN };
	case TROUBLE_UNVERIFIED:
		return (struct judgement)DEFER(FAULT_OPERATOR);
	case TROUBLE_CLOSED: case TROUBLE_STOPPED:
		return (struct judgement)DEFER(FAULT_NONE);
	case TROUBLE_REFUSED:
		return (struct judgement)DEFER(FAULT_RELAY);
	case TROUBLE_LOST: case TROUBLE_TIMEOUT: case TROUBLE_GARBAGE:
		return judge_lost(end);
	}
	if (end->reply.code == 421 && end->untouched && end->reused)
		return (struct judgement)DEFER(FAULT_NONE);
	return judge_reply(end->stage, &end->reply);
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

void outcome_relay_id(const char *text, char *out, size_t size)
{
	static const char *const before[] = { "queued as ", "id=", "Ok " };
	const char *at;
	size_t i, n;

	out[0] = '\0';
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		at = strcasestr(text, before[i]);
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
