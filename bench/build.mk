# SPDX-License-Identifier: GPL-2.0-or-later
# make bench-cipher: build/bench/cipher.json and cipher.txt, five seconds a row
# and 20 rows. Linux's assembler comes from Debian's linux-source-6.12 into
# build/, for the comparison only.
include kmod/crypto/gcm.mk

BENCH_TIME ?= 5
LINUX_TAR := $(wildcard /usr/src/linux-source-6.12.tar.xz)
LINUX_GCM := arch/x86/crypto/aes-gcm-aesni-x86_64.S
BENCH_OBJ := $(addprefix $(B)/obj/bench/,cipher.o cipher-impls.o cipher-nettle.o)
ifneq ($(LINUX_TAR),)
BENCH_OBJ += $(B)/obj/bench/cipher-linux.o $(B)/bench/linux-gcm.o
$(B)/obj/bench/cipher-impls.o: STD += -DBENCH_LINUX
endif

$(B)/bench/linux-gcm.o: $(LINUX_TAR) bench/shim/linux/linkage.h
	@mkdir -p $(@D)
	tar -xJf $< -C $(@D) --strip-components=4 linux-source-6.12/$(LINUX_GCM)
	$(CC) -Ibench/shim -c -o $@ $(@D)/$(notdir $(LINUX_GCM))

$(B)/bench/cipher: $(BENCH_OBJ) $(B)/obj/agent-gcm.a
	@mkdir -p $(@D)
	$(CC) -pie -z noexecstack -o $@ $^ -lnettle -lcrypto

.PHONY: bench-cipher bench-deps
bench-deps:
	@scripts/deps.sh bench

bench-cipher: bench-deps
	@$(MAKE) -s $(B)/bench/cipher
	@[ -e $(B)/bench/linux-gcm.o ] || echo "# SKIP linux-6.12: no /usr/src/linux-source-6.12.tar.xz"
	@set -o pipefail; $(B)/bench/cipher $(B)/bench/cipher.json $(BENCH_TIME) | tee $(B)/bench/cipher.txt

# make memory K=6.12: kernel memory per idle TLS socket, net/tls and ours. The
# module comes second: net/tls, too, would take the AES-GCM that it offers.
$(B)/bench/memory: $(B)/obj/bench/memory.o
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^

.PHONY: memory
memory: $(B)/bench/memory vm-module
	@$(MAKE) -s vm K=$(K) NOMODULE=1 RUN=bench/memory.sh
