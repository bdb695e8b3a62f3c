/* frame.c: length, JSON, and nothing trusted about either. Used by both halves. */
#include <stdlib.h>
#include <string.h>

#include "listen/frame.h"

int frame_encode(struct buf *out, const json_t *message, struct err *err)
{
	size_t n = json_dumpb(message, NULL, 0, JSON_COMPACT), start = out->len;
	unsigned char head[4];

	if (n == 0)
		return err_set(err, "a frame that is no JSON");
	if (n > FRAME_MAX)
		return err_set(err, "a frame of %zu bytes is too long", n);
	for (int i = 0; i < 4; i++)
		head[i] = (unsigned char)(n >> (8 * (3 - i)));
	buf_add(out, head, sizeof(head));
	buf_reserve(out, n);
	if (json_dumpb(message, out->data + out->len, n, JSON_COMPACT) != n) {
		buf_cut(out, start);
		return err_set(err, "a frame that changed while it was written");
	}
	out->len += n;
	out->data[out->len] = '\0';
	return 0;
}

int frame_decode(struct buf *in, json_t **out, struct err *err)
{
	size_t n = 0;
	json_t *message;
	json_error_t why;

	if (in->len < 4)
		return 0;
	for (int i = 0; i < 4; i++)
		n = n << 8 | (unsigned char)in->data[i];
	if (n > FRAME_MAX)
		return err_set(err, "a frame of %zu bytes is too long", n);
	if (in->len < 4 + n)
		return 0;
	message = json_loadb(in->data + 4, n, JSON_REJECT_DUPLICATES, &why);
	memmove(in->data, in->data + 4 + n, in->len - 4 - n);
	buf_cut(in, in->len - 4 - n);
	if (!json_is_object(message)) {
		json_decref(message);
		return err_set(err, "a frame that is no JSON object: %s", why.text);
	}
	*out = message;
	return 1;
}

const char *frame_type(const json_t *message)
{
	return frame_string(message, "type");
}

const char *frame_string(const json_t *message, const char *key)
{
	const char *s = json_string_value(json_object_get(message, key));

	return s ? s : "";
}

int64_t frame_integer(const json_t *message, const char *key, int64_t fallback)
{
	const json_t *v = json_object_get(message, key);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : fallback;
}
