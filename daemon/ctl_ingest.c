/*
 * ctl_ingest.c: `nurturectl ingest`: one mail from standard input to the daemon, as a mail server's pipe. The status is one of those that mail
 * servers know (sysexits(3)): 0 when it is on disk, 75 to try again, 65 never to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/text.h"

#include "ctl.h"

#define TAKE_MOST (25 * 1024 * 1024)

/* 0, or the exit status. */
static int read_mail(struct buf *mail, int64_t *size_out)
{
	char part[65536];
	ssize_t n;

	*size_out = 0;
	while ((n = read(STDIN_FILENO, part, sizeof(part))) != 0) {
		size_t room = TAKE_MOST - mail->len;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ctl_complain("standard input cannot be read");
			return EXIT_TRY_AGAIN;
		}
		buf_add(mail, part, (size_t)n < room ? (size_t)n : room);
		*size_out += n;
	}
	if (*size_out == 0)
		ctl_complain("there is no mail on standard input");
	else if (*size_out > TAKE_MOST)
		ctl_complain("the mail has more than 25 MB");
	return *size_out == 0 || *size_out > TAKE_MOST ? EXIT_BAD_DATA : 0;
}

static void add_member(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(path, "&%s=", name);
	text_percent(path, value, strlen(value));
}

static int give(const struct command *c, const struct buf *mail, int64_t size)
{
	struct buf path = BUF_INIT, answer = BUF_INIT;
	struct err err;
	json_t *json;
	int status;

	buf_printf(&path, "/mail?size=%lld", (long long)size);
	add_member(&path, "sender", c->sender);
	add_member(&path, "recipient", c->recipient);
	status = ctl_post(c->socket, buf_cstr(&path), "message/rfc822", mail->data, mail->len, &answer, &err);
	if (status < 0) {
		ctl_complain(err.text);
	} else if (status != 200) {
		json = json_loadb(buf_cstr(&answer), answer.len, 0, NULL);
		ctl_problem(json, status);
		json_decref(json);
	}
	buf_clear(&path);
	buf_clear(&answer);
	if (status == 200)
		return EXIT_DONE;
	return status >= 400 && status < 500 ? EXIT_BAD_DATA : EXIT_TRY_AGAIN;
}

int ctl_ingest(const struct command *c)
{
	struct buf mail = BUF_INIT;
	int64_t size;
	int status = read_mail(&mail, &size);

	if (!status)
		status = give(c, &mail, size);
	buf_clear(&mail);
	return status;
}
