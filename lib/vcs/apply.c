/* SPDX-License-Identifier: Apache-2.0 */
/* A patch of vcs_diff() on top of an exported commit. */
#include "config.h"

#include <string.h>

#include "lib/vcs/libgit2.h"

/* The end of the file's part of the patch that starts at text: lines of hunks start
 * with a sign, and lines of binary data hold no blank, so no content looks like it. */
static size_t part_length(const char *text, size_t len)
{
	static const char start[] = "\ndiff --git ";
	const char *next = memmem(text, len, start, sizeof(start) - 1);

	return next ? (size_t)(next + 1 - text) : len;
}

static bool is_below_any(const char *path, const struct strvec *folders)
{
	for (size_t i = 0; i < folders->len; i++) {
		size_t n = strlen(folders->v[i]);

		if (!strncmp(path, folders->v[i], n) && path[n] == '/')
			return true;
	}
	return false;
}

static int find_submodules(const struct libgit2 *git, git_repository *repo, struct strvec *out)
{
	git_index *index = NULL;
	int rc = git->git_repository_index(&index, repo);
	size_t n = rc ? 0 : git->git_index_entrycount(index);

	for (size_t i = 0; i < n; i++) {
		const git_index_entry *e = git->git_index_get_byindex(index, i);

		if (e->mode == GIT_FILEMODE_COMMIT)
			strvec_push(out, e->path);
	}
	git->git_index_free(index);
	return rc;
}

/* Sorts the parts of a patch into those of the work tree and those of its submodules. */
static int split(const struct libgit2 *git, git_repository *repo, const char *patch, size_t len,
		 struct strbuf *own, struct strbuf *below)
{
	_release_(strvec_release) struct strvec submodules = STRVEC_INIT;
	int rc = find_submodules(git, repo, &submodules);

	if (!rc && !submodules.len) {
		strbuf_add(own, patch, len);
		return 0;
	}
	while (!rc && len) {
		size_t n = part_length(patch, len);
		git_diff *part = NULL;

		rc = git->git_diff_from_buffer(&part, patch, n);
		if (!rc) {
			const git_diff_delta *d = git->git_diff_get_delta(part, 0);

			strbuf_add(d && is_below_any(d->new_file.path, &submodules) ? below : own,
				   patch, n);
		}
		git->git_diff_free(part);
		patch += n;
		len -= n;
	}
	return rc;
}

/* By way of a tree in memory: libgit2's own way into a work tree reads symbolic links
 * through. */
static int apply_own(const struct libgit2 *git, git_repository *repo, git_diff *diff)
{
	git_checkout_options opts = GIT_CHECKOUT_OPTIONS_INIT;
	git_object *tree = NULL;
	git_index *index = NULL;
	int rc = git->git_revparse_single(&tree, repo, "HEAD^{tree}");

	if (rc) /* no commit yet: nothing to read through */
		return git->git_apply(repo, diff, GIT_APPLY_LOCATION_WORKDIR, NULL);
	rc = git->git_apply_to_tree(&index, repo, (git_tree *)tree, diff, NULL);
	opts.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
	if (!rc)
		rc = git->git_checkout_index(repo, index, &opts);
	git->git_index_free(index);
	git->git_object_free(tree);
	return rc;
}

static int apply_text(const struct libgit2 *git, git_repository *repo, const struct strbuf *patch,
		      bool own)
{
	git_diff *diff = NULL;
	int rc = 0;

	if (!patch->len)
		return 0;
	rc = git->git_diff_from_buffer(&diff, patch->buf, patch->len);
	if (!rc && own)
		rc = apply_own(git, repo, diff);
	else if (!rc)
		rc = git->git_apply(repo, diff, GIT_APPLY_LOCATION_WORKDIR, NULL);
	git->git_diff_free(diff);
	return rc;
}

int vcs_apply(const char *dest, const char *patch, size_t len, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf own = STRBUF_INIT, below = STRBUF_INIT;
	const struct libgit2 *git = libgit2_load(err);
	git_repository *repo = NULL;
	int r;

	if (!git)
		return MLP_EUNSUPPORTED;
	r = libgit2_open(git, dest, &repo, err);
	if (r)
		return r;
	r = split(git, repo, patch, len, &own, &below);
	if (!r)
		r = apply_text(git, repo, &own, true);
	if (!r)
		r = apply_text(git, repo, &below, false);
	if (r)
		r = libgit2_error(git, err, "cannot apply the recorded changes in", dest);
	git->git_repository_free(repo);
	return r;
}
