/*
 * inside.h: what the files of this folder know of each other: the database handle, its transactions,
 * and the memory behind the tables. Store thread or reader thread, whichever owns the handle;
 * store_start() before the threads run.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/digest.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/rows.h"
#include "store/store.h"

#include "driver.h"

/* --- db.c ----------------------------------------------------------------------------------------------- */

/* A call that waits for the commit. */
struct after {
	void (*fn)(void *arg);
	void *arg;
};

/* What is added to a counter with the commit. */
struct counted {
	struct metric *metric;
	int64_t n;
};

struct db {
	const struct driver *driver;
	struct connection *connection;
	struct query **queries;		/* by number of the statement: the prepared one, made when first wanted */
	struct query *open;		/* those in use */
	bool reader;
	bool fencing;			/* the statement at hand is the fence itself */
	enum trouble trouble;		/* worst thing that befell the transaction */
	uint64_t writes;		/* statements begun that may write */
	uint64_t transaction;		/* how many were begun */
	bool scrub;			/* something was erased: the log must be cut behind the commit */
	unsigned hints;			/* set in the transaction */
	struct after *after;
	size_t after_count, after_cap;
	struct counted *counted;
	size_t counted_count, counted_cap;
	struct after *undo;		/* the last first */
	size_t undo_count, undo_cap;
	struct leases *leases;		/* NULL in the reader */
	struct queue_heads *heads;	/* NULL in the reader */
	struct marks *marks;		/* NULL in the reader */
	struct packs *packs;		/* NULL in the reader */
	struct claims *claims;		/* NULL in the reader */
	int64_t *once_pruned;		/* by bucket: when old keys were last forgotten; NULL in the reader */
	uint8_t suppression_key[SHA256_SIZE];
	struct digest_key suppression_signer;
	_Atomic uint64_t statements;	/* run so far */
};

/* where: the file; NULL for DB_MEMORY */
int db_open(const struct driver *driver, const char *where, enum db_mode mode, struct db **out,
		struct err *err) MUSTCHECK;
void db_close(struct db **db);

/* A transaction; when one of them failed, db->trouble says how badly, and db_rollback() is next. */
int db_begin(struct db *db, struct err *err) MUSTCHECK;
int db_commit(struct db *db, struct err *err) MUSTCHECK;
void db_rollback(struct db *db);

enum job_end {
	JOB_KEPT,
	JOB_REFUSED,	/* it failed, and nothing of it is left */
	JOB_SPOILT,	/* it failed, and what it wrote is still there: all must run again, with savepoints */
};

/*
 * Runs one job. In a savepoint it is rolled back alone when it fails; but a savepoint copies each page
 * that the job touches, a quarter of the cost of a sign-up, so the first try does without. Nothing
 * counts when db->trouble is above TROUBLE_STATEMENT.
 */
enum job_end db_run_job(struct db *db, struct store_job *job, bool savepoint);

/* All statements of the program, in the order of their numbers from 0. */
struct statement *const *db_statements(size_t *count_out);

/* Notes what a failed call means for the transaction. */
void db_note(struct db *db, enum trouble trouble);

/* --- migrations.c --------------------------------------------------------------------------------------- */

/* Brings the schema up to date, in one transaction; a schema newer than this program is refused. */
/* Not beyond step `most`: as a program of an earlier day left it. */
#define MIGRATIONS_ALL 0x7fffffff
int migrations_run(struct db *db, int most, struct err *err) MUSTCHECK;

/* --- leases.c ------------------------------------------------------------------------------------------- */

struct leases *leases_new(const char *owner);
void leases_free(struct leases **leases);
/* Takes all 1,024 with a new epoch each, inside a transaction. */
int leases_take(struct db *db, struct err *err) MUSTCHECK;
/* A transaction begins: what was checked in the one before no longer counts. */
void leases_begin(struct leases *leases);

/* --- queue.c: next due times ---------------------------------------------------------------------------- */

