/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, hardening and migrating. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/db/internal.h"
#include "lib/util/path.h"
#include "lib/util/strbuf.h"
#include "lib/util/xalloc.h"

enum {
	APPLICATION_ID = 0x6d6c7031, /* "mlp1" */
	BUSY_LIMIT_MS = 60000,
	WAL_KEPT_PAGES = 200,	     /* a smaller WAL stays when the last handle closes */
	WAL_CHECKPOINT_PAGES = 1000, /* SQLite's own default */
};

int db_error(struct db *db, int rc, struct mlp_error *err, const char *what)
{
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return mlp_error_set(err, MLP_EBUSY, "%s: the store '%s' is in use", what, db->path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return mlp_error_set(err, MLP_EREADONLY, "%s: the store '%s' is read-only", what,
				     db->path);
	case SQLITE_FULL:
		return mlp_error_set(err, MLP_EFULL, "%s: no space left on the device of '%s'",
				     what, db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return mlp_error_set(err, MLP_ECORRUPT, "%s: the store '%s' is damaged: %s", what,
				     db->path, text);
	case SQLITE_CONSTRAINT:
		return mlp_error_set(err, MLP_ECONFLICT, "%s: %s", what, text);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return mlp_error_set(err, MLP_ESYSTEM, "%s '%s': %s", what, db->path, text);
	default:
		return mlp_error_set(err, MLP_EFAIL, "%s: %s", what, text);
	}
}

/* Waits in short steps, so that 64 writers take turns without starving one. */
static int wait_busy(void *data, int tries)
{
	int ms = tries < 10 ? 1 + tries : 10 + (int)((unsigned)(tries * 7 + getpid()) % 10);
	struct timespec pause = { 0, ms * 1000000L };

	(void)data;
	if (tries > BUSY_LIMIT_MS / 15)
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

static int wait_busy_handle(void *data, int tries)
{
	const struct db *db = data;

	return db->hasty ? 0 : wait_busy(NULL, tries);
}

void db_hurry(struct db *db, bool on)
{
	db->hasty = on;
}

static int run_sql(struct db *db, const char *sql, struct mlp_error *err, const char *what)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc ? db_error(db, rc, err, what) : 0;
}

static int pragma_int(const struct db *db, const char *sql)
{
	sqlite3_stmt *st;
	int v = -1;

	if (!sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int check_application(struct db *db, struct mlp_error *err)
{
	/* In this order: a store that another process makes meanwhile gets its schema and
	 * its id in one transaction. */
	int tables = pragma_int(db, "SELECT count(*) FROM sqlite_schema");
	int id = tables < 0 ? -1 : pragma_int(db, "PRAGMA application_id");

	if (id == APPLICATION_ID)
		return 0;
	if (id < 0)
		return db_error(db, sqlite3_errcode(db->handle), err, "cannot read the store");
	if (id == 0 && tables == 0)
		return 0; /* new */
	return mlp_error_set(err, MLP_ECORRUPT, "'%s' is not a store of mlp", db->path);
}

/*
 * SQLite copies the WAL into the database and deletes it whenever the last handle closes:
 * for a short command more work than all it came for.  A small WAL is kept instead, and
 * goes when it has grown.
 */
static int after_commit(void *data, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = data;

	db->wal_pages = pages;
	if (pages >= WAL_CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static int harden(struct db *db, struct mlp_error *err)
{
	sqlite3 *h = db->handle;

	sqlite3_extended_result_codes(h, 1);
	sqlite3_busy_handler(h, wait_busy_handle, db);
	sqlite3_wal_hook(h, after_commit, db);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 1);
	if (!(db->flags & DB_WRITE))
		return run_sql(db, "PRAGMA query_only=1", err, "cannot open the store");
	return run_sql(db,
		       db->flags & DB_RELAXED ? "PRAGMA synchronous=NORMAL" :
						"PRAGMA synchronous=FULL",
		       err, "cannot open the store");
}

/* In a folder that cannot be written SQLite cannot make the -shm file that WAL needs: its first
 * look at the store says so.  Where that file is, somebody may be writing, though not we. */
static bool lacks_shm(const struct db *db)
{
	_cleanup_free_ char *dir = path_dirname(db->path);
	int rc;

	if (db->flags & DB_WRITE || !access(dir, W_OK) ||
	    pragma_int(db, "PRAGMA schema_version") >= 0)
		return false;
	rc = sqlite3_errcode(db->handle) & 0xff;
	return rc == SQLITE_READONLY || rc == SQLITE_CANTOPEN;
}

/* With nothing left in the WAL the file alone is the whole store. */
static bool is_whole(const struct db *db)
{
	_cleanup_free_ char *wal = xasprintf("%s-wal", db->path);
	struct stat st;

	return stat(wal, &st) || !st.st_size;
}

static char *frozen_uri(const char *path)
{
	struct strbuf uri = STRBUF_INIT;

	strbuf_addstr(&uri, "file:");
	for (; *path; path++) {
		if (strchr("?#%", *path))
			strbuf_addf(&uri, "%%%02x", (unsigned char)*path);
		else
			strbuf_addch(&uri, *path);
	}
	strbuf_addstr(&uri, "?immutable=1");
	return strbuf_detach(&uri);
}

static int open_handle(struct db *db)
{
	/* A reader opens read-write too where it may: WAL needs its -shm file. */
	bool only_read = (db->flags & (DB_WRITE | DB_FOREIGN)) == DB_FOREIGN;
	int mode = (only_read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		   SQLITE_OPEN_NOMUTEX;
	_cleanup_free_ char *uri = NULL;
	int rc;

	if ((db->flags & DB_CREATE) == DB_CREATE)
		mode |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(db->path, &db->handle, mode, NULL);
	if (rc || !lacks_shm(db) || !is_whole(db))
		return rc;
	sqlite3_close(db->handle);
	db->handle = NULL;
	uri = frozen_uri(db->path);
	return sqlite3_open_v2(uri, &db->handle,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
}

/* SQLite would say that it is "unable to open database file", and not why. */
static int check_writable(const char *path, struct mlp_error *err)
{
	_cleanup_free_ char *dir = path_dirname(path);

	if (!access(dir, W_OK) && (!access(path, W_OK) || errno == ENOENT))
		return 0;
	return mlp_error_errno(err, errno, "cannot write to the store '%s'", path);
}

/* SQLite's count of what it allocates is a lock around each allocation, for all threads. */
static void set_up_sqlite(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct db **out, const char *path, int flags, struct mlp_error *err)
{
	_cleanup_(db_close) struct db *db = xcalloc(1, sizeof(*db));
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int rc, r;

	pthread_once(&once, set_up_sqlite);
	db->path = xstrdup(path);
	db->flags = flags;
	if ((flags & DB_CREATE) != DB_CREATE && access(path, F_OK))
		return mlp_error_errno(err, errno, "cannot open the store '%s'", path);
	r = flags & DB_WRITE ? check_writable(path, err) : 0;
	if (r)
		return r;
	rc = open_handle(db);
	if (rc)
		return db_error(db, rc, err, "cannot open the store");
	r = harden(db, err);
	if (!r && !(flags & DB_FOREIGN))
		r = check_application(db, err);
	if (r)
		return r;
	*out = steal_ptr(&db);
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->cached.len; i++) {
		struct db_stmt *st = db->cached.entries[i].value;

		if (st)
			sqlite3_finalize(st->stmt);
		free(st);
	}
	strmap_release(&db->cached);
	if (db->handle && db->wal_pages < WAL_KEPT_PAGES)
		sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close_v2(db->handle);
	free(db->path);
	free(db);
}

int db_version(struct db *db)
{
	return pragma_int(db, "PRAGMA user_version");
}

static int check_version(struct db *db, int have, int want, struct mlp_error *err)
{
	if (have <= want)
		return 0;
	mlp_error_set(err, MLP_EVERSION,
		      "the store '%s' has version %d, this mlp knows versions up to %d", db->path,
		      have, want);
	mlp_error_hint(err, "use the newer mlp that wrote it");
	return MLP_EVERSION;
}

static int apply(struct db *db, const struct db_migration *steps, size_t n, struct mlp_error *err)
{
	char sql[64];

	for (size_t i = 0; i < n; i++) {
		int r;

		if (steps[i].version <= db_version(db))
			continue;
		r = run_sql(db, steps[i].sql, err, "cannot upgrade the store");
		snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", steps[i].version);
		if (!r)
			r = run_sql(db, sql, err, "cannot upgrade the store");
		if (r)
			return r;
	}
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d", APPLICATION_ID);
	return run_sql(db, sql, err, "cannot upgrade the store");
}

/* Of two that set it at once SQLite refuses one without waiting. */
static int set_wal(struct db *db, struct mlp_error *err)
{
	int tries = 0, r;

	do
		r = run_sql(db, "PRAGMA journal_mode=WAL", err, "cannot set up the store");
	while (r == MLP_EBUSY && wait_busy(NULL, tries++));
	return r;
}

int db_migrate(struct db *db, const struct db_migration *steps, size_t n, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int want = steps[n - 1].version, r;

	r = check_version(db, db_version(db), want, err);
	if (r || db_version(db) == want)
		return r;
	if (!(db->flags & DB_WRITE))
		return mlp_error_set(err, MLP_EVERSION, "the store '%s' needs an upgrade", db->path);
	/* WAL is kept in the file; it cannot be set inside a transaction. */
	r = set_wal(db, err);
	if (!r)
		r = db_txn(&txn, db, err);
	/* Another process may have upgraded while this one waited. */
	if (!r)
		r = check_version(db, db_version(db), want, err);
	if (!r && db_version(db) < want)
		r = apply(db, steps, n, err);
	if (!r)
		r = db_txn_commit(&txn, err);
	/* So that the file alone says whose it is and of which version. */
	if (!r)
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return r;
}

int db_check(struct db *db, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(db, err, "PRAGMA integrity_check(1)", "");
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	if (r > 0 && strcmp(db_text(st, 0), "ok"))
		return mlp_error_set(err, MLP_ECORRUPT, "the store '%s' is damaged: %s", db->path,
				     db_text(st, 0));
	return 0;
}
