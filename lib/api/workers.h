/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for what may take long, so that those that serve the connections go on. */
#ifndef API_WORKERS_H
#define API_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/error.h"

struct workers;

struct work {
	/* On a thread of the workers; may free the work. */
	void (*run)(void *data);
	void *data;
	/* The workers' own. */
	struct work *next;
};

/* No more than most works wait. */
int workers_start(struct workers **out, unsigned threads, size_t most, struct mlp_error *err);
/* The work must live until it runs.  False, and nothing happened, when too many wait. */
bool workers_submit(struct workers *workers, struct work *work);
/* Does what was submitted, ends the threads and frees the workers; NULL is fine. */
void workers_stop(struct workers *workers);

#endif
