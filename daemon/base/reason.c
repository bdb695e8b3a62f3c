/*
 * reason.c: why a mail was refused. Codes and words are weighed reason by reason, narrow ones first: a full mailbox
 * is told with "user unknown" numbers, a policy with "access denied". Some reasons are believed by their number
 * alone, some by words alone, and "user unknown" only where the number or the point of the dialogue agrees:
 * filters say it of mail that they do not like, to the letter.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/patterns.h"
#include "base/reason.h"
#include "reason_words.h"

#define WORDS_MAX (8 * 1024)

struct look {
	const struct refusal *r;
	const char *text;		/* squeezed */
	const char *by_status;		/* what the number says by itself */
	const char *by_form;		/* what the program that writes so means, or NULL */
	signed char *known;		/* of each set: 1 the words are in it, -1 they are not, 0 not asked yet */
};

/* --- one line of lower case ------------------------------------------------------------------------------ */

static void squeeze(struct buf *out, const char *s)
{
	bool gap = true;

	for (; *s && out->len < WORDS_MAX; s++) {
		bool space = isspace((unsigned char)*s);

		if (!space)
			buf_char(out, (char)tolower((unsigned char)*s));
		else if (!gap)
			buf_char(out, ' ');
		gap = space;
	}
}

/* "550-5.7.1 a message with 550 5.7.1 two headers": what begins each line of a reply is cut out of it. */
static const char *unfold(char *text, int code)
{
	char begin[8];
	char *to, *at;

	snprintf(begin, sizeof(begin), "%d-", code);
	if (!code || !strstr(text, begin))
		return text;
	for (to = at = text + strlen(begin); *at; *to++ = *at++) {
		while (at[-1] == ' ' && !strncmp(at, begin, 3) && (at[3] == ' ' || at[3] == '-')) {
			at += 4;
			if (isdigit((unsigned char)at[0]) && at[1] == '.')
				at += strcspn(at, " ");
			at += *at == ' ';
		}
		if (!*at)
			break;
	}
	*to = '\0';
	return text;
}

/* --- one reason ------------------------------------------------------------------------------------------ */

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool status_ends(const struct look *l, const char *ending)
{
	return *l->r->status && is(l->r->status + 1, ending);
}

static bool before_data(const struct look *l)
{
	return l->r->stage == REFUSED_CONNECT || l->r->stage == REFUSED_MAIL || l->r->stage == REFUSED_RCPT;
}

static bool said(const struct look *l, enum reason_words set)
{
	if (!l->known[set])
		l->known[set] = reason_words(set, l->text) ? 1 : -1;
	return l->known[set] > 0;
}

/* "Sender verify failed: no such user": who is missing there is on our side. A field of the header that is quoted names nobody. */
static bool names_sender(const struct look *l)
{
	static struct pattern sender = PATTERN_BYTES("\\bsender(?:'s)? (?:e-?mail )?(?:address )?(?:verif|callout|rejected|refused|unknown|not found|does not exist)|"
		"verif(?:y|ication) (?:failed|failure) for|(?:unknown|unverified|invalid) sender|verify (?:the |your )?(?:sender|return)|return[- ]path(?!: ?<)|\\bbatv\\b|in (?:the )?sender(?:'s)? address|"
		"\\b(?:sender|ip|you|your \\S+)\\b[^.;:]{0,40}not our customer|not our customer, sender|"
		"(?:送信者|送信元|差出人|\\bspf|\\bdns|odes\\S+latel|felad\\S|exp\\S+diteur|remitente|mittente|remetente|afzender|отправител|nadawc)[^.;:]{0,60}?"
			"(?:存在しません|見つかりません|neexist|nem l\\S+tez|n.existe|no existe|inesistente|non esiste|n\\S+o existe|bestaat niet|не (?:существует|найден)|nie istnieje)");

	return pattern_in(&sender, l->text);
}

/* And so is a PTR record; or it is on the way. */
static bool is_about_sender(const struct look *l)
{
	return is(l->by_status, "rejected") || said(l, WORDS_REQUIRE_PTR) || said(l, WORDS_NETWORK) || names_sender(l);
}

