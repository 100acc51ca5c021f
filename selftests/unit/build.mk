# SPDX-License-Identifier: GPL-2.0-or-later
# make unit: every *_test.c here is one cmocka program, built with ASan and
# UBSan and linked with the parts of the agent named in UNIT_<name> (default: all).
# make unit T=hs runs hs_test alone.
UNIT_rng := rng
UNIT_crypto := crypto rng
UNIT_x509 := x509 crypto rng
UNIT_crl := x509 crypto rng
UNIT_mldsa := crypto rng
UNIT_LIBS_mldsa := -Wl,--wrap=malloc,--wrap=calloc,--wrap=poly_within
UNIT_brainpool := crypto rng
UNIT_LIBS_brainpool := -lcrypto
UNIT_pem := x509 crypto rng
UNIT_wycheproof := crypto rng
UNIT_provider := crypto rng
UNIT_limbo := x509 crypto rng
UNIT_LIBS_crypto := -Wl,--wrap=malloc,--wrap=calloc
UNIT_LIBS_x509 := -Wl,--wrap=malloc,--wrap=calloc
UNIT_LIBS_wycheproof := -ljansson
UNIT_LIBS_limbo := -ljansson
UNIT_libktls := none
UNIT_LIBS_libktls := -Wl,--wrap=getsockopt,--wrap=setsockopt
$(B)/asan/selftests/unit/libktls_test.o $(B)/asan/selftests/unit/conn_test.o $(B)/asan/selftests/unit/conn_early_test.o $(B)/asan/selftests/unit/conn_post_test.o: INC += -I/usr/include/libnl3
UNIT_serve := none
UNIT_LIBS_serve := -luring
UNIT_ctl := none
UNIT_HANDSHAKE := handshake ext x509 crypto rng
UNIT_hs := $(UNIT_HANDSHAKE)
UNIT_LIBS_hs := -Wl,--wrap=malloc,--wrap=calloc
UNIT_hs12 := $(UNIT_HANDSHAKE)
UNIT_LIBS_hs12 := -Wl,--wrap=malloc,--wrap=calloc
UNIT_register := $(UNIT_HANDSHAKE)
UNIT_suites12 := $(UNIT_HANDSHAKE)
UNIT_alert := $(UNIT_HANDSHAKE)
UNIT_optional := $(UNIT_HANDSHAKE)
UNIT_alert12 := $(UNIT_HANDSHAKE)
UNIT_prf := $(UNIT_HANDSHAKE)
UNIT_ext := $(UNIT_HANDSHAKE)
UNIT_flow := $(UNIT_HANDSHAKE)
UNIT_rfc8448 := $(UNIT_HANDSHAKE)
UNIT_resume := $(UNIT_HANDSHAKE)
UNIT_ticket := $(UNIT_HANDSHAKE)
UNIT_ocsp := $(UNIT_HANDSHAKE)
UNIT_LIBS_ocsp := -lssl -lcrypto
UNIT_extras := $(UNIT_HANDSHAKE)
UNIT_sct := $(UNIT_HANDSHAKE)
UNIT_LIBS_sct := -Wl,--wrap=malloc,--wrap=calloc
UNIT_early := $(UNIT_HANDSHAKE)
UNIT_LIBS_early := -Wl,--wrap=malloc,--wrap=calloc
UNIT_delegated := $(UNIT_HANDSHAKE)
UNIT_post_auth := $(UNIT_HANDSHAKE)
UNIT_LIBS_post_auth := -Wl,--wrap=malloc,--wrap=calloc
UNIT_buf := handshake
UNIT_LIBS_fips := -lcrypto
UNIT_LIBS_options := -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup,--wrap=reallocarray
UNIT_LIBS_crl := -Wl,--wrap=x509_signature_check
UNIT_LIBS_signers := -Wl,--wrap=token_sign
UNIT_gcm := gcm
UNIT_LIBS_gcm := -lcrypto
UNIT_gcm_user := gcm
UNIT_LIBS_gcm_user := -lcrypto

UNIT_NAMES := $(patsubst selftests/unit/%_test.c,%,$(wildcard selftests/unit/*_test.c))
T ?= $(UNIT_NAMES)

define unit_program
$(B)/unit/$(1)_test: $(B)/asan/selftests/unit/$(1)_test.o $(patsubst %,$(B)/asan/agent-%.a,$(filter-out none,$(or $(UNIT_$(1)),$(AGENT_PARTS))))
	@mkdir -p $$(@D)
	$(CC) $(SAN) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(AGENT_LIBS) -lcmocka $$(UNIT_LIBS_$(1))
endef
$(foreach t,$(UNIT_NAMES),$(eval $(call unit_program,$(t))))

# What is linked beside or instead of the agent's parts.
$(B)/unit/libktls_test: $(B)/asan/libktls.a
$(B)/unit/serve_test: $(B)/asan/serve.a $(B)/asan/libktls.a
$(B)/unit/ctl_test: $(B)/asan/ctl.a

# A throw-away CA and certificates of every kind of key.
$(B)/unit/pki/done: selftests/unit/pki.sh
	$< $(@D)
$(B)/unit/hs_test $(B)/unit/alert_test $(B)/unit/resume_test $(B)/unit/extras_test $(B)/unit/provider_test: | $(B)/unit/pki/done
$(B)/unit/optional_test $(B)/unit/suites12_test $(B)/unit/register_test $(B)/unit/hs12_test $(B)/unit/alert12_test $(B)/unit/post_auth_test $(B)/unit/early_test $(B)/unit/sct_test: | $(B)/unit/pki/done

$(B)/unit/pki/ocsp/done: selftests/unit/ocsp-pki.sh $(B)/unit/pki/done
	$< $(B)/unit/pki
$(B)/unit/ocsp_test: | $(B)/unit/pki/ocsp/done

# x509-limbo, of FILE if given: what a strict store says as the last line.
.PHONY: limbo
limbo: $(B)/unit/limbo_test
	@$(if $(FILE),LIMBO_FILE='$(FILE)') $< 2>&1 | tee $(B)/unit/limbo.log; \
		sed -n 's/.*strict store: \([0-9]* as expected of [0-9]*\).*/\1/p' $(B)/unit/limbo.log

.PHONY: unit
unit: $(T:%=$(B)/unit/%_test)
	@set -e; for t in $(T); do echo "# unit $$t"; $(B)/unit/$${t}_test; done

# The threads that sign, under ThreadSanitizer: what they share and what they call;
# the rest of the agent is linked as it is. (Without randomized addresses, which it doesn't always bear.)
TSAN_SRC := agent/signers.c agent/sign.c agent/sign12.c $(wildcard agent/crypto/*.c) $(wildcard agent/rng/*.c)
$(B)/tsan/signers_test: $(B)/tsan/selftests/unit/signers_test.o $(TSAN_SRC:%.c=$(B)/tsan/%.o) $(AGENT_PARTS:%=$(B)/obj/agent-%.a)
	$(CC) -fsanitize=thread -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(AGENT_LIBS) -lcmocka $(UNIT_LIBS_signers)

.PHONY: tsan
tsan: $(B)/tsan/signers_test
	TSAN_OPTIONS=halt_on_error=1 setarch -R $<
