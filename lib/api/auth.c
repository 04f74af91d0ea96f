/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/crypto/secret.h"
#include "lib/crypto/sha256.h"
#include "lib/util/clock.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"
#include "lib/util/xalloc.h"

enum { SECRET_LEN = 32, SALT_LEN = 16, CREDENTIALS_MAX = 1024 };

/* So that scanners for leaked secrets can know one. */
static const char prefix[] = "mlp_";

static const char *const scopes[] = { [TOKEN_READ] = "read", [TOKEN_WRITE] = "write",
				      [TOKEN_ADMIN] = "admin" };

enum token_scope token_scope_parse(const char *name)
{
	for (int i = TOKEN_READ; i <= TOKEN_ADMIN; i++)
		if (!strcmp(scopes[i], name))
			return (enum token_scope)i;
	return 0;
}

const char *token_scope_name(enum token_scope scope)
{
	return scopes[scope];
}

/* A name stands before a colon in Basic, and in the audit. */
static bool name_is_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n && n <= TOKEN_NAME_MAX && !name[n];
}

static int hash(const char *salt, const char *secret, char hex[SHA256_HEX + 1],
		struct mlp_error *err)
{
	_cleanup_free_ char *both = xasprintf("%s%s", salt, secret);

	return sha256_data(both, strlen(both), hex, err);
}

int token_add(struct db *db, const char *name, enum token_scope scope, int64_t experiment,
	      char text[TOKEN_TEXT_MAX], struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	char secret[2 * SECRET_LEN + 1], salt[2 * SALT_LEN + 1], hex[SHA256_HEX + 1];
	int64_t taken;
	int r;

	if (!name_is_valid(name))
		return mlp_error_set(err, MLP_EINVAL,
				     "bad token name '%s': letters, digits, '.', '_' and '-', at most 64",
				     name);
	r = db_txn(&txn, db, err);
	if (!r)
		r = db_get_int(db, &taken, err,
			       "SELECT count(*) FROM token WHERE name = ?1 AND revoked_ms IS NULL",
			       "s", name);
	if (!r && taken)
		r = mlp_error_set(err, MLP_EEXIST, "there is a token '%s'", name);
	if (!r)
		r = secret_new(secret, SECRET_LEN, err);
	if (!r)
		r = secret_new(salt, SALT_LEN, err);
	if (!r)
		r = hash(salt, secret, hex, err);
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO token(name, scope, experiment_id, salt, hash, created_ms)"
			    " VALUES(?1, ?2, nullif(?3, -1), ?4, ?5, ?6)",
			    "siissi", name, (int64_t)scope, experiment, salt, hex, clock_ms());
	if (r)
		return r;
	snprintf(text, TOKEN_TEXT_MAX, "%s%" PRId64 "_%s", prefix, db_last_id(db), secret);
	return db_txn_commit(&txn, err);
}

static void read_row(struct db_stmt *st, struct token *t)
{
	t->id = db_int(st, 0);
	snprintf(t->name, sizeof(t->name), "%s", db_text(st, 1));
	t->scope = (enum token_scope)db_int(st, 2);
	t->experiment = db_int(st, 3);
	t->created_ms = db_int(st, 4);
	t->revoked_ms = db_int(st, 5);
}

int token_list(struct db *db, struct tokens *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT id, name, scope, coalesce(experiment_id, -1), created_ms,"
		" coalesce(revoked_ms, 0) FROM token ORDER BY id", "");
	int r = st ? 1 : MLP_EFAIL;

	while (st && (r = db_step(st, err)) > 0) {
		struct token t;

		read_row(st, &t);
		vec_push(out, t);
	}
	return r;
}

int token_revoke(struct db *db, const char *name, struct mlp_error *err)
{
	int r = db_exec(db, err,
			"UPDATE token SET revoked_ms = ?2 WHERE name = ?1 AND revoked_ms IS NULL", "si",
			name, clock_ms());

	if (r || db_changes(db))
		return r;
	return mlp_error_set(err, MLP_ENOTFOUND, "no valid token '%s'", name);
}

/* 0 to 63, or -1. */
static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Text without a NUL in it; false on anything else. */
static bool base64_text(const char *s, char *out, size_t size)
{
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (; *s && *s != '='; s++) {
		int digit = base64_digit(*s);

		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n] = (char)(bits >> have);
		if (!out[n] || ++n >= size)
			return false;
	}
	out[n] = '\0';
	return true;
}

/* The id in "mlp_<id>_<secret>", and the secret; false on anything else. */
static bool split(const char *text, int64_t *id, const char **secret)
{
	_cleanup_free_ char *digits = NULL;

	if (strncmp(text, prefix, sizeof(prefix) - 1))
		return false;
	text += sizeof(prefix) - 1;
	*secret = strchr(text, '_');
	if (!*secret)
		return false;
	digits = xmemdupz(text, (size_t)(*secret - text));
	return text_parse_int(digits, id) && strlen(++*secret) == 2 * SECRET_LEN;
}

