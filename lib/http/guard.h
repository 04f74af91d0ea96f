/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, counted from when they are accepted, and whose time is limited in whole, not
 * only between two bytes: a client that sends a byte now and then would else keep its place
 * for ever.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdint.h>
#include <sys/socket.h>

#include "lib/core/error.h"

struct guard;
struct guard_entry;

int guard_start(struct guard **out, struct mlp_error *err);
void guard_stop(struct guard *guard);

/* Watches fd: at its deadline it is shut down, not closed.  Its owner removes the entry
 * before closing fd. */
void guard_add(struct guard *guard, int fd, const struct sockaddr *peer, int64_t seconds);
struct guard_entry *guard_find(struct guard *guard, int fd);
void guard_remove(struct guard *guard, struct guard_entry *entry);
/* From now on; negative: no limit. */
void guard_allow(struct guard_entry *entry, int64_t seconds);
/* Connections watched now. */
int64_t guard_count(struct guard *guard);
/* Those from one address, whatever the port. */
int64_t guard_count_of(struct guard *guard, const struct sockaddr *address);

#endif
