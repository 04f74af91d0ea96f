/* SPDX-License-Identifier: Apache-2.0 */
/* The parsers behind the environment document. */
#include "config.h"

#include <sys/stat.h>

#include "lib/capture/capture.h"
#include "lib/capture/container.h"
#include "lib/capture/interpreter.h"
#include "lib/capture/machine.h"
#include "lib/capture/packages.h"
#include "lib/capture/python.h"
#include "lib/capture/variables.h"
#include "lib/json/read.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "11111111-2222-3333-4444-555555555555"
#define UID_ "11111111_2222_3333_4444_555555555555"

static void check_records(void)
{
	static const struct {
		const char *entry, *name, *version;
	} cases[] = {
		{ "numpy-1.26.4.dist-info", "numpy", "1.26.4" },
		{ "Foo_Bar.baz-2.0.post1.dist-info", "foo-bar-baz", "2.0.post1" },
		{ "torch-2.3.0+cu121.dist-info", "torch", "2.3.0+cu121" },
		{ "six-1.16.0.egg-info", "six", "1.16.0" },
		{ "six-1.16.0-py3.11.egg-info", "six", "1.16.0" },
		{ "with-dash-1.0-py2.egg-info", "with-dash", "1.0" },
		{ "mine.egg-info", "mine", NULL },
		{ "no-version.dist-info", "no-version", NULL },
		{ "1-1.dist-info", "1", "1" },
		{ "~umpy-1.0.dist-info", NULL, NULL },
		{ "numpy", NULL, NULL },
		{ ".dist-info", NULL, NULL },
		{ "numpy.libs", NULL, NULL },
		{ "", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *name = NULL, *version = NULL;

		is_int(package_parse_record(cases[i].entry, &name, &version),
		       cases[i].name != NULL, "record '%s'", cases[i].entry);
		is_str(name, cases[i].name, "its name");
		is_str(version, cases[i].version, "its version");
	}
}

static void check_conda(void)
{
	_cleanup_free_ char *name = NULL, *version = NULL;

	ok(package_parse_conda("scikit-learn-1.4.2-py311h_0.json", &name, &version), "conda");
	is_str(name, "scikit-learn", "name");
	is_str(version, "1.4.2 py311h_0", "version and build");
	ok(!package_parse_conda("history", &name, &version) &&
		   !package_parse_conda("a-b.json", &name, &version) &&
		   !package_parse_conda("-1-2.json", &name, &version), "other names");
}

static void check_direct_url(void)
{
	static const char git[] = "{\"url\":\"https://me:secret@host/r.git\",\"vcs_info\":"
				  "{\"vcs\":\"git\",\"commit_id\":\"abc\"}}";
	static const char editable[] = "{\"url\":\"file:///src/p\",\"dir_info\":{\"editable\":true}}";
	struct package p = { 0 };

	package_parse_direct_url(git, sizeof(git) - 1, &p);
	is_str(p.url, "https://host/r.git", "no credentials");
	is_str(p.commit, "abc", "commit");
	ok(!p.editable, "not editable");
	package_parse_direct_url(editable, sizeof(editable) - 1, &p);
	ok(p.editable && !p.commit, "editable");
	package_parse_direct_url("[1", 2, &p);
	package_parse_direct_url("{\"url\":5}", 9, &p);
	is_str(p.url, "file:///src/p", "malformed text changes nothing");
	free(p.url);
	free(p.commit);
}

static void check_pyvenv(void)
{
	_release_(pyvenv_release) struct pyvenv a = { 0 }, b = { 0 };

	pyvenv_parse("home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n", &a);
	is_str(a.home, "/usr/bin", "home");
	is_str(a.version, "3.11.2", "version");
	ok(a.system_site, "system site");
	pyvenv_parse("HOME\n=\nversion_info = 3.12.1.final.0\r\nhome=/x y/bin", &b);
	is_str(b.version, "3.12.1", "virtualenv's form");
	is_str(b.home, "/x y/bin", "blanks and no line end");
}

static void check_version(void)
{
	static const char alone[] = "x\0" "3.11.0rc1+\0" "3.11.\0";
	static const char ending[] = "/opt/13.11.9\0" "/opt/3.11.7\0";
	static const char none[] = "3.11.2";
	_cleanup_free_ char *a = python_version_in(alone, sizeof(alone), "3.11");
	_cleanup_free_ char *b = python_version_in(ending, sizeof(ending), "3.11");
	_cleanup_free_ char *c = python_version_in(none, sizeof(none) - 1, "3.11");

	is_str(a, "3.11.0rc1+", "a string of its own");
	is_str(b, "3.11.7", "the end of a longer one");
	is_str(c, NULL, "cut off");
}

static void check_scripts(void)
{
	static const struct {
		const char *head, *program;
	} cases[] = {
		{ "#!/usr/bin/python3\nx", "/usr/bin/python3" },
		{ "#! /usr/bin/python3 -u\n", "/usr/bin/python3" },
		{ "#!/usr/bin/env python3\n", "python3" },
		{ "#!/usr/bin/env -S python3 -u\n", "python3" },
		{ "#!/usr/bin/env -S A=b python3.12\n", "python3.12" },
		{ "#!/bin/sh\n'''exec' \"/long dir/python\" \"$0\" \"$@\"\n' '''\n", "/long dir/python" },
		{ "#!/bin/sh\n'''exec' /long/python \"$0\"\n", "/long/python" },
		{ "#!/bin/sh\necho\n", "/bin/sh" },
		{ "#!\n", NULL },
		{ "#!", NULL },
		{ "\177ELF", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *program = interpreter_of_script(cases[i].head);

		is_str(program, cases[i].program, "script %zu", i);
	}
}

static void check_cgroups(void)
{
	static const struct {
		const char *text, *kind, *id, *pod;
	} cases[] = {
		{ "0::/\n", NULL, NULL, NULL },
		{ "0::/user.slice/user-1000.slice\n", NULL, NULL, NULL },
		{ "12:cpu:/docker/" ID "\n", "docker", ID, NULL },
		{ "0::/system.slice/docker-" ID ".scope\n", "docker", ID, NULL },
		{ "0::/machine.slice/libpod-" ID ".scope/container\n", "podman", ID, NULL },
		{ "1:x:/kubepods/burstable/pod" UID "/" ID "\n", "kubernetes", ID, UID },
		{ "0::/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope\n",
		  "kubernetes", ID, UID },
		{ "0::/lxc.payload.web/x\n", "lxc", NULL, NULL },
		{ "0::/docker/short\nnonsense\n::\n", NULL, NULL, NULL },
		{ "0::/docker/" ID "ab\n", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_release_(container_release) struct container c = { 0 };

		container_parse_cgroup(cases[i].text, &c);
		is_str(c.kind, cases[i].kind, "cgroup %zu: kind", i);
		is_str(c.id, cases[i].id, "id");
		is_str(c.pod, cases[i].pod, "pod");
	}
}

static void check_mounts(void)
{
	_release_(container_release) struct container a = { 0 }, b = { 0 };

	container_parse_mountinfo("1 2 0:1 /var/lib/docker/containers/" ID "/hostname /etc/hostname"
				  " rw - ext4 /dev/x rw\n", &a);
	is_str(a.id, ID, "docker by mountinfo");
	is_str(a.kind, "docker", "its kind");
	container_parse_mountinfo("1 2 0:1 /var/lib/kubelet/pods/" UID "/etc-hosts /etc/hosts rw\n"
				  "1 2 0:1 /x/sandboxes/" ID "/resolv.conf /etc/resolv.conf rw\n", &b);
	is_str(b.kind, "kubernetes", "a pod");
	is_str(b.pod, UID, "its uid");
	is_str(b.id, ID, "its sandbox");
}

static void check_containerenv(void)
{
	_release_(container_release) struct container c = { 0 };

	container_parse_containerenv("engine=\"podman-4.3\"\nname=\"x\"\nid=\"" ID "\"\n"
				     "image=\"docker.io/library/debian:12\"\nimageid=\"abc\"\nbad\n", &c);
	is_str(c.image, "docker.io/library/debian:12", "image");
	is_str(c.digest, "sha256:abc", "digest");
	is_str(c.id, ID, "id");
}

static void check_variables(void)
{
	static char a[] = "CUDA_VISIBLE_DEVICES=0", b[] = "NCCL_AUTH_TOKEN=x", c[] = "HOME=/h",
		    d[] = "UV_INDEX_URL=https://u:p@host/s", e[] = "MY_FLAG=1", f[] = "bad",
		    u[] = "UV_INDEX=https://u:p/q#@r@h1/s,https://h2/t;x=https://u:p,q@h3 file:///a@b",
		    g[] = "BASH_FUNC_x%%=() {", h[] = "MY_KEY=1", i[] = "LC_ALL=\xff";
	char *env[] = { a, b, c, d, e, f, g, h, i, u, NULL };
	_release_(settings_release) struct settings s = SETTINGS_INIT;
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	struct json_writer w = { .out = &out };

	settings_add(&s, "capture.env", "NOTHING,UNTHING, MY_*", SETTINGS_USER, "test", NULL);
	json_open(&w, '{');
	variables_describe(&w, env, &s);
	json_close(&w, '}');
	is_str(out.buf,
	       "{\"variables\":{\"CUDA_VISIBLE_DEVICES\":\"0\",\"LC_ALL\":\"\xef\xbf\xbd\","
	       "\"MY_FLAG\":\"1\","
	       "\"UV_INDEX\":\"https://h1/s,https://h2/t;x=https://h3 file:///a@b\","
	       "\"UV_INDEX_URL\":\"https://host/s\"},"
	       "\"variable_names\":[\"HOME\",\"MY_KEY\",\"NCCL_AUTH_TOKEN\"]}",
	       "values of some, names of others, secrets of none");
}

static void check_machine(void)
{
	_cleanup_free_ char *boot = machine_boot_parameters("ro root=UUID=1 password=x  q ks=http://a/b\n");
	_cleanup_free_ char *a = machine_field("x: 1\ncpu cores\t: 8\ncpu\t: z\n", "cpu", ':');
	_cleanup_free_ char *b = machine_field("ID=debian\nVERSION_ID=\"12\"\n", "VERSION_ID", '=');

	is_str(boot, "ro root=UUID=1 password=... q ks=...", "boot parameters");
	is_str(a, "z", "a key that starts another");
	is_str(b, "12", "quotes");
}

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	_cleanup_free_ char *path = path_join(dir, name), *parent = path_dirname(path);

	path_mkdirs(parent, 0777);
	file_replace(path, text, strlen(text), mode);
}

/* A virtual environment made of nothing but names. */
static void check_document(void)
{
	_cleanup_free_ char *dir = tap_folder();
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	const char *const argv[] = { "env", "A=b", "venv/bin/tool", "x", NULL };
	_cleanup_free_ char *script = xasprintf("#!%s/venv/bin/python\n", dir);
	struct json *doc;
	const struct json *py;

	unsetenv("PYTHONPATH");
	write_file(dir, "venv/pyvenv.cfg", "home = /nowhere/bin\nversion = 3.9.7\n", 0644);
	write_file(dir, "venv/bin/python", "", 0755);
	write_file(dir, "venv/bin/tool", script, 0755);
	write_file(dir, "venv/lib/python3.9/site-packages/numpy-1.2.3.dist-info/METADATA", "", 0644);
	write_file(dir, "venv/lib/python3.9/site-packages/mine.egg-info/PKG-INFO",
		   "Metadata-Version: 2.1\nName: mine\nVersion: 0.7\n\nVersion: 9\n", 0644);
	write_file(dir, "venv/lib/python3.9/site-packages/git-1.dist-info/direct_url.json",
		   "{\"url\":\"https://h/r\",\"vcs_info\":{\"commit_id\":\"c0ffee\"}}", 0644);
	write_file(dir, "uv.lock", "", 0644);
	capture_environment(NULL, argv, dir, &out, NULL);
	doc = json_parse(out.buf, out.len, NULL);
	py = json_get(doc, "python");
	ok(doc != NULL, "the document is JSON");
	is_str(json_text(json_get(py, "version")), "3.9.7", "version");
	ok(json_truth(json_get(py, "virtual"), false), "a virtual environment");
	is_str(json_text(json_get(json_get(py, "packages"), "numpy")), "1.2.3", "a package");
	is_str(json_text(json_get(json_get(py, "packages"), "mine")), "0.7", "its PKG-INFO");
	is_str(json_text(json_get(json_get(json_get(py, "sources"), "git"), "commit")), "c0ffee",
	       "a commit");
	is_str(json_text(json_get(json_get(doc, "locks"), "uv.lock")),
	       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "a lock file");
	json_free(doc);
	path_remove_tree(dir);
}

int main(void)
{
	plan_lazy();
	check_records();
	check_conda();
	check_direct_url();
	check_pyvenv();
	check_version();
	check_scripts();
	check_cgroups();
	check_mounts();
	check_containerenv();
	check_variables();
	check_machine();
	check_document();
	return done_testing();
}
