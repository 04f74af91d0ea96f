/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of mlp server's JSON endpoints: "METHOD path", a newline, the arguments.  What a
 * client sends must never be answered by 500, and each answer must be JSON.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/internal.h"
#include "lib/registry/version.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RUN "0123456789abcdef0123456789abcdef"
#define MODEL "m-0123456789abcdef0123456789abcdef"

static void must(int r, const struct mlp_error *err)
{
	if (!r)
		return;
	fprintf(stderr, "%s\n", err->text);
	abort();
}

/* One of each thing, for requests to find. */
static struct db *open_store(const struct repo *repo)
{
	static struct db *db;
	struct mlp_error err = MLP_ERROR_INIT;
	struct key_value tag = { xstrdup("k"), xstrdup("v") };
	int64_t run, version;

	if (!db) {
		must(track_open(&db, repo, DB_CREATE, &err), &err);
		must(run_create(db, &(struct run_new){ .uuid = RUN, .name = "a", .user = "u" }, &run,
				NULL, &err), &err);
		must(param_set(db, run, "p", "1", &err), &err);
		must(tag_set(db, run, "k", "v", &err), &err);
		must(db_exec(db, &err,
			     "INSERT INTO logged_model(id, experiment_id, name, artifact_location,"
			     " status, source_run_id, created_ms, updated_ms)"
			     " VALUES('" MODEL "', 0, 'a', 'x', 2, ?1, 1, 1)", "i", run), &err);
		must(registered_model_create(db, "a", "", &err), &err);
		must(model_version_create(db, &(struct model_version_new){ .name = "a", .source = "s3://b" },
					  &version, &err), &err);
		must(model_version_tag_set(db, "a", version, &tag, &err), &err);
		must(model_alias_set(db, "a", "best", version, &err), &err);
	}
	free(tag.key);
	free(tag.value);
	return db;
}

/* "METHOD path" of the first line; false without. */
static bool split(const uint8_t *data, size_t size, char **method, char **path, size_t *body)
{
	const uint8_t *end = memchr(data, '\n', size), *space;

	if (!end || memchr(data, 0, (size_t)(end - data)))
		return false;
	space = memchr(data, ' ', (size_t)(end - data));
	if (!space)
		return false;
	*method = xmemdupz(data, (size_t)(space - data));
	*path = xmemdupz(space + 1, (size_t)(end - space - 1));
	*body = (size_t)(end - data) + 1;
	return true;
}

static void check(const struct api_call *call, enum api_error code, const struct strbuf *out)
{
	_cleanup_(json_free) struct json *answer = NULL;
	struct mlp_error err = MLP_ERROR_INIT;

	if (code) {
		if (api_error_status(code) != 500 || code == API_INVALID_STATE)
			return;
		fprintf(stderr, "%s: %s\n", api_error_name(code), call->message);
		abort();
	}
	if (!out->len)
		return;
	answer = json_parse(out->buf, out->len, &err);
	if (json_is_object(answer))
		return;
	fprintf(stderr, "%s: %s\n", err.text, out->buf);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[] = ":memory:", nowhere[] = "/nonexistent";
	static const struct repo repo = { .dir = nowhere, .db_path = memory };
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	_cleanup_free_ char *method = NULL, *path = NULL;
	_cleanup_(json_free) struct json *args = NULL;
	_cleanup_txn_ struct db *txn = NULL; /* undone at the end */
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db = open_store(&repo);
	char *words[API_WORDS_MAX] = { NULL };
	const struct api_route *route;
	struct api_call call = { .repo = &repo, .db = db, .words = (const char *const *)words,
				 .out = { .out = &out } };
	size_t body;
	bool other_method;

	if (!split(data, size, &method, &path, &body))
		return 0;
	route = api_find_route(method, path, words, &other_method);
	args = json_parse((const char *)data + body, size - body, NULL);
	if (route && json_is_object(args)) {
		must(db_txn(&txn, db, &err), &err);
		call.args = args;
		check(&call, route->fn(&call), &out);
	}
	api_free_words(words);
	return 0;
}
