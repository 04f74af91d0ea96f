/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/store/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/crypto/secret.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum {
	UPLOADS_MAX = 128,
	KEEP_SECONDS = 3600,  /* without a part */
	STORED_SECONDS = 300, /* a client that missed the answer asks again */
	LOOK_SECONDS = 30,
};
static const int64_t part_size_max = INT64_C(5) << 30; /* as S3 has it */

enum state { UPLOAD_OPEN, UPLOAD_FINISHING, UPLOAD_ASSEMBLED, UPLOAD_STORED };

struct slot {
	int64_t size;
	unsigned char etag[SHA256_LEN];
	bool coming, here;
};

struct upload {
	struct upload *next;
	struct upload_ticket ticket;
	char *purpose;
	enum state state;
	int refs; /* the list, and each part under way */
	int64_t deadline_ns;
	int64_t part_size; /* of all but the last; 0: not known yet */
	size_t parts;
	struct slot *slots;
	/* Where the last part begins is not known before another came: it has its own file. */
	struct object_writer *bytes, *tail;
	struct upload_then then;
};

struct uploads {
	const struct repo *repo;
	pthread_mutex_t lock; /* of all below, but for the bytes of parts under way */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, stopping;
	struct upload *first;
};

struct upload_part {
	struct uploads *all;
	struct upload *upload;
	struct slot *slot;
	struct object_writer *to;
	struct sha256 *hash;
	int64_t offset, received;
};

struct uploads *uploads_new(const struct repo *repo)
{
	struct uploads *all = xcalloc(1, sizeof(*all));
	pthread_condattr_t attr;

	all->repo = repo;
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all->changed, &attr);
	pthread_condattr_destroy(&attr);
	return all;
}

static void drop_bytes(struct upload *u)
{
	object_writer_abandon(steal_ptr(&u->bytes));
	object_writer_abandon(steal_ptr(&u->tail));
	free(steal_ptr(&u->slots));
}

static void unref(struct upload *u)
{
	if (--u->refs)
		return;
	drop_bytes(u);
	free(u->purpose);
	free(u);
}

static void forget(struct upload **at)
{
	struct upload *u = *at;

	*at = u->next;
	unref(u);
}

/* Somebody completes it. */
static bool is_busy(const struct upload *u)
{
	return u->state == UPLOAD_FINISHING || u->state == UPLOAD_ASSEMBLED;
}

static void forget_expired(struct uploads *all)
{
	int64_t now = clock_mono_ns();

	for (struct upload **at = &all->first; *at;) {
		struct upload *u = *at;

		if (!is_busy(u) && u->refs == 1 && u->deadline_ns < now)
			forget(at);
		else
			at = &u->next;
	}
}

static void keep(struct upload *u, int64_t seconds)
{
	u->deadline_ns = clock_mono_ns() + seconds * 1000000000;
}

/* Without the lock: of an upload that is being finished nobody else uses the bytes. */
static void assemble(struct upload *u)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct object_id id;
	/* The last part may have been sent before, and have been longer. */
	int r = object_write_cut(u->tail ? u->tail : u->bytes, u->slots[u->parts - 1].size, &err);

	if (!r && u->tail)
		r = object_write_copy(u->bytes, (int64_t)(u->parts - 1) * u->part_size, u->tail, &err);
	if (!r)
		r = object_writer_commit(steal_ptr(&u->bytes), &id, &err);
	drop_bytes(u);
	u->then.fn(u->then.data, r ? NULL : &id, &err);
}

static struct upload *next_finishing(struct uploads *all)
{
	struct upload *u = all->first;

	while (u && u->state != UPLOAD_FINISHING)
		u = u->next;
	return u;
}

