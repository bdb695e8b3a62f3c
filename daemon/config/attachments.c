/*
 * attachments.c: see attachments.h. What is in a file is of the plan's version too.
 */
#include <string.h>

#include "attachments.h"

struct known_attachment {
	struct known_attachment *next;
	const char *folder;
	struct attachment file;
};

const struct attachment *attachments_get(struct load *l, const char *folder, const char *name, enum attachment_kind kind, struct err *err)
{
	struct known_attachment *k;
	int rc;

	for (k = l->attachments; k; k = k->next) {
		if (!strcmp(k->folder, folder) && !strcmp(k->file.name, name))
			return &k->file;
	}
	k = arena_calloc(l->arena, 1, sizeof(*k));
	rc = kind == ATTACHMENT_PICTURE ? attachment_picture(folder, name, l->arena, &k->file, err)
					: attachment_read(folder, name, ATTACHMENTS_MAX, l->arena, &k->file, err);
	if (rc)
		return NULL;
	k->folder = folder;
	k->next = l->attachments;
	l->attachments = k;
	buf_add(&l->versions, k->file.digest, sizeof(k->file.digest));
	return &k->file;
}
