/*
 * media.c: see media.h.
 */
#include <string.h>
#include <strings.h>

#include "base/media.h"

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".pdf", "application/pdf" },
	{ ".epub", "application/epub+zip" },
	{ ".zip", "application/zip" },
	{ ".txt", "text/plain" },
	{ ".csv", "text/csv" },
	{ ".ics", "text/calendar" },
	{ ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ ".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".jpeg", "image/jpeg" },
	{ ".gif", "image/gif" },
	{ ".mp4", "video/mp4" },
	{ ".mp3", "audio/mpeg" },
};

const char *media_type(const char *file)
{
	size_t n = strlen(file);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t ending = strlen(types[i].ending);

		if (n > ending && !strcasecmp(file + n - ending, types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}
