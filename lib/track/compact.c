/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction.  Chunks of a series are kept disjoint in time where that is cheap: new
 * points are merged with the last chunk while it is not full, and with the few chunks
 * they reach back into.  Where they reach further, chunks overlap and metric_read() sorts.
 */
#include "config.h"

#include "lib/track/compact.h"

#include <string.h>

#include "lib/track/chunk.h"
#include "lib/track/series.h"
#include "lib/track/tail.h"
#include "lib/util/hashmap.h"

enum { MERGE_MAX = 8 }; /* chunks of one series written again in one compaction */

struct series {
	int64_t key;
	struct metric_points points;
};

struct gathered {
	struct strmap index; /* bytes of the key's id -> series */
};

static void gathered_release(struct gathered *g)
{
	for (size_t i = 0; i < g->index.len; i++) {
		struct series *s = g->index.entries[i].value;

		vec_free(&s->points);
		free(s);
	}
	strmap_release(&g->index);
}

static struct series *series_of(struct gathered *g, int64_t key)
{
	struct strmap_entry *e = strmap_put(&g->index, (const char *)&key, sizeof(key));
	struct series *s = e->value;

	if (!s) {
		s = e->value = xcalloc(1, sizeof(*s));
		s->key = key;
	}
	return s;
}

static int gather(struct gathered *g, const void *data, size_t len, struct mlp_error *err)
{
	_release_(tail_reader_release) struct tail_reader reader = { 0 };
	_cleanup_free_ struct series **by_number = NULL;
	struct metric_point p;
	size_t key;
	int r = tail_open(&reader, data, len, err);

	if (r)
		return r;
	by_number = xcalloc(reader.nids + 1, sizeof(*by_number));
	for (size_t i = 0; i < reader.nids; i++)
		by_number[i] = series_of(g, reader.ids[i]);
	while ((r = tail_next(&reader, &key, &p, err)) > 0)
		vec_push(&by_number[key]->points, p);
	return r;
}

static int gather_tail(struct db *db, int64_t run, struct gathered *g, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err, "SELECT data FROM metric_tail WHERE run_id = ?1 ORDER BY id", "i", run);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		size_t len;
		const void *data = db_blob(st, 0, &len);

		r = gather(g, data, len, err);
		if (r)
			return r;
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	return series_compare(a, b);
}

void compact_sort(struct metric_points *points, size_t start)
{
	struct metric_point *v = points->v;
	bool sorted = true, unique = true;
	size_t n = start;

	for (size_t i = start + 1; i < points->len; i++) {
		int c = series_compare(&v[i - 1], &v[i]);

		sorted &= c <= 0;
		unique &= c != 0;
	}
	if (sorted && unique)
		return;
	if (!sorted)
		qsort(v + start, points->len - start, sizeof(*v), compare);
	for (size_t i = start; i < points->len; i++)
		if (i == start || series_compare(&v[n - 1], &v[i]))
			v[n++] = v[i];
	points->len = n;
}

/* Moves the chunks to be merged from the store to old. */
static int take_chunks(struct db *db, int64_t run, const struct series *s,
		       struct metric_points *old, struct mlp_error *err)
{
	int64_t first_ms = s->points.v[0].time_ms, ids[MERGE_MAX];
	struct db_stmt *st = db_query(db, err,
				      "SELECT id, points, last_ms, data FROM metric_chunk"
				      " WHERE run_id = ?1 AND key_id = ?2 ORDER BY first_ms DESC",
				      "ii", run, s->key);
	size_t n = 0, len;
	int r = 0;

	if (!st)
		return MLP_EFAIL;
	while (n < MERGE_MAX && (r = db_step(st, err)) > 0) {
		const void *data;

		if (db_int(st, 2) < first_ms && (n || db_int(st, 1) >= SERIES_CHUNK_MAX))
			break;
		data = db_blob(st, 3, &len);
		ids[n++] = db_int(st, 0);
		r = series_decode(data, len, old, err);
		if (r)
			break;
	}
	db_done(st);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = db_exec(db, err, "DELETE FROM metric_chunk WHERE id = ?1", "i", ids[i]);
	return MIN(r, 0);
}

/* Old points go first: then nothing is out of order as a rule, and nothing is sorted. */
static void merge(struct metric_points *points, struct metric_points *old)
{
	vec_reserve(old, points->len);
	memcpy(old->v + old->len, points->v, points->len * sizeof(*points->v));
	old->len += points->len;
	vec_free(points);
	*points = *old;
	compact_sort(points, 0);
}

static int put_series(struct db *db, int64_t run, struct series *s, struct mlp_error *err)
{
	struct metric_points *points = &s->points, old = VEC_INIT;
	_release_(chunk_release) struct chunk chunk = CHUNK_INIT;
	size_t before;
	int r;

	if (!points->len)
		return 0;
	before = points->len;
	compact_sort(points, 0);
	r = take_chunks(db, run, s, &old, err);
	before += old.len;
	merge(points, &old);
	for (size_t i = 0; i < points->len && !r; i += SERIES_CHUNK_MAX) {
		chunk_make(points->v + i, MIN(points->len - i, (size_t)SERIES_CHUNK_MAX), &chunk);
		r = chunk_put(db, run, s->key, &chunk, err);
	}
	if (!r && before > points->len)
		r = db_exec(db, err,
			    "UPDATE metric SET points = points - ?3"
			    " WHERE run_id = ?1 AND key_id = ?2",
			    "iii", run, s->key, (int64_t)(before - points->len));
	return r;
}

int compact_tail(struct db *db, int64_t run, const struct strbuf *batch, struct mlp_error *err)
{
	_release_(gathered_release) struct gathered g = { 0 };
	int r = gather_tail(db, run, &g, err);

	if (!r && batch)
		r = gather(&g, batch->buf, batch->len, err);
	for (size_t i = 0; i < g.index.len && !r; i++)
		r = put_series(db, run, g.index.entries[i].value, err);
	if (!r)
		r = db_exec(db, err, "DELETE FROM metric_tail WHERE run_id = ?1", "i", run);
	return r;
}
