# orchd: build, check, install.  GNU make; objects go to $(B).
#
#   make                 build everything
#   make demo            run the main job on the embedded defaults
#   make check           build and run the whole test suite
#   make soak            10,000 signals, all tests as on an old kernel, and
#                        all crash points (hours)
#   make SAN=1 ...       the same with address and undefined-behaviour sanitizers
#   make CC=clang ...    the same with clang
#   make fuzz            run each fuzz target for FUZZ_SECONDS (clang)
#   make install DESTDIR= PREFIX=/usr/local

PREFIX	?= /usr/local
SAN	?=
B	?= build$(if $(SAN),-san)$(if $(filter clang,$(CC)),-clang)

PROGS	= orchd orchctl webhookd reaperd reconciled finalizerd runner
PKGS	= libevent libcurl jansson libbsd yaml-0.1 libseccomp libevent_openssl \
	  libssl libcrypto

WARN	= -Wall -Wextra -Wformat=2 -Werror=format-security -Wshadow \
	  -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	  -Wcast-qual -Wwrite-strings -Wundef -Wno-unused-parameter
HARDEN	= -fPIE -fstack-protector-strong -fstack-clash-protection \
	  -fcf-protection=full -fno-delete-null-pointer-checks \
	  -fno-strict-overflow -ftrivial-auto-var-init=zero
# clang before 16 wants to hear that this flag may go away one day.
ifeq ($(shell $(CC) -ftrivial-auto-var-init=zero -x c -c -o /dev/null \
	/dev/null 2>/dev/null || echo no),no)
HARDEN	+= -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
endif
LDHARD	= -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed
ifeq ($(SAN),)
OPT	= -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
# A test's own code runs once: it is compiled in half the time.
$(B)/tests/unit/%.o: OPT = -O0 -g
else
OPT	= -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer \
	  -fno-sanitize-recover=undefined
LDHARD	+= -fsanitize=address,undefined
endif
WERROR	?= -Werror
Q	= $(if $(V),,@)

PCFLAGS	:= $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PLIBS	:= $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
CFLAGS	+= -std=gnu11 $(OPT) $(WARN) $(WERROR) $(HARDEN)
CPPFLAGS += -D_GNU_SOURCE -I. -I$(B) $(PCFLAGS)

.PHONY: all
all: $(foreach p,$(PROGS),$(B)/$(p)/$(p))

