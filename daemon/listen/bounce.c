/*
 * bounce.c: a delivery status is believed for action, recipient and codes; why it failed is read from the
 * words of the remote server first (reason.c). Half of all bounces carry no status: there the lines of the
 * notice that hold a reply code or follow a server's name are looked at first, then the whole of it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/patterns.h"
#include "base/reason.h"
#include "base/text.h"
#include "bounce.h"
#include "charset.h"
#include "evidence.h"

#define DIAGNOSTIC_MAX 500

/* --- is it one? ----------------------------------------------------------------------------------------- */

static struct pattern subjects = PATTERN(
	"undeliver|delivery\\s+(?:status|failure|has\\s+failed|notification|problem|delayed|unsuccessful|"
	"report)|returned\\s+(?:mail|to\\s+sender)|"
	"failure\\s+notice|mail\\s+(?:delivery\\s+)?(?:failed|failure|error|system\\s+error)|(?:message|"
	"mail)\\s+(?:status|delayed|not\\s+delivered)|could\\s+not\\s+be\\s+delivered|"
	"non[-\\s]remis|non\\s+distribu|unzustellbar|nicht\\s+zugestellt|unzustellbarkeit|"
	"no\\s+se\\s+(?:puede|pudo|ha\\s+podido)\\s+entregar|no\\s+entregado|mancat[oa]\\s+(?:recapito|"
	"consegna)|"
	"non\\s+recapitabile|onbestelbaar|недоставлен|не\\s+(?:удалось\\s+)?доставлен|送信できません|配信不能|退信|"
	"returned\\s+message|bounce|mail\\s+could\\s+not|rejected\\s+(?:mail|message)|"
	"warning:\\s+(?:message|could\\s+not)|delivery\\s+has\\s+been\\s+delayed|errors?\\s+(?:in|"
	"during)\\s+(?:mail\\s+)?(?:delivery|processing)|unknown\\s+address");

static struct pattern senders = PATTERN("mailer-?daemon|\\bpost_?master\\b|mail.?delivery|"
	"mail\\s+administrator|\\bbounces?[+@-]|mail.?system|mmdf|mail-?error");

static struct pattern wording = PATTERN(
	"this\\s+is\\s+the\\s+(?:qmail-send|mailer-daemon|mail\\s+(?:system|delivery)|postfix|dragonfly)|"
	"could\\s+not\\s+be\\s+delivered\\s+to|permanent\\s+fatal\\s+errors|"
	"transcript\\s+of\\s+session\\s+follows|"
	"did\\s+not\\s+reach\\s+the\\s+following|did\\s+not\\s+reach\\s+some\\s+or\\s+all|delivery\\s+(?:to|"
	"has\\s+failed\\s+to)\\s+(?:these|the\\s+following)\\s+(?:recipient|address)|address\\s+not\\s+found|"
	"wasn't\\s+(?:able\\s+to\\s+)?deliver|"
	"unable\\s+to\\s+deliver\\s+(?:your\\s+)?message|was\\s+not\\s+delivered|failed\\s+permanently|"
	"undeliverable|error\\s+delivering\\s+your\\s+mail|cannot\\s+be\\s+delivered\\s+to|"
	"rejected\\s+by\\s+a\\s+remote\\s+mail\\s+server|"
	"failure\\s+reasons|error\\s+message\\s+below|had\\s+trouble\\s+delivering|"
	"delivery\\s+to\\s+the\\s+following|(?:message|mail)\\s+(?:is|has\\s+been)\\s+delayed|"
	"following\\s+recipients?\\s+(?:was|were|could|has|have|did)|"
	"не\\s+может\\s+быть\\s+доставлено|permanent\\s+(?:error|failure)|consegna\\s+non\\s+riuscita|"
	"konnte\\s+nicht\\s+zugestellt|n'a\\s+pas\\s+pu\\s+[êe]tre\\s+(?:remis|envoy|distribu)");

