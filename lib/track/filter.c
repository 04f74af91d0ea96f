/* SPDX-License-Identifier: Apache-2.0 */
/* The parser: words to tree. */
#include "config.h"

#include "lib/track/filter.h"

#include <string.h>

#include "lib/track/filter_lex.h"
#include "lib/track/filter_tree.h"
#include "lib/track/run.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

struct parser {
	struct filter_lexer lx;
	struct filter_options options;
	int depth; /* of parentheses and NOTs */
	struct mlp_error *err;
};

static struct filter_node *node_new(enum filter_node_type type)
{
	struct filter_node *node = xcalloc(1, sizeof(*node));

	node->type = type;
	return node;
}

static int next(struct parser *p)
{
	return filter_lexer_next(&p->lx, p->err);
}

#define fail(p, ...) filter_lexer_error(&(p)->lx, (p)->err, __VA_ARGS__)

static bool is_text(const struct field *field)
{
	return field->spec->type == FIELD_TEXT || field->spec->type == FIELD_ANY ||
	       field->spec->type == FIELD_STATUS;
}

static int number_value(struct parser *p, const struct field *field, struct filter_value *value)
{
	const struct filter_lexer *lx = &p->lx;

	if (field->spec->type == FIELD_TEXT || field->spec->type == FIELD_STATUS)
		return fail(p, "expected a value in quotes");
	*value = (struct filter_value){ .type = QUERY_DOUBLE, .d = lx->number };
	if (field->spec->type == FIELD_DURATION)
		value->d *= 1000;
	if (field->spec->type == FIELD_TIME && lx->is_integer)
		*value = (struct filter_value){ .type = QUERY_INT, .i = lx->integer };
	return 0;
}

static int status_value(struct parser *p, const char *text, struct filter_value *value)
{
	value->i = run_status_parse(text);
	if (value->i)
		return 0;
	fail(p, "unknown status '%s'", text);
	mlp_error_hint(p->err, "a status is running, scheduled, finished, failed, killed or lost");
	return MLP_EINVAL;
}

static int string_value(struct parser *p, const struct filter_node *node,
			struct filter_value *value)
{
	const char *text = p->lx.value.buf;
	bool pattern = node->op == FILTER_LIKE || node->op == FILTER_ILIKE;
	enum field_type type = node->field.spec->type;

	*value = (struct filter_value){ .type = QUERY_INT };
	if (type == FIELD_STATUS && !pattern)
		return status_value(p, text, value);
	if (type == FIELD_NUMBER)
		return fail(p, "expected a number");
	if (type == FIELD_TIME)
		return clock_parse_time(text, p->options.now_ms, &value->i) ?
			       0 :
			       fail(p, "expected a time such as '2026-11-22' or '3d ago'");
	if (type == FIELD_DURATION)
		return clock_parse_duration(text, &value->i) ?
			       0 :
			       fail(p, "expected a duration such as '90s' or '1h30m'");
	if (pattern && p->lx.value.len > FILTER_PATTERN_MAX)
		return fail(p, "a pattern may have %d bytes", FILTER_PATTERN_MAX);
	if (node->op >= FILTER_LT && node->op <= FILTER_GE)
		return fail(p, "expected a number");
	*value = (struct filter_value){ .type = QUERY_TEXT, .s = xstrdup(text) };
	return 0;
}

static int parse_value(struct parser *p, struct filter_node *node)
{
	struct filter_value value;
	bool pattern = node->op == FILTER_LIKE || node->op == FILTER_ILIKE;
	int r;

	if (p->lx.token == TOKEN_STRING)
		r = string_value(p, node, &value);
	else if (p->lx.token == TOKEN_NUMBER && !pattern)
		r = number_value(p, &node->field, &value);
	else if (p->lx.token == TOKEN_NUMBER)
		r = fail(p, "expected a pattern in quotes");
	else
		r = fail(p, "expected a value");
	if (r)
		return r;
	vec_push(&node->values, value);
	return next(p);
}

