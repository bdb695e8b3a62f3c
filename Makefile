# nurtured. `make help` lists what there is.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION := 0.1.0
PREFIX ?= /usr
DESTDIR ?=
CC ?= gcc

comma := ,
# SAN=address,undefined or SAN=thread builds into a folder of its own; CRASH=1 adds the crash points of the kill harness.
BUILD := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(CRASH),/crash)$(if $(BREAK),-$(BREAK))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wformat=2 -Wvla \
	-Wno-unused-parameter
HARDEN := -fstack-protector-strong -fPIE
ifeq ($(SAN),)
HARDEN += -D_FORTIFY_SOURCE=2
else
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined)
endif

PKGS := libevent_core libevent_pthreads sqlite3 jansson yaml-0.1 libcrypto libidn2 libpsl libpcre2-8 glib-2.0
PKGS_INTAKE := libetpan libxml-2.0 gnutls
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) libxml-2.0 2>/dev/null)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARN) $(HARDEN) $(SANFLAGS) $(if $(WERROR),-Werror) -Iinclude $(PKG_CFLAGS) \
	$(if $(CRASH),-DNURTURED_CRASH) $(if $(BREAK),-DNURTURED_BREAK_$(BREAK)) -pthread $(CFLAGS)
ALL_LDFLAGS = $(SANFLAGS) -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS)
# libcurl's OpenSSL flavour by its soname; libetpan-dev insists on the headers of the other one
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -l:libcurl.so.4 -lresolv -lm
# servers of tests speak TLS themselves, which the daemon leaves to libcurl, and HTTP in another's words than the daemon's
LIBS_PEERS := -lssl $(shell pkg-config --libs libevent_extra 2>/dev/null)
# libetpan.pc tells how Debian built it, too
LIBS_INTAKE := $(filter-out -specs=%,$(shell pkg-config --libs $(PKGS_INTAKE) 2>/dev/null))

# --- sources, a folder at a time --------------------------------------------------------------------------------

FOLDERS := base language config store decide simulate ingest send listen handoff console doctor

SRC_base := \
	daemon/base/address.c \
	daemon/base/answer.c \
	daemon/base/bearer.c \
	daemon/base/buf.c \
	daemon/base/clock.c \
	daemon/base/crash.c \
	daemon/base/csv.c \
	daemon/base/digest.c \
	daemon/base/endpoint.c \
	daemon/base/err.c \
	daemon/base/flat_json.c \
	daemon/base/folder.c \
	daemon/base/http.c \
	daemon/base/http_connection.c \
	daemon/base/http_parse.c \
	daemon/base/http_reply.c \
	daemon/base/http_request.c \
	daemon/base/id.c \
	daemon/base/log.c \
	daemon/base/loop.c \
	daemon/base/media.c \
	daemon/base/meaning_form.c \
	daemon/base/mem.c \
	daemon/base/metrics.c \
	daemon/base/mx.c \
	daemon/base/networks.c \
	daemon/base/notify.c \
	daemon/base/patterns.c \
	daemon/base/random.c \
	daemon/base/reason.c \
	daemon/base/reason_codes.c \
	daemon/base/reason_hosts.c \
	daemon/base/reason_status.c \
	daemon/base/reason_words.c \
	daemon/base/signature.c \
	daemon/base/text.c \
	daemon/base/text_codec.c \
	daemon/base/text_number.c \
	daemon/base/token.c \
	daemon/base/transfer.c \
	daemon/base/zone.c

SRC_language := \
	daemon/language/as_text.c \
	daemon/language/check.c \
	daemon/language/compile.c \
	daemon/language/dates.c \
	daemon/language/evaluate.c \
	daemon/language/expression.c \
	daemon/language/filters.c \
	daemon/language/filters_list.c \
	daemon/language/filters_number.c \
	daemon/language/filters_text.c \
	daemon/language/html.c \
	daemon/language/letters.c \
	daemon/language/lex.c \
	daemon/language/lint.c \
	daemon/language/lint_look.c \
	daemon/language/lint_url.c \
	daemon/language/lint_walk.c \
	daemon/language/operand.c \
	daemon/language/pattern.c \
	daemon/language/pieces.c \
	daemon/language/print.c \
	daemon/language/render.c \
	daemon/language/semantics.c \
	daemon/language/tags.c \
	daemon/language/template.c \
	daemon/language/template_print.c \
	daemon/language/value.c \
	daemon/language/vocabulary.c

