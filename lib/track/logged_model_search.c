/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/logged_model_search.h"

void logged_model_search_release(struct logged_model_search *s)
{
	listing_release(&s->page);
	for (size_t i = 0; i < s->order.len; i++)
		run_order_release(&s->order.v[i].by);
	vec_free(&s->order);
	vec_free(&s->experiments);
	vec_free(&s->datasets);
}

static void add_dataset(const struct dataset_name *dataset, struct query *q)
{
	query_add(q, "(d.name = ");
	query_text(q, dataset->name);
	if (dataset->digest) {
		query_add(q, " AND d.digest = ");
		query_text(q, dataset->digest);
	}
	query_add(q, ")");
}

/* What the filter's metrics are read from: see field.c. */
static void add_metrics(const struct logged_model_search *s, struct query *q)
{
	query_add(q, "WITH model_metric AS (SELECT m.* FROM logged_model_metric m");
	for (size_t i = 0; i < s->datasets.len; i++) {
		query_add(q, i ? " OR " : " JOIN dataset d ON d.id = m.dataset_id WHERE ");
		add_dataset(&s->datasets.v[i], q);
	}
	query_add(q, ")");
}

/* Of a metric, the last point. */
static void add_order(const struct logged_model_order *o, struct query *q)
{
	if (o->by.field.kind != FIELD_METRIC) {
		field_add_value(&o->by.field, true, q);
	} else {
		query_add(q, "(SELECT m.value FROM logged_model_metric m");
		if (o->dataset.name)
			query_add(q, " JOIN dataset d ON d.id = m.dataset_id AND ");
		if (o->dataset.name)
			add_dataset(&o->dataset, q);
		query_add(q, " WHERE m.model_id = r.id AND m.key = ");
		query_text(q, o->by.field.key);
		query_add(q, " ORDER BY m.time_ms DESC, m.step DESC, m.run_id LIMIT 1)");
	}
	query_add(q, o->by.descending ? " DESC NULLS LAST, " : " ASC NULLS LAST, ");
}

int logged_model_search(struct db *db, const struct logged_model_search *s, struct strvec *ids,
			struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r;

	add_metrics(s, &q);
	query_add(&q, " SELECT r.id FROM logged_model r WHERE r.deleted_ms IS NULL"
		      " AND r.experiment_id IN (");
	for (size_t i = 0; i < s->experiments.len; i++) {
		query_add(&q, i ? ", " : "");
		query_int(&q, s->experiments.v[i]);
	}
	query_add(&q, ")");
	if (s->datasets.len)
		query_add(&q, " AND EXISTS (SELECT 1 FROM model_metric m WHERE m.model_id = r.id)");
	listing_add_filter(&s->page, &q);
	query_add(&q, " ORDER BY ");
	for (size_t i = 0; i < s->order.len; i++)
		add_order(&s->order.v[i], &q);
	query_add(&q, "r.created_ms DESC, r.id");
	listing_add_page(&s->page, &q);
	st = query_run(&q, db, err);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		strvec_push(ids, db_text(st, 0));
	return r;
}
