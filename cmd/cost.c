/* SPDX-License-Identifier: Apache-2.0 */
/* mlp cost: what runs used and what that cost; one verb a file in cost/. */
#include "config.h"

#include "cmd/cmd.h"
#include "cmd/cost/verbs.h"

static const struct mlp_cmd *const verbs[] = { &cmd_cost_prices, &cmd_cost_report, &cmd_cost_show,
					       NULL };

const struct mlp_cmd cmd_cost = {
	.name = "cost",
	.group = "cost",
	.summary = "what runs used and what that cost",
	.usage = "VERB [ARG...]",
	.verbs = verbs,
};
