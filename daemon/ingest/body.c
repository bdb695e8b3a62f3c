/*
 * body.c: see body.h.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/text.h"

#include "body.h"

#define BOUNDARY_MAX 70
#define PART_HEADERS_MAX 2048

static int add(struct arena *arena, struct body *out, const char *name, const char *value, struct err *err)
{
	if (out->count == BODY_PAIRS)
		return err_set(err, "more than %d fields", BODY_PAIRS);
	if (!text_utf8_valid(name, strlen(name)) || (value && !text_utf8_valid(value, strlen(value))))
		return err_set(err, "a field is not UTF-8");
	if (!out->pairs)
		out->pairs = arena_calloc(arena, BODY_PAIRS, sizeof(*out->pairs));
	out->pairs[out->count++] = (struct pair){ name, value };
	return 0;
}

/* --- urlencoded ------------------------------------------------------------------------------ */

static const char *decode(struct arena *arena, struct slice in, struct err *err)
{
	struct buf out = BUF_INIT;
	const char *copy = NULL;

	if (memchr(in.data, '\0', in.len) || text_percent_decode(in.data, in.len, true, &out) < 0)
		err_set(err, "a broken %% escape");
	else
		copy = arena_strndup(arena, buf_cstr(&out), out.len);
	buf_clear(&out);
	return copy;
}

int body_parse_urlencoded(struct arena *arena, struct slice in, struct body *out, struct err *err)
{
	const char *s = in.data, *end = in.data + in.len, *amp, *equals, *name, *value;

	*out = (struct body){ 0 };
	for (; s < end; s = amp + 1) {
		amp = memchr(s, '&', (size_t)(end - s));
		if (!amp)
			amp = end;
		if (amp == s)
			continue;
		equals = memchr(s, '=', (size_t)(amp - s));
		name = decode(arena, (struct slice){ s, (size_t)((equals ? equals : amp) - s) }, err);
		if (!name)
			return -1;
		value = equals ? decode(arena, (struct slice){equals + 1, (size_t)(amp - equals - 1)}, err)
			       : "";
		if (!value || add(arena, out, name, value, err) < 0)
			return -1;
	}
	return 0;
}

/* --- multipart ------------------------------------------------------------------------------- */

/* The value of Content-Disposition among the header lines of a part; NULL if it is not there. */
static const char *disposition(struct arena *arena, struct slice headers)
{
	static const char name[] = "content-disposition:";
	const char *s = headers.data, *end = headers.data + headers.len, *line_end;

	for (; s < end; s = line_end + 2) {
		line_end = memmem(s, (size_t)(end - s), "\r\n", 2);
		if (!line_end)
			line_end = end;
		if ((size_t)(line_end - s) >= sizeof(name) - 1 &&
			strncasecmp(s, name, sizeof(name) - 1) == 0) {
			struct slice value = {
				s + sizeof(name) - 1, (size_t)(line_end - s) - (sizeof(name) - 1)};

			value = slice_trim(value);
			return arena_strndup(arena, value.data, value.len);
		}
	}
	return NULL;
}

/* One part: its headers, an empty line, its content. */
static int add_part(struct arena *arena, struct slice part, struct body *out, struct err *err)
{
	const char *gap = memmem(part.data, part.len, "\r\n\r\n", 4), *what, *name, *content;
	size_t head, len;

	if (!gap || (head = (size_t)(gap - part.data)) > PART_HEADERS_MAX || memchr(part.data, '\0', head))
		return err_set(err, "a part without headers");
	what = disposition(arena, (struct slice){ part.data, head });
	name = what ? http_parameter(arena, what, "name") : NULL;
	if (!name || strncasecmp(what, "form-data", 9) != 0)
		return err_set(err, "a part without a name");
	content = gap + 4;
	len = part.len - head - 4;
	if (http_parameter(arena, what, "filename"))
		/* a browser sends an empty one for a file not chosen */
		return len ? add(arena, out, name, NULL, err) : 0;
	if (memchr(content, '\0', len))
		return err_set(err, "a field with a NUL");
	return add(arena, out, name, arena_strndup(arena, content, len), err);
}

int body_parse_multipart(
	struct arena *arena, struct slice in, const char *boundary, struct body *out, struct err *err)
{
	char mark[BOUNDARY_MAX + 5];
	const char *s = in.data, *end = in.data + in.len, *next;
	size_t n = boundary ? strlen(boundary) : 0;

