/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "lib/track/metric_bulk.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

enum { POINTS = 5000 };

static struct db *open_store(const char *dir)
{
	_cleanup_free_ char *path = path_join(dir, "mlp.db");
	struct repo repo = { .db_path = path };
	struct db *db = NULL;

	ok(!track_open(&db, &repo, DB_CREATE, NULL), "a store");
	return db;
}

/* Each point twice, the latest first. */
static void fill(struct metric_points *points)
{
	for (int64_t i = POINTS; i-- > 0;)
		for (int twice = 0; twice < 2; twice++)
			vec_push(points, ((struct metric_point){ 1000 + i, i, 1 / (double)(i + 1) }));
}

static void test_round_trip(struct db *db, int64_t run)
{
	_cleanup_(metric_bulk_free) struct metric_bulk *bulk = metric_bulk_new();
	struct metric_points points = VEC_INIT, none = VEC_INIT, back = VEC_INIT, odd = VEC_INIT;
	_release_(metric_latests_release) struct metric_latests latest = { 0 };

	fill(&points);
	vec_push(&odd, ((struct metric_point){ 5, 2, (double)NAN }));
	vec_push(&odd, ((struct metric_point){ 9, 1, (double)INFINITY }));
	is_int(metric_bulk_add(bulk, "loss", &points, NULL), 0, "a series");
	is_int(metric_bulk_add(bulk, "odd", &odd, NULL), 0, "another");
	is_int(metric_bulk_add(bulk, "none", &none, NULL), 0, "one without points");
	is_int(metric_bulk_add(bulk, "../x", &odd, NULL), MLP_EINVAL, "a name that is none");
	is_int(metric_bulk_points(bulk), POINTS + 2, "points twice are one");
	is_int(metric_bulk_commit(bulk, db, run, NULL), 0, "written");
	is_int(metric_read(db, run, "loss", &back, NULL), 0, "read back");
	is_int((int64_t)back.len, POINTS, "all of them");
	is_int(back.len == POINTS ? back.v[POINTS - 1].step : -1, POINTS - 1, "in order");
	metric_latest(db, run, &latest, NULL);
	is_int((int64_t)latest.len, 2, "two series");
	is_int(latest.v[0].points, POINTS, "their points are counted");
	is_int(latest.v[1].last.step, 2, "the latest has the greatest step");
	vec_free(&points);
	vec_free(&odd);
	vec_free(&back);
}

/* A run goes on after it was taken in. */
static void test_more(struct db *db, int64_t run)
{
	struct metric_points back = VEC_INIT;
	struct metric_point p = { 1000 + POINTS, POINTS, 0.5 };

	is_int(metric_log(db, run, "loss", &p, NULL), 0, "one more point");
	is_int(metric_compact(db, run, NULL), 0, "moved to the chunks");
	metric_read(db, run, "loss", &back, NULL);
	is_int((int64_t)back.len, POINTS + 1, "is one more");
	vec_free(&back);
}

int main(void)
{
	char dir[] = "/tmp/u-metric-bulk-XXXXXX";
	_cleanup_(db_close) struct db *db = NULL;
	struct run_new new_run = { .name = "one", .user = "u" };
	int64_t run = 0;

	plan_lazy();
	if (!mkdtemp(dir))
		return 1;
	db = open_store(dir);
	is_int(run_create(db, &new_run, &run, NULL, NULL), 0, "a run");
	test_round_trip(db, run);
	test_more(db, run);
	path_remove_tree(dir);
	return done_testing();
}
