/* SPDX-License-Identifier: Apache-2.0 */
/* The code of a run: run_code, and one run_file row per untracked file. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/capture.h"
#include "lib/json/write.h"
#include "lib/store/object.h"
#include "lib/track/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/vcs/git.h"

enum {
	HASH_MAX = 1 << 30,   /* bytes hashed of files that are not stored, in all */
	HASHES_MAX = 5000,    /* such files */
	FILES_MAX = 1000,     /* files stored, unless capture.untrackedFiles says else */
	NAMES_MAX = 20000,    /* rows of untracked files */
	NAMED_MAX = 5,	      /* secrets named in a message */
	DIFF_WORK_FACTOR = 8, /* changed bytes read at most, in times of diffMax */
};

struct code {
	const struct repo *repo;
	int64_t run;
	const struct mlp_events *events;
	struct vcs_state git;
	int64_t untracked_max, untracked_files, diff_max;

	char *diff; /* object, or NULL */
	int64_t diff_bytes;
	bool diff_complete; /* commit and diff give all tracked files */
	struct object_batch *batch;
	struct run_files files;
	int64_t stored_bytes, hashed_bytes, total_bytes, secret_bytes;
	size_t stored, hashed, unhashed, secret;
	struct strbuf secrets; /* the names of the first ones */
	struct strvec warnings;
};

static void code_release(struct code *c)
{
	vcs_state_release(&c->git);
	free(c->diff);
	object_batch_free(c->batch);
	run_files_release(&c->files);
	strbuf_release(&c->secrets);
	strvec_release(&c->warnings);
}

static void warn(struct code *c, const char *fmt, ...) PRINTF(2, 3);
static void warn(struct code *c, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strvec_push(&c->warnings, text.buf);
	mlp_warn(c->events, "%s", text.buf);
}

static char *size_text(int64_t bytes)
{
	struct strbuf sb = STRBUF_INIT;

	text_add_size(&sb, bytes);
	return strbuf_detach(&sb);
}

struct diff_sink {
	const struct repo *repo;
	struct object_writer *writer;
	int64_t len, max;
	bool over;
};

static int diff_write(void *data, const char *text, size_t len, struct mlp_error *err)
{
	struct diff_sink *sink = data;
	int r = 0;

	sink->over = (int64_t)len > sink->max - sink->len;
	if (sink->over)
		return MLP_EINVAL;
	sink->len += (int64_t)len;
	if (!sink->writer)
		r = object_writer_open(&sink->writer, sink->repo, err);
	return r ? r : object_write(sink->writer, text, len, err);
}

static int store_diff(struct code *c, struct mlp_error *err)
{
	struct diff_sink sink = { .repo = c->repo, .max = c->diff_max };
	_cleanup_free_ char *limit = size_text(c->diff_max);
	struct object_id id;
	int r = 0;

	sink.over = c->git.changed_bytes / DIFF_WORK_FACTOR > c->diff_max;
	if (!sink.over)
		r = vcs_diff(&c->git, diff_write, &sink, err);
	if (!r && sink.writer)
		r = object_writer_commit(steal_ptr(&sink.writer), &id, err);
	else if (r)
		object_writer_abandon(sink.writer);
	if (sink.over) {
		warn(c, "the uncommitted changes are larger than %s (capture.diffMax) and are not "
		     "stored: the run cannot be reproduced from the commit alone", limit);
		return 0;
	}
	if (r == MLP_EFAIL) {
		warn(c, "the uncommitted changes are not stored: %s", err ? err->text : "");
		return 0;
	}
	if (r)
		return r;
	c->diff_complete = true;
	c->diff_bytes = sink.len;
	c->diff = sink.len ? xstrdup(id.hex) : NULL;
	return 0;
}

/* A symbolic link's object holds its target. */
static int put_link(struct code *c, const char *path, bool store, struct object_id *id,
		    struct mlp_error *err)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return MLP_ENOTFOUND;
	id->size = n;
	return store ? object_batch_put(c->batch, target, (size_t)n, id, err) :
		       sha256_data(target, (size_t)n, id->hex, err);
}

static int put_content(struct code *c, const char *path, unsigned mode, bool store,
		       struct object_id *id, struct mlp_error *err)
{
	if (S_ISLNK(mode))
		return put_link(c, path, store, id, err);
	return store ? object_batch_put_file(c->batch, path, id, err) : object_hash_file(path, id, err);
}

