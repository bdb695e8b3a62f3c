/*
 * bounce.c: a delivery status is believed for action, recipient and codes; why it failed is read from the
 * words of the remote server first (reason.c). Half of all bounces carry no status: there the lines of the
 * notice that hold a reply code or follow a server's name are looked at first, then the whole of it.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/patterns.h"
#include "base/reason.h"
#include "base/text.h"
#include "bounce.h"
#include "bounce_notice.h"
#include "charset.h"
#include "evidence.h"

#define DIAGNOSTIC_MAX 500

/* --- is it one? ----------------------------------------------------------------------------------------- */

static struct pattern subjects = PATTERN(
	"undeliver|delivery[\\s_]+(?:status|failure|has\\s+failed|notification|problem|delayed|unsuccessful|"
	"report)|returned\\s+(?:mail|to\\s+sender)|"
	"failure\\s+notice|mail\\s+(?:delivery\\s+)?(?:failed|failure|error|system\\s+error)|(?:message|"
	"mail)\\s+(?:status|delayed|not\\s+delivered)|could\\s+not\\s+be\\s+delivered|"
	"non[-\\s]remis|non\\s+distribu|unzustellbar|nicht\\s+zugestellt|unzustellbarkeit|"
	"no\\s+se\\s+(?:puede|pudo|ha\\s+podido)\\s+entregar|no\\s+entregado|mancat[oa]\\s+(?:recapito|"
	"consegna)|"
	"non\\s+recapitabile|onbestelbaar|недоставлен|не\\s+(?:удалось\\s+)?доставлен|送信できません|配信不能|退信|"
	"returned\\s+message|bounce|mail\\s+could\\s+not|rejected\\s+(?:mail|message)|"
	"warning:\\s+(?:message|could\\s+not)|(?:entrega|envio)\\s+(?:fallid|falh)|n[aã]o\\s+(?:foi\\s+poss[ií]vel|"
	"entregue)|olevererbart|kan\\s+ikke\\s+leveres|leveringsfejl|nie\\s+mo[zż]na\\s+dostarczy[cć]|"
	"niedostarczon|nedoru[cč]iteln|doru[cč]en[ií]\\s+se\\s+nezda|k[eé]zbes[ií]thetetlen|teslim\\s+edilemedi|"
	"toimittamaton|не\\s+удается\\s+доставить|未送达|无法送达|投递失败|배달되지|メッセージを配信|メール配信に失敗|"
	"failed\\s+delivery|failure\\s+delivery|nessuna\\s+consegna|errore\\s+di\\s+consegna|"
	"loop\\s+(?:alert|back\\s+warning)|not\\s+(?:a\\s+)?member|reject\\s+mail|spam\\s+mail\\s+from|fml\\s+system|errors\\s+from|delayed\\s+mail|"
	"(?:e-?mail|mail|message)\\s+(?:was\\s+|has\\s+been\\s+)?(?:not\\s+(?:be\\s+)?(?:sent|accepted)|rejected|refused|blocked|returned|bounced)|"
	"\\A\\s*rejected:|unable\\s+to\\s+(?:deliver|send)|not\\s+delivered|message\\s+you\\s+sent|error\\s+sending\\s+your\\s+mail|"
	"zustell(?:fehler|problem)|zustellung\\s+(?:fehlgeschlagen|nicht)|[ée]chec\\s+de\\s+(?:la\\s+)?(?:remise|distribution|livraison)|fallo\\s+(?:de|en)\\s+(?:la\\s+)?entrega|"
	"falha\\s+(?:de|na)\\s+entrega|leveransfel|leveringsfeil|levering\\s+mislukt|bezorgfout|nie\\s+dostarczon|doru[čc]en[íi]\\s+selhalo|k[ée]zbes[íi]t[ée]si\\s+hiba|"
	"toimitusvirhe|teslim(?:at)?\\s+hata|配信エラー|配信失敗|送信エラー|发送失败|投遞失敗|傳送失敗|無法傳送|배달\\s*실패|전송\\s*실패|"
	"undelivered|message\\s+frozen|delivery\\s+has\\s+been\\s+delayed|errors?\\s+(?:in|"
	"during)\\s+(?:mail\\s+)?(?:delivery|processing)|unknown\\s+address");

