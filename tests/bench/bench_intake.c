/*
 * bench_intake.c: how many mails a second one core reads, by the shipped rules, and that reading them again and again takes no more memory.
 *
 *	bench_intake [FOLDER]		of *.eml; default: the mails of tests/listen
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "listen/reading.h"

#include "../listen/shipped.h"

#define SECONDS 5

static struct buf *mails;
static size_t mail_count, mail_cap;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load(const char *path)
{
	char chunk[65536];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (!f)
		return;
	mails = xgrow(mails, &mail_cap, mail_count + 1, sizeof(*mails));
	mails[mail_count] = (struct buf)BUF_INIT;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&mails[mail_count], chunk, n);
	mail_count++;
	fclose(f);
}

static void load_folder(const char *folder)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir && (entry = readdir(dir))) {
		char path[1000];

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (text_ends_with(entry->d_name, ".eml"))
			load(path);
	}
	if (dir)
		closedir(dir);
}

static void read_all(void)
{
	const struct reading_setting setting = { .rules = shipped_rules() };

	for (size_t i = 0; i < mail_count; i++) {
		struct mail_reading r;

		reading_make(&r, buf_cstr(&mails[i]), mails[i].len, INT64_C(1793613600) * US_SECOND, &setting);
		json_decref(reading_json(&r));
		reading_clear(&r);
	}
}

static long peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "tests/listen/mails";
	size_t rounds = 0, bytes = 0;
	double start, took;
	long before;

	load_folder(folder);
	if (!mail_count) {
		fprintf(stderr, "%s: no *.eml there\n", folder);
		return 1;
	}
	for (size_t i = 0; i < mail_count; i++)
		bytes += mails[i].len;
	read_all();		/* compiles the patterns */
	before = peak_kib();
	start = now();
	do {
		read_all();
		rounds++;
		took = now() - start;
	} while (took < SECONDS);
	printf("intake: %zu mails of %zu bytes on average, %.0f mails/s on one core; peak %ld KiB after the first round, "
	       "%ld KiB after %zu\n",
		mail_count, bytes / mail_count, (double)(rounds * mail_count) / took, before, peak_kib(), rounds + 1);
	for (size_t i = 0; i < mail_count; i++)
		buf_clear(&mails[i]);
	free(mails);
	return 0;
}