static int check(struct db *db, const char *user, const char *text, struct token *out,
		 struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	char hex[SHA256_HEX + 1];
	const char *secret;
	int64_t id;
	int r;

	if (!split(text, &id, &secret))
		return MLP_ENOTFOUND;
	st = db_query(db, err,
		      "SELECT id, name, scope, coalesce(experiment_id, -1), created_ms, 0, salt, hash"
		      " FROM token WHERE id = ?1 AND revoked_ms IS NULL",
		      "i", id);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (r <= 0)
		return r ? r : MLP_ENOTFOUND;
	r = hash(db_text(st, 6), secret, hex, err);
	if (r)
		return r;
	if (!secret_equal(hex, db_text(st, 7), SHA256_HEX) ||
	    (user && strcmp(user, db_text(st, 1))))
		return MLP_ENOTFOUND;
	read_row(st, out);
	return 0;
}

/* The token in a header and the user that comes with it, NULL for none; cut out of plain. */
static const char *token_of(const char *authorization, char plain[CREDENTIALS_MAX],
			    const char **user)
{
	char *colon;

	*user = NULL;
	if (authorization && !strncasecmp(authorization, "Bearer ", 7))
		return authorization + 7;
	if (!authorization || strncasecmp(authorization, "Basic ", 6) ||
	    !base64_text(authorization + 6, plain, CREDENTIALS_MAX) ||
	    !(colon = strchr(plain, ':')))
		return NULL;
	*colon = '\0';
	*user = plain;
	return colon + 1;
}

static int refuse(struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ENOTFOUND, "a valid token is needed");
}

int token_check(struct db *db, const char *authorization, struct token *out,
		struct mlp_error *err)
{
	char plain[CREDENTIALS_MAX];
	const char *user, *text = token_of(authorization, plain, &user);
	int r = text ? check(db, user, text, out, err) : MLP_ENOTFOUND;

	return r == MLP_ENOTFOUND ? refuse(err) : r;
}

int token_check_secret(const char *secret, const char *authorization, struct mlp_error *err)
{
	char plain[CREDENTIALS_MAX];
	const char *user, *text = token_of(authorization, plain, &user);

	return text && secret_equal(secret, text, strlen(secret)) ? 0 : refuse(err);
}

struct api_caller *api_caller(struct http_request *req)
{
	void **context = http_context(req);

	if (!*context)
		*context = xcalloc(1, sizeof(struct api_caller));
	return *context;
}

/* What of the registry was written, or NULL. */
static char *subject_of(struct db *db, const char *route, const struct json *args)
{
	_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
	_cleanup_free_ char *version = json_as_text(json_get(args, "version"));
	const char *name = json_text(json_get(args, "name"));
	const char *alias = json_text(json_get(args, "alias"));
	const char *new_name = json_text(json_get(args, "new_name"));
	int64_t made;

	if (!name || !route || (strncmp(route, "mlflow/registered-models/", 25) != 0 &&
				strncmp(route, "mlflow/model-versions/", 22) != 0))
		return NULL;
	strbuf_addstr(&out, name);
	if (!strcmp(route, "mlflow/model-versions/create") &&
	    !db_get_int(db, &made, NULL,
			"SELECT max(version) FROM model_version WHERE name = ?1", "s", name))
		strbuf_addf(&out, "/%" PRId64, made);
	else if (version)
		strbuf_addf(&out, "/%s", version);
	if (alias)
		strbuf_addf(&out, "@%s", alias);
	if (new_name)
		strbuf_addf(&out, " to %s", new_name);
	return strbuf_detach(&out);
}

static bool logs_points(const char *route)
{
	return route && (!strcmp(route, "mlflow/runs/log-metric") ||
			 !strcmp(route, "mlflow/runs/log-batch"));
}

/* Adds to the row of the minute: true when there is one, among the latest. */
static bool add_to_row(struct db *db, int64_t token, const char *path, const char *run,
		       int64_t now)
{
	return !db_exec(db, NULL,
			"UPDATE audit SET writes = writes + 1, last_ms = ?1 WHERE id ="
			" (SELECT id FROM audit WHERE id > (SELECT max(id) FROM audit) - 256"
			" AND token_id = ?2 AND path = ?3 AND run = ?4 AND time_ms > ?1 - 60000"
			" ORDER BY id DESC LIMIT 1)",
			"iiss", now, token, path, run) && db_changes(db);
}

int api_audit(struct db *db, struct http_request *req, const struct json *args,
	      struct mlp_error *err)
{
	const struct api_caller *caller = api_caller(req);
	const char *run = json_text(json_get(args, "run_id"));
	_cleanup_free_ char *experiment = NULL, *subject = NULL;
	int64_t now = clock_ms();

	if (!caller->known)
		return 0;
	if (!run)
		run = json_text(json_get(args, "run_uuid"));
	if (logs_points(caller->route) &&
	    add_to_row(db, caller->token.id, http_raw_path(req), run, now))
		return 0;
	experiment = json_as_text(json_get(args, "experiment_id"));
	subject = subject_of(db, caller->route, args);
	return db_exec(db, err,
		       "INSERT INTO audit(time_ms, token_id, token, method, path, run, experiment,"
		       " subject, status, last_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 200, ?1)",
		       "iissssss", now, caller->token.id, caller->token.name, http_method(req),
		       http_raw_path(req), run, experiment, subject);
}
