/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>

#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

static struct mlp_error err;

static struct metric_point point(int64_t time_ms, int64_t step, double value)
{
	return (struct metric_point){ time_ms, step, value };
}

static int64_t new_run(struct db *db)
{
	int64_t run = 0;

	if (run_create(db, &(struct run_new){ 0 }, &run, NULL, &err))
		ok(false, "cannot make a run: %s", err.text);
	return run;
}

static int64_t count(struct db *db, const char *sql, int64_t run)
{
	int64_t n = -1;

	db_get_int(db, &n, &err, sql, "i", run);
	return n;
}
#define TAIL_ROWS "SELECT count(*) FROM metric_tail WHERE run_id = ?1"
#define CHUNKS "SELECT count(*) FROM metric_chunk WHERE run_id = ?1"
#define OVERLAPS                                                                      \
	"SELECT count(*) FROM metric_chunk a JOIN metric_chunk b USING(run_id, key_id)" \
	" WHERE a.run_id = ?1 AND a.first_ms < b.first_ms AND a.last_ms > b.first_ms"

static void test_latest(struct db *db)
{
	struct metric_latests latest = VEC_INIT;
	int64_t run = new_run(db);
	const struct metric_point points[] = {
		point(100, 5, 1.0), point(200, 4, 9.0), point(100, 5, (double)NAN),
		point(100, 5, -(double)INFINITY), point(90, 5, 7.0),
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		failed |= metric_log(db, run, "loss", &points[i], &err);
	failed |= metric_log(db, run, "only/nan", &points[2], &err);
	failed |= metric_log(db, run, "rising", &points[2], &err);
	failed |= metric_log(db, run, "rising", &points[3], &err);
	ok(!failed, "points logged one by one: %s", err.text);
	ok(!metric_latest(db, run, &latest, &err) && latest.len == 3, "three series");
	is_str(latest.v[0].key, "loss", "sorted by key");
	ok(latest.v[0].last.value == 1.0 && latest.v[0].last.step == 5 &&
		   latest.v[0].last.time_ms == 100,
	   "latest is the greatest (step, time, value), not the last written");
	is_int(latest.v[0].points, 5, "points counted");
	ok(isnan(latest.v[1].last.value), "a NaN alone is the latest value");
	ok(isinf(latest.v[2].last.value), "a NaN is smaller than -Infinity");
	metric_latests_release(&latest);
	is_int(metric_log(db, run, "../x", &points[0], &err), MLP_EINVAL, "a bad key is refused");
	is_str(err.text, "'../x' cannot name a metric", "and named");
}

/* Does the series hold nth(0) to nth(n - 1), and nothing else? */
static bool same_series(struct db *db, int64_t run, const char *key, int64_t n)
{
	struct metric_points out = VEC_INIT;
	bool good = !metric_read(db, run, key, &out, &err) && out.len == (size_t)n;

	for (size_t i = 0; i < out.len && good; i++)
		good = out.v[i].time_ms == (int64_t)i && out.v[i].step == (int64_t)i * 2 &&
		       out.v[i].value == (double)i / 8;
	vec_free(&out);
	return good;
}

static struct metric_point nth(int64_t i)
{
	return point(i, i * 2, (double)i / 8);
}

static void test_tail(struct db *db)
{
	enum { N = 5000 };
	int64_t run = new_run(db), rows = 0;
	int failed = 0;

	for (int64_t i = 0; i < N; i++) {
		struct metric_point p = nth(i);

		failed |= metric_log(db, run, "a", &p, &err);
		rows = MAX(rows, count(db, TAIL_ROWS, run));
	}
	ok(!failed && rows <= 64, "the tail stays short: %d rows", (int)rows);
	ok(same_series(db, run, "a", N), "chunks and tail read as one series");
	is_int(count(db, CHUNKS, run), 5, "chunks are filled up");
	ok(!metric_compact(db, run, &err), "compaction");
	is_int(count(db, TAIL_ROWS, run), 0, "leaves no tail");
	is_int(count(db, CHUNKS, run), 5, "and full chunks");
	ok(same_series(db, run, "a", N), "the same series after it");
	ok(same_series(db, run, "absent", 0), "an absent series has no points");
}

static void add(struct metric_batch *batch, const char *key, int64_t i, int *failed)
{
	struct metric_point p = nth(i);

	*failed |= metric_batch_add(batch, key, strlen(key), &p, &err);
}

static void test_late(struct db *db)
{
	enum { N = 30000 };
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	int64_t run = new_run(db);
	struct metric_latests latest = VEC_INIT;
	int failed = 0;

	for (int64_t i = N - 1; i >= 0; i--)
		if (i % 3)
			add(batch, "late", i, &failed);
	failed |= metric_batch_commit(batch, db, run, &err);
	is_int(metric_batch_points(batch), 0, "a batch is empty after its commit");
	for (int64_t i = 0; i < N; i++)
		if (i % 3 == 0 || i % 7 == 0)
			add(batch, "late", i, &failed);
	failed |= metric_batch_commit(batch, db, run, &err);
	ok(!failed, "points in falling order, then the ones between and some twice");
	ok(same_series(db, run, "late", N), "read in order, without duplicates");
	ok(!metric_compact(db, run, &err) && same_series(db, run, "late", N), "compacted too");
	for (int64_t i = N - 100; i < N; i++)
		add(batch, "late", i, &failed);
	failed |= metric_batch_commit(batch, db, run, &err) | metric_compact(db, run, &err);
	ok(!failed && !metric_latest(db, run, &latest, &err) && latest.v[0].last.step == (N - 1) * 2,
	   "the latest is the last");
	metric_latests_release(&latest);
}

static void test_overlap(struct db *db)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	int64_t run = new_run(db);
	int failed = 0;

	for (int round = 0; round < 2; round++) {
		for (int64_t i = 3000 * (1 - round); i < 3000 * (2 - round); i++)
			add(batch, "x", i, &failed);
		failed |= metric_batch_commit(batch, db, run, &err) | metric_compact(db, run, &err);
	}
	ok(!failed && same_series(db, run, "x", 6000), "an earlier half that comes later");
	is_int(count(db, OVERLAPS, run), 0, "chunks do not overlap");
}

