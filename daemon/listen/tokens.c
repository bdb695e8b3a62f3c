/*
 * tokens.c: see tokens.h. What is compared is what people type in a hurry: accents get lost, capitals too, so they do not count.
 */
#include <glib.h>
#include <string.h>

#include "base/mem.h"
#include "tokens.h"

#define FULL_LINE 60	/* bytes; a line break behind more is a mail program's */
#define UNDOUBLED 4	/* bytes; "off" is not "of" */
#define ADDRESS 64	/* bytes before its @ */
#define LETTERS 18	/* a character falls apart into so many at most */

struct scan {
	const char *text;
	size_t n, at;
	struct buf folded;
	struct token *list;
	size_t *starts;		/* of each token in `folded`, which moves while it grows */
	size_t count, cap, start_cap, most;
	unsigned sentence;
	bool comma, part, end;	/* stood since the last token */
	bool quoted;
	size_t line;		/* where the line begins */
};

/* Letters that do not fall apart into a letter and an accent. */
static const char *plain_letter(gunichar c)
{
	switch (c) {
	case 0xf8: return "o";
	case 0x142: return "l";
	case 0x131: return "i";
	case 0x111: case 0xf0: return "d";
	case 0xe6: return "ae";
	case 0x153: return "oe";
	case 0xdf: return "ss";
	case 0x629: return "\xd9\x87";		/* Arabic: ta marbuta as ha, */
	case 0x649: return "\xd9\x8a";		/* alif maqsura as ya */
	case 0x3c2: return "\xcf\x83";		/* Greek: the sigma at the end */
	default: return NULL;
	}
}

static void fold(struct buf *out, gunichar c)
{
	gunichar parts[LETTERS];
	gsize n;

	if (c < 0x80) {
		buf_char(out, (char)g_ascii_tolower((char)c));
		return;
	}
	n = g_unichar_fully_decompose(g_unichar_tolower(c), TRUE, parts, LETTERS);
	for (gsize i = 0; i < n; i++) {
		gunichar low = g_unichar_tolower(parts[i]);
		const char *plain = plain_letter(low);
		char utf8[6];

		if (g_unichar_type(low) == G_UNICODE_NON_SPACING_MARK || low == 0x640)
			continue;
		if (plain)
			buf_str(out, plain);
		else
			buf_add(out, utf8, (size_t)g_unichar_to_utf8(low, utf8));
	}
}

static bool is_spaceless(gunichar c)
{
	return (c >= 0x3040 && c <= 0x30ff && c != 0x30fb) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xff9f);
}

