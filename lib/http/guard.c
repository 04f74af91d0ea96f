/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/util/clock.h"
#include "lib/util/xalloc.h"

struct guard_entry {
	int fd;
	struct in6_addr peer;
	_Atomic int64_t deadline_ns; /* INT64_MAX: none */
	struct guard_entry *next, **at;
};

struct guard {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct guard_entry *first;
	int64_t count;
	bool stopping;
};

/* Under the lock, so that no descriptor is closed and taken anew meanwhile. */
static void shut_late(struct guard *g)
{
	int64_t now = clock_mono_ns();

	for (struct guard_entry *e = g->first; e; e = e->next) {
		if (atomic_load(&e->deadline_ns) > now)
			continue;
		shutdown(e->fd, SHUT_RDWR);
		atomic_store(&e->deadline_ns, INT64_MAX);
	}
}

static void *watch(void *data)
{
	struct guard *g = data;
	struct timespec next;

	pthread_mutex_lock(&g->lock);
	while (!g->stopping) {
		if (!g->first) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec++;
		if (pthread_cond_timedwait(&g->changed, &g->lock, &next) == ETIMEDOUT)
			shut_late(g);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

int guard_start(struct guard **out, struct mlp_error *err)
{
	struct guard *g = xcalloc(1, sizeof(*g));
	pthread_condattr_t attr;
	int r;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&g->lock, NULL);
	r = pthread_create(&g->thread, NULL, watch, g);
	if (r) {
		free(g);
		return mlp_error_errno(err, r, "cannot start a thread");
	}
	*out = g;
	return 0;
}

void guard_stop(struct guard *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->thread, NULL);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->changed);
	free(g);
}

static struct in6_addr peer_of(const struct sockaddr *address)
{
	struct in6_addr peer = IN6ADDR_ANY_INIT;

	if (address->sa_family == AF_INET6)
		peer = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	else if (address->sa_family == AF_INET)
		memcpy(&peer, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
		       sizeof(struct in_addr));
	return peer;
}

void guard_add(struct guard *g, int fd, const struct sockaddr *peer, int64_t seconds)
{
	struct guard_entry *e = xcalloc(1, sizeof(*e));

	e->fd = fd;
	e->peer = peer_of(peer);
	guard_allow(e, seconds);
	pthread_mutex_lock(&g->lock);
	e->next = g->first;
	e->at = &g->first;
	if (e->next)
		e->next->at = &e->next;
	else
		pthread_cond_signal(&g->changed);
	g->first = e;
	g->count++;
	pthread_mutex_unlock(&g->lock);
}

struct guard_entry *guard_find(struct guard *g, int fd)
{
	struct guard_entry *e;

	pthread_mutex_lock(&g->lock);
	for (e = g->first; e && e->fd != fd; e = e->next)
		;
	pthread_mutex_unlock(&g->lock);
	return e;
}

void guard_remove(struct guard *g, struct guard_entry *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&g->lock);
	*e->at = e->next;
	if (e->next)
		e->next->at = e->at;
	g->count--;
	pthread_mutex_unlock(&g->lock);
	free(e);
}

void guard_allow(struct guard_entry *e, int64_t seconds)
{
	if (e)
		atomic_store(&e->deadline_ns, seconds < 0 ? INT64_MAX :
							    clock_mono_ns() + seconds * 1000000000);
}

int64_t guard_count(struct guard *g)
{
	int64_t n;

	pthread_mutex_lock(&g->lock);
	n = g->count;
	pthread_mutex_unlock(&g->lock);
	return n;
}

int64_t guard_count_of(struct guard *g, const struct sockaddr *address)
{
	struct in6_addr peer = peer_of(address);
	int64_t n = 0;

	pthread_mutex_lock(&g->lock);
	for (const struct guard_entry *e = g->first; e; e = e->next)
		n += !memcmp(&e->peer, &peer, sizeof(peer));
	pthread_mutex_unlock(&g->lock);
	return n;
}
