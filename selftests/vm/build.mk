# SPDX-License-Identifier: GPL-2.0-or-later
# make vm K=6.12 RUN='command' boots a stock Debian kernel with module and agent
# and runs the command there, in this tree, as root. NOMODULE=1 and NOAGENT=1
# leave them out; boot.sh says the rest.
K ?= 6.12
RUN ?= true
shell_quote = '$(subst ','\'',$(1))'
VM_NEEDS = $(if $(NOMODULE)$(NOAGENT),,agent test-ca) $(if $(NOMODULE),,tools)

.PHONY: vm vm-image vm-module
vm-image:
	@scripts/deps.sh vm $(if $(NOMODULE),,module)
	@selftests/vm/image.sh $(K)

# Built for the release that boots, not for the newest headers.
vm-module: vm-image
	@scripts/deps.sh headers $(K) > /dev/null
	@$(MAKE) -s module KREL=$$(cat $(B)/vm/$(K)/release) > $(B)/vm/module-$(K).log 2>&1 || \
		{ cat $(B)/vm/module-$(K).log; exit 1; }

vm: vm-image $(if $(NOMODULE),,vm-module) $(VM_NEEDS)
	@selftests/vm/boot.sh $(K) $(call shell_quote,$(RUN))
