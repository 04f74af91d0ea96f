/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs: the same bytes as then, found where they are now. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/reproduce/reproduce.h"
#include "lib/store/object.h"
#include "lib/util/file.h"
#include "lib/util/path.h"

enum { LINK_MAX = 4096 };

/* Is the content of path what was recorded?  hex gets what it is; "" : unreadable. */
static bool is_same(const char *path, const struct run_file *file, char hex[SHA256_HEX + 1])
{
	struct object_id id;

	hex[0] = '\0';
	if (S_ISLNK(file->mode)) {
		char target[LINK_MAX];
		ssize_t n = readlink(path, target, sizeof(target));

		if (n < 0 || sha256_data(target, (size_t)n, hex, NULL))
			return false;
	} else {
		if (object_hash_file(path, &id, NULL))
			return false;
		memcpy(hex, id.hex, sizeof(id.hex));
	}
	return file->sha256 && !strcmp(hex, file->sha256);
}

/* A link, because inputs are only read, and may be large. */
static int provide(struct reproduction *re, const char *from, const char *to)
{
	_cleanup_free_ char *real = realpath(from, NULL);
	int r = reproduce_parents(re, to);

	if (r)
		return r;
	unlink(to);
	if (symlink(real ? real : from, to))
		return mlp_error_errno(&re->ctx->err, errno,
				       "cannot put the input '%s' into the work tree", from);
	return 0;
}

/* From the store: an output of another run, for instance. */
static int provide_stored(struct reproduction *re, const struct run_file *file, const char *to)
{
	int r = MLP_ENOTFOUND;

	if (file->sha256 && S_ISREG(file->mode) && object_exists(&re->ctx->repo, file->sha256))
		r = reproduce_parents(re, to);
	return r ? r : object_extract(&re->ctx->repo, file->sha256, to, file->mode & 0777,
				      &re->ctx->err);
}

/* In the work tree the command sees a path of the project below its own folder. */
static char *place_in_tree(struct reproduction *re, const char *full)
{
	const char *below = re->tree ? path_below(full, re->code.root) : NULL;

	return below && *below ? path_join(re->tree, below) : NULL;
}

static int check_input(struct reproduction *re, const struct run_file *file)
{
	_cleanup_free_ char *was = path_join(re->command.cwd, file->path);
	_cleanup_free_ char *full = path_absolute(was);
	_cleanup_free_ char *here = path_join(re->origin, file->path);
	_cleanup_free_ char *to = file->path[0] == '/' ? NULL : place_in_tree(re, full);
	char hex[SHA256_HEX + 1], seen[SHA256_HEX + 1];
	bool there;
	int r;

	if (to && is_same(to, file, seen))
		return 0;
	there = is_same(here, file, hex);
	if (!to)
		r = there ? 0 : MLP_ENOTFOUND;
	else
		r = there ? provide(re, here, to) : provide_stored(re, file, to);
	if (!r || r == MLP_ESYSTEM || r == MLP_EFULL)
		return r;
	if (there)
		memcpy(hex, seen, sizeof(hex));
	reproduce_row(re, "input", file->path, file->sha256, *hex ? hex : NULL,
		      *hex ? "changed" : "missing");
	re->missing++;
	return 0;
}

/* Where the recorded folder is not there at all, one link stands for all in it. */
static int link_folder(struct reproduction *re, const char *path, const struct run_files *files)
{
	_cleanup_free_ char *was = path_join(re->command.cwd, path);
	_cleanup_free_ char *full = path_absolute(was);
	_cleanup_free_ char *here = path_join(re->origin, path);
	_cleanup_free_ char *to = path[0] == '/' ? NULL : place_in_tree(re, full);
	struct stat st;
	int r;

	if (!to || !access(to, F_OK) || stat(here, &st) || !S_ISDIR(st.st_mode))
		return 0;
	for (size_t i = 0; i < files->len; i++) {
		_cleanup_free_ char *file = path_join(re->origin, files->v[i].path);
		char hex[SHA256_HEX + 1];

		if (path_below(files->v[i].path, path) && !is_same(file, &files->v[i], hex))
			return 0; /* file by file, as far as they are the same */
	}
	r = provide(re, here, to);
	return r == MLP_EINVAL ? 0 : r;
}

int reproduce_inputs(struct reproduction *re)
{
	_release_(run_files_release) struct run_files files = { 0 };
	const struct json *typed = json_get(re->options, "inputs");
	int r = run_files_get(re->ctx->db, re->run.id, FILE_INPUT, &files, &re->ctx->err);

	for (const struct json *v = NULL; !r && (v = json_next(typed, v));)
		if (json_text(v))
			r = link_folder(re, json_text(v), &files);
	for (size_t i = 0; !r && i < files.len; i++)
		r = check_input(re, &files.v[i]);
	return r;
}
