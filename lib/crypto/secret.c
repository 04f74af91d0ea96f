/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/crypto/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/util/text.h"

enum { SECRET_MAX = 32 };

int secret_new(char *hex, size_t len, struct mlp_error *err)
{
	unsigned char bytes[SECRET_MAX];

	if (len > sizeof(bytes) || getrandom(bytes, len, 0) != (ssize_t)len)
		return mlp_error_errno(err, errno, "cannot get random bytes");
	text_hex(hex, bytes, len);
	return 0;
}

bool secret_equal(const char *kept, const char *given, size_t len)
{
	unsigned diff = 0;

	if (strlen(given) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)kept[i] ^ (unsigned char)given[i];
	return !diff;
}
