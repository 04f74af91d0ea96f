/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/rundir.h"

#include "lib/track/live.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

void rundir_init(struct rundir *dir, const struct repo *repo, const char *uuid)
{
	dir->path = live_path(repo, uuid, NULL);
	dir->fifo = path_join(dir->path, "metrics");
	dir->params = path_join(dir->path, "params.json");
	dir->cgroup = path_join(dir->path, "cgroup");
}

void rundir_release(struct rundir *dir)
{
	free(dir->path);
	free(dir->fifo);
	free(dir->params);
	free(dir->cgroup);
	*dir = (struct rundir){ 0 };
}

char *rundir_log(const struct rundir *dir, int attempt)
{
	return xasprintf("%s/log-%d", dir->path, attempt);
}

char *rundir_metrics(const struct rundir *dir, int attempt)
{
	return xasprintf("%s/metrics-%d", dir->path, attempt);
}
