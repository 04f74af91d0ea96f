/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: cache, binding, columns; and transactions. */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/db/internal.h"
#include "lib/util/xalloc.h"

static int prepare(struct db_stmt **out, struct db *db, const char *sql, bool cached,
		   struct mlp_error *err)
{
	struct db_stmt *st = xcalloc(1, sizeof(*st));
	int rc = sqlite3_prepare_v3(db->handle, sql, -1, cached ? SQLITE_PREPARE_PERSISTENT : 0,
				    &st->stmt, NULL);

	if (rc) {
		free(st);
		return db_error(db, rc, err, "cannot query the store");
	}
	st->db = db;
	st->cached = cached;
	st->busy = true;
	*out = st;
	return 0;
}

static int take(struct db_stmt **out, struct db *db, const char *sql, struct mlp_error *err)
{
	struct strmap_entry *e = strmap_put(&db->cached, sql, strlen(sql));
	struct db_stmt *st = e->value;
	int r;

	if (st && st->busy) /* in use further up the stack: a private one */
		return prepare(out, db, sql, false, err);
	if (st) {
		st->busy = true;
		*out = st;
		return 0;
	}
	r = prepare(out, db, sql, true, err);
	if (!r)
		e->value = *out;
	return r;
}

static int bind_all(struct db_stmt *st, const char *types, va_list ap)
{
	const void *p;
	int rc = 0;

	for (int i = 1; *types && !rc; i++, types++) {
		switch (*types) {
		case 'i':
			rc = sqlite3_bind_int64(st->stmt, i, va_arg(ap, int64_t));
			break;
		case 'd':
			rc = sqlite3_bind_double(st->stmt, i, va_arg(ap, double));
			break;
		case 's':
			rc = sqlite3_bind_text(st->stmt, i, va_arg(ap, const char *), -1,
					       SQLITE_STATIC);
			break;
		case 't':
			p = va_arg(ap, const char *);
			rc = sqlite3_bind_text64(st->stmt, i, p, va_arg(ap, size_t), SQLITE_STATIC,
						 SQLITE_UTF8);
			break;
		case 'b':
			p = va_arg(ap, const void *);
			rc = sqlite3_bind_blob64(st->stmt, i, p, va_arg(ap, size_t), SQLITE_STATIC);
			break;
		case '0':
			rc = sqlite3_bind_null(st->stmt, i);
			break;
		default:
			rc = SQLITE_MISUSE;
		}
	}
	return rc;
}

static int vquery(struct db_stmt **out, struct db *db, struct mlp_error *err, const char *sql,
		  const char *types, va_list ap)
{
	int r = take(out, db, sql, err);
	int rc = r ? 0 : bind_all(*out, types, ap);

	if (!rc)
		return r;
	r = db_error(db, rc, err, "cannot query the store");
	db_done(*out);
	*out = NULL;
	return r;
}

struct db_stmt *db_query(struct db *db, struct mlp_error *err, const char *sql, const char *types,
			 ...)
{
	struct db_stmt *st = NULL;
	va_list ap;

	va_start(ap, types);
	vquery(&st, db, err, sql, types, ap);
	va_end(ap);
	return st;
}

struct db_stmt *db_query_once(struct db *db, struct mlp_error *err, const char *sql)
{
	struct db_stmt *st = NULL;

	prepare(&st, db, sql, false, err);
	return st;
}

int db_bind_int(struct db_stmt *st, int index, int64_t v)
{
	return sqlite3_bind_int64(st->stmt, index, v) ? MLP_EFAIL : 0;
}

int db_bind_double(struct db_stmt *st, int index, double v)
{
	return sqlite3_bind_double(st->stmt, index, v) ? MLP_EFAIL : 0;
}

int db_bind_text(struct db_stmt *st, int index, const char *s)
{
	return sqlite3_bind_text(st->stmt, index, s, -1, SQLITE_TRANSIENT) ? MLP_EFAIL : 0;
}

