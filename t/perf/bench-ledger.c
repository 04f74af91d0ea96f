/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of a second of collecting, writes included: bench-ledger GPUS SECONDS STORE.
 * Prints "us a tick, us a write"; time is played, the GPUs are those of FAKENVML. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/cost/ledger.h"
#include "lib/track/schema.h"
#include "lib/util/clock.h"

static int64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct repo repo = { .db_path = argc > 3 ? argv[3] : NULL };
	unsigned index[64];
	struct ledger_start start = { .run_uuid = "bench", .attempt = 1, .experiment = "e",
				      .user = "u", .gpus = index, .started_ms = clock_ms() };
	int64_t now = start.started_ms, all = 0, writes = 0;
	pid_t pids[] = { getpid() };
	struct ledger *ledger;
	struct nvml *nvml;
	struct db *db;
	int seconds, ngpus;

	if (argc != 4)
		return 2;
	ngpus = (int)strtol(argv[1], NULL, 10);
	seconds = (int)strtol(argv[2], NULL, 10);
	for (start.ngpus = 0; start.ngpus < (size_t)ngpus && start.ngpus < 64; start.ngpus++)
		index[start.ngpus] = (unsigned)start.ngpus;
	if (nvml_open(&nvml, &err) || track_open(&db, &repo, DB_CREATE, &err) ||
	    ledger_open(&ledger, db, nvml, &start, &err)) {
		fprintf(stderr, "bench-ledger: %s\n", err.text);
		return 1;
	}
	for (int i = 1; i <= seconds; i++) {
		struct ledger_tree tree = { .now_ms = now + i * 1000, .pids = pids, .npids = 1 };
		int64_t before = cpu_us();

		if (ledger_tick(ledger, &tree, false, &err))
			fprintf(stderr, "bench-ledger: %s\n", err.text);
		all += cpu_us() - before;
		writes += i % 10 == 0 ? cpu_us() - before : 0;
	}
	printf("%.1f %.1f\n", (double)all / seconds, (double)writes / (seconds / 10));
	ledger_close(ledger, NULL, &err);
	db_close(db);
	nvml_close(nvml);
	return 0;
}
