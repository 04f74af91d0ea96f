/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/run_text.h"

#include <string.h>

#include "lib/util/xalloc.h"

bool metric_is_system(const char *key)
{
	return !strncmp(key, SYSTEM_PREFIX, strlen(SYSTEM_PREFIX));
}

void exit_add(struct strbuf *sb, int code, int signal)
{
	if (signal)
		strbuf_addf(sb, "signal %d", signal);
	else if (code >= 0)
		strbuf_addf(sb, "%d", code);
}

void exit_add_sentence(struct strbuf *sb, int code, int signal, const char *reason)
{
	if (signal || code > 0) {
		strbuf_addstr(sb, signal ? " by " : " with code ");
		exit_add(sb, code, signal);
	}
	if (reason)
		strbuf_addf(sb, " (%s)", reason);
}

int run_environment_object(struct cmd_ctx *ctx, int64_t run, char **hex)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(ctx->db, &ctx->err, "SELECT object FROM run_environment WHERE run_id = ?1",
			 "i", run);
	int r = st ? db_step(st, &ctx->err) : MLP_EFAIL;

	*hex = r > 0 ? xstrdup(db_text(st, 0)) : NULL;
	return MIN(r, 0);
}
