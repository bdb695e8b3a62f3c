/*
 * bounce_notice.c: a notice in words, of any of a hundred programs. What they share: the remote server's reply
 * stands on lines with a code, or behind words that announce it; the address stands alone on a line, or in
 * brackets before a colon; and the point of the dialogue at which the server refused is named.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <glib.h>

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
char *bounce_telling_lines(struct arena *arena, const char *notice)
{
	static struct pattern telling = PATTERN_BYTES(
		"(?:^|[\\s:;(\\[<'#])[45]\\d\\d[-\\s](?!\\d)|\\b[45]\\.\\d\\.\\d{1,3}\\b|<<<|\\bsaid:|"
		"\\breason:|\\berror\\b.*:|\\bdiagnostic|responded|returned|response|unknown|"
		"not\\s+(?:found|recognized|listed)|quota|full\\b|but\\s+(?:greeting\\s+failed|my\\s+name\\s+was\\s+rejected)");
	struct buf b = BUF_INIT;
	struct pattern_hit hit;
	const char *text = notice;
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
	out = arena_strdup(arena, buf_cstr(&b));
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

/* Alone on its line, or with what says that it is one. */
static struct pattern alone = PATTERN_BYTES("^[\\s*\"]*(?:to:\\s*|(?:>>>\\s*|in:\\s+)?rcpt\\s+to:\\s*|addressed\\s+to:\\s*|(?:could not be delivered|unable to deliver message) to:\\s*|(?:failed )?recipient(?:\\s+address)?:\\s*|address:\\s*|[45]\\d\\d[ -](?:[45]\\.\\d\\.\\d+ )?)?<?"
	"([^\\s<>\"]+@[^\\s<>\":;,]++)>?\"?\\s*(?:[:;,(<]|$|\\.\\.\\.\\s|on\\s|invalid)");

/* What stands before an address on its line: "To:", "Recipient: Ann Smith <". */
#define NAMED "(?:\\W*|\\s*[:：][^:：\\n]{0,60}|\\s+(?:(?-i:\\p{Lu})[\\w.-]+,?\\s+){1,3}\\W*)\\z"
static struct pattern before_recipient = PATTERN(
	"(?:\\b(?:mailbox|user|account|address|postfach|konto|adresse|bo[îi]te|buz[óo]n|casella|caixa|skrzynka|recipients?|rcpt to|addressee|to|for|an|für|empf(?:ä|ae)nger\\w*|à|pour|destin[ée]e? à|destinataires?|destinatari[oa]s?|para|per|a|aan|ontvanger|"
	"geadresseerde|odbiorc\\w*|adresat\\w*|do|till?|mottagar\\w*|modtager\\w*|mottaker\\w*|vastaanottaj\\w*|címzett\\w*|alıcı\\w*|příjemc\\w*|получател\\w*|адресат\\w*|кому|для)|"
	"受信者|宛先|收件人|收件者|发送给|發送給|받는\\s*사람|수신자)" NAMED);
static struct pattern before_sender = PATTERN(
	"(?:\\b(?:reply[- ]to|message[- ]?id|id|hello|hi|dear|hallo|bonjour|hola|ciao|from|sender|sent by|by|absender|von|exp[ée]diteur|de|remitente|mittente|da|afzender|van|remetente|avsändare|från|afsender|avsender|fra|nadawc\\w*|od|"
	"отправител\\w*|от|gönderen|feladó|odesílatel)|"
	"送信者|差出人|发件人|發件人|寄件者|보낸\\s*사람)" NAMED);
static struct pattern who_helps = PATTERN(
	"\\b(?:(?<!tried to )contact|hotline|write|schreiben|[ée]crivez|escriba|scriva|schrijf|help|assist\\w*|support|questions?|ask|write to|admin\\w*|postmaster|e-?mail us|information|more|system|server|message from|kontakt\\w*|fragen|hilfe|aide|ayuda|"
	"aiuto|hulp|vragen|pomoc|hjälp|hjælp|помощь|вопрос\\w*|if you|noreply)\\b|联系|聯絡|疑问|問い合わせ|문의");
