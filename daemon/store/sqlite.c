/*
 * sqlite.c: the SQLite driver: settings, statements, checkpoints.
 *
 * One connection in the whole system writes and checkpoints, in one thread: every SQLite before 3.51.3
 * can corrupt a WAL database when one connection commits while another checkpoints. So automatic
 * checkpoints are off on both kinds of connection, and a reader does none when it closes. Settings are
 * read back after opening: a pragma with a typing error in it is silent otherwise. A database in memory
 * has settings of its own: it has no log, and nobody but its one connection.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/mem.h"

#include "driver.h"
#include "log_file.h"
#include "page_cache.h"

#define APPLICATION_ID 0x6e747264	/* "ntrd" */
#define PAGE 4096

struct connection {
	sqlite3 *db;
	enum db_mode mode;
	sqlite3_stmt *control[CONTROLS];
	int log_fd;		/* of the writer: the log, to sync it; -1 */
	struct connection *pin;	/* of the writer: a reader that keeps the log from being overwritten */
	int wal_pages;		/* as of the last commit */
	int moved_pages;	/* of these, how many a checkpoint has copied */
};

struct pragma {
	const char *name, *set, *expect;	/* set NULL: only looked at */
};

static const struct pragma everywhere[] = {
	{ "page_size", NULL, "4096" },
	{ "foreign_keys", "ON", "1" },
	{ "trusted_schema", "OFF", "0" },
	{ "cell_size_check", "ON", "1" },
	{ "temp_store", "MEMORY", "2" },
	{ NULL, NULL, NULL },
};

static const struct pragma on_disk[] = {
	{ "mmap_size", "0", "0" },
	{ "busy_timeout", "5000", "5000" },
	{ "wal_autocheckpoint", "0", "0" },
	{ NULL, NULL, NULL },
};

static const struct pragma writing[] = {
	{ "journal_mode", "WAL", "wal" },
	/* commits are synced by sqlite_sync(), before anybody hears of them; checkpoints sync by themselves */
	{ "synchronous", "NORMAL", "1" },
	{ "journal_size_limit", "67108864", "67108864" },
	/* what erasure promises: a deleted row is overwritten, not only unlinked */
	{ "secure_delete", "ON", "1" },
	{ "cache_size", "-12288", "-12288" },
	{ NULL, NULL, NULL },
};

static const struct pragma reading[] = {
	{ "journal_mode", NULL, "wal" },
	{ "query_only", "ON", "1" },
	{ "cache_size", "-4096", "-4096" },
	{ NULL, NULL, NULL },
};

/* Nothing to sync, nothing left behind that would have to be overwritten; a rollback works as on disk. */
static const struct pragma in_memory[] = {
	{ "journal_mode", "MEMORY", "memory" },
	{ "secure_delete", "OFF", "0" },
	{ NULL, NULL, NULL },
};

static const struct pragma *const by_mode[] = {
	[DB_WRITER] = writing,
	[DB_READER] = reading,
	[DB_MEMORY] = in_memory,
};

static const struct driver_word words[] = {
	{ "$INT", "INTEGER" },
	{ "$REAL", "REAL" },
	{ "$TEXT", "TEXT" },
	{ "$BLOB", "BLOB" },
	{ "$ROWS", "STRICT" },
	{ "$BY_KEY", "STRICT, WITHOUT ROWID" },
	{ NULL, NULL },
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static const char *log_vfs;	/* of the writer; NULL: the default */

static int fail(struct connection *c, struct err *err)
{
	return err_set(err, "%s", sqlite3_errmsg(c->db));
}

static enum trouble sqlite_trouble(struct connection *c)
{
	switch (sqlite3_errcode(c->db) & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return TROUBLE_NONE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return TROUBLE_RETRY;
	case SQLITE_FULL:
		return TROUBLE_FULL;
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
	case SQLITE_CANTOPEN:
		return TROUBLE_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return TROUBLE_FATAL;
	default:
		return TROUBLE_STATEMENT;
	}
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* The first column of the first row of a statement without parameters, as text. */
static int ask(struct connection *c, const char *sql, char *out, size_t size, struct err *err)
{
	sqlite3_stmt *s = NULL;
	const char *text;
	int rc = -1;

	if (sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) != SQLITE_OK) {
		fail(c, err);
		goto out;
	}
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		text = (const char *)sqlite3_column_text(s, 0);
		sqlite3_snprintf((int)size, out, "%s", text ? text : "");
		rc = 0;
		break;
	case SQLITE_DONE:
		out[0] = '\0';
		rc = 0;
		break;
	default:
		fail(c, err);
	}
out:
	sqlite3_finalize(s);
	return rc;
}

