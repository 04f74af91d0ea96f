/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and tags of a run. */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "lib/track/run.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

bool key_is_valid(const char *key, size_t len)
{
	size_t start = 0;

	if (!len || len > RUN_KEY_MAX || !text_is_utf8(key, len))
		return false;
	/* Also of a name that only starts so MLflow says that it leaves the folder. */
	if (len >= 2 && key[0] == '.' && key[1] == '.')
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i == len || key[i] == '/') {
			size_t n = i - start;

			if (!n || (n == 1 && key[start] == '.') ||
			    (n == 2 && key[start] == '.' && key[start + 1] == '.'))
				return false;
			start = i + 1;
		} else if (!key[i] || (!isalnum((unsigned char)key[i]) &&
				      !((unsigned char)key[i] & 0x80) &&
				      !strchr("_.- :", key[i]))) {
			return false;
		}
	}
	return true;
}

static bool has_other_characters(const char *key)
{
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && !(*key & 0x80) && !strchr("_.- :/", *key))
			return true;
	return false;
}

int key_check(const char *name, const char *title, const char *key, struct mlp_error *err)
{
	_cleanup_free_ char *normal = NULL;

	if (key_is_valid(key, strlen(key)))
		return 0;
	if (has_other_characters(key) || !text_is_utf8(key, strlen(key)))
		return mlp_error_set(err, MLP_EINVAL,
				     "Invalid value \"%.100s\" for parameter '%s' supplied: Names may "
				     "only contain alphanumerics, underscores (_), dashes (-), periods "
				     "(.), spaces ( ), colon(:) and slashes (/).", key, name);
	normal = path_normal(key);
	if (strcmp(normal, key) || *key == '/' || !strcmp(key, ".") || !strncmp(key, "..", 2))
		return mlp_error_set(err, MLP_EINVAL,
				     "Invalid value \"%.100s\" for parameter '%s' supplied: Names may be "
				     "treated as files in certain cases, and must not resolve to other "
				     "names when treated as such. This name would resolve to '%.100s'",
				     key, name, normal);
	return mlp_error_set(err, MLP_EINVAL, "'%s' exceeds the maximum length of %d characters", title,
			     RUN_KEY_MAX);
}

static int check(const char *what, const char *key, const char *value, size_t max,
		 struct mlp_error *err)
{
	size_t n = strlen(value);

	if (!key_is_valid(key, strlen(key)))
		return mlp_error_set(err, MLP_EINVAL, "bad %s name '%s'", what, key);
	if (n > max)
		return mlp_error_set(err, MLP_EINVAL, "value of %s '%s' is longer than %zu bytes", what,
				     key, max);
	if (!text_is_utf8(value, n))
		return mlp_error_set(err, MLP_EINVAL, "value of %s '%s' is not UTF-8", what, key);
	return 0;
}

int param_set(struct db *db, int64_t run, const char *key, const char *value,
	      struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	int r = check("parameter", key, value, RUN_PARAM_MAX, err);

	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO param(run_id, key, value) VALUES(?1, ?2, ?3)"
			    " ON CONFLICT DO NOTHING",
			    "iss", run, key, value);
	if (r || db_changes(db))
		return r;
	st = db_query(db, err, "SELECT value FROM param WHERE run_id = ?1 AND key = ?2", "is", run,
		      key);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r < 0)
		return r;
	if (r > 0 && strcmp(db_text(st, 0), value))
		return mlp_error_set(err, MLP_ECONFLICT,
				     "parameter '%s' is '%s' already, it cannot become '%s'", key,
				     db_text(st, 0), value);
	return 0;
}

/* MLflow knows the parent of a run by this tag.  One that is not here, or that is below the run
 * itself, leaves the tag alone. */
static int follow_parent(struct db *db, int64_t run, const char *key, const char *value,
			 struct mlp_error *err)
{
	if (strcmp(key, "mlflow.parentRunId"))
		return 0;
	return db_exec(db, err,
		       "WITH RECURSIVE below(id) AS (SELECT ?1 UNION"
		       " SELECT r.id FROM below b JOIN run r ON r.parent_id = b.id)"
		       " UPDATE run SET parent_id = (SELECT p.id FROM run p WHERE p.uuid = ?2"
		       " AND p.id NOT IN (SELECT id FROM below)) WHERE id = ?1",
		       "is", run, value);
}

