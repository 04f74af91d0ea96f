/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git, by libgit2, which is loaded on first use (it takes 10 ms to start) and only
 * where a .git is found.  Nothing the repository's settings name is run (hooks, filters,
 * monitors), and its index is not written.  Safe to use from any thread, one state
 * in one thread at a time.
 */
#ifndef VCS_GIT_H
#define VCS_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"
#include "lib/util/vec.h"

struct vcs_submodule {
	char *path;   /* below the outermost work tree */
	char *commit; /* checked out there; recorded by its parent when nothing is */
	char *url;    /* credentials removed; or NULL */
	bool dirty;   /* changed, or at another commit than its parent says */
	bool present; /* checked out */
};

struct vcs_file {
	char *path;    /* relative to the work tree */
	int64_t size;
	unsigned mode; /* a folder: a repository of its own that is no submodule */
};

struct vcs_walk; /* what vcs_diff() needs later */

struct vcs_state {
	char *root;   /* the work tree, absolute */
	char *commit; /* hex; NULL: no commit yet */
	char *branch; /* short name, also of an unborn one; NULL: detached */
	char *remote; /* URL of origin, or of the only remote, credentials removed; or NULL */
	bool dirty;   /* differs from commit: tracked changes or untracked files */
	bool foreign; /* belongs to another user */
	char *problem; /* why the files could not be compared with the commit; or NULL */
	size_t filtered; /* tracked files that git passes through a program of the user's */
	char *filter;	 /* the name of such a filter; or NULL */
	int64_t changed_bytes; /* of the tracked files that changed: bounds vcs_diff()'s work */
	VEC(struct vcs_submodule) submodules;
	VEC(struct vcs_file) untracked; /* not ignored; sorted; .mlp left out; those in
					 * submodules included */
	struct vcs_walk *walk;
};

/* The work tree that holds dir, or NULL; costs a few lstat() only.  Caller frees. */
char *vcs_find(const char *dir);
/* The commit checked out in the work tree that holds dir, or NULL.  Caller frees. */
char *vcs_head(const char *dir);
/* A URL without user and password, which is all up to the last '@', also for one that is
 * not git's.  Caller frees. */
char *vcs_clean_url(const char *url);
/* The state of the work tree that holds dir.  MLP_ENOTFOUND when it is in none (a bare
 * repository counts as none), MLP_EUNSUPPORTED when libgit2 is not there. */
int vcs_state_read(const char *dir, struct vcs_state *out, struct mlp_error *err);
void vcs_state_release(struct vcs_state *state);
/* The patch from the state's commit to the work tree (index and work tree together, binary
 * files included, changes in submodules with their full path, untracked files not), as
 * "git apply --binary" reads it.  Calls write for each piece; empty when nothing tracked
 * changed.  An error of write ends it and is returned. */
int vcs_diff(const struct vcs_state *state,
	     int (*write)(void *data, const char *text, size_t len, struct mlp_error *err),
	     void *data, struct mlp_error *err);
/* Is the commit in the repository at root? */
bool vcs_has_commit(const char *root, const char *commit);
/* Writes the files of a commit (NULL: none) into dest, a folder made if absent, which
 * becomes a small repository at that commit that borrows the objects of the one at root.
 * That one's work tree, index and worktree list are not touched.  Submodules too, where they
 * are checked out at root. */
int vcs_export(const char *root, const char *commit, const char *dest, struct mlp_error *err);
/* Applies a patch made by vcs_diff() to the files in dest, made by vcs_export(). */
int vcs_apply(const char *dest, const char *patch, size_t len, struct mlp_error *err);

#endif
