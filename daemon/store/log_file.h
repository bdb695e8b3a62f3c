/*
 * log_file.h: SQLite's log, written a transaction at a time.
 */
#ifndef STORE_LOG_FILE_H
#define STORE_LOG_FILE_H

/* Registers the VFS, once a process, and gives its name for sqlite3_open_v2(); NULL: the default one serves as well. */
const char *log_file_vfs(void);

#endif
