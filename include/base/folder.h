/*
 * folder.h: names of IMAP folders, as people write them and as servers do: in modified UTF-7 (RFC 3501 5.1.3). Any thread; the first call may have
 * iconv load a file.
 */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * `name` in UTF-8 as a server wants it, added to `out`. One in ASCII that is modified UTF-7 already ("Entw&APw-rfe") stays as it is; "R&D", which is
 * none, becomes "R&-D". -1: no UTF-8, or a host whose iconv has no UTF-7-IMAP (glibc has had it since 2.36); `out` is as it was.
 */
int folder_name(struct buf *out, const char *name, struct err *err) MUSTCHECK;

#endif