SRC_config := \
	daemon/config/attachment.c \
	daemon/config/attachments.c \
	daemon/config/check.c \
	daemon/config/check_mails.c \
	daemon/config/check_truth.c \
	daemon/config/check_ways.c \
	daemon/config/difference.c \
	daemon/config/esp.c \
	daemon/config/forms.c \
	daemon/config/holidays.c \
	daemon/config/keys.c \
	daemon/config/languages.c \
	daemon/config/load.c \
	daemon/config/mailboxes.c \
	daemon/config/mails.c \
	daemon/config/moment.c \
	daemon/config/names.c \
	daemon/config/nurture.c \
	daemon/config/operator.c \
	daemon/config/persona.c \
	daemon/config/pages.c \
	daemon/config/phrases.c \
	daemon/config/plan.c \
	daemon/config/reference.c \
	daemon/config/replies.c \
	daemon/config/rules.c \
	daemon/config/sales.c \
	daemon/config/scalar.c \
	daemon/config/secret.c \
	daemon/config/sequence_version.c \
	daemon/config/sequences.c \
	daemon/config/shape.c \
	daemon/config/source.c \
	daemon/config/step_tests.c \
	daemon/config/step_verbs.c \
	daemon/config/step_ways.c \
	daemon/config/steps.c \
	daemon/config/targets.c \
	daemon/config/templates.c \
	daemon/config/topics.c \
	daemon/config/words.c \
	daemon/config/yaml.c

SRC_store := \
	daemon/store/alarms.c \
	daemon/store/alerts.c \
	daemon/store/claim_pack.c \
	daemon/store/claim_rows.c \
	daemon/store/claims.c \
	daemon/store/consents.c \
	daemon/store/db.c \
	daemon/store/deliveries.c \
	daemon/store/disk.c \
	daemon/store/domain_days.c \
	daemon/store/enrolments.c \
	daemon/store/erase.c \
	daemon/store/events.c \
	daemon/store/export.c \
	daemon/store/hits.c \
	daemon/store/held.c \
	daemon/store/holds.c \
	daemon/store/inbound.c \
	daemon/store/journal.c \
	daemon/store/leads.c \
	daemon/store/leases.c \
	daemon/store/log_file.c \
	daemon/store/mailboxes.c \
	daemon/store/marks.c \
	daemon/store/memory.c \
	daemon/store/migrations.c \
	daemon/store/mx_hosts.c \
	daemon/store/once.c \
	daemon/store/outlet.c \
	daemon/store/packs.c \
	daemon/store/page_cache.c \
	daemon/store/prospects.c \
	daemon/store/queue.c \
	daemon/store/reader.c \
	daemon/store/rows.c \
	daemon/store/settings.c \
	daemon/store/sqlite.c \
	daemon/store/store.c \
	daemon/store/suppressions.c \
	daemon/store/settler.c \
	daemon/store/syncer.c \
	daemon/store/terms.c \
	daemon/store/trials.c \
	daemon/store/turns.c \
	daemon/store/versions.c \
	daemon/store/touches.c \
	daemon/store/visitors.c

