/* SPDX-License-Identifier: Apache-2.0 */
/* libgit2 as loaded at run time: a table of the functions that lib/vcs calls, with the
 * types its own header gives them. */
#ifndef VCS_LIBGIT2_H
#define VCS_LIBGIT2_H

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdbool.h>

#include "lib/core/error.h"
#include "lib/vcs/git.h"

#define LIBGIT2_FUNCTIONS(X)             \
	X(git_apply)                     \
	X(git_apply_to_tree)             \
	X(git_checkout_index)            \
	X(git_revparse_single)           \
	X(git_attr_get)                  \
	X(git_attr_value)                \
	X(git_blob_free)                 \
	X(git_blob_lookup)               \
	X(git_blob_rawcontent)           \
	X(git_blob_rawsize)              \
	X(git_checkout_tree)             \
	X(git_commit_free)               \
	X(git_commit_lookup)             \
	X(git_commit_tree)               \
	X(git_config_free)               \
	X(git_config_iterator_free)      \
	X(git_config_iterator_new)       \
	X(git_config_next)               \
	X(git_config_open_ondisk)        \
	X(git_config_get_entry)          \
	X(git_config_entry_free)         \
	X(git_config_set_string)         \
	X(git_diff_free)                 \
	X(git_diff_from_buffer)          \
	X(git_diff_get_delta)            \
	X(git_diff_num_deltas)           \
	X(git_diff_print)                \
	X(git_diff_tree_to_workdir)      \
	X(git_diff_tree_to_workdir_with_index) \
	X(git_error_last)                \
	X(git_ignore_add_rule)           \
	X(git_index_entrycount)          \
	X(git_index_free)                \
	X(git_index_get_byindex)         \
	X(git_libgit2_init)              \
	X(git_libgit2_opts)              \
	X(git_object_free)               \
	X(git_object_lookup)             \
	X(git_oid_equal)                 \
	X(git_oid_fromstr)               \
	X(git_oid_tostr)                 \
	X(git_reference_free)            \
	X(git_reference_lookup)          \
	X(git_reference_name_to_id)      \
	X(git_reference_symbolic_target) \
	X(git_repository_commondir)      \
	X(git_repository_config)         \
	X(git_repository_free)           \
	X(git_repository_index)          \
	X(git_repository_init)           \
	X(git_repository_is_bare)        \
	X(git_repository_open_ext)       \
	X(git_repository_set_head_detached) \
	X(git_repository_workdir)        \
	X(git_tree_entry_bypath)         \
	X(git_tree_entry_filemode)       \
	X(git_tree_entry_free)           \
	X(git_tree_entry_id)             \
	X(git_tree_free)

struct libgit2 {
#define X(name) __typeof__(&name) name;
	LIBGIT2_FUNCTIONS(X)
#undef X
};

/* Loads and starts the library once; NULL with err when it is not installed. */
const struct libgit2 *libgit2_load(struct mlp_error *err);
/* Fills err with what the library says went wrong; returns MLP_EFAIL. */
int libgit2_error(const struct libgit2 *git, struct mlp_error *err, const char *what,
		  const char *name);
/* The repository whose work tree is root; *foreign when another user owns it. */
int libgit2_open(const struct libgit2 *git, const char *root, git_repository **out,
		 struct mlp_error *err);

/* Submodules in submodules in ...: deeper ones are left alone. */
enum { VCS_DEPTH_MAX = 8 };

/* A checked-out submodule within a state. */
struct vcs_nested {
	char *path;
	struct vcs_state state;
};

struct vcs_walk {
	const struct libgit2 *git;
	git_repository *repo;
	git_tree *tree;	      /* of the commit; NULL: the empty one */
	git_diff *diff;	      /* commit to work tree */
	git_diff *conflicted; /* the same for paths in conflict, where diff has no content */
	bool changed;	      /* diff holds more than untracked files */
	VEC(struct vcs_nested) nested;
};

/* Fills filter and filtered. */
void vcs_count_filtered(struct vcs_state *s, git_index *index);
/* Options that both walks share. */
void vcs_diff_options(git_diff_options *opts);

#endif
