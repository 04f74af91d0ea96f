/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/recorder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/capture.h"
#include "lib/util/clock.h"
#include "lib/util/xalloc.h"

enum {
	BEAT_MS = 5000,	 /* between heartbeats in the store */
	TOUCH_MS = 900,	 /* between those that are the time of the lock: with each second's sample */
	REST_MS = 25,	 /* between two batches of metrics */
	SETTLE_MS = 500, /* until the metrics are watched; before, and without, looked at */
	LOOK_MS = 50,
};

struct recorder {
	struct recorder_spec spec;
	pthread_t thread;
	int wake; /* eventfd: the attempt has ended */
	int64_t beat_ms, touched_ms;
	bool failing; /* the last write failed, and was said */
	struct meter meter;
};

/* Trouble with the store is said once and waited out: what is not stored yet is still in
 * the run's files. */
static void note_result(struct recorder *r, int result, const struct mlp_error *err)
{
	if (result && !r->failing)
		mlp_warn(r->spec.events, "cannot record now: %s", err->text);
	r->failing = result != 0;
}

static int beat(struct recorder *r, int64_t now, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int result = db_txn(&txn, r->spec.db, err);

	if (!result)
		result = run_heartbeat(r->spec.db, r->spec.run, now, err);
	if (!result)
		result = metric_batch_store(r->spec.telemetry->batch, r->spec.db, r->spec.run,
					    err);
	if (!result)
		result = db_txn_commit(&txn, err);
	if (!result)
		metric_batch_clear(r->spec.telemetry->batch);
	return result;
}

static void tick(struct recorder *r, int64_t now)
{
	struct mlp_error err = MLP_ERROR_INIT;
	int result = 0;

	if (now - r->touched_ms >= TOUCH_MS || now < r->touched_ms) {
		futimens(r->spec.lock_fd, NULL);
		r->touched_ms = now;
	}
	if (telemetry_tick(r->spec.telemetry, now))
		result = meter_tick(&r->meter, r->spec.db, now, &err);
	if (result > 0) {
		eventfd_write(r->spec.stop_fd, 1);
		result = 0;
	}
	if (!result && now - r->beat_ms < BEAT_MS)
		return;
	r->beat_ms = now;
	if (!result)
		result = beat(r, now, &err);
	note_result(r, result, &err);
}

static void capture(struct recorder *r)
{
	struct mlp_error err = MLP_ERROR_INIT;
	const struct recorder_spec *s = &r->spec;

	if (capture_environment_store(s->db, s->repo, s->run,
				      (const char *const *)s->job->argv.v, s->cwd, &err))
		mlp_warn(s->events, "the environment is not recorded: %s", err.text);
}

static void take_metrics(struct recorder *r)
{
	struct mlp_error err = MLP_ERROR_INIT;

	inlet_drain_fifo(r->spec.inlet, false);
	note_result(r, inlet_take(r->spec.inlet, r->spec.db, r->spec.run, r->spec.attempt, false,
				  &err),
		    &err);
}

/* Waits for the end (true), something to take in, or the next thing that is due. */
static bool wait_for_work(struct recorder *r, bool rest)
{
	struct inlet *in = r->spec.inlet;
	struct pollfd fds[] = { { r->wake, POLLIN, 0 },
				{ rest ? -1 : in->watch, POLLIN, 0 },
				{ rest ? -1 : in->fifo, POLLIN, 0 } };
	int64_t now = clock_ms(), due = r->beat_ms + BEAT_MS;
	char drop[4096];

	due = MIN(due, r->spec.telemetry->next_ms);
	due = rest ? REST_MS : in->more ? 0 : MIN(MAX(due - now, (int64_t)0), (int64_t)1000);
	if (in->watch < 0 && !in->no_watch && now - r->spec.started_ms >= SETTLE_MS)
		inlet_watch(in, r->spec.metrics_path);
	else if (in->watch < 0)
		due = MIN(due, (int64_t)LOOK_MS);
	poll(fds, ARRAY_SIZE(fds), (int)due);
	if (fds[1].revents & POLLIN)
		while (read(in->watch, drop, sizeof(drop)) > 0)
			;
	return fds[0].revents;
}

static void *run_thread(void *arg)
{
	struct recorder *r = arg;
	struct mlp_error err = MLP_ERROR_INIT;
	bool ended;

	note_result(r, meter_start(&r->meter, r->spec.db, &err), &err);
	if (r->spec.capture)
		capture(r);
	for (ended = false; !ended;) {
		int64_t fed = r->spec.inlet->fed;

		ended = wait_for_work(r, false);
		take_metrics(r);
		tick(r, clock_ms());
		/* A program that writes all the time is read in batches; a store that cannot be
		 * written is not asked all the time. */
		if (!ended && (r->spec.inlet->fed != fed || r->failing))
			ended = wait_for_work(r, true);
	}
	return NULL;
}

int recorder_start(struct recorder **out, const struct recorder_spec *spec,
		   struct mlp_error *err)
{
	struct recorder *r = xcalloc(1, sizeof(*r));
	int result;

	r->spec = *spec;
	r->beat_ms = clock_ms();
	meter_init(&r->meter, &(struct meter_spec){ spec->repo, spec->job, spec->events, spec->uuid,
						   spec->user, spec->number, spec->started_ms,
						   spec->gpus, spec->telemetry });
	r->wake = eventfd(0, EFD_CLOEXEC);
	result = r->wake < 0 ? errno : pthread_create(&r->thread, NULL, run_thread, r);
	if (!result) {
		*out = r;
		return 0;
	}
	if (r->wake >= 0)
		close(r->wake);
	free(r);
	return mlp_error_errno(err, result, "cannot start the recorder");
}

static int finish_metrics(struct recorder *r, struct mlp_error *err)
{
	const struct recorder_spec *s = &r->spec;
	int result;

	inlet_drain_fifo(s->inlet, true);
	result = inlet_take(s->inlet, s->db, s->run, s->attempt, true, err);
	if (!result)
		result = metric_batch_commit(s->telemetry->batch, s->db, s->run, err);
	return result;
}

int recorder_finish(struct recorder *r, int64_t cpu_ms, struct mlp_error *err)
{
	int result, metered;

	eventfd_write(r->wake, 1);
	pthread_join(r->thread, NULL);
	metered = meter_close(&r->meter, r->spec.db, clock_ms(), cpu_ms, err);
	if (metered)
		mlp_warn(r->spec.events, "the usage is not recorded in whole: %s", err->text);
	result = finish_metrics(r, err);
	close(r->wake);
	free(r);
	return result;
}
