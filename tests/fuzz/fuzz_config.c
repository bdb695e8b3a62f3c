/*
 * fuzz_config.c: any bytes as one of the files of a config folder: a plan or complaints, never a crash, and each place of a
 * scalar inside its file; a sequence is also tried as a version that was kept. libFuzzer; the first byte chooses the file.
 */
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../daemon/config/yaml.h"
#include "base/mem.h"
#include "config/plan.h"

#define GOOD "tests/config/good"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
	"nurtured.yaml",
	"nurture.yaml",
	"sales.yaml",
	"forms/book.yaml",
	"sequences/book.yaml",
	"templates/emails/delivery.liquid",
};

static char folder[] = "/tmp/fuzz_config.XXXXXX";

static void write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
}

static size_t read_file(const char *path, char **out)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		abort();
	*out = xmalloc(65536);
	n = fread(*out, 1, 65536, f);
	fclose(f);
	return n;
}

static void restore(const char *file)
{
	char *from = xasprintf("%s/%s", GOOD, file), *to = xasprintf("%s/%s", folder, file), *bytes;
	size_t n = read_file(from, &bytes);

	write_file(to, bytes, n);
	free(bytes);
	free(from);
	free(to);
}

static int copy_cb(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char *to = xasprintf("%s%s", folder, path + strlen(GOOD));

	if (type == FTW_D)
		mkdir(to, 0700);
	else
		restore(path + strlen(GOOD) + 1);
	free(to);
	return 0;
}

static int remove_cb(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void clean_up(void)
{
	nftw(folder, remove_cb, 16, FTW_PHYS | FTW_DEPTH);
}

/* A good folder, once a process. */
static void prepare(void)
{
	static const char *const credentials[] = { "smtp-password", "imap-password", "api-key" };
	static bool prepared;
	char path[128];

	if (prepared)
		return;
	prepared = true;
	if (!mkdtemp(folder) || nftw(GOOD, copy_cb, 16, FTW_PHYS))
		abort();
	atexit(clean_up);
	for (size_t i = 0; i < sizeof(credentials) / sizeof(*credentials); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, credentials[i]);
		write_file(path, "secret", 6);
	}
	snprintf(path, sizeof(path), "%s/crm-webhook", folder);
	write_file(path, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 50);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
}

static void place_all(const struct yaml_node *n, const struct source *source)
{
	int line, column, last_line, last_column;

	source_place(source, source->len, &last_line, &last_column);
	for (size_t i = 0; i <= n->len && n->kind == YAML_TEXT; i++) {
		yaml_place(n, i, &line, &column);
		assert(line >= n->line && line <= last_line && column >= 1);
	}
	for (size_t i = 0; i < n->count; i++) {
		if (n->kind == YAML_MAP)
			place_all(n->keys[i], source);
		place_all(n->items[i], source);
	}
}

/* Small ones only: each place is looked for from the start of the file. */
static void try_yaml(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	char *text = xstrndup((const char *)data, size);
	struct complaints c;
	const struct source *source;
	const struct yaml_node *root;

	complaints_init(&c, arena);
	source = source_of(&c, "fuzz", text, size);
	root = size < 1000 && !memchr(data, 0, size) ? yaml_parse(&c, source) : NULL;
	if (root)
		place_all(root, source);
	complaints_clear(&c);
	arena_free(&arena);
	free(text);
}

/* As a version that was kept, against the good plan. */
static void try_old(const char *bytes, size_t size)
{
	struct plan_errors errors = { 0 };
	char path[128], *text = xstrndup(bytes, size);
	struct plan *plan;
	const struct sequence *s;

	snprintf(path, sizeof(path), "%s/nurtured.yaml", folder);
	plan = plan_load(path, &errors);
	assert(plan && !errors.count);
	s = plan_old_sequence(plan, text, &errors);
	assert(!s == (errors.count > 0));
	for (int i = 0; s && i < s->step_count; i++) {
		struct step_way ways[STEP_WAYS_MAX];
		size_t n = step_ways(s, i, ways);

		for (size_t k = 0; k < n; k++)
			assert(ways[k].to >= 0 && ways[k].to <= s->step_count);
	}
	plan_unref(&plan);
	buf_clear(&errors.text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	char path[128];

	prepare();
	if (size < 1)
		return 0;
	const char *file = files[data[0] % (sizeof(files) / sizeof(*files))];

	try_yaml(data + 1, size - 1);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	write_file(path, data + 1, size - 1);
	snprintf(path, sizeof(path), "%s/nurtured.yaml", folder);
	plan = plan_load(path, &errors);
	assert(!plan == (errors.count > 0));
	plan_unref(&plan);
	buf_clear(&errors.text);
	restore(file);
	if (strstr(file, "sequences/"))
		try_old((const char *)data + 1, size - 1);
	return 0;
}
