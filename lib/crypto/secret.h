/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are given out, and compared with what comes back. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/error.h"

/* len random bytes (at most 32) as 2 * len hex digits and a NUL. */
int secret_new(char *hex, size_t len, struct mlp_error *err);
/* Takes as long wherever two texts of len bytes differ; false for a given one that is not as
 * long. */
bool secret_equal(const char *kept, const char *given, size_t len);

#endif
