/*
 * reply_marks.c: Usenet programs quote with initials, others enclose; signed mails carry armour. Rules for lines come
 * after this, so that they need to know ">" alone.
 */
#include <string.h>

#include "base/buf.h"
#include "base/patterns.h"
#include "reply_marks.h"

/* Cuts what the pattern's first group took, or all of it, out of b. */
static void cut_out(struct buf *b, struct pattern *p)
{
	struct pattern_hit hit;

	for (int i = 0; i < 20 && pattern_find(p, buf_cstr(b), b->len, 0, &hit) && hit.group[0].len; i++) {
		char *at = b->data + (hit.group[0].data - b->data);

		memmove(at, at + hit.group[0].len, b->len - (size_t)(at - b->data) - hit.group[0].len + 1);
		b->len -= hit.group[0].len;
	}
}

static void drop_armour(struct buf *b)
{
	static struct pattern begin = PATTERN("\\A-----BEGIN PGP SIGNED MESSAGE-----\\n(?:Hash: [\\w, -]+\\n)?\\s*");
	static struct pattern end = PATTERN("^-----BEGIN PGP SIGNATURE-----$(?s:.+?)(?:^-----END PGP SIGNATURE-----|\\z)");
	static struct pattern list = PATTERN("^Unsubscribe: [^\\n]+@[^\\n]+(?:\\n[^\\n]+http[^\\n]+)?\\s*\\z");
	static struct pattern supercite = PATTERN("^[^\\n]*>{5} \"[^\"\\n]+\" == [^\\n]* writes:");

	if (strstr(buf_cstr(b), "PGP SIG")) {
		cut_out(b, &begin);
		cut_out(b, &end);
	}
	cut_out(b, &list);
	if (strstr(buf_cstr(b), ">>>>> \""))
		cut_out(b, &supercite);
}

/* ">>> Ana wrote >>>", lines, "<<< Ana wrote <<<"; or ">>>>" and "<<<<". Is this the line that ends it? */
static bool closes(const char *line, size_t n, const char *open, size_t open_n)
{
	if (open_n >= 8 && !strncmp(open, ">>> ", 4))
		return n == open_n && !strncmp(line, "<<< ", 4) && !memcmp(line + 4, open + 4, n - 8);
	return n >= 4 && strspn(line, "<") >= n;
}

static bool opens(const char *line, size_t n)
{
	if (n >= 4 && strspn(line, ">") >= n)
		return true;
	return n >= 8 && !strncmp(line, ">>> ", 4) && !strncmp(line + n - 4, " >>>", 4);
}

static size_t line_length(const char *s)
{
	size_t n = strcspn(s, "\n");

	while (n && strchr(" \t", s[n - 1]))
		n--;
	return n;
}

/* Where the enclosed block that begins behind `open` ends: at its last line; NULL: nowhere. */
static const char *end_of_block(const char *open, size_t open_n)
{
	const char *s = open + strcspn(open, "\n");

	for (int lines = 0; *s && lines < 500; lines++) {
		s++;
		if (closes(s, line_length(s), open, open_n))
			return s;
		s += strcspn(s, "\n");
	}
	return NULL;
}

/* "  JA> | text": how long the marks are; 0: none. */
static size_t marks_at(const char *line, size_t n)
{
	static struct pattern marks = PATTERN("\\A(?:[ \\t]*(?:\\p{L}{1,12}>|>|\\|(?=[ \\t>|]|\\z)))+");
	struct pattern_hit hit;

	return pattern_find(&marks, line, n, 0, &hit) ? hit.group[0].len : 0;
}

static void add_line(struct buf *out, const char *line, size_t n, bool quoted)
{
	size_t marks = n < 4096 ? marks_at(line, n) : 0;

	if (quoted)
		buf_str(out, "> ");
	for (size_t i = 0; i < marks; i++)
		if (line[i] == ' ' || line[i] == '\t' || line[i] == '>' || line[i] == '|')
			buf_char(out, line[i] == '|' ? '>' : line[i]);
	buf_add(out, line + marks, n - marks);
	buf_char(out, '\n');
}

char *reply_marks_plain(struct arena *arena, const char *text)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	const char *until = NULL, *s;
	char *plain;

	buf_str(&in, text);
	drop_armour(&in);
	for (s = buf_cstr(&in); *s;) {
		size_t n = strcspn(s, "\n"), trimmed = line_length(s);
		const char *end = !until && opens(s, trimmed) ? end_of_block(s, trimmed) : NULL;

		if (end)
			until = end;
		else if (s == until)
			until = NULL;
		else
			add_line(&out, s, n, until != NULL);
		s += n + (s[n] == '\n');
	}
	plain = arena_strndup(arena, buf_cstr(&out), out.len);
	buf_clear(&in);
	buf_clear(&out);
	return plain;
}