bool bounce_recognise(const struct opened_mail *m, struct mail_reading *r)
{
	const struct headers *h = &m->headers;
	const char *from = headers_decode(m->arena, headers_get(h, "from"));
	const char *subject = headers_decode(m->arena, headers_get(h, "subject"));
	const char *return_path = headers_get(h, "return-path");
	int signs = 0;

	if (m->status)
		return evidence_add(r, "delivery-status");
	if (!strcmp(m->type, "multipart/report") && !strcmp(m->report_type, "delivery-status"))
		return evidence_add(r, "report-type");
	if (headers_get(h, "x-failed-recipients"))
		return evidence_add(r, "x-failed-recipients");
	if (pattern_in(&senders, from))
		signs += evidence_add(r, "from");
	if (pattern_in(&subjects, subject))
		signs += evidence_add(r, "subject");
	if (return_path && !strncmp(return_path, "<>", 2))
		signs += evidence_add(r, "null return path");
	if (m->has_original)
		signs += evidence_add(r, "original");
	if (pattern_in(&wording, m->notice))
		signs += evidence_add(r, "wording");
	/*
	 * a null sender is every automatic reply's too, and anybody may attach a mail: one sign must be of
	 * words
	 */
	if (signs >= 2 && (pattern_in(&wording, m->notice) || pattern_in(&subjects, subject) ||
			   (pattern_in(&senders, from) && m->has_original)))
		return true;
	r->evidence_count = 0;
	return false;
}

/* --- delivery status ------------------------------------------------------------------------------------ */


static const char *after_type(const char *value)
{
	const char *semi = value ? strchr(value, ';') : NULL;

	if (!value)
		return "";
	if (!semi)
		return value;
	semi++;
	return semi + strspn(semi, " \t");
}

static int action_rank(const struct headers *f)
{
	const char *action = headers_get(f, "action");

	if (!action)
		return 2;
	return !strncasecmp(action, "failed", 6) ? 3 : !strncasecmp(action, "delayed", 7) ? 1 : 0;
}

/* Groups are header blocks apart by empty lines; stray text between them parses to nothing. */
static bool best_group(const struct opened_mail *m, struct headers *best, struct headers *message)
{
	const char *s = m->status;
	size_t left = strlen(s);
	int rank = -1;

	message->count = 0;
	for (int groups = 0; left && groups < 200; groups++) {
		struct headers f;
		size_t used = headers_parse(&f, m->arena, s, left);

		if (headers_get(&f, "reporting-mta") || headers_get(&f, "original-envelope-id"))
			*message = f;
		if ((headers_get(&f, "final-recipient") || headers_get(&f, "original-recipient") ||
			    headers_get(&f, "status")) &&
			action_rank(&f) > rank) {
			rank = action_rank(&f);
			*best = f;
		}
		s += used;
		left -= used;
	}
	return rank >= 0;
}

static const char *lower(struct arena *arena, const char *s)
{
	char *copy = arena_strdup(arena, s);

	text_lower(copy);
	return copy;
}

static const char *cut(struct arena *arena, const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n > max)
		for (n = max; n && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
	return arena_strndup(arena, s, n);
}

static void read_status(const struct opened_mail *m, struct mail_bounce *out)
{
	struct headers f, message;
	const char *to, *diagnostic;
	struct pattern_hit hit;
	static struct pattern status = PATTERN("\\b([245]\\.\\d{1,3}\\.\\d{1,3})\\b");

	if (!best_group(m, &f, &message))
		return;
	to = headers_get(&f, "final-recipient");
	if (!to || !strchr(to, '@'))
		to = headers_get(&f, "original-recipient") ? headers_get(&f, "original-recipient") : to;
	out->recipient = headers_address(m->arena, after_type(to));
	if (!*out->recipient)
		out->recipient = lower(m->arena, after_type(to));
	out->action = lower(m->arena, headers_token(m->arena, headers_get(&f, "action")));
	diagnostic = headers_get(&f, "diagnostic-code");
	out->diagnostic = diagnostic ? headers_decode(m->arena, diagnostic) : "";
	if (headers_get(&f, "status") &&
		pattern_find(&status, headers_get(&f, "status"), strlen(headers_get(&f, "status")), 0, &hit))
		out->status = arena_strndup(m->arena, hit.group[1].data, hit.group[1].len);
	if (headers_get(&message, "original-envelope-id"))
		out->original_envelope_id = headers_get(&message, "original-envelope-id");
}

/* --- the notice ----------------------------------------------------------------------------------------- */

