/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/interpreter.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

enum { HEAD_LEN = 1024, DEPTH_MAX = 4 };

char *program_find(const char *name, const char *dir)
{
	_cleanup_free_ char *path = NULL;

	if (!strchr(name, '/'))
		return path_find_program(name);
	path = path_join(dir, name);
	return path_find_program(path);
}

static bool is_python_name(const char *name)
{
	const char *rest = !strncmp(name, "python", 6) ? name + 6 :
			   !strncmp(name, "pypy", 4)   ? name + 4 :
							 NULL;

	return rest && strspn(rest, "0123456789.td-") == strlen(rest);
}

/* The next word of a line; quotes as pip writes them. */
static char *next_word(const char **line)
{
	const char *s = *line + strspn(*line, " \t");
	char quote = *s == '"' ? '"' : 0;
	size_t n;

	s += quote != 0;
	n = quote ? strcspn(s, "\"\n") : strcspn(s, " \t\r\n");
	*line = s + n + (quote && s[n] == quote);
	return n ? xmemdupz(s, n) : NULL;
}

/* What env would start: options and assignments are passed over. */
static char *after_env(const char *line)
{
	char *word;

	while ((word = next_word(&line))) {
		if (word[0] != '-' && !strchr(word, '='))
			return word;
		free(word);
	}
	return NULL;
}

char *interpreter_of_script(const char *head)
{
	static const char trick[] = "'''exec' "; /* second line, for paths over 127 bytes */
	_cleanup_free_ char *first = NULL;
	const char *line = head + 2;

	if (strncmp(head, "#!", 2))
		return NULL;
	first = next_word(&line);
	if (!first)
		return NULL;
	if (!strcmp(path_basename(first), "env"))
		return after_env(line);
	line = strchr(line, '\n');
	if (line && !strncmp(line + 1, trick, sizeof(trick) - 1)) {
		line += sizeof(trick);
		return next_word(&line);
	}
	return steal_ptr(&first);
}

static char *script_interpreter(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[HEAD_LEN + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, head, HEAD_LEN);

	if (n < 2)
		return NULL;
	head[n] = '\0';
	return interpreter_of_script(head);
}

static char *existing(char *path)
{
	if (!access(path, X_OK))
		return path;
	free(path);
	return NULL;
}

/* inside, found in dir or a folder above it. */
static char *find_above(const char *dir, const char *inside)
{
	_cleanup_free_ char *at = path_absolute(dir);

	for (;;) {
		char *found = existing(path_join(at, inside)), *slash = strrchr(at, '/');

		if (found || !slash || !slash[1])
			return found;
		slash[slash == at] = '\0';
	}
}

static char *python_of_variable(const char *name, const char *dir)
{
	const char *value = getenv(name);
	_cleanup_free_ char *prefix = value && *value ? path_join(dir, value) : NULL;

	return prefix ? existing(path_join(prefix, "bin/python")) : NULL;
}

/* "conda run -n NAME" and "-p PREFIX". */
static char *python_of_conda(const char *const *argv, const char *dir)
{
	const char *exe = getenv("CONDA_EXE"), *root = getenv("MAMBA_ROOT_PREFIX");
	_cleanup_free_ char *bin = exe ? path_dirname(exe) : NULL;
	_cleanup_free_ char *base = root ? xstrdup(root) : bin ? path_dirname(bin) : NULL;

	for (; argv[0] && argv[1]; argv++) {
		if (!strcmp(argv[0], "-p") || !strcmp(argv[0], "--prefix")) {
			_cleanup_free_ char *prefix = path_join(dir, argv[1]);

			return existing(path_join(prefix, "bin/python"));
		}
		if (base && (!strcmp(argv[0], "-n") || !strcmp(argv[0], "--name")))
			return existing(xasprintf("%s/envs/%s/bin/python", base, argv[1]));
	}
	return python_of_variable("CONDA_PREFIX", dir);
}

/* Programs that make a Python environment and run the rest in it. */
static char *python_of_launcher(const char *name, const char *const *argv, const char *dir)
{
	char *found;

	if (!argv[1] || strcmp(argv[1], "run"))
		return NULL;
	if (!strcmp(name, "pixi"))
		return find_above(dir, ".pixi/envs/default/bin/python");
	if (!strcmp(name, "conda") || !strcmp(name, "mamba") || !strcmp(name, "micromamba"))
		return python_of_conda(argv + 2, dir);
	if (strcmp(name, "uv") && strcmp(name, "poetry") && strcmp(name, "pdm"))
		return NULL;
	found = !strcmp(name, "uv") ? python_of_variable("UV_PROJECT_ENVIRONMENT", dir) : NULL;
	if (!found)
		found = find_above(dir, ".venv/bin/python");
	return found ? found : python_of_variable("VIRTUAL_ENV", dir);
}

/* Programs that run what is named somewhere after their own options. */
static bool is_wrapper(const char *name)
{
	static const char *const names[] = { "env",	"nice",	  "nohup",  "timeout", "taskset",
					     "numactl", "stdbuf", "setsid", "ionice",  "chrt",
					     "time",	"srun",	  "mpirun", "mpiexec", "nsys",
					     "ncu",	"perf",	  "strace", "ltrace",  "gdb",
					     "unshare", "sudo",	  "xvfb-run", "prlimit",
					     "catchsegv", "rocprof", "systemd-run" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Programs that start others as they are told. */
static bool is_shell(const char *name)
{
	static const char *const names[] = { "sh",   "bash", "dash",  "ash",  "zsh",	"ksh",
					     "mksh", "fish", "tcsh",  "csh",  "busybox", "make",
					     "gmake", "ninja", "just", "task", "parallel", "xargs" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* shell: whether it is one that was found in the end. */
static char *find(const char *const *argv, const char *dir, int depth, bool *shell)
{
	_cleanup_free_ char *path = argv[0] ? program_find(argv[0], dir) : NULL;
	_cleanup_free_ char *script = NULL;
	const char *name;
	char *found;

	if (!path || depth > DEPTH_MAX)
		return NULL;
	found = pyenv_resolve(path, dir);
	if (found) {
		free(path);
		path = found;
	}
	name = path_basename(path);
	if (is_python_name(name))
		return steal_ptr(&path);
	*shell |= is_shell(name);
	found = python_of_launcher(name, argv, dir);
	for (size_t i = 1; !found && is_wrapper(name) && argv[i]; i++)
		if (argv[i][0] != '-')
			found = find(argv + i, dir, depth + 1, shell);
	script = found || is_wrapper(name) ? NULL : script_interpreter(path);
	if (script) {
		const char *const inner[] = { script, NULL };

		found = find(inner, dir, depth + 1, shell);
	}
	return found;
}

char *interpreter_find(const char *const *argv, const char *dir)
{
	bool shell = false;

	return find(argv, dir, 0, &shell);
}

char *interpreter_guess(const char *const *argv, const char *dir, const char **by)
{
	static const char *const variables[] = { "VIRTUAL_ENV", "CONDA_PREFIX" };
	static const char *const pythons[] = { "python3", "python" };
	bool shell = false;
	char *found = find(argv, dir, 0, &shell);

	*by = NULL;
	for (size_t i = 0; !found && i < ARRAY_SIZE(variables); i++) {
		*by = variables[i];
		found = python_of_variable(variables[i], dir);
	}
	for (size_t i = 0; !found && shell && i < ARRAY_SIZE(pythons); i++) {
		const char *const python[] = { pythons[i], NULL };

		*by = "PATH";
		found = find(python, dir, 0, &shell);
	}
	return found;
}
