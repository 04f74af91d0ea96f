/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/unit/tap.h"

#include <pthread.h>

#include "lib/crypto/sha256.h"

static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/* A million times 'a', from FIPS 180. */
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void *hash_million(void *result)
{
	struct sha256 *h = sha256_new(NULL);
	char block[1000];

	memset(block, 'a', sizeof(block));
	for (int i = 0; h && i < 1000; i++)
		sha256_update(h, block, sizeof(block));
	if (h)
		sha256_finish(h, result);
	sha256_free(h);
	return NULL;
}

/* Loading happens in whichever thread comes first. */
static void test_threads(void)
{
	char hex[4][SHA256_HEX + 1] = { "", "", "", "" };
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hash_million, hex[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		is_str(hex[i], million, "thread %d", i);
	}
}

static void test_values(void)
{
	struct mlp_error err = MLP_ERROR_INIT;
	char hex[SHA256_HEX + 1];
	struct sha256 *h;

	is_int(sha256_data("", 0, hex, &err), 0, "no bytes");
	is_str(hex, empty, "value of no bytes");
	is_int(sha256_data("abc", 3, hex, &err), 0, "abc");
	is_str(hex, abc, "value of abc");

	h = sha256_new(&err);
	ok(h, "new");
	sha256_update(h, "a", 1);
	sha256_update(h, "", 0);
	sha256_update(h, "bc", 2);
	sha256_finish(h, hex);
	is_str(hex, abc, "in pieces");
	sha256_finish(h, hex);
	is_str(hex, empty, "used again");
	sha256_free(h);
	sha256_free(NULL);
}

int main(void)
{
	plan_lazy();
	test_threads();
	test_values();
	return done_testing();
}
