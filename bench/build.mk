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

# make bench-handshake: build/bench/handshake.json and handshake.txt. A row is
# one server and kind of handshake; ratio is what ktls's time is of that row's.
# profile-handshake samples where ktls's share of the time goes, by function.
HANDSHAKE_ROUNDS ?= 60
HANDSHAKE_OBJ := $(addprefix $(B)/obj/bench/handshake,.o -ktls.o -openssl.o -gnutls.o)
$(B)/bench/handshake: $(HANDSHAKE_OBJ) $(patsubst %,$(B)/obj/agent-%.a,handshake ext x509 crypto rng)
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $(HANDSHAKE_OBJ) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		-lhogweed -lnettle -lgmp -ltasn1 -lz -lssl -lcrypto -lgnutls

.PHONY: bench-handshake profile-handshake
bench-handshake: bench-deps | $(B)/unit/pki/done
	@$(MAKE) -s $(B)/bench/handshake
	@set -o pipefail; $(B)/bench/handshake $(B)/bench/handshake.json $(HANDSHAKE_ROUNDS) $(B)/unit/pki | \
		tee $(B)/bench/handshake.txt

# What the client does is in OpenSSL's libraries, which are left out here.
PROFILE_KINDS := full-p256 resumed-p256 full-rsa
profile-handshake: bench-deps | $(B)/unit/pki/done
	@$(MAKE) -s $(B)/bench/handshake
	@for k in $(PROFILE_KINDS); do \
		perf record -q -e cpu-clock -F 5000 -o $(B)/bench/perf.data \
			$(B)/bench/handshake - 100 $(B)/unit/pki ktls $${k%-*} $${k#*-} || exit; \
		echo "== $$k"; perf report -i $(B)/bench/perf.data --stdio --no-children --percentage relative \
			--dsos handshake,$$(ldd $(B)/bench/handshake | grep -oE 'lib(nettle|hogweed|gmp)\.so[.0-9]*' | \
			sort -u | xargs -I{} readlink -f /usr/lib/$$(gcc -print-multiarch)/{} | xargs -n1 basename | paste -sd,) \
			-s dso,symbol -g none 2>/dev/null | grep -v '^#' | grep . | head -25; \
	done | tee $(B)/bench/handshake-profile.txt

# make bench-path K=6.12 (or 6.1): instructions per call on plain TCP, net/tls and
# ktls in a guest under qemu -icount: build/bench/path-6.12.json and .txt.
$(B)/bench/path: $(B)/obj/bench/path.o
	@mkdir -p $(@D)
	$(CC) -pie -z noexecstack -o $@ $^

.PHONY: bench-path bench-aead
bench-aead: KREL = $(shell cat $(B)/vm/$(K)/release)
bench-aead: vm-image
	@mkdir -p $(B)/bench/aead-$(KREL)
	@cp -as --remove-destination $(CURDIR)/bench/aead/. $(B)/bench/aead-$(KREL)/
	@mkdir -p $(B)/bench/aead-$(KREL)/crypto && cp -as --remove-destination $(CURDIR)/kmod/crypto/. $(B)/bench/aead-$(KREL)/crypto/
	@$(MAKE) -s -C $(KDIR) M=$(CURDIR)/$(B)/bench/aead-$(KREL) W=1 modules > $(B)/bench/aead-$(K).log 2>&1 || \
		{ cat $(B)/bench/aead-$(K).log; exit 1; }

bench-path: vm-module bench-aead $(B)/bench/path
	@set -o pipefail; ICOUNT=1 NOMODULE=1 selftests/vm/boot.sh $(K) bench/path-guest.sh | tee $(B)/bench/path-$(K).out
	@sed -n 's/^@//p' $(B)/bench/path-$(K).out > $(B)/bench/path-$(K).json
	@grep -v '^@' $(B)/bench/path-$(K).out > $(B)/bench/path-$(K).txt

# make bench-uml: net/tls and ktls in real time, in a release User Mode Linux with the
# same AES-GCM under both: build/bench/uml.json and .txt. The kernel is built once (ten minutes).
$(B)/bench/uml: $(B)/obj/bench/uml.o
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^

.PHONY: bench-uml
bench-uml: $(B)/bench/uml
	@scripts/deps.sh uml
	@kernel=$$(selftests/uml/kernel.sh release) && \
		$(MAKE) -s module ARCH=um KREL=uml-release KDIR=$$kernel > $(B)/bench/uml-module.log 2>&1 || \
		{ cat $(B)/bench/uml-module.log; exit 1; }
	@bench/uml.sh

# make ktls-bench: build/bin/ktls-bench, for a machine where the module is loaded (ktls-bench.c).
$(B)/bin/ktls-bench: $(B)/obj/bench/ktls-bench.o
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^ -lssl -lcrypto

.PHONY: ktls-bench
ktls-bench: $(B)/bin/ktls-bench

# make bench: all of it, and one table: build/bench/bench.txt, bench.json, docs/PERFORMANCE.md.
.PHONY: bench
bench:
	@bench/run.sh

# The keeper's signing threads.
$(B)/bin/bench-signers: $(B)/obj/bench/signers.o $(AGENT_PARTS:%=$(B)/obj/agent-%.a)
	$(CC) -pie -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(AGENT_LIBS)

.PHONY: bench-signers
bench-signers: $(B)/bin/bench-signers test-ca
	@$< $(B)/ca/ktlsd.conf
