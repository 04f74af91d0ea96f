/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new file mlflow.db as a target, with a folder of artifacts beside it.  All is written in
 * one transaction to a file of another name, which takes its place when it is whole.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/id.h"
#include "lib/mlflow/target_db.h"
#include "lib/mlflow/wire.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

static struct db_target *target_of(struct mlflow_target *base)
{
	return (struct db_target *)base;
}

double target_db_value(double v)
{
	return isnan(v) ? 0 : metric_to_mlflow(v);
}

bool target_db_bad_id(struct db_target *t, const char *what, const char *id)
{
	if (path_is_safe(id) && !strchr(id, '/'))
		return false;
	mlp_warn(t->base.events, "left out: %s '%s', whose id is none that a folder may have", what,
		 id);
	return true;
}

static int put_experiment_tags(struct db_target *t, const struct mlflow_experiment *e,
			       struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < e->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO experiment_tags(key, value, experiment_id)"
			    " VALUES(?1, ?2, ?3)",
			    "ssi", e->tags.v[i].key, e->tags.v[i].value, t->experiment);
	return r;
}

static int take_experiment(struct mlflow_target *base, const struct mlflow_experiment *e,
			   struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	_cleanup_free_ char *location = xasprintf("%s/%s", t->artifacts, e->id);
	int r;

	if (!text_parse_int(e->id, &t->experiment) || target_db_bad_id(t, "experiment", e->id)) {
		mlp_warn(base->events, "left out: experiment '%s', whose id is no number", e->id);
		return 1;
	}
	base->counts.experiments++;
	if (!t->db)
		return 0;
	r = db_exec(t->db, err,
		    "INSERT INTO experiments(experiment_id, name, artifact_location,"
		    " lifecycle_stage, creation_time, last_update_time)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		    "isssii", t->experiment, e->name, location, e->deleted ? "deleted" : "active",
		    e->created_ms, e->updated_ms);
	return r ? r : put_experiment_tags(t, e, err);
}

/* --- Runs ---------------------------------------------------------------------- */

static int put_pairs(struct db_target *t, const struct mlflow_run *run, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < run->params.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO params(key, value, run_uuid) VALUES(?1, ?2, ?3)",
			    "sss", run->params.v[i].key, run->params.v[i].value, run->id);
	for (size_t i = 0; !r && i < run->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO tags(key, value, run_uuid) VALUES(?1, ?2, ?3)",
			    "sss", run->tags.v[i].key, run->tags.v[i].value, run->id);
	return r;
}

/* A line of inputs; its id goes to input, which has MLP_ID_LEN + 1 bytes. */
static int put_link(struct db_target *t, const char *const link[4], int64_t step, char *input,
		    struct mlp_error *err)
{
	mlp_id_new(input);
	return db_exec(t->db, err,
		       "INSERT OR IGNORE INTO inputs(input_uuid, source_type, source_id,"
		       " destination_type, destination_id, step) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		       "sssssi", input, link[0], link[1], link[2], link[3], step);
}

static int put_dataset(struct db_target *t, const char *run, const struct dataset *d,
		       struct mlp_error *err)
{
	char fresh[MLP_ID_LEN + 1], input[MLP_ID_LEN + 1];
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r;

	mlp_id_new(fresh);
	r = db_exec(t->db, err,
		    "INSERT OR IGNORE INTO datasets(dataset_uuid, experiment_id, name, digest,"
		    " dataset_source_type, dataset_source, dataset_schema, dataset_profile)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    "sissssss", fresh, t->experiment, d->name, d->digest, d->source_type, d->source,
		    d->schema, d->profile);
	if (r)
		return r;
	st = db_query(t->db, err,
		      "SELECT dataset_uuid FROM datasets WHERE experiment_id = ?1 AND name = ?2"
		      " AND digest = ?3", "iss", t->experiment, d->name, d->digest);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r <= 0)
		return r;
	r = put_link(t, (const char *const[]){ "DATASET", db_text(st, 0), "RUN", run }, 0, input, err);
	for (size_t i = 0; !r && i < d->tags.len; i++)
		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO input_tags(input_uuid, name, value)"
			    " VALUES(?1, ?2, ?3)",
			    "sss", input, d->tags.v[i].key, d->tags.v[i].value);
	return r;
}

static int put_inputs(struct db_target *t, const struct mlflow_run *run, struct mlp_error *err)
{
	char input[MLP_ID_LEN + 1];
	int r = 0;

	for (size_t i = 0; !r && i < run->inputs.len; i++)
		r = put_dataset(t, run->id, &run->inputs.v[i], err);
	for (size_t i = 0; !r && i < run->model_inputs.len; i++)
		r = put_link(t, (const char *const[]){ "RUN_INPUT", run->id, "MODEL_INPUT",
						       run->model_inputs.v[i].model },
			     0, input, err);
	for (size_t i = 0; !r && i < run->model_outputs.len; i++)
		r = put_link(t, (const char *const[]){ "RUN_OUTPUT", run->id, "MODEL_OUTPUT",
						       run->model_outputs.v[i].model },
			     run->model_outputs.v[i].step, input, err);
	return r;
}

