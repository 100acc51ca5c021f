# SPDX-License-Identifier: GPL-2.0-or-later
# make kernel-tests: each *_test.c here becomes build/kernel/<name>_test, a cmocka
# program that needs root and the module and runs in a guest: it prints TAP when
# CMOCKA_MESSAGE_OUTPUT=TAP. agent.c, the agent they play, is linked to each.
KERNEL_TESTS := $(patsubst selftests/kernel/%.c,$(B)/kernel/%,$(wildcard selftests/kernel/*_test.c))
KERNEL_SHARED := $(patsubst %.c,$(B)/obj/%.o,$(filter-out %_test.c,$(wildcard selftests/kernel/*.c)))

KERNEL_LIBS_uring_test := -luring
KERNEL_LIBS_cbc_test := -lssl -lcrypto

.PHONY: kernel-tests
.SECONDARY: $(KERNEL_SHARED) $(KERNEL_TESTS:$(B)/kernel/%=$(B)/obj/selftests/kernel/%.o)
kernel-tests: $(KERNEL_TESTS)

$(B)/kernel/%: $(B)/obj/selftests/kernel/%.o $(KERNEL_SHARED)
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^ -lcmocka -lnettle -lpthread $(KERNEL_LIBS_$*)
