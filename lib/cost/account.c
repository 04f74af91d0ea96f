/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sharing out a device.  Between two accounts of it nobody begins or ends to hold it:
 * both are accounts themselves.  So each interval has one set of holders, and its time
 * is split among them equally; its energy by what their processes did.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cost/device.h"
#include "lib/cost/owner.h"
#include "lib/cost/share.h"

enum {
	/* A supervisor writes every 10 s; one silent for longer than this is dead. */
	SILENCE_MS = 20000,
	/* A clock that went back by more than this was set; less is two programs racing. */
	CLOCK_SLACK_MS = 1000,
	/* More than any device draws, 1 W being 1 mJ/ms: a greater jump of the counter is
	 * an error of the driver, for which no run is charged. */
	POWER_MAX_W = 10000,
	POWER_SLACK_MS = 60000,
};

struct holder {
	int64_t row; /* of usage */
	int64_t attempt_id;
	char *run_uuid;
	int64_t attempt;
	bool live; /* holds it in this interval; others only get what their processes used */
	uint64_t weight;
};

struct account {
	const struct device *device;
	const struct device_context *ctx;
	int64_t now_ms;
	/* The row of usage_device. */
	bool fresh; /* there was none */
	bool same_boot;
	int64_t counter_mj, time_ms, counted_mj; /* counter: -1 unknown */
	uint64_t seen_us;
	/* The interval since. */
	int64_t elapsed_ms;
	int64_t energy_mj; /* -1: not known */
	bool reset;
	bool implausible;
	int utilization; /* mean percent, -1: not known */
	VEC(struct holder) holders;
	uint64_t others; /* weight of processes of no run */
	uint64_t unseen; /* of processes that cannot be told */
};

static void account_release(struct account *a)
{
	for (size_t i = 0; i < a->holders.len; i++)
		free(a->holders.v[i].run_uuid);
	vec_free(&a->holders);
}

int64_t device_counter_difference(int64_t last, int64_t now, bool same_boot, int64_t elapsed_ms,
				  bool *reset)
{
	int64_t limit = (elapsed_ms + POWER_SLACK_MS) * POWER_MAX_W;

	*reset = false;
	if (last < 0 || now < 0)
		return now < 0 ? -1 : 0; /* the first reading is where counting begins */
	if (same_boot && now >= last)
		return now - last;
	if (same_boot) {
		/* One less than with 2^63, which does not fit. */
		int64_t wrapped = now - last + INT64_MAX;

		if (wrapped < limit)
			return wrapped + 1;
	}
	*reset = true;
	return now;
}

static int read_device(struct account *a, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		a->ctx->db, err,
		"SELECT counter_mj, seen_us, time_ms, counted_mj, boot_id FROM usage_device"
		" WHERE host = ?1 AND device = ?2", "ss", a->ctx->host, a->device->id);
	int r = st ? db_step(st, err) : MLP_EFAIL;

	if (r < 0)
		return r;
	a->fresh = r == 0;
	a->counter_mj = r && !db_is_null(st, 0) ? db_int(st, 0) : -1;
	a->seen_us = r ? (uint64_t)db_int(st, 1) : 0;
	a->time_ms = r ? db_int(st, 2) : a->now_ms;
	a->counted_mj = r ? db_int(st, 3) : 0;
	a->same_boot = r && !strcmp(db_text(st, 4), a->ctx->boot_id);
	return 0;
}

static void measure(struct account *a)
{
	int64_t counter = a->ctx->nvml ? nvml_energy(a->ctx->nvml, a->device->index) : -1;
	int64_t sum = 0, n = 0;

	a->elapsed_ms = MAX(a->now_ms - a->time_ms, 0);
	a->energy_mj = device_counter_difference(a->counter_mj, counter, a->same_boot,
						 a->elapsed_ms, &a->reset);
	a->implausible = a->energy_mj / POWER_MAX_W > a->elapsed_ms + POWER_SLACK_MS;
	if (a->energy_mj > INT64_MAX - a->counted_mj)
		a->energy_mj = 0;
	if (counter >= 0)
		a->counter_mj = counter;
	for (size_t i = 0; i < a->device->activities.len; i++) {
		const struct device_activity *seen = &a->device->activities.v[i];

		if (seen->time_ms <= a->time_ms)
			continue;
		sum += seen->utilization;
		n++;
	}
	a->utilization = n ? (int)((sum + n / 2) / n) : -1;
}

