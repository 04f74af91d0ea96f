/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/experiment.h"

#include <string.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"

void experiment_release(struct experiment *e)
{
	free(e->name);
	free(e->artifact_location);
	*e = (struct experiment)EXPERIMENT_INIT;
}

int experiment_name_check(const char *name, struct mlp_error *err)
{
	size_t len = strlen(name);

	if (!len || !text_is_utf8(name, len))
		return mlp_error_set(err, MLP_EINVAL, "bad experiment name '%s'", name);
	if (len > EXPERIMENT_NAME_MAX)
		return mlp_error_set(err, MLP_EINVAL, "'name' exceeds the maximum length of %d characters",
				     EXPERIMENT_NAME_MAX);
	return 0;
}

const char *experiment_artifact_root(const char *artifact_location)
{
	bool ours = !artifact_location || !*artifact_location ||
		    !strncmp(artifact_location, "mlflow-artifacts:", strlen("mlflow-artifacts:"));

	return ours ? NULL : artifact_location;
}

static int check_free(struct db *db, const char *name, int64_t own, struct mlp_error *err)
{
	int64_t id;
	int r = db_get_int(db, &id, err, "SELECT id FROM experiment WHERE name = ?1", "s", name);

	if (r == MLP_ENOTFOUND || (!r && id == own))
		return 0;
	return r ? r :
		   mlp_error_set(err, MLP_EEXIST, "Experiment(name=%s) already exists.", name);
}

int experiment_create(struct db *db, const char *name, const char *artifact_location, int64_t *id,
		      struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = experiment_name_check(name, err);

	if (!r)
		r = db_txn(&txn, db, err);
	if (!r)
		r = check_free(db, name, -1, err);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO experiment(name, artifact_location, created_ms, updated_ms)"
			    " VALUES(?1, ?2, ?3, ?3)",
			    "ssi", name, artifact_location, clock_ms());
	if (r)
		return r;
	*id = db_last_id(db);
	return db_txn_commit(&txn, err);
}

int experiment_get(struct db *db, int64_t id, struct experiment *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT name, artifact_location, created_ms, updated_ms, deleted_ms"
			 " FROM experiment WHERE id = ?1",
			 "i", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "No Experiment with id=%lld exists",
				     (long long)id);
	*out = (struct experiment){
		.id = id,
		.name = xstrdup(db_text(st, 0)),
		.artifact_location = xstrdup_null(db_text(st, 1)),
		.created_ms = db_int(st, 2),
		.updated_ms = db_int(st, 3),
		.deleted_ms = db_int(st, 4),
	};
	return 0;
}

int experiment_rename(struct db *db, int64_t id, const char *name, struct mlp_error *err)
{
	int r = experiment_name_check(name, err);

	if (!r)
		r = check_free(db, name, id, err);
	return r ? r :
		   db_exec(db, err, "UPDATE experiment SET name = ?2, updated_ms = ?3 WHERE id = ?1",
			   "isi", id, name, clock_ms());
}

/* Runs that go to the trash with their experiment carry its time of deletion, by which
 * they are told from those deleted before. */
int experiment_trash(struct db *db, int64_t id, bool trash, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int64_t now = clock_ms();
	int r = db_txn(&txn, db, err);

	if (!r && trash)
		r = db_exec(db, err,
			    "UPDATE run SET deleted_ms = ?2 WHERE experiment_id = ?1"
			    " AND deleted_ms IS NULL",
			    "ii", id, now);
	else if (!r)
		r = db_exec(db, err,
			    "UPDATE run SET deleted_ms = NULL WHERE experiment_id = ?1 AND deleted_ms ="
			    " (SELECT deleted_ms FROM experiment WHERE id = ?1)",
			    "i", id);
	if (!r)
		r = db_exec(db, err,
			    "UPDATE experiment SET deleted_ms = iif(?3, ?2, NULL), updated_ms = ?2"
			    " WHERE id = ?1",
			    "iii", id, now, (int64_t)trash);
	return r ? r : db_txn_commit(&txn, err);
}

int experiment_tag_set(struct db *db, int64_t id, const char *key, const char *value,
		       struct mlp_error *err)
{
	int r = key_check("key", "key", key, err);

	if (!r && strlen(value) > EXPERIMENT_TAG_MAX)
		return mlp_error_set(err, MLP_EINVAL, "'value' exceeds the maximum length of %d characters",
				     EXPERIMENT_TAG_MAX);
	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO experiment_tag(experiment_id, key, value) VALUES(?1, ?2, ?3)"
			   " ON CONFLICT DO UPDATE SET value = excluded.value",
			   "iss", id, key, value);
}

int experiment_tag_unset(struct db *db, int64_t id, const char *key, struct mlp_error *err)
{
	int r = db_exec(db, err, "DELETE FROM experiment_tag WHERE experiment_id = ?1 AND key = ?2",
			"is", id, key);

	if (!r && !db_changes(db))
		return mlp_error_set(err, MLP_ENOTFOUND,
				     "No tag with name: %s in experiment with id %lld", key,
				     (long long)id);
	return r;
}

int experiment_tags_get(struct db *db, int64_t id, struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT key, value FROM experiment_tag WHERE experiment_id = ?1 ORDER BY key",
			 "i", id);

	return key_values_read(st, out, err);
}
