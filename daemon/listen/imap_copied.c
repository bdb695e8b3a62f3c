/*
 * imap_copied.c: on servers without MOVE a mail is copied, then deleted; a crash or a lost connection in between leaves it in both folders. Before such
 * a mail is copied again, the folder is searched for it: the same Message-ID and the same size are the same mail. One without a Message-ID is copied
 * once more.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#include "imap_session.h"

#define ID_MOST 900	/* as a line may be, RFC 5322 2.1.1 */

struct suspect {
	uint32_t uid;
	uint32_t size;
	char *id;	/* NULL: it has none that can be searched for */
	bool copied;
};

/* --- who they are --------------------------------------------------------------------------------------------- */

/* "Message-ID: <...>", folded perhaps; NULL: none, or none that can stand between quotes. */
static char *id_of(const char *field, size_t n)
{
	const char *colon = memchr(field, ':', n), *end = field + n, *p;
	struct buf id = BUF_INIT;

	for (p = colon ? colon + 1 : end; p < end; p++) {
		if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
			continue;
		if (*p <= ' ' || *p >= 127 || *p == '"' || *p == '\\') {
			buf_clear(&id);
			return NULL;
		}
		buf_char(&id, *p);
	}
	if (id.len > 2 && id.len < ID_MOST)
		return buf_take(&id);
	buf_clear(&id);
	return NULL;
}

static void take_suspect(const struct mailimap_msg_att *att, struct suspect *list, size_t count)
{
	struct suspect got = { 0 };
	size_t i;

	for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
		const struct mailimap_msg_att_static *item = imap_static_item(k);

		if (item && item->att_type == MAILIMAP_MSG_ATT_UID)
			got.uid = item->att_data.att_uid;
		else if (item && item->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
			got.size = item->att_data.att_rfc822_size;
		else if (item && item->att_type == MAILIMAP_MSG_ATT_BODY_SECTION && item->att_data.att_body_section->sec_body_part && !got.id)
			got.id = id_of(item->att_data.att_body_section->sec_body_part, item->att_data.att_body_section->sec_length);
	}
	for (i = 0; i < count && list[i].uid != got.uid; i++)
		;
	if (i < count && !list[i].id) {
		list[i].size = got.size;
		list[i].id = got.id;
	} else {
		free(got.id);
	}
}

static int ask_who(struct imap_source *s, struct mailimap_set *set, struct suspect *list, size_t count)
{
	struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();
	clist *fields = clist_new(), *answer = NULL;
	int rc;

	clist_append(fields, xstrdup("Message-ID"));
	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_uid());
	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_rfc822_size());
	mailimap_fetch_type_new_fetch_att_list_add(
		what, mailimap_fetch_att_new_body_peek_section(mailimap_section_new_header_fields(mailimap_header_list_new(fields))));
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_uid_fetch(s->session, set, what, &answer);
	mailimap_fetch_type_free(what);
	if (rc != MAILIMAP_NO_ERROR)
		return rc;
	for (clistiter *it = clist_begin(answer); it; it = clist_next(it))
		take_suspect(clist_content(it), list, count);
	mailimap_fetch_list_free(answer);
	return rc;
}

/* --- whether they are there ------------------------------------------------------------------------------------- */

/* The folder is selected. */
static int compare_sizes(struct imap_source *s, clist *found, struct suspect *mail)
{
	struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();
	struct mailimap_set *set = mailimap_set_new_empty();
	clist *answer = NULL;
	int rc;

	for (clistiter *it = clist_begin(found); it; it = clist_next(it))
		mailimap_set_add_single(set, *(const uint32_t *)clist_content(it));
	mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_rfc822_size());
	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_uid_fetch(s->session, set, what, &answer);
	mailimap_set_free(set);
	mailimap_fetch_type_free(what);
	for (clistiter *it = rc == MAILIMAP_NO_ERROR ? clist_begin(answer) : NULL; it; it = clist_next(it)) {
		const struct mailimap_msg_att *att = clist_content(it);

		for (clistiter *k = clist_begin(att->att_list); k; k = clist_next(k)) {
			const struct mailimap_msg_att_static *item = imap_static_item(k);

			if (item && item->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE && item->att_data.att_rfc822_size == mail->size)
				mail->copied = true;
		}
	}
	if (rc == MAILIMAP_NO_ERROR)
		mailimap_fetch_list_free(answer);
	return rc;
}

static int look_for(struct imap_source *s, struct suspect *mail)
{
	struct mailimap_search_key *key = mailimap_search_key_new_header(xstrdup("Message-ID"), xstrdup(mail->id));
	clist *found = NULL;
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_uid_search(s->session, NULL, key, &found);
	mailimap_search_key_free(key);
	if (rc != MAILIMAP_NO_ERROR)
		return rc;
	if (clist_begin(found))
		rc = compare_sizes(s, found, mail);
	mailimap_search_result_free(found);
	return rc;
}

/* A folder that is not there has none of them. */
static int look_there(struct imap_source *s, struct suspect *list, size_t count)
{
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_examine(s->session, s->config.move_to);
	if (rc != MAILIMAP_NO_ERROR)
		return rc == MAILIMAP_ERROR_EXAMINE ? MAILIMAP_NO_ERROR : rc;
	for (size_t i = 0; i < count && rc == MAILIMAP_NO_ERROR; i++)
		if (list[i].id)
			rc = look_for(s, &list[i]);
	return rc;
}

static int come_back(struct imap_source *s)
{
	int rc;

	imap_allow(s, IMAP_ANSWER, IMAP_PATIENCE);
	rc = mailimap_select(s->session, s->config.mailbox);
	if (rc != MAILIMAP_NO_ERROR)
		return rc == MAILIMAP_ERROR_STREAM ? rc : MAILIMAP_ERROR_FATAL;
	return s->session->imap_selection_info && s->session->imap_selection_info->sel_uidvalidity == s->uidvalidity ? rc : MAILIMAP_ERROR_FATAL;
}

static bool goes_on(int rc)
{
	return rc != MAILIMAP_ERROR_STREAM && rc != MAILIMAP_ERROR_PARSE && rc != MAILIMAP_ERROR_FATAL && rc != MAILIMAP_ERROR_MEMORY;
}

int imap_uncopied(struct imap_source *s, struct mailimap_set *set, const uint32_t *uids, size_t count, struct mailimap_set *left)
{
	struct suspect *list = xcalloc(count, sizeof(*list));
	int rc, back;

	for (size_t i = 0; i < count; i++)
		list[i].uid = uids[i];
	rc = ask_who(s, set, list, count);
	if (rc == MAILIMAP_NO_ERROR) {
		rc = look_there(s, list, count);
		back = goes_on(rc) ? come_back(s) : MAILIMAP_NO_ERROR;
		rc = back == MAILIMAP_NO_ERROR ? rc : back;
	}
	for (size_t i = 0; i < count; i++) {
		if (!list[i].copied)
			mailimap_set_add_single(left, list[i].uid);
		free(list[i].id);
	}
	free(list);
	return rc;
}
