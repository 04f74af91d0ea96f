/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as JSON lines: cut in pieces they must give what they give at once. */
#include "config.h"

#include <string.h>

#include "lib/json/lines.h"
#include "lib/util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool note(void *data, const char *key, size_t len, double value,
		 const struct lines_place *place)
{
	strbuf_add(data, key, len);
	strbuf_add(data, &value, sizeof(value));
	strbuf_addf(data, "%d %d %lld %lld\n", place->has_step, place->has_time,
		    (long long)place->step, (long long)place->time_ms);
	return true;
}

static void read_in_pieces(const char *data, size_t size, size_t piece, struct strbuf *out)
{
	_cleanup_(lines_free) struct lines *l = lines_new(note, out);

	for (size_t i = 0; i < size; i += piece)
		lines_data(l, data + i, MIN(piece, size - i));
	lines_end(l);
	strbuf_addf(out, "%lld %lld", (long long)lines_stats(l)->lines,
		    (long long)lines_stats(l)->bad_lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_release_(strbuf_release) struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;

	read_in_pieces((const char *)data, size, size + 1, &whole);
	read_in_pieces((const char *)data, size, size % 7 + 1, &pieces);
	if (whole.len != pieces.len || memcmp(whole.buf, pieces.buf, whole.len))
		abort();
	return 0;
}
