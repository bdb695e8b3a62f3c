/*
 * imap_after.c: what becomes of mails that were taken. Each is owed until the server has done it, so that a refusal, a lost connection or a crash
 * leaves nothing half done: asked a second time for a mail that is gone already, a server does nothing.
 *
 * Where a server has no MOVE (RFC 6851), a mail is copied, marked as deleted and expunged by its UID (RFC 4315). Where it has no UIDPLUS either, it
 * stays marked: a bare EXPUNGE would take away what a person has marked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "imap_session.h"

#define AT_ONCE 100			/* mails of one command */
#define AGAIN_AFTER (10 * US_MINUTE)

void imap_owe(struct imap_source *s, uint32_t uidvalidity, uint32_t uid)
{
	s->owed = xgrow(s->owed, &s->owed_cap, s->owed_count + 1, sizeof(*s->owed));
	s->owed[s->owed_count++] = uid;
	s->owed_validity = uidvalidity;
}

static void tell_gone(struct imap_source *s, uint32_t uidvalidity, uint32_t uid)
{
	char key[32];

	snprintf(key, sizeof(key), "%u:%u", uidvalidity, uid);
	s->config.calls->gone(s->config.calls->ctx, key);
}

static void drop_first(struct imap_source *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tell_gone(s, s->owed_validity, s->owed[i]);
	s->owed_count -= n;
	memmove(s->owed, s->owed + n, s->owed_count * sizeof(*s->owed));
}

void imap_forget_others(struct imap_source *s)
{
	if (s->owed_count && s->owed_validity != s->uidvalidity)
		drop_first(s, s->owed_count);
}

static int add_flag(struct imap_source *s, struct mailimap_set *set, struct mailimap_flag *flag)
{
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	struct mailimap_store_att_flags *store;
	int rc;

	mailimap_flag_list_add(flags, flag);
	store = mailimap_store_att_flags_new_add_flags_silent(flags);
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_uid_store(s->session, set, store);
	mailimap_store_att_flags_free(store);
	return rc;
}

static int delete_mails(struct imap_source *s, struct mailimap_set *set, const char **what)
{
	int rc = add_flag(s, set, mailimap_flag_new_deleted());

	*what = "marking a mail as deleted";
	if (rc != MAILIMAP_NO_ERROR || !s->can_expunge)
		return rc;
	*what = "UID EXPUNGE";
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	return mailimap_uid_expunge(s->session, set);
}

static int move_mails(struct imap_source *s, struct mailimap_set *set, const char **what)
{
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	if (s->can_move) {
		*what = "MOVE";
		return mailimap_uid_move(s->session, set, s->config.move_to);
	}
	*what = "COPY";
	rc = mailimap_uid_copy(s->session, set, s->config.move_to);
	return rc == MAILIMAP_NO_ERROR ? delete_mails(s, set, what) : rc;
}

/* A folder that is not there yet is made, once. */
static int move_or_make(struct imap_source *s, struct mailimap_set *set, const char **what)
{
	int rc = move_mails(s, set, what);

	if (rc == MAILIMAP_NO_ERROR || rc == MAILIMAP_ERROR_STREAM || s->folder_made)
		return rc;
	s->folder_made = true;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	if (mailimap_create(s->session, s->config.move_to) != MAILIMAP_NO_ERROR)
		return move_mails(s, set, what);	/* for its own words */
	return move_mails(s, set, what);
}

static int do_it(struct imap_source *s, struct mailimap_set *set, const char **what)
{
	switch (s->config.after) {
	case AFTER_KEEP:
		break;		/* nothing is owed */
	case AFTER_SEEN:
		*what = "marking a mail as seen";
		return add_flag(s, set, mailimap_flag_new_seen());
	case AFTER_MOVE:
		return move_or_make(s, set, what);
	case AFTER_DELETE:
		return delete_mails(s, set, what);
	}
	return MAILIMAP_NO_ERROR;
}

static void refused(struct imap_source *s, const char *what, int rc)
{
	struct err err;

	imap_failed(s, what, rc, &err);
	s->settle_at = clock_steady() + AGAIN_AFTER;
	s->config.calls->note(s->config.calls->ctx, err.text);
}

int imap_settle(struct imap_source *s, struct err *err)
{
	while (s->session && s->owed_count && clock_steady() >= s->settle_at) {
		size_t n = s->owed_count < AT_ONCE ? s->owed_count : AT_ONCE;
		struct mailimap_set *set = mailimap_set_new_empty();
		const char *what = "";
		int rc;

		for (size_t i = 0; i < n; i++)
			mailimap_set_add_single(set, s->owed[i]);
		rc = do_it(s, set, &what);
		mailimap_set_free(set);
		if (rc == MAILIMAP_NO_ERROR) {
			drop_first(s, n);
			s->settle_at = 0;
		} else if (rc == MAILIMAP_ERROR_STREAM || rc == MAILIMAP_ERROR_PARSE || rc == MAILIMAP_ERROR_FATAL) {
			imap_failed(s, what, rc, err);
			imap_disconnect(s);
			return -1;
		} else {
			refused(s, what, rc);
		}
	}
	return 0;
}

int imap_mark(struct imap_source *s, uint32_t uid, struct err *err)
{
	struct mailimap_set *set = mailimap_set_new_single(uid);
	int rc = add_flag(s, set, mailimap_flag_new_flag_keyword(xstrdup("$Nurtured")));

	mailimap_set_free(set);
	if (rc != MAILIMAP_ERROR_STREAM && rc != MAILIMAP_ERROR_FATAL)
		return 0;
	imap_failed(s, "marking a mail", rc, err);
	imap_disconnect(s);
	return -1;
}
