/* SPDX-License-Identifier: Apache-2.0 */
/* Walking an artifact folder. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mlflow/local.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

enum { DEPTH_MAX = 64 };

struct level {
	DIR *dir;
	char *path; /* below the root */
};

struct local_tree {
	const struct mlp_events *events;
	struct level levels[DEPTH_MAX];
	size_t depth;
};

static void push(struct local_tree *tree, int fd, const char *path)
{
	DIR *dir = fdopendir(fd);

	if (dir)
		tree->levels[tree->depth++] = (struct level){ dir, xstrdup(path) };
	else
		close(fd);
}

static void pop(struct local_tree *tree)
{
	struct level *top = &tree->levels[--tree->depth];

	closedir(top->dir);
	free(top->path);
}

struct local_tree *local_tree_new(int fd, const struct mlp_events *events)
{
	struct local_tree *tree = xcalloc(1, sizeof(*tree));

	tree->events = events;
	if (fd >= 0)
		push(tree, fd, "");
	return tree;
}

void local_tree_free(struct local_tree *tree)
{
	if (!tree)
		return;
	while (tree->depth)
		pop(tree);
	free(tree);
}

static bool is_name(const char *name)
{
	return path_is_safe(name) && text_is_utf8(name, strlen(name));
}

/* 1 when the entry is a file: out is filled. */
static int look_at(struct local_tree *tree, const char *name, struct mlflow_artifact *out)
{
	struct level *top = &tree->levels[tree->depth - 1];
	_cleanup_free_ char *path = *top->path ? path_join(top->path, name) : xstrdup(name);
	struct stat st;
	int fd;

	if (!is_name(name) || fstatat(dirfd(top->dir), name, &st, AT_SYMLINK_NOFOLLOW)) {
		mlp_warn(tree->events, "left out: file '%s': not a name it can have here", path);
		return 0;
	}
	if (S_ISREG(st.st_mode)) {
		*out = (struct mlflow_artifact){ steal_ptr(&path), st.st_size };
		return 1;
	}
	if (!S_ISDIR(st.st_mode) || tree->depth == DEPTH_MAX) {
		mlp_warn(tree->events, "left out: file '%s': %s", path,
			 S_ISLNK(st.st_mode) ? "a link" :
			 S_ISDIR(st.st_mode) ? "too deep" : "not a file");
		return 0;
	}
	fd = local_open_below(dirfd(top->dir), name, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		push(tree, fd, path);
	else
		mlp_warn(tree->events, "left out: file '%s': %s", path, strerror(-fd));
	return 0;
}

int local_tree_next(struct local_tree *tree, struct mlflow_artifact *out, struct mlp_error *err)
{
	(void)err;
	while (tree->depth) {
		struct dirent *entry = readdir(tree->levels[tree->depth - 1].dir);

		if (!entry)
			pop(tree);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 look_at(tree, entry->d_name, out))
			return 1;
	}
	return 0;
}

int local_tree_open(struct local_tree *tree, const struct mlflow_artifact *a,
		    struct mlp_error *err)
{
	const char *name = path_basename(a->path);
	int fd = tree->depth ? local_open_below(dirfd(tree->levels[tree->depth - 1].dir), name,
						O_RDONLY) :
			       -ENOENT;

	if (fd < 0) {
		mlp_error_errno(err, -fd, "cannot read the file '%s'", a->path);
		return MLP_ENOTFOUND;
	}
	return fd;
}
