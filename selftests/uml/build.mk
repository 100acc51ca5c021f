# SPDX-License-Identifier: GPL-2.0-or-later
# make uml [FUZZ_SECONDS=60] [FUZZ_SEED=n]: the module's tests, the record fuzzer among them,
# in User Mode Linux with KASAN, lockdep, fault injection and kmemleak. The kernel is built once (about ten minutes) and cached in build/uml.
.PHONY: uml
uml: $(KERNEL_TESTS)
	@scripts/deps.sh uml
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) selftests/uml/uml.sh $(abspath $(KERNEL_TESTS))

# make cipher-paths K=6.12: what reads and writes records, once on each way to AES-GCM: in User
# Mode Linux (uml-paths), then in a guest, where records go from and to programs' memory.
PATH_TESTS := $(addsuffix _test,record read cipher cbc session rekey zerocopy straight whole like_tcp uring)
.PHONY: uml-paths cipher-paths
uml-paths: $(KERNEL_TESTS)
	@scripts/deps.sh uml
	@selftests/uml/paths.sh $(addprefix $(CURDIR)/$(B)/kernel/,$(PATH_TESTS))

cipher-paths: uml-paths vm-module
	@$(MAKE) -s vm K=$(K) NOAGENT=1 TIMEOUT=1500 RUN='selftests/vm/paths.sh $(PATH_TESTS)'
