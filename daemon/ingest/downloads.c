/*
 * downloads.c: GET|HEAD /d/T: the file that a mail offers, by a link that expires. Whole or one range of it
 * (RFC 9110 section 14), sent by the kernel from the file, never read here. POST /d/T: the mail once more, with a
 * link that has not expired; the answer is always the same, so that it tells nothing about anybody.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/media.h"
#include "base/text.h"
#include "store/rows.h"

#include "parts.h"
#include "range.h"

struct download_call {
	struct call call;
	struct download fact;
	struct download_result result;
};

/* A plain name in the folder: no path, no link out of it, a regular file. -1 if it is not there. */
static int open_file(const char *folder, const char *file, struct stat *st)
{
	int dir, fd;

	if (!*file || *file == '.' || strchr(file, '/'))
		return -1;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(dir);
	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void set_headers(struct http_request *r, const char *file, const char *tag)
{
	struct buf b = BUF_INIT;
	const char *c;

	/* RFC 6266: a plain form for all, and the exact one */
	buf_str(&b, "attachment; filename=\"");
	for (c = file; *c; c++)
		buf_char(&b, isalnum((unsigned char)*c) || strchr("._- ", *c) ? *c : '_');
	buf_str(&b, "\"; filename*=UTF-8''");
	text_percent(&b, file, strlen(file));
	http_set_header(r, "Content-Disposition", buf_cstr(&b));
	buf_clear(&b);
	http_set_header(r, "X-Robots-Tag", "noindex, nofollow");
	http_set_header(r, "Cache-Control", "private, no-store");
	http_set_header(r, "Accept-Ranges", "bytes");
	http_set_header(r, "ETag", tag);
}

static void send_file(struct http_request *r, const struct plan *plan, const char *file)
{
	const char *wanted = http_header(r, "Range"), *same = http_header(r, "If-Range");
	char tag[64], text[96];
	int64_t from = 0, length;
	struct stat st;
	int fd = open_file(plan->operator.files, file, &st);

	if (fd < 0) {
		log_error("download.missing", L_STR("file", file));
		page_problem(
			r, plan, 404, "Not there", "This file is not there any more. Please write to us.");
		return;
	}
	snprintf(tag, sizeof(tag), "\"%llx-%llx\"", (unsigned long long)st.st_size,
		(unsigned long long)st.st_mtime);
	if (same && strcmp(same, tag) != 0)
		wanted = NULL;
	length = st.st_size;
	set_headers(r, file, tag);
	switch (range_parse(wanted, st.st_size, &from, &length)) {
	case RANGE_WHOLE:
		http_reply_file(r, 200, media_type(file), fd, 0, st.st_size);
		return;
	case RANGE_PART:
		snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)from,
			(long long)(from + length - 1), (long long)st.st_size);
		http_set_header(r, "Content-Range", text);
		http_reply_file(r, 206, media_type(file), fd, from, length);
		return;
	case RANGE_OUTSIDE:
		snprintf(text, sizeof(text), "bytes */%lld", (long long)st.st_size);
		http_set_header(r, "Content-Range", text);
		close(fd);
		http_reply(r, 416, NULL, NULL, 0);
		return;
	}
}

static int download_run(struct store_job *job, struct db *db, struct err *err)
{
	struct download_call *c = (struct download_call *)job;

	return on_download(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void answer(struct download_call *c)
{
	struct call call = c->call;

	if (c->result.found)
		send_file(call.r, call.plan, c->result.file);
	else
		page_problem(call.r, call.plan, 404, "No such link",
			"This link is not known here. It may have been cut off on its way.");
	call_end(&call);
}

/* Read only: a full disk keeps nobody from their file. */
static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct download_call *c = (struct download_call *)job;
	struct arena *arena = arena_new(0);
	struct delivery mail;
	int found = deliveries_find(db, c->fact.delivery, arena, &mail, err);

	if (found == 1 && *mail.download && strlen(mail.download) < sizeof(c->result.file)) {
		memcpy(c->result.file, mail.download, strlen(mail.download) + 1);
		c->result.found = true;
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct download_call *c = (struct download_call *)job;

	if (call_done(&c->call, result, err))
		answer(c);
}

static void look_only(struct download_call *c)
{
	memset(&c->call.job, 0, sizeof(c->call.job));
	memset(&c->result, 0, sizeof(c->result));
	c->call.job.run = look_run;
	c->call.job.done = look_done;
	call_read(&c->call);
}

static void download_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct download_call *c = (struct download_call *)job;

	if (result == STORE_COMMITTED) {
		answer(c);
		return;
	}
	log_warn("download.lost", L_ID("delivery", "del", c->fact.delivery), L_STR("error", err->text));
	look_only(c);
}

/* --- a new link --------------------------------------------------------------------------------------------- */

static void offer_again(struct http_request *r, const struct plan *plan)
{
	static const char message[] = "We can send the mail that it came with once more, with a new link, to the address that we have.";
	struct page *page;

	if (!http_wants_html(r)) {
		http_problem(r, 410, "This link has expired. A POST to it sends the mail once more.", NULL);
		return;
	}
	page = page_new(r, plan, "error", "This link has expired");
	page_set(page, "message", value_text(message));
	page_set(page, "action", value_text(http_path(r)));
	page_set(page, "button", value_text("Send it to me again"));
	page_send(page, 410);
}

static int again_run(struct store_job *job, struct db *db, struct err *err)
{
	struct download_call *c = (struct download_call *)job;

	return on_download_again(c->call.in->decide, db, &c->fact, err);
}

static void again_done(struct store_job *job, enum store_result result, const struct err *err)
{
	static const char said[] = "The mail is on its way once more, unless it was sent not long ago.";
	struct download_call *c = (struct download_call *)job;
	struct call call = c->call;
	struct page *page;

	if (!call_done(&c->call, result, err))
		return;
	if (http_wants_html(call.r)) {
		page = page_new(call.r, call.plan, "error", "Look into your mailbox");
		page_set(page, "message", value_text(said));
		page_send(page, 202);
	} else {
		http_reply(call.r, 202, "text/plain", said, sizeof(said) - 1);
	}
	call_end(&call);
}

static void send_again(struct ingest *in, struct http_request *r, int64_t delivery, int64_t now)
{
	struct download_call *c = call_new(in, r, sizeof(*c));

	c->call.job.run = again_run;
	c->call.job.done = again_done;
	c->fact.delivery = delivery;
	c->fact.at = now;
	call_write(&c->call, STORE_NORMAL);
}

/* --- both --------------------------------------------------------------------------------------------------- */

void download_any(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	const char *range = http_header(r, "Range");
	int64_t now = clock_now();
	struct token token;
	struct download_call *c;
	struct err err;
	bool good = read_token(in, r, TOKEN_DOWNLOAD, "", now, &token, &err) == 0;

	if (!good && strcmp(err.text, "expired") != 0) {
		page_problem(r, ingest_plan(in), 404, "No such link",
			"This link is not known here. It may have been cut off on its way.");
		return;
	}
	if (http_method(r) == HTTP_POST) {
		send_again(in, r, token.id, now);
		return;
	}
	if (!good) {
		offer_again(r, ingest_plan(in));
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->call.job.run = download_run;
	c->call.job.done = download_done;
	c->fact.delivery = token.id;
	c->fact.at = now;
	/* what looks first, and what fetches the rest, is not one more download */
	c->fact.count = http_method(r) == HTTP_GET && (!range || strncmp(range, "bytes=0-", 8) == 0);
	if (!c->fact.count || store_submit(in->store, &c->call.job, STORE_NORMAL) < 0)
		look_only(c);
}
