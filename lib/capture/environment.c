/* SPDX-License-Identifier: Apache-2.0 */
/* The environment document; shape in mlp-json(7). */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/capture.h"
#include "lib/capture/container.h"
#include "lib/capture/elf.h"
#include "lib/capture/interpreter.h"
#include "lib/capture/machine.h"
#include "lib/capture/packages.h"
#include "lib/capture/python.h"
#include "lib/capture/variables.h"
#include "lib/crypto/sha256.h"
#include "lib/json/write.h"
#include "lib/store/object.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/vcs/git.h"

enum {
	FORMAT = 1,
	PROGRAM_HASH_MAX = 8 << 20, /* only of programs without a build id */
	LOCK_MAX = 32 << 20,
};

static void describe_program(struct json_writer *w, const char *name, const char *dir)
{
	_cleanup_free_ char *path = name ? program_find(name, dir) : NULL;
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	_release_(strbuf_release) struct strbuf build = STRBUF_INIT;
	struct object_id id = { .hex = "" };
	struct stat st;

	json_key(w, "program");
	json_open(w, '{');
	json_put_string(w, "name", name);
	json_put_string(w, "path", path);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		json_put_int(w, "size", st.st_size);
		if (elf_build_id(fd, &build))
			json_put_string(w, "build_id", build.buf);
		else if (st.st_size <= PROGRAM_HASH_MAX && !object_hash_file(path, &id, NULL))
			json_put_string(w, "sha256", id.hex);
	}
	json_close(w, '}');
}

static void describe_packages(struct json_writer *w, struct packages *p)
{
	packages_sort(p);
	json_key(w, "packages");
	json_open(w, '{');
	for (size_t i = 0; i < p->names.len; i++)
		json_put_string(w, p->names.v[i], packages_get(p, p->names.v[i])->version);
	json_close(w, '}');
}

/* Those that did not come from an index. */
static void describe_sources(struct json_writer *w, const struct packages *p)
{
	json_key(w, "sources");
	json_open(w, '{');
	for (size_t i = 0; i < p->names.len; i++) {
		const struct package *pkg = packages_get(p, p->names.v[i]);

		if (!pkg->url)
			continue;
		json_key(w, p->names.v[i]);
		json_open(w, '{');
		json_put_string(w, "url", pkg->url);
		json_put_string(w, "commit", pkg->commit);
		json_put_bool(w, "editable", pkg->editable);
		json_close(w, '}');
	}
	json_close(w, '}');
}

/* guessed_by: NULL where the command itself says that it is this one. */
static void describe_interpreter(struct json_writer *w, const struct python *py,
				 const char *guessed_by)
{
	_release_(packages_release) struct packages packages = PACKAGES_INIT;

	json_key(w, "python");
	json_open(w, '{');
	json_put_string(w, "path", py->path);
	json_put_string(w, "binary", py->binary);
	json_put_string(w, "implementation",
			strncmp(path_basename(py->binary), "pypy", 4) ? "cpython" : "pypy");
	json_put_string(w, "version", py->version);
	json_put_string(w, "prefix", py->prefix);
	json_put_bool(w, "virtual", py->venv);
	json_put_string(w, "guessed_by", guessed_by);
	json_key(w, "sites");
	json_open(w, '[');
	for (size_t i = 0; i < py->sites.len; i++) {
		json_string(w, py->sites.v[i]);
		packages_scan_site(&packages, py->sites.v[i]);
	}
	json_close(w, ']');
	describe_packages(w, &packages);
	describe_sources(w, &packages);
	json_close(w, '}');
}

/* One digest over the names: they hold name, version and build of each package. */
static void conda_digest(const struct packages *p, char hex[SHA256_HEX + 1])
{
	_release_(strbuf_release) struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < p->names.len; i++)
		strbuf_addf(&all, "%s %s\n", p->names.v[i],
			    packages_get(p, p->names.v[i])->version);
	if (sha256_data(all.buf, all.len, hex, NULL))
		hex[0] = '\0';
}

