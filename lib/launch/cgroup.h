/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control group (v2) for an attempt, where the user may make one: a name that no process
 * of the attempt can drop, by which --reap finds what a dead supervisor left.  Without it,
 * the subreaper, the process tree and MLP_RUN_ID do; so every failure here is silent.
 */
#ifndef LAUNCH_CGROUP_H
#define LAUNCH_CGROUP_H

#include <sys/types.h>

#include "lib/util/vec.h"

struct cgroup {
	char *path; /* NULL: none */
	int fd;	    /* of the folder, for cgroup_fork(); -1 */
};
#define CGROUP_INIT { NULL, -1 }

/* Makes mlp-<uuid>-<attempt> below our own group and notes its path in the file record. */
void cgroup_make(struct cgroup *group, const char *uuid, int attempt, const char *record);
/* Removes it, if it is empty, and frees the path. */
void cgroup_release(struct cgroup *group);
/* fork(), with the child in the group from its first instruction. */
pid_t cgroup_fork(const struct cgroup *group);

struct cgroup_pids {
	pid_t *v;
	size_t len, cap;
};
/* The processes of the group that the file record names; none without one. */
void cgroup_list(const char *record, struct cgroup_pids *out);
/* Removes the group that record names, once it is empty. */
void cgroup_remove(const char *record);

#endif
