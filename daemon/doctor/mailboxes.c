/*
 * mailboxes.c: can each mailbox be read: login and folder of IMAP (RFC 3501), login and names of mails of POP3 (RFC 1939), a token where one is
 * used; a Maildir's folders; somebody who listens for LMTP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bearer.h"
#include "base/folder.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#include "peer.h"

static void look_maildir(struct doctor *d, const struct mailbox_config *box)
{
	static const char *const folders[] = { "new", "cur" };
	struct findings *f = &d->findings;
	const char *path = box->url + strlen("maildir:");
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *folder = xasprintf("%s/%s", path, folders[i]);
		int rc = access(folder, R_OK | W_OK | X_OK);

		if (rc < 0) {
			findings_add(f, DOCTOR_ERROR, "mailbox", box->name, "%s: %s", folder, strerror(errno));
			findings_next(f, errno == ENOENT ? "let the mail server deliver there, or mend the path" : "let the account of nurtured read and write there");
		}
		free(folder);
		if (rc < 0)
			return;
	}
	findings_add(f, DOCTOR_OK, "mailbox", box->name, "%s can be read", path);
}

/* The folder of the URL as a quoted string; free() it. */
static char *examine(const char *url)
{
	const char *rest = strstr(url, "://") + 3, *slash = strchr(rest, '/'), *p;
	struct buf text = BUF_INIT, name = BUF_INIT, command = BUF_INIT;
	struct err err;

	if (!slash || text_percent_decode(slash + 1, strlen(slash + 1), false, &text) < 0)
		buf_reset(&text);
	if (folder_name(&name, text.len ? buf_cstr(&text) : "INBOX", &err) < 0)
		buf_str(&name, buf_cstr(&text));
	buf_str(&command, "EXAMINE \"");
	for (p = buf_cstr(&name); *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_char(&command, '\\');
		buf_char(&command, *p);
	}
	buf_char(&command, '"');
	buf_clear(&text);
	buf_clear(&name);
	return buf_take(&command);
}

/* What the server lacks, and what that means for what the config wants. */
static void judge_abilities(struct doctor *d, const struct peer *p, const struct mailbox_config *box)
{
	struct findings *f = &d->findings;
	bool idle = peer_says(p, "IDLE"), move = peer_says(p, "MOVE"), uidplus = peer_says(p, "UIDPLUS");

	if (!idle)
		findings_add(f, DOCTOR_NOTE, "mailbox.idle", box->name, "%s has no IDLE: mail is noticed when it is polled", p->place.host);
	if (box->after == MAILBOX_MOVE && !move && uidplus)
		findings_add(f, DOCTOR_NOTE, "mailbox.after", box->name, "%s has no MOVE: mails are copied and deleted instead", p->place.host);
	if ((box->after == MAILBOX_DELETE || (box->after == MAILBOX_MOVE && !move)) && !uidplus) {
		findings_add(f, DOCTOR_WARNING, "mailbox.after", box->name, "%s has no UIDPLUS: mails are marked as deleted, and stay until somebody expunges the folder", p->place.host);
		findings_next(f, "expunge the folder now and then, from a mail program, or choose `after: seen`");
	}
}

static void look_folder(struct doctor *d, struct peer *p, const struct mailbox_config *box)
{
	struct findings *f = &d->findings;
	char *command = examine(box->url), left[64] = "";
	int days = box->tls == TLS_NONE ? -1 : peer_certificate(p);
	CURLcode code;

	judge_abilities(d, p, box);
	curl_easy_setopt(p->easy, CURLOPT_CUSTOMREQUEST, command);
	code = curl_easy_perform(p->easy);
	if (days >= 0)
		snprintf(left, sizeof(left), ", certificate for %d more days", days);
	if (code == CURLE_OK) {
		findings_add(f, DOCTOR_OK, "mailbox", box->name, "%s port %d: login taken, the folder is there%s", p->place.host, p->place.port, left);
	} else if (code == CURLE_QUOTE_ERROR) {
		findings_add(f, DOCTOR_ERROR, "mailbox", box->name, "%s has no such folder: %s", p->place.host, command + strlen("EXAMINE "));
		findings_next(f, "mend the folder at the end of `url`; upper and lower case count, but in INBOX");
	} else {
		peer_failed(p, code);
	}
	free(command);
}

/* --- who we are ---------------------------------------------------------------------------------------- */

struct asking {
	struct loop *loop;
	char *token;
	struct err err;
};

static void asked(void *ctx, const char *token, const char *why)
{
	struct asking *a = ctx;

	if (token)
		a->token = xstrdup(token);
	else
		err_set(&a->err, "%s", why);
	loop_stop(a->loop);
}

/* NULL, with a finding. */
static char *fetch_token(struct doctor *d, const struct mailbox_config *box)
{
	struct findings *f = &d->findings;
	struct asking a = { .loop = loop_new() };
	struct bearer *bearer = bearer_fetch(a.loop, box->token_file, box->token_command, asked, &a);
	int rc = loop_run(a.loop);

	bearer_free(&bearer);
	loop_free(&a.loop);
	if (!a.token) {
		findings_add(f, DOCTOR_ERROR, "mailbox", box->name, "there is no token to log in with: %s", rc < 0 ? "it cannot be waited for" : a.err.text);
		findings_next(f, box->token_file ? "is the program that writes token_file at work, and may this account read the file?" :
			"run the command by hand, by the account of nurtured: it prints a token and nothing else");
	}
	return a.token;
}