static void describe_conda(struct json_writer *w, const char *prefix)
{
	_release_(packages_release) struct packages packages = PACKAGES_INIT;
	char hex[SHA256_HEX + 1];

	if (!prefix || !*prefix)
		prefix = getenv("CONDA_PREFIX");
	if (!prefix || !*prefix)
		return;
	packages_scan_conda(&packages, prefix);
	if (!packages.by_name.len)
		return;
	json_key(w, "conda");
	json_open(w, '{');
	json_put_string(w, "prefix", prefix);
	describe_packages(w, &packages);
	conda_digest(&packages, hex);
	json_put_string(w, "digest", *hex ? hex : NULL);
	json_close(w, '}');
}

static void describe_python(struct json_writer *w, const char *const *argv, const char *dir)
{
	const char *guessed_by;
	_cleanup_free_ char *path = interpreter_guess(argv, dir, &guessed_by);
	_release_(python_release) struct python py = { 0 };

	if (path) {
		python_read(path, dir, &py);
		describe_interpreter(w, &py, guessed_by);
	}
	describe_conda(w, py.prefix);
}

static bool is_lock_file(const char *name)
{
	static const char *const patterns[] = { "uv.lock",	  "poetry.lock", "pdm.lock",
						"Pipfile.lock",	  "pylock*.toml", "pixi.lock",
						"requirements*.txt", "constraints*.txt",
						"environment.yml", "environment.yaml",
						"conda-lock.yml", "pyproject.toml",
						"renv.lock",	  "Cargo.lock",	 "Manifest.toml",
						"flake.lock" };

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (text_glob(patterns[i], name))
			return true;
	return false;
}

static void find_locks(const char *dir, struct strvec *out)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_lock_file(e->d_name))
			strvec_push(&names, e->d_name);
	if (d)
		closedir(d);
	if (names.len)
		strvec_sort(&names);
	for (size_t i = 0; i < names.len; i++)
		strvec_push_take(out, path_join(dir, names.v[i]));
}

/* Keyed by the path from the top of the work tree, so that runs from different folders
 * and checkouts compare. */
static void describe_locks(struct json_writer *w, const char *dir)
{
	_cleanup_free_ char *root = vcs_find(dir), *full = path_absolute(dir);
	_release_(strvec_release) struct strvec paths = STRVEC_INIT;
	const char *top = root ? root : full;

	find_locks(full, &paths);
	if (root && strcmp(root, full))
		find_locks(root, &paths);
	json_key(w, "locks");
	json_open(w, '{');
	for (size_t i = 0; i < paths.len; i++) {
		_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
		const char *key = path_below(paths.v[i], top);
		char hex[SHA256_HEX + 1];

		if (!file_read(paths.v[i], LOCK_MAX, &text) &&
		    !sha256_data(text.buf, text.len, hex, NULL))
			json_put_string(w, key ? key : paths.v[i], hex);
	}
	json_close(w, '}');
}

int capture_environment(const struct settings *settings, const char *const *argv,
			const char *dir, struct strbuf *out, struct mlp_error *err)
{
	_release_(container_release) struct container container = { 0 };
	struct json_writer w = { .out = out };

	(void)err;
	json_open(&w, '{');
	json_put_int(&w, "format", FORMAT);
	describe_program(&w, argv[0], dir);
	describe_python(&w, argv, dir);
	describe_locks(&w, dir);
	container_read("", &container);
	container_describe(&w, &container);
	machine_describe_system(&w);
	machine_describe_cpu(&w);
	machine_describe_gpu(&w);
	machine_describe_limits(&w);
	variables_describe(&w, environ, settings);
	json_close(&w, '}');
	strbuf_addch(out, '\n');
	return 0;
}

int capture_environment_store(struct db *db, const struct repo *repo, int64_t run,
			      const char *const *argv, const char *dir, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf doc = STRBUF_INIT;
	struct object_id id;
	int r = capture_environment(&repo->settings, argv, dir, &doc, err);

	if (!r)
		r = object_put(repo, doc.buf, doc.len, &id, err);
	if (r)
		return r;
	return db_exec(db, err,
		       "INSERT OR REPLACE INTO run_environment(run_id, object) VALUES(?1, ?2)",
		       "is", run, id.hex);
}
