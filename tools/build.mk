# SPDX-License-Identifier: GPL-2.0-or-later
# The tools are linked with libktls.a, so that they run where they are copied.
SERVE_SRC := $(wildcard tools/serve/*.c)
TOOLS := $(patsubst tools/%.c,%,$(wildcard tools/*.c)) ktls-serve

.PHONY: tools
tools: $(TOOLS:%=$(B)/bin/%)

$(B)/bin/ktls-serve: $(SERVE_SRC:%.c=$(B)/obj/%.o) $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^ -lpthread

$(B)/bin/ktls-%: $(B)/obj/tools/ktls-%.o $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^

# It shows that nothing is needed but libc.
$(B)/bin/ktls-hello: $(B)/obj/tools/ktls-hello.o
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^

CTL_SRC := tools/ktlsctl.c $(wildcard tools/ctl/*.c)
$(B)/obj/tools/ctl/sessions.o: INC += -I/usr/include/libnl3
$(B)/bin/ktlsctl: $(CTL_SRC:%.c=$(B)/obj/%.o) $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^ -lnl-genl-3 -lnl-3

# For unit tests and for a server that watches itself.
$(B)/asan/serve.a: $(patsubst %.c,$(B)/asan/%.o,$(filter-out tools/serve/main.c,$(SERVE_SRC)))
	@rm -f $@
	ar rcs $@ $^

$(B)/asan/ctl.a: $(B)/asan/tools/ctl/line.o
	@rm -f $@
	ar rcs $@ $^

$(B)/asan/ktls-serve: $(B)/asan/tools/serve/main.o $(B)/asan/serve.a $(B)/asan/libktls.a
	$(CC) $(SAN) -o $@ $^ -lpthread
