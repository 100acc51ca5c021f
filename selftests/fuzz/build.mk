# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz [FUZZ_SECONDS=60]: the handshake against libFuzzer (needs clang).
# What it finds is kept in build/fuzz/corpus; a crash is a file beside it.
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_SRC := $(foreach p,handshake ext x509 crypto rng,$(AGENT_SRC_$(p)))

$(B)/fuzz/hs_fuzz: selftests/fuzz/hs_fuzz.c $(FUZZ_SRC)
	@mkdir -p $(@D)/corpus
	$(FUZZ_CC) $(STD) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(INC) -o $@ \
		$(filter %.c,$^) -lhogweed -lnettle -lgmp -ltasn1 -lz

.PHONY: fuzz
fuzz: $(B)/fuzz/hs_fuzz
	cd $(<D) && ./hs_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 corpus
