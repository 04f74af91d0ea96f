/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLflow's REST interface over the store.  A call is one request of one endpoint: its
 * arguments as a JSON object (the body, or the query of a GET), a store handle, and an
 * answer being written.  Reading endpoints run on the server's threads, or on those of its
 * workers when they may take long, each with a handle of its own; writing endpoints run on
 * one writer thread, which commits many calls at once and lets none be answered before its
 * commit.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

/* MLflow's error codes; api_error_status() gives the HTTP status, api_error_name() the text. */
enum api_error {
	API_OK = 0,
	API_INVALID_PARAMETER_VALUE,
	API_BAD_REQUEST,
	API_RESOURCE_ALREADY_EXISTS, /* 400 */
	API_RESOURCE_DOES_NOT_EXIST, /* 404 */
	API_ENDPOINT_NOT_FOUND,	     /* 404 */
	API_UNAUTHENTICATED,	     /* 401 */
	API_PERMISSION_DENIED,	     /* 403 */
	API_RESOURCE_CONFLICT,	     /* 409 */
	API_INVALID_STATE,	     /* 500, as MLflow has it */
	API_TEMPORARILY_UNAVAILABLE, /* 503 */
	API_INTERNAL_ERROR,	     /* 500 */
	API_NO_SPACE,		     /* 507: MLflow's clients would repeat a 500 for minutes */
};

struct api_call {
	const struct repo *repo;
	struct db *db;
	const struct json *args; /* an object, never NULL; see lib/json/read.h */
	const char *const *words; /* what the route's {placeholders} stood for */
	struct json_writer out;	 /* the answer's text; "{}" when nothing was written */
	const char *list; /* args is an item of it: its name for errors; else NULL */
	size_t item;
	const char *user;	 /* of the token, or NULL */
	struct api_join *join;	 /* NULL: not in a run of mlp train; see join.h */
	char message[1024];	 /* of the error */
};

typedef enum api_error api_fn(struct api_call *call);

/* API_LONG: may take long, and so nothing for the threads that serve the connections. */
enum api_flags { API_READ = 0, API_WRITE = 1, API_ADMIN = 2, API_LONG = 4 };

/* What an endpoint acts on, and so which argument keeps a token of one experiment within it:
 * others that a request brings along open nothing. */
enum api_subject {
	API_OF_ALL = 0,	   /* the whole server, as the registry: not for such a token */
	API_OF_NOTHING,	   /* nothing that is stored: for each of them */
	API_OF_EXPERIMENT, /* experiment_id, experiment_ids, experiment_name */
	API_OF_RUN,	   /* run_id, run_uuid, run_ids */
	API_OF_MODEL,	   /* the logged model in the path */
};

struct api_route {
	const char *method; /* "POST"; "*" for GET and POST */
	const char *path;   /* below the mount: "mlflow/runs/create", "mlflow/logged-models/{}" */
	int flags;
	enum api_subject subject;
	api_fn *fn;
};

/* One table per file of endpoints, each ended by an entry without path. */
extern const struct api_route api_experiment_routes[];
extern const struct api_route api_run_routes[];
extern const struct api_route api_metric_routes[];
extern const struct api_route api_search_routes[];
extern const struct api_route api_info_routes[];
extern const struct api_route api_input_routes[];
extern const struct api_route api_logged_model_routes[];
extern const struct api_route api_registry_routes[];
extern const struct api_route api_registry_version_routes[];
extern const struct api_route api_experiment_search_routes[];
extern const struct api_route api_logged_model_search_routes[];
extern const struct api_route api_history_routes[];
extern const struct api_route api_beyond_routes[];

const char *api_error_name(enum api_error code);
int api_error_status(enum api_error code);

/* Sets the message and returns the code. */
enum api_error api_fail(struct api_call *call, enum api_error code, const char *fmt, ...)
	PRINTF(3, 4);
/* From a library error: not found, conflict, ... become what MLflow answers. */
enum api_error api_fail_error(struct api_call *call, const struct mlp_error *err);

/* Arguments with MLflow's own messages: "Missing value for required parameter 'x'. ...",
 * "Invalid value <json> for parameter 'x' supplied: ...". */
enum api_error api_missing(struct api_call *call, const char *name);
enum api_error api_bad_value(struct api_call *call, const char *name);
enum api_error api_need_string(struct api_call *call, const char *name, const char **out);
/* *out stays as it was when the argument is absent or null. */
enum api_error api_get_string(struct api_call *call, const char *name, const char **out);
enum api_error api_get_int(struct api_call *call, const char *name, int64_t *out);
/* Milliseconds since 1970, and not before: differences of such times are numbers, too. */
enum api_error api_get_time(struct api_call *call, const char *name, int64_t *out);
enum api_error api_get_double(struct api_call *call, const char *name, double *out);
enum api_error api_get_bool(struct api_call *call, const char *name, bool *out);
/* A number, or the text of one ("NaN", "Infinity" included). */
bool api_number(const struct json *v, double *out);
/* *out stays as it was when the argument is absent. */
enum api_error api_get_array(struct api_call *call, const char *name, const struct json **out);

#endif
