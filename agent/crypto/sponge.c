/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sponge of FIPS 202, lanes little-endian whatever the machine is. */
#include <string.h>
#include "crypto/crypto.h"
#include "crypto/sponge.h"

static uint64_t lane_read(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void lane_write(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void next_block(struct sponge *s)
{
	if (s->at == s->rate) {
		sha3_permute(&s->s);
		s->at = 0;
	}
}

void sponge_start(struct sponge *s, enum sponge_rate rate)
{
	memset(s, 0, sizeof(*s));
	s->rate = rate;
}

void sponge_absorb(struct sponge *s, const uint8_t *in, size_t len)
{
	while (len) {
		next_block(s);
		if (len >= 8 && s->at % 8 == 0) {
			s->s.a[s->at / 8] ^= lane_read(in);
			in += 8;
			len -= 8;
			s->at += 8;
		} else {
			s->s.a[s->at / 8] ^= (uint64_t)*in++ << 8 * (s->at % 8);
			len--;
			s->at++;
		}
	}
}

void sponge_end(struct sponge *s, enum sponge_domain domain)
{
	next_block(s);
	s->s.a[s->at / 8] ^= (uint64_t)domain << 8 * (s->at % 8);
	s->s.a[s->rate / 8 - 1] ^= UINT64_C(1) << 63;
	s->at = s->rate;
}

void sponge_squeeze(struct sponge *s, uint8_t *out, size_t len)
{
	while (len) {
		next_block(s);
		if (len >= 8 && s->at % 8 == 0) {
			lane_write(out, s->s.a[s->at / 8]);
			out += 8;
			len -= 8;
			s->at += 8;
		} else {
			*out++ = (uint8_t)(s->s.a[s->at / 8] >> 8 * (s->at % 8));
			len--;
			s->at++;
		}
	}
}

void sponge_wipe(struct sponge *s)
{
	crypto_wipe(s, sizeof(*s));
}
