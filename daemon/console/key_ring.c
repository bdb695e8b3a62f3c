/*
 * key_ring.c: see key_ring.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/text.h"
#include "decide/facts.h"
#include "decide/keys.h"
#include "store/store.h"

#include "key_ring.h"

struct key_call {
	struct store_job job;
	struct decide *decide;
	struct http_request *request;
	bool rotate, full;
	struct token_keys keys;
};

static int run(struct store_job *job, struct db *db, struct err *err)
{
	struct key_call *k = (struct key_call *)job;

	return k->rotate ? on_key_rotate(db, clock_now(), &k->keys, &k->full, err) : keys_load(db, &k->keys, err);
}

static void answer(struct key_call *k)
{
	struct buf out = BUF_INIT;

	buf_str(&out, "{\"keys\":[");
	for (size_t i = 0; i < k->keys.count; i++) {
		buf_printf(&out, "%s{\"id\":%d,\"signs\":%s,\"since\":", i ? "," : "", k->keys.ids[i], i ? "false" : "true");
		if (k->keys.since[i]) {
			buf_char(&out, '"');
			text_time(&out, k->keys.since[i]);
			buf_char(&out, '"');
		} else {
			buf_str(&out, "\"the beginning\"");
		}
		buf_char(&out, '}');
	}
	buf_str(&out, "]}");
	http_reply(k->request, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct key_call *k = (struct key_call *)job;

	if (result != STORE_COMMITTED) {
		http_problem(k->request, result == STORE_FAILED ? 503 : 500, err->text, NULL);
		log_error("console.failed", L_STR("error", err->text));
	} else if (k->full) {
		http_problem(k->request, 409, "there are 16 keys, and links to unsubscribe hold for ever with each of them: no more fit", NULL);
	} else {
		if (k->rotate) {
			decide_add_key(k->decide, k->keys.secrets[0], k->keys.ids[0], k->keys.since[0]);
			log_info("keys.rotated", L_INT("key", k->keys.ids[0]), L_INT("keys", (int64_t)k->keys.count));
		}
		answer(k);
	}
	explicit_bzero(k, sizeof(*k));
	free(k);
}

static void ask(struct decide *decide, struct http_request *r, bool rotate)
{
	struct key_call *k = xcalloc(1, sizeof(*k));

	k->job = (struct store_job){ .run = run, .done = done };
	k->decide = decide;
	k->request = r;
	k->rotate = rotate;
	if (store_submit(decide_store(decide), &k->job, STORE_NORMAL) == 0)
		return;
	http_set_header(r, "Retry-After", "1");
	http_problem(r, 503, "nothing can be written now; see `nurturectl status`", NULL);
	free(k);
}

void key_ring_list(struct decide *decide, struct http_request *r)
{
	ask(decide, r, false);
}

void key_ring_rotate(struct decide *decide, struct http_request *r)
{
	ask(decide, r, true);
}
