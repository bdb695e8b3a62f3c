/*
 * imap_source.c: libetpan's IMAP over tls_stream.h. Only UID, RFC822.SIZE, INTERNALDATE and BODY.PEEK[] are
 * asked for: its parsers of envelopes and structures fail on what odd servers say.
 */
#include <libetpan/libetpan.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "imap_source.h"

#define SINCE_DAYS 30
#define MAX_TRIES 3

struct imap_source {
	struct imap_config config;
	mailimap *session;	/* NULL: not connected */
	uint32_t uidvalidity;
	uint32_t last_uid;	/* given out last */
	uint32_t *uids;		/* above it, in order */
	size_t count, cap, next;
	uint32_t tried_uid;	/* that failed, and how often */
	int tries;
};

struct imap_source *imap_new(const struct imap_config *config)
{
	struct imap_source *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	return s;
}

static void disconnect(struct imap_source *s)
{
	if (s->session)
		mailimap_free(s->session);	/* closes the stream too */
	s->session = NULL;
	s->count = s->next = 0;
}

void imap_free(struct imap_source **source)
{
	if (!*source)
		return;
	disconnect(*source);
	free((*source)->uids);
	free(*source);
	*source = NULL;
}

uint32_t imap_uidvalidity(const struct imap_source *source)
{
	return source->uidvalidity;
}

/* --- connecting ----------------------------------------------------------------------------------------- */

static int imap_failed(struct imap_source *s, const char *what, int rc, struct err *err)
{
	const char *said = s->session && s->session->imap_response ? s->session->imap_response : "";

	return err_set(err, "%s: %s failed (%s%s)", s->config.stream.host, what,
		rc == MAILIMAP_ERROR_STREAM ? "connection lost" : "server said: ",
		rc == MAILIMAP_ERROR_STREAM ? "" : said);
}

static int upgrade(struct imap_source *s, struct err *err)
{
	int rc = mailimap_starttls(s->session);

	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "STARTTLS", rc, err);
	if (s->session->imap_stream->read_buffer_len > 0)	/* somebody in the middle spoke ahead */
		return err_set(err, "%s: bytes in the clear after STARTTLS", s->config.stream.host);
	return tls_stream_upgrade(mailstream_get_low(s->session->imap_stream), err);
}

static int greet(struct imap_source *s, struct err *err)
{
	mailstream_low *low;
	mailstream *stream;
	int rc;

	if (tls_stream_open(&s->config.stream, &low, err) < 0)
		return -1;
	stream = mailstream_new(low, 8192);
	s->session = mailimap_new(0, NULL);
	if (!stream || !s->session)
		return err_set(err, "out of memory");
	rc = mailimap_connect(s->session, stream);
	if (rc != MAILIMAP_NO_ERROR_NON_AUTHENTICATED && rc != MAILIMAP_NO_ERROR_AUTHENTICATED)
		return imap_failed(s, "greeting", rc, err);
	return s->config.starttls ? upgrade(s, err) : 0;
}

static int open_mailbox(struct imap_source *s, enum imap_trouble *trouble, struct err *err)
{
	int rc;

	if (greet(s, err) < 0)
		return -1;
	rc = mailimap_login(s->session, s->config.user, s->config.password);
	if (rc != MAILIMAP_NO_ERROR) {
		if (rc != MAILIMAP_ERROR_STREAM)
			*trouble = IMAP_LOGIN;
		return imap_failed(s, "login", rc, err);
	}
	rc = mailimap_select(s->session, s->config.mailbox);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "SELECT", rc, err);
	if (!s->session->imap_selection_info || !s->session->imap_selection_info->sel_uidvalidity)
		return err_set(err, "%s: no UIDVALIDITY", s->config.stream.host);
	if (s->uidvalidity != s->session->imap_selection_info->sel_uidvalidity) {
		s->uidvalidity = s->session->imap_selection_info->sel_uidvalidity;
		s->last_uid = s->uidvalidity == s->config.uidvalidity ? s->config.last_uid : 0;
	}
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

static const struct mailimap_msg_att_static *static_item(const clistiter *it)
{
	const struct mailimap_msg_att_item *item = it->data;

	return item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC ? item->att_data.att_static : NULL;
}

