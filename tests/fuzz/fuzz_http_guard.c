/*
 * fuzz_http_guard.c: the guard over any bytes, cut at any place: the verdict does not depend on how the bytes came.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/base/http_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_guard whole = { 0 }, cut = { 0 };
	size_t step = size ? data[size - 1] % 7 + 1 : 1, i;

	http_guard_feed(&whole, data, size);
	for (i = 0; i < size; i += step)
		http_guard_feed(&cut, data + i, size - i < step ? size - i : step);
	if (whole.begun != cut.begun || whole.bad_at != cut.bad_at || whole.fault != cut.fault || whole.left != cut.left)
		abort();
	if (whole.bad_at > whole.begun || !whole.bad_at != !whole.fault)
		abort();
	return 0;
}
