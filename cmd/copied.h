/* SPDX-License-Identifier: Apache-2.0 */
/* What an import or export did, for people and programs. */
#ifndef CMD_COPIED_H
#define CMD_COPIED_H

#include "cmd/cmd.h"
#include "lib/mlflow/target.h"

/* Passes events on, counts the warnings, and shows the first of them only: a store that is
 * damaged may give thousands. */
struct copy_log {
	struct mlp_events events; /* for who copies */
	const struct mlp_events *to;
	int64_t warnings;
};
void copy_log_init(struct copy_log *log, const struct mlp_events *to);

/* done: "imported", "would be imported", ... */
void print_copied(struct cmd_ctx *ctx, const char *done, const struct mlflow_counts *counts,
		  const struct copy_log *log);

#endif
