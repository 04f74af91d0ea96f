/* SPDX-License-Identifier: Apache-2.0 */
/* A commit's files in another folder, and a patch on top of them. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/vcs/libgit2.h"

bool vcs_has_commit(const char *root, const char *commit)
{
	const struct libgit2 *git = libgit2_load(NULL);
	git_repository *repo = NULL;
	git_object *object = NULL;
	git_oid oid;
	bool found;

	if (!git)
		return false;
	found = !libgit2_open(git, root, &repo, NULL) && !git->git_oid_fromstr(&oid, commit) &&
		!git->git_object_lookup(&object, repo, &oid, GIT_OBJECT_COMMIT);
	git->git_object_free(object);
	git->git_repository_free(repo);
	return found;
}

/* Settings that decide what is written to files, and where the code comes from. */
static void copy_settings(const struct libgit2 *git, git_repository *from, git_repository *to)
{
	static const char *const keys[] = { "core.autocrlf",	 "core.eol", "core.filemode",
					    "core.symlinks",	 "core.ignorecase",
					    "remote.origin.url" };
	git_config *src = NULL, *dst = NULL;

	if (!git->git_repository_config(&src, from) && !git->git_repository_config(&dst, to))
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			git_config_entry *e = NULL;

			if (!git->git_config_get_entry(&e, src, keys[i])) {
				_cleanup_free_ char *value = vcs_clean_url(e->value);

				git->git_config_set_string(dst, keys[i], value);
			}
			git->git_config_entry_free(e);
		}
	git->git_config_free(src);
	git->git_config_free(dst);
}

/* What .git/info/name says counts in the copy too. */
static int copy_info(const char *common, const char *dest, const char *name, struct mlp_error *err)
{
	_cleanup_free_ char *from = xasprintf("%s/info/%s", common, name);
	_cleanup_free_ char *to = xasprintf("%s/.git/info/%s", dest, name);
	_cleanup_free_ char *dir = path_dirname(to);
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int r;

	if (file_read(from, 1 << 20, &text))
		return 0;
	r = path_mkdirs(dir, 0777);
	if (!r)
		r = file_replace(to, text.buf, text.len, 0666);
	return r ? mlp_error_errno(err, r, "cannot write '%s'", to) : 0;
}

/* Names the objects of the repository at common in dest, in a file of lines: what has a
 * line's end in it is named by a link. */
static int borrow_objects(const char *common, const char *dest, struct mlp_error *err)
{
	_cleanup_free_ char *alternates = xasprintf("%s/.git/objects/info/alternates", dest);
	_cleanup_free_ char *link = xasprintf("%s/.git/borrowed", dest);
	_cleanup_free_ char *line = strchr(common, '\n') ? xstrdup("../borrowed/objects\n") :
							   xasprintf("%s/objects\n", common);
	int r;

	if (strchr(common, '\n') && symlink(common, link))
		return mlp_error_errno(err, errno, "cannot make the link '%s'", link);
	r = file_replace(alternates, line, strlen(line), 0666);
	return r ? mlp_error_errno(err, r, "cannot write '%s'", alternates) : 0;
}

/* Makes dest a repository that finds its objects in from's. */
static int make_borrower(const struct libgit2 *git, git_repository *from, const char *dest,
			 git_repository **out, struct mlp_error *err)
{
	_cleanup_free_ char *common = path_absolute(git->git_repository_commondir(from));
	git_repository *made = NULL;
	int r = git->git_repository_init(&made, dest, 0);

	if (r)
		return libgit2_error(git, err, "cannot make a git repository in", dest);
	copy_settings(git, from, made);
	git->git_repository_free(made);
	r = copy_info(common, dest, "exclude", err);
	if (!r)
		r = copy_info(common, dest, "attributes", err);
	if (!r)
		r = borrow_objects(common, dest, err);
	if (r)
		return r;
	return libgit2_open(git, dest, out, err);
}

static int checkout(const struct libgit2 *git, git_repository *repo, const char *commit,
		    const char *dest, struct mlp_error *err)
{
	git_checkout_options opts = GIT_CHECKOUT_OPTIONS_INIT;
	git_object *object = NULL;
	git_oid oid;
	int rc = git->git_oid_fromstr(&oid, commit);

	opts.checkout_strategy = GIT_CHECKOUT_FORCE;
	if (!rc)
		rc = git->git_object_lookup(&object, repo, &oid, GIT_OBJECT_COMMIT);
	if (rc)
		return libgit2_error(git, err, "cannot find commit", commit);
	rc = git->git_checkout_tree(repo, object, &opts);
	if (!rc)
		rc = git->git_repository_set_head_detached(repo, &oid);
	git->git_object_free(object);
	return rc ? libgit2_error(git, err, "cannot write the files of the commit to", dest) :
		    0;
}

static int export(const struct libgit2 *git, const char *root, const char *commit,
		  const char *dest, int depth, struct mlp_error *err);

static int export_submodules(const struct libgit2 *git, git_repository *repo, const char *root,
			     const char *dest, int depth, struct mlp_error *err)
{
	git_index *index = NULL;
	int r = git->git_repository_index(&index, repo);
	size_t n = r ? 0 : git->git_index_entrycount(index);

	if (r)
		return libgit2_error(git, err, "cannot read the index of", dest);
	for (size_t i = 0; !r && i < n; i++) {
		const git_index_entry *e = git->git_index_get_byindex(index, i);
		_cleanup_free_ char *from = path_join(root, e->path);
		_cleanup_free_ char *to = path_join(dest, e->path);
		char hex[GIT_OID_HEXSZ + 1];

		if (e->mode != GIT_FILEMODE_COMMIT)
			continue;
		git->git_oid_tostr(hex, sizeof(hex), &e->id);
		if (vcs_has_commit(from, hex))
			r = export(git, from, hex, to, depth + 1, err);
	}
	git->git_index_free(index);
	return r;
}

static int export(const struct libgit2 *git, const char *root, const char *commit,
		  const char *dest, int depth, struct mlp_error *err)
{
	git_repository *from = NULL, *repo = NULL;
	int r = libgit2_open(git, root, &from, err);

	if (!r)
		r = make_borrower(git, from, dest, &repo, err);
	if (!r && commit)
		r = checkout(git, repo, commit, dest, err);
	if (!r && commit && depth < VCS_DEPTH_MAX)
		r = export_submodules(git, repo, root, dest, depth, err);
	git->git_repository_free(repo);
	git->git_repository_free(from);
	return r;
}

int vcs_export(const char *root, const char *commit, const char *dest, struct mlp_error *err)
{
	const struct libgit2 *git = libgit2_load(err);
	int r = git ? path_mkdirs(dest, 0777) : 0;

	if (!git)
		return MLP_EUNSUPPORTED;
	if (r)
		return mlp_error_errno(err, r, "cannot make '%s'", dest);
	return export(git, root, commit, dest, 0, err);
}