/* (value, value, ...) */
static int parse_list(struct parser *p, struct filter_node *node)
{
	int r;

	if (p->lx.token != TOKEN_OPEN)
		return fail(p, "expected '('");
	do {
		r = next(p);
		if (!r)
			r = parse_value(p, node);
		if (r)
			return r;
	} while (p->lx.token == TOKEN_COMMA);
	if (p->lx.token != TOKEN_CLOSE)
		return fail(p, "expected ',' or ')'");
	return next(p);
}

/* NULL or NAN, behind IS [NOT] */
static int parse_is(struct parser *p, struct filter_node *node)
{
	if (filter_lexer_is(&p->lx, "nan")) {
		if (node->field.kind != FIELD_METRIC)
			return fail(p, "only a metric can be NaN");
		node->op = FILTER_IS_NAN;
	} else if (filter_lexer_is(&p->lx, "null")) {
		node->op = FILTER_IS_NULL;
	} else {
		return fail(p, "expected NULL or NAN");
	}
	return next(p);
}

static int parse_word_operator(struct parser *p, struct filter_node *node)
{
	bool list = filter_lexer_is(&p->lx, "in"), ilike = filter_lexer_is(&p->lx, "ilike");
	int r;

	if (!list && !ilike && !filter_lexer_is(&p->lx, "like"))
		return fail(p, "expected an operator");
	if (!list && !is_text(&node->field))
		return fail(p, "a pattern needs text");
	node->op = list ? FILTER_IN : ilike ? FILTER_ILIKE : FILTER_LIKE;
	r = next(p);
	if (r)
		return r;
	return list ? parse_list(p, node) : parse_value(p, node);
}

static int parse_symbol(struct parser *p, struct filter_node *node)
{
	static const enum filter_op ops[] = {
		[TOKEN_EQ] = FILTER_EQ, [TOKEN_NE] = FILTER_NE, [TOKEN_LT] = FILTER_LT,
		[TOKEN_LE] = FILTER_LE, [TOKEN_GT] = FILTER_GT, [TOKEN_GE] = FILTER_GE,
	};
	enum field_type type = node->field.spec->type;
	int r;

	node->op = ops[p->lx.token];
	if (node->op >= FILTER_LT && (type == FIELD_TEXT || type == FIELD_STATUS))
		return fail(p, "text has no order; use = != LIKE ILIKE or IN");
	r = next(p);
	return r ? r : parse_value(p, node);
}

static int parse_operator(struct parser *p, struct filter_node *node)
{
	int r;

	if (p->lx.token >= TOKEN_EQ && p->lx.token <= TOKEN_GE)
		return parse_symbol(p, node);
	if (filter_lexer_is(&p->lx, "is")) {
		r = next(p);
		node->negated = !r && filter_lexer_is(&p->lx, "not");
		if (node->negated)
			r = next(p);
		return r ? r : parse_is(p, node);
	}
	node->negated = filter_lexer_is(&p->lx, "not");
	r = node->negated ? next(p) : 0;
	return r ? r : parse_word_operator(p, node);
}

/* Numbers in a list: one comparison each, as they compare by value. */
static struct filter_node *spread_list(struct filter_node *list)
{
	struct filter_node *node = node_new(list->negated ? FILTER_AND : FILTER_OR);

	for (size_t i = 0; i < list->values.len; i++) {
		struct filter_node *child = node_new(FILTER_COMPARE);

		child->field = list->field;
		child->field.key = xstrdup_null(list->field.key);
		child->op = list->negated ? FILTER_NE : FILTER_EQ;
		vec_push(&child->values, list->values.v[i]);
		vec_push(&node->children, child);
	}
	list->values.len = 0; /* the values moved */
	filter_node_free(list);
	return node;
}

static bool has_numbers(const struct filter_node *node)
{
	for (size_t i = 0; i < node->values.len; i++)
		if (node->values.v[i].type != QUERY_TEXT)
			return node->field.spec->type != FIELD_STATUS;
	return false;
}

