/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite, and the only place that includes its header.  A handle belongs to one
 * thread.  SQL is given as string constants with ?1 parameters; statements are
 * prepared once per handle and reset after use.
 *
 * Binding is by a string of types, one character a parameter:
 *	i int64_t	d double (NaN becomes NULL)	s const char * (NULL allowed)
 *	t const char *, size_t				b const void *, size_t	0 NULL
 *
 *	struct db_stmt *st = db_query(db, err, "SELECT name FROM run WHERE id = ?1", "i", id);
 *	while ((r = db_step(st, err)) > 0) use(db_text(st, 0));
 *	db_done(st);
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/cleanup.h"

struct db;
struct db_stmt;

enum db_flags {
	DB_READ = 0,
	DB_WRITE = 1,
	DB_CREATE = 3, /* DB_WRITE, and make the file if absent */
	DB_RELAXED = 4, /* a commit survives kill -9, but maybe not a power cut */
	DB_FOREIGN = 8, /* another program's file; with DB_READ nothing of it is written */
};

struct db_migration {
	int version;	 /* the user_version after this step; 1, 2, 3, ... */
	const char *sql; /* one or more statements */
};

/* Opens with defensive settings and a busy timeout of a minute.  A file that is
 * not ours (application_id) is refused, unless it is said to be foreign. */
int db_open(struct db **out, const char *path, int flags, struct mlp_error *err);
void db_close(struct db *db);
DEFINE_CLEANUP(struct db *, db_close);

/* Brings the schema to the last of the n steps, all in one transaction; a handle
 * opened for reading gets MLP_EVERSION when steps are missing.  A store from a newer
 * program is refused with MLP_EVERSION. */
int db_migrate(struct db *db, const struct db_migration *steps, size_t n, struct mlp_error *err);
int db_version(struct db *db);

/* While on, a store that is in use is MLP_EBUSY at once, without the timeout. */
void db_hurry(struct db *db, bool on);

/* A statement ready to step with its parameters bound, or NULL.  sql must live as
 * long as the handle when it is a constant; built SQL goes to db_query_once(). */
struct db_stmt *db_query(struct db *db, struct mlp_error *err, const char *sql,
			 const char *types, ...);
/* The same for SQL built at run time: not cached, freed by db_done(). */
struct db_stmt *db_query_once(struct db *db, struct mlp_error *err, const char *sql);
/* Binds one parameter (from 1) of a statement of db_query_once(). */
int db_bind_int(struct db_stmt *st, int index, int64_t v);
int db_bind_double(struct db_stmt *st, int index, double v);
int db_bind_text(struct db_stmt *st, int index, const char *s); /* copied */
/* 1 with a row, 0 at the end, negative on error. */
int db_step(struct db_stmt *st, struct mlp_error *err);
/* Gives the statement back; NULL is fine.  Column pointers end here. */
void db_done(struct db_stmt *st);
DEFINE_CLEANUP(struct db_stmt *, db_done);
#define _cleanup_stmt_ _cleanup_(db_done)

/* Columns of the current row, from 0. */
int64_t db_int(struct db_stmt *st, int col);
double db_double(struct db_stmt *st, int col); /* NULL reads as NaN */
const char *db_text(struct db_stmt *st, int col); /* NULL reads as NULL; borrowed until the next step */
const void *db_blob(struct db_stmt *st, int col, size_t *len);
bool db_is_null(struct db_stmt *st, int col);

/* Runs a statement to its end, without rows.  0 or negative. */
int db_exec(struct db *db, struct mlp_error *err, const char *sql, const char *types, ...);
/* First column of the first row; MLP_ENOTFOUND (message not set) without one. */
int db_get_int(struct db *db, int64_t *out, struct mlp_error *err, const char *sql,
	       const char *types, ...);
/* Rows changed by the last statement, and the id it inserted. */
int64_t db_changes(struct db *db);
int64_t db_last_id(struct db *db);

/* Transactions nest: the outermost is BEGIN IMMEDIATE, inner ones are savepoints.
 * An error inside leaves the decision to the owner of the level. */
int db_begin(struct db *db, struct mlp_error *err);
int db_commit(struct db *db, struct mlp_error *err);
void db_rollback(struct db *db);
/* After an error inside: SQLite has rolled back all levels by itself, as it does on a full
 * disk.  No level can be begun or committed then. */
bool db_txn_lost(struct db *db);
/* A read transaction: what follows sees one state of the store.  Same ends. */
int db_begin_read(struct db *db, struct mlp_error *err);

/*	_cleanup_txn_ struct db *txn = NULL;
 *	r = db_txn(&txn, db, err);  ...  return db_txn_commit(&txn, err);
 * rolls back on every other way out. */
int db_txn(struct db **txn, struct db *db, struct mlp_error *err);
int db_txn_commit(struct db **txn, struct mlp_error *err);
DEFINE_CLEANUP(struct db *, db_rollback);
#define _cleanup_txn_ _cleanup_(db_rollback)

/* Full check of the file; the first problem is the message. */
int db_check(struct db *db, struct mlp_error *err);

#endif
