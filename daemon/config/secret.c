/*
 * secret.c: passwords and keys never stand in config; what stands there says where they are.
 *
 * credential:NAME is a file of $CREDENTIALS_DIRECTORY (systemd's LoadCredential=), file:/path one of the operator's own that
 * nobody else may read. The plan wipes them when it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/text.h"

#include "load.h"
#include "scalar.h"

#define SECRET_MAX 4096

/* What stands for a secret where none is needed: of the form that every reader of one takes. */
static const char no_secret[] = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static const char *keep(struct load *l, const char *secret)
{
	struct plan_body *b = l->body;

	b->secrets = xgrow(b->secrets, &b->secret_cap, b->secret_count + 1, sizeof(*b->secrets));
	b->secrets[b->secret_count] = xstrdup(secret);
	return b->secrets[b->secret_count++];
}

/* One line or at least one text: the line break at its end is the editor's. */
static int take_text(char *bytes, size_t n, const char *path, struct err *err)
{
	while (n && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	bytes[n] = 0;
	if (!n)
		return err_set(err, "%s is empty; put the secret in it", path);
	if (strlen(bytes) != n || text_has_control(bytes, n) || strchr(bytes, '\n'))
		return err_set(err,
			"%s holds more than one line, or control characters; a secret is one line of text",
			path);
	return 0;
}

/* `private`: the file must be closed to others; credentials are kept by the service manager, which sees to that. */
static const char *read_secret(struct load *l, const char *path, bool private, struct err *err)
{
	char bytes[SECRET_MAX + 2];
	const char *secret = NULL;
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		err_set(err, "%s cannot be opened: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		err_set(err, "%s is no regular file", path);
	else if (private && (st.st_mode & 077))
		err_set(err, "%s may be read by others (mode %03o); run: chmod 600 %s", path,
			(unsigned)st.st_mode & 0777, path);
	else if ((n = read(fd, bytes, SECRET_MAX + 1)) < 0)
		err_set(err, "%s cannot be read: %s", path, strerror(errno));
	else if (n > SECRET_MAX)
		err_set(err, "%s has more than %d bytes; that is no password", path, SECRET_MAX);
	else if (!take_text(bytes, (size_t)n, path, err))
		secret = keep(l, bytes);
	close(fd);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return secret;
}

static char *credential_path(struct load *l, const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder && *folder ? arena_printf(l->scratch, "%s/%s", folder, name) : NULL;
}

static const char *read_credential(struct load *l, const char *name, struct err *err)
{
	char *path;

	if (scalar_name(name, err))
		return NULL;
	if (l->no_secrets)
		return no_secret;
	path = credential_path(l, name);
	if (!path) {
		err_set(err,
			"there is no credential `%s`: CREDENTIALS_DIRECTORY is not set; give the service "
			"`LoadCredential=%s:/path/to/file`, or write file:/path here",
			name, name);
		return NULL;
	}
	if (access(path, F_OK)) {
		err_set(err,
			"there is no credential `%s` in %s; give the service "
			"`LoadCredential=%s:/path/to/file`, "
			"or write file:/path here",
			name, getenv("CREDENTIALS_DIRECTORY"), name);
		return NULL;
	}
	return read_secret(l, path, false, err);
}

const char *secret_read(struct load *l, const char *reference, struct err *err)
{
	if (text_starts_with(reference, "credential:"))
		return read_credential(l, reference + strlen("credential:"), err);
	if (text_starts_with(reference, "file:/") && l->no_secrets)
		return no_secret;
	if (text_starts_with(reference, "file:/"))
		return read_secret(l, reference + strlen("file:"), true, err);
	if (text_starts_with(reference, "file:"))
		err_set(err, "the path of a secret is absolute: file:/path/to/it");
	else
		err_set(err,
			"a secret does not stand in config: put it in a file that only the service can read, "
			"and write "
			"credential:NAME (systemd's LoadCredential=) or file:/path/to/it");
	return NULL;
}

const char *secret_named(struct load *l, const char *name, struct err *err)
{
	char *path;

	if (strchr(name, ':'))
		return secret_read(l, name, err);
	if (text_starts_with(name, "whsec_")) {
		err_set(err,
			"a secret does not stand in config: put it in secrets/ beside this file, or in a "
			"credential, and write the "
			"name of that");
		return NULL;
	}
	if (scalar_name(name, err))
		return NULL;
	if (l->no_secrets)
		return no_secret;
	path = credential_path(l, name);
	if (path && !access(path, F_OK))
		return read_secret(l, path, false, err);
	path = arena_printf(l->scratch, "%s/secrets/%s", l->folder, name);
	if (access(path, F_OK)) {
		err_set(err,
			"there is no secret `%s`: neither a credential of that name nor %s; put whsec_ and "
			"at least 24 random "
			"bytes in base64 there",
			name, path);
		return NULL;
	}
	return read_secret(l, path, true, err);
}
