/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/artifacts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/api/auth.h"
#include "lib/api/common.h"
#include "lib/api/internal.h"
#include "lib/http/range.h"
#include "lib/store/object.h"
#include "lib/track/artifact_tree.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

struct upload {
	struct api_intake intake; /* first: what http_user() points to */
	struct object_writer *writer;
	char *path;
	struct mlp_error err;
};

static void release_upload(struct api_intake *intake)
{
	struct upload *u = (struct upload *)intake;

	object_writer_abandon(u->writer);
	free(u->path);
	free(u);
}

static int take_piece(void *data, const void *piece, size_t len)
{
	struct upload *u = data;

	return object_write(u->writer, piece, len, &u->err);
}

static int place(struct write_job *job, struct db *db, struct mlp_error *err)
{
	struct api_placing *p = (struct api_placing *)job;
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	int r = artifact_tree_locate(db, p->path, &place, err);

	if (!r)
		r = artifact_tree_put(db, &place, p->id.hex, p->id.size, err);
	return r ? r : api_audit(db, p->req, NULL, err);
}

static void placed(struct write_job *job, int result, const struct mlp_error *err)
{
	struct api_placing *p = (struct api_placing *)job;
	struct http_request *req = p->req;
	struct strbuf body = STRBUF_INIT;

	if (p->then)
		p->then(p, !result);
	if (result)
		api_answer_failure(req, err);
	else
		api_answer_json(req, &body);
	free(p->path);
	free(p);
}

void api_artifact_place(struct api_server *server, struct api_placing *p)
{
	p->job.run = place;
	p->job.done = placed;
	writer_submit(server->writer, &p->job);
}

