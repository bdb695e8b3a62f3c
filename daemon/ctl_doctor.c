/*
 * ctl_doctor.c: nurturectl doctor: everything that mail needs and nurtured does not make itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/text.h"
#include "config/plan.h"
#include "doctor/doctor.h"

#include "ctl.h"

#define WAIT_S 120
#define WAIT_MOST_S 3600

/* 1: warnings; 2: errors */
static int status_of(const struct doctor *doctor)
{
	switch (doctor_worst(doctor)) {
	case DOCTOR_OK: case DOCTOR_NOTE:
		return EXIT_DONE;
	case DOCTOR_WARNING:
		return EXIT_REFUSED;
	case DOCTOR_ERROR:
		return EXIT_ERRORS;
	}
	return EXIT_ERRORS;
}

static void print(const struct command *c, const struct doctor *doctor)
{
	json_t *json = doctor_json(doctor);
	struct buf out = BUF_INIT;

	if (c->json) {
		char *text = json_dumps(json, JSON_INDENT(2));

		puts(text ? text : "null");
		free(text);
	} else {
		doctor_print(&out, json);
		fwrite(buf_cstr(&out), 1, out.len, stdout);
	}
	buf_clear(&out);
	json_decref(json);
}

/* -1 has complained. */
static int seconds(const struct command *c)
{
	int64_t wait = WAIT_S;

	if (c->wait && (text_int(c->wait, &wait) < 0 || wait < 1 || wait > WAIT_MOST_S)) {
		ctl_complain("--wait is 1 to 3600 seconds");
		return -1;
	}
	return (int)wait;
}

int ctl_doctor(const struct command *c)
{
	struct plan_errors errors = { 0 };
	int wait = seconds(c);
	struct plan *plan = wait < 0 ? NULL : plan_load(c->config, &errors);
	struct doctor_wish wish = { .plan = plan, .config = c->config, .resolver = c->resolver, .ca_file = c->ca_file };
	struct doctor *doctor = NULL;
	struct err err;
	int status = EXIT_WRONG_USAGE;

	if (wait < 0)
		return EXIT_WRONG_USAGE;
	if (!plan) {
		fputs(buf_cstr(&errors.text), stderr);
		buf_clear(&errors.text);
		return EXIT_BAD_CONFIG;
	}
	buf_clear(&errors.text);
	if (doctor_new(&wish, &doctor, &err) < 0) {
		ctl_complain(err.text);
	} else {
		doctor_look(doctor);
		if (c->probe)
			ctl_probe(c, plan, wait, doctor);
		print(c, doctor);
		status = status_of(doctor);
	}
	doctor_free(&doctor);
	plan_unref(&plan);
	return status;
}
