/*
 * err.h: the text of what went wrong.
 *
 * Functions that can fail take `struct err *err` last, return -1 and set the text through err_set(), which
 * itself returns -1, so that a failure is one line: `return err_set(err, "no such list: %s", name);`
 * err may be NULL where the caller does not care. Any thread; no allocation.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TEXT 512

struct err {
	char text[ERR_TEXT];
};

#define MUSTCHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets the text (cut at ERR_TEXT - 1, always terminated) and returns -1. */
int err_set(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Puts "prefix: " before the text that is there and returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);

#endif
