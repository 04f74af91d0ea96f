/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include "lib/track/file.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

static char some_hash[] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

static int put(struct db *db, int64_t run, enum file_role role, const char *path, int64_t size,
	       struct mlp_error *err)
{
	char *copy = xstrdup(path);
	struct run_file file = { .role = role, .path = copy, .size = size, .mode = 0100644,
				 .sha256 = some_hash, .stored = true };
	int r = run_file_put(db, run, &file, err);

	free(copy);
	return r;
}

static void test_rows(struct db *db, int64_t run)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_files files = { 0 };
	char locked[] = "locked";
	struct run_file unread = { .role = FILE_INPUT, .path = locked, .size = 9, .mode = 0100000 };

	is_int(put(db, run, FILE_OUTPUT, "model.bin", 5, &err), 0, "put: %s", err.text);
	is_int(put(db, run, FILE_INPUT, "b.csv", 1, &err), 0, "put");
	is_int(put(db, run, FILE_INPUT, "a.csv", 1, &err), 0, "put");
	is_int(put(db, run, FILE_INPUT, "bad\xff name", 1, &err), 0, "any bytes in a path");
	is_int(run_file_put(db, run, &unread, &err), 0, "a file that could not be read");
	is_int(put(db, run, FILE_INPUT, "a.csv", 7, &err), 0, "replaced");

	is_int(run_files_get(db, run, FILE_INPUT, &files, &err), 0, "inputs");
	is_int(files.len, 4, "four");
	is_str(files.v[0].path, "a.csv", "sorted");
	is_int(files.v[0].size, 7, "the newer row");
	is_int(files.v[0].mode, 0100644, "mode");
	is_str(files.v[0].sha256, some_hash, "hash");
	ok(files.v[0].stored, "stored");
	is_str(files.v[2].path, "bad\xff name", "bytes as given");
	ok(!files.v[3].sha256 && !files.v[3].stored, "no hash");
	run_files_release(&files);
	is_int(run_files_get(db, run, 0, &files, &err), 0, "all roles");
	is_int(files.len, 5, "five");
	is_str(files.v[4].path, "model.bin", "by role first");
	run_files_release(&files);
	is_int(run_files_get(db, run + 1, 0, &files, &err), 0, "no such run");
	is_int(files.len, 0, "no files");
	ok(put(db, run + 1, FILE_INPUT, "x", 1, &err) < 0, "a row needs its run: %s", err.text);
}

int main(void)
{
	struct repo repo = { .root = tap_folder() };
	struct mlp_error err = MLP_ERROR_INIT;
	struct run_new new_run = { .source = "test" };
	struct db *db = NULL;
	int64_t run = 0;

	plan_lazy();
	repo.dir = xstrdup(repo.root);
	repo.db_path = path_join(repo.root, "mlp.db");
	is_int(track_open(&db, &repo, DB_CREATE, &err), 0, "open: %s", err.text);
	is_int(run_create(db, &new_run, &run, NULL, &err), 0, "run: %s", err.text);
	test_rows(db, run);
	db_close(db);
	path_remove_tree(repo.root);
	repo_release(&repo);
	return done_testing();
}
