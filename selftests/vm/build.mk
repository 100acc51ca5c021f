# SPDX-License-Identifier: GPL-2.0-or-later
# make vm K=6.12 RUN='command' boots a stock Debian kernel with module and agent
# and runs the command there, in this tree, as root. NOMODULE=1 and NOAGENT=1
# leave them out; boot.sh says the rest.
K ?= 6.12
RUN ?= true
shell_quote = '$(subst ','\'',$(1))'

.PHONY: vm
vm:
	@scripts/deps.sh vm $(if $(NOMODULE),,module-$(K))
	@selftests/vm/image.sh $(K)
	@$(if $(NOMODULE),,$(MAKE) -s module KREL=$$(cat $(B)/vm/$(K)/release))
	@$(if $(NOMODULE)$(NOAGENT),,$(MAKE) -s agent)
	@selftests/vm/boot.sh $(K) $(call shell_quote,$(RUN))