/* Lines that tell what a server answered: with a code, or behind ">>>", "said:", "reason:". */
static char *telling_lines(const struct opened_mail *m)
{
	static struct pattern telling = PATTERN(
		"(?:^|[\\s:;(\\[<'#])[45]\\d\\d[-\\s](?!\\d)|\\b[45]\\.\\d\\.\\d{1,3}\\b|<<<|\\bsaid:|"
		"\\breason:|\\berror\\b.*:|\\bdiagnostic|responded|returned|response|unknown|"
		"not\\s+(?:found|recognized|listed)|quota|full\\b");
	struct buf b = BUF_INIT;
	const char *s = m->notice;
	int follow = 0;
	char *text;

	while (*s && b.len < 8192) {
		size_t n = strcspn(s, "\n");

		if (pattern_find(&telling, s, n, 0, NULL))
			follow = 3;	/* replies are folded over lines */
		if (follow-- > 0) {
			buf_add(&b, s, n);
			buf_char(&b, ' ');
		}
		s += n + (s[n] == '\n');
	}
	text = arena_strdup(m->arena, buf_cstr(&b));
	buf_clear(&b);
	return text;
}

struct failed {
	struct arena *arena;
	const char *not_this;	/* who the report was sent to */
	char *address;
};

static void first_failed(void *ctx, const char *address, size_t n)
{
	static struct pattern daemon = PATTERN("^mailer-daemon@");
	struct failed *f = ctx;
	char *s;

	if (f->address)
		return;
	s = arena_strndup(f->arena, address, n);
	text_lower(s);
	if (strcmp(s, f->not_this) && !pattern_in(&daemon, s))
		f->address = s;
}

static const char *failed_in_notice(const struct opened_mail *m)
{
	static struct pattern alone = PATTERN("^[\\s*\"]*(?:to:\\s*|recipient(?:\\s+address)?:\\s*)?<?([^"
		"\\s<>\"]+@[^\\s<>\":;,]+)>?\"?\\s*(?:[:;.,(]|$|on\\s|invalid)");
	const char *given = headers_get(&m->headers, "x-failed-recipients");
	struct failed f = { m->arena, headers_address(m->arena, headers_get(&m->headers, "to")), NULL };
	struct pattern_hit hit;
	size_t at = 0, n = strlen(m->notice);

	if (given)
		return headers_address(m->arena, given);
	while (!f.address && pattern_find(&alone, m->notice, n, at, &hit)) {
		headers_addresses(
			arena_strndup(m->arena, hit.group[1].data, hit.group[1].len), first_failed, &f);
		at = (size_t)(hit.group[0].data - m->notice) + hit.group[0].len;
		at += hit.group[0].len == 0;
	}
	if (!f.address)
		headers_addresses(m->notice, first_failed, &f);
	return f.address ? f.address : "";
}

/* Codes as they stand in a server's words: "550 5.1.1", "550-5.1.1", "(#5.1.1)". */
static void read_codes(struct arena *arena, const char *text, struct mail_bounce *out)
{
	static struct pattern code = PATTERN("(?:^|[\\s:;(\\[<'#])([45]\\d\\d)(?=[-\\s;:'\\])])(?![-\\s]"
		"\\d+\\s+seconds)");
	static struct pattern status = PATTERN("(?:^|[\\s:;(\\[<'#\\-])([45]\\.\\d{1,2}\\.\\d{1,3})(?![."
		"\\d])");
	struct pattern_hit hit;

	if (!out->code && pattern_find(&code, text, strlen(text), 0, &hit))
		out->code = (hit.group[1].data[0] - '0') * 100 + (hit.group[1].data[1] - '0') * 10 +
			    hit.group[1].data[2] - '0';
	if ((!*out->status || strstr(out->status, ".0.0")) &&
		pattern_find(&status, text, strlen(text), 0, &hit))
		out->status = arena_strndup(arena, hit.group[1].data, hit.group[1].len);
}

/* --- in all --------------------------------------------------------------------------------------------- */

