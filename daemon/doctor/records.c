/*
 * records.c: see records.h.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include "records.h"

const char *const dmarc_policy_names[] = { "none", "quarantine", "reject", NULL };

/* --- SPF ---------------------------------------------------------------------------------------------------------- */

bool spf_is(const char *text)
{
	return strncasecmp(text, "v=spf1", 6) == 0 && (text[6] == ' ' || !text[6]);
}

/* The n bytes of a name, into out. */
static int take_name(struct slice name, char out[RECORD_NAME], bool *macro, struct err *err)
{
	size_t i;

	if (name.len == 0 || name.len >= RECORD_NAME)
		return err_set(err, "`%.*s` is no name of a domain", (int)(name.len < 60 ? name.len : 60), name.data);
	for (i = 0; i < name.len; i++) {
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f)
			return err_set(err, "a name with characters that no name has");
		*macro |= name.data[i] == '%';
	}
	memcpy(out, name.data, name.len);
	out[name.len] = '\0';
	return 0;
}

/* "24" */
static int take_bits(struct slice digits, int most, int *out, struct err *err)
{
	char text[4] = "";
	int64_t n;

	if (digits.len == 0 || digits.len > 3)
		return err_set(err, "a prefix that is no number: /%.*s", (int)(digits.len < 20 ? digits.len : 20), digits.data);
	memcpy(text, digits.data, digits.len);
	if (text_int(text, &n) < 0 || n < 0 || n > most)
		return err_set(err, "the prefix /%s is wrong; 0 to %d", text, most);
	*out = (int)n;
	return 0;
}

/* Takes "/24" and "//64" off the end. */
static int take_prefixes(struct slice *value, struct spf_term *t, struct err *err)
{
	const char *slash = memchr(value->data, '/', value->len), *end = value->data + value->len, *second;

	t->bits4 = 32;
	t->bits6 = 128;
	if (!slash)
		return 0;
	value->len = (size_t)(slash - value->data);
	second = end - slash > 1 && slash[1] == '/' ? slash : memchr(slash + 1, '/', (size_t)(end - slash - 1));
	if (second && (second + 1 == end || second[1] != '/'))
		return err_set(err, "an address has one prefix, and one for IPv6 behind //");
	if (second != slash && take_bits((struct slice){ slash + 1, (size_t)((second ? second : end) - slash - 1) }, 32, &t->bits4, err) < 0)
		return -1;
	return second ? take_bits((struct slice){ second + 2, (size_t)(end - second - 2) }, 128, &t->bits6, err) : 0;
}

static int take_network(struct slice value, struct spf_term *t, struct err *err)
{
	const char *slash = memchr(value.data, '/', value.len), *end = value.data + value.len;
	size_t n = slash ? (size_t)(slash - value.data) : value.len;
	bool four = t->kind == SPF_IP4;
	char text[64];

	t->bits4 = 32;
	t->bits6 = 128;
	if (n >= sizeof(text))
		return err_set(err, "an address that is none");
	memcpy(text, value.data, n);
	text[n] = '\0';
	if (inet_pton(four ? AF_INET : AF_INET6, text, t->address) != 1)
		return err_set(err, "`%s` is no IPv%d address", text, four ? 4 : 6);
	if (!slash)
		return 0;
	return take_bits((struct slice){ slash + 1, (size_t)(end - slash - 1) }, four ? 32 : 128, four ? &t->bits4 : &t->bits6, err);
}

static const struct mechanism {
	const char *name;
	enum spf_kind kind;
} mechanisms[] = {
	{ "all", SPF_ALL }, { "include", SPF_INCLUDE }, { "a", SPF_A }, { "mx", SPF_MX }, { "ptr", SPF_PTR }, { "ip4", SPF_IP4 }, { "ip6", SPF_IP6 },
	{ "exists", SPF_EXISTS },
};

