/*
 * fuzz_flat_json.c: flat_json_next() over any text. What it reads to the end is what Jansson reads, too, but for the numbers that are too large for it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/flat_json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_all(const char *text)
{
	struct flat_member m;
	int got;

	text = flat_json_begin(text);
	if (!text)
		return false;
	while ((got = flat_json_next(&text, &m)) == 1)
		;
	return got == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	json_error_t error;
	json_t *tree = json_loads(text, 0, &error);

	if (read_all(text) && !tree && json_error_code(&error) != json_error_numeric_overflow)
		abort();
	json_decref(tree);
	free(text);
	return 0;
}
