/* SPDX-License-Identifier: Apache-2.0 */
/* Finding artifact folders, and reading files. */
#include "config.h"

#include "lib/mlflow/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/http/uri.h"
#include "lib/util/path.h"

int local_root_open(struct local_root *root, const char *path, struct mlp_error *err)
{
	root->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return mlp_error_errno(err, errno, "cannot open the folder '%s'", path);
	root->path = realpath(path, NULL);
	if (!root->path)
		root->path = path_absolute(path);
	return 0;
}

void local_root_release(struct local_root *root)
{
	free(root->path);
	if (root->fd >= 0)
		close(root->fd);
	*root = (struct local_root)LOCAL_ROOT_INIT;
}

int local_open_below(int fd, const char *below, int flags)
{
	_cleanup_close_ int dir = -1;

	if (*below && !path_is_safe(below))
		return -EINVAL;
	for (;;) {
		size_t n = strcspn(below, "/");
		_cleanup_free_ char *part = n ? xmemdupz(below, n) : xstrdup(".");
		bool is_last = !below[n];
		int next = openat(dir < 0 ? fd : dir, part,
				  (is_last ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW |
					  O_CLOEXEC | O_NONBLOCK);

		if (next < 0)
			return -errno;
		if (is_last)
			return next;
		if (dir >= 0)
			close(dir);
		dir = next;
		below += n + 1;
	}
}

static int open_folder(const struct local_root *root, const char *prefix, const char *below)
{
	_cleanup_free_ char *path = *prefix ? path_join(prefix, below) : xstrdup(below);
	size_t n = strlen(path);
	int fd;

	while (n && path[n - 1] == '/')
		path[--n] = '\0';
	fd = local_open_below(root->fd, path, O_RDONLY | O_DIRECTORY);
	return MAX(fd, -1);
}

/* The path that a URI of a file store or of a server's proxy names, or NULL; *proxied says
 * that it is relative to a server's folder of artifacts. */
static char *local_path(const char *uri, bool *proxied)
{
	const char *scheme = strstr(uri, ":/"), *path = uri;
	struct uri parsed = { 0 };
	char *out = NULL;

	*proxied = !strncmp(uri, "mlflow-artifacts:", 17);
	if (!scheme || strchr(uri, '/') < scheme)
		return strncmp(uri, "file:", 5) ? xstrdup(uri) : NULL;
	if (!*proxied && strncmp(uri, "file:", 5) != 0)
		return NULL;
	path = scheme + 1;
	if (!strncmp(path, "//", 2)) { /* a host, which is left out */
		path = strchr(path + 2, '/');
		if (!path)
			return NULL;
	}
	uri_parse(&parsed, path);
	if (parsed.path)
		out = xstrdup(parsed.path);
	uri_release(&parsed);
	return out;
}

/* What is left of path from the experiment on: "<experiment>/<run>/artifacts" or
 * "<experiment>/models/<model>/artifacts", where that is what it ends in. */
static const char *tail_of(const char *path, const char *id)
{
	_cleanup_free_ char *end = xasprintf("/%s/artifacts", id);
	size_t n = strlen(path), m = strlen(end);
	const char *p;

	while (n && path[n - 1] == '/')
		n--;
	if (n < m || strncmp(path + n - m, end, m) != 0)
		return NULL;
	p = path + n - m;
	if (p - path >= 7 && !strncmp(p - 7, "/models", 7))
		p -= 7;
	while (p > path && p[-1] != '/')
		p--;
	return *p == '/' ? p + 1 : p;
}

/* Where folders of artifacts stand in a root that was moved, or is a server's. */
static const char *const prefixes[] = { "", "mlruns", "mlartifacts" };

static int find_moved(const struct local_root *root, const char *path, const char *id)
{
	const char *tail = tail_of(path, id);
	int fd = -1;

	for (size_t i = 0; tail && fd < 0 && i < ARRAY_SIZE(prefixes); i++)
		fd = open_folder(root, prefixes[i], tail);
	return fd;
}

/* Is the folder of all artifacts that path leads through here?  Then what is not in it was
 * never made. */
static bool is_covered(const struct local_root *root, const char *path, bool proxied)
{
	for (size_t i = 1; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_free_ char *part = xasprintf("/%s/", prefixes[i]);
		_cleanup_close_ int fd = -1;

		if (proxied || strstr(path, part))
			fd = open_folder(root, "", prefixes[i]);
		if (fd >= 0)
			return true;
	}
	return false;
}

int local_find(const struct local_root *root, const char *uri, const char *own, const char *id,
	       bool *elsewhere)
{
	bool proxied = false;
	_cleanup_free_ char *path = uri ? local_path(uri, &proxied) : NULL, *full = NULL;
	const char *below = NULL;
	int fd = -1;

	*elsewhere = uri && *uri && !path;
	if (*elsewhere)
		return -1;
	if (path && !proxied) {
		_cleanup_free_ char *joined = path_join(root->path, path);

		full = path_absolute(joined);
		below = path_below(full, root->path);
	}
	if (below)
		fd = open_folder(root, "", below);
	if (fd < 0 && own && (!path || proxied || below || tail_of(path, id)))
		return open_folder(root, "", own);
	if (fd < 0 && path)
		fd = find_moved(root, path, id);
	*elsewhere = fd < 0 && path && !below && !is_covered(root, path, proxied);
	return fd;
}