static int set_pragma(struct connection *c, const struct pragma *p, struct err *err)
{
	char sql[100], got[50];

	if (p->set) {
		sqlite3_snprintf(sizeof(sql), sql, "PRAGMA %s=%s", p->name, p->set);
		if (ask(c, sql, got, sizeof(got), err) < 0)
			return err_prefix(err, "setting %s", p->name);
	}
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA %s", p->name);
	if (ask(c, sql, got, sizeof(got), err) < 0)
		return err_prefix(err, "asking for %s", p->name);
	return strcmp(got, p->expect) == 0 ? 0 : err_set(err, "SQLite did not take %s=%s: it is %s", p->name, p->expect, got);
}

static int set_pragmas(struct connection *c, const struct pragma *pragmas, struct err *err)
{
	for (const struct pragma *p = pragmas; p->name; p++)
		if (set_pragma(c, p, err) < 0)
			return -1;
	return 0;
}

static int wal_cb(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct connection *c = arg;

	/* shorter than before: what was moved has been overwritten */
	if (pages < c->wal_pages)
		c->moved_pages = 0;
	c->wal_pages = pages;
	return SQLITE_OK;
}

static int configure(struct connection *c, struct err *err)
{
	static const struct { int option, value; } switches[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 }, { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
				{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 }, { SQLITE_DBCONFIG_DQS_DDL, 0 },
				{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		int now = -1;

		if (sqlite3_db_config(c->db, switches[i].option, switches[i].value, &now) != SQLITE_OK ||
				now != switches[i].value)
			return err_set(err, "SQLite did not take switch %d", switches[i].option);
	}
	if (c->mode == DB_READER && sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
		return fail(c, err);
	if (set_pragmas(c, everywhere, err) < 0 || (c->mode != DB_MEMORY && set_pragmas(c, on_disk, err) < 0))
		return -1;
	return set_pragmas(c, by_mode[c->mode], err);
}

static void sqlite_close(struct connection **connection)
{
	struct connection *c = *connection;
	int rc;

	if (!c)
		return;
	sqlite_close(&c->pin);
	for (int i = 0; i < CONTROLS; i++)
		sqlite3_finalize(c->control[i]);
	if (c->log_fd >= 0)
		close(c->log_fd);
	rc = sqlite3_close(c->db);
	assert(rc == SQLITE_OK);	/* else somebody forgot a statement */
	(void)rc;
	free(c);
	*connection = NULL;
}

/* SQLite would make it readable for everybody whom the umask lets. */
static int create_file(const char *file, int flags, struct err *err)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640);

	if (fd < 0)
		return err_set(err, "%s: %m", file);
	close(fd);
	return 0;
}

/* The log is there as soon as something was read, and stays the same file while the connection is open. SQLite keeps no locks on it. */
static int open_log(struct connection *c, const char *file, struct err *err)
{
	char got[30], *log;

	if (ask(c, "SELECT COUNT(*) FROM sqlite_schema", got, sizeof(got), err) < 0)
		return -1;
	log = xasprintf("%s-wal", file);
	c->log_fd = open(log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->log_fd < 0)
		err_set(err, "%s: %m", log);
	free(log);
	return c->log_fd < 0 ? -1 : 0;
}

static int sqlite_sync(struct connection *c, struct err *err)
{
	int rc;

	do
		rc = fdatasync(c->log_fd);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? err_set(err, "syncing the log: %m") : 0;
}

/*
 * Before anything else of SQLite: no count of all memory, whose lock each small allocation of each connection would take. In a program that has
 * used SQLite already it is refused, and does no harm.
 */
static void set_up(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	page_cache_set_up();
	log_vfs = log_file_vfs();
}

