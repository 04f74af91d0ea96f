/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the usage ledger with what they cost. */
#ifndef COST_USAGE_H
#define COST_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cost/price.h"

struct usage_row {
	char *run_uuid;
	int64_t attempt;
	char *experiment, *user;
	char *group;  /* of a report by tag: the value, or NULL */
	char *host, *device, *model;
	bool is_gpu;
	int64_t start_ms, end_ms;
	int64_t device_ms;
	int64_t busy_ms;   /* -1: not known */
	int64_t energy_mj; /* -1: not known */
	int64_t memory_peak;
	bool closed;
	bool included; /* CPU without a price beside a GPU: part of the GPU's price */
	bool mixed;    /* device and energy have prices in different currencies: no sum */
	struct price price, energy_price;
	struct money money; /* of device_ms and energy; unknown: no price */
};
struct usage_rows {
	struct usage_row *v;
	size_t len, cap;
};
void usage_rows_release(struct usage_rows *rows);

/* All rows of a run, by attempt, CPU first. */
int usage_of_run(struct db *db, const struct settings *settings, const char *run_uuid,
		 struct usage_rows *out, struct mlp_error *err);
struct usage_span {
	int64_t since_ms, until_ms; /* [since, until) */
	const char *tag; /* what fills .group, or NULL */
};
/* Rows that lie in part or whole in a span, oldest first.  They are whole: see
 * usage_cut(). */
int usage_between(struct db *db, const struct settings *settings, const struct usage_span *span,
		  struct usage_rows *out, struct mlp_error *err);

struct usage_part {
	int64_t device_ms, busy_ms, energy_mj, money_nano; /* unknown ones stay -1 */
};
/* What of a row falls into [from, to), taken as spent evenly over the time it covers.
 * Parts of intervals that touch add up to the whole exactly. */
struct usage_part usage_cut(const struct usage_row *row, int64_t from, int64_t to);

/* The uuid in the ledger that ref is, or is a unique start or end of (4 characters or
 * more): for runs that are gone.  MLP_ENOTFOUND, MLP_EAMBIGUOUS. */
int usage_find_run(struct db *db, const char *ref, char uuid[257], struct mlp_error *err);

#endif