static int put_run(struct db_target *t, const struct mlflow_run *run, struct mlp_error *err)
{
	const char *place = run->elsewhere ? mlflow_run_place(run) : NULL;
	int r = db_exec(t->db, err,
			"INSERT INTO runs(run_uuid, name, source_type, source_name,"
			" entry_point_name, user_id, status, start_time, end_time, source_version,"
			" lifecycle_stage, artifact_uri, experiment_id, deleted_time)"
			" VALUES(?1, ?2, 'UNKNOWN', '', '', ?3, ?4, ?5, nullif(?6, 0), '', ?7, ?8, ?9,"
			" nullif(?10, 0))",
			"ssssiissii", run->id, run->name ? run->name : "", run->user ? run->user : "",
			run_status_mlflow(run->status), run->started_ms, run->ended_ms,
			run->deleted ? "deleted" : "active", place ? place : t->files, t->experiment,
			run->deleted_ms);

	if (!r)
		r = put_pairs(t, run, err);
	return r ? r : put_inputs(t, run, err);
}

static int begin_run(struct mlflow_target *base, const struct mlflow_run *run,
		     struct mlp_error *err)
{
	struct db_target *t = target_of(base);

	if (target_db_bad_id(t, "run", run->id))
		return 1;
	free(t->run);
	free(t->files);
	t->run = xstrdup(run->id);
	t->files = xasprintf("%s/%" PRId64 "/%s/artifacts", t->artifacts, t->experiment, run->id);
	t->has_last = false;
	base->counts.runs++;
	base->counts.elsewhere += run->elsewhere && mlflow_run_place(run);
	return t->db ? put_run(t, run, err) : 0;
}

static int put_latest(struct db_target *t, struct mlp_error *err)
{
	bool has = t->has_last;

	t->has_last = false;
	return !has ? 0 :
		      db_exec(t->db, err,
			      "INSERT OR IGNORE INTO latest_metrics(key, value, timestamp, step,"
			      " is_nan, run_uuid) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
			      "sdiiis", t->key.buf, target_db_value(t->last.value), t->last.time_ms,
			      t->last.step, (int64_t)isnan(t->last.value), t->run);
}

static int take_points(struct mlflow_target *base, const struct mlflow_points *points,
		       struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	int r = 0;

	base->counts.points += (int64_t)points->n;
	if (!t->db)
		return 0;
	if (strcmp(t->key.buf, points->key) != 0) {
		r = put_latest(t, err);
		strbuf_clear(&t->key);
		strbuf_addstr(&t->key, points->key);
	}
	for (size_t i = 0; !r && i < points->n; i++) {
		const struct metric_point *p = &points->v[i];

		r = db_exec(t->db, err,
			    "INSERT OR IGNORE INTO metrics(key, value, timestamp, run_uuid, step,"
			    " is_nan) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
			    "sdisii", t->key.buf, target_db_value(p->value), p->time_ms, t->run,
			    p->step, (int64_t)isnan(p->value));
		if (!t->has_last || metric_is_later(p, &t->last))
			t->last = *p;
		t->has_last = true;
	}
	return r;
}

static int end_run(struct mlflow_target *base, struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	int r = t->db ? put_latest(t, err) : 0;

	strbuf_clear(&t->key);
	return r;
}

/* --- Files --------------------------------------------------------------------- */

static int artifact_wanted(struct mlflow_target *base, const struct mlflow_artifact *a,
			   struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	_cleanup_free_ char *path = path_join(t->files, a->path);
	struct stat st;

	(void)err;
	/* Of an export that was broken off. */
	if (!lstat(path, &st) && S_ISREG(st.st_mode) && st.st_size == a->size)
		return 0;
	if (t->db)
		return 1;
	base->counts.artifacts++;
	base->counts.artifact_bytes += MAX(a->size, (int64_t)0);
	return 0;
}

static int write_file(const char *path, int from, int64_t *size, struct mlp_error *err)
{
	_cleanup_free_ char *dir = path_dirname(path), *part = xasprintf("%s.part", path);
	int r = path_mkdirs(dir, 0777);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (r)
		return mlp_error_errno(err, r, "cannot make the folder '%s'", dir);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot write '%s'", part);
	r = file_copy_fd(from, fd);
	if (!r && (fstat(fd, &st) || fdatasync(fd) || rename(part, path)))
		r = -errno;
	if (r) {
		unlink(part);
		return mlp_error_errno(err, r, "cannot write '%s'", path);
	}
	*size = st.st_size;
	return 0;
}

static int take_artifact(struct mlflow_target *base, const struct mlflow_artifact *a, int fd,
			 struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	_cleanup_free_ char *path = path_join(t->files, a->path);
	int64_t size = 0;
	int r;

	if (!path_is_safe(a->path))
		return mlp_error_set(err, MLP_EINVAL, "artifact '%s' is not below its run", a->path);
	r = write_file(path, fd, &size, err);
	if (r)
		return r;
	base->counts.artifacts++;
	base->counts.artifact_bytes += size;
	return 0;
}

