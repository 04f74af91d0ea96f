/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cmd/doctor/doctor.h"
#include "lib/store/object.h"
#include "lib/track/live.h"
#include "lib/track/run.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"
#include "lib/util/path.h"
#include "lib/util/text.h"

enum {
	NFS_MAGIC = 0x6969,
	SMB2_MAGIC = (int)0xfe534d42,
	ROOM_LEAST = 1 << 30,	   /* bytes */
	TMP_AGE_MS = 3600 * 1000,  /* an older file in tmp has been left behind */
	SHOWN = 5,		   /* names in one finding */
};

/* SQLite's WAL needs shared memory, which a network file system does not give. */
static void check_file_system(struct doctor *d)
{
	const char *dir = d->ctx->repo.dir;
	_release_(strbuf_release) struct strbuf room = STRBUF_INIT;
	struct statvfs space;
	struct statfs fs;

	if (!statfs(dir, &fs) && ((int)fs.f_type == NFS_MAGIC || (int)fs.f_type == SMB2_MAGIC))
		doctor_say(d, "file system", FINDING_WARNING,
			   "'%s' is on a network file system: use it from one host only", dir);
	if (statvfs(dir, &space))
		return;
	text_add_size(&room, (int64_t)(space.f_bavail * space.f_frsize));
	doctor_say(d, "room", space.f_bavail * space.f_frsize < ROOM_LEAST ? FINDING_WARNING : FINDING_OK,
		   "%s free", room.buf);
}

static void check_database(struct doctor *d)
{
	struct cmd_ctx *ctx = d->ctx;
	int64_t runs = 0;

	if (db_check(ctx->db, &ctx->err)) {
		doctor_say(d, "store", FINDING_WRONG, "%s", ctx->err.text);
		return;
	}
	db_get_int(ctx->db, &runs, NULL, "SELECT count(*) FROM run", "");
	doctor_say(d, "store", FINDING_OK, "schema %d, %" PRId64 " run%s", db_version(ctx->db), runs,
		   PLURAL(runs));
}

static void check_lost(struct doctor *d)
{
	struct cmd_ctx *ctx = d->ctx;
	_cleanup_stmt_ struct db_stmt *st =
		db_query(ctx->db, NULL, "SELECT id FROM run WHERE status < 3", "");
	size_t lost = 0;

	while (st && db_step(st, NULL) > 0) {
		_release_(run_release) struct run run = RUN_INIT;

		lost += !run_get(ctx->db, db_int(st, 0), &run, NULL) &&
			live_status(&ctx->repo, &run) == RUN_LOST;
	}
	if (lost)
		doctor_say(d, "lost runs", FINDING_WARNING, "%zu: 'mlp train --reap' settles them",
			   lost);
}

/* Calls fn for the entries of a folder of the project but those that begin with a dot. */
static void each_entry(struct doctor *d, const char *inside,
		       void (*fn)(struct doctor *d, const char *path, const char *name, void *data),
		       void *data)
{
	_cleanup_free_ char *dir = repo_path(&d->ctx->repo, inside);
	DIR *handle = opendir(dir);
	struct dirent *e;

	while (handle && (e = readdir(handle))) {
		_cleanup_free_ char *path = path_join(dir, e->d_name);

		if (e->d_name[0] != '.')
			fn(d, path, e->d_name, data);
	}
	if (handle)
		closedir(handle);
	else if (errno != ENOENT) {
		mlp_error_errno(&d->ctx->err, errno, "cannot read '%s'", dir);
		doctor_say(d, inside, FINDING_WRONG, "%s", d->ctx->err.text);
	}
}

struct names {
	struct strbuf text;
	size_t n;
};

static void add_name(struct names *list, const char *name)
{
	if (list->n++ < SHOWN)
		strbuf_addf(&list->text, "%s%s", list->text.len ? ", " : "", name);
	else if (list->n == SHOWN + 1)
		strbuf_addstr(&list->text, ", ...");
}

static void take_tmp(struct doctor *d, const char *path, const char *name, void *data)
{
	struct stat st;

	(void)d;
	if (!lstat(path, &st) && (int64_t)st.st_mtime * 1000 < clock_ms() - TMP_AGE_MS)
		add_name(data, name);
}

/* The folder of a run that has ended, or is unknown, and that nobody holds. */
static void take_run_dir(struct doctor *d, const char *path, const char *name, void *data)
{
	int64_t live = 0;

	(void)path;
	if (live_holder(&d->ctx->repo, name))
		return;
	db_get_int(d->ctx->db, &live, NULL, "SELECT status < 3 FROM run WHERE uuid = ?1", "s", name);
	if (!live)
		add_name(data, name);
}

