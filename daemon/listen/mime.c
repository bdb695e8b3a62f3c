/*
 * mime.c: mailmime_parse() recurses without a limit (40,000 nested messages overrun the stack, 10,000
 * nested multiparts take seconds), so containers are counted first, by a plain scan over lines that look
 * like their fields.
 */
#include <libetpan/mailmime.h>
#include <libetpan/mailmime_content.h>
#include <libetpan/mailmime_decode.h>
#include <libetpan/mmapstring.h>

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/patterns.h"
#include "base/text.h"
#include "charset.h"
#include "mime.h"

/* --- the scan before ------------------------------------------------------------------------------------ */

/* The field and its folded lines; `at` is moved behind it. */
static bool names_container(const char *data, size_t n, size_t at)
{
	size_t end = at;

	do {
		const char *nl = memchr(data + end, '\n', n - end);

		end = nl ? (size_t)(nl - data) + 1 : n;
	} while (end < n && end - at < 2000 && (data[end] == ' ' || data[end] == '\t'));
	for (size_t i = at; i + 8 < end; i++)
		if (!strncasecmp(data + i, "multipart", 9) || !strncasecmp(data + i, "message/", 8))
			return true;
	return false;
}

static size_t count_containers(const char *data, size_t n)
{
	static const char field[] = "content-type";
	size_t count = 0, at = 0;

	while (at < n && count <= MIME_MAX_CONTAINERS) {
		const char *nl;

		if (n - at > sizeof(field) && !strncasecmp(data + at, field, sizeof(field) - 1) &&
		    names_container(data, n, at))
			count++;
		nl = memchr(data + at, '\n', n - at);
		at = nl ? (size_t)(nl - data) + 1 : n;
	}
	return count;
}

/* --- a boundary that is none ----------------------------------------------------------------------------- */

/* The first line that looks like one, and can be quoted as it is: fields of a part follow. */
static struct slice first_delimiter(struct slice body)
{
	static struct pattern delimiter = PATTERN_BYTES("^--([^\\s\"\\\\][^\\n\"\\\\]{0,200}?)[ \\t]*\\r?\\n(?=content-[a-z-]+:)");
	struct pattern_hit hit;

	return pattern_find(&delimiter, body.data, body.len, 0, &hit) ? hit.group[1] : (struct slice){ NULL, 0 };
}