int db_step(struct db_stmt *st, struct mlp_error *err)
{
	int rc = sqlite3_step(st->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : db_error(st->db, rc, err, "cannot query the store");
}

void db_done(struct db_stmt *st)
{
	if (!st)
		return;
	if (!st->cached) {
		sqlite3_finalize(st->stmt);
		free(st);
		return;
	}
	sqlite3_reset(st->stmt);
	sqlite3_clear_bindings(st->stmt);
	st->busy = false;
}

int64_t db_int(struct db_stmt *st, int col)
{
	return sqlite3_column_int64(st->stmt, col);
}

double db_double(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? (double)NAN : sqlite3_column_double(st->stmt, col);
}

const char *db_text(struct db_stmt *st, int col)
{
	return (const char *)sqlite3_column_text(st->stmt, col);
}

const void *db_blob(struct db_stmt *st, int col, size_t *len)
{
	const void *p = sqlite3_column_blob(st->stmt, col);

	*len = (size_t)sqlite3_column_bytes(st->stmt, col);
	return p;
}

bool db_is_null(struct db_stmt *st, int col)
{
	return sqlite3_column_type(st->stmt, col) == SQLITE_NULL;
}

int db_exec(struct db *db, struct mlp_error *err, const char *sql, const char *types, ...)
{
	struct db_stmt *st;
	va_list ap;
	int r;

	va_start(ap, types);
	r = vquery(&st, db, err, sql, types, ap);
	va_end(ap);
	if (r)
		return r;
	while ((r = db_step(st, err)) > 0)
		;
	db_done(st);
	return r;
}

int db_get_int(struct db *db, int64_t *out, struct mlp_error *err, const char *sql,
	       const char *types, ...)
{
	struct db_stmt *st;
	va_list ap;
	int r;

	va_start(ap, types);
	r = vquery(&st, db, err, sql, types, ap);
	va_end(ap);
	if (r)
		return r;
	r = db_step(st, err);
	if (r > 0)
		*out = db_int(st, 0);
	db_done(st);
	return r > 0 ? 0 : r < 0 ? r : MLP_ENOTFOUND;
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

bool db_txn_lost(struct db *db)
{
	return db->depth && sqlite3_get_autocommit(db->handle);
}

static int begin(struct db *db, const char *outermost, struct mlp_error *err)
{
	char sql[32];
	int r;

	/* A savepoint would begin a transaction of its own, and its release commit that. */
	if (db_txn_lost(db))
		return mlp_error_set(err, MLP_EFAIL, "the transaction was undone by an error before");
	snprintf(sql, sizeof(sql), "SAVEPOINT t%d", db->depth);
	r = db_exec(db, err, db->depth ? sql : outermost, "");
	if (!r)
		db->depth++;
	return r;
}

int db_begin(struct db *db, struct mlp_error *err)
{
	return begin(db, "BEGIN IMMEDIATE", err);
}

int db_begin_read(struct db *db, struct mlp_error *err)
{
	return begin(db, "BEGIN DEFERRED", err);
}

int db_commit(struct db *db, struct mlp_error *err)
{
	char sql[32];
	int r;

	snprintf(sql, sizeof(sql), "RELEASE t%d", db->depth - 1);
	r = db_exec(db, err, db->depth > 1 ? sql : "COMMIT", "");
	if (r)
		db_rollback(db);
	else
		db->depth--;
	return r;
}

void db_rollback(struct db *db)
{
	char sql[32];

	if (!db->depth)
		return;
	db->depth--;
	if (!db->depth) {
		if (!sqlite3_get_autocommit(db->handle))
			db_exec(db, NULL, "ROLLBACK", "");
		return;
	}
	snprintf(sql, sizeof(sql), "ROLLBACK TO t%d", db->depth);
	db_exec(db, NULL, sql, "");
	snprintf(sql, sizeof(sql), "RELEASE t%d", db->depth);
	db_exec(db, NULL, sql, "");
}

int db_txn(struct db **txn, struct db *db, struct mlp_error *err)
{
	int r = db_begin(db, err);

	if (!r)
		*txn = db;
	return r;
}

int db_txn_commit(struct db **txn, struct mlp_error *err)
{
	return db_commit(steal_ptr(txn), err);
}
