/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/artifact.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/store/filetree.h"
#include "lib/track/artifact_tree.h"
#include "lib/track/file.h"
#include "lib/util/path.h"
#include "lib/util/vec.h"

struct found {
	struct run_files files;
	const char *root; /* as scanned */
	const char *name; /* what takes its place */
};

static int add_file(void *data, const struct filetree_entry *entry, struct mlp_error *err)
{
	struct found *found = data;
	const char *below = path_below(entry->path, found->root);
	struct run_file file = { .role = FILE_ARTIFACT, .size = entry->size, .mode = entry->mode };

	if (!entry->stored)
		return mlp_error_set(err, MLP_EFAIL, "cannot store '%s'", entry->path);
	file.path = below && *below ? path_join(found->name, below) : xstrdup(found->name);
	file.sha256 = xstrdup(entry->sha256);
	file.stored = true;
	vec_push(&found->files, file);
	return 0;
}

static int put_rows(struct db *db, int64_t run, const struct run_files *files,
		    struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	for (size_t i = 0; i < files->len && !r; i++) {
		struct artifact_place place = { .run = run, .path = files->v[i].path };

		r = artifact_tree_check(db, &place, err);
		if (!r)
			r = run_file_put(db, run, &files->v[i], err);
	}
	return r ? r : db_txn_commit(&txn, err);
}

int artifact_put(struct db *db, const struct repo *repo, int64_t run,
		 const struct artifact_new *artifact, struct mlp_error *err)
{
	_cleanup_free_ char *root = xstrdup(artifact->path), *full = path_absolute(root);
	struct found found = { .root = root, .name = artifact->name };
	struct filetree_visitor visitor = { add_file, &found, artifact->events };
	size_t len = strlen(root);
	struct stat st;
	int r;

	while (len > 1 && root[len - 1] == '/')
		root[--len] = '\0';
	if (!found.name)
		found.name = path_basename(full);
	if (!path_is_safe(found.name))
		return mlp_error_set(err, MLP_EINVAL, "'%s' cannot name an artifact", found.name);
	if (!stat(root, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return mlp_error_set(err, MLP_EINVAL, "'%s' is neither a file nor a folder", root);
	r = filetree_scan(repo, root, FILETREE_STORE, &visitor, err);
	if (!r && !found.files.len)
		mlp_warn(artifact->events, "nothing is stored: '%s' has no files", root);
	if (!r)
		r = put_rows(db, run, &found.files, err);
	run_files_release(&found.files);
	return r;
}
