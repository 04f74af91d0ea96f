/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/attempt.h"

#include "lib/util/clock.h"
#include "lib/util/vec.h"

int attempt_start(struct db *db, int64_t run, const struct attempt_new *a, int64_t *id,
		  int *number, struct mlp_error *err)
{
	static const char sql[] =
		"INSERT INTO attempt(run_id, number, host, boot_id, supervisor_pid, started_ms)"
		" SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5"
		" FROM attempt WHERE run_id = ?1";
	int64_t n;
	int r;

	r = db_exec(db, err, sql, "issii", run, a->host, a->boot_id, (int64_t)a->supervisor_pid,
		    a->started_ms ? a->started_ms : clock_ms());
	if (r)
		return r;
	*id = db_last_id(db);
	r = db_get_int(db, &n, err, "SELECT number FROM attempt WHERE id = ?1", "i", *id);
	if (!r)
		*number = (int)n;
	return r;
}

int attempt_child(struct db *db, int64_t id, pid_t child, struct mlp_error *err)
{
	return db_exec(db, err, "UPDATE attempt SET child_pid = ?2 WHERE id = ?1", "ii", id,
		       (int64_t)child);
}

int attempt_end(struct db *db, int64_t id, const struct attempt_end *end, struct mlp_error *err)
{
	static const char sql[] =
		"UPDATE attempt SET ended_ms = ?2, exit_code = iif(?3 < 0, NULL, ?3),"
		" exit_signal = nullif(?4, 0), reason = ?5,"
		" user_ms = iif(?6 < 0, NULL, ?6), system_ms = iif(?7 < 0, NULL, ?7),"
		" max_rss_kib = iif(?8 < 0, NULL, ?8), read_bytes = iif(?9 < 0, NULL, ?9),"
		" write_bytes = iif(?10 < 0, NULL, ?10), log = ?11, log_bytes = ?12,"
		" bad_lines = ?13, ignored_values = ?14 WHERE id = ?1";

	return db_exec(db, err, sql, "iiiisiiiiisiii", id,
		       end->ended_ms ? end->ended_ms : clock_ms(), (int64_t)end->exit_code,
		       (int64_t)end->exit_signal, end->reason, end->user_ms, end->system_ms,
		       end->max_rss_kib, end->read_bytes, end->write_bytes, end->log,
		       end->log_bytes, end->bad_lines, end->ignored_values);
}

static int64_t int_or(struct db_stmt *st, int col, int64_t def)
{
	return db_is_null(st, col) ? def : db_int(st, col);
}

static void read_row(struct db_stmt *st, struct attempt *a)
{
	*a = (struct attempt){
		.id = db_int(st, 0),
		.number = (int)db_int(st, 1),
		.host = xstrdup(db_text(st, 2)),
		.boot_id = xstrdup(db_text(st, 3)),
		.supervisor_pid = db_int(st, 4),
		.child_pid = db_int(st, 5),
		.started_ms = db_int(st, 6),
		.ended_ms = db_int(st, 7),
		.exit_code = (int)int_or(st, 8, -1),
		.exit_signal = (int)db_int(st, 9),
		.reason = xstrdup_null(db_text(st, 10)),
		.user_ms = int_or(st, 11, -1),
		.system_ms = int_or(st, 12, -1),
		.max_rss_kib = int_or(st, 13, -1),
		.read_bytes = int_or(st, 14, -1),
		.write_bytes = int_or(st, 15, -1),
		.log = xstrdup_null(db_text(st, 16)),
		.log_bytes = db_int(st, 17),
		.bad_lines = db_int(st, 18),
		.ignored_values = db_int(st, 19),
	};
}

int attempts_get(struct db *db, int64_t run, struct attempts *out, struct mlp_error *err)
{
	static const char sql[] =
		"SELECT id, number, host, boot_id, supervisor_pid, child_pid, started_ms, ended_ms,"
		" exit_code, exit_signal, reason, user_ms, system_ms, max_rss_kib, read_bytes,"
		" write_bytes, log, log_bytes, bad_lines, ignored_values FROM attempt WHERE run_id = ?1"
		" ORDER BY number";
	_cleanup_stmt_ struct db_stmt *st = db_query(db, err, sql, "i", run);
	struct attempt a;
	int r = st ? 1 : MLP_EFAIL;

	while (r > 0 && (r = db_step(st, err)) > 0) {
		read_row(st, &a);
		vec_push(out, a);
	}
	if (r)
		attempts_release(out);
	return r;
}

void attempts_release(struct attempts *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->v[i].host);
		free(list->v[i].boot_id);
		free(list->v[i].reason);
		free(list->v[i].log);
	}
	vec_free(list);
}
