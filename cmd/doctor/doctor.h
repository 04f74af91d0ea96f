/* SPDX-License-Identifier: Apache-2.0 */
/* mlp doctor: the machine (machine.c) and the project's store (store.c) are looked over;
 * each finding is a row. */
#ifndef CMD_DOCTOR_DOCTOR_H
#define CMD_DOCTOR_DOCTOR_H

#include "cmd/cmd.h"

struct doctor_opts {
	bool deep;
};

enum finding { FINDING_OK, FINDING_ABSENT, FINDING_WARNING, FINDING_WRONG };

struct doctor {
	struct cmd_ctx *ctx;
	const struct doctor_opts *opts;
	bool wrong; /* something is */
};

/* Prints a row. */
void doctor_say(struct doctor *d, const char *what, enum finding finding, const char *fmt, ...)
	PRINTF(4, 5);

void doctor_machine(struct doctor *d);
void doctor_store(struct doctor *d);

#endif
