/*
 * pages.c: what people see: the plan's page templates with values, under a policy that lets a page do
 * nothing but show itself and post back to us. A page that fails to render is answered as plain text, so
 * that nobody stands before nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include "parts.h"

#define RETRY_AFTER "5"

struct page {
	struct http_request *r;
	const struct plan *plan;
	const char *name, *title, *message;
	const char *posts_to, *language;
	struct value *values;	/* by symbol of plan->page_names */
	size_t count;
};

struct page *page_new(struct http_request *r, const struct plan *plan, const char *name, const char *title)
{
	struct arena *arena = http_arena(r);
	struct page *page = arena_calloc(arena, 1, sizeof(*page));

	page->r = r;
	page->plan = plan;
	page->name = name;
	page->title = title;
	page->language = "";
	page->count = vocabulary_count(plan->page_names);
	page->values = arena_calloc(arena, page->count + 1, sizeof(*page->values));
	page_set(page, "title", value_text(title));
	page_set(page, "company", value_text(plan->operator.senders[0].company));
	page_set(page, "postal_address", value_text(plan->operator.senders[0].postal_address));
	page_set(page, "home_url", value_text(plan->operator.listen.public_url));
	return page;
}

void page_set(struct page *page, const char *name, struct value v)
{
	int symbol = vocabulary_find(page->plan->page_names, slice_of(name));

	if (v.type == VALUE_TEXT && v.text.len == 0)
		v = value_nil;	/* so that `if` in a template means what it says */
	if (symbol >= 0)
		page->values[symbol] = v;
	if (strcmp(name, "message") == 0 && v.type == VALUE_TEXT)
		page->message = arena_strndup(http_arena(page->r), v.text.data, v.text.len);
}

void page_in(struct page *page, const char *language)
{
	page->language = arena_strdup(http_arena(page->r), language);
}

void page_posts_to(struct page *page, const char *url)
{
	page->posts_to = url;
}

static struct value name_cb(void *ctx, int symbol)
{
	const struct page *page = ctx;

	return symbol >= 0 && (size_t)symbol < page->count ? page->values[symbol] : value_nil;
}

static void set_policy(struct page *page)
{
	const char *url = page->posts_to, *host = url ? strstr(url, "://") : NULL;
	char policy[400];
	int n = host ? (int)((host - url) + 3 + (ptrdiff_t)strcspn(host + 3, "/?#;, ")) : 0;

	snprintf(policy, sizeof(policy),
		"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action "
		"'self'%s%.*s; "
		"base-uri 'none'; frame-ancestors 'none'",
		n ? " " : "", n < 200 ? n : 0, n ? url : "");
	http_set_header(page->r, "Content-Security-Policy", policy);
	http_set_header(page->r, "Referrer-Policy", "no-referrer");
	http_set_header(page->r, "X-Robots-Tag", "noindex, nofollow");
}

void page_send(struct page *page, int status)
{
	const char *language;
	const struct template *t = plan_page_in(page->plan, page->name, page->language, &language);
	struct template_env env = {
		.now = clock_now(), .ctx = page, .name = name_cb, .arena = http_arena(page->r)};
	struct buf out = BUF_INIT;
	struct err err = { "there is no such page" };

	set_policy(page);
	page_set(page, "language", value_text(language));
	if (t && template_render(t, &env, &out, &err) == TEMPLATE_DONE) {
		http_reply(page->r, status, "text/html", out.data, out.len);
	} else {
		log_error("page.failed", L_STR("page", page->name), L_STR("error", err.text));
		buf_reset(&out);
		buf_printf(&out, "%s\n\n%s\n", page->title, page->message ? page->message : "");
		http_reply(page->r, status, "text/plain", out.data, out.len);
	}
	buf_clear(&out);
}

void page_problem(
	struct http_request *r, const struct plan *plan, int status, const char *title, const char *message)
{
	struct page *page;

	if (!http_wants_html(r)) {
		http_problem(r, status, message, NULL);
		return;
	}
	page = page_new(r, plan, "error", title);
	page_set(page, "message", value_text(message));
	page_send(page, status);
}

void page_busy(struct http_request *r, const struct plan *plan)
{
	http_set_header(r, "Retry-After", RETRY_AFTER);
	page_problem(r, plan, 503, "Please try again",
		"We can not take this at the moment. Please try again in a few seconds.");
}
