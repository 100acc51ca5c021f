# SPDX-License-Identifier: GPL-2.0-only
# The module's AES-GCM for user space: tests, bench.
GCM_FLAGS_gcm-key := -mavx -maes -mpclmul
GCM_FLAGS_gcm-aesni := $(GCM_FLAGS_gcm-key) -fno-tree-slp-vectorize
GCM_FLAGS_gcm-vaes := -mavx2 -maes -mpclmul -mvaes -mvpclmulqdq -fno-tree-slp-vectorize -mno-vzeroupper
GCM_OBJ := $(addprefix kmod/crypto/gcm-,key.o aesni.o vaes.o bulk-aesni.o bulk-vaes.o)

define gcm_user
$(B)/$(1)/kmod/crypto/gcm-bulk-%.o: kmod/crypto/gcm-bulk-%.S kmod/crypto/gcm-bulk.h kmod/crypto/gcm-work.h
	@mkdir -p $$(@D)
	$(CC) -c -o $$@ $$<
$(foreach o,gcm-key gcm-aesni gcm-vaes,
$(B)/$(1)/kmod/crypto/$(o).o: STD += $(GCM_FLAGS_$(o)))
$(B)/$(1)/agent-gcm.a: $(GCM_OBJ:%=$(B)/$(1)/%)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach k,obj asan,$(eval $(call gcm_user,$(k))))

# make fuzz-gcm: a minute of libFuzzer against OpenSSL, FUZZ_TIME=seconds.
FUZZ_TIME ?= 60
.PHONY: fuzz-gcm
fuzz-gcm: $(B)/fuzz/gcm
	@mkdir -p $(B)/fuzz/gcm.corpus
	$< -max_len=20000 -len_control=0 -max_total_time=$(FUZZ_TIME) -print_final_stats=1 $(B)/fuzz/gcm.corpus
$(B)/fuzz/gcm: selftests/unit/gcm_fuzz.c selftests/unit/gcm_ref.h $(wildcard kmod/crypto/gcm*.[chS])
	@mkdir -p $(B)/fuzz
	clang -g -O1 -fsanitize=fuzzer,address,undefined -mavx2 -maes -mpclmul -mvaes -mvpclmulqdq -o $@ \
		$< $(addprefix kmod/crypto/gcm-,key.c aesni.c vaes.c bulk-aesni.S bulk-vaes.S) -lcrypto