static bool is_letter(gunichar c)
{
	return c < 0x80 ? g_ascii_isalnum((char)c) : g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* The next character and its length; a byte that is no UTF-8 parts words. */
static gunichar look(const struct scan *s, size_t at, size_t *len_out)
{
	gunichar c;

	*len_out = 1;
	if (at >= s->n)
		return 0;
	c = g_utf8_get_char_validated(s->text + at, (gssize)(s->n - at));
	if (c == (gunichar)-1 || c == (gunichar)-2)
		return ' ';
	*len_out = (size_t)g_utf8_skip[(unsigned char)s->text[at]];
	return c;
}

static struct slice last_word(const struct scan *s)
{
	if (!s->count)
		return (struct slice){ "", 0 };
	return (struct slice){ s->folded.data + s->starts[s->count - 1], s->folded.len - s->starts[s->count - 1] };
}

static void open_token(struct scan *s, size_t from)
{
	if (s->end) {
		s->sentence += s->count > 0;
		s->quoted = s->quoted && s->part;
	}
	s->list = xgrow(s->list, &s->cap, s->count + 1, sizeof(*s->list));
	s->starts = xgrow(s->starts, &s->start_cap, s->count + 1, sizeof(*s->starts));
	s->list[s->count] = (struct token){ .from = from, .sentence = s->sentence, .comma = s->comma, .part = s->part, .quoted = s->quoted };
	s->starts[s->count++] = s->folded.len;
	s->comma = s->part = s->end = false;
}

static bool is_one_of(struct slice word, const char *const *list)
{
	for (; *list; list++)
		if (slice_is(word, *list))
			return true;
	return false;
}

/* "don't", "I'd": one word; "l'adresse": two. */
static bool ends_english(const struct scan *s, size_t at, size_t *end_out)
{
	static const char *const endings[] = { "t", "s", "d", "m", "re", "ll", "ve", NULL };
	size_t end = at;

	while (end < s->n && end - at < 3 && g_ascii_isalpha(s->text[end]))
		end++;
	*end_out = end;
	return is_one_of((struct slice){ s->text + at, end - at }, endings) && last_word(s).len > 0;
}

/* An address begins here: where it ends; 0: none does. */
static size_t address_end(const struct scan *s, size_t at)
{
	size_t end = at;

	while (end < s->n && end - at < ADDRESS && (g_ascii_isalnum(s->text[end]) || strchr("._+-%", s->text[end])))
		end++;
	if (end == at || end >= s->n || s->text[end] != '@')
		return 0;
	while (end < s->n && (unsigned char)s->text[end] > ' ' && !strchr(",;()<>\"", s->text[end]))
		end++;
	while (end > at && strchr(".!?:", s->text[end - 1]))
		end--;
	return end;
}

static void take_address(struct scan *s, size_t end)
{
	open_token(s, s->at);
	buf_char(&s->folded, '@');
	s->list[s->count - 1].to = s->at = end;
}

/* "Adress", "writting", "STOPPP": letters are doubled where they should not be, and the other way round. */
static void undouble(struct scan *s)
{
	char *word = s->folded.data + s->starts[s->count - 1], *to = word;
	size_t n = s->folded.len - s->starts[s->count - 1], size;

	if (n < UNDOUBLED)
		return;
	for (const char *from = word; from < word + n; from += size) {
		size = (size_t)g_utf8_skip[(unsigned char)*from];
		if (g_utf8_get_char(from) < 0x500 && !g_ascii_isdigit(*from) && to - word >= (ptrdiff_t)size && !memcmp(to - size, from, size))
			continue;
		memmove(to, from, size);
		to += size;
	}
	s->folded.len = (size_t)(to - s->folded.data);
}

/* The word at s->at; one character of those that are written without spaces. */
static void take_word(struct scan *s)
{
	size_t from = s->at, len, end;
	gunichar c = look(s, from, &len);
	bool spaceless = is_spaceless(c), joins;
	struct slice last = last_word(s);
	const char *rest = s->text + from;

	joins = s->count && from > s->list[s->count - 1].to && from - s->list[s->count - 1].to == 1 && slice_is(last, "e") && !s->comma && !s->part && !s->end &&
		(!g_ascii_strncasecmp(rest, "mail", 4) || !g_ascii_strncasecmp(rest, "post", 4));
	if (!joins)
		open_token(s, from);
	do {
		fold(&s->folded, c);
		s->at += len;
		c = look(s, s->at, &len);
		if (c == '\'' && !spaceless && ends_english(s, s->at + 1, &end)) {
			s->at++;
			c = look(s, s->at, &len);
		}
	} while (s->at < s->n && is_letter(c) && !spaceless && !is_spaceless(c));
	s->list[s->count - 1].to = s->at;
	undouble(s);
}

/* A line break in running text is a space. */
static bool breaks(const struct scan *s)
{
	size_t next = s->at + 1;

	while (next < s->n && s->text[next] == ' ')
		next++;
	return s->at - s->line < FULL_LINE || next >= s->n || s->text[next] == '\n' || strchr("-*>", s->text[next]);
}

/* "Nr. 4", "a.u.b.", "info.de" end nothing. */
static bool stops(const struct scan *s, gunichar c)
{
	unsigned char next = s->at + 1 < s->n ? (unsigned char)s->text[s->at + 1] : '\n';

	if (c != '.')
		return true;
	unsigned char then = s->at + 2 < s->n ? (unsigned char)s->text[s->at + 2] : ' ';

	if (next == ' ' && (g_ascii_isdigit(then) || g_ascii_islower(then)))
		return false;
	return (next <= ' ' || next == '"' || next == ')' || next == '.') && (last_word(s).len > 1 || slice_is(last_word(s), "@"));
}

/* A question, or a call. */
static char mark_of(gunichar c)
{
	return c == '?' || c == 0xff1f || c == 0x61f ? '?' : c == '!' || c == 0xff01 ? '!' : '\0';
}

static void take_separator(struct scan *s, gunichar c, size_t len)
{
	if (s->count > 0 && !s->list[s->count - 1].mark)
		s->list[s->count - 1].mark = mark_of(c);
	switch (c) {
	case '.': case '!': case '?': case 0x3002: case 0xff01: case 0xff1f: case 0xff0e: case 0x61f: case 0x2026: case 0x6d4:
		s->end |= stops(s, c);
		break;
	case '\n':
		s->end |= breaks(s);
		s->line = s->at + 1;
		break;
	case ',': case 0xff0c: case 0x60c: case 0x3001:
		s->comma = true;
		break;
	case '"': case 0x201c: case 0x201d: case 0x201e: case 0xab: case 0xbb: case 0x300c: case 0x300d:
		s->quoted = !s->quoted;
		s->part = true;
		break;
	case ';': case ':': case '(': case ')': case 0x2013: case 0x2014: case 0xff1b: case 0xff1a: case 0x61b:
		s->part = true;
		break;
	case '-': case '/':
		s->part |= s->at > 0 && s->text[s->at - 1] == ' ';
		break;
	default:
		break;
	}
	s->at += len;
}

size_t tokens_read(struct arena *arena, const char *text, size_t n, size_t most, struct token **tokens_out)
{
	struct scan s = { .text = text, .n = n, .folded = BUF_INIT, .most = most };
	const char *folded;

	while (s.at < n && s.count < most) {
		size_t len, end = address_end(&s, s.at);
		gunichar c = look(&s, s.at, &len);

		if (end)
			take_address(&s, end);
		else if (is_letter(c))
			take_word(&s);
		else
			take_separator(&s, c, len);
	}
	folded = arena_strndup(arena, buf_cstr(&s.folded), s.folded.len);
	*tokens_out = arena_calloc(arena, s.count + 1, sizeof(**tokens_out));
	for (size_t i = 0; i < s.count; i++) {
		size_t end = i + 1 < s.count ? s.starts[i + 1] : s.folded.len;

		(*tokens_out)[i] = s.list[i];
		(*tokens_out)[i].text = (struct slice){ folded + s.starts[i], end - s.starts[i] };
	}
	free(s.list);
	free(s.starts);
	buf_clear(&s.folded);
	return s.count;
}
