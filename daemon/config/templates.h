/*
 * templates.h: one template while a plan is loaded: read, compiled with its layout and partials, complained about where it stands.
 */
#ifndef CONFIG_TEMPLATES_H
#define CONFIG_TEMPLATES_H

#include "load.h"

/* Where layouts and partials are looked for; also the context of the compiler's look-ups. */
struct template_folder {
	struct load *load;
	const char *path;
	const char *language;	/* "de-AT": NAME.de-AT.liquid is taken before NAME.de.liquid, that before NAME.liquid; NULL: only that */
	bool text;		/* NAME.txt.liquid, of each of these, before NAME.liquid */
};

/* NULL if it cannot be read or is not there, with a complaint but for missing ones if it may be missing. */
const struct source *templates_read(struct load *l, const char *path, bool complain_missing);

/* The plan owns it; NULL after complaints. `name` is that of `source`, without its ending. */
const struct template *templates_compile(struct template_folder *folder, const char *name, const struct source *source,
		struct template_options *options);

/* A subject that stands in YAML, compiled for the header; NULL after a complaint inside the node. */
const struct template *templates_subject(struct load *l, const struct yaml_node *node);

/* The name of a file without its ending, as a text of the plan. */
char *templates_stem(struct load *l, const char *file, const char *suffix);

/* pages.c: alerts/NAME.liquid, compiled (once); NULL after a complaint at the node. */
const struct template *pages_alert(struct load *l, const struct yaml_node *node, const char *name);

#endif
