/*
 * intake_program.c: see intake_program.h.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/plan.h"
#include "listen/frame.h"

#include "intake_program.h"
#include "lexicon.h"

char *intake_program_find(void)
{
	char path[4096], *slash, *beside, *installed;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	beside = xasprintf("%s/nurtured-intake", path);
	if (access(beside, X_OK) == 0)
		return beside;
	installed = xasprintf("%s/../sbin/nurtured-intake", path);
	if (access(installed, X_OK) == 0) {
		free(beside);
		return installed;
	}
	free(installed);
	return beside;
}

int intake_program_start(const char *program, int fd, pid_t *pid_out)
{
	char name[] = "nurtured-intake", lang[] = "LANG=C.UTF-8";
	char *argv[] = { name, NULL }, *env[] = { lang, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, fd, FRAME_FD);
	/* libcurl's sockets would go along: not for mail from outside, nor to be held open when they are closed here */
	posix_spawn_file_actions_addclosefrom_np(&files, FRAME_FD + 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid_out, program, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Those that mail comes back to, each once. */
static json_t *own_domains(const struct operator_config *o)
{
	json_t *all = json_array(), *seen = json_object();

	for (size_t i = 0; i < o->sender_count; i++) {
		json_object_set_new(seen, o->senders[i].reply_domain, json_true());
		json_object_set_new(seen, o->senders[i].bounce_domain, json_true());
	}
	for (void *at = json_object_iter(seen); at; at = json_object_iter_next(seen, at))
		json_array_append_new(all, json_string(json_object_iter_key(at)));
	json_decref(seen);
	return all;
}

static json_t *texts(const char *const *list)
{
	json_t *array = json_array();

	for (; *list; list++)
		json_array_append_new(array, json_string(*list));
	return array;
}

_Static_assert(REPLIES_MEANINGS == MEANINGS_MAX, "the vocabulary of a plan fits");

static json_t *vocabulary(const struct replies *r)
{
	json_t *out = json_object();

	for (size_t i = 0; i < r->vocabulary_count; i++) {
		const struct word_list *w = &r->vocabulary[i];

		if (!json_object_get(out, w->language))
			json_object_set_new(out, w->language, json_object());
		json_object_set_new(json_object_get(out, w->language), w->meaning, json_string(w->words));
	}
	return out;
}

static json_t *replies(const struct replies *r)
{
	json_t *out = json_pack("{sf sf sf si si}", "line", r->line, "order", r->order, "word", r->word, "long_text", r->long_text, "many", r->many),
	       *intents = json_array();

	for (size_t i = 0; i < r->intent_count; i++) {
		const struct reply_intent *t = &r->intents[i];

		json_array_append_new(intents, json_pack("{ss sf sf sf sb sb so so so so so so so}", "name", t->name, "weight", t->weight, "like", t->like, "unlike", t->unlike, "hot", t->action == REPLY_HOT,
						       "alone", t->alone, "over", texts(t->over), "say", texts(t->say), "unless", texts(t->unless), "means", texts(t->means), "but_not", texts(t->but_not),
						       "own_say", texts(t->own_say), "own_means", texts(t->own_means)));
	}
	json_object_set_new(out, "vocabulary", vocabulary(r));
	json_object_set_new(out, "intents", intents);
	return out;
}

json_t *intake_setting(const struct plan *plan)
{
	json_t *setting = json_object();

	json_object_set_new(setting, "own_domains", own_domains(&plan->operator));
	json_object_set_new(setting, "replies", replies(&plan->replies));
	return setting;
}