static struct pattern refuses = PATTERN(
	"\\b[45]\\d\\d\\b|\\b[45]\\.\\d\\.\\d|unknown|not exist|n't exist|not found|reject|invalid|\\bfull\\b|unavailable|undeliver|not be (?:delivered|sent)|could ?n[o']t|"
	"not a valid|fail|unbekannt|nicht|inconnu|desconocid|sconosciut|onbekend|nieznan|okänd|неизвест|не доставлен|失敗|失败|存在し|不存在");
static struct pattern of_a_role = PATTERN("^(?:mailer-daemon|postmaster|hostmaster|webmaster|abuse|no-?reply|do-?not-?reply|helpdesk|help|hilfe|support|admin\\w*|noc)@");

#define SURE 3	/* that it is the one: nothing less is believed before the mail that came back */
#define AROUND 400	/* bytes before and behind an address that may tell whose it is */
#define ADDRESS_MAX 320
#define ADDRESSES 100	/* that are weighed */

static const char *line_of(const char *least, const char *at)
{
	while (at > least && at[-1] != '\n')
		at--;
	return at;
}

static const char *least_before(const char *notice, const char *at)
{
	const char *least = at - notice > AROUND ? at - AROUND : notice;

	while (((unsigned char)*least & 0xc0) == 0x80)	/* amid a character */
		least++;
	return least;
}

/* Where what stands before it on its line begins; where nothing does, the line before. */
static const char *words_before(const char *least, const char *at)
{
	const char *line = line_of(least, at);

	if (strspn(line, " \t<\"*") < (size_t)(at - line))
		return line;
	while (line > least && isspace((unsigned char)line[-1]))
		line--;
	return line_of(least, line);
}

static bool within(struct pattern *p, const char *notice, const char *from, const char *to)
{
	return pattern_find(p, notice, (size_t)(to - notice), (size_t)(from - notice), NULL);
}

/* Is what is said around an address said of the one who did not get the mail? */
static int weight_of(const char *notice, const char *address, size_t n)
{
	const char *least = least_before(notice, address), *line = line_of(least, address), *before = words_before(least, address);
	const char *end = address + strnlen(address, n + AROUND), *newline = memchr(address, '\n', (size_t)(end - address));
	int weight = 0;

	if (newline)
		end = newline;
	weight += within(&alone, notice, line, end) ? 5 : 0;
	weight += within(&refuses, notice, line, end) ? 2 : 0;
	if (within(&before_sender, notice, before, address))
		weight -= 6;
	else if (within(&before_recipient, notice, before, address))
		weight += 3;
	weight -= within(&who_helps, notice, before, address) ? 4 : 0;
	return weight - (pattern_find(&of_a_role, address, n, 0, NULL) ? 4 : 0);
}

/* ASCII, and the scripts that leave a space between words. Others stand beside addresses without one. */
static bool is_spaced_letter(gunichar c)
{
	return c < 0x80 ? g_ascii_isalnum((char)c) : (c < 0x530 || (c >= 0x1e00 && c < 0x2000)) && (g_unichar_isalpha(c) || g_unichar_ismark(c));
}

static bool is_any_letter(gunichar c)
{
	return c < 0x80 ? g_ascii_isalnum((char)c) : g_unichar_isalnum(c) || g_unichar_ismark(c);
}

static bool is_sign(gunichar c, const char *signs)
{
	return c && c < 0x80 && strchr(signs, (int)c);
}

static const char *begin_of(const char *notice, const char *at, bool (*is_letter)(gunichar))
{
	const char *from = at, *before;

	while (at - from <= ADDRESS_MAX && (before = g_utf8_find_prev_char(notice, from))) {
		gunichar c = g_utf8_get_char_validated(before, from - before);
		/* else it is a quotation mark: 'o'brien@x.example' */
		bool apostrophe = is_sign(c, "'`") && before > notice && g_ascii_isalnum(before[-1]);

		if (!is_letter(c) && !apostrophe && !is_sign(c, "!#$%&*+-/=?^_{|}~."))
			break;
		from = before;
	}
	return from + strspn(from, "*-=#.&/|!?");
}

