/*
 * snapshot.c: see snapshot.h.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/id.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "store/store.h"

#include "snapshot.h"

#define KEEP (10 * US_MINUTE)
#define LEAVE_FREE (UINT64_C(64) << 20)
#define PREFIX "snapshot-"

struct snapshot {
	struct decide *decide;
	struct timer *timer;
	char *file;			/* that is there; NULL */
	struct making *making;		/* one is being made */
};

struct making {
	struct store_job job;		/* first: cast back */
	struct snapshot *snapshot;	/* NULL: gone meanwhile */
	struct http_request *request;
	char *file;
};

static const char *state_folder(const struct snapshot *s)
{
	return decide_plan(s->decide)->operator.state;
}

static void drop(struct snapshot *s)
{
	if (s->file && unlink(s->file) == 0)
		log_info("snapshot.removed", L_STR("file", s->file));
	free(s->file);
	s->file = NULL;
}

static void drop_cb(void *arg)
{
	drop(arg);
}

/* Of a daemon that was killed. */
static void drop_others(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path;

		if (!text_starts_with(entry->d_name, PREFIX))
			continue;
		path = xasprintf("%s/%s", folder, entry->d_name);
		unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

struct snapshot *snapshot_new(struct loop *loop, struct decide *decide)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	s->decide = decide;
	s->timer = timer_new(loop, drop_cb, s);
	drop_others(state_folder(s));
	return s;
}

void snapshot_free(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;

	if (!s)
		return;
	if (s->making)
		s->making->snapshot = NULL;
	drop(s);
	timer_free(&s->timer);
	free(s);
	*snapshot = NULL;
}

/* --- making ----------------------------------------------------------------------------------------------------------------------- */

static int make_run(struct store_job *job, struct db *db, struct err *err)
{
	return db_save(db, ((struct making *)job)->file, err);
}

static void answer(struct making *m)
{
	struct buf out = BUF_INIT;

	buf_str(&out, "{\"path\":");
	text_json(&out, m->file, strlen(m->file));
	buf_char(&out, '}');
	http_reply(m->request, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void make_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct making *m = (struct making *)job;
	struct snapshot *s = m->snapshot;

	if (s)
		s->making = NULL;
	if (result != STORE_COMMITTED) {
		http_problem(m->request, 503, err->text, NULL);
	} else if (!s) {
		http_problem(m->request, 503, "the daemon stops", NULL);
		unlink(m->file);
	} else {
		answer(m);
		s->file = xstrdup(m->file);
		timer_set(s->timer, KEEP);
		log_info("snapshot.made", L_STR("file", s->file));
	}
	free(m->file);
	free(m);
}

static bool has_room(struct snapshot *s)
{
	struct store_counts counts;

	store_counts(decide_store(s->decide), &counts);
	return counts.disk_free >= counts.db_bytes + counts.wal_bytes + LEAVE_FREE;
}

void snapshot_make(struct snapshot *s, struct http_request *r)
{
	char id[ID_TEXT];
	struct making *m;

	if (s->making) {
		http_problem(r, 409, "a copy is being made for somebody else; try again in a moment", NULL);
		return;
	}
	drop(s);
	if (!has_room(s)) {
		http_problem(r, 507, "the disk has no room for a copy of the database; make one elsewhere, and name it: --database FILE", NULL);
		return;
	}
	m = xcalloc(1, sizeof(*m));
	m->job = (struct store_job){ .run = make_run, .done = make_done };
	m->snapshot = s;
	m->request = r;
	m->file = xasprintf("%s/" PREFIX "%s.db", state_folder(s), id_text("", id_new(0, clock_now()), id) + 1);
	if (store_read(decide_store(s->decide), &m->job) == 0) {
		s->making = m;
		return;
	}
	http_problem(r, 503, "too many look-ups wait; try again in a moment", NULL);
	free(m->file);
	free(m);
}

void snapshot_remove(struct snapshot *s, struct http_request *r)
{
	drop(s);
	timer_stop(s->timer);
	http_reply(r, 200, "application/json", "{\"removed\":true}", strlen("{\"removed\":true}"));
}