static void count_secret(struct code *c, const char *path)
{
	if (c->secret++ < NAMED_MAX)
		strbuf_addf(&c->secrets, "%s%s", c->secrets.len ? ", " : "", path);
	else if (c->secret == NAMED_MAX + 1)
		strbuf_addstr(&c->secrets, ", ...");
}

/* 0 also when the file could not be read: its name is kept. */
static int add_file(struct code *c, const struct vcs_file *file, struct mlp_error *err)
{
	_cleanup_free_ char *path = path_join(c->git.root, file->path);
	struct run_file row = { .role = FILE_UNTRACKED, .size = file->size, .mode = file->mode };
	bool content = S_ISREG(file->mode) || S_ISLNK(file->mode);
	bool secret = content && capture_is_secret(&c->repo->settings, file->path);
	bool store = content && !secret && (int64_t)c->stored < c->untracked_files &&
		     file->size <= c->untracked_max - c->stored_bytes;
	bool hash = content && c->hashed < HASHES_MAX && file->size <= HASH_MAX - c->hashed_bytes;
	struct object_id id;
	int r = MLP_ENOTFOUND;

	if (store || hash) {
		r = put_content(c, path, file->mode, store, &id, err);
		if (store && r && access(path, R_OK) == 0 && !S_ISLNK(file->mode))
			return r; /* the store is at fault, not the file */
	}
	if (!r) {
		row.sha256 = xstrdup(id.hex);
		row.size = id.size;
		row.stored = store;
		++*(store ? &c->stored : &c->hashed);
		*(store ? &c->stored_bytes : &c->hashed_bytes) += id.size;
	}
	c->unhashed += r != 0;
	c->total_bytes += row.size;
	if (secret) {
		count_secret(c, file->path);
		c->secret_bytes += row.size;
	}
	row.path = xstrdup(file->path);
	vec_push(&c->files, row);
	return 0;
}

static void warn_untracked(struct code *c)
{
	size_t n = c->git.untracked.len, left = c->files.len - c->stored - c->secret;
	_cleanup_free_ char *size =
		size_text(c->total_bytes - c->stored_bytes - c->secret_bytes);
	_cleanup_free_ char *limit = size_text(c->untracked_max);

	if (c->secret) {
		strvec_pushf(&c->warnings,
			     "%zu untracked file%s like secrets: recorded by hash only: %s",
			     c->secret, c->secret == 1 ? " looks" : "s look", c->secrets.buf);
		mlp_note(c->events, "%s", c->warnings.v[c->warnings.len - 1]);
	}
	if (left)
		warn(c, "%zu of %zu untracked files (%s) are recorded without their contents "
		     "(limits: %s, capture.untrackedMax; %lld files, capture.untrackedFiles)",
		     left, n, size, limit, (long long)c->untracked_files);
	if (c->unhashed)
		warn(c, "%zu of %zu untracked files are recorded by name only: too large or too many "
		     "to hash, unreadable, or no plain files", c->unhashed, n);
	if (n > c->files.len)
		warn(c, "%zu untracked files are too many: %zu of them are recorded", n,
		     c->files.len);
}

/* An untracked file, and how many are in its folder of the work tree's top, itself one
 * where it stands alone. */
struct place {
	size_t file, beside;
};

static int compare_places(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->beside != b->beside)
		return a->beside < b->beside ? -1 : 1;
	return a->file < b->file ? -1 : a->file > b->file;
}

/* What is too much is data more often than code: the fullest folders come last.  The
 * files are sorted, so those of a folder follow each other. */
static struct place *order_untracked(const struct code *c)
{
	size_t n = c->git.untracked.len;
	struct place *places = xcalloc(n + 1, sizeof(*places));

	for (size_t i = 0, j; i < n; i = j) {
		const char *path = c->git.untracked.v[i].path, *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) + 1 : 0;

		for (j = i + 1; len && j < n; j++)
			if (strncmp(c->git.untracked.v[j].path, path, len))
				break;
		for (size_t k = i; k < j; k++)
			places[k] = (struct place){ k, j - i };
	}
	if (n)
		qsort(places, n, sizeof(*places), compare_places);
	return places;
}

