/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/metric_bulk.h"

#include <string.h>

#include "lib/track/chunk.h"
#include "lib/track/compact.h"
#include "lib/track/run.h"
#include "lib/track/series.h"

struct bulk_series {
	char *key;
	struct metric_point last; /* greatest (step, time, value) */
	int64_t points;
	size_t first_chunk, end_chunk;
};

struct metric_bulk {
	VEC(struct bulk_series) series;
	VEC(struct chunk) chunks;
	int64_t points;
};

struct metric_bulk *metric_bulk_new(void)
{
	return xcalloc(1, sizeof(struct metric_bulk));
}

void metric_bulk_free(struct metric_bulk *bulk)
{
	if (!bulk)
		return;
	for (size_t i = 0; i < bulk->series.len; i++)
		free(bulk->series.v[i].key);
	for (size_t i = 0; i < bulk->chunks.len; i++)
		chunk_release(&bulk->chunks.v[i]);
	vec_free(&bulk->series);
	vec_free(&bulk->chunks);
	free(bulk);
}

int metric_bulk_add(struct metric_bulk *bulk, const char *key, struct metric_points *points,
		    struct mlp_error *err)
{
	struct bulk_series s = { .first_chunk = bulk->chunks.len };
	const struct metric_point *v = points->v;

	if (!key_is_valid(key, strlen(key)))
		return mlp_error_set(err, MLP_EINVAL, "'%s' cannot name a metric", key);
	if (!points->len)
		return 0;
	compact_sort(points, 0);
	s.last = v[0];
	for (size_t i = 1; i < points->len; i++)
		if (metric_is_later(&v[i], &s.last))
			s.last = v[i];
	for (size_t i = 0; i < points->len; i += SERIES_CHUNK_MAX) {
		struct chunk chunk = CHUNK_INIT;

		chunk_make(v + i, MIN(points->len - i, (size_t)SERIES_CHUNK_MAX), &chunk);
		vec_push(&bulk->chunks, chunk);
	}
	s.key = xstrdup(key);
	s.points = (int64_t)points->len;
	s.end_chunk = bulk->chunks.len;
	bulk->points += s.points;
	vec_push(&bulk->series, s);
	return 0;
}

int64_t metric_bulk_points(const struct metric_bulk *bulk)
{
	return bulk->points;
}

static int put_series(const struct metric_bulk *bulk, const struct bulk_series *s, struct db *db,
		      int64_t run, struct mlp_error *err)
{
	int64_t key;
	int r = metric_key_id(db, s->key, strlen(s->key), &key, err);

	if (!r)
		r = metric_count(db, run, key, &s->last, s->points, err);
	for (size_t i = s->first_chunk; i < s->end_chunk && !r; i++)
		r = chunk_put(db, run, key, &bulk->chunks.v[i], err);
	return r;
}

int metric_bulk_commit(const struct metric_bulk *bulk, struct db *db, int64_t run,
		       struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	for (size_t i = 0; i < bulk->series.len && !r; i++)
		r = put_series(bulk, &bulk->series.v[i], db, run, err);
	return r ? r : db_txn_commit(&txn, err);
}