static int sqlite_open(const char *file, enum db_mode mode, struct connection **out, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	const char *where = mode == DB_MEMORY ? ":memory:" : file;
	struct connection *c = xcalloc(1, sizeof(*c));

	pthread_once(&prepared, set_up);
	c->mode = mode;
	c->log_fd = -1;
	if (mode == DB_WRITER && create_file(file, 0, err) < 0)
		goto failed;
	flags |= mode == DB_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	if (sqlite3_open_v2(where, &c->db, flags, mode == DB_WRITER ? log_vfs : NULL) != SQLITE_OK) {
		err_set(err, "%s: %s", where, sqlite3_errmsg(c->db));
		goto failed;
	}
	if (configure(c, err) < 0 || (mode == DB_WRITER && (open_log(c, file, err) < 0 || sqlite_open(file, DB_READER, &c->pin, err) < 0))) {
		err_prefix(err, "%s", where);
		goto failed;
	}
	/* behind the pragma wal_autocheckpoint, which uses the same hook */
	sqlite3_wal_hook(c->db, wal_cb, c);
	*out = c;
	return 0;
failed:
	sqlite_close(&c);
	return -1;
}

/* --- copies --------------------------------------------------------------------------------------------- */

/* All pages in one step: the source is read at one instant. */
static int copy_all(sqlite3 *to, sqlite3 *from, struct err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc;

	if (!b)
		return err_set(err, "%s", sqlite3_errmsg(to));
	rc = sqlite3_backup_step(b, -1);
	sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? 0 : err_set(err, "%s", sqlite3_errstr(rc));
}

static int sqlite_save(struct connection *c, const char *file, struct err *err)
{
	sqlite3 *to = NULL;
	int rc = -1;

	if (create_file(file, O_EXCL, err) < 0)
		return -1;
	/* nobody has use for half a copy: it need not survive a crash */
	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
			sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL) != SQLITE_OK)
		err_set(err, "%s: %s", file, sqlite3_errmsg(to));
	else if (copy_all(to, c->db, err) < 0)
		err_prefix(err, "%s", file);
	else
		rc = 0;
	sqlite3_close(to);
	if (rc < 0)
		unlink(file);
	return rc;
}

/* A file without a log is read as it lies there, so that nothing is created beside it and its folder may be closed to us. */
static char *uri_of(const char *file)
{
	char *log = xasprintf("%s-wal", file);
	struct stat st;
	bool lies_still = stat(log, &st) < 0 || st.st_size == 0;
	struct buf uri = BUF_INIT;

	free(log);
	buf_str(&uri, "file:");
	for (const char *p = file; *p; p++)
		buf_printf(&uri, strchr("?#%", *p) ? "%%%02X" : "%c", (unsigned char)*p);
	buf_str(&uri, lies_still ? "?immutable=1" : "");
	return buf_take(&uri);
}

static int sqlite_load(struct connection *c, const char *file, struct err *err)
{
	char *uri = uri_of(file);
	sqlite3 *from = NULL;
	int rc = -1;

	if (sqlite3_open_v2(uri, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		err_set(err, "%s", sqlite3_errmsg(from));
	else
		rc = copy_all(c->db, from, err);
	sqlite3_close(from);
	free(uri);
	/* the copied header may say WAL, which memory has none of */
	return rc < 0 ? -1 : set_pragmas(c, in_memory, err);
}

/* --- schema --------------------------------------------------------------------------------------------- */

static int sqlite_get_version(struct connection *c, int *out, struct err *err)
{
	char id[30], tables[30], version[30];

	if (ask(c, "PRAGMA application_id", id, sizeof(id), err) < 0 ||
			ask(c, "SELECT COUNT(*) FROM sqlite_schema", tables, sizeof(tables), err) < 0 ||
			ask(c, "PRAGMA user_version", version, sizeof(version), err) < 0)
		return -1;
	if (strtol(id, NULL, 10) != APPLICATION_ID && (strcmp(id, "0") != 0 || strcmp(tables, "0") != 0))
		return err_set(err, "this is a database of another program (application_id %s)", id);
	*out = (int)strtol(version, NULL, 10);
	return 0;
}

static int sqlite_define(struct connection *c, const char *ddl, struct err *err)
{
	if (sqlite3_exec(c->db, ddl, NULL, NULL, NULL) != SQLITE_OK)
		return fail(c, err);
	return 0;
}

static int sqlite_set_version(struct connection *c, int version, struct err *err)
{
	char sql[100];

	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
			version);
	return sqlite_define(c, sql, err);
}

/* --- transactions --------------------------------------------------------------------------------------- */

static int sqlite_control(struct connection *c, enum control what, struct err *err)
{
	static const char *const texts[CONTROLS] = {
		[CONTROL_BEGIN] = "BEGIN IMMEDIATE",
		[CONTROL_COMMIT] = "COMMIT",
		[CONTROL_ROLLBACK] = "ROLLBACK",
		[CONTROL_SAVEPOINT] = "SAVEPOINT job",
		[CONTROL_RELEASE] = "RELEASE job",
		[CONTROL_ROLLBACK_TO] = "ROLLBACK TO job",
	};
	const char *sql = what == CONTROL_BEGIN && c->mode != DB_WRITER ? "BEGIN" : texts[what];
	int rc;

	/* after "disk full" and the like SQLite has rolled back by itself */
	if (what == CONTROL_ROLLBACK && sqlite3_get_autocommit(c->db))
		return 0;
	if (!c->control[what] &&
			sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->control[what],
					NULL) != SQLITE_OK)
		return fail(c, err);
	rc = sqlite3_step(c->control[what]);
	if (rc != SQLITE_DONE)
		fail(c, err);
	sqlite3_reset(c->control[what]);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* --- statements ----------------------------------------------------------------------------------------- */

/* A prepared statement is SQLite's own object; the cast is all that the driver adds. */
static sqlite3_stmt *stmt(struct prepared *p)
{
	return (sqlite3_stmt *)p;
}

static struct prepared *sqlite_prepare(struct connection *c, const char *sql, struct err *err)
{
	sqlite3_stmt *s = NULL;
	const char *tail = NULL;

	if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &tail) != SQLITE_OK) {
		fail(c, err);
		return NULL;
	}
	if (!s || *tail) {
		err_set(err, "not one statement");
		sqlite3_finalize(s);
		return NULL;
	}
	return (struct prepared *)s;
}