/* Does a part begin with the boundary that the field names? Then what looks like one is a part's text: a mail that is answered, as it was written. */
static bool has_delimiter(struct slice body, const char *boundary)
{
	const char *at = body.data, *end = body.data + body.len;
	size_t n = boundary ? strlen(boundary) : 0;

	while (n && at && (size_t)(end - at) >= n + 2) {
		if (at[0] == '-' && at[1] == '-' && !memcmp(at + 2, boundary, n))
			return true;
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* Gateways that rewrite fields lose the boundary, or write one that no part has: then the body tells it. No data: it does not. */
static struct slice with_boundary(struct arena *arena, const char *data, size_t n)
{
	struct headers h;
	size_t at = headers_parse(&h, arena, data, n);
	const char *type = headers_token(arena, headers_get(&h, "content-type"));
	struct slice body = { data + at, n - at }, found = { NULL, 0 };
	struct buf b = BUF_INIT;

	if (!strncmp(type, "multipart/", 10) && !has_delimiter(body, headers_param(arena, headers_get(&h, "content-type"), "boundary")))
		found = first_delimiter(body);
	if (!found.data)
		return found;
	buf_printf(&b, "Content-Type: %s; boundary=\"%.*s\"\n\n", type, (int)found.len, found.data);
	buf_add(&b, body.data, body.len);
	body = (struct slice){ arena_strndup(arena, b.data, b.len), b.len };
	buf_clear(&b);
	return body;
}

/* --- the tree ------------------------------------------------------------------------------------------- */

struct walk {
	struct mime *out;
	struct arena *arena;
};

static const char *discrete_name(int type)
{
	switch (type) {
	case MAILMIME_DISCRETE_TYPE_TEXT:
		return "text";
	case MAILMIME_DISCRETE_TYPE_IMAGE:
		return "image";
	case MAILMIME_DISCRETE_TYPE_AUDIO:
		return "audio";
	case MAILMIME_DISCRETE_TYPE_VIDEO:
		return "video";
	case MAILMIME_DISCRETE_TYPE_APPLICATION:
		return "application";
	default:
		return "x-unknown";
	}
}

static const char *type_of(struct arena *arena, const struct mailmime_content *content)
{
	const struct mailmime_type *type = content ? content->ct_type : NULL;
	const char *major = "application";
	char *s;

	if (!content || !content->ct_subtype || !type)
		return "text/plain";
	if (type->tp_type == MAILMIME_TYPE_COMPOSITE_TYPE && type->tp_data.tp_composite_type)
		major = type->tp_data.tp_composite_type->ct_type == MAILMIME_COMPOSITE_TYPE_MESSAGE
				? "message"
			: type->tp_data.tp_composite_type->ct_token
				? type->tp_data.tp_composite_type->ct_token
				: "multipart";
	else if (type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE && type->tp_data.tp_discrete_type)
		major = discrete_name(type->tp_data.tp_discrete_type->dt_type);
	s = arena_printf(arena, "%s/%s", major, content->ct_subtype);
	text_lower(s);
	return s;
}

/* The fields of the part itself stand at the start of its raw bytes: ours are read from there. */
static void read_fields(struct walk *w, struct mime_part *part, const struct mailmime *mm)
{
	struct headers h;
	const char *type, *disposition;

	if (!mm->mm_mime_start || !mm->mm_length)
		return;
	headers_parse(&h, w->arena, mm->mm_mime_start, mm->mm_length < 65536 ? mm->mm_length : 65536);
	type = headers_get(&h, "content-type");
	disposition = headers_get(&h, "content-disposition");
	part->charset = headers_param(w->arena, type, "charset");
	part->filename = headers_param(w->arena, disposition, "filename");
	if (!part->filename)
		part->filename = headers_param(w->arena, type, "name");
	part->attachment = !strcmp(headers_token(w->arena, disposition), "attachment");
}

static void decode_body(struct walk *w, struct mime_part *part, const struct mailmime_data *body)
{
	char *decoded = NULL, *copy;
	size_t n = 0, at = 0;

	if (!body || body->dt_type != MAILMIME_DATA_TEXT || !body->dt_data.dt_text.dt_data)
		return;
	if (mailmime_part_parse(body->dt_data.dt_text.dt_data, body->dt_data.dt_text.dt_length, &at,
		    body->dt_encoding, &decoded, &n) != MAILIMF_NO_ERROR ||
		!decoded) {
		part->data = (struct slice){ body->dt_data.dt_text.dt_data, body->dt_data.dt_text.dt_length };
		return;
	}
	copy = arena_alloc(w->arena, n + 1);
	memcpy(copy, decoded, n);
	copy[n] = '\0';
	part->data = (struct slice){ copy, n };
	mmap_string_unref(decoded);
}

static void walk_leaf(struct walk *w, const struct mailmime *mm, int depth)
{
	struct mime_part *part;

	if (w->out->count == MIME_MAX_PARTS)
		return;
	part = &w->out->parts[w->out->count++];
	memset(part, 0, sizeof(*part));
	part->depth = depth;
	part->type = type_of(w->arena, mm->mm_content_type);
	read_fields(w, part, mm);
	decode_body(w, part, mm->mm_type == MAILMIME_SINGLE ? mm->mm_data.mm_single : mm->mm_body);
}

static void walk_tree(struct walk *w, const struct mailmime *mm, int depth)
{
	if (!mm || depth > MIME_MAX_DEPTH)
		return;
	if (mm->mm_type == MAILMIME_MULTIPLE) {
		for (clistiter *it = clist_begin(mm->mm_data.mm_multipart.mm_mp_list); it;
			it = clist_next(it))
			walk_tree(w, clist_content(it), depth + 1);
	} else if (depth == 0 && mm->mm_type == MAILMIME_MESSAGE) {
		walk_tree(w, mm->mm_data.mm_message.mm_msg_mime, 1);	/* the message itself */
	} else {
		walk_leaf(w, mm, depth);
	}
}

/* Is it a multipart? */
static bool walk_all(struct walk *w, const char *data, size_t n)
{
	const struct mailmime *top;
	struct mailmime *mm = NULL;
	bool multipart = false;
	size_t at = 0;

	if (mailmime_parse(data, n, &at, &mm) == MAILIMF_NO_ERROR)
		walk_tree(w, mm, 0);
	top = mm && mm->mm_type == MAILMIME_MESSAGE ? mm->mm_data.mm_message.mm_msg_mime : mm;
	if (top)
		multipart = top->mm_type == MAILMIME_MULTIPLE || !strncmp(type_of(w->arena, top->mm_content_type), "multipart/", 10);
	if (mm)
		mailmime_free(mm);
	return multipart;
}

/* --- in all --------------------------------------------------------------------------------------------- */

static void one_flat_part(struct mime *out, struct arena *arena, const char *data, size_t n)
{
	struct headers h;
	size_t body = headers_parse(&h, arena, data, n);
	struct mime_part *part = &out->parts[0];

	out->flat = true;
	out->count = 1;
	memset(part, 0, sizeof(*part));
	part->type = "text/plain";
	part->charset = headers_param(arena, headers_get(&h, "content-type"), "charset");
	part->data = (struct slice){ data + body, n - body };
}

void mime_parse(struct mime *out, struct arena *arena, const char *data, size_t n)
{
	struct walk w = { out, arena };

	out->count = 0;
	out->flat = false;
	if (n > MIME_MAX_BYTES)
		n = MIME_MAX_BYTES;
	if (count_containers(data, n) > MIME_MAX_CONTAINERS) {
		one_flat_part(out, arena, data, n);
		return;
	}
	if (walk_all(&w, data, n) && out->count <= 1) {
		struct slice mended = with_boundary(arena, data, n);

		if (mended.data) {
			out->count = 0;
			walk_all(&w, mended.data, mended.len);
		}
	}
	if (out->count == 0 || (out->count == 1 && !strncmp(out->parts[0].type, "multipart/", 10)))
		one_flat_part(out, arena, data, n);	/* parts that nobody can tell: what somebody wrote is there as it stands */
}

const struct mime_part *mime_find(const struct mime *m, const char *type)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->parts[i].type, type))
			return &m->parts[i];
	return NULL;
}

char *mime_part_text(struct arena *arena, const struct mime_part *part)
{
	return charset_to_utf8(arena, part->data.data ? part->data.data : "", part->data.len, part->charset);
}
