/*
 * charset.h: bytes in whatever charset a mail claims, as UTF-8. Pure, but for charset_load().
 */
#ifndef LISTEN_CHARSET_H
#define LISTEN_CHARSET_H

#include <stddef.h>

struct arena;

/*
 * Has iconv load what it needs for the charsets that mail is written in, for good: afterwards it need not open files. Those that it has not loaded by
 * then are unknown where files may not be opened. Once.
 */
void charset_load(void);

/*
 * `charset` as declared, or NULL. What iconv does not know, or what plainly is not in the charset that it
 * claims, is read as UTF-8 if it is valid UTF-8, else as windows-1252; single broken sequences become
 * U+FFFD. The result is valid UTF-8 without NUL, CR LF is LF; at most 4 times as long.
 */
char *charset_to_utf8(struct arena *arena, const char *data, size_t n, const char *charset);

/*
 * For matching: curly quotes and dashes become ASCII, no-break and other spaces a space, zero-width
 * characters go, runs of spaces within a line become one.
 */
char *charset_simplify(struct arena *arena, const char *utf8);

#endif
