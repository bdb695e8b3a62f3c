/*
 * charset.c: what mail declares is a hint. Latin-1 means windows-1252, GB2312 means GB18030, "unknown-8bit"
 * nothing; UTF-8 is tried first wherever the declared charset cannot hold the bytes.
 */
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "charset.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* What senders say, and what they mean (the WHATWG encoding standard gives most of these). */
static const char *const meant[][2] = {
	{ "iso-8859-1", "WINDOWS-1252" },	{ "latin1", "WINDOWS-1252" },
	{ "us-ascii", NULL },			{ "ascii", NULL },
	{ "ansi_x3.4-1968", NULL },		{ "unknown-8bit", NULL },
	{ "x-unknown", NULL },			{ "default", NULL },
	{ "binary", NULL },			{ "8bit", NULL },
	{ "utf8", NULL },			{ "utf-8", NULL },
	{ "gb2312", "GB18030" },		{ "gbk", "GB18030" },
	{ "x-gbk", "GB18030" },			{ "ks_c_5601-1987", "CP949" },
	{ "euc-kr", "CP949" },			{ "shift_jis", "CP932" },
	{ "x-sjis", "CP932" },			{ "windows-31j", "CP932" },
	{ "iso-2022-jp", "ISO-2022-JP-3" },	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-9", "WINDOWS-1254" },	{ "unicode-1-1-utf-7", "UTF-7" },
	{ "big5", "BIG5-HKSCS" },		{ "x-mac-roman", "MACINTOSH" },
};

static const char *charset_meant(const char *charset)
{
	for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
		if (!strcasecmp(charset, meant[i][0]))
			return meant[i][1];
	return charset;
}

/* glibc forgets a converter that nobody has open: these are never closed. */
void charset_load(void)
{
	static const char *const used[] = {
		"ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-10", "ISO-8859-11",
		"ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253",
		"WINDOWS-1254", "WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "KOI8-R", "KOI8-U", "TIS-620", "WINDOWS-874", "IBM437",
		"IBM850", "IBM852", "IBM866", "MACINTOSH", "GB18030", "BIG5", "BIG5-HKSCS", "EUC-TW", "CP932", "EUC-JP", "EUC-JISX0213", "ISO-2022-JP",
		"ISO-2022-JP-3", "CP949", "ISO-2022-KR", "JOHAB", "ISO-2022-CN", "HZ", "VISCII", "UTF-7", "UTF-16", "UTF-32", "UTF-16LE", "UTF-8",
	};

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		(void)iconv_open("UTF-8", used[i]);
}

/* Returns how many sequences were broken, or -1 if iconv does not know the charset. */
static long convert(struct buf *out, const char *data, size_t n, const char *charset)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	char chunk[4096];
	char *in = (char *)(uintptr_t)data;	/* iconv reads it, whatever its prototype says */
	long broken = 0;

	if (cd == (iconv_t)-1)
		return -1;
	while (n > 0) {
		char *to = chunk;
		size_t room = sizeof(chunk);
		size_t rc = iconv(cd, &in, &n, &to, &room);
		int why = errno;

		buf_add(out, chunk, (size_t)(to - chunk));
		if (rc != (size_t)-1 || why == E2BIG)
			continue;
		broken++;
		buf_str(out, REPLACEMENT);
		if (why == EINVAL)
			break;		/* cut in the middle of a character */
		in++;
		n--;
	}
	iconv_close(cd);
	return broken;
}

/* UTF-8 that is broken here and there keeps what is whole. */
static void repair(struct buf *out, const char *data, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t len = 1;
		unsigned char c = (unsigned char)data[i];

		if (c >= 0xc2)
			len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (c >= 0x80 && (len == 1 || i + len > n || !text_utf8_valid(data + i, len))) {
			buf_str(out, REPLACEMENT);
			i++;
			continue;
		}
		buf_add(out, data + i, len);
		i += len;
	}
}