/* --- The file itself ----------------------------------------------------------- */

/* Puts it in its place, never over another. */
static int move_in_place(struct db_target *t, struct mlp_error *err)
{
	if (!link(t->part, t->path)) {
		unlink(t->part);
		return 0;
	}
	if (errno == EEXIST || !access(t->path, F_OK))
		return mlp_error_set(err, MLP_EEXIST, "'%s' was made meanwhile", t->path);
	if (rename(t->part, t->path)) /* a file system without hard links */
		return mlp_error_errno(err, errno, "cannot write '%s'", t->path);
	return 0;
}

static int finish(struct mlflow_target *base, struct mlp_error *err)
{
	struct db_target *t = target_of(base);
	int r;

	if (!t->db)
		return 0;
	r = db_txn_commit(&t->txn, err);
	if (r)
		return r;
	db_close(steal_ptr(&t->db));
	if (fsync(t->lock))
		return mlp_error_errno(err, errno, "cannot write '%s'", t->part);
	r = move_in_place(t, err);
	if (!r) {
		free(t->part);
		t->part = NULL;
	}
	return r;
}

static void close_target(struct mlflow_target *base)
{
	struct db_target *t = target_of(base);

	if (t->txn)
		db_rollback(t->txn);
	db_close(t->db);
	if (t->part && t->lock >= 0)
		unlink(t->part);
	if (t->lock >= 0)
		close(t->lock);
	strbuf_release(&t->key);
	free(t->path);
	free(t->part);
	free(t->artifacts);
	free(t->run);
	free(t->files);
	free(t);
}

static const struct mlflow_target_ops ops = {
	.experiment = take_experiment,
	.run_begin = begin_run,
	.points = take_points,
	.run_end = end_run,
	.model_begin = target_db_model_begin,
	.model_end = target_db_model_end,
	.artifact_wanted = artifact_wanted,
	.artifact = take_artifact,
	.registered = target_db_registered,
	.finish = finish,
	.close = close_target,
};

/* Statement by statement; none has a ';' inside. */
static int make_tables(struct db *db, struct mlp_error *err)
{
	int r = 0;

	for (const char *sql = target_db_schema; !r && *sql;) {
		size_t len = strcspn(sql, ";");
		_cleanup_free_ char *one = xmemdupz(sql, len);
		_cleanup_stmt_ struct db_stmt *st = db_query_once(db, err, one);

		r = st ? db_step(st, err) : MLP_EFAIL;
		sql += len + 1;
	}
	return r;
}

/* The file to be written, empty, and ours as long as t->lock is open.  One that is there is of
 * an export that was killed, or of one that runs. */
static int open_part(struct db_target *t, struct mlp_error *err)
{
	_cleanup_free_ char *dir = path_dirname(t->path);
	_cleanup_free_ char *part = xasprintf("%s/.%s.part", dir, path_basename(t->path));
	_cleanup_close_ int fd = open(part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	_cleanup_free_ char *journal = xasprintf("%s-journal", part);

	if (fd < 0)
		return mlp_error_errno(err, errno, "cannot write '%s'", t->path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		return mlp_error_set(err, MLP_EBUSY, "another export writes '%s'", t->path);
	unlink(journal);
	if (ftruncate(fd, 0))
		return mlp_error_errno(err, errno, "cannot write '%s'", part);
	t->lock = steal_fd(&fd);
	t->part = steal_ptr(&part);
	return 0;
}

static int start(struct db_target *t, struct mlp_error *err)
{
	int r = open_part(t, err);

	if (!r)
		r = db_open(&t->db, t->part, DB_CREATE | DB_RELAXED | DB_FOREIGN, err);
	if (!r)
		r = db_txn(&t->txn, t->db, err);
	return r ? r : make_tables(t->db, err);
}

/* "x.db" -> "x-artifacts" */
static char *folder_beside(const char *path)
{
	const char *base = path_basename(path), *dot = strrchr(base, '.');
	size_t len = dot && dot != base ? (size_t)(dot - path) : strlen(path);

	return xasprintf("%.*s-artifacts", (int)len, path);
}

int mlflow_target_db(struct mlflow_target **out, const char *where,
		     const struct mlflow_db_options *options, struct mlp_error *err)
{
	_cleanup_(mlflow_target_close) struct mlflow_target *made = NULL;
	struct db_target *t = xcalloc(1, sizeof(*t));
	int r;

	made = &t->base;
	t->base.ops = &ops;
	t->base.events = options->events;
	t->lock = -1;
	strbuf_init(&t->key);
	if (!strncmp(where, "sqlite:///", 10)) /* as MLflow names it */
		where += 10;
	t->path = path_absolute(where);
	t->artifacts = options->artifacts ? path_absolute(options->artifacts) :
					    folder_beside(t->path);
	if (!access(t->path, F_OK)) {
		r = mlp_error_set(err, MLP_EEXIST, "'%s' is there already", where);
		mlp_error_hint(err, "an export makes a new file: give another name");
		return r;
	}
	r = options->dry ? 0 : start(t, err);
	if (!r)
		*out = steal_ptr(&made);
	return r;
}
