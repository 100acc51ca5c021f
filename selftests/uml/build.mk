# SPDX-License-Identifier: GPL-2.0-or-later
# make uml [FUZZ_SECONDS=60] [FUZZ_SEED=n]: the module's tests, the record fuzzer among them,
# in User Mode Linux with KASAN, lockdep, fault injection and kmemleak. The kernel is built once (about ten minutes) and cached in build/uml.
.PHONY: uml
uml: $(KERNEL_TESTS)
	@scripts/deps.sh uml
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) selftests/uml/uml.sh $(abspath $(KERNEL_TESTS))

# make uml-paths: what reads and writes records, once on each way to AES-GCM.
.PHONY: uml-paths
uml-paths: $(KERNEL_TESTS)
	@scripts/deps.sh uml
	@selftests/uml/paths.sh $(addprefix $(CURDIR)/$(B)/kernel/,record_test read_test cipher_test)
