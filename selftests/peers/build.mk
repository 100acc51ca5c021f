# SPDX-License-Identifier: GPL-2.0-or-later
# make peers-native: the handshake against OpenSSL, GnuTLS, curl and Python, in
# user space only (no module, no root).
HS_PEER_PARTS := handshake ext x509 crypto rng

$(B)/bin/hs-peer: $(B)/obj/selftests/peers/hs-peer.o $(HS_PEER_PARTS:%=$(B)/obj/agent-%.a)
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lhogweed -lnettle -lgmp -ltasn1

.PHONY: peers-native
peers-native: $(B)/bin/hs-peer
	selftests/peers/native.sh $(B)/bin/hs-peer
