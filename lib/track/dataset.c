/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/dataset.h"

void dataset_release(struct dataset *d)
{
	free(d->name);
	free(d->digest);
	free(d->source_type);
	free(d->source);
	free(d->schema);
	free(d->profile);
	key_values_release(&d->tags);
}

void dataset_put_json(struct json_writer *w, const struct dataset *d)
{
	json_key(w, "dataset");
	json_open(w, '{');
	json_put_string(w, "name", d->name);
	json_put_string(w, "digest", d->digest);
	json_put_string(w, "source_type", d->source_type);
	json_put_string(w, "source", d->source);
	if (d->schema)
		json_put_string(w, "schema", d->schema);
	if (d->profile)
		json_put_string(w, "profile", d->profile);
	json_close(w, '}');
}

void datasets_release(struct datasets *list)
{
	for (size_t i = 0; i < list->len; i++)
		dataset_release(&list->v[i]);
	vec_free(list);
}

void model_uses_release(struct model_uses *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->v[i].model);
	vec_free(list);
}

static int ensure_dataset(struct db *db, int64_t run, const struct dataset *d, int64_t *id,
			  struct mlp_error *err)
{
	int r = db_exec(db, err,
			"INSERT INTO dataset(experiment_id, name, digest, source_type, source, schema,"
			" profile) SELECT experiment_id, ?2, ?3, ?4, ?5, ?6, ?7 FROM run WHERE id = ?1"
			" ON CONFLICT(experiment_id, name, digest) DO UPDATE SET"
			" source_type = excluded.source_type, source = excluded.source,"
			" schema = excluded.schema, profile = excluded.profile"
			" WHERE source_type = '' AND source = ''",
			"issssss", run, d->name, d->digest, d->source_type, d->source, d->schema,
			d->profile);

	return r ? r :
		   db_get_int(db, id, err,
			      "SELECT d.id FROM dataset d JOIN run r ON r.experiment_id ="
			      " d.experiment_id WHERE r.id = ?1 AND d.name = ?2 AND d.digest = ?3",
			      "iss", run, d->name, d->digest);
}

int dataset_use(struct db *db, int64_t run, const struct dataset *d, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int64_t dataset, input;
	bool is_new = false;
	int r = db_txn(&txn, db, err);

	if (!r)
		r = ensure_dataset(db, run, d, &dataset, err);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO run_input(run_id, dataset_id) VALUES(?1, ?2)"
			    " ON CONFLICT DO NOTHING",
			    "ii", run, dataset);
	if (!r)
		is_new = db_changes(db) > 0;
	if (!r)
		r = db_get_int(db, &input, err,
			       "SELECT id FROM run_input WHERE run_id = ?1 AND dataset_id = ?2", "ii",
			       run, dataset);
	/* As in MLflow the first use says what for. */
	for (size_t i = 0; !r && is_new && i < d->tags.len; i++)
		r = db_exec(db, err,
			    "INSERT INTO run_input_tag(input_id, key, value) VALUES(?1, ?2, ?3)"
			    " ON CONFLICT DO UPDATE SET value = excluded.value",
			    "iss", input, d->tags.v[i].key, d->tags.v[i].value);
	return r ? r : db_txn_commit(&txn, err);
}

static int read_tags(struct db *db, int64_t input, struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT key, value FROM run_input_tag WHERE input_id = ?1 ORDER BY key", "i",
			 input);

	return key_values_read(st, out, err);
}

int datasets_get(struct db *db, int64_t run, struct datasets *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT i.id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile"
			 " FROM run_input i JOIN dataset d ON d.id = i.dataset_id"
			 " WHERE i.run_id = ?1 ORDER BY i.id",
			 "i", run);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		vec_push(out, ((struct dataset){ .name = xstrdup(db_text(st, 1)),
						 .digest = xstrdup(db_text(st, 2)),
						 .source_type = xstrdup(db_text(st, 3)),
						 .source = xstrdup(db_text(st, 4)),
						 .schema = xstrdup_null(db_text(st, 5)),
						 .profile = xstrdup_null(db_text(st, 6)) }));
		r = read_tags(db, db_int(st, 0), &out->v[out->len - 1].tags, err);
		if (r)
			return r;
	}
	return r;
}

int model_input(struct db *db, int64_t run, const char *model, struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO run_input(run_id, model_id) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
		       "is", run, model);
}

int model_output(struct db *db, int64_t run, const char *model, int64_t step,
		 struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO run_output_model(run_id, model_id, step) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT DO UPDATE SET step = excluded.step",
		       "isi", run, model, step);
}

static int read_uses(struct db_stmt *st, struct model_uses *out, struct mlp_error *err)
{
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		vec_push(out, ((struct model_use){ xstrdup(db_text(st, 0)), db_int(st, 1) }));
	return r;
}

int model_inputs_get(struct db *db, int64_t run, struct model_uses *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT model_id, 0 FROM run_input WHERE run_id = ?1 AND model_id IS NOT NULL"
		" ORDER BY id",
		"i", run);

	return read_uses(st, out, err);
}

int model_outputs_get(struct db *db, int64_t run, struct model_uses *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT model_id, step FROM run_output_model WHERE run_id = ?1 ORDER BY model_id", "i",
		run);

	return read_uses(st, out, err);
}
