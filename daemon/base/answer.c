/*
 * answer.c: see answer.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/id.h"
#include "base/text.h"

json_t *answer_time(int64_t us)
{
	struct buf text = BUF_INIT;
	json_t *json;

	if (us <= 0 || us >= INT64_MAX / 2)
		return json_null();
	text_time(&text, us);
	json = json_string(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

json_t *answer_id(const char *prefix, int64_t id)
{
	char text[ID_TEXT];

	return id ? json_string(id_text(prefix, id, text)) : json_null();
}

json_t *answer_text(const char *s)
{
	struct buf quoted = BUF_INIT;
	json_t *json = json_string(s ? s : "");

	if (!json) {
		text_json(&quoted, s, strlen(s));
		json = json_loadb(quoted.data, quoted.len, JSON_DECODE_ANY, NULL);
		buf_clear(&quoted);
	}
	return json;
}

json_t *answer_points(double points)
{
	return json_real(round(points * 100) / 100);
}

json_t *answer_rows(const void *rows, size_t count, size_t size, json_t *(*row)(const void *row))
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, row((const char *)rows + i * size));
	return list;
}

int answer_give(struct buf *out, json_t *json, struct err *err)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	json_decref(json);
	if (!text)
		return err_set(err, "the answer cannot be written as JSON");
	buf_str(out, text);
	free(text);
	return 1;
}
