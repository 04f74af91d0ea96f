/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose process a pid is.  Each supervisor writes the GPU processes of its tree into
 * the table usage_process, so that whoever shares out a device can name those that
 * are gone by then.  A pid that was given to another process since is told by its
 * start time; one not written yet by MLP_RUN_ID in its environment.
 */
#ifndef COST_OWNER_H
#define COST_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/db/db.h"

enum owner_kind {
	OWNER_NOBODY,  /* a process, but not of a run */
	OWNER_ATTEMPT,
	OWNER_UNSEEN,  /* in a pid namespace we do not see into */
};

struct owner {
	enum owner_kind kind;
	int64_t attempt_id; /* of usage_attempt; 0: it has no row there yet */
	char run_uuid[257];
	int attempt;
};

/* Start of a process in clock ticks since boot, 0 when there is none. */
int64_t process_started(int64_t pid);
/* Id of the current boot; "" when it cannot be read. */
void boot_id_read(char out[64]);

int owner_claim(struct db *db, const char *host, const char *boot_id, int64_t attempt_id,
		int64_t pid, struct mlp_error *err);
int owner_release(struct db *db, int64_t attempt_id, struct mlp_error *err);
/* By MLP_RUN_ID and MLP_ATTEMPT in the environment of the process; false where they are not. */
bool owner_by_environ(int64_t pid, struct owner *out);
int owner_find(struct db *db, const char *host, const char *boot_id, int64_t pid,
	       struct owner *out, struct mlp_error *err);

#endif
