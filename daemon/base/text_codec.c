/*
 * text_codec.c: base32, base64, hex, percent, HTML and JSON of text.h.
 *
 * Decoders take only the one canonical form: a token or a signature must not have two spellings.
 */
#include <endian.h>
#include <string.h>

#include "base/text.h"
#include "base/wide.h"

static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_alphabet[] = "0123456789abcdef";

/* Writes n bytes as digits of `bits` bits each, most significant first; the last is filled with zeros. */
static void encode(struct buf *out, const unsigned char *p, size_t n, const char *alphabet, unsigned bits)
{
	unsigned have = 0, value = 0;

	buf_reserve(out, n * 8 / bits + 1);
	while (n--) {
		value = (value << 8 | *p++) & 0xffff;
		for (have += 8; have >= bits; have -= bits)
			out->data[out->len++] = alphabet[value >> (have - bits) & ((1u << bits) - 1)];
	}
	if (have)
		out->data[out->len++] = alphabet[value << (bits - have) & ((1u << bits) - 1)];
	out->data[out->len] = '\0';
}

void text_base32(struct buf *out, const void *data, size_t n)
{
	encode(out, data, n, base32_alphabet, 5);
}

/* Of each byte its digit and 1; 0: it is none. */
static const uint8_t base32_digits[256] = {
	['a'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['2'] = 27, 28, 29, 30, 31, 32,
};

/* Up to 8 characters as one number; false: one of them is no digit. */
static bool base32_group(const char *s, size_t n, uint64_t *out)
{
	unsigned wrong = 0, digit;
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		digit = base32_digits[(uint8_t)s[i]] - 1u;
		wrong |= digit;		/* of none it is all ones */
		value = value << 5 | (digit & 31);
	}
	*out = value;
	return wrong < 32;
}

int text_base32_decode(const char *s, size_t n, uint8_t *out, size_t out_size, size_t *n_out)
{
	size_t rest = n % 8, len = n / 8 * 5 + rest * 5 / 8, size;
	uint8_t *to = out;
	uint64_t value;

	if (rest == 1 || rest == 3 || rest == 6 || len > out_size)
		return -1;
	for (; n >= 8; s += 8, n -= 8) {
		if (!base32_group(s, 8, &value))
			return -1;
		for (size = 5; size-- > 0; value >>= 8)
			to[size] = (uint8_t)value;
		to += 5;
	}
	if (!base32_group(s, n, &value) || value & ((UINT64_C(1) << (n * 5 % 8)) - 1))
		return -1;
	value >>= n * 5 % 8;
	for (size = n * 5 / 8; size-- > 0; value >>= 8)
		to[size] = (uint8_t)value;
	*n_out = len;
	return 0;
}

/* 48 bits as eight numbers of six, the first in the first byte; two bytes behind them are read. */
static inline uint64_t six_bits(const unsigned char *p)
{
	uint64_t bits;

	memcpy(&bits, p, sizeof(bits));
	bits = be64toh(bits) >> 16;
	bits = (bits & UINT64_C(0xffffff000000)) << 8 | (bits & UINT64_C(0xffffff));
	bits = (bits & UINT64_C(0xfff00000fff000)) << 4 | (bits & UINT64_C(0xfff00000fff));
	bits = (bits & UINT64_C(0xfc00fc00fc00fc0)) << 2 | (bits & UINT64_C(0x3f003f003f003f));
	return htobe64(bits);
}

#define BASE64_STEP 12		/* bytes that become sixteen characters at once */
#define BASE64_READ (BASE64_STEP + 2)

static inline void base64_step(char *to, const unsigned char *p)
{
	typedef unsigned char unsigned_wide __attribute__((vector_size(16)));
	uint64_t half[2] = { six_bits(p), six_bits(p + 6) };
	wide v = wide_at(half);
	unsigned_wide c = (unsigned_wide)v + 'A';

	/* the alphabet's five runs, each by how far it is from where the one before it would go on */
	c += (unsigned_wide)(v > 25) & ('a' - 26 - 'A');
	c -= (unsigned_wide)(v > 51) & ('a' - 26 - ('0' - 52));
	c -= (unsigned_wide)(v > 61) & ('0' - 52 - ('+' - 62));
	c += (unsigned_wide)(v > 62) & ('/' - 63 - ('+' - 62));
	memcpy(to, &c, sizeof(c));
}

void text_base64(struct buf *out, const void *data, size_t n)
{
	const unsigned char *p = data;

	buf_reserve(out, n / 3 * 4 + 4);
	for (; n >= BASE64_READ; p += BASE64_STEP, n -= BASE64_STEP) {
		base64_step(out->data + out->len, p);
		out->len += sizeof(wide);
	}
	encode(out, p, n, base64_alphabet, 6);
	for (; n % 3; n++)
		buf_char(out, '=');
}

#define BASE64_LINE 57		/* bytes that make 76 characters */
#define BASE64_STEPS ((BASE64_LINE + BASE64_STEP - 1) / BASE64_STEP)	/* make a few characters more, which the line end overwrites */
#define BASE64_LINE_READ ((BASE64_STEPS - 1) * BASE64_STEP + BASE64_READ)

