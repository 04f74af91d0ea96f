/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/track/runlog.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

static struct runlog_reader *open_path(const char *path)
{
	struct runlog_reader *reader = NULL;

	runlog_open_fd(&reader, open(path, O_RDONLY | O_CLOEXEC), NULL);
	return reader;
}

static void add(struct runlog_writer *w, enum runlog_stream stream, int64_t us, const char *s)
{
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(runlog_add(w, stream, us, s, strlen(s), &err), 0, "add '%s'", s);
}

static void test_records(const char *path)
{
	struct runlog_record rec;
	struct runlog_writer *w;
	struct runlog_reader *r;
	struct mlp_error err = MLP_ERROR_INIT;

	is_int(runlog_create(&w, path, 1000000, &err), 0, "create");
	r = open_path(path);
	is_int(runlog_next(r, &rec, &err), 0, "a new log is empty");
	add(w, RUNLOG_STDOUT, 1000005, "one\n");
	add(w, RUNLOG_STDERR, 1000200, "two");
	is_int(runlog_next(r, &rec, &err), 1, "a live log is followed");
	is_int(rec.time_us, 1000005, "its time");
	is_int(rec.stream, RUNLOG_STDOUT, "its stream");
	ok(rec.len == 4 && !memcmp(rec.data, "one\n", 4), "its bytes");
	is_int(runlog_next(r, &rec, &err), 1, "the second");
	is_int(rec.time_us, 1000200, "its time");
	is_int(rec.stream, RUNLOG_STDERR, "its stream");
	is_int(runlog_next(r, &rec, &err), 0, "then the end");
	add(w, RUNLOG_STDOUT, 900000, "back");
	is_int(runlog_next(r, &rec, &err), 1, "after the end, more");
	is_int(rec.time_us, 1000200, "a clock set back stands still");
	is_int(runlog_bytes(w), 11, "bytes of output");
	runlog_writer_close(w);
	runlog_reader_close(r);
}

static void test_long_data(const char *path)
{
	const size_t size = 2 * RUNLOG_RECORD_MAX + 5;
	char *data = xmalloc(size);
	struct runlog_record rec;
	struct runlog_writer *w;
	struct runlog_reader *r;
	size_t n = 0;
	int got, records = 0;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7);
	runlog_create(&w, path, 5, NULL);
	runlog_add(w, RUNLOG_STDOUT, 6, data, size, NULL);
	runlog_writer_close(w);
	r = open_path(path);
	while ((got = runlog_next(r, &rec, NULL)) > 0 && n + rec.len <= size &&
	       !memcmp(rec.data, data + n, rec.len)) {
		n += rec.len;
		records++;
	}
	is_int(got, 0, "read to the end");
	is_int((int64_t)n, (int64_t)size, "all bytes are there");
	is_int(records, 3, "in records of bounded size");
	runlog_reader_close(r);
	free(data);
}

/* Whatever the place the file is cut at, whole records stay and the rest is left out. */
static void test_cut(const char *path)
{
	struct runlog_record rec;
	struct runlog_writer *w;
	struct stat st;
	int64_t bytes, last;
	int bad = 0;

	for (int cut = 0; cut < 40; cut++) {
		struct runlog_reader *r;
		int records = 0, got;

		runlog_create(&w, path, 7, NULL);
		for (int i = 0; i < 3; i++)
			runlog_add(w, RUNLOG_STDOUT, 7 + i, "12345", 5, NULL);
		runlog_writer_close(w);
		stat(path, &st);
		if (st.st_size < cut || truncate(path, st.st_size - cut))
			break;
		r = open_path(path);
		while ((got = runlog_next(r, &rec, NULL)) > 0)
			records++;
		runlog_reader_close(r);
		bad += got != 0 || records != MAX(3 - (cut + 6) / 7, 0);
		bad += runlog_cut(path, &bytes, &last, NULL) != 0 || bytes != records * 5;
		stat(path, &st);
		bad += records && st.st_size != 16 + records * 7;
	}
	is_int(bad, 0, "a log cut anywhere");
}

static void test_damage(const char *path)
{
	static const char not_a_log[] = "something else entirely";
	struct mlp_error err = MLP_ERROR_INIT;
	struct runlog_record rec;
	struct runlog_reader *r;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	ok(write(fd, not_a_log, sizeof(not_a_log)) > 0, "another file");
	close(fd);
	r = open_path(path);
	is_int(runlog_next(r, &rec, &err), MLP_ECORRUPT, "is no log");
	is_str(err.text, "not a log of a run", "and that is said");
	runlog_reader_close(r);
}

int main(void)
{
	char *folder, *path;

	plan_lazy();
	folder = tap_folder();
	path = path_join(folder, "log-1");
	test_records(path);
	test_long_data(path);
	test_cut(path);
	test_damage(path);
	path_remove_tree(folder);
	free(path);
	free(folder);
	return done_testing();
}
