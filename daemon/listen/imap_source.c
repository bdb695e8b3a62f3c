/*
 * imap_source.c: libetpan's IMAP over tls_stream.h. Only UID, RFC822.SIZE, INTERNALDATE and BODY.PEEK[] are
 * asked for: its parsers of envelopes and structures fail on what odd servers say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#include "imap_session.h"

#define SINCE_DAYS 30
#define TRIES 3		/* of a mail that the server cannot give, or gives in no way that can be read */
#define TRIES_LOST 8	/* where each time the connection was lost: a bad network is not the mail's fault. Minutes, with the back-off */

struct imap_source *imap_new(const struct imap_config *config)
{
	struct imap_source *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	return s;
}

void imap_free(struct imap_source **source)
{
	if (!*source)
		return;
	imap_token(*source, NULL);
	imap_disconnect(*source);
	free((*source)->uids);
	free((*source)->owed);
	free(*source);
	*source = NULL;
}

uint32_t imap_uidvalidity(const struct imap_source *source)
{
	return source->uidvalidity;
}

/* "uidvalidity:uid"; -1: none of ours. */
static int split_key(const char *key, uint32_t *uidvalidity, uint32_t *uid)
{
	return sscanf(key, "%u:%u", uidvalidity, uid) == 2 ? 0 : -1;
}

void imap_known(struct imap_source *s, const char *key, bool leave)
{
	uint32_t uidvalidity, uid;

	if (split_key(key, &uidvalidity, &uid) < 0 || leave || s->config.after == AFTER_KEEP || uidvalidity != s->config.uidvalidity)
		s->config.calls->gone(s->config.calls->ctx, key);
	else
		imap_owe_again(s, uidvalidity, uid);
}

bool imap_wants_token(const struct imap_source *s)
{
	return s->config.by_token && !s->session && !s->token;
}

void imap_token(struct imap_source *s, const char *token)
{
	if (s->token)
		explicit_bzero(s->token, strlen(s->token));
	free(s->token);
	s->token = token ? xstrdup(token) : NULL;
}

static int open_mailbox(struct imap_source *s, enum source_trouble *trouble, struct err *err)
{
	int rc;

	if (imap_log_in(s, trouble, err) < 0)
		return -1;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_select(s->session, s->config.mailbox);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "SELECT", rc, err);
	if (!s->session->imap_selection_info || !s->session->imap_selection_info->sel_uidvalidity)
		return err_set(err, "%s: no UIDVALIDITY", s->config.stream.host);
	if (s->uidvalidity != s->session->imap_selection_info->sel_uidvalidity) {
		s->uidvalidity = s->session->imap_selection_info->sel_uidvalidity;
		s->last_uid = s->uidvalidity == s->config.uidvalidity ? s->config.last_uid : 0;
	}
	imap_forget_others(s);
	return 0;
}

/* --- what is new ---------------------------------------------------------------------------------------- */

static void add_uid(struct imap_source *s, uint32_t uid)
{
	if (uid <= s->last_uid)		/* "n:*" always names the last mail */
		return;
	s->uids = xgrow(s->uids, &s->cap, s->count + 1, sizeof(*s->uids));
	s->uids[s->count++] = uid;
}

const struct mailimap_msg_att_static *imap_static_item(const clistiter *it)
{
	const struct mailimap_msg_att_item *item = it->data;

	return item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC ? item->att_data.att_static : NULL;
}

static void take_uids(struct imap_source *s, clist *answer)
{
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it)) {
		const struct mailimap_msg_att *att = clist_content(it);

		for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
			const struct mailimap_msg_att_static *item = imap_static_item(k);

			if (item && item->att_type == MAILIMAP_MSG_ATT_UID)
				add_uid(s, item->att_data.att_uid);
		}
	}
}

