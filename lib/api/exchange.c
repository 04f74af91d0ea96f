/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a JSON endpoint, from its arguments to its answer. */
#include "config.h"

#include "lib/api/exchange.h"

#include <string.h>
#include <strings.h>

#include "lib/api/auth.h"
#include "lib/api/internal.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

/* What a request may take as a tree: a body of the greatest size, and a million values. */
enum { ARGUMENTS_MAX = 64 << 20 };

struct exchange {
	struct write_job job; /* first: the writer hands it back */
	struct work work;
	struct api_server *server;
	struct http_request *req;
	const struct api_route *route;
	char *words[API_WORDS_MAX];
	struct json *args;
	struct strbuf out;
	struct api_call call;
	enum api_error error;
};

static void exchange_free(struct exchange *x)
{
	api_free_words(x->words);
	json_free(x->args);
	strbuf_release(&x->out);
	free(x);
}
DEFINE_CLEANUP(struct exchange *, exchange_free);

void api_answer_error(struct http_request *req, enum api_error code, const char *message)
{
	struct strbuf body = STRBUF_INIT;
	struct json_writer w = { .out = &body };

	if (code == API_TEMPORARILY_UNAVAILABLE)
		http_answer_header(req, "Retry-After", "1");
	json_open(&w, '{');
	json_put_string(&w, "error_code", api_error_name(code));
	json_put_string(&w, "message", message);
	json_close(&w, '}');
	http_answer(req, api_error_status(code), "application/json", &body);
}

void api_answer_failure(struct http_request *req, const struct mlp_error *err)
{
	struct api_call call = { 0 };
	enum api_error code = api_fail_error(&call, err);

	api_answer_error(req, code, call.message);
}

void api_answer_json(struct http_request *req, struct strbuf *text)
{
	if (!text->len)
		strbuf_addstr(text, "{}");
	http_answer(req, 200, "application/json", text);
}

static void answer(struct exchange *x)
{
	if (x->error)
		api_answer_error(x->req, x->error, x->call.message);
	else
		api_answer_json(x->req, &x->out);
}

/* Query arguments as a JSON object of strings; a repeated one is an array. */
static struct json *query_arguments(struct http_request *req, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	const char *name;

	json_open(&w, '{');
	for (size_t i = 0; (name = http_query_name(req, i)); i++) {
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = !strcmp(http_query_name(req, k), name);
		if (again)
			continue;
		json_key(&w, name);
		if (http_query(req, name, 1))
			json_open(&w, '[');
		for (size_t k = 0; http_query(req, name, k); k++)
			json_string(&w, http_query(req, name, k));
		if (http_query(req, name, 1))
			json_close(&w, ']');
	}
	json_close(&w, '}');
	return json_parse(text.buf, text.len, err);
}

/* Its tree may be many times as large as the text. */
static struct json *parse(struct http_request *req, const char *text, size_t len,
			  struct mlp_error *err)
{
	size_t cost = json_cost(text, len);

	if (cost > ARGUMENTS_MAX)
		mlp_error_set(err, MLP_EINVAL, "it has too many values");
	else if (!http_charge(req, cost))
		mlp_error_set(err, MLP_EBUSY, "too many requests at one time");
	else
		return json_parse(text, len, err);
	return NULL;
}

/* A body that is a JSON string holding JSON is read twice, as MLflow does. */
static struct json *body_arguments(struct http_request *req, struct mlp_error *err)
{
	const struct strbuf *body = http_body(req);
	struct json *args;
	const char *inner;

	if (!text_is_utf8(body->buf, body->len)) {
		mlp_error_set(err, MLP_EINVAL, "it is not UTF-8");
		return NULL;
	}
	args = parse(req, body->len ? body->buf : "{}", body->len ? body->len : 2, err);
	inner = json_text(args);
	if (inner) {
		struct json *again = parse(req, inner, strlen(inner), err);

		json_free(args);
		args = again;
	}
	return args;
}

/* Parameters may follow. */
static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return !strncasecmp(type, json, len) && (!type[len] || strchr("; \t", type[len]));
}

enum api_error api_read_arguments(struct api_call *call, struct http_request *req,
				  struct json **out)
{
	const char *type = http_header(req, "Content-Type");
	const char *method = http_method(req);
	struct mlp_error err = MLP_ERROR_INIT;