static const char *end_of(const char *at, bool (*is_letter)(gunichar))
{
	const char *to = at + 1;
	gunichar c;

	while (to - at <= ADDRESS_MAX && (is_letter(c = g_utf8_get_char_validated(to, -1)) || is_sign(c, "-.")))
		to += g_utf8_skip[(unsigned char)*to];
	while (to > at + 1 && (to[-1] == '.' || to[-1] == '-'))
		to--;
	return to;
}

/* The address around an @; empty if there is none. Letters of any script where no others are, or where brackets say that they belong to it. */
static struct slice address_at(const char *notice, const char *at)
{
	const char *from = begin_of(notice, at, is_spaced_letter), *all_from = begin_of(notice, at, is_any_letter);
	const char *to = end_of(at, is_spaced_letter), *all_to = end_of(at, is_any_letter);

	if (from == at || (all_from > notice && all_from[-1] == '<'))
		from = all_from;
	if (!memchr(at, '.', (size_t)(to - at)) || *all_to == '>')
		to = all_to;
	return from < at && to > at + 1 && to - from <= ADDRESS_MAX ? (struct slice){ from, (size_t)(to - from) } : (struct slice){ at, 0 };
}

/* The first of those that weigh most; how much that is. */
static int find_failed(const char *notice, struct failed *f)
{
	int best = INT_MIN, seen = 0;

	for (const char *at = strchr(notice, '@'); at && seen < ADDRESSES; at = strchr(at + 1, '@')) {
		struct failed one = { f->arena, f->not_this, NULL };
		struct slice address = address_at(notice, at);
		int weight;

		if (!address.len)
			continue;
		seen++;
		first_failed(&one, address.data, address.len);
		weight = one.address ? weight_of(notice, address.data, address.len) : INT_MIN;
		if (weight <= best)
			continue;
		best = weight;
		f->address = one.address;
	}
	return best;
}

/* "To: x" is what our mail said, where others are named. */
size_t bounce_list_failed(const struct opened_mail *m, const char **out, size_t max)
{
	const char *own = headers_address(m->arena, headers_get(&m->headers, "to")), *notice = m->notice;
	size_t at = 0, n = strlen(notice), count = 0;
	struct pattern_hit hit;

	while (count < max && pattern_find(&alone, notice, n, at, &hit)) {
		struct failed f = { m->arena, own, NULL };
		size_t indent = strspn(hit.group[0].data, " \t*\"");
		bool seen = !strncasecmp(hit.group[0].data + indent, "to:", 3);

		headers_addresses(arena_strndup(m->arena, hit.group[1].data, hit.group[1].len), first_failed, &f);
		for (size_t i = 0; f.address && i < count; i++)
			seen |= !strcmp(out[i], f.address);
		if (f.address && !seen)
			out[count++] = f.address;
		at = (size_t)(hit.group[0].data - notice) + hit.group[0].len;
		at += hit.group[0].len == 0;
	}
	return count;
}

/* Of all, the one whose address the line names, or else the only one whose domain it names; or -1. */
static int named_in(struct arena *arena, const char *line, size_t n, const char *const *recipients, size_t count)
{
	char *copy = arena_strndup(arena, line, n);
	int by_domain = -1;

	text_lower(copy);
	for (size_t i = 0; i < count; i++) {
		const char *at = strchr(recipients[i], '@');

		if (*recipients[i] && strstr(copy, recipients[i]))
			return (int)i;
		if (at && strstr(copy, at + 1))
			by_domain = by_domain == -1 ? (int)i : -2;
	}
	return by_domain < 0 ? -1 : by_domain;
}

