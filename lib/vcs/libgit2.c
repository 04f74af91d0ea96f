/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/vcs/libgit2.h"

#include "lib/core/library.h"

static struct libgit2 table;
static const struct library_symbol symbols[] = {
#define X(name) { #name, &table.name },
	LIBGIT2_FUNCTIONS(X)
#undef X
};

static bool start(void)
{
	/* Work trees added by "git worktree", sparse and partial clones say so with an
	 * extension; none of them changes how what is here is read. */
	static const char *extensions[] = { "worktreeconfig", "partialclone", "preciousobjects" };

	if (table.git_libgit2_init() < 0)
		return false;
	/* The check of owners guards against settings that run programs; libgit2 runs
	 * none.  Containers and CI mount work trees of other users all the time. */
	table.git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	table.git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, ARRAY_SIZE(extensions));
	table.git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	return true;
}

static struct library library =
	LIBRARY_INIT(LIBGIT2_SONAME, "install libgit2 to have code recorded", symbols, start);

const struct libgit2 *libgit2_load(struct mlp_error *err)
{
	return library_load(&library, err) ? NULL : &table;
}

int libgit2_error(const struct libgit2 *git, struct mlp_error *err, const char *what,
		  const char *name)
{
	const git_error *last = git->git_error_last();
	const char *why = last && last->message ? last->message : "unknown reason";

	/* Never "not found", which callers take for "no git here". */
	return mlp_error_set(err, MLP_EFAIL, "%s '%s': %s", what, name, why);
}

int libgit2_open(const struct libgit2 *git, const char *root, git_repository **out,
		 struct mlp_error *err)
{
	int rc = git->git_repository_open_ext(out, root, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	return rc ? libgit2_error(git, err, "cannot open the git repository", root) : 0;
}
