/*
 * db.c: see db.h: statements, and the transaction around them.
 *
 * Each statement is prepared once a connection and kept by its number. A statement that writes to a
 * bucket is stopped here when the bucket's lease is lost, so no function behind rows.h has to think of
 * it.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

#include "inside.h"

struct query {
	struct db *db;
	const struct statement *statement;
	struct prepared *prepared;	/* NULL: could not be */
	struct query *next;		/* in db->open */
	bool in_use, spare;
	bool stepped;
	bool writes;
	int64_t bucket;			/* what is bound as ?1 */
	struct err err;			/* why it could not be prepared */
};

/* --- the table of statements ---------------------------------------------------------------------------- */

extern struct statement *const __start_statements[];
extern struct statement *const __stop_statements[];

static pthread_once_t numbered = PTHREAD_ONCE_INIT;

static void number_all(void)
{
	int n = 0;

	for (struct statement *const *s = __start_statements; s < __stop_statements; s++)
		(*s)->number = n++;
}

struct statement *const *db_statements(size_t *count_out)
{
	pthread_once(&numbered, number_all);
	*count_out = (size_t)(__stop_statements - __start_statements);
	return __start_statements;
}

/* --- opening -------------------------------------------------------------------------------------------- */

int db_open(const struct driver *driver, const char *where, enum db_mode mode, struct db **out, struct err *err)
{
	struct db *db = xcalloc(1, sizeof(*db));
	size_t count;

	db->driver = driver;
	db->reader = mode == DB_READER;
	db_statements(&count);
	db->queries = xcalloc(count, sizeof(struct query *));
	if (driver->open(where, mode, &db->connection, err) < 0) {
		db_close(&db);
		return -1;
	}
	*out = db;
	return 0;
}

static void query_free(struct query **query)
{
	struct query *q = *query;

	if (q && q->prepared)
		q->db->driver->finalize(q->prepared);
	free(q);
	*query = NULL;
}

static void end_queries(struct db *db)
{
	while (db->open)
		query_done(db->open);
}

void db_close(struct db **db)
{
	struct db *d = *db;
	size_t count;

	if (!d)
		return;
	db_statements(&count);
	end_queries(d);
	for (size_t i = 0; i < count; i++)
		query_free(&d->queries[i]);
	free(d->queries);
	if (d->connection)
		d->driver->close(&d->connection);
	leases_free(&d->leases);
	queue_heads_free(&d->heads);
	marks_free(&d->marks);
	packs_free(&d->packs);
	claims_free(&d->claims);
	free(d->once_pruned);
	free(d->after);
	free(d->counted);
	free(d->undo);
	free(d);
	*db = NULL;
}

/* --- running a statement -------------------------------------------------------------------------------- */

void db_note(struct db *db, enum trouble trouble)
{
	if (trouble > db->trouble)
		db->trouble = trouble;
}

static struct query *query_new(struct db *db, const struct statement *statement)
{
	struct query *q = xcalloc(1, sizeof(*q));

	q->db = db;
	q->statement = statement;
	q->writes = strncmp(statement->sql, "SELECT", 6) != 0;
	q->prepared = db->driver->prepare(db->connection, statement->sql, &q->err);
	return q;
}

struct query *db_query(struct db *db, struct statement *statement)
{
	struct query **place = &db->queries[statement->number];
	struct query *q = *place;

	if (!q) {
		q = *place = query_new(db, statement);
	} else if (q->in_use) {
		/* the same statement inside its own rows */
		q = query_new(db, statement);
		q->spare = true;
	}
	q->in_use = true;
	q->stepped = false;
	q->bucket = -1;
	q->next = db->open;
	db->open = q;
	return q;
}

void query_done(struct query *q)
{
	struct query **link = &q->db->open;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	if (q->prepared)
		q->db->driver->reset(q->prepared);
	q->in_use = false;
	if (q->spare) {
		query_free(&q);
	} else if (!q->prepared) {
		/* it may do better the next time */
		q->db->queries[q->statement->number] = NULL;
		query_free(&q);
	}
}

void query_int(struct query *q, int n, int64_t v)
{
	if (n == 1)
		q->bucket = v;
	if (q->prepared)
		q->db->driver->bind_int(q->prepared, n, v);
}

void query_real(struct query *q, int n, double v)
{
	if (q->prepared)
		q->db->driver->bind_real(q->prepared, n, v);
}

void query_text(struct query *q, int n, const char *s)
{
	if (q->prepared)
		q->db->driver->bind_text(q->prepared, n, s, s ? strlen(s) : 0);
}

void query_slice(struct query *q, int n, struct slice s)
{
	if (q->prepared)
		q->db->driver->bind_text(q->prepared, n, s.data ? s.data : "", s.len);
}

void query_blob(struct query *q, int n, const void *data, size_t len)
{
	if (q->prepared)
		q->db->driver->bind_blob(q->prepared, n, data, len);
}

/* Before a statement's first step: was it understood, and may it change that bucket? */
static int query_admit(struct query *q, struct err *err)
{
	struct db *db = q->db;

	if (!q->prepared) {
		db_note(db, TROUBLE_STATEMENT);
		return err_set(err, "%s: %s", q->statement->name, q->err.text);
	}
	atomic_fetch_add_explicit(&db->statements, 1, memory_order_relaxed);
	db->writes += q->writes;
	if (!q->writes || q->statement->kind != BUCKETED || db->fencing)
		return 0;
	assert(q->bucket >= 0 && q->bucket < BUCKETS);
	return db_epoch(db, (uint16_t)q->bucket, err) < 0 ? -1 : 0;
}

