/* listen.c: the mailboxes of the plan in force. See mailbox.c for what one does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "decide/facts.h"
#include "listen/listen.h"

#include "mailbox.h"

struct listen {
	struct loop *loop;
	struct decide *decide;
	char *program;
	struct mailbox **boxes;
	size_t count;
};

/* Beside our own program, as they are built and installed. */
static char *find_program(void)
{
	char path[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return xasprintf("%s/nurtured-intake", path);
}

static int program_is_there(const struct listen *l, const struct plan *plan, struct err *err)
{
	if (plan->operator.mailbox_count && access(l->program, X_OK) < 0)
		return err_set(err, "%s is not there: mailboxes cannot be read without it", l->program);
	return 0;
}

/* The running one that is set up as the plan wants it, taken out of `old`. */
static struct mailbox *keep(
	struct mailbox **old, size_t count, const struct plan *plan, const struct mailbox_config *config)
{
	for (size_t i = 0; i < count; i++) {
		struct mailbox *box = old[i];

		if (box && mailbox_is_like(box, plan, config)) {
			old[i] = NULL;
			return box;
		}
	}
	return NULL;
}

int listen_reload(struct listen *l, struct err *err)
{
	struct plan *plan = decide_plan(l->decide);
	size_t count = plan->operator.mailbox_count;
	struct mailbox **boxes;

	if (program_is_there(l, plan, err) < 0)
		return -1;
	boxes = xcalloc(count + 1, sizeof(struct mailbox *));
	for (size_t i = 0; i < count; i++)
		boxes[i] = keep(l->boxes, l->count, plan, &plan->operator.mailboxes[i]);
	for (size_t i = 0; i < l->count; i++)	/* before others of the same name begin */
		mailbox_free(&l->boxes[i]);
	for (size_t i = 0; i < count; i++)
		if (boxes[i])
			mailbox_look(boxes[i]);
		else
			boxes[i] = mailbox_new(
				l->loop, l->decide, plan, &plan->operator.mailboxes[i], l->program);
	free(l->boxes);
	l->boxes = boxes;
	l->count = count;
	return 0;
}

int listen_start(struct loop *loop, struct decide *decide, struct listen **out, struct err *err)
{
	struct listen *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->decide = decide;
	l->program = find_program();
	if (listen_reload(l, err) < 0) {
		listen_stop(&l);
		return -1;
	}
	*out = l;
	return 0;
}

void listen_stop(struct listen **l)
{
	if (!*l)
		return;
	for (size_t i = 0; i < (*l)->count; i++)
		mailbox_free(&(*l)->boxes[i]);
	free((*l)->boxes);
	free((*l)->program);
	free(*l);
	*l = NULL;
}
