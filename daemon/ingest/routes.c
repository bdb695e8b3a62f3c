/*
 * routes.c: what is where. Nothing that GET answers changes consent, a lead or an outcome.
 */
#include <string.h>

#include "parts.h"

static void health_get(void *ctx, struct http_request *r)
{
	http_reply(r, 200, "text/plain", "ok\n", 3);
}

static void ready_get(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct err why = { "" };

	if (store_ready(in->store, &why))
		http_reply(r, 200, "text/plain", "ready\n", 6);
	else
		http_problem(r, 503, "The store can not commit at this time.", NULL);
}

static void robots_get(void *ctx, struct http_request *r)
{
	static const char text[] = "User-agent: *\nDisallow: /\n";

	http_reply(r, 200, "text/plain", text, sizeof(text) - 1);
}

const struct http_route ingest_routes[] = {
	{ HTTP_POST | HTTP_OPTIONS, "/v1/forms/", form_post },
	{ HTTP_POST | HTTP_OPTIONS, "/v1/track", track_post },
	{ HTTP_POST | HTTP_OPTIONS, "/v1/page", page_post },
	{ HTTP_POST, "/v1/identify", identify_post },
	{ HTTP_POST, "/v1/batch", batch_post },
	{ HTTP_POST, "/v1/outcomes", outcome_post },
	{ HTTP_POST | HTTP_LARGE, "/v1/esp/", esp_post },
	{ HTTP_GET, "/o/", open_get },
	{ HTTP_GET, "/c/", click_get },
	{ HTTP_GET | HTTP_POST, "/d/", download_any },
	{ HTTP_GET | HTTP_POST, "/u/", unsubscribe_any },
	{ HTTP_GET | HTTP_POST, "/y/", confirm_any },
	{ HTTP_GET | HTTP_POST, "/p/", preferences_any },
	{ HTTP_GET | HTTP_POST, "/s/", sales_any },
	{ HTTP_GET, "/nurture.js", script_get },
	{ HTTP_GET, "/signup/", signup_page },
	{ HTTP_GET, "/", signup_home },
	{ HTTP_GET, "/healthz", health_get },
	{ HTTP_GET, "/readyz", ready_get },
	{ HTTP_GET, "/robots.txt", robots_get },
	{ 0, NULL, NULL },
};
