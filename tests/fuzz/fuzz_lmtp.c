/*
 * fuzz_lmtp.c: what an LMTP client says. The first byte chooses: a command line, or a message. A path holds no control character and a wrong
 * command has a reply of ours; a message means the same in one piece and in pieces, and is never longer than what was said.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/listen/lmtp_words.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_command(const char *line, size_t n)
{
	struct lmtp_command c;

	lmtp_command_read(&c, line, n);
	if (strlen(c.path) > LMTP_PATH_MAX || text_has_control(c.path, strlen(c.path)))
		abort();
	if (c.wrong && (c.wrong[0] != '5' || c.wrong[3] != ' '))
		abort();
	if (!c.wrong && (c.size < 0 || (c.verb == LMTP_RCPT && !*c.path) || c.verb == LMTP_UNKNOWN))
		abort();
}

/* How many bytes were taken; the message is in `d`. */
static size_t feed(struct lmtp_data *d, const char *s, size_t n, size_t step, bool *ended)
{
	size_t at = 0;

	*ended = false;
	while (at < n && !*ended)
		at += lmtp_data_feed(d, s + at, n - at < step ? n - at : step, ended);
	return at;
}

static void fuzz_message(const char *s, size_t n, size_t step)
{
	struct lmtp_data whole = { .most = 4096 }, pieces = { .most = 4096 };
	bool ended, ended_too;
	size_t took = feed(&whole, s, n, n, &ended), took_too = feed(&pieces, s, n, step, &ended_too);

	if (took != took_too || ended != ended_too || whole.size != pieces.size || whole.bytes.len != pieces.bytes.len ||
			memcmp(buf_cstr(&whole.bytes), buf_cstr(&pieces.bytes), whole.bytes.len) != 0)
		abort();
	if (whole.size > (int64_t)took || whole.bytes.len > 4096)
		abort();
	buf_clear(&whole.bytes);
	buf_clear(&pieces.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] % 2)
		fuzz_command((const char *)data + 1, size - 1);
	else
		fuzz_message((const char *)data + 1, size - 1, 1 + data[0] / 2);
	return 0;
}
