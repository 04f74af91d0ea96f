/* SPDX-License-Identifier: Apache-2.0 */
/* What a token allows.  One of an experiment reaches only what names that experiment. */
#include "config.h"

#include <string.h>

#include "lib/api/auth.h"
#include "lib/track/artifact_tree.h"
#include "lib/util/text.h"

/* Of all that a request names: whether it is within the token's experiment. */
struct reach {
	struct db *db;
	int64_t experiment;
	enum api_subject subject; /* of the route */
	int inside;		  /* named as its subject */
	int outside;		  /* named as whatever */
};

static void count_if(struct reach *reach, enum api_subject subject, bool within)
{
	if (!within)
		reach->outside++;
	else if (subject == reach->subject)
		reach->inside++;
}

static void count(struct reach *reach, enum api_subject subject, const char *sql,
		  const char *name)
{
	int64_t experiment = -1;

	count_if(reach, subject,
		 !db_get_int(reach->db, &experiment, NULL, sql, "s", name) &&
			 experiment == reach->experiment);
}

static void count_run(struct reach *reach, const char *uuid)
{
	count(reach, API_OF_RUN, "SELECT experiment_id FROM run WHERE uuid = ?1", uuid);
}

static void count_model(struct reach *reach, const char *id)
{
	count(reach, API_OF_MODEL, "SELECT experiment_id FROM logged_model WHERE id = ?1", id);
}

static void count_id(struct reach *reach, const char *text)
{
	int64_t id;

	count_if(reach, API_OF_EXPERIMENT, text_parse_int(text, &id) && id == reach->experiment);
}

static void count_name(struct reach *reach, const char *name)
{
	count(reach, API_OF_EXPERIMENT, "SELECT id FROM experiment WHERE name = ?1", name);
}

static void each(struct reach *reach, const struct json *v,
		 void (*fn)(struct reach *reach, const char *text))
{
	_cleanup_free_ char *text = NULL;

	if (!v || json_is_null(v))
		return;
	if (json_is_array(v)) {
		for (const struct json *e = NULL; (e = json_next(v, e));)
			each(reach, e, fn);
		return;
	}
	text = json_as_text(v);
	if (text && *text)
		fn(reach, text);
	else if (!text)
		reach->outside++;
}

static void count_arguments(struct reach *reach, const struct json *args)
{
	static const struct {
		const char *name;
		void (*fn)(struct reach *reach, const char *text);
	} names[] = {
		{ "run_id", count_run },	     { "run_uuid", count_run },
		{ "run_ids", count_run },	     { "source_run_id", count_run },
		{ "experiment_id", count_id },	     { "experiment_ids", count_id },
		{ "experiment_name", count_name },   { "model_id", count_model },
	};
	/* Of log-batch, log-inputs and outputs. */
	static const char *const lists[] = { "metrics", "models" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		each(reach, json_get(args, names[i].name), names[i].fn);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json *list = json_get(args, lists[i]);

		for (const struct json *e = NULL; (e = json_next(list, e));)
			each(reach, json_get(e, "model_id"), count_model);
	}
}

static bool in_scope(const struct api_caller *caller, int flags)
{
	enum token_scope need = flags & API_ADMIN ? TOKEN_ADMIN :
				flags & API_WRITE ? TOKEN_WRITE :
						    TOKEN_READ;

	return caller->token.scope >= need;
}

enum api_error api_permit(struct db *db, struct http_request *req, const struct api_route *route,
			  const struct json *args, char *const *words)
{
	const struct api_caller *caller = api_caller(req);
	struct reach reach = { .db = db, .experiment = caller->token.experiment,
			       .subject = route->subject };

	if (!caller->known)
		return API_OK;
	if (!in_scope(caller, route->flags))
		return API_PERMISSION_DENIED;
	if (caller->token.experiment < 0 || route->subject == API_OF_NOTHING)
		return API_OK;
	count_arguments(&reach, args);
	/* Only models are named in a path. */
	if (words[0])
		count_model(&reach, words[0]);
	return reach.inside && !reach.outside ? API_OK : API_PERMISSION_DENIED;
}

enum api_error api_permit_artifact(struct db *db, struct http_request *req, int flags,
				   const char *path)
{
	_release_(artifact_place_release) struct artifact_place place = { 0 };
	const struct api_caller *caller = api_caller(req);
	int64_t experiment = -1;

	if (!caller->known)
		return API_OK;
	if (!in_scope(caller, flags))
		return API_PERMISSION_DENIED;
	if (caller->token.experiment < 0)
		return API_OK;
	if (artifact_tree_locate(db, path, &place, NULL))
		return API_PERMISSION_DENIED;
	if (place.run)
		db_get_int(db, &experiment, NULL, "SELECT experiment_id FROM run WHERE id = ?1", "i",
			   place.run);
	else
		db_get_int(db, &experiment, NULL,
			   "SELECT experiment_id FROM logged_model WHERE id = ?1", "s", place.model);
	return experiment == caller->token.experiment ? API_OK : API_PERMISSION_DENIED;
}
