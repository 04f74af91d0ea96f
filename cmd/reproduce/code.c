/* SPDX-License-Identifier: Apache-2.0 */
/* The work tree of a run, as it was at its start. */
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
#include "lib/util/text.h"
#include "lib/vcs/git.h"

enum { PATCH_MAX = 1 << 30, LINK_MAX = 4096 };

/* The repository that has the commit: where it was, or the one around this project. */
static char *find_root(struct reproduction *re)
{
	_cleanup_free_ char *was = vcs_find(re->code.root);
	_cleanup_free_ char *here = vcs_find(re->ctx->repo.root);
	const char *commit = re->code.commit;

	if (was && !strcmp(was, re->code.root) && (!commit || vcs_has_commit(was, commit)))
		return steal_ptr(&was);
	if (here && (!commit || vcs_has_commit(here, commit)))
		return steal_ptr(&here);
	return NULL;
}

/* Submodules that were at another commit than the one their parent names. */
static int export_submodules(struct reproduction *re, const char *root)
{
	const struct json *list = json_get(re->detail, "submodules");
	int r = 0;

	for (const struct json *v = NULL; !r && (v = json_next(list, v));) {
		const char *path = json_text(json_get(v, "path"));
		const char *commit = json_text(json_get(v, "commit"));
		_cleanup_free_ char *from = NULL, *to = NULL, *have = NULL;

		if (!path || !commit || !path_is_safe(path) ||
		    !json_truth(json_get(v, "present"), true))
			continue;
		from = path_join(root, path);
		to = path_join(re->tree, path);
		have = vcs_head(to);
		if (have && !strcmp(have, commit))
			continue;
		if (!vcs_has_commit(from, commit)) {
			reproduce_row(re, "code", path, commit, NULL, "missing");
			re->breaking++;
			continue;
		}
		r = path_remove_tree(to);
		if (r)
			return mlp_error_errno(&re->ctx->err, r, "cannot replace '%s'", to);
		r = vcs_export(from, commit, to, &re->ctx->err);
	}
	return r;
}

static int apply_changes(struct reproduction *re)
{
	struct mlp_error *err = &re->ctx->err;
	_release_(strbuf_release) struct strbuf patch = STRBUF_INIT;
	int r;

	if (!json_truth(json_get(re->detail, "diff_complete"), true)) {
		reproduce_row(re, "code", "uncommitted changes", "not stored", NULL, "missing");
		re->breaking++;
	}
	if (!re->code.diff)
		return 0;
	r = object_read(&re->ctx->repo, re->code.diff, PATCH_MAX, &patch, err);
	if (r == MLP_ENOTFOUND) {
		reproduce_row(re, "code", "uncommitted changes", re->code.diff, NULL, "missing");
		re->breaking++;
		return 0;
	}
	return r ? r : vcs_apply(re->tree, patch.buf, patch.len, err);
}

/* A recorded name may be anything; it must lead nowhere but below the tree, and not into
 * what git itself reads. */
static bool is_restorable(const char *path)
{
	if (!*path || *path == '/')
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!n || (n == 1 && path[0] == '.') || (n == 2 && !strncmp(path, "..", 2)) ||
		    (n == 4 && !strncasecmp(path, ".git", 4)))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

int reproduce_parents(struct reproduction *re, const char *to)
{
	_cleanup_free_ char *full = xstrdup(to);
	struct mlp_error *err = &re->ctx->err;

	for (char *s = full + strlen(re->tree) + 1; (s = strchr(s, '/')); s++) {
		struct stat st;

		*s = '\0';
		if (mkdir(full, 0777) && errno != EEXIST)
			return mlp_error_errno(err, errno, "cannot make '%s'", full);
		if (lstat(full, &st) || !S_ISDIR(st.st_mode))
			return mlp_error_set(err, MLP_EINVAL, "cannot restore '%s': '%s' is no folder",
					     to, full);
		*s = '/';
	}
	return 0;
}

static int restore_link(struct reproduction *re, const struct run_file *file, const char *to)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	int r = object_read(&re->ctx->repo, file->sha256, LINK_MAX, &target, &re->ctx->err);

	if (r)
		return r;
	unlink(to);
	if (symlink(target.buf, to))
		return mlp_error_errno(&re->ctx->err, errno, "cannot make the link '%s'", to);
	return 0;
}

/* Where the store has no content the file may still be where it was, unchanged. */
static bool restore_from_origin(struct reproduction *re, const struct run_file *file,
				const char *to)
{
	_cleanup_free_ char *from = path_join(re->code.root, file->path);
	_cleanup_close_ int in = -1, out = -1;
	struct object_id id;

	if (!file->sha256 || !S_ISREG(file->mode) || object_hash_file(from, &id, NULL) ||
	    strcmp(id.hex, file->sha256))
		return false;
	in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode & 0777);
	return in >= 0 && out >= 0 && !file_copy_fd(in, out);
}

