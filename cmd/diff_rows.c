/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/diff_rows.h"

#include <math.h>
#include <string.h>

#include "lib/util/text.h"

void diff_release(struct diff *diff)
{
	for (size_t i = 0; i < diff->rows.len; i++) {
		struct diff_row *row = diff->rows.v[i];

		for (size_t j = 0; j < diff->nruns; j++) {
			free(row->cells[j].value);
			free(row->cells[j].shown);
		}
		free(row->cells);
		free(row->key);
		free(row);
	}
	vec_free(&diff->rows);
	strmap_release(&diff->index);
	for (size_t i = 0; i < diff->nruns; i++) {
		run_release(&diff->runs[i].run);
		strbuf_release(&diff->runs[i].patch);
		strbuf_release(&diff->runs[i].environment);
	}
	free(diff->runs);
}

const char *diff_section_name(enum diff_section section)
{
	static const char *const names[DIFF_SECTIONS] = {
		[DIFF_RUN] = "run",	    [DIFF_PARAMS] = "params",
		[DIFF_METRICS] = "metrics", [DIFF_TAGS] = "tags",
		[DIFF_CODE] = "code",	    [DIFF_ENVIRONMENT] = "environment",
		[DIFF_INPUTS] = "inputs",   [DIFF_OUTPUTS] = "outputs",
	};

	return names[section];
}

struct diff_row *diff_row(struct diff *diff, enum diff_section section, const char *key)
{
	_cleanup_free_ char *id = xasprintf("%d %s", section, key);
	struct strmap_entry *e = strmap_put(&diff->index, id, strlen(id));
	struct diff_row *row = e->value;

	if (row)
		return row;
	e->value = row = xcalloc(1, sizeof(*row));
	row->section = section;
	row->key = xstrdup(key);
	row->order = diff->rows.len;
	row->cells = xcalloc(diff->nruns, sizeof(*row->cells));
	vec_push(&diff->rows, row);
	return row;
}

struct diff_cell *diff_cell(struct diff *diff, enum diff_section section, const char *key,
			    size_t run)
{
	return &diff_row(diff, section, key)->cells[run];
}

void diff_set(struct diff_cell *cell, const char *value, const char *shown)
{
	free(cell->value);
	free(cell->shown);
	cell->value = xstrdup_null(value);
	cell->shown = value ? xstrdup_null(shown) : NULL;
	cell->set = true;
}

void diff_set_number(struct diff_cell *cell, double number)
{
	_release_(strbuf_release) struct strbuf exact = STRBUF_INIT, shown = STRBUF_INIT;

	text_add_double(&exact, number);
	text_add_double_short(&shown, number);
	diff_set(cell, exact.buf, shown.buf);
	cell->number = number;
	cell->is_number = true;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool diff_row_differs(const struct diff *diff, const struct diff_row *row)
{
	for (size_t i = 1; i < diff->nruns; i++)
		if (!same(row->cells[i].value, row->cells[0].value))
			return true;
	return false;
}

static int compare_rows(const void *a, const void *b)
{
	const struct diff_row *x = *(struct diff_row *const *)a;
	const struct diff_row *y = *(struct diff_row *const *)b;
	int by_key;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	by_key = x->section == DIFF_RUN || x->section == DIFF_CODE ? 0 : strcmp(x->key, y->key);
	return by_key ? by_key : x->order < y->order ? -1 : 1;
}

void diff_sort(struct diff *diff)
{
	if (diff->rows.len)
		qsort(diff->rows.v, diff->rows.len, sizeof(*diff->rows.v), compare_rows);
}
