/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Artifacts on this machine.  Sources come from others: what they name is read below one
 * folder only, and no link is followed on the way.
 */
#ifndef MLFLOW_LOCAL_H
#define MLFLOW_LOCAL_H

#include "lib/mlflow/source.h"

struct local_root {
	char *path; /* absolute, links followed */
	int fd;
};
#define LOCAL_ROOT_INIT { .fd = -1 }
int local_root_open(struct local_root *root, const char *path, struct mlp_error *err);
void local_root_release(struct local_root *root);

/* Opens a path below a folder, "" for the folder itself, without following links: a
 * descriptor or -errno. */
int local_open_below(int fd, const char *below, int flags);

/* Finds the folder that uri (may be NULL) names: at its own place, or moved along with the
 * root.  own: where it would be by itself, below the root, or NULL; id: of the run or model.
 * A descriptor; or -1, and *elsewhere says whether it may be out of reach instead of never
 * made. */
int local_find(const struct local_root *root, const char *uri, const char *own, const char *id,
	       bool *elsewhere);

/* All regular files below a folder, as artifacts. */
struct local_tree;
/* Takes fd over; of fd -1 there are none. */
struct local_tree *local_tree_new(int fd, const struct mlp_events *events);
void local_tree_free(struct local_tree *tree);
DEFINE_CLEANUP(struct local_tree *, local_tree_free);
int local_tree_next(struct local_tree *tree, struct mlflow_artifact *out, struct mlp_error *err);
/* Opens the file given last: a descriptor, or MLP_ENOTFOUND. */
int local_tree_open(struct local_tree *tree, const struct mlflow_artifact *a, struct mlp_error *err);

#endif
