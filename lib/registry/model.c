/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/registry/model.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/registry/version.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

void registered_model_release(struct registered_model *m)
{
	free(m->name);
	free(m->description);
	*m = (struct registered_model)REGISTERED_MODEL_INIT;
}

/* Names stand in URIs: "models:/name/3". */
static int check_name(const char *name, const char *what, struct mlp_error *err)
{
	size_t len = strlen(name);

	if (strspn(name, " \t\r\n\f\v") == len)
		return mlp_error_set(err, MLP_EINVAL, "Missing value for required parameter '%s'.",
				     what);
	if (strpbrk(name, "/:"))
		return mlp_error_set(err, MLP_EINVAL,
				     "Invalid model name '%s'. Names cannot contain '/' or ':'.", name);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return mlp_error_set(err, MLP_EINVAL,
				     "Invalid value \"%s\" for parameter 'name' supplied: Names may be "
				     "treated as files in certain cases, and must not resolve to other "
				     "names when treated as such.", name);
	if (len > REGISTRY_NAME_MAX || !text_is_utf8(name, len))
		return mlp_error_set(err, MLP_EINVAL, "'name' exceeds the maximum length of %d characters",
				     REGISTRY_NAME_MAX);
	return 0;
}

static int check_free(struct db *db, const char *name, struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err, "SELECT 1 FROM registered_model WHERE name = ?1", "s", name);

	if (r)
		return r == MLP_ENOTFOUND ? 0 : r;
	return mlp_error_set(err, MLP_EEXIST, "Registered Model (name=%s) already exists.", name);
}

static int not_there(const char *name, struct mlp_error *err)
{
	int r = check_name(name, "name", err);

	return r ? r : mlp_error_set(err, MLP_ENOTFOUND, "Registered Model with name=%s not found", name);
}

static int check_there(struct db *db, const char *name, struct mlp_error *err)
{
	int64_t one;
	int r = db_get_int(db, &one, err, "SELECT 1 FROM registered_model WHERE name = ?1", "s", name);

	return r == MLP_ENOTFOUND ? not_there(name, err) : r;
}

int registered_model_create(struct db *db, const char *name, const char *description,
			    struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = check_name(name, "name", err);

	if (!r)
		r = db_txn(&txn, db, err);
	if (!r)
		r = check_free(db, name, err);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO registered_model(name, description, created_ms, updated_ms)"
			    " VALUES(?1, nullif(?2, ''), ?3, ?3)",
			    "ssi", name, description, clock_ms());
	return r ? r : db_txn_commit(&txn, err);
}

int registered_model_get(struct db *db, const char *name, struct registered_model *out,
			 struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT description, created_ms, updated_ms FROM registered_model"
			 " WHERE name = ?1",
			 "s", name);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return not_there(name, err);
	*out = (struct registered_model){
		.name = xstrdup(name),
		.description = xstrdup_null(db_text(st, 0)),
		.created_ms = db_int(st, 1),
		.updated_ms = db_int(st, 2),
	};
	return 0;
}

int registered_model_rename(struct db *db, const char *name, const char *new_name,
			    struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = check_name(new_name, "new_name", err);

	if (!r)
		r = db_txn(&txn, db, err);
	if (!r)
		r = check_there(db, name, err);
	if (!r && strcmp(name, new_name))
		r = check_free(db, new_name, err);
	if (!r)
		r = db_exec(db, err,
			    "UPDATE registered_model SET name = ?2, updated_ms = ?3 WHERE name = ?1",
			    "ssi", name, new_name, clock_ms());
	if (!r)
		r = db_exec(db, err, "UPDATE model_version SET updated_ms = ?2 WHERE name = ?1", "si",
			    new_name, clock_ms());
	return r ? r : db_txn_commit(&txn, err);
}

int registered_model_describe(struct db *db, const char *name, const char *description,
			      struct mlp_error *err)
{
	int r = check_there(db, name, err);

	return r ? r :
		   db_exec(db, err,
			   "UPDATE registered_model SET description = nullif(?2, ''), updated_ms = ?3"
			   " WHERE name = ?1",
			   "ssi", name, description, clock_ms());
}

int registered_model_delete(struct db *db, const char *name, struct mlp_error *err)
{
	int r = check_there(db, name, err);

	return r ? r : db_exec(db, err, "DELETE FROM registered_model WHERE name = ?1", "s", name);
}

int registered_model_touch(struct db *db, const char *name, struct mlp_error *err)
{
	return db_exec(db, err, "UPDATE registered_model SET updated_ms = ?2 WHERE name = ?1", "si",
		       name, clock_ms());
}

int registered_model_search(struct db *db, const struct listing *listing, struct strvec *names,
			    struct mlp_error *err)
{
	_release_(query_release) struct query q = QUERY_INIT;
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r;

