/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keeper signs, and that it signs nothing else; its messages; the worker's sandbox. */
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "agent_test.h"
#include "message.h"
#include "sandbox.h"
#include "sign.h"

static struct config *config;

static size_t tbs_make(uint8_t *tbs, const char *context, size_t digest)
{
	size_t len = strlen(context) + 1;

	memset(tbs, 0x20, 64);
	memcpy(tbs + 64, context, len);
	memset(tbs + 64 + len, 0xd1, digest);
	return 64 + len + digest;
}

#define SERVER "TLS 1.3, server CertificateVerify"
#define CLIENT "TLS 1.3, client CertificateVerify"

static void shape(void **unused)
{
	uint8_t tbs[300];
	size_t i, len;

	(void)unused;
	assert_true(sign_is_certificate_verify(tbs, tbs_make(tbs, SERVER, 32)));
	assert_true(sign_is_certificate_verify(tbs, tbs_make(tbs, SERVER, 48)));
	assert_true(sign_is_certificate_verify(tbs, tbs_make(tbs, CLIENT, 32)));
	assert_false(sign_is_certificate_verify(tbs, tbs_make(tbs, SERVER, 0)));
	assert_false(sign_is_certificate_verify(tbs, tbs_make(tbs, SERVER, 31)));
	assert_false(sign_is_certificate_verify(tbs, tbs_make(tbs, SERVER, 64)));
	assert_false(sign_is_certificate_verify(tbs, tbs_make(tbs, "TLS 1.3, server CertificateVerifx", 32)));
	assert_false(sign_is_certificate_verify(tbs, tbs_make(tbs, "", 66)));
	len = tbs_make(tbs, SERVER, 32);
	for (i = 0; i < len; i++)
		assert_false(sign_is_certificate_verify(tbs, i));
	/* Any byte but those of the digest matters. */
	for (i = 0; i < len - 32; i++) {
		tbs[i] ^= 1;
		assert_false(sign_is_certificate_verify(tbs, len));
		tbs[i] ^= 1;
	}
}

static int ask(uint32_t key, uint16_t scheme, const uint8_t *tbs, size_t len, struct msg_signed *out)
{
	struct msg_sign m = { .type = MSG_SIGN, .key = key, .id = 77, .scheme = scheme, .len = len };

	memcpy(m.tbs, tbs, len < sizeof(m.tbs) ? len : sizeof(m.tbs));
	sign_request(config, &m, m.tbs, sizeof(m.tbs), out);
	assert_int_equal(out->type, MSG_SIGNED);
	assert_int_equal(out->id, 77);
	return out->err;
}

static void verifies(const struct site *site, uint16_t scheme, const uint8_t *tbs, size_t len,
		     const struct msg_signed *m)
{
	const struct crypto_scheme *s = crypto_scheme_find(scheme);
	const struct x509_blob *spki = x509_cert_spki(site->id.chain[0]);
	struct crypto_pubkey pub;

	assert_int_equal(crypto_pubkey_parse(spki->data, spki->len, &pub), 0);
	assert_int_equal(s->verify(&pub, s->hash, tbs, len, m->sig, m->len), 0);
	crypto_pubkey_free(&pub);
}

static void signs(void **unused)
{
	struct msg_signed m;
	uint8_t tbs[HS_MAX_SIGN];
	size_t len = tbs_make(tbs, SERVER, 32);

	(void)unused;
	assert_int_equal(ask(0, 0x0403, tbs, len, &m), 0);
	verifies(&config->sites[0], 0x0403, tbs, len, &m);
	assert_int_equal(ask(1, 0x0804, tbs, len, &m), 0);
	verifies(&config->sites[1], 0x0804, tbs, len, &m);
}

static void refuses(void **unused)
{
	uint8_t tbs[HS_MAX_SIGN], none[HS_MAX_SIGN] = { 0 };
	size_t len = tbs_make(tbs, SERVER, 32);
	struct msg_signed m;

	(void)unused;
	assert_int_equal(ask(0, 0x0403, none, len, &m), -EACCES);	/* not that shape */
	assert_int_equal(ask(0, 0x0403, (const uint8_t *)"GET /", 5, &m), -EACCES);
	assert_int_equal(ask(0, 0x0403, tbs, 0, &m), -EACCES);
	assert_int_equal(ask(0, 0x0403, tbs, 257, &m), -EACCES);	/* longer than the message */
	assert_int_equal(ask(0, 0x0403, tbs, 65535, &m), -EACCES);
	assert_int_equal(ask(2, 0x0403, tbs, len, &m), -ENOKEY);	/* no such key */
	assert_int_equal(ask(UINT32_MAX, 0x0403, tbs, len, &m), -ENOKEY);
	assert_int_equal(ask(0, 0x0804, tbs, len, &m), -EINVAL);	/* scheme of another type */
	assert_int_equal(ask(1, 0x0401, tbs, len, &m), -EINVAL);	/* PKCS#1 is not for TLS 1.3 */
	assert_int_equal(ask(0, 0x9999, tbs, len, &m), -EINVAL);
	assert_int_equal(m.len, 0);
}

