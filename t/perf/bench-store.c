/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object store from inside, for p0600-store.sh:
 *	bench-store hash FILE		hash a file without storing it
 *	bench-store put FILE		store it (run in an empty folder)
 *	bench-store scan|store FOLDER	a folder, hashed or stored
 * prints "bytes files cpu_ms wall_ms".
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/core/repo.h"
#include "lib/store/filetree.h"
#include "lib/store/object.h"
#include "lib/util/clock.h"

struct total {
	int64_t bytes;
	int64_t files;
};

static int count(void *data, const struct filetree_entry *e, struct mlp_error *err)
{
	struct total *total = data;

	(void)err;
	total->bytes += e->size;
	total->files++;
	return 0;
}

static double cpu_ms(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static int work(const struct repo *repo, const char *what, const char *path, struct total *total,
		struct mlp_error *err)
{
	struct filetree_visitor visitor = { count, total, NULL };
	struct object_id id = { .size = 0 };
	int r;

	if (!strcmp(what, "scan") || !strcmp(what, "store"))
		return filetree_scan(repo, path, what[1] == 't' ? FILETREE_STORE : FILETREE_HASH,
				     &visitor, err);
	r = !strcmp(what, "put") ? object_put_file(repo, path, &id, err) :
				   object_hash_file(path, &id, err);
	total->bytes = id.size;
	total->files = 1;
	return r;
}

int main(int argc, char **argv)
{
	_release_(repo_release) struct repo repo = REPO_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	struct total total = { 0 };
	double cpu = cpu_ms();
	int64_t wall = clock_mono_ns();
	bool made;
	int r;

	if (argc != 3)
		return 2;
	r = repo_create(".", &made, &err);
	if (!r)
		r = repo_open_at(&repo, ".", &err);
	if (!r)
		r = work(&repo, argv[1], argv[2], &total, &err);
	if (r) {
		fprintf(stderr, "bench-store: %s\n", err.text);
		return 1;
	}
	printf("%lld %lld %.1f %.1f\n", (long long)total.bytes, (long long)total.files,
	       cpu_ms() - cpu, (double)(clock_mono_ns() - wall) / 1e6);
	return 0;
}
