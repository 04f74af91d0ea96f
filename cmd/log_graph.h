/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as a tree: nested runs below their parent, a reproduction below what it
 * reproduces. */
#ifndef CMD_LOG_GRAPH_H
#define CMD_LOG_GRAPH_H

#include "cmd/log_columns.h"

struct log_graph_line {
	const struct run_row *row;
	char *lines; /* before the run's id */
	char *below; /* before what belongs to it */
};
struct log_graph {
	struct log_graph_line *v;
	size_t len, cap;
};

/* All rows (tags fetched), each root where the list has it, children below in the
 * order of the list.  rows must outlive the graph. */
void log_graph_arrange(const struct log_rows *rows, bool utf8, struct log_graph *out);
void log_graph_release(struct log_graph *graph);

#endif
