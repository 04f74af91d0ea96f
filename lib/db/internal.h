/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include <sqlite3.h>

#include "lib/db/db.h"
#include "lib/util/hashmap.h"

struct db_stmt {
	sqlite3_stmt *stmt;
	struct db *db;
	bool busy;   /* between db_query() and db_done() */
	bool cached; /* lives until db_close() */
};

struct db {
	sqlite3 *handle;
	char *path;
	int flags;
	int depth;	      /* open transactions */
	bool hasty;	      /* see db_hurry() */
	int wal_pages;	      /* in the WAL after this handle's last commit */
	struct strmap cached; /* SQL text -> struct db_stmt */
};

/* Turns a SQLite result into err; returns the MLP_E* code. */
int db_error(struct db *db, int rc, struct mlp_error *err, const char *what);

#endif
