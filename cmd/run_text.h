/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands tell of a run in the same way. */
#ifndef CMD_RUN_TEXT_H
#define CMD_RUN_TEXT_H

#include "cmd/cmd.h"

/* A metric that mlp train measured itself: of the machine, not of the model. */
#define SYSTEM_PREFIX "system/"
bool metric_is_system(const char *key);

/* "signal 9", "1", or nothing where neither is known: signal 0, code -1. */
void exit_add(struct strbuf *sb, int code, int signal);
/* " by signal 9 (timeout)", " with code 1"; nothing for a run that went well. */
void exit_add_sentence(struct strbuf *sb, int code, int signal, const char *reason);

enum { ENVIRONMENT_MAX = 64 << 20 };
/* The object with the recorded environment; *hex is NULL when there is none.  Caller
 * frees. */
int run_environment_object(struct cmd_ctx *ctx, int64_t run, char **hex);

#endif