static bool looks_utf8(const char *data, size_t n)
{
	size_t lead = 0, broken = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c < 0xf5 && i + 1 < n && ((unsigned char)data[i + 1] & 0xc0) == 0x80) {
			lead++;
			while (i + 1 < n && ((unsigned char)data[i + 1] & 0xc0) == 0x80)
				i++;
		} else {
			broken++;
		}
	}
	return broken * 10 <= lead;
}

/* NUL would end strings early; CR LF and lone CR are line ends. */
static char *tidy(struct arena *arena, const struct buf *b)
{
	char *s = arena_alloc(arena, b->len + 1);
	size_t to = 0;

	for (size_t i = 0; i < b->len; i++) {
		char c = b->data[i];

		if (c == '\r') {
			if (i + 1 < b->len && b->data[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if (c != '\0')
			s[to++] = c;
	}
	s[to] = '\0';
	return s;
}

char *charset_to_utf8(struct arena *arena, const char *data, size_t n, const char *charset)
{
	struct buf out = BUF_INIT;
	const char *real = charset && *charset ? charset_meant(charset) : NULL;
	long broken = -1;
	char *s;

	if (real)
		broken = convert(&out, data, n, real);
	if (broken < 0 || (size_t)broken * 20 > n) {
		buf_reset(&out);
		if (looks_utf8(data, n))
			repair(&out, data, n);
		else
			convert(&out, data, n, "WINDOWS-1252");
	}
	s = tidy(arena, &out);
	buf_clear(&out);
	return s;
}

/* One character that stands for a simpler one; returns its length, or 0. */
static size_t simpler(const unsigned char *s, const char **as)
{
	static const struct {
		const char *from, *to;
	} table[] = {
		{"\xe2\x80\x98", "'"},
		{"\xe2\x80\x99", "'"},
		{"\xe2\x80\x9a", "'"},
		{"\xc2\xb4", "'"},
		{"\xe2\x80\x9c", "\""},
		{"\xe2\x80\x9d", "\""},
		{"\xe2\x80\x9e", "\""},
		{"\xe2\x80\x90", "-"},
		{"\xe2\x80\x91", "-"},
		{"\xe2\x80\x93", "-"},
		{"\xe2\x80\x94", "-"},
		{"\xe2\x80\xa6", "..."},
		{"\xc2\xa0", " "},
		{"\xe2\x80\xaf", " "},
		{"\xe3\x80\x80", " "},
		{"\xe2\x80\x82", " "},
		{"\xe2\x80\x83", " "},
		{"\xe2\x80\x89", " "},
		{"\xc2\xad", ""},
		{"\xe2\x80\x8b", ""},
		{"\xe2\x80\x8c", ""},
		{"\xe2\x80\x8d", ""},
		{"\xe2\x80\x8e", ""},
		{"\xe2\x80\x8f", ""},
		{"\xef\xbb\xbf", ""},
		{"\xe2\x81\xa0", ""},
	};

	if (*s != 0xc2 && *s != 0xe2 && *s != 0xe3 && *s != 0xef)
		return 0;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].from);

		if (!strncmp((const char *)s, table[i].from, len)) {
			*as = table[i].to;
			return len;
		}
	}
	return 0;
}

char *charset_simplify(struct arena *arena, const char *utf8)
{
	char *out = arena_alloc(arena, strlen(utf8) + 1);
	size_t to = 0;

	while (*utf8) {
		const char *as = NULL;
		char one[2] = { *utf8 == '\t' ? ' ' : *utf8, '\0' };
		size_t len = simpler((const unsigned char *)utf8, &as);

		if (!len) {
			len = 1;
			as = one;
		}
		utf8 += len;
		if (*as == ' ' && to > 0 && out[to - 1] == ' ')
			continue;
		for (; *as; as++)	/* never longer than what it replaces */
			out[to++] = *as;
	}
	out[to] = '\0';
	return out;
}
