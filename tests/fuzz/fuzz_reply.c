/*
 * fuzz_reply.c: what a relay may say, to the reply parser and to the dialogue with two messages under way. Whatever comes, every message ends once, and
 * none is in doubt whose dot was not handed out.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../../daemon/send/dialogue.h"
#include "../../daemon/send/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_all(struct dialogue *d, size_t at_most)
{
	size_t n = dialogue_output(d).len;

	n = n < at_most ? n : at_most;
	if (n > 0)
		dialogue_written(d, n, n);
}

static int take_ends(struct dialogue *d)
{
	struct dialogue_end end;
	int n = 0;

	while (dialogue_next_end(d, &end)) {
		char id[64];

		n++;
		assert(strlen(end.reply.text) < sizeof(end.reply.text));
		assert(!end.in_doubt || end.envelope->granted);
		assert(end.trouble != TROUBLE_NONE || end.reply.code >= 200);
		outcome_judge(&end);
		outcome_relay_id(end.reply.text, id, sizeof(id));
	}
	return n;
}

/* First byte: what the relay can, whether to grant, how much is written between two pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope mails[4];
	struct dialogue d;
	size_t piece, at_most, i;
	int added = 0, ended = 0;
	uint8_t grants;

	if (size < 2)
		return 0;
	memset(mails, 0, sizeof(mails));
	for (i = 0; i < 4; i++) {
		snprintf(mails[i].return_path, sizeof(mails[i].return_path), "b@us.example");
		snprintf(mails[i].recipient, sizeof(mails[i].recipient), "p%zu@them.example", i);
		buf_str(&mails[i].body, "Subject: x\r\n\r\ny\r\n");
	}
	dialogue_init(&d, data[0] & 7, 0);
	piece = (size_t)(data[1] & 63) + 1;
	at_most = data[1] & 64 ? 5 : 100000;
	grants = data[0] >> 4;
	for (data += 2, size -= 2; size > 0 && !dialogue_closed(&d);) {
		size_t n = size < piece ? size : piece;

		while (added < 4 && dialogue_room(&d) > 0) {
			dialogue_add(&d, &mails[added]);
			if (!(grants >> added & 1))
				dialogue_grant(&d, &mails[added]);
			added++;
		}
		write_all(&d, at_most);
		dialogue_input(&d, (const char *)data, n);
		ended += take_ends(&d);
		data += n;
		size -= n;
	}
	dialogue_fail(&d, TROUBLE_LOST);
	ended += take_ends(&d);
	assert(ended == added);
	dialogue_clear(&d);
	for (i = 0; i < 4; i++)
		buf_clear(&mails[i].body);
	return 0;
}
