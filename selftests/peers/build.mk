# SPDX-License-Identifier: GPL-2.0-or-later
# make peers-native: the handshake against OpenSSL, GnuTLS, curl and Python, in
# user space only (no module, no root).
HS_PEER_PARTS := $(AGENT_PARTS)
HS_PEER_USER := conn post setup agent shared
HS_PEER_LIBS = $(AGENT_LIBS)
$(B)/obj/selftests/peers/user_%.o: INC += -I/usr/include/libnl3

$(B)/bin/hs-peer $(B)/bin/hs-echo $(B)/bin/hs-pipe: $(B)/bin/hs-%: $(B)/obj/selftests/peers/hs-%.o \
		$(HS_PEER_USER:%=$(B)/obj/selftests/peers/user_%.o) $(HS_PEER_PARTS:%=$(B)/obj/agent-%.a)
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(HS_PEER_LIBS)
	@$@ --fips-list > $@.hmac

.PHONY: hs-peer hs-echo hs-pipe
hs-peer hs-echo hs-pipe: hs-%: $(B)/bin/hs-%

# ktls-serve's engines; the check has the one that vm-tools and vm-peers don't use.
.PHONY: serve-engines
serve-engines: test-ca
	@$(MAKE) -s vm K=$(K) TIMEOUT=1500 RUN=selftests/peers/vm-serve.sh

# A peer of OpenSSL's or GnuTLS' that changes keys in mid-transfer.
$(B)/bin/mid-peer: $(B)/obj/selftests/peers/mid-peer.o
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $< -lssl -lcrypto -lgnutls

.PHONY: mid-peer mid-transfer
mid-peer: $(B)/bin/mid-peer
mid-transfer: $(B)/bin/mid-peer
	@TIMEOUT=1500 $(MAKE) -s vm RUN=selftests/peers/vm-mid-transfer.sh

# Two agents that share ticket keys, by file and Redis, killed and without Redis;
# agents side by side, hanging, killed in the middle. Minutes, so not in the check;
# -uml: the same in User Mode Linux, much faster.
FLEET := selftests/peers/vm-fleet.sh selftests/peers/vm-agents.sh
.PHONY: fleet fleet-uml
fleet:
	@for t in $(FLEET); do TIMEOUT=3600 $(MAKE) -s vm NOAGENT=1 RUN=$$t || exit; done
fleet-uml: agent tools test-ca
	@kernel=$$(selftests/uml/kernel.sh release) && \
	$(MAKE) -s module ARCH=um KREL=uml-release KDIR=$$kernel > $(B)/uml/module.log && \
	for t in $(FLEET); do \
		selftests/uml/run.sh -k release -t 1200 /usr/bin/env VM_MODULE=$(CURDIR)/$(B)/kmod/uml-release/ktls.ko \
			$(CURDIR)/$$t || exit; \
	done

# The agent's own way, without module and VM; -uml: and mainline's.
.PHONY: peers-relay peers-relay-uml
peers-relay: agent tools test-ca
	selftests/peers/relay.sh
peers-relay-uml: agent tools test-ca
	selftests/uml/run.sh -k release -t 400 selftests/peers/relay.sh

# make options K=6.12: what is off until configured, through kernel and agent, all of it.
.PHONY: options
options: test-ca
	@TIMEOUT=1500 $(MAKE) -s vm NOAGENT=1 RUN=selftests/peers/vm-options.sh

# Early data through kernel and agent, with OpenSSL at the other end.
.PHONY: early
early: test-ca
	@$(MAKE) -s vm NOAGENT=1 RUN=selftests/peers/vm-early.sh

# Client certificates after the handshake, with OpenSSL and GnuTLS; 2 minutes in User Mode Linux.
.PHONY: post-auth post-auth-uml
post-auth: test-ca
	@$(MAKE) -s vm NOAGENT=1 RUN=selftests/peers/vm-post-auth.sh
post-auth-uml: agent tools test-ca
	@$(MAKE) -s module ARCH=um KREL=uml-debug KDIR=$$(selftests/uml/kernel.sh debug)
	selftests/uml/run.sh -t 600 -o kmemleak=off /usr/bin/env VM_MODULE=$(CURDIR)/$(B)/kmod/uml-debug/ktls.ko \
		$(CURDIR)/selftests/peers/vm-post-auth.sh

.PHONY: peers-native
peers-native: $(B)/bin/hs-peer $(B)/bin/hs-echo $(B)/bin/hs-pipe
	selftests/peers/conformance/run.py $(B)/bin/hs-echo
	selftests/peers/native.sh $(B)/bin/hs-peer
	selftests/peers/native12.sh $(B)/bin/hs-peer
	selftests/peers/pipe.py $(B)/bin/hs-pipe

# Kinds of key that are off by default, by the agent's own way. ML-DSA's files are made by that test.
$(B)/unit/pki/mldsa65.pem: $(B)/unit/optional_test
	@$< > /dev/null

.PHONY: peers-schemes
peers-schemes: agent tools $(B)/unit/pki/mldsa65.pem
	selftests/peers/schemes.sh

# ML-DSA against another implementation: its npm package isn't Debian's, so not in the check.
$(B)/bin/mldsa-peer: $(B)/obj/selftests/peers/mldsa-peer.o $(B)/obj/agent-crypto.a $(B)/obj/agent-rng.a
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(HS_PEER_LIBS)

.PHONY: peers-mldsa
peers-mldsa: $(B)/bin/mldsa-peer
	@selftests/peers/mldsa.sh $< || [ $$? = 4 ]

# Every peer there is, both roles: minutes. docs/INTEROP.md is written from the run.
.PHONY: interop
interop: $(B)/bin/hs-peer
	@selftests/peers/interop/interop.py $< --write docs/INTEROP.md

# make dropin K=6.12: nginx, OpenSSL, Python and GnuTLS with mainline's kTLS, on drop_in=1.
.PHONY: dropin
dropin: test-ca
	@$(MAKE) -s vm K=$(K) NOAGENT=1 TIMEOUT=1800 RUN='selftests/peers/vm-dropin.sh'

# Identities found by the name that a client asks for: in the check with few of
# them, make many with 100,000.
$(B)/bin/many-sites: $(B)/obj/selftests/peers/many-sites.o $(B)/obj/agent-crypto.a $(B)/obj/agent-rng.a
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(HS_PEER_LIBS)

.PHONY: many many-quick
many: SITES := 100000
many-quick: SITES := 2000
many many-quick: agent tools test-ca $(B)/bin/many-sites
	@SITES=$(SITES) selftests/peers/many.sh
