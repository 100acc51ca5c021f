# SPDX-License-Identifier: GPL-2.0-only
# make module K=6.12 (or K=6.1, or KREL=<release>) builds build/kmod/<release>/ktls.ko
# with the newest installed headers of that series; make sparse K=... checks it.
K ?= 6.12
KREL ?= $(shell ls -d /lib/modules/$(K).*/build 2>/dev/null | cut -d/ -f4 | sort -V | tail -1)
KDIR ?= /lib/modules/$(KREL)/build
KOUT = $(CURDIR)/$(B)/kmod/$(KREL)
KMAKE = $(MAKE) -C $(KDIR) M=$(KOUT) W=1

.PHONY: module sparse module-tree
module: module-tree
	+@flock $(KOUT)/.lock $(KMAKE) modules

sparse: module-tree
	@command -v sparse >/dev/null || { echo "sparse: not installed (apt-get install sparse)" >&2; exit 4; }
	+@flock $(KOUT)/.lock $(KMAKE) C=2 CF="-D__CHECK_ENDIAN__" modules

# Kbuild writes beside the sources, so it gets a tree of links.
module-tree:
	@[ -n "$(KREL)" ] && [ -d "$(KDIR)" ] || \
		{ echo "module: no headers for Linux $(K) in /lib/modules (apt-get install linux-headers-...)" >&2; exit 4; }
	@mkdir -p $(KOUT)
	@find $(KOUT) -xtype l -delete
	@cp -as --remove-destination $(CURDIR)/kmod/. $(KOUT)/