static void sqlite_finalize(struct prepared *p)
{
	sqlite3_finalize(stmt(p));
}

static void bound(int rc)
{
	/* the number is not in the statement, or the value is over SQLite's limit of 1 GB */
	assert(rc == SQLITE_OK);
	(void)rc;
}

static void sqlite_bind_int(struct prepared *p, int n, int64_t v)
{
	bound(sqlite3_bind_int64(stmt(p), n, v));
}

static void sqlite_bind_real(struct prepared *p, int n, double v)
{
	bound(sqlite3_bind_double(stmt(p), n, v));
}

static void sqlite_bind_text(struct prepared *p, int n, const char *s, size_t len)
{
	bound(sqlite3_bind_text64(stmt(p), n, s, len, SQLITE_STATIC, SQLITE_UTF8));
}

static void sqlite_bind_blob(struct prepared *p, int n, const void *data, size_t len)
{
	/* a NULL pointer would be NULL, and columns are NOT NULL: no bytes are bytes too */
	bound(len ? sqlite3_bind_blob64(stmt(p), n, data, len, SQLITE_STATIC) : sqlite3_bind_zeroblob(stmt(p),
			n, 0));
}

static int sqlite_step(struct connection *c, struct prepared *p, struct err *err)
{
	switch (sqlite3_step(stmt(p))) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(c, err);
	}
}

static void sqlite_reset(struct prepared *p)
{
	sqlite3_reset(stmt(p));
	sqlite3_clear_bindings(stmt(p));
}

static int64_t sqlite_get_int(struct prepared *p, int column)
{
	return sqlite3_column_int64(stmt(p), column);
}

static double sqlite_get_real(struct prepared *p, int column)
{
	return sqlite3_column_double(stmt(p), column);
}

static const char *sqlite_get_text(struct prepared *p, int column)
{
	return (const char *)sqlite3_column_text(stmt(p), column);
}

static struct slice sqlite_get_blob(struct prepared *p, int column)
{
	const void *data = sqlite3_column_blob(stmt(p), column);

	return (struct slice){ .data = data, .len = (size_t)sqlite3_column_bytes(stmt(p), column) };
}

static int sqlite_changes(struct connection *c)
{
	return sqlite3_changes(c->db);
}

/* --- checkpoints ---------------------------------------------------------------------------------------- */

#ifdef NURTURED_CRASH

/* The kill harness wants to die between two pages of a checkpoint, so its builds look at each write while one runs. */
static _Thread_local bool checkpointing;
static ssize_t (*real_write)(int fd, const void *data, size_t n, off_t at);

static ssize_t watched_write(int fd, const void *data, size_t n, off_t at)
{
	if (checkpointing)
		CRASH_POINT("checkpoint.during");
	return real_write(fd, data, n, at);
}

static void watch_writes(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
	const char *name = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";

	real_write = (ssize_t (*)(int, const void *, size_t, off_t))vfs->xGetSystemCall(vfs, name);
	vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)watched_write);
}

