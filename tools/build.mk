# SPDX-License-Identifier: GPL-2.0-or-later
# The tools are linked with libktls.a, so that they run where they are copied.
SERVE_SRC := $(wildcard tools/serve/*.c)
TOOLS := $(patsubst tools/%.c,%,$(wildcard tools/*.c)) ktls-serve ktls-run

.PHONY: tools
tools: $(TOOLS:%=$(B)/bin/%) $(B)/lib/libktls-preload.so

$(B)/bin/ktls-serve: $(SERVE_SRC:%.c=$(B)/obj/%.o) $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^ -lpthread -luring

$(B)/bin/ktls-run: $(B)/obj/tools/run/main.o $(B)/obj/tools/run/listener.o $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^

# Into other people's programs: nothing of it is seen but listen().
$(B)/lib/libktls-preload.so: $(addprefix $(B)/pic/,tools/run/preload.o tools/run/listener.o $(LIB_SRC:%.c=%.o))
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,libktls-preload.so -Wl,--version-script=tools/run/preload.map -Wl,-z,defs,-z,relro,-z,now -o $@ $^

-include $(wildcard $(B)/pic/tools/run/*.d)

$(B)/bin/ktls-%: $(B)/obj/tools/ktls-%.o $(B)/lib/libktls.a
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^

# It shows that nothing is needed but libc.
$(B)/bin/ktls-hello: $(B)/obj/tools/ktls-hello.o
	@mkdir -p $(@D)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $^

CTL_SRC := tools/ktlsctl.c $(wildcard tools/ctl/*.c)
$(B)/obj/tools/ctl/dump.o: INC += -I/usr/include/libnl3
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
	$(CC) $(SAN) -o $@ $^ -lpthread -luring
