/*
 * page.h: answers of the daemon as pages for people, where the one form of report.h would not do. Pure but for
 * the local time zone; any thread.
 */
#ifndef CONSOLE_PAGE_H
#define CONSOLE_PAGE_H

#include <stdint.h>

#include "base/buf.h"

struct json_t;

void page_eval(struct buf *out, const struct json_t *json, int64_t now);
void page_plan(struct buf *out, const struct json_t *json, int64_t now);
void page_sequence(struct buf *out, const struct json_t *json, int64_t now);
void page_enroll(struct buf *out, const struct json_t *json, int64_t now);	/* who would enter */
void page_enrolled(struct buf *out, const struct json_t *json, int64_t now);	/* who has */
void page_why(struct buf *out, const struct json_t *json, int64_t now);
void page_reply(struct buf *out, const struct json_t *json, int64_t now);	/* a mail as it was read */
void page_score(struct buf *out, const struct json_t *json, int64_t now);

/* Of several pages: what time alone changes. */
void page_changes(struct buf *out, const struct json_t *changes, int64_t now);

#endif
