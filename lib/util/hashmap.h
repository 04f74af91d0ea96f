/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from strings to pointers, in insertion order, keys copied.  Look-ups
 * take a length, so keys need not be NUL terminated.
 */
#ifndef UTIL_HASHMAP_H
#define UTIL_HASHMAP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/util/cleanup.h"

struct strmap_entry {
	char *key;
	size_t len;
	void *value;
	uint64_t hash;
};

struct strmap {
	struct strmap_entry *entries; /* insertion order, [0, len) */
	size_t len;
	size_t cap;
	uint32_t *slots; /* index + 1 into entries, 0 = free */
	size_t nslots;   /* a power of two, or 0 */
};
#define STRMAP_INIT { 0 }

/* Frees keys and tables; values stay the caller's. */
void strmap_release(struct strmap *map);
/* The entry of a key, or NULL.  Valid until the next strmap_put(). */
struct strmap_entry *strmap_find(const struct strmap *map, const char *key, size_t len);
/* The value of a NUL-terminated key, or NULL. */
void *strmap_get(const struct strmap *map, const char *key);
/* The entry of a key, made with value NULL if absent. */
struct strmap_entry *strmap_put(struct strmap *map, const char *key, size_t len);
/* Sets a NUL-terminated key; returns the value it replaced, or NULL. */
void *strmap_set(struct strmap *map, const char *key, void *value);

#endif
