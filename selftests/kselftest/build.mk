# SPDX-License-Identifier: GPL-2.0-or-later
# make kselftest K=6.12 (or 6.1, or uml for User Mode Linux 6.12): mainline's own tls.c of linux-source-6.12 in the VM,
# on Debian's net/tls and then on this module with drop_in=1, a process for each test
# (each.sh). KTEST='13_aes_gcm|rekey', a pattern of names, narrows it. docs/KSELFTEST.md has results.
.PHONY: kselftest kselftest-build kselftest-module-uml
kselftest-module-%: vm-module ;
kselftest-module-uml:
	@$(MAKE) -s module ARCH=um KREL=uml-release KDIR=$$(selftests/uml/kernel.sh release)

kselftest-build:
	@selftests/kselftest/build.sh

kselftest: kselftest-build kselftest-module-$(K)
	@selftests/kselftest/kselftest.sh $(K) $(call shell_quote,$(KTEST))
