# orchd: build, check, install.  GNU make; objects go to $(B).
#
#   make                 build everything
#   make demo            run the main job on the embedded defaults
#   make check           build and run the whole test suite
#   make SAN=1 ...       the same with address and undefined-behaviour sanitizers
#   make CC=clang ...    the same with clang
#   make install DESTDIR= PREFIX=/usr/local

PREFIX	?= /usr/local
SAN	?=
B	?= build$(if $(SAN),-san)$(if $(filter clang,$(CC)),-clang)

PROGS	= orchd orchctl webhookd reaperd reconciled finalizerd runner
PKGS	= libevent libcurl jansson libbsd yaml-0.1 libseccomp libcrypto

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
else
OPT	= -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer \
	  -fno-sanitize-recover=undefined
LDHARD	+= -fsanitize=address,undefined
endif
WERROR	?= -Werror
Q	= $(if $(V),,@)

PCFLAGS	:= $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PLIBS	:= $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CFLAGS	+= -std=gnu11 $(OPT) $(WARN) $(WERROR) $(HARDEN)
CPPFLAGS += -D_GNU_SOURCE -I. -I$(B) $(PCFLAGS)

.PHONY: all
all: $(PROGS:%=$(B)/%/%)

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

$(B)/%.c: %.y
	@mkdir -p $(@D)
	@echo "  YACC $<"
	$(Q)bison -o $@ --defines=$(@:.c=.h) $<

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
$(foreach p,$(PROGS),$(eval $(call program,$(p))))

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

.PHONY: units
units: $(UNITS)
.SECONDARY:

.PHONY: clean
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