/* "Helo command rejected: Host not found": it is ours that they do not find. */
static bool is_about_our_host(const struct look *l)
{
	return l->r->stage == REFUSED_CONNECT || l->r->stage == REFUSED_MAIL || strstr(l->text, "helo ") || strstr(l->text, "client host");
}

/* And where a form says that a host is not known: before a recipient was named, or by the words around it, it is ours. */
static bool is_form_of_us(const struct look *l)
{
	static struct pattern ours = PATTERN_BYTES("\\b(?:helo|ehlo|sender|mail from|from address)\\b[^.;]{0,60}?(?:unroute?able address|unknown domain name|domain mentioned in)|"
		"(?:unroute?able address|unknown domain name|domain mentioned in e?-?mail address)[^.;]{0,24}?\\b(?:helo|ehlo|sender|from:? header)\\b");

	return l->by_form && is(l->by_form, "hostunknown") &&
	       (l->r->stage == REFUSED_CONNECT || l->r->stage == REFUSED_MAIL || pattern_in(&ours, l->text));
}

/* "450 mailbox unavailable": it may be busy. */
static bool is_passing(const struct look *l)
{
	bool transient = *l->r->status ? l->r->status[0] == '4' : l->r->code / 100 == 4;

	return transient && strncmp(l->r->status, "4.1.", 4) && strstr(l->text, "unavailable");
}

/* "5.1.1" over words that say something else is no unknown user. */
static bool is_user_unknown(const struct look *l)
{
	static const enum reason_words other[] = { WORDS_NO_RELAYING, WORDS_BLOCKED, WORDS_MAILBOX_FULL, WORDS_MOVED, WORDS_REJECTED,
		WORDS_NOT_ACCEPT };

	if (l->by_form && (is(l->by_form, "userunknown") || is(l->by_form, "hostunknown")))
		return is(l->by_form, "userunknown");
	if (!is(l->by_status, "userunknown"))
		return l->r->stage == REFUSED_RCPT && said(l, WORDS_USER_UNKNOWN) && !is_about_sender(l) && !is_passing(l);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (said(l, other[i]))
			return false;
	return true;
}

static bool is_filtered(const struct look *l)
{
	if (is(l->by_status, "suspend") || is(l->by_status, "rejected") || is(l->by_status, "hasmoved") ||
		(!is(l->by_status, "filtered") && before_data(l)))
		return false;
	return said(l, WORDS_USER_UNKNOWN) || said(l, WORDS_FILTERED);
}

static bool is_rejected(const struct look *l)
{
	static const char *const vague[] = { "undefined", "onhold", "securityerror", "systemerror", NULL };

	if (is(l->by_status, "rejected"))
		return true;
	if (l->r->stage == REFUSED_MAIL && strstr(l->text, "access denied"))
		return true;
	if (l->r->stage == REFUSED_MAIL || (l->r->stage == REFUSED_DATA && !is(l->by_status, "userunknown")))
		return said(l, WORDS_REJECTED);
	for (size_t i = 0; vague[i]; i++)
		if (is(l->by_status, vague[i]))
			return said(l, WORDS_REJECTED);
	return false;
}

static bool is_host_unknown(const struct look *l)
{
	if (l->by_form && is(l->by_form, "hostunknown"))
		return true;
	if (!is(l->by_status, "hostunknown") && (is_about_our_host(l) || is_about_sender(l)))
		return false;
	return (is(l->by_status, "hostunknown") || said(l, WORDS_HOST_UNKNOWN)) && !said(l, WORDS_NETWORK);
}

static bool is_spam(const struct look *l)
{
	return *l->r->status && (is(l->by_status, "spamdetected") || (!before_data(l) && said(l, WORDS_SPAM) && !said(l, WORDS_VIRUS)));
}

static bool is_content(const struct look *l)
{
	return (is(l->by_status, "contenterror") || said(l, WORDS_CONTENT_ERROR)) && !is_spam(l);
}

