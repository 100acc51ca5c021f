# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz [SECONDS=60] [FUZZ=name]: what strangers send, and what an
# administrator is given, against libFuzzer (needs clang); SECONDS is for all
# targets together. What they find is kept in build/fuzz/corpus/NAME; a crash
# is a file build/fuzz/NAME-crash-*, and belongs into selftests/fuzz/corpus/NAME
# with its repair.
# make fuzz-corpus: the inputs kept there, once each under ASan and UBSan; in the check.
FUZZ_CC ?= clang
FUZZ_ALL := hs cert pem ticket post config
FUZZ ?= $(FUZZ_ALL)
SECONDS ?= 60
FUZZ_FLAGS := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_SRC := $(foreach p,$(AGENT_PARTS),$(AGENT_SRC_$(p)))

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(STD) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(INC) -I/usr/include/libnl3 -I/usr/include/p11-kit-1 -c -o $@ $<

$(B)/fuzz/agent.a: $(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.o)
	@rm -f $@
	ar rcs $@ $^

$(B)/fuzz/%_fuzz: $(B)/fuzz/obj/selftests/fuzz/%_fuzz.o $(B)/fuzz/agent.a
	@mkdir -p $(@D)/corpus/$*
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(AGENT_LIBS)

$(B)/fuzz/%_files: $(B)/asan/selftests/fuzz/%_fuzz.o $(B)/asan/selftests/fuzz/files.o $(AGENT_PARTS:%=$(B)/asan/agent-%.a)
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(AGENT_LIBS)

$(B)/asan/selftests/fuzz/post_fuzz.o: INC += -I/usr/include/libnl3
.SECONDARY: $(FUZZ_ALL:%=$(B)/asan/selftests/fuzz/%_fuzz.o) $(FUZZ_ALL:%=$(B)/fuzz/obj/selftests/fuzz/%_fuzz.o)

.PHONY: fuzz fuzz-corpus
fuzz: $(FUZZ:%=$(B)/fuzz/%_fuzz)
	@set -e; cd $(B)/fuzz; for t in $(FUZZ); do echo "# fuzz $$t"; \
		./$${t}_fuzz -max_total_time=$$(($(SECONDS) / $(words $(FUZZ)))) -max_len=8192 -print_final_stats=1 \
			-artifact_prefix=$$t- corpus/$$t $(CURDIR)/selftests/fuzz/corpus/$$t; done

fuzz-corpus: $(FUZZ_ALL:%=$(B)/fuzz/%_files)
	@for t in $(FUZZ_ALL); do $(B)/fuzz/$${t}_files selftests/fuzz/corpus/$$t || echo "not ok 2 - $$t"; done
