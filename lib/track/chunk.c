/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/chunk.h"

#include <math.h>

#include "lib/track/series.h"

void chunk_release(struct chunk *chunk)
{
	strbuf_release(&chunk->data);
}

void chunk_make(const struct metric_point *v, size_t n, struct chunk *out)
{
	out->points = (int64_t)n;
	out->first_ms = v[0].time_ms;
	out->last_ms = v[n - 1].time_ms;
	out->first_step = out->last_step = v[0].step;
	out->min = out->max = (double)NAN;
	for (size_t i = 0; i < n; i++) {
		out->first_step = MIN(out->first_step, v[i].step);
		out->last_step = MAX(out->last_step, v[i].step);
		out->min = fmin(out->min, v[i].value);
		out->max = fmax(out->max, v[i].value);
	}
	strbuf_clear(&out->data);
	series_encode(v, n, &out->data);
}

int chunk_put(struct db *db, int64_t run, int64_t key, const struct chunk *chunk,
	      struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO metric_chunk(run_id, key_id, points, first_ms, last_ms,"
		       " first_step, last_step, min, max, data)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		       "iiiiiiiddb", run, key, chunk->points, chunk->first_ms, chunk->last_ms,
		       chunk->first_step, chunk->last_step, chunk->min, chunk->max,
		       chunk->data.buf, chunk->data.len);
}
