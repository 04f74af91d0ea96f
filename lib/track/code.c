/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/code.h"

#include "lib/util/xalloc.h"

void run_code_release(struct run_code *code)
{
	free(code->root);
	free(code->commit);
	free(code->branch);
	free(code->remote);
	free(code->diff);
	free(code->detail);
	*code = (struct run_code)RUN_CODE_INIT;
}

int run_code_get(struct db *db, int64_t run, struct run_code *out, struct mlp_error *err)
{
	static const char sql[] = "SELECT root, commit_id, branch, remote, dirty, diff, detail"
				  " FROM run_code WHERE run_id = ?1";
	_cleanup_stmt_ struct db_stmt *st = db_query(db, err, sql, "i", run);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "the run has no code recorded");
	*out = (struct run_code){
		.root = xstrdup(db_text(st, 0)),
		.commit = xstrdup_null(db_text(st, 1)),
		.branch = xstrdup_null(db_text(st, 2)),
		.remote = xstrdup_null(db_text(st, 3)),
		.dirty = db_int(st, 4) != 0,
		.diff = xstrdup_null(db_text(st, 5)),
		.detail = xstrdup(db_text(st, 6)),
	};
	return 0;
}
