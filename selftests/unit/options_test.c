/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the configuration's keys, walked over: each is accepted, each of
 * [agent] changes the line that `ktlsctl config --explain` has for it, and each
 * stands under its section in ktlsd.conf(5). A key without a sample here fails.
 */
#include "agent_test.h"
#include "no_memory.h"
#include "options.h"
#include "profile.h"

static const char *const sections[] = {
	[IN_AGENT] = "agent", [IN_CLIENT] = "client", [IN_IDENTITY] = "identity NAME", [IN_TRUST] = "trust NAME",
	[IN_PSK] = "psk NAME", [IN_IDENTITIES] = "identities NAME",
};

/* @ stands for the folder. @around: what else its section has to have. */
static const struct sample {
	enum section in;
	const char *key, *value, *around, *shown;
} samples[] = {
	{ IN_AGENT, "workers", "3", "", NULL },
	{ IN_AGENT, "signers", "7", "", NULL },
	{ IN_AGENT, "user", "daemon", "", "\"daemon\"" },
	{ IN_AGENT, "log", "debug", "", NULL },
	{ IN_AGENT, "handshakes", "77", "", NULL },
	{ IN_AGENT, "rsa-min-bits", "3072", "", "3072 from=file" },
	{ IN_AGENT, "tickets", "5", "", NULL },
	{ IN_AGENT, "ticket-lifetime", "600", "", NULL },
	{ IN_AGENT, "early-data", "1000", "", NULL },
	{ IN_AGENT, "client-tickets", "9", "", NULL },
	{ IN_AGENT, "session-ids", "11", "", NULL },
	{ IN_AGENT, "identity-cache", "100", "", NULL },
	{ IN_AGENT, "profile", "cnsa", "", "name=cnsa" },
	{ IN_AGENT, "prefer", "cost", "", "prefer=cost" },
	{ IN_AGENT, "certificate-compression", "yes", "", NULL },
	{ IN_AGENT, "retry-cookie", "yes", "", NULL },
	{ IN_AGENT, "delegated-credentials", "yes", "", NULL },
	{ IN_AGENT, "padding", "512", "", NULL },
	{ IN_AGENT, "min-version", "1.3", "", NULL },
	{ IN_AGENT, "max-version", "1.2", "", NULL },
	{ IN_AGENT, "ciphers", "chacha20-poly1305", "", "chacha20-poly1305 from=file" },
	{ IN_AGENT, "groups", "x448", "", "x448 from=file" },
	{ IN_AGENT, "schemes", "ed25519", "", "ed25519 from=file" },
	{ IN_AGENT, "tls12-psk", "dhe ecdhe", "", "ecdhe,dhe" },
	{ IN_AGENT, "fips", "no", "", NULL },
	{ IN_AGENT, "control", "/run/elsewhere", "", "\"/run/elsewhere\"" },
	{ IN_AGENT, "relay", "/run/relay", "", "\"/run/relay\"" },
	{ IN_AGENT, "key-log", "/run/keys", "", "\"/run/keys\"" },
	{ IN_AGENT, "ticket-secret", "/run/secret", "", "\"/run/secret\"" },
	{ IN_AGENT, "ticket-redis", "localhost", "", "\"localhost\"" },
	{ IN_CLIENT, "allow", "uid:1", "", NULL },
	{ IN_IDENTITY, "certificate", "@/a.pem", "key = @/a.key\n", NULL },
	{ IN_IDENTITY, "key", "@/a.key", "certificate = @/a.pem\n", NULL },
	{ IN_IDENTITY, "passphrase-file", "@/phrase", "certificate = @/a.pem\nkey = @/sealed.key\n", NULL },
	{ IN_IDENTITY, "ocsp", "@/none.ocsp", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITY, "sct", "@/sct", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITY, "delegated", "@/delegated.bin", "delegated-key = @/delegated.key\ncertificate = @/holder.pem\nkey = @/holder.key\n", NULL },
	{ IN_IDENTITY, "delegated-key", "@/delegated.key", "delegated = @/delegated.bin\ncertificate = @/holder.pem\nkey = @/holder.key\n", NULL },
	{ IN_IDENTITY, "allow", "uid:1", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITY, "default", "yes", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITY, "alpn", "h2", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITY, "raw-key", "yes", "certificate = @/a.pem\nkey = @/a.key\n", NULL },
	{ IN_IDENTITIES, "certificate", "@/*.pem", "key = @/*.key\n", NULL },
	{ IN_IDENTITIES, "key", "@/*.key", "certificate = @/*.pem\n", NULL },
	{ IN_IDENTITIES, "passphrase-file", "@/phrase", "certificate = @/*.pem\nkey = @/*.key\n", NULL },
	{ IN_IDENTITIES, "allow", "uid:1", "certificate = @/*.pem\nkey = @/*.key\n", NULL },
	{ IN_IDENTITIES, "alpn", "h2", "certificate = @/*.pem\nkey = @/*.key\n", NULL },
	{ IN_TRUST, "file", "@/a.pem", "", NULL },
	{ IN_TRUST, "crl", "@/empty.crl", "file = @/a.pem\n", NULL },
	{ IN_TRUST, "crl-required", "yes", "file = @/a.pem\n", NULL },
	{ IN_TRUST, "ocsp-required", "yes", "file = @/a.pem\n", NULL },
	{ IN_TRUST, "strict", "yes", "file = @/a.pem\n", NULL },
	{ IN_TRUST, "ct-log", "@/a.pub", "file = @/a.pem\n", NULL },
	{ IN_TRUST, "ct-required", "1", "file = @/a.pem\nct-log = @/a.pub\n", NULL },
	{ IN_TRUST, "raw-key", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF", "", NULL },
	{ IN_PSK, "key", "@/psk", "", NULL },
	{ IN_PSK, "identity", "me", "key = @/psk\n", NULL },
	{ IN_PSK, "hash", "sha384", "key = @/psk\n", NULL },
	{ IN_PSK, "import", "yes", "key = @/psk\n", NULL },
	{ IN_PSK, "allow", "uid:1", "key = @/psk\n", NULL },
};

static const struct sample *sample_of(const struct option *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (samples[i].in == o->in && !strcmp(samples[i].key, o->key))
			return &samples[i];
	fail_msg("[%s] %s has no sample", sections[o->in], o->key);
	return NULL;
}

/* "[psk NAME]" as it is */
static struct config *accepted(const struct sample *s)
{
	struct config_report report;
	struct config *c = NULL;
	char text[1024];

	snprintf(text, sizeof(text), "[%s]\n%s = %s\n%s", s ? sections[s->in] : "agent", s ? s->key : "log",
		 s ? s->value : "info", s ? s->around : "");
	if (config_from(text, &c, &report))
		fail_msg("%s is refused: %s", text, report.text);
	return c;
}

/* The line of @name in the explanation, without the line's end; to be freed. */
static char *explained(const struct config *c, const char *name)
{
	char *out, *line = NULL, want[64];
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	profile_explain(c, f);
	fclose(f);
	snprintf(want, sizeof(want), " name=%s value=", name);
	for (char *rest = out, *l; (l = strsep(&rest, "\n")) && !line;)
		if (!strcmp(name, "profile") || !strcmp(name, "prefer") ? !strncmp(l, "profile ", 8) : !!strstr(l, want))
			line = strdup(l);
	free(out);
	return line;
}

static void each_is_accepted(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < options_agent_num; i++)
		config_put(accepted(sample_of(&options_agent[i])));
	for (size_t i = 0; i < options_named_num; i++)
		config_put(accepted(sample_of(&options_named[i])));
	assert_int_equal(ARRAY_SIZE(samples), options_agent_num + options_named_num);
}

