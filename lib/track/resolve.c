/* SPDX-License-Identifier: Apache-2.0 */
/* From what people type to a run. */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "lib/track/run.h"
#include "lib/util/text.h"

enum { FRAGMENT_MIN = 4 };

/* "@" or "@~N" */
static int resolve_newest(struct db *db, const char *ref, int64_t *id, struct mlp_error *err)
{
	int64_t back = 0;
	int r;

	if (ref[1] && (ref[1] != '~' || !text_parse_int(ref + 2, &back) || back < 0))
		return mlp_error_set(err, MLP_EINVAL, "bad run '%s': use @, @~1, @~2, ...", ref);
	r = db_get_int(db, id, err,
		       "SELECT id FROM run WHERE deleted_ms IS NULL"
		       " ORDER BY started_ms DESC, id DESC LIMIT 1 OFFSET ?1",
		       "i", back);
	if (r == MLP_ENOTFOUND && !back)
		return mlp_error_set(err, r, "no run yet");
	if (r == MLP_ENOTFOUND)
		return mlp_error_set(err, r, "no run '%s': there are not so many", ref);
	return r;
}

/* Steps over runs whose id fits; 1 with one in *id, 0 with none, MLP_EAMBIGUOUS. */
static int only_one(struct db_stmt *st, const char *ref, int64_t *id, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf names = STRBUF_INIT;
	int n = 0, r;

	while ((r = db_step(st, err)) > 0) {
		if (n < 5)
			strbuf_addf(&names, "%s%s (%s)", n ? ", " : "", db_text(st, 1),
				    db_text(st, 2));
		n++;
		*id = db_int(st, 0);
	}
	if (r < 0)
		return r;
	if (n < 2)
		return n;
	mlp_error_set(err, MLP_EAMBIGUOUS, "run '%s' is ambiguous", ref);
	mlp_error_hint(err, "it may be %s%s", names.buf, n > 5 ? ", ..." : "");
	return MLP_EAMBIGUOUS;
}

static const char by_prefix[] =
	"SELECT id, uuid, name FROM run WHERE uuid >= ?1 AND uuid < ?1 || '\x7f' LIMIT 6";
static const char by_suffix[] =
	"SELECT id, uuid, name FROM run WHERE substr(uuid, -8) = substr(?1, -8)"
	" AND substr(uuid, -length(?1)) = ?1 LIMIT 6";
static const char by_short_suffix[] =
	"SELECT id, uuid, name FROM run WHERE substr(substr(uuid, -8), -length(?1)) = ?1 LIMIT 6";

static int resolve_fragment(struct db *db, const char *ref, int64_t *id, struct mlp_error *err)
{
	size_t n = strlen(ref);
	const char *const queries[] = { n >= RUN_SHORT_LEN ? by_suffix : by_short_suffix, by_prefix };

	if (n < FRAGMENT_MIN || n > 256)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)ref[i]) && ref[i] != '-' && ref[i] != '_')
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		_cleanup_stmt_ struct db_stmt *st = db_query(db, err, queries[i], "s", ref);
		int r = st ? only_one(st, ref, id, err) : MLP_EFAIL;

		if (r)
			return r;
	}
	return 0;
}

int run_resolve(struct db *db, const char *ref, int64_t *id, struct mlp_error *err)
{
	struct mlp_error fragment_err = MLP_ERROR_INIT;
	int found, r;

	if (ref[0] == '@')
		return resolve_newest(db, ref, id, err);
	r = run_find(db, ref, id, err);
	if (r != MLP_ENOTFOUND)
		return r;
	found = resolve_fragment(db, ref, id, &fragment_err);
	if (found == 1)
		return 0;
	r = db_get_int(db, id, err,
		       "SELECT id FROM run WHERE name = ?1 AND deleted_ms IS NULL"
		       " ORDER BY started_ms DESC, id DESC LIMIT 1",
		       "s", ref);
	if (r != MLP_ENOTFOUND)
		return r;
	if (found < 0) {
		if (err)
			*err = fragment_err;
		return found;
	}
	return mlp_error_set(err, MLP_ENOTFOUND, "no run '%s'", ref);
}
