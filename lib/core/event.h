/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the library speaks while it works: it never prints, it calls back.  cmd/
 * renders warnings on stderr and progress as a bar on a terminal.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stdint.h>

#include "lib/util/cleanup.h"

enum mlp_event_type {
	MLP_EVENT_WARNING,  /* text */
	MLP_EVENT_NOTE,	    /* text: worth a line unless --quiet */
	MLP_EVENT_PROGRESS, /* text, done, total (0 = not known) */
};

struct mlp_event {
	enum mlp_event_type type;
	const char *text;
	int64_t done;
	int64_t total;
};

struct mlp_events {
	void (*fn)(void *data, const struct mlp_event *event);
	void *data;
};

/* events may be NULL: then nothing happens. */
void mlp_warn(const struct mlp_events *events, const char *fmt, ...) PRINTF(2, 3);
void mlp_note(const struct mlp_events *events, const char *fmt, ...) PRINTF(2, 3);
void mlp_progress(const struct mlp_events *events, const char *what, int64_t done, int64_t total);

#endif
