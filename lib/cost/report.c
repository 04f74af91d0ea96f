/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/report.h"

#include <string.h>
#include <time.h>

void cost_group_release(struct cost_group *group)
{
	free(group->name);
	strmap_release(&group->runs);
	vec_free(&group->money);
}

void cost_stale_release(struct strmap *stale)
{
	for (size_t i = 0; i < stale->len; i++)
		free(stale->entries[i].value);
	strmap_release(stale);
}

void cost_report_release(struct cost_report *report)
{
	for (size_t i = 0; i < report->len; i++)
		cost_group_release(&report->v[i]);
	vec_free(report);
	cost_group_release(&report->total);
	cost_stale_release(&report->stale);
}

static int add_money(struct cost_group *group, const struct money *m, struct mlp_error *err)
{
	size_t i = 0;

	while (i < group->money.len && strcmp(group->money.v[i].currency, m->currency) < 0)
		i++;
	if (i == group->money.len || strcmp(group->money.v[i].currency, m->currency)) {
		vec_push(&group->money, *m);
		memmove(group->money.v + i + 1, group->money.v + i,
			(group->money.len - 1 - i) * sizeof(*m));
		group->money.v[i] = *m;
		return 0;
	}
	return money_sum(&group->money.v[i], m) ?
		       0 :
		       mlp_error_set(err, MLP_EFAIL, "the sum in %s is too large", m->currency);
}

int cost_group_add(struct cost_group *group, const struct usage_row *row,
		   const struct usage_part *part, struct mlp_error *err)
{
	struct money m = row->money;

	strmap_put(&group->runs, row->run_uuid, strlen(row->run_uuid));
	if (row->is_gpu) {
		group->gpu_ms += part->device_ms;
		if (part->busy_ms >= 0) {
			group->busy_ms += part->busy_ms;
			group->measured_ms += part->device_ms;
		}
	} else {
		group->cpu_ms += part->device_ms;
	}
	if (part->energy_mj >= 0)
		group->energy_mj = MAX(group->energy_mj, 0) + part->energy_mj;
	group->unpriced += !m.known && !row->included;
	m.nano = part->money_nano;
	return m.known ? add_money(group, &m, err) : 0;
}

static void note(struct strmap *stale, const char *name, const struct price *price)
{
	if (price->stale)
		free(strmap_set(stale, name, xstrdup(price->as_of)));
}

void cost_note_stale(struct strmap *stale, const struct usage_row *row)
{
	note(stale, row->model, &row->price);
	note(stale, row->host, &row->energy_price);
}

/* Groups under construction, found by name. */
struct build {
	const struct cost_query *query;
	struct cost_report *report;
	struct strmap *index; /* 'n' + name, or "0" for none: position + 1 */
	struct mlp_error *err;
};

static struct cost_group *find_group(struct build *b, const char *name)
{
	_cleanup_free_ char *key = name ? xasprintf("n%s", name) : xstrdup("0");
	struct strmap_entry *e = strmap_put(b->index, key, strlen(key));

	if (!e->value) {
		struct cost_group group = { .name = xstrdup_null(name), .energy_mj = -1 };

		vec_push(b->report, group);
		e->value = (void *)b->report->len;
	}
	return &b->report->v[(size_t)e->value - 1];
}

static int add_part(struct build *b, const struct usage_row *row, const char *name, int64_t from,
		    int64_t to)
{
	struct usage_part part = usage_cut(row, from, to);
	int r = cost_group_add(find_group(b, name), row, &part, b->err);

	return r ? r : cost_group_add(&b->report->total, row, &part, b->err);
}

/* Midnight that ends the local day of an instant. */
static int64_t end_of_day(int64_t ms, char name[11])
{
	time_t t = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return INT64_MAX;
	strftime(name, 11, "%Y-%m-%d", &tm);
	tm.tm_mday++;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return MAX((int64_t)mktime(&tm) * 1000, ms + 1);
}

static int add_days(struct build *b, const struct usage_row *row)
{
	int64_t from = MAX(b->query->since_ms, row->start_ms);
	int64_t to = MIN(b->query->until_ms, MAX(row->end_ms, row->start_ms + 1));
	int r = 0;

	while (!r && from < to) {
		char name[11] = "unknown";
		int64_t next = MIN(end_of_day(from, name), to);

		r = add_part(b, row, name, from, next);
		from = next;
	}
	return r;
}

static int add_row(struct build *b, const struct usage_row *row)
{
	const struct cost_query *q = b->query;
	const char *name = q->by == COST_BY_EXPERIMENT ? row->experiment :
			   q->by == COST_BY_USER       ? row->user :
			   q->by == COST_BY_MODEL      ? row->model :
							 row->group;

	cost_note_stale(&b->report->stale, row);
	return q->by == COST_BY_DAY ? add_days(b, row) :
				      add_part(b, row, name, q->since_ms, q->until_ms);
}

static int by_name(const void *x, const void *y)
{
	const struct cost_group *a = x, *b = y;

	if (!a->name || !b->name)
		return !a->name - !b->name;
	return strcmp(a->name, b->name);
}

int cost_report(struct db *db, const struct settings *settings, const struct cost_query *query,
		struct cost_report *out, struct mlp_error *err)
{
	_release_(usage_rows_release) struct usage_rows rows = { 0 };
	_release_(strmap_release) struct strmap index = STRMAP_INIT;
	struct build b = { .query = query, .report = out, .index = &index, .err = err };
	struct usage_span span = { query->since_ms, query->until_ms,
				   query->by == COST_BY_TAG ? query->tag : NULL };
	int r = usage_between(db, settings, &span, &rows, err);

	out->total.energy_mj = -1;
	for (size_t i = 0; !r && i < rows.len; i++)
		r = add_row(&b, &rows.v[i]);
	if (!r && out->len)
		qsort(out->v, out->len, sizeof(*out->v), by_name);
	return r;
}