struct queue_heads *queue_heads_new(void);
void queue_heads_free(struct queue_heads **heads);
int queue_heads_load(struct db *db, struct err *err) MUSTCHECK;
/* How many changes were made since the transaction began; queue_heads_undo() goes back to such a mark. */
size_t queue_heads_mark(const struct queue_heads *heads);
void queue_heads_undo(struct queue_heads *heads, size_t mark);
/* After the commit: other threads may see them. */
void queue_heads_publish(struct queue_heads *heads);

/* --- marks.c: who was written about ---------------------------------------------------------------------- */

struct marks *marks_new(void);
void marks_free(struct marks **marks);
/* By what writes what a mail may depend on: their enrolments and holds; suppressions of the bucket of an address; holds of companies. */
void marks_person(struct db *db, int64_t prospect);
void marks_address(struct db *db, uint16_t bucket);
void marks_all(struct db *db);

/* --- packs.c: which hits wait -------------------------------------------------------------------------- */

void packs_free(struct packs **packs);
/* From the table; sets those aside that cannot be read. */
int packs_load(struct db *db, struct err *err) MUSTCHECK;
/* Other threads may see how many there are. */
void packs_committed(struct packs *packs);

/* --- claims.c: what is on its way, and which of it may have gone out ---------------------------------------- */

struct claims;

