/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of mlp log: chosen by the user, or by what the runs shown have to say. */
#ifndef CMD_LOG_COLUMNS_H
#define CMD_LOG_COLUMNS_H

#include "cmd/cmd.h"
#include "lib/track/search.h"

enum log_column_kind {
	LOG_ID,
	LOG_STARTED,
	LOG_ENDED,
	LOG_EXPERIMENT,
	LOG_NAME,
	LOG_STATUS,
	LOG_DURATION,
	LOG_USER,
	LOG_HOST,
	LOG_SOURCE,
	LOG_PARENT,
	LOG_EXIT,
	LOG_REASON,
	LOG_METRIC,
	LOG_PARAM,
	LOG_TAG,
};

struct log_column {
	enum log_column_kind kind;
	char *name; /* "status"; "auc" of a metric */
	bool right;
};
struct log_columns {
	struct log_column *v;
	size_t len, cap;
};
struct log_rows {
	struct run_row *v;
	size_t len, cap;
};

void log_columns_release(struct log_columns *columns);
void log_rows_release(struct log_rows *rows);

/* Reads a list such as "id,name,params.lr,auc"; with a leading '+' what follows is added
 * to the default. */
int log_columns_parse(struct cmd_ctx *ctx, const char *list, struct log_columns *out);
/* The default for the first rows (metrics and parameters fetched): as many metrics and
 * parameters that differ as fit beside lines cells of a graph. */
void log_columns_choose(struct cmd_ctx *ctx, const struct log_rows *rows, size_t lines,
			struct log_columns *out);

void log_columns_begin(struct printer *p, const struct log_columns *columns);
/* One row of the table; lines stands before the id (the graph). */
int log_columns_print(struct cmd_ctx *ctx, const struct log_columns *columns,
		      const struct run *run, const char *lines);
/* A row that is no run: an attempt. */
struct attempt;
void log_columns_print_attempt(struct printer *p, const struct log_columns *columns,
			       const struct attempt *attempt, const char *lines);

#endif
