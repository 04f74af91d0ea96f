/* SPDX-License-Identifier: Apache-2.0 */
/* With arguments, prints the scalars of event files instead: t/interop uses that. */
#include "config.h"

#include <fcntl.h>
#include <math.h>

#include "lib/track/bytes.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/track/tensorboard.h"
#include "lib/util/crc32c.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "t/unit/tap.h"

static struct mlp_error err;

/* A writer of event files, apart from the reader it tests. */
static void put_fixed(struct strbuf *sb, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		strbuf_addch(sb, (int)(unsigned char)(v >> 8 * i));
}

static void put_int(struct strbuf *sb, unsigned field, uint64_t v)
{
	add_varint(sb, (uint64_t)field << 3);
	add_varint(sb, v);
}

static void put_double(struct strbuf *sb, unsigned field, double v)
{
	uint64_t b;

	memcpy(&b, &v, sizeof(b));
	add_varint(sb, (uint64_t)field << 3 | 1);
	put_fixed(sb, b, 8);
}

static void put_float(struct strbuf *sb, unsigned field, float v)
{
	uint32_t b;

	memcpy(&b, &v, sizeof(b));
	add_varint(sb, (uint64_t)field << 3 | 5);
	put_fixed(sb, b, 4);
}

static void put_bytes(struct strbuf *sb, unsigned field, const void *data, size_t len)
{
	add_varint(sb, (uint64_t)field << 3 | 2);
	add_varint(sb, len);
	strbuf_add(sb, data, len);
}

/* Wraps what sb holds into a field. */
static void wrap(struct strbuf *sb, unsigned field)
{
	struct strbuf inner = *sb;

	strbuf_init(sb);
	put_bytes(sb, field, inner.buf, inner.len);
	strbuf_release(&inner);
}

static uint32_t mask(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_record(struct strbuf *file, const struct strbuf *data)
{
	size_t start = file->len;

	put_fixed(file, data->len, 8);
	put_fixed(file, mask(crc32c(file->buf + start, 8)), 4);
	strbuf_add(file, data->buf, data->len);
	put_fixed(file, mask(crc32c(data->buf, data->len)), 4);
}

/* An event with one value: its tag, then what value holds already. */
static void put_event(struct strbuf *file, double time, uint64_t step, const char *tag,
		      const struct strbuf *value)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT, event = STRBUF_INIT;

	put_bytes(&sb, 1, tag, strlen(tag));
	strbuf_add(&sb, value->buf, value->len);
	wrap(&sb, 1);
	put_double(&event, 1, time);
	put_int(&event, 2, step);
	put_bytes(&event, 5, sb.buf, sb.len);
	put_record(file, &event);
}

static void put_simple(struct strbuf *file, uint64_t step, const char *tag, float v)
{
	_release_(strbuf_release) struct strbuf value = STRBUF_INIT;

	put_float(&value, 2, v);
	put_event(file, 1763000000.25, step, tag, &value);
}

enum shape { SCALAR, ONE, MANY };

/* A tensor whose values are the field already in value. */
static void put_tensor(struct strbuf *file, uint64_t type, enum shape shape, struct strbuf *value)
{
	_release_(strbuf_release) struct strbuf tensor = STRBUF_INIT, dims = STRBUF_INIT;

	if (shape != SCALAR) {
		put_int(&dims, 1, shape == ONE ? 1 : 3);
		wrap(&dims, 2);
	}
	put_int(&tensor, 1, type);
	put_bytes(&tensor, 2, dims.buf, dims.len);
	strbuf_add(&tensor, value->buf, value->len);
	wrap(&tensor, 8);
	put_event(file, 1763000000, 7, "t", &tensor);
	strbuf_clear(value);
}

static int log_point(void *data, const char *tag, size_t len, const struct metric_point *p,
		     struct mlp_error *e)
{
	struct strbuf *sb = data;

	(void)e;
	strbuf_add(sb, tag, len);
	strbuf_addf(sb, "@%lld#%lld=", (long long)p->step, (long long)p->time_ms);
	text_add_double(sb, p->value);
	strbuf_addch(sb, ' ');
	return 0;
}

static int open_bytes(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET)) {
		puts("Bail out! cannot write a file");
		exit(1);
	}
	return fd;
}

static int read_file(const char *path, const struct strbuf *file, struct strbuf *out,
		     struct tensorboard_stats *stats)
{
	_cleanup_close_ int fd = open_bytes(path, file->buf, file->len);

	strbuf_clear(out);
	return tensorboard_read(fd, log_point, out, stats, &err);
}

static void test_scalars(const char *path)
{
	_release_(strbuf_release) struct strbuf file = STRBUF_INIT, v = STRBUF_INIT,
						out = STRBUF_INIT;
	struct tensorboard_stats stats;

	put_double(&v, 1, 1763000000);
	put_bytes(&v, 3, "brain.Event:2", 13);
	put_record(&file, &v);
	strbuf_clear(&v);
	put_simple(&file, 3, "loss", 0.5f);
	put_simple(&file, 4, "loss", (float)NAN);
	put_float(&v, 5, 1.5f);
	put_tensor(&file, 1, SCALAR, &v);
	put_double(&v, 6, 2.5);
	put_tensor(&file, 2, ONE, &v);
	put_fixed(&v, 0x40600000, 4); /* 3.5f */
	wrap(&v, 4);
	put_tensor(&file, 1, SCALAR, &v);
	put_int(&v, 7, (uint64_t)-4);
	put_tensor(&file, 3, SCALAR, &v);
	put_fixed(&v, 0x3fc00000, 4);
	wrap(&v, 5); /* packed */
	put_tensor(&file, 1, SCALAR, &v);
	put_float(&v, 5, 9);
	put_tensor(&file, 1, MANY, &v);
	put_tensor(&file, 1, SCALAR, &v);
	put_bytes(&v, 8, "text", 4);
	put_tensor(&file, 7, SCALAR, &v);
	is_int(read_file(path, &file, &out, &stats), 0, "a file of all kinds");
	is_str(out.buf,
	       "loss@3#1763000000250=0.5 loss@4#1763000000250=NaN t@7#1763000000000=1.5 "
	       "t@7#1763000000000=2.5 t@7#1763000000000=3.5 t@7#1763000000000=-4 "
	       "t@7#1763000000000=1.5 ",
	       "its scalars");
	ok(stats.records == 11 && stats.points == 7 && stats.ignored == 3 && !stats.bad_records &&
		   !stats.truncated,
	   "its figures");
}

