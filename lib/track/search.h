/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching runs: which, in what order, with which of their values; one row at a time, in
 * memory bounded by a row.
 */
#ifndef TRACK_SEARCH_H
#define TRACK_SEARCH_H

#include "lib/track/field.h"
#include "lib/track/filter.h"
#include "lib/track/metric.h"
#include "lib/track/run.h"

enum run_view { RUN_VIEW_ACTIVE, RUN_VIEW_DELETED, RUN_VIEW_ALL };

struct run_order {
	struct field field;
	bool descending; /* absent values and NaN come last either way */
};
/* Reads "metrics.auc", "-started" or MLflow's "metrics.`auc` DESC". */
int run_order_parse(struct run_order *out, const char *text, struct mlp_error *err);
/* The same of another kind of thing. */
int run_order_parse_of(struct run_order *out, enum field_target target, const char *text,
		       struct mlp_error *err);
/* The same, and "auc" alone where one metric, parameter or tag, but no attribute, has that
 * name; MLP_EAMBIGUOUS where several have. */
int run_order_guess(struct run_order *out, struct db *db, const char *text,
		    struct mlp_error *err);
void run_order_release(struct run_order *order);

enum { RUN_FETCH_METRICS = 1, RUN_FETCH_PARAMS = 2, RUN_FETCH_TAGS = 4 };

struct run_search {
	const int64_t *experiments;
	size_t nexperiments; /* 0: all */
	const struct filter *filter; /* or NULL */
	enum run_view view;
	unsigned statuses;	    /* as stored: 1 << RUN_FINISHED | ...; 0: all */
	int64_t since_ms, until_ms; /* of the start, [since, until); 0: open */
	const struct run_order *order;
	size_t norder; /* behind these: newest first */
	bool text_order; /* parameters and tags sort as text, as in MLflow */
	bool reverse;
	int64_t limit; /* 0: none */
	int64_t offset;
	/* In the default order, only what comes behind this run; 0: from the start. */
	int64_t after_ms, after_id;
	unsigned fetch;
};

struct run_row {
	struct run run;
	struct metric_latests metrics;
	struct key_values params;
	struct key_values tags;
};
#define RUN_ROW_INIT { .run = RUN_INIT }
void run_row_release(struct run_row *row);

/* What search names may go once the cursor is open. */
struct run_cursor;
int run_search_open(struct run_cursor **out, struct db *db, const struct run_search *search,
		    struct mlp_error *err);
/* 1 with a row (which the caller releases), 0 at the end, negative on error. */
int run_search_next(struct run_cursor *cursor, struct run_row *row, struct mlp_error *err);
/* What the rows from here on bring. */
void run_search_fetch(struct run_cursor *cursor, unsigned fetch);
void run_search_close(struct run_cursor *cursor);
DEFINE_CLEANUP(struct run_cursor *, run_search_close);
/* How many there are, without limit and offset; counts up to most (0: all). */
int run_search_count(struct db *db, const struct run_search *search, int64_t most, int64_t *out,
		     struct mlp_error *err);

#endif
