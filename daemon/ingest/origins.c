/*
 * origins.c: which websites may post to us, and to which we send a browser. Everything is compared with
 * what the plan says; a URL is split here, by hand, because a parser that repairs what it reads would allow
 * what the browser then reads in another way.
 */
#include <string.h>
#include <strings.h>

#include "parts.h"

/* "https://host:port" of an http or https URL; length 0 if it is none. No user part, no backslash. */
static struct slice origin_of(const char *url)
{
	const char *host = strncasecmp(url, "https://", 8) == 0	 ? url + 8
			   : strncasecmp(url, "http://", 7) == 0 ? url + 7
								 : NULL;
	size_t n;

	if (!host)
		return (struct slice){ "", 0 };
	n = strcspn(host, "/?#");
	if (n == 0 || memchr(host, '@', n) || memchr(host, '\\', n))
		return (struct slice){ "", 0 };
	return (struct slice){ url, (size_t)(host - url) + n };
}

static struct slice host_of(const char *url)
{
	struct slice origin = origin_of(url), host = { "", 0 };
	const char *colon;

	if (!origin.len)
		return host;
	host.data = strchr(url, ':') + 3;
	host.len = origin.len - (size_t)(host.data - url);
	if (host.data[0] != '[' && (colon = memchr(host.data, ':', host.len)) != NULL)
		host.len = (size_t)(colon - host.data);
	return host;
}

static bool same(struct slice a, struct slice b)
{
	return a.len && a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

/* From one of our own pages: by public_url, or by the Host that the browser asked. */
static bool is_own(struct http_request *r, const struct plan *plan, struct slice origin)
{
	const char *host = http_header(r, "Host");
	struct slice asked = origin;

	if (same(origin, origin_of(plan->operator.listen.public_url)))
		return true;
	if (!host || !origin.len)
		return false;
	asked.data = strchr(origin.data, ':') + 3;
	asked.len = origin.len - (size_t)(asked.data - origin.data);
	return slice_is_nocase(asked, host);
}

static bool listed(const struct form *form, struct slice origin)
{
	const char *const *o = form->allow_origin;

	for (; o && *o; o++)
		if (same(origin, origin_of(*o)))
			return true;
	return false;
}

static bool allowed(const struct plan *plan, const struct form *form, struct slice origin)
{
	size_t i;

	if (form)
		return listed(form, origin);
	for (i = 0; i < plan->form_count; i++)
		if (listed(&plan->forms[i], origin))
			return true;
	return false;
}

static bool has_list(const struct plan *plan, const struct form *form)
{
	size_t i;

	if (form)
		return form->allow_origin && form->allow_origin[0];
	for (i = 0; i < plan->form_count; i++)
		if (plan->forms[i].allow_origin && plan->forms[i].allow_origin[0])
			return true;
	return false;
}

bool origin_allowed(struct http_request *r, const struct plan *plan, const struct form *form)
{
	const char *header = http_header(r, "Origin");
	struct slice origin = header ? origin_of(header) : (struct slice){ "", 0 };

	if (!header)
		return true;
	http_set_header(r, "Vary", "Origin");
	if (is_own(r, plan, origin))
		return true;
	if (origin.len != strlen(header) || !allowed(plan, form, origin))
		return !has_list(plan, form);
	http_set_header(r, "Access-Control-Allow-Origin", header);
	http_set_header(r, "Access-Control-Expose-Headers", "Retry-After");
	return true;
}

void origin_preflight(struct http_request *r, const struct plan *plan, const struct form *form)
{
	if (!origin_allowed(r, plan, form)) {
		http_problem(r, 403,
			"Pages of this origin may not post here; allow_origin of the form says which may.",
			NULL);
		return;
	}
	http_set_header(r, "Access-Control-Allow-Methods", "POST");
	http_set_header(r, "Access-Control-Allow-Headers", "Content-Type, Idempotency-Key");
	http_set_header(r, "Access-Control-Max-Age", "600");
	http_reply(r, 204, NULL, NULL, 0);
}

bool origin_redirect_allowed(const struct plan *plan, const char *url)
{
	struct slice host = host_of(url);
	const char *const *allow = plan->operator.listen.allow_redirect;

	if (!host.len || strpbrk(url, "\r\n"))
		return false;
	for (; allow && *allow; allow++)
		if (slice_is_nocase(host, *allow))
			return true;
	return same(host, host_of(plan->operator.listen.public_url));
}

bool origin_is_site(const struct plan *plan, const char *url)
{
	return origin_redirect_allowed(plan, url) || allowed(plan, NULL, origin_of(url));
}
