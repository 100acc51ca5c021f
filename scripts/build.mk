# SPDX-License-Identifier: GPL-2.0-or-later
.PHONY: deps test-ca demo install load
deps:
	@scripts/deps.sh build

test-ca:
	@scripts/test-ca.sh $(B)/ca

# DEMO_ONCE=1 ends after the fetch, DEMO_PORT=8443 is where it answers.
demo:
	@scripts/demo.sh
