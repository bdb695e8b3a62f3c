/*
 * driver.h: what the store needs of a database engine: one table of functions. sqlite.c has one;
 * PostgreSQL will be one more.
 *
 * SQL comes in the shared dialect with ?1..?n. A connection is used by one thread at a time. Functions
 * that fail return -1 with the engine's words in err; trouble() then says what kind of failure it was.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct connection;
struct prepared;

/* From harmless to worst. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_STATEMENT,	/* a constraint, a value: concerns the job alone */
	TROUBLE_RETRY,		/* somebody else was faster: the transaction may be run again */
	TROUBLE_FULL,		/* no room: heals when there is some */
	TROUBLE_IO,		/* the disk failed: the transaction failed, the next may pass */
	TROUBLE_LEASE,		/* another daemon owns the data now: nothing may be written any more */
	TROUBLE_FATAL,		/* the file is damaged or not ours: stop, never repair */
};

enum db_mode {
	DB_WRITER,		/* the one that writes and checkpoints */
	DB_READER,		/* read only, beside it */
	DB_MEMORY,		/* a database of its own that no file holds and nobody else sees: no log, no sync */
};

enum control {
	CONTROL_BEGIN,		/* for writing, at once; on a reader: one snapshot; in memory there is nobody to lock out */
	CONTROL_COMMIT,		/* not undone any more when it returns 0; on disk when sync() was called behind it */
	CONTROL_ROLLBACK,	/* also when the engine did so by itself */
	CONTROL_SAVEPOINT,
	CONTROL_RELEASE,
	CONTROL_ROLLBACK_TO,
	CONTROLS
};

/* How the log is moved into the tables. */
enum checkpoint {
	CHECKPOINT_MOVE,	/* without waiting for the disk; settle() does */
	CHECKPOINT_SETTLE,	/* and waits until it is there: then the log is overwritten from its start */
	CHECKPOINT_CUT,		/* and cuts the log to nothing */
};

/* A word of migrations.c and what this engine says for it. */
struct driver_word {
	const char *word, *text;
};

struct driver {
	const char *name;
	/*
	 * Several daemons write to one database: then each bucket's lease is renewed, and so locked, in each transaction that
	 * writes to it.
	 */
	bool shares;
	const struct driver_word *words;	/* ends with a NULL word */

	/* where: NULL for DB_MEMORY. */
	int (*open)(const char *where, enum db_mode mode, struct connection **out, struct err *err) MUSTCHECK;
	void (*close)(struct connection **connection);
	enum trouble (*trouble)(struct connection *connection);	/* of the call that failed last */

	/* Number of migrations that were run on it; -1 when it is not ours. set: in the transaction of the migration. */
	int (*get_version)(struct connection *connection, int *out, struct err *err) MUSTCHECK;
	int (*set_version)(struct connection *connection, int version, struct err *err) MUSTCHECK;
	int (*define)(struct connection *connection, const char *ddl, struct err *err) MUSTCHECK;
	int (*control)(struct connection *connection, enum control what, struct err *err) MUSTCHECK;

	struct prepared *(*prepare)(struct connection *connection, const char *sql, struct err *err);	/* NULL: failed */
	void (*finalize)(struct prepared *prepared);
	void (*bind_int)(struct prepared *prepared, int n, int64_t v);
	void (*bind_real)(struct prepared *prepared, int n, double v);
	/* Borrowed until reset; NULL binds NULL. */
	void (*bind_text)(struct prepared *prepared, int n, const char *s, size_t len);
	void (*bind_blob)(struct prepared *prepared, int n, const void *data, size_t len);
	int (*step)(struct connection *connection, struct prepared *prepared, struct err *err) MUSTCHECK;	/* 1 row, 0 end, -1 */
	void (*reset)(struct prepared *prepared);	/* forgets what was bound too */
	int64_t (*get_int)(struct prepared *prepared, int column);
	double (*get_real)(struct prepared *prepared, int column);
	const char *(*get_text)(struct prepared *prepared, int column);
	struct slice (*get_blob)(struct prepared *prepared, int column);
	int (*changes)(struct connection *connection);	/* rows changed by the statement that ended last */

	/* All of it, as it is at one instant, into a new file (mode 0640); what is there of one after a failure is removed. */
	int (*save)(struct connection *connection, const char *file, struct err *err) MUSTCHECK;
	/* Before anything else on a DB_MEMORY: becomes a copy of the file, which nobody may write to meanwhile. */
	int (*load)(struct connection *connection, const char *file, struct err *err) MUSTCHECK;

	/* Any thread, at any time: what was committed before is on disk when it returns 0. */
	int (*sync)(struct connection *connection, struct err *err) MUSTCHECK;
	/* By the writer, outside transactions. 1, of CHECKPOINT_MOVE alone: something was moved, and settle() and settled() must follow before the next. */
	int (*checkpoint)(struct connection *connection, enum checkpoint how, struct err *err) MUSTCHECK;
	/* Any thread: waits until what was moved is on disk. Until settled() is called, by the writer's, what is in the log is not overwritten. */
	int (*settle)(struct connection *connection, struct err *err) MUSTCHECK;
	void (*settled)(struct connection *connection);
	/* Length of the log, and what of it a checkpoint would move. */
	uint64_t (*log_bytes)(struct connection *connection, uint64_t *unmoved_out);
};

extern const struct driver driver_sqlite;

#endif