static int take_mechanism(struct slice name, struct slice value, bool given, struct spf_term *t, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (slice_is_nocase(name, mechanisms[i].name))
			break;
	if (i == sizeof(mechanisms) / sizeof(mechanisms[0]))
		return err_set(err, "`%.*s` is no mechanism", (int)(name.len < 60 ? name.len : 60), name.data);
	t->kind = mechanisms[i].kind;
	switch (t->kind) {
	case SPF_ALL:
		return given || value.len ? err_set(err, "`all` takes nothing") : 0;
	case SPF_IP4: case SPF_IP6:
		return given ? take_network(value, t, err) : err_set(err, "%s names no address", mechanisms[i].name);
	case SPF_INCLUDE: case SPF_EXISTS:
		return given ? take_name(value, t->domain, &t->macro, err) : err_set(err, "%s names no domain", mechanisms[i].name);
	case SPF_A: case SPF_MX:
		if (take_prefixes(&value, t, err) < 0)
			return -1;
		return given ? take_name(value, t->domain, &t->macro, err) : 0;
	case SPF_PTR: case SPF_REDIRECT:
		return given ? take_name(value, t->domain, &t->macro, err) : 0;
	}
	return 0;
}

static size_t name_length(struct slice term)
{
	size_t n = 0;

	while (n < term.len && (isalnum((unsigned char)term.data[n]) || strchr("-_.", term.data[n])))
		n++;
	return n;
}

static int take_modifier(struct slice name, struct slice value, struct spf_record *out, struct err *err)
{
	struct spf_term *t = &out->terms[out->count];
	bool macro = false;
	char ignored[RECORD_NAME];

	if (slice_is_nocase(name, "redirect")) {
		if (out->redirect)
			return err_set(err, "`redirect` stands there twice");
		*t = (struct spf_term){ .kind = SPF_REDIRECT, .qualifier = '+' };
		out->redirect = true;
		out->count++;
		return take_name(value, t->domain, &t->macro, err);
	}
	if (slice_is_nocase(name, "exp"))
		return take_name(value, ignored, &macro, err);
	return isalpha((unsigned char)name.data[0]) ? 0 : err_set(err, "a modifier begins with a letter");
}

static int take_term(struct slice term, struct spf_record *out, struct err *err)
{
	struct spf_term *t = &out->terms[out->count];
	size_t n = name_length(term);
	bool given;

	if (out->count == SPF_TERMS_MAX)
		return err_set(err, "more than %d terms", SPF_TERMS_MAX);
	if (n && n < term.len && term.data[n] == '=')
		return take_modifier((struct slice){ term.data, n }, (struct slice){ term.data + n + 1, term.len - n - 1 }, out, err);
	*t = (struct spf_term){ .qualifier = '+' };
	if (strchr("+-~?", term.data[0])) {
		t->qualifier = term.data[0];
		term = (struct slice){ term.data + 1, term.len - 1 };
		n = name_length(term);
	}
	given = n < term.len && term.data[n] == ':';
	if (n < term.len && !given && term.data[n] != '/')
		return err_set(err, "`%.*s` is no mechanism", (int)(term.len < 60 ? term.len : 60), term.data);
	if (take_mechanism((struct slice){ term.data, n }, (struct slice){ term.data + n + given, term.len - n - given }, given, t, err) < 0)
		return -1;
	out->after_all |= out->all != 0;
	if (t->kind == SPF_ALL && !out->all)
		out->all = t->qualifier;
	out->count++;
	return 0;
}

int spf_parse(const char *text, struct spf_record *out, struct err *err)
{
	const char *p = text + 6, *end;

	memset(out, 0, sizeof(*out));
	if (!spf_is(text))
		return err_set(err, "it does not begin with v=spf1");
	for (;;) {
		p += strspn(p, " ");
		if (!*p)
			return 0;
		end = p + strcspn(p, " ");
		if (take_term((struct slice){ p, (size_t)(end - p) }, out, err) < 0)
			return -1;
		p = end;
	}
}

static bool same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, (size_t)whole) && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool spf_covers(const char *address, const char *ip, int bits4, int bits6)
{
	uint8_t a[16], b[16];

	if (inet_pton(AF_INET, address, a) == 1 && inet_pton(AF_INET, ip, b) == 1)
		return same_bits(a, b, bits4);
	return inet_pton(AF_INET6, address, a) == 1 && inet_pton(AF_INET6, ip, b) == 1 && same_bits(a, b, bits6);
}

bool spf_term_covers(const struct spf_term *term, const char *ip)
{
	uint8_t b[16];

	if (term->kind == SPF_IP4)
		return inet_pton(AF_INET, ip, b) == 1 && same_bits(term->address, b, term->bits4);
	return term->kind == SPF_IP6 && inet_pton(AF_INET6, ip, b) == 1 && same_bits(term->address, b, term->bits6);
}

