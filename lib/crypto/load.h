/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/crypto: what is used of libcrypto, found when first needed, because a
 * program that only looks at runs should not pay the 2 ms that loading it takes. */
#ifndef CRYPTO_LOAD_H
#define CRYPTO_LOAD_H

/* EVP sets up OpenSSL's providers first, which takes as long as hashing half a megabyte;
 * the direct calls run the same machine code. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "lib/core/error.h"

struct crypto {
	__typeof__(&SHA256_Init) sha256_init;
	__typeof__(&SHA256_Update) sha256_update;
	__typeof__(&SHA256_Final) sha256_final;
};

/* The loaded library, for the rest of the process; from any thread.  NULL with
 * MLP_EUNSUPPORTED when it is not installed. */
const struct crypto *crypto_load(struct mlp_error *err);

#endif