SRC_decide := \
	daemon/decide/advice.c \
	daemon/decide/alert.c \
	daemon/decide/ask_mx.c \
	daemon/decide/budget.c \
	daemon/decide/calendar.c \
	daemon/decide/crowd.c \
	daemon/decide/digest.c \
	daemon/decide/decay.c \
	daemon/decide/decide.c \
	daemon/decide/enroll.c \
	daemon/decide/forget.c \
	daemon/decide/gate.c \
	daemon/decide/goal_rate.c \
	daemon/decide/hand.c \
	daemon/decide/hit_sums.c \
	daemon/decide/hold.c \
	daemon/decide/hot.c \
	daemon/decide/judge.c \
	daemon/decide/look.c \
	daemon/decide/look_export.c \
	daemon/decide/look_hits.c \
	daemon/decide/look_score.c \
	daemon/decide/look_sequences.c \
	daemon/decide/look_shape.c \
	daemon/decide/look_why.c \
	daemon/decide/keys.c \
	daemon/decide/on_bounce.c \
	daemon/decide/on_doubt.c \
	daemon/decide/on_claim.c \
	daemon/decide/on_dot.c \
	daemon/decide/on_download.c \
	daemon/decide/on_enroll.c \
	daemon/decide/on_erase.c \
	daemon/decide/on_esp.c \
	daemon/decide/on_hit.c \
	daemon/decide/on_identify.c \
	daemon/decide/on_mail.c \
	daemon/decide/on_outcome.c \
	daemon/decide/on_preferences.c \
	daemon/decide/on_rescore.c \
	daemon/decide/on_reply.c \
	daemon/decide/on_reread.c \
	daemon/decide/on_sales.c \
	daemon/decide/on_signup.c \
	daemon/decide/on_test_mail.c \
	daemon/decide/on_time.c \
	daemon/decide/on_track.c \
	daemon/decide/on_unsubscribe.c \
	daemon/decide/outlook.c \
	daemon/decide/owner.c \
	daemon/decide/pace.c \
	daemon/decide/person.c \
	daemon/decide/person_fields.c \
	daemon/decide/person_happen.c \
	daemon/decide/person_settle.c \
	daemon/decide/person_tags.c \
	daemon/decide/person_topics.c \
	daemon/decide/score.c \
	daemon/decide/sequence.c \
	daemon/decide/sequence_enter.c \
	daemon/decide/sequence_leave.c \
	daemon/decide/shape.c \
	daemon/decide/shape_group.c \
	daemon/decide/shape_keep.c \
	daemon/decide/shape_mx.c \
	daemon/decide/shape_table.c \
	daemon/decide/shape_undo.c \
	daemon/decide/sweep.c \
	daemon/decide/trial.c \
	daemon/decide/values.c \
	daemon/decide/verdict.c \
	daemon/decide/version.c \
	daemon/decide/visitors.c

SRC_simulate := \
	daemon/simulate/agenda.c \
	daemon/simulate/deeds.c \
	daemon/simulate/engine.c \
	daemon/simulate/golden.c \
	daemon/simulate/habits.c \
	daemon/simulate/people.c \
	daemon/simulate/population.c \
	daemon/simulate/post.c \
	daemon/simulate/render.c \
	daemon/simulate/tally.c \
	daemon/simulate/thing.c \
	daemon/simulate/timeline.c \
	daemon/simulate/watch.c

SRC_ingest := \
	daemon/ingest/behaviour.c \
	daemon/ingest/body.c \
	daemon/ingest/book.c \
	daemon/ingest/consent.c \
	daemon/ingest/downloads.c \
	daemon/ingest/esp.c \
	daemon/ingest/esp_brevo.c \
	daemon/ingest/esp_mailgun.c \
	daemon/ingest/esp_mailjet.c \
	daemon/ingest/esp_postmark.c \
	daemon/ingest/esp_read.c \
	daemon/ingest/esp_sendgrid.c \
	daemon/ingest/esp_ses.c \
	daemon/ingest/esp_sign.c \
	daemon/ingest/field_value.c \
	daemon/ingest/forms.c \
	daemon/ingest/ingest.c \
	daemon/ingest/links.c \
	daemon/ingest/message.c \
	daemon/ingest/origins.c \
	daemon/ingest/pages.c \
	daemon/ingest/preferences.c \
	daemon/ingest/range.c \
	daemon/ingest/rates.c \
	daemon/ingest/reading.c \
	daemon/ingest/routes.c \
	daemon/ingest/sales.c \
	daemon/ingest/script.c \
	daemon/ingest/signup_page.c \
	daemon/ingest/sns.c \
	daemon/ingest/touch.c \
	daemon/ingest/utm.c