	*out = (struct body){ 0 };
	if (n == 0 || n > BOUNDARY_MAX)
		return err_set(
			err, "multipart/form-data without a boundary of 1 to %d characters", BOUNDARY_MAX);
	memcpy(mark, "\r\n--", 4);
	memcpy(mark + 4, boundary, n + 1);
	n += 4;
	/* the first boundary may stand at the very beginning */
	if (in.len >= n - 2 && memcmp(s, mark + 2, n - 2) == 0)
		s += n - 2;
	else if ((next = memmem(s, in.len, mark, n)) != NULL)
		s = next + n;
	else
		return err_set(err, "no part at all");
	while (end - s >= 2 && memcmp(s, "\r\n", 2) == 0) {
		next = memmem(s, (size_t)(end - s), mark, n);
		if (!next)
			return err_set(err, "cut off in the middle of a part");
		/* an empty part: the line end is the boundary's own */
		if (next == s || add_part(arena, (struct slice){s + 2, (size_t)(next - s - 2)}, out, err) < 0)
			return next == s ? err_set(err, "a part without headers") : -1;
		s = next + n;
	}
	if (end - s < 2 || memcmp(s, "--", 2) != 0)
		return err_set(err, "cut off in the middle of a part");
	return 0;
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* jansson's own bound is 2,048 and compiled in. */
static bool too_deep(struct slice in)
{
	size_t i, depth = 0;
	bool quoted = false;

	for (i = 0; i < in.len; i++) {
		char c = in.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > BODY_DEPTH)
			return true;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return false;
}

json_t *body_json_any(struct slice in, struct err *err)
{
	json_error_t why;
	json_t *json;

	if (too_deep(in)) {
		err_set(err, "JSON nested deeper than %d", BODY_DEPTH);
		return NULL;
	}
	json = json_loadb(in.data, in.len, JSON_REJECT_DUPLICATES, &why);
	if (!json) {
		/* jansson's own words may quote the input: the place is enough */
		err_set(err, "not JSON: line %d, column %d", why.line, why.column);
		return NULL;
	}
	return json;
}

json_t *body_json(struct slice in, struct err *err)
{
	json_t *json = body_json_any(in, err);

	if (json && !json_is_object(json)) {
		json_decref(json);
		err_set(err, "not a JSON object");
		return NULL;
	}
	return json;
}

/* NULL for what is no single value. */
static const char *json_text(struct arena *arena, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return arena_strndup(arena, json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	case JSON_REAL:
		return arena_printf(arena, "%.15g", json_real_value(v));
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NULL:
		break;
	}
	return NULL;
}

int body_parse_json(struct arena *arena, struct slice in, struct body *out, struct err *err)
{
	json_t *json = body_json(in, err), *v;
	const char *name;
	int rc = 0;

	*out = (struct body){ 0 };
	if (!json)
		return -1;
	json_object_foreach(json, name, v) {
		if (json_is_null(v))
			continue;
		rc = add(arena, out, arena_strdup(arena, name), json_text(arena, v), err);
		if (rc < 0)
			break;
	}
	json_decref(json);
	return rc;
}

/* --- all of them ----------------------------------------------------------------------------- */

int body_parse(struct arena *arena, struct slice in, const char *type, const char *boundary, struct body *out,
	struct err *err)
{
	int rc;

	*out = (struct body){ 0 };
	if (strcmp(type, "application/json") == 0)
		rc = body_parse_json(arena, in, out, err);
	else if (strcmp(type, "application/x-www-form-urlencoded") == 0)
		rc = body_parse_urlencoded(arena, in, out, err);
	else if (strcmp(type, "multipart/form-data") == 0)
		rc = body_parse_multipart(arena, in, boundary, out, err);
	else {
		err_set(err,
			"Send application/json, application/x-www-form-urlencoded or multipart/form-data.");
		return 415;
	}
	return rc < 0 ? 400 : 0;
}

const char *body_get(const struct body *body, const char *name)
{
	size_t i;

	for (i = 0; i < body->count; i++)
		if (strcmp(body->pairs[i].name, name) == 0)
			return body->pairs[i].value;
	return NULL;
}

const char *body_digest(struct arena *arena, const struct body *body)
{
	struct buf all = BUF_INIT, hex = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	const char *out;
	size_t i;

	for (i = 0; i < body->count; i++) {
		const char *value = body->pairs[i].value ? body->pairs[i].value : "";

		buf_add(&all, body->pairs[i].name, strlen(body->pairs[i].name) + 1);
		buf_add(&all, value, strlen(value) + 1);
	}
	digest_sha256(buf_cstr(&all), all.len, digest);
	text_hex(&hex, digest, sizeof(digest));
	out = arena_strdup(arena, buf_cstr(&hex));
	buf_clear(&all);
	buf_clear(&hex);
	return out;
}