void claims_free(struct claims **claims);
/* From the tables; forgets dots of mails that are claimed no more. Rows that cannot be read are told. */
int claims_load(struct db *db, struct err *err) MUSTCHECK;
/* As it is, with all its texts. It is written with the transaction. */
int claims_add(struct db *db, const struct delivery *mail, int64_t epoch, struct err *err) MUSTCHECK;
/* False: it is not there, of another epoch, or has its dot. It is written with the transaction. */
bool claims_dot(struct db *db, int64_t id, int64_t epoch);
/* 1, 0 it is not there, -1. If its row in `delivery` does not say so at the commit, that of `sending` is written anew. */
int claims_end(struct db *db, int64_t id, struct err *err) MUSTCHECK;
/* Behind each change of a row in `delivery`. */
void claims_put(struct db *db, const struct delivery *mail);
int64_t claims_count(struct db *db, int64_t prospect, enum delivery_kind kind);
int claims_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err) MUSTCHECK;	/* read */
struct claims_sought { int64_t id, prospect; };	/* 0: any */
/* By their ids. */
int claims_look(struct db *db, const struct claims_sought *sought, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/* Of earlier epochs, oldest first. */
int claims_left(struct db *db, int64_t before, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;
/* Nothing of that person is left in the table behind the transaction, if no mail of theirs is under way; nor what cannot be read. */
int claims_forget(struct db *db, int64_t prospect, struct err *err) MUSTCHECK;
/* Before the commit: the transaction's claims and dots. */
int claims_write(struct db *db, struct err *err) MUSTCHECK;
void claims_committed(struct claims *claims);

/* --- suppressions.c ------------------------------------------------------------------------------------- */

/* Loads the key of the hashes; makes it first when there is none, which the reader cannot. */
int suppressions_key(struct db *db, struct err *err) MUSTCHECK;

/* --- outlet.c: the way back to the loop ----------------------------------------------------------------- */

/* Jobs, in the order in which they came. */
struct job_list {
	struct store_job *first, *last;
	size_t count;
};

void job_list_add(struct job_list *list, struct store_job *job);
struct store_job *job_list_take(struct job_list *list);	/* NULL: empty */

/* What is told together: jobs, calls that waited for the commit, hints. */
struct batch {
	struct batch *next;
	struct job_list done;
	struct after *after;
	size_t after_count;
	unsigned hints;
	bool wrote;		/* there is something to be synced */
};

/* Empties `done`; copies `after`. */
struct batch *batch_new(struct job_list *done, const struct after *after, size_t after_count, unsigned hints);

struct outlet;

/* loop NULL: what is put in is delivered at once, by the thread that does. */
struct outlet *outlet_new(struct loop *loop);
/* Loop thread: delivers what waits, then nothing any more. */
void outlet_close(struct outlet **outlet);
void outlet_on_hints(struct outlet *outlet, void (*fn)(void *arg, unsigned hints), void *arg);
/* Any thread. Takes the batch. */
void outlet_put(struct outlet *outlet, struct batch *batch);

/* --- syncer.c: on disk, then told ----------------------------------------------------------------------- */

struct syncer;

int syncer_start(struct db *db, struct outlet *outlet, struct syncer **out, struct err *err) MUSTCHECK;
/* Syncs and hands over what waits, then ends. */
void syncer_stop(struct syncer **syncer);
/* Store thread, behind the commit. Takes the batch. */
void syncer_put(struct syncer *syncer, struct batch *batch);
/* Any thread: how many jobs are committed and not yet told of. */
size_t syncer_jobs(struct syncer *syncer);
void syncer_counts(struct syncer *syncer, struct store_counts *out);

/* --- settler.c: waits for the disk behind a checkpoint ---------------------------------------------------- */

struct settler;

int settler_start(struct db *db, struct settler **out, struct err *err) MUSTCHECK;
void settler_stop(struct settler **settler);
/* Store thread, and whoever stops it: behind a checkpoint that is not settled. */
void settler_ask(struct settler *settler);
bool settler_busy(struct settler *settler);
void settler_wait(struct settler *settler);

/* --- disk.c: room --------------------------------------------------------------------------------------- */

struct disk;

struct disk *disk_new(const char *state, int64_t min_free);
void disk_free(struct disk **disk);
/* Store thread, now and then: how much is free; keeps the ballast where there is room for it. */
void disk_look(struct disk *disk);
/* Store thread: gives the ballast up, so that there is room to clean up in. */
void disk_release(struct disk *disk);
bool disk_is_full(struct disk *disk);		/* any thread: next to nothing is free */
int64_t disk_left(struct disk *disk);		/* any thread: bytes, as of the last look */
bool disk_has_room(struct disk *disk);		/* any thread */

/* --- reader.c ------------------------------------------------------------------------------------------- */

struct reader;

int reader_start(const char *where, struct outlet *outlet, struct reader **out, struct err *err) MUSTCHECK;
/* Loop thread: runs what is queued, then ends. */
void reader_stop(struct reader **reader);
int reader_submit(struct reader *reader, struct store_job *job) MUSTCHECK;

/* --- store.c -------------------------------------------------------------------------------------------- */

struct db *store_db(struct store *store);
struct outlet *store_outlet(struct store *store);
/* Nothing in it but the outlet; loop NULL for one in memory. */
struct store *store_new(struct loop *loop);
/* An open connection becomes one that writes: leases, queue and keys are loaded. */
int store_prepare(struct store *store, struct db *db, const char *owner, struct err *err) MUSTCHECK;

/* --- memory.c ------------------------------------------------------------------------------------------- */

/* store_submit() and store_read() of a store in memory. */
int memory_submit(struct store *store, struct store_job *job);

/* --- rows.c: reading rows into arenas ------------------------------------------------------------------- */

/* Reads all rows of q into an array of elements of `size`, in the arena, and ends q. */
int rows_collect(struct query *q, size_t size, void (*read)(struct query *q, struct arena *arena, void *row),
		struct arena *arena,
		void **rows_out, size_t *count_out, struct err *err) MUSTCHECK;
/* Reads at most one row and ends q. 1/0/-1. */
int rows_one(struct query *q, void (*read)(struct query *q, struct arena *arena, void *row),
		struct arena *arena, void *row, struct err *err) MUSTCHECK;
/* Adds up what a statement counts in a bucket (?1; ?2 and on: `binds`); see struct estimate. */
int rows_estimate(struct db *db, struct statement *statement, const int64_t *binds, int bind_count, struct estimate *out, struct err *err) MUSTCHECK;
/* A text column, copied; "" for NULL. */
const char *rows_text(struct query *q, int column, struct arena *arena);
/* What is bound for a text that may be NULL. */
const char *rows_or_empty(const char *s);

#endif