static int list_above(struct imap_source *s, struct err *err)
{
	struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();
	struct mailimap_set *set = mailimap_set_new_interval(s->last_uid + 1, 0);
	clist *answer = NULL;
	int rc;

	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_uid());
	rc = mailimap_uid_fetch(s->session, set, what, &answer);
	mailimap_set_free(set);
	mailimap_fetch_type_free(what);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "UID FETCH", rc, err);
	take_uids(s, answer);
	mailimap_fetch_list_free(answer);
	return 0;
}

static struct mailimap_search_key *undeleted(void)
{
	return mailimap_search_key_new(MAILIMAP_SEARCH_KEY_UNDELETED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,
		NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);
}

/* Without those that are marked as deleted: where a server cannot expunge, mails that were moved stay so, and would be moved once more. */
static int list_since(struct imap_source *s, struct err *err)
{
	time_t since = (time_t)(clock_now() / US_SECOND) - SINCE_DAYS * 86400;
	struct mailimap_search_key *key = mailimap_search_key_new_multiple_empty();
	clist *answer = NULL;
	struct tm tm;
	int rc;

	gmtime_r(&since, &tm);
	mailimap_search_key_multiple_add(key, undeleted());
	mailimap_search_key_multiple_add(key, mailimap_search_key_new_since(mailimap_date_new(tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900)));
	rc = mailimap_uid_search(s->session, NULL, key, &answer);
	mailimap_search_key_free(key);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "UID SEARCH", rc, err);
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it))
		add_uid(s, *(const uint32_t *)clist_content(it));
	mailimap_search_result_free(answer);
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The server tells of new mails only between commands. */
static int ask_for_news(struct imap_source *s, struct err *err)
{
	int rc;

	if (imap_idle_end(s, err) < 0)
		return -1;
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_noop(s->session);
	return rc == MAILIMAP_NO_ERROR ? 0 : imap_failed(s, "NOOP", rc, err);
}

int imap_refresh(struct imap_source *s, enum source_trouble *trouble, struct err *err)
{
	int rc;

	*trouble = TROUBLE_NETWORK;
	s->count = s->next = 0;
	rc = s->session ? ask_for_news(s, err) : open_mailbox(s, trouble, err);
	if (rc == 0)
		rc = imap_settle(s, err);
	if (rc == 0 && s->last_uid < UINT32_MAX) {
		s->news = false;
		s->session->imap_selection_info->sel_exists = 0;	/* what is told from here on is news */
		imap_allow(s, IMAP_LIST, IMAP_PATIENCE_MAIL);
		rc = s->last_uid ? list_above(s, err) : list_since(s, err);
	}
	if (rc < 0) {
		imap_disconnect(s);
		return -1;
	}
	if (s->count)
		qsort(s->uids, s->count, sizeof(*s->uids), by_uid);
	return 0;
}

/* --- one mail ------------------------------------------------------------------------------------------- */

bool imap_peek(const struct imap_source *s, char *key, size_t size)
{
	if (s->next >= s->count)
		return false;
	snprintf(key, size, "%u:%u", s->uidvalidity, s->uids[s->next]);
	return true;
}

static int64_t internal_date(const struct mailimap_date_time *d)
{
	struct tm tm = {.tm_year = d->dt_year - 1900,
		.tm_mon = d->dt_month - 1,
		.tm_mday = d->dt_day,
		.tm_hour = d->dt_hour,
		.tm_min = d->dt_min,
		.tm_sec = d->dt_sec};
	int zone = d->dt_zone / 100 * 60 + d->dt_zone % 100;

	return ((int64_t)timegm(&tm) - zone * 60) * US_SECOND;
}

