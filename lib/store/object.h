/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-addressed objects: .mlp/objects/ab/cdef... named by the SHA-256 of their
 * bytes, read-only, written to .mlp/tmp first and renamed, so that an object
 * is there whole or not at all.  The same bytes are stored once.  Safe for any
 * number of writers at once.  Format: mlp-format-objects(5).
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/core/repo.h"
#include "lib/crypto/sha256.h"
#include "lib/util/strbuf.h"

struct object_id {
	char hex[SHA256_HEX + 1];
	int64_t size;
};

/* Streaming: open, write any number of times, then commit or abandon.  repo must
 * outlive the writer. */
struct object_writer;
int object_writer_open(struct object_writer **out, const struct repo *repo,
		       struct mlp_error *err);
int object_write(struct object_writer *w, const void *data, size_t len, struct mlp_error *err);
/* Before the first write: nobody may read the object who may not read the file it comes
 * from.  The same bytes from a file that more may read are open to those. */
void object_writer_source(struct object_writer *w, const struct stat *source);
/* The object is durable on return; frees w, also on error. */
int object_writer_commit(struct object_writer *w, struct object_id *id, struct mlp_error *err);
/* For bytes that come in any order, maybe on several threads at once: instead of
 * object_write(), the three below.  What was written twice has the later bytes. */
int object_writer_open_placed(struct object_writer **out, const struct repo *repo,
			      struct mlp_error *err);
int object_write_at(struct object_writer *w, int64_t offset, const void *data, size_t len,
		    struct mlp_error *err);
/* What is beyond size is no longer there. */
int object_write_cut(struct object_writer *w, int64_t size, struct mlp_error *err);
/* All bytes of another one opened so. */
int object_write_copy(struct object_writer *w, int64_t offset, const struct object_writer *from,
		      struct mlp_error *err);
void object_writer_abandon(struct object_writer *w); /* frees w; NULL is fine */
DEFINE_CLEANUP(struct object_writer *, object_writer_abandon);

/* Many objects for few syncs: those added are there, durable and by their names, when
 * object_batch_commit() returns; before, any or none of them may be. */
struct object_batch;
struct object_batch *object_batch_new(const struct repo *repo);
/* Takes what w wrote instead of object_writer_commit(); frees w, also on error. */
int object_batch_add(struct object_batch *batch, struct object_writer *w, struct object_id *id,
		     struct mlp_error *err);
int object_batch_put(struct object_batch *batch, const void *data, size_t len,
		     struct object_id *id, struct mlp_error *err);
int object_batch_put_file(struct object_batch *batch, const char *path, struct object_id *id,
			  struct mlp_error *err);
/* The batch is empty and usable again. */
int object_batch_commit(struct object_batch *batch, struct mlp_error *err);
void object_batch_free(struct object_batch *batch);
DEFINE_CLEANUP(struct object_batch *, object_batch_free);

int object_put(const struct repo *repo, const void *data, size_t len, struct object_id *id,
	       struct mlp_error *err);
int object_put_file(const struct repo *repo, const char *path, struct object_id *id,
		    struct mlp_error *err);
/* Hash and size of a file without storing it. */
int object_hash_file(const char *path, struct object_id *id, struct mlp_error *err);

/* The file that holds an object, there or not; caller frees; NULL for a malformed
 * name. */
char *object_path(const struct repo *repo, const char *hex);
bool object_exists(const struct repo *repo, const char *hex);
/* A descriptor open for reading, or negative: MLP_ENOTFOUND, MLP_EINVAL for a malformed
 * name. */
int object_open(const struct repo *repo, const char *hex, struct mlp_error *err);
/* Appends the bytes; MLP_EINVAL above max. */
int object_read(const struct repo *repo, const char *hex, size_t max, struct strbuf *out,
		struct mlp_error *err);
/* Reads and hashes it again; MLP_ECORRUPT when the bytes are not what the name says. */
int object_verify(const struct repo *repo, const char *hex, struct mlp_error *err);
/* Copies an object to path (temporary file beside it, then rename), checked while
 * copying.  mode is a st_mode: its permissions are used, and where it is a symbolic
 * link's the object is the target of the link made. */
int object_extract(const struct repo *repo, const char *hex, const char *path, unsigned mode,
		   struct mlp_error *err);
/* Removes what writers that were killed left in .mlp/tmp; never a live one's. */
int object_tmp_clean(const struct repo *repo, struct mlp_error *err);

#endif