SRC_send := \
	daemon/send/breaker.c \
	daemon/send/compose.c \
	daemon/send/connection.c \
	daemon/send/dialogue.c \
	daemon/send/mime.c \
	daemon/send/mime_body.c \
	daemon/send/outcome.c \
	daemon/send/posts.c \
	daemon/send/record.c \
	daemon/send/relay.c \
	daemon/send/reply.c \
	daemon/send/report.c \
	daemon/send/send.c \
	daemon/send/speed.c \
	daemon/send/stock.c

SRC_listen := \
	daemon/listen/auto_reply.c \
	daemon/listen/bounce.c \
	daemon/listen/bounce_notice.c \
	daemon/listen/candidates.c \
	daemon/listen/charset.c \
	daemon/listen/classify.c \
	daemon/listen/evidence.c \
	daemon/listen/frame.c \
	daemon/listen/headers.c \
	daemon/listen/html_text.c \
	daemon/listen/imap_after.c \
	daemon/listen/imap_copied.c \
	daemon/listen/imap_idle.c \
	daemon/listen/imap_session.c \
	daemon/listen/imap_source.c \
	daemon/listen/incoming.c \
	daemon/listen/intent_sets.c \
	daemon/listen/intake_process.c \
	daemon/listen/intake_program.c \
	daemon/listen/intents.c \
	daemon/listen/listen.c \
	daemon/listen/likeness.c \
	daemon/listen/lmtp.c \
	daemon/listen/lmtp_words.c \
	daemon/listen/mail.c \
	daemon/listen/mail_job.c \
	daemon/listen/mail_reader.c \
	daemon/listen/mailbox.c \
	daemon/listen/mailbox_jobs.c \
	daemon/listen/maildir_source.c \
	daemon/listen/mime.c \
	daemon/listen/pop3_source.c \
	daemon/listen/reading.c \
	daemon/listen/reception.c \
	daemon/listen/reply_marks.c \
	daemon/listen/reply_text.c \
	daemon/listen/report.c \
	daemon/listen/return_date.c \
	daemon/listen/sandbox.c \
	daemon/listen/sasl.c \
	daemon/listen/reread.c \
	daemon/listen/ses_notice.c \
	daemon/listen/source.c \
	daemon/listen/speech.c \
	daemon/listen/tls_stream.c \
	daemon/listen/tokens.c \
	daemon/listen/lexicon.c \
	daemon/listen/words.c

SRC_handoff := \
	daemon/handoff/guard.c \
	daemon/handoff/handoff.c \
	daemon/handoff/request.c \
	daemon/handoff/retry.c

SRC_console := \
	daemon/console/act.c \
	daemon/console/command.c \
	daemon/console/console.c \
	daemon/console/enroll.c \
	daemon/console/gauges.c \
	daemon/console/graph.c \
	daemon/console/hits.c \
	daemon/console/lines.c \
	daemon/console/listing.c \
	daemon/console/mail_in.c \
	daemon/console/page_enroll.c \
	daemon/console/key_ring.c \
	daemon/console/page_plan.c \
	daemon/console/page_reply.c \
	daemon/console/page_score.c \
	daemon/console/page_sequence.c \
	daemon/console/page_why.c \
	daemon/console/plans.c \
	daemon/console/preview.c \
	daemon/console/proofread.c \
	daemon/console/problems.c \
	daemon/console/report.c \
	daemon/console/reread.c \
	daemon/console/say.c \
	daemon/console/send_test.c \
	daemon/console/sequences.c \
	daemon/console/shape.c \
	daemon/console/slices.c \
	daemon/console/snapshot.c \
	daemon/console/template_file.c \
	daemon/console/view.c \
	daemon/console/view_mails.c

SRC_doctor := \
	daemon/doctor/dkim.c \
	daemon/doctor/doctor.c \
	daemon/doctor/domains.c \
	daemon/doctor/findings.c \
	daemon/doctor/letter.c \
	daemon/doctor/machine.c \
	daemon/doctor/mailboxes.c \
	daemon/doctor/names.c \
	daemon/doctor/peer.c \
	daemon/doctor/probe.c \
	daemon/doctor/records.c \
	daemon/doctor/relays.c \
	daemon/doctor/rules.c \
	daemon/doctor/spf.c \
	daemon/doctor/web.c