static void each_of_the_agent_is_explained(void **unused)
{
	struct config *plain = accepted(NULL), *c;

	(void)unused;
	for (size_t i = 0; i < options_agent_num; i++) {
		const struct sample *s = sample_of(&options_agent[i]);
		char *before = explained(plain, s->key), *after;

		c = accepted(s);
		after = explained(c, s->key);
		if (!after || !strstr(after, s->shown ? s->shown : s->value))
			fail_msg("%s = %s is explained by: %s", s->key, s->value, after ? after : "nothing");
		/* That of the kernel that runs. */
		if (strcmp(s->key, "fips") && before && !strcmp(before, after))
			fail_msg("%s = %s changes nothing: %s", s->key, s->value, after);
		free(before);
		free(after);
		config_put(c);
	}
	config_put(plain);
}

/* Between the section's heading and the next, as an item of its own or beside another. */
static bool documented(const char *man, const struct option *o)
{
	char heading[64], item[64];
	const char *at, *end, *found;

	snprintf(heading, sizeof(heading), ".Ss [%s]", sections[o->in]);
	snprintf(item, sizeof(item), "Ic %s =", o->key);
	at = strstr(man, heading);
	if (!at)
		return false;
	end = strstr(at + 1, "\n.Ss ");
	found = strstr(at, item);
	return found && (!end || found < end);
}

