/*
 * address.c: see address.h.
 *
 * What libidn2 gives back is checked like any other domain: its answer goes into the envelope too.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <idn2.h>
#include <libpsl.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define LOCAL_MAX 64
#define DOMAIN_MAX 253
#define LABEL_MAX 63
#define INPUT_MAX 1024

/* Where anybody gets a mailbox; in the order of strcmp(). */
static const char *const free_mail[] = {
	"126.com", "163.com", "aim.com", "alice.it", "aol.com", "arcor.de", "att.net", "bellsouth.net", "bigpond.com",
	"bk.ru", "bluewin.ch", "btinternet.com", "comcast.net", "cox.net", "duck.com", "email.cz", "fastmail.com",
	"free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com",
	"hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.it", "icloud.com", "inbox.ru",
	"interia.pl", "laposte.net", "libero.it", "list.ru", "live.com", "mac.com", "mail.com", "mail.de", "mail.ru",
	"mailbox.org", "me.com", "msn.com", "naver.com", "o2.pl", "online.de", "onet.pl", "orange.fr", "outlook.com",
	"outlook.de", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com",
	"rogers.com", "sbcglobal.net", "seznam.cz", "sfr.fr", "shaw.ca", "sky.com", "t-online.de", "telenet.be",
	"tiscali.it", "tuta.com", "tutanota.com", "ukr.net", "verizon.net", "wanadoo.fr", "web.de", "wp.pl",
	"yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com",
	"yandex.ru", "ymail.com", "zoho.com",
};

/* Mailboxes of an office, not of a person; in the order of strcmp(). */
static const char *const roles[] = {
	"abuse", "accounting", "accounts", "admin", "administrator", "billing", "careers", "contact", "enquiries",
	"finance", "hello", "help", "helpdesk", "hostmaster", "hr", "info", "inquiries", "invoices", "it", "jobs",
	"kontakt", "legal", "mail", "marketing", "media", "no-reply", "noreply", "office", "orders", "postmaster",
	"press", "privacy", "purchasing", "root", "sales", "security", "service", "support", "team", "vertrieb",
	"webmaster",
};

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What a letter is in a mailbox's name: nothing that is not seen, moves what stands around it, or has no meaning yet. */
static bool is_seen(gunichar c, gunichar before)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL: case G_UNICODE_UNASSIGNED: case G_UNICODE_PRIVATE_USE: case G_UNICODE_SURROGATE:
	case G_UNICODE_LINE_SEPARATOR: case G_UNICODE_PARAGRAPH_SEPARATOR: case G_UNICODE_SPACE_SEPARATOR:
		return false;
	case G_UNICODE_FORMAT:		/* the joiners, where IDNA has them: behind a virama (RFC 5892, A.1 and A.2) */
		return (c == 0x200c || c == 0x200d) && g_unichar_combining_class(before) == 9;
	case G_UNICODE_NON_SPACING_MARK: case G_UNICODE_SPACING_MARK: case G_UNICODE_ENCLOSING_MARK:
		return before && before != '.';
	default:
		return true;
	}
}

/* The characters beyond ASCII of a local part, which is valid UTF-8 (RFC 6532 section 3.2). */
static bool letters_seen(const char *s, size_t n)
{
	gunichar c, before = 0;
	const char *p;

	for (p = s; p < s + n; p += g_utf8_skip[(unsigned char)*p]) {
		c = g_utf8_get_char(p);
		if (c >= 0x80 && !is_seen(c, before))
			return false;
		before = c;
	}
	return true;
}

/* dot-atom-text, RFC 5322 section 3.2.3, with the letters of RFC 6532 */
static int check_local(const char *s, size_t n, struct err *err)
{
	size_t i;

	if (!n)
		return err_set(err, "there is nothing before the @");
	if (n > LOCAL_MAX)
		return err_set(err, "the part before the @ is longer than %d characters", LOCAL_MAX);
	for (i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (i == 0 || i == n - 1 || s[i - 1] == '.')
				return err_set(err, "a dot before the @ must stand between two other characters");
		} else if ((unsigned char)s[i] < 0x80 && !is_alnum(s[i]) && !(s[i] && strchr("!#$%&'*+-/=?^_`{|}~", s[i]))) {
			return err_set(err, "the part before the @ has a character that must not be there");
		}
	}
	return 0;
}

