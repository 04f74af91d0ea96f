/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/metric.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "lib/track/chunk.h"
#include "lib/track/compact.h"
#include "lib/track/run.h"
#include "lib/track/series.h"
#include "lib/track/tail.h"
#include "lib/util/hashmap.h"

/* A tail longer than either is compacted: it bounds what metric_read() has to sort and
 * what one compaction does. */
enum { TAIL_ROWS_MAX = 64, TAIL_POINTS_MAX = 16384 };
enum { MERGE_POINTS = 8192 }; /* of overlapping chunks that are sorted at once */

struct batch_key {
	struct metric_point last; /* greatest (step, time, value) */
	int64_t points;
};

struct metric_batch {
	struct strmap numbers; /* name -> number of the key + 1, as a pointer */
	VEC(struct batch_key) keys;
	struct tail_writer tail;
};

double metric_to_mlflow(double value)
{
	return isinf(value) ? copysign(DBL_MAX, value) : value;
}

double metric_from_mlflow(double value)
{
	return fabs(value) == DBL_MAX ? copysign((double)INFINITY, value) : value;
}

struct metric_batch *metric_batch_new(void)
{
	struct metric_batch *batch = xcalloc(1, sizeof(*batch));

	batch->tail = (struct tail_writer)TAIL_WRITER_INIT;
	return batch;
}

void metric_batch_free(struct metric_batch *batch)
{
	if (!batch)
		return;
	strmap_release(&batch->numbers);
	vec_free(&batch->keys);
	tail_writer_release(&batch->tail);
	free(batch);
}

bool metric_is_later(const struct metric_point *a, const struct metric_point *b)
{
	if (a->step != b->step)
		return a->step > b->step;
	if (a->time_ms != b->time_ms)
		return a->time_ms > b->time_ms;
	return series_value_order(a->value) > series_value_order(b->value);
}

int metric_batch_add(struct metric_batch *batch, const char *key, size_t len,
		     const struct metric_point *point, struct mlp_error *err)
{
	struct strmap_entry *e = strmap_find(&batch->numbers, key, len);
	struct batch_key *k;
	size_t number;

	if (!e) {
		if (!key_is_valid(key, len))
			return mlp_error_set(err, MLP_EINVAL, "'%.*s' cannot name a metric",
					     (int)MIN(len, (size_t)RUN_KEY_MAX), key);
		e = strmap_put(&batch->numbers, key, len);
		vec_push(&batch->keys, ((struct batch_key){ .last = *point }));
	}
	number = (size_t)(e - batch->numbers.entries);
	k = &batch->keys.v[number];
	k->points++;
	if (metric_is_later(point, &k->last))
		k->last = *point;
	tail_add(&batch->tail, number, point);
	return 0;
}

size_t metric_batch_points(const struct metric_batch *batch)
{
	return batch->tail.count;
}

int metric_key_id(struct db *db, const char *name, size_t len, int64_t *id,
		  struct mlp_error *err)
{
	int r = db_get_int(db, id, err, "SELECT id FROM metric_key WHERE name = ?1", "t", name,
			   len);

	if (r != MLP_ENOTFOUND)
		return r;
	r = db_exec(db, err, "INSERT INTO metric_key(name) VALUES(?1)", "t", name, len);
	*id = db_last_id(db);
	return r;
}

/* A NaN is stored as NULL, and is smaller than every number. */
int metric_count(struct db *db, int64_t run, int64_t key, const struct metric_point *last,
		 int64_t points, struct mlp_error *err)
{
#define IS_LATER                                                                    \
	"(excluded.step, excluded.time_ms, excluded.value IS NOT NULL,"             \
	" ifnull(excluded.value, 0)) > (step, time_ms, value IS NOT NULL, ifnull(value, 0))"
	return db_exec(db, err,
		       "INSERT INTO metric(run_id, key_id, step, time_ms, value, points)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
		       " ON CONFLICT(run_id, key_id) DO UPDATE SET points = points + excluded.points,"
		       " step = iif(" IS_LATER ", excluded.step, step),"
		       " time_ms = iif(" IS_LATER ", excluded.time_ms, time_ms),"
		       " value = iif(" IS_LATER ", excluded.value, value)",
		       "iiiidi", run, key, last->step, last->time_ms, last->value, points);
}

/* Rows are counted in their index.  Points are not there, and are counted for a large batch
 * only: TAIL_ROWS_MAX small ones cannot be too many. */
