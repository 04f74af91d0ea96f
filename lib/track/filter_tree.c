/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/filter_tree.h"

#include <string.h>

void filter_node_free(struct filter_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->children.len; i++)
		filter_node_free(node->children.v[i]);
	vec_free(&node->children);
	for (size_t i = 0; i < node->values.len; i++)
		free(node->values.v[i].s);
	vec_free(&node->values);
	field_release(&node->field);
	free(node);
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	filter_node_free(filter->root);
	free(filter);
}

static void put_deepest_first(struct filter_node *node)
{
	struct filter_node **v = node->children.v, *deepest;
	size_t at = 0;

	for (size_t i = 1; i < node->children.len; i++)
		if (v[i]->depth > v[at]->depth)
			at = i;
	deepest = v[at];
	memmove(v + 1, v, at * sizeof(*v));
	v[0] = deepest;
}

/* Takes the only child out of a node. */
static struct filter_node *unwrap(struct filter_node *node)
{
	struct filter_node *child = node->children.v[0];

	node->children.len = 0;
	filter_node_free(node);
	return child;
}

static struct filter_node *simplify(struct filter_node *node, bool invert);

static struct filter_node *simplify_chain(struct filter_node *node, bool invert)
{
	struct filter_node *out = xcalloc(1, sizeof(*out));

	/* not (a and b) = not a or not b */
	out->type = (node->type == FILTER_AND) != invert ? FILTER_AND : FILTER_OR;
	for (size_t i = 0; i < node->children.len; i++) {
		struct filter_node *child = simplify(node->children.v[i], invert);
		bool same = child->type == out->type;

		out->depth = MAX(out->depth, child->depth + !same);
		for (size_t j = 0; same && j < child->children.len; j++)
			vec_push(&out->children, child->children.v[j]);
		if (!same) {
			vec_push(&out->children, child);
			continue;
		}
		child->children.len = 0;
		filter_node_free(child);
	}
	node->children.len = 0;
	filter_node_free(node);
	if (out->children.len == 1)
		return unwrap(out);
	put_deepest_first(out);
	return out;
}

static struct filter_node *simplify(struct filter_node *node, bool invert)
{
	if (node->type == FILTER_NOT)
		return simplify(unwrap(node), !invert);
	if (node->type != FILTER_COMPARE)
		return simplify_chain(node, invert);
	node->inverted = invert;
	return node;
}

struct filter_node *filter_node_simplify(struct filter_node *node)
{
	return simplify(node, false);
}
