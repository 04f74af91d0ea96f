/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/crypto/load.h"

#include "lib/core/library.h"

static struct crypto crypto;
static const struct library_symbol symbols[] = {
	{ "SHA256_Init", &crypto.sha256_init },
	{ "SHA256_Update", &crypto.sha256_update },
	{ "SHA256_Final", &crypto.sha256_final },
};
static struct library library =
	LIBRARY_INIT(CRYPTO_SONAME, "install OpenSSL 3 (libssl3 on Debian)", symbols, NULL);

const struct crypto *crypto_load(struct mlp_error *err)
{
	return library_load(&library, err) ? NULL : &crypto;
}
