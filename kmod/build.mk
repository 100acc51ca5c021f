# SPDX-License-Identifier: GPL-2.0-only
# make module K=6.12 (or K=6.1, or KREL=<release>) builds build/kmod/<release>/ktls.ko
