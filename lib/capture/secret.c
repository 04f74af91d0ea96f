/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "lib/capture/capture.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

/* Of keys, passwords and tokens, as their programs call them.  "!": but not. */
static const char *const names[] = {
	".env",		 ".env.*",	"*.env",	"!.env.example",    "!.env.sample",
	"!.env.template", "id_rsa",	"id_dsa",	"id_ecdsa",	    "id_ed25519",
	"*.pem",	 "*.key",	"*.p12",	"*.pfx",	    "*.jks",
	"*.kdbx",	 "*.keystore",	"credentials*", ".git-credentials", ".netrc",
	".npmrc",	 ".pypirc",	".pgpass",	".htpasswd",	    "kaggle.json",
};

/* The last pattern that matches decides; one with a slash is for the whole path. */
static void decide(const char *pattern, const char *path, bool *secret)
{
	bool but = *pattern == '!';

	pattern += but;
	if (*pattern && text_glob(pattern, strchr(pattern, '/') ? path : path_basename(path)))
		*secret = !but;
}

bool capture_is_secret(const struct settings *settings, const char *path)
{
	bool secret = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		decide(names[i], path, &secret);
	for (size_t i = 0; i < settings->len; i++) {
		_release_(strvec_release) struct strvec patterns = STRVEC_INIT;

		if (strcmp(settings->v[i].key, "capture.secret"))
			continue;
		strvec_split(&patterns, settings->v[i].value, ' ');
		for (size_t j = 0; j < patterns.len; j++)
			decide(patterns.v[j], path, &secret);
	}
	return secret;
}
