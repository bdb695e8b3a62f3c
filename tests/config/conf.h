/*
 * conf.h: a copy of tests/config/good in a temporary folder, to be made wrong one file at a time.
 */
#ifndef TESTS_CONFIG_CONF_H
#define TESTS_CONFIG_CONF_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/plan.h"

#define CONF_GOOD "tests/config/good"
#define CONF static __attribute__((unused))	/* not every test needs all of them */

struct conf {
	char folder[64];
};

static struct conf *conf_copying;	/* nftw() has no argument of ours */

CONF char *conf_read(const char *path)
{
	struct buf b = BUF_INIT;
	FILE *f = fopen(path, "r");
	char bytes[4096];
	size_t n;

	if (!f)
		return NULL;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(&b, bytes, n);
	fclose(f);
	return buf_take(&b);
}

CONF void conf_write_path(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

CONF void conf_write(struct conf *c, const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", c->folder, file);

	conf_write_path(path, text, 0600);
	free(path);
}

CONF void conf_remove(struct conf *c, const char *file)
{
	char *path = xasprintf("%s/%s", c->folder, file);

	unlink(path);
	free(path);
}

/* As it is in the good one, or not there. */
CONF void conf_restore(struct conf *c, const char *file)
{
	char *path = xasprintf("%s/%s", CONF_GOOD, file), *text = conf_read(path);

	if (text)
		conf_write(c, file, text);
	else
		conf_remove(c, file);
	free(path);
	free(text);
}

/* The good file with `old`, which must be there, replaced; the whole of it if `old` is NULL. */
CONF void conf_edit(struct conf *c, const char *file, const char *old, const char *new)
{
	char *path = xasprintf("%s/%s", CONF_GOOD, file), *text = conf_read(path), *at;
	struct buf b = BUF_INIT;

	free(path);
	if (!old) {
		conf_write(c, file, new);
		free(text);
		return;
	}
	assert_non_null(text);
	at = strstr(text, old);
	if (!at)
		fail_msg("no `%s` in %s", old, file);
	buf_add(&b, text, (size_t)(at - text));
	buf_str(&b, new);
	buf_str(&b, at + strlen(old));
	conf_write(c, file, buf_cstr(&b));
	buf_clear(&b);
	free(text);
}

CONF int conf_copy_cb(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *file = path + strlen(CONF_GOOD);
	char *to = xasprintf("%s%s", conf_copying->folder, file);

	if (type == FTW_D && *file)
		mkdir(to, 0700);
	free(to);
	if (type == FTW_F)
		conf_restore(conf_copying, file + 1);
	return 0;
}

CONF int conf_remove_cb(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* Also credentials/ with what the good one needs, named by CREDENTIALS_DIRECTORY. */
CONF void conf_init(struct conf *c)
{
	char *credentials;

	snprintf(c->folder, sizeof(c->folder), "%s/conf.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(c->folder));
	conf_copying = c;
	assert_int_equal(nftw(CONF_GOOD, conf_copy_cb, 16, FTW_PHYS), 0);
	credentials = xasprintf("%s/credentials", c->folder);
	mkdir(credentials, 0700);
	setenv("CREDENTIALS_DIRECTORY", credentials, 1);
	free(credentials);
	conf_write(c, "credentials/smtp-password", "smtp secret\n");
	conf_write(c, "credentials/imap-password", "imap secret");
	conf_write(c, "credentials/api-key", "api secret\r\n");
	conf_write(c, "credentials/crm-webhook", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
}

CONF void conf_clear(struct conf *c)
{
	nftw(c->folder, conf_remove_cb, 16, FTW_PHYS | FTW_DEPTH);
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* NULL with all errors, their paths without the temporary folder; the caller frees both. */
CONF struct plan *conf_load(struct conf *c, char **errors_out)
{
	char *operator_file = xasprintf("%s/nurtured.yaml", c->folder), *prefix = xasprintf("%s/", c->folder);
	struct plan_errors errors = { 0 };
	struct buf out = BUF_INIT;
	struct plan *plan = plan_load(operator_file, &errors);
	const char *text = buf_cstr(&errors.text), *at;

	for (; (at = strstr(text, prefix)); text = at + strlen(prefix))
		buf_add(&out, text, (size_t)(at - text));
	buf_str(&out, text);
	*errors_out = buf_take(&out);
	assert_int_equal(!plan, errors.count > 0);
	buf_clear(&errors.text);
	free(operator_file);
	free(prefix);
	return plan;
}

#endif
