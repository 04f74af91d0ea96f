/* SPDX-License-Identifier: Apache-2.0 */
/* mlp show in parts: what is known of a run (data.c), as text, as JSON, one stored
 * thing of it (part.c), its charts (plot.c). */
#ifndef CMD_SHOW_SHOW_H
#define CMD_SHOW_SHOW_H

#include "cmd/cmd.h"
#include "lib/cost/price.h"
#include "lib/track/attempt.h"
#include "lib/track/code.h"
#include "lib/track/command.h"
#include "lib/track/file.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"

struct show_opts {
	bool system;
	struct strvec plot;
	bool log;
	const char *x;
	int64_t width, height;
	bool timestamps;
};

/* From the environment document; NULL or -1: not known. */
struct show_environment {
	char *object; /* NULL: none was recorded */
	char *python, *guessed_by, *cpu, *kernel, *os, *gpu, *driver, *cuda, *container;
	int64_t packages, cores, gpus;
};

struct show_data {
	struct run run;
	enum run_status status; /* as shown: lost included */
	pid_t supervisor;
	char id[RUN_SHORT_LEN + 1];
	struct run parent; /* .uuid NULL: none */
	struct key_values params, tags;
	struct metric_latests metrics;
	struct attempts attempts;
	bool has_command;
	struct run_command command;
	bool has_code;
	struct run_code code;
	struct run_files files;
	struct show_environment environment;
	bool has_cost;
	struct cost_summary cost;
};

int show_load(struct cmd_ctx *ctx, int64_t id, struct show_data *out);
void show_release(struct show_data *data);

struct show_series {
	double *step, *time_ms, *value; /* by (time, step, value) */
	size_t n;
	double min, max; /* NaN: no finite value */
};
int show_series_read(struct cmd_ctx *ctx, int64_t run, const char *key, struct show_series *out);
void show_series_release(struct show_series *series);

int show_text(struct cmd_ctx *ctx, const struct show_data *data, const struct show_opts *opts);
/* Parts of the text (tables.c). */
void show_heading(struct printer *p, const char *title);
int show_metric_table(struct cmd_ctx *ctx, const struct show_data *data);
int show_system_table(struct cmd_ctx *ctx, const struct show_data *data, bool all);
void show_file_table(struct printer *p, const struct show_data *data, enum file_role role,
		     const char *title);

int show_json(struct cmd_ctx *ctx, const struct show_data *data);
void show_fields(struct cmd_ctx *ctx, const struct show_data *data); /* -z */
/* The thing named after the colon of RUN:part. */
int show_part(struct cmd_ctx *ctx, int64_t id, const char *part, const struct show_opts *opts);
int show_plot(struct cmd_ctx *ctx, const int64_t *ids, size_t n, const struct show_opts *opts);

/* The last lines of stderr of the last attempt, at most max. */
int show_last_stderr(struct cmd_ctx *ctx, int64_t id, size_t max, struct strvec *out);

#endif