static int restore_file(struct reproduction *re, const struct run_file *file)
{
	struct mlp_error *err = &re->ctx->err;
	_cleanup_free_ char *to = path_join(re->tree, file->path);
	int r = is_restorable(file->path) ? reproduce_parents(re, to) : MLP_EINVAL;

	if (!r) {
		if (S_ISDIR(file->mode))
			r = MLP_ENOTFOUND;
		else if (!file->stored)
			r = restore_from_origin(re, file, to) ? 0 : MLP_ENOTFOUND;
		else if (S_ISLNK(file->mode))
			r = restore_link(re, file, to);
		else
			r = object_extract(&re->ctx->repo, file->sha256, to, file->mode & 0777, err);
	}
	if (r && r != MLP_ESYSTEM && r != MLP_EFULL) {
		reproduce_row(re, "code", file->path, file->sha256, NULL,
			      r == MLP_ENOTFOUND ? "missing" : "damaged");
		re->breaking++;
		return 0;
	}
	return r;
}

static int restore_untracked(struct reproduction *re)
{
	_release_(run_files_release) struct run_files files = { 0 };
	int r = run_files_get(re->ctx->db, re->run.id, FILE_UNTRACKED, &files, &re->ctx->err);

	for (size_t i = 0; !r && i < files.len; i++)
		r = restore_file(re, &files.v[i]);
	return r;
}

static int make_tree(struct reproduction *re)
{
	struct mlp_error *err = &re->ctx->err;
	int r;

	if (re->opts->dir) {
		re->tree = path_absolute(re->opts->dir);
		if (rmdir(re->tree) && errno != ENOENT)
			return mlp_error_errno(err, errno, "cannot use the folder '%s'", re->tree);
	} else {
		_cleanup_free_ char *name = xasprintf("tmp/reproduce-%s-%d", re->run.uuid,
						      (int)getpid());

		re->tree = repo_path(&re->ctx->repo, name);
		re->remove = !re->opts->keep;
	}
	r = path_mkdirs(re->tree, 0777);
	return r ? mlp_error_errno(err, r, "cannot make '%s'", re->tree) : 0;
}

/* "python" of an environment in the project that git ignores: .venv/bin/python. */
static void link_program(struct reproduction *re)
{
	const char *name = re->command.argv.v[0], *slash = strchr(name, '/');
	_cleanup_free_ char *first = NULL, *from = NULL, *to = NULL;

	if (!slash || slash == name)
		return;
	first = xmemdupz(name, (size_t)(slash - name));
	from = path_join(re->origin, first);
	to = path_join(re->cwd, first);
	if (first[0] != '.' || strcmp(first, "..") == 0 || !first[1] || !access(to, F_OK) ||
	    access(from, F_OK))
		return;
	if (symlink(from, to))
		cmd_warn("cannot link '%s' into the work tree: %s", first, strerror(errno));
}

static void warn_absolute(struct reproduction *re)
{
	for (size_t i = 1; i < re->command.argv.len; i++)
		if (path_below(re->command.argv.v[i], re->code.root))
			cmd_warn("the argument '%s' names the original work tree, not the restored "
				 "one", re->command.argv.v[i]);
}

int reproduce_code(struct reproduction *re)
{
	_cleanup_free_ char *root = find_root(re);
	const char *below = path_below(re->command.cwd, re->code.root);
	int r;

	if (!root) {
		mlp_error_set(&re->ctx->err, MLP_EMISSING, "commit '%s' is not in '%s'",
			      re->code.commit ? re->code.commit : "none", re->code.root);
		if (re->code.remote)
			mlp_error_hint(&re->ctx->err, "fetch it from '%s'", re->code.remote);
		return MLP_EMISSING;
	}
	r = make_tree(re);
	if (!r)
		r = vcs_export(root, re->code.commit, re->tree, &re->ctx->err);
	if (!r)
		r = export_submodules(re, root);
	if (!r)
		r = apply_changes(re);
	if (!r)
		r = restore_untracked(re);
	if (r)
		return r;
	re->cwd = below && *below ? path_join(re->tree, below) : xstrdup(re->tree);
	if (access(re->origin, F_OK)) { /* moved, or a work tree of mlp reproduce itself */
		free(re->origin);
		re->origin = below && *below ? path_join(root, below) : steal_ptr(&root);
	}
	r = path_mkdirs(re->cwd, 0777);
	if (r)
		return mlp_error_errno(&re->ctx->err, r, "cannot make '%s'", re->cwd);
	link_program(re);
	if (json_text(json_get(re->detail, "filter")))
		cmd_warn("the filter '%s' of git is not run: files are as git stores them",
			 json_text(json_get(re->detail, "filter")));
	warn_absolute(re);
	return 0;
}
