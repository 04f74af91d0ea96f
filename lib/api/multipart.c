/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/multipart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/api/artifacts.h"
#include "lib/api/common.h"
#include "lib/api/internal.h"
#include "lib/store/upload.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

static const char prefix[] = "mlflow-artifacts/mpu/";

const char *api_multipart_verb(const char *path, const char **rest)
{
	static const char *const verbs[] = { "create", "complete", "abort", "part" };

	if (!path || strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	path += sizeof(prefix) - 1;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		size_t len = strlen(verbs[i]);

		if (strncmp(path, verbs[i], len) != 0 || path[len] != '/')
			continue;
		*rest = path + len + 1;
		return verbs[i];
	}
	return NULL;
}

struct part {
	struct api_intake intake; /* first: what http_user() points to */
	struct upload_part *part;
	struct mlp_error err;
};

static int take_piece(void *data, const void *piece, size_t len)
{
	struct part *p = data;

	return upload_part_write(p->part, piece, len, &p->err);
}

static void answer_part(struct api_server *server, struct http_request *req)
{
	struct part *p = *http_user(req);
	char hex[SHA256_HEX + 1], etag[SHA256_HEX + 3];

	(void)server;
	if (!p->err.code)
		upload_part_end(p->part, hex, &p->err);
	/* Before the answer: the client may end or abort the upload once it has that. */
	upload_part_free(steal_ptr(&p->part));
	if (p->err.code) {
		api_answer_failure(req, &p->err);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%s\"", hex);
	http_answer_header(req, "ETag", etag);
	http_answer(req, 200, NULL, NULL);
}

static void release_part(struct api_intake *intake)
{
	struct part *p = (struct part *)intake;

	upload_part_free(p->part);
	free(p);
}

/* "<upload>/<number>?signature=<secret>": the query is in no log. */
static bool read_ticket(struct http_request *req, const char *rest, struct upload_ticket *ticket,
			int64_t *number)
{
	const char *secret = http_query(req, "signature", 0), *slash = strchr(rest, '/');

	if (!slash || !secret || (size_t)(slash - rest) >= sizeof(ticket->id) ||
	    strlen(secret) >= sizeof(ticket->secret) || !text_parse_int(slash + 1, number))
		return false;
	snprintf(ticket->id, sizeof(ticket->id), "%.*s", (int)(slash - rest), rest);
	snprintf(ticket->secret, sizeof(ticket->secret), "%s", secret);
	return true;
}

