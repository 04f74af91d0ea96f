/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/tensorboard.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "lib/track/bytes.h"
#include "lib/track/feed.h"
#include "lib/track/run.h"
#include "lib/util/crc32c.h"
#include "lib/util/file.h"

enum {
	HEAD_SIZE = 12,	    /* u64 length, u32 masked checksum of it */
	FOOT_SIZE = 4,	    /* u32 masked checksum of the data */
	PIECE = 1 << 16,    /* memory grows with what was read, not with what a file claims */
	COMMIT_POINTS = 1 << 16,
};

bool tensorboard_is_event_file(const char *name)
{
	return strstr(name, ".tfevents.") != NULL;
}

static uint32_t unmask(uint32_t masked)
{
	uint32_t x = masked - 0xa282ead8u;

	return x >> 17 | x << 15;
}

static uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* One field of a protobuf message. */
struct field {
	unsigned number, wire;
	uint64_t value;	     /* varint or fixed */
	struct bytes bytes; /* length-delimited */
};
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static uint64_t get_u32(struct bytes *b)
{
	uint32_t v;

	if (b->end - b->p < 4) {
		b->bad = true;
		return 0;
	}
	v = load_u32(b->p);
	b->p += 4;
	return v;
}

/* 1 with a field, 0 at the end, -1 when malformed.  One of bytes has the value 0, one with a
 * value no bytes: which it is, is up to who wrote the file. */
static int next_field(struct bytes *in, struct field *f)
{
	uint64_t tag, len;

	if (in->p == in->end)
		return 0;
	tag = get_varint(in);
	*f = (struct field){ .number = (unsigned)(tag >> 3), .wire = tag & 7 };
	switch (f->wire) {
	case WIRE_VARINT:
		f->value = get_varint(in);
		break;
	case WIRE_FIXED64:
		f->value = get_u64(in);
		break;
	case WIRE_FIXED32:
		f->value = get_u32(in);
		break;
	case WIRE_BYTES:
		len = get_varint(in);
		if (in->bad || len > (uint64_t)(in->end - in->p))
			return -1;
		f->bytes = (struct bytes){ .p = in->p, .end = in->p + len };
		in->p += len;
		break;
	default:
		return -1;
	}
	return in->bad ? -1 : 1;
}

static double float_of(uint64_t bits)
{
	uint32_t b = (uint32_t)bits;
	float v;

	memcpy(&v, &b, sizeof(v));
	return (double)v;
}

