/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of run and experiment: making, reading, ending. */
#include "config.h"

#include "lib/track/run.h"

#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/core/id.h"
#include "lib/track/experiment.h"
#include "lib/track/name.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

static const char *const status_names[] = {
	[RUN_RUNNING] = "running", [RUN_SCHEDULED] = "scheduled", [RUN_FINISHED] = "finished",
	[RUN_FAILED] = "failed",   [RUN_KILLED] = "killed",	  [RUN_LOST] = "lost",
};

const char *run_status_name(enum run_status status)
{
	return status >= RUN_RUNNING && status <= RUN_LOST ? status_names[status] : "unknown";
}

enum run_status run_status_parse(const char *name)
{
	for (int s = RUN_RUNNING; s <= RUN_LOST; s++)
		if (!strcasecmp(name, status_names[s]))
			return (enum run_status)s;
	return 0;
}

const char *run_status_mlflow(enum run_status status)
{
	static const char *const names[] = {
		[RUN_RUNNING] = "RUNNING", [RUN_SCHEDULED] = "SCHEDULED",
		[RUN_FINISHED] = "FINISHED", [RUN_FAILED] = "FAILED", [RUN_KILLED] = "KILLED",
		[RUN_LOST] = "FAILED",
	};

	return names[status];
}

void run_release(struct run *run)
{
	free(run->uuid);
	free(run->experiment);
	free(run->name);
	free(run->user);
	free(run->host);
	free(run->reason);
	free(run->source);
	free(run->artifact_uri);
	*run = (struct run)RUN_INIT;
}

void run_short(const char *uuid, char out[RUN_SHORT_LEN + 1])
{
	size_t n = strlen(uuid), take = MIN(n, (size_t)RUN_SHORT_LEN);

	memcpy(out, uuid + n - take, take);
	out[take] = '\0';
}

int experiment_find(struct db *db, const char *name, int64_t *id, struct mlp_error *err)
{
	int r = db_get_int(db, id, err, "SELECT id FROM experiment WHERE name = ?1", "s", name);

	return r == MLP_ENOTFOUND ? mlp_error_set(err, r, "no experiment '%s'", name) : r;
}

int experiment_ensure(struct db *db, const char *name, int64_t *id, struct mlp_error *err)
{
	int64_t now = clock_ms();
	int r = experiment_name_check(name, err);

	if (r)
		return r;
	r = experiment_find(db, name, id, NULL);
	if (r != MLP_ENOTFOUND)
		return r ? experiment_find(db, name, id, err) : 0;
	r = db_exec(db, err,
		    "INSERT INTO experiment(name, created_ms, updated_ms) VALUES(?1, ?2, ?2)"
		    " ON CONFLICT(name) DO NOTHING",
		    "si", name, now);
	return r ? r : experiment_find(db, name, id, err);
}

static char *current_user(void)
{
	const char *names[] = { getenv("LOGNAME"), getenv("USER") };
	struct passwd entry, *pw = NULL;
	char buf[1 << 14]; /* a longer entry counts as none */

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && *names[i] && text_is_utf8(names[i], strlen(names[i])))
			return xstrdup(names[i]);
	/* Servers make runs on several threads. */
	getpwuid_r(getuid(), &entry, buf, sizeof(buf), &pw);
	return pw ? xstrdup(pw->pw_name) : xasprintf("%u", (unsigned)getuid());
}

static int set_mlflow_tags(struct db *db, int64_t id, const char *name, const char *user,
			   const char *source, struct mlp_error *err)
{
	int r = tag_set(db, id, "mlflow.runName", name, err);

	if (!r)
		r = tag_set(db, id, "mlflow.user", user, err);
	if (!r && source)
		r = tag_set(db, id, "mlflow.source.name", source, err);
	if (!r && source)
		r = tag_set(db, id, "mlflow.source.type", "LOCAL", err);
	return r;
}

/* n with its id, name and user filled in. */
static int insert_run(struct db *db, const struct run_new *n, int64_t *id, struct mlp_error *err)
{
	int64_t started = n->started_ms ? n->started_ms : clock_ms(), experiment;
	_cleanup_free_ char *artifacts = NULL;
	int r = experiment_ensure(db, n->experiment ? n->experiment : "Default", &experiment, err);

	if (r)
		return r;
	if (n->artifact_root) {
		_cleanup_free_ char *own = xasprintf("%s/artifacts", n->uuid);

		artifacts = path_join(n->artifact_root, own);
	}
	r = db_exec(db, err,
		    "INSERT INTO run(uuid, experiment_id, parent_id, name, user, status, started_ms,"
		    " heartbeat_ms, host, source, artifact_uri) VALUES(?1, ?2, nullif(?3, 0), ?4, ?5,"
		    " ?6, ?7, nullif(?8, 0), ?9, ?10, ?11)",
		    "siissiiisss", n->uuid, experiment, n->parent_id, n->name, n->user,
		    (int64_t)(n->status ? n->status : RUN_RUNNING), started,
		    n->supervised ? started : (int64_t)0, n->host, n->source, artifacts);
	if (r)
		return r;
	*id = db_last_id(db);
	return set_mlflow_tags(db, *id, n->name, n->user, n->source, err);
}

