/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/artifact_tree.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/track/file.h"
#include "lib/track/run.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

char *artifact_run_uri(int64_t experiment, const char *uuid)
{
	return xasprintf("mlflow-artifacts:/%" PRId64 "/%s/artifacts", experiment, uuid);
}

char *artifact_model_uri(int64_t experiment, const char *model)
{
	return xasprintf("mlflow-artifacts:/%" PRId64 "/models/%s/artifacts", experiment, model);
}

void artifact_place_release(struct artifact_place *place)
{
	free(place->model);
	free(place->path);
	*place = (struct artifact_place){ 0 };
}

void artifacts_release(struct artifacts *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->v[i].path);
		free(list->v[i].sha256);
	}
	vec_free(list);
}

/* The owner named by the middle part of the path. */
static int find_owner(struct db *db, const char *owner, bool is_model, struct artifact_place *out,
		      struct mlp_error *err)
{
	int64_t one;
	int r;

	if (!is_model)
		return run_find(db, owner, &out->run, err);
	r = db_get_int(db, &one, err, "SELECT 1 FROM logged_model WHERE id = ?1", "s", owner);
	if (!r)
		out->model = xstrdup(owner);
	return r;
}

int artifact_tree_locate(struct db *db, const char *path, struct artifact_place *out,
		    struct mlp_error *err)
{
	_release_(strvec_release) struct strvec parts = STRVEC_INIT;
	_cleanup_free_ char *whole = xstrdup(path);
	bool is_model;
	size_t owner, n = strlen(whole), skip;
	int r;

	while (n && whole[n - 1] == '/')
		whole[--n] = '\0';
	strvec_split(&parts, whole, '/');
	is_model = parts.len > 1 && !strcmp(parts.v[1], "models");
	owner = is_model ? 2 : 1;
	if (!path_is_safe(whole) && *whole)
		return mlp_error_set(err, MLP_EINVAL, "Invalid path");
	if (parts.len < owner + 2 || strcmp(parts.v[owner + 1], "artifacts") != 0)
		return mlp_error_set(err, MLP_ENOTFOUND, "no artifact at '%s'", path);
	r = find_owner(db, parts.v[owner], is_model, out, err);
	if (r == MLP_ENOTFOUND)
		return mlp_error_set(err, r, "no artifact at '%s'", path);
	skip = 0;
	for (size_t i = 0; i < owner + 2; i++)
		skip += strlen(parts.v[i]) + 1;
	out->path = xstrdup(skip <= n ? whole + skip : "");
	return r;
}

/* Outputs of mlp train are artifacts too, unless their paths lead out of the run. */
static const char of_run[] =
	"SELECT path, size, sha256 FROM run_file WHERE run_id = ?1 AND role IN (2, 3) AND stored = 1"
	" AND (?2 = '' OR path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0'))"
	" ORDER BY path, role DESC";
static const char of_model[] =
	"SELECT path, size, sha256 FROM logged_model_file WHERE model_id = ?1"
	" AND (?2 = '' OR path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0')) ORDER BY path";

static struct db_stmt *query(struct db *db, const struct artifact_place *place,
			     struct mlp_error *err)
{
	return place->model ? db_query(db, err, of_model, "ss", place->model, place->path) :
			      db_query(db, err, of_run, "is", place->run, place->path);
}

static bool is_last(const struct artifacts *list, const char *path, size_t len)
{
	const struct artifact *last = list->len ? &list->v[list->len - 1] : NULL;

	return last && strlen(last->path) == len && !strncmp(last->path, path, len);
}

int artifact_tree_list(struct db *db, const struct artifact_place *place, struct artifacts *out,
		  struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = query(db, place, err);
	size_t base = *place->path ? strlen(place->path) + 1 : 0;
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		const char *path = db_text(st, 0), *slash;
		size_t len;

		if (strlen(path) < base || !path_is_safe(path))
			continue;
		slash = strchr(path + base, '/');
		len = slash ? (size_t)(slash - path) : strlen(path);
		if (is_last(out, path, len))
			continue;
		vec_push(out, ((struct artifact){ .path = xmemdupz(path, len),
						  .is_folder = slash != NULL,
						  .size = slash ? 0 : db_int(st, 1),
						  .sha256 = slash ? NULL :
								    xstrdup_null(db_text(st, 2)) }));
	}
	return r;
}

