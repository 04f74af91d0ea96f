/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the public API that writes to the store of the run. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mlp.h"
#include "lib/track/artifact.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"

struct project {
	struct repo repo;
	struct db *db;
	int64_t run;
};

static void project_release(struct project *p)
{
	db_close(p->db);
	repo_release(&p->repo);
}

/* Opened for each call: a handle must not be carried through fork() or to another thread,
 * and these calls are few. */
static int project_open(struct project *p, struct mlp_error *err)
{
	const char *id = mlp_run_id();
	int r;

	if (!id || !getenv("MLP_DIR"))
		return MLP_NO_RUN;
	r = repo_discover(&p->repo, err);
	r = r ? r : track_open(&p->db, &p->repo, DB_WRITE, err);
	return r ? r : run_resolve(p->db, id, &p->run, err);
}

static int to_errno(int code)
{
	switch (code) {
	case MLP_EINVAL:
		return -EINVAL;
	case MLP_ENOTFOUND:
	case MLP_EMISSING:
		return -ENOENT;
	case MLP_ECONFLICT:
		return -EEXIST;
	case MLP_EBUSY:
		return -EBUSY;
	case MLP_EREADONLY:
		return -EROFS;
	default:
		return code < 0 ? -EIO : code;
	}
}

static int result(int code, const struct mlp_error *err, char *error)
{
	_Static_assert(MLP_ERROR_SIZE >= sizeof(err->text), "the text fits");

	if (error)
		memcpy(error, err->text, sizeof(err->text));
	return to_errno(code);
}

static int set_pair(const char *key, const char *value, char *error,
		    int (*set)(struct db *db, int64_t run, const char *key, const char *value,
			       struct mlp_error *err))
{
	_release_(project_release) struct project p = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	int r;

	if (!key || !value)
		r = mlp_error_set(&err, MLP_EINVAL, "no key or no value");
	else
		r = project_open(&p, &err);
	if (!r)
		r = set(p.db, p.run, key, value, &err);
	return result(r, &err, error);
}

int mlp_log_param(const char *key, const char *value, char *error)
{
	return set_pair(key, value, error, param_set);
}

int mlp_log_tag(const char *key, const char *value, char *error)
{
	return set_pair(key, value, error, tag_set);
}

int mlp_log_artifact(const char *path, const char *name, char *error)
{
	_release_(project_release) struct project p = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct artifact_new artifact = { .path = path, .name = name };
	int r;

	if (!path)
		r = mlp_error_set(&err, MLP_EINVAL, "no path");
	else
		r = project_open(&p, &err);
	if (!r)
		r = artifact_put(p.db, &p.repo, p.run, &artifact, &err);
	return result(r, &err, error);
}
