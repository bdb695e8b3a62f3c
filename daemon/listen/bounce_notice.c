/*
 * bounce_notice.c: a notice in words, of any of a hundred programs. What they share: the remote server's reply
 * stands on lines with a code, or behind words that announce it; the address stands alone on a line, or in
 * brackets before a colon; and the point of the dialogue at which the server refused is named.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "base/text.h"
#include "bounce_notice.h"

/* --- the notice ----------------------------------------------------------------------------------------- */

/* One line and a blank; returns its length with its end. */
static size_t add_line(struct buf *b, const char *line)
{
	size_t n = strcspn(line, "\n");

	buf_add(b, line, n);
	buf_char(b, ' ');
	return n + (line[n] == '\n');
}

/* Lines that tell what a server answered: with a code, or behind ">>>", "said:", "reason:". */
char *bounce_telling_lines(const struct opened_mail *m)
{
	static struct pattern telling = PATTERN_BYTES(
		"(?:^|[\\s:;(\\[<'#])[45]\\d\\d[-\\s](?!\\d)|\\b[45]\\.\\d\\.\\d{1,3}\\b|<<<|\\bsaid:|"
		"\\breason:|\\berror\\b.*:|\\bdiagnostic|responded|returned|response|unknown|"
		"not\\s+(?:found|recognized|listed)|quota|full\\b");
	struct buf b = BUF_INIT;
	struct pattern_hit hit;
	const char *text = m->notice;
	size_t n = strlen(text), at = 0;
	int follow = 0;		/* replies are folded over lines */
	char *out;

	while (at < n && b.len < 8192) {
		bool more = pattern_find(&telling, text, n, at, &hit);
		size_t line = more ? (size_t)(hit.group[0].data - text) : n;

		if (more && *hit.group[0].data == '\n')
			line++;
		while (more && line > at && text[line - 1] != '\n')
			line--;
		for (; at < line && follow > 0; follow--)
			at += add_line(&b, text + at);
		at = line;
		follow = 2;
		if (more)
			at += add_line(&b, text + at);
	}
	out = arena_strdup(m->arena, buf_cstr(&b));
	buf_clear(&b);
	return out;
}

/* --- who ------------------------------------------------------------------------------------------------ */

struct failed {
	struct arena *arena;
	const char *not_this;	/* who the report was sent to */
	char *address;
};

static void first_failed(void *ctx, const char *address, size_t n)
{
	static struct pattern daemon = PATTERN_BYTES("^mailer-daemon@");
	struct failed *f = ctx;
	char *s;

	if (f->address)
		return;
	s = arena_strndup(f->arena, address, n);
	text_lower(s);
	if (strcmp(s, f->not_this) && !pattern_in(&daemon, s))
		f->address = s;
}

const char *bounce_failed_in_notice(const struct opened_mail *m)
{
	static struct pattern alone = PATTERN_BYTES("^[\\s*\"]*(?:to:\\s*|rcpt\\s+to:\\s*|recipient(?:\\s+address)?:\\s*)?<?"
		"([^\\s<>\"]+@[^\\s<>\":;,]+)>?\"?\\s*(?:[:;.,(]|$|on\\s|invalid)");
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
	/* we write to one person at a time, so that the returned mail tells, too */
	if (!f.address && m->has_original)
		return headers_address(m->arena, headers_get(&m->original, "to"));
	return f.address ? f.address : "";
}

/* --- what --------------------------------------------------------------------------------------------- */

const char *bounce_remote_words(const struct opened_mail *m, const char *diagnostic, enum stage *stage)
{
	/* 5.1.0 - Unknown address error 550-'5.1.1 <x>... no' (delivery attempts: 0) */
	static struct pattern cisco = PATTERN_BYTES("\\b(\\d\\.\\d\\.\\d+)\\s+-\\s+[^'\"]{3,60}?\\s(\\d{3})-?\\s*\\(?['\"](.+)['\"]");
	static struct pattern better = PATTERN_BYTES("was\\s+automatically\\s+rejected:\\s*\\n+\\s*(\\S[^\\n]*)|"
		"^\\s*(The\\s+user\\(s\\)\\s+account\\s+is\\s+[^\\n]*)");
	struct pattern_hit hit;

	if (pattern_find(&better, m->notice, strlen(m->notice), 0, &hit)) {
		const struct slice *said = &hit.group[hit.group[1].data ? 1 : 2];

		return arena_strndup(m->arena, said->data, said->len);
	}
	if (!pattern_find(&cisco, diagnostic, strlen(diagnostic), 0, &hit))
		return diagnostic;
	if (!strncmp(hit.group[1].data, "5.3.0", hit.group[1].len))
		*stage = STAGE_DATA;	/* what was said to RCPT has another number there */
	return arena_printf(m->arena, "%.*s %.*s", (int)hit.group[2].len, hit.group[2].data, (int)hit.group[3].len,
		hit.group[3].data);
}