static void each_is_documented(void **unused)
{
	char *man;
	size_t len;

	(void)unused;
	assert_int_equal(file_slurp("man/ktlsd.conf.5", &man, &len), 0);
	for (size_t i = 0; i < options_agent_num; i++)
		if (!documented(man, &options_agent[i]))
			fail_msg("[agent] %s is not in ktlsd.conf(5)", options_agent[i].key);
	for (size_t i = 0; i < options_named_num; i++)
		if (!documented(man, &options_named[i]))
			fail_msg("[%s] %s is not in ktlsd.conf(5)", sections[options_named[i].in], options_named[i].key);
	free(man);
}

/* ---- without memory */

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

char *__wrap_strdup(const char *text)
{
	return no_memory() ? NULL : __real_strdup(text);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return no_memory() ? NULL : __real_reallocarray(p, n, size);
}

static const char everything[] =
	"[agent]\nuser = daemon\ncontrol = /run/c\nrelay = /run/r\nkey-log = /run/k\nticket-secret = /run/s\nticket-redis = r\n"
	"[identity a]\ncertificate = @/a.pem\nkey = @/sealed.key\npassphrase-file = @/phrase\nsct = @/sct\nocsp = @/none\nalpn = h2\n"
	"[identity d]\ncertificate = @/holder.pem\nkey = @/holder.key\ndelegated = @/delegated.bin\ndelegated-key = @/delegated.key\n"
	"[identities b]\ncertificate = @/*.pem\nkey = @/*.key\npassphrase-file = @/phrase\nalpn = h2\n"
	"[trust system]\nfile = @/a.pem\ncrl = @/empty.crl\nct-log = @/a.pub\nct-log = @/a.pub\n"
	"[trust bare]\nraw-key = 0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF\n"
	"[psk p]\nkey = @/psk\nidentity = me\n[client]\nallow = uid:1\n";

/* Whichever allocation fails, the configuration is refused, or stands without a harmless part; ASan watches. */
static void no_memory_anywhere(void **unused)
{
	struct config_report report;
	unsigned int n, refused = 0;
	bool all = false;

	(void)unused;
	for (n = 1; !all; n++) {
		struct config *c = NULL;
		const char *path = file_write("test.conf", everything);
		struct files *files = files_new();
		int err;

		no_memory_in = n;
		err = config_load(path, files, true, &c, &report);
		all = no_memory_in != 0;
		no_memory_in = 0;
		assert_true(err == 0 || (!all && (err == -EINVAL || err == -ENOMEM)));
		refused += err != 0;
		if (!err)
			config_put(c);
	}
	assert_true(n > 50 && refused > n / 2);
}

static int setup(void **unused)
{
	char command[9000];

	(void)unused;
	folder_make("options");
	identity_make("a", P256, "DNS:a.test");
	file_write("phrase", "open sesame\n");
	file_write("psk", "000102030405060708090a0b0c0d0e0f\n");
	snprintf(command, sizeof(command), "cd '%s' && openssl pkcs8 -topk8 -v2 aes-256-cbc -in a.key -out sealed.key -passout file:phrase && "
		 "openssl pkey -in a.key -pubout -out a.pub && ../../../selftests/peers/delegated.py a 5 && "
		 "touch index && printf 00 > number && printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index\\ncrlnumber=number\\n"
		 "default_md=sha256\\n' > ca.cnf && openssl ca -config ca.cnf -gencrl -crldays 3000 -keyfile a.key -cert a.pem "
		 "-out empty.crl 2> /dev/null && printf '\\0\\003\\0\\001x' > sct", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_accepted), cmocka_unit_test(each_of_the_agent_is_explained),
		cmocka_unit_test(each_is_documented), cmocka_unit_test(no_memory_anywhere),
	};

	no_memory_spares_numbers();
	return cmocka_run_group_tests(tests, setup, NULL);
}