static double double_of(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* tensorflow.DataType, and the field of TensorProto that holds its values. */
enum { DT_FLOAT = 1, DT_DOUBLE = 2, DT_INT32 = 3, DT_INT64 = 9 };
enum { FLOAT_VAL = 5, DOUBLE_VAL = 6, INT_VAL = 7, INT64_VAL = 10 };

struct tensor {
	uint64_t type;
	bool is_scalar; /* shape (), (1), (1, 1), ... */
	bool has_value;
	double value;
	struct bytes content; /* tensor_content */
};

/* The first of the values in a list, packed or not. */
static void take_value(struct tensor *t, struct field *f)
{
	struct bytes *b = &f->bytes;
	uint64_t v = f->value;

	if (t->has_value || (f->wire == WIRE_BYTES && b->p == b->end))
		return;
	if (f->wire == WIRE_BYTES)
		v = f->number == FLOAT_VAL ? get_u32(b) :
		    f->number == DOUBLE_VAL ? get_u64(b) : get_varint(b);
	t->has_value = !(f->wire == WIRE_BYTES && b->bad);
	t->value = f->number == FLOAT_VAL ? float_of(v) :
		   f->number == DOUBLE_VAL ? double_of(v) :
		   f->number == INT_VAL ? (double)(int32_t)v : (double)(int64_t)v;
}

static bool read_shape(struct bytes in, bool *is_scalar)
{
	struct field dim, f;
	int r, q = 0;

	while ((r = next_field(&in, &dim)) > 0) {
		if (dim.number == 3 && dim.value) /* unknown rank */
			*is_scalar = false;
		if (dim.number != 2 || dim.wire != WIRE_BYTES)
			continue;
		while ((q = next_field(&dim.bytes, &f)) > 0)
			if (f.number == 1 && f.value != 1)
				*is_scalar = false;
		if (q < 0)
			return false;
	}
	return r == 0;
}

static void take_content(struct tensor *t)
{
	struct bytes *b = &t->content;
	size_t len = (size_t)(b->end - b->p);

	if (t->has_value)
		return;
	t->has_value = true;
	if (t->type == DT_FLOAT && len == 4)
		t->value = float_of(get_u32(b));
	else if (t->type == DT_DOUBLE && len == 8)
		t->value = double_of(get_u64(b));
	else if (t->type == DT_INT32 && len == 4)
		t->value = (double)(int32_t)get_u32(b);
	else if (t->type == DT_INT64 && len == 8)
		t->value = (double)(int64_t)get_u64(b);
	else
		t->has_value = false;
}

/* False when malformed; *found tells whether it is one number. */
static bool read_tensor(struct bytes in, bool *found, double *value)
{
	struct tensor t = { .is_scalar = true };
	struct field f = { 0 };
	int r;

	while ((r = next_field(&in, &f)) > 0) {
		if (f.number == 1 && f.wire == WIRE_VARINT)
			t.type = f.value;
		else if (f.number == 2 && f.wire == WIRE_BYTES && !read_shape(f.bytes, &t.is_scalar))
			return false;
		else if (f.number == 4 && f.wire == WIRE_BYTES)
			t.content = f.bytes;
		else if ((f.number >= FLOAT_VAL && f.number <= INT_VAL) || f.number == INT64_VAL)
			take_value(&t, &f);
	}
	if (t.content.p)
		take_content(&t);
	*found = t.is_scalar && t.has_value &&
		 (t.type == DT_FLOAT || t.type == DT_DOUBLE || t.type == DT_INT32 ||
		  t.type == DT_INT64);
	*value = t.value;
	return r == 0;
}

struct reader {
	int fd;
	tensorboard_fn *fn;
	void *data;
	struct tensorboard_stats *stats;
	struct strbuf record;
	int64_t offset; /* of the record in what was read */
	struct mlp_error *err;
};

enum { MALFORMED = 1 }; /* beside 0 and MLP_E* */

static int read_value(struct reader *r, struct bytes in, struct metric_point *point)
{
	struct bytes tag = { 0 };
	struct field f = { 0 };
	bool found = false;
	int n;

	while ((n = next_field(&in, &f)) > 0) {
		if (f.number == 1 && f.wire == WIRE_BYTES) {
			tag = f.bytes;
		} else if (f.number == 2 && f.wire == WIRE_FIXED32) {
			point->value = float_of(f.value);
			found = true;
		} else if (f.number == 8 && f.wire == WIRE_BYTES &&
			   !read_tensor(f.bytes, &found, &point->value)) {
			return MALFORMED;
		}
	}
	if (n)
		return MALFORMED;
	if (!found || !tag.p) {
		r->stats->ignored++;
		return 0;
	}
	n = r->fn(r->data, (const char *)tag.p, (size_t)(tag.end - tag.p), point, r->err);
	if (n)
		return n;
	r->stats->points++;
	return 0;
}

static int read_summary(struct reader *r, struct bytes in, struct metric_point *point)
{
	struct field f = { 0 };
	int n, ret = 0;

	while ((n = next_field(&in, &f)) > 0 && !ret)
		if (f.number == 1 && f.wire == WIRE_BYTES)
			ret = read_value(r, f.bytes, point);
	return ret ? ret : n ? MALFORMED : 0;
}

static int read_event(struct reader *r, struct bytes in)
{
	struct metric_point point = { 0 };
	struct bytes summary = { 0 };
	struct field f = { 0 };
	double ms = 0;
	int n;

	while ((n = next_field(&in, &f)) > 0) {
		if (f.number == 1 && f.wire == WIRE_FIXED64)
			ms = double_of(f.value) * 1000;
		else if (f.number == 2 && f.wire == WIRE_VARINT)
			point.step = (int64_t)f.value;
		else if (f.number == 5 && f.wire == WIRE_BYTES)
			summary = f.bytes;
	}
	if (n)
		return MALFORMED;
	point.time_ms = ms >= 0 && ms < 0x1p53 ? (int64_t)(ms + 0.5) : 0;
	return summary.p ? read_summary(r, summary, &point) : 0;
}

/* Reads len bytes behind the record; 1, 0 at the end of the file, or negative. */
static int read_bytes(struct reader *r, size_t len)
{
	while (len) {
		size_t piece = MIN(len, (size_t)PIECE);
		ssize_t n;

		strbuf_grow(&r->record, piece);
		n = file_read_some(r->fd, r->record.buf + r->record.len, piece);
		if (n < 0)
			return mlp_error_errno(r->err, (int)-n, "cannot read the event file");
		if (!n)
			return 0;
		strbuf_setlen(&r->record, r->record.len + (size_t)n);
		len -= (size_t)n;
	}
	return 1;
}

/* Moves over the data of a record that is too long. */
static int skip_bytes(struct reader *r, uint64_t len)
{
	int n = 1;

	while (len && n > 0) {
		size_t piece = (size_t)MIN(len, (uint64_t)PIECE);

		strbuf_clear(&r->record);
		n = read_bytes(r, piece);
		len -= piece;
	}
	return n;
}

static int read_data(struct reader *r, size_t len)
{
	const unsigned char *p;
	int n;

	strbuf_clear(&r->record);
	n = read_bytes(r, len + FOOT_SIZE);
	if (n <= 0)
		return n;
	p = (const unsigned char *)r->record.buf;
	r->stats->records++;
	n = unmask(load_u32(p + len)) == crc32c(p, len) ?
		    read_event(r, (struct bytes){ .p = p, .end = p + len }) :
		    MALFORMED;
	r->stats->bad_records += n == MALFORMED;
	return n < 0 ? n : 1;
}

/* 1 after a record, 0 at the end of the file. */
static int read_record(struct reader *r)
{
	uint64_t len;
	int n;

	strbuf_clear(&r->record);
	n = read_bytes(r, HEAD_SIZE);
	if (n <= 0) {
		r->stats->truncated = !n && r->record.len;
		return n;
	}
	memcpy(&len, r->record.buf, sizeof(len));
	len = le64toh(len);
	if (unmask(load_u32(r->record.buf + 8)) != crc32c(r->record.buf, 8))
		return mlp_error_set(r->err, MLP_ECORRUPT, "the event file is damaged at byte %lld",
				     (long long)r->offset);
	if (len <= TENSORBOARD_RECORD_MAX) {
		n = read_data(r, (size_t)len);
	} else {
		r->stats->bad_records++;
		n = len > INT64_MAX / 2 ? 0 : skip_bytes(r, len + FOOT_SIZE);
	}
	r->stats->truncated = !n;
	r->offset += n > 0 ? HEAD_SIZE + (int64_t)len + FOOT_SIZE : 0;
	return n;
}

int tensorboard_read(int fd, tensorboard_fn *fn, void *data, struct tensorboard_stats *stats,
		     struct mlp_error *err)
{
	struct tensorboard_stats unused = { 0 };
	struct reader r = { .fd = fd, .fn = fn, .data = data, .record = STRBUF_INIT, .err = err };
	int n;

	r.stats = stats ? stats : &unused;
	*r.stats = unused;
	while ((n = read_record(&r)) > 0)
		;
	strbuf_release(&r.record);
	return n;
}

struct import {
	const char *prefix;
	struct db *db;
	int64_t run;
	struct metric_batch *batch;
	int64_t refused; /* tags that cannot name a metric */
};

static int import_point(void *data, const char *tag, size_t len, const struct metric_point *point,
			struct mlp_error *err)
{
	struct import *im = data;
	char name[2 * RUN_KEY_MAX];
	size_t prefix = strlen(im->prefix);

	if (len > RUN_KEY_MAX || prefix > RUN_KEY_MAX) {
		im->refused++;
		return 0;
	}
	memcpy(name, im->prefix, prefix);
	memcpy(name + prefix, tag, len);
	if (metric_batch_add_any(im->batch, name, prefix + len, point, NULL))
		im->refused++;
	if (metric_batch_points(im->batch) < COMMIT_POINTS)
		return 0;
	return metric_batch_commit(im->batch, im->db, im->run, err);
}

int tensorboard_import(int fd, const char *prefix, struct db *db, int64_t run,
		       struct tensorboard_stats *stats, struct mlp_error *err)
{
	_cleanup_(metric_batch_free) struct metric_batch *batch = metric_batch_new();
	struct import im = { .prefix = prefix, .db = db, .run = run, .batch = batch };
	struct tensorboard_stats unused;
	int r, read;

	stats = stats ? stats : &unused;
	read = tensorboard_read(fd, import_point, &im, stats, err);
	stats->points -= im.refused;
	stats->ignored += im.refused;
	stats->bad_tags = im.refused;
	r = metric_batch_commit(batch, db, run, read ? NULL : err);
	return read ? read : r;
}
