/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto/sha256.h"
#include "lib/json/write.h"
#include "lib/store/filetree.h"
#include "lib/track/tensorboard.h"
#include "lib/util/path.h"
#include "lib/util/strbuf.h"
#include "lib/util/xalloc.h"

enum { DIGEST_MAX = 36 }; /* MLflow's limit for a dataset's digest */

void input_sets_release(struct input_sets *sets)
{
	for (size_t i = 0; i < sets->len; i++)
		run_files_release(&sets->v[i].files);
	vec_free(sets);
}

int inputs_check(const struct job *job, struct mlp_error *err)
{
	for (size_t i = 0; i < job->inputs.len; i++)
		if (access(job->inputs.v[i], F_OK))
			return mlp_error_set(err, MLP_EMISSING, "input '%s' is missing",
					     job->inputs.v[i]);
	return 0;
}

static int collect(void *data, const struct filetree_entry *entry, struct mlp_error *err)
{
	struct input_set *set = data;
	struct run_file file = { FILE_INPUT, xstrdup(entry->path), entry->size, entry->mode,
				 xstrdup_null(entry->sha256), entry->stored };

	(void)err;
	vec_push(&set->files, file);
	set->bytes += entry->size;
	return 0;
}

/* One digest for a folder: over "name NUL digest LF" of its files, names relative to it,
 * so that the same data elsewhere has the same digest. */
static int digest_set(struct input_set *set, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf list = STRBUF_INIT;

	if (set->files.len == 1 && set->files.v[0].sha256 &&
	    !strcmp(set->files.v[0].path, set->path)) {
		memcpy(set->digest, set->files.v[0].sha256, sizeof(set->digest));
		return 0;
	}
	for (size_t i = 0; i < set->files.len; i++) {
		const struct run_file *f = &set->files.v[i];
		const char *below = path_below(f->path, set->path);

		strbuf_addstr(&list, below ? below : f->path);
		strbuf_addch(&list, '\0');
		strbuf_addstr(&list, f->sha256 ? f->sha256 : "?");
		strbuf_addch(&list, '\n');
	}
	return sha256_data(list.buf, list.len, set->digest, err);
}

int inputs_scan(const struct repo *repo, const struct job *job, const struct mlp_events *events,
		struct input_sets *out, struct mlp_error *err)
{
	for (size_t i = 0; i < job->inputs.len; i++) {
		struct input_set set = { .path = job->inputs.v[i] };
		struct filetree_visitor visitor = { collect, NULL, events };
		int r;

		vec_push(out, set);
		visitor.data = &out->v[i];
		r = filetree_scan(repo, set.path, FILETREE_HASH, &visitor, err);
		if (!r)
			r = digest_set(&out->v[i], err);
		if (r)
			return r;
	}
	return 0;
}

static int record_dataset(struct db *db, int64_t run, const struct input_set *set,
			  struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf source = STRBUF_INIT;
	_cleanup_free_ char *path = path_absolute(set->path);
	struct json_writer w = { .out = &source };
	char digest[DIGEST_MAX + 1];
	int r;

	json_open(&w, '{');
	json_put_string(&w, "uri", path);
	json_close(&w, '}');
	memcpy(digest, set->digest, DIGEST_MAX);
	digest[DIGEST_MAX] = '\0';
	r = db_exec(db, err,
		    "INSERT INTO dataset(experiment_id, name, digest, source_type, source)"
		    " SELECT experiment_id, ?2, ?3, 'local', ?4 FROM run WHERE id = ?1"
		    " ON CONFLICT DO NOTHING",
		    "isss", run, set->path, digest, source.buf);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO run_input(run_id, dataset_id) SELECT r.id, d.id FROM run r"
			    " JOIN dataset d ON d.experiment_id = r.experiment_id"
			    " WHERE r.id = ?1 AND d.name = ?2 AND d.digest = ?3"
			    " ON CONFLICT DO NOTHING",
			    "iss", run, set->path, digest);
	return r;
}

