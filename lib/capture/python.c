/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/python.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/elf.h"
#include "lib/util/file.h"
#include "lib/util/path.h"

enum { CONSTANTS_MAX = 64 << 20, PYVENV_MAX = 64 << 10, VERSION_MAX = 32 };

void python_release(struct python *py)
{
	free(py->path);
	free(py->binary);
	free(py->version);
	free(py->series);
	free(py->prefix);
	free(py->base);
	strvec_release(&py->sites);
	*py = (struct python){ 0 };
}

void pyvenv_release(struct pyvenv *cfg)
{
	free(cfg->home);
	free(cfg->version);
	*cfg = (struct pyvenv){ 0 };
}

static char *trimmed(const char *s, size_t len)
{
	while (len && isspace((unsigned char)*s)) {
		s++;
		len--;
	}
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	return xmemdupz(s, len);
}

/* "3.11.4" of "3.11.4.final.0". */
static char *plain_version(const char *s)
{
	size_t n = 0;

	for (int dots = 0; isdigit((unsigned char)s[n]) || (s[n] == '.' && ++dots < 3); n++)
		;
	return n && n < VERSION_MAX ? xmemdupz(s, n) : NULL;
}

static void pyvenv_line(const char *line, size_t len, struct pyvenv *out)
{
	const char *eq = memchr(line, '=', len);
	_cleanup_free_ char *key = eq ? trimmed(line, (size_t)(eq - line)) : NULL;
	_cleanup_free_ char *value = eq ? trimmed(eq + 1, len - (size_t)(eq - line) - 1) : NULL;

	if (!eq)
		return;
	if (!strcmp(key, "home") && !out->home)
		out->home = steal_ptr(&value);
	else if ((!strcmp(key, "version") || !strcmp(key, "version_info")) && !out->version)
		out->version = plain_version(value);
	else if (!strcmp(key, "include-system-site-packages"))
		out->system_site = !strcasecmp(value, "true");
}

void pyvenv_parse(const char *text, struct pyvenv *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		pyvenv_line(text, n, out);
		text += n + (text[n] == '\n');
	}
}

/* Linkers let a string end inside a longer one: "3.11.7" in "/opt/python/3.11.7". */
static char *version_after(const char *data, size_t len, const char *start, bool alone)
{
	const char *end = data + len, *at = data;
	size_t n = strlen(start);

	while ((at = memmem(at, (size_t)(end - at), start, n))) {
		const char *s = at + n;
		bool fits = at == data || (alone ? !at[-1] : !isalnum((unsigned char)at[-1]) &&
								     at[-1] != '.');

		while (fits && s < end && s - at < VERSION_MAX &&
		       (isalnum((unsigned char)*s) || *s == '+'))
			s++;
		if (fits && s > at + n && s < end && !*s && isdigit((unsigned char)at[n]))
			return xmemdupz(at, (size_t)(s - at));
		at++;
	}
	return NULL;
}

char *python_version_in(const char *data, size_t len, const char *series)
{
	_cleanup_free_ char *start = xasprintf("%s.", series);
	char *version = version_after(data, len, start, true);

	return version ? version : version_after(data, len, start, false);
}

static char *version_of_file(const char *path, const char *series)
{
	_release_(strbuf_release) struct strbuf data = STRBUF_INIT;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !elf_constants(fd, CONSTANTS_MAX, &data))
		return NULL;
	return python_version_in(data.buf, data.len, series);
}

/* A python that is linked to its library has its version there. */
static char *version_of_library(const struct python *py)
{
	static const char *const places[] = { "lib", "lib64", "lib/x86_64-linux-gnu",
					      "lib/aarch64-linux-gnu" };
	char *version = NULL;

	/* Up to 3.7 the name says "m": built with a memory allocator of its own. */
	for (size_t i = 0; !version && i < 2 * ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s/libpython%s%s.so.1.0", py->base,
						      places[i / 2], py->series,
						      i % 2 ? "m" : "");

		version = version_of_file(path, py->series);
	}
	return version;
}

/* "3.11" of "python3.11". */
static char *series_of_name(const char *binary)
{
	const char *s = path_basename(binary), *end;

	s += strcspn(s, "0123456789");
	end = s + strspn(s, "0123456789.");
	return memchr(s, '.', (size_t)(end - s)) && isdigit((unsigned char)end[-1]) ?
		       xmemdupz(s, (size_t)(end - s)) :
		       NULL;
}

