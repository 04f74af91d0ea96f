/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by OpenSSL's libcrypto, which is loaded on first use. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stddef.h>

#include "lib/core/error.h"

enum { SHA256_LEN = 32, SHA256_HEX = 64 };

struct sha256; /* one running hash */

/* NULL with err when libcrypto cannot be loaded. */
struct sha256 *sha256_new(struct mlp_error *err);
void sha256_free(struct sha256 *h);
DEFINE_CLEANUP(struct sha256 *, sha256_free);
void sha256_update(struct sha256 *h, const void *data, size_t len);
/* Lower-case hex and a NUL; h can be used for a new hash afterwards. */
void sha256_finish(struct sha256 *h, char hex[SHA256_HEX + 1]);
/* In one call. */
int sha256_data(const void *data, size_t len, char hex[SHA256_HEX + 1], struct mlp_error *err);

#endif
