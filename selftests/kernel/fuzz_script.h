/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a peer sends in one case of the record fuzzer, and what must come of
 * it: good records, then perhaps one thing that isn't.
 */
#ifndef KERNEL_FUZZ_SCRIPT_H
#define KERNEL_FUZZ_SCRIPT_H

#include "wire.h"

#define SCRIPT_PARTS	40
#define SCRIPT_BYTES	(1 << 19)

/* Plaintext that the application must get. */
struct part {
	uint8_t		type;
	size_t		len;		/* never 0 */
	size_t		wire;		/* not before so many bytes were sent */
};

struct script {
	const char	*what;
	uint8_t		wire[SCRIPT_BYTES];
	size_t		wire_len;
	uint8_t		plain[SCRIPT_BYTES];
	size_t		plain_len;
	struct part	part[SCRIPT_PARTS];
	unsigned int	parts;
	bool		silent;		/* there are records that the application sees nothing of */
	bool		fin;		/* the peer's stream ends behind wire */
	int		err;		/* of reading behind the last part; 0: end of stream */
	size_t		err_wire;	/* not before so many bytes were sent */
	int		then;		/* and of reading once more */
	uint8_t		alert;		/* that the peer gets, the session being dead; 0: it lives */
};

/* A repeatable random number below @sides. */
unsigned int dice(uint64_t *seed, unsigned int sides);

/* Make one for the keys in @s->rx, which advance. */
void script_make(struct script *sc, struct session *s, bool spares, uint64_t *seed);

#endif
