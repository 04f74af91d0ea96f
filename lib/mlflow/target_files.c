/* SPDX-License-Identifier: Apache-2.0 */
/* Our own store as a target: the artifacts of the run or logged model that is open. */
#include "config.h"

#include <sys/stat.h>

#include "lib/mlflow/store.h"
#include "lib/util/file.h"

enum { PIECE = 1 << 16 };

static int known_size(struct store_target *t, const char *path, int64_t *size,
		      struct mlp_error *err)
{
	if (t->model)
		return db_get_int(t->db, size, err,
				  "SELECT size FROM logged_model_file WHERE model_id = ?1"
				  " AND path = ?2",
				  "ss", t->model->id, path);
	return db_get_int(t->db, size, err,
			  "SELECT size FROM run_file WHERE run_id = ?1 AND role = 3 AND path = ?2"
			  " AND stored = 1",
			  "is", t->run.row.id, path);
}

static void add_file(struct store_target *t, const char *path, const struct object_id *id)
{
	vec_push(&t->files, ((struct run_file){ .role = FILE_ARTIFACT,
						.path = xstrdup(path),
						.size = id->size,
						.mode = S_IFREG | 0644,
						.sha256 = xstrdup(id->hex),
						.stored = true }));
	t->bytes += id->size;
}

/* A file of a run that goes on may be another one under the same name.  When dry none is
 * wanted, only counted: the source's word for the size has to do. */
int store_artifact_wanted(struct mlflow_target *base, const struct mlflow_artifact *a,
			  struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;
	struct object_id promised = { .size = MAX(a->size, 0) };
	int64_t size = -1;
	int r;

	if (!t->dry && !t->model && t->run.replaces)
		return 1;
	r = known_size(t, a->path, &size, err);
	if (r && r != MLP_ENOTFOUND)
		return r;
	r = r || (a->size >= 0 && a->size != size);
	if (!r || !t->dry)
		return r;
	add_file(t, a->path, &promised);
	return 0;
}

static int is_known(struct store_target *t, const char *path, const struct object_id *id,
		    bool *known, struct mlp_error *err)
{
	int64_t one;
	int r = t->model ? db_get_int(t->db, &one, err,
				      "SELECT 1 FROM logged_model_file WHERE model_id = ?1"
				      " AND path = ?2 AND sha256 = ?3",
				      "sss", t->model->id, path, id->hex) :
			   db_get_int(t->db, &one, err,
				      "SELECT 1 FROM run_file WHERE run_id = ?1 AND role = 3"
				      " AND path = ?2 AND sha256 = ?3 AND stored = 1",
				      "iss", t->run.row.id, path, id->hex);

	*known = !r;
	return r == MLP_ENOTFOUND ? 0 : r;
}

static int store_bytes(struct store_target *t, int fd, struct object_id *id, struct mlp_error *err)
{
	_cleanup_(object_writer_abandon) struct object_writer *w = NULL;
	char piece[PIECE];
	ssize_t n = 0;
	int r = object_writer_open(&w, t->repo, err);

	while (!r && (n = file_read_some(fd, piece, sizeof(piece))) > 0)
		r = object_write(w, piece, (size_t)n, err);
	if (!r && n < 0)
		r = mlp_error_errno(err, (int)-n, "cannot read an artifact");
	if (r)
		return r;
	return object_batch_add(t->objects, steal_ptr(&w), id, err);
}

int store_artifact(struct mlflow_target *base, const struct mlflow_artifact *a, int fd,
		   struct mlp_error *err)
{
	struct store_target *t = (struct store_target *)base;
	struct object_id id = { .size = 0 };
	bool known = false;
	int r = store_bytes(t, fd, &id, err);

	if (!r)
		r = is_known(t, a->path, &id, &known, err);
	if (!r && !known)
		add_file(t, a->path, &id);
	return r;
}

int store_sync_files(struct store_target *t, struct mlp_error *err)
{
	return t->dry ? 0 : object_batch_commit(t->objects, err);
}

void store_clear_files(struct store_target *t)
{
	run_files_release(&t->files);
	t->bytes = 0;
}
