// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which AES-GCM: chosen once at load from CPU features, said in one line of
 * the log. "generic" is whatever the crypto API has. A kernel from 6.11 on with
 * an AVX-512 CPU has something faster than ours, so auto leaves it to that.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <crypto/aead.h>
#include "gcm-glue.h"

static char *gcm = "auto";
module_param(gcm, charp, 0444);
MODULE_PARM_DESC(gcm, "AES-GCM code: auto, vaes, aesni or generic (the crypto API's)");

static bool simd = true;
module_param(simd, bool, 0644);
MODULE_PARM_DESC(simd, "0: seal and open as if vector registers were never free to use");

static bool gcm_register = true;
module_param(gcm_register, bool, 0444);
MODULE_PARM_DESC(gcm_register, "offer our AES-GCM to the crypto API");

static struct {
	int	(*seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag);
	int	(*open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size);
} use __ro_after_init;
static bool registered __ro_after_init;

#define KEY_SHORT	16
#define KEY_LONG	32
static struct kmem_cache *keys[2] __ro_after_init;	/* short, long */

/* ---- choice */

/* User Mode Linux saves all vector state with its process and knows no xfeatures. */
static bool state_saved(void)
{
#ifdef CONFIG_UML
	return true;
#else
	return cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
#endif
}

static bool has_aesni(void)
{
	return boot_cpu_has(X86_FEATURE_AES) && boot_cpu_has(X86_FEATURE_PCLMULQDQ) &&
	       boot_cpu_has(X86_FEATURE_AVX) && state_saved();
}

static bool has_vaes(void)
{
	return has_aesni() && boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_VAES) &&
	       boot_cpu_has(X86_FEATURE_VPCLMULQDQ);
}

static bool always(void)
{
	return true;
}

/* Best first. */
static const struct choice {
	const char *name, *text;
	bool	(*usable)(void);
	int	(*seal)(const struct gcm_key *key, const struct gcm_op *op, u8 *tag);
	int	(*open)(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size);
} choices[] = {
	{ "vaes", "VAES and AVX2", has_vaes, gcm_vaes_seal, gcm_vaes_open },
	{ "aesni", "AES-NI and AVX", has_aesni, gcm_aesni_seal, gcm_aesni_open },
	{ "generic", "the crypto API's code", always, NULL, NULL },
};

/* Does the crypto API's best driver for gcm(aes) use 512-bit registers? */
static bool kernel_has_avx512(char *driver, size_t len)
{
	struct crypto_aead *tfm;
	bool found = false;

	if (!boot_cpu_has(X86_FEATURE_AVX512BW))
		return false;
	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(tfm))
		return false;
	strscpy(driver, crypto_tfm_alg_driver_name(crypto_aead_tfm(tfm)), len);
	crypto_free_aead(tfm);
	found = strstr(driver, "avx10") || strstr(driver, "avx512");
	return found;
}

static const struct choice *choose(void)
{
	bool automatic = sysfs_streq(gcm, "auto");
	char driver[CRYPTO_MAX_ALG_NAME] = "";
	const struct choice *c;

	if (automatic && kernel_has_avx512(driver, sizeof(driver))) {
		pr_info("AES-GCM: %s, the kernel's own, is faster here than ours\n", driver);
		return &choices[ARRAY_SIZE(choices) - 1];
	}
	for (c = choices; c < choices + ARRAY_SIZE(choices); c++) {
		if (automatic ? c->usable() : sysfs_streq(gcm, c->name))
			break;
	}
	if (c == choices + ARRAY_SIZE(choices)) {
		pr_err("gcm=%s is none of auto, vaes, aesni, generic\n", gcm);
		return ERR_PTR(-EINVAL);
	}
	if (!c->usable()) {
		pr_err("gcm=%s: this CPU lacks %s\n", gcm, c->text);
		return ERR_PTR(-ENODEV);
	}
	pr_info("AES-GCM: %s\n", c->text);
	return c;
}

static struct kmem_cache *key_cache(const char *name, size_t len)
{
	return kmem_cache_create(name, GCM_KEY_SIZE(len), GCM_KEY_ALIGN, SLAB_ACCOUNT, NULL);
}