static void test_damage(const char *path)
{
	_release_(strbuf_release) struct strbuf file = STRBUF_INIT, out = STRBUF_INIT,
						cut = STRBUF_INIT;
	struct tensorboard_stats stats;
	size_t one, good = 0;

	put_simple(&file, 1, "a", 1);
	one = file.len;
	put_simple(&file, 2, "a", 2);
	for (size_t len = one; len < file.len; len++) {
		strbuf_clear(&cut);
		strbuf_add(&cut, file.buf, len);
		good += !read_file(path, &cut, &out, &stats) && stats.points == 1 &&
			stats.truncated == (len > one);
	}
	is_int(good, file.len - one, "a record cut anywhere is the end");
	file.buf[20] ^= 1;
	ok(!read_file(path, &file, &out, &stats) && stats.points == 1 && stats.bad_records == 1,
	   "a record with a wrong checksum is left out");
	file.buf[one] ^= 1;
	is_int(read_file(path, &file, &out, &stats), MLP_ECORRUPT, "a wrong length ends the reading");
	strbuf_clear(&file);
	put_fixed(&file, UINT64_MAX, 8);
	put_fixed(&file, mask(crc32c(file.buf, 8)), 4);
	ok(!read_file(path, &file, &out, &stats) && stats.truncated && stats.bad_records == 1,
	   "a record that claims to be huge");
	strbuf_clear(&file);
	put_fixed(&file, TENSORBOARD_RECORD_MAX, 8);
	put_fixed(&file, mask(crc32c(file.buf, 8)), 4);
	ok(!read_file(path, &file, &out, &stats) && stats.truncated, "or large, and is not there");
	strbuf_clear(&file);
	for (size_t i = 0; i < 300; i++) {
		strbuf_clear(&cut);
		for (size_t j = 0; j < i; j++)
			strbuf_addch(&cut, (int)(i * 31 + j * j * 7) & 0xff);
		put_record(&file, &cut);
	}
	ok(!read_file(path, &file, &out, &stats) && stats.records == 300, "records of nonsense");
}

static void test_import(const char *folder, const char *path)
{
	_release_(strbuf_release) struct strbuf file = STRBUF_INIT;
	_release_(repo_release) struct repo repo = REPO_INIT;
	_cleanup_(db_close) struct db *db = NULL;
	struct metric_latests latest = VEC_INIT;
	struct tensorboard_stats stats;
	int64_t run = 0;
	bool made;
	int r;

	put_simple(&file, 1, "mAP@0.5", 0.25f);
	put_simple(&file, 2, "mAP@0.5", 0.5f);
	put_simple(&file, 2, "../x", 1);
	r = repo_create(folder, &made, &err);
	r = r ? r : repo_open_at(&repo, folder, &err);
	r = r ? r : track_open(&db, &repo, DB_CREATE | DB_RELAXED, &err);
	r = r ? r : run_create(db, &(struct run_new){ 0 }, &run, NULL, &err);
	for (int i = 0; i < 2 && !r; i++) {
		_cleanup_close_ int fd = open_bytes(path, file.buf, file.len);

		r = tensorboard_import(fd, "train/", db, run, &stats, &err);
	}
	r = r ? r : metric_compact(db, run, &err);
	ok(!r && !metric_latest(db, run, &latest, &err) && latest.len == 1, "imported: %s", err.text);
	is_str(latest.v[0].key, "train/mAP_0.5", "under a prefix, as a name a metric may have");
	is_int(latest.v[0].points, 2, "twice the same file, once its points");
	ok(stats.points == 2 && stats.ignored == 1 && stats.bad_tags == 1,
	   "a tag that cannot be a name is left out");
	metric_latests_release(&latest);
}

static int print_files(char **paths)
{
	for (; *paths; paths++) {
		_release_(strbuf_release) struct strbuf out = STRBUF_INIT;
		_cleanup_close_ int fd = open(*paths, O_RDONLY);

		if (fd < 0 || tensorboard_read(fd, log_point, &out, NULL, &err))
			return 1;
		for (char *p = out.buf; (p = strchr(p, ' ')); p++)
			*p = '\n';
		fputs(out.buf, stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *folder = NULL, *path = NULL;

	if (argc > 1)
		return print_files(argv + 1);
	folder = tap_folder();
	path = path_join(folder, "events.out.tfevents.1.host");
	plan_lazy();
	is_int(crc32c("123456789", 9), 0xe3069283, "CRC-32C of the check string");
	ok(tensorboard_is_event_file(path) && !tensorboard_is_event_file("tfevents.txt"), "names");
	test_scalars(path);
	test_damage(path);
	test_import(folder, path);
	path_remove_tree(folder);
	return done_testing();
}