/* The same letters in other bytes are the same mailbox: NFC (RFC 6530 section 10.1, RFC 6532 section 3.1). To be freed; NULL: it is not UTF-8. */
static char *normal(const char *s, size_t n)
{
	char *made, *out;

	if (!text_utf8_valid(s, n))
		return NULL;
	made = g_utf8_normalize(s, (gssize)n, G_NORMALIZE_NFC);
	out = made ? xstrdup(made) : NULL;
	g_free(made);
	return out;
}

/* Lower case by the letter, whatever the locale: a large I with a dot keeps it. To be freed. */
static char *lower(const char *s)
{
	struct buf out = BUF_INIT;
	char bytes[6], *made;
	gunichar c;

	for (; *s; s += g_utf8_skip[(unsigned char)*s]) {
		c = g_utf8_get_char(s);
		buf_add(&out, bytes, (size_t)g_unichar_to_utf8(c == 0x130 ? 'i' : g_unichar_tolower(c), bytes));
		if (c == 0x130)
			buf_str(&out, "\xcc\x87");
	}
	made = normal(buf_cstr(&out), out.len);
	buf_clear(&out);
	return made;
}

/* A local part with letters beyond ASCII: as it is sent, and as it is compared. Both to be freed. */
static int local_letters(const char *s, size_t n, char **text_out, char **key_out, struct err *err)
{
	char *text = normal(s, n), *key = NULL;
	int rc;

	if (!text || !letters_seen(text, strlen(text)))
		rc = err_set(err, "the part before the @ has a character that must not be there");
	else
		rc = check_local(text, strlen(text), err);
	if (!rc) {
		key = lower(text);
		rc = check_local(key, strlen(key), err);	/* small letters can have more bytes */
	}
	if (rc) {
		free(text);
		free(key);
		return -1;
	}
	*text_out = text;
	*key_out = key;
	return 0;
}

static int check_label(const char *s, size_t n, struct err *err)
{
	size_t i;

	if (!n)
		return err_set(err, "the domain has a dot too many");
	if (n > LABEL_MAX)
		return err_set(err, "a part of the domain is longer than %d characters", LABEL_MAX);
	if (s[0] == '-' || s[n - 1] == '-')
		return err_set(err, "no part of the domain may begin or end with a hyphen");
	for (i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return err_set(err, "the domain has a character that must not be there");
	return 0;
}

/* LDH labels, two at least, the last not a number: that would be an IP address. */
static int check_domain(const char *s, struct err *err)
{
	size_t labels = 0, n;
	const char *last;

	if (strlen(s) > DOMAIN_MAX)
		return err_set(err, "the domain is longer than %d characters", DOMAIN_MAX);
	for (;;) {
		n = strcspn(s, ".");
		if (check_label(s, n, err) < 0)
			return -1;
		labels++;
		last = s;
		if (!s[n])
			break;
		s += n + 1;
	}
	if (labels < 2)
		return err_set(err, "the domain has no ending such as .com");
	if (strspn(last, "0123456789") == strlen(last))
		return err_set(err, "the domain must be a name, not a number");
	return 0;
}

/* The domain as lower-case A-labels. */
static int domain_ascii(const char *s, size_t n, char out[DOMAIN_MAX + 1], struct err *err)
{
	char *utf8, *ascii = NULL;
	int rc;

	if (n == 0)
		return err_set(err, "there is nothing behind the @");
	if (text_ascii(s, n)) {
		if (n > DOMAIN_MAX)
			return err_set(err, "the domain is longer than %d characters", DOMAIN_MAX);
		memcpy(out, s, n);
		out[n] = '\0';
	} else {
		/* TR46 mapping first, as browsers do: people type capitals and wide dots */
		utf8 = xstrndup(s, n);
		rc = text_utf8_valid(s, n) ? idn2_to_ascii_8z(utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) :
					     IDN2_ENCODING_ERROR;
		free(utf8);
		if (rc != IDN2_OK)
			rc = err_set(err, "the domain is not a valid international name");
		else if (strlen(ascii) > DOMAIN_MAX)
			rc = err_set(err, "the domain is longer than %d characters", DOMAIN_MAX);
		else if (!*ascii)
			rc = err_set(err, "there is nothing behind the @");
		else
			memcpy(out, ascii, strlen(ascii) + 1);
		idn2_free(ascii);
		if (rc)
			return -1;
	}
	if (check_domain(out, err) < 0)
		return -1;
	text_lower(out);
	return 0;
}

uint16_t address_bucket(const char *key)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(key, strlen(key), hash);
	return (uint16_t)(hash[0] << 2 | hash[1] >> 6);
}