const char *bounce_part_about(const struct opened_mail *m, const char *const *recipients, size_t count, size_t which)
{
	struct buf b = BUF_INIT;
	const char *at = m->notice, *out;
	bool inside = false;

	while (*at) {
		size_t n = strcspn(at, "\n");
		int named = memchr(at, '.', n) ? named_in(m->arena, at, n, recipients, count) : -1;

		if (named >= 0)
			inside = (size_t)named == which;
		n += at[n] == '\n';
		if (inside)
			buf_add(&b, at, n);
		at += n;
	}
	out = arena_strndup(m->arena, buf_cstr(&b), b.len);
	buf_clear(&b);
	return out;
}

/* "by mx.example.net for <x@example.net>; ...": whom the last server took it for. */
static const char *received_for(const struct opened_mail *m, const struct headers *h)
{
	static struct pattern taken = PATTERN_BYTES("\\sfor\\s+<?([^\\s<>;]+@[^\\s<>;]+)>?");
	struct pattern_hit hit;
	const char *value;

	for (size_t i = 0; (value = headers_nth(h, "received", i)); i++)
		if (pattern_find(&taken, value, strlen(value), 0, &hit))
			return headers_address(m->arena, arena_strndup(m->arena, hit.group[1].data, hit.group[1].len));
	return "";
}

/* We write to one person at a time, so that the returned mail tells, too. */
static const char *failed_in_original(const struct opened_mail *m)
{
	static const char *const fields[] = { "to", "delivered-to", "x-original-to", "envelope-to", "cc", "x-envelope-to", "apparently-to", "resent-to", NULL };
	const char *address = "";

	for (size_t i = 0; !*address && fields[i]; i++)
		address = headers_address(m->arena, headers_get(&m->original, fields[i]));
	return *address ? address : received_for(m, &m->original);
}

const char *bounce_failed_in_notice(const struct opened_mail *m)
{
	const char *given = headers_get(&m->headers, "x-failed-recipients"), *address = "";
	struct failed f = { m->arena, headers_address(m->arena, headers_get(&m->headers, "to")), NULL };
	int weight;

	if (given)
		return headers_address(m->arena, given);
	weight = find_failed(m->notice, &f);
	if (weight < SURE && m->has_original)
		address = failed_in_original(m);
	if (f.address || *address)
		return *address ? address : f.address;
	f.not_this = "";	/* who wrote to themselves */
	find_failed(m->notice, &f);
	if (!f.address && headers_get(&m->headers, "subject"))
		headers_addresses(headers_decode(m->arena, headers_get(&m->headers, "subject")), first_failed, &f);
	return f.address ? f.address : "";
}

/* --- what --------------------------------------------------------------------------------------------- */

const char *bounce_remote_words(const struct opened_mail *m, const char *diagnostic, enum refused_at *stage)
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
		*stage = REFUSED_DATA;	/* what was said to RCPT has another number there */
	return arena_printf(m->arena, "%.*s %.*s", (int)hit.group[2].len, hit.group[2].data, (int)hit.group[3].len,
		hit.group[3].data);
}

/* Statuses that programs fill in when they know nothing better. */
static bool is_filler(const char *status)
{
	return !strcmp(status, "4.4.7") || !strcmp(status, "4.7.0") || !strncmp(status, "5.3.", 4) ||
	       (!strncmp(status + 1, ".5.", 3) && strchr("1245", status[4]));
}

/* Of the field's status and the one in the server's words, the one that says more. */
static const char *prefer(const char *field, const char *spoken, int code)
{
	if (!*field || !strcmp(field, spoken))
		return spoken;
	if (field[0] != spoken[0] && code)
		return field[0] == '0' + code / 100 ? field : spoken;
	if (strstr(spoken, ".0.0"))
		return field;
	if (strstr(field, ".0.0") || is_filler(field) || (strstr(field, ".0") && !strstr(spoken, ".0")))
		return spoken;
	if (!strcmp(field, "5.1.1"))
		return strstr(spoken, ".0") || !strncmp(spoken, "5.5.", 4) ? field : spoken;
	return !strcmp(field, "5.1.3") && !strncmp(spoken, "5.7.", 4) ? spoken : field;
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
	if (pattern_find(&status, text, strlen(text), 0, &hit))
		out->status = prefer(out->status, arena_strndup(arena, hit.group[1].data, hit.group[1].len), out->code);
}

