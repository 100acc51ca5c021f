# SPDX-License-Identifier: GPL-2.0-or-later
# ktlsd, from one archive per folder, so that tests link what they test.
AGENT_PARTS := rng crypto x509 handshake ext daemon
AGENT_SRC_rng := $(wildcard agent/rng/*.c)
AGENT_SRC_crypto := $(wildcard agent/crypto/*.c)
AGENT_SRC_x509 := $(wildcard agent/x509/*.c)
AGENT_SRC_handshake := $(wildcard agent/handshake/*.c)
AGENT_SRC_ext := $(wildcard agent/ext/*.c)
AGENT_SRC_daemon := $(filter-out agent/main.c,$(wildcard agent/*.c))
AGENT_LIBS = -lhogweed -lnettle -lgmp -ltasn1 -lz -lnl-genl-3 -lnl-3 -linih -lseccomp -lsystemd -lcap -lhiredis -lp11-kit -lpthread

define agent_part
$(B)/$(1)/agent-$(2).a: $(AGENT_SRC_$(2):%.c=$(B)/$(1)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach k,obj asan,$(foreach p,$(AGENT_PARTS),$(eval $(call agent_part,$(k),$(p)))))

$(B)/obj/agent/%.o $(B)/asan/agent/%.o: INC += -I/usr/include/libnl3 -I/usr/include/p11-kit-1

.PHONY: agent
agent: $(B)/bin/ktlsd
$(B)/bin/ktlsd: $(B)/obj/agent/main.o $(AGENT_PARTS:%=$(B)/obj/agent-%.a)
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(AGENT_LIBS)
	@$@ --fips-list > $@.hmac