void text_base64_lines(struct buf *out, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t line, i;

	buf_reserve(out, n / BASE64_LINE * 78 + 128);
	for (; n >= BASE64_LINE_READ; p += BASE64_LINE, n -= BASE64_LINE) {
		for (i = 0; i < BASE64_STEPS; i++)
			base64_step(out->data + out->len + i * sizeof(wide), p + i * BASE64_STEP);
		out->len += BASE64_LINE / 3 * 4;
		buf_str(out, "\r\n");
	}
	for (; n > 0; p += line, n -= line) {
		line = n < BASE64_LINE ? n : BASE64_LINE;
		text_base64(out, p, line);
		buf_str(out, "\r\n");
	}
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int text_base64_decode(const char *s, size_t n, struct buf *out)
{
	size_t start = out->len, i;
	unsigned have = 0, value = 0;

	if (n % 4)
		return -1;
	for (i = 0; n && i < 2 && s[n - 1] == '='; i++)
		n--;
	buf_reserve(out, n / 4 * 3 + 3);
	for (i = 0; i < n; i++) {
		int digit = base64_digit(s[i]);

		if (digit < 0)
			goto bad;
		value = (value << 6 | (unsigned)digit) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out->data[out->len++] = (char)(value >> have);
		}
	}
	out->data[out->len] = '\0';
	if (!(value & ((1u << have) - 1)))
		return 0;
bad:
	buf_cut(out, start);
	return -1;
}

void text_hex(struct buf *out, const void *data, size_t n)
{
	encode(out, data, n, hex_alphabet, 4);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that two hex digits at s mean, or -1. */
static int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = hex_digit(s[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int text_hex_decode(const char *s, size_t n, struct buf *out)
{
	size_t start = out->len, i;

	if (n % 2)
		return -1;
	for (i = 0; i < n; i += 2) {
		int byte = hex_byte(s + i);

		if (byte < 0) {
			buf_cut(out, start);
			return -1;
		}
		buf_char(out, (char)byte);
	}
	return 0;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void text_percent(struct buf *out, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_unreserved(s[i]))
			buf_char(out, s[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s[i]);
}

int text_percent_decode(const char *s, size_t n, bool form, struct buf *out)
{
	size_t start = out->len, i;
	int byte;

	buf_reserve(out, n);
	for (i = 0; i < n; i++) {
		byte = (unsigned char)s[i];
		if (s[i] == '+' && form) {
			byte = ' ';
		} else if (s[i] == '%') {
			byte = n - i > 2 ? hex_byte(s + i + 1) : -1;
			i += 2;
		}
		if (byte <= 0) {
			buf_cut(out, start);
			return -1;
		}
		buf_char(out, (char)byte);
	}
	return 0;
}

#define ENTITY_MAX 6

static const char *const entities[] = { "", "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
static const uint8_t entity_of[256] = { ['&'] = 1, ['<'] = 2, ['>'] = 3, ['"'] = 4, ['\''] = 5 };

static inline bool is_markup(char c)
{
	return entity_of[(unsigned char)c];
}

/* Copies sixteen; how many of them are no markup before one is. */
static inline size_t html_wide(char *to, const char *s)
{
	wide w = wide_at(s);

	memcpy(to, &w, sizeof(w));
	return wide_leading(~((w == '&') | (w == '<') | (w == '>') | (w == '"') | (w == '\'')));
}

/* Into room that was made for the worst case; what it wrote ends at what is returned. */
static char *html_piece(char *to, const char *s, const char *end)
{
	const char *entity;
	size_t n;

	while (s < end) {
		if ((size_t)(end - s) >= sizeof(wide)) {
			n = html_wide(to, s);
			to += n;
			s += n;
			if (n == sizeof(wide))
				continue;
		} else if (!is_markup(*s)) {
			*to++ = *s++;
			continue;
		}
		for (entity = entities[entity_of[(unsigned char)*s++]]; *entity; entity++)
			*to++ = *entity;
	}
	return to;
}

void text_html(struct buf *out, const char *s, size_t n)
{
	size_t piece;

	for (; n > 0; s += piece, n -= piece) {
		piece = n < 256 ? n : 256;
		buf_reserve(out, piece * ENTITY_MAX);
		out->len = (size_t)(html_piece(out->data + out->len, s, s + piece) - out->data);
		out->data[out->len] = '\0';
	}
}

/* One character below 0x80. */
static void json_ascii(struct buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *p = c ? strchr(from, c) : NULL;

	if (p)
		buf_printf(out, "\\%c", to[p - from]);
	else if ((unsigned char)c < 0x20 || c == 0x7f)
		buf_printf(out, "\\u%04x", (unsigned char)c);
	else
		buf_char(out, c);
}

/* A whole character above it. C1 controls are escaped: terminals act on them. */
static void json_character(struct buf *out, const char *s, size_t len)
{
	if (s[0] == '\xc2' && (unsigned char)s[1] < 0xa0)
		buf_printf(out, "\\u%04x", (unsigned char)s[1]);
	else
		buf_add(out, s, len);
}

void text_json(struct buf *out, const char *s, size_t n)
{
	size_t i = 0, len;

	buf_char(out, '"');
	while (i < n) {
		if ((unsigned char)s[i] < 0x80) {
			json_ascii(out, s[i++]);
			continue;
		}
		for (len = 2; len <= 4 && len <= n - i && !text_utf8_valid(s + i, len); len++)
			;
		if (len > 4 || len > n - i) {
			buf_str(out, "\xef\xbf\xbd");
			i++;
		} else {
			json_character(out, s + i, len);
			i += len;
		}
	}
	buf_char(out, '"');
}