/* --- the dialogue --------------------------------------------------------------------------------------- */

/* ">>> RCPT To:<x>", "<<< 550 ..." of many programs, "In:" and "Out:" of Postfix: what was said before the first refusal. */
static enum refused_at in_transcript(const char *text)
{
	static struct pattern refused = PATTERN_BYTES("(?:>>>|^\\s*In:|^\\s*Sent <<<)\\s*(HELO|EHLO|MAIL|RCPT|DATA|\\.)[^\\n]*\\s+"
		"(?:<<<|Out:|Received >>>)\\s*[45]\\d\\d");
	struct pattern_hit hit;

	if (!pattern_find(&refused, text, strlen(text), 0, &hit))
		return REFUSED_UNKNOWN;
	switch (hit.group[1].data[0] | 0x20) {
	case 'h':
	case 'e':
		return REFUSED_CONNECT;
	case 'm':
		return REFUSED_MAIL;
	case 'r':
		return REFUSED_RCPT;
	default:
		return REFUSED_DATA;
	}
}

/* What we had said when the server refused: "user unknown" behind DATA is a filter that lies. */
enum refused_at bounce_stage(const char *text)
{
	static struct { enum refused_at stage; struct pattern pattern; } stages[] = {
		{ REFUSED_DATA, PATTERN_BYTES("in\\s+reply\\s+to\\s+(?:the\\s+)?(?:end\\s+of\\s+)?DATA|"
			"after\\s+(?:end\\s+of\\s+data|DATA|sending\\s+the\\s+message)|"
			"smtp\\s+command\\s*\\n\\s*DATA|(?:TEXT|DATA)\\s+command|failed\\s+after\\s+I\\s+sent|(?<![\\w@.-])(?-i:DATA)(?![\\w@.-])") },
		{ REFUSED_MAIL, PATTERN_BYTES("^\\s*MAIL FROM: +\\S.*(*SKIP)(*FAIL)|in\\s+reply\\s+to\\s+MAIL|after\\s+(?:pipelined\\s+)?MAIL\\s+FROM|"
			"but\\s+sender\\s+was\\s+rejected|MAIL\\s+FROM\\s+command|\\(state\\s+6\\)|(?<![\\w@.-])(?-i:MAIL F)") },
		{ REFUSED_RCPT, PATTERN_BYTES("^\\s*RCPT TO: +\\S.*(*SKIP)(*FAIL)|in\\s+reply\\s+to\\s+RCPT|after\\s+(?:pipelined\\s+)?RCPT|"
			"RCPT\\s+TO:?\\s*(?:<|\\S+@)|RCPT\\s+command|\\[RCPT_TO\\]|\\bSMTP:RCPT\\b|unknown recipient or mailbox unavailable ->|"
			"does\\s+not\\s+like\\s+recipient|\\(state\\s+14\\)|(?<![\\w@.-])(?-i:RCPT)(?![\\w@.-])") },
		{ REFUSED_CONNECT, PATTERN_BYTES("after\\s+initial\\s+connection|in\\s+reply\\s+to\\s+(?:HELO|EHLO)|after\\s+(?:HELO|EHLO)\\s|"
			"refused\\s+to\\s+talk|but\\s+(?:greeting\\s+failed|my\\s+name\\s+was\\s+rejected)|(?<![\\w@.-])(?-i:HELO|EHLO)(?![\\w@.-])") },
	};
	enum refused_at stage = in_transcript(text);

	if (stage != REFUSED_UNKNOWN)
		return stage;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (pattern_in(&stages[i].pattern, text))
			return stages[i].stage;
	return REFUSED_UNKNOWN;
}