void api_multipart_head(struct api_server *server, struct http_request *req, const char *rest)
{
	const char *length = http_header(req, "Content-Length");
	struct mlp_error err = MLP_ERROR_INIT;
	struct upload_ticket ticket;
	struct upload_part *part;
	int64_t number, size;
	struct part *p;

	if (!length || !text_parse_int(length, &size)) {
		http_answer(req, 411, "text/plain; charset=utf-8", NULL);
		return;
	}
	if (!read_ticket(req, rest, &ticket, &number)) {
		api_answer_error(req, API_PERMISSION_DENIED, "This is no address of a part.");
		return;
	}
	if (upload_part_begin(server->uploads, &ticket, number, size, &part, &err)) {
		api_answer_failure(req, &err);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->intake = (struct api_intake){ answer_part, release_part };
	p->part = part;
	http_stream_body(req, take_piece, p);
	*http_user(req) = p;
}

/* Where the client found this server, maybe behind a proxy that speaks TLS for it. */
static char *base_url(const struct api_server *server, struct http_request *req)
{
	const char *said = http_header(req, "X-Forwarded-Proto"), *host = http_header(req, "Host");
	bool tls = said ? !strcasecmp(said, "https") : server->options.tls_cert != NULL;

	return xasprintf("http%s://%s/api/2.0/%spart", tls ? "s" : "", host ? host : "", prefix);
}

/* The artifact's path: MLflow joins the folder in the URL with the base name of "path". */
static enum api_error read_path(struct api_call *call, const char *folder, char **out)
{
	const char *path, *name;
	enum api_error r = api_need_string(call, "path", &path);

	if (r)
		return r;
	name = path_basename(path);
	*out = *folder ? xasprintf("%s/%s", folder, name) : xstrdup(name);
	if (path_is_safe(*out))
		return API_OK;
	return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid path: %s", path);
}

static void put_credentials(struct json_writer *w, const char *base,
			    const struct upload_ticket *ticket, int64_t parts)
{
	json_open(w, '{');
	json_put_string(w, "upload_id", ticket->id);
	json_key(w, "credentials");
	json_open(w, '[');
	for (int64_t i = 1; i <= parts; i++) {
		_cleanup_free_ char *url = xasprintf("%s/%s/%" PRId64 "?signature=%s", base,
						     ticket->id, i, ticket->secret);

		json_open(w, '{');
		json_put_string(w, "url", url);
		json_put_int(w, "part_number", i);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
}

static enum api_error create(struct api_server *server, struct http_request *req,
			     struct api_call *call, const char *path)
{
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	_cleanup_free_ char *base = base_url(server, req);
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	struct upload_ticket ticket;
	int64_t parts = 1;
	enum api_error r = api_get_int(call, "num_parts", &parts);

	if (r)
		return r;
	call->db = api_reader(server, &err);
	if (!call->db || artifact_tree_locate(call->db, path, &place, &err) ||
	    upload_begin(server->uploads, path, parts, &ticket, &err))
		return api_fail_error(call, &err);
	put_credentials(&w, base, &ticket, parts);
	api_answer_json(req, &text);
	return API_OK;
}

static enum api_error abort_upload(struct api_server *server, struct http_request *req,
				   struct api_call *call, const char *path)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	const char *id;
	enum api_error r = api_need_string(call, "upload_id", &id);

	if (r)
		return r;
	if (upload_abort(server->uploads, id, path, &err))
		return api_fail_error(call, &err);
	api_answer_json(req, &text);
	return API_OK;
}

/* [{"part_number": 1, "etag": "\"...\""}, ...] in any order. */
static enum api_error read_etags(struct api_call *call, struct strvec *out)
{
	const struct json *list = NULL;
	enum api_error r = api_get_array(call, "parts", &list);
	int64_t expected = 1;

	if (!r && !list)
		return api_missing(call, "parts");
	for (const struct json *v = json_next(list, NULL); !r && v; v = json_next(list, v)) {
		struct api_call part = { .args = v };
		int64_t number = 0;
		const char *etag = "";

		r = api_get_int(&part, "part_number", &number);
		if (!r)
			r = api_get_string(&part, "etag", &etag);
		if (r || number != expected++)
			return api_fail(call, API_INVALID_PARAMETER_VALUE, "Invalid value for parameter "
					"'parts' supplied: part_number and etag, by number, are needed.");
		etag += *etag == '"';
		strvec_push_take(out, xmemdupz(etag, strcspn(etag, "\"")));
	}
	return r;
}

/* One upload's end: what is needed once its object is there. */
struct completion {
	struct api_server *server;
	struct http_request *req;
	char *path, *id;
};

static void completion_free(struct completion *c)
{
	free(c->path);
	free(c->id);
	free(c);
}
DEFINE_CLEANUP(struct completion *, completion_free);

static void settle(struct api_placing *p, bool placed)
{
	_cleanup_(completion_free) struct completion *c = p->data;

	upload_settle(c->server->uploads, c->id, placed);
}

static void assembled(void *data, const struct object_id *id, const struct mlp_error *err)
{
	struct completion *c = data;
	struct api_placing *p;

	if (!id) {
		struct http_request *req = c->req;

		upload_settle(c->server->uploads, c->id, false);
		completion_free(c);
		api_answer_failure(req, err);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->req = c->req;
	p->path = xstrdup(c->path);
	p->id = *id;
	p->then = settle;
	p->data = c;
	api_artifact_place(c->server, p);
}

static enum api_error complete(struct api_server *server, struct http_request *req,
			       struct api_call *call, const char *path)
{
	_cleanup_(completion_free) struct completion *c = xcalloc(1, sizeof(*c));
	_release_(strvec_release) struct strvec etags = STRVEC_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct strbuf text = STRBUF_INIT;
	const char *id;
	enum api_error r = api_need_string(call, "upload_id", &id);
	int done;

	if (!r)
		r = read_etags(call, &etags);
	if (r)
		return r;
	*c = (struct completion){ server, req, xstrdup(path), xstrdup(id) };
	http_hold(req);
	done = upload_finish(server->uploads, id, path, &etags,
			     &(struct upload_then){ assembled, c }, &err);
	if (done < 0)
		return api_fail_error(call, &err);
	if (done)
		api_answer_json(req, &text);
	else
		c = NULL;
	return API_OK;
}

void api_multipart_request(struct api_server *server, struct http_request *req,
			   const char *verb, const char *folder)
{
	static const struct {
		const char *verb;
		enum api_error (*fn)(struct api_server *server, struct http_request *req,
				     struct api_call *call, const char *path);
	} table[] = { { "create", create }, { "complete", complete }, { "abort", abort_upload } };
	_cleanup_(json_free) struct json *args = NULL;
	_cleanup_free_ char *path = NULL;
	struct api_call call = { .repo = server->repo };
	enum api_error r = API_ENDPOINT_NOT_FOUND;

	if (strcmp(http_method(req), "POST") != 0) {
		http_answer(req, 405, "text/plain; charset=utf-8", NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].verb, verb) != 0)
			continue;
		r = api_read_arguments(&call, req, &args);
		if (!r)
			r = read_path(&call, folder, &path);
		if (!r)
			r = table[i].fn(server, req, &call, path);
	}
	if (r)
		api_answer_error(req, r, call.message);
}