/* local, of n octets, @ and domain; -1: it is too long. */
static int join(char out[ADDRESS_MAX + 1], const char *local, size_t n, const char *domain, struct err *err)
{
	if (n + 1 + strlen(domain) > ADDRESS_MAX)
		return err_set(err, "the email address is longer than %d characters", ADDRESS_MAX);
	memcpy(out, local, n);
	out[n] = '@';
	memcpy(out + n + 1, domain, strlen(domain) + 1);
	return 0;
}

static int fill(struct address *out, const char *local, size_t n, const char *domain, struct err *err)
{
	char *text, *key;
	int rc;

	if (text_ascii(local, n)) {
		if (check_local(local, n, err) < 0 || join(out->text, local, n, domain, err) < 0)
			return -1;
		memcpy(out->key, out->text, n + strlen(domain) + 2);
		text_lower(out->key);
		return 0;
	}
	if (local_letters(local, n, &text, &key, err) < 0)
		return -1;
	rc = join(out->text, text, strlen(text), domain, err) < 0 || join(out->key, key, strlen(key), domain, err) < 0 ? -1 : 0;
	free(text);
	free(key);
	return rc;
}

/* But for the bucket. */
static int parse(struct slice in, struct address *out, struct err *err)
{
	char domain[DOMAIN_MAX + 1];
	struct address made;
	const char *at;
	size_t local;

	in = slice_trim(in);
	if (!in.len)
		return err_set(err, "an email address is needed");
	if (in.len > INPUT_MAX)
		return err_set(err, "the email address is longer than %d characters", ADDRESS_MAX);
	at = memchr(in.data, '@', in.len);
	if (!at)
		return err_set(err, "the email address has no @");
	local = (size_t)(at - in.data);
	if (memchr(at + 1, '@', in.len - local - 1))
		return err_set(err, "the email address has more than one @");
	if (memchr(at, '\0', in.len - local))
		return err_set(err, "the domain has a character that must not be there");
	if (domain_ascii(at + 1, in.len - local - 1, domain, err) < 0 || fill(&made, in.data, local, domain, err) < 0)
		return -1;
	memcpy(out->text, made.text, strlen(made.text) + 1);
	memcpy(out->key, made.key, strlen(made.key) + 1);
	out->domain = strchr(out->text, '@') + 1;
	return 0;
}

int address_parse(const char *s, struct address *out, struct err *err)
{
	if (parse(slice_of(s), out, err) < 0)
		return -1;
	out->bucket = address_bucket(out->key);
	return 0;
}

int address_parse_known(const char *s, uint16_t bucket, struct address *out, struct err *err)
{
	out->bucket = bucket;
	return parse(slice_of(s), out, err);
}

bool address_has_letters(const struct address *a)
{
	return !text_ascii(a->text, strlen(a->text));
}

/* --- mailboxes ---------------------------------------------------------------------------------------------- */

/* The inside of a quoted string that begins at s[0] == '"'; the length with both quotes, 0 if it does not end. */
static size_t unquote(const char *s, struct buf *out)
{
	size_t i;

	for (i = 1; s[i] && s[i] != '"'; i++) {
		if (s[i] == '\\' && s[i + 1])
			i++;
		buf_char(out, s[i]);
	}
	return s[i] ? i + 1 : 0;
}

