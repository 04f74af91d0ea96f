/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL put together at run time: text with numbered parameters, and the values bound to
 * them.  Values never become text.
 *
 *	query_add(&q, "r.name = ");  query_text(&q, name);
 */
#ifndef TRACK_QUERY_H
#define TRACK_QUERY_H

#include <stdint.h>

#include "lib/db/db.h"
#include "lib/util/strbuf.h"
#include "lib/util/vec.h"

enum query_type { QUERY_INT, QUERY_DOUBLE, QUERY_TEXT };

struct query_value {
	enum query_type type;
	int64_t i;
	double d;
	char *s;
};

struct query {
	struct strbuf sql;
	VEC(struct query_value) values;
};
#define QUERY_INIT { .sql = STRBUF_INIT }
void query_release(struct query *q);

void query_add(struct query *q, const char *sql);
/* Each appends a parameter and binds it. */
void query_int(struct query *q, int64_t v);
void query_double(struct query *q, double v);
void query_text(struct query *q, const char *s); /* copied */
/* sql with text bound in place of each '?' in it. */
void query_add_keyed(struct query *q, const char *sql, const char *text);

/* A statement ready to step, or NULL. */
struct db_stmt *query_run(const struct query *q, struct db *db, struct mlp_error *err);

#endif