static int parse_comparison(struct parser *p, struct filter_node **out)
{
	_cleanup_(filter_node_free) struct filter_node *node = node_new(FILTER_COMPARE);
	struct mlp_error why;
	int r;

	/* What is in double quotes is text only where a value may stand. */
	if (p->lx.token != TOKEN_WORD &&
	    (p->lx.token != TOKEN_STRING || p->lx.text[p->lx.start] != '"'))
		return fail(p, "expected a name");
	r = field_parse(&node->field, p->options.target, p->lx.value.buf, &why);
	if (r) {
		fail(p, "%s", why.text);
		if (*why.hint)
			mlp_error_hint(p->err, "%s", why.hint);
		return MLP_EINVAL;
	}
	r = next(p);
	if (!r)
		r = parse_operator(p, node);
	if (r)
		return r;
	*out = steal_ptr(&node);
	if ((*out)->op == FILTER_IN && has_numbers(*out))
		*out = spread_list(*out);
	return 0;
}

static int parse_or(struct parser *p, struct filter_node **out);

static int parse_group(struct parser *p, struct filter_node **out)
{
	int r = next(p);

	if (!r)
		r = parse_or(p, out);
	if (!r && p->lx.token != TOKEN_CLOSE)
		r = fail(p, "expected AND, OR or ')'");
	return r ? r : next(p);
}

static int parse_not(struct parser *p, struct filter_node **out)
{
	struct filter_node *node;
	int r;

	if (p->lx.token != TOKEN_OPEN && !filter_lexer_is(&p->lx, "not"))
		return parse_comparison(p, out);
	if (++p->depth > FILTER_DEPTH_MAX)
		return fail(p, "more than %d nested parentheses and NOTs", FILTER_DEPTH_MAX);
	if (p->lx.token == TOKEN_OPEN) {
		r = parse_group(p, out);
		p->depth--;
		return r;
	}
	r = next(p);
	if (r)
		return r;
	*out = node = node_new(FILTER_NOT);
	vec_push(&node->children, NULL);
	r = parse_not(p, &node->children.v[0]);
	p->depth--;
	return r;
}

static int parse_and(struct parser *p, struct filter_node **out)
{
	struct filter_node *node = *out = node_new(FILTER_AND);
	int r;

	for (;;) {
		vec_push(&node->children, NULL);
		r = parse_not(p, &node->children.v[node->children.len - 1]);
		if (r || !filter_lexer_is(&p->lx, "and"))
			return r;
		r = next(p);
		if (r)
			return r;
	}
}

static int parse_or(struct parser *p, struct filter_node **out)
{
	struct filter_node *node = *out = node_new(FILTER_OR);
	int r;

	for (;;) {
		vec_push(&node->children, NULL);
		r = parse_and(p, &node->children.v[node->children.len - 1]);
		if (r || !filter_lexer_is(&p->lx, "or"))
			return r;
		r = next(p);
		if (r)
			return r;
	}
}

static int parse_filter(struct parser *p, struct filter_node **root)
{
	int r = next(p);

	if (r || p->lx.token == TOKEN_END)
		return r;
	r = parse_or(p, root);
	if (!r && p->lx.token != TOKEN_END)
		r = fail(p, "expected AND or OR");
	return r;
}

/* Bounds what SQLite would refuse. */
static int check_depth(const struct filter *filter, struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;

	if (filter_node_add_sql(filter->root, &q) <= FILTER_PENDING_MAX)
		return 0;
	return mlp_error_set(err, MLP_EINVAL, "filter: ANDs and ORs are nested too deeply");
}

int filter_parse(struct filter **out, const char *text, size_t len,
		 const struct filter_options *options, struct mlp_error *err)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	struct parser p = { .options = *options, .err = err };
	int r;

	if (len > FILTER_TEXT_MAX)
		return mlp_error_set(err, MLP_EINVAL, "filter: longer than %d bytes",
				     FILTER_TEXT_MAX);
	if (memchr(text, '\0', len))
		return mlp_error_set(err, MLP_EINVAL, "filter: holds a NUL byte");
	if (!p.options.now_ms)
		p.options.now_ms = clock_ms();
	filter = xcalloc(1, sizeof(*filter));
	filter_lexer_init(&p.lx, text, len);
	r = parse_filter(&p, &filter->root);
	filter_lexer_release(&p.lx);
	if (!r && filter->root) {
		filter->root = filter_node_simplify(filter->root);
		r = check_depth(filter, err);
	}
	if (!r)
		*out = steal_ptr(&filter);
	return r;
}
