/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a search of something other than runs: filter, order, limit and offset, put
 * behind a query of the caller's whose rows have the alias r.
 */
#ifndef TRACK_LISTING_H
#define TRACK_LISTING_H

#include "lib/track/filter.h"
#include "lib/track/search.h"

struct listing {
	enum field_target target;
	char *filter_text;
	struct filter *filter; /* NULL: all */
	VEC(struct run_order) order;
	int64_t limit, offset;
};
void listing_release(struct listing *l);

int listing_filter(struct listing *l, const char *text, struct mlp_error *err);
/* "name DESC"; the same field twice is MLP_EINVAL. */
int listing_order(struct listing *l, const char *text, struct mlp_error *err);
/* Is the filter about that? */
bool listing_mentions(const struct listing *l, const char *key);
/* Appends " AND filter ORDER BY ..., behind" and the page. */
void listing_add(const struct listing *l, const char *behind, struct query *q);
/* The first part alone, and the last: " LIMIT limit + 1 OFFSET offset"; the row too many tells
 * that there is another page. */
void listing_add_filter(const struct listing *l, struct query *q);
void listing_add_page(const struct listing *l, struct query *q);

#endif
