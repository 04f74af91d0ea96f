/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/feed.h"

#include <ctype.h>
#include <string.h>

#include "lib/track/metric.h"
#include "lib/track/run.h"
#include "lib/util/hashmap.h"
#include "lib/util/text.h"

/* Keys whose steps are counted here; what numbers its keys instead of its steps must not
 * take all memory. */
enum { COUNTED_MAX = 100000 };

struct metric_feed {
	struct lines *lines;
	struct metric_batch *batch;
	struct strmap next_steps; /* key -> the next step, as a pointer-sized integer */
	int64_t now_ms;
};

static void clean_key(const char *key, size_t len, char *out)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = text_utf8_sequence(key + i, len - i);
		if (n > 1) {
			memcpy(out + i, key + i, n);
			continue;
		}
		n = 1;
		out[i] = isalnum((unsigned char)key[i]) ||
					 (key[i] && strchr("_./- :", key[i])) ?
				 key[i] :
				 '_';
	}
}

int metric_batch_add_any(struct metric_batch *batch, const char *key, size_t len,
			 const struct metric_point *point, struct mlp_error *err)
{
	char clean[RUN_KEY_MAX];

	/* Nearly all keys are fine, and those seen before need no check. */
	if (len > RUN_KEY_MAX || !metric_batch_add(batch, key, len, point, NULL))
		return len > RUN_KEY_MAX ? metric_batch_add(batch, key, len, point, err) : 0;
	clean_key(key, len, clean);
	return metric_batch_add(batch, clean, len, point, err);
}

/* The step for a point that has none; the counter of its key is moved in any case. */
static int64_t next_step(struct metric_feed *feed, const char *key, size_t len,
			 const struct lines_place *place)
{
	struct strmap_entry *e = strmap_find(&feed->next_steps, key, len);
	int64_t step = place->has_step ? place->step : e ? (int64_t)(intptr_t)e->value : 0;

	if (!e && feed->next_steps.len < COUNTED_MAX)
		e = strmap_put(&feed->next_steps, key, len);
	if (e)
		e->value = (void *)(intptr_t)(step < INT64_MAX ? step + 1 : step);
	return step;
}

static bool add_point(void *data, const char *key, size_t len, double value,
		      const struct lines_place *place)
{
	struct metric_feed *feed = data;
	struct metric_point point = {
		.time_ms = place->has_time ? place->time_ms : feed->now_ms,
		.value = value,
	};

	if (len <= RUN_KEY_MAX)
		point.step = next_step(feed, key, len, place);
	return !metric_batch_add_any(feed->batch, key, len, &point, NULL);
}

struct metric_feed *metric_feed_new(void)
{
	struct metric_feed *feed = xcalloc(1, sizeof(*feed));

	feed->lines = lines_new(add_point, feed);
	feed->batch = metric_batch_new();
	return feed;
}

void metric_feed_free(struct metric_feed *feed)
{
	if (!feed)
		return;
	lines_free(feed->lines);
	metric_batch_free(feed->batch);
	strmap_release(&feed->next_steps);
	free(feed);
}

void metric_feed_tell_odd(struct metric_feed *feed, lines_odd_fn *fn, void *data)
{
	lines_tell_odd(feed->lines, fn, data);
}

void metric_feed_data(struct metric_feed *feed, const char *data, size_t len, int64_t now_ms)
{
	feed->now_ms = now_ms;
	lines_data(feed->lines, data, len);
}

void metric_feed_end(struct metric_feed *feed, int64_t now_ms)
{
	feed->now_ms = now_ms;
	lines_end(feed->lines);
}

size_t metric_feed_points(const struct metric_feed *feed)
{
	return metric_batch_points(feed->batch);
}

int metric_feed_store(struct metric_feed *feed, struct db *db, int64_t run,
		      struct mlp_error *err)
{
	return metric_batch_store(feed->batch, db, run, err);
}

void metric_feed_clear(struct metric_feed *feed)
{
	metric_batch_clear(feed->batch);
}

int metric_feed_commit(struct metric_feed *feed, struct db *db, int64_t run,
		       struct mlp_error *err)
{
	return metric_batch_commit(feed->batch, db, run, err);
}

const struct lines_stats *metric_feed_stats(const struct metric_feed *feed)
{
	return lines_stats(feed->lines);
}
