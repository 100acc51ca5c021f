# SPDX-License-Identifier: GPL-2.0-or-later
include selftests/unit/build.mk
-include selftests/kernel/build.mk
-include selftests/peers/build.mk
-include selftests/fuzz/build.mk
-include selftests/kselftest/build.mk
include selftests/load/build.mk
include selftests/packages/build.mk
include selftests/secrets/build.mk
include selftests/soak/build.mk
include selftests/uml/build.mk
include selftests/vm/build.mk

# All that there is to prove, on both kernels; the last line counts.
.PHONY: check style
check:
	@selftests/check.sh

style:
	@selftests/style.sh

# Lines that the unit tests run; the last line is the sum.
.PHONY: coverage
coverage:
	@selftests/coverage.sh
