/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/tail.h"

enum { FORMAT = 1 };

void tail_writer_release(struct tail_writer *w)
{
	strbuf_release(&w->points);
	vec_free(&w->steps);
}

void tail_writer_clear(struct tail_writer *w)
{
	strbuf_clear(&w->points);
	w->steps.len = 0;
	w->count = 0;
	w->time_ms = 0;
}

void tail_add(struct tail_writer *w, size_t key, const struct metric_point *point)
{
	unsigned char bytes[3 * VARINT_MAX + 8], *p = bytes;
	uint64_t value;

	while (key >= w->steps.len)
		vec_push(&w->steps, 0);
	p = put_varint(p, key);
	p = put_varint(p, zigzag((uint64_t)point->time_ms - (uint64_t)w->time_ms));
	p = put_varint(p, zigzag((uint64_t)point->step - (uint64_t)w->steps.v[key]));
	memcpy(&value, &point->value, sizeof(value));
	value = htole64(value);
	memcpy(p, &value, sizeof(value));
	p += sizeof(value);
	strbuf_add(&w->points, bytes, (size_t)(p - bytes));
	w->steps.v[key] = point->step;
	w->time_ms = point->time_ms;
	w->count++;
}

void tail_blob(const struct tail_writer *w, const int64_t *ids, size_t nids, struct strbuf *out)
{
	strbuf_addch(out, FORMAT);
	add_varint(out, nids);
	for (size_t i = 0; i < nids; i++)
		add_varint(out, (uint64_t)ids[i]);
	add_varint(out, w->count);
	strbuf_add(out, w->points.buf, w->points.len);
}

void tail_reader_release(struct tail_reader *r)
{
	free(r->ids);
	free(r->steps);
}

static int corrupt(struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ECORRUPT, "a batch of metrics is damaged");
}

int tail_open(struct tail_reader *r, const void *data, size_t len, struct mlp_error *err)
{
	unsigned version;

	*r = (struct tail_reader){ .in.p = data, .in.end = (const unsigned char *)data + len };
	version = get_byte(&r->in);
	r->nids = get_varint(&r->in);
	if (!r->in.bad && version > FORMAT)
		return mlp_error_set(err, MLP_EVERSION,
				     "a batch of metrics has version %u, this mlp knows version %d",
				     version, FORMAT);
	/* An id takes a byte at least: what claims more ids than bytes asks for no memory. */
	if (r->in.bad || version != FORMAT || r->nids > len)
		return corrupt(err);
	r->ids = xcalloc(r->nids + 1, sizeof(*r->ids));
	r->steps = xcalloc(r->nids + 1, sizeof(*r->steps));
	for (size_t i = 0; i < r->nids; i++)
		r->ids[i] = (int64_t)get_varint(&r->in);
	r->left = get_varint(&r->in);
	return r->in.bad ? corrupt(err) : 0;
}

int tail_next(struct tail_reader *r, size_t *key, struct metric_point *point,
	      struct mlp_error *err)
{
	struct bytes *in = &r->in;
	uint64_t k, value;

	if (!r->left)
		return in->p == in->end ? 0 : corrupt(err);
	r->left--;
	k = get_varint(in);
	r->time_ms = (int64_t)((uint64_t)r->time_ms + unzigzag(get_varint(in)));
	if (in->bad || k >= r->nids)
		return corrupt(err);
	r->steps[k] = (int64_t)((uint64_t)r->steps[k] + unzigzag(get_varint(in)));
	value = get_u64(in);
	if (in->bad)
		return corrupt(err);
	*key = k;
	point->time_ms = r->time_ms;
	point->step = r->steps[k];
	memcpy(&point->value, &value, sizeof(value));
	return 1;
}