/* --- tags: "v=DKIM1; k=rsa; p=..." (RFC 6376 3.2) ------------------------------------------------------------------ */

bool records_next_tag(const char **text, struct slice *name, struct slice *value, bool *bad)
{
	const char *p = *text + strspn(*text, " \t\r\n;"), *end = p + strcspn(p, ";"), *equals = memchr(p, '=', (size_t)(end - p));

	*text = end;
	if (p == end)
		return false;
	*bad |= !equals;
	*name = slice_trim((struct slice){ p, equals ? (size_t)(equals - p) : (size_t)(end - p) });
	*value = equals ? slice_trim((struct slice){ equals + 1, (size_t)(end - equals - 1) }) : (struct slice){ end, 0 };
	return true;
}

/* Is the word among those between colons? */
static bool has_word(struct slice list, const char *word)
{
	const char *p = list.data, *end = list.data + list.len;

	while (p < end) {
		const char *colon = memchr(p, ':', (size_t)(end - p));

		if (slice_is_nocase(slice_trim((struct slice){ p, (size_t)((colon ? colon : end) - p) }), word))
			return true;
		p = colon ? colon + 1 : end;
	}
	return false;
}

static struct slice first_tag(const char *text)
{
	struct slice name, value = { "", 0 };
	bool bad = false;

	return records_next_tag(&text, &name, &value, &bad) && slice_is_nocase(name, "v") ? value : (struct slice){ "", 0 };
}

/* --- DKIM ----------------------------------------------------------------------------------------------------------- */

static bool has_tag(const char *text, const char *wanted)
{
	struct slice name, value;
	bool bad = false;

	while (records_next_tag(&text, &name, &value, &bad))
		if (slice_is_nocase(name, wanted))
			return true;
	return false;
}

/* `v` may be left out; where there is no `p` it is something else. */
bool dkim_is(const char *text)
{
	struct slice v = first_tag(text);

	return slice_is_nocase(v, "DKIM1") || (!v.len && has_tag(text, "p"));
}

int records_base64(struct slice value, struct buf *out)
{
	struct buf text = BUF_INIT;
	size_t i;
	int rc;

	for (i = 0; i < value.len; i++)
		if (!isspace((unsigned char)value.data[i]))
			buf_char(&text, value.data[i]);
	rc = text_base64_decode(buf_cstr(&text), text.len, out);
	buf_clear(&text);
	return rc;
}

/* RSA as SubjectPublicKeyInfo, or, as some write it, the bare RSAPublicKey. */
EVP_PKEY *dkim_key_open(const struct dkim_key *key)
{
	const unsigned char *p = key->bytes;
	EVP_PKEY *out;

	if (key->ed25519)
		return key->len ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, key->len) : NULL;
	out = d2i_PUBKEY(NULL, &p, (long)key->len);
	if (!out) {
		p = key->bytes;
		out = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)key->len);
	}
	if (out && EVP_PKEY_base_id(out) != EVP_PKEY_RSA) {
		EVP_PKEY_free(out);
		out = NULL;
	}
	return out;
}

static int take_key(struct slice p, struct dkim_key *out, struct err *err)
{
	struct buf der = BUF_INIT;
	EVP_PKEY *key;
	int rc = 0;

	if (records_base64(p, &der) < 0)
		rc = err_set(err, "p is no base64; a character is missing, or one too many was pasted");
	else if (out->ed25519 && der.len != 32)
		rc = err_set(err, "an ed25519 key has 32 bytes; this one has %zu", der.len);
	else if (der.len > sizeof(out->bytes))
		rc = err_set(err, "p is too long for a key");
	if (rc == 0) {
		memcpy(out->bytes, buf_cstr(&der), der.len);
		out->len = der.len;
		key = dkim_key_open(out);
		out->bits = !key ? 0 : out->ed25519 ? 256 : EVP_PKEY_bits(key);
		EVP_PKEY_free(key);
		if (!out->bits)
			rc = err_set(err, "p holds no RSA key; it was cut, or is of another kind");
	}
	buf_clear(&der);
	return rc;
}

