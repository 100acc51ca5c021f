#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mend.py IN OUT: mainline's net/tls.c so that Debian's copy compiles.

A stable backport calls the key helper with a fourth argument, the key
generation, that the helper of this tree lacks. Give it that argument with
mainline's meaning, 0 where it is absent; nothing else changes. A tree whose
helper has it passes through as it is.
"""
import sys

NAME = "tls_crypto_info_init"
MACRO = f"#define {NAME}(v, c, p, ...) keys_init(v, c, p, (0, ##__VA_ARGS__))\n\n"


def replace(text, old, new):
    if text.count(old) != 1:
        sys.exit(f"mend.py: {text.count(old)} times instead of once: {old!r}")
    return text.replace(old, new)


def mend(text):
    text = replace(text, f"static void {NAME}(", "static void keys_init(")
    head, body = text.split("static void keys_init(", 1)
    helper, rest = body.split("static void memrnd", 1)
    helper = replace(helper, "struct tls_crypto_info_keys *tls12)",
                     "struct tls_crypto_info_keys *tls12, char generation)")
    helper = replace(helper, "memset(tls12, 0, sizeof(*tls12));",
                     "memset(tls12, generation, sizeof(*tls12));\n"
                     "\tmemset(tls12, 0, sizeof(struct tls_crypto_info));")
    return head + "static void keys_init(" + helper + MACRO + "static void memrnd" + rest


source = open(sys.argv[1]).read()
helper = source.split(f"static void {NAME}(", 1)[-1].split("{", 1)[0]
open(sys.argv[2], "w").write(source if "generation" in helper else mend(source))
