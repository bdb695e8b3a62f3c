/*
 * graph.c: see graph.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/text.h"
#include "config/words.h"
#include "console/graph.h"

#include "say.h"

#define LINE 30			/* characters of a line in a node */
#define LINES_MAX 8
#define SVG_MAX (16 * 1024 * 1024)

extern char **environ;

/* --- kinds ------------------------------------------------------------------------------------------ */

static const struct {
	const char *class, *shape;
	const char *fill, *line;		/* light */
	const char *dark_fill, *dark_line;
} kinds[] = {
	{ "enter", "ellipse", "#ffffff", "#57606a", "#0d1117", "#8b949e" },
	{ "mail", "box", "#ddf4ff", "#0969da", "#0c2d6b", "#58a6ff" },
	{ "test", "box", "#fbefff", "#8250df", "#3c1e70", "#bc8cff" },
	{ "wait", "box", "#fff8c5", "#9a6700", "#3b2300", "#d29922" },
	{ "branch", "hexagon", "#f6f8fa", "#57606a", "#161b22", "#8b949e" },
	{ "change", "box", "#dafbe1", "#1a7f37", "#033a16", "#3fb950" },
	{ "sales", "box", "#fff1e5", "#bc4c00", "#471700", "#f0883e" },
	{ "end", "ellipse", "#eaeef2", "#57606a", "#21262d", "#8b949e" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum kind { KIND_ENTER, KIND_MAIL, KIND_TEST, KIND_WAIT, KIND_BRANCH, KIND_CHANGE, KIND_SALES, KIND_END };

static enum kind kind_of(const struct step *step)
{
	switch (step->kind) {
	case STEP_SEND:
		return KIND_MAIL;
	case STEP_TEST:
		return KIND_TEST;
	case STEP_WAIT:
	case STEP_WAIT_UNTIL:
	case STEP_WAIT_FOR:
		return KIND_WAIT;
	case STEP_IF:
	case STEP_SPLIT:
		return KIND_BRANCH;
	case STEP_SET:
	case STEP_TAG:
	case STEP_MOVE:
		return KIND_CHANGE;
	case STEP_ALERT:
	case STEP_WEBHOOK:
		return KIND_SALES;
	case STEP_GO:
	case STEP_END:
	case STEP_KINDS:
		break;
	}
	return KIND_END;
}

/* --- text in DOT ------------------------------------------------------------------------------------ */

static void quoted(struct buf *out, const char *s)
{
	buf_char(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_char(out, '\\');
		buf_char(out, *s == '\n' ? ' ' : *s);
	}
	buf_char(out, '"');
}

/* Words in lines of an HTML-like label; long ones end in "...". */
static void wrapped(struct buf *out, const char *s)
{
	size_t column = 0;
	int lines = 1;

	while (*s) {
		size_t n = strcspn(s, " "), width = text_utf8_length(s, n);

		if (column && column + 1 + width > LINE) {
			if (++lines > LINES_MAX) {
				buf_str(out, " ...");
				return;
			}
			buf_str(out, "<BR/>");
			column = 0;
		} else if (column) {
			buf_char(out, ' ');
			column++;
		}
		text_html(out, s, n);
		column += width;
		s += n + strspn(s + n, " ");
	}
}

static void begin_node(struct buf *out, const char *sequence, const char *name, enum kind kind)
{
	buf_str(out, "  ");
	quoted(out, name);
	buf_printf(out, " [id=");
	struct buf id = BUF_INIT;

	buf_printf(&id, "%s-%s", sequence, *name ? name : "enter");
	quoted(out, buf_cstr(&id));
	buf_clear(&id);
	if (kind == KIND_BRANCH)
		buf_str(out, ", style=filled, margin=\"0.01,0.05\"");
	buf_printf(out, ", class=\"%s\", shape=%s, fillcolor=\"%s\", color=\"%s\", label=<", kinds[kind].class, kinds[kind].shape,
		kinds[kind].fill, kinds[kind].line);
}

/* --- steps ------------------------------------------------------------------------------------------ */

/* How many are at a step, in words; "" if it is not known or nobody. */
static void here(struct buf *out, const json_t *counts, const char *step)
{
	const json_t *steps = json_object_get(counts, "steps");
	size_t i;

	for (i = 0; i < json_array_size(steps); i++) {
		const json_t *row = json_array_get(steps, i);
		int64_t active = (int64_t)say_member_number(row, "active"), paused = (int64_t)say_member_number(row, "paused");

		if (strcmp(say_member(row, "step"), step) != 0 || (!active && !paused))
			continue;
		buf_str(out, "<BR/><B>");
		say_count(out, active, "person here", "people here");
		if (paused) {
			buf_str(out, ", ");
			say_count(out, paused, "paused", "paused");
		}
		buf_str(out, "</B>");
	}
}

/* A name that was given, not "wait-2". */
static bool is_named(const struct step *step)
{
	const char *dash = strrchr(step->name, '-');
	int64_t number;

	return !dash || text_int(dash + 1, &number) < 0 || step->kind == STEP_KINDS;
}

static void node(struct buf *out, const struct plan *plan, const struct sequence *s, const struct step *step, const json_t *counts)
{
	struct buf words = BUF_INIT;

	begin_node(out, s->name, step->name, kind_of(step));
	if (is_named(step)) {
		buf_str(out, "<B>");
		text_html(out, step->name, strlen(step->name));
		buf_str(out, "</B><BR/>");
	}
	words_step(&words, plan, step);
	wrapped(out, buf_cstr(&words));
	here(out, counts, step->name);
	buf_str(out, ">];\n");
	buf_clear(&words);
}

/* Where one comes to: `go` is no place of its own. */
static int behind_go(const struct sequence *s, int to)
{
	int i;

	for (i = 0; i <= s->step_count && to >= 0 && to < s->step_count && s->steps[to].kind == STEP_GO; i++)
		to = s->steps[to].then_step;
	return to;
}

static const char *name_of(const struct sequence *s, int to)
{
	to = behind_go(s, to);
	return to >= 0 && to < s->step_count ? s->steps[to].name : "the end";
}

static void edge(struct buf *out, const char *from, const char *to, const char *label, bool gives_up)
{
	buf_str(out, "  ");
	quoted(out, from);
	buf_str(out, " -> ");
	quoted(out, to);
	buf_str(out, " [class=\"way\"");
	if (*label) {
		struct buf spaced = BUF_INIT;

		buf_printf(&spaced, "  %s  ", label);	/* or the line touches it */
		buf_str(out, ", label=");
		quoted(out, buf_cstr(&spaced));
		buf_clear(&spaced);
	}
	buf_str(out, gives_up ? ", style=dashed];\n" : "];\n");
}

/* All arms of a test lead on: one way, that says so. */
static void edges(struct buf *out, const struct sequence *s, int index)
{
	const struct step *step = &s->steps[index];
	struct step_way ways[STEP_WAYS_MAX];
	size_t count = step_ways(s, index, ways), i;

	if (step->kind == STEP_TEST && count)
		count = 1;
	for (i = 0; i < count; i++) {
		const char *label = step->kind == STEP_TEST ? "" : ways[i].label;
		bool gives_up = strcmp(label, "otherwise") == 0 || strcmp(label, "else") == 0;

		if (step->kind == STEP_WAIT_FOR && !step->wait && gives_up)
			continue;	/* it waits for ever */
		edge(out, step->name, name_of(s, ways[i].to), label, gives_up);
	}
}

static bool leads_to_the_end(const struct sequence *s)
{
	struct step_way ways[STEP_WAYS_MAX];

	for (int i = 0; i < s->step_count; i++) {
		size_t count = step_ways(s, i, ways);

		for (size_t k = 0; k < count && s->steps[i].kind != STEP_GO; k++)
			if (behind_go(s, ways[k].to) >= s->step_count)
				return true;
	}
	return false;
}

/* --- the whole -------------------------------------------------------------------------------------- */

static void way_in(struct buf *out, const struct sequence *s)
{
	struct buf words = BUF_INIT;

	words_entry(&words, s);
	begin_node(out, s->name, "", KIND_ENTER);
	wrapped(out, buf_cstr(&words));
	if (s->holdout > 0)
		buf_printf(out, "<BR/>%g %% are held out", s->holdout * 100);
	buf_str(out, ">];\n");
	edge(out, "", name_of(s, 0), "", false);
	buf_clear(&words);
}

static void leave(struct buf *out, const char *what, const struct expression *e)
{
	struct buf text = BUF_INIT;

	if (!e)
		return;
	expression_print(e, &text);
	buf_printf(out, "%s when %s\\l", what, buf_cstr(&text));
	buf_clear(&text);
}

/* Below the picture: what makes people leave wherever they are. */
static void caption(struct buf *out, const struct sequence *s)
{
	struct buf text = BUF_INIT;

	leave(&text, "leaves as converted", s->goal);
	leave(&text, "leaves", s->exit);
	if (s->list)
		buf_printf(&text, "leaves when moved to another list than %s\\l", s->list);
	if (text.len) {
		const char *p;

		buf_str(out, "  label=\"");
		for (p = buf_cstr(&text); *p; p++) {
			if (*p == '"' || (*p == '\\' && p[1] != 'l'))
				buf_char(out, '\\');
			buf_char(out, *p);
		}
		buf_str(out, "\";\n");
	}
	buf_clear(&text);
}

void graph_dot(struct buf *out, const struct plan *plan, const struct sequence *s, const json_t *counts)
{
	int i;

	buf_str(out, "digraph ");
	quoted(out, s->name);
	buf_printf(out, " {\n  graph [id=\"%s-graph\", rankdir=TB, bgcolor=\"transparent\", labeljust=l, labelloc=b, nodesep=0.35, ranksep=0.4, pad=0.2,"
		" fontname=\"sans-serif\", fontsize=11, fontcolor=\"#24292f\"];\n"
		"  node [style=\"filled,rounded\", fontname=\"sans-serif\", fontsize=11, fontcolor=\"#24292f\", margin=\"0.15,0.1\"];\n"
		"  edge [fontname=\"sans-serif\", fontsize=10, fontcolor=\"#57606a\", color=\"#57606a\", arrowsize=0.7];\n", s->name);
	caption(out, s);
	way_in(out, s);
	for (i = 0; i < s->step_count; i++)
		if (s->steps[i].kind != STEP_GO)
			node(out, plan, s, &s->steps[i], counts);
	if (leads_to_the_end(s)) {
		begin_node(out, s->name, "the end", KIND_END);
		buf_str(out, "end: done>];\n");
	}
	for (i = 0; i < s->step_count; i++)
		if (s->steps[i].kind != STEP_GO)
			edges(out, s, i);
	buf_str(out, "}\n");
}

void graph_describe(struct buf *out, const struct plan *plan, const struct sequence *s)
{
	int i;

	buf_str(out, "Enters ");
	words_entry(out, s);
	buf_char(out, '.');
	for (i = 0; i < s->step_count; i++) {
		struct step_way ways[STEP_WAYS_MAX];
		size_t count = s->steps[i].kind == STEP_TEST ? 0 : step_ways(s, i, ways), k;

		buf_printf(out, " %s: ", s->steps[i].name);
		words_step(out, plan, &s->steps[i]);
		for (k = 0; k < count; k++)
			if (*ways[k].label || s->steps[i].kind == STEP_GO)
				buf_printf(out, "%s%s%s%s", s->steps[i].kind == STEP_GO ? " to " : k ? ", " : "; ", ways[k].label,
					*ways[k].label ? ": " : "", words_target(s, ways[k].to));
		buf_char(out, '.');
	}
}

/* --- dot -------------------------------------------------------------------------------------------- */

static int read_all(int fd, struct buf *out, struct err *err)
{
	char bytes[8192];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (out->len + (size_t)n > SVG_MAX)
			return err_set(err, "dot's picture is too big");
		buf_add(out, bytes, (size_t)n);
	}
	return n < 0 ? err_set(err, "reading from dot: %s", strerror(errno)) : 0;
}

/* The text as a file that the child reads, so that neither waits for the other. */
static int text_file(const struct buf *text, struct err *err)
{
	int fd = memfd_create("dot", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return err_set(err, "memfd: %s", strerror(errno));
	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0) {
			err_set(err, "memfd: %s", strerror(errno));
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Its standard output in *from; -1: it cannot be started. */
static int start_dot(int input, pid_t *pid, int *from, struct err *err)
{
	char name[] = "dot", form[] = "-Tsvg", *argv[] = { name, form, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, "pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	rc = posix_spawnp(pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		return rc == ENOENT ? err_set(err, "there is no `dot` here: install graphviz, or take the text by --dot")
			: err_set(err, "dot: %s", strerror(rc));
	}
	*from = ends[0];
	return 0;
}

int graph_run_dot(const struct buf *dot, struct buf *out, struct err *err)
{
	int input = text_file(dot, err), from = -1, status = 0, rc;
	pid_t pid = 0;

	if (input < 0)
		return -1;
	rc = start_dot(input, &pid, &from, err);
	close(input);
	if (rc < 0)
		return -1;
	rc = read_all(from, out, err);
	close(from);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status)))
		return err_set(err, "dot made no picture: status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return rc;
}

/* --- fit for a page --------------------------------------------------------------------------------- */

/* CSS wins over the attributes that dot writes. Everything is named below the picture's own id. */
static void styles(struct buf *out, const char *id)
{
	size_t i;

	buf_printf(out, "<style>#%s text{font-family:system-ui,sans-serif}@media (prefers-color-scheme:dark){", id);
	buf_printf(out, "#%s text{fill:#e6edf3}#%s .way text,#%s .way path{fill:#8b949e}#%s .way path{fill:none;stroke:#8b949e}"
		"#%s .way polygon{fill:#8b949e;stroke:#8b949e}", id, id, id, id, id);
	for (i = 0; i < KINDS; i++)
		buf_printf(out, "#%s .%s path,#%s .%s polygon,#%s .%s ellipse{fill:%s;stroke:%s}", id, kinds[i].class, id, kinds[i].class, id,
			kinds[i].class, kinds[i].dark_fill, kinds[i].dark_line);
	buf_str(out, "}</style>\n");
}

int graph_finish(struct buf *out, const char *svg, const char *sequence, const char *description, struct err *err)
{
	const char *start = strstr(svg, "<svg"), *end = start ? strchr(start, '>') : NULL;
	struct buf id = BUF_INIT;

	if (!end)
		return err_set(err, "dot made no SVG");
	buf_printf(&id, "%s-picture", sequence);
	buf_printf(out, "<svg id=\"%s\" role=\"img\" aria-labelledby=\"%s-title %s-description\" style=\"max-width:100%%;height:auto\"",
		buf_cstr(&id), buf_cstr(&id), buf_cstr(&id));
	buf_add(out, start + strlen("<svg"), (size_t)(end - start) - strlen("<svg") + 1);
	buf_printf(out, "\n<title id=\"%s-title\">Sequence ", buf_cstr(&id));
	text_html(out, sequence, strlen(sequence));
	buf_printf(out, "</title>\n<desc id=\"%s-description\">", buf_cstr(&id));
	text_html(out, description, strlen(description));
	buf_str(out, "</desc>\n");
	styles(out, buf_cstr(&id));
	buf_str(out, end + 1);
	buf_clear(&id);
	return 0;
}
