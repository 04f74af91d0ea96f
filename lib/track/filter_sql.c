/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to SQL.  Each comparison is 0 or 1, never NULL, so that NOT means what it says. */
#include "config.h"

#include "lib/track/filter_tree.h"

#include <string.h>

/* SQLite's LIKE takes no notice of case; its GLOB does, and has other wildcards. */
static void add_glob(struct strbuf *sb, const char *like)
{
	for (; *like; like++) {
		if (*like == '%')
			strbuf_addch(sb, '*');
		else if (*like == '_')
			strbuf_addch(sb, '?');
		else if (strchr("*?[", *like))
			strbuf_addf(sb, "[%c]", *like);
		else
			strbuf_addch(sb, *like);
	}
}

static void add_literal(const struct filter_value *value, struct query *q)
{
	if (value->type == QUERY_TEXT)
		query_text(q, value->s);
	else if (value->type == QUERY_INT)
		query_int(q, value->i);
	else
		query_double(q, value->d);
}

static void add_list(const struct filter_node *node, struct query *q)
{
	query_add(q, node->negated ? " NOT IN (" : " IN (");
	for (size_t i = 0; i < node->values.len; i++) {
		if (i)
			query_add(q, ", ");
		add_literal(&node->values.v[i], q);
	}
	query_add(q, ")");
}

static void add_pattern(const struct filter_node *node, struct query *q)
{
	_release_(strbuf_release) struct strbuf glob = STRBUF_INIT;

	query_add(q, node->negated ? " NOT" : "");
	if (node->op == FILTER_ILIKE) {
		query_add(q, " LIKE ");
		query_text(q, node->values.v[0].s);
		return;
	}
	add_glob(&glob, node->values.v[0].s);
	query_add(q, " GLOB ");
	query_text(q, glob.buf);
}

/* Against a number SQLite reads text as a number where all of it is one.  Other text
 * is greater than every number: the bound shuts it out. */
static void add_number_of_text(const struct filter_node *node, const char *symbol, struct query *q)
{
	const char *value = node->field.spec->value;

	query_add(q, symbol);
	query_add(q, "CAST(");
	query_double(q, node->values.v[0].d);
	query_add(q, " AS REAL) AND ");
	query_add(q, value);
	query_add(q, " <= CAST(9e999 AS REAL)");
}

/* value OP literal */
static void add_test(const struct filter_node *node, struct query *q)
{
	static const char *const symbols[] = {
		[FILTER_EQ] = " = ", [FILTER_NE] = " <> ", [FILTER_LT] = " < ",
		[FILTER_LE] = " <= ", [FILTER_GT] = " > ", [FILTER_GE] = " >= ",
	};
	const struct field_spec *spec = node->field.spec;
	bool pattern = node->op == FILTER_LIKE || node->op == FILTER_ILIKE;

	if (spec->number && !pattern)
		query_add(q, spec->number);
	else
		query_add(q, spec->value);
	if (pattern)
		add_pattern(node, q);
	else if (node->op == FILTER_IN)
		add_list(node, q);
	else if (spec->type == FIELD_ANY && node->values.v[0].type == QUERY_DOUBLE)
		add_number_of_text(node, symbols[node->op], q);
	else {
		/* Of a metric NULL is NaN, which differs from every number. */
		query_add(q, node->field.kind == FIELD_METRIC && node->op == FILTER_NE ?
				     " IS NOT " :
				     symbols[node->op]);
		add_literal(&node->values.v[0], q);
	}
}

/* A field with rows of its own: is there one that passes? */
static void add_exists(const struct filter_node *node, struct query *q)
{
	bool absent = node->op == FILTER_IS_NULL && !node->negated;

	query_add(q, absent ? "NOT EXISTS (SELECT 1 FROM " : "EXISTS (SELECT 1 FROM ");
	query_add_keyed(q, node->field.spec->from, node->field.key);
	if (node->op != FILTER_IS_NULL)
		query_add(q, " AND ");
	if (node->op == FILTER_IS_NAN) {
		query_add(q, node->field.spec->value);
		query_add(q, node->negated ? " IS NOT NULL" : " IS NULL");
	} else if (node->op != FILTER_IS_NULL) {
		add_test(node, q);
	}
	query_add(q, ")");
}

static void add_comparison(const struct filter_node *node, struct query *q)
{
	const struct field_spec *spec = node->field.spec;

	query_add(q, node->inverted ? "NOT " : "");
	if (spec->from) {
		add_exists(node, q);
		return;
	}
	query_add(q, "(");
	if (node->op == FILTER_IS_NULL) {
		query_add(q, spec->value);
		query_add(q, node->negated ? " IS NOT NULL" : " IS NULL");
	} else if (spec->nullable) {
		query_add(q, "(");
		add_test(node, q);
		query_add(q, ") IS TRUE");
	} else {
		add_test(node, q);
	}
	query_add(q, ")");
}

/* pending: symbols the parser holds back where the node starts. */
static int add_node(const struct filter_node *node, int pending, struct query *q);

enum { FAN_OUT = 8 };

/* Children from to end, in groups of groups: SQLite refuses expressions deeper than
 * 1,000, which a chain of that many ANDs is. */
static int add_chain(const struct filter_node *node, size_t from, size_t end, int pending,
		     struct query *q)
{
	size_t group = (end - from + FAN_OUT - 1) / FAN_OUT, n;
	int most = pending, before = pending;

	for (size_t i = from; i < end; i += n) {
		const struct filter_node *child = node->children.v[i];
		bool single, parens;
		int held;

		/* The first is the deepest: alone, with nothing held back for it. */
		n = i ? MIN(group, end - i) : 1;
		single = n == 1;
		parens = !single || (child->type == FILTER_OR && node->type == FILTER_AND);
		if (i > from) {
			query_add(q, node->type == FILTER_AND ? " AND " : " OR ");
			before = pending + 2;
		}
		query_add(q, parens ? "(" : "");
		held = single ? add_node(child, before + parens, q) :
				add_chain(node, i, i + n, before + parens, q);
		most = MAX(most, held);
		query_add(q, parens ? ")" : "");
	}
	return most;
}

static int add_node(const struct filter_node *node, int pending, struct query *q)
{
	if (node->type != FILTER_COMPARE)
		return add_chain(node, 0, node->children.len, pending, q);
	add_comparison(node, q);
	return pending;
}

int filter_node_add_sql(const struct filter_node *node, struct query *q)
{
	int most;

	query_add(q, "(");
	most = add_node(node, 1, q);
	query_add(q, ")");
	return most;
}

void filter_add_sql(const struct filter *filter, struct query *q)
{
	if (filter->root)
		filter_node_add_sql(filter->root, q);
	else
		query_add(q, "1");
}
