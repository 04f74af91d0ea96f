/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cost/device.h"
#include "lib/cost/nested.h"
#include "lib/cost/owner.h"
#include "lib/track/live.h"

enum {
	WRITE_EVERY_MS = 10000,
	LIST_EVERY_MS = 10000,
	CLAIM_KEPT_MS = 60000, /* after its process ended */
};

/* A process of the tree that was seen on a GPU. */
struct claim {
	int64_t pid;
	int64_t seen_ms;
	bool written;
	bool ended; /* and not to be kept */
};

struct ledger {
	struct device_context ctx;
	char boot_id[64];
	struct device *devices;
	size_t ndevices;
	bool by_use;
	int64_t written_ms;
	int64_t now_ms, cpu_ms, rss_peak; /* of the last tick */
	VEC(struct claim) claims;
	char *run_uuid;
	int64_t started_ms;
	bool closing;
	VEC(int64_t) strangers; /* of the tree, but another run's */
};

/* The first bytes of the file are enough, and the kernel makes no more than is read. */
static void cpu_model(char *out, size_t size)
{
	_cleanup_close_ int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	struct utsname names;
	char text[2048];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *p = NULL;

	text[MAX(n, 0)] = '\0';
	p = strstr(text, "model name");
	p = p ? strchr(p, ':') : NULL;
	if (p)
		p += 1 + strspn(p + 1, " \t");
	if (p && *p && *p != '\n')
		snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
	else
		snprintf(out, size, "%s CPU", uname(&names) ? "unknown" : names.machine);
}

static int add_attempt(struct ledger *l, const struct ledger_start *start, struct mlp_error *err)
{
	const char *tags = start->tags_json && *start->tags_json ? start->tags_json : "{}";
	char model[128];
	int r = db_exec(l->ctx.db, err,
			"INSERT INTO usage_attempt(run_uuid, attempt, experiment, user, tags)"
			" VALUES(?1, ?2, coalesce((SELECT e.name FROM run r"
			" JOIN experiment e ON e.id = r.experiment_id WHERE r.uuid = ?1), ?3), ?4, ?5)",
			"sisss", start->run_uuid, (int64_t)start->attempt, start->experiment,
			start->user, tags);

	if (r)
		return r;
	l->ctx.attempt_id = db_last_id(l->ctx.db);
	cpu_model(model, sizeof(model));
	return db_exec(l->ctx.db, err,
		       "INSERT INTO usage(attempt_id, host, device, model, start_ms, end_ms, held_ms)"
		       " VALUES(?1, ?2, 'cpu', ?3, ?4, ?4, 0)", "issi", l->ctx.attempt_id,
		       l->ctx.host, model, start->started_ms);
}

static int add_devices(struct ledger *l, const struct ledger_start *start, struct mlp_error *err)
{
	unsigned count = l->ctx.nvml ? nvml_count(l->ctx.nvml) : 0;
	size_t n = start->gpus_by_use ? count : count ? start->ngpus : 0;

	l->by_use = start->gpus_by_use;
	l->devices = xcalloc(n + 1, sizeof(*l->devices));
	for (size_t i = 0; i < n; i++) {
		unsigned index = l->by_use ? (unsigned)i : start->gpus[i];

		if (index >= count)
			return mlp_error_set(err, MLP_EINVAL, "no GPU '%u': there are %u", index,
					     count);
		device_init(&l->devices[l->ndevices++], l->ctx.nvml, index);
	}
	return 0;
}

static void ledger_free(struct ledger *l)
{
	for (size_t i = 0; i < l->ndevices; i++)
		device_release(&l->devices[i]);
	free(l->devices);
	vec_free(&l->claims);
	vec_free(&l->strangers);
	free(l->run_uuid);
	free(l);
}
DEFINE_CLEANUP(struct ledger *, ledger_free);

