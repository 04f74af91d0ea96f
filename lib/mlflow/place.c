/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/mlflow/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/net.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

enum {
	FOLDERS_MAX = 100000, /* of one run: a peer that invents folders comes to an end */
	PATH_MAX_BYTES = 4096,
};

struct place {
	struct peer *peer;
	/* Both wait for an escaped path behind them. */
	char *list;	/* below /api/2.0/ */
	char *download; /* below the server's root */
	bool slash;	/* download and path need one between them */
	bool whole;	/* paths listed start at the root, not at the folder listed */
	struct strvec folders; /* not listed yet */
	size_t listed;
	struct json *doc;
	char *folder; /* that doc lists */
	const struct json *item;
};

const char *place_proxied(const struct peer *peer, const char *uri)
{
	const char *base = strstr(peer_name(peer), "//") + 2;
	size_t len = strcspn(base, "/");

	if (!uri || strncmp(uri, "mlflow-artifacts:/", 18))
		return NULL;
	uri += 17;
	if (!strncmp(uri, "//", 2)) { /* a server is named: is it this one? */
		uri += 2;
		if (*uri != '/' && (strncmp(uri, base, len) || uri[len] != '/'))
			return NULL;
		uri += strcspn(uri, "/");
	}
	while (*uri == '/')
		uri++;
	return path_is_safe(uri) ? uri : NULL;
}

static int list(struct place *place, const char *folder, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	_cleanup_(json_free) struct json *doc = NULL;
	int r;

	strbuf_addstr(&target, place->list);
	if (!place->whole && *folder)
		strbuf_addstr(&target, "%2F");
	net_add_escaped(&target, folder);
	r = peer_get(place->peer, target.buf, &doc, err);
	if (r)
		return r;
	json_free(place->doc);
	place->doc = steal_ptr(&doc);
	free(place->folder);
	place->folder = xstrdup(folder);
	place->item = NULL;
	return 0;
}

static struct place *place_new(struct peer *peer)
{
	struct place *place = xcalloc(1, sizeof(*place));

	place->peer = peer;
	return place;
}

static struct place *place_at(struct peer *peer, const char *path)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	struct place *place = place_new(peer);

	strbuf_addstr(&sb, "mlflow-artifacts/artifacts?path=");
	net_add_escaped(&sb, path);
	place->list = strbuf_detach(&sb);
	strbuf_addstr(&sb, "/api/2.0/mlflow-artifacts/artifacts/");
	net_add_path(&sb, path);
	place->download = strbuf_detach(&sb);
	place->slash = true;
	strvec_push(&place->folders, "");
	return place;
}

/* Looks whether the server can: the place is on a disk of its, or out of its reach. */
static struct place *place_if_listed(struct place *place)
{
	place->whole = true;
	if (!list(place, "", NULL))
		return place;
	place_free(place);
	return NULL;
}

struct place *place_of_run(struct peer *peer, const struct mlflow_run *run)
{
	_release_(strbuf_release) struct strbuf id = STRBUF_INIT;
	const char *path = place_proxied(peer, run->artifact_uri);
	struct place *place;

	if (path)
		return place_at(peer, path);
	place = place_new(peer);
	net_add_escaped(&id, run->id);
	place->list = xasprintf("mlflow/artifacts/list?run_id=%s&path=", id.buf);
	place->download = xasprintf("/get-artifact?run_id=%s&path=", id.buf);
	return place_if_listed(place);
}

struct place *place_of_model(struct peer *peer, const struct mlflow_model *model)
{
	_release_(strbuf_release) struct strbuf id = STRBUF_INIT;
	const char *path = place_proxied(peer, model->artifact_location);
	struct place *place;

	if (path)
		return place_at(peer, path);
	place = place_new(peer);
	net_add_escaped(&id, model->id);
	place->list = xasprintf("mlflow/logged-models/%s/artifacts/directories"
				"?artifact_directory_path=", id.buf);
	place->download = xasprintf("/ajax-api/2.0/mlflow/logged-models/%s/artifacts/files"
				    "?artifact_file_path=", id.buf);
	return place_if_listed(place);
}

void place_free(struct place *place)
{
	if (!place)
		return;
	json_free(place->doc);
	strvec_release(&place->folders);
	free(place->list);
	free(place->download);
	free(place->folder);
	free(place);
}

/* The path of an entry below the root, or NULL when it is none that is right below the folder
 * listed. */
static char *path_of(const struct place *place, const struct json *item)
{
	const char *said = json_text(json_get(item, "path"));
	_cleanup_free_ char *path = NULL;
	const char *name;

	if (!said)
		return NULL;
	path = place->whole || !*place->folder ? xstrdup(said) : path_join(place->folder, said);
	name = *place->folder ? path_below(path, place->folder) : path;
	if (!path_is_safe(path) || strlen(path) > PATH_MAX_BYTES || !name || strchr(name, '/'))
		return NULL;
	return steal_ptr(&path);
}

static int next_folder(struct place *place, struct mlp_error *err)
{
	_cleanup_free_ char *folder = NULL;
	int r;

	if (!place->folders.len)
		return 0;
	if (++place->listed > FOLDERS_MAX)
		return mlp_error_set(err, MLP_EFAIL, "'%s' names more than %d folders of one run",
				     peer_name(place->peer), FOLDERS_MAX);
	folder = place->folders.v[--place->folders.len];
	place->folders.v[place->folders.len] = NULL;
	r = list(place, folder, err);
	return r ? r : 1;
}

int place_next(struct place *place, const struct mlp_events *events, struct mlflow_artifact *out,
	       struct mlp_error *err)
{
	for (;;) {
		const struct json *files = json_get(place->doc, "files");
		_cleanup_free_ char *path = NULL;

		place->item = json_next(files, place->item);
		if (!place->item) {
			int r = next_folder(place, err);

			if (r <= 0)
				return r;
			continue;
		}
		path = path_of(place, place->item);
		if (!path) {
			mlp_warn(events, "left out: a file of '%s' that is named as none may be",
				 peer_name(place->peer));
		} else if (json_truth(json_get(place->item, "is_dir"), false)) {
			strvec_push(&place->folders, path);
		} else {
			out->path = steal_ptr(&path);
			/* MLflow leaves it out for an empty file. */
			out->size = json_integer(json_get(place->item, "file_size"), 0);
			return 1;
		}
	}
}

/* An empty file without a name, so that it goes with this process, however that ends. */
static int open_nameless(struct mlp_error *err)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (!dir || !*dir)
		dir = "/var/tmp"; /* /tmp may be memory */
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && errno != ENOENT && errno != EACCES) {
		_cleanup_free_ char *name = xasprintf("%s/mlp-XXXXXX", dir);

		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
	}
	return fd >= 0 ? fd : mlp_error_errno(err, errno, "cannot make a file in '%s'", dir);
}

int place_open(struct place *place, const char *path, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	_cleanup_close_ int fd = open_nameless(err);
	int r;

	if (fd < 0)
		return fd;
	strbuf_addstr(&target, place->download);
	if (place->slash) {
		strbuf_addch(&target, '/');
		net_add_path(&target, path);
	} else {
		net_add_escaped(&target, path);
	}
	r = peer_download(place->peer, target.buf, fd, err);
	if (!r && lseek(fd, 0, SEEK_SET))
		r = mlp_error_errno(err, errno, "cannot read a download");
	return r ? r : steal_fd(&fd);
}
