/*
 * ctl_doctor.c: nurturectl doctor: everything that mail needs and nurtured does not make itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "config/plan.h"
#include "doctor/doctor.h"

#include "ctl.h"

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

int ctl_doctor(const struct command *c)
{
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load(c->config, &errors);
	struct doctor_wish wish = { .plan = plan, .config = c->config, .resolver = c->resolver, .ca_file = c->ca_file };
	struct doctor *doctor = NULL;
	struct err err;
	int status = EXIT_WRONG_USAGE;

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
		print(c, doctor);
		status = status_of(doctor);
	}
	doctor_free(&doctor);
	plan_unref(&plan);
	return status;
}