# what a folder may use: itself and what lies below it
NEED_base := base
NEED_language := language $(NEED_base)
NEED_config := config $(NEED_language)
NEED_store := store $(NEED_base)
NEED_decide := decide store config language base
NEED_simulate := simulate $(NEED_decide)
NEED_ingest := ingest $(NEED_decide)
NEED_send := send $(NEED_decide)
NEED_listen := listen $(NEED_decide)
NEED_handoff := handoff $(NEED_decide)
NEED_console := console $(NEED_decide)
NEED_doctor := doctor $(NEED_config)
NEED_all := doctor console handoff listen send ingest simulate $(NEED_decide)

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
lib = $(foreach f,$(NEED_$(1)),$(BUILD)/lib$(f).a)

PROGRAMS := $(BUILD)/nurtured $(BUILD)/nurturectl $(BUILD)/nurtured-intake
PEERS := $(patsubst tests/peers/%.c,$(BUILD)/peers/%,$(wildcard tests/peers/*.c))

.PHONY: all
all: $(PROGRAMS) $(PEERS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define folder
$(BUILD)/lib$(1).a: $$(call obj,$$(SRC_$(1)))
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$f)))

$(BUILD)/nurtured: $(call obj,daemon/main.c) $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

$(BUILD)/nurturectl: $(call obj,daemon/ctl.c daemon/ctl_doctor.c daemon/ctl_enroll.c daemon/ctl_graph.c daemon/ctl_ingest.c daemon/ctl_probe.c daemon/ctl_reclassify.c daemon/ctl_reply.c daemon/ctl_retry.c daemon/ctl_send_test.c daemon/ctl_simulate.c \
	daemon/ctl_suppression.c) $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

$(BUILD)/nurtured-intake: $(call obj,daemon/intake.c) $(BUILD)/liblisten.a $(BUILD)/libbase.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(filter %.a,$^) $(LIBS_INTAKE) $(filter-out -l:libcurl.so.4,$(LIBS))

$(BUILD)/peers/%: $(BUILD)/tests/peers/%.o $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(LIBS_PEERS)

# --- tests: tests/<folder>/test_<file>.c, each a program that links its folder and what lies below it ---------------

UNIT_SRC := $(foreach f,$(FOLDERS),$(wildcard tests/$f/test_*.c))
UNIT := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))

# what replies say is read by listen, here as in nurturectl
WITH_simulate := all

define unit
$(patsubst %.c,$(BUILD)/%,$(1)): $(call obj,$(1)) $(call lib,$(or $(WITH_$(2)),$(2)))
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group -lcmocka $$(if $$(filter listen,$(2)),$$(LIBS_INTAKE)) $$(LIBS) $$(if $$(filter base send handoff,$(2)),$$(LIBS_PEERS))
endef
$(foreach f,$(FOLDERS),$(foreach t,$(wildcard tests/$f/test_*.c),$(eval $(call unit,$t,$f))))

# make unit-language: the unit tests of one folder
unit-%:
	$(MAKE) $(patsubst tests/$*/%.c,$(BUILD)/tests/$*/%,$(wildcard tests/$*/test_*.c))
	@for t in $(patsubst tests/$*/%.c,$(BUILD)/tests/$*/%,$(wildcard tests/$*/test_*.c)); do echo "== $$t"; $$t || exit 1; done

# what answers cases for tests/flow/liquid.py
$(BUILD)/tests/language/batch: $(call obj,tests/language/batch.c) $(call lib,language)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# what learns daemon/listen/likeness.weights from texts
$(BUILD)/tests/listen/learn_likeness: $(call obj,tests/listen/learn_likeness.c) $(call lib,listen)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_INTAKE) $(LIBS)

