// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/ktls_stat: one line per counter, name and value, for one network
 * namespace. Curr* are gauges: 0 when all is closed.
 */
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "upcall.h"

static const char *const names[KTLS_STAT_NUM] = {
#define X(name) #name,
	KTLS_STATS(X)
#undef X
};

void ktls_stat_add_net(struct ktls_net *kn, enum ktls_stat stat, long n)
{
	this_cpu_add(kn->counters->n[stat], n);
}

void ktls_stat_add(const struct sock *sk, enum ktls_stat stat, long n)
{
	ktls_stat_add_net(ktls_pernet(sock_net(sk)), stat, n);
}

/* What one CPU adds another may take away: only the sum means something. */
long ktls_stat_sum(const struct ktls_net *kn, enum ktls_stat stat)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(kn->counters, cpu)->n[stat]);
	return sum;
}

static int stat_show(struct seq_file *seq, void *v)
{
	struct ktls_net *kn = ktls_pernet(seq->private);
	int i;

	for (i = 0; i < KTLS_STAT_NUM; i++)
		seq_printf(seq, "Ktls%s\t%ld\n", names[i], ktls_stat_sum(kn, i));
	return 0;
}

int ktls_stat_net_init(struct net *net, struct ktls_net *kn)
{
	kn->counters = alloc_percpu(struct ktls_counters);
	if (!kn->counters)
		return -ENOMEM;
	if (!proc_create_net_single("ktls_stat", 0444, net->proc_net, stat_show, NULL)) {
		free_percpu(kn->counters);
		return -ENOMEM;
	}
	return 0;
}

void ktls_stat_net_exit(struct net *net, struct ktls_net *kn)
{
	remove_proc_entry("ktls_stat", net->proc_net);
	free_percpu(kn->counters);
}
