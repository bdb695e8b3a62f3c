/*
 * candidates.c: recipients first, since an address of ours is exact; then the ids by which mail answers
 * mail; then what a returned original carries; links of ours in quoted text last.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/token.h"
#include "candidates.h"

#define TOKEN_LENGTH (TOKEN_TEXT - 1)

static bool token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

static void add(struct mail_reading *r, char kind, const char *s, const char *where)
{
	struct mail_token *t = &r->tokens[r->token_count];

	if (r->token_count == READING_MAX_LIST)
		return;
	memcpy(t->text, s, TOKEN_LENGTH);
	t->text[TOKEN_LENGTH] = '\0';
	text_lower(t->text);
	for (size_t i = 0; i < r->token_count; i++)
		if (!strcmp(r->tokens[i].text, t->text))
			return;
	t->kind = kind;
	t->where = where;
	r->token_count++;
}

/* What the characters before it say: "b+", "/u/", "n1." */
static char kind_before(const char *s, size_t at)
{
	if (at >= 2 && (s[at - 1] == '+' || s[at - 1] == '-' || s[at - 1] == '=') &&
		isalpha((unsigned char)s[at - 2]))
		return (char)tolower((unsigned char)s[at - 2]);
	if (at >= 3 && s[at - 1] == '/' && s[at - 3] == '/' && isalpha((unsigned char)s[at - 2]))
		return (char)tolower((unsigned char)s[at - 2]);
	if (at >= 3 && s[at - 1] == '.' && isdigit((unsigned char)s[at - 2]) &&
		tolower((unsigned char)s[at - 3]) == 'n')
		return TOKEN_MESSAGE;
	return '?';
}

/* Every run of exactly 34 characters of the alphabet. */
static void scan(struct mail_reading *r, const char *s, size_t n, const char *where, bool known_place)
{
	size_t run = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && token_char(s[i])) {
			run++;
			continue;
		}
		if (run == TOKEN_LENGTH && (i == n || !isalnum((unsigned char)s[i])) &&
		    (i == run || !isalnum((unsigned char)s[i - run - 1]))) {
			char kind = kind_before(s, i - run);

			if (known_place || kind != '?')
				add(r, kind, s + i - run, where);
		}
		run = 0;
	}
}

static void scan_field(struct mail_reading *r, const char *value, const char *where)
{
	if (value)
		scan(r, value, strlen(value), where, true);
}

/* --- recipients ----------------------------------------------------------------------------------------- */

static void add_recipient(void *ctx, const char *address, size_t n)
{
	struct mail_reading *r = ctx;
	char *s;

	if (r->recipient_count == READING_MAX_LIST)
		return;
	s = arena_strndup(r->arena, address, n);
	text_lower(s);
	for (size_t i = 0; i < r->recipient_count; i++)
		if (!strcmp(r->recipients[i], s))
			return;
	r->recipients[r->recipient_count++] = s;
}

static void scan_recipients(const struct opened_mail *m, struct mail_reading *r)
{
	static const char *const names[] = {"delivered-to", "x-original-to", "envelope-to", "x-envelope-to",
		"x-delivered-to", "to", "cc"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value;

		for (size_t k = 0; (value = headers_nth(&m->headers, names[i], k)) && k < 20; k++) {
			headers_addresses(value, add_recipient, r);
			scan_field(r, value, names[i]);
		}
	}
}

bool candidates_is_ours(const char *s)
{
	return s[0] && (s[1] == '+' || s[1] == '-' || s[1] == '=') &&
	       strspn(s + 2, "abcdefghijklmnopqrstuvwxyz234567") == TOKEN_LENGTH &&
	       s[2 + TOKEN_LENGTH] == '@';
}

bool candidates_to_kind(const struct mail_reading *r, char kind)
{
	for (size_t i = 0; i < r->recipient_count; i++)
		if (r->recipients[i][0] == kind && candidates_is_ours(r->recipients[i]))
			return true;
	return false;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

/* From the right: the last reference is the mail that is answered. */
static void scan_references(struct mail_reading *r, const char *value)
{
	size_t end = value ? strlen(value) : 0;

	while (end > 0) {
		size_t start = end;

		while (start > 0 && value[start - 1] != '<')
			start--;
		scan(r, value + start, end - start, "references", true);
		end = start ? start - 1 : 0;
	}
}

static void scan_original(const struct opened_mail *m, struct mail_reading *r)
{
	static const struct {
		const char *name, *where;
	} fields[] = {
		{"message-id", "original message-id"},
		{"x-nurtured-id", "original x-nurtured-id"},
		{"list-unsubscribe", "original list-unsubscribe"},
		{"feedback-id", "original feedback-id"},
		{"return-path", "original return-path"},
		{"reply-to", "original reply-to"},
	};

	if (m->passed_on) {
		scan_field(r, headers_get(&m->original, "to"), "original to");
		scan_original(m->passed_on, r);
	}
	if (!m->has_original)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		scan_field(r, headers_get(&m->original, fields[i].name), fields[i].where);
}

/* SES puts a Message-ID of its own in place of ours (docs.aws.amazon.com/ses, header fields): <ID@eu-west-1.amazonses.com> */
static void scan_relay_ids(struct mail_reading *r, const char *s)
{
	const char *at = s;

	while (at && r->relay_id_count < READING_MAX_RELAY_IDS && (at = strcasestr(at, "amazonses.com"))) {
		const char *host = at, *id;

		while (host > s && (isalnum((unsigned char)host[-1]) || strchr(".-", host[-1])))
			host--;
		for (id = host; id > s && host > s && host[-1] == '@' && (isalnum((unsigned char)id[-1]) || strchr("-@", id[-1]));)
			id--;
		if (host - id > 16 && host[-1] == '@')
			r->relay_ids[r->relay_id_count++] = arena_strndup(r->arena, id, (size_t)(host - 1 - id));
		at += strlen("amazonses.com");
	}
}

void candidates_read(const struct opened_mail *m, struct mail_reading *r)
{
	scan_recipients(m, r);
	scan_field(r, headers_get(&m->headers, "in-reply-to"), "in-reply-to");
	scan_references(r, headers_get(&m->headers, "references"));
	scan_original(m, r);
	scan_relay_ids(r, headers_get(&m->headers, "in-reply-to"));
	scan_relay_ids(r, headers_get(&m->headers, "references"));
	if (m->has_original)
		scan_relay_ids(r, headers_get(&m->original, "message-id"));
	if (m->passed_on)
		scan_relay_ids(r, headers_get(&m->passed_on->original, "message-id"));
	if (m->passed_on && m->passed_on->status)
		scan(r, m->passed_on->status, strlen(m->passed_on->status), "delivery-status", true);
	if (m->status)
		scan(r, m->status, strlen(m->status), "delivery-status", true);
	if (m->feedback)
		scan(r, m->feedback, strlen(m->feedback), "feedback-report", true);
	scan(r, m->plain, strlen(m->plain), "link", false);
	scan(r, m->html, strlen(m->html), "link", false);
	if (m->has_original)
		scan(r, m->original_raw.data, m->original_raw.len, "link", false);
}
