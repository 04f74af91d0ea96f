/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/query.h"

#include <string.h>

void query_release(struct query *q)
{
	for (size_t i = 0; i < q->values.len; i++)
		free(q->values.v[i].s);
	vec_free(&q->values);
	strbuf_release(&q->sql);
}

void query_add(struct query *q, const char *sql)
{
	strbuf_addstr(&q->sql, sql);
}

static void add_value(struct query *q, struct query_value value)
{
	vec_push(&q->values, value);
	strbuf_addf(&q->sql, "?%zu", q->values.len);
}

void query_int(struct query *q, int64_t v)
{
	add_value(q, (struct query_value){ .type = QUERY_INT, .i = v });
}

void query_double(struct query *q, double v)
{
	add_value(q, (struct query_value){ .type = QUERY_DOUBLE, .d = v });
}

void query_text(struct query *q, const char *s)
{
	add_value(q, (struct query_value){ .type = QUERY_TEXT, .s = xstrdup(s) });
}

void query_add_keyed(struct query *q, const char *sql, const char *text)
{
	for (const char *mark; (mark = strchr(sql, '?')); sql = mark + 1) {
		strbuf_add(&q->sql, sql, (size_t)(mark - sql));
		query_text(q, text);
	}
	query_add(q, sql);
}

static int bind(struct db_stmt *st, int index, const struct query_value *value)
{
	switch (value->type) {
	case QUERY_INT:
		return db_bind_int(st, index, value->i);
	case QUERY_DOUBLE:
		return db_bind_double(st, index, value->d);
	default:
		return db_bind_text(st, index, value->s);
	}
}

struct db_stmt *query_run(const struct query *q, struct db *db, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query_once(db, err, q->sql.buf);

	for (size_t i = 0; st && i < q->values.len; i++)
		if (bind(st, (int)i + 1, &q->values.v[i])) {
			mlp_error_set(err, MLP_EFAIL, "cannot query the store: too many values");
			return NULL;
		}
	return steal_ptr(&st);
}