int query_row(struct query *q, struct err *err)
{
	struct db *db = q->db;
	int got;

	if (!q->stepped && query_admit(q, err) < 0)
		return -1;
	q->stepped = true;
	got = db->driver->step(db->connection, q->prepared, err);
	if (got < 0) {
		db_note(db, db->driver->trouble(db->connection));
		err_prefix(err, "%s", q->statement->name);
	}
	return got;
}

int64_t query_get_int(struct query *q, int column)
{
	return q->db->driver->get_int(q->prepared, column);
}

double query_get_real(struct query *q, int column)
{
	return q->db->driver->get_real(q->prepared, column);
}

const char *query_get_text(struct query *q, int column)
{
	return q->db->driver->get_text(q->prepared, column);
}

struct slice query_get_blob(struct query *q, int column)
{
	return q->db->driver->get_blob(q->prepared, column);
}

int query_run(struct query *q, struct err *err)
{
	struct db *db = q->db;
	int got;

	while ((got = query_row(q, err)) == 1)
		;
	if (got == 0)
		got = db->driver->changes(db->connection);
	query_done(q);
	return got;
}

/* --- transactions --------------------------------------------------------------------------------------- */

static int control(struct db *db, enum control what, struct err *err)
{
	if (db->driver->control(db->connection, what, err) == 0)
		return 0;
	db_note(db, db->driver->trouble(db->connection));
	return -1;
}

int db_begin(struct db *db, struct err *err)
{
	db->trouble = TROUBLE_NONE;
	db->hints = 0;
	db->after_count = 0;
	db->counted_count = 0;
	db->transaction++;
	if (db->leases)
		leases_begin(db->leases);
	return control(db, CONTROL_BEGIN, err);
}

static void undo(struct db *db, size_t mark)
{
	while (db->undo_count > mark) {
		const struct after *u = &db->undo[--db->undo_count];

		u->fn(u->arg);
	}
}

int db_commit(struct db *db, struct err *err)
{
	if ((db->claims && claims_write(db, err) < 0) || control(db, CONTROL_COMMIT, err) < 0)
		return -1;
	db->undo_count = 0;
	for (size_t i = 0; i < db->counted_count; i++)
		metric_add(db->counted[i].metric, db->counted[i].n);
	if (db->claims)
		claims_committed(db->claims);
	if (db->heads)
		queue_heads_publish(db->heads);
	if (db->packs)
		packs_committed(db->packs);
	return 0;
}

void db_rollback(struct db *db)
{
	struct err err;

	end_queries(db);
	if (control(db, CONTROL_ROLLBACK, &err) < 0)
		db_note(db, TROUBLE_FATAL);	/* a transaction that can be neither kept nor left */
	if (db->heads)
		queue_heads_undo(db->heads, 0);
	db->hints = 0;
	db->after_count = 0;
	db->counted_count = 0;
	undo(db, 0);
}

/* How far what a transaction leaves in memory had come before a job. */
struct mark {
	size_t heads, after, counted, undo;
	unsigned hints;
};

/* Undoes what the job left in memory, and with a savepoint what it wrote. */
static enum job_end undo_job(struct db *db, const struct mark *mark, bool savepoint)
{
	struct err err;

	db->hints = mark->hints;
	db->after_count = mark->after;
	db->counted_count = mark->counted;
	undo(db, mark->undo);
	if (db->heads)
		queue_heads_undo(db->heads, mark->heads);
	if (savepoint && control(db, CONTROL_ROLLBACK_TO, &err) < 0)
		db_note(db, TROUBLE_IO);
	if (savepoint && control(db, CONTROL_RELEASE, &err) < 0)
		db_note(db, TROUBLE_IO);
	return JOB_REFUSED;
}

enum job_end db_run_job(struct db *db, struct store_job *job, bool savepoint)
{
	struct mark mark = { .heads = db->heads ? queue_heads_mark(db->heads) : 0, .after = db->after_count, .counted = db->counted_count,
			.undo = db->undo_count, .hints = db->hints };
	uint64_t writes = db->writes;
	int rc;

	if (savepoint && control(db, CONTROL_SAVEPOINT, &job->err) < 0)
		goto broken;
	rc = job->run(job, db, &job->err);
	end_queries(db);
	if (db->trouble > TROUBLE_STATEMENT)
		return JOB_REFUSED;
	if (rc < 0)
		return savepoint || db->writes == writes ? undo_job(db, &mark, savepoint) : JOB_SPOILT;
	if (savepoint && control(db, CONTROL_RELEASE, &job->err) < 0)
		goto broken;
	return JOB_KEPT;
broken:
	db_note(db, TROUBLE_IO);
	return JOB_REFUSED;
}

void db_hint(struct db *db, unsigned hints)
{
	db->hints |= hints;
}

void db_after_commit(struct db *db, void (*fn)(void *arg), void *arg)
{
	db->after = xgrow(db->after, &db->after_cap, db->after_count + 1, sizeof(*db->after));
	db->after[db->after_count++] = (struct after){ .fn = fn, .arg = arg };
}

void db_count(struct db *db, struct metric *metric, int64_t n)
{
	db->counted = xgrow(db->counted, &db->counted_cap, db->counted_count + 1, sizeof(*db->counted));
	db->counted[db->counted_count++] = (struct counted){ .metric = metric, .n = n };
}

uint64_t db_transaction(const struct db *db)
{
	return db->transaction;
}

void db_on_undo(struct db *db, void (*fn)(void *arg), void *arg)
{
	db->undo = xgrow(db->undo, &db->undo_cap, db->undo_count + 1, sizeof(*db->undo));
	db->undo[db->undo_count++] = (struct after){ .fn = fn, .arg = arg };
}

int db_save(struct db *db, const char *file, struct err *err)
{
	return db->driver->save(db->connection, file, err);
}
