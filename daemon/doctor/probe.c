/*
 * probe.c: what a mail tells that went the whole way: from the daemon over the relay to our own mailbox. What DNS promises is here seen done: is it
 * signed, do receivers count the signature, does it cover the fields of one-click unsubscribe (RFC 8058 4), what did the relay change.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "dkim.h"
#include "inside.h"
#include "letter.h"

#define SLOW (60 * US_SECOND)
#define CLOCK_APART (5 * 60)	/* seconds */
#define SHOWN 120

struct look {
	struct doctor *d;
	struct findings *f;
	const struct doctor_probe *probe;
	const struct sender_config *sender;
	const char *about;		/* the address in From */
	const char *domain;		/* its domain */
	struct letter letter;
};

static const char *get(const struct look *l, const char *name)
{
	const char *value = letter_nth(&l->letter, name, 0);

	return value ? value : "";
}

/* --- did it arrive -------------------------------------------------------------------------------------------------- */

static void judge_hand_over(struct look *l)
{
	const struct doctor_probe *p = l->probe;

	if (!p->to) {
		findings_add(l->f, DOCTOR_ERROR, "probe", l->about, "no mail was sent: %s", p->reply);
		findings_next(l->f, "the probe goes the way of all mail: the daemon must run, with this config");
	} else {
		findings_add(l->f, DOCTOR_ERROR, "probe", l->about, "the relay has not taken it, it is %s%s%s", p->state, *p->reply ? ": " : "", p->reply);
		findings_next(l->f, *p->reply ? "what the relay answered says what it misses" : "look at nurturectl status, and at the daemon's log");
	}
}

static void judge_arrival(struct look *l)
{
	const struct doctor_probe *p = l->probe;
	double seconds = (double)p->took / US_SECOND;

	if (p->bounce) {
		findings_add(l->f, DOCTOR_ERROR, "probe", l->about, "the mail to %s came back: %s", p->to, p->bounce);
		findings_next(l->f, "let the mail server of %s deliver all of r%cTOKEN@%s to the mailbox that is read", l->sender->reply_domain, l->sender->separator,
			l->sender->reply_domain);
	} else if (!p->mailbox) {
		findings_add(l->f, DOCTOR_ERROR, "probe", l->about, "the relay took the mail to %s, and in %.0f s it did not come to a mailbox that is read", p->to, seconds);
		findings_next(l->f, "look at the relay's log; do the MX of %s lead to the mailbox, and does r%cTOKEN@ arrive there? --wait allows more time",
			l->sender->reply_domain, l->sender->separator);
	} else if (p->took > SLOW) {
		findings_add(l->f, DOCTOR_WARNING, "probe", l->about, "it took %.0f s until the mail was read in mailbox `%s`", seconds, p->mailbox);
		findings_next(l->f, "its Received lines say where it waited: in the relay's queue, for greylisting, or for the next poll of the mailbox");
	} else {
		findings_add(l->f, DOCTOR_OK, "probe", l->about, "handed over, delivered and read in mailbox `%s` within %.1f s", p->mailbox, seconds);
	}
}

/* --- signatures ----------------------------------------------------------------------------------------------------- */

/* Fields that ought to be signed, and what follows where one is not. */
static const struct {
	const char *name, *shown;
	enum doctor_level level;
} wanted[] = {
	{ "list-unsubscribe", "List-Unsubscribe", DOCTOR_ERROR }, { "list-unsubscribe-post", "List-Unsubscribe-Post", DOCTOR_ERROR },
	{ "to", "To", DOCTOR_WARNING }, { "subject", "Subject", DOCTOR_WARNING }, { "date", "Date", DOCTOR_WARNING }, { "reply-to", "Reply-To", DOCTOR_WARNING },
	{ "feedback-id", "Feedback-ID", DOCTOR_WARNING }, { "message-id", "Message-ID", DOCTOR_NOTE }, { "mime-version", "MIME-Version", DOCTOR_NOTE },
	{ "content-type", "Content-Type", DOCTOR_NOTE },
};

#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static int check_signature(struct look *l, const struct letter_field *field, const struct dkim_signature *s, struct dkim_key *key, struct err *err)
{
	int rc = domains_fetch_dkim(l->d, s->selector, s->domain, key, err);

	if (rc == 0)
		err_set(err, "there is no key in DNS");
	else if (rc == -2)
		err_set(err, "there are several keys in DNS under this selector");
	else if (rc == -3)
		err_prefix(err, "the key in DNS is wrong");
	return rc == 1 ? dkim_verify(&l->letter, field, s, key, clock_now(), err) : -1;
}

