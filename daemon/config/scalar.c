/*
 * scalar.c: the forms of single values in config.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"

#include "scalar.h"

#define NAME_MAX_LEN 64
#define URL_MAX_LEN 2000

int scalar_name(const char *s, struct err *err)
{
	size_t n = strlen(s);

	if (!n)
		return err_set(err, "the name is empty; give it one");
	if (n > NAME_MAX_LEN)
		return err_set(err, "the name has %zu characters; at most %d are allowed", n, NAME_MAX_LEN);
	if (!isalpha((unsigned char)s[0]) ||
		s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")])
		return err_set(
			err, "`%s` is no name; a letter comes first, then letters, digits, - and _", s);
	return 0;
}

int scalar_int(const char *s, int64_t *out, struct err *err)
{
	if (text_int(s, out))
		return err_set(err, "`%s` is no whole number; write it in digits", s);
	return 0;
}

int scalar_size(const char *s, int64_t *out, struct err *err)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = { { "", 1 }, { "B", 1 }, { "KiB", 1024 }, { "MiB", 1024 * 1024 },
		{ "GiB", 1024 * 1024 * 1024 } };
	size_t digits = strspn(s, "0123456789");
	const char *unit = s + digits + strspn(s + digits, " ");
	int64_t n;

	if (!digits || digits > 9)
		return err_set(err, "`%s` is no size; write it like 256 KiB", s);
	n = strtoll(s, NULL, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(unit, units[i].name)) {
			*out = n * units[i].bytes;
			return 0;
		}
	}
	return err_set(err, "`%s` is no unit of size; there are B, KiB, MiB and GiB", unit);
}

/* "per day" is per 1 day. */
static int window(const char *s, int64_t *out, struct err *err)
{
	char one[64];

	if (isdigit((unsigned char)*s))
		return text_duration(s, out, err);
	if (strlen(s) + 3 > sizeof(one))
		return err_set(err, "`%s` is no duration", s);
	memcpy(one, "1 ", 2);
	memcpy(one + 2, s, strlen(s) + 1);
	return text_duration(one, out, err);
}

int scalar_rate(const char *s, struct rate *out, struct err *err)
{
	const char *per = strstr(s, " per ");
	char count[24];
	struct rate rate;
	struct err inner;

	if (!per || per == s || (size_t)(per - s) >= sizeof(count))
		return err_set(err, "`%s` is no rate; write it like 3 per hour or 2 per 30 days", s);
	memcpy(count, s, (size_t)(per - s));
	count[per - s] = 0;
	if (text_int(count, &rate.count) || rate.count < 1 || rate.count > 1000000000)
		return err_set(err,
			"`%s` is no number for a rate; a whole number of at least 1 stands before `per`",
			count);
	if (window(per + 5 + strspn(per + 5, " "), &rate.within, &inner))
		return err_set(err, "%s; a rate is written like 3 per hour or 2 per 30 days", inner.text);
	if (rate.within < US_SECOND)
		return err_set(err, "a rate counts over at least 1 s");
	*out = rate;
	return 0;
}

int scalar_percent(const char *s, double *out, struct err *err)
{
	size_t n = strcspn(s, " %");
	char number[24];
	double value;

	if (n >= sizeof(number) || strcmp(s + n + strspn(s + n, " "), "%") != 0)
		return err_set(err, "`%.40s` is no percentage; write it like 10%%", s);
	memcpy(number, s, n);
	number[n] = 0;
	if (text_double(number, &value) || value < 0 || value > 100)
		return err_set(err, "`%.40s` is no percentage; write it like 10%%", s);
	*out = value / 100;
	return 0;
}

int scalar_minute(const char *s, int *out, struct err *err)
{
	int hour, minute;

	if (strlen(s) != 5 || strspn(s, "0123456789") != 2 || s[2] != ':' || strspn(s + 3, "0123456789") != 2)
		return err_set(err, "`%s` is no time of day; write it like \"08:00\"", s);
	hour = (s[0] - '0') * 10 + s[1] - '0';
	minute = (s[3] - '0') * 10 + s[4] - '0';
	if (minute > 59 || hour * 60 + minute > 24 * 60)
		return err_set(err, "`%s` is no time of day; a day goes from 00:00 to 24:00", s);
	*out = hour * 60 + minute;
	return 0;
}

/* Two or four digits at *s, and what must follow them. */
static int date_part(const char **s, size_t digits, const char *behind, int *out)
{
	if (strspn(*s, "0123456789") != digits)
		return -1;
	*out = (int)strtol(*s, NULL, 10);
	*s += digits;
	if (strncmp(*s, behind, strlen(behind)) != 0 || (!*behind && **s))
		return -1;
	*s += strlen(behind);
	return 0;
}

int scalar_date(const char *s, bool yearly, int *year, int *month, int *day, struct err *err)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *at = s;
	int y = 0, m, d;

	if ((!yearly || strcspn(s, "-") != 2) && date_part(&at, 4, "-", &y))
		y = -1;
	if (y < 0 || date_part(&at, 2, "-", &m) || date_part(&at, 2, "", &d))
		return err_set(err, "`%.40s` is no date; write it like %s2026-12-25", s, yearly ? "\"12-25\" (every year) or " : "");
	if ((at - s == 10 && (y < 1970 || y > 9999)) || m < 1 || m > 12 || d < 1 || d > days[m - 1] ||
		(m == 2 && d == 29 && y && (y % 4 || (y % 100 == 0 && y % 400))))
		return err_set(err, "there is no day `%s` in the calendar", s);
	*year = y;
	*month = m;
	*day = d;
	return 0;
}

