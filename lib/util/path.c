/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/strbuf.h"
#include "lib/util/xalloc.h"

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	if (b[0] == '/' || !n)
		return xstrdup(b);
	return xasprintf(a[n - 1] == '/' ? "%s%s" : "%s/%s", a, b);
}

/* Appends one component to an absolute path, folding "." and "..". */
static void add_component(struct strbuf *sb, const char *s, size_t len)
{
	if (!len || (len == 1 && s[0] == '.'))
		return;
	if (len == 2 && s[0] == '.' && s[1] == '.') {
		char *slash = strrchr(sb->buf, '/');

		strbuf_setlen(sb, slash ? (size_t)(slash - sb->buf) : 0);
		return;
	}
	strbuf_addch(sb, '/');
	strbuf_add(sb, s, len);
}

static void add_components(struct strbuf *sb, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		add_component(sb, path, n);
		path += n + (path[n] == '/');
	}
}

char *path_absolute(const char *path)
{
	struct strbuf sb = STRBUF_INIT;

	if (path[0] != '/') {
		_cleanup_free_ char *cwd = getcwd(NULL, 0);

		add_components(&sb, cwd ? cwd : "/");
	}
	add_components(&sb, path);
	if (!sb.len)
		strbuf_addch(&sb, '/');
	return strbuf_detach(&sb);
}

/* Of ".." components only others of that kind stand in front. */
static bool ends_in_parent(const struct strbuf *sb)
{
	return sb->len >= 2 && !strcmp(sb->buf + sb->len - 2, "..") &&
	       (sb->len == 2 || sb->buf[sb->len - 3] == '/');
}

char *path_normal(const char *path)
{
	struct strbuf sb = STRBUF_INIT;

	if (*path == '/') {
		add_components(&sb, path);
		return sb.len ? strbuf_detach(&sb) : xstrdup("/");
	}
	for (; *path; path += *path == '/') {
		size_t n = strcspn(path, "/");
		bool parent = n == 2 && !memcmp(path, "..", 2);

		if (parent && sb.len && !ends_in_parent(&sb)) {
			const char *slash = strrchr(sb.buf, '/');

			strbuf_setlen(&sb, slash ? (size_t)(slash - sb.buf) : 0);
		} else if (n && (n != 1 || *path != '.')) {
			if (sb.len)
				strbuf_addch(&sb, '/');
			strbuf_add(&sb, path, n);
		}
		path += n;
	}
	if (!sb.len)
		strbuf_addch(&sb, '.');
	return strbuf_detach(&sb);
}

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xmemdupz(path, (size_t)(slash - path));
}

bool path_is_safe(const char *path)
{
	if (!*path)
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!n || (n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
				return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

const char *path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n && dir[n - 1] == '/')
		n--;
	if (strncmp(path, dir, n))
		return NULL;
	if (!path[n])
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

int path_mkdirs(const char *path, mode_t mode)
{
	_cleanup_free_ char *p = xstrdup(path);

	if (!mkdir(p, mode))
		return 0;
	if (errno == EEXIST) {
		struct stat st;

		return !stat(p, &st) && S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	}
	if (errno != ENOENT)
		return -errno;
	for (char *s = p + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		if (mkdir(p, mode) && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return mkdir(p, mode) && errno != EEXIST ? -errno : 0;
}

static int remove_at(int dirfd, const char *name);

static int remove_entries(DIR *dir)
{
	struct dirent *e;
	int first = 0;

	while ((e = readdir(dir))) {
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = remove_at(dirfd(dir), e->d_name);
		if (!first)
			first = r;
	}
	return first;
}

static int remove_at(int parent, const char *name)
{
	int fd, r, removed;
	DIR *dir;

	if (!unlinkat(parent, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	r = remove_entries(dir);
	closedir(dir);
	removed = unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
	return r ? r : removed;
}

int path_remove_tree(const char *path)
{
	return remove_at(AT_FDCWD, path);
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

char *path_find_program(const char *name)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/'))
		return is_program(name) ? xstrdup(name) : NULL;
	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	while (*name) {
		size_t n = strcspn(dirs, ":");
		_cleanup_free_ char *dir = n ? xmemdupz(dirs, n) : xstrdup(".");
		_cleanup_free_ char *full = path_join(dir, name);

		if (is_program(full))
			return steal_ptr(&full);
		if (!dirs[n])
			return NULL;
		dirs += n + 1;
	}
	return NULL;
}
