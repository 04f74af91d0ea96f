/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of mlp cost. */
#ifndef CMD_COST_VERBS_H
#define CMD_COST_VERBS_H

#include "cmd/cmd.h"

extern const struct mlp_cmd cmd_cost_prices;
extern const struct mlp_cmd cmd_cost_report;
extern const struct mlp_cmd cmd_cost_show;

#endif
