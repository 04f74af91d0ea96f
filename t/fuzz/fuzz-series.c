/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks and batches of points; what reads well must come back the same when written anew. */
#include "config.h"

#include "lib/track/series.h"
#include "lib/track/tail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct metric_points *points)
{
	_release_(strbuf_release) struct strbuf chunk = STRBUF_INIT;
	struct metric_points out = VEC_INIT;

	series_encode(points->v, points->len, &chunk);
	if (series_decode(chunk.buf, chunk.len, &out, NULL) || out.len != points->len)
		abort();
	for (size_t i = 0; i < out.len; i++)
		if (series_compare(&out.v[i], &points->v[i]))
			abort();
	vec_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_release_(tail_reader_release) struct tail_reader reader = { 0 };
	struct metric_points points = VEC_INIT;
	struct metric_point p;
	size_t key;

	if (!series_decode(data, size, &points, NULL))
		again(&points);
	/* The input as doubles: what the writer has to cope with. */
	points.len = 0;
	for (size_t i = 0; i + 8 <= size && points.len < SERIES_CHUNK_MAX; i += 8) {
		memcpy(&p.value, data + i, 8);
		memcpy(&p.time_ms, data + i, 8);
		p.step = p.time_ms >> 40;
		vec_push(&points, p);
	}
	if (points.len)
		again(&points);
	vec_free(&points);
	if (!tail_open(&reader, data, size, NULL))
		while (tail_next(&reader, &key, &p, NULL) > 0)
			if (key >= reader.nids)
				abort();
	return 0;
}
