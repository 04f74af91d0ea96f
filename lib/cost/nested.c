/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/nested.h"

#include <string.h>

#include "lib/cost/owner.h"

int nested_cpu(struct db *db, const char *run_uuid, const char *host, int64_t since_ms,
	       struct nested_cpu *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		NESTED_RUNS
		"SELECT (SELECT coalesce(sum(u.device_ms), 0) FROM nested n"
		"  JOIN usage_attempt a ON a.run_uuid = n.uuid JOIN usage u ON u.attempt_id = a.id"
		"  WHERE u.device = 'cpu' AND u.host = ?2 AND u.start_ms >= ?3),"
		" EXISTS(SELECT 1 FROM nested WHERE status = 1 AND host = ?2"
		"  AND heartbeat_ms IS NOT NULL)", "ssi", run_uuid, host, since_ms);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	*out = (struct nested_cpu){ db_int(st, 0), db_int(st, 1) != 0 };
	return 0;
}

bool nested_owns(struct db *db, const char *run_uuid, int64_t pid)
{
	struct owner owner;
	int64_t id;

	return owner_by_environ(pid, &owner) && strcmp(owner.run_uuid, run_uuid) &&
	       !db_get_int(db, &id, NULL, "SELECT id FROM run WHERE uuid = ?1", "s",
			   owner.run_uuid);
}
