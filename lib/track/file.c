/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/file.h"

#include "lib/util/vec.h"
#include "lib/util/xalloc.h"

int run_file_put(struct db *db, int64_t run, const struct run_file *file, struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO run_file(run_id, role, path, size, mode, sha256, stored)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		       " ON CONFLICT(run_id, role, path) DO UPDATE SET size = excluded.size,"
		       "  mode = excluded.mode, sha256 = excluded.sha256, stored = excluded.stored",
		       "iisiisi", run, (int64_t)file->role, file->path, file->size,
		       (int64_t)(file->mode & 0177777), file->sha256, (int64_t)file->stored);
}

int run_files_get(struct db *db, int64_t run, enum file_role role, struct run_files *out,
		  struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT role, path, size, mode, sha256, stored FROM run_file"
			 " WHERE run_id = ?1 AND (?2 = 0 OR role = ?2) ORDER BY role, path",
			 "ii", run, (int64_t)role);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		struct run_file file = {
			.role = (enum file_role)db_int(st, 0),
			.path = xstrdup(db_text(st, 1)),
			.size = db_int(st, 2),
			.mode = (unsigned)db_int(st, 3),
			.sha256 = xstrdup_null(db_text(st, 4)),
			.stored = db_int(st, 5),
		};

		vec_push(out, file);
	}
	return r;
}

void run_files_release(struct run_files *files)
{
	for (size_t i = 0; i < files->len; i++) {
		free(files->v[i].path);
		free(files->v[i].sha256);
	}
	vec_free(files);
}