static void signature_holds(struct look *l, const struct dkim_signature *s, const struct dkim_key *key, bool aligned)
{
	const char *kind = s->ed25519 ? "ed25519" : "RSA";

	if (key->testing) {
		findings_add(l->f, DOCTOR_ERROR, "probe.dkim", l->about, "the signature d=%s s=%s holds, and its key says t=y, a test: receivers do not count it", s->domain, s->selector);
		findings_next(l->f, "take t=y out of the record of %s._domainkey.%s", s->selector, s->domain);
	} else if (!aligned) {
		findings_add(l->f, DOCTOR_NOTE, "probe.dkim", l->about, "a signature d=%s s=%s holds (%s), of another domain than From", s->domain, s->selector, kind);
	} else {
		findings_add(l->f, DOCTOR_OK, "probe.dkim", l->about, "the signature d=%s s=%s holds (%s, %d bits) and counts for From", s->domain, s->selector, kind, key->bits);
	}
	if (s->length >= 0) {
		findings_add(l->f, DOCTOR_WARNING, "probe.dkim", l->about, "the signature signs only the first %lld bytes of the body (l=): others may add to it, and Gmail distrusts it",
			(long long)s->length);
		findings_next(l->f, "let the signer leave l= out");
	}
}

/* Adds to `covered` what a signature that counts signs. True if it counts. */
static bool judge_signature(struct look *l, const struct letter_field *field, bool covered[WANTED])
{
	struct dkim_signature s;
	struct dkim_key key = { 0 };
	struct err err;
	bool aligned = false, good = dkim_signature_read(field->value, &s, &err) == 0;
	size_t i;

	if (!good) {
		findings_add(l->f, DOCTOR_ERROR, "probe.dkim", l->about, "a DKIM-Signature is not as it should be: %s", err.text);
		findings_next(l->f, "mend the relay's signer");
	} else if (check_signature(l, field, &s, &key, &err) < 0) {
		good = false;
		findings_add(l->f, DOCTOR_ERROR, "probe.dkim", l->about, "the signature d=%s s=%s does not hold: %s", s.domain, s.selector, err.text);
		findings_next(l->f, "publish at %s._domainkey.%s what the relay signs with; it must be the last to change a mail", s.selector, s.domain);
	} else {
		aligned = domains_aligned(l->d, l->domain, s.domain);
		signature_holds(l, &s, &key, aligned);
	}
	good = good && aligned && !key.testing;
	for (i = 0; good && i < WANTED; i++)
		covered[i] |= dkim_signature_covers(&s, wanted[i].name);
	dkim_signature_clear(&s);
	return good;
}

static const char *const consequence[] = {
	[DOCTOR_NOTE] = "others could change them unseen",
	[DOCTOR_WARNING] = "others could change them unseen, and receivers do not count an unsigned Feedback-ID",
	[DOCTOR_ERROR] = "receivers offer no one-click unsubscribe (RFC 8058), which Gmail and Yahoo insist on",
};

/* One finding for all of one level. */
static bool judge_coverage_of(struct look *l, enum doctor_level level, const bool covered[WANTED])
{
	struct buf names = BUF_INIT;
	bool whole;
	size_t i;

	for (i = 0; i < WANTED; i++)
		if (wanted[i].level == level && !covered[i] && letter_nth(&l->letter, wanted[i].name, 0))
			buf_printf(&names, "%s%s", names.len ? ", " : "", wanted[i].shown);
	whole = !names.len;
	if (!whole) {
		findings_add(l->f, level, "probe.signed", l->about, "the signature does not cover %s: %s", buf_cstr(&names), consequence[level]);
		findings_next(l->f, "let the relay's signer sign them: h= of the DKIM-Signature (OpenDKIM: SignHeaders, or leave it out)");
	}
	buf_clear(&names);
	return whole;
}

static void judge_coverage(struct look *l, const bool covered[WANTED])
{
	bool whole = judge_coverage_of(l, DOCTOR_ERROR, covered);
	bool both = letter_nth(&l->letter, "list-unsubscribe", 0) && letter_nth(&l->letter, "list-unsubscribe-post", 0);

	findings_fact(l->f, FACT_ONE_CLICK, whole && both && text_starts_with(l->sender->tracking_url, "https://"));
	whole &= judge_coverage_of(l, DOCTOR_WARNING, covered);
	judge_coverage_of(l, DOCTOR_NOTE, covered);
	if (whole)
		findings_add(l->f, DOCTOR_OK, "probe.signed", l->about, "From, To, Subject, Date, Reply-To, List-Unsubscribe, List-Unsubscribe-Post and Feedback-ID are signed");
}