int ledger_open(struct ledger **out, struct db *db, struct nvml *nvml,
		const struct ledger_start *start, struct mlp_error *err)
{
	_cleanup_(ledger_free) struct ledger *l = xcalloc(1, sizeof(*l));
	_cleanup_txn_ struct db *txn = NULL;
	int r;

	l->ctx = (struct device_context){ .db = db, .nvml = nvml, .host = live_host(),
					  .boot_id = l->boot_id };
	boot_id_read(l->boot_id);
	l->run_uuid = xstrdup(start->run_uuid);
	l->started_ms = start->started_ms;
	l->now_ms = l->written_ms = start->started_ms;
	r = add_devices(l, start, err);
	/* What was used before now is nobody's, or of those that hold it already: look
	 * before the attempt does. */
	for (size_t i = 0; !r && !l->by_use && i < l->ndevices; i++) {
		device_look(&l->devices[i], nvml, l->now_ms);
		device_list_processes(&l->devices[i], nvml, l->now_ms);
		/* The command may have been faster: the first tick lists them again. */
		l->devices[i].listed_ms = 0;
	}
	if (!r)
		r = db_txn(&txn, db, err);
	if (!r)
		r = add_attempt(l, start, err);
	for (size_t i = 0; !r && !l->by_use && i < l->ndevices; i++)
		r = device_account(&l->devices[i], &l->ctx, l->now_ms, true, err);
	if (!r)
		r = db_txn_commit(&txn, err);
	if (r)
		return r;
	for (size_t i = 0; !l->by_use && i < l->ndevices; i++)
		device_accounted(&l->devices[i], true);
	*out = steal_ptr(&l);
	return 0;
}

static bool in_tree(const struct ledger_tree *tree, int64_t pid)
{
	for (size_t i = 0; i < tree->npids; i++)
		if (tree->pids[i] == pid)
			return true;
	return false;
}

/* A process of the tree that is not of a run within ours. */
static bool is_ours(struct ledger *l, const struct ledger_tree *tree, int64_t pid)
{
	if (!in_tree(tree, pid))
		return false;
	for (size_t i = 0; i < l->claims.len; i++)
		if (l->claims.v[i].pid == pid)
			return true;
	for (size_t i = 0; i < l->strangers.len; i++)
		if (l->strangers.v[i] == pid)
			return false;
	if (!nested_owns(l->ctx.db, l->run_uuid, pid))
		return true;
	vec_push(&l->strangers, pid);
	return false;
}

static void claim(struct ledger *l, int64_t pid)
{
	for (size_t i = 0; i < l->claims.len; i++)
		if (l->claims.v[i].pid == pid) {
			l->claims.v[i].seen_ms = l->now_ms;
			return;
		}
	vec_push(&l->claims, ((struct claim){ pid, l->now_ms, false, false }));
}

/* Claims the processes of the tree that are on the device; true when there is one
 * that holds a context. */
static bool claim_processes(struct ledger *l, struct device *d, const struct ledger_tree *tree)
{
	int64_t memory = 0;
	bool any = false;

	l->strangers.len = 0;
	for (size_t i = 0; i < d->processes.len; i++) {
		if (!is_ours(l, tree, d->processes.v[i].pid))
			continue;
		any = true;
		memory += MAX(d->processes.v[i].memory_used, 0);
		claim(l, d->processes.v[i].pid);
	}
	for (size_t i = 0; i < d->uses.len; i++)
		if (is_ours(l, tree, d->uses.v[i].pid))
			claim(l, d->uses.v[i].pid);
	d->memory_peak = MAX(d->memory_peak, memory);
	return any;
}

static int write_claims(struct ledger *l, struct mlp_error *err)
{
	int r = 0;

	for (size_t i = 0; i < l->claims.len && !r; i++) {
		struct claim *c = &l->claims.v[i];

		c->ended = c->seen_ms + CLAIM_KEPT_MS < l->now_ms && !process_started(c->pid);
		if (c->ended)
			r = db_exec(l->ctx.db, err,
				    "DELETE FROM usage_process WHERE host = ?1 AND pid = ?2"
				    " AND attempt_id = ?3", "sii", l->ctx.host, c->pid,
				    l->ctx.attempt_id);
		else if (!c->written)
			r = owner_claim(l->ctx.db, l->ctx.host, l->boot_id, l->ctx.attempt_id,
					c->pid, err);
	}
	return r;
}

/* After the commit. */
static void settle_claims(struct ledger *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->claims.len; i++) {
		if (l->claims.v[i].ended)
			continue;
		l->claims.v[i].written = true;
		l->claims.v[kept++] = l->claims.v[i];
	}
	l->claims.len = kept;
}

/* The tree's less that of runs within it.  What those use is in their own books only with
 * their next entry, and ours must not fall: it waits until they have ended. */
static int write_cpu(const struct ledger *l, struct mlp_error *err)
{
	struct nested_cpu nested;
	int64_t own;
	int r = nested_cpu(l->ctx.db, l->run_uuid, l->ctx.host, l->started_ms, &nested, err);

	if (r)
		return r;
	own = nested.going_on && !l->closing ? 0 : MAX(l->cpu_ms - nested.ms, (int64_t)0);
	return db_exec(l->ctx.db, err,
		       "UPDATE usage SET device_ms = max(device_ms, ?3),"
		       " memory_peak = max(memory_peak, ?4), end_ms = max(end_ms, ?5)"
		       " WHERE attempt_id = ?1 AND host = ?2 AND device = 'cpu'",
		       "isiii", l->ctx.attempt_id, l->ctx.host, own, l->rss_peak, l->now_ms);
}

