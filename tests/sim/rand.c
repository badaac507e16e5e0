/*
 * Copyright (c) 2026 The orchd authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include <sys/types.h>

#include <string.h>
#include <time.h>

#include "libcommon/monotime.h"
#include "sim.h"

/*
 * The one source of chance: xoshiro256** (Blackman and Vigna), seeded by
 * splitmix64.  Everything that a program would ask the machine for, chance
 * and time, is answered here.
 */

static uint64_t s[4];

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k | x >> (64 - k));
}

void
rnd_seed(uint64_t seed)
{
	uint64_t z;
	int i;

	for (i = 0; i < 4; i++) {
		z = (seed += 0x9e3779b97f4a7c15);
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		s[i] = z ^ z >> 31;
	}
}

uint64_t
rnd64(void)
{
	uint64_t r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return (r);
}

unsigned int
rnd(unsigned int most)
{
	return ((unsigned int)((rnd64() >> 32) * most >> 32));
}

int
chaos(unsigned int parts)
{
	return (!w.fair && rnd(10000) < parts);
}

int64_t
rnd_delay(void)
{
	unsigned int k = rnd(1000);

	if (k < 860)
		return (0);
	if (k < 960)
		return (rnd(1000));
	if (w.fair || k < 992)
		return (rnd(20000));
	n.slow++;
	if (k < 998)
		return (rnd(600000));
	return (rnd(14400000));
}

/* What takes the place of the machine's functions. */

uint32_t	 __wrap_arc4random_uniform(uint32_t);
int		 __wrap_random_bytes(void *, size_t);
struct monotime	 __wrap_monotime_now(void);
time_t		 __wrap_time(time_t *);

uint32_t
__wrap_arc4random_uniform(uint32_t most)
{
	return (most == 0 ? 0 : rnd(most));
}

int
__wrap_random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len-- > 0)
		*p++ = (uint8_t)rnd64();
	return (0);
}

struct monotime
__wrap_monotime_now(void)
{
	struct monotime t = { w.now * 1000000 };

	return (t);
}

time_t
__wrap_time(time_t *t)
{
	time_t now = (time_t)(w.now / 1000);

	if (t != NULL)
		*t = now;
	return (now);
}
