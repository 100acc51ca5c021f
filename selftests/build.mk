# SPDX-License-Identifier: GPL-2.0-or-later
include selftests/unit/build.mk
include selftests/vm/build.mk