static void *work(void *data)
{
	struct uploads *all = data;

	pthread_mutex_lock(&all->lock);
	while (!all->stopping) {
		struct upload *u = next_finishing(all);
		struct timespec until;

		forget_expired(all);
		if (u) {
			u->state = UPLOAD_ASSEMBLED;
			pthread_mutex_unlock(&all->lock);
			assemble(u);
			pthread_mutex_lock(&all->lock);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_SECONDS;
		pthread_cond_timedwait(&all->changed, &all->lock, &until);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

void uploads_free(struct uploads *all)
{
	if (!all)
		return;
	if (all->running) {
		pthread_mutex_lock(&all->lock);
		all->stopping = true;
		pthread_cond_signal(&all->changed);
		pthread_mutex_unlock(&all->lock);
		pthread_join(all->thread, NULL);
	}
	while (all->first)
		forget(&all->first);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static int upload_new(const struct uploads *all, const char *purpose, int64_t parts,
		      struct upload **out, struct mlp_error *err)
{
	struct upload *u = xcalloc(1, sizeof(*u));
	int r = secret_new(u->ticket.id, UPLOAD_ID_LEN, err);

	if (!r)
		r = secret_new(u->ticket.secret, UPLOAD_SECRET_LEN, err);
	if (!r)
		r = object_writer_open_placed(&u->bytes, all->repo, err);
	if (!r && parts > 1)
		r = object_writer_open_placed(&u->tail, all->repo, err);
	u->refs = 1;
	u->purpose = xstrdup(purpose);
	u->parts = (size_t)parts;
	u->slots = xcalloc((size_t)parts, sizeof(*u->slots));
	keep(u, KEEP_SECONDS);
	if (r)
		unref(u);
	else
		*out = u;
	return r;
}

/* Under the lock. */
static int admit(struct uploads *all, struct mlp_error *err)
{
	size_t open = 0;
	int r = 0;

	for (const struct upload *u = all->first; u; u = u->next)
		open += u->state != UPLOAD_STORED;
	if (open >= UPLOADS_MAX)
		return mlp_error_set(err, MLP_EBUSY, "too many uploads in parts at one time");
	if (!all->running) {
		r = pthread_create(&all->thread, NULL, work, all);
		all->running = !r;
	}
	return r ? mlp_error_errno(err, r, "cannot start a thread") : 0;
}

int upload_begin(struct uploads *all, const char *purpose, int64_t parts,
		 struct upload_ticket *out, struct mlp_error *err)
{
	struct upload *u = NULL;
	int r;

	if (parts < 1 || parts > UPLOAD_PARTS_MAX)
		return mlp_error_set(err, MLP_EINVAL, "an upload has 1 to %d parts, not %" PRId64,
				     UPLOAD_PARTS_MAX, parts);
	pthread_mutex_lock(&all->lock);
	r = admit(all, err);
	if (!r)
		r = upload_new(all, purpose, parts, &u, err);
	if (!r) {
		*out = u->ticket;
		u->next = all->first;
		all->first = u;
	}
	pthread_mutex_unlock(&all->lock);
	return r;
}

static struct upload **find(struct uploads *all, const char *id)
{
	struct upload **at = &all->first;

	while (*at && strcmp((*at)->ticket.id, id) != 0)
		at = &(*at)->next;
	return at;
}

static int no_upload(const char *id, struct mlp_error *err)
{
	return mlp_error_set(err, MLP_ENOTFOUND, "no upload '%s': never begun, or it has ended", id);
}

int upload_abort(struct uploads *all, const char *id, const char *purpose, struct mlp_error *err)
{
	struct upload **at;
	int r = 0;

	pthread_mutex_lock(&all->lock);
	at = find(all, id);
	if (*at && !strcmp((*at)->purpose, purpose)) {
		if (is_busy(*at))
			r = mlp_error_set(err, MLP_ECONFLICT, "upload '%s' is being completed", id);
		else
			forget(at);
	}
	pthread_mutex_unlock(&all->lock);
	return r;
}

/* Under the lock: a part of that number and size may come. */
static int check_part(const struct upload *u, int64_t number, int64_t size, struct mlp_error *err)
{
	bool last;

	if (number < 1 || (size_t)number > u->parts)
		return mlp_error_set(err, MLP_EINVAL, "part %" PRId64 " of %zu", number, u->parts);
	last = (size_t)number == u->parts;
	if (size < 0 || size > part_size_max)
		return mlp_error_set(err, MLP_EINVAL, "part %" PRId64 " has %" PRId64 " bytes",
				     number, size);
	if (!last && (!size || (u->part_size && size != u->part_size)))
		return mlp_error_set(err, MLP_EINVAL,
				     "part %" PRId64 " has %" PRId64 " bytes: all but the last have"
				     " one size, %" PRId64, number, size, u->part_size);
	if (u->slots[number - 1].coming)
		return mlp_error_set(err, MLP_ECONFLICT, "part %" PRId64 " is being sent", number);
	return 0;
}

static struct upload_part *part_new(struct uploads *all, struct upload *u, int64_t number,
				    int64_t size, struct sha256 *hash)
{
	struct upload_part *part = xcalloc(1, sizeof(*part));
	bool in_tail = u->tail && (size_t)number == u->parts;

	if (!in_tail && u->tail)
		u->part_size = size;
	part->all = all;
	part->upload = u;
	part->slot = &u->slots[number - 1];
	part->to = in_tail ? u->tail : u->bytes;
	part->offset = in_tail ? 0 : (number - 1) * size;
	part->hash = hash;
	*part->slot = (struct slot){ .size = size, .coming = true };
	u->refs++;
	return part;
}

int upload_part_begin(struct uploads *all, const struct upload_ticket *ticket, int64_t number,
		      int64_t size, struct upload_part **out, struct mlp_error *err)
{
	_cleanup_(sha256_free) struct sha256 *hash = sha256_new(err);
	struct upload *u;
	int r = 0;

	if (!hash)
		return MLP_EUNSUPPORTED;
	pthread_mutex_lock(&all->lock);
	u = *find(all, ticket->id);
	if (!u || u->state != UPLOAD_OPEN ||
	    !secret_equal(u->ticket.secret, ticket->secret, 2 * UPLOAD_SECRET_LEN))
		r = no_upload(ticket->id, err);
	if (!r)
		r = check_part(u, number, size, err);
	if (!r)
		*out = part_new(all, u, number, size, steal_ptr(&hash));
	pthread_mutex_unlock(&all->lock);
	return r;
}

int upload_part_write(struct upload_part *part, const void *data, size_t len,
		      struct mlp_error *err)
{
	int r;

	if ((int64_t)len > part->slot->size - part->received)
		return mlp_error_set(err, MLP_EINVAL, "a part is longer than it was said to be");
	r = object_write_at(part->to, part->offset + part->received, data, len, err);
	part->received += (int64_t)len;
	sha256_update(part->hash, data, len);
	return r;
}

int upload_part_end(struct upload_part *part, char etag[SHA256_HEX + 1], struct mlp_error *err)
{
	if (part->received != part->slot->size)
		return mlp_error_set(err, MLP_EINVAL, "a part is shorter than it was said to be");
	sha256_finish(part->hash, etag);
	pthread_mutex_lock(&part->all->lock);
	text_unhex(part->slot->etag, etag, SHA256_LEN);
	part->slot->here = true;
	pthread_mutex_unlock(&part->all->lock);
	return 0;
}

void upload_part_free(struct upload_part *part)
{
	struct uploads *all;

	if (!part)
		return;
	all = part->all;
	pthread_mutex_lock(&all->lock);
	part->slot->coming = false;
	keep(part->upload, KEEP_SECONDS);
	unref(part->upload);
	pthread_mutex_unlock(&all->lock);
	sha256_free(part->hash);
	free(part);
}

static int check_etags(const struct upload *u, const struct strvec *etags, struct mlp_error *err)
{
	if (etags->len != u->parts)
		return mlp_error_set(err, MLP_EINVAL, "%zu parts of %zu", etags->len, u->parts);
	for (size_t i = 0; i < u->parts; i++) {
		char hex[SHA256_HEX + 1];

		if (u->slots[i].coming || !u->slots[i].here)
			return mlp_error_set(err, MLP_EINVAL, "part %zu is not here", i + 1);
		text_hex(hex, u->slots[i].etag, SHA256_LEN);
		if (strcmp(hex, etags->v[i]) != 0)
			return mlp_error_set(err, MLP_EINVAL, "part %zu is not the one received: ETag"
					     " '%s', not '%s'", i + 1, hex, etags->v[i]);
	}
	return 0;
}

int upload_finish(struct uploads *all, const char *id, const char *purpose,
		  const struct strvec *etags, const struct upload_then *then,
		  struct mlp_error *err)
{
	struct upload *u;
	int r = 0;

	pthread_mutex_lock(&all->lock);
	u = *find(all, id);
	if (!u || strcmp(u->purpose, purpose) != 0)
		r = no_upload(id, err);
	else if (u->state == UPLOAD_STORED)
		r = 1;
	else if (u->state != UPLOAD_OPEN)
		r = mlp_error_set(err, MLP_EBUSY, "upload '%s' is being completed", id);
	if (!r)
		r = check_etags(u, etags, err);
	if (!r) {
		u->state = UPLOAD_FINISHING;
		u->then = *then;
		pthread_cond_signal(&all->changed);
	}
	pthread_mutex_unlock(&all->lock);
	return r;
}

void upload_settle(struct uploads *all, const char *id, bool stored)
{
	struct upload **at;

	pthread_mutex_lock(&all->lock);
	at = find(all, id);
	if (*at && stored) {
		(*at)->state = UPLOAD_STORED;
		keep(*at, STORED_SECONDS);
	} else if (*at) {
		forget(at);
	}
	pthread_mutex_unlock(&all->lock);
}