enum stage { STAGE_UNKNOWN, STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

/* What we had said when the server refused: "user unknown" behind DATA is a filter that lies. */
static enum stage refused_at(const char *text)
{
	static struct { enum stage stage; struct pattern pattern; } stages[] = {
		{ STAGE_DATA, PATTERN("in\\s+reply\\s+to\\s+(?:the\\s+)?(?:end\\s+of\\s+)?DATA|"
			"after\\s+(?:end\\s+of\\s+data|DATA|sending\\s+the\\s+message)|>>>\\s*DATA|"
			"smtp\\s+command\\s*\\n\\s*DATA|\\(DATA\\)|our\\s+(?:final\\s+)?DATA|"
			"TEXT\\s+command") },
		{ STAGE_MAIL, PATTERN("in\\s+reply\\s+to\\s+MAIL|after\\s+(?:pipelined\\s+)?MAIL\\s+FROM|"
			">>>\\s*MAIL\\s") },
		{ STAGE_RCPT, PATTERN("in\\s+reply\\s+to\\s+RCPT|after\\s+(?:pipelined\\s+)?RCPT|"
			">>>\\s*RCPT|RCPT\\s+TO:?\\s*<|RCPT\\s+command|\\[RCPT_TO\\]|our\\s+RCPT|"
			"does\\s+not\\s+like\\s+recipient") },
		{ STAGE_CONNECT, PATTERN("after\\s+initial\\s+connection|in\\s+reply\\s+to\\s+(?:HELO|"
			"EHLO)|>>>\\s*(?:HELO|EHLO)|refused\\s+to\\s+talk") },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (pattern_in(&stages[i].pattern, text))
			return stages[i].stage;
	return STAGE_UNKNOWN;
}

/* What the words mean at that point of the dialogue: before RCPT nothing is about the recipient. */
static const char *by_stage(
	const char *reason, enum stage stage, const char *words, const struct mail_bounce *b)
{
	static struct pattern generic = PATTERN("user\\s+unknown|unknown\\s+user");
	static struct pattern nameless = PATTERN("\\b5\\d\\d:?\\s*:\\s*user\\s+unknown");
	static const char *const vague[] = {"userunknown", "hostunknown", "securityerror", "undefined", NULL};
	bool of_address = !strncmp(b->status, "5.1.", 4) || !strncmp(b->status, "4.1.", 4), is_vague = false;

	for (size_t i = 0; vague[i]; i++)
		is_vague |= !strcmp(reason, vague[i]);
	if (is_vague && stage == STAGE_CONNECT)
		return "blocked";
	if (is_vague && stage == STAGE_MAIL)
		return "rejected";
	if (strcmp(reason, "userunknown") || stage == STAGE_RCPT)
		return reason;
	if (!of_address &&
		((stage == STAGE_DATA && pattern_in(&generic, words)) || pattern_in(&nameless, words)))
		return "filtered";
	if (!strncmp(b->status, "5.7.", 4) || !strncmp(b->status, "5.2.", 4))
		return "filtered";
	return reason;
}

static const char *why(
	const char *diagnostic, const char *telling, const char *notice, const struct mail_bounce *b)
{
	const char *words = diagnostic, *reason = reason_of_text(diagnostic);
	enum stage stage;

	if (!reason && (!*diagnostic || !strcmp(reason_of_status(b->status, b->code), "undefined")))
		reason = reason_of_text(words = telling);
	if (!reason && !*diagnostic)
		reason = reason_of_text(words = notice);
	if (!reason)
		reason = reason_of_status(b->status, b->code);
	stage = refused_at(diagnostic);
	if (stage == STAGE_UNKNOWN)
		stage = refused_at(notice);
	return by_stage(reason, stage, words, b);
}

void bounce_read(const struct opened_mail *m, struct mail_bounce *out)
{
	const char *telling, *diagnostic;
	bool permanent;

	*out = (struct mail_bounce)MAIL_BOUNCE_NONE;
	if (m->status)
		read_status(m, out);
	telling = charset_simplify(m->arena, telling_lines(m));
	diagnostic = charset_simplify(m->arena, out->diagnostic);
	read_codes(m->arena, *diagnostic ? diagnostic : telling, out);
	if (!out->code)
		read_codes(m->arena, telling, out);
	if (!*out->recipient)
		out->recipient = failed_in_notice(m);
	out->reason = why(diagnostic, telling, charset_simplify(m->arena, m->notice), out);
	if (!*out->diagnostic)
		out->diagnostic = telling;
	out->diagnostic = cut(m->arena, out->diagnostic, DIAGNOSTIC_MAX);
	permanent = *out->status ? out->status[0] == '5' : out->code ? out->code >= 500 : true;
	out->kind = reason_kind(out->reason, permanent);
	if (!*out->action)
		out->action = "failed";
	if (!strcmp(out->action, "delayed") || !strcmp(out->action, "delivered") ||
		!strcmp(out->action, "relayed") || !strcmp(out->action, "expanded") ||
		!strcmp(out->action, "deliverable"))
		out->kind = BOUNCE_NONE;
}
