/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>

#include "lib/track/series.h"
#include "t/unit/tap.h"

static uint64_t random_state = 1;

static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double noise(void)
{
	return (double)(random_bits() >> 11) * 0x1p-53;
}

static bool same(const struct metric_point *a, const struct metric_point *b)
{
	return a->time_ms == b->time_ms && a->step == b->step &&
	       (isnan(a->value) ? isnan(b->value) : !memcmp(&a->value, &b->value, 8));
}

/* The size of the chunk when it reads back as it was, else 0. */
static size_t round_trip(const struct metric_point *p, size_t n)
{
	_release_(strbuf_release) struct strbuf chunk = STRBUF_INIT;
	struct metric_points out = VEC_INIT;
	size_t size;

	series_encode(p, n, &chunk);
	size = series_decode(chunk.buf, chunk.len, &out, NULL) || out.len != n ? 0 : chunk.len;
	for (size_t i = 0; i < n && size; i++)
		if (!same(&p[i], &out.v[i]))
			size = 0;
	vec_free(&out);
	return size;
}

static void test_edges(void)
{
	static const double odd[] = { 0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 5e-324, -5e-324, 2.5e-310,
				      1.7976931348623157e308, 9007199254740993.0, 1e22, 1e23, 1e-7,
				      0x1p-149, 3.4028234663852886e38, 123456.789 };
	struct metric_point p[SERIES_CHUNK_MAX];
	size_t n = 0, good = 0;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		p[n++] = (struct metric_point){ (int64_t)i, 0, odd[i] };
	p[n++] = (struct metric_point){ 1, 1, (double)NAN };
	p[n++] = (struct metric_point){ 2, 2, (double)INFINITY };
	p[n++] = (struct metric_point){ INT64_MAX, INT64_MAX, -(double)INFINITY };
	p[n++] = (struct metric_point){ INT64_MIN, INT64_MIN, -(double)NAN };
	ok(round_trip(p, n), "extreme values, times and steps together");
	for (size_t i = 0; i < n; i++)
		good += round_trip(&p[i], 1) > 0;
	is_int(good, n, "each alone");
	good = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < SERIES_CHUNK_MAX; j++)
			p[j + n > SERIES_CHUNK_MAX - 1 ? 0 : j + n] = p[i];
		good += round_trip(p + n, SERIES_CHUNK_MAX - n) > 0;
	}
	is_int(good, n, "each many times");
}

/* Every shape of value, of every length up to the greatest. */
static void test_random(void)
{
	struct metric_point p[SERIES_CHUNK_MAX];
	int good = 0, tried = 0;

	for (size_t n = 1; n <= SERIES_CHUNK_MAX; n += n < 130 ? 1 : 97) {
		for (int shape = 0; shape < 8; shape++) {
			for (size_t i = 0; i < n; i++) {
				uint64_t b = random_bits();
				double v;

				memcpy(&v, &b, sizeof(v));
				p[i].time_ms = shape & 1 ? (int64_t)b : (int64_t)(i * 100 + b % 7);
				p[i].step = shape & 2 ? (int64_t)random_bits() : (int64_t)i;
				if (shape == 1)
					v = (double)(float)noise();
				else if (shape == 2)
					v = (double)(int64_t)(b % 100000) / 1000;
				else if (shape == 3)
					v = i % 29 ? (double)(int64_t)(b % 9999) / 1e4 : (double)NAN;
				else if (shape == 4)
					v = (double)((int64_t)(b % 2001) - 1000) * 0x1p-5;
				p[i].value = v;
			}
			tried++;
			good += round_trip(p, n) > 0;
		}
	}
	is_int(good, tried, "random chunks read back as they were");
}

static void test_damage(void)
{
	_release_(strbuf_release) struct strbuf chunk = STRBUF_INIT, bent = STRBUF_INIT;
	struct metric_point p[200];
	struct metric_points out = VEC_INIT;
	size_t refused = 0;

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = (struct metric_point){ (int64_t)(i * 90 + random_bits() % 20), (int64_t)i,
					      i % 50 ? noise() : (double)NAN };
	series_encode(p, ARRAY_SIZE(p), &chunk);
	for (size_t len = 0; len < chunk.len; len++)
		refused += series_decode(chunk.buf, len, &out, NULL) == MLP_ECORRUPT;
	is_int(refused, chunk.len, "a cut chunk is refused, wherever cut");
	is_int(out.len, 0, "and gives no points");
	for (size_t i = 0; i < chunk.len * 8; i++) {
		strbuf_clear(&bent);
		strbuf_add(&bent, chunk.buf, chunk.len);
		bent.buf[i / 8] ^= (char)(1 << i % 8);
		series_decode(bent.buf, bent.len, &out, NULL);
		out.len = 0;
	}
	ok(true, "no changed bit does harm");
	strbuf_clear(&bent);
	strbuf_add(&bent, chunk.buf, chunk.len);
	bent.buf[0] = 2;
	is_int(series_decode(bent.buf, bent.len, &out, NULL), MLP_EVERSION, "a newer version is named");
	vec_free(&out);
}

enum shape { FLOAT_LOSS, FOUR_DIGITS, PYTHON_LOSS, RATE, ACCURACY, TELEMETRY };

static double shaped(enum shape shape, size_t i, double *walk)
{
	double loss = 2.5 / (1 + (double)i * 0.002) + 0.05 * (noise() - 0.5);

	switch (shape) {
	case FLOAT_LOSS:
		return (double)(float)loss;
	case FOUR_DIGITS:
		return round(loss * 1e4) / 1e4;
	case PYTHON_LOSS:
		return loss;
	case RATE:
		return 1e-3 * (1 + cos((double)i / 5000)) / 2;
	case ACCURACY:
		return (double)(random_bits() % 300 + 9000) / 10000;
	case TELEMETRY:
	default:
		*walk += (double)(int64_t)(random_bits() % 7) - 3;
		return *walk;
	}
}

static void measure(enum shape shape, const char *name, double limit)
{
	enum { N = 16384 };
	struct metric_point *p = xcalloc(N, sizeof(*p));
	int64_t now = 1763000000000;
	double walk = 50, per_point;
	size_t bytes = 0;

	for (size_t i = 0; i < N; i++) {
		now += 80 + (int64_t)(random_bits() % 9) + (i % 500 ? 0 : 2000);
		p[i] = (struct metric_point){ now, (int64_t)i * 10, shaped(shape, i, &walk) };
	}
	for (size_t i = 0; i < N; i += SERIES_CHUNK_MAX)
		bytes += round_trip(p + i, SERIES_CHUNK_MAX);
	per_point = (double)bytes / N;
	ok(bytes && per_point <= limit, "%s: %.2f bytes a point, at most %g", name, per_point, limit);
	free(p);
}

int main(void)
{
	plan_lazy();
	test_edges();
	test_random();
	test_damage();
	measure(FLOAT_LOSS, "a noisy float32 loss, jittered times", 4);
	measure(FOUR_DIGITS, "the same with 4 digits", 3);
	measure(PYTHON_LOSS, "the same as a noisy double", 8);
	measure(RATE, "a smooth double", 8);
	measure(ACCURACY, "accuracy of 10,000 cases", 3);
	measure(TELEMETRY, "a whole number that wanders", 2);
	return done_testing();
}
