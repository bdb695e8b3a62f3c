/*
 * names.c: see names.h.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include "names.h"

#define ANSWER_MAX 65536
#define LIST_MAX 200

struct names {
	struct __res_state state;
	bool given;
	unsigned char answer[ANSWER_MAX];
};

static int use_resolver(struct names *n, const char *resolver, struct err *err)
{
	const char *colon = strchr(resolver, ':');
	char *host = colon ? xstrndup(resolver, (size_t)(colon - resolver)) : xstrdup(resolver);
	struct sockaddr_in *at = &n->state.nsaddr_list[0];
	int64_t port = NAMESERVER_PORT;
	int rc = 0;

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &at->sin_addr) != 1 || (colon && (text_int(colon + 1, &port) < 0 || port < 1 || port > 65535)))
		rc = err_set(err, "`%s` is no resolver; write an IPv4 address, and a port if it is not 53: 127.0.0.1:5353", resolver);
	at->sin_port = htons((uint16_t)port);
	n->state.nscount = 1;
	n->given = true;
	free(host);
	return rc;
}

int names_new(const char *resolver, struct names **out, struct err *err)
{
	struct names *n = xcalloc(1, sizeof(*n));

	if (res_ninit(&n->state) < 0) {
		free(n);
		return err_set(err, "/etc/resolv.conf cannot be read");
	}
	n->state.retrans = 3;
	n->state.retry = 2;
	if (resolver && use_resolver(n, resolver, err) < 0) {
		names_free(&n);
		return -1;
	}
	*out = n;
	return 0;
}

void names_free(struct names **names)
{
	if (!*names)
		return;
	res_nclose(&(*names)->state);
	free(*names);
	*names = NULL;
}

bool names_given(const struct names *names)
{
	return names->given;
}

void names_list_clear(struct names_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct names_list){ 0 };
}

/* Takes text. */
static void add(struct names_list *list, char *text)
{
	if (list->count == LIST_MAX) {
		free(text);
		return;
	}
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = text;
}

/* --- one kind of record ----------------------------------------------------------------------------------------- */

/* The strings of a TXT record, joined; what is no text in them becomes `?`. */
static char *txt_of(const ns_rr *rr)
{
	const unsigned char *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
	struct buf b = BUF_INIT;
	size_t i;

	while (p < end && *p <= end - p - 1) {
		for (i = 1; i <= *p; i++)
			buf_char(&b, p[i] < ' ' || p[i] >= 0x7f ? '?' : (char)p[i]);
		p += *p + 1;
	}
	return buf_take(&b);
}

/* A name in the rdata, `skip` bytes behind its beginning; NULL: it is broken. */
static char *name_of(const ns_msg *message, const ns_rr *rr, size_t skip)
{
	char name[NS_MAXDNAME];
	int rc = -1;

	if (ns_rr_rdlen(*rr) > skip)
		rc = dn_expand(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*rr) + skip, name, sizeof(name));
	return rc < 0 ? NULL : xstrdup(*name ? name : ".");
}

static char *address_of(const ns_rr *rr, int family, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	return ns_rr_rdlen(*rr) == size && inet_ntop(family, ns_rr_rdata(*rr), text, sizeof(text)) ? xstrdup(text) : NULL;
}

/* With its preference in front, so that they sort. */
static char *mx_of(const ns_msg *message, const ns_rr *rr)
{
	char *host = name_of(message, rr, 2), *text = NULL;

	if (host)
		text = xasprintf("%05u %s", ns_get16(ns_rr_rdata(*rr)), host);
	free(host);
	return text;
}

static char *record_of(const ns_msg *message, const ns_rr *rr, ns_type type)
{
	switch ((int)type) {
	case ns_t_txt:
		return txt_of(rr);
	case ns_t_mx:
		return mx_of(message, rr);
	case ns_t_ptr:
		return name_of(message, rr, 0);
	case ns_t_a:
		return address_of(rr, AF_INET, 4);
	case ns_t_aaaa:
		return address_of(rr, AF_INET6, 16);
	}
	return NULL;
}

