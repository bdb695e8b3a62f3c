# nurtured. `make help` lists what there is.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION := 0.1.0
PREFIX ?= /usr
DESTDIR ?=
CC ?= gcc

# SAN=address,undefined or SAN=thread builds into a folder of its own; CRASH=1 adds the crash points of the kill harness.
BUILD := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(CRASH),/crash)$(if $(BREAK),-$(BREAK))
comma := ,

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wformat=2 -Wvla \
	-Wno-unused-parameter
HARDEN := -fstack-protector-strong -fPIE
ifeq ($(SAN),)
HARDEN += -D_FORTIFY_SOURCE=2
else
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined)
endif

PKGS := libevent libevent_pthreads sqlite3 jansson yaml-0.1 libcrypto libidn2 libpsl libpcre2-8 glib-2.0
PKGS_INTAKE := libetpan libxml-2.0 gnutls
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) libxml-2.0 2>/dev/null)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARN) $(HARDEN) $(SANFLAGS) $(if $(WERROR),-Werror) -Iinclude $(PKG_CFLAGS) \
	$(if $(CRASH),-DNURTURED_CRASH) $(if $(BREAK),-DNURTURED_BREAK_$(BREAK)) -pthread $(CFLAGS)
ALL_LDFLAGS = $(SANFLAGS) -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS)
# libcurl's OpenSSL flavour by its soname; libetpan-dev insists on the headers of the other one
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -l:libcurl.so.4 -lm
LIBS_INTAKE := $(shell pkg-config --libs $(PKGS_INTAKE) 2>/dev/null)

# --- sources, a folder at a time --------------------------------------------------------------------------------

FOLDERS := base language config store decide ingest send listen handoff console
$(foreach f,$(FOLDERS),$(eval SRC_$f := $(wildcard daemon/$f/*.c)))

# what a folder may use: itself and what lies below it
NEED_base := base
NEED_language := language $(NEED_base)
NEED_config := config $(NEED_language)
NEED_store := store $(NEED_base)
NEED_decide := decide store config language base
NEED_ingest := ingest $(NEED_decide)
NEED_send := send $(NEED_decide)
NEED_listen := listen $(NEED_decide)
NEED_handoff := handoff $(NEED_decide)
NEED_console := console $(NEED_decide)
NEED_all := console handoff listen send ingest $(NEED_decide)

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

$(BUILD)/nurturectl: $(call obj,daemon/ctl.c) $(call lib,all)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

$(BUILD)/nurtured-intake: $(call obj,daemon/intake.c) $(BUILD)/liblisten.a $(BUILD)/libbase.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(filter %.a,$^) $(LIBS_INTAKE) $(filter-out -l:libcurl.so.4,$(LIBS))

$(BUILD)/peers/%: $(BUILD)/tests/peers/%.o $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# --- tests: tests/<folder>/test_<file>.c, each a program that links its folder and what lies below it ---------------

UNIT_SRC := $(foreach f,$(FOLDERS),$(wildcard tests/$f/test_*.c))
UNIT := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))

define unit
$(patsubst %.c,$(BUILD)/%,$(1)): $(call obj,$(1)) $(call lib,$(2))
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group -lcmocka $$(if $$(filter listen,$(2)),$$(LIBS_INTAKE)) $$(LIBS)
endef
$(foreach f,$(FOLDERS),$(foreach t,$(wildcard tests/$f/test_*.c),$(eval $(call unit,$t,$f))))

# make unit-language: the unit tests of one folder
unit-%:
	$(MAKE) $(patsubst tests/$*/%.c,$(BUILD)/tests/$*/%,$(wildcard tests/$*/test_*.c))
	@for t in $(patsubst tests/$*/%.c,$(BUILD)/tests/$*/%,$(wildcard tests/$*/test_*.c)); do echo "== $$t"; $$t || exit 1; done

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf build
