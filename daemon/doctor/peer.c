/*
 * peer.c: see peer.h.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "peer.h"

#define SAID_MAX 65536
#define CONNECT_S 15L
#define ANSWER_S 30L

int place_of(const char *url, struct place *out)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL;
	int64_t number = 0;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0))
		curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	if (host) {
		n = strlen(host);
		out->host = *host == '[' && n > 2 ? xstrndup(host + 1, n - 2) : xstrdup(host);
		out->port = port && text_int(port, &number) == 0 ? (int)number : 0;
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return out->host ? 0 : -1;
}

void place_clear(struct place *place)
{
	free(place->host);
	place->host = NULL;
}

static size_t said_cb(char *data, size_t size, size_t n, void *arg)
{
	struct peer *p = arg;

	if (p->said.len + size * n <= SAID_MAX)
		buf_add(&p->said, data, size * n);
	return size * n;
}

static size_t body_cb(char *data, size_t size, size_t n, void *arg)
{
	return size * n;
}

/* What is wrong, and how it is mended. */
static __attribute__((format(printf, 3, 4))) void wrong(struct peer *p, const char *next, const char *fmt, ...)
{
	struct findings *f = &p->doctor->findings;
	struct buf what = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&what, fmt, ap);
	va_end(ap);
	findings_add(f, DOCTOR_ERROR, p->check, p->about, "%s", buf_cstr(&what));
	findings_next(f, "%s", next);
	buf_clear(&what);
}

/* The name is asked of the resolver that was given. */
static int resolve(struct peer *p)
{
	struct names_list list;
	struct buf line = BUF_INIT;
	struct err err;
	size_t i;
	int rc;

	if (!names_given(p->doctor->names))
		return 0;
	rc = names_addresses(p->doctor->names, p->place.host, &list, &err);
	if (rc <= 0) {
		if (rc == 0)
			err_set(&err, "%s is not in DNS", p->place.host);
		wrong(p, "mend the name in the config, or the DNS of its domain", "%s", err.text);
		return -1;
	}
	buf_printf(&line, "%s:%d:", p->place.host, p->place.port);
	for (i = 0; i < list.count; i++)
		buf_printf(&line, "%s%s", i ? "," : "", list.items[i]);
	p->resolve = curl_slist_append(NULL, buf_cstr(&line));
	curl_easy_setopt(p->easy, CURLOPT_RESOLVE, p->resolve);
	buf_clear(&line);
	names_list_clear(&list);
	return 0;
}

int peer_init(struct peer *p, struct doctor *d, const char *check, const char *about, const char *url, const char *ca_file)
{
	CURL *e = curl_easy_init();

	memset(p, 0, sizeof(*p));
	p->doctor = d;
	p->check = check;
	p->about = about;
	p->easy = e;
	if (!e)
		abort();
	if (place_of(url, &p->place) < 0) {
		findings_add(&d->findings, DOCTOR_ERROR, check, about, "%s is no URL", url);
		return -1;
	}
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, CONNECT_S + ANSWER_S);
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, ANSWER_S);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, said_cb);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, body_cb);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
	return resolve(p);
}

void peer_clear(struct peer *p)
{
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->resolve);
	place_clear(&p->place);
	buf_clear(&p->said);
}

/* What is wrong with its certificate. */
static void unverified(struct peer *p)
{
	const char *host = p->place.host;
	long why = 0;

	curl_easy_getinfo(p->easy, CURLINFO_SSL_VERIFYRESULT, &why);
	/* the name libcurl compares itself, and says so in words alone */
	if (strstr(p->error, "subject name"))
		why = X509_V_OK;
	switch (why) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		wrong(p, "renew it there; if it was renewed, let the server load it", "the certificate of %s has expired", host);
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		wrong(p, "check the clock of this machine, then the certificate", "the certificate of %s is not valid yet", host);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		wrong(p, "give it one of a public CA, or name that CA's certificate in ca_file",
			"%s shows a certificate that nobody vouches for: it is signed by itself or by a private CA", host);
		return;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		wrong(p, "let the server send its whole chain, or name the issuer's certificate in ca_file",
			"the certificate of %s is by an issuer that ca_file does not have, or the server leaves intermediate "
			"certificates out", host);
		return;
	case X509_V_OK: case X509_V_ERR_HOSTNAME_MISMATCH: case X509_V_ERR_IP_ADDRESS_MISMATCH:
		wrong(p, "write the host by the name that its certificate has", "the certificate is not for %s (%s)", host, p->error);
		return;
	}
	wrong(p, "mend the certificate there", "the certificate of %s cannot be verified: %s", host, p->error);
}

