/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <pthread.h>

#include "lib/api/api.h"
#include "lib/api/observe.h"
#include "lib/api/server.h"
#include "lib/api/workers.h"
#include "lib/api/writer.h"
#include "lib/http/http.h"

struct api_server {
	const struct repo *repo;
	struct api_server_options options;
	struct http_server *http;
	struct writer *writer;
	struct workers *workers;
	struct observe *observe;
	struct uploads *uploads; /* in parts */
	pthread_key_t reader; /* each thread's struct db, opened when first needed */
};

/* The calling thread's handle for reading, or NULL with err. */
struct db *api_reader(struct api_server *server, struct mlp_error *err);
/* {"error_code": ..., "message": ...} */
void api_answer_error(struct http_request *req, enum api_error code, const char *message);
/* The same for an error of the library. */
void api_answer_failure(struct http_request *req, const struct mlp_error *err);
/* A JSON answer; takes the text, and is "{}" without one. */
void api_answer_json(struct http_request *req, struct strbuf *text);
/* The arguments in the body or the query; *out is the caller's and call's. */
enum api_error api_read_arguments(struct api_call *call, struct http_request *req,
				  struct json **out);

/* What takes a body while it comes, in http_user(). */
struct api_intake {
	/* The body is here whole, or as far as it was taken. */
	void (*whole)(struct api_server *server, struct http_request *req);
	/* The request is over. */
	void (*release)(struct api_intake *intake);
};

enum { API_WORDS_MAX = 4 };
/* Matches path against pattern, in which each {} stands for one part; the words are cut out
 * of a copy that *words[0]'s owner frees: see route.c. */
bool api_match(const char *pattern, const char *path, char *words[API_WORDS_MAX]);
void api_free_words(char *words[API_WORDS_MAX]);
/* The endpoint of a path below the mount; NULL without one, then *other_method tells whether
 * another method has it. */
const struct api_route *api_find_route(const char *method, const char *path,
				       char *words[API_WORDS_MAX], bool *other_method);

#endif