static int read_answer(struct names *n, int len, ns_type type, struct names_list *out, struct err *err)
{
	ns_msg message;
	ns_rr rr;
	char *text;
	int i;

	if (ns_initparse(n->answer, len, &message) < 0)
		return err_set(err, "the answer is no DNS message");
	for (i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &rr) < 0)
			return err_set(err, "the answer is broken");
		text = ns_rr_type(rr) == type ? record_of(&message, &rr, type) : NULL;
		if (text)
			add(out, text);
	}
	return 0;
}

static int ask(struct names *n, const char *name, ns_type type, struct names_list *out, struct err *err)
{
	int len = res_nquery(&n->state, name, ns_c_in, (int)type, n->answer, sizeof(n->answer));
	size_t before = out->count;

	if (len < 0 && (n->state.res_h_errno == HOST_NOT_FOUND || n->state.res_h_errno == NO_DATA))
		return 0;
	if (len < 0)
		return err_set(err, "DNS gives no answer for %s (%s)", name,
			n->state.res_h_errno == TRY_AGAIN ? "no server answered, or the zone is broken" : "it was refused");
	if (len > (int)sizeof(n->answer))
		len = sizeof(n->answer);
	if (read_answer(n, len, type, out, err) < 0)
		return err_prefix(err, "%s", name);
	return out->count > before;
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

static int finish(int rc, struct names_list *out)
{
	if (rc <= 0)
		names_list_clear(out);
	return rc;
}

int names_txt(struct names *names, const char *domain, struct names_list *out, struct err *err)
{
	*out = (struct names_list){ 0 };
	return finish(ask(names, domain, ns_t_txt, out, err), out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_mx(struct names *names, const char *domain, struct names_list *out, struct err *err)
{
	int rc;
	size_t i;

	*out = (struct names_list){ 0 };
	rc = finish(ask(names, domain, ns_t_mx, out, err), out);
	if (rc <= 0)
		return rc;
	qsort(out->items, out->count, sizeof(*out->items), by_text);
	for (i = 0; i < out->count; i++)
		memmove(out->items[i], out->items[i] + 6, strlen(out->items[i] + 6) + 1);
	return 1;
}

static bool is_address(const char *s)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

int names_addresses(struct names *names, const char *host, struct names_list *out, struct err *err)
{
	int four, six;

	*out = (struct names_list){ 0 };
	if (is_address(host) || !strcmp(host, "localhost")) {
		add(out, xstrdup(is_address(host) ? host : "127.0.0.1"));
		return 1;
	}
	four = ask(names, host, ns_t_a, out, err);
	six = ask(names, host, ns_t_aaaa, out, four < 0 ? NULL : err);
	return finish(four > 0 || six > 0 ? 1 : four < 0 || six < 0 ? -1 : 0, out);
}

int names_ptr(struct names *names, const char *ip, struct names_list *out, struct err *err)
{
	unsigned char b[16];
	struct buf name = BUF_INIT;
	int rc = 0, i;

	*out = (struct names_list){ 0 };
	if (inet_pton(AF_INET, ip, b) == 1) {
		buf_printf(&name, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
	} else if (inet_pton(AF_INET6, ip, b) == 1) {
		for (i = 15; i >= 0; i--)
			buf_printf(&name, "%x.%x.", b[i] & 15, b[i] >> 4);
		buf_str(&name, "ip6.arpa");
	}
	if (name.len)
		rc = finish(ask(names, buf_cstr(&name), ns_t_ptr, out, err), out);
	buf_clear(&name);
	return rc;
}

bool names_private(const char *ip)
{
	unsigned char b[16];

	if (inet_pton(AF_INET, ip, b) == 1)
		return b[0] == 127 || b[0] == 10 || b[0] == 0 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
			(b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
	if (inet_pton(AF_INET6, ip, b) != 1)
		return false;
	return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || !memcmp(b, &in6addr_loopback, 16);
}