static void judge_signatures(struct look *l)
{
	bool covered[WANTED] = { false }, counts = false;
	size_t i, signatures = letter_count(&l->letter, "dkim-signature");

	for (i = 0; i < l->letter.count; i++)
		if (strcmp(l->letter.fields[i].name, "dkim-signature") == 0)
			counts |= judge_signature(l, &l->letter.fields[i], covered);
	findings_fact(l->f, FACT_DKIM, counts);
	if (!signatures) {
		findings_add(l->f, DOCTOR_ERROR, "probe.dkim", l->about, "nobody signed the mail: it has no DKIM-Signature, and Gmail, Yahoo and Microsoft refuse or file such mail");
		findings_next(l->f, "let the relay sign with d=%s: a setting of the mail service, or OpenDKIM beside Postfix", l->domain);
	} else if (!counts) {
		findings_add(l->f, DOCTOR_ERROR, "probe.dkim", l->about, "no signature counts for From: DMARC rests on SPF alone, and forwarded mail fails it");
		findings_next(l->f, "let the relay sign with d=%s", l->domain);
	} else {
		findings_fact(l->f, FACT_ALIGNED, true);
		judge_coverage(l, covered);
		return;
	}
	findings_fact(l->f, FACT_ONE_CLICK, false);
}

/* --- Authentication-Results (RFC 8601) ------------------------------------------------------------------------------ */

static const char *const methods[] = { "spf", "dkim", "dmarc" };

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* Comments in parentheses say nothing to programs. */
static char *without_comments(const char *s)
{
	struct buf b = BUF_INIT;
	int depth = 0;

	for (; *s; s++) {
		if (*s == '(')
			depth++;
		else if (*s == ')' && depth)
			depth--;
		else if (!depth)
			buf_char(&b, *s);
	}
	return buf_take(&b);
}

/* "dkim=pass header.d=..." of one method: its result; of several the best. out stays as it is where there is none. */
static void take_result(const char *field, const char *method, char out[20])
{
	const char *p = strchr(field, ';');
	size_t n = strlen(method);

	for (; p; p = strchr(p, ';')) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, method, n) == 0 && p[n] == '=' && strcmp(out, "pass") != 0) {
			snprintf(out, 20, "%.*s", (int)strspn(p + n + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), p + n + 1);
			text_lower(out);
		}
	}
}

static void judge_result(struct look *l, const char *method, const char *result)
{
	bool failed = !strcmp(result, "fail") || !strcmp(result, "softfail") || !strcmp(result, "permerror");

	if (strcmp(result, "pass") == 0) {
		findings_add(l->f, DOCTOR_OK, "probe.auth", l->about, "the receiver says %s=pass", method);
		return;
	}
	findings_add(l->f, failed ? DOCTOR_ERROR : DOCTOR_WARNING, "probe.auth", l->about, "the receiver says %s=%s", method, result);
	if (!strcmp(method, "spf"))
		findings_next(l->f, "the SPF record of %s must name the address that the relay sends by; the receiver's Received line has it", l->sender->bounce_domain);
	else if (!strcmp(method, "dkim"))
		findings_next(l->f, "see the findings probe.dkim above");
	else
		findings_next(l->f, "DMARC passes when SPF or DKIM passes for a domain of From's organisation; see the findings dmarc, alignment and probe.dkim");
}

static void judge_results(struct look *l)
{
	const char *value;
	size_t i, m, told = 0;

	for (m = 0; m < METHODS; m++) {
		char result[20] = "";

		/* each may stand in a field of its own; the receiver's own are on top */
		for (i = 0; !*result && (value = letter_nth(&l->letter, "authentication-results", i)); i++) {
			char *plain = without_comments(value);

			take_result(plain, methods[m], result);
			free(plain);
		}
		if (*result)
			judge_result(l, methods[m], result);
		told += *result != '\0';
	}
	if (told == 0)
		findings_add(l->f, DOCTOR_NOTE, "probe.auth", l->about, "the mail server of the mailbox writes no Authentication-Results: what it makes of SPF, DKIM and DMARC is not told");
}

/* --- the way (Received, RFC 5321 4.4, RFC 3848) --------------------------------------------------------------------- */

