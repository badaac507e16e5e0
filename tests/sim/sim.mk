# The simulator: real programs in one, with the machine below them replaced.
# What a program's memory is lies in a section of its own (tests/sim/engine.c).
# $(1) of the rules is where mutated objects are looked for first, or nothing.

SIM	= $(B)/tests/sim/sim
SIM_WRAP = access arc4random_uniform close dup2 fcntl fs_read_file getpwuid \
	  getsockopt ident_of_peer ident_self ident_world_real \
	  monotime_now nanosleep poll random_bytes sandbox_enter sigaction time
SIM_PARTS = orchd reaperd reconciled finalizerd
comma	= ,

sim_o	= $(patsubst %.c,$(B)/%.o,$(filter-out $(2),$(wildcard $(1)/*.c)))
sim_orchd = $(call sim_o,orchd,orchd/main.c orchd/sdnotify.c \
	  $(wildcard orchd/parent*.c)) $(B)/orchd/parse.o
sim_reaperd = $(call sim_o,reaperd)
sim_reconciled = $(call sim_o,reconciled)
sim_finalizerd = $(call sim_o,finalizerd,finalizerd/main.c finalizerd/probe.c)

# PART, its objects, where it goes.
define sim_part
$(3)/m_$(1).o: $(2)
	@mkdir -p $$(@D)
	$(Q)$(LD) -r -o $$@.ld $$^
	$(Q)objcopy --redefine-sym main=$(1)_main $(foreach \
	    s,.data .bss .data.rel .data.rel.local,--rename-section \
	    $(s)=m_$(1)$(comma)alloc$(comma)load$(comma)data$(comma)contents) \
	    $$@.ld $$@
	@rm -f $$@.ld
endef
# The program, its parts, objects before the archives.
define sim_link
$(1): $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c)) $(2) $(3) $(COMMON)
	@echo "  LD   $$@"
	$(Q)$$(CC) $(LDHARD) $(addprefix -Wl$(comma)--wrap=,$(SIM_WRAP)) \
	    -o $$@ $$^ $(LIBS_tests) $(PLIBS)
endef

$(foreach p,$(SIM_PARTS),$(eval $(call \
    sim_part,$(p),$(sim_$(p)),$(B)/tests/sim)))
$(eval $(call sim_link,$(SIM),$(foreach \
    p,$(SIM_PARTS),$(B)/tests/sim/m_$(p).o),))

# The same with one rule taken away (libcommon/mutant.h): $(B)/mutant/NAME/sim.
# $(mutsites) and the rules that compile the objects are the Makefile's.
sim_mut	= $(foreach o,$(2),$(if $(filter $(patsubst $(B)/%.o,%.c,$(o)):$(1),\
	  $(mutsites)),$(patsubst $(B)/%,$(B)/mutant/$(1)/%,$(o)),$(o)))
sim_mutlib = $(foreach s,$(mutsites),$(if $(filter libcommon/%.c:$(1),$(s)),\
	  $(patsubst libcommon/%.c:$(1),$(B)/mutant/$(1)/libcommon/%.o,$(s))))
define sim_mutant
$(foreach p,$(SIM_PARTS),$(eval $(call sim_part,$(p),$(call \
    sim_mut,$(1),$(sim_$(p))),$(B)/mutant/$(1))))
$(eval $(call sim_link,$(B)/mutant/$(1)/sim,$(foreach \
    p,$(SIM_PARTS),$(B)/mutant/$(1)/m_$(p).o),$(call sim_mutlib,$(1))))
endef
$(foreach m,$(mutants),$(eval $(call sim_mutant,$(m))))

# Rules that only the simulator takes away.
sim_only = $(filter-out $(mutants),NO_HOOK_DRAIN NO_TARGET_CAS)
$(foreach m,$(sim_only),$(eval $(call mutant,$(m))) \
    $(eval $(call sim_mutant,$(m))))
