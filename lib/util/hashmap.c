/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/util/hashmap.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/util/vec.h"

static uint64_t seed_value;

static void make_seed(void)
{
	if (getrandom(&seed_value, sizeof(seed_value), GRND_NONBLOCK) != sizeof(seed_value))
		seed_value = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15u;
	seed_value |= 1;
}

/* Keyed per process, so that crafted keys cannot pile up in one chain. */
static uint64_t seed(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_seed);
	return seed_value;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Folded multiply over 8-byte words, as in wyhash. */
static uint64_t hash_bytes(const char *p, size_t len)
{
	uint64_t h = seed() ^ len, word;

	while (len >= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word, 0x9e3779b97f4a7c15u);
		p += 8;
		len -= 8;
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(h ^ word, 0xd6e8feb86659fd93u);
}

void strmap_release(struct strmap *map)
{
	for (size_t i = 0; i < map->len; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

static uint32_t *slot_of(const struct strmap *map, uint64_t hash, const char *key, size_t len)
{
	size_t i = hash & (map->nslots - 1);

	for (;; i = (i + 1) & (map->nslots - 1)) {
		struct strmap_entry *e;

		if (!map->slots[i])
			return &map->slots[i];
		e = &map->entries[map->slots[i] - 1];
		if (e->hash == hash && e->len == len && !memcmp(e->key, key, len))
			return &map->slots[i];
	}
}

struct strmap_entry *strmap_find(const struct strmap *map, const char *key, size_t len)
{
	uint32_t *slot;

	if (!map->len)
		return NULL;
	slot = slot_of(map, hash_bytes(key, len), key, len);
	return *slot ? &map->entries[*slot - 1] : NULL;
}

void *strmap_get(const struct strmap *map, const char *key)
{
	struct strmap_entry *e = strmap_find(map, key, strlen(key));

	return e ? e->value : NULL;
}

static void rehash(struct strmap *map)
{
	free(map->slots);
	map->nslots = map->nslots ? map->nslots * 2 : 16;
	map->slots = xcalloc(map->nslots, sizeof(*map->slots));
	for (size_t i = 0; i < map->len; i++) {
		struct strmap_entry *e = &map->entries[i];

		*slot_of(map, e->hash, e->key, e->len) = (uint32_t)i + 1;
	}
}

struct strmap_entry *strmap_put(struct strmap *map, const char *key, size_t len)
{
	uint64_t hash = hash_bytes(key, len);
	struct strmap_entry *e;
	uint32_t *slot;

	if ((map->len + 1) * 2 > map->nslots)
		rehash(map);
	slot = slot_of(map, hash, key, len);
	if (*slot)
		return &map->entries[*slot - 1];
	if (map->len == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 8;
		map->entries = xreallocarray(map->entries, map->cap, sizeof(*map->entries));
	}
	e = &map->entries[map->len++];
	*e = (struct strmap_entry){ .key = xmemdupz(key, len), .len = len, .hash = hash };
	*slot = (uint32_t)map->len;
	return e;
}

void *strmap_set(struct strmap *map, const char *key, void *value)
{
	struct strmap_entry *e = strmap_put(map, key, strlen(key));
	void *old = e->value;

	e->value = value;
	return old;
}
