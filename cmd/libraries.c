/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/libraries.h"

#include <dlfcn.h>
#include <string.h>

#include "lib/util/cleanup.h"
#include "lib/util/xalloc.h"

const struct mlp_library mlp_libraries[] = {
	{ "sqlite", "the store", NULL },
	{ "libgit2", "commit, diff and untracked files of a run", LIBGIT2_SONAME },
	{ "libcrypto", "hashes of inputs, outputs and logs", CRYPTO_SONAME },
	{ "libmicrohttpd", "mlp server", MICROHTTPD_SONAME },
	{ "libcurl", "import from and export to other servers", CURL_SONAME },
	{ "libyaml", "import of mlruns/ folders", YAML_SONAME },
};
const size_t mlp_libraries_count = ARRAY_SIZE(mlp_libraries);

/* A function of a library whose header this folder may not include; POSIX makes the
 * conversion from void * good. */
static void *look_up(void *handle, const char *symbol)
{
	return dlsym(handle, symbol);
}

static char *sqlite_version(void *handle)
{
	const char *(*version)(void);

	*(void **)&version = look_up(handle, "sqlite3_libversion");
	return version ? xstrdup(version()) : NULL;
}

static char *git2_version(void *handle)
{
	int (*version)(int *major, int *minor, int *patch);
	int major = 0, minor = 0, patch = 0;

	*(void **)&version = look_up(handle, "git_libgit2_version");
	if (!version)
		return NULL;
	version(&major, &minor, &patch);
	return xasprintf("%d.%d.%d", major, minor, patch);
}

static char *crypto_version(void *handle)
{
	enum { OPENSSL_VERSION_STRING_ITEM = 6 };
	const char *(*version)(int item);

	*(void **)&version = look_up(handle, "OpenSSL_version");
	return version ? xstrdup(version(OPENSSL_VERSION_STRING_ITEM)) : NULL;
}

static char *microhttpd_version(void *handle)
{
	const char *(*version)(void);

	*(void **)&version = look_up(handle, "MHD_get_version");
	return version ? xstrdup(version()) : NULL;
}

static char *curl_version(void *handle)
{
	/* "libcurl/7.88.1 OpenSSL/3.0.20 ..." */
	const char *(*version)(void);
	const char *text;

	*(void **)&version = look_up(handle, "curl_version");
	text = version ? strchr(version(), '/') : NULL;
	return text ? xmemdupz(text + 1, strcspn(text + 1, " ")) : NULL;
}

static char *yaml_version(void *handle)
{
	const char *(*version)(void);

	*(void **)&version = look_up(handle, "yaml_get_version_string");
	return version ? xstrdup(version()) : NULL;
}

char *library_version(const struct mlp_library *library)
{
	void *handle = library->soname ? dlopen(library->soname, RTLD_LAZY | RTLD_LOCAL) :
					 RTLD_DEFAULT;

	if (library->soname && !handle)
		return NULL;
	/* Never closed: OpenSSL does not bear it, and the process ends soon. */
	if (!strcmp(library->name, "sqlite"))
		return sqlite_version(handle);
	if (!strcmp(library->name, "libgit2"))
		return git2_version(handle);
	if (!strcmp(library->name, "libmicrohttpd"))
		return microhttpd_version(handle);
	if (!strcmp(library->name, "libcurl"))
		return curl_version(handle);
	if (!strcmp(library->name, "libyaml"))
		return yaml_version(handle);
	return crypto_version(handle);
}