/* The display name s[0..n) into out, without quotes. */
static int parse_name(const char *s, size_t n, struct buf *out, struct err *err)
{
	char *text = xstrndup(s, n);
	size_t len;

	if (text[0] == '"') {
		len = unquote(text, out);
		if (len != n) {
			free(text);
			return err_set(err, len ? "there is text between the name and the address" :
						  "the name has a quotation mark too few");
		}
	} else {
		buf_add(out, s, n);
		if (strpbrk(text, "\"<>@,;:\\")) {
			free(text);
			return err_set(err, "a name with \" < > @ , ; : or \\ must stand in quotation marks");
		}
	}
	free(text);
	if (!text_utf8_valid(buf_cstr(out), out->len) || text_has_control(buf_cstr(out), out->len) ||
	    memchr(buf_cstr(out), '\n', out->len))
		return err_set(err, "the name has a character that must not be there");
	return 0;
}

int address_parse_mailbox(const char *s, struct address *out, char *name_out, size_t name_size, struct err *err)
{
	struct slice in = slice_trim(slice_of(s)), name = { 0 };
	struct buf text = BUF_INIT;
	const char *open = memrchr(in.data, '<', in.len);
	struct address address;
	int rc = -1;

	if (open) {
		if (in.data[in.len - 1] != '>') {
			err_set(err, "the address in < > has no > at its end");
			goto out;
		}
		name = slice_trim((struct slice){ in.data, (size_t)(open - in.data) });
		in.len -= (size_t)(open - in.data) + 2;
		in.data = open + 1;
	}
	if (name.len && parse_name(name.data, name.len, &text, err) < 0)
		goto out;
	if (text.len >= name_size) {
		err_set(err, "the name is longer than %zu bytes", name_size - 1);
		goto out;
	}
	if (parse(in, &address, err) < 0)
		goto out;
	address.bucket = address_bucket(address.key);
	*out = address;
	out->domain = out->text + (address.domain - address.text);
	memcpy(name_out, buf_cstr(&text), text.len + 1);
	rc = 0;
out:
	buf_clear(&text);
	return rc;
}

/* --- what kind of address ----------------------------------------------------------------------------------- */

static int compare(const void *key, const void *entry)
{
	return strcmp(key, *(const char *const *)entry);
}

const char *address_kind(const struct address *a)
{
	size_t local = strcspn(a->key, "@+");	/* sales+news@ is sales@ */
	char name[LOCAL_MAX + 1];

	if (bsearch(strchr(a->key, '@') + 1, free_mail, sizeof(free_mail) / sizeof(free_mail[0]), sizeof(free_mail[0]),
		    compare))
		return "free";
	memcpy(name, a->key, local);
	name[local] = '\0';
	if (bsearch(name, roles, sizeof(roles) / sizeof(roles[0]), sizeof(roles[0]), compare))
		return "role";
	return "work";
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const psl_ctx_t *suffixes;

static void load_suffixes(void)
{
	/* Debian's list if it is newer than the one in the library; lives as long as the process */
	suffixes = psl_latest(NULL);
}

static const char *look_up(const char *domain)
{
	const char *found;

	pthread_once(&once, load_suffixes);
	found = psl_registrable_domain(suffixes, domain);
	return found ? found : domain;
}

#define KNOWN 256
#define KNOWN_LEN 60

/* Mail goes to few domains, and one look into the list costs as much as a mail's whole way through the gate: a thread remembers the latest. */
const char *address_registrable(const char *domain)
{
	static _Thread_local struct {
		char domain[KNOWN_LEN];
		uint32_t at;	/* where the registrable one begins in it */
	} known[KNOWN];
	size_t len = 0, place;
	uint32_t hash = 2166136261u;

	for (; domain[len]; len++)
		hash = (hash ^ (unsigned char)domain[len]) * 16777619u;
	if (len == 0 || len >= KNOWN_LEN)
		return look_up(domain);
	place = (hash ^ hash >> 16) % KNOWN;
	if (strcmp(known[place].domain, domain) != 0) {
		memcpy(known[place].domain, domain, len + 1);
		known[place].at = (uint32_t)(look_up(domain) - domain);
	}
	return domain + known[place].at;
}