objs = $(patsubst %.c,$(B)/%.o,$(filter-out $(1)/main.c,$(wildcard $(1)/*.c)))
COMMON	= $(B)/libcommon/libcommon.a $(B)/proto/libproto.a

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.o: $(B)/%.c
	@echo "  CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -I$(*D) $(CFLAGS) -Wno-conversion -Wno-cast-qual \
	    -MMD -MP -c -o $@ $<

# No built-in yacc rule: it would write beside the source.
%.c: %.y

$(B)/%.c: %.y
	@mkdir -p $(@D)
	@echo "  YACC $<"
	$(Q)bison -o $@ --defines=$(@:.c=.h) $<

# The schema and its steps to later versions, each as one C string.
$(B)/orchd/%_sql.h: orchd/%.sql
	@mkdir -p $(@D)
	$(Q)sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@
$(B)/orchd/store.o: $(patsubst %.sql,$(B)/%_sql.h,$(wildcard orchd/schema*.sql))

# One archive a folder: everything but main.c, so that tests can link it.
define archive
$(B)/$(1)/lib$(2).a: $(call objs,$(1)) $(3)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(eval $(call archive,libcommon,common))
$(eval $(call archive,proto,proto))
$(eval $(call archive,orchd,orchd,$(B)/orchd/parse.o))
$(foreach p,$(filter-out orchd,$(PROGS)),$(eval $(call archive,$(p),$(p))))

LIBS_orchd	= -lsqlite3
LIBS_tests	= -lsqlite3 $(shell pkg-config --libs check 2>/dev/null)

define program
$(B)/$(1)/$(1): $(B)/$(1)/main.o $(B)/$(1)/lib$(1).a $(COMMON)
	@echo "  LD   $$@"
	$(Q)$$(CC) $(LDHARD) -o $$@ $$^ $(LIBS_$(1)) $(PLIBS)
endef
$(foreach p,$(PROGS) proto,$(eval $(call program,$(p))))

# The table of orchd-proto(7), after a change of proto/messages.def.
.PHONY: proto-table
proto-table: $(B)/proto/proto
	$(B)/proto/proto <man/orchd-proto.7 >$(B)/proto/orchd-proto.7
	cat $(B)/proto/orchd-proto.7 >man/orchd-proto.7

# Unit tests: tests/unit/<folder>_<module>_test.c, one program each.
area	= $(firstword $(subst _, ,$(1)))
UNITS	= $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*_test.c))
areas	= $(sort $(foreach u,$(UNITS),$(call area,$(notdir $(u)))))
define unit
$(B)/tests/unit/$(1)_%_test: $(B)/tests/unit/$(1)_%_test.o \
    $(if $(filter-out common proto,$(1)),$(B)/$(1)/lib$(1).a) $(COMMON)
	@echo "  LD   $$@"
	$(Q)$$(CC) $(LDHARD) -o $$@ $$^ $(LIBS_tests) $(PLIBS)
endef
$(foreach a,$(areas),$(eval $(call unit,$(a))))

# The crash points of the commit path, one program.
CRASH	= $(B)/tests/crash/crash
LDFLAGS_crash = -Wl,--wrap=ident_of_peer
crash_o	= $(patsubst %.c,$(B)/%.o,$(wildcard tests/crash/*.c))
$(CRASH): $(crash_o) $(B)/orchd/liborchd.a $(COMMON)
	@echo "  LD   $@"
	$(Q)$(CC) $(LDHARD) $(LDFLAGS_crash) -o $@ $^ $(LIBS_tests) $(PLIBS)

# Mutations: a test with one rule taken away (libcommon/mutant.h); the objects
# that hold the rule are compiled for it, the rest is the product's.
# $(B)/mutant/NAME/TEST is such a test; tests/mutation/table says which are run.
mutants	:= $(shell sed -n 's/^\([A-Z_]*\)\t.*/\1/p' tests/mutation/table | uniq)
mutsites := $(sort $(shell grep -oHE 'MUTANT(_OR)?.[A-Z_]+' \
	  $(addsuffix /*.c,$(PROGS) libcommon) | sed 's/:.*[^A-Z_]/:/'))
mutobjs	= $(patsubst %.c,$(B)/mutant/$(1)/%.o,$(filter $(2)/% libcommon/%,\
	  $(patsubst %:$(1),%,$(filter %:$(1),$(mutsites)))))
define mutant
$(B)/mutant/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	@echo "  CC   $$< -DMUTANT_$(1)"
	$(Q)$$(CC) $(CPPFLAGS) $(CFLAGS) -DMUTANT_$(1) -MMD -MP -c -o $$@ $$<
$(B)/mutant/$(1)/orchd/store.o: \
    $(patsubst %.sql,$(B)/%_sql.h,$(wildcard orchd/schema*.sql))
endef
# NAME, AREA, PROGRAM, its own objects: linked before the archives.
define mutated
$(B)/mutant/$(1)/$(3): $(4) $(call mutobjs,$(1),$(2)) \
    $(if $(filter-out common proto,$(2)),$(B)/$(2)/lib$(2).a) $(COMMON)
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	$(Q)$$(CC) $(LDHARD) $(LDFLAGS_$(3)) -o $$@ $$^ $(LIBS_tests) $(PLIBS)
endef
$(foreach m,$(mutants),$(eval $(call mutant,$(m))) \
  $(foreach a,$(areas),$(eval $(call \
    mutated,$(m),$(a),$(a)_%_test,$(B)/tests/unit/$(a)_%_test.o))) \
  $(eval $(call mutated,$(m),orchd,crash,$(crash_o))))
MUTANTS	= $(shell sed -n 's,^\([A-Z_]*\)\t\([^\t]*\)\t.*,$(B)/mutant/\1/\2,p' \
	  tests/mutation/table)

# Programs of tests/integration: storm drives 35-storm.sh, second is started
# by 36-incident.sh.
DRIVERS	= $(addprefix $(B)/tests/integration/,storm second)
$(DRIVERS): $(B)/tests/integration/%: $(B)/tests/integration/%.o \
    $(B)/orchctl/liborchctl.a $(COMMON)
	@echo "  LD   $@"
	$(Q)$(CC) $(LDHARD) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PLIBS)
$(B)/tests/integration/storm: $(patsubst %.c,$(B)/%.o,$(wildcard \
    tests/integration/storm_*.c))

include tests/sim/sim.mk

# The tests of identity once more as on a kernel before Linux 6.5, without
# SO_PEERPIDFD and without inodes of pidfds: one object is another.
KERNEL	= common_ident common_link orchd_drain orchd_hello orchd_incident \
	  orchd_lease orchd_parent orchd_peer reaperd_tick
KERNELS	= $(KERNEL:%=$(B)/kernel/%_test)
$(B)/kernel/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $< -DIDENT_NO_PIDFD_INODE"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -DIDENT_NO_PIDFD_INODE -MMD -MP -c \
	    -o $@ $<
define kernel
$(B)/kernel/$(1)_%_test: $(B)/tests/unit/$(1)_%_test.o \
    $(B)/kernel/libcommon/ident.o \
    $(if $(filter-out common proto,$(1)),$(B)/$(1)/lib$(1).a) $(COMMON)
	@echo "  LD   $$@"
	$(Q)$$(CC) $(LDHARD) -o $$@ $$^ $(LIBS_tests) $(PLIBS)
endef
$(foreach a,$(areas),$(eval $(call kernel,$(a))))

# The programs of an earlier commit, for the test of an upgrade.
.PHONY: old
old:
	$(Q)tests/old.sh $(B)

.PHONY: units
units: old $(DRIVERS) $(UNITS) $(CRASH) $(SIM) $(MUTANTS) $(KERNELS)
.SECONDARY:

# What people type.  demo and check find and install missing packages first,
# so each works alone on a fresh machine; then a second make starts, because
# pkg-config's answers were asked for before the packages were there.
JOBS	?= $(shell nproc 2>/dev/null || echo 1)
SUBMAKE	= $(MAKE) --no-print-directory -j$(JOBS)

.PHONY: demo
demo:
	@etc/deps.sh build run
	@mkdir -p $(B); t0=$$(date +%s); printf 'building ...'; \
	$(SUBMAKE) all >$(B)/build.log 2>&1 || { echo ' failed'; \
	    tail -n 30 $(B)/build.log; exit 1; }; \
	echo " $$(($$(date +%s) - t0)) s"
	@etc/demo/demo.sh -B $(B) $(if $(AGENT),-a $(AGENT))

# ONLY="word ..." runs the tests whose name contains a word.
.PHONY: check
check:
	@etc/deps.sh build run check
	@$(SUBMAKE) all units
	@tests/run.sh -B $(B) $(ONLY)

# Every crash point in every way, and every pair of them: hours.
.PHONY: soak
soak:
	@etc/deps.sh build run check
	@$(SUBMAKE) all $(CRASH) $(DRIVERS)
	STORM=10000 WAIT=900 SCRIPT_LIMIT=14400 tests/run.sh -B $(B) -i \
	    35-storm
	@$(SUBMAKE) units
	ORCHD_NO_PIDFD_INODE=1 tests/run.sh -B $(B)
	$(CRASH) -a -j $(JOBS)
	tests/run.sh -B $(B) -X
	ORCHD_NO_PIDFD_INODE=1 tests/run.sh -B $(B) -X
	$(SIM) -n 1000000 -j $(JOBS)

.PHONY: lint
lint:
	@tests/lint.sh

.PHONY: bench
bench:
	@etc/deps.sh build run check
	@$(SUBMAKE) all
	@tests/run.sh -B $(B) -b $(ONLY)

# tests/fuzz/NAME.c with the sources that it needs; what is found new goes to
# $(B)/fuzz/NAME.found, a crash to the folder where make was called.
FUZZ_SECONDS ?= 60
FUZZ_frame	= proto/codec.c proto/print.c
FUZZ_http_head	= webhookd/http.c
FUZZ_delivery	= $(addprefix webhookd/,gitea.c gitea_kind.c plane.c json.c \
	  delivery.c http.c) $(addprefix libcommon/,sha256.c plane.c answer.c \
	  esc.c html_text.c)
FUZZERS	= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))

$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.h $(wildcard proto/*.* webhookd/*.[ch])
	@mkdir -p $@.found
	clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZER \
	    -D_GNU_SOURCE -I. -o $@ $< $(FUZZ_$*) \
	    $(if $(filter delivery,$*),$(PCFLAGS) $(PLIBS))

.PHONY: fuzz
fuzz: $(addprefix $(B)/fuzz/,$(FUZZERS))
	for f in $(FUZZERS); do \
		$(B)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
		    $(B)/fuzz/$$f.found tests/fuzz/$$f.corpus || exit 1; \
	done

LIBEXEC	= $(PREFIX)/libexec/orchd
SHARE	= $(PREFIX)/share/orchd
MANDIR	= $(PREFIX)/share/man
D	= $(DESTDIR)

# Programs are replaced at once: a run that starts meanwhile finds one or the
# other, and orchctl restart then brings the new ones.
.PHONY: install
install: all
	install -d $(D)$(PREFIX)/sbin $(D)$(PREFIX)/bin $(D)$(LIBEXEC) \
	    $(D)$(SHARE)/agents $(D)$(SHARE)/examples $(D)$(SHARE)/demo
	put() { install -m 755 "$$1" "$$2.new" && mv -f "$$2.new" "$$2"; }; \
	put $(B)/orchd/orchd $(D)$(PREFIX)/sbin/orchd && \
	put $(B)/orchctl/orchctl $(D)$(PREFIX)/bin/orchctl || exit 1; \
	for p in $(filter-out orchd orchctl,$(PROGS)); do \
		put $(B)/$$p/$$p $(D)$(LIBEXEC)/$$p || exit 1; \
	done
	install -m 644 etc/agents/*.md $(D)$(SHARE)/agents
	for f in etc/*.example etc/systemd/* etc/rc.d/* etc/prometheus/*; do \
		[ ! -f $$f ] || \
		install -m $$([ -x $$f ] && echo 755 || echo 644) $$f $(D)$(SHARE)/examples || exit 1; \
	done
	cp -R etc/demo/. $(D)$(SHARE)/demo
	if [ -d etc/completions ]; then \
		install -d $(D)$(SHARE)/completions && \
		install -m 644 etc/completions/* $(D)$(SHARE)/completions; \
	fi
	for f in man/*.[1-9]; do \
		[ -f $$f ] || continue; \
		install -d $(D)$(MANDIR)/man$${f##*.} && \
		install -m 644 $$f $(D)$(MANDIR)/man$${f##*.} || exit 1; \
	done

.PHONY: clean
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
