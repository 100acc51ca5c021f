/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's assembler asks of <linux/linkage.h>, for user space. */
#define SYM_FUNC_START(name)	.globl name; .type name, @function; .balign 16; name:
#define SYM_FUNC_END(name)	.size name, . - name
#define RET			ret
