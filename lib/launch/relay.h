/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves what the command writes to our terminal, as it comes, and to the run's log.  While
 * it runs at most one block a stream is held: who reads us slowly slows the command down, as
 * without us.  What it left in the pipes when it ended goes to the log at once and is passed
 * on later.  When our output is gone the command goes on and is recorded.
 */
#ifndef LAUNCH_RELAY_H
#define LAUNCH_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/launch/child.h"
#include "lib/track/runlog.h"
#include "lib/util/strbuf.h"

enum { RELAY_STREAMS = 2, RELAY_BLOCK = 1 << 16 };

struct relay_stream {
	int from; /* the command's; -1 after its end */
	int to;	  /* ours; -1: nobody reads */
	struct strbuf buf; /* from pos on it waits for our reader */
	size_t pos;
};

/* Zeroed it is that of no command, with nothing pending. */
struct relay {
	struct relay_stream streams[RELAY_STREAMS]; /* by enum runlog_stream */
	struct runlog_writer *log;
	const struct mlp_events *events;
	bool log_failed;
	int64_t lost; /* bytes the log could not take */
};

/* Borrows the child's ends and the log; echo: also to our own stdout and stderr. */
void relay_init(struct relay *relay, const struct child *child, struct runlog_writer *log,
		bool echo, const struct mlp_events *events);
void relay_release(struct relay *relay);
/* What to wait for, RELAY_STREAMS entries (fd -1: nothing), and what to do then. */
void relay_poll(const struct relay *relay, struct pollfd *fds);
void relay_handle(struct relay *relay, const struct pollfd *fds);
/* Takes in what is there, without waiting for more or for our reader. */
void relay_take_in(struct relay *relay);
/* Somebody can still write into one of the streams. */
bool relay_reads(const struct relay *relay);
/* Lets the child's ends and the log go. */
void relay_detach(struct relay *relay);
/* Something waits for our reader. */
bool relay_pending(const struct relay *relay);
/* Passes nothing on any more to readers that are stuck. */
void relay_give_up(struct relay *relay);

#endif