int inputs_record(struct db *db, int64_t run, const struct input_sets *sets,
		  struct mlp_error *err)
{
	for (size_t i = 0; i < sets->len; i++) {
		int r = record_dataset(db, run, &sets->v[i], err);

		for (size_t j = 0; !r && j < sets->v[i].files.len; j++)
			r = run_file_put(db, run, &sets->v[i].files.v[j], err);
		if (r)
			return r;
	}
	return 0;
}

static int collect_output(void *data, const struct filetree_entry *entry, struct mlp_error *err)
{
	struct run_files *files = data;
	const char *below = path_below(entry->path, ".");
	struct run_file file = { FILE_OUTPUT, xstrdup(below ? below : entry->path), entry->size,
				 entry->mode, xstrdup_null(entry->sha256), entry->stored };

	(void)err;
	vec_push(files, file);
	return 0;
}

static int record_outputs(struct db *db, int64_t run, const struct run_files *files,
			  struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	for (size_t i = 0; !r && i < files->len; i++)
		r = run_file_put(db, run, &files->v[i], err);
	return r ? r : db_txn_commit(&txn, err);
}

/* Metrics of a TensorBoard file; below a folder of the output they get its name, which is
 * what TensorBoard calls a run: train/loss, validation/loss.  Returns how many points have
 * a tag that cannot name a metric. */
static int64_t import_events(const struct job_host *host, int64_t run, const char *output,
			  const char *path)
{
	const char *below = strcmp(output, ".") ? path_below(path, output) : path;
	const char *name = path_basename(path);
	size_t len = below && name > below ? (size_t)(name - below) : 0;
	_cleanup_free_ char *prefix = xmemdupz(below ? below : "", len);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tensorboard_stats stats = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;

	if (fd < 0 || tensorboard_import(fd, prefix, host->db, run, &stats, &err))
		mlp_warn(host->events, "metrics of '%s' are not read: %s", path,
			 fd < 0 ? "cannot open it" : err.text);
	return stats.bad_tags;
}

/* The shortest name of an output, so that it has one however it is written; a ".." behind
 * a link leads elsewhere than it seems, and stays. */
static char *output_name(const char *path)
{
	_cleanup_free_ char *normal = path_normal(path);
	struct stat a, b;

	if (stat(path, &a) || stat(normal, &b) || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return xstrdup(path);
	return steal_ptr(&normal);
}

/* Outputs by their names, each once. */
static void name_outputs(const struct job *job, struct strvec *names)
{
	_release_(strvec_release) struct strvec seen = STRVEC_INIT;

	for (size_t i = 0; i < job->outputs.len; i++) {
		_cleanup_free_ char *name = output_name(job->outputs.v[i]);
		_cleanup_free_ char *full = path_absolute(name);
		bool again = false;

		for (size_t j = 0; j < seen.len; j++)
			again |= !strcmp(seen.v[j], full);
		if (again)
			continue;
		strvec_push_take(names, steal_ptr(&name));
		strvec_push_take(&seen, steal_ptr(&full));
	}
}

static int store_output(const struct job_host *host, int64_t run, const char *output,
			int64_t *bad_tags, struct mlp_error *err)
{
	_release_(run_files_release) struct run_files files = { 0 };
	struct filetree_visitor visitor = { collect_output, &files, host->events };
	int r = filetree_scan(host->repo, output, FILETREE_STORE, &visitor, err);

	/* The rows come after the objects they name are durable. */
	if (!r)
		r = record_outputs(host->db, run, &files, err);
	for (size_t i = 0; !r && i < files.len; i++)
		if (S_ISREG(files.v[i].mode) &&
		    tensorboard_is_event_file(path_basename(files.v[i].path)))
			*bad_tags += import_events(host, run, output, files.v[i].path);
	return r;
}

int outputs_store(const struct job_host *host, int64_t run, const struct job *job,
		  struct strvec *missing, struct mlp_error *err)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;
	int64_t bad_tags = 0;

	name_outputs(job, &names);
	for (size_t i = 0; i < names.len; i++) {
		int r = store_output(host, run, names.v[i], &bad_tags, err);

		if (r == MLP_EMISSING)
			strvec_push(missing, names.v[i]);
		else if (r)
			return r;
	}
	if (bad_tags)
		mlp_warn(host->events, "points of TensorBoard files left out for their name: %lld",
			 (long long)bad_tags);
	return 0;
}
