/*
 * claim_pack.c: see claim_pack.h.
 *
 * A body: a byte for the version of this form, how many claims there are (4 bytes), then each: which of its numbers and texts are not those of the
 * claim before it (4 bytes, a bit each; of the first: not 0 and not empty), then these numbers (8 bytes each) and these texts, each its length
 * (2 bytes), its bytes and a NUL, so that it need not be copied to be read. All numbers are little endian. The mails of a transaction are mostly of one
 * step: what is left of each are its ids and its address.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "claim_pack.h"

#define FORM 1

void claim_pack_texts(struct delivery *mail, const char **out[CLAIM_TEXTS])
{
	const char **all[CLAIM_TEXTS] = { &mail->sequence, &mail->step, &mail->template, &mail->arm, &mail->address, &mail->download, &mail->reply,
		&mail->relay_id };

	memcpy(out, all, sizeof(all));
}

size_t claim_pack_copy(struct delivery *mail, char *to)
{
	const char **texts[CLAIM_TEXTS];
	size_t i, len, all = 0;

	claim_pack_texts(mail, texts);
	for (i = 0; i < CLAIM_TEXTS; i++) {
		len = strlen(*texts[i]) + 1;
		if (to)
			*texts[i] = memcpy(to + all, *texts[i], len);
		all += len;
	}
	return all;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static void put_16(struct buf *b, size_t v)
{
	uint16_t le = htole16((uint16_t)v);

	buf_add(b, &le, sizeof(le));
}

static void put_32(struct buf *b, size_t v)
{
	uint32_t le = htole32((uint32_t)v);

	buf_add(b, &le, sizeof(le));
}

static void put_64(struct buf *b, int64_t v)
{
	uint64_t le = htole64((uint64_t)v);

	buf_add(b, &le, sizeof(le));
}

void claim_pack_begin(struct claim_packer *p, struct buf *body, size_t count)
{
	size_t i;

	*p = (struct claim_packer){ .body = body };
	for (i = 0; i < CLAIM_TEXTS; i++)
		p->texts[i] = "";
	buf_reset(body);
	buf_char(body, FORM);
	put_32(body, count);
}

static void put_text(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	assert(len <= CLAIM_TEXT_MOST);
	put_16(b, len);
	buf_add(b, s, len + 1);
}

void claim_pack_add(struct claim_packer *p, const struct packed_claim *claim)
{
	struct delivery mail = claim->mail;
	const int64_t numbers[CLAIM_NUMBERS] = { mail.id, mail.prospect, mail.kind, mail.state, mail.enrolment, mail.ref, mail.attempt, mail.planned, mail.done,
		mail.code, mail.claimed, claim->epoch, claim->apart };
	const char **texts[CLAIM_TEXTS];
	uint32_t differs = 0, bit = 1;
	size_t i;

	claim_pack_texts(&mail, texts);
	for (i = 0; i < CLAIM_NUMBERS; i++, bit <<= 1)
		differs |= numbers[i] != p->numbers[i] ? bit : 0;
	for (i = 0; i < CLAIM_TEXTS; i++, bit <<= 1)
		differs |= strcmp(*texts[i], p->texts[i]) != 0 ? bit : 0;
	put_32(p->body, differs);
	bit = 1;
	for (i = 0; i < CLAIM_NUMBERS; i++, bit <<= 1)
		if (differs & bit)
			put_64(p->body, numbers[i]);
	for (i = 0; i < CLAIM_TEXTS; i++, bit <<= 1) {
		if (differs & bit)
			put_text(p->body, *texts[i]);
		p->texts[i] = *texts[i];
	}
	memcpy(p->numbers, numbers, sizeof(numbers));
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The next bytes into `out`; short of them, it is damaged. */
static void get(struct claim_reading *r, void *out, size_t len)
{
	memset(out, 0, len);
	if (!r->why && (size_t)(r->end - r->at) < len)
		r->why = "it ends too soon";
	if (r->why)
		return;
	memcpy(out, r->at, len);
	r->at += len;
}

static int64_t get_64(struct claim_reading *r)
{
	uint64_t le;

	get(r, &le, sizeof(le));
	return (int64_t)le64toh(le);
}

static uint32_t get_32(struct claim_reading *r)
{
	uint32_t le;

	get(r, &le, sizeof(le));
	return le32toh(le);
}

static const char *get_text(struct claim_reading *r)
{
	const char *text;
	uint16_t le;
	size_t len;

	get(r, &le, sizeof(le));
	len = le16toh(le);
	if (!r->why && (size_t)(r->end - r->at) <= len)
		r->why = "it ends too soon";
	if (r->why)
		return "";
	text = r->at;
	r->at += len + 1;
	if (strnlen(text, len + 1) == len)
		return text;
	r->why = "a text in it is none";
	return "";
}

void claim_pack_open(struct claim_reading *r, struct slice body)
{
	uint8_t form;
	size_t i;

	*r = (struct claim_reading){ .at = body.data, .end = body.data + body.len };
	for (i = 0; i < CLAIM_TEXTS; i++)
		r->texts[i] = "";
	get(r, &form, sizeof(form));
	if (!r->why && form != FORM)
		r->why = "this program does not know its form";
	r->left = get_32(r);
	if (!r->why && r->left == 0)
		r->why = "there is nothing in it";
}

static void fill(const struct claim_reading *r, struct packed_claim *out)
{
	const int64_t *n = r->numbers;
	const char **texts[CLAIM_TEXTS];
	size_t i;

	*out = (struct packed_claim){
		.mail = { .id = n[0], .prospect = n[1], .kind = (enum delivery_kind)n[2], .state = (enum delivery_state)n[3], .enrolment = n[4], .ref = n[5],
			.attempt = (int)n[6], .planned = n[7], .done = n[8], .code = (int)n[9], .claimed = n[10] },
		.epoch = n[11], .apart = n[12] != 0,
	};
	claim_pack_texts(&out->mail, texts);
	for (i = 0; i < CLAIM_TEXTS; i++)
		*texts[i] = r->texts[i];
}

/* What no claim says; `id`: of the one before. */
static bool is_strange(const int64_t *n, int64_t id)
{
	return n[0] == id || n[2] < 0 || n[2] > DELIVERY_AGAIN || (n[3] != DELIVERY_SENDING && n[3] != DELIVERY_DOT) || n[6] < 0 || n[6] > INT32_MAX ||
			n[9] < 0 || n[9] > INT32_MAX || n[12] < 0 || n[12] > 1;
}

int claim_pack_next(struct claim_reading *r, struct packed_claim *out)
{
	int64_t id = r->numbers[0];
	uint32_t differs;
	size_t i;

	if (!r->why && r->left == 0 && r->at != r->end)
		r->why = "there is more in it than it says";
	if (r->why || r->left == 0)
		return r->why ? -1 : 0;
	r->left--;
	differs = get_32(r);
	for (i = 0; i < CLAIM_NUMBERS; i++, differs >>= 1)
		if (differs & 1)
			r->numbers[i] = get_64(r);
	for (i = 0; i < CLAIM_TEXTS; i++, differs >>= 1)
		if (differs & 1)
			r->texts[i] = get_text(r);
	if (!r->why && (differs || is_strange(r->numbers, id)))
		r->why = "what is in it are no mails";
	if (r->why)
		return -1;
	fill(r, out);
	return 1;
}