	if (!strcmp(method, "GET")) {
		*out = query_arguments(req, &err);
	} else {
		if ((!strcmp(method, "POST") || !strcmp(method, "PUT")) &&
		    (!type || !is_json(type)))
			return api_fail(call, API_INVALID_PARAMETER_VALUE,
					"Bad Request. Content-Type %s.",
					type ? "must be one of ['application/json']" :
					       "header is missing");
		*out = body_arguments(req, &err);
	}
	if (!*out && err.code == MLP_EBUSY)
		return api_fail_error(call, &err);
	if (!json_is_object(*out))
		return api_fail(call, API_BAD_REQUEST, "the request is not a JSON object: %s",
				err.text);
	call->args = *out;
	return API_OK;
}

static int run_write(struct write_job *job, struct db *db, struct mlp_error *err)
{
	struct exchange *x = (struct exchange *)job;

	x->call.db = db;
	x->error = x->route->fn(&x->call);
	if (x->error)
		return mlp_error_set(err, MLP_EFAIL, "%s", x->call.message);
	return api_audit(db, x->req, x->args, err);
}

static void write_done(struct write_job *job, int result, const struct mlp_error *err)
{
	_cleanup_(exchange_free) struct exchange *x = (struct exchange *)job;

	/* The call was fine, the commit was not. */
	if (result && !x->error)
		x->error = api_fail_error(&x->call, err);
	answer(x);
}

/* Nobody waits meanwhile for the thread of a request that is alone. */
static void start_write(struct exchange *x)
{
	struct writer *writer = x->server->writer;

	if (!(x->route->flags & API_LONG) && http_is_alone(x->req) &&
	    writer_run(writer, &x->job))
		return;
	http_hold(x->req);
	writer_submit(writer, &x->job);
}

static void run_read(struct exchange *x)
{
	struct mlp_error err = MLP_ERROR_INIT;

	x->call.db = api_reader(x->server, &err);
	x->error = x->call.db ? x->route->fn(&x->call) : api_fail_error(&x->call, &err);
	answer(x);
}

static void run_long_read(void *data)
{
	_cleanup_(exchange_free) struct exchange *x = data;

	run_read(x);
}

static void start_read(struct exchange *x)
{
	x->work = (struct work){ .run = run_long_read, .data = x };
	http_hold(x->req);
	if (workers_submit(x->server->workers, &x->work))
		return;
	x->error = api_fail(&x->call, API_TEMPORARILY_UNAVAILABLE, "too many requests at one time");
	answer(x);
	exchange_free(x);
}

static enum api_error permit(struct exchange *x)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db;

	if (!api_caller(x->req)->known)
		return API_OK;
	db = api_reader(x->server, &err);
	if (!db)
		return api_fail_error(&x->call, &err);
	if (api_permit(db, x->req, x->route, x->args, x->words))
		return api_fail(&x->call, API_PERMISSION_DENIED,
				"Permission denied: token '%s' does not allow this.", x->call.user);
	return API_OK;
}

/* In the form that clients take for an answer of the server, not of something before it. */
static void answer_no_route(struct http_request *req, bool other_method)
{
	struct strbuf body = STRBUF_INIT;

	if (!other_method) {
		api_answer_error(req, API_ENDPOINT_NOT_FOUND, "The server has no such endpoint.");
		return;
	}
	strbuf_addstr(&body, "<!doctype html>\n<title>405 Method Not Allowed</title>\n");
	http_answer(req, 405, "text/html; charset=utf-8", &body);
}

void api_exchange(struct api_server *server, struct http_request *req, const char *path)
{
	_cleanup_(exchange_free) struct exchange *x = xcalloc(1, sizeof(*x));
	struct api_caller *caller = api_caller(req);
	bool other_method;

	strbuf_init(&x->out);
	x->server = server;
	x->req = req;
	x->call = (struct api_call){ .repo = server->repo,
				     .user = caller->known ? caller->token.name : NULL };
	x->call.join = server->options.join;
	x->call.out.out = &x->out;
	x->call.words = (const char *const *)x->words;
	x->route = api_find_route(http_method(req), path, x->words, &other_method);
	if (!x->route) {
		answer_no_route(req, other_method);
		return;
	}
	caller->route = x->route->path;
	x->error = api_read_arguments(&x->call, req, &x->args);
	if (!x->error)
		x->error = permit(x);
	if (x->error) {
		answer(x);
	} else if (x->route->flags & API_WRITE) {
		x->job.run = run_write;
		x->job.done = write_done;
		start_write(steal_ptr(&x));
	} else if (x->route->flags & API_LONG) {
		start_read(steal_ptr(&x));
	} else {
		run_read(x);
	}
}
