/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <semaphore.h>

#include "lib/api/workers.h"
#include "lib/util/cleanup.h"
#include "t/unit/tap.h"

static sem_t begun, go_on;
static int ran;

static void wait_there(void *data)
{
	(void)data;
	sem_post(&begun);
	sem_wait(&go_on);
}

static void count(void *data)
{
	ran += *(const int *)data;
}

int main(void)
{
	int numbers[] = { 1, 10, 100 };
	struct work first = { .run = wait_there }, works[ARRAY_SIZE(numbers)];
	struct mlp_error err = MLP_ERROR_INIT;
	struct workers *w;

	plan_lazy();
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	is_int(workers_start(&w, 1, 2, &err), 0, "a thread");
	ok(workers_submit(w, &first), "one begins");
	sem_wait(&begun);
	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		works[i] = (struct work){ .run = count, .data = &numbers[i] };
		is_int(workers_submit(w, &works[i]), i < 2, "%zu wait with this one", i + 1);
	}
	sem_post(&go_on);
	workers_stop(w);
	is_int(ran, 11, "those that waited were done at the end");
	return done_testing();
}
