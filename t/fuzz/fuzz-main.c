/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives a fuzz target where libFuzzer is not linked: every file named, every file of
 * the folders named, then their mutations for FUZZ_SECONDS (default 1).  The input of
 * a crash is left in crash-<target>.  The seed is FUZZ_SEED, or fixed: a run can be
 * repeated.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/vec.h"

enum { INPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *data;
	size_t size;
	char path[4096];
} current; /* what a signal handler saves */

static uint64_t state;

static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? state % below : 0;
}

static void save(int sig)
{
	int fd = open(current.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0) {
		ssize_t n = write(fd, current.data, current.size);

		(void)n;
		close(fd);
	}
	raise(sig); /* the handler was set to be used once */
}

static void catch_crashes(const char *program)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM };
	struct sigaction action = { .sa_handler = save, .sa_flags = (int)SA_RESETHAND };

	snprintf(current.path, sizeof(current.path), "crash-%s", path_basename(program));
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static void run(const uint8_t *data, size_t size)
{
	/* An exact copy, so that a sanitizer sees a read beyond the end. */
	_cleanup_free_ uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	current.data = data;
	current.size = size;
	alarm(10);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
}

struct corpus {
	struct strbuf *v;
	size_t len;
	size_t cap;
};

static int add(struct corpus *corpus, const char *path)
{
	struct strbuf text = STRBUF_INIT;
	struct stat st;
	int r = stat(path, &st) ? -errno : 0;

	if (!r && S_ISDIR(st.st_mode)) {
		DIR *dir = opendir(path);

		for (struct dirent *e; dir && (e = readdir(dir));) {
			_cleanup_free_ char *inner = path_join(path, e->d_name);

			if (e->d_name[0] != '.')
				r = r ? r : add(corpus, inner);
		}
		if (dir)
			closedir(dir);
		return r;
	}
	if (!r)
		r = file_read(path, INPUT_MAX, &text);
	if (r)
		fprintf(stderr, "cannot read '%s': %s\n", path, strerror(-r));
	else
		vec_push(corpus, text);
	return r;
}

/* Bytes that parsers care about. */
static uint8_t interesting(void)
{
	static const char bytes[] = "\0\n\r\t \"'\\{}[]:,=-+.0123456789eE#;/*%\x7f\x80\xc3\xe2\xf0\xff";

	return chance(4) ? (uint8_t)bytes[chance(sizeof(bytes) - 1)] : (uint8_t)chance(256);
}

static void insert_piece(struct strbuf *sb, const struct strbuf *from)
{
	size_t start = chance(from->len), n = chance(from->len - start) + 1;
	size_t at = chance(sb->len + 1), tail = sb->len - at;

	if (!from->len || sb->len + n > INPUT_MAX)
		return;
	strbuf_addchars(sb, 0, n);
	memmove(sb->buf + at + n, sb->buf + at, tail);
	memcpy(sb->buf + at, from->buf + start, n);
}

static void mutate(struct strbuf *sb, const struct corpus *corpus)
{
	for (uint64_t n = chance(8) + 1; n; n--) {
		size_t at = chance(sb->len);

		switch (chance(6)) {
		case 0:
			strbuf_addch(sb, interesting());
			break;
		case 1:
			if (sb->len)
				sb->buf[at] = (char)interesting();
			break;
		case 2:
			if (sb->len)
				sb->buf[at] = (char)(sb->buf[at] ^ (1 << chance(8)));
			break;
		case 3:
			strbuf_setlen(sb, at);
			break;
		case 4:
			if (sb->len) {
				size_t gone = chance(sb->len - at) + 1;

				memmove(sb->buf + at, sb->buf + at + gone, sb->len - at - gone);
				strbuf_setlen(sb, sb->len - gone);
			}
			break;
		default:
			insert_piece(sb, &corpus->v[chance(corpus->len)]);
		}
	}
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS"), *seed = getenv("FUZZ_SEED");
	struct corpus corpus = { 0 };
	time_t end;
	uint64_t runs = 0;

	state = seed ? strtoull(seed, NULL, 0) | 1 : 0x9e3779b97f4a7c15;
	catch_crashes(argv[0]);
	vec_push(&corpus, (struct strbuf)STRBUF_INIT);
	for (int i = 1; i < argc; i++)
		if (add(&corpus, argv[i]))
			return 1;
	for (; runs < corpus.len; runs++)
		run((const uint8_t *)corpus.v[runs].buf, corpus.v[runs].len);
	end = time(NULL) + (seconds ? strtol(seconds, NULL, 10) : 1);
	do {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
		const struct strbuf *from = &corpus.v[chance(corpus.len)];

		strbuf_add(&sb, from->buf, from->len);
		mutate(&sb, &corpus);
		run((const uint8_t *)sb.buf, sb.len);
		runs++;
	} while (runs % 64 || time(NULL) < end);
	fprintf(stderr, "%s: %" PRIu64 " inputs\n", path_basename(argv[0]), runs);
	for (size_t i = 0; i < corpus.len; i++)
		strbuf_release(&corpus.v[i]);
	vec_free(&corpus);
	return 0;
}