static int read_holders(struct account *a, struct mlp_error *err)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(
		a->ctx->db, err,
		"SELECT u.id, u.attempt_id, t.run_uuid, t.attempt, u.held_ms FROM usage u"
		" JOIN usage_attempt t ON t.id = u.attempt_id"
		" WHERE u.host = ?1 AND u.device = ?2 AND u.closed = 0 ORDER BY u.id",
		"ss", a->ctx->host, a->device->id);
	int r = st ? 0 : MLP_EFAIL;

	while (st && (r = db_step(st, err)) > 0) {
		struct holder h = { .row = db_int(st, 0), .attempt_id = db_int(st, 1),
				    .run_uuid = xstrdup(db_text(st, 2)), .attempt = db_int(st, 3) };
		int64_t held = db_int(st, 4);

		h.live = h.attempt_id == a->ctx->attempt_id ? a->device->held :
							      held && held > a->now_ms - SILENCE_MS;
		vec_push(&a->holders, h);
	}
	return r;
}

/* The weight that a process adds to. */
static int find_weight(struct account *a, int64_t pid, uint64_t **out, struct mlp_error *err)
{
	struct owner owner;
	int r = owner_find(a->ctx->db, a->ctx->host, a->ctx->boot_id, pid, &owner, err);

	*out = owner.kind == OWNER_UNSEEN ? &a->unseen : &a->others;
	for (size_t i = 0; !r && owner.kind == OWNER_ATTEMPT && i < a->holders.len; i++) {
		struct holder *h = &a->holders.v[i];

		if (owner.attempt_id ? h->attempt_id == owner.attempt_id :
				       h->attempt == owner.attempt &&
					       !strcmp(h->run_uuid, owner.run_uuid))
			*out = &h->weight;
	}
	return r;
}

static uint64_t total_weight(const struct account *a)
{
	uint64_t sum = a->others + a->unseen;

	for (size_t i = 0; i < a->holders.len; i++)
		sum += a->holders.v[i].weight;
	return sum;
}

static int by_pid(const void *x, const void *y)
{
	const struct gpu_use *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int weigh_use(struct account *a, struct mlp_error *err)
{
	_cleanup_free_ struct gpu_use *uses = xcalloc(a->device->uses.len + 1, sizeof(*uses));
	uint64_t *weight = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < a->device->uses.len; i++)
		if (a->device->uses.v[i].time_us > a->seen_us)
			uses[n++] = a->device->uses.v[i];
	qsort(uses, n, sizeof(*uses), by_pid);
	for (size_t i = 0; i < n && !r; i++) {
		if (!i || uses[i].pid != uses[i - 1].pid)
			r = find_weight(a, uses[i].pid, &weight, err);
		if (!r)
			*weight += uses[i].sm;
		a->seen_us = MAX(a->seen_us, uses[i].time_us);
	}
	return r;
}

static int weigh_memory(struct account *a, struct mlp_error *err)
{
	for (size_t i = 0; i < a->device->processes.len; i++) {
		const struct gpu_process *p = &a->device->processes.v[i];
		uint64_t *weight;
		int r = find_weight(a, p->pid, &weight, err);

		if (r)
			return r;
		*weight += (uint64_t)MAX(p->memory_used, 1);
	}
	return 0;
}

/* By what processes computed; where none did, by the memory they hold.  What cannot be
 * told, in a container or because the driver names no process, is shared by those
 * that hold the device. */
static int weigh(struct account *a, struct mlp_error *err)
{
	uint64_t live = 0;
	int r = weigh_use(a, err);

	if (!r && !total_weight(a))
		r = weigh_memory(a, err);
	for (size_t i = 0; i < a->holders.len; i++)
		live += a->holders.v[i].live;
	if (r || !live)
		return r;
	if (!total_weight(a) && a->utilization > 0)
		a->unseen = 1;
	for (size_t i = 0; i < a->holders.len; i++) {
		struct holder *h = &a->holders.v[i];

		h->weight = h->weight * live + (h->live ? a->unseen : 0);
	}
	a->others *= live;
	a->unseen = 0;
	return 0;
}

static int add_to_row(const struct account *a, const struct holder *h, int64_t mj, int64_t ms,
		      int64_t busy_ms, struct mlp_error *err)
{
	return db_exec(a->ctx->db, err,
		       "UPDATE usage SET device_ms = device_ms + ?2,"
		       " busy_ms = CASE WHEN ?3 < 0 THEN busy_ms ELSE coalesce(busy_ms, 0) + ?3 END,"
		       " energy_mj = CASE WHEN ?4 < 0 THEN energy_mj"
		       "   ELSE coalesce(energy_mj, 0) + ?4 END,"
		       " end_ms = max(end_ms, ?5) WHERE id = ?1",
		       "iiiii", h->row, ms, busy_ms, mj, a->now_ms);
}

