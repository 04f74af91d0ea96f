/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cost/nested.h"
#include "lib/cost/share.h"
#include "lib/util/hashmap.h"

#define HOUR_MS INT64_C(3600000)
#define KWH_MJ INT64_C(3600000000)
#define DAY_MS INT64_C(86400000)

/* Prices asked for, by kind, host, model and day. */
struct price_cache {
	struct db *db;
	const struct settings *settings;
	struct strmap map;
};

static void price_cache_release(struct price_cache *cache)
{
	for (size_t i = 0; i < cache->map.len; i++)
		free(cache->map.entries[i].value);
	strmap_release(&cache->map);
}

static int ask_price(const struct price_cache *cache, char kind, const struct usage_row *row,
		     struct price *out, struct mlp_error *err)
{
	const struct price_of what = { row->host, row->model, row->start_ms };

	switch (kind) {
	case 'g':
		return price_gpu(cache->db, cache->settings, &what, out, err);
	case 'c':
		return price_cpu(cache->db, cache->settings, &what, out, err);
	default:
		return price_energy(cache->db, cache->settings, &what, out, err);
	}
}

static int find_price(struct price_cache *cache, char kind, const struct usage_row *row,
		      struct price *out, struct mlp_error *err)
{
	_cleanup_free_ char *key = xasprintf("%c\n%s\n%s\n%" PRId64, kind, row->host,
					     kind == 'e' ? "" : row->model, row->start_ms / DAY_MS);
	struct strmap_entry *e = strmap_put(&cache->map, key, strlen(key));

	if (!e->value) {
		struct price price;
		int r = ask_price(cache, kind, row, &price, err);

		if (r)
			return r;
		e->value = xmalloc(sizeof(price));
		memcpy(e->value, &price, sizeof(price));
	}
	*out = *(const struct price *)e->value;
	return 0;
}

static struct money times(const struct price *price, int64_t amount, int64_t unit)
{
	struct money m = { .known = price->known };

	if (price->known) {
		m.nano = share_scale(price->nano_per_hour, amount, unit);
		memcpy(m.currency, price->currency, sizeof(m.currency));
	}
	return m;
}

static int add_price(struct price_cache *cache, struct usage_row *row, bool beside_gpu,
		     struct mlp_error *err)
{
	int r = find_price(cache, row->is_gpu ? 'g' : 'c', row, &row->price, err);
	struct money energy;

	if (!r && row->energy_mj >= 0)
		r = find_price(cache, 'e', row, &row->energy_price, err);
	if (r)
		return r;
	row->included = beside_gpu && !row->is_gpu && !row->price.known;
	row->money = times(&row->price, row->device_ms, HOUR_MS);
	/* Who pays for power but has no price for the device pays for power alone. */
	energy = times(&row->energy_price, MAX(row->energy_mj, 0), KWH_MJ);
	row->mixed = !money_sum(&row->money, &energy);
	if (row->mixed)
		row->money = (struct money){ 0 };
	return 0;
}

/* The experiment is that of the run, which may have moved; of one that is gone what it was. */
#define COLUMNS                                                                              \
	"SELECT a.run_uuid, a.attempt, coalesce((SELECT e.name FROM run r"                   \
	"   JOIN experiment e ON e.id = r.experiment_id WHERE r.uuid = a.run_uuid),"         \
	" a.experiment), a.user, u.host, u.device, u.model,"                                 \
	" u.start_ms, u.end_ms, u.device_ms, u.busy_ms, u.energy_mj, u.memory_peak, u.closed," \
	" EXISTS(SELECT 1 FROM usage g WHERE g.attempt_id = u.attempt_id"                    \
	"   AND g.device <> 'cpu')"

static int64_t known_int(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? -1 : db_int(st, col);
}

static struct usage_row read_row(struct db_stmt *st)
{
	struct usage_row row = {
		.run_uuid = xstrdup(db_text(st, 0)), .attempt = db_int(st, 1),
		.experiment = xstrdup(db_text(st, 2)), .user = xstrdup(db_text(st, 3)),
		.host = xstrdup(db_text(st, 4)), .device = xstrdup(db_text(st, 5)),
		.model = xstrdup(db_text(st, 6)), .start_ms = db_int(st, 7),
		.end_ms = db_int(st, 8), .device_ms = db_int(st, 9), .busy_ms = known_int(st, 10),
		.energy_mj = known_int(st, 11), .memory_peak = db_int(st, 12),
		.closed = db_int(st, 13) != 0,
	};

	row.is_gpu = strcmp(row.device, "cpu") != 0;
	return row;
}

static int read_rows(struct db_stmt *st, struct price_cache *cache, int group_column,
		     struct usage_rows *out, struct mlp_error *err)
{
	int r = MLP_EFAIL;

	while (st && (r = db_step(st, err)) > 0) {
		struct usage_row row = read_row(st);

		if (group_column >= 0)
			row.group = xstrdup_null(db_text(st, group_column));
		vec_push(out, row);
		r = add_price(cache, &out->v[out->len - 1], db_int(st, 14) != 0, err);
		if (r)
			return r;
	}
	return r;
}

int usage_of_run(struct db *db, const struct settings *settings, const char *run_uuid,
		 struct usage_rows *out, struct mlp_error *err)
{
	_release_(price_cache_release) struct price_cache cache = { .db = db, .settings = settings };
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		COLUMNS " FROM usage_attempt a JOIN usage u ON u.attempt_id = a.id"
			" WHERE a.run_uuid = ?1 ORDER BY a.attempt, u.device <> 'cpu', u.device",
		"s", run_uuid);

	return read_rows(st, &cache, -1, out, err);
}

