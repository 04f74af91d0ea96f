/* SPDX-License-Identifier: Apache-2.0 */
/* Reading small files and folders of mlruns/. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mlflow/source_files.h"
#include "lib/util/file.h"
#include "lib/util/path.h"

enum {
	META_MAX = 32 << 20, /* a dataset's profile may have 16 MiB */
	VALUE_MAX = 1 << 20, /* more of a parameter or tag is not looked at */
};

static bool is_folder(int dir, const char *name)
{
	struct stat st;

	return path_is_safe(name) && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

void files_folders(struct source_files *s, const char *dir, struct strvec *out)
{
	struct strvec names = STRVEC_INIT;
	int fd = local_open_below(s->root.fd, dir, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d)))
		if (is_folder(dirfd(d), entry->d_name))
			strvec_push(&names, entry->d_name);
	closedir(d);
	strvec_sort(&names);
	for (size_t i = 0; i < names.len; i++)
		strvec_push_take(out, *dir ? path_join(dir, names.v[i]) : xstrdup(names.v[i]));
	strvec_release(&names);
}

static int read_file(struct source_files *s, const char *path, size_t max, struct strbuf *out)
{
	_cleanup_close_ int fd = local_open_below(s->root.fd, path, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	return file_read_fd(fd, max, out);
}

bool files_has_meta(struct source_files *s, const char *dir)
{
	_cleanup_free_ char *path = path_join(dir, "meta.yaml");
	_cleanup_close_ int fd = local_open_below(s->root.fd, path, O_RDONLY);

	return fd >= 0;
}

struct yaml *files_meta(struct source_files *s, const char *dir)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = path_join(dir, "meta.yaml");
	struct mlp_error err = MLP_ERROR_INIT;
	struct yaml *meta = NULL;
	int r = read_file(s, path, META_MAX, &text);

	if (r == -ENOENT)
		return NULL;
	if (r)
		mlp_error_errno(&err, r, "cannot read it");
	else
		r = yaml_read(&meta, text.buf, text.len, &err);
	if (!r && (!yaml_size(meta) || !yaml_key(meta, 0))) /* being written, or cut short */
		r = mlp_error_set(&err, MLP_EINVAL, "it has no keys");
	if (!r)
		return meta;
	yaml_free(meta);
	mlp_warn(s->base.events, "left out: '%s': %s", path, err.text);
	return NULL;
}

struct local_tree *files_tree(struct source_files *s, const char *dir, const char *sub)
{
	_cleanup_free_ char *path = path_join(dir, sub);
	int fd = local_open_below(s->root.fd, path, O_RDONLY | O_DIRECTORY);

	return local_tree_new(MAX(fd, -1), s->base.events);
}

static int read_value(struct local_tree *tree, const struct mlflow_artifact *file,
		      struct strbuf *out, struct mlp_error *err)
{
	_cleanup_close_ int fd = local_tree_open(tree, file, err);
	ssize_t n = 0;
	char piece[4096];

	if (fd < 0)
		return fd;
	while (out->len < VALUE_MAX && (n = file_read_some(fd, piece, sizeof(piece))) > 0)
		strbuf_add(out, piece, (size_t)n);
	return n < 0 ? mlp_error_errno(err, (int)-n, "cannot read the file '%s'", file->path) : 0;
}

void files_pairs(struct source_files *s, const char *dir, const char *sub, struct key_values *out)
{
	_cleanup_(local_tree_free) struct local_tree *tree = files_tree(s, dir, sub);
	struct mlflow_artifact file;

	while (local_tree_next(tree, &file, NULL) > 0) {
		_release_(strbuf_release) struct strbuf value = STRBUF_INIT;
		struct mlp_error err = MLP_ERROR_INIT;

		if (!read_value(tree, &file, &value, &err)) {
			struct key_value pair = { file.path, strbuf_detach(&value) };

			file.path = NULL;
			vec_push(out, pair);
			continue;
		}
		mlp_warn(s->base.events, "left out: %s", err.text);
		mlflow_artifact_release(&file);
	}
}

char *files_text(const struct yaml *meta, const char *key)
{
	return xstrdup_null(yaml_text(yaml_member(meta, key)));
}

int64_t files_time(const struct yaml *meta, const char *key)
{
	return yaml_int(yaml_member(meta, key), 0);
}
