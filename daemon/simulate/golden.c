/*
 * golden.c: a text against the file in which it was kept, and how they differ, as a unified diff.
 *
 * Lines in common at both ends are set aside; in between, the longest common subsequence. Where that would take too much (both in thousands of
 * lines), the one stands for the other as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "simulate/timeline.h"

#define FILE_MAX (8 * 1024 * 1024)
#define TABLE_MAX (16 * 1024 * 1024)
#define CONTEXT 3
#define DIFF_MAX 400

static int read_golden(const char *file, struct buf *out, struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return err_set(err, "%s: %s%s", file, strerror(errno), errno == ENOENT ? "; --update writes it" : "");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		err_set(err, "%s: not a file of at most 8 MiB", file);
		goto out;
	}
	buf_reserve(out, (size_t)st.st_size);
	while (out->len < (size_t)st.st_size && (n = read(fd, out->data + out->len, (size_t)st.st_size - out->len)) > 0)
		out->len += (size_t)n;
	rc = n < 0 ? err_set(err, "%s: %s", file, strerror(errno)) : 0;
out:
	close(fd);
	return rc;
}

/* --- lines ---------------------------------------------------------------------------------------------------------------------- */

struct lines {
	struct slice *all;
	size_t count, cap;
};

static void split(struct slice text, struct lines *out)
{
	while (text.len) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t n = end ? (size_t)(end - text.data) + 1 : text.len;

		out->all = xgrow(out->all, &out->cap, out->count + 1, sizeof(*out->all));
		out->all[out->count++] = (struct slice){ text.data, n };
		text.data += n;
		text.len -= n;
	}
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* One line of the diff: ' ', '-' or '+', and where it stands in both. */
struct edit {
	char sign;
	size_t a, b;
};

struct edits {
	struct edit *all;
	size_t count, cap;
};

static void add(struct edits *e, char sign, size_t a, size_t b)
{
	e->all = xgrow(e->all, &e->cap, e->count + 1, sizeof(*e->all));
	e->all[e->count++] = (struct edit){ sign, a, b };
}

/* How long the common subsequence of what is left from (i, j) on is. */
static uint32_t *table_of(const struct lines *a, const struct lines *b, size_t from, size_t a_end, size_t b_end)
{
	size_t rows = a_end - from, columns = b_end - from + 1, i, j;
	uint32_t *t = xcalloc((rows + 1) * columns, sizeof(*t));

	for (i = rows; i-- > 0;)
		for (j = columns - 1; j-- > 0;) {
			uint32_t down = t[(i + 1) * columns + j], right = t[i * columns + j + 1];

			t[i * columns + j] = same(a->all[from + i], b->all[from + j]) ? t[(i + 1) * columns + j + 1] + 1 : down > right ? down : right;
		}
	return t;
}

static void walk(const struct lines *a, const struct lines *b, size_t from, size_t a_end, size_t b_end, const uint32_t *t, struct edits *out)
{
	size_t columns = b_end - from + 1, i = from, j = from;

	while (i < a_end || j < b_end) {
		if (i < a_end && j < b_end && t && same(a->all[i], b->all[j])) {
			add(out, ' ', i++, j++);
		} else if (i < a_end && (j == b_end || !t || t[(i + 1 - from) * columns + j - from] >= t[(i - from) * columns + j + 1 - from])) {
			add(out, '-', i, j);
			i++;
		} else {
			add(out, '+', i, j);
			j++;
		}
	}
}

static void compare(const struct lines *a, const struct lines *b, struct edits *out)
{
	size_t from = 0, a_end = a->count, b_end = b->count, i;
	uint32_t *t = NULL;

	while (from < a_end && from < b_end && same(a->all[from], b->all[from])) {
		add(out, ' ', from, from);
		from++;
	}
	while (a_end > from && b_end > from && same(a->all[a_end - 1], b->all[b_end - 1])) {
		a_end--;
		b_end--;
	}
	if ((a_end - from + 1) * (b_end - from + 1) <= TABLE_MAX)
		t = table_of(a, b, from, a_end, b_end);
	walk(a, b, from, a_end, b_end, t, out);
	free(t);
	for (i = a_end; i < a->count; i++)
		add(out, ' ', i, i - a_end + b_end);
}

/* --- printing ------------------------------------------------------------------------------------------------------------------- */

/* The end of the hunk that begins at `from`: the first place behind it with more than twice the context unchanged. */
static size_t hunk_end(const struct edits *e, size_t from)
{
	size_t i, last = from;

	for (i = from; i < e->count && i - last <= 2 * CONTEXT; i++)
		if (e->all[i].sign != ' ')
			last = i;
	return last + CONTEXT + 1 < e->count ? last + CONTEXT + 1 : e->count;
}

static void put_hunk(const struct edits *e, size_t from, size_t end, const struct lines *a, const struct lines *b, struct buf *out)
{
	size_t old = 0, new = 0, i;

	for (i = from; i < end; i++) {
		old += e->all[i].sign != '+';
		new += e->all[i].sign != '-';
	}
	buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", e->all[from].a + (old > 0), old, e->all[from].b + (new > 0), new);
	for (i = from; i < end; i++) {
		struct slice line = e->all[i].sign == '+' ? b->all[e->all[i].b] : a->all[e->all[i].a];

		buf_char(out, e->all[i].sign);
		buf_add(out, line.data, line.len);
		if (line.data[line.len - 1] != '\n')
			buf_str(out, "\n\\ No newline at end of file\n");
	}
}

static void put_diff(const char *file, const struct edits *e, const struct lines *a, const struct lines *b, struct buf *out)
{
	size_t i = 0, from, end, put = 0;

	buf_printf(out, "--- %s\n+++ now\n", file);
	while (i < e->count && put < DIFF_MAX) {
		if (e->all[i].sign == ' ') {
			i++;
			continue;
		}
		from = i > CONTEXT ? i - CONTEXT : 0;
		end = hunk_end(e, i);
		if (end - from > DIFF_MAX)
			end = from + DIFF_MAX;
		put_hunk(e, from, end, a, b, out);
		put += end - from;
		i = end;
	}
	while (i < e->count && e->all[i].sign == ' ')
		i++;
	if (i < e->count)
		buf_str(out, "... and more\n");
}

int golden_compare(const char *file, struct slice text, struct buf *diff, struct err *err)
{
	struct buf kept = BUF_INIT;
	struct lines a = { 0 }, b = { 0 };
	struct edits edits = { 0 };
	int rc = read_golden(file, &kept, err);
	bool is_same = !rc && kept.len == text.len && memcmp(buf_cstr(&kept), text.data, text.len) == 0;

	if (!rc && !is_same) {
		split((struct slice){ buf_cstr(&kept), kept.len }, &a);
		split(text, &b);
		compare(&a, &b, &edits);
		put_diff(file, &edits, &a, &b, diff);
	}
	free(edits.all);
	free(a.all);
	free(b.all);
	buf_clear(&kept);
	return rc ? -1 : is_same;
}

int golden_write(const char *file, struct slice text, struct err *err)
{
	char *fresh = xasprintf("%s.new", file);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), rc = 0;
	size_t done = 0;
	ssize_t n = 0;

	while (fd >= 0 && done < text.len && (n = write(fd, text.data + done, text.len - done)) > 0)
		done += (size_t)n;
	if (fd < 0 || done < text.len || rename(fresh, file) < 0)
		rc = err_set(err, "%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (rc)
		unlink(fresh);
	free(fresh);
	return rc;
}