void peer_failed(struct peer *p, CURLcode code)
{
	struct findings *f = &p->doctor->findings;
	const char *text = p->error[0] ? p->error : curl_easy_strerror(code), *host = p->place.host;
	int port = p->place.port;

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		wrong(p, "mend the name in the config, or the DNS of its domain", "the name %s cannot be found", host);
		return;
	case CURLE_COULDNT_CONNECT:
		wrong(p, "is the port right, and does a firewall let it through? many networks close 25",
			"nothing answers at %s port %d", host, port);
		return;
	case CURLE_OPERATION_TIMEDOUT:
		wrong(p, "does a firewall let it through? smtps:// is 465 and imaps:// is 993; smtp:// is 587",
			"%s port %d does not answer in time: %s", host, port, text);
		return;
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_ISSUER_ERROR:
		unverified(p);
		return;
	case CURLE_SSL_CACERT_BADFILE:
		wrong(p, "install ca-certificates, or mend ca_file", "ca_file cannot be read: %s", text);
		return;
	case CURLE_USE_SSL_FAILED:
		wrong(p, "let it offer STARTTLS, or use the port and scheme of TLS from the first byte",
			"%s offers no STARTTLS: mail and password would go in the clear", host);
		return;
	case CURLE_SSL_CONNECT_ERROR:
		wrong(p, "does the scheme fit the port? smtp:// and imap:// begin in the clear, smtps:// and imaps:// with TLS",
			"TLS with %s cannot be agreed on: %s", host, text);
		return;
	case CURLE_LOGIN_DENIED: case CURLE_AUTH_ERROR:
		wrong(p, "check `user`, and the password in its file, or where the token comes from", "%s refuses the login: %s", host, text);
		return;
	}
	findings_add(f, DOCTOR_ERROR, p->check, p->about, "%s: %s", host, text);
	findings_next(f, "ask who runs %s", host);
}

/* When the server's own certificate ends; -1: not told. */
static time_t certificate_end(CURL *easy)
{
	struct curl_certinfo *info = NULL;
	const struct curl_slist *line;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) || !info || info->num_of_certs < 1)
		return -1;
	for (line = info->certinfo[0]; line; line = line->next)
		if (strncmp(line->data, "Expire date:", 12) == 0)
			return curl_getdate(line->data + 12, NULL);
	return -1;
}

int peer_certificate(struct peer *p)
{
	struct findings *f = &p->doctor->findings;
	time_t end = certificate_end(p->easy);
	int days;

	if (end < 0)
		return -1;
	days = (int)((end - clock_now() / US_SECOND) / 86400);
	if (days < CERTIFICATE_WARN_DAYS) {
		findings_add(f, DOCTOR_WARNING, p->check, p->about, "the certificate of %s ends in %d days", p->place.host, days);
		findings_next(f, "renew it; does the machine that should renew it still do so?");
	}
	return days;
}

static bool is_border(char c)
{
	return c == ' ' || c == '-' || c == '[' || c == ']' || c == '\r' || c == '\n' || c == '=' || c == '\0';
}

bool peer_says(const struct peer *p, const char *word)
{
	const char *text = buf_cstr(&p->said), *at;
	size_t n = strlen(word);

	for (at = text; (at = strcasestr(at, word)); at++)
		if ((at == text || is_border(at[-1])) && is_border(at[n]))
			return true;
	return false;
}
