/* SPDX-License-Identifier: Apache-2.0 */
/* A run for programs, the same from each command that prints one; mlp-json(7) has it. */
#ifndef CMD_RUN_RECORD_H
#define CMD_RUN_RECORD_H

#include "cmd/cmd.h"
#include "lib/json/write.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/track/search.h"

struct run_record {
	const struct run *run;
	enum run_status status; /* now: live_status() */
	const char *parent; /* its id, or NULL */
	const struct metric_latests *metrics;
	const struct key_values *params;
	const struct key_values *tags;
};

/* Its fields, into an object that is open. */
void run_record_json(const struct run_record *record, struct json_writer *w);
/* One JSON object, or with -z its fields ("params.lr=0.1"). */
void run_record_print(struct printer *p, const struct run_record *record);
/* The same of a row with its metrics, parameters and tags. */
int run_record_print_row(struct cmd_ctx *ctx, const struct run_row *row);

#endif
