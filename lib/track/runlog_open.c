/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the log of a run, live or stored. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/store/object.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/track/runlog.h"
#include "lib/util/xalloc.h"

/* The log of one attempt: its file while it is live, the object once it is stored.  In
 * between the row is read again, for the file goes away after the row was written. */
static int open_attempt(struct db *db, const struct repo *repo, int64_t run, int attempt,
			bool *stored, struct mlp_error *err)
{
	_release_(attempts_release) struct attempts list = { 0 };
	_release_(run_release) struct run info = RUN_INIT;
	_cleanup_free_ char *path = NULL, *file = NULL;
	const struct attempt *a = NULL;
	int r = attempts_get(db, run, &list, err), fd;

	if (r)
		return r;
	for (size_t i = 0; i < list.len; i++)
		if (!attempt || list.v[i].number == attempt)
			a = &list.v[i];
	if (!a)
		return mlp_error_set(err, MLP_ENOTFOUND, "no output was recorded");
	*stored = a->log;
	if (a->log) {
		fd = object_open(repo, a->log, err);
		/* It was recorded: a store without it is damaged, not a run without output. */
		return fd == MLP_ENOTFOUND ? MLP_ECORRUPT : fd;
	}
	r = run_get(db, run, &info, err);
	if (r)
		return r;
	file = xasprintf("log-%d", a->number);
	path = live_path(repo, info.uuid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : mlp_error_set(err, MLP_ENOTFOUND, "no output was recorded");
}

int runlog_open(struct runlog_reader **out, struct db *db, const struct repo *repo, int64_t run,
		int attempt, struct mlp_error *err)
{
	bool stored;
	int fd = open_attempt(db, repo, run, attempt, &stored, err), r;

	if (fd == MLP_ENOTFOUND)
		fd = open_attempt(db, repo, run, attempt, &stored, err);
	r = fd < 0 ? fd : runlog_open_fd(out, fd, err);
	if (!r && stored)
		runlog_reader_expect_whole(*out);
	return r;
}
