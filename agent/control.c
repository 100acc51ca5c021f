/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a UNIX stream socket (configuration: control =
 * /run/ktlsd/control, mode 0660). The caller writes one line, at most 255
 * bytes, the keeper answers with lines of text and closes. The first line is
 * "ok" or "error SENTENCE". Fields are KEY=VALUE, separated by one space; a
 * value with spaces or quotes stands in "..." with \" and \\. New keys may
 * be added at any place; a reader skips those it does not know.
 *
 * status	version=… pid=… uptime=SECONDS config=PATH reloads=N workers=N
 *		worker number=N pid=… state=starting|ready|retiring|waiting uptime=… conns=… accepted=… done=… failed=… other=… signed=…
 *		identity name=… key=rsa|rsa-pss|p256|p384|p521|ed25519 bits=… names=a,b default=yes|no allow=uid:0,gid:33 file=PATH
 *		trust name=… anchors=N file=PATH
 * why [N]	failure time=2026-01-02T03:04:05Z cookie=HEX peer=ADDRESS role=client|server uid=… name=… errno=ENAME
 *		alert=NAME|none from=none|local|peer reason="…"		the last N (all of 256), newest first
 * config	the file in force, as it was read
 */
#include "control.h"