/* The word behind " by " or " with ", outside of comments. */
static char *clause(const char *received, const char *word)
{
	char *plain = without_comments(received), *sought = xasprintf(" %s ", word), *at = strcasestr(plain, sought), *out;

	at = at ? at + strlen(sought) : NULL;
	out = at ? xstrndup(at + strspn(at, " \t"), strcspn(at + strspn(at, " \t"), " \t;")) : xstrdup("");
	free(plain);
	free(sought);
	return out;
}

/* The address in "from name (name [192.0.2.1])"; "" if it says none. */
static void address_of(const char *received, char out[64])
{
	const char *by = strcasestr(received, " by "), *open = strchr(received, '[');
	size_t n;

	*out = '\0';
	if (!open || (by && open > by))
		return;
	open += strncasecmp(open + 1, "IPv6:", 5) == 0 ? 6 : 1;
	n = strcspn(open, "]");
	if (n < 64)
		snprintf(out, 64, "%.*s", (int)n, open);
}

/* Over a network, by SMTP, in the clear. */
static bool is_clear(const char *received, const char *with)
{
	static const char *const open_protocols[] = { "SMTP", "ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA", NULL };
	char ip[64];
	size_t i;

	address_of(received, ip);
	if (!*ip || names_private(ip) || strcasestr(received, "TLS"))
		return false;
	for (i = 0; open_protocols[i]; i++)
		if (strcasecmp(with, open_protocols[i]) == 0)
			return true;
	return false;
}

static void judge_way(struct look *l)
{
	size_t i, count = letter_count(&l->letter, "received"), clear = 0, secret = 0;
	char ip[64];

	for (i = 0; i < count; i++) {
		const char *received = letter_nth(&l->letter, "received", i);
		char *with = clause(received, "with"), *by = clause(received, "by");

		address_of(received, ip);
		if (is_clear(received, with)) {
			clear++;
			findings_add(l->f, DOCTOR_WARNING, "probe.tls", l->about, "it went from %s to %s without TLS", ip, by);
			findings_next(l->f, "let both of them offer and use TLS; for Postfix: smtp_tls_security_level = may, smtpd_tls_security_level = may");
		}
		secret += strcasestr(received, "TLS") || strcasestr(with, "SMTPS") != NULL;
		/* the newest hop over the network shows the address by which the relay sends; the oldest is how it got the mail from us */
		if (*ip && !names_private(ip) && i + 1 < count && !findings_has(l->f, "reverse", ip) && !clear)
			relays_look_reverse(l->d, ip);
		free(with);
		free(by);
	}
	if (!clear)
		findings_add(l->f, DOCTOR_OK, "probe.tls", l->about, "%zu steps on its way, %zu of them by TLS, none of the others over a network", count, secret);
}

/* --- what the relay changed ----------------------------------------------------------------------------------------- */

static void changed(struct look *l, enum doctor_level level, const char *field, const char *next)
{
	const char *value = letter_nth(&l->letter, field, 0);

	if (value)
		findings_add(l->f, level, "probe.headers", l->about, "%s came as `%.*s`, which is not what was sent", field, SHOWN, value);
	else
		findings_add(l->f, level, "probe.headers", l->about, "%s was taken out", field);
	findings_next(l->f, "%s", next);
}

/* Fields of which there must be one (RFC 5322 3.6). */
static void judge_counts(struct look *l)
{
	static const char *const single[] = { "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type", NULL };
	size_t i, n;

	for (i = 0; single[i]; i++) {
		n = letter_count(&l->letter, single[i]);
		if (n > 1) {
			findings_add(l->f, DOCTOR_ERROR, "probe.headers", l->about, "%s is there %zu times: Gmail refuses such mail", single[i], n);
			findings_next(l->f, "let the relay add none of its own");
		}
	}
}