static int tail_is_long(struct db *db, int64_t run, size_t more, bool *is_long,
			struct mlp_error *err)
{
	int64_t rows = 0, points = 0;
	int r = db_get_int(db, &rows, err, "SELECT count(*) FROM metric_tail WHERE run_id = ?1",
			   "i", run);

	if (!r && more > TAIL_POINTS_MAX / TAIL_ROWS_MAX)
		r = db_get_int(db, &points, err,
			       "SELECT ifnull(sum(points), 0) FROM metric_tail WHERE run_id = ?1",
			       "i", run);
	*is_long = rows >= TAIL_ROWS_MAX || points + (int64_t)more > TAIL_POINTS_MAX;
	return r;
}

static int compact_nested(struct db *db, int64_t run, const struct strbuf *blob,
			  struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, db, err);

	if (!r)
		r = compact_tail(db, run, blob, err);
	return r ? r : db_txn_commit(&txn, err);
}

static int store_points(struct metric_batch *batch, struct db *db, int64_t run, const int64_t *ids,
			struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf blob = STRBUF_INIT;
	size_t points = batch->tail.count;
	bool is_long = false;
	int r = tail_is_long(db, run, points, &is_long, err);

	tail_blob(&batch->tail, ids, batch->keys.len, &blob);
	if (!r && is_long) {
		r = compact_nested(db, run, &blob, err);
		/* Old damage must not keep a run from recording: it is left in the tail, where
		 * metric_compact() names it. */
		if (r != MLP_ECORRUPT && r != MLP_EVERSION)
			return r;
		r = 0;
	}
	if (!r)
		r = db_exec(db, err,
			    "INSERT INTO metric_tail(run_id, points, data) VALUES(?1, ?2, ?3)", "iib",
			    run, (int64_t)points, blob.buf, blob.len);
	return r;
}

void metric_batch_clear(struct metric_batch *batch)
{
	strmap_release(&batch->numbers);
	batch->keys.len = 0;
	tail_writer_clear(&batch->tail);
}

int metric_batch_store(struct metric_batch *batch, struct db *db, int64_t run,
		       struct mlp_error *err)
{
	_cleanup_free_ int64_t *ids = NULL;
	_cleanup_txn_ struct db *txn = NULL;
	int r;

	if (!batch->tail.count)
		return 0;
	ids = xcalloc(batch->keys.len, sizeof(*ids));
	r = db_txn(&txn, db, err);
	for (size_t i = 0; i < batch->keys.len && !r; i++) {
		const struct strmap_entry *e = &batch->numbers.entries[i];

		r = metric_key_id(db, e->key, e->len, &ids[i], err);
		if (!r)
			r = metric_count(db, run, ids[i], &batch->keys.v[i].last,
					 batch->keys.v[i].points, err);
	}
	if (!r)
		r = store_points(batch, db, run, ids, err);
	return r ? r : db_txn_commit(&txn, err);
}

int metric_batch_commit(struct metric_batch *batch, struct db *db, int64_t run,
			struct mlp_error *err)
{
	int r = metric_batch_store(batch, db, run, err);

	if (!r)
		metric_batch_clear(batch);
	return r;
}

int metric_log(struct db *db, int64_t run, const char *key, const struct metric_point *point,
	       struct mlp_error *err)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	int r = metric_batch_add(batch, key, strlen(key), point, err);

	return r ? r : metric_batch_commit(batch, db, run, err);
}

int metric_compact(struct db *db, int64_t run, struct mlp_error *err)
{
	return compact_nested(db, run, NULL, err);
}

/* What a chunk's row says of it; its data is read when it is needed. */
struct chunk_row {
	int64_t id, points, first_ms, last_ms;
};
struct chunk_rows {
	struct chunk_row *v;
	size_t len, cap;
};

static int list_chunks(struct db *db, int64_t run, int64_t key, struct chunk_rows *out,
		       struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT id, points, first_ms, last_ms FROM metric_chunk"
			 " WHERE run_id = ?1 AND key_id = ?2 ORDER BY first_ms",
			 "ii", run, key);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0)
		vec_push(out, ((struct chunk_row){ db_int(st, 0), db_int(st, 1), db_int(st, 2),
						   db_int(st, 3) }));
	return r;
}