.PHONY: likeness
likeness: $(BUILD)/tests/listen/learn_likeness ## learn anew which replies are wishes to get no more mails (tests/listen/texts)
	$< -o daemon/listen/likeness.weights $(sort $(wildcard tests/listen/texts/*.txt)) \
		$(filter-out %_unseen.txt,$(sort $(wildcard tests/listen/words/wishes*.txt tests/listen/words/unsubscribe*.txt tests/listen/words/other*.txt)))

# what composes cases for tests/flow/messages.py
$(BUILD)/tests/send/letters: $(call obj,tests/send/letters.c) $(call lib,send)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# a reader that does what mails tell it to, for tests/flow/sandbox.py
$(BUILD)/tests/listen/wild/nurtured-intake: $(call obj,daemon/intake.c tests/listen/wild.c) $(BUILD)/liblisten.a $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -Wl,--wrap=reading_make -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_INTAKE) $(filter-out -l:libcurl.so.4,$(LIBS))

.PHONY: units
units: $(UNIT) $(BUILD)/tests/listen/learn_likeness $(BUILD)/tests/language/batch $(BUILD)/tests/send/letters $(BUILD)/tests/listen/wild/nurtured-intake

# --- benches: tests/bench/bench_<what>.c measure one thing; seed.c fills a database for bench.py ----------------------

BENCH_SRC := $(wildcard tests/bench/*.c)
BENCHES := $(patsubst %.c,$(BUILD)/%,$(BENCH_SRC))
$(BENCHES): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(LINK_ALL)

.PHONY: benches
benches: $(BENCHES)

# what the assembler reads in
$(BUILD)/daemon/ingest/script.o: daemon/ingest/nurture.js
$(BUILD)/daemon/config/replies.o: conf/replies.yaml
$(BUILD)/daemon/listen/likeness.o: daemon/listen/likeness.weights

# --- fuzzers: tests/fuzz/fuzz_<name>.c, seeds in tests/fuzz/corpus/<name>/ -------------------------------------------

FUZZ_TIME ?= 20
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(FUZZ_SRC))
REPLAYS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/replay_%,$(FUZZ_SRC))
LINK_ALL = -Wl,--as-needed -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_INTAKE) $(LIBS)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LINK_ALL)

# the same function over its seeds alone, with any compiler: part of `make check`
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LINK_ALL)

.PHONY: fuzzers replays
fuzzers: $(FUZZERS)
replays: $(REPLAYS)
.SECONDARY: $(patsubst %.c,$(BUILD)/%.o,$(FUZZ_SRC)) $(BUILD)/tests/fuzz/replay.o

# --- what people call -----------------------------------------------------------------------------------------------

# Debian packages: to build and for the demo, which must not ask for a mail server; then to test
DEPS_DEMO := gcc make pkg-config libevent-dev libsqlite3-dev libjansson-dev libyaml-dev libssl-dev libidn2-dev libpsl-dev libpcre2-dev \
	libglib2.0-dev libcurl4 libetpan-dev libxml2-dev libgnutls28-dev tzdata publicsuffix ca-certificates python3
DEPS := $(DEPS_DEMO) libcmocka-dev curl openssl swaks postfix dovecot-imapd dovecot-lmtpd dovecot-pop3d systemd procps chromium ruby ruby-liquid graphviz nodejs spamassassin opendkim

# -j for the inner make, unless the outer one was told something
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: help deps check lint fuzz bench demo install
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo '  make unit-FOLDER    the unit tests of one folder, such as unit-base'
	@echo 'Variables: SAN=address,undefined or SAN=thread, CC=clang, WERROR=1, PREFIX, DESTDIR, T=PATTERN (check), FUZZ_TIME (seconds), ROWS (bench; docs/bench.md)'

deps: ## install the Debian packages that are missing (as root or by sudo); starts no service
	@tests/deps.sh $(DEPS)
	@tests/npm/fetch.py build/npm

# in a folder of its own, so that -Werror sees every file
check: deps ## build with -Werror, then every test there is; 1 if one fails
	@$(MAKE) --no-print-directory $(JOBS) -s BUILD=$(BUILD)/check WERROR=1 all units replays benches
	@tests/run.sh $(BUILD)/check $(patsubst $(BUILD)/%,$(BUILD)/check/%,$(UNIT) $(REPLAYS))

lint: ## what can be told from the source alone: layers, banned calls, SQL outside the store
	@tests/run.sh $(BUILD) --source

fuzz: ## each fuzzer for FUZZ_TIME seconds (clang)
	@$(MAKE) --no-print-directory $(JOBS) -s CC=clang BUILD=$(BUILD)/fuzz SAN=address,undefined \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzzers
	@tests/fuzz/run.sh $(BUILD)/fuzz $(FUZZ_TIME)

bench: deps ## measure; writes what it found to standard output
	@tests/deps.sh --quiet wrk g++
	@test -e /usr/include/node/node.h || tests/deps.sh --quiet libnode-dev
	@tests/bench/npm/build.sh $(BUILD)/bench-npm
	@$(MAKE) --no-print-directory $(JOBS) -s all benches
	@BUILD=$(abspath $(BUILD)) tests/bench/run.sh $(ROWS)

demo: ## a whole installation on loopback, to be looked at in a browser
	@tests/deps.sh --quiet $(DEPS_DEMO)
	@echo "building: a minute or two the first time"
	@$(MAKE) --no-print-directory $(JOBS) -s all
	@BUILD=$(abspath $(BUILD)) tests/demo/demo.sh

SYSCONFDIR ?= /etc
ETC = $(abspath $(DESTDIR)$(SYSCONFDIR))/nurtured
USR = $(abspath $(DESTDIR)$(PREFIX))
DOC = $(USR)/share/doc/nurtured

# What stands in /etc/nurtured is the operator's: a file that is there is left alone. In the tree the templates lie
# beside conf/, installed they do not: the operator's file says so. The units name the paths of PREFIX=/usr.
TEMPLATES = templates: $(PREFIX)/share/nurtured/templates
install: all ## below DESTDIR and PREFIX (/usr); configuration to SYSCONFDIR/nurtured (/etc) unless it is there
	install -d $(USR)/sbin $(USR)/bin $(USR)/lib/systemd/system $(DOC) $(ETC)
	install -d -m 750 $(ETC)/secrets
	install -m 755 $(BUILD)/nurtured $(BUILD)/nurtured-intake $(USR)/sbin/
	install -m 755 $(BUILD)/nurturectl $(USR)/bin/
	cd templates && find . -type f -not -name '.*' -exec install -D -m 644 {} $(USR)/share/nurtured/templates/{} \;
	cd conf && find . -type f -not -name '.*' -exec install -D -m 644 {} $(DOC)/examples/{} \;
	test -e $(ETC)/nurtured.yaml || { sed 's|^templates: .*|# emails/, pages/ and alerts/; to change them, copy that folder here and write `templates: templates`\n$(TEMPLATES)|' \
		conf/nurtured.yaml >$(ETC)/nurtured.yaml && grep -qx '$(TEMPLATES)' $(ETC)/nurtured.yaml; }
	set -e; cd conf; for f in $$(find . -type f -not -name '.*'); do \
		test -e "$(ETC)/$$f" || install -D -m 644 "$$f" "$(ETC)/$$f"; done
	set -e; for f in $(wildcard systemd/*.service systemd/*.socket systemd/*.timer); do \
		sed 's|/usr/sbin/|$(PREFIX)/sbin/|; s|/etc/nurtured|$(SYSCONFDIR)/nurtured|g' $$f >$(USR)/lib/systemd/system/$${f##*/}; \
		chmod 644 $(USR)/lib/systemd/system/$${f##*/}; done
	install -D -m 644 systemd/nurtured.sysusers $(USR)/lib/sysusers.d/nurtured.conf
	set -e; for f in $(wildcard README.md LICENSE docs/*.md docs/*.html docs/*.yaml docs/*.json); do install -m 644 $$f $(DOC)/; done
	set -e; for f in $(wildcard docs/*.[1578]); do \
		install -D -m 644 $$f $(USR)/share/man/man$${f##*.}/$${f##*/}; done

.PHONY: clean
clean: ## remove build/
	rm -rf build

-include $(shell find $(BUILD)/daemon $(BUILD)/tests -name '*.d' 2>/dev/null)
