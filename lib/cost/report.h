/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger summed up by experiment, user, tag, model or day; the sums of the groups
 * are the total exactly. */
#ifndef COST_REPORT_H
#define COST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cost/usage.h"
#include "lib/util/hashmap.h"

struct cost_group {
	char *name; /* NULL: those without the tag */
	struct strmap runs; /* the set of their uuids */
	int64_t gpu_ms, cpu_ms;
	int64_t busy_ms, measured_ms; /* of the GPU time whose use is known */
	int64_t energy_mj; /* -1: not known of any */
	int64_t unpriced;  /* rows without a price */
	struct {
		struct money *v; /* one a currency, sorted by it */
		size_t len, cap;
	} money;
};
void cost_group_release(struct cost_group *group);
/* Adds what of a row is the part; MLP_EFAIL when a sum grows too large. */
int cost_group_add(struct cost_group *group, const struct usage_row *row,
		   const struct usage_part *part, struct mlp_error *err);

enum cost_by { COST_BY_EXPERIMENT, COST_BY_USER, COST_BY_TAG, COST_BY_MODEL, COST_BY_DAY };

struct cost_query {
	enum cost_by by;
	const char *tag; /* with COST_BY_TAG */
	int64_t since_ms, until_ms; /* [since, until) */
};

struct cost_report {
	struct cost_group *v; /* sorted by name */
	size_t len, cap;
	struct cost_group total;
	struct strmap stale; /* models and hosts whose price was old, value: its date */
};
void cost_report_release(struct cost_report *report);
int cost_report(struct db *db, const struct settings *settings, const struct cost_query *query,
		struct cost_report *out, struct mlp_error *err);
/* Notes what of the row's prices was old when it was used. */
void cost_note_stale(struct strmap *stale, const struct usage_row *row);
void cost_stale_release(struct strmap *stale);

#endif