static int read_chunk(struct db *db, int64_t id, struct metric_points *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err, "SELECT data FROM metric_chunk WHERE id = ?1", "i", id);
	int r = st ? db_step(st, err) : MLP_EFAIL;
	const void *data;
	size_t len;

	if (r <= 0)
		return r;
	data = db_blob(st, 0, &len);
	return series_decode(data, len, out, err);
}

static int read_batch(const void *data, size_t len, int64_t id, struct metric_points *out,
		      struct mlp_error *err)
{
	_release_(tail_reader_release) struct tail_reader reader = { 0 };
	struct metric_point p;
	size_t key, wanted = 0;
	int r = tail_open(&reader, data, len, err);

	if (r)
		return r;
	while (wanted < reader.nids && reader.ids[wanted] != id)
		wanted++;
	if (wanted == reader.nids)
		return 0;
	while ((r = tail_next(&reader, &key, &p, err)) > 0)
		if (key == wanted)
			vec_push(out, p);
	return r;
}

static int read_tail(struct db *db, int64_t run, int64_t key, struct metric_points *out,
		     struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err, "SELECT data FROM metric_tail WHERE run_id = ?1 ORDER BY id", "i", run);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		size_t len;
		const void *data = db_blob(st, 0, &len);

		r = read_batch(data, len, key, out, err);
		if (r)
			return r;
	}
	return r;
}

/* Points of v[from..] before end_ms; all when there is no end. */
static size_t count_before(const struct metric_points *points, size_t from, const int64_t *end_ms)
{
	size_t n = from;

	while (n < points->len && (!end_ms || points->v[n].time_ms < *end_ms))
		n++;
	return n - from;
}

static void append(struct metric_points *out, const struct metric_point *v, size_t n)
{
	if (!n)
		return;
	vec_reserve(out, n);
	memcpy(out->v + out->len, v, n * sizeof(*v));
	out->len += n;
}

/* Takes away up to *skip points behind start; *ready points are there. */
static void drop(struct metric_points *out, size_t start, size_t *ready, int64_t *skip)
{
	size_t n = (size_t)MIN((int64_t)*ready, *skip);

	if (!n)
		return;
	memmove(out->v + start, out->v + start + n, (out->len - start - n) * sizeof(*out->v));
	out->len -= n;
	*ready -= n;
	*skip -= (int64_t)n;
}

/*
 * Merges chunks, in the order of their first times, with the tail, which is sorted.  Points
 * before the next chunk's first time are ready: nothing comes before them any more.  A chunk
 * that is all to be skipped, and that nothing reaches into, is not decoded.  Where chunks
 * overlap, points wait until they are twice those that the last sort left waiting: each is
 * then sorted a few times only, however many chunks reach over it.
 */
static int merge(struct db *db, const struct chunk_rows *rows, const struct metric_points *tail,
		 struct metric_range range, struct metric_points *out, struct mlp_error *err)
{
	size_t start = out->len, ready = 0, used = 0, wait = 0;
	int64_t last_ms = INT64_MIN;
	int r = 0;

	for (size_t i = 0; !r && (i < rows->len || !i) && (int64_t)ready < range.limit; i++) {
		const struct chunk_row *row = i < rows->len ? &rows->v[i] : NULL;
		const int64_t *next_ms = i + 1 < rows->len ? &rows->v[i + 1].first_ms : NULL;
		size_t n = count_before(tail, used, next_ms);
		bool all_ready;

		last_ms = row ? MAX(last_ms, row->last_ms) : last_ms;
		all_ready = !next_ms || last_ms < *next_ms;
		if (row && !n && out->len == start && row->points <= range.offset && all_ready) {
			range.offset -= row->points;
			continue;
		}
		r = row ? read_chunk(db, row->id, out, err) : 0;
		append(out, tail->v + used, n);
		used += n;
		if (!all_ready && out->len - start - ready < wait)
			continue;
		compact_sort(out, start + ready);
		ready += count_before(out, start + ready, next_ms);
		drop(out, start, &ready, &range.offset);
		wait = 2 * (out->len - start - ready) + MERGE_POINTS;
	}
	out->len = start + (r ? 0 : (size_t)MIN((int64_t)ready, range.limit));
	return r;
}

