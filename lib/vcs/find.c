/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/util/path.h"
#include "lib/vcs/git.h"

/* What git takes for one: a file (worktree, submodule), or a folder with a HEAD. */
static bool is_work_tree(const char *dir)
{
	_cleanup_free_ char *dot_git = path_join(dir, ".git");
	_cleanup_free_ char *head = path_join(dot_git, "HEAD");
	struct stat st;

	if (stat(dot_git, &st))
		return false;
	return S_ISREG(st.st_mode) || (S_ISDIR(st.st_mode) && !lstat(head, &st));
}

char *vcs_find(const char *dir)
{
	_cleanup_free_ char *at = path_absolute(dir);

	for (;;) {
		char *slash;

		if (is_work_tree(at))
			return steal_ptr(&at);
		slash = strrchr(at, '/');
		if (!slash || !slash[1])
			return NULL;
		slash[slash == at] = '\0';
	}
}

char *vcs_clean_url(const char *url)
{
	const char *host = strstr(url, "://"), *at;

	/* "git@host:path" carries a user of the protocol, not a secret; "file:///path" nobody. */
	if (!host || host[3] == '/')
		return xstrdup(url);
	host += 3;
	/* A password may hold what should be escaped, '/' and '@' too: rather a path too little
	 * than a part of it kept. */
	at = memrchr(host, '@', strcspn(host, " \t\n"));
	return at ? xasprintf("%.*s%s", (int)(host - url), url, at + 1) : xstrdup(url);
}
