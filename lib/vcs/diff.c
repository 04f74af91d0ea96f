/* SPDX-License-Identifier: Apache-2.0 */
/* The patch from commit to work tree. */
#include "config.h"

#include <string.h>

#include "lib/util/path.h"
#include "lib/vcs/libgit2.h"

struct printing {
	int (*write)(void *data, const char *text, size_t len, struct mlp_error *err);
	void *data;
	struct mlp_error *err;
	int failed; /* what write returned */
	struct strbuf header; /* of the file whose content has not come yet */
};

static int put(struct printing *p, const char *text, size_t len)
{
	p->failed = p->write(p->data, text, len, p->err);
	return p->failed ? GIT_EUSER : 0;
}

/* A header without content says something when the file's existence or mode changed;
 * else the file was staged and then changed back, and git would not read the patch. */
static int end_file(struct printing *p)
{
	bool needed = strstr(p->header.buf, "\nnew file mode ") ||
		      strstr(p->header.buf, "\ndeleted file mode ") ||
		      strstr(p->header.buf, "\nold mode ");
	int rc = needed ? put(p, p->header.buf, p->header.len) : 0;

	strbuf_clear(&p->header);
	return rc;
}

static int print_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
		      const git_diff_line *line, void *data)
{
	struct printing *p = data;
	char origin = line->origin;
	int rc = 0;

	(void)hunk;
	if (delta->status == GIT_DELTA_CONFLICTED)
		return 0; /* printed from walk->conflicted */
	if (origin == GIT_DIFF_LINE_FILE_HDR) {
		rc = end_file(p);
		strbuf_add(&p->header, line->content, line->content_len);
		return rc;
	}
	rc = put(p, p->header.buf, p->header.len);
	strbuf_clear(&p->header);
	if (!rc && (origin == GIT_DIFF_LINE_CONTEXT || origin == GIT_DIFF_LINE_ADDITION ||
		    origin == GIT_DIFF_LINE_DELETION))
		rc = put(p, &origin, 1);
	return rc ? rc : put(p, line->content, line->content_len);
}

/* A submodule's diff again, with its place in the outer tree before each name. */
static int diff_below(const struct vcs_walk *walk, const char *prefix, git_diff **out)
{
	const struct libgit2 *git = walk->git;
	_cleanup_free_ char *was = path_join("a", prefix), *is = path_join("b", prefix);
	git_diff_options opts;

	vcs_diff_options(&opts);
	opts.old_prefix = was;
	opts.new_prefix = is;
	return git->git_diff_tree_to_workdir_with_index(out, walk->repo, walk->tree, &opts);
}

static int print_walk(const struct vcs_walk *walk, const char *prefix, struct printing *p)
{
	const struct libgit2 *git = walk->git;
	git_diff *below = NULL;
	int rc = 0;

	if (*prefix && walk->changed)
		rc = diff_below(walk, prefix, &below);
	if (!rc && walk->changed)
		rc = git->git_diff_print(below ? below : walk->diff, GIT_DIFF_FORMAT_PATCH,
					 print_line, p);
	if (!rc && walk->conflicted && !*prefix)
		rc = git->git_diff_print(walk->conflicted, GIT_DIFF_FORMAT_PATCH, print_line, p);
	git->git_diff_free(below);
	for (size_t i = 0; !rc && i < walk->nested.len; i++) {
		const struct vcs_nested *n = &walk->nested.v[i];
		_cleanup_free_ char *path = path_join(prefix, n->path);

		if (n->state.walk)
			rc = print_walk(n->state.walk, path, p);
	}
	return rc;
}

int vcs_diff(const struct vcs_state *state,
	     int (*write)(void *data, const char *text, size_t len, struct mlp_error *err),
	     void *data, struct mlp_error *err)
{
	struct printing p = { .write = write, .data = data, .err = err, .header = STRBUF_INIT };
	int rc = print_walk(state->walk, "", &p);

	if (!rc)
		rc = end_file(&p);
	strbuf_release(&p.header);
	if (p.failed)
		return p.failed;
	if (rc)
		return libgit2_error(state->walk->git, err, "cannot write the changes of",
				     state->root);
	return 0;
}
