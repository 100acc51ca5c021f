# SPDX-License-Identifier: GPL-2.0-or-later
# make soak-rekey [SESSIONS=1000] [SOAK_SECONDS=60]: sessions transfer, keys change
# every 64 records, the agent is killed every second. In the VM; emulated it is
# slow, so make soak-rekey-uml does the same at native speed in User Mode Linux.
SESSIONS ?= 1000
SOAK_SECONDS ?= 60
SOAK_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard selftests/soak/*.c))

$(B)/bin/soak: $(SOAK_OBJ) $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^

.PHONY: soak-rekey soak-rekey-uml agent-memory agent-memory-uml
# The agent's memory with 2 x SESSIONS established sessions (both ends) less that with none.
agent-memory agent-memory-uml: agent-memory%:
	@$(MAKE) -s soak-rekey$* SOAK_SECONDS=0 SESSIONS=$(or $(filter-out 1000,$(SESSIONS)),5000)

soak-rekey: $(B)/bin/soak
	@TIMEOUT=3000 MEM=3G $(MAKE) -s vm NOAGENT=1 RUN='make -s test-ca && selftests/soak/run.sh $(SESSIONS) $(SOAK_SECONDS)'

# SOAK_KERNEL=debug takes the one with KASAN and lockdep.
SOAK_KERNEL ?= release
soak-rekey-uml: $(B)/bin/soak agent tools test-ca
	@selftests/soak/uml.sh $(SOAK_KERNEL) $(SESSIONS) $(SOAK_SECONDS)
