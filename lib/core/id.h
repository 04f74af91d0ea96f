/* SPDX-License-Identifier: Apache-2.0 */
/* Run ids: UUIDv7 (RFC 9562) as 32 lower-case hex digits, so that ids sort by
 * time of creation and are valid MLflow run ids. */
#ifndef CORE_ID_H
#define CORE_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { MLP_ID_LEN = 32 };

/* A new id and a NUL; ids of one process are strictly increasing. */
void mlp_id_new(char out[MLP_ID_LEN + 1]);
/* What MLflow accepts as a run id: [a-zA-Z0-9][A-Za-z0-9_-]{0,255}. */
bool mlp_id_valid(const char *id);

#endif