static void take_uids(struct imap_source *s, clist *answer)
{
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it)) {
		const struct mailimap_msg_att *att = clist_content(it);

		for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
			const struct mailimap_msg_att_static *item = static_item(k);

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

static int list_since(struct imap_source *s, struct err *err)
{
	time_t since = (time_t)(clock_now() / US_SECOND) - SINCE_DAYS * 86400;
	struct mailimap_search_key *key;
	clist *answer = NULL;
	struct tm tm;
	int rc;

	gmtime_r(&since, &tm);
	key = mailimap_search_key_new_since(mailimap_date_new(tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900));
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

int imap_refresh(struct imap_source *s, enum imap_trouble *trouble, struct err *err)
{
	int rc = 0;

	*trouble = IMAP_NETWORK;
	s->count = s->next = 0;
	if (!s->session)
		rc = open_mailbox(s, trouble, err);
	else if ((rc = mailimap_noop(s->session)) != MAILIMAP_NO_ERROR)
		rc = imap_failed(s, "NOOP", rc, err);
	if (rc == 0 && s->last_uid < UINT32_MAX)
		rc = s->last_uid ? list_above(s, err) : list_since(s, err);
	if (rc < 0) {
		disconnect(s);
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

static void take_mail(clist *answer, struct incoming *out)
{
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it)) {
		const struct mailimap_msg_att *att = clist_content(it);

		for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
			const struct mailimap_msg_att_static *item = static_item(k);

			if (!item)
				continue;
			if (item->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
				out->size = item->att_data.att_rfc822_size;
			else if (item->att_type == MAILIMAP_MSG_ATT_INTERNALDATE &&
				 item->att_data.att_internal_date)
				out->received = internal_date(item->att_data.att_internal_date);
			else if (item->att_type == MAILIMAP_MSG_ATT_BODY_SECTION &&
				 item->att_data.att_body_section &&
				 item->att_data.att_body_section->sec_body_part && out->raw.len == 0)
				buf_add(&out->raw, item->att_data.att_body_section->sec_body_part,
					item->att_data.att_body_section->sec_length);
		}
	}
}

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
	rc = mailimap_uid_fetch(s->session, set, what, &answer);
	mailimap_set_free(set);
	mailimap_fetch_type_free(what);
	if (rc != MAILIMAP_NO_ERROR)
		return imap_failed(s, "UID FETCH BODY", rc, err);
	take_mail(answer, out);
	mailimap_fetch_list_free(answer);
	return 0;
}

/* The same mail again and again: after three times it is somebody else's to look at. */
static bool give_up(struct imap_source *s, uint32_t uid)
{
	if (s->tried_uid != uid)
		s->tries = 0;
	s->tried_uid = uid;
	return ++s->tries >= MAX_TRIES;
}

int imap_next(struct imap_source *s, struct incoming *out, struct err *err)
{
	uint32_t uid = s->uids[s->next];
	bool failed;

	memset(out, 0, sizeof(*out));
	failed = fetch(s, uid, out, err) < 0;
	if (failed && !give_up(s, uid)) {
		incoming_clear(out);
		disconnect(s);
		return -1;
	}
	s->next++;
	if (!failed && !out->raw.len)
		return 0;	/* expunged meanwhile */
	s->last_uid = out->uid = uid;
	out->uidvalidity = s->uidvalidity;
	out->key = xasprintf("%u:%u", s->uidvalidity, uid);
	if (!out->received)
		out->received = clock_now();
	if (failed)
		disconnect(s);
	return 1;
}

void imap_done(struct imap_source *s, const char *key)
{
	const char *colon = strchr(key, ':');
	struct mailimap_flag_list *flags;
	struct mailimap_store_att_flags *store;
	struct mailimap_set *set;

	if (!s->session || !colon || strtoul(key, NULL, 10) != s->uidvalidity)
		return;
	flags = mailimap_flag_list_new_empty();
	mailimap_flag_list_add(flags, mailimap_flag_new_flag_keyword(xstrdup("$Nurtured")));
	store = mailimap_store_att_flags_new_add_flags_silent(flags);
	set = mailimap_set_new_single((uint32_t)strtoul(colon + 1, NULL, 10));
	if (mailimap_uid_store(s->session, set, store) == MAILIMAP_ERROR_STREAM)
		disconnect(s);
	mailimap_store_att_flags_free(store);
	mailimap_set_free(set);
}
