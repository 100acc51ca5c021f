# SPDX-License-Identifier: GPL-2.0-only
# make module K=6.12 (or K=6.1, or KREL=<release>) builds build/kmod/<release>/ktls.ko
# with the newest headers of that series, installed or unpacked by scripts/deps.sh
# headers; make sparse K=... checks it. KDEBUG=1 keeps the debug information.
K ?= 6.12
HEADERS = $(CURDIR)/$(B)/vm/headers
KREL ?= $(shell ls -d /lib/modules/$(K).*/build $(HEADERS)/$(K).*/ready 2>/dev/null | \
	awk -F/ '{ print $$(NF - 1) }' | sort -V | tail -1)
KDIR ?= $(firstword $(wildcard /lib/modules/$(KREL)/build $(HEADERS)/$(KREL)/usr/src/linux-headers-$(KREL)))
KOUT = $(CURDIR)/$(B)/kmod/$(KREL)
KLEAN = $(if $(KDEBUG),,KCFLAGS=-g0 KAFLAGS=-g0 CONFIG_DEBUG_INFO_BTF_MODULES=)
KMAKE = $(MAKE) -C $(KDIR) M=$(KOUT) W=1 $(KLEAN)

.PHONY: module sparse module-tree
module: module-tree
	+@flock $(KOUT)/.lock $(KMAKE) modules

sparse: module-tree
	@command -v sparse >/dev/null || { echo "sparse: not installed (apt-get install sparse)" >&2; exit 4; }
	+@flock $(KOUT)/.lock $(KMAKE) C=2 CF="-D__CHECK_ENDIAN__" modules

# Kbuild writes beside the sources, so it gets a tree of links.
module-tree:
	@[ -n "$(KREL)" ] && [ -d "$(KDIR)" ] || \
		{ echo "module: no headers for Linux $(K): scripts/deps.sh headers $(K), or install linux-headers-..." >&2; exit 4; }
	@mkdir -p $(KOUT)
	@find $(KOUT) -xtype l -delete
	@cp -as --remove-destination $(CURDIR)/kmod/. $(KOUT)/