static int store_untracked(struct code *c, struct mlp_error *err)
{
	size_t n = MIN(c->git.untracked.len, (size_t)NAMES_MAX);
	_cleanup_free_ struct place *places = order_untracked(c);
	int r = 0;

	c->batch = object_batch_new(c->repo);
	for (size_t i = 0; !r && i < n; i++)
		r = add_file(c, &c->git.untracked.v[places[i].file], err);
	if (!r)
		r = object_batch_commit(c->batch, err);
	if (!r)
		warn_untracked(c);
	return r;
}

static void add_submodules(struct code *c, struct json_writer *w)
{
	json_key(w, "submodules");
	json_open(w, '[');
	for (size_t i = 0; i < c->git.submodules.len; i++) {
		const struct vcs_submodule *s = &c->git.submodules.v[i];

		json_open(w, '{');
		json_put_string(w, "path", s->path);
		json_put_string(w, "commit", s->commit);
		json_put_string(w, "url", s->url);
		json_put_bool(w, "dirty", s->dirty);
		json_put_bool(w, "present", s->present);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void add_detail(struct code *c, struct strbuf *out)
{
	struct json_writer w = { .out = out };

	json_open(&w, '{');
	add_submodules(c, &w);
	json_put_int(&w, "diff_bytes", c->diff_bytes);
	json_put_bool(&w, "diff_complete", c->diff_complete);
	json_put_string(&w, "filter", c->git.filter);
	json_key(&w, "untracked");
	json_open(&w, '{');
	json_put_int(&w, "files", (int64_t)c->git.untracked.len);
	json_put_int(&w, "bytes", c->total_bytes);
	json_put_int(&w, "stored_files", (int64_t)c->stored);
	json_put_int(&w, "stored_bytes", c->stored_bytes);
	json_put_int(&w, "hash_only_files", (int64_t)c->secret);
	json_close(&w, '}');
	json_key(&w, "warnings");
	json_open(&w, '[');
	for (size_t i = 0; i < c->warnings.len; i++)
		json_string(&w, c->warnings.v[i]);
	json_close(&w, ']');
	json_close(&w, '}');
}

static int write_rows(struct code *c, struct db *db, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	_release_(strbuf_release) struct strbuf detail = STRBUF_INIT;
	int r = db_txn(&txn, db, err);

	add_detail(c, &detail);
	if (!r)
		r = db_exec(db, err,
			    "INSERT OR REPLACE INTO run_code(run_id, root, commit_id, branch, remote,"
			    " dirty, diff, detail) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
			    "issssiss", c->run, c->git.root, c->git.commit, c->git.branch,
			    c->git.remote, (int64_t)c->git.dirty, c->diff, detail.buf);
	for (size_t i = 0; !r && i < c->files.len; i++)
		r = run_file_put(db, c->run, &c->files.v[i], err);
	return r ? r : db_txn_commit(&txn, err);
}

static int read_limits(struct code *c, struct mlp_error *err)
{
	const struct settings *s = &c->repo->settings;
	int r = settings_get_size(s, "capture.untrackedMax", 10 << 20, &c->untracked_max, err);

	if (!r)
		r = settings_get_size(s, "capture.untrackedFiles", FILES_MAX, &c->untracked_files,
				      err);
	return r ? r : settings_get_size(s, "capture.diffMax", 64 << 20, &c->diff_max, err);
}

int capture_code(struct db *db, const struct repo *repo, int64_t run, const char *dir,
		 const struct mlp_events *events, struct mlp_error *err)
{
	_release_(code_release) struct code c = {
		.repo = repo, .run = run, .events = events, .secrets = STRBUF_INIT,
	};
	struct mlp_error why = MLP_ERROR_INIT;
	int r = read_limits(&c, err);

	if (r)
		return r;
	r = vcs_state_read(dir, &c.git, &why);
	if (r == MLP_ENOTFOUND)
		return 0;
	if (r) {
		/* A broken repository must not keep anybody from working. */
		mlp_warn(events, "the code is not recorded: %s", why.text);
		return 0;
	}
	if (c.git.foreign)
		warn(&c, "the git repository '%s' belongs to another user", c.git.root);
	if (c.git.problem)
		warn(&c, "only the commit is recorded, not the changes since: %s", c.git.problem);
	else
		r = store_diff(&c, err);
	if (c.git.filter)
		warn(&c, "%zu tracked files go through the filter '%s', which mlp does not run: a "
		     "reproduction has them as git stores them", c.git.filtered, c.git.filter);
	if (!r)
		r = store_untracked(&c, err);
	return r ? r : write_rows(&c, db, err);
}
