/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/mlflow/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/net/net.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

struct peer {
	struct net *net;
};

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int64_t environment_number(const char *name, int64_t least)
{
	const char *text = environment(name);
	int64_t v;

	return text && text_parse_int(text, &v) && v >= least && v < 100000 ? v : -1;
}

int peer_open(struct peer **out, const char *where, const struct mlp_events *events,
	      struct mlp_error *err)
{
	const char *insecure = environment("MLFLOW_TRACKING_INSECURE_TLS");
	int64_t timeout = environment_number("MLFLOW_HTTP_REQUEST_TIMEOUT", 1);
	int64_t retries = environment_number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", 0);
	struct net_options options = {
		.base = where,
		.token = environment("MLFLOW_TRACKING_TOKEN"),
		.user = environment("MLFLOW_TRACKING_USERNAME"),
		.password = environment("MLFLOW_TRACKING_PASSWORD"),
		.ca_file = environment("MLFLOW_TRACKING_SERVER_CERT_PATH"),
		.insecure = insecure && (!strcasecmp(insecure, "true") || !strcmp(insecure, "1")),
		.stall_seconds = MAX(timeout, (int64_t)0),
		.tries = (int)retries + 1,
	};
	_cleanup_(peer_close) struct peer *peer = xcalloc(1, sizeof(*peer));
	int r;

	if (options.user) /* as MLflow's client prefers them */
		options.token = NULL;
	r = net_open(&peer->net, &options, err);
	if (r)
		return r;
	if (options.insecure && !strncasecmp(where, "https:", 6))
		mlp_warn(events, "MLFLOW_TRACKING_INSECURE_TLS is set: who '%s' is, is not checked",
			 where);
	if (!strncasecmp(where, "http:", 5) && (options.token || options.user) &&
	    !strstr(where, "//127.") && !strstr(where, "//localhost") && !strstr(where, "//[::1]"))
		mlp_warn(events, "credentials go to '%s' without TLS", where);
	*out = steal_ptr(&peer);
	return 0;
}

void peer_close(struct peer *peer)
{
	if (!peer)
		return;
	net_close(peer->net);
	free(peer);
}

const char *peer_name(const struct peer *peer)
{
	return net_base(peer->net);
}

static int code_of(int status, const char *name)
{
	if (name && (!strcmp(name, "RESOURCE_ALREADY_EXISTS") || !strcmp(name, "ALREADY_EXISTS")))
		return MLP_EEXIST;
	if (status == 404)
		return MLP_ENOTFOUND;
	if (status == 400)
		return MLP_EINVAL;
	return status == 429 || status == 503 ? MLP_EBUSY : MLP_EFAIL;
}

/* From an answer that is no success.  What the server says is shown, but for its length and
 * control characters. */
static int refused(const struct peer *peer, const char *target, const struct net_answer *a,
		   struct mlp_error *err)
{
	_cleanup_(json_free) struct json *doc = json_parse(a->body.buf, a->body.len, NULL);
	const char *message = json_text(json_get(doc, "message"));
	const char *name = json_text(json_get(doc, "error_code"));
	int code = code_of(a->status, name), len = (int)strcspn(target, "?");
	_cleanup_free_ char *said = xstrdup(message ? message : name ? name : "");

	said[text_utf8_cut(said, 300)] = '\0';
	for (char *c = said; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	mlp_error_set(err, code, "'%s' answers %.*s with %d%s%s", peer_name(peer), len, target,
		      a->status, *said ? ": " : "", said);
	if (a->status == 401 || a->status == 403)
		mlp_error_hint(err, "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
				    "MLFLOW_TRACKING_PASSWORD");
	if (a->status >= 300 && a->status < 400)
		mlp_error_hint(err, "it sends us to another address: give that one");
	return code;
}

/* The answer as an object; without one that is empty, {}. */
static int read_answer(const struct peer *peer, const char *target, const struct net_answer *a,
		       struct json **out, struct mlp_error *err)
{
	_cleanup_(json_free) struct json *doc = NULL;

	if (a->status < 200 || a->status >= 300)
		return refused(peer, target, a, err);
	if (!out)
		return 0;
	doc = json_parse(a->body.buf, a->body.len, NULL);
	if (!json_is_object(doc))
		return mlp_error_set(err, MLP_EFAIL, "'%s' does not speak MLflow's protocol: %s",
				     peer_name(peer), "an answer is no JSON object");
	*out = steal_ptr(&doc);
	return 0;
}

static int call(struct peer *peer, struct net_request *request, const char *target,
		struct json **out, struct mlp_error *err)
{
	_cleanup_free_ char *path = xasprintf("/api/2.0/%s", target);
	_release_(net_answer_release) struct net_answer answer = NET_ANSWER_INIT;
	int r;

	request->path = path;
	r = net_send(peer->net, request, &answer, err);
	return r ? r : read_answer(peer, target, &answer, out, err);
}

int peer_get(struct peer *peer, const char *target, struct json **out, struct mlp_error *err)
{
	struct net_request request = { .method = "GET", .repeatable = true };

	return call(peer, &request, target, out, err);
}

static int call_with(struct peer *peer, struct net_request *request, const char *target,
		     const struct strbuf *body, struct json **out, struct mlp_error *err)
{
	request->type = "application/json";
	request->body = body->buf;
	request->len = body->len;
	return call(peer, request, target, out, err);
}

int peer_search(struct peer *peer, const char *target, const struct strbuf *body,
		struct json **out, struct mlp_error *err)
{
	struct net_request request = { .method = "POST", .repeatable = true };

	return call_with(peer, &request, target, body, out, err);
}

int peer_change(struct peer *peer, enum peer_method method, const char *target,
		const struct strbuf *body, struct json **out, struct mlp_error *err)
{
	static const char *const names[] = { [PEER_POST] = "POST", [PEER_POST_ONCE] = "POST",
					     [PEER_PATCH] = "PATCH", [PEER_DELETE] = "DELETE" };
	struct net_request request = { .method = names[method],
				       .repeatable = method != PEER_POST_ONCE };

	return call_with(peer, &request, target, body, out, err);
}

static int empty_file(void *data, struct mlp_error *err)
{
	int fd = *(int *)data;

	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0)
		return mlp_error_errno(err, errno, "cannot start a download");
	return 0;
}

static int add_to_file(void *data, const void *piece, size_t len, struct mlp_error *err)
{
	int r = file_write_all(*(int *)data, piece, len);

	return r ? mlp_error_errno(err, r, "cannot keep a download") : 0;
}

int peer_download(struct peer *peer, const char *target, int fd, struct mlp_error *err)
{
	_release_(net_answer_release) struct net_answer answer = NET_ANSWER_INIT;
	struct net_sink sink = { empty_file, add_to_file, &fd };
	struct net_request request = { .method = "GET", .path = target, .repeatable = true,
				       .sink = &sink };
	int r = net_send(peer->net, &request, &answer, err);

	return r ? r : read_answer(peer, target, &answer, NULL, err);
}

int peer_upload(struct peer *peer, const char *path, int fd, int64_t size, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf target = STRBUF_INIT;
	struct net_request request = { .method = "PUT", .file = true, .fd = fd, .file_size = size,
				       .repeatable = true };

	strbuf_addstr(&target, "mlflow-artifacts/artifacts/");
	net_add_path(&target, path);
	return call(peer, &request, target.buf, NULL, err);
}
