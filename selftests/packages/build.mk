# SPDX-License-Identifier: GPL-2.0-or-later
# make packages: what make deb left in build/deb, installed in a Debian of its own, and
# away again. Minutes, and Debian's archive is needed: not in the check.
.PHONY: packages
packages: deb
	@scripts/deps.sh packages
	@selftests/packages/packages.sh

# make systemd: the same packages under systemd, booted in the VM with the module that
# DKMS built: restarts, upgrades, socket activation. Takes the folder of make packages.
.PHONY: systemd
systemd: deb test-ca
	@scripts/deps.sh packages vm
	@selftests/packages/systemd.sh
