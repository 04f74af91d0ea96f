/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/launch/stdio.h"

enum { CONTROL_D = 4 };

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

void input_init(struct input *in)
{
	struct stat st;

	*in = (struct input){ .kind = INPUT_PIPE, .from = -1, .to = -1 };
	if (fstat(STDIN_FILENO, &st)) {
		in->kind = INPUT_CLOSED;
	} else if (isatty(STDIN_FILENO)) {
		in->kind = INPUT_TERMINAL;
	} else if (is_null_device(&st)) {
		in->kind = INPUT_NULL;
	} else if (S_ISREG(st.st_mode)) {
		in->kind = INPUT_FILE;
		in->start = lseek(STDIN_FILENO, 0, SEEK_CUR);
	}
}

void input_release(struct input *in)
{
	input_detach(in);
	sha256_free(in->hash);
	in->hash = NULL;
}

const char *input_kind_name(enum input_kind kind)
{
	static const char *const names[] = { "terminal", "null", "file", "pipe", "closed" };

	return names[kind];
}

enum child_stdin input_mode(const struct input *in)
{
	return in->kind == INPUT_TERMINAL || in->kind == INPUT_PIPE ? CHILD_STDIN_PUMP :
								      CHILD_STDIN_PASS;
}

void input_attach(struct input *in, struct child *child)
{
	if (input_mode(in) != CHILD_STDIN_PUMP || child->in < 0)
		return;
	in->from = stdio_reopen(STDIN_FILENO);
	in->to = child->in;
	in->to_terminal = child->in_is_terminal;
	/* The pseudo-terminal is also the command's output: it stays the child's. */
	if (!in->to_terminal)
		child->in = -1;
}

static void close_from(struct input *in)
{
	if (in->from > STDERR_FILENO)
		close(in->from);
	in->from = -1;
}

static void close_to(struct input *in)
{
	if (in->to >= 0 && !in->to_terminal)
		close(in->to);
	in->to = -1;
	in->pos = in->len = 0;
}

void input_detach(struct input *in)
{
	close_from(in);
	close_to(in);
}

struct pollfd input_poll(const struct input *in)
{
	struct pollfd p = { .fd = -1 };

	if (in->to >= 0 && in->pos < in->len)
		return (struct pollfd){ in->to, POLLOUT, 0 };
	if (in->from < 0 || in->to < 0)
		return p;
	/* A reader in the background would be stopped: wait until the foreground is ours. */
	if (in->kind == INPUT_TERMINAL && tcgetpgrp(STDIN_FILENO) != getpgrp())
		return p;
	return (struct pollfd){ in->from, POLLIN, 0 };
}

static void take(struct input *in, size_t n)
{
	if (!in->hash)
		in->hash = sha256_new(NULL);
	if (in->hash)
		sha256_update(in->hash, in->buf, n);
	in->bytes += (int64_t)n;
	in->pos = 0;
	in->len = n;
}

/* The end of the input: a pipe is closed, a terminal says it with Control-D and may go on. */
static void end(struct input *in)
{
	if (in->to_terminal) {
		in->buf[0] = CONTROL_D;
		in->pos = 0;
		in->len = 1;
	} else {
		close_to(in);
	}
	if (in->kind != INPUT_TERMINAL)
		close_from(in);
}

static void push(struct input *in)
{
	ssize_t n = write(in->to, in->buf + in->pos, in->len - in->pos);

	if (n >= 0)
		in->pos += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		input_detach(in); /* the command reads no more */
}

void input_handle(struct input *in, short events)
{
	ssize_t n;

	if (!events)
		return;
	if (in->to >= 0 && in->pos < in->len) {
		push(in);
		return;
	}
	if (in->from < 0)
		return;
	n = read(in->from, in->buf, sizeof(in->buf));
	if (n > 0) {
		take(in, (size_t)n);
		push(in);
	} else if (n == 0) {
		end(in);
	} else if (errno != EAGAIN && errno != EINTR) {
		input_detach(in);
	}
}

/* A command that maps its input, or only looks at it, leaves the position as it was: then
 * nobody knows what it took, unless there is nothing to take. */
static bool is_untouched(int64_t start)
{
	struct stat st;

	return lseek(STDIN_FILENO, 0, SEEK_CUR) == start && !fstat(STDIN_FILENO, &st) &&
	       st.st_size > start;
}

static bool hash_file(const struct input *in, char hex[SHA256_HEX + 1], int64_t *bytes)
{
	int64_t end = lseek(STDIN_FILENO, 0, SEEK_CUR), at = in->start;
	struct sha256 *hash = sha256_new(NULL);
	const size_t size = 1 << 17;
	_cleanup_free_ char *block = malloc(size);

	while (hash && block && at < end) {
		ssize_t n = pread(STDIN_FILENO, block, (size_t)MIN((int64_t)size, end - at), at);

		if (n <= 0)
			break;
		sha256_update(hash, block, (size_t)n);
		at += n;
	}
	*bytes = at - in->start;
	if (hash && at >= end)
		sha256_finish(hash, hex);
	sha256_free(hash);
	return hash && at >= end && end >= 0;
}

bool input_result(struct input *in, char hex[SHA256_HEX + 1], int64_t *bytes)
{
	switch (in->kind) {
	case INPUT_FILE:
		return !is_untouched(in->start) && hash_file(in, hex, bytes);
	case INPUT_PIPE:
	case INPUT_TERMINAL:
		*bytes = in->bytes;
		if (!in->hash)
			return false;
		sha256_finish(in->hash, hex);
		return true;
	default:
		return false;
	}
}
