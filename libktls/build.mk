# SPDX-License-Identifier: LGPL-2.1-or-later
# libktls: build/lib/libktls.{so.0,so,a} and ktls.pc. Position-independent
# objects have a place of their own; the sanitized archive is for unit tests.
LIB_SRC := $(wildcard libktls/*.c)
LIB_VERSION := 0.1
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib

.PHONY: lib
lib: $(B)/lib/libktls.so $(B)/lib/libktls.a $(B)/lib/ktls.pc

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(HARDEN) -fPIC $(CFLAGS) $(INC) -c -o $@ $<

$(B)/lib/libktls.a: $(LIB_SRC:%.c=$(B)/obj/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

$(B)/asan/libktls.a: $(LIB_SRC:%.c=$(B)/asan/%.o)
	@rm -f $@
	ar rcs $@ $^

$(B)/lib/libktls.so.0: $(LIB_SRC:%.c=$(B)/pic/%.o) libktls/ktls.map
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,libktls.so.0 -Wl,--version-script=libktls/ktls.map \
		-Wl,-z,defs,-z,relro,-z,now -o $@ $(filter %.o,$^)

$(B)/lib/libktls.so: $(B)/lib/libktls.so.0
	ln -sf $(<F) $@

$(B)/lib/ktls.pc: libktls/ktls.pc.in
	@mkdir -p $(@D)
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(LIB_VERSION)|' $< > $@

-include $(wildcard $(B)/pic/libktls/*.d)
