/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments, runs, their parameters and tags.  A run is named inside the program
 * by its row id, outside by its uuid (32 hex digits). */
#ifndef TRACK_RUN_H
#define TRACK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "lib/util/vec.h"

enum run_status {
	RUN_RUNNING = 1, /* MLflow's numbers up to RUN_KILLED */
	RUN_SCHEDULED = 2,
	RUN_FINISHED = 3,
	RUN_FAILED = 4,
	RUN_KILLED = 5,
	RUN_LOST = 6, /* its supervisor died; settled by mlp train --reap */
};

/* "running", "finished", ...; "unknown" for other numbers. */
const char *run_status_name(enum run_status status);
/* Reads either mlp's or MLflow's spelling, any case; 0 when it is neither. */
enum run_status run_status_parse(const char *name);
/* MLflow's word; it has none for RUN_LOST, which is "FAILED" there. */
const char *run_status_mlflow(enum run_status status);
static inline bool run_status_ended(enum run_status s)
{
	return s >= RUN_FINISHED;
}

/* MLflow's limits (bytes). */
enum { RUN_KEY_MAX = 250, RUN_PARAM_MAX = 6000, RUN_TAG_MAX = 8000, EXPERIMENT_NAME_MAX = 500 };

struct run {
	int64_t id;
	char *uuid;
	int64_t experiment_id;
	char *experiment; /* name */
	int64_t parent_id; /* 0: none */
	char *name;
	char *user;
	enum run_status status; /* as stored: see live.h for LOST */
	int64_t started_ms;
	int64_t ended_ms;     /* 0: not ended */
	int64_t deleted_ms;   /* 0: not in the trash */
	int64_t heartbeat_ms; /* 0: not supervised by mlp */
	char *host;	      /* or NULL */
	int exit_code;	      /* -1: none */
	int exit_signal;      /* 0: none */
	char *reason;	      /* or NULL */
	char *source;	      /* or NULL */
	char *artifact_uri;   /* where they lie when not with us; else NULL */
};
#define RUN_INIT { 0 }
void run_release(struct run *run);

struct run_new {
	const char *uuid;	/* NULL: a new one */
	const char *experiment; /* NULL: "Default"; made when absent */
	const char *name;	/* NULL: a generated one ("brave-otter-412") */
	const char *user;	/* NULL: the user of this process */
	const char *source;
	const char *host;
	int64_t parent_id;  /* 0: none */
	int64_t started_ms; /* 0: now */
	enum run_status status; /* 0: RUN_RUNNING */
	bool supervised;	/* gets a heartbeat */
	/* Its artifacts lie in a folder of its own below this URI; NULL: with us. */
	const char *artifact_root;
};

int experiment_find(struct db *db, const char *name, int64_t *id, struct mlp_error *err);
/* Finds or makes it; MLP_EINVAL for an empty or too long name. */
int experiment_ensure(struct db *db, const char *name, int64_t *id, struct mlp_error *err);

/* Makes a run and returns its row id; its uuid is copied to uuid_out (may be NULL;
 * 257 bytes).  Sets the tags MLflow expects (mlflow.runName, mlflow.user, ...). */
int run_create(struct db *db, const struct run_new *new_run, int64_t *id, char *uuid_out,
	       struct mlp_error *err);
/* The row of a uuid; MLP_ENOTFOUND. */
int run_find(struct db *db, const char *uuid, int64_t *id, struct mlp_error *err);
int run_get(struct db *db, int64_t id, struct run *out, struct mlp_error *err);
/* What people type: a uuid or a unique prefix of one (4 or more characters), the name of
 * a run (the newest of that name), "@" for the newest run, "@~2" for the second
 * before it.  Runs in the trash are found by uuid and prefix only.  MLP_ENOTFOUND,
 * MLP_EAMBIGUOUS with candidates in the hint. */
int run_resolve(struct db *db, const char *ref, int64_t *id, struct mlp_error *err);
/* The short form that tables show: the last 8 digits.  A UUIDv7 starts with the time, so
 * that runs of one afternoon share their first digits; run_resolve() takes unique
 * suffixes (4 or more characters) as well as prefixes. */
enum { RUN_SHORT_LEN = 8 };
void run_short(const char *uuid, char out[RUN_SHORT_LEN + 1]);

struct run_end {
	enum run_status status;
	int64_t ended_ms; /* 0: now */
	int exit_code;	  /* -1: none */
	int exit_signal;
	const char *reason; /* or NULL */
};
int run_finish(struct db *db, int64_t id, const struct run_end *end, struct mlp_error *err);
/* Status and end (0: as it was) alone. */
int run_set_state(struct db *db, int64_t id, enum run_status status, int64_t ended_ms,
		  struct mlp_error *err);
int run_heartbeat(struct db *db, int64_t id, int64_t now_ms, struct mlp_error *err);
int run_rename(struct db *db, int64_t id, const char *name, struct mlp_error *err);
/* To the trash and back; for ever (rows, points; never the usage ledger). */
int run_trash(struct db *db, int64_t id, bool trash, struct mlp_error *err);
int run_delete(struct db *db, int64_t id, struct mlp_error *err);

/* The same value again is fine, another one is MLP_ECONFLICT. */
int param_set(struct db *db, int64_t run, const char *key, const char *value,
	      struct mlp_error *err);
/* mlflow.parentRunId makes the run a child of that run; without the tag it is none. */
int tag_set(struct db *db, int64_t run, const char *key, const char *value,
	    struct mlp_error *err);
int tag_unset(struct db *db, int64_t run, const char *key, struct mlp_error *err);

struct key_value {
	char *key;
	char *value;
};
struct key_values {
	struct key_value *v;
	size_t len, cap;
};
void key_values_release(struct key_values *list);
/* Appends the rows (key, value) of a statement; NULL is an error told already. */
int key_values_read(struct db_stmt *st, struct key_values *out, struct mlp_error *err);
const char *key_values_get(const struct key_values *list, const char *key);
/* All, sorted by key. */
int params_get(struct db *db, int64_t run, struct key_values *out, struct mlp_error *err);
int tags_get(struct db *db, int64_t run, struct key_values *out, struct mlp_error *err);

/* The same without copies; of these keys only, in their order, unless keys is NULL. */
typedef void key_value_fn(void *data, const char *key, const char *value);
int params_each(struct db *db, int64_t run, const struct strvec *keys, key_value_fn *fn,
		void *data, struct mlp_error *err);
int tags_each(struct db *db, int64_t run, const struct strvec *keys, key_value_fn *fn, void *data,
	      struct mlp_error *err);

/* MLflow's rule for keys: 1..250 bytes of UTF-8 from [\w./ :-] that are their own
 * normal path (no "..", no leading slash, no "//"). */
bool key_is_valid(const char *key, size_t len);
/* MLP_EINVAL when it is not, in MLflow's words: name is what the request calls the key, title
 * what MLflow calls a long one. */
int key_check(const char *name, const char *title, const char *key, struct mlp_error *err);

#endif
