/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/settings_known.h"

#include "lib/util/cleanup.h"

const struct setting_known settings_known[] = {
	{ "capture.diffMax", "most bytes of a stored patch" },
	{ "capture.env", "more variables whose values are recorded" },
	{ "capture.secret", "more names of files recorded by their hash only" },
	{ "capture.untrackedFiles", "most untracked files stored" },
	{ "capture.untrackedMax", "most bytes of stored untracked files" },
	{ "core.editor", "editor of mlp note" },
	{ "core.pager", "pager of long output" },
	{ "cost.cpu.price", "price of a core-hour, as '0.04 USD'" },
	{ "cost.currency", "currency of prices that name none" },
	{ "cost.energy.price", "price of a kWh, as '0.20 EUR'" },
	{ "train.mlflow", "endpoint for MLflow clients of the command: auto, always or never" },
};
const size_t settings_known_count = ARRAY_SIZE(settings_known);
