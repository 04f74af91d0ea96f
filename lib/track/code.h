/* SPDX-License-Identifier: Apache-2.0 */
/* The row of run_code: the state of the work tree a run was started in. */
#ifndef TRACK_CODE_H
#define TRACK_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"

struct run_code {
	char *root; /* work tree, absolute */
	char *commit, *branch, *remote; /* NULL: unborn, detached, none */
	bool dirty;
	char *diff;   /* object with the patch, or NULL */
	char *detail; /* JSON: submodules, totals of untracked files, warnings */
};
#define RUN_CODE_INIT { 0 }

void run_code_release(struct run_code *code);
/* MLP_ENOTFOUND for a run outside version control. */
int run_code_get(struct db *db, int64_t run, struct run_code *out, struct mlp_error *err);

#endif
