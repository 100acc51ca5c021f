# SPDX-License-Identifier: GPL-2.0-or-later
# The commands are in README.md; each folder says in its build.mk what it makes.
# Everything that is made lands in build/.
.DEFAULT_GOAL := all
SHELL := /bin/bash
B := build

CC ?= gcc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror=implicit -Werror=return-type
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
STD := -std=gnu11 -D_GNU_SOURCE -MMD -MP
INC := -Iagent -Ilibktls -Ikmod/uapi
SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

# One object per source, plain and with sanitizers.
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(INC) -c -o $@ $<

$(B)/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) $(INC) -c -o $@ $<

$(B)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) -O1 -g -fsanitize=thread $(INC) -c -o $@ $<

include agent/build.mk
include libktls/build.mk
include tools/build.mk
include kmod/build.mk
include selftests/build.mk
include scripts/build.mk
include bench/build.mk

.PHONY: all clean
all: agent lib tools

clean:
	rm -rf $(B)/obj $(B)/asan $(B)/tsan $(B)/bin $(B)/unit

-include $(shell [ -d $(B) ] && find $(B)/obj $(B)/asan $(B)/tsan -name '*.d' 2>/dev/null)
