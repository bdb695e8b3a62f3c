/*
 * text.c: UTF-8, case, globs and the nearest name. See text.h; encodings are in text_codec.c, numbers and times in
 * text_number.c.
 */
#include <string.h>

#include "base/text.h"
#include "base/wide.h"

/* The length of the valid character at s[0..n), n > 0; 0 if there is none. RFC 3629 section 4. */
static size_t utf8_char(const unsigned char *s, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (n < len || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return len;
}

/* How many bytes are ASCII and no NUL, before one is not. */
static size_t ascii_run(const unsigned char *p, size_t n)
{
	size_t i = 0, found = sizeof(wide);

	for (; found == sizeof(wide) && n - i >= sizeof(wide); i += found)
		found = wide_leading(wide_at(p + i) > 0);
	if (found == sizeof(wide))
		for (; i < n && p[i] > 0 && p[i] < 0x80; i++)
			;
	return i;
}

/*
 * Which of sixteen bytes are what may follow the two bytes before each: a byte of 0x80 to 0xbf where a character goes on, and else the first of one.
 * Characters of four bytes, and NUL, are not known here.
 */
static wide follows(wide before, wide last, wide w)
{
	enum { MORE = -0x80, TWO = 0xc2 - 0x100, THREE = 0xe0 - 0x100, FOUR = 0xf0 - 0x100 };	/* where bytes of a kind begin, as they compare */
	wide goes_on = ((last >= TWO) & (last < FOUR)) | ((before >= THREE) & (before < FOUR));
	wide first = (w > 0) | ((w >= TWO) & (w < FOUR)), more = w < 0xc0 - 0x100;
	/* too long for what it says, or half of a pair of UTF-16 */
	wide wrong = ((last == THREE) & (w < MORE + 0x20)) | ((last == 0xed - 0x100) & (w >= MORE + 0x20));

	return ((goes_on & more) | (~goes_on & first)) & ~wrong;
}

/* How many bytes, the first being the first of a character, are whole characters of up to three, as far as sixteen at once say. Ends where ASCII begins. */
static size_t mixed_run(const unsigned char *p, size_t n)
{
	unsigned char begin[2 + sizeof(wide)] = { ' ', ' ' };
	size_t i = 0;

	if (n < sizeof(wide))
		return 0;
	memcpy(begin + 2, p, sizeof(wide));
	if (wide_leading(follows(wide_at(begin), wide_at(begin + 1), wide_at(begin + 2))) < sizeof(wide))
		return 0;
	for (i = sizeof(wide); n - i >= sizeof(wide); i += sizeof(wide))
		if ((p[i - 1] < 0x80 && wide_leading(wide_at(p + i) > 0) == sizeof(wide)) ||
		    wide_leading(follows(wide_at(p + i - 2), wide_at(p + i - 1), wide_at(p + i))) < sizeof(wide))
			break;
	if (p[i - 1] >= 0xc0)	/* what is not whole yet is looked at again */
		return i - 1;
	return p[i - 2] >= 0xe0 ? i - 2 : i;
}

bool text_utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len;

	while (n) {
		len = *p < 0x80 ? ascii_run(p, n) : utf8_char(p, n);
		if (!len)
			return false;
		p += len;
		n -= len;
		if (n && *p >= 0x80 && p[-1] >= 0x80) {	/* two of them: it is in letters of its own */
			len = mixed_run(p, n);
			p += len;
			n -= len;
		}
	}
	return true;
}

size_t text_utf8_length(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t count = 0;

	while (n) {
		size_t len = utf8_char(p, n);

		if (!len)
			len = 1;
		p += len;
		n -= len;
		count++;
	}
	return count;
}

bool text_ascii(const char *s, size_t n)
{
	wide seen = { 0 };
	unsigned char rest = 0;
	size_t i;

	for (i = 0; n - i >= sizeof(wide); i += sizeof(wide))
		seen |= wide_at(s + i);
	for (; i < n; i++)
		rest |= (unsigned char)s[i];
	return rest < 0x80 && wide_leading(~(seen < 0)) == sizeof(wide);
}

size_t text_printable(const char *s, size_t n)
{
	size_t i = 0, found = sizeof(wide);

	for (; found == sizeof(wide) && n - i >= sizeof(wide); i += found)
		found = wide_leading(wide_printable(wide_at(s + i)));
	if (found == sizeof(wide))
		for (; i < n && s[i] >= ' ' && s[i] <= '~'; i++)
			;
	return i;
}

bool text_has_control(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
			return true;
	}
	return false;
}

void text_lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s + ('a' - 'A'));
}

bool text_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

bool text_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Behind the character that s points to; a byte that begins none counts as one. */
static const char *next_char(const char *s)
{
	size_t len = utf8_char((const unsigned char *)s, strnlen(s, 4));

	return s + (len ? len : 1);
}

bool text_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;

	/* on a mismatch only the last star can take one character more: earlier ones have done their part */
	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (*pattern == '?') {
			pattern++;
			s = next_char(s);
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

#define NEAREST_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance where two exchanged neighbours are one edit (optimal string alignment). Both up to NEAREST_MAX. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= m; j++)
		above[j] = j;
	for (i = 1; i <= n; i++) {
		row[0] = i;
		for (j = 1; j <= m; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

const char *text_nearest(const char *name, const char *const *candidates)
{
	size_t n = strlen(name), best = n / 3 ? n / 3 : 1;
	const char *found = NULL;

	if (!n || n > NEAREST_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t m = strlen(*candidates), d;

		if (m > NEAREST_MAX)
			continue;
		d = distance(name, n, *candidates, m);
		/* a single letter is one edit from any other: that is no help */
		if (d < n && (d < best || (d == best && !found))) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}
