/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/log_graph.h"

#include <string.h>

#include "lib/util/hashmap.h"

/* Deeper runs are drawn at this depth. */
enum { DEPTH_MAX = 32 };

struct node {
	const struct run_row *row;
	bool reproduction;
	bool has_parent;
	int depth;
	char *prefix; /* lines of the ancestors, before its own branch */
	const char *branch;
	VEC(struct node *) children;
};

struct style {
	const char *run, *reproduction, *branch, *last, *line, *blank;
};
static const struct style unicode_style = {
	"\xe2\x97\x8f ",	    "\xe2\x97\x8b ",	      "\xe2\x94\x9c\xe2\x94\x80",
	"\xe2\x94\x94\xe2\x94\x80", "\xe2\x94\x82 ", "  ",
};
static const struct style ascii_style = { "* ", "o ", "|-", "`-", "| ", "  " };

/* A parent is older than its child: no cycle, whatever the tags say. */
static struct node *older(const struct strmap *map, const char *key, size_t len,
			  const struct run *run)
{
	const struct strmap_entry *e = strmap_find(map, key, len);
	struct node *node = e ? e->value : NULL;

	return node && node->row->run.id < run->id ? node : NULL;
}

static void link_nodes(struct node *nodes, size_t n)
{
	_release_(strmap_release) struct strmap ids = STRMAP_INIT, uuids = STRMAP_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct run *run = &nodes[i].row->run;

		strmap_put(&ids, (const char *)&run->id, sizeof(run->id))->value = &nodes[i];
		strmap_set(&uuids, run->uuid, &nodes[i]);
	}
	for (size_t i = 0; i < n; i++) {
		const struct run *run = &nodes[i].row->run;
		const char *of = key_values_get(&nodes[i].row->tags, "mlp.reproduceOf");
		struct node *parent = older(&ids, (const char *)&run->parent_id,
					    sizeof(run->parent_id), run);

		if (!parent && of)
			parent = older(&uuids, of, strlen(of), run);
		nodes[i].reproduction = of;
		nodes[i].has_parent = parent;
		if (parent)
			vec_push(&parent->children, &nodes[i]);
	}
}

/* The prefix of what stands below a node. */
static char *prefix_below(const struct node *node, const struct style *style)
{
	if (!node->has_parent)
		return xstrdup("");
	if (node->depth > DEPTH_MAX)
		return xstrdup(node->prefix);
	return xasprintf("%s%s", node->prefix,
			 node->branch == style->last ? style->blank : style->line);
}

static void draw(const struct node *node, const struct style *style, struct log_graph *out)
{
	_cleanup_free_ char *below = prefix_below(node, style);
	struct log_graph_line line = { .row = node->row };

	line.lines = xasprintf("%s%s%s", node->prefix ? node->prefix : "",
			       node->branch ? node->branch : "",
			       node->reproduction ? style->reproduction : style->run);
	line.below = xasprintf("%s%s", below, node->children.len ? style->line : style->blank);
	vec_push(out, line);
}

/* A stack of our own: a chain of reproductions may be long. */
static void draw_tree(struct node *root, const struct style *style, struct log_graph *out)
{
	VEC(struct node *) stack = VEC_INIT;

	vec_push(&stack, root);
	while (stack.len) {
		struct node *node = stack.v[--stack.len];

		draw(node, style, out);
		for (size_t i = node->children.len; i-- > 0;) {
			struct node *child = node->children.v[i];

			child->depth = node->depth + 1;
			child->prefix = prefix_below(node, style);
			child->branch = i + 1 == node->children.len ? style->last : style->branch;
			vec_push(&stack, child);
		}
	}
	vec_free(&stack);
}

void log_graph_arrange(const struct log_rows *rows, bool utf8, struct log_graph *out)
{
	struct node *nodes = xcalloc(rows->len, sizeof(*nodes));

	for (size_t i = 0; i < rows->len; i++)
		nodes[i].row = &rows->v[i];
	link_nodes(nodes, rows->len);
	for (size_t i = 0; i < rows->len; i++)
		if (!nodes[i].has_parent)
			draw_tree(&nodes[i], utf8 ? &unicode_style : &ascii_style, out);
	for (size_t i = 0; i < rows->len; i++) {
		vec_free(&nodes[i].children);
		free(nodes[i].prefix);
	}
	free(nodes);
}

void log_graph_release(struct log_graph *graph)
{
	for (size_t i = 0; i < graph->len; i++) {
		free(graph->v[i].lines);
		free(graph->v[i].below);
	}
	vec_free(graph);
}
