/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/schema.h"

/*
 * Version 1.  MLflow's model of the world in whole (experiments, runs, params,
 * metrics, tags, datasets, logged models, registry), so that speaking its protocol
 * needs no change; and what mlp knows beyond it: capture, attempts, usage, prices.
 *
 * Times are milliseconds since 1970 UTC, money is nano-units, energy millijoules.
 * Metric values are REAL; SQLite has no NaN, so NULL stands for it.
 */
static const char schema_1[] =
	"CREATE TABLE experiment("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  name TEXT NOT NULL UNIQUE,"
	"  artifact_location TEXT,"
	"  created_ms INTEGER NOT NULL,"
	"  updated_ms INTEGER NOT NULL,"
	"  deleted_ms INTEGER"
	") STRICT;"
	"CREATE TABLE experiment_tag("
	"  experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY(experiment_id, key)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO experiment(id, name, created_ms, updated_ms)"
	"  VALUES(0, 'Default', unixepoch() * 1000, unixepoch() * 1000);"

	/* status: MLflow's numbers (1 running, 2 scheduled, 3 finished, 4 failed,
	 * 5 killed), and 6 lost: settled after its supervisor died. */
	"CREATE TABLE run("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  uuid TEXT NOT NULL UNIQUE,"
	"  experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,"
	"  parent_id INTEGER REFERENCES run(id) ON DELETE SET NULL,"
	"  name TEXT NOT NULL,"
	"  user TEXT NOT NULL,"
	"  status INTEGER NOT NULL CHECK(status BETWEEN 1 AND 6),"
	"  started_ms INTEGER NOT NULL,"
	"  ended_ms INTEGER,"
	"  deleted_ms INTEGER,"
	"  heartbeat_ms INTEGER," /* NULL: not supervised by mlp */
	"  host TEXT,"
	"  exit_code INTEGER,"
	"  exit_signal INTEGER,"
	"  reason TEXT," /* why it ended as it did: 'timeout', 'budget', ... */
	"  source TEXT," /* the program, for people */
	"  artifact_uri TEXT"
	") STRICT;"
	"CREATE INDEX run_newest ON run(started_ms DESC, id DESC) WHERE deleted_ms IS NULL;"
	"CREATE INDEX run_trash ON run(deleted_ms) WHERE deleted_ms IS NOT NULL;"
	"CREATE INDEX run_experiment ON run(experiment_id, started_ms DESC, id DESC);"
	"CREATE INDEX run_suffix ON run(substr(uuid, -8));" /* what tables show, see run_short() */
	"CREATE INDEX run_name ON run(name);"
	"CREATE INDEX run_live ON run(status) WHERE status < 3;"
	"CREATE INDEX run_parent ON run(parent_id) WHERE parent_id IS NOT NULL;"
	"CREATE TABLE param("
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY(run_id, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE tag("
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY(run_id, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX tag_key ON tag(key, value);"

	/* A series is (run, key).  'latest' holds the point with the greatest (step,
	 * time, value); points live in chunks, and until compaction in the tail. */
	"CREATE TABLE metric_key(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE metric("
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  key_id INTEGER NOT NULL REFERENCES metric_key(id),"
	"  step INTEGER NOT NULL, time_ms INTEGER NOT NULL, value REAL,"
	"  points INTEGER NOT NULL,"
	"  PRIMARY KEY(run_id, key_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE metric_chunk("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  key_id INTEGER NOT NULL,"
	"  points INTEGER NOT NULL,"
	"  first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
	"  first_step INTEGER NOT NULL, last_step INTEGER NOT NULL," /* least, greatest */
	"  min REAL, max REAL," /* NaN left out; both NULL when nothing else is there */
	"  data BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX metric_chunk_series ON metric_chunk(run_id, key_id, first_ms);"
	"CREATE TABLE metric_tail("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  points INTEGER NOT NULL,"
	"  data BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX metric_tail_run ON metric_tail(run_id, id);"

	/* What a run read and made.  object: SHA-256 in the object store, NULL when
	 * only the name is known. */
	"CREATE TABLE dataset("
	"  id INTEGER PRIMARY KEY,"
	"  experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,"
	"  name TEXT NOT NULL, digest TEXT NOT NULL,"
	"  source_type TEXT NOT NULL, source TEXT NOT NULL,"
	"  schema TEXT, profile TEXT,"
	"  UNIQUE(experiment_id, name, digest)"
	") STRICT;"
	"CREATE TABLE run_input("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  dataset_id INTEGER REFERENCES dataset(id),"
	"  model_id TEXT,"
	"  UNIQUE(run_id, dataset_id), UNIQUE(run_id, model_id),"
	"  CHECK((dataset_id IS NULL) <> (model_id IS NULL))"
	") STRICT;"
	"CREATE INDEX run_input_dataset ON run_input(dataset_id) WHERE dataset_id IS NOT NULL;"
	"CREATE TABLE run_input_tag("
	"  input_id INTEGER NOT NULL REFERENCES run_input(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY(input_id, key)"
	") STRICT, WITHOUT ROWID;"
	/* role: 1 input (by path), 2 output, 3 artifact, 4 untracked source file.
	 * mode: st_mode & 0177777 (a symbolic link's object holds its target). */
	"CREATE TABLE run_file("
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  role INTEGER NOT NULL CHECK(role BETWEEN 1 AND 4),"
	"  path TEXT NOT NULL,"
	"  size INTEGER NOT NULL, mode INTEGER NOT NULL,"
	"  sha256 TEXT," /* of the content; NULL only for a folder or what could not be read */
	"  stored INTEGER NOT NULL," /* 1: the object store holds it */
	"  PRIMARY KEY(run_id, role, path)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX run_file_object ON run_file(sha256);"

	/* How a run was started and with what code; objects by SHA-256. */
	"CREATE TABLE run_command("
	"  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,"
	"  argv BLOB NOT NULL," /* each argument ends with NUL; placeholders filled in */
	"  template BLOB NOT NULL," /* the same as typed, with {placeholders} */
	"  cwd TEXT NOT NULL," /* absolute */
	"  project_dir TEXT NOT NULL," /* cwd relative to the project root, '.' for it */
	"  options TEXT NOT NULL," /* JSON: gpus, timeout, retry, inputs, outputs, ... */
	"  seed INTEGER,"
	"  stdin_kind TEXT NOT NULL," /* terminal, null, file, pipe, closed */
	"  stdin_sha256 TEXT, stdin_bytes INTEGER"
	") STRICT;"
	"CREATE TABLE run_code("
	"  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,"
	"  root TEXT NOT NULL," /* work tree, absolute */
	"  commit_id TEXT, branch TEXT, remote TEXT," /* NULL: unborn, detached, none */
	"  dirty INTEGER NOT NULL,"
	"  diff TEXT," /* object: binary patch against commit_id */
	"  detail TEXT NOT NULL" /* JSON: submodules, untracked totals, warnings */
	") STRICT;"
	"CREATE TABLE run_environment("
	"  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,"
	"  object TEXT NOT NULL" /* JSON document in the object store */
	") STRICT;"

	/* One row each time the command was started. */
	"CREATE TABLE attempt("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  number INTEGER NOT NULL," /* from 1 */
	"  host TEXT NOT NULL, boot_id TEXT NOT NULL,"
	"  supervisor_pid INTEGER NOT NULL, child_pid INTEGER,"
	"  started_ms INTEGER NOT NULL, ended_ms INTEGER,"
	"  exit_code INTEGER, exit_signal INTEGER, reason TEXT,"
	"  user_ms INTEGER, system_ms INTEGER, max_rss_kib INTEGER,"
	"  read_bytes INTEGER, write_bytes INTEGER,"
	"  log TEXT, log_bytes INTEGER," /* object, bytes of output in it */
	"  bad_lines INTEGER NOT NULL DEFAULT 0," /* metric lines that were none */
	"  ignored_values INTEGER NOT NULL DEFAULT 0," /* strings and others in good ones */
	"  metrics_offset INTEGER NOT NULL DEFAULT 0," /* of MLP_FD's file: what is in the store */
	"  UNIQUE(run_id, number)"
	") STRICT;"

	/* The usage ledger: the only source of cost, and it outlives the run's row.
	 * One row per attempt, host and device; it grows while open, and is never
	 * changed once closed, nor deleted (the triggers say so). */
	"CREATE TABLE usage_attempt("
	"  id INTEGER PRIMARY KEY,"
	"  run_uuid TEXT NOT NULL, attempt INTEGER NOT NULL,"
	"  experiment TEXT NOT NULL, user TEXT NOT NULL,"
	"  tags TEXT NOT NULL," /* JSON object, as at the start */
	"  UNIQUE(run_uuid, attempt)"
	") STRICT;"
	"CREATE TABLE usage("
	"  id INTEGER PRIMARY KEY,"
	"  attempt_id INTEGER NOT NULL REFERENCES usage_attempt(id),"
	"  host TEXT NOT NULL,"
	"  device TEXT NOT NULL," /* 'cpu', or a GPU's UUID */
	"  model TEXT NOT NULL," /* CPU or GPU model name */
	"  start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,"
	"  device_ms INTEGER NOT NULL DEFAULT 0," /* GPU: share of the time; cpu: CPU time */
	"  busy_ms INTEGER,"   /* GPU: of device_ms, with a kernel running; NULL: not known */
	"  energy_mj INTEGER," /* NULL: no counter */
	"  memory_peak INTEGER NOT NULL DEFAULT 0," /* bytes */
	"  held_ms INTEGER NOT NULL," /* its supervisor last said that it holds it; 0: it does not */
	"  closed INTEGER NOT NULL DEFAULT 0,"
	"  UNIQUE(attempt_id, host, device)"
	") STRICT;"
	"CREATE INDEX usage_time ON usage(start_ms);"
	"CREATE INDEX usage_open ON usage(host, device) WHERE closed = 0;"
	/* Processes seen on a GPU and the attempt they belong to, while it runs, so that
	 * each supervisor can share out what all of them used.  A pid is one process only
	 * with its start (clock ticks since boot_id). */
	"CREATE TABLE usage_process("
	"  host TEXT NOT NULL, pid INTEGER NOT NULL,"
	"  boot_id TEXT NOT NULL, started INTEGER NOT NULL,"
	"  attempt_id INTEGER NOT NULL REFERENCES usage_attempt(id),"
	"  PRIMARY KEY(host, pid)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER usage_kept BEFORE DELETE ON usage BEGIN"
	"  SELECT RAISE(ABORT, 'the usage ledger is append-only'); END;"
	"CREATE TRIGGER usage_attempt_kept BEFORE DELETE ON usage_attempt BEGIN"
	"  SELECT RAISE(ABORT, 'the usage ledger is append-only'); END;"
	"CREATE TRIGGER usage_attempt_fixed BEFORE UPDATE ON usage_attempt BEGIN"
	"  SELECT RAISE(ABORT, 'the usage ledger is append-only'); END;"
	"CREATE TRIGGER usage_grows BEFORE UPDATE ON usage"
	"  WHEN OLD.closed OR NEW.attempt_id <> OLD.attempt_id OR NEW.device <> OLD.device"
	"    OR NEW.host <> OLD.host OR NEW.start_ms <> OLD.start_ms"
	"    OR NEW.model <> OLD.model OR NEW.id <> OLD.id"
	"    OR NEW.end_ms < OLD.end_ms OR NEW.device_ms < OLD.device_ms"
	"    OR coalesce(NEW.busy_ms, 0) < coalesce(OLD.busy_ms, 0)"
	"    OR coalesce(NEW.energy_mj, 0) < coalesce(OLD.energy_mj, 0) BEGIN"
	"  SELECT RAISE(ABORT, 'the usage ledger is append-only'); END;"
	/* Each device's counter as last read, and what no run used of it.  counted_mj =
	 * sum of usage.energy_mj of the device + idle_mj, exactly. */
	"CREATE TABLE usage_device("
	"  host TEXT NOT NULL, device TEXT NOT NULL, model TEXT NOT NULL,"
	"  boot_id TEXT NOT NULL,"
	"  counter_mj INTEGER," /* as the device last said; NULL: it never did */
	"  seen_us INTEGER NOT NULL,"	 /* driver's time stamp of the last utilisation sample */
	"  time_ms INTEGER NOT NULL,"	 /* when last read */
	"  counted_mj INTEGER NOT NULL DEFAULT 0, idle_mj INTEGER NOT NULL DEFAULT 0,"
	"  idle_ms INTEGER NOT NULL DEFAULT 0,"
	"  resets INTEGER NOT NULL DEFAULT 0," /* times the counter began anew */
	"  PRIMARY KEY(host, device)"
	") STRICT, WITHOUT ROWID;"
	/* Imported prices; those shipped with the program are not stored. */
	"CREATE TABLE price("
	"  id INTEGER PRIMARY KEY,"
	"  kind TEXT NOT NULL," /* gpu, cpu, energy */
	"  match TEXT NOT NULL," /* model name or pattern; of the host with kind energy */
	"  nano_per_unit INTEGER NOT NULL," /* per GPU-hour, core-hour or kWh */
	"  currency TEXT NOT NULL,"
	"  as_of TEXT NOT NULL, source TEXT NOT NULL,"
	"  UNIQUE(kind, match, as_of)"
	") STRICT;"

	/* MLflow 3 logged models, and the registry. */
	"CREATE TABLE logged_model("
	"  id TEXT PRIMARY KEY,"
	"  experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,"
	"  name TEXT NOT NULL, artifact_location TEXT NOT NULL,"
	"  status INTEGER NOT NULL, status_message TEXT, model_type TEXT,"
	"  source_run_id INTEGER REFERENCES run(id) ON DELETE SET NULL,"
	"  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, deleted_ms INTEGER"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX logged_model_experiment ON logged_model(experiment_id, created_ms DESC);"
	"CREATE INDEX logged_model_run ON logged_model(source_run_id)"
	"  WHERE source_run_id IS NOT NULL;"
	"CREATE TABLE logged_model_tag("
	"  model_id TEXT NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(model_id, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE logged_model_param("
	"  model_id TEXT NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(model_id, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE logged_model_metric("
	"  model_id TEXT NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,"
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  key TEXT NOT NULL, step INTEGER NOT NULL, time_ms INTEGER NOT NULL, value REAL,"
	"  dataset_id INTEGER REFERENCES dataset(id),"
	"  PRIMARY KEY(model_id, key, time_ms, step, run_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX logged_model_metric_run ON logged_model_metric(run_id);"
	"CREATE INDEX logged_model_metric_dataset ON logged_model_metric(dataset_id)"
	"  WHERE dataset_id IS NOT NULL;"
	"CREATE TABLE logged_model_file("
	"  model_id TEXT NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,"
	"  path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,"
	"  PRIMARY KEY(model_id, path)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX logged_model_file_object ON logged_model_file(sha256);"
	"CREATE TABLE run_output_model("
	"  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	"  model_id TEXT NOT NULL, step INTEGER NOT NULL,"
	"  PRIMARY KEY(run_id, model_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE registered_model("
	"  name TEXT PRIMARY KEY, description TEXT,"
	"  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE registered_model_tag("
	"  name TEXT NOT NULL REFERENCES registered_model(name) ON UPDATE CASCADE ON DELETE CASCADE,"
	"  key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(name, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE model_version("
	"  name TEXT NOT NULL REFERENCES registered_model(name) ON UPDATE CASCADE ON DELETE CASCADE,"
	"  version INTEGER NOT NULL,"
	"  description TEXT, user TEXT, source TEXT, storage_location TEXT, run_uuid TEXT,"
	"  run_link TEXT, model_id TEXT, stage TEXT NOT NULL, status INTEGER NOT NULL,"
	"  status_message TEXT, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
	"  PRIMARY KEY(name, version)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX model_version_run ON model_version(run_uuid);"
	"CREATE TABLE model_version_tag("
	"  name TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY(name, version, key),"
	"  FOREIGN KEY(name, version) REFERENCES model_version(name, version)"
	"    ON UPDATE CASCADE ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE model_alias("
	"  name TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL,"
	"  PRIMARY KEY(name, alias),"
	"  FOREIGN KEY(name, version) REFERENCES model_version(name, version)"
	"    ON UPDATE CASCADE ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"

	/* Who may use the server.  hash: SHA-256 of salt and secret, as hex.  scope: 1 read,
	 * 2 write, 3 admin.  A revoked token keeps its row, and its name is free again. */
	"CREATE TABLE token("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  name TEXT NOT NULL,"
	"  scope INTEGER NOT NULL CHECK(scope BETWEEN 1 AND 3),"
	"  experiment_id INTEGER REFERENCES experiment(id)," /* NULL: all */
	"  salt TEXT NOT NULL, hash TEXT NOT NULL,"
	"  created_ms INTEGER NOT NULL, revoked_ms INTEGER"
	") STRICT;"
	"CREATE UNIQUE INDEX token_name ON token(name) WHERE revoked_ms IS NULL;"
	/* One row per write that a token made, stored with it; many points of one run within
	 * a minute share one, from time_ms to last_ms. */
	"CREATE TABLE audit("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  time_ms INTEGER NOT NULL,"
	"  token_id INTEGER NOT NULL REFERENCES token(id), token TEXT NOT NULL,"
	"  method TEXT NOT NULL, path TEXT NOT NULL,"
	"  run TEXT, experiment TEXT," /* as the request named them */
	"  subject TEXT," /* of the registry: "name", "name/version", "name@alias" */
	"  status INTEGER NOT NULL,"
	"  writes INTEGER NOT NULL DEFAULT 1, last_ms INTEGER NOT NULL"
	") STRICT;";

static const struct db_migration migrations[] = {
	{ 1, schema_1 },
};

static int open_and_migrate(struct db **out, const struct repo *repo, int flags,
			    struct mlp_error *err)
{
	_cleanup_(db_close) struct db *db = NULL;
	int r = db_open(&db, repo->db_path, flags, err);

	if (!r)
		r = db_migrate(db, migrations, ARRAY_SIZE(migrations), err);
	if (!r)
		*out = steal_ptr(&db);
	return r;
}

/* Is the store of an older schema, or new and still empty? */
static bool is_old(const struct repo *repo)
{
	_cleanup_(db_close) struct db *db = NULL;

	return !db_open(&db, repo->db_path, DB_READ, NULL) &&
	       db_version(db) < migrations[ARRAY_SIZE(migrations) - 1].version;
}

int track_open(struct db **out, const struct repo *repo, int flags, struct mlp_error *err)
{
	_cleanup_(db_close) struct db *upgraded = NULL;
	int r = open_and_migrate(out, repo, flags, err);

	if (r != MLP_EVERSION || flags & DB_WRITE || !is_old(repo))
		return r;
	r = open_and_migrate(&upgraded, repo, DB_WRITE, err);
	return r ? r : open_and_migrate(out, repo, flags, err);
}