static void judge_identity(struct look *l)
{
	const struct sender_config *s = l->sender;
	char *id = xasprintf("<n1.%s@%s>", get(l, "x-nurtured-id"), s->message_domain);
	char *from = xasprintf("<%s>", l->about), *path = xasprintf("@%s", s->bounce_domain);

	if (!strcasestr(get(l, "from"), from))
		changed(l, DOCTOR_ERROR, "from", "allow the sender at the relay: verify its address or domain there, and let it send as that");
	if (!strcasestr(get(l, "to"), l->probe->to))
		changed(l, DOCTOR_WARNING, "to", "let the relay leave the header as it is");
	if (!strcasestr(get(l, "reply-to"), s->from.text))
		changed(l, DOCTOR_ERROR, "reply-to", "let the relay leave Reply-To as it is: replies find their way by it");
	if (strcmp(get(l, "message-id"), id) != 0)
		changed(l, DOCTOR_WARNING, "message-id", "replies are still known by their address; the mails of a thread (`same_thread`) do not hang together: leave it as it is, if the relay can");
	if (*get(l, "return-path") && !strcasestr(get(l, "return-path"), path))
		changed(l, DOCTOR_ERROR, "return-path", "let the relay keep the envelope sender: bounces come back to it; of a mail service take its webhook (`esp`)");
	if (letter_nth(&l->letter, "sender", 0))
		changed(l, DOCTOR_WARNING, "sender", "mail programs show it as \"on behalf of\": let the relay add none");
	free(id);
	free(from);
	free(path);
}

static void judge_unsubscribe(struct look *l)
{
	char *link = xasprintf("<%s/u/", l->sender->tracking_url), *mailto = xasprintf("@%s?", l->sender->reply_domain);

	if (!strstr(get(l, "list-unsubscribe"), link) || !strstr(get(l, "list-unsubscribe"), mailto))
		changed(l, DOCTOR_ERROR, "list-unsubscribe", "turn off the relay's own unsubscribe and link tracking: nurtured must hear who wants no more");
	if (strcmp(get(l, "list-unsubscribe-post"), "List-Unsubscribe=One-Click") != 0)
		changed(l, DOCTOR_ERROR, "list-unsubscribe-post", "let the relay leave it as it is: without it there is no one-click unsubscribe (RFC 8058)");
	free(link);
	free(mailto);
}

static void judge_rest(struct look *l)
{
	time_t date = curl_getdate(get(l, "date"), NULL), now = (time_t)(clock_now() / US_SECOND) - (time_t)(l->probe->took / US_SECOND);

	if (date < 0 || date > now + CLOCK_APART || date < now - CLOCK_APART)
		changed(l, DOCTOR_WARNING, "date", "let the relay leave Date as it is, and set its clock");
	/* "[Test] ...", or an encoded word that holds it */
	if (!text_starts_with(get(l, "subject"), "[Test]") && !text_starts_with(get(l, "subject"), "=?"))
		changed(l, DOCTOR_WARNING, "subject", "let neither relay nor mail server write into subjects");
	if (!strstr(get(l, "content-type"), "\"=_n_")) {
		findings_add(l->f, DOCTOR_WARNING, "probe.headers", l->about, "the body was built anew on its way: something adds a footer, a picture or links of its own");
		findings_next(l->f, "turn off open and link tracking, footers and disclaimers of the relay: nurtured does these itself");
	}
}

static void judge_headers(struct look *l)
{
	size_t before = l->f->count;

	judge_counts(l);
	judge_identity(l);
	judge_unsubscribe(l);
	judge_rest(l);
	if (l->f->count == before)
		findings_add(l->f, DOCTOR_OK, "probe.headers", l->about, "all fields came as they were sent");
}

void doctor_probe(struct doctor *d, const struct doctor_probe *probe)
{
	struct look l = { .d = d, .f = &d->findings, .probe = probe, .sender = &d->operator->senders[probe->sender] };

	l.about = probe->owner ? probe->owner : l.sender->from.text;
	l.domain = probe->owner ? strrchr(probe->owner, '@') + 1 : l.sender->message_domain;
	if (probe->unused) {
		findings_add(l.f, DOCTOR_NOTE, "probe", l.about, "no mail is from it, so that there is none to send");
		findings_next(l.f, "a mail with `from: %s` in its front matter has it", l.sender->name);
		return;
	}
	if (!probe->mailbox && !probe->bounce && (!probe->to || strcmp(probe->state, "sent") != 0)) {
		judge_hand_over(&l);
		return;
	}
	judge_arrival(&l);
	if (!probe->mailbox)
		return;
	if (!probe->raw) {
		findings_add(l.f, DOCTOR_NOTE, "probe", l.about, "the mail arrived and is not kept any more, so that nothing else can be told of it");
		findings_next(l.f, "let keep.raw_mail_size be larger: what comes in now pushes it out at once");
		return;
	}
	letter_open(&l.letter, probe->raw, probe->len);
	judge_signatures(&l);
	judge_results(&l);
	judge_way(&l);
	judge_headers(&l);
	letter_clear(&l.letter);
}