int usage_between(struct db *db, const struct settings *settings, const struct usage_span *span,
		  struct usage_rows *out, struct mlp_error *err)
{
	_release_(price_cache_release) struct price_cache cache = { .db = db, .settings = settings };
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		COLUMNS ", CASE WHEN ?3 IS NOT NULL THEN"
			" (SELECT value FROM json_each(iif(json_valid(a.tags), a.tags, '{}'))"
			"  WHERE key = ?3) END"
			" FROM usage u JOIN usage_attempt a ON a.id = u.attempt_id"
			" WHERE u.start_ms < ?2 AND (u.end_ms > ?1 OR u.start_ms >= ?1)"
			" ORDER BY u.start_ms, u.id", "iis", span->since_ms,
		span->until_ms, span->tag);

	return read_rows(st, &cache, 15, out, err);
}

void usage_rows_release(struct usage_rows *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		struct usage_row *row = &rows->v[i];

		free(row->run_uuid);
		free(row->experiment);
		free(row->user);
		free(row->group);
		free(row->host);
		free(row->device);
		free(row->model);
	}
	vec_free(rows);
}

static int64_t between(int64_t total, const struct usage_row *row, int64_t from, int64_t to)
{
	int64_t length = row->end_ms - row->start_ms;

	if (total < 0)
		return -1;
	/* A row of no length belongs to the instant it started at. */
	if (length <= 0)
		return row->start_ms >= from && row->start_ms < to ? total : 0;
	from = MIN(MAX(from, row->start_ms), row->end_ms);
	to = MIN(MAX(to, from), row->end_ms);
	return share_until(total, to - row->start_ms, length) -
	       share_until(total, from - row->start_ms, length);
}

struct usage_part usage_cut(const struct usage_row *row, int64_t from, int64_t to)
{
	return (struct usage_part){
		.device_ms = between(row->device_ms, row, from, to),
		.busy_ms = between(row->busy_ms, row, from, to),
		.energy_mj = between(row->energy_mj, row, from, to),
		.money_nano = row->money.known ? between(row->money.nano, row, from, to) : -1,
	};
}

int usage_find_run(struct db *db, const char *ref, char uuid[257], struct mlp_error *err)
{
	size_t len = strlen(ref);
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT DISTINCT run_uuid FROM usage_attempt WHERE run_uuid = ?1 OR (?2 >= 4 AND"
		" (substr(run_uuid, 1, ?2) = ?1 OR substr(run_uuid, -?2) = ?1))"
		" ORDER BY run_uuid <> ?1 LIMIT 2", "si", ref, (int64_t)len);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (!r)
		return mlp_error_set(err, MLP_ENOTFOUND, "no usage of a run '%s'", ref);
	snprintf(uuid, 257, "%s", db_text(st, 0));
	r = strcmp(uuid, ref) ? db_step(st, err) : 0;
	if (r > 0)
		return mlp_error_set(err, MLP_EAMBIGUOUS, "'%s' fits several runs", ref);
	return r;
}

static void add_to_summary(struct cost_summary *sum, const struct usage_row *row, bool *mixed)
{
	if (row->is_gpu) {
		sum->gpu_ms += row->device_ms;
		if (row->busy_ms < 0)
			sum->gpu_busy_ms = -1;
		else if (sum->gpu_busy_ms >= 0)
			sum->gpu_busy_ms += row->busy_ms;
	} else {
		sum->cpu_ms += row->device_ms;
		sum->wall_ms += row->end_ms - row->start_ms;
	}
	if (row->energy_mj >= 0) {
		sum->energy_known = true;
		sum->energy_mj += row->energy_mj;
	}
	sum->stale |= row->price.stale || row->energy_price.stale;
	if (!row->money.known && !row->included && !*sum->unpriced)
		snprintf(sum->unpriced, sizeof(sum->unpriced), "%s%s", row->model,
			 row->mixed ? " (prices in two currencies)" : "");
	if (!money_sum(&sum->money, &row->money))
		*mixed = true;
}

static void sum_up(const struct usage_rows *rows, struct cost_summary *out)
{
	bool mixed = false;

	*out = (struct cost_summary){ 0 };
	for (size_t i = 0; i < rows->len; i++)
		add_to_summary(out, &rows->v[i], &mixed);
	if (mixed && !*out->unpriced)
		snprintf(out->unpriced, sizeof(out->unpriced), "a sum of several currencies");
	if (*out->unpriced)
		out->money = (struct money){ 0 };
}

int cost_of_run(struct db *db, const struct settings *settings, const char *run_uuid,
		struct cost_summary *out, struct mlp_error *err)
{
	_release_(usage_rows_release) struct usage_rows rows = { 0 };
	int r = usage_of_run(db, settings, run_uuid, &rows, err);

	sum_up(&rows, out);
	return r;
}

int cost_with_nested(struct db *db, const struct settings *settings, const char *run_uuid,
		     struct cost_summary *out, struct mlp_error *err)
{
	_release_(price_cache_release) struct price_cache cache = { .db = db, .settings = settings };
	_release_(usage_rows_release) struct usage_rows rows = { 0 };
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		NESTED_RUNS COLUMNS " FROM usage_attempt a JOIN usage u ON u.attempt_id = a.id"
				    " WHERE a.run_uuid = ?1 OR a.run_uuid IN"
				    " (SELECT uuid FROM nested)", "s", run_uuid);
	int r = read_rows(st, &cache, -1, &rows, err);

	sum_up(&rows, out);
	return r;
}