/* hold: by device, whether the attempt holds it from now on.  On error the next write has it
 * all to do again. */
static int write_all(struct ledger *l, const bool *hold, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, l->ctx.db, err);

	if (!r)
		r = write_claims(l, err);
	if (!r)
		r = write_cpu(l, err);
	for (size_t i = 0; !r && i < l->ndevices; i++)
		if (l->devices[i].held || hold[i])
			r = device_account(&l->devices[i], &l->ctx, l->now_ms, hold[i], err);
	if (!r)
		r = db_txn_commit(&txn, err);
	if (r)
		return r;
	settle_claims(l);
	for (size_t i = 0; i < l->ndevices; i++)
		if (l->devices[i].held || hold[i])
			device_accounted(&l->devices[i], hold[i]);
	l->written_ms = l->now_ms;
	return 0;
}

/* Looks at a device; true when the attempt holds it from now on. */
static bool watch(struct ledger *l, struct device *d, const struct ledger_tree *tree, bool list)
{
	bool changed = d->held ? device_look(d, l->ctx.nvml, l->now_ms) :
				 device_glance(d, l->ctx.nvml);
	bool any;

	if (!changed && !list && l->now_ms - d->listed_ms < LIST_EVERY_MS)
		return d->held;
	device_list_processes(d, l->ctx.nvml, l->now_ms);
	any = claim_processes(l, d, tree);
	if (!l->by_use)
		return true;
	if (any && !d->held)
		device_look(d, l->ctx.nvml, l->now_ms);
	return d->processes_known ? any : d->held;
}

int ledger_tick(struct ledger *l, const struct ledger_tree *tree, bool force,
		struct mlp_error *err)
{
	_cleanup_free_ bool *hold = xcalloc(l->ndevices + 1, sizeof(*hold));
	bool due = force || tree->now_ms - l->written_ms >= WRITE_EVERY_MS ||
		   tree->now_ms < l->written_ms;

	l->now_ms = tree->now_ms;
	l->cpu_ms = MAX(l->cpu_ms, tree->cpu_ms);
	l->rss_peak = MAX(l->rss_peak, tree->rss_bytes);
	for (size_t i = 0; i < l->ndevices; i++) {
		hold[i] = watch(l, &l->devices[i], tree, due);
		due |= hold[i] != l->devices[i].held;
	}
	/* At once: another run that shares the device out knows an owner by its claim
	 * alone when the process has ended meanwhile. */
	for (size_t i = 0; i < l->claims.len; i++)
		due |= !l->claims.v[i].written;
	return due ? write_all(l, hold, err) : 0;
}

static int close_rows(struct db *db, int64_t attempt_id, struct mlp_error *err)
{
	int r = db_exec(db, err,
			"UPDATE usage SET closed = 1, held_ms = 0 WHERE attempt_id = ?1 AND closed = 0",
			"i", attempt_id);

	return r ? r : owner_release(db, attempt_id, err);
}

int ledger_close(struct ledger *ledger, const struct ledger_tree *tree, struct mlp_error *err)
{
	_cleanup_(ledger_free) struct ledger *l = ledger;
	_cleanup_txn_ struct db *txn = NULL;
	int r = db_txn(&txn, l->ctx.db, err);

	l->closing = true;
	if (!r && tree)
		r = ledger_tick(l, tree, true, err);
	if (!r)
		r = close_rows(l->ctx.db, l->ctx.attempt_id, err);
	return r ? r : db_txn_commit(&txn, err);
}

int ledger_settle(struct db *db, const char *run_uuid, struct mlp_error *err)
{
	_cleanup_txn_ struct db *txn = NULL;
	VEC(int64_t) attempts = VEC_INIT;
	struct db_stmt *st;
	int r = db_txn(&txn, db, err);

	if (r)
		return r;
	st = db_query(db, err, "SELECT id FROM usage_attempt WHERE run_uuid = ?1", "s", run_uuid);
	r = st ? 0 : MLP_EFAIL;
	while (st && (r = db_step(st, err)) > 0)
		vec_push(&attempts, db_int(st, 0));
	db_done(st);
	for (size_t i = 0; !r && i < attempts.len; i++)
		r = close_rows(db, attempts.v[i], err);
	vec_free(&attempts);
	return r ? r : db_txn_commit(&txn, err);
}