/* -1: there is nothing to log in with, and a finding says so. */
static int prepare_login(struct doctor *d, struct peer *p, const struct mailbox_config *box)
{
	bool by_token = box->token_file || box->token_command;
	char *token = by_token ? fetch_token(d, box) : NULL;

	if (by_token && !token)
		return -1;
	curl_easy_setopt(p->easy, CURLOPT_USE_SSL, (long)(box->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(p->easy, CURLOPT_USERNAME, box->user);
	if (token) {
		curl_easy_setopt(p->easy, CURLOPT_XOAUTH2_BEARER, token);
		curl_easy_setopt(p->easy, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
		explicit_bzero(token, strlen(token));
	} else {
		curl_easy_setopt(p->easy, CURLOPT_PASSWORD, box->password);
	}
	free(token);
	return 0;
}

/* The URL without a folder; free() it. */
static char *server_url(const struct mailbox_config *box)
{
	const char *rest = strstr(box->url, "://") + 3;

	return xasprintf("%.*s/", (int)(rest - box->url + (long)strcspn(rest, "/")), box->url);
}

static void look_imap(struct doctor *d, const struct mailbox_config *box)
{
	char *url = server_url(box);
	struct peer p;
	CURLcode code;

	if (peer_init(&p, d, "mailbox", box->name, url, box->ca_file) == 0 && prepare_login(d, &p, box) == 0) {
		curl_easy_setopt(p.easy, CURLOPT_PROTOCOLS_STR, "imap,imaps");
		curl_easy_setopt(p.easy, CURLOPT_CUSTOMREQUEST, "CAPABILITY");
		code = curl_easy_perform(p.easy);
		if (code == CURLE_OK)
			look_folder(d, &p, box);
		else
			peer_failed(&p, code);
	}
	peer_clear(&p);
	free(url);
}

static void judge_pop3(struct doctor *d, struct peer *p, const struct mailbox_config *box, CURLcode code)
{
	struct findings *f = &d->findings;
	int days = box->tls == TLS_NONE ? -1 : peer_certificate(p);
	char left[64] = "";

	if (days >= 0)
		snprintf(left, sizeof(left), ", certificate for %d more days", days);
	if (code == CURLE_OK) {
		findings_add(f, DOCTOR_OK, "mailbox", box->name, "%s port %d: login taken, mails have names (UIDL)%s", p->place.host, p->place.port, left);
	} else if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_RECV_ERROR) {
		findings_add(f, DOCTOR_ERROR, "mailbox", box->name, "%s takes the login and has no UIDL: which mails were read already cannot be told", p->place.host);
		findings_next(f, "read that mailbox by IMAP");
	} else {
		peer_failed(p, code);
	}
}

static void look_pop3(struct doctor *d, const struct mailbox_config *box)
{
	char *url = server_url(box);
	struct peer p;

	if (peer_init(&p, d, "mailbox", box->name, url, box->ca_file) == 0 && prepare_login(d, &p, box) == 0) {
		curl_easy_setopt(p.easy, CURLOPT_PROTOCOLS_STR, "pop3,pop3s");
		curl_easy_setopt(p.easy, CURLOPT_CUSTOMREQUEST, "UIDL");
		judge_pop3(d, &p, box, curl_easy_perform(p.easy));
	}
	peer_clear(&p);
	free(url);
}

/* Where the daemon listens while it runs: a mail server delivers there. */
static int connect_lmtp(const struct mailbox_config *box)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_storage at = { 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&at;
	socklen_t size = sizeof(un);
	int fd, rc = -1;

	if (!box->port) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", box->host);
		memcpy(&at, &un, sizeof(un));
	} else if (inet_pton(AF_INET, box->host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)box->port);
		size = sizeof(*four);
	} else if (inet_pton(AF_INET6, box->host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)box->port);
		size = sizeof(*six);
	}
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		rc = connect(fd, (const struct sockaddr *)&at, size);
		close(fd);
	}
	return rc;
}

static void look_lmtp(struct doctor *d, const struct mailbox_config *box)
{
	struct findings *f = &d->findings;

	if (connect_lmtp(box) == 0) {
		findings_add(f, DOCTOR_OK, "mailbox", box->name, "%s takes mail", box->url);
		return;
	}
	findings_add(f, DOCTOR_WARNING, "mailbox", box->name, "nobody takes mail at %s: %s", box->url, strerror(errno));
	findings_next(f, "does the daemon run? it listens there");
}

void mailboxes_look(struct doctor *d)
{
	struct findings *f = &d->findings;
	size_t i;

	for (i = 0; i < d->operator->mailbox_count; i++) {
		const struct mailbox_config *box = &d->operator->mailboxes[i];

		switch (box->kind) {
		case MAILBOX_IMAP:
			look_imap(d, box);
			break;
		case MAILBOX_POP3:
			look_pop3(d, box);
			break;
		case MAILBOX_MAILDIR:
			look_maildir(d, box);
			break;
		case MAILBOX_LMTP:
			look_lmtp(d, box);
			break;
		}
	}
	if (d->operator->mailbox_count == 0) {
		findings_add(f, d->operator->esp_count ? DOCTOR_NOTE : DOCTOR_WARNING, "mailbox", "config", "no mailbox is read: replies do not stop a sequence%s",
			d->operator->esp_count ? "" : ", and bounces are not seen");
		findings_next(f, "name one under `mailboxes`");
	}
}
