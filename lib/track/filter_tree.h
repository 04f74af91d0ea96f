/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as a tree, between its parser and its SQL. */
#ifndef TRACK_FILTER_TREE_H
#define TRACK_FILTER_TREE_H

#include "lib/track/filter.h"

enum filter_op {
	FILTER_EQ,
	FILTER_NE,
	FILTER_LT,
	FILTER_LE,
	FILTER_GT,
	FILTER_GE,
	FILTER_LIKE,
	FILTER_ILIKE,
	FILTER_IN,
	FILTER_IS_NULL,
	FILTER_IS_NAN,
};

/* A literal, as the field wants it: a time is its milliseconds, a status its number. */
struct filter_value {
	enum query_type type;
	int64_t i;
	double d;
	char *s;
};

enum filter_node_type { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_COMPARE };

struct filter_node {
	enum filter_node_type type;
	VEC(struct filter_node *) children;

	struct field field;
	enum filter_op op;
	bool negated; /* NOT LIKE, NOT IN, IS NOT NULL: of the operator, not of the result */
	bool inverted; /* the result */
	VEC(struct filter_value) values;

	int depth; /* of ANDs and ORs in it, after filter_node_simplify() */
};

struct filter {
	struct filter_node *root; /* NULL: accepts everything */
};

void filter_node_free(struct filter_node *node);
DEFINE_CLEANUP(struct filter_node *, filter_node_free);
/* Takes a tree and returns the same without NOTs (comparisons are inverted instead),
 * without ANDs in ANDs and ORs in ORs, the deepest child of each first. */
struct filter_node *filter_node_simplify(struct filter_node *node);
/* Appends the SQL; returns how many symbols SQLite's parser holds back at most. */
int filter_node_add_sql(const struct filter_node *node, struct query *q);

/* SQLite's parser has room for 100 symbols; a comparison needs up to 30 of them, a query
 * around the condition some more. */
enum { FILTER_PENDING_MAX = 55 };

#endif
