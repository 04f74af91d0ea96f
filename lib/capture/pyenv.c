/* SPDX-License-Identifier: Apache-2.0 */
/* pyenv puts a script before each program on PATH that picks a version by the folder. */
#include "config.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/interpreter.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/vec.h"

enum { VERSION_FILE_MAX = 1 << 16 };

/* Words of a version file; a comment ends a line. */
static void add_words(struct strvec *out, const char *text)
{
	while (*text) {
		size_t n;

		text += strspn(text, ": \t\r\n");
		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		n = strcspn(text, ": \t\r\n#");
		if (n)
			strvec_push_take(out, xmemdupz(text, n));
		text += n;
	}
}

static bool read_words(struct strvec *out, const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_join(dir, name);
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (file_read(path, VERSION_FILE_MAX, &text))
		return false;
	add_words(out, text.buf);
	return true;
}

static void find_versions(struct strvec *out, const char *root, const char *dir)
{
	const char *value = getenv("PYENV_VERSION");
	_cleanup_free_ char *at = path_absolute(dir);

	if (value && *value) {
		add_words(out, value);
		return;
	}
	for (;;) {
		char *slash = strrchr(at, '/');

		if (read_words(out, at, ".python-version"))
			return;
		if (!slash || !slash[1])
			break;
		slash[slash == at] = '\0';
	}
	read_words(out, root, "version");
}

/* The newest version that word is the start of: "3.11" means 3.11.9. */
static char *newest(const char *root, const char *word)
{
	_cleanup_free_ char *path = path_join(root, "versions");
	size_t n = strlen(word);
	DIR *dir = opendir(path);
	struct dirent *e;
	char *best = NULL;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, word, n) || (e->d_name[n] && e->d_name[n] != '.') ||
		    (best && strverscmp(e->d_name, best) <= 0))
			continue;
		free(best);
		best = xstrdup(e->d_name);
	}
	if (dir)
		closedir(dir);
	return best;
}

static char *on_path_but(const char *shims, const char *name)
{
	_release_(strvec_release) struct strvec dirs = STRVEC_INIT;
	const char *path = getenv("PATH");

	strvec_split(&dirs, path ? path : "/usr/bin:/bin", ':');
	for (size_t i = 0; i < dirs.len; i++) {
		_cleanup_free_ char *full = path_join(dirs.v[i], name);

		if (strcmp(dirs.v[i], shims) && *dirs.v[i] && !access(full, X_OK))
			return steal_ptr(&full);
	}
	return NULL;
}

char *pyenv_resolve(const char *shim, const char *dir)
{
	_cleanup_free_ char *shims = path_dirname(shim), *root = path_dirname(shims);
	_cleanup_free_ char *versions = path_join(root, "versions");
	_release_(strvec_release) struct strvec words = STRVEC_INIT;
	const char *name = path_basename(shim);

	if (strcmp(path_basename(shims), "shims") || access(versions, F_OK))
		return NULL;
	find_versions(&words, root, dir);
	for (size_t i = 0; i < words.len; i++) {
		const char *word = words.v[i] + 7 * !strncmp(words.v[i], "python-", 7);
		_cleanup_free_ char *version = newest(root, word);
		_cleanup_free_ char *path =
			version ? xasprintf("%s/%s/bin/%s", versions, version, name) : NULL;

		if (path && !access(path, X_OK))
			return steal_ptr(&path);
	}
	return on_path_but(shims, name);
}