	query_add(&q, "SELECT r.name FROM registered_model r WHERE ");
	query_add(&q, listing_mentions(listing, REGISTRY_PROMPT_TAG) ?
			      "1" :
			      "NOT EXISTS (SELECT 1 FROM registered_model_tag t WHERE t.name = r.name"
			      " AND t.key = '" REGISTRY_PROMPT_TAG "' AND t.value = 'true')");
	listing_add(listing, "r.name", &q);
	st = query_run(&q, db, err);
	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		strvec_push(names, db_text(st, 0));
	return r;
}

int registry_check_tag(const char *key, const char *value, struct mlp_error *err)
{
	int r = key_check("key", "key", key, err);

	if (!r && strlen(value) > REGISTRY_VALUE_MAX)
		return mlp_error_set(err, MLP_EINVAL,
				     "'value' exceeds the maximum length of %d characters",
				     REGISTRY_VALUE_MAX);
	return r;
}

int registered_model_tag_set(struct db *db, const char *name, const char *key, const char *value,
			     struct mlp_error *err)
{
	int r = registry_check_tag(key, value, err);

	if (!r)
		r = check_there(db, name, err);
	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO registered_model_tag(name, key, value) VALUES(?1, ?2, ?3)"
			   " ON CONFLICT DO UPDATE SET value = excluded.value",
			   "sss", name, key, value);
}

int registered_model_tag_unset(struct db *db, const char *name, const char *key,
			       struct mlp_error *err)
{
	int r = check_there(db, name, err);

	return r ? r :
		   db_exec(db, err, "DELETE FROM registered_model_tag WHERE name = ?1 AND key = ?2",
			   "ss", name, key);
}

int registered_model_tags_get(struct db *db, const char *name, struct key_values *out,
			      struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err, "SELECT key, value FROM registered_model_tag WHERE name = ?1 ORDER BY key",
		"s", name);

	return key_values_read(st, out, err);
}

/* [\w-]*, where \w is of any script. */
static bool alias_is_clean(const char *alias)
{
	for (; *alias; alias++)
		if (!isalnum((unsigned char)*alias) && *alias != '_' && *alias != '-' &&
		    !(*alias & 0x80))
			return false;
	return true;
}

static int check_alias(const char *alias, struct mlp_error *err)
{
	if (!alias_is_clean(alias) || !text_is_utf8(alias, strlen(alias)))
		return mlp_error_set(err, MLP_EINVAL,
				     "Invalid alias name: '%s'. Names may only contain alphanumerics, "
				     "underscores (_), and dashes (-).", alias);
	if (strlen(alias) > REGISTRY_ALIAS_MAX)
		return mlp_error_set(err, MLP_EINVAL,
				     "'Registered model alias name' exceeds the maximum length of %d "
				     "characters", REGISTRY_ALIAS_MAX);
	if (!strcasecmp(alias, "latest"))
		return mlp_error_set(err, MLP_EINVAL,
				     "'latest' alias name (case insensitive) is reserved.");
	if (strchr("vV", *alias) && alias[1] && !alias[1 + strspn(alias + 1, "0123456789")])
		return mlp_error_set(err, MLP_EINVAL, "Version alias name '%s' is reserved.", alias);
	return 0;
}

int model_alias_set(struct db *db, const char *name, const char *alias, int64_t version,
		    struct mlp_error *err)
{
	int r = check_alias(alias, err);

	if (!r)
		r = model_version_check(db, name, version, err);
	return r ? r :
		   db_exec(db, err,
			   "INSERT INTO model_alias(name, alias, version) VALUES(?1, ?2, ?3)"
			   " ON CONFLICT DO UPDATE SET version = excluded.version",
			   "ssi", name, alias, version);
}

int model_alias_unset(struct db *db, const char *name, const char *alias, struct mlp_error *err)
{
	int r = check_there(db, name, err);

	if (!r)
		r = db_exec(db, err, "DELETE FROM model_alias WHERE name = ?1 AND alias = ?2", "ss",
			    name, alias);
	return r;
}

int model_alias_resolve(struct db *db, const char *name, const char *alias, int64_t *version,
			struct mlp_error *err)
{
	int r = check_there(db, name, err);

	if (r)
		return r;
	if (!strcasecmp(alias, "latest")) {
		r = db_get_int(db, version, err,
			       "SELECT version FROM model_version WHERE name = ?1 AND stage <> '"
			       MODEL_STAGE_DELETED "' ORDER BY version DESC LIMIT 1",
			       "s", name);
		return r != MLP_ENOTFOUND ? r :
			       mlp_error_set(err, r, "Latest version not found for model %s.", name);
	}
	r = db_get_int(db, version, err,
		       "SELECT version FROM model_alias WHERE name = ?1 AND alias = ?2", "ss", name,
		       alias);
	/* MLflow answers 400, not 404. */
	return r != MLP_ENOTFOUND ? r :
		       mlp_error_set(err, MLP_EINVAL, "Registered model alias %s not found.", alias);
}

int model_aliases_get(struct db *db, const char *name, int64_t version, struct key_values *out,
		      struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT alias, CAST(version AS TEXT) FROM model_alias WHERE name = ?1"
			 " AND ?2 IN (0, version) ORDER BY alias",
			 "si", name, version);

	return key_values_read(st, out, err);
}
