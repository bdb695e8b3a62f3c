/*
 * script.c: GET /nurture.js: the file beside this one, put into the program by the assembler.
 */
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "parts.h"

/* the path is the compiler's working directory's: make runs at the top of the tree */
__asm__(
	".section .rodata\n"
	".global nurture_js\n.type nurture_js, @object\n"
	"nurture_js:\n.incbin \"daemon/ingest/nurture.js\"\n"
	".global nurture_js_end\n.type nurture_js_end, @object\n"
	"nurture_js_end:\n.byte 0\n"
	".previous\n");

extern const char nurture_js[], nurture_js_end[];

static const char *tag_of(struct arena *arena, size_t size)
{
	uint8_t digest[SHA256_SIZE];
	struct buf hex = BUF_INIT;
	const char *tag;

	digest_sha256(nurture_js, size, digest);
	text_hex(&hex, digest, 8);
	tag = arena_printf(arena, "\"%s\"", buf_cstr(&hex));
	buf_clear(&hex);
	return tag;
}

void script_get(void *ctx, struct http_request *r)
{
	size_t size = (size_t)(nurture_js_end - nurture_js);
	const char *tag = tag_of(http_arena(r), size), *has = http_header(r, "If-None-Match");

	http_set_header(r, "Cache-Control", "public, max-age=3600");
	http_set_header(r, "ETag", tag);
	http_set_header(r, "Cross-Origin-Resource-Policy", "cross-origin");
	if (has && strcmp(has, tag) == 0)
		http_reply(r, 304, NULL, NULL, 0);
	else
		http_reply(r, 200, "text/javascript", nurture_js, size);
}