static void test_rollback(struct db *db)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	int64_t run = new_run(db);
	int failed = 0;

	add(batch, "a", 0, &failed);
	ok(metric_batch_commit(batch, db, run + 1000, &err) < 0, "no such run");
	is_int(metric_batch_points(batch), 1, "a failed commit keeps the points");
	ok(!metric_batch_commit(batch, db, run, &err) && same_series(db, run, "a", 1),
	   "and the next one writes them");
	failed |= db_begin(db, &err);
	add(batch, "new key", 0, &failed);
	failed |= metric_batch_commit(batch, db, run, &err);
	db_rollback(db);
	add(batch, "other key", 0, &failed);
	failed |= metric_batch_commit(batch, db, run, &err);
	ok(!failed && same_series(db, run, "other key", 1) && same_series(db, run, "new key", 0),
	   "keys of a transaction rolled back are forgotten");
}

static bool same_slice(struct db *db, int64_t run, const struct metric_points *all,
		       int64_t offset, int64_t limit)
{
	struct metric_points out = VEC_INIT;
	int64_t rest = MAX((int64_t)all->len - offset, (int64_t)0), n = MIN(rest, limit);
	bool good = !metric_read_range(db, run, "r", (struct metric_range){ offset, limit }, &out,
				       &err) &&
		    (int64_t)out.len == n &&
		    (!n || !memcmp(out.v, all->v + offset, (size_t)n * sizeof(*out.v)));

	vec_free(&out);
	return good;
}