int metric_read_range(struct db *db, int64_t run, const char *key, struct metric_range range,
		      struct metric_points *out, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	struct metric_points tail = VEC_INIT;
	struct chunk_rows rows = VEC_INIT;
	int64_t id = 0;
	int r = db_begin_read(db, err);

	if (r)
		return r;
	txn = db;
	r = db_get_int(db, &id, err, "SELECT id FROM metric_key WHERE name = ?1", "s", key);
	if (r == MLP_ENOTFOUND)
		return 0;
	if (!r)
		r = list_chunks(db, run, id, &rows, err);
	if (!r)
		r = read_tail(db, run, id, &tail, err);
	if (!r) {
		compact_sort(&tail, 0);
		r = merge(db, &rows, &tail, range, out, err);
	}
	vec_free(&tail);
	vec_free(&rows);
	return r;
}

int metric_read(struct db *db, int64_t run, const char *key, struct metric_points *out,
		struct mlp_error *err)
{
	return metric_read_range(db, run, key, (struct metric_range){ 0, INT64_MAX }, out, err);
}

void metric_names_release(struct metric_names *names)
{
	for (size_t i = 0; i < names->len; i++)
		free(names->v[i].name);
	vec_free(names);
}

/* Where id stands in names, or would. */
static size_t find_name(const struct metric_names *names, int64_t id)
{
	size_t low = 0, high = names->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL with err on failure. */
static char *read_name(struct metric_names *names, struct db *db, int64_t id,
		       struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = NULL;
	size_t i = find_name(names, id);
	int r;

	if (i < names->len && names->v[i].id == id)
		return names->v[i].name;
	st = db_query(db, err, "SELECT name FROM metric_key WHERE id = ?1", "i", id);
	r = st ? db_step(st, err) : MLP_EFAIL;
	if (!r)
		mlp_error_set(err, MLP_ECORRUPT, "a metric has no name");
	if (r <= 0)
		return NULL;
	vec_reserve(names, 1);
	memmove(names->v + i + 1, names->v + i, (names->len - i) * sizeof(*names->v));
	names->v[i] = (struct metric_name){ .id = id, .name = xstrdup(db_text(st, 0)) };
	names->len++;
	return names->v[i].name;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct metric_latest *)a)->key,
		      ((const struct metric_latest *)b)->key);
}

int metric_latest_each(struct db *db, int64_t run, struct metric_names *names,
		       metric_latest_fn *fn, void *data, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(db, err,
			 "SELECT key_id, points, step, time_ms, value FROM metric WHERE run_id = ?1",
			 "i", run);
	int r;

	if (!st)
		return MLP_EFAIL;
	while ((r = db_step(st, err)) > 0) {
		struct metric_latest latest = {
			.key = read_name(names, db, db_int(st, 0), err),
			.points = db_int(st, 1),
			.last = { .step = db_int(st, 2), .time_ms = db_int(st, 3),
				  .value = db_double(st, 4) },
		};

		if (!latest.key)
			return MLP_EFAIL;
		fn(data, &latest);
	}
	return r;
}

int metric_latest_of(struct db *db, int64_t run, const struct strvec *keys, metric_latest_fn *fn,
		     void *data, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < keys->len; i++) {
		_cleanup_stmt_ struct db_stmt *st = db_query(
			db, err,
			"SELECT points, step, time_ms, value FROM metric WHERE run_id = ?1"
			" AND key_id = (SELECT id FROM metric_key WHERE name = ?2)",
			"is", run, keys->v[i]);

		r = st ? db_step(st, err) : MLP_EFAIL;
		if (r <= 0)
			continue;
		fn(data, &(struct metric_latest){
				 .key = keys->v[i],
				 .points = db_int(st, 0),
				 .last = { .step = db_int(st, 1), .time_ms = db_int(st, 2),
					   .value = db_double(st, 3) } });
		r = 0;
	}
	return r;
}

static void keep_latest(void *data, const struct metric_latest *latest)
{
	struct metric_latests *out = data;

	vec_push(out, *latest);
	out->v[out->len - 1].key = xstrdup(latest->key);
}

int metric_latest_named(struct db *db, int64_t run, struct metric_names *names,
			struct metric_latests *out, struct mlp_error *err)
{
	size_t start = out->len;
	int r = metric_latest_each(db, run, names, keep_latest, out, err);

	if (out->len > start)
		qsort(out->v + start, out->len - start, sizeof(*out->v), by_key);
	return r;
}

int metric_latest(struct db *db, int64_t run, struct metric_latests *out, struct mlp_error *err)
{
	_release_(metric_names_release) struct metric_names names = VEC_INIT;

	return metric_latest_named(db, run, &names, out, err);
}

void metric_latests_release(struct metric_latests *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->v[i].key);
	vec_free(list);
}
