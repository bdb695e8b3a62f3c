/*
 * replay.c: a fuzzer's function over the files that are named, without libFuzzer: what once was found stays mended.
 * A folder without seeds is a mistake, so it takes one file at least.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_file(const char *path, struct buf *out)
{
	char piece[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return -1;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	n = (size_t)ferror(f);
	fclose(f);
	return n ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct buf data = BUF_INIT;
	int i;

	if (argc < 2)
		return 2;
	for (i = 1; i < argc; i++) {
		buf_clear(&data);	/* a block of its own each, so that the sanitizer sees its end */
		if (read_file(argv[i], &data) < 0) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&data), data.len);
	}
	buf_clear(&data);
	printf("%d seeds\n", argc - 1);
	return 0;
}