/* "4.4.5 Insufficient disk space": of all, where nobody's mailbox is named. */
static bool is_system_full(const struct look *l)
{
	static struct pattern one = PATTERN_BYTES("quota|\\b(?:user|mail ?box|inbox|account|recipient|mail ?dir|folder)\\b");

	return is(l->by_status, "systemfull") && (said(l, WORDS_MAILBOX_FULL) || said(l, WORDS_SYSTEM_FULL)) && !pattern_in(&one, l->text);
}

/* By number or by words. */
static bool either(const struct look *l, const char *reason, enum reason_words set)
{
	return is(l->by_status, reason) || said(l, set);
}

/* --- by number and words --------------------------------------------------------------------------------- */

static const char *narrow(const struct look *l)
{
	if (is_system_full(l))
		return "systemfull";
	if (l->r->stage != REFUSED_CONNECT && either(l, "mailboxfull", WORDS_MAILBOX_FULL))
		return "mailboxfull";
	if (is(l->by_status, "mesgtoobig") || (!status_ends(l, ".2.3") && said(l, WORDS_TOO_BIG)))
		return "mesgtoobig";
	if (either(l, "exceedlimit", WORDS_EXCEED_LIMIT))
		return "exceedlimit";
	if (l->r->code == 525 || said(l, WORDS_SUSPEND))
		return "suspend";
	if (said(l, WORDS_MOVED))
		return "hasmoved";
	if (l->r->stage != REFUSED_CONNECT && said(l, WORDS_NO_RELAYING))
		return "norelaying";
	if (either(l, "authfailure", WORDS_AUTH_FAILURE))
		return "authfailure";
	if (is_user_unknown(l))
		return "userunknown";
	if (is_filtered(l))
		return "filtered";
	if (either(l, "requireptr", WORDS_REQUIRE_PTR))
		return "requireptr";
	if (said(l, WORDS_NOT_COMPLIANT))
		return "notcompliantrfc";
	if (said(l, WORDS_BAD_REPUTATION))
		return "badreputation";
	if (is_content(l))
		return "contenterror";
	if (is_rejected(l))
		return "rejected";
	if (is_host_unknown(l))
		return "hostunknown";
	if (is_spam(l))
		return "spamdetected";
	if (said(l, WORDS_SPEEDING))
		return "speeding";
	if (either(l, "toomanyconn", WORDS_TOO_MANY_CONN))
		return "toomanyconn";
	if (either(l, "blocked", WORDS_BLOCKED))
		return "blocked";
	return NULL;
}

