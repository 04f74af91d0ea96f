/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input of a run.  A file is passed through, and what the command consumed of it
 * is hashed afterwards; a pipe and a terminal are pumped by the relay, hashed on the way.
 */
#ifndef LAUNCH_INPUT_H
#define LAUNCH_INPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/crypto/sha256.h"
#include "lib/launch/child.h"

enum input_kind { INPUT_TERMINAL, INPUT_NULL, INPUT_FILE, INPUT_PIPE, INPUT_CLOSED };

struct input {
	enum input_kind kind;
	int64_t start; /* INPUT_FILE: the offset at the start */

	/* Pumping. */
	int from, to; /* -1: no more */
	bool to_terminal;
	char buf[4096];
	size_t pos, len;
	struct sha256 *hash;
	int64_t bytes;
};

/* Looks at descriptor 0. */
void input_init(struct input *in);
void input_release(struct input *in);
const char *input_kind_name(enum input_kind kind);
enum child_stdin input_mode(const struct input *in);
/* Starts pumping into the child of one attempt; takes over child->in. */
void input_attach(struct input *in, struct child *child);
void input_detach(struct input *in);
/* What to wait for (fd -1: nothing) and what to do when it happened. */
struct pollfd input_poll(const struct input *in);
void input_handle(struct input *in, short events);
/* Hash and size of what was read so far; false when not known. */
bool input_result(struct input *in, char hex[SHA256_HEX + 1], int64_t *bytes);

#endif
