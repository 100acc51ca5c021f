# SPDX-License-Identifier: GPL-2.0-or-later
# make uml: the module's tests in User Mode Linux with KASAN, lockdep and
# kmemleak. The kernel is built once (about ten minutes) and cached in build/uml.
.PHONY: uml
uml: $(KERNEL_TESTS)
	@scripts/deps.sh uml
	@selftests/uml/uml.sh $(abspath $(KERNEL_TESTS))
