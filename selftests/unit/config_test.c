/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: every kind of bad line with its place and its cure, defaults, what workers see. */
#include <fcntl.h>
#include <linux/tls.h>
#include "agent_test.h"
#include "handshake/suite.h"
#include "profile.h"
#include "sign.h"
#include "x509/cert.h"

#define GOOD "[identity a]\ncertificate = @/a.pem\nkey = @/a.key\n"

/* @says stands in the report, in a line that begins with the file's name and :@line: */
static const struct row { const char *text; int line; const char *says; } rows[] = {
	{ "workers = 2\n", 1, "before any section" },
	{ "[agent]\nworkers = 0\n", 2, "out of range: write a number from 1 to 256" },
	{ "[agent]\nworkers = 257\n", 2, "out of range" },
	{ "[agent]\nworkers = 2x\n", 2, "out of range" },
	{ "[agent]\nworkers = -1\n", 2, "out of range" },
	{ "[agent]\nworkers = 1\nworkers = 2\n", 3, "given before" },
	{ "[agent]\nworker = 1\n", 2, "has no key \"worker\"" },
	{ "[agent]\nworkers =\n", 2, "no value" },
	{ "[agent]\nuser = nobodyatall\n", 2, "there is no such user" },
	{ "[agent]\nuser = root\n", 2, "must be unprivileged" },
	{ "[agent]\nlog = loud\n", 2, "choose from error, warning, info, debug" },
	{ "[agent]\nhandshakes = 70000\n", 2, "out of range" },
	{ "[agent]\nrsa-min-bits = 512\n", 2, "from 1024 to 8192" },
	{ "[agent]\nciphers = aes-128-gcm rc4\n", 2, "choose from aes-128-gcm" },
	{ "[agent]\ngroups = x449\n", 2, "choose from x25519mlkem768, x25519, " },
	{ "[agent]\nprofile = ancient\n", 2, "choose from modern, compatible, cnsa, fips" },
	{ "[agent]\nprefer = both\n", 2, "choose from strength, cost" },
	{ "[agent]\nretry-cookie = maybe\n", 2, "choose from yes, no" },
	{ "[agent]\ncontrol = run/x\n", 2, "no absolute path" },
	{ "[agent]\ncontrol = /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 2, "longer than the 100 bytes" },
	{ "[server]\nx = 1\n", 1, "no section [server]" },
	{ "[identity]\nkey = /x\n", 1, "no section [identity]" },
	{ "[identity a b]\nkey = /x\n", 1, "choose another" },
	{ "[identity aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 1, "choose another" },
	{ "[identity aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 1, "longer than 44 bytes" },
	{ "# x\n\nnonsense\n", 3, "no section, no KEY = VALUE" },
	{ "[identity a]\n", 1, "has no certificate" },
	{ "[identity a]\ncertificate = @/a.pem\n", 1, "has no key" },
	{ "[identity a]\ncertificate = a.pem\n", 2, "no absolute path" },
	{ "[identity a]\ncertificate = @/none.pem\nkey = @/a.key\n", 1, "cannot be read: No such file" },
	{ "[identity a]\ncertificate = @/a.pem\nkey = @/none.key\n", 1, "cannot be read: No such file" },
	{ "[identity a]\ncertificate = @/a.pem\nkey = @\n", 1, "cannot be read: Is a directory" },
	{ "[identity a]\ncertificate = @/a.key\nkey = @/a.key\n", 1, "no certificates in PEM form" },
	{ "[identity a]\ncertificate = @/a.pem\nkey = @/a.pem\n", 1, "no private key that ktlsd knows" },
	{ "[identity a]\ncertificate = @/a.pem\nkey = @/b.key\n", 1, "is not that of certificate" },
	{ GOOD "delegated = @/a.pem\n", 1, "go together" },
	{ GOOD "delegated-key = @/a.key\n", 1, "go together" },
	{ GOOD "delegated = @/none\ndelegated-key = @/a.key\n", 1, "cannot be read" },
	{ GOOD "delegated = @/a.pem\ndelegated-key = @/a.key\n", 1, "no DelegatedCredential" },
	{ GOOD GOOD, 4, "began at line 1 already" },
	{ GOOD "default = maybe\n", 4, "choose from yes, no" },
	{ GOOD "allow = uid:x\n", 4, "is not a number" },
	{ GOOD "allow = uid:4294967295\n", 4, "is not a number" },
	{ GOOD "allow = user:nobodyatall\n", 4, "there is no user" },
	{ GOOD "allow = group:nobodyatall\n", 4, "there is no group" },
	{ GOOD "allow = cgroup:x\n", 4, "neither the number nor the path" },
	{ GOOD "allow = cgroup:/../etc\n", 4, "neither the number nor the path" },
	{ GOOD "allow = root\n", 4, "\"root\" is no rule" },
	{ GOOD "allow = uid:1\n  uid:2\n  uid:z\n", 6, "is not a number" },
	{ "[trust t]\n", 1, "has no file" },
	{ "[trust t]\nfile = @/none.pem\n", 1, "cannot be read" },
	{ "[trust t]\nfile = @/a.key\n", 1, "no CA certificates" },
	{ "[trust t]\nfile = @/a.pem\n[trust t]\nfile = @/a.pem\n", 3, "began at line 1 already" },
	{ "[client]\nallow = nobody\n", 2, "is no rule" },
	{ "[client]\nworkers = 1\n", 2, "[client] has no key" },
};

static void bad_lines(void **unused)
{
	struct config_report report;
	struct config *c;
	char where[5000];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (config_from(rows[i].text, &c, &report) != -EINVAL)
			fail_msg("row %zu was accepted: %s", i, rows[i].text);
		snprintf(where, sizeof(where), "%s/test.conf:%d: ", folder, rows[i].line);
		if (!strstr(report.text, where) || !strstr(report.text, rows[i].says) ||
		    report.errors != 1)
			fail_msg("row %zu: expected %s...%s, %d errors:\n%s", i, where, rows[i].says, report.errors, report.text);
	}
}

/* A credential for d's key, that nobody has signed: that is for its readers to see. */
static void delegated(void **unused)
{
	static const char *const good = "[identity h]\ncertificate = @/h.pem\nkey = @/h.key\ndelegated = @/d.dc\ndelegated-key = @/d.key\n";
	char tbs[] = "                                                                TLS 1.3, server CertificateVerify\0"
		"0123456789abcdef0123456789abcdef", command[5000];
	struct msg_sign m = { .key = SIGN_DELEGATED, .scheme = 0x0403, .len = sizeof(tbs) - 1 };
	struct config_report report;
	struct sign_work w;
	struct config *c;

	(void)unused;
	snprintf(command, sizeof(command), "cd '%s' && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out d.key 2> /dev/null && openssl pkey -in d.key -pubout -outform DER > d.spki && "
		 "{ printf '\\0\\1\\0\\0\\4\\3\\0\\0\\133'; cat d.spki; printf '\\4\\3\\0\\1x'; } > d.dc && test $(stat -c %%s d.spki) = 91 && "
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=h -days 3 -keyout h.key -out h.pem "
		 "-addext keyUsage=digitalSignature -addext 1.3.6.1.4.1.44363.44=DER:0500 2> /dev/null", folder);
	assert_int_equal(system(command), 0);
	c = config_good(good);
	assert_non_null(c->sites[0].id.delegated);
	assert_int_equal(sign_check(c, &m, (uint8_t *)tbs, sizeof(tbs), &w), 0);
	assert_true(w.delegated);
	m.scheme = 0x0503;		/* not of this key */
	assert_int_equal(sign_check(c, &m, (uint8_t *)tbs, sizeof(tbs), &w), -EINVAL);
	config_put(c);
	c = config_good(GOOD);
	m.scheme = 0x0403;
	assert_int_equal(sign_check(c, &m, (uint8_t *)tbs, sizeof(tbs), &w), -ENOKEY);
	config_put(c);
	assert_int_equal(config_from(GOOD "delegated = @/d.dc\ndelegated-key = @/d.key\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "may not delegate"));
	assert_int_equal(config_from("[identity h]\ncertificate = @/h.pem\nkey = @/h.key\ndelegated = @/d.dc\ndelegated-key = @/h.key\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "is not that of delegated"));
}

/* All of them, not the first only. */
static void many_errors(void **unused)
{
	struct config_report report;
	struct config *c;
	char text[40000] = "[agent]\n";
	int i;

	(void)unused;
	assert_int_equal(config_from("[agent]\nlog = x\nworkers = x\n[x]\n", &c, &report), -EINVAL);
	assert_int_equal(report.errors, 3);
	for (i = 0; i < 1000; i++)
		strcat(text, "log = x\n");
	assert_int_equal(config_from(text, &c, &report), -EINVAL);
	assert_int_equal(report.errors, 1000);
	assert_true(strlen(report.text) < sizeof(report.text));
}

static void long_line(void **unused)
{
	struct config_report report;
	char text[1000] = "[client]\nallow = ";
	struct config *c;

	(void)unused;
	while (strlen(text) < 900)
		strcat(text, "uid:1 ");
	assert_int_equal(config_from(text, &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, ":2: the line has more than"));
}

static void no_file(void **unused)
{
	struct config_report report;
	struct config *c;

	(void)unused;
	assert_int_equal(config_load("/nowhere/ktlsd.conf", files_new(), true, &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "/nowhere/ktlsd.conf:0: cannot be read (No such file or directory): create it"));
}

static void defaults(void **unused)
{
	struct config *c = config_good("");

	(void)unused;
	assert_true(c->workers >= 1);
	assert_int_equal(c->handshakes, 1024);
	assert_int_equal(c->rsa_min_bits, 2048);
	assert_int_equal(c->ciphers_num, 3);
	assert_int_equal(c->groups_num, 0);	/* what the handshake has by default */
	assert_int_not_equal(c->uid, 0);
	assert_string_equal(c->control, "/run/ktlsd/control");
	assert_int_equal(c->client.num, 1);
	assert_int_equal(c->client.rule[0].kind, RULE_EVERYONE);
	assert_int_equal(c->sites_num, 0);
	config_put(c);
}

static void keys_by_hand(void **unused)
{
	static const uint8_t want[] = { 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
					0xdd, 0xee, 0xff };
	static const char *const wrong[] = { "0011", "00112233445566778899aabbccddeef", "x", "0 0 0 0", "" };
	struct caller who = { .uid = 7 }, stranger = { .uid = 8 };
	const struct hs_psk *psk;
	struct config_report report;
	struct config *c, *none;
	char why[POLICY_WHY];
	size_t i;

	(void)unused;
	file_write("psk.key", "00112233 4455 6677\n8899AABBCCDDEEFF\n");
	c = config_good("[psk one]\nkey = @/psk.key\nallow = uid:7\n"
			"[psk two]\nkey = @/psk.key\nhash = sha384\nimport = yes\nidentity = the second\nallow = everyone\n");
	assert_int_equal(policy_psk(c, &who, "one", &psk, why), 0);
	assert_int_equal(psk->len, sizeof(want));
	assert_memory_equal(psk->key, want, sizeof(want));
	assert_string_equal(psk->name, "one");
	assert_ptr_equal(psk->hash, &crypto_sha256);
	assert_false(psk->import);
	assert_int_equal(policy_psk(c, &stranger, "one", &psk, why), -EACCES);
	assert_int_equal(policy_psk(c, &who, "three", &psk, why), -ENOKEY);
	assert_null(policy_find_psk(c, &stranger, (const uint8_t *)"one", 3));
	assert_null(policy_find_psk(c, &who, (const uint8_t *)"one", 2));
	assert_non_null(policy_find_psk(c, &who, (const uint8_t *)"one", 3));
	assert_null(policy_find_psk(c, &who, (const uint8_t *)"two", 3));
	psk = policy_find_psk(c, &stranger, (const uint8_t *)"the second", 10);
	assert_non_null(psk);
	assert_ptr_equal(psk->hash, &crypto_sha384);
	assert_true(psk->import);
	config_put(c);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		file_write("psk.key", wrong[i]);
		assert_int_equal(config_from("[psk one]\nkey = @/psk.key\n", &none, &report), -EINVAL);
		assert_non_null(strstr(report.text, "test.conf:1: [psk one] key "));
	}
	assert_int_equal(config_from("[psk one]\nallow = uid:1\n", &none, &report), -EINVAL);
	assert_non_null(strstr(report.text, "has no key"));
	assert_int_equal(config_from("[psk one]\nhash = md5\n", &none, &report), -EINVAL);
	assert_non_null(strstr(report.text, "choose from sha256, sha384"));
}

/* What TLS 1.2 has only where it is named. */
static void by_name_only(void **unused)
{
	struct config_report report;
	struct config *c;

	(void)unused;
	assert_int_equal(config_from("[agent]\nlog = info\n", &c, &report), 0);
	assert_int_equal(c->psk12, 0);
	assert_int_equal(c->ciphers_num, 3);
	assert_int_equal(c->session_ids, 1024);
	config_put(c);
	assert_int_equal(config_from("[agent]\ntls12-psk = ecdhe, dhe\nciphers = aes-128-ccm, aes-256-cbc-sha384\nsession-ids = 0\n",
				     &c, &report), 0);
	assert_int_equal(report.warnings, 0);
	assert_int_equal(c->psk12, HS_PSK12_ECDHE | HS_PSK12_DHE);
	assert_int_equal(c->ciphers[0], TLS_CIPHER_AES_CCM_128);
	assert_int_equal(c->ciphers[1], 264);
	assert_int_equal(c->session_ids, 0);
	config_put(c);
	assert_int_equal(config_from("[agent]\ntls12-psk = plain\n", &c, &report), 0);
	assert_non_null(strstr(report.text, "no forward secrecy"));
	config_put(c);
	assert_int_equal(config_from("[agent]\ntls12-psk = rsa\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "choose from ecdhe, dhe, plain"));
}

static const char whole[] =
	"; comment\n[agent]\nworkers = 3 ; three\nuser = nobody\nlog = debug\nhandshakes = 7\n"
	"ciphers = chacha20-poly1305, aes-256-gcm\ngroups = x25519mlkem768, ffdhe4096\ncontrol = /tmp/c\n"
	"[identity a]\ncertificate = @/a.pem\nkey = @/a.key\nallow = uid:1 gid:2\n   cgroup:3\nallow = everyone\n"
	"[identity b]\ncertificate = @/b.pem\nkey = @/b.key\ndefault = yes\n"
	"[trust t]\nfile = @/a.pem\n[client]\nallow = uid:0\n";

static void check_whole(const struct config *c)
{
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->log_level, 7);
	assert_int_equal(c->handshakes, 7);
	assert_int_equal(c->ciphers_num, 2);
	assert_int_equal(c->ciphers[0], TLS_CIPHER_CHACHA20_POLY1305);
	assert_int_equal(c->groups_num, 2);
	assert_int_equal(c->groups[0], 0x11ec);
	assert_int_equal(c->groups[1], 0x102);
	assert_int_equal(c->sites_num, 2);
	assert_int_equal(c->sites[0].allow.num, 4);
	assert_int_equal(c->sites[0].allow.rule[2].kind, RULE_CGROUP);
	assert_int_equal(c->sites[0].id.key_type, CRYPTO_KEY_P256);
	assert_int_equal(c->sites[1].id.key_type, CRYPTO_KEY_RSA);
	assert_int_equal(c->sites[1].id.key, 1);
	assert_true(c->sites[1].is_default);
	assert_string_equal(c->trusts[0].name, "t");
	assert_int_equal(x509_store_size(c->trusts[0].store), 1);
}

static void everything(void **unused)
{
	struct config_report report;
	struct config *c;

	(void)unused;
	assert_int_equal(config_from(whole, &c, &report), 0);
	assert_int_equal(report.warnings, 1);
	assert_non_null(strstr(report.text, "[identity b] allows nobody"));
	check_whole(c);
	assert_non_null(c->sites[0].key);
	config_put(c);
}

/* A worker gets the same from the memfd, without keys, whatever became of the files. */
static void in_worker(void **unused)
{
	struct config *c = config_good(whole), *w;
	struct config_report report;
	char byte = 0;
	int fd;

	(void)unused;
	fd = files_save(c->files);
	assert_true(fd >= 0);
	assert_true(write(fd, &byte, 1) < 0);
	file_write("test.conf", "[nonsense]\n");
	assert_int_equal(config_load(c->path, files_restore(fd), false, &w, &report), 0);
	check_whole(w);
	assert_null(w->sites[0].key);
	assert_int_equal(w->sites[0].id.num, 1);
	assert_int_equal(x509_cert_der(w->sites[0].id.chain[0])->len, x509_cert_der(c->sites[0].id.chain[0])->len);
	config_put(w);
	config_put(c);
	close(fd);
}

static void world_readable_key(void **unused)
{
	struct config_report report;
	struct config *c;
	char path[4200];

	(void)unused;
	snprintf(path, sizeof(path), "%s/b.key", folder);
	chmod(path, 0644);
	assert_int_equal(config_from("[identity b]\ncertificate = @/b.pem\nkey = @/b.key\nallow = uid:0\n", &c, &report), 0);
	assert_non_null(strstr(report.text, "can be read by everyone: chmod 600"));
	chmod(path, 0600);
	config_put(c);
}

/* A list that is none, or isn't there, is no reason not to serve. */
static void certificate_timestamps(void **unused)
{
	static const uint8_t list[7] = { 0, 5, 0, 3, 'a', 'b', 'c' };
	static const struct { size_t len; const char *says; } all[] = {
		{ 7, NULL }, { 6, "is no list of certificate timestamps" }, { 0, "cannot be read" },
	};
	struct config_report report;
	struct config *c;
	char path[4200];
	size_t i;
	FILE *f;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		snprintf(path, sizeof(path), "%s", file_write("list", ""));
		f = fopen(path, "we");
		assert_int_equal(fwrite(list, 1, all[i].len, f), all[i].len);
		fclose(f);
		if (!all[i].len)
			unlink(path);
		assert_int_equal(config_from("[identity b]\ncertificate = @/b.pem\nkey = @/b.key\nallow = uid:0\nsct = @/list\n", &c, &report), 0);
		assert_int_equal(c->sites[0].id.sct_len, all[i].says ? 0 : 7);
		assert_int_equal(report.warnings, all[i].says ? 1 : 0);
		if (all[i].says)
			assert_non_null(strstr(report.text, all[i].says));
		config_put(c);
	}
}

/* The key of @a under a passphrase: what opens it, what does not, and that workers get neither. */
static void encrypted_key(void **unused)
{
	static const char text[] = "[identity a]\ncertificate = @/a.pem\nkey = @/a.enc\nallow = uid:0\n"
				   "passphrase-file = @/pass\n";
	struct config_report report;
	struct config *c, *w;
	char command[12000], path[4200];
	int fd;

	(void)unused;
	snprintf(command, sizeof(command), "cd '%s' && openssl pkcs8 -topk8 -in a.key -passout pass:open -out a.enc 2>&1", folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s", file_write("pass", "open\nsecond line\n"));
	chmod(path, 0600);
	assert_int_equal(config_from(text, &c, &report), 0);
	assert_int_equal(report.warnings, 0);
	assert_non_null(c->sites[0].key);
	chmod(path, 0);
	fd = files_save(c->files);
	assert_int_equal(config_load(c->path, files_restore(fd), false, &w, &report), 0);
	assert_null(w->sites[0].key);
	close(fd);
	config_put(w);
	config_put(c);
	chmod(path, 0644);
	assert_int_equal(config_from(text, &c, &report), 0);
	assert_non_null(strstr(report.text, "passphrase-file"));
	assert_non_null(strstr(report.text, "can be read by everyone: chmod 600"));
	config_put(c);
	file_write("pass", "shut\n");
	assert_int_equal(config_from(text, &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "is not opened by what passphrase-file says"));
	unlink(path);
	assert_int_equal(config_from(text, &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "cannot be read"));
	assert_int_equal(config_from("[identity a]\ncertificate = @/a.pem\nkey = @/a.enc\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "is encrypted: add passphrase-file"));
}

/* The lists of a store go to workers too, and say what is wrong with them. */
static void revocation_lists(void **unused)
{
	static const char text[] = "[trust t]\nfile = @/ca.pem\ncrl = @/ca.crl\ncrl-required = yes\nstrict = yes\n";
	struct config_report report;
	struct config *c, *w;
	char command[12000];
	int fd;

	(void)unused;
	snprintf(command, sizeof(command), "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		 " -subj /CN=ca -days 9 -keyout ca.key -out ca.pem 2>&1 && : > index.txt && echo 01 > number &&"
		 " printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=number\n' > conf &&"
		 " openssl ca -config conf -cert ca.pem -keyfile ca.key -gencrl -crldays 9 -out ca.crl 2>&1", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(config_from(text, &c, &report), 0);
	fd = files_save(c->files);
	assert_int_equal(config_load(c->path, files_restore(fd), false, &w, &report), 0);
	assert_non_null(x509_store_crls(w->trusts[0].store));
	assert_true(x509_store_wants_crls(w->trusts[0].store));
	assert_true(x509_store_is_strict(w->trusts[0].store));
	close(fd);
	config_put(w);
	config_put(c);
	file_write("ca.crl", "no list\n");
	assert_int_equal(config_from(text, &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "has no revocation list in PEM or DER form"));
	assert_int_equal(config_from("[trust t]\nfile = @/ca.pem\ncrl = @/none\n", &c, &report), -EINVAL);
	assert_non_null(strstr(report.text, "cannot be read"));
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("config");
	identity_make("a", P256, "DNS:a.test");
	identity_make("b", RSA, "DNS:b.test");
	return 0;
}

/* Lines of the explanation that have to be there, one after another. */
static void explained(const char *text, const char *const want[])
{
	struct config_report report;
	struct config *c;
	size_t len;
	char *out, *at;
	FILE *f;

	assert_int_equal(config_from(text, &c, &report), 0);
	f = open_memstream(&out, &len);
	assert_non_null(f);
	profile_explain(c, f);
	fclose(f);
	for (at = out; *want; want++) {
		at = strstr(at, *want);
		if (!at)
			fail_msg("no \"%s\" in:\n%s", *want, out);
	}
	free(out);
	config_put(c);
}

static void profiles(void **unused)
{
	(void)unused;
	explained(GOOD, (const char *const[]){
		"profile name=none", "prefer=order\n",
		"name=ciphers value=aes-128-gcm,aes-256-gcm,chacha20-poly1305 from=default\n",
		"name=groups value=built-in from=default\n", "name=schemes value=built-in from=default\n",
		"name=rsa-min-bits value=2048 from=default\n", "certificate-compression value=no\n", NULL });
	explained("[agent]\nprofile = cnsa\nretry-cookie = yes\n", (const char *const[]){
		"profile name=cnsa", "name=ciphers value=aes-256-gcm from=profile\n",
		"name=groups value=secp384r1,ffdhe3072,ffdhe4096 from=profile\n", "ecdsa_secp384r1_sha384,",
		"name=rsa-min-bits value=3072 from=profile\n", "retry-cookie value=yes\n", NULL });
	explained("[agent]\nprofile = fips\nrsa-min-bits = 4096\ngroups = secp521r1\n", (const char *const[]){
		"value=aes-128-gcm,aes-256-gcm from=profile\n", "name=groups value=secp521r1 from=file\n",
		"name=rsa-min-bits value=4096 from=file\n", NULL });
	explained("[agent]\nschemes = ed448, ecdsa_secp256r1_sha256\nprefer = cost\n", (const char *const[]){
		"name=schemes value=ecdsa_secp256r1_sha256,ed448 from=file\n", NULL });
	explained("[agent]\nprofile = compatible\nprefer = strength\n", (const char *const[]){
		"prefer=strength\n", "value=aes-256-gcm,chacha20-poly1305,aes-128-gcm from",
		"value=x25519mlkem768,secp521r1,x448,secp384r1,ffdhe4096,x25519,secp256r1,ffdhe3072,ffdhe2048 from",
		"value=ecdsa_secp521r1_sha512,", NULL });
	explained("[agent]\nprofile = compatible\nprefer = cost\n", (const char *const[]){
		"value=aes-128-gcm,", "value=x25519,secp256r1,x25519mlkem768,", "value=ecdsa_secp256r1_sha256,ed25519,", NULL });
}

/* Every number in every profile is one that the handshake knows. */
static void profiles_name_what_there_is(void **unused)
{
	(void)unused;
	assert_true(profile_count() >= 4);
	for (size_t i = 0; i < profile_count(); i++) {
		const struct profile *p = profile_nth(i);

		assert_ptr_equal(profile_find(p->name), p);
		for (const uint16_t *id = p->ciphers; *id; id++)
			assert_non_null(suite_by_cipher(*id));
		for (const uint16_t *id = p->groups; *id; id++)
			assert_non_null(group_by_id(*id));
		for (const uint16_t *id = p->schemes; *id; id++)
			assert_non_null(crypto_scheme_find(*id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(delegated), cmocka_unit_test(many_errors),
		cmocka_unit_test(long_line),
		cmocka_unit_test(no_file),
		cmocka_unit_test(keys_by_hand), cmocka_unit_test(defaults),
		cmocka_unit_test(by_name_only),
		cmocka_unit_test(everything),
		cmocka_unit_test(in_worker),
		cmocka_unit_test(world_readable_key),
		cmocka_unit_test(certificate_timestamps),
		cmocka_unit_test(encrypted_key),
		cmocka_unit_test(profiles),
		cmocka_unit_test(profiles_name_what_there_is),
		cmocka_unit_test(revocation_lists),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
