/* SPDX-License-Identifier: Apache-2.0 */
/* Files that git writes and reads through programs of the user's (git-lfs, git-crypt): they
 * are not run here, so what is restored is what git stores. */
#include "config.h"

#include <string.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/vcs/libgit2.h"

enum { ATTRIBUTES_MAX = 1 << 20 };

static bool says_filter(const char *path)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	return !file_read(path, ATTRIBUTES_MAX, &text) && strstr(text.buf, "filter=");
}

/* Few repositories have any, and to ask for each file costs. */
static bool may_have_filters(const struct vcs_state *s, git_index *index)
{
	const struct libgit2 *git = s->walk->git;
	_cleanup_free_ char *common = path_absolute(git->git_repository_commondir(s->walk->repo));
	_cleanup_free_ char *info = path_join(common, "info/attributes");
	size_t n = git->git_index_entrycount(index);
	bool found = says_filter(info);

	for (size_t i = 0; !found && i < n; i++) {
		const char *path = git->git_index_get_byindex(index, i)->path;
		_cleanup_free_ char *full = NULL;

		if (strcmp(path_basename(path), ".gitattributes"))
			continue;
		full = path_join(s->root, path);
		found = says_filter(full);
	}
	return found;
}

void vcs_count_filtered(struct vcs_state *s, git_index *index)
{
	const struct libgit2 *git = s->walk->git;
	size_t n = may_have_filters(s, index) ? git->git_index_entrycount(index) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *path = git->git_index_get_byindex(index, i)->path, *value = NULL;

		if (git->git_attr_get(&value, s->walk->repo, GIT_ATTR_CHECK_FILE_THEN_INDEX, path,
				      "filter") ||
		    git->git_attr_value(value) != GIT_ATTR_VALUE_STRING)
			continue;
		s->filtered++;
		if (!s->filter)
			s->filter = xstrdup(value);
	}
}
