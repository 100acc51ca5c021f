// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading. Every socket with the ULP holds a reference to the
 * module until TCP has destroyed it, every channel one until it is closed; so
 * at exit nothing is left but memory that waits for RCU.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <net/netns/generic.h>
#include "upcall.h"
#include "crypto/gcm-glue.h"

unsigned int ktls_net_id __read_mostly;

struct ktls_net *ktls_pernet(const struct net *net)
{
	return net_generic(net, ktls_net_id);
}

static int __net_init ktls_net_init(struct net *net)
{
	struct ktls_net *kn = ktls_pernet(net);

	ktls_upcall_net_init(kn);
	return ktls_stat_net_init(net, kn);
}

static void __net_exit ktls_net_exit(struct net *net)
{
	struct ktls_net *kn = ktls_pernet(net);

	ktls_stat_net_exit(net, kn);
	ktls_upcall_net_exit(kn);
}

static struct pernet_operations ktls_net_ops = {
	.init	= ktls_net_init,
	.exit	= ktls_net_exit,
	.id	= &ktls_net_id,
	.size	= sizeof(struct ktls_net),
};

static int net_start(void)
{
	return register_pernet_subsys(&ktls_net_ops);
}

static void net_stop(void)
{
	unregister_pernet_subsys(&ktls_net_ops);
}

/* In order of starting; the ULPs come last, as they are what lets users in. */
static const struct {
	int (*start)(void);
	void (*stop)(void);
} parts[] = {
	{ ktls_gcm_init,		ktls_gcm_exit },
	{ ktls_record_init,	ktls_record_exit },
	{ ktls_sessions_init,	ktls_sessions_exit },
	{ net_start,		net_stop },
	{ ktls_upcall_init,	ktls_upcall_exit },
	{ ktls_netlink_init,	ktls_netlink_exit },
	{ ktls_dropin_init,	ktls_dropin_exit },
	{ ktls_attach_init,	ktls_attach_exit },
};

static void stop_parts(unsigned int n)
{
	while (n--)
		parts[n].stop();
}

static int __init ktls_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		err = parts[i].start();
		if (err) {
			stop_parts(i);
			return err;
		}
	}
	return 0;
}

static void __exit ktls_exit(void)
{
	stop_parts(ARRAY_SIZE(parts));
	rcu_barrier();
}

module_init(ktls_init);
module_exit(ktls_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("TLS as a service: TCP upper layer protocol \"ktls\"");
MODULE_ALIAS_TCP_ULP("ktls");
MODULE_ALIAS_GENL_FAMILY(KTLS_FAMILY_NAME);
