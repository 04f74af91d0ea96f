/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/container.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { ID_LEN = 64, POD_LEN = 36, TEXT_MAX = 4 << 20 };

void container_release(struct container *c)
{
	free(c->id);
	free(c->pod);
	free(c->image);
	free(c->digest);
	*c = (struct container){ 0 };
}

/* 64 hex digits at the start of s. */
static bool is_id(const char *s)
{
	return strnlen(s, ID_LEN) == ID_LEN && text_is_hex(s, ID_LEN) &&
	       !isalnum((unsigned char)s[ID_LEN]);
}

static void set_id(struct container *out, const char *kind, const char *s)
{
	/* Within a pod the pod's own name stands before the engine's. */
	if (!out->kind)
		out->kind = kind;
	if (!out->id)
		out->id = xmemdupz(s, ID_LEN);
}

/* A uid, with dashes or (in names of systemd) underscores, into uid. */
static bool read_uid(const char *s, char uid[POD_LEN + 1])
{
	for (size_t i = 0; i < POD_LEN; i++) {
		uid[i] = s[i] == '_' ? '-' : s[i];
		if (!isxdigit((unsigned char)uid[i]) && uid[i] != '-')
			return false;
	}
	uid[POD_LEN] = '\0';
	return true;
}

/* The uid after any of the places where before stands: "pod" is in "kubepods" too. */
static void find_pod(const char *path, const char *before, struct container *out)
{
	char uid[POD_LEN + 1];

	while (!out->pod && (path = strstr(path, before))) {
		path += strlen(before);
		if (!read_uid(path, uid))
			continue;
		out->kind = "kubernetes";
		out->pod = xstrdup(uid);
	}
}

static void cgroup_line(const char *path, struct container *out)
{
	/* Before the id, in the last part of the path. */
	static const struct {
		const char *before, *kind;
	} forms[] = {
		{ "docker-", "docker" },	  { "/docker/", "docker" },
		{ "libpod-", "podman" },	  { "cri-containerd-", "containerd" },
		{ "crio-", "cri-o" },		  { "/ecs/", "ecs" },
		{ "/garden/", "garden" },	  { "nerdctl-", "containerd" },
	};
	const char *last = strrchr(path, '/');

	if (strstr(path, "kubepods")) {
		find_pod(path, "pod", out);
		out->kind = "kubernetes";
		if (last && is_id(last + 1))
			set_id(out, "kubernetes", last + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *s = strstr(path, forms[i].before);

		if (s && is_id(s + strlen(forms[i].before)))
			set_id(out, forms[i].kind, s + strlen(forms[i].before));
	}
	if (!out->kind && strstr(path, "/lxc.payload"))
		out->kind = "lxc";
}

void container_parse_cgroup(const char *text, struct container *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_free_ char *line = xmemdupz(text, n);
		const char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (path)
			cgroup_line(path + 1, out);
		text += n + (text[n] == '\n');
	}
}

void container_parse_mountinfo(const char *text, struct container *out)
{
	/* Files that engines bind into a container lie in a folder named by its id. */
	static const struct {
		const char *before, *kind;
	} forms[] = {
		{ "/docker/containers/", "docker" },
		{ "/overlay-containers/", "podman" },
		{ "/sandboxes/", "containerd" },
		{ "/io.containerd.runtime.v2.task/k8s.io/", "kubernetes" },
		{ "/io.containerd.runtime.v2.task/moby/", "docker" },
	};

	find_pod(text, "/kubelet/pods/", out);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *s = text;

		while ((s = strstr(s, forms[i].before))) {
			s += strlen(forms[i].before);
			if (is_id(s)) {
				set_id(out, forms[i].kind, s);
				return;
			}
		}
	}
}

void container_parse_containerenv(const char *text, struct container *out)
{
	char *engine = NULL;

	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *eq = memchr(text, '=', n);
		size_t key = eq ? (size_t)(eq - text) : 0;

		if (eq && n - key >= 3 && eq[1] == '"' && text[n - 1] == '"') {
			char *value = xmemdupz(eq + 2, n - key - 3);
			char **to = key == 2 && !memcmp(text, "id", 2)	       ? &out->id :
				    key == 5 && !memcmp(text, "image", 5)      ? &out->image :
				    key == 7 && !memcmp(text, "imageid", 7)    ? &out->digest :
				    key == 6 && !memcmp(text, "engine", 6)     ? &engine :
										 NULL;

			if (to) {
				free(*to);
				*to = steal_ptr(&value);
			}
			free(value);
		}
		text += n + (text[n] == '\n');
	}
	if (out->digest && !strchr(out->digest, ':')) {
		char *digest = xasprintf("sha256:%s", out->digest);

		free(out->digest);
		out->digest = digest;
	}
	out->kind = "podman";
	free(engine);
}

static bool read_below(const char *root, const char *inside, struct strbuf *out)
{
	_cleanup_free_ char *path = xasprintf("%s%s", root, inside);

	return !file_read(path, TEXT_MAX, out);
}

static void read_variables(struct container *out)
{
	const char *sif = getenv("APPTAINER_CONTAINER");
	const char *image = getenv("MLP_IMAGE"), *digest = getenv("MLP_IMAGE_DIGEST");

	if (!sif)
		sif = getenv("SINGULARITY_CONTAINER");
	if (sif) {
		out->kind = "apptainer";
		image = image ? image : sif;
	}
	if (getenv("KUBERNETES_SERVICE_HOST") && out->kind)
		out->kind = "kubernetes";
	if (image && *image) {
		free(out->image);
		out->image = xstrdup(image);
	}
	if (digest && *digest) {
		free(out->digest);
		out->digest = xstrdup(digest);
	}
}

void container_read(const char *root, struct container *out)
{
	_release_(strbuf_release) struct strbuf cgroup = STRBUF_INIT, mounts = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf env = STRBUF_INIT, manager = STRBUF_INIT;
	_cleanup_free_ char *dockerenv = xasprintf("%s/.dockerenv", root);

	*out = (struct container){ 0 };
	if (read_below(root, "/proc/self/cgroup", &cgroup))
		container_parse_cgroup(cgroup.buf, out);
	if (read_below(root, "/run/.containerenv", &env))
		container_parse_containerenv(env.buf, out);
	else if (!out->kind && !access(dockerenv, F_OK))
		out->kind = "docker";
	/* Long on a machine with many containers, but it is the only place in a namespace of
	 * its own. */
	if (!out->id && read_below(root, "/proc/self/mountinfo", &mounts))
		container_parse_mountinfo(mounts.buf, out);
	if (!out->kind && read_below(root, "/run/systemd/container", &manager))
		out->kind = strstr(manager.buf, "lxc") ? "lxc" : "systemd";
	read_variables(out);
}

void container_describe(struct json_writer *w, const struct container *c)
{
	json_key(w, "container");
	if (!c->kind) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	json_put_string(w, "kind", c->kind);
	json_put_string(w, "id", c->id);
	json_put_string(w, "pod", c->pod);
	json_put_string(w, "image", c->image);
	json_put_string(w, "digest", c->digest);
	json_close(w, '}');
}
