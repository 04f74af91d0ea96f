/* SPDX-License-Identifier: Apache-2.0 */
/* mlflow.db as a source: runs and their points. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lib/mlflow/source_db.h"
#include "lib/mlflow/wire.h"

int source_db_list(struct source_db *s, const char *sql, const char *argument, struct strvec *out,
		   struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r = 0;

	if (!sql)
		return 0;
	st = db_query(s->db, err, sql, argument ? "s" : "", argument);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		if (!db_is_null(st, 0))
			strvec_push(out, db_text(st, 0));
	return r;
}

int source_db_pairs(struct source_db *s, const char *sql, const char *argument,
		    struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r = 0;

	if (!sql)
		return 0;
	st = db_query(s->db, err, sql, "s", argument);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		if (!db_is_null(st, 0) && !db_is_null(st, 1))
			vec_push(out, ((struct key_value){ xstrdup(db_text(st, 0)),
							   xstrdup(db_text(st, 1)) }));
	return r;
}

static int read_row(struct source_db *s, const char *id, struct mlflow_run *out,
		    struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(s->db, err, s->sql[SQL_RUN], "s", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;
	const char *status, *stage;

	if (r <= 0)
		return r;
	status = db_text(st, 2);
	stage = db_text(st, 5);
	*out = (struct mlflow_run){
		.id = xstrdup(id),
		.name = xstrdup_null(db_text(st, 0)),
		.user = xstrdup_null(db_text(st, 1)),
		.status = status ? run_status_parse(status) : 0,
		.started_ms = db_int(st, 3),
		.ended_ms = db_int(st, 4),
		.deleted = stage && !strcmp(stage, "deleted"),
		.deleted_ms = db_int(st, 6),
		.artifact_uri = xstrdup_null(db_text(st, 7)),
	};
	if (!out->status)
		out->status = RUN_RUNNING;
	return 1;
}

static char *text_or_empty(struct db_stmt *st, int col)
{
	const char *text = db_text(st, col);

	return xstrdup(text ? text : "");
}

/* *input is set to the id of the row when it may have tags. */
static void add_input(struct db_stmt *st, struct mlflow_run *out, const char **input)
{
	const char *type = db_text(st, 1), *target = db_text(st, 2);

	*input = NULL;
	if (!type || !target)
		return;
	if (!strcmp(type, "RUN_OUTPUT")) {
		vec_push(&out->model_outputs,
			 ((struct model_use){ xstrdup(target), db_int(st, 3) }));
	} else if (!strcmp(type, "RUN_INPUT")) {
		vec_push(&out->model_inputs, ((struct model_use){ xstrdup(target), 0 }));
	} else if (!db_is_null(st, 4) && !db_is_null(st, 5)) {
		vec_push(&out->inputs, ((struct dataset){
					       .name = xstrdup(db_text(st, 4)),
					       .digest = xstrdup(db_text(st, 5)),
					       .source_type = text_or_empty(st, 6),
					       .source = text_or_empty(st, 7),
					       .schema = xstrdup_null(db_text(st, 8)),
					       .profile = xstrdup_null(db_text(st, 9)) }));
		*input = db_text(st, 0);
	}
}

static int read_inputs(struct source_db *s, struct mlflow_run *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	const char *input;
	int r = 0;

	if (!s->sql[SQL_INPUTS])
		return 0;
	st = db_query(s->db, err, s->sql[SQL_INPUTS], "s", out->id);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		add_input(st, out, &input);
		if (input)
			r = source_db_pairs(s, "SELECT name, value FROM input_tags WHERE input_uuid = ?1",
					    input, &out->inputs.v[out->inputs.len - 1].tags, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_run(struct source_db *s, const char *id, struct mlflow_run *out,
		    struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_begin_read(s->db, err);

	if (r)
		return r;
	txn = s->db;
	r = read_row(s, id, out, err);
	if (r <= 0)
		return r;
	r = source_db_pairs(s, "SELECT key, value FROM params WHERE run_uuid = ?1", id, &out->params,
			    err);
	if (!r)
		r = source_db_pairs(s, "SELECT key, value FROM tags WHERE run_uuid = ?1", id,
				    &out->tags, err);
	if (!r)
		r = read_inputs(s, out, err);
	return r ? r : 1;
}

int source_db_run(struct mlflow_source *base, struct mlflow_run *out, struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;
	int r = 0;

	source_db_clear_series(s);
	while (!r && s->next_run < s->runs.len) /* one deleted meanwhile is passed over */
		r = read_run(s, s->runs.v[s->next_run++], out, err);
	if (r <= 0)
		return r;
	free(s->run);
	s->run = xstrdup(out->id);
	local_tree_free(s->tree);
	s->tree = local_tree_new(local_find(&s->root, out->artifact_uri, NULL, out->id,
					    &out->elsewhere),
				 base->events);
	return 1;
}

void source_db_clear_series(struct source_db *s)
{
	for (size_t i = 0; i < s->series.len; i++) {
		struct metric_points *points = s->series.entries[i].value;

		vec_free(points);
		free(points);
	}
	strmap_release(&s->series);
	s->series_are_read = false;
	s->next_series = 0;
}

static struct metric_points *series_of(struct source_db *s, const char *key, size_t len)
{
	struct strmap_entry *e = strmap_put(&s->series, key, len);

	if (!e->value)
		e->value = xcalloc(1, sizeof(struct metric_points));
	return e->value;
}

/* In the order of the rows, which is that in which they lie on the disk; sorted by key they
 * would be fetched one by one from all over the file. */
static int read_series(struct source_db *s, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(s->db, err,
			 "SELECT key, timestamp, step, value, is_nan FROM metrics"
			 " WHERE run_uuid = ?1 ORDER BY rowid",
			 "s", s->run);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		size_t len;
		const char *key = db_blob(st, 0, &len);
		struct metric_points *points;

		if (!key)
			continue;
		points = series_of(s, key, len);
		vec_push(points, ((struct metric_point){
					 .time_ms = db_int(st, 1),
					 .step = db_int(st, 2),
					 .value = db_int(st, 4) ? (double)NAN :
							  metric_from_mlflow(db_double(st, 3)) }));
	}
	s->series_are_read = true;
	return r;
}

int source_db_points(struct mlflow_source *base, struct mlflow_points *out, struct mlp_error *err)
{
	struct source_db *s = (struct source_db *)base;
	const struct metric_points *points;
	int r = s->series_are_read || !s->run ? 0 : read_series(s, err);

	if (r || s->next_series == s->series.len)
		return r;
	points = s->series.entries[s->next_series].value;
	*out = (struct mlflow_points){ s->series.entries[s->next_series].key, points->v,
				       points->len };
	s->next_series++;
	return 1;
}
