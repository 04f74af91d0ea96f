/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs started within a run of the same store, which the processes of the outer one include:
 * what an inner run used is charged to it, and to no other.
 */
#ifndef COST_NESTED_H
#define COST_NESTED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"

/* The runs below the one whose uuid is ?1, at any depth. */
#define NESTED_RUNS                                                                    \
	"WITH RECURSIVE nested(id, uuid, status, host, heartbeat_ms) AS ("             \
	" SELECT id, uuid, status, host, heartbeat_ms FROM run"                        \
	"  WHERE parent_id = (SELECT id FROM run WHERE uuid = ?1)"                     \
	" UNION SELECT r.id, r.uuid, r.status, r.host, r.heartbeat_ms"                 \
	"  FROM run r JOIN nested n ON r.parent_id = n.id) "

struct nested_cpu {
	int64_t ms;
	bool going_on; /* some run has not entered all it used */
};
/* CPU time of those that began at since_ms or later, on this host. */
int nested_cpu(struct db *db, const char *run_uuid, const char *host, int64_t since_ms,
	       struct nested_cpu *out, struct mlp_error *err);
/* Does a process in the tree of a run belong to another run of the store? */
bool nested_owns(struct db *db, const char *run_uuid, int64_t pid);

#endif