int scalar_host(struct arena *arena, const char *s, const char **out, struct err *err)
{
	struct address address;
	char *mailbox = xasprintf("x@%s", s);
	/* what an address may have around it, a host may not */
	int rc = strpbrk(s, "@ \t\r\n") ? -1 : address_parse(mailbox, &address, NULL);

	free(mailbox);
	if (rc)
		return err_set(err, "`%s` is no domain name; write it like mail.example.com", s);
	*out = arena_strdup(arena, address.domain);
	return 0;
}

int scalar_path(struct arena *arena, const char *folder, const char *s, const char **out, struct err *err)
{
	if (strlen(s) > 1000)
		return err_set(err, "the path is too long");
	*out = *s == '/' ? arena_strdup(arena, s) : arena_printf(arena, "%s/%s", folder, s);
	return 0;
}

static const char *url_part(struct arena *arena, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	const char *copy = "";

	if (curl_url_get(url, part, &text, 0) == CURLUE_OK && text)
		copy = arena_strdup(arena, text);
	curl_free(text);
	return copy;
}

static int url_check(struct arena *arena, CURLU *url, const char *const *schemes, struct err *err)
{
	const char *scheme = url_part(arena, url, CURLUPART_SCHEME);
	struct buf known = BUF_INIT;
	size_t i = 0;

	if (*url_part(arena, url, CURLUPART_USER) || *url_part(arena, url, CURLUPART_PASSWORD))
		return err_set(err,
			"there is a user or a password in the URL; they have keys of their own, and files");
	if (*url_part(arena, url, CURLUPART_FRAGMENT))
		return err_set(err, "there is a #fragment in the URL; leave it away");
	while (schemes[i] && strcmp(schemes[i], scheme))
		i++;
	if (schemes[i])
		return 0;
	for (i = 0; schemes[i]; i++)
		buf_printf(&known, "%s%s", !i ? "" : schemes[i + 1] ? ", " : " or ", schemes[i]);
	err_set(err, "`%s:` is no scheme for this; it is %s", scheme, buf_cstr(&known));
	buf_clear(&known);
	return -1;
}

/* The URL with its host in A-labels: a link in a mail, or a client of another locale, can have no other. */
static int url_ascii(struct arena *arena, CURLU *url, const char *s, const char **out, struct err *err)
{
	const char *host = url_part(arena, url, CURLUPART_HOST), *ascii = host, *at = strstr(s, host);

	if (!text_ascii(host, strlen(host)) && (!at || scalar_host(arena, host, &ascii, err)))
		return err_set(err, "`%s` is no URL: Bad hostname", s);
	*out = ascii == host ? arena_strdup(arena, s) : arena_printf(arena, "%.*s%s%s", (int)(at - s), s, ascii, at + strlen(host));
	return text_ascii(*out, strlen(*out)) ? 0 : err_set(err, "`%s` has letters beyond ASCII behind the host; write them as %%XX", s);
}

int scalar_url(
	struct arena *arena, const char *s, const char *const *schemes, const char **out, struct err *err)
{
	CURLU *url;
	CURLUcode code;
	size_t n = strlen(s);
	int rc;

	if (n > URL_MAX_LEN)
		return err_set(err, "the URL has %zu characters; at most %d are allowed", n, URL_MAX_LEN);
	if (!strstr(s, ":/"))
		return err_set(err, "`%s` is no whole URL; it begins like %s://", s, schemes[0]);
	url = curl_url();
	if (!url)
		return err_set(err, "out of memory");
	code = curl_url_set(url, CURLUPART_URL, s, CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER);
	if (code == CURLUE_USER_NOT_ALLOWED)
		rc = err_set(err,
			"there is a user or a password in the URL; they have keys of their own, and files");
	else if (code != CURLUE_OK)
		rc = err_set(err, "`%s` is no URL: %s", s, curl_url_strerror(code));
	else
		rc = url_check(arena, url, schemes, err) || url_ascii(arena, url, s, out, err) ? -1 : 0;
	curl_url_cleanup(url);
	return rc;
}

void scalar_url_parts(struct arena *arena, const char *s, struct scalar_url *out)
{
	CURLU *url = curl_url();

	*out = (struct scalar_url){ "", "", "" };
	if (url && curl_url_set(url, CURLUPART_URL, s, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
		out->scheme = url_part(arena, url, CURLUPART_SCHEME);
		out->host = url_part(arena, url, CURLUPART_HOST);
		out->path = url_part(arena, url, CURLUPART_PATH);
	}
	curl_url_cleanup(url);
}

void scalar_print(enum key_type type, int64_t value, struct buf *out)
{
	if (type == KEY_DURATION)
		text_duration_print(out, value);
	else if (type == KEY_SIZE && value >= 1024 * 1024 && value % (1024 * 1024) == 0)
		buf_printf(out, "%lld MiB", (long long)(value / (1024 * 1024)));
	else if (type == KEY_SIZE && value >= 1024 && value % 1024 == 0)
		buf_printf(out, "%lld KiB", (long long)(value / 1024));
	else
		buf_printf(out, "%lld%s", (long long)value, type == KEY_PERCENT ? "%" : "");
}