static void messages(void **unused)
{
	struct msg_failure f = { .type = MSG_FAILURE, .uid = 5 };
	struct msg_plain ready = { MSG_READY };
	uint32_t junk[4] = { 99, 0, 0, 0 };
	union msg m;
	int s[2], i;

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	assert_int_equal(msg_recv(s[1], &m), -EAGAIN);
	assert_int_equal(msg_send(s[0], &ready), 0);
	assert_int_equal(msg_recv(s[1], &m), 0);
	assert_int_equal(m.type, MSG_READY);
	memset(f.reason, 'x', sizeof(f.reason));
	assert_int_equal(msg_send(s[0], &f), 0);
	assert_int_equal(msg_recv(s[1], &m), 0);
	assert_int_equal(strlen(m.failure.reason), MSG_REASON - 1);
	send(s[0], junk, sizeof(junk), 0);	/* no such type */
	assert_int_equal(msg_recv(s[1], &m), -EPROTO);
	junk[0] = MSG_SIGN;			/* too short for its type */
	send(s[0], junk, sizeof(junk), 0);
	assert_int_equal(msg_recv(s[1], &m), -EPROTO);
	send(s[0], junk, 3, 0);
	assert_int_equal(msg_recv(s[1], &m), -EPROTO);
	for (i = 0; i < 100000 && !msg_send(s[0], &f); i++)
		;
	assert_int_equal(msg_send(s[0], &f), -EAGAIN);	/* full: never waits */
	close(s[0]);
	while (!msg_recv(s[1], &m))
		;
	assert_int_equal(msg_recv(s[1], &m), -EPIPE);
	close(s[1]);
}

/* ---- the filter: a child that enters it and does one thing */

static int pipe_out;

static void forbidden(int sig, siginfo_t *si, void *context)
{
	int number = si->si_syscall;

	(void)sig;
	(void)context;
	syscall(SYS_write, pipe_out, &number, sizeof(number));
	syscall(SYS_exit_group, 0);
}

static void do_open(void) { open("/etc/passwd", O_RDONLY); }
static void do_socket(void) { socket(AF_INET, SOCK_STREAM, 0); }
static void do_exec(void) { execl("/bin/true", "true", NULL); }
static void do_fork(void) { syscall(SYS_fork); }	/* fork() would block SIGSYS */
static void do_kill(void) { kill(1, 0); }
static void do_code(void) { mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void do_time(void) { time(NULL); }
static void do_memory(void) { mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void do_write(void) { if (write(pipe_out, "", 0) < 0) _exit(3); }

/* Name of the system call that met the filter; NULL: none did. The caller frees. */
static char *meets(void (*act)(void))
{
	struct sigaction sa = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };
	int p[2], number, status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (!pid) {
		pipe_out = p[1];
		sigaction(SIGSYS, &sa, NULL);
		if (sandbox_filter(SCMP_ACT_TRAP))
			_exit(4);
		act();
		syscall(SYS_exit_group, 0);	/* _exit() of a sanitizer does more */
	}
	close(p[1]);
	n = read(p[0], &number, sizeof(number));
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the child ended with status %#x", status);
	return n == sizeof(number) ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number) : NULL;
}

static void filter(void **unused)
{
	static const struct { void (*act)(void); const char *meets; } rows[] = {
		{ do_open, "openat" }, { do_socket, "socket" }, { do_exec, "execve" },
		{ do_fork, "fork" }, { do_kill, "kill" }, { do_code, "mmap" },
		{ do_time, NULL }, { do_memory, NULL }, { do_write, NULL },
	};
	size_t i;
	char *name;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		name = meets(rows[i].act);
		if (!rows[i].meets != !name || (name && strcmp(name, rows[i].meets)))
			fail_msg("row %zu met the filter at %s", i, name ? name : "nothing");
		free(name);
	}
}

static void killed(void **unused)
{
	int status;
	pid_t pid = fork();

	(void)unused;
	if (!pid) {
		if (sandbox_filter(SCMP_ACT_KILL_PROCESS))
			_exit(4);
		do_open();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int setup(void **unused)
{
	(void)unused;
	folder_make("keeper");
	identity_make("a", P256, "DNS:a.test");
	identity_make("b", RSA, "DNS:b.test");
	config = config_good("[identity a]\ncertificate = @/a.pem\nkey = @/a.key\nallow = uid:0\n"
			     "[identity b]\ncertificate = @/b.pem\nkey = @/b.key\nallow = uid:0\n");
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	config_put(config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape),
		cmocka_unit_test(signs),
		cmocka_unit_test(refuses),
		cmocka_unit_test(messages),
		cmocka_unit_test(filter),
		cmocka_unit_test(killed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
