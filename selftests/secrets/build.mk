# SPDX-License-Identifier: GPL-2.0-or-later
# make secrets: does a branch or an address depend on a secret? The agent's
# objects are those that ship; only what is public is declared so, by wrapping.
# The module's AES-GCM has a program of its own.
SECRETS_PARTS := handshake ext x509 crypto rng
SECRETS_WRAP := crypto_equal rng_fill rng_nettle_key nettle_ecdsa_sign p256_sign brainpool_sign key_rsa_is_root rsa_root \
	rsa_root_nettle ticket_open crypto_aes_128_gcm \
	poly_uniform poly_within mldsa_ball mldsa_hints_fit mldsa_hint_pack

$(B)/bin/secrets: $(B)/obj/selftests/secrets/secrets.o $(SECRETS_PARTS:%=$(B)/obj/agent-%.a)
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(SECRETS_WRAP:%=-Wl,--wrap=%) -lhogweed -lnettle -lgmp -ltasn1 -lz

$(B)/bin/secrets-gcm: $(B)/obj/selftests/secrets/gcm.o $(B)/obj/agent-gcm.a
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^

.PHONY: secrets
ifneq ($(shell command -v valgrind),)
secrets: $(B)/bin/secrets $(B)/bin/secrets-gcm | $(B)/unit/pki/done
	@selftests/secrets/run.sh $<
	@selftests/secrets/run.sh $(B)/bin/secrets-gcm
else
secrets:
	@echo "1..0 # SKIP valgrind is not installed: apt-get install valgrind"
endif
