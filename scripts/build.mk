# SPDX-License-Identifier: GPL-2.0-or-later
# What is neither built nor tested: packages, certificates, demo, installation.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INSTALL_KREL ?= $(shell uname -r)
MODULE_DIR = $(DESTDIR)/lib/modules/$(INSTALL_KREL)/updates
UNIT_DIR = $(DESTDIR)/lib/systemd/system

.PHONY: deps test-ca demo deb install install-module install-user load
deps:
	@scripts/deps.sh build

test-ca:
	@scripts/test-ca.sh $(B)/ca

# DEMO_ONCE=1 ends after the fetch, DEMO_PORT=8443 is where it answers.
demo:
	@scripts/demo.sh

# Packages into build/deb: the module by DKMS, agent, library, -dev, tools.
deb:
	@scripts/deps.sh build deb
	@scripts/deb.sh

# On this machine (or below DESTDIR), for the kernel that runs (INSTALL_KREL).
install: install-user install-module

install-module:
	@scripts/deps.sh headers-$(INSTALL_KREL)
	$(MAKE) -s module KREL=$(INSTALL_KREL)
	install -D -m 644 $(B)/kmod/$(INSTALL_KREL)/ktls.ko $(MODULE_DIR)/ktls.ko
	install -D -m 644 etc/modules-load.conf $(DESTDIR)/etc/modules-load.d/ktls.conf
	$(if $(DESTDIR),,depmod $(INSTALL_KREL))

install-user: agent lib tools
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin sbin lib include/linux share/man/man1 share/man/man3 \
		share/man/man5 share/man/man7 share/man/man8) $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 755 $(B)/bin/ktlsd $(B)/bin/ktlsctl $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 $(B)/bin/ktlsd.hmac $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/bin/ktls-serve $(B)/bin/ktls-cat $(B)/bin/ktls-run $(DESTDIR)$(PREFIX)/bin/
	install -D -m 644 $(B)/lib/libktls-preload.so $(DESTDIR)$(PREFIX)/lib/ktls/libktls-preload.so
	install -m 644 $(B)/lib/libktls.so.0 $(B)/lib/libktls.a $(DESTDIR)$(LIBDIR)/
	ln -sf libktls.so.0 $(DESTDIR)$(LIBDIR)/libktls.so
	install -m 644 $(B)/lib/ktls.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 libktls/ktls.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 kmod/uapi/linux/*.h $(DESTDIR)$(PREFIX)/include/linux/
	for n in 1 3 5 7 8; do install -m 644 man/*.$$n $(DESTDIR)$(PREFIX)/share/man/man$$n/; done
	install -d -m 755 $(DESTDIR)/etc/ktls $(UNIT_DIR)
	[ -e $(DESTDIR)/etc/ktls/ktlsd.conf ] || install -m 644 etc/ktlsd.conf $(DESTDIR)/etc/ktls/
	sed 's|^ExecStart=/usr/sbin/|ExecStart=$(PREFIX)/sbin/|' systemd/ktlsd.service > $(UNIT_DIR)/ktlsd.service
	install -D -m 644 systemd/ktlsd.sysusers $(DESTDIR)/usr/lib/sysusers.d/ktlsd.conf
	$(if $(DESTDIR),,install -D -m 644 share/completion/ktlsctl $(PREFIX)/share/bash-completion/completions/ktlsctl)
	$(if $(DESTDIR),,-systemd-sysusers ktlsd.conf)
	$(if $(DESTDIR),,ldconfig)

# The module into the running kernel; the agent is "systemctl start ktlsd".
load: install
	modprobe ktls
