// SPDX-License-Identifier: GPL-2.0-only
/*
 * drop_in=1: mainline's ULP name "tls" and its /proc/net/tls_stat beside our
 * own, so that programs written for net/tls run on this record layer.
 *
 * The two can't share the name. While net/tls is there we don't load; while
 * we are, it is not let in: it would ignore that the name is taken, and unloading
 * it would corrupt TCP's list.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "upcall.h"

static bool drop_in;
module_param(drop_in, bool, 0444);
MODULE_PARM_DESC(drop_in, "be net/tls as well: ULP \"tls\" and /proc/net/tls_stat");

/* ---- statistics in mainline's format; what has no counter here is 0 */

#define NONE	KTLS_STAT_NUM

static const struct {
	const char	*name;
	enum ktls_stat	stat;
} mib[] = {
	{ "TlsCurrTxSw",	KTLS_STAT_CurrTxByApp },
	{ "TlsCurrRxSw",	KTLS_STAT_CurrRxByApp },
	{ "TlsCurrTxDevice",	NONE },
	{ "TlsCurrRxDevice",	NONE },
	{ "TlsTxSw",		KTLS_STAT_TxByApp },
	{ "TlsRxSw",		KTLS_STAT_RxByApp },
	{ "TlsTxDevice",	NONE },
	{ "TlsRxDevice",	NONE },
	{ "TlsDecryptError",	KTLS_STAT_RxDecryptErrors },
	{ "TlsRxDeviceResync",	NONE },
	{ "TlsDecryptRetry",	NONE },
	{ "TlsRxNoPadViolation", NONE },
	{ "TlsRxRekeyOk",	KTLS_STAT_RxRekeys },
	{ "TlsRxRekeyError",	KTLS_STAT_RxRekeyErrors },
	{ "TlsTxRekeyOk",	KTLS_STAT_TxRekeys },
	{ "TlsTxRekeyError",	KTLS_STAT_TxRekeyErrors },
	{ "TlsRxRekeyReceived",	KTLS_STAT_RxRekeysDue },
};

static int mib_show(struct seq_file *seq, void *v)
{
	const struct ktls_net *kn = ktls_pernet(seq->private);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mib); i++)
		seq_printf(seq, "%-32s\t%lu\n", mib[i].name,
			   mib[i].stat == NONE ? 0 : ktls_stat_sum(kn, mib[i].stat));
	return 0;
}

static int __net_init mib_net_init(struct net *net)
{
	return proc_create_net_single("tls_stat", 0444, net->proc_net, mib_show, NULL) ? 0 : -ENOMEM;
}

static void __net_exit mib_net_exit(struct net *net)
{
	remove_proc_entry("tls_stat", net->proc_net);
}

static struct pernet_operations mib_net_ops = {
	.init	= mib_net_init,
	.exit	= mib_net_exit,
};

/* ---- the ULP */

static int attach(struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED ? ktls_attach(sk) : -ENOTCONN;
}

/* Without clone, so that TCP refuses to let such a socket listen. */
static struct tcp_ulp_ops ulp __read_mostly = {
	.name		= "tls",
	.owner		= THIS_MODULE,
	.init		= attach,
	.get_info	= ktls_info_ulp,
	.get_info_size	= ktls_info_ulp_size,
};

/* ---- keeping net/tls out */

static int module_comes(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct module *mod = data;

	if (action != MODULE_STATE_COMING || strcmp(mod->name, "tls"))
		return NOTIFY_DONE;
	pr_notice("drop_in=1: net/tls is not let in while this module has its name\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block watch = { .notifier_call = module_comes };

/* The name first: it tells whether net/tls is there. */
static int take_name(void)
{
	int err = tcp_register_ulp(&ulp);

	if (err == -EEXIST) {
		pr_err("drop_in=1: net/tls is loaded. Unload it, and keep it away with the line\n"
		       "install tls /bin/false\nin /etc/modprobe.d/ktls.conf\n");
		return -EBUSY;	/* EEXIST would say that we are loaded */
	}
	if (err)
		return err;
	err = register_pernet_subsys(&mib_net_ops);
	if (err)
		tcp_unregister_ulp(&ulp);
	return err;
}

int ktls_dropin_init(void)
{
	int err;

	if (!drop_in)
		return 0;
	err = register_module_notifier(&watch);
	if (err)
		return err;
	err = take_name();
	if (err)
		unregister_module_notifier(&watch);
	return err;
}

void ktls_dropin_exit(void)
{
	if (!drop_in)
		return;
	tcp_unregister_ulp(&ulp);
	unregister_pernet_subsys(&mib_net_ops);
	unregister_module_notifier(&watch);
}

MODULE_ALIAS_TCP_ULP("tls");