static void destroy_caches(void)
{
	kmem_cache_destroy(keys[0]);
	kmem_cache_destroy(keys[1]);
}

int ktls_gcm_init(void)
{
	const struct choice *c = choose();
	int err;

	if (IS_ERR(c))
		return PTR_ERR(c);
	keys[0] = key_cache("ktls_gcm_128", KEY_SHORT);
	keys[1] = key_cache("ktls_gcm_256", KEY_LONG);
	if (!keys[0] || !keys[1]) {
		destroy_caches();
		return -ENOMEM;
	}
	use.seal = c->seal;
	use.open = c->open;
	if (!c->seal || !gcm_register)
		return 0;
	err = ktls_gcm_aead_register(c->name);
	if (err)
		pr_warn("AES-GCM: not offered to the crypto API (%d)\n", err);
	registered = !err;
	return 0;
}

void ktls_gcm_exit(void)
{
	if (registered)
		ktls_gcm_aead_unregister();
	destroy_caches();
}

/* ---- use */

/* Socket calls are a process's own, which may use vector registers anywhere. */
bool ktls_gcm_usable(void)
{
	return use.seal && READ_ONCE(simd);
}

void ktls_gcm_key_init(struct gcm_key *key, const u8 *raw, size_t len)
{
	kernel_fpu_begin();
	gcm_key_init(key, raw, len);
	kernel_fpu_end();
}

/* A branch that is always predicted, instead of an indirect call that mitigations slow down. */
int ktls_gcm_seal(const struct gcm_key *key, const struct gcm_op *op, u8 *tag)
{
	int err;

	pagefault_disable();
	kernel_fpu_begin();
	if (likely(use.seal == gcm_vaes_seal))
		err = gcm_vaes_seal(key, op, tag);
	else
		err = gcm_aesni_seal(key, op, tag);
	kernel_fpu_end();
	pagefault_enable();
	return err;
}

int ktls_gcm_open(const struct gcm_key *key, const struct gcm_op *op, const u8 *tag, size_t size)
{
	int err;

	pagefault_disable();
	kernel_fpu_begin();
	if (likely(use.open == gcm_vaes_open))
		err = gcm_vaes_open(key, op, tag, size);
	else
		err = gcm_aesni_open(key, op, tag, size);
	kernel_fpu_end();
	pagefault_enable();
	return err;
}

/* ---- keys */

struct gcm_key *ktls_gcm_key_new(const u8 *raw, size_t len)
{
	struct gcm_key *key = kmem_cache_alloc(keys[len == KEY_LONG], GFP_KERNEL_ACCOUNT);

	if (key)
		ktls_gcm_key_init(key, raw, len);
	return key;
}

void ktls_gcm_key_free(struct gcm_key *key)
{
	bool is_long = key->rounds == KEY_LONG / 4 + 6;

	memzero_explicit(key, GCM_KEY_SIZE(is_long ? KEY_LONG : KEY_SHORT));
	kmem_cache_free(keys[is_long], key);
}

/* ---- scatterlists */

struct place {
	struct scatterlist	*sg;
	size_t			at;
};

static void advance(struct place *p, size_t n)
{
	p->at += n;
	while (p->sg && p->at >= p->sg->length) {
		p->at -= p->sg->length;
		p->sg = sg_next(p->sg);
	}
}

int ktls_gcm_segments(struct scatterlist *src, struct scatterlist *dst, size_t skip, size_t len,
		      struct gcm_seg *seg, size_t max)
{
	struct place from = { src, 0 }, to = { dst, 0 };
	size_t n;

	advance(&from, skip);
	advance(&to, skip);
	for (n = 0; len; n++) {
		size_t part;

		if (n == max || WARN_ON_ONCE(!from.sg || !to.sg))
			return -ENOSPC;
		part = min3(len, from.sg->length - from.at, to.sg->length - to.at);
		seg[n].in = (u8 *)sg_virt(from.sg) + from.at;
		seg[n].out = (u8 *)sg_virt(to.sg) + to.at;
		seg[n].len = part;
		seg[n].user = false;
		advance(&from, part);
		advance(&to, part);
		len -= part;
	}
	return (int)n;
}
