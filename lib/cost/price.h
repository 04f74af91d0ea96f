/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices and money.  Money is integer nano-units of a currency.  A price comes, in this
 * order, from config ("2.50 USD"):
 *	cost.host.<host>.gpu, .cpu, .energy
 *	cost.gpu.<model or pattern>.price, cost.cpu.<model or pattern>.price
 *	cost.gpu.price, cost.cpu.price, cost.energy.price
 * from the table price (imported), and from the table in the program
 * (lib/cost/prices.def, dated).  None known stays unknown: never 0.  Of rows with
 * dates, the one in force at the time asked for counts: the newest not later, or the
 * oldest where all are later.
 */
#ifndef COST_PRICE_H
#define COST_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/util/strbuf.h"
#include "lib/util/vec.h"

struct money {
	bool known;
	int64_t nano;
	char currency[8]; /* "USD" */
};

/* "1.2345 USD"; enough digits to show the first three that are not 0. */
void money_add_text(struct strbuf *sb, const struct money *m);
/* Exact decimal digits of the amount, for CSV and JSON: "0.000412345". */
void money_add_exact(struct strbuf *sb, const struct money *m);
/* "2.50 USD", "2.5USD", "2.5" (with the default currency). */
bool money_parse(const char *s, const char *default_currency, struct money *out);
/* False when the currencies differ or the sum overflows; an unknown one leaves sum as it
 * is and returns true. */
bool money_sum(struct money *sum, const struct money *m);

struct price {
	bool known;
	int64_t nano_per_hour; /* of one GPU, or one CPU core; one kWh for energy */
	char currency[8];
	char as_of[11];	 /* "2026-11-09"; "" from config */
	char source[128];
	bool stale; /* as_of over 180 days before the time asked for */
};

/* What was used, where and when. */
struct price_of {
	const char *host, *model;
	int64_t time_ms;
};

/* The price of one GPU-hour. */
int price_gpu(struct db *db, const struct settings *settings, const struct price_of *what,
	      struct price *out, struct mlp_error *err);
/* Of one core-hour of CPU time. */
int price_cpu(struct db *db, const struct settings *settings, const struct price_of *what,
	      struct price *out, struct mlp_error *err);

/* Of one kWh: known only for a host whose owner pays for power by itself, which is one
 * that config, or an imported row of kind energy, gives a price. */
int price_energy(struct db *db, const struct settings *settings, const struct price_of *what,
		 struct price *out, struct mlp_error *err);

/* One row of a price table. */
struct price_row {
	char *kind;  /* gpu, cpu, energy */
	char *match; /* model or pattern; host or pattern with kind energy */
	int64_t nano_per_unit;
	char currency[8];
	char *as_of, *source;
	const char *origin; /* "config", "imported", "shipped" */
};
struct price_rows {
	struct price_row *v;
	size_t len, cap;
};
void price_rows_release(struct price_rows *rows);
/* A table as CSV (RFC 4180) with the columns kind, match, price, currency, as_of and
 * source in any order under a header row.  MLP_EINVAL names the line. */
int price_parse_csv(const char *text, size_t len, struct price_rows *out, struct mlp_error *err);

struct price_import {
	int64_t added, changed, same;
};
/* In one transaction; the same rows again change nothing. */
int price_import(struct db *db, const struct price_rows *rows, struct price_import *out,
		 struct mlp_error *err);
/* All rows known, in the order in which they are asked; without a store (NULL) none are
 * imported. */
int price_list(struct db *db, const struct settings *settings, struct price_rows *out,
	       struct mlp_error *err);
/* "2026-11-09" over 180 days before then. */
bool price_is_stale(const char *as_of, int64_t then_ms);

struct cost_summary {
	int64_t gpu_ms, cpu_ms, wall_ms;
	int64_t gpu_busy_ms; /* -1: not known of some device */
	bool energy_known;
	int64_t energy_mj;
	struct money money; /* unknown: no price for a device used.  CPU time of an attempt
			     * that used GPUs is part of their price unless it has its own */
	bool stale;	    /* some price is over 180 days old */
	char unpriced[96];  /* a device without price, or "" */
};
/* Of one run, all attempts; from the ledger alone. */
int cost_of_run(struct db *db, const struct settings *settings, const char *run_uuid,
		struct cost_summary *out, struct mlp_error *err);
/* Of a run and those started within it. */
int cost_with_nested(struct db *db, const struct settings *settings, const char *run_uuid,
		     struct cost_summary *out, struct mlp_error *err);

#endif