static int write_device(const struct account *a, int64_t idle_mj, int64_t idle_ms,
			struct mlp_error *err)
{
	bool set_back = a->now_ms < a->time_ms - CLOCK_SLACK_MS;

	return db_exec(a->ctx->db, err,
		       "INSERT INTO usage_device(host, device, model, boot_id, counter_mj, seen_us,"
		       " time_ms) VALUES(?1, ?2, ?3, ?4, nullif(?5, -1), ?6, ?7)"
		       " ON CONFLICT(host, device) DO UPDATE SET boot_id = excluded.boot_id,"
		       " counter_mj = coalesce(excluded.counter_mj, counter_mj),"
		       " seen_us = excluded.seen_us, time_ms = excluded.time_ms,"
		       " counted_mj = counted_mj + ?8, idle_mj = idle_mj + ?9,"
		       " idle_ms = idle_ms + ?10, resets = resets + ?11",
		       "ssssiiiiiii", a->ctx->host, a->device->id, a->device->model, a->ctx->boot_id,
		       a->counter_mj, (int64_t)a->seen_us,
		       set_back ? a->now_ms : MAX(a->now_ms, a->time_ms), MAX(a->energy_mj, 0),
		       idle_mj, idle_ms, (int64_t)a->reset);
}

static int share_out(struct account *a, struct mlp_error *err)
{
	size_t n = a->holders.len;
	_cleanup_free_ uint64_t *weights = xcalloc(n + 1, sizeof(*weights));
	_cleanup_free_ uint64_t *present = xcalloc(n + 1, sizeof(*present));
	_cleanup_free_ int64_t *mj = xcalloc(n + 1, sizeof(*mj));
	_cleanup_free_ int64_t *ms = xcalloc(n + 1, sizeof(*ms));
	_cleanup_free_ int64_t *busy = xcalloc(n + 1, sizeof(*busy));
	int64_t left_mj, left_ms;
	int r = 0;

	weights[n] = a->implausible ? 1 : a->others;
	for (size_t i = 0; i < n; i++) {
		weights[i] = a->implausible ? 0 : a->holders.v[i].weight;
		present[i] = a->holders.v[i].live;
	}
	left_mj = share_split(MAX(a->energy_mj, 0), weights, n + 1, mj) + mj[n];
	left_ms = share_split(a->elapsed_ms, present, n, ms);
	share_split(a->elapsed_ms * MAX(a->utilization, 0) / 100, weights, n + 1, busy);
	for (size_t i = 0; i < n && !r; i++) {
		const struct holder *h = &a->holders.v[i];

		if (h->live || mj[i])
			r = add_to_row(a, h, a->energy_mj < 0 ? -1 : mj[i], ms[i],
				       a->utilization < 0 ? -1 : MIN(busy[i], ms[i]), err);
	}
	return r ? r : write_device(a, left_mj, left_ms, err);
}

void device_accounted(struct device *device, bool hold)
{
	size_t kept = 0;

	for (size_t i = 0; i < device->uses.len; i++)
		if (device->uses.v[i].time_us > device->accounted_us)
			device->uses.v[kept++] = device->uses.v[i];
	device->uses.len = kept;
	device->activities.len = 0;
	device->held = hold;
}

int device_account(struct device *device, const struct device_context *ctx, int64_t now_ms,
		   bool hold, struct mlp_error *err)
{
	_release_(account_release) struct account a = { .device = device, .ctx = ctx,
							.now_ms = now_ms };
	int r = read_device(&a, err);

	if (r)
		return r;
	measure(&a);
	r = read_holders(&a, err);
	if (!r)
		r = weigh(&a, err);
	if (!r)
		r = share_out(&a, err);
	if (!r && (hold || device->held))
		r = db_exec(ctx->db, err,
			    "INSERT INTO usage(attempt_id, host, device, model, start_ms, end_ms,"
			    " memory_peak, held_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)"
			    " ON CONFLICT(attempt_id, host, device) DO UPDATE SET"
			    " held_ms = excluded.held_ms,"
			    " memory_peak = max(memory_peak, excluded.memory_peak)",
			    "isssiii", ctx->attempt_id, ctx->host, device->id, device->model, now_ms,
			    device->memory_peak, hold ? now_ms : (int64_t)0);
	device->accounted_us = a.seen_us;
	return r;
}
