/* SPDX-License-Identifier: Apache-2.0 */
/* Runs between experiments, and experiments out of the store. */
#include "config.h"

#include "lib/track/experiment.h"

/* A dataset is one experiment's: the other one gets the same, unless it has it. */
#define SAME_DATASET                                                                     \
	"(SELECT there.id FROM dataset here JOIN dataset there USING(name, digest)" \
	" WHERE here.id = dataset_id AND there.experiment_id = ?2)"

int run_move(struct db *db, int64_t run, int64_t experiment, struct mlp_error *err)
{
	static const char *const sql[] = {
		"INSERT OR IGNORE INTO dataset(experiment_id, name, digest, source_type, source,"
		" schema, profile) SELECT ?2, name, digest, source_type, source, schema, profile"
		" FROM dataset WHERE id IN (SELECT dataset_id FROM run_input WHERE run_id = ?1"
		" UNION SELECT dataset_id FROM logged_model_metric WHERE run_id = ?1)",
		"UPDATE run_input SET dataset_id = " SAME_DATASET
		" WHERE run_id = ?1 AND dataset_id IS NOT NULL",
		"UPDATE logged_model_metric SET dataset_id = " SAME_DATASET
		" WHERE run_id = ?1 AND dataset_id IS NOT NULL",
		"UPDATE logged_model SET experiment_id = ?2 WHERE source_run_id = ?1",
		"UPDATE run SET experiment_id = ?2 WHERE id = ?1",
	};
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	for (size_t i = 0; !r && i < ARRAY_SIZE(sql); i++)
		r = db_exec(db, err, sql[i], "ii", run, experiment);
	return r ? r : db_txn_commit(&txn, err);
}

/* A token of no experiment is one of all: only revoked ones may become that. */
static int leave_tokens(struct db *db, int64_t id, struct mlp_error *err)
{
	int64_t valid;
	int r = db_get_int(db, &valid, err,
			   "SELECT count(*) FROM token WHERE experiment_id = ?1"
			   " AND revoked_ms IS NULL",
			   "i", id);

	if (!r && valid)
		r = mlp_error_set(err, MLP_ECONFLICT,
				  "there is a token of this experiment, which must be revoked before");
	if (r)
		return r;
	return db_exec(db, err,
		       "UPDATE token SET experiment_id = NULL WHERE experiment_id = ?1"
		       " AND revoked_ms IS NOT NULL",
		       "i", id);
}

int experiment_delete(struct db *db, int64_t id, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r;

	if (!id)
		return mlp_error_set(err, MLP_EINVAL, "the experiment 'Default' cannot be deleted");
	r = db_txn(&txn, db, err);
	if (!r)
		r = leave_tokens(db, id, err);
	/* Runs and models elsewhere may have used its datasets. */
	if (!r)
		r = db_exec(db, err,
			    "DELETE FROM run_input WHERE dataset_id IN"
			    " (SELECT id FROM dataset WHERE experiment_id = ?1)",
			    "i", id);
	if (!r)
		r = db_exec(db, err,
			    "UPDATE logged_model_metric SET dataset_id = NULL WHERE dataset_id IN"
			    " (SELECT id FROM dataset WHERE experiment_id = ?1)",
			    "i", id);
	if (!r)
		r = db_exec(db, err, "DELETE FROM experiment WHERE id = ?1", "i", id);
	return r ? r : db_txn_commit(&txn, err);
}
