/*
 * log.h: one event a line to standard error, with a "<N>" priority prefix (sd-daemon(3)) when not on a terminal.
 *
 * logfmt by default (`ts=... level=info event=mail.sent delivery=del_...`), or JSON. error: a person must act; warn: we
 * coped; info: a fact of the business; debug: the rest. Never bodies, never secrets; addresses at debug only.
 * Values are quoted and escaped, control characters too, and cut at 1,000 bytes. Any thread; one write(2) a line, unless the thread gathers.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_field {
	const char *key;	/* NULL ends the list */
	const char *text;	/* or NULL: then `number` */
	int64_t number;
	const char *id_prefix;	/* not NULL: number is an id, printed by id_text() */
};

#define L_STR(k, v) ((struct log_field){ .key = (k), .text = (v) ? (v) : "" })
#define L_INT(k, v) ((struct log_field){ .key = (k), .number = (v) })
#define L_ID(k, prefix, v) ((struct log_field){ .key = (k), .number = (v), .id_prefix = (prefix) })

void log_event(enum log_level level, const char *event, const struct log_field *fields);

/* log_info("mail.sent", L_ID("delivery", "del", id), L_INT("code", 250)); at least one field */
#define log_at(level, event, ...) \
	log_event(level, event, (const struct log_field[]){ __VA_ARGS__, { .key = NULL } })
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) \
	do { if (log_enabled(LOG_DEBUG)) log_at(LOG_DEBUG, event, __VA_ARGS__); } while (0)

void log_setup(enum log_level level, bool json);
bool log_enabled(enum log_level level);

/*
 * This thread's lines of info and debug wait, for 4 KB or log_flush(); warn and error go out at once, behind what waits. soon(arg) is called when
 * a first line waits, and has log_flush() called in a moment. NULL: each goes out at once, as at first.
 */
void log_gather(void (*soon)(void *arg), void *arg);
void log_flush(void);

#endif
