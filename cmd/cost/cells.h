/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that the tables of mlp cost share. */
#ifndef CMD_COST_CELLS_H
#define CMD_COST_CELLS_H

#include "cmd/print.h"
#include "lib/cost/report.h"
#include "lib/util/hashmap.h"

/* Percent of ms not busy; no value when ms is 0. */
void print_idle(struct printer *p, int64_t busy_ms, int64_t ms);
/* Three cells: energy_mj, joules, kwh; unknown when negative. */
void print_energy(struct printer *p, int64_t mj);
/* Two cells: cost and currency; m NULL or unknown: without says why. */
void print_cost(struct printer *p, const struct money *m, const char *without);
/* The sum of a currency after the first. */
const struct money *group_money(const struct cost_group *group, size_t i);
/* "no price", or "" beside what has one. */
const char *group_without(const struct cost_group *group);
/* Warns once for each price that was old. */
void warn_stale(const struct strmap *stale);

#endif
