/*
 * address.c: see address.h.
 *
 * What libidn2 gives back is checked like any other domain: its answer goes into the envelope too.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_ascii(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

/* dot-atom-text, RFC 5322 section 3.2.3 */
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
		} else if ((unsigned char)s[i] >= 0x80) {
			return err_set(err, "the part before the @ has letters that mail cannot carry; use a to z");
		} else if (!is_alnum(s[i]) && !(s[i] && strchr("!#$%&'*+-/=?^_`{|}~", s[i]))) {
			return err_set(err, "the part before the @ has a character that must not be there");
		}
	}
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

/* The domain as lower-case A-labels; to be freed. */
static int domain_ascii(const char *s, size_t n, char **out, struct err *err)
{
	char *utf8 = xstrndup(s, n), *ascii = NULL;
	int rc = 0;

	if (is_ascii(s, n)) {
		*out = utf8;
	} else {
		/* TR46 mapping first, as browsers do: people type capitals and wide dots */
		rc = text_utf8_valid(s, n) ? idn2_to_ascii_8z(utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) :
					     IDN2_ENCODING_ERROR;
		free(utf8);
		if (rc != IDN2_OK)
			return err_set(err, "the domain is not a valid international name");
		*out = xstrdup(ascii);
		idn2_free(ascii);
	}
	if (strlen(*out) != 0 && check_domain(*out, err) == 0) {
		text_lower(*out);
		return 0;
	}
	if (!**out)
		err_set(err, "there is nothing behind the @");
	free(*out);
	return -1;
}

uint16_t address_bucket(const char *key)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(key, strlen(key), hash);
	return (uint16_t)(hash[0] << 2 | hash[1] >> 6);
}

static int parse(struct slice in, struct address *out, struct err *err)
{
	const char *at;
	char *domain = NULL;
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
	if (check_local(in.data, local, err) < 0 || domain_ascii(at + 1, in.len - local - 1, &domain, err) < 0)
		return -1;
	if (local + 1 + strlen(domain) > ADDRESS_MAX) {
		free(domain);
		return err_set(err, "the email address is longer than %d characters", ADDRESS_MAX);
	}
	memcpy(out->text, in.data, local + 1);
	memcpy(out->text + local + 1, domain, strlen(domain) + 1);
	free(domain);
	out->domain = out->text + local + 1;
	memcpy(out->key, out->text, sizeof(out->key));
	text_lower(out->key);
	out->bucket = address_bucket(out->key);
	return 0;
}

int address_parse(const char *s, struct address *out, struct err *err)
{
	return parse(slice_of(s), out, err);
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

const char *address_registrable(const char *domain)
{
	const char *found;

	pthread_once(&once, load_suffixes);
	found = psl_registrable_domain(suffixes, domain);
	return found ? found : domain;
}