int dkim_parse(const char *text, struct dkim_key *out, struct err *err)
{
	struct slice name, value, p = { NULL, 0 };
	bool bad = false;

	memset(out, 0, sizeof(*out));
	while (records_next_tag(&text, &name, &value, &bad)) {
		if (slice_is_nocase(name, "v") && !slice_is(value, "DKIM1"))
			return err_set(err, "v is not DKIM1");
		if (slice_is_nocase(name, "k") && !slice_is_nocase(value, "rsa") && !slice_is_nocase(value, "ed25519"))
			return err_set(err, "k is neither rsa nor ed25519");
		out->ed25519 |= slice_is_nocase(name, "k") && slice_is_nocase(value, "ed25519");
		if (slice_is_nocase(name, "h") && !has_word(value, "sha256"))
			return err_set(err, "h does not allow sha256, the only hash that receivers still take");
		if (slice_is_nocase(name, "s") && !has_word(value, "*") && !has_word(value, "email"))
			return err_set(err, "s says that the key is not for email");
		out->testing |= slice_is_nocase(name, "t") && has_word(value, "y");
		if (slice_is_nocase(name, "p"))
			p = (struct slice){ value.data ? value.data : "", value.len };
	}
	if (bad)
		return err_set(err, "a part of it is no tag=value");
	if (!p.data)
		return err_set(err, "it has no p, the key");
	return p.len ? take_key(p, out, err) : 0;
}

/* --- DMARC ---------------------------------------------------------------------------------------------------------- */

bool dmarc_is(const char *text)
{
	return slice_is(first_tag(text), "DMARC1");
}

static int take_policy(struct slice value, enum dmarc_policy *out, struct err *err)
{
	int i;

	for (i = 0; dmarc_policy_names[i]; i++) {
		if (slice_is_nocase(value, dmarc_policy_names[i])) {
			*out = (enum dmarc_policy)i;
			return 0;
		}
	}
	return err_set(err, "the policy is none, quarantine or reject, not `%.*s`", (int)(value.len < 40 ? value.len : 40), value.data);
}

static int take_alignment(struct slice value, bool *strict, struct err *err)
{
	*strict = slice_is_nocase(value, "s");
	return *strict || slice_is_nocase(value, "r") ? 0 : err_set(err, "alignment is r (relaxed) or s (strict)");
}

static int take_percent(struct slice value, int *out, struct err *err)
{
	char text[8] = "";
	int64_t n;

	if (value.len < sizeof(text))
		memcpy(text, value.data, value.len);
	if (text_int(text, &n) < 0 || n < 0 || n > 100)
		return err_set(err, "pct is 0 to 100");
	*out = (int)n;
	return 0;
}

static void take_reports(struct slice value, char out[RECORD_NAME])
{
	const char *comma = memchr(value.data, ',', value.len);
	size_t n = comma ? (size_t)(comma - value.data) : value.len, i;

	if (n >= RECORD_NAME)
		n = RECORD_NAME - 1;
	for (i = 0; i < n; i++)
		out[i] = (unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f ? '?' : value.data[i];
	out[n] = '\0';
}

int dmarc_parse(const char *text, struct dmarc_record *out, struct err *err)
{
	struct slice name, value;
	bool bad = false, policy = false, subdomains = false;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->percent = 100;
	if (!dmarc_is(text))
		return err_set(err, "it does not begin with v=DMARC1");
	while (rc == 0 && records_next_tag(&text, &name, &value, &bad)) {
		if (slice_is_nocase(name, "p")) {
			rc = take_policy(value, &out->policy, err);
			policy = true;
		} else if (slice_is_nocase(name, "sp")) {
			rc = take_policy(value, &out->subdomains, err);
			subdomains = true;
		} else if (slice_is_nocase(name, "adkim")) {
			rc = take_alignment(value, &out->strict_dkim, err);
		} else if (slice_is_nocase(name, "aspf")) {
			rc = take_alignment(value, &out->strict_spf, err);
		} else if (slice_is_nocase(name, "pct")) {
			rc = take_percent(value, &out->percent, err);
		} else if (slice_is_nocase(name, "rua") && value.len) {
			take_reports(value, out->reports);
		}
	}
	if (rc == 0 && bad)
		return err_set(err, "a part of it is no tag=value");
	if (rc == 0 && !policy)
		return err_set(err, "it has no policy; p=none is the least");
	if (!subdomains)
		out->subdomains = out->policy;
	return rc;
}