/* "3.11" of lib/python3.11, when only one is there. */
static char *series_of_prefix(const char *prefix)
{
	_cleanup_free_ char *lib = path_join(prefix, "lib");
	DIR *dir = opendir(lib);
	char *found = NULL;
	struct dirent *e;
	bool several = false;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "python", 6) && strncmp(e->d_name, "pypy", 4))
			continue;
		several |= found && strchr(e->d_name, '.');
		if (!found)
			found = series_of_name(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (several)
		free(found);
	return several ? NULL : found;
}

static bool read_pyvenv(const char *dir, struct pyvenv *cfg)
{
	_cleanup_free_ char *path = path_join(dir, "pyvenv.cfg");
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (file_read(path, PYVENV_MAX, &text))
		return false;
	pyvenv_parse(text.buf, cfg);
	return true;
}

static void find_prefixes(struct python *py, struct pyvenv *cfg)
{
	_cleanup_free_ char *bin = path_dirname(py->path), *above = path_dirname(bin);
	_cleanup_free_ char *real = path_dirname(py->binary);

	py->venv = read_pyvenv(above, cfg) || read_pyvenv(bin, cfg);
	py->base = path_dirname(cfg->home ? cfg->home : real);
	py->prefix = xstrdup(py->venv ? above : py->base);
	py->system_site = cfg->system_site;
}

static void find_version(struct python *py, const struct pyvenv *cfg)
{
	py->series = series_of_name(py->binary);
	if (!py->series && cfg->version) {
		const char *dot = strchr(cfg->version, '.');

		py->series = dot ? xmemdupz(cfg->version,
					    (size_t)(dot - cfg->version) + 1 +
						    strspn(dot + 1, "0123456789")) :
				   NULL;
	}
	if (!py->series)
		py->series = series_of_prefix(py->prefix);
	if (py->series)
		py->version = version_of_file(py->binary, py->series);
	if (py->series && !py->version)
		py->version = version_of_library(py);
	if (!py->version)
		py->version = xstrdup_null(cfg->version ? cfg->version : py->series);
}

/* A folder once, also when two names lead to it (lib64 -> lib). */
static void add_site(struct python *py, const char *path)
{
	struct stat st, other;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return;
	for (size_t i = 0; i < py->sites.len; i++)
		if (!stat(py->sites.v[i], &other) && other.st_dev == st.st_dev &&
		    other.st_ino == st.st_ino)
			return;
	strvec_push(&py->sites, path);
}

static void add_sitef(struct python *py, const char *fmt, ...) PRINTF(2, 3);
static void add_sitef(struct python *py, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf path = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&path, fmt, ap);
	va_end(ap);
	add_site(py, path.buf);
}

static void add_user_site(struct python *py)
{
	const char *base = getenv("PYTHONUSERBASE"), *home = getenv("HOME");

	if (getenv("PYTHONNOUSERSITE"))
		return;
	if (base && *base)
		add_sitef(py, "%s/lib/python%s/site-packages", base, py->series);
	else if (home)
		add_sitef(py, "%s/.local/lib/python%s/site-packages", home, py->series);
}

static void find_sites(struct python *py, const char *dir)
{
	_release_(strvec_release) struct strvec entries = STRVEC_INIT;
	const char *path = getenv("PYTHONPATH");

	if (path && *path)
		strvec_split(&entries, path, ':');
	for (size_t i = 0; i < entries.len; i++) {
		_cleanup_free_ char *full = path_join(dir, entries.v[i]);

		add_site(py, full);
	}
	if (!py->series)
		return;
	if (py->venv) {
		add_sitef(py, "%s/lib/python%s/site-packages", py->prefix, py->series);
		add_sitef(py, "%s/lib64/python%s/site-packages", py->prefix, py->series);
		add_sitef(py, "%s/lib/pypy%s/site-packages", py->prefix, py->series);
	}
	if (py->venv && !py->system_site)
		return;
	add_user_site(py);
	add_sitef(py, "%s/lib/python%s/site-packages", py->base, py->series);
	add_sitef(py, "%s/lib64/python%s/site-packages", py->base, py->series);
	add_sitef(py, "%s/lib/pypy%s/site-packages", py->base, py->series);
	if (!strcmp(py->base, "/usr")) { /* Debian */
		add_sitef(py, "/usr/local/lib/python%s/dist-packages", py->series);
		add_sitef(py, "/usr/lib/python3/dist-packages");
		add_sitef(py, "/usr/lib/python%s/dist-packages", py->series);
	}
}

void python_read(const char *path, const char *dir, struct python *out)
{
	_release_(pyvenv_release) struct pyvenv cfg = { 0 };
	char *real = realpath(path, NULL);

	*out = (struct python){ 0 };
	out->path = path_absolute(path);
	out->binary = real ? real : xstrdup(out->path);
	find_prefixes(out, &cfg);
	find_version(out, &cfg);
	find_sites(out, dir);
}