int artifact_tree_files(struct db *db, const struct artifact_place *place, struct artifacts *out,
			struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = query(db, place, err);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		const char *path = db_text(st, 0);

		if (db_is_null(st, 2) || !path_is_safe(path) || is_last(out, path, strlen(path)))
			continue;
		vec_push(out, ((struct artifact){ .path = xstrdup(path), .size = db_int(st, 1),
						  .sha256 = xstrdup(db_text(st, 2)) }));
	}
	return r;
}

int artifact_tree_find(struct db *db, const struct artifact_place *place, struct artifacts *out,
		  struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = query(db, place, err);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		if (strcmp(db_text(st, 0), place->path) || !*place->path || db_is_null(st, 2))
			continue;
		vec_push(out, ((struct artifact){ .path = xstrdup(place->path),
						  .size = db_int(st, 1),
						  .sha256 = xstrdup(db_text(st, 2)) }));
		return 0;
	}
	return r ? r : mlp_error_set(err, MLP_ENOTFOUND, "no artifact '%s'", place->path);
}

/* Is there a file at this path, or with below one below it? */
static int is_taken(struct db *db, const struct artifact_place *place, const char *path, bool below,
		    struct mlp_error *err)
{
	static const char run[] =
		"SELECT EXISTS(SELECT 1 FROM run_file WHERE run_id = ?1 AND role IN (2, 3)"
		" AND stored = 1 AND path = ?2 AND NOT ?3)"
		" OR EXISTS(SELECT 1 FROM run_file WHERE run_id = ?1 AND role IN (2, 3)"
		" AND stored = 1 AND path >= ?2 || '/' AND path < ?2 || '0' AND ?3)";
	static const char model[] =
		"SELECT EXISTS(SELECT 1 FROM logged_model_file WHERE model_id = ?1 AND path = ?2"
		" AND NOT ?3) OR EXISTS(SELECT 1 FROM logged_model_file WHERE model_id = ?1"
		" AND path >= ?2 || '/' AND path < ?2 || '0' AND ?3)";
	int64_t taken = 0;
	int r = place->model ? db_get_int(db, &taken, err, model, "ssi", place->model, path,
					  (int64_t)below) :
			       db_get_int(db, &taken, err, run, "isi", place->run, path,
					  (int64_t)below);

	return r ? r : taken != 0;
}

int artifact_tree_check(struct db *db, const struct artifact_place *place, struct mlp_error *err)
{
	_cleanup_free_ char *above = xstrdup(place->path);
	int r = is_taken(db, place, above, true, err);

	if (r > 0)
		return mlp_error_set(err, MLP_EINVAL, "artifact '%s' is a folder", above);
	for (char *slash; !r && (slash = strrchr(above, '/'));) {
		*slash = '\0';
		r = is_taken(db, place, above, false, err);
	}
	if (r > 0)
		return mlp_error_set(err, MLP_EINVAL, "artifact '%s' is a file, not a folder", above);
	return r;
}

int artifact_tree_put(struct db *db, const struct artifact_place *place, const char *sha256,
		 int64_t size, struct mlp_error *err)
{
	_cleanup_free_ char *hex = xstrdup(sha256);
	struct run_file file = { .role = FILE_ARTIFACT, .path = place->path, .size = size,
				 .mode = S_IFREG | 0644, .sha256 = hex, .stored = true };
	int r;

	if (!*place->path || !text_is_utf8(place->path, strlen(place->path)))
		return mlp_error_set(err, MLP_EINVAL, "an artifact needs a path, in UTF-8");
	r = artifact_tree_check(db, place, err);
	if (r)
		return r;
	if (!place->model)
		return run_file_put(db, place->run, &file, err);
	return db_exec(db, err,
		       "INSERT INTO logged_model_file(model_id, path, size, sha256)"
		       " VALUES(?1, ?2, ?3, ?4)"
		       " ON CONFLICT DO UPDATE SET size = excluded.size, sha256 = excluded.sha256",
		       "ssis", place->model, place->path, size, sha256);
}

int artifact_tree_remove(struct db *db, const struct artifact_place *place, struct mlp_error *err)
{
	int r = place->model ?
			db_exec(db, err,
				"DELETE FROM logged_model_file WHERE model_id = ?1 AND (?2 = '' OR"
				" path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0'))",
				"ss", place->model, place->path) :
			db_exec(db, err,
				"DELETE FROM run_file WHERE run_id = ?1 AND role = 3 AND (?2 = '' OR"
				" path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0'))",
				"is", place->run, place->path);

	if (!r && !db_changes(db))
		return mlp_error_set(err, MLP_ENOTFOUND, "no artifact '%s'", place->path);
	return r;
}
