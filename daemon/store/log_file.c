/*
 * log_file.c: a VFS of SQLite that is the default one but for the log. SQLite writes each frame of it by two small writes, a page's header and the
 * page; a transaction touches dozens of pages, and the calls are a third of what writing it costs. Here they are put together until the frame that
 * ends the transaction, which says so in its header (sqlite.org/fileformat2.html, "The Write-Ahead Log"), and go out in one.
 *
 * Whoever looks at the file by another way finds what was written: everything is out before the last write of a commit returns, and before any
 * read, sync, truncation or question for the size. What a commit cannot write it reports as a failure of that last write, and the transaction is
 * rolled back as if it had been the first.
 */
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"

#include "log_file.h"

#define FRAME_HEADER 24
#define COLLECT_MAX (1 << 20)	/* a transaction may be of any size */
#define WRITE_MAX ((size_t)64 << 10)	/* SQLite's own code for Unix reckons with pages, and takes 128 KiB for nothing */

struct log_file {
	sqlite3_file base;
	struct buf collected;
	sqlite3_int64 from;	/* where in the file it goes */
	bool ends;		/* the header of a frame that ends a transaction came last */
	sqlite3_file *real;	/* behind this struct */
};

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static int write_out(struct log_file *f)
{
	int rc = SQLITE_OK;
	size_t done, n;

	for (done = 0; done < f->collected.len && rc == SQLITE_OK; done += n) {
		n = f->collected.len - done < WRITE_MAX ? f->collected.len - done : WRITE_MAX;
		rc = f->real->pMethods->xWrite(f->real, f->collected.data + done, (int)n, f->from + (sqlite3_int64)done);
	}
	buf_reset(&f->collected);
	f->ends = false;
	return rc;
}

static int log_close(sqlite3_file *file)
{
	struct log_file *f = log_of(file);
	int rc = write_out(f), rc_close = f->real->pMethods->xClose(f->real);

	buf_clear(&f->collected);
	return rc ? rc : rc_close;
}

static int log_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	struct log_file *f = log_of(file);
	int rc = write_out(f);

	return rc ? rc : f->real->pMethods->xRead(f->real, to, n, at);
}

/* The header of a frame has the size of the database in its second word when it ends a transaction, else 0. */
static bool ends_transaction(const void *data, int n)
{
	static const unsigned char none[4];

	return n == FRAME_HEADER && memcmp((const char *)data + 4, none, sizeof(none)) != 0;
}

static int log_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
	struct log_file *f = log_of(file);
	bool last = f->ends, adjoins = f->collected.len && at == f->from + (sqlite3_int64)f->collected.len;
	int rc;

	if (!adjoins && (rc = write_out(f)) != SQLITE_OK)
		return rc;
	if (!adjoins)
		f->from = at;
	buf_add(&f->collected, data, (size_t)n);
	f->ends = ends_transaction(data, n);
	return (adjoins && last) || f->collected.len >= COLLECT_MAX ? write_out(f) : SQLITE_OK;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct log_file *f = log_of(file);
	int rc = write_out(f);

	return rc ? rc : f->real->pMethods->xTruncate(f->real, size);
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct log_file *f = log_of(file);
	int rc = write_out(f);

	return rc ? rc : f->real->pMethods->xSync(f->real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *out)
{
	struct log_file *f = log_of(file);
	int rc = write_out(f);

	return rc ? rc : f->real->pMethods->xFileSize(f->real, out);
}

/* The log is never locked. */
static int log_lock(sqlite3_file *file, int how)
{
	return log_of(file)->real->pMethods->xLock(log_of(file)->real, how);
}

static int log_unlock(sqlite3_file *file, int how)
{
	return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, how);
}

static int log_is_reserved(sqlite3_file *file, int *out)
{
	return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, out);
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
	return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, op, arg);
}

static int log_sector(sqlite3_file *file)
{
	return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int log_traits(sqlite3_file *file)
{
	return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

/* Of version 1: without memory that is shared or mapped, which a log has none of. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_is_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector,
	.xDeviceCharacteristics = log_traits,
};

static sqlite3_vfs vfs, *below;

static int vfs_open(sqlite3_vfs *ours, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
	struct log_file *f = log_of(file);
	int rc;

	if (!(flags & SQLITE_OPEN_WAL))
		return below->xOpen(below, name, file, flags, flags_out);
	memset(f, 0, sizeof(*f));
	f->real = (sqlite3_file *)(f + 1);
	rc = below->xOpen(below, name, f->real, flags, flags_out);
	/* SQLite closes what has methods, also when opening failed */
	if (f->real->pMethods)
		f->base.pMethods = &methods;
	return rc;
}

const char *log_file_vfs(void)
{
	below = sqlite3_vfs_find(NULL);
	if (!below)
		return NULL;
	vfs = *below;
	vfs.zName = "nurtured";
	vfs.szOsFile = below->szOsFile + (int)sizeof(struct log_file);
	vfs.xOpen = vfs_open;
	return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : NULL;
}