static void take_item(const struct mailimap_msg_att_static *item, struct incoming *out)
{
	if (item->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
		out->size = item->att_data.att_rfc822_size;
	else if (item->att_type == MAILIMAP_MSG_ATT_INTERNALDATE && item->att_data.att_internal_date)
		out->received = internal_date(item->att_data.att_internal_date);
	else if (item->att_type == MAILIMAP_MSG_ATT_BODY_SECTION && item->att_data.att_body_section &&
		 item->att_data.att_body_section->sec_body_part && out->raw.len == 0)
		buf_add(&out->raw, item->att_data.att_body_section->sec_body_part, item->att_data.att_body_section->sec_length);
}

/* A server may tell of other mails in between. */
static bool is_about(const struct mailimap_msg_att *att, uint32_t uid)
{
	for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
		const struct mailimap_msg_att_static *item = imap_static_item(k);

		if (item && item->att_type == MAILIMAP_MSG_ATT_UID)
			return item->att_data.att_uid == uid;
	}
	return false;
}

static void take_mail(clist *answer, uint32_t uid, struct incoming *out)
{
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it)) {
		const struct mailimap_msg_att *att = clist_content(it);

		for (clistiter *k = is_about(att, uid) ? clist_begin(att->att_list) : NULL; k; k = clist_next(k))
			if (imap_static_item(k))
				take_item(imap_static_item(k), out);
	}
}

/* 0, or what libetpan calls the failure; *err then says it. */
static int fetch(struct imap_source *s, uint32_t uid, struct incoming *out, struct err *err)
{
	struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();
	struct mailimap_set *set = mailimap_set_new_single(uid);
	clist *answer = NULL;
	int rc;

	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_rfc822_size());
	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_internaldate());
	mailimap_fetch_type_new_fetch_att_list_add(
		what, mailimap_fetch_att_new_body_peek_section_partial(
			      mailimap_section_new(NULL), 0, INCOMING_MAX_RAW));
	imap_allow(s, INCOMING_MAX_RAW + IMAP_ANSWER, IMAP_PATIENCE_MAIL);
	rc = mailimap_uid_fetch(s->session, set, what, &answer);
	mailimap_set_free(set);
	mailimap_fetch_type_free(what);
	if (rc != MAILIMAP_NO_ERROR) {
		imap_failed(s, "UID FETCH BODY", rc, err);
		return rc;
	}
	take_mail(answer, uid, out);
	mailimap_fetch_list_free(answer);
	if (out->raw.len > INCOMING_MAX_RAW)
		buf_cut(&out->raw, INCOMING_MAX_RAW);
	return 0;
}

/* The same mail again and again: then it is somebody else's to look at. */
static bool give_up(struct imap_source *s, uint32_t uid, bool lost)
{
	if (s->tried_uid != uid)
		s->tries = 0;
	s->tried_uid = uid;
	return ++s->tries >= (lost ? TRIES_LOST : TRIES);
}

int imap_next(struct imap_source *s, struct incoming *out, struct err *err)
{
	uint32_t uid = s->uids[s->next];
	int failed;

	memset(out, 0, sizeof(*out));
	failed = fetch(s, uid, out, err);
	if (failed) {
		incoming_clear(out);
		imap_disconnect(s);
		if (!give_up(s, uid, failed == MAILIMAP_ERROR_STREAM || failed == MAILIMAP_ERROR_FATAL))
			return -1;
	} else {
		s->next++;
		if (!out->raw.len)
			return 0;	/* expunged meanwhile */
	}
	s->last_uid = out->uid = uid;
	out->uidvalidity = s->uidvalidity;
	out->key = xasprintf("%u:%u", s->uidvalidity, uid);
	if (!out->received)
		out->received = clock_now();
	return 1;
}

int imap_done(struct imap_source *s, const char *key, bool leave, struct err *err)
{
	uint32_t uidvalidity, uid;

	if (leave || split_key(key, &uidvalidity, &uid) < 0)
		return 0;
	if (s->config.after == AFTER_KEEP)
		return s->session && uidvalidity == s->uidvalidity ? imap_mark(s, uid, err) : 0;
	if (uidvalidity != s->uidvalidity) {	/* the server has counted anew meanwhile */
		s->config.calls->gone(s->config.calls->ctx, key);
		return 0;
	}
	imap_owe(s, uidvalidity, uid);
	return imap_settle(s, err);
}