static void check_leftovers(struct doctor *d)
{
	struct names tmp = { STRBUF_INIT, 0 }, dirs = { STRBUF_INIT, 0 };

	each_entry(d, "tmp", take_tmp, &tmp);
	each_entry(d, "runs", take_run_dir, &dirs);
	if (tmp.n)
		doctor_say(d, "tmp", FINDING_WARNING, "%zu left behind in .mlp/tmp: %s", tmp.n,
			   tmp.text.buf);
	if (dirs.n)
		doctor_say(d, "runs", FINDING_WARNING, "%zu folder%s of ended runs in .mlp/runs: %s",
			   dirs.n, PLURAL(dirs.n), dirs.text.buf);
	if (!tmp.n && !dirs.n)
		doctor_say(d, "leftovers", FINDING_OK, "none");
	strbuf_release(&tmp.text);
	strbuf_release(&dirs.text);
}

static void check_references(struct doctor *d)
{
	static const char sql[] =
		"SELECT sha256, 'file ' || path FROM run_file WHERE stored AND sha256 IS NOT NULL"
		" UNION SELECT sha256, 'model file ' || path FROM logged_model_file"
		" UNION SELECT diff, 'a patch' FROM run_code WHERE diff IS NOT NULL"
		" UNION SELECT object, 'an environment' FROM run_environment"
		" UNION SELECT log, 'a log' FROM attempt WHERE log IS NOT NULL";
	_cleanup_stmt_ struct db_stmt *st = db_query(d->ctx->db, &d->ctx->err, sql, "");
	struct names missing = { STRBUF_INIT, 0 };
	int64_t n = 0;
	int r = st ? 1 : MLP_EFAIL;

	while (r > 0 && (r = db_step(st, &d->ctx->err)) > 0) {
		_cleanup_free_ char *name = xasprintf("%.12s (%s)", db_text(st, 0), db_text(st, 1));

		n++;
		if (!object_exists(&d->ctx->repo, db_text(st, 0)))
			add_name(&missing, name);
	}
	if (r < 0)
		doctor_say(d, "objects", FINDING_WRONG, "%s", d->ctx->err.text);
	else if (missing.n)
		doctor_say(d, "objects", FINDING_WRONG, "%zu of %" PRId64 " missing: %s", missing.n,
			   n, missing.text.buf);
	else
		doctor_say(d, "objects", FINDING_OK,
			   "%" PRId64 " named by runs and models, all there", n);
	strbuf_release(&missing.text);
}

struct deep {
	char prefix[3];
	int64_t n;
	struct names bad;
};

static void verify_object(struct doctor *d, const char *path, const char *name, void *data)
{
	struct deep *deep = data;
	_cleanup_free_ char *hex = xasprintf("%s%s", deep->prefix, name);

	(void)path;
	deep->n++;
	if (object_verify(&d->ctx->repo, hex, NULL))
		add_name(&deep->bad, hex);
	if (deep->n % 64 == 0)
		mlp_progress(&d->ctx->events, "checking objects", deep->n, 0);
}

static void verify_folder(struct doctor *d, const char *path, const char *name, void *data)
{
	struct deep *deep = data;
	_cleanup_free_ char *inside = xasprintf("objects/%s", name);

	(void)path;
	if (strlen(name) != 2 || !text_is_hex(name, 2))
		return; /* packs have names of their own */
	memcpy(deep->prefix, name, sizeof(deep->prefix));
	each_entry(d, inside, verify_object, deep);
}

static void check_contents(struct doctor *d)
{
	struct deep deep = { .bad = { STRBUF_INIT, 0 } };

	each_entry(d, "objects", verify_folder, &deep);
	if (deep.bad.n)
		doctor_say(d, "contents", FINDING_WRONG,
			   "%zu of %" PRId64 " objects are not what was stored: %s", deep.bad.n,
			   deep.n, deep.bad.text.buf);
	else
		doctor_say(d, "contents", FINDING_OK, "%" PRId64 " object%s read, all as stored",
			   deep.n, PLURAL(deep.n));
	strbuf_release(&deep.bad.text);
}

void doctor_store(struct doctor *d)
{
	struct cmd_ctx *ctx = d->ctx;

	if (!ctx->repo.dir) {
		doctor_say(d, "project", FINDING_ABSENT, "no '.mlp' here or above: 'mlp init' makes one");
		return;
	}
	doctor_say(d, "project", FINDING_OK, "%s", ctx->repo.dir);
	check_file_system(d);
	if (access(ctx->repo.db_path, F_OK)) {
		doctor_say(d, "store", FINDING_OK, "nothing recorded yet");
		return;
	}
	if (track_open(&ctx->db, &ctx->repo, DB_READ, &ctx->err)) {
		doctor_say(d, "store", FINDING_WRONG, "%s", ctx->err.text);
		return;
	}
	check_database(d);
	check_lost(d);
	check_leftovers(d);
	check_references(d);
	if (d->opts->deep)
		check_contents(d);
}
