// SPDX-License-Identifier: GPL-2.0-only
/*
 * Agents: netlink sockets that said JOIN. One that goes away leaves what it
 * held to the next (ktls_upcall_abandon), wherever it died.
 */
#include <linux/slab.h>
#include "upcall.h"

static struct ktls_agent *agent_find(struct ktls_net *kn, u32 portid)
{
	struct ktls_agent *agent;

	list_for_each_entry(agent, &kn->agents, node)
		if (agent->portid == portid)
			return agent;
	return NULL;
}

bool ktls_agent_joined(struct ktls_net *kn, u32 portid)
{
	return agent_find(kn, portid);
}

int ktls_agent_join(struct ktls_net *kn, u32 portid)
{
	struct ktls_agent *agent = kzalloc(sizeof(*agent), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!agent)
		return -ENOMEM;
	agent->portid = portid;
	spin_lock_bh(&kn->lock);
	if (agent_find(kn, portid))
		err = -EALREADY;
	else
		list_add(&agent->node, &kn->agents);
	spin_unlock_bh(&kn->lock);
	if (err)
		kfree(agent);
	return err;
}

static struct ktls_upcall *held_by(struct ktls_net *kn, u32 portid)
{
	struct ktls_upcall *u;
	int i;

	hash_for_each(kn->held, i, u, held) {
		if (u->portid == portid) {
			refcount_inc(&u->ref);
			return u;
		}
	}
	return NULL;
}

/* Each turn takes one upcall out of the agent's hands, so the loop ends. */
static void release_held(struct ktls_net *kn, u32 portid)
{
	struct ktls_upcall *u;
	struct sock *sk;

	for (;;) {
		spin_lock_bh(&kn->lock);
		u = held_by(kn, portid);
		spin_unlock_bh(&kn->lock);
		if (!u)
			return;
		sk = ktls_upcall_lock_sock(u);
		if (sk) {
			if (u->portid == portid)
				ktls_upcall_abandon(sk, u);
			ktls_upcall_unlock_sock(sk);
		}
		ktls_upcall_put(u);
	}
}

void ktls_agent_left(struct ktls_net *kn, u32 portid)
{
	struct ktls_agent *agent;

	spin_lock_bh(&kn->lock);
	agent = agent_find(kn, portid);
	if (agent)
		list_del(&agent->node);
	spin_unlock_bh(&kn->lock);
	if (!agent)
		return;
	kfree(agent);
	ktls_stat_add_net(kn, KTLS_STAT_AgentsLost, 1);
	release_held(kn, portid);
}
