/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/crypto/sha256.h"

#include <stdlib.h>

#include "lib/crypto/load.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

struct sha256 {
	const struct crypto *crypto;
	SHA256_CTX ctx;
};

/* These calls fail only when the library itself is broken; a hash that was not
 * computed must never pass for one. */
static void must(int ok)
{
	if (!ok)
		abort();
}

struct sha256 *sha256_new(struct mlp_error *err)
{
	const struct crypto *crypto = crypto_load(err);
	struct sha256 *h;

	if (!crypto)
		return NULL;
	h = xmalloc(sizeof(*h));
	h->crypto = crypto;
	must(crypto->sha256_init(&h->ctx));
	return h;
}

void sha256_free(struct sha256 *h)
{
	free(h);
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
	must(h->crypto->sha256_update(&h->ctx, data, len));
}

void sha256_finish(struct sha256 *h, char hex[SHA256_HEX + 1])
{
	unsigned char sum[SHA256_LEN];

	must(h->crypto->sha256_final(sum, &h->ctx));
	must(h->crypto->sha256_init(&h->ctx));
	text_hex(hex, sum, sizeof(sum));
}

int sha256_data(const void *data, size_t len, char hex[SHA256_HEX + 1], struct mlp_error *err)
{
	_cleanup_(sha256_free) struct sha256 *h = sha256_new(err);

	if (!h)
		return MLP_EUNSUPPORTED;
	sha256_update(h, data, len);
	sha256_finish(h, hex);
	return 0;
}
