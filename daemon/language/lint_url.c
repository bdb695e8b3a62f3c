/*
 * lint_url.c: see lint_url.h. RFC 3986, as far as a link in a mail needs it.
 */
#include <string.h>
#include <strings.h>

#include "lint_url.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool starts(struct slice s, const char *with)
{
	return s.len >= strlen(with) && strncasecmp(s.data, with, strlen(with)) == 0;
}

static bool ends(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && strncasecmp(s.data + s.len - n, with, n) == 0;
}

/* The length of "https" in https:...; 0 if there is no scheme. */
static size_t scheme_length(struct slice s)
{
	size_t n = 0;

	if (!s.len || !is_letter(s.data[0]))
		return 0;
	while (n < s.len && (is_letter(s.data[n]) || is_digit(s.data[n]) || strchr("+-.", s.data[n])))
		n++;
	return n < s.len && s.data[n] == ':' ? n : 0;
}

/* Spaces, controls, and % without two digits behind it have no place anywhere. */
static const char *bad_character(struct slice s, bool open)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c <= ' ' || c == 0x7f)
			return "there is a space or a control character in it";
		if (strchr("<>\"\\^`{|}", c))
			return "it has a character that has to be written as %XX";
		if (c == '%' && i + 2 >= s.len)
			return open ? NULL : "behind a % stand two hexadecimal digits";
		if (c == '%' && (!strchr("0123456789abcdefABCDEF", s.data[i + 1]) || !strchr("0123456789abcdefABCDEF", s.data[i + 2])))
			return "behind a % stand two hexadecimal digits";
	}
	return NULL;
}

static bool is_local(struct slice host)
{
	return slice_is_nocase(host, "localhost") || ends(host, ".localhost") || ends(host, ".local") || ends(host, ".internal") ||
		ends(host, ".test") || ends(host, ".invalid") || starts(host, "127.") || starts(host, "10.") ||
		starts(host, "192.168.") || starts(host, "0.0.0.0") || starts(host, "[::1]");
}

static const char *bad_host(struct slice host)
{
	if (host.len == 0)
		return "there is no host in it";
	if (host.data[0] == '[')
		return host.data[host.len - 1] == ']' ? NULL : "its address has no ]";
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];

		if (!is_letter(c) && !is_digit(c) && !strchr("-._", c) && (unsigned char)c < 0x80)
			return "its host has a character that no host has";
		if (c == '.' && (i == 0 || host.data[i - 1] == '.'))
			return "its host has an empty part";
	}
	return memchr(host.data, '.', host.len) ? NULL : "its host has no domain";
}

/* What stands between // and the path, without user and port; false if the port is none. */
static bool host_of(struct slice s, struct slice *host)
{
	size_t n = 0;
	const char *at, *colon;

	while (n < s.len && !strchr("/?#", s.data[n]))
		n++;
	s.len = n;
	at = n ? memrchr(s.data, '@', n) : NULL;
	if (at)
		s = (struct slice){ at + 1, (size_t)(s.data + n - at - 1) };
	*host = s;
	colon = s.len && s.data[s.len - 1] != ']' ? memrchr(s.data, ':', s.len) : NULL;
	if (!colon)
		return true;
	host->len = (size_t)(colon - s.data);
	for (const char *p = colon + 1; p < s.data + s.len; p++)
		if (!is_digit(*p))
			return false;
	return colon + 1 < s.data + s.len;
}

static enum url_fault web_fault(struct slice url, size_t scheme, bool open, const char **why)
{
	struct slice rest = { url.data + scheme + 1, url.len - scheme - 1 }, host;
	bool whole;

	if (open && rest.len < 3)
		return starts(url, "http:") ? URL_PLAIN : URL_GOOD;
	if (!starts(rest, "//")) {
		*why = "behind https: stand two slashes";
		return URL_MALFORMED;
	}
	rest = (struct slice){ rest.data + 2, rest.len - 2 };
	whole = !open || memchr(rest.data, '/', rest.len) || memchr(rest.data, '?', rest.len);
	if (whole && !host_of(rest, &host)) {
		*why = "its port is no number";
		return URL_MALFORMED;
	}
	if (whole && is_local(host))
		return URL_LOCAL;
	*why = whole ? bad_host(host) : NULL;
	if (*why)
		return URL_MALFORMED;
	*why = "";
	return starts(url, "http:") ? URL_PLAIN : URL_GOOD;
}

static enum url_fault mail_fault(struct slice url, bool open, const char **why)
{
	const char *at = memchr(url.data, '@', url.len);

	if (open || (at && at > url.data + 7 && at + 1 < url.data + url.len))
		return URL_GOOD;
	*why = "behind mailto: stands an address";
	return URL_MALFORMED;
}

enum url_fault url_fault_of(struct slice url, bool open, const char **why)
{
	static const char *const scripts[] = { "javascript:", "vbscript:" };
	size_t scheme;

	*why = "";
	url = open ? url : slice_trim(url);
	if (url.len == 0 || (url.len == 1 && url.data[0] == '#'))
		return open ? URL_GOOD : URL_EMPTY;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (starts(url, scripts[i]))
			return URL_SCRIPT;
	scheme = scheme_length(url);
	if (!scheme)
		return URL_RELATIVE;
	*why = bad_character(url, open);
	if (*why)
		return URL_MALFORMED;
	*why = "";
	if (starts(url, "http:") || starts(url, "https:"))
		return web_fault(url, scheme, open, why);
	if (starts(url, "mailto:"))
		return mail_fault(url, open, why);
	return starts(url, "tel:") || starts(url, "sms:") || starts(url, "cid:") ? URL_GOOD : URL_SCHEME;
}