int tag_set(struct db *db, int64_t run, const char *key, const char *value, struct mlp_error *err)
{
	int r = check("tag", key, value, RUN_TAG_MAX, err);

	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO tag(run_id, key, value) VALUES(?1, ?2, ?3)"
			    " ON CONFLICT(run_id, key) DO UPDATE SET value = excluded.value",
			    "iss", run, key, value);
	return r ? r : follow_parent(db, run, key, value, err);
}

int tag_unset(struct db *db, int64_t run, const char *key, struct mlp_error *err)
{
	int r = db_exec(db, err, "DELETE FROM tag WHERE run_id = ?1 AND key = ?2", "is", run, key);

	if (!r && !db_changes(db))
		return mlp_error_set(err, MLP_ENOTFOUND, "no tag '%s'", key);
	return r ? r : follow_parent(db, run, key, NULL, err);
}

void key_values_release(struct key_values *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->v[i].key);
		free(list->v[i].value);
	}
	vec_free(list);
}

const char *key_values_get(const struct key_values *list, const char *key)
{
	for (size_t i = 0; i < list->len; i++)
		if (!strcmp(list->v[i].key, key))
			return list->v[i].value;
	return NULL;
}

int key_values_read(struct db_stmt *st, struct key_values *out, struct mlp_error *err)
{
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		struct key_value kv = { xstrdup(db_text(st, 0)), xstrdup(db_text(st, 1)) };

		vec_push(out, kv);
	}
	return r;
}

struct each_key_value {
	key_value_fn *fn;
	void *data;
};

static int each_row(struct db_stmt *st, const struct each_key_value *each, struct mlp_error *err)
{
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		each->fn(each->data, db_text(st, 0), db_text(st, 1));
	return r;
}

static struct db_stmt *query_params(struct db *db, int64_t run, struct mlp_error *err)
{
	return db_query(db, err, "SELECT key, value FROM param WHERE run_id = ?1 ORDER BY key", "i",
			run);
}

static struct db_stmt *query_tags(struct db *db, int64_t run, struct mlp_error *err)
{
	return db_query(db, err, "SELECT key, value FROM tag WHERE run_id = ?1 ORDER BY key", "i",
			run);
}

int params_get(struct db *db, int64_t run, struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = query_params(db, run, err);

	return key_values_read(st, out, err);
}

int tags_get(struct db *db, int64_t run, struct key_values *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = query_tags(db, run, err);

	return key_values_read(st, out, err);
}

/* Of each of the keys what one, a query by run and key, finds. */
static int each_of(struct db *db, const char *one, int64_t run, const struct strvec *keys,
		   const struct each_key_value *each,
		   struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < keys->len; i++) {
		_cleanup_stmt_ struct db_stmt *st = db_query(db, err, one, "is", run, keys->v[i]);

		r = each_row(st, each, err);
	}
	return r;
}

int params_each(struct db *db, int64_t run, const struct strvec *keys, key_value_fn *fn, void *data,
		struct mlp_error *err)
{
	static const char one[] = "SELECT key, value FROM param WHERE run_id = ?1 AND key = ?2";
	_cleanup_stmt_ struct db_stmt *st = keys ? NULL : query_params(db, run, err);
	struct each_key_value each = { fn, data };

	return keys ? each_of(db, one, run, keys, &each, err) : each_row(st, &each, err);
}

int tags_each(struct db *db, int64_t run, const struct strvec *keys, key_value_fn *fn, void *data,
	      struct mlp_error *err)
{
	static const char one[] = "SELECT key, value FROM tag WHERE run_id = ?1 AND key = ?2";
	_cleanup_stmt_ struct db_stmt *st = keys ? NULL : query_tags(db, run, err);
	struct each_key_value each = { fn, data };

	return keys ? each_of(db, one, run, keys, &each, err) : each_row(st, &each, err);
}