static struct pattern senders = PATTERN("mailer-?daemon|\\bpost_?master\\b|mail.?delivery|"
	"mail\\s+administrator|\\bbounces?[+@-]|mail.?system|mmdf|mail-?error");

static struct pattern wording = PATTERN(
	"unable\\s+to\\s+deliver\\s+(?:message\\s+)?to|original\\s+mail\\s+as\\s+follows|failed\\s+to\\s+deliver|"
	"no\\s+pudo\\s+ser\\s+entregad|n[aã]o\\s+p[oô]de\\s+ser\\s+entregue|kon\\s+niet\\s+worden\\s+(?:bezorgd|"
	"afgeleverd)|kunde\\s+inte\\s+levereras|nie\\s+mo[zż]e\\s+zosta[cć]\\s+dostarcz|не\\s+был[ао]?\\s+доставлен|"
	"machine\\s+generated\\s+message\\s+from\\s+mail|following\\s+addresses\\s+had|due\\s+to\\s+the\\s+following\\s+"
	"smtp|recipients?\\s+(?:was|were)\\s+affected|was\\s+automatically\\s+rejected:|"
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

/* "550 5.1.1 ..." */
static struct pattern answers = PATTERN("(?:^|[\\s:;(\\[<'#：])5\\d\\d[- ]\\W*(?:5\\.\\d|\\w)|\\b5\\.\\d\\.\\d{1,3}\\b");

/* "Re: ..." from somebody who is no daemon: a person may write of bounces, and quote one. */
static bool looks_human(const char *from, const char *subject, const char *return_path)
{
	static struct pattern reply = PATTERN("\\A\\s*(?:re|aw|sv|antw?|rv|odp|vs|r)\\s*:");

	return pattern_in(&reply, subject) && !pattern_in(&senders, from) &&
	       (!return_path || strncmp(return_path, "<>", 2));
}

/* A list takes no mail of ours: its manager says so in words that no mail server has. What waits for a moderator may yet be taken. */
static bool list_refuses(const struct opened_mail *m, const char *from, const char *subject)
{
	static struct pattern managers = PATTERN("[-+](?:admin|owner|request|bounces?|errors)@|\\b(?:owner-|(?:mailman|majordomo|listserv|sympa|ezmlm|fml)(?:-\\w+)?@)");
	static struct pattern refusal = PATTERN("\\bn(?:ot|on)[-\\s]+(?:a\\s+)?(?:\\w+\\s+)?(?:member|subscriber)|not\\s+(?:allowed|permitted|authori[sz]ed)\\s+to\\s+(?:post|send)|"
		"(?:your|ignored?)\\s+(?:\\S+\\s+){0,6}?(?:mail|message|article|post(?:ing)?|request)\\b[^.]{0,120}?(?:reject|refus|ignor|discard|not\\s+(?:be\\s+)?(?:distribut|accept))|"
		"ignored\\s+(?:mail|article)|投稿でき|配送しません|メンバーでは(?:ない|ありません)");
	static struct pattern waits = PATTERN("await\\w*\\s+moderat|being\\s+held|held\\s+for|wait\\w*\\s+for\\s+(?:approval|moderat)");
	static const char *const fields[] = { "x-mlserver", "x-ml-info", "x-list-administrivia", "x-mailman-version", NULL };
	bool by_list = false;

	for (size_t i = 0; fields[i]; i++)
		by_list |= headers_get(&m->headers, fields[i]) != NULL;
	return by_list && pattern_in(&managers, from) && (pattern_in(&refusal, subject) || pattern_in(&refusal, m->notice)) &&
	       !pattern_in(&waits, subject) && !pattern_in(&waits, m->notice);
}

static bool recognise(const struct opened_mail *m, struct mail_reading *r)
{
	const struct headers *h = &m->headers;
	const char *from = headers_decode(m->arena, headers_get(h, "from"));
	const char *subject = headers_decode(m->arena, headers_get(h, "subject"));
	const char *return_path = headers_get(h, "return-path");
	bool by_sender = pattern_in(&senders, from), by_subject = pattern_in(&subjects, subject), by_words;
	int signs = 0;

	if (m->status && !m->status_in_text)
		return evidence_add(r, "delivery-status");
	if (!strcmp(m->type, "multipart/report") && !strcmp(m->report_type, "delivery-status"))
		return evidence_add(r, "report-type");
	if (headers_get(h, "x-failed-recipients"))
		return evidence_add(r, "x-failed-recipients");
	if (looks_human(from, subject, return_path))
		return false;
	if (list_refuses(m, from, subject))
		return evidence_add(r, "list manager");
	by_words = pattern_in(&wording, m->notice) || (by_sender && pattern_in(&answers, m->notice));
	if (m->status)
		signs += evidence_add(r, "delivery-status in the text");
	if (by_sender)
		signs += evidence_add(r, "from");
	if (by_subject)
		signs += evidence_add(r, "subject");
	if (return_path && !strncmp(return_path, "<>", 2))
		signs += evidence_add(r, "null return path");
	if (m->has_original)
		signs += evidence_add(r, "original");
	if (by_words)
		signs += evidence_add(r, "wording");
	/* a null sender is every automatic reply's too, and anybody may attach a mail: one sign must be of words */
	if (signs >= 2 && (m->status || by_words || by_subject || (by_sender && m->has_original)))
		return true;
	r->evidence_count = 0;
	return false;
}

bool bounce_recognise(const struct opened_mail *m, struct mail_reading *r)
{
	return (m->passed_on && recognise(m->passed_on, r) && evidence_add(r, "passed on")) || recognise(m, r);
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

struct groups {
	struct headers list[READING_MAX_BOUNCES];
	size_t count, best;
	const char *envelope_id;
};

/* Groups are header blocks apart by empty lines; stray text between them parses to nothing. */
static void find_groups(const struct opened_mail *m, struct groups *g)
{
	const char *s = m->status ? m->status : "";
	size_t left = strlen(s);
	int rank = -1;

	g->count = g->best = 0;
	g->envelope_id = "";
	for (int blocks = 0; left && blocks < 200 && g->count < READING_MAX_BOUNCES; blocks++) {
		struct headers f;
		size_t used = headers_parse(&f, m->arena, s, left);

		if (headers_get(&f, "original-envelope-id"))
			g->envelope_id = headers_get(&f, "original-envelope-id");
		if (headers_get(&f, "final-recipient") || headers_get(&f, "original-recipient") ||
			headers_get(&f, "x-actual-recipient") || headers_get(&f, "status")) {
			if (action_rank(&f) > rank) {
				rank = action_rank(&f);
				g->best = g->count;
			}
			g->list[g->count++] = f;
		}
		s += used;
		left -= used;
	}
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

static const char *recipient_in(const struct opened_mail *m, const struct headers *f, const char *name)
{
	const char *field = headers_get(f, name), *value = field ? headers_decode(m->arena, after_type(field)) : NULL;
	const char *address = value ? headers_address(m->arena, value) : "";

	return *address || !value ? address : lower(m->arena, value);
}

/* "someone", "@example.net" */
static bool is_whole(const char *address)
{
	return *address != '@' && strchr(address, '@');
}

/* A part of an address is better than nothing. */
static const char *first_whole(const char *one, const char *two, const char *or_this)
{
	return is_whole(one) ? one : is_whole(two) ? two : or_this;
}

static void read_group(const struct opened_mail *m, const struct headers *f, struct mail_bounce *out)
{
	static struct pattern status = PATTERN("\\b([245]\\.\\d{1,3}\\.\\d{1,3})\\b");
	const char *diagnostic = headers_get(f, "diagnostic-code"), *given = headers_get(f, "status");
	struct pattern_hit hit;

	out->recipient = recipient_in(m, f, "final-recipient");
	out->original_recipient = recipient_in(m, f, "original-recipient");
	if (!is_whole(out->recipient) && is_whole(out->original_recipient))
		out->recipient = out->original_recipient;
	if (!is_whole(out->recipient))
		out->recipient = first_whole(recipient_in(m, f, "x-actual-recipient"), diagnostic ? headers_address(m->arena, diagnostic) : "", out->recipient);
	out->action = lower(m->arena, headers_token(m->arena, headers_get(f, "action")));
	out->diagnostic = diagnostic ? headers_decode(m->arena, diagnostic) : "";
	if (given && pattern_find(&status, given, strlen(given), 0, &hit))
		out->status = arena_strndup(m->arena, hit.group[1].data, hit.group[1].len);
}

/* --- in all --------------------------------------------------------------------------------------------- */

/* PowerMTA sorts what it gives back: it has read more than we see. */
static const char *category_in(const struct headers *f)
{
	static const char *const table[][2] = {
		{"bad-mailbox", "userunknown"},		{"bad-domain", "hostunknown"},
		{"inactive-mailbox", "suspend"},	{"message-expired", "expired"},
		{"quota-issues", "mailboxfull"},	{"spam-related", "spamdetected"},
		{"virus-related", "virusdetected"},	{"invalid-sender", "rejected"},
		{"relaying-issues", "norelaying"},	{"no-answer-from-host", "networkerror"},
		{"policy-related", "policyviolation"},	{"routing-errors", "systemerror"},
	};
	const char *value = headers_get(f, "x-powermta-bouncecategory"), *status = headers_get(f, "status");
	const char *comment = status && value ? strchr(status, '(') : NULL, *said = comment ? reason_of_text(comment) : NULL;

	if (said)
		return said;		/* 5.2.1 (mailbox disabled, not accepting messages) */
	for (size_t i = 0; value && i < sizeof(table) / sizeof(table[0]); i++)
		if (!strncasecmp(value, table[i][0], strlen(table[i][0])))
			return table[i][1];
	return NULL;
}

/* What the program that reports knows better than the words it quotes; or NULL. */
static const char *hint_in(const struct opened_mail *m, const struct headers *group)
{
	static struct pattern interscan = PATTERN("\\A\\s*\"?interscan");
	const char *refused = headers_get(&m->headers, "x-spasign");

	if (refused && !strcmp(refused, "NG"))
		return "filtered";	/* au's customers choose from whom they take mail */
	if (pattern_in(&interscan, headers_get(&m->headers, "from")) && strcasestr(m->notice, "unable to deliver"))
		return "userunknown";	/* it says no more of a recipient that was refused */
	return group ? category_in(group) : NULL;
}

struct words {
	const char *diagnostic;		/* what the remote server said */
	const char *telling;		/* lines of the notice that sound like it */
	const char *notice;
	enum refused_at stage;
	const char *subject;
	const char *hint;		/* what the program that reports says that it is */
};

/* "host mx1.example.net[192.0.2.1] said: ...": who speaks, the domain of the address, and who reports. */
static const char *hosts_of(const struct opened_mail *m, const char *remote_mta, const char *words, const char *recipient)
{
	static struct pattern host = PATTERN_BYTES("(?<![\\w.@-])([a-z0-9-]+(?:\\.[a-z0-9-]+)*\\.[a-z]{2,12})(?![\\w@-])");
	const char *at = strchr(recipient, '@'), *from = headers_address(m->arena, headers_get(&m->headers, "from")), *daemon = strchr(from, '@');
	struct pattern_hit hit;
	struct slice named = { "", 0 };
	char *list;

	if (pattern_find(&host, words, strlen(words), 0, &hit))
		named = hit.group[1];
	list = arena_printf(m->arena, "%s %s %.*s %s", remote_mta, at ? at + 1 : "", (int)named.len, named.data, daemon ? daemon + 1 : "");
	text_lower(list);
	return list;
}

/* "X-Unix; 77": what a program on the way says, and no server. */
static bool speaks_no_smtp(const char *diagnostic)
{
	static struct pattern other = PATTERN_BYTES("\\A\\s*(?!smtp\\s*;)[a-z][a-z0-9-]{1,30}\\s*;(?!.*\\bsaid:)");

	return pattern_in(&other, diagnostic);
}

static const char *ask(struct refusal *r, const char *words)
{
	r->words = words;
	return reason_of_refusal(r);
}

/* The first of the texts that says anything. Where the status is plain, the notice is not searched for more. */
static const char *why(const struct opened_mail *m, const struct words *w, const char *remote_mta, const struct mail_bounce *b)
{
	const char *spoken = *w->diagnostic ? after_type(w->diagnostic) : w->telling, *reason;
	bool plain = strcmp(reason_of_status(b->status, 0), "undefined") != 0;
	struct refusal r = {
		.status = b->status, .code = b->code, .stage = w->stage, .hint = w->hint,
		.hosts = hosts_of(m, remote_mta, spoken, b->recipient),
		.program = speaks_no_smtp(b->diagnostic),
	};

	reason = ask(&r, spoken);
	if (!reason && *w->diagnostic && !plain && !r.program)
		reason = ask(&r, w->telling);
	if (!reason && !*w->diagnostic)
		reason = ask(&r, w->notice);
	if (!reason)
		reason = reason_of_status(b->status, 0);
	/* "X-Unix; 255": how a program ended. Sendmail has 5.3.0 for all that it knows no number of. */
	if (!strncasecmp(b->diagnostic, "x-unix", 6) && (!strcmp(reason, "undefined") || strcasestr(w->telling, "unknown mailer error")))
		return "mailererror";
	if (strcmp(reason, "undefined") != 0)
		return reason;
	if (b->code % 100 < 8 && b->code % 100 > 0)
		return "syntaxerror";	/* 501 and the like: no word on the recipient */
	if (!strcmp(b->action, "delayed"))
		return "expired";
	if (w->stage == REFUSED_CONNECT)
		return "blocked";
	if (!*spoken && (reason = ask(&r, w->subject)))
		return reason;
	reason = reason_of_status("", b->code);
	/* words that nobody understands are more than none */
	return *spoken || (!strcmp(reason, "undefined") && *w->notice) ? "onhold" : reason;
}

static bool is_no_failure(const char *action)
{
	static const char *const fine[] = {"delayed", "delivered", "relayed", "expanded", "deliverable", NULL};

	for (size_t i = 0; fine[i]; i++)
		if (!strcmp(action, fine[i]))
			return true;
	return false;
}

/* A warning without a delivery status that says so: the mail is still on its way. */
static bool is_warning(const char *notice)
{
	static struct pattern late = PATTERN_BYTES("this\\s+is\\s+a\\s+warning\\s+message\\s+only|do\\s+not\\s+need\\s+to\\s+re-?send|"
		"no\\s+action\\s+is\\s+required\\s+on\\s+your\\s+part|temporary\\s+failure\\s+report|is\\s+delayed\\s+for\\s+more\\s+than|"
		"(?:attempts|server)\\s+will\\s+(?:be\\s+)?continue|will\\s+be\\s+(?:retried|tried\\s+again)\\s+(?:for|until)|will\\s+keep\\s+trying");
	static struct pattern over = PATTERN_BYTES("giv(?:e|en|ing)\\s+up|permanent(?:ly)?\\b|will\\s+be\\s+deleted");

	return pattern_in(&late, notice) && !pattern_in(&over, notice);
}

/* `notice`: what of it is about that recipient, and no other. `group`: of the delivery status, or NULL. */
static void judge(const struct opened_mail *m, const char *notice, const struct headers *group, struct mail_bounce *out)
{
	struct words w = { .stage = REFUSED_UNKNOWN };
	const char *subject = headers_get(&m->headers, "subject"), *given, *remote_mta = after_type(group ? headers_get(group, "remote-mta") : NULL);
	bool permanent;

	w.telling = charset_simplify(m->arena, bounce_telling_lines(m->arena, notice));
	w.notice = charset_simplify(m->arena, notice);
	given = charset_simplify(m->arena, out->diagnostic);
	w.diagnostic = bounce_remote_words(m, given, &w.stage);
	if (w.diagnostic != given)
		out->status = "";	/* it is in the words that were wrapped, or nowhere */
	bounce_read_codes(m->arena, *w.diagnostic ? w.diagnostic : w.telling, out);
	if (!out->code)
		bounce_read_codes(m->arena, w.telling, out);
	if (w.stage == REFUSED_UNKNOWN)
		w.stage = bounce_stage(w.diagnostic);
	if (w.stage == REFUSED_UNKNOWN)
		w.stage = bounce_stage(w.notice);
	if (w.stage == REFUSED_UNKNOWN && notice != m->notice)
		w.stage = bounce_stage(m->notice);
	w.hint = hint_in(m, group);
	w.subject = subject ? charset_simplify(m->arena, headers_decode(m->arena, subject)) : "";
	out->reason = why(m, &w, remote_mta, out);
	if (!*out->diagnostic)
		out->diagnostic = w.telling;
	out->diagnostic = cut(m->arena, out->diagnostic, DIAGNOSTIC_MAX);
	permanent = *out->status ? out->status[0] == '5' : out->code ? out->code >= 500 : true;
	out->kind = reason_kind(out->reason, out->status, permanent);
	if (!*out->action)
		out->action = !group && is_warning(m->notice) ? "delayed" : "failed";
	if (is_no_failure(out->action))
		out->kind = BOUNCE_NONE;
}

/* One after the other, each by what is said of it. */
static void read_several(const struct opened_mail *m, const struct groups *g, const char *const *parts, struct mail_reading *r)
{
	for (size_t i = 0; i < r->bounce_count; i++)
		judge(m, parts[i], i < g->count ? &g->list[i] : NULL, &r->bounces[i]);
}

static void find_parts(const struct opened_mail *m, const char *const *recipients, size_t count, const char **parts)
{
	for (size_t i = 0; i < count; i++)
		parts[i] = bounce_part_about(m, recipients, count, i);
}

/* A notice that lists them, without a delivery status, and says of each what became of it. */
static void list_in_notice(const struct opened_mail *m, const char **parts, struct mail_reading *r)
{
	const char *failed[READING_MAX_BOUNCES];
	size_t count = bounce_list_failed(m, failed, READING_MAX_BOUNCES);

	if (count < 2)
		return;
	find_parts(m, failed, count, parts);
	for (size_t i = 0; i < count; i++)
		if (!*bounce_telling_lines(m->arena, parts[i]))
			return;
	for (size_t i = 0; i < count; i++) {
		r->bounces[i] = (struct mail_bounce)MAIL_BOUNCE_NONE;
		r->bounces[i].recipient = failed[i];
		r->bounce_count++;
	}
}

static void read_groups(const struct opened_mail *m, const struct groups *g, const char **parts, struct mail_reading *r)
{
	const char *recipients[READING_MAX_BOUNCES];

	for (size_t i = 0; i < g->count; i++) {
		struct mail_bounce *b = &r->bounces[r->bounce_count++];

		*b = (struct mail_bounce)MAIL_BOUNCE_NONE;
		read_group(m, &g->list[i], b);
		b->original_envelope_id = g->envelope_id;
		recipients[i] = b->recipient;
	}
	find_parts(m, recipients, g->count, parts);
}

void bounce_read(const struct opened_mail *m, struct mail_reading *r)
{
	const char *parts[READING_MAX_BOUNCES];
	struct groups g;

	if (m->passed_on)
		m = m->passed_on;
	find_groups(m, &g);
	r->bounce = (struct mail_bounce)MAIL_BOUNCE_NONE;
	if (g.count > 1)
		read_groups(m, &g, parts, r);
	else if (!g.count)
		list_in_notice(m, parts, r);
	if (r->bounce_count) {
		read_several(m, &g, parts, r);
		r->bounce = r->bounces[g.best];
		if (!is_whole(r->bounce.recipient))
			r->bounce.recipient = first_whole(bounce_failed_in_notice(m), "", r->bounce.recipient);
		return;
	}
	if (g.count)
		read_group(m, &g.list[0], &r->bounce);
	r->bounce.original_envelope_id = g.envelope_id;
	if (!is_whole(r->bounce.recipient))
		r->bounce.recipient = first_whole(bounce_failed_in_notice(m), "", r->bounce.recipient);
	judge(m, m->notice, g.count ? &g.list[0] : NULL, &r->bounce);
}
