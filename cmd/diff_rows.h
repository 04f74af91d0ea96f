/* SPDX-License-Identifier: Apache-2.0 */
/* What mlp diff compares: rows of one value a run, in sections. */
#ifndef CMD_DIFF_ROWS_H
#define CMD_DIFF_ROWS_H

#include "cmd/cmd.h"
#include "lib/capture/capture.h"
#include "lib/track/run.h"
#include "lib/util/hashmap.h"

enum diff_section {
	DIFF_RUN,
	DIFF_PARAMS,
	DIFF_METRICS,
	DIFF_TAGS,
	DIFF_CODE,
	DIFF_ENVIRONMENT,
	DIFF_INPUTS,
	DIFF_OUTPUTS,
	DIFF_SECTIONS,
};

struct diff_cell {
	char *value; /* what is compared; NULL: none */
	char *shown; /* to people; NULL: value */
	bool set;      /* diff_set() was called, if only with NULL */
	bool is_number;
	double number; /* of a metric, or milliseconds */
};

struct diff_row {
	enum diff_section section;
	char *key;
	size_t order; /* as added */
	enum env_class level; /* DIFF_ENVIRONMENT */
	struct diff_cell *cells; /* one a run */
};

struct diff_run {
	struct run run;
	enum run_status status;
	char name[RUN_SHORT_LEN + 1];
	struct strbuf patch; /* of uncommitted changes */
	struct strbuf environment;
};

struct diff {
	struct diff_run *runs;
	size_t nruns;
	VEC(struct diff_row *) rows;
	struct strmap index;
};

void diff_release(struct diff *diff);
const char *diff_section_name(enum diff_section section);
/* The cell of a run, its row made if absent. */
struct diff_cell *diff_cell(struct diff *diff, enum diff_section section, const char *key,
			    size_t run);
struct diff_row *diff_row(struct diff *diff, enum diff_section section, const char *key);
/* Both copied; shown may be NULL. */
void diff_set(struct diff_cell *cell, const char *value, const char *shown);
void diff_set_number(struct diff_cell *cell, double number);
bool diff_row_differs(const struct diff *diff, const struct diff_row *row);
/* Sections in order; within most of them by key. */
void diff_sort(struct diff *diff);

/* Fills the runs ids[0..n) and the rows. */
int diff_collect(struct cmd_ctx *ctx, const int64_t *ids, size_t n, struct diff *diff);

#endif