/* Where the number does not contradict. */
static const char *wide(const struct look *l)
{
	static const struct {
		enum reason_words set;
		const char *reason;
	} order[] = {
		{ WORDS_MAILBOX_FULL, "mailboxfull" }, { WORDS_AUTH_FAILURE, "authfailure" }, { WORDS_BAD_REPUTATION, "badreputation" },
		{ WORDS_SPEEDING, "speeding" }, { WORDS_VIRUS, "virusdetected" }, { WORDS_SPAM, "spamdetected" }, { WORDS_POLICY, "policyviolation" },
		{ WORDS_NO_RELAYING, "norelaying" }, { WORDS_SYSTEM_ERROR, "systemerror" }, { WORDS_NETWORK, "networkerror" },
		{ WORDS_SUSPEND, "suspend" }, { WORDS_CONTENT_ERROR, "contenterror" },
		{ WORDS_SYSTEM_FULL, "systemfull" }, { WORDS_NOT_ACCEPT, "notaccept" }, { WORDS_EXPIRED, "expired" },
		{ WORDS_NO_TLS, "failedstarttls" }, { WORDS_SECURITY, "securityerror" }, { WORDS_SUPPRESSED, "suppressed" },
		{ WORDS_MAILER, "mailererror" },
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (said(l, order[i].set))
			return order[i].reason;
	return NULL;
}

/* Words that nothing speaks against, and nothing for. */
static const char *last(const struct look *l)
{
	static const struct {
		enum reason_words set;
		const char *reason;
	} order[] = {
		{ WORDS_USER_UNKNOWN, "userunknown" }, { WORDS_REJECTED, "rejected" }, { WORDS_SYNTAX, "syntaxerror" }, { WORDS_HELD, "onhold" },
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (said(l, order[i].set) && (order[i].set != WORDS_USER_UNKNOWN || (!is_about_sender(l) && !is_passing(l))))
			return order[i].reason;
	return NULL;
}

/* Is more to be heard than the number, or than that form of words, says? */
static bool is_vague(const char *reason)
{
	static const char *const vague[] = { "undefined", "onhold", "systemerror", "securityerror", "expired", "networkerror", "hostunknown",
		"userunknown", NULL };

	for (size_t i = 0; reason && vague[i]; i++)
		if (is(reason, vague[i]))
			return true;
	return !reason;
}

static const char *decide(struct look *l)
{
	const char *reason;

	if (l->r->hint && !is_vague(l->r->hint))
		return l->r->hint;
	reason = reason_of_label(l->text);
	if (reason)
		return reason;
	l->by_form = reason_of_form(l->text, l->r->stage);
	if (is_form_of_us(l))
		l->by_form = NULL;
	if (!l->by_form)
		l->by_form = l->r->hint;
	if (!is_vague(l->by_form) || (l->by_form && is(l->by_form, "networkerror")))
		return l->by_form;
	if (*l->r->hosts)
		reason = reason_of_host(l->r, l->text);
	if (!reason && !l->r->program)
		reason = narrow(l);
	if (!reason)
		reason = l->by_form;
	if (!reason && (!l->r->program || is_vague(l->by_status)))
		reason = wide(l);
	return reason ? reason : is(l->by_status, "undefined") && !l->r->program ? last(l) : NULL;
}

const char *reason_of_refusal(const struct refusal *r)
{
	struct buf text = BUF_INIT;
	signed char known[REASON_WORDS] = { 0 };
	struct look l = { .r = r, .known = known };
	const char *reason;

	if (!strncmp(r->status, "2.", 2))
		return "delivered";
	if (r->code)
		buf_printf(&text, "%d ", r->code);
	if (*r->status)
		buf_printf(&text, "%s ", r->status);
	squeeze(&text, r->words);
	l.text = text.data ? unfold(text.data, r->code) : "";
	l.by_status = reason_of_status(r->status, 0);
	reason = decide(&l);
	buf_clear(&text);
	return reason;
}

const char *reason_of_text(const char *text)
{
	const struct refusal r = { .words = text, .status = "", .hosts = "", .stage = REFUSED_RCPT };

	return reason_of_refusal(&r);
}

/* --- what follows ---------------------------------------------------------------------------------------- */

/* RFC 6531, RFC 6533: only an address with such letters is written to that way. Its servers do not take them: nobody here can mend that. */
static bool is_about_utf8(const char *status)
{
	return *status && (is(status + 1, ".6.7") || is(status + 1, ".6.8") || is(status + 1, ".6.9") || is(status + 1, ".6.10"));
}

enum bounce_kind reason_kind(const char *reason, const char *status, bool permanent)
{
	static const char *const hard[] = { "userunknown", "hostunknown", "hasmoved", "suppressed", NULL };
	static const char *const soft[] = {"mailboxfull", "suspend", "filtered", "expired", "exceedlimit",
		"systemfull", "systemerror", "networkerror", "mailererror", "onhold", "undefined", NULL};

	if (!strcmp(reason, "delivered"))
		return BOUNCE_NONE;
	if (!strcmp(reason, "notaccept"))
		return permanent ? BOUNCE_HARD : BOUNCE_SOFT;
	for (size_t i = 0; hard[i]; i++)
		if (!strcmp(reason, hard[i]))
			return BOUNCE_HARD;
	for (size_t i = 0; soft[i]; i++)
		if (!strcmp(reason, soft[i]))
			return BOUNCE_SOFT;
	return is_about_utf8(status) ? BOUNCE_SOFT : BOUNCE_SENDER;
}
