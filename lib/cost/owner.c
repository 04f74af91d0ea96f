/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/text.h"

enum { ENVIRON_MAX = 1 << 20, STARTED_FIELD = 22 };

static bool read_process_file(int64_t pid, const char *name, size_t max, struct strbuf *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	return file_read(path, max, out) == 0;
}

int64_t process_started(int64_t pid)
{
	_release_(strbuf_release) struct strbuf stat = STRBUF_INIT;
	const char *p;
	long long started = 0;

	if (pid <= 0 || !read_process_file(pid, "stat", 4096, &stat))
		return 0;
	/* The name, in parentheses, may hold blanks and parentheses. */
	p = strrchr(stat.buf, ')');
	for (int field = 2; p && field < STARTED_FIELD; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%lld", &started) == 1 ? started : 0;
}

void boot_id_read(char out[64])
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	file_read("/proc/sys/kernel/random/boot_id", 64, &text);
	strbuf_rtrim(&text);
	snprintf(out, 64, "%s", text.buf);
}

int owner_claim(struct db *db, const char *host, const char *boot_id, int64_t attempt_id,
		int64_t pid, struct mlp_error *err)
{
	return db_exec(db, err,
		       "INSERT INTO usage_process(host, pid, boot_id, started, attempt_id)"
		       " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(host, pid) DO UPDATE SET"
		       " boot_id = excluded.boot_id, started = excluded.started,"
		       " attempt_id = excluded.attempt_id",
		       "sisii", host, pid, boot_id, process_started(pid), attempt_id);
}

int owner_release(struct db *db, int64_t attempt_id, struct mlp_error *err)
{
	return db_exec(db, err, "DELETE FROM usage_process WHERE attempt_id = ?1", "i", attempt_id);
}

static const char *environ_get(const struct strbuf *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->len; i += strlen(env->buf + i) + 1)
		if (!strncmp(env->buf + i, name, len) && env->buf[i + len] == '=')
			return env->buf + i + len + 1;
	return NULL;
}

bool owner_by_environ(int64_t pid, struct owner *out)
{
	_release_(strbuf_release) struct strbuf env = STRBUF_INIT;
	const char *uuid, *attempt;
	int64_t n = 1;

	if (!read_process_file(pid, "environ", ENVIRON_MAX, &env))
		return false;
	uuid = environ_get(&env, "MLP_RUN_ID");
	attempt = environ_get(&env, "MLP_ATTEMPT");
	if (!uuid || (attempt && !text_parse_int(attempt, &n)))
		return false;
	snprintf(out->run_uuid, sizeof(out->run_uuid), "%s", uuid);
	out->attempt = (int)n;
	return true;
}

/* In the first pid namespace every process of the machine is visible. */
static bool sees_all_processes(void)
{
	char link[64] = "";

	return readlink("/proc/self/ns/pid", link, sizeof(link) - 1) <= 0 ||
	       !strcmp(link, "pid:[4026531836]");
}

int owner_find(struct db *db, const char *host, const char *boot_id, int64_t pid,
	       struct owner *out, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		db, err,
		"SELECT p.attempt_id, p.started, a.run_uuid, a.attempt FROM usage_process p"
		" JOIN usage_attempt a ON a.id = p.attempt_id"
		" WHERE p.host = ?1 AND p.pid = ?2 AND p.boot_id = ?3", "sis", host, pid, boot_id);
	int64_t started = process_started(pid);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	*out = (struct owner){ .kind = OWNER_NOBODY };
	/* One that ended keeps its owner; the same pid with another start is another. */
	if (r > 0 && (!started || !db_int(st, 1) || started == db_int(st, 1))) {
		out->kind = OWNER_ATTEMPT;
		out->attempt_id = db_int(st, 0);
		snprintf(out->run_uuid, sizeof(out->run_uuid), "%s", db_text(st, 2));
		out->attempt = (int)db_int(st, 3);
	} else if (started) {
		out->kind = owner_by_environ(pid, out) ? OWNER_ATTEMPT : OWNER_NOBODY;
	} else if (!sees_all_processes()) {
		out->kind = OWNER_UNSEEN;
	}
	return 0;
}
