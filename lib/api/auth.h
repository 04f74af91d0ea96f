/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use the server: tokens, of which only a salted hash is stored, and the trail of
 * what was written with them.
 */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "lib/api/api.h"
#include "lib/http/http.h"

enum token_scope { TOKEN_READ = 1, TOKEN_WRITE, TOKEN_ADMIN };
enum { TOKEN_NAME_MAX = 64, TOKEN_TEXT_MAX = 96 };

struct token {
	int64_t id;
	char name[TOKEN_NAME_MAX + 1];
	enum token_scope scope;
	int64_t experiment; /* -1: all */
	int64_t created_ms, revoked_ms; /* 0: valid */
};
struct tokens {
	struct token *v;
	size_t len, cap;
};

/* "read", "write", "admin"; 0 for anything else. */
enum token_scope token_scope_parse(const char *name);
const char *token_scope_name(enum token_scope scope);

/* text gets the token itself, which is kept nowhere.  MLP_EEXIST when a valid one has the
 * name. */
int token_add(struct db *db, const char *name, enum token_scope scope, int64_t experiment,
	      char text[TOKEN_TEXT_MAX], struct mlp_error *err);
int token_list(struct db *db, struct tokens *out, struct mlp_error *err);
int token_revoke(struct db *db, const char *name, struct mlp_error *err);
/* The token in a header "Authorization": Bearer, or Basic with its name as the user.
 * MLP_ENOTFOUND when it is none, or revoked. */
int token_check(struct db *db, const char *authorization, struct token *out,
		struct mlp_error *err);
/* Is it this secret?  Bearer, or Basic whatever the user.  MLP_ENOTFOUND when it is not. */
int token_check_secret(const char *secret, const char *authorization, struct mlp_error *err);

/* What the server knows of a request, in http_context(). */
struct api_caller {
	bool known; /* token is set */
	struct token token;
	const char *route; /* a constant, for the counters; or NULL */
};
struct api_caller *api_caller(struct http_request *req);

/* May the caller use this route?  args: those of the request; words: what its path names.
 * API_OK or API_PERMISSION_DENIED. */
enum api_error api_permit(struct db *db, struct http_request *req, const struct api_route *route,
			  const struct json *args, char *const *words);
/* The same for an artifact's path below the proxy. */
enum api_error api_permit_artifact(struct db *db, struct http_request *req, int flags,
				   const char *path);
/* Notes a write in the transaction that makes it. */
int api_audit(struct db *db, struct http_request *req, const struct json *args,
	      struct mlp_error *err);

#endif
