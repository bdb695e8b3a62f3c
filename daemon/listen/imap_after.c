/*
 * imap_after.c: what becomes of mails that were taken. Each is owed until the server has done it, so that a refusal, a lost connection or a crash
 * leaves nothing half done: asked a second time for a mail that is gone already, a server does nothing.
 *
 * Where a server has no MOVE (RFC 6851), a mail is copied, marked as deleted and expunged by its UID (RFC 4315). Where it has no UIDPLUS either, it
 * stays marked: a bare EXPUNGE takes away what a person has marked, too, and to look first leaves a moment in which they may mark one.
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

void imap_owe_again(struct imap_source *s, uint32_t uidvalidity, uint32_t uid)
{
	imap_owe(s, uidvalidity, uid);
	s->owed_doubt = s->owed_count;
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
	s->owed_doubt -= s->owed_doubt < n ? s->owed_doubt : n;
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

static bool is_lost(int rc)
{
	return rc == MAILIMAP_ERROR_STREAM || rc == MAILIMAP_ERROR_PARSE || rc == MAILIMAP_ERROR_FATAL;
}

static int delete_mails(struct imap_source *s, struct mailimap_set *set, const char **what)
{
	int rc;

	*what = "marking a mail as deleted";
	rc = add_flag(s, set, mailimap_flag_new_deleted());
	if (rc != MAILIMAP_NO_ERROR || !s->can_expunge)
		return rc;
	*what = "UID EXPUNGE";
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	return mailimap_uid_expunge(s->session, set);
}

/* A folder that is not there yet is made, once. */
static int bring(struct imap_source *s, struct mailimap_set *set, int (*how)(mailimap *, struct mailimap_set *, const char *))
{
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = how(s->session, set, s->config.move_to);
	if (rc == MAILIMAP_NO_ERROR || is_lost(rc) || s->folder_made)
		return rc;
	s->folder_made = true;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_create(s->session, s->config.move_to);
	if (is_lost(rc))
		return rc;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	return how(s->session, set, s->config.move_to);		/* if there is none still, for its own words */
}

static int copy_mails(struct imap_source *s, struct mailimap_set *set, size_t n, const char **what)
{
	bool doubt = s->owed_doubt > 0;
	struct mailimap_set *left = doubt ? mailimap_set_new_empty() : set;
	int rc = MAILIMAP_NO_ERROR;

	if (doubt) {
		*what = "looking for a copy";
		rc = imap_uncopied(s, set, s->owed, n, left);
		if (rc == MAILIMAP_ERROR_PARSE)		/* rather twice than for ever */
			s->owed_doubt = 0;
	}
	if (!is_lost(rc)) {
		*what = "COPY";
		rc = clist_begin(left->set_list) ? bring(s, left, mailimap_uid_copy) : MAILIMAP_NO_ERROR;
		if ((rc == MAILIMAP_NO_ERROR || is_lost(rc)) && s->owed_doubt < n)
			s->owed_doubt = n;
	}
	if (doubt)
		mailimap_set_free(left);
	return rc;
}

static int move_mails(struct imap_source *s, struct mailimap_set *set, size_t n, const char **what)
{
	int rc;

	*what = "MOVE";
	if (s->can_move)
		return bring(s, set, mailimap_uid_move);
	rc = copy_mails(s, set, n, what);
	return rc == MAILIMAP_NO_ERROR ? delete_mails(s, set, what) : rc;
}

/* The first n that are owed. */
static int do_it(struct imap_source *s, size_t n, const char **what)
{
	struct mailimap_set *set = mailimap_set_new_empty();
	int rc = MAILIMAP_NO_ERROR;

	for (size_t i = 0; i < n; i++)
		mailimap_set_add_single(set, s->owed[i]);
	switch (s->config.after) {
	case AFTER_KEEP:
		break;		/* nothing is owed */
	case AFTER_SEEN:
		*what = "marking a mail as seen";
		rc = add_flag(s, set, mailimap_flag_new_seen());
		break;
	case AFTER_MOVE:
		rc = move_mails(s, set, n, what);
		break;
	case AFTER_DELETE:
		rc = delete_mails(s, set, what);
		break;
	}
	mailimap_set_free(set);
	return rc;
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
		const char *what = "";
		int rc;

		if (s->owed_doubt && n > s->owed_doubt)
			n = s->owed_doubt;
		rc = do_it(s, n, &what);
		if (rc == MAILIMAP_NO_ERROR) {
			drop_first(s, n);
			s->settle_at = 0;
		} else if (is_lost(rc)) {
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