int run_create(struct db *db, const struct run_new *n, int64_t *id, char *uuid_out,
	       struct mlp_error *err)
{
	_cleanup_free_ char *generated = n->name ? NULL : name_generate();
	_cleanup_free_ char *self = n->user ? NULL : current_user();
	_cleanup_txn_ struct db *txn = NULL;
	struct run_new full = *n;
	char fresh[MLP_ID_LEN + 1];
	int r;

	if (n->name && (!*n->name || !text_is_utf8(n->name, strlen(n->name))))
		return mlp_error_set(err, MLP_EINVAL, "bad run name '%s'", n->name);
	if (n->uuid && !mlp_id_valid(n->uuid))
		return mlp_error_set(err, MLP_EINVAL, "bad run id '%s'", n->uuid);
	if (!n->uuid) {
		mlp_id_new(fresh);
		full.uuid = fresh;
	}
	if (generated)
		full.name = generated;
	if (self)
		full.user = self;
	r = db_txn(&txn, db, err);
	if (!r)
		r = insert_run(db, &full, id, err);
	if (!r)
		r = db_txn_commit(&txn, err);
	if (!r && uuid_out)
		memcpy(uuid_out, full.uuid, strlen(full.uuid) + 1);
	return r;
}

static void read_row(struct db_stmt *st, struct run *out)
{
	*out = (struct run){
		.id = db_int(st, 0),
		.uuid = xstrdup(db_text(st, 1)),
		.experiment_id = db_int(st, 2),
		.experiment = xstrdup(db_text(st, 3)),
		.parent_id = db_int(st, 4),
		.name = xstrdup(db_text(st, 5)),
		.user = xstrdup(db_text(st, 6)),
		.status = (enum run_status)db_int(st, 7),
		.started_ms = db_int(st, 8),
		.ended_ms = db_int(st, 9),
		.deleted_ms = db_int(st, 10),
		.heartbeat_ms = db_int(st, 11),
		.host = xstrdup_null(db_text(st, 12)),
		.exit_code = db_is_null(st, 13) ? -1 : (int)db_int(st, 13),
		.exit_signal = (int)db_int(st, 14),
		.reason = xstrdup_null(db_text(st, 15)),
		.source = xstrdup_null(db_text(st, 16)),
		.artifact_uri = xstrdup_null(db_text(st, 17)),
	};
}

int run_find(struct db *db, const char *uuid, int64_t *id, struct mlp_error *err)
{
	return db_get_int(db, id, err, "SELECT id FROM run WHERE uuid = ?1", "s", uuid);
}

int run_get(struct db *db, int64_t id, struct run *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT r.id, r.uuid, r.experiment_id, e.name, r.parent_id, r.name, r.user,"
			 " r.status, r.started_ms, r.ended_ms, r.deleted_ms, r.heartbeat_ms, r.host,"
			 " r.exit_code, r.exit_signal, r.reason, r.source,"
			 " r.artifact_uri"
			 " FROM run r JOIN experiment e ON e.id = r.experiment_id WHERE r.id = ?1",
			 "i", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "no run with the row id %lld", (long long)id);
	read_row(st, out);
	return 0;
}

int run_finish(struct db *db, int64_t id, const struct run_end *end, struct mlp_error *err)
{
	return db_exec(db, err,
		       "UPDATE run SET status = ?2, ended_ms = ?3, exit_code = nullif(?4, -1),"
		       " exit_signal = nullif(?5, 0), reason = ?6 WHERE id = ?1",
		       "iiiiis", id, (int64_t)end->status, end->ended_ms ? end->ended_ms : clock_ms(),
		       (int64_t)end->exit_code, (int64_t)end->exit_signal, end->reason);
}

int run_set_state(struct db *db, int64_t id, enum run_status status, int64_t ended_ms,
		  struct mlp_error *err)
{
	return db_exec(db, err,
		       "UPDATE run SET status = ?2, ended_ms = coalesce(nullif(?3, 0), ended_ms)"
		       " WHERE id = ?1",
		       "iii",
		       id, (int64_t)status, ended_ms);
}

int run_heartbeat(struct db *db, int64_t id, int64_t now_ms, struct mlp_error *err)
{
	return db_exec(db, err, "UPDATE run SET heartbeat_ms = ?2 WHERE id = ?1", "ii", id, now_ms);
}

int run_rename(struct db *db, int64_t id, const char *name, struct mlp_error *err)
{
	int r;

	if (!*name || !text_is_utf8(name, strlen(name)))
		return mlp_error_set(err, MLP_EINVAL, "bad run name '%s'", name);
	r = db_exec(db, err, "UPDATE run SET name = ?2 WHERE id = ?1", "is", id, name);
	return r ? r : tag_set(db, id, "mlflow.runName", name, err);
}

int run_trash(struct db *db, int64_t id, bool trash, struct mlp_error *err)
{
	return db_exec(db, err, "UPDATE run SET deleted_ms = nullif(?2, 0) WHERE id = ?1", "ii", id,
		       trash ? clock_ms() : (int64_t)0);
}

int run_delete(struct db *db, int64_t id, struct mlp_error *err)
{
	return db_exec(db, err, "DELETE FROM run WHERE id = ?1", "i", id);
}