/* Codes as they stand in a server's words: "550 5.1.1", "550-5.1.1", "(#5.1.1)". */
void bounce_read_codes(struct arena *arena, const char *text, struct mail_bounce *out)
{
	static struct pattern code = PATTERN_BYTES("(?:^|[\\s:;(\\[<'#])([45]\\d\\d)(?=[-\\s;:'\\])])(?![-\\s]"
		"\\d+\\s+seconds)");
	static struct pattern status = PATTERN_BYTES("(?:^|[\\s:;(\\[<'#\\-])([45]\\.\\d{1,2}\\.\\d{1,3})(?![."
		"\\d])");
	struct pattern_hit hit;

	if (!out->code && pattern_find(&code, text, strlen(text), 0, &hit))
		out->code = (hit.group[1].data[0] - '0') * 100 + (hit.group[1].data[1] - '0') * 10 +
			    hit.group[1].data[2] - '0';
	if ((!*out->status || strstr(out->status, ".0.0")) &&
		pattern_find(&status, text, strlen(text), 0, &hit))
		out->status = arena_strndup(arena, hit.group[1].data, hit.group[1].len);
}

/* --- the dialogue --------------------------------------------------------------------------------------- */

/* What we had said when the server refused: "user unknown" behind DATA is a filter that lies. */
enum stage bounce_stage(const char *text)
{
	static struct { enum stage stage; struct pattern pattern; } stages[] = {
		{ STAGE_DATA, PATTERN_BYTES("in\\s+reply\\s+to\\s+(?:the\\s+)?(?:end\\s+of\\s+)?DATA|"
			"after\\s+(?:end\\s+of\\s+data|DATA|sending\\s+the\\s+message)|>>>\\s*DATA|"
			"smtp\\s+command\\s*\\n\\s*DATA|\\(DATA\\)|our\\s+(?:final\\s+)?DATA|"
			"(?:TEXT|DATA)\\s+command|\\(state\\s+1[5-8]\\)|failed\\s+after\\s+I\\s+sent") },
		{ STAGE_MAIL, PATTERN_BYTES("in\\s+reply\\s+to\\s+MAIL|after\\s+(?:pipelined\\s+)?MAIL\\s+FROM|"
			">>>\\s*MAIL\\s|but\\s+sender\\s+was\\s+rejected|MAIL\\s+FROM\\s+command|\\(state\\s+6\\)") },
		{ STAGE_RCPT, PATTERN_BYTES("in\\s+reply\\s+to\\s+RCPT|after\\s+(?:pipelined\\s+)?RCPT|"
			">>>\\s*RCPT|RCPT\\s+TO:?\\s*(?:<|\\S+@)|RCPT\\s+command|\\[RCPT_TO\\]|our\\s+RCPT|\\bSMTP:RCPT\\b|"
			"does\\s+not\\s+like\\s+recipient|\\(state\\s+14\\)") },
		{ STAGE_CONNECT, PATTERN_BYTES("after\\s+initial\\s+connection|in\\s+reply\\s+to\\s+(?:HELO|"
			"EHLO)|>>>\\s*(?:HELO|EHLO)|after\\s+(?:HELO|EHLO)\\s|refused\\s+to\\s+talk|"
			"but\\s+(?:greeting\\s+failed|my\\s+name\\s+was\\s+rejected)") },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (pattern_in(&stages[i].pattern, text))
			return stages[i].stage;
	return STAGE_UNKNOWN;
}

/* What the words mean at that point of the dialogue: before RCPT nothing is about the recipient. */
const char *bounce_by_stage(
	const char *reason, enum stage stage, const char *words, const struct mail_bounce *b)
{
	static struct pattern generic = PATTERN_BYTES("user\\s+unknown|unknown\\s+user");
	static struct pattern nameless = PATTERN_BYTES("\\b5\\d\\d:?\\s*:\\s*user\\s+unknown");
	static const char *const vague[] = {"userunknown", "hostunknown", "undefined", NULL};
	/* what only one system says, and always of an address: Yahoo, Outlook.com, qmail, KDDI, MessageLabs, Google, Domino */
	static struct pattern sure = PATTERN_BYTES("does(?:n't|\\s+not)\\s+have\\s+an?\\s|mailbox\\s+unavailable|(?:bad|valid)rcptto|@(?:ezweb\\.ne\\.jp|"
		"au\\.com)\\b|couldn't\\s+be\\s+found|\\b542\\s|domino|name\\s+&\\s+address|[_-]416\\b|mail\\.local:");
	static struct pattern denied = PATTERN_BYTES("access\\s+denied|\\brejected\\b");
	bool of_address = !strncmp(b->status, "5.1.", 4) || !strncmp(b->status, "4.1.", 4), is_vague = false;

	for (size_t i = 0; vague[i]; i++)
		is_vague |= !strcmp(reason, vague[i]);
	is_vague |= !strcmp(reason, "securityerror") && pattern_in(&denied, words);
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
	/* words that answered nobody knows what, under a status that does not speak of the address: not enough to give it up */
	if (!of_address && (b->code >= 500 || *b->status) && !pattern_in(&sure, words))
		return "filtered";
	return reason;
}
