/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that arrive in numbered parts, in any order and several at once, as uploads of
 * large files do.  All parts but the last have one size, so that each is written where it
 * belongs in the object and nothing is copied at the end.  An upload lives in memory and
 * in files without names: one that is given up, forgotten for an hour or cut off by the
 * end of the process leaves nothing.
 */
#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include "lib/store/object.h"
#include "lib/util/vec.h"

enum { UPLOAD_ID_LEN = 16, UPLOAD_SECRET_LEN = 32, UPLOAD_PARTS_MAX = 10000 };

struct uploads;

/* What names an upload, and what proves that its parts may be sent. */
struct upload_ticket {
	char id[2 * UPLOAD_ID_LEN + 1];
	char secret[2 * UPLOAD_SECRET_LEN + 1];
};

struct uploads *uploads_new(const struct repo *repo);
/* No part may be under way, and none in upload_finish()'s hands. */
void uploads_free(struct uploads *all);

/* purpose comes back with the other calls: they must name the same.  MLP_EBUSY when there
 * are too many. */
int upload_begin(struct uploads *all, const char *purpose, int64_t parts,
		 struct upload_ticket *out, struct mlp_error *err);
/* Forgets the upload; fine when there is none (any more).  MLP_ECONFLICT while it is being
 * finished. */
int upload_abort(struct uploads *all, const char *id, const char *purpose, struct mlp_error *err);

/* A part being received.  One that was received may be sent anew. */
struct upload_part;
int upload_part_begin(struct uploads *all, const struct upload_ticket *ticket, int64_t number,
		      int64_t size, struct upload_part **out, struct mlp_error *err);
int upload_part_write(struct upload_part *part, const void *data, size_t len,
		      struct mlp_error *err);
/* The part is here whole; etag gets its hash. */
int upload_part_end(struct upload_part *part, char etag[SHA256_HEX + 1], struct mlp_error *err);
void upload_part_free(struct upload_part *part); /* also one that broke off */
DEFINE_CLEANUP(struct upload_part *, upload_part_free);

/* Called on a thread of its own, with the object's name or what went wrong. */
struct upload_then {
	void (*fn)(void *data, const struct object_id *id, const struct mlp_error *err);
	void *data;
};

/* Makes the object of the parts, whose etags are given in order, and calls then once.  Not
 * when an error is returned (MLP_EINVAL for parts that are not those received, MLP_EBUSY
 * while it is being finished), nor when it was stored already (1). */
int upload_finish(struct uploads *all, const char *id, const char *purpose,
		  const struct strvec *etags, const struct upload_then *then,
		  struct mlp_error *err);
/* After then: what the object was for is (or is not) noted, so that a repeated
 * upload_finish() returns 1. */
void upload_settle(struct uploads *all, const char *id, bool stored);

#endif
