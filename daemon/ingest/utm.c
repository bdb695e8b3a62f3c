/*
 * utm.c: see utm.h.
 */
#include <string.h>

#include "base/text.h"

#include "utm.h"

static bool is_there(struct slice query, const char *name)
{
	size_t len = strlen(name), i = 0, n;

	while (i < query.len) {
		const char *and = memchr(query.data + i, '&', query.len - i);

		n = and ? (size_t)(and - query.data) - i : query.len - i;
		if (n >= len && memcmp(query.data + i, name, len) == 0 && (n == len || query.data[i + len] == '='))
			return true;
		i += n + 1;
	}
	return false;
}

void utm_merge(struct buf *out, const char *url, const struct utm *utm)
{
	const struct { const char *name, *value; } all[] = {
		{ "utm_source", utm->source }, { "utm_medium", utm->medium }, { "utm_campaign", utm->campaign },
	};
	size_t n = strcspn(url, "#"), path = strcspn(url, "?#"), i;
	struct slice query = { url + path + (url[path] == '?'), n - path - (url[path] == '?') };
	char join = url[path] != '?' ? '?' : query.len && query.data[query.len - 1] != '&' ? '&' : '\0';

	buf_add(out, url, n);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i].value || is_there(query, all[i].name))
			continue;
		if (join)
			buf_char(out, join);
		join = '&';
		buf_printf(out, "%s=", all[i].name);
		text_percent(out, all[i].value, strlen(all[i].value));
	}
	buf_str(out, url + n);
}
