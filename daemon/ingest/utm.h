/*
 * utm.h: where a visit came from, in the words that web analytics read: utm_source, utm_medium, utm_campaign. Pure.
 */
#ifndef INGEST_UTM_H
#define INGEST_UTM_H

#include "base/buf.h"
#include "config/plan.h"

/*
 * Appends the URL with what `utm` says joined to its query, in front of a fragment. What stands in the query stays as it is; a name that is there
 * already keeps its value.
 */
void utm_merge(struct buf *out, const char *url, const struct utm *utm);

#endif
