/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list beside the program, ktlsd.hmac, has an HMAC-SHA256 for the program
 * ("self") and for each library that it takes cryptography from. The key is no
 * secret: this finds damage, a signed package finds malice.
 */
#include "fips.h"
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/tls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "crypto/selftest.h"
#include "rng/rng.h"

#define HMAC_LEN	32
#define LIBRARIES	8
#define SELF		"self"

static const uint8_t integrity_key[] = "ktlsd integrity";

struct libraries { char path[LIBRARIES][PATH_MAX]; size_t num; };

bool fips_kernel_wants(void)
{
	FILE *f = fopen("/proc/sys/crypto/fips_enabled", "re");
	bool wants = f && fgetc(f) == '1';

	if (f)
		fclose(f);
	return wants;
}

/* ---- integrity */

static int file_hmac(const char *path, char hex[2 * HMAC_LEN + 1])
{
	uint8_t mac[HMAC_LEN];
	char *data;
	size_t len;
	int err = file_slurp(path, &data, &len);

	if (err)
		return err;
	crypto_hmac(&crypto_sha256, integrity_key, sizeof(integrity_key), data, len, mac);
	free(data);
	for (size_t i = 0; i < sizeof(mac); i++)
		sprintf(hex + 2 * i, "%02x", mac[i]);
	return 0;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	static const char *const known[] = { "/libnettle.so", "/libhogweed.so", "/libgmp.so" };
	struct libraries *l = arg;

	(void)size;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(info->dlpi_name, known[i]) && l->num < LIBRARIES)
			snprintf(l->path[l->num++], PATH_MAX, "%s", info->dlpi_name);
	return 0;
}

static struct libraries *libraries(void)
{
	struct libraries *l = calloc(1, sizeof(*l));

	if (l)
		dl_iterate_phdr(add_library, l);
	return l;
}

static int list_one(FILE *to, const char *name, const char *path)
{
	char hex[2 * HMAC_LEN + 1];
	int err = file_hmac(path, hex);

	if (!err && fprintf(to, "%s  %s\n", hex, name) < 0)
		err = -EIO;
	return err;
}

int fips_list(FILE *to)
{
	struct libraries *l = libraries();
	int err = l ? list_one(to, SELF, "/proc/self/exe") : -ENOMEM;

	for (size_t i = 0; !err && i < l->num; i++)
		err = list_one(to, l->path[i], l->path[i]);
	free(l);
	return err;
}

/* Does the list have this file as it is? */
static int check_one(const char *list, const char *name, const char *path, char why[FIPS_WHY])
{
	char line[2 * HMAC_LEN + 4 + PATH_MAX], hex[2 * HMAC_LEN + 1];
	const char *at;
	int n;

	if (file_hmac(path, hex)) {
		snprintf(why, FIPS_WHY, "%.180s cannot be read to check it", path);
		return -EPERM;
	}
	n = snprintf(line, sizeof(line), "%s  %s\n", hex, name);
	at = strstr(list, line);
	if (n > 0 && at && (at == list || at[-1] == '\n'))
		return 0;
	snprintf(why, FIPS_WHY, "%.150s is not what ktlsd.hmac says: install it anew", strcmp(name, SELF) ? path : "ktlsd");
	return -EPERM;
}

int fips_check_list(const char *path, char why[FIPS_WHY])
{
	struct libraries *l = libraries();
	char *list = NULL;
	size_t len;
	int err = -EPERM;

	if (!l || file_slurp(path, &list, &len)) {
		snprintf(why, FIPS_WHY, "%.150s cannot be read: make it with ktlsd --fips-list", path);
		free(l);
		return err;
	}
	err = check_one(list, SELF, "/proc/self/exe", why);
	for (size_t i = 0; !err && i < l->num; i++)
		err = check_one(list, l->path[i], l->path[i], why);
	free(list);
	free(l);
	return err;
}

static int check_integrity(char why[FIPS_WHY])
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(".hmac"));

	if (n < 0) {
		snprintf(why, FIPS_WHY, "the program's own path cannot be read: mount /proc");
		return -EPERM;
	}
	strcpy(path + n, ".hmac");
	return fips_check_list(path, why);
}

int fips_start(bool integrity, char why[FIPS_WHY])
{
	const char *broken = crypto_selftest();

	if (broken) {
		snprintf(why, FIPS_WHY, "the self-test of %s failed: this CPU, memory or installation is damaged", broken);
		return -EPERM;
	}
	rng_use_drbg();
	return integrity ? check_integrity(why) : 0;
}

/* ---- approved algorithms: SP 800-52r2 3.3, SP 800-186 */

static bool in(const uint16_t *list, size_t num, uint16_t id)
{
	while (num--)
		if (list[num] == id)
			return true;
	return false;
}

static size_t keep(uint16_t *list, size_t num, const uint16_t *approved, size_t approved_num)
{
	size_t n = 0;

	for (size_t i = 0; i < num; i++)
		if (in(approved, approved_num, list[i]))
			list[n++] = list[i];
	return n;
}

int fips_restrict(struct config *config)
{
	static const uint16_t ciphers[] = { TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256 };
	static const uint16_t groups[] = { 23, 24, 25, 256, 257, 258 };	/* secp*r1, ffdhe* */

	static const uint16_t schemes[] = {	/* FIPS 186-5: ECDSA, EdDSA, RSA */
		0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
	};
	bool named = config->schemes_num;

	config->ciphers_num = keep(config->ciphers, config->ciphers_num, ciphers, 2);
	config->groups_num = keep(config->groups, config->groups_num, groups, 6);
	config->schemes_num = keep(config->schemes, config->schemes_num, schemes, sizeof(schemes) / sizeof(schemes[0]));
	if (config->rsa_min_bits < 2048)
		config->rsa_min_bits = 2048;
	return config->ciphers_num && config->groups_num && (!named || config->schemes_num) ? 0 : -EINVAL;
}