/* Any part of a series is what stands there in the whole, of n points. */
static void check_slices(struct db *db, int64_t run, int64_t n, const char *name)
{
	static const int64_t limits[] = { 0, 1, 1000, 1024, 25000, INT64_MAX };
	struct metric_points all = VEC_INIT;
	bool good = !metric_read(db, run, "r", &all, &err), sorted = true;

	for (size_t i = 1; i < all.len; i++)
		sorted &= all.v[i - 1].time_ms < all.v[i].time_ms ||
			  (all.v[i - 1].time_ms == all.v[i].time_ms &&
			   all.v[i - 1].step < all.v[i].step);
	ok(good && sorted && (int64_t)all.len == n, "%s: the whole", name);
	for (size_t k = 0; k < ARRAY_SIZE(limits); k++)
		for (int64_t offset = 0; offset < n + 3000; offset += 1021)
			good &= same_slice(db, run, &all, offset, limits[k]);
	ok(good && same_slice(db, run, &all, INT64_MAX, INT64_MAX), "%s: its parts", name);
	vec_free(&all);
}

static void test_range(struct db *db)
{
	enum { N = 40000, PIECE = 2000, SCATTER = 7919 };
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	int64_t run = new_run(db);
	int failed = 0;

	for (int64_t i = 0; i < N; i++) {
		add(batch, "r", i, &failed);
		if (i % PIECE == PIECE - 1)
			failed |= metric_batch_commit(batch, db, run, &err);
	}
	check_slices(db, run, N, "in order");
	run = new_run(db);
	for (int64_t i = 0; i < N; i++) {
		add(batch, "r", i * SCATTER % N, &failed);
		if (i % PIECE == PIECE - 1)
			failed |= metric_batch_commit(batch, db, run, &err);
		if (i % PIECE == PIECE - 1 && i < N - PIECE)
			failed |= metric_compact(db, run, &err);
	}
	ok(count(db, OVERLAPS, run) > 0, "chunks that overlap, and a tail");
	check_slices(db, run, N, "scattered");
	run = new_run(db);
	for (int64_t i = 0; i < N; i++) {
		struct metric_point p = point(i / 5000, i, 1);

		failed |= metric_batch_add(batch, "r", 1, &p, &err);
	}
	failed |= metric_batch_commit(batch, db, run, &err) | metric_compact(db, run, &err);
	check_slices(db, run, N, "of few times");
	ok(!failed, "all were written");
}

static void test_damage(struct db *db)
{
	int64_t run = new_run(db);
	int failed = 0;

	for (int64_t i = 0; i < 64; i++) {
		struct metric_point p = nth(i);

		failed |= metric_log(db, run, "a", &p, &err);
	}
	failed |= db_exec(db, &err,
			  "UPDATE metric_tail SET data = x'0109' WHERE id ="
			  " (SELECT max(id) FROM metric_tail WHERE run_id = ?1)",
			  "i", run);
	for (int64_t i = 64; i < 70; i++) {
		struct metric_point p = nth(i);

		failed |= metric_log(db, run, "a", &p, &err);
	}
	ok(!failed, "a damaged batch does not keep a run from recording");
	is_int(metric_compact(db, run, &err), MLP_ECORRUPT, "compaction says it is damaged");
	is_int(count(db, TAIL_ROWS, run), 70, "and loses nothing");
}

int main(void)
{
	_cleanup_free_ char *folder = tap_folder();
	_release_(repo_release) struct repo repo = REPO_INIT;
	_cleanup_(db_close) struct db *db = NULL;
	bool made;

	plan_lazy();
	if (repo_create(folder, &made, &err) || repo_open_at(&repo, folder, &err) ||
	    track_open(&db, &repo, DB_CREATE | DB_RELAXED, &err)) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	test_latest(db);
	test_tail(db);
	test_late(db);
	test_overlap(db);
	test_rollback(db);
	test_range(db);
	test_damage(db);
	path_remove_tree(folder);
	return done_testing();
}
