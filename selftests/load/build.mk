# SPDX-License-Identifier: GPL-2.0-or-later
# make load-serve-uml [IDLE=10000] [BUSY=1000] [ROUNDS=9]: ktls-serve's engines side by
# side, each with so many idle and busy connections, at native speed in User Mode Linux;
# make load-serve K=6.12 in the VM.
IDLE ?= 10000
BUSY ?= 1000
ROUNDS ?= 9
LOAD_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard selftests/load/*.c))

$(B)/bin/load: $(LOAD_OBJ) $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -o $@ $^

.PHONY: load-serve load-serve-uml
load-serve: $(B)/bin/load test-ca
	@TIMEOUT=6000 MEM=6G $(MAKE) -s vm NOAGENT=1 RUN='selftests/load/run.sh $(IDLE) $(BUSY) $(ROUNDS)'

load-serve-uml: $(B)/bin/load agent tools test-ca
	@selftests/load/uml.sh $(IDLE) $(BUSY) $(ROUNDS)