/* The bytes are here; they are made durable on this thread, the row by the writer. */
static void finish_upload(struct api_server *server, struct http_request *req)
{
	struct upload *u = *http_user(req);
	struct api_placing *p;
	struct object_id id;

	if (!u->err.code)
		object_writer_commit(steal_ptr(&u->writer), &id, &u->err);
	if (u->err.code) {
		/* Before the answer: on a full disk what comes next needs the room. */
		object_writer_abandon(steal_ptr(&u->writer));
		api_answer_failure(req, &u->err);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->req = req;
	p->path = xstrdup(u->path);
	p->id = id;
	http_hold(req);
	api_artifact_place(server, p);
}

void api_artifact_head(struct api_server *server, struct http_request *req, const char *path)
{
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct object_writer *writer;
	struct db *db = api_reader(server, &err);
	struct upload *u;

	if (!db || artifact_tree_locate(db, path, &place, &err) ||
	    object_writer_open(&writer, server->repo, &err)) {
		api_answer_failure(req, &err);
		return;
	}
	u = xcalloc(1, sizeof(*u));
	u->intake = (struct api_intake){ finish_upload, release_upload };
	u->writer = writer;
	u->path = xstrdup(path);
	http_stream_body(req, take_piece, u);
	*http_user(req) = u;
}

static void answer_range(struct http_request *req, int fd, int64_t size, const char *etag)
{
	const char *only_of = http_header(req, "If-Range");
	struct http_range range = { 0, size - 1 };
	enum http_range_kind kind = HTTP_RANGE_WHOLE;
	char text[96];

	if (!only_of || !strcmp(only_of, etag))
		kind = http_range_parse(http_header(req, "Range"), size, &range);
	http_answer_header(req, "Accept-Ranges", "bytes");
	if (kind == HTTP_RANGE_OUTSIDE) {
		snprintf(text, sizeof(text), "bytes */%" PRId64, size);
		http_answer_header(req, "Content-Range", text);
		http_answer(req, 416, "text/plain; charset=utf-8", NULL);
		close(fd);
		return;
	}
	if (kind == HTTP_RANGE_PART) {
		snprintf(text, sizeof(text), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range.start,
			 range.end, size);
		http_answer_header(req, "Content-Range", text);
	}
	http_answer_fd(req, kind == HTTP_RANGE_PART ? 206 : 200, "application/octet-stream", fd,
		       range.start, range.end - range.start + 1);
}

/* A name fit for a quoted string in a header. */
static void add_disposition(struct http_request *req, const char *path)
{
	_cleanup_free_ char *name = xstrdup(path_basename(path));
	_cleanup_free_ char *value = NULL;

	for (char *p = name; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '_';
	value = xasprintf("attachment; filename=\"%s\"", name);
	http_answer_header(req, "Content-Disposition", value);
	http_answer_header(req, "X-Content-Type-Options", "nosniff");
}

static void send_artifact(struct api_server *server, struct http_request *req,
			  const struct artifact *a)
{
	const char *known = http_header(req, "If-None-Match");
	char etag[SHA256_HEX + 3];
	struct mlp_error err = MLP_ERROR_INIT;
	int fd;

	snprintf(etag, sizeof(etag), "\"%s\"", a->sha256);
	http_answer_header(req, "ETag", etag);
	add_disposition(req, a->path);
	if (known && strstr(known, etag)) {
		http_answer(req, 304, NULL, NULL);
		return;
	}
	fd = object_open(server->repo, a->sha256, &err);
	if (fd < 0)
		api_answer_failure(req, &err);
	else
		answer_range(req, fd, a->size, etag);
}

static void download(struct api_server *server, struct http_request *req, const char *path)
{
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	_release_(artifacts_release) struct artifacts found = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = api_reader(server, &err);

	if (!db || artifact_tree_locate(db, path, &place, &err) ||
	    artifact_tree_find(db, &place, &found, &err))
		api_answer_failure(req, &err);
	else
		send_artifact(server, req, &found.v[0]);
}

/* The proxy lists base names, unlike artifacts/list. */
static void list(struct api_server *server, struct http_request *req, const char *path)
{
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	_release_(artifacts_release) struct artifacts found = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };
	struct db *db = api_reader(server, &err);

	if (!db || artifact_tree_locate(db, path, &place, &err) ||
	    artifact_tree_list(db, &place, &found, &err)) {
		api_answer_failure(req, &err);
		return;
	}
	json_open(&w, '{');
	api_put_files(&w, &found, true);
	json_close(&w, '}');
	api_answer_json(req, &body);
}

struct removal {
	struct write_job job;
	struct http_request *req;
	char *path;
};

static int remove_rows(struct write_job *job, struct db *db, struct mlp_error *err)
{
	struct removal *d = (struct removal *)job;
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	int r = artifact_tree_locate(db, d->path, &place, err);

	if (!r)
		r = artifact_tree_remove(db, &place, err);
	return r ? r : api_audit(db, d->req, NULL, err);
}

static void rows_removed(struct write_job *job, int result, const struct mlp_error *err)
{
	struct removal *d = (struct removal *)job;
	struct http_request *req = d->req;
	struct strbuf body = STRBUF_INIT;

	if (result)
		api_answer_failure(req, err); /* err is in the job */
	else
		api_answer_json(req, &body);
	free(d->path);
	free(d);
}

static void delete(struct api_server *server, struct http_request *req, const char *path)
{
	struct removal *d = xcalloc(1, sizeof(*d));

	d->job.run = remove_rows;
	d->job.done = rows_removed;
	d->req = req;
	d->path = xstrdup(path);
	http_hold(req);
	writer_submit(server->writer, &d->job);
}

void api_artifact_request(struct api_server *server, struct http_request *req, const char *path)
{
	const char *method = http_method(req);
	const char *query = http_query(req, "path", 0);
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");

	if (reads && !*path)
		list(server, req, query ? query : "");
	else if (reads)
		download(server, req, path);
	else if (!strcmp(method, "DELETE"))
		delete(server, req, path);
	else
		http_answer(req, 405, "text/plain; charset=utf-8", NULL);
}

void api_artifact_download(struct api_server *server, struct http_request *req)
{
	const char *uuid = http_query(req, "run_id", 0), *inside = http_query(req, "path", 0);
	_cleanup_free_ char *path = NULL;

	if (!uuid)
		uuid = http_query(req, "run_uuid", 0);
	if (!uuid || !inside) {
		api_answer_error(req, API_INVALID_PARAMETER_VALUE,
				 "Missing value for required parameter 'path'.");
		return;
	}
	path = xasprintf("0/%s/artifacts/%s", uuid, inside);
	download(server, req, path);
}