static void watch(bool on)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch_writes);
	checkpointing = on;
}

#else

static void watch(bool on)
{
}

#endif

static int move(struct connection *c, int mode, struct err *err)
{
	int log = 0, moved = 0, rc;

	watch(true);
	rc = sqlite3_wal_checkpoint_v2(c->db, "main", mode, &log, &moved);
	watch(false);
	/* busy: a reader stands in the way of the rest, which is moved the next time */
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		return fail(c, err);
	c->wal_pages = log > 0 ? log : 0;
	c->moved_pages = moved > 0 ? moved : 0;
	return 0;
}

static void sqlite_settled(struct connection *c)
{
	struct err err;

	if (sqlite_control(c->pin, CONTROL_ROLLBACK, &err) < 0)
		abort();
}

/*
 * Moving is a matter of milliseconds, waiting for the disk one of tens of them, and SQLite does both in one call. With `synchronous` off it does
 * not wait, and takes what it moved for safe: its next commit would overwrite the log. A reader whose snapshot lies in the log keeps it from that,
 * so one is opened before and closed when the file is synced. What is moved has to be in the log on disk before: that is synced here.
 */
static int move_unsettled(struct connection *c, struct err *err)
{
	static const struct pragma unsettled = { "synchronous", "OFF", "0" }, settled = { "synchronous", "NORMAL", "1" };
	char got[30];
	int rc;

	if (c->wal_pages == c->moved_pages)
		return 0;
	if (sqlite_sync(c, err) < 0 || sqlite_control(c->pin, CONTROL_BEGIN, err) < 0)
		return -1;
	if (ask(c->pin, "SELECT COUNT(*) FROM sqlite_schema", got, sizeof(got), err) < 0 || set_pragma(c, &unsettled, err) < 0) {
		sqlite_settled(c);
		return -1;
	}
	rc = move(c, SQLITE_CHECKPOINT_PASSIVE, err);
	/* nothing of the next checkpoint would be synced: not to be had */
	if (set_pragma(c, &settled, err) < 0)
		abort();
	/* what failed counts as not moved */
	if (rc < 0)
		sqlite_settled(c);
	return rc < 0 ? -1 : 1;
}

static int sqlite_checkpoint(struct connection *c, enum checkpoint how, struct err *err)
{
	switch (how) {
	case CHECKPOINT_MOVE:
		return move_unsettled(c, err);
	case CHECKPOINT_SETTLE:
		return move(c, SQLITE_CHECKPOINT_PASSIVE, err);
	case CHECKPOINT_CUT:
		break;
	}
	return move(c, SQLITE_CHECKPOINT_TRUNCATE, err);
}

/* The reader's own handle of the file, which nobody else uses. */
static int sqlite_settle(struct connection *c, struct err *err)
{
	sqlite3_file *file;
	int rc = sqlite3_file_control(c->pin->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (rc == SQLITE_OK)
		rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	return rc == SQLITE_OK ? 0 : err_set(err, "syncing the database: %s", sqlite3_errstr(rc));
}

static uint64_t sqlite_log_bytes(struct connection *c, uint64_t *unmoved_out)
{
	*unmoved_out = (uint64_t)(c->wal_pages - c->moved_pages) * PAGE;
	return (uint64_t)c->wal_pages * PAGE;
}

const struct driver driver_sqlite = {
	.name = "sqlite",
	.shares = false,
	.words = words,
	.open = sqlite_open,
	.close = sqlite_close,
	.trouble = sqlite_trouble,
	.get_version = sqlite_get_version,
	.set_version = sqlite_set_version,
	.define = sqlite_define,
	.control = sqlite_control,
	.prepare = sqlite_prepare,
	.finalize = sqlite_finalize,
	.bind_int = sqlite_bind_int,
	.bind_real = sqlite_bind_real,
	.bind_text = sqlite_bind_text,
	.bind_blob = sqlite_bind_blob,
	.step = sqlite_step,
	.reset = sqlite_reset,
	.get_int = sqlite_get_int,
	.get_real = sqlite_get_real,
	.get_text = sqlite_get_text,
	.get_blob = sqlite_get_blob,
	.changes = sqlite_changes,
	.save = sqlite_save,
	.load = sqlite_load,
	.sync = sqlite_sync,
	.checkpoint = sqlite_checkpoint,
	.settle = sqlite_settle,
	.settled = sqlite_settled,
	.log_bytes = sqlite_log_bytes,
};
