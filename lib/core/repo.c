/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/repo.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

void repo_release(struct repo *repo)
{
	free(repo->root);
	free(repo->dir);
	free(repo->db_path);
	settings_release(&repo->settings);
	*repo = (struct repo)REPO_INIT;
}

char *repo_path(const struct repo *repo, const char *inside)
{
	return path_join(repo->dir, inside);
}

char *repo_system_settings_path(void)
{
	const char *path = getenv("MLP_CONFIG_SYSTEM");

	return xstrdup(path ? path : SYSCONFDIR "/mlpconfig");
}

char *repo_user_settings_path(void)
{
	const char *path = getenv("MLP_CONFIG_GLOBAL");
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (path)
		return xstrdup(path);
	if (xdg && xdg[0] == '/')
		return path_join(xdg, "mlp/config");
	return home && *home ? path_join(home, ".config/mlp/config") : NULL;
}

/* MLP_CONFIG_COUNT=n with MLP_CONFIG_KEY_i and MLP_CONFIG_VALUE_i, as in git. */
static int read_environment(struct settings *s, struct mlp_error *err)
{
	const char *count = getenv("MLP_CONFIG_COUNT");
	int64_t n;

	if (!count)
		return 0;
	if (!text_parse_int(count, &n) || n < 0 || n > 1000)
		return mlp_error_set(err, MLP_EINVAL, "bad count '%s' in MLP_CONFIG_COUNT", count);
	for (int64_t i = 0; i < n; i++) {
		_cleanup_free_ char *k = xasprintf("MLP_CONFIG_KEY_%d", (int)i);
		_cleanup_free_ char *v = xasprintf("MLP_CONFIG_VALUE_%d", (int)i);
		const char *key = getenv(k), *value = getenv(v);
		int r;

		if (!key || !value)
			return mlp_error_set(err, MLP_EINVAL, "missing '%s' in the environment",
					     key ? v : k);
		r = settings_add(s, key, value, SETTINGS_ENVIRONMENT, "environment", err);
		if (r)
			return r;
	}
	return 0;
}

int repo_read_settings(struct settings *s, const char *project_file, struct mlp_error *err)
{
	_cleanup_free_ char *system = repo_system_settings_path();
	_cleanup_free_ char *user = repo_user_settings_path();
	int r = settings_read_file(s, system, SETTINGS_SYSTEM, err);

	if (!r && user)
		r = settings_read_file(s, user, SETTINGS_USER, err);
	if (!r && project_file)
		r = settings_read_file(s, project_file, SETTINGS_PROJECT, err);
	return r ? r : read_environment(s, err);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* MLP_DIR is taken as given: another folder than a project must not get a store. */
static bool is_project(const char *dir)
{
	_cleanup_free_ char *db = path_join(dir, "mlp.db");

	return is_dir(dir) && (!strcmp(path_basename(dir), ".mlp") || !access(db, F_OK));
}

/* The nearest folder at or above start that holds .mlp; NULL when none does. */
static char *find_root(char *start)
{
	for (;;) {
		_cleanup_free_ char *dir = path_join(start, ".mlp");
		char *slash;

		if (is_dir(dir))
			return xstrdup(start);
		slash = strrchr(start, '/');
		if (!slash || !start[1])
			return NULL;
		slash[slash == start] = '\0';
	}
}

static int locate(struct repo *repo, struct mlp_error *err)
{
	const char *env = getenv("MLP_DIR");
	_cleanup_free_ char *cwd = NULL;

	if (env && *env) {
		repo->dir = path_absolute(env);
		repo->root = path_dirname(repo->dir);
		if (is_project(repo->dir))
			return 0;
		return mlp_error_set(err, MLP_ENOTFOUND, "no project at '%s' (from MLP_DIR)",
				     repo->dir);
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return mlp_error_errno(err, errno, "cannot read the current folder");
	repo->root = find_root(cwd);
	if (!repo->root) {
		mlp_error_set(err, MLP_ENOTFOUND, "not a project: no '.mlp' here or above");
		mlp_error_hint(err, "'mlp init' makes one");
		return MLP_ENOTFOUND;
	}
	repo->dir = path_join(repo->root, ".mlp");
	return 0;
}

/* Both of the folder and of a link to it: either could be changed by its owner. */
static bool is_own(const char *dir)
{
	struct stat link, st;

	return !lstat(dir, &link) && !stat(dir, &st) &&
	       (link.st_uid == geteuid() || !link.st_uid) && (st.st_uid == geteuid() || !st.st_uid);
}

static int read_project(struct repo *repo, struct mlp_error *err)
{
	_cleanup_free_ char *config = repo_path(repo, "config");
	const char *text;
	int64_t version;
	int r;

	repo->db_path = repo_path(repo, "mlp.db");
	r = repo_read_settings(&repo->settings, config, err);
	if (!is_own(repo->dir))
		for (size_t i = 0; i < repo->settings.len; i++)
			repo->settings.v[i].foreign = repo->settings.v[i].level == SETTINGS_PROJECT;
	text = r ? NULL : settings_get(&repo->settings, "core.version");
	if (!text || !text_parse_int(text, &version) || version <= 1)
		return r;
	mlp_error_set(err, MLP_EINVAL, "the project '%s' has version %" PRId64
		      ", this mlp knows version 1", repo->dir, version);
	mlp_error_hint(err, "use the newer mlp that made it");
	return MLP_EINVAL;
}

int repo_discover(struct repo *repo, struct mlp_error *err)
{
	int r = locate(repo, err);

	return r ? r : read_project(repo, err);
}

int repo_open_at(struct repo *repo, const char *root, struct mlp_error *err)
{
	repo->root = path_absolute(root);
	repo->dir = path_join(repo->root, ".mlp");
	return read_project(repo, err);
}

static int make_file(const char *dir, const char *name, const char *text, struct mlp_error *err)
{
	_cleanup_free_ char *path = path_join(dir, name);
	int r;

	if (!access(path, F_OK))
		return 0;
	r = file_replace(path, text, strlen(text), 0644);
	return r ? mlp_error_errno(err, r, "cannot write '%s'", path) : 0;
}

int repo_create(const char *root, bool *made, struct mlp_error *err)
{
	static const char *const folders[] = { "", "objects", "runs", "tmp" };
	_cleanup_free_ char *abs = path_absolute(root), *cwd = NULL;
	_cleanup_free_ char *dir = path_join(abs, ".mlp");
	int r;

	if (!*root)
		return mlp_error_set(err, MLP_EINVAL, "cannot make a project in ''");
	cwd = getcwd(NULL, 0);
	if (!cwd && *root != '/')
		return mlp_error_errno(err, errno, "cannot make a project in '%s'", root);
	*made = !is_dir(dir);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = path_join(dir, folders[i]);

		r = path_mkdirs(path, 0777);
		if (r)
			return mlp_error_errno(err, r, "cannot make folder '%s'", path);
	}
	/* A folder that ignores itself: git never offers to add it. */
	r = make_file(dir, ".gitignore", "*\n", err);
	return r ? r : make_file(dir, "config", "[core]\n\tversion = 1\n", err);
}
