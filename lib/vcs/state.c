/* SPDX-License-Identifier: Apache-2.0 */
/* What a work tree is made of: one walk gives changes and untracked files. */
#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/util/path.h"
#include "lib/vcs/libgit2.h"

static int read_state(const struct libgit2 *git, char *root, int depth, struct vcs_state *out,
		      struct mlp_error *err);

static void walk_free(struct vcs_walk *walk)
{
	const struct libgit2 *git;

	if (!walk)
		return;
	git = walk->git;
	for (size_t i = 0; i < walk->nested.len; i++) {
		free(walk->nested.v[i].path);
		vcs_state_release(&walk->nested.v[i].state);
	}
	vec_free(&walk->nested);
	git->git_diff_free(walk->conflicted);
	git->git_diff_free(walk->diff);
	git->git_tree_free(walk->tree);
	git->git_repository_free(walk->repo);
	free(walk);
}

void vcs_state_release(struct vcs_state *s)
{
	for (size_t i = 0; i < s->submodules.len; i++) {
		free(s->submodules.v[i].path);
		free(s->submodules.v[i].commit);
		free(s->submodules.v[i].url);
	}
	for (size_t i = 0; i < s->untracked.len; i++)
		free(s->untracked.v[i].path);
	vec_free(&s->submodules);
	vec_free(&s->untracked);
	walk_free(s->walk);
	free(s->root);
	free(s->commit);
	free(s->branch);
	free(s->remote);
	free(s->problem);
	free(s->filter);
	*s = (struct vcs_state){ 0 };
}

/* libgit2's own look-ups of remotes and submodules match each key with a pattern, and in
 * versions before 1.7 every key that does not match leaks 20 kB. */
struct config_walk {
	const struct libgit2 *git;
	git_config_iterator *it;
};

static const git_config_entry *config_next(struct config_walk *w, git_config *config)
{
	git_config_entry *e;

	if (!w->it && w->git->git_config_iterator_new(&w->it, config))
		return NULL;
	if (!w->git->git_config_next(&e, w->it))
		return e;
	w->git->git_config_iterator_free(w->it);
	w->it = NULL;
	return NULL;
}

/* The length of x in "start" x "end", or 0. */
static size_t middle_length(const char *name, const char *start, const char *end)
{
	size_t n = strlen(name), ns = strlen(start), ne = strlen(end);

	if (n <= ns + ne || strncmp(name, start, ns) || strcmp(name + n - ne, end))
		return 0;
	return n - ns - ne;
}

static void read_remote(struct vcs_state *s)
{
	struct config_walk w = { .git = s->walk->git };
	git_config *config = NULL;
	const git_config_entry *e;
	bool origin = false;
	size_t others = 0;

	if (w.git->git_repository_config(&config, s->walk->repo))
		return;
	while ((e = config_next(&w, config))) {
		if (!middle_length(e->name, "remote.", ".url") || origin)
			continue;
		origin = !strcmp(e->name, "remote.origin.url");
		others++;
		free(s->remote);
		s->remote = vcs_clean_url(e->value);
	}
	if (!origin && others > 1) {
		free(s->remote);
		s->remote = NULL;
	}
	w.git->git_config_free(config);
}

static void read_branch(struct vcs_state *s)
{
	const struct libgit2 *git = s->walk->git;
	git_reference *head = NULL;
	const char *target;

	if (git->git_reference_lookup(&head, s->walk->repo, "HEAD"))
		return;
	target = git->git_reference_symbolic_target(head);
	if (target)
		s->branch = xstrdup(strncmp(target, "refs/heads/", 11) ? target : target + 11);
	git->git_reference_free(head);
}

static int read_commit(struct vcs_state *s, struct mlp_error *err)
{
	const struct libgit2 *git = s->walk->git;
	char hex[GIT_OID_HEXSZ + 1];
	git_commit *commit = NULL;
	git_oid oid;
	int rc = git->git_reference_name_to_id(&oid, s->walk->repo, "HEAD");

	if (rc == GIT_ENOTFOUND && s->branch)
		return 0; /* unborn */
	if (rc)
		return libgit2_error(git, err, "cannot read HEAD of", s->root);
	s->commit = xstrdup(git->git_oid_tostr(hex, sizeof(hex), &oid));
	rc = git->git_commit_lookup(&commit, s->walk->repo, &oid);
	if (!rc)
		rc = git->git_commit_tree(&s->walk->tree, commit);
	git->git_commit_free(commit);
	return rc ? libgit2_error(git, err, "cannot read commit", s->commit) : 0;
}

void vcs_diff_options(git_diff_options *opts)
{
	*opts = (git_diff_options)GIT_DIFF_OPTIONS_INIT;
	opts->flags = GIT_DIFF_SHOW_BINARY | GIT_DIFF_IGNORE_SUBMODULES;
	opts->ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
	opts->id_abbrev = GIT_OID_HEXSZ;
	/* Settings of the user (diff.noprefix and so on) must not change the patch. */
	opts->old_prefix = "a";
	opts->new_prefix = "b";
	opts->context_lines = 3;
}

static void add_untracked(struct vcs_state *s, const char *path)
{
	_cleanup_free_ char *full = path_join(s->root, path);
	struct vcs_file file = { 0 };
	size_t len = strlen(path);
	struct stat st;

	if (lstat(full, &st))
		return; /* gone since */
	/* A repository within that is no submodule ends with a slash. */
	file.path = xmemdupz(path, len && path[len - 1] == '/' ? len - 1 : len);
	file.size = S_ISDIR(st.st_mode) ? 0 : st.st_size;
	file.mode = st.st_mode;
	vec_push(&s->untracked, file);
}

/* Paths in conflict have no content in a diff that goes through the index. */
static int diff_conflicts(struct vcs_state *s, char **paths, size_t n)
{
	const struct libgit2 *git = s->walk->git;
	git_diff_options opts;

	vcs_diff_options(&opts);
	opts.flags |= GIT_DIFF_DISABLE_PATHSPEC_MATCH;
	opts.pathspec = (git_strarray){ paths, n };
	return git->git_diff_tree_to_workdir(&s->walk->conflicted, s->walk->repo, s->walk->tree,
					     &opts);
}

static int sort_deltas(struct vcs_state *s)
{
	const struct libgit2 *git = s->walk->git;
	_release_(strvec_release) struct strvec conflicts = STRVEC_INIT;
	size_t n = git->git_diff_num_deltas(s->walk->diff);

	for (size_t i = 0; i < n; i++) {
		const git_diff_delta *d = git->git_diff_get_delta(s->walk->diff, i);
		int64_t was = (int64_t)d->old_file.size, is = (int64_t)d->new_file.size;

		if (d->status == GIT_DELTA_UNTRACKED) {
			add_untracked(s, d->new_file.path);
			continue;
		}
		if (d->status == GIT_DELTA_CONFLICTED)
			strvec_push(&conflicts,
				    d->new_file.path ? d->new_file.path : d->old_file.path);
		s->walk->changed = true;
		s->changed_bytes += MAX(was, is);
	}
	return conflicts.len ? diff_conflicts(s, conflicts.v, conflicts.len) : 0;
}

static int compare_files(struct vcs_state *s)
{
	const struct libgit2 *git = s->walk->git;
	git_diff_options opts;
	int rc;

	vcs_diff_options(&opts);
	opts.flags |= GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS;
	git->git_ignore_add_rule(s->walk->repo, ".mlp/\n");
	rc = git->git_diff_tree_to_workdir_with_index(&s->walk->diff, s->walk->repo, s->walk->tree,
						      &opts);
	return rc ? rc : sort_deltas(s);
}

/* The value of submodule.NAME.KEY in .gitmodules, of the NAME given or of the one whose
 * path is given. */
static char *gitmodules_find(struct vcs_state *s, git_config *config, const char *name,
			     const char *path)
{
	const char *end = name ? ".url" : ".path";
	struct config_walk w = { .git = s->walk->git };
	const git_config_entry *e;
	char *found = NULL;

	while ((e = config_next(&w, config))) {
		size_t n = middle_length(e->name, "submodule.", end);

		if (!n || found)
			continue;
		if (!name && !strcmp(e->value, path))
			found = xmemdupz(e->name + strlen("submodule."), n);
		else if (name && strlen(name) == n &&
			 !strncmp(e->name + strlen("submodule."), name, n))
			found = vcs_clean_url(e->value);
	}
	return found;
}

static char *submodule_url(struct vcs_state *s, const char *path)
{
	const struct libgit2 *git = s->walk->git;
	_cleanup_free_ char *file = path_join(s->root, ".gitmodules");
	_cleanup_free_ char *name = NULL;
	git_config *config = NULL;
	char *url = NULL;

	if (git->git_config_open_ondisk(&config, file))
		return NULL;
	name = gitmodules_find(s, config, NULL, path);
	if (name)
		url = gitmodules_find(s, config, name, NULL);
	git->git_config_free(config);
	return url;
}

static bool commit_recorded(struct vcs_state *s, const char *path, const char *commit)
{
	const struct libgit2 *git = s->walk->git;
	git_tree_entry *entry = NULL;
	git_oid oid;
	bool same;

	if (!s->walk->tree || git->git_tree_entry_bypath(&entry, s->walk->tree, path))
		return false;
	same = commit && !git->git_oid_fromstr(&oid, commit) &&
	       git->git_oid_equal(&oid, git->git_tree_entry_id(entry));
	git->git_tree_entry_free(entry);
	return same;
}

/* Submodules and untracked files of a nested state, seen from s. */
static void adopt(struct vcs_state *s, const char *path, const struct vcs_state *from)
{
	for (size_t i = 0; i < from->untracked.len; i++) {
		struct vcs_file file = from->untracked.v[i];

		file.path = path_join(path, file.path);
		vec_push(&s->untracked, file);
	}
	for (size_t i = 0; i < from->submodules.len; i++) {
		struct vcs_submodule sub = from->submodules.v[i];

		sub.path = path_join(path, sub.path);
		sub.commit = xstrdup_null(sub.commit);
		sub.url = xstrdup_null(sub.url);
		vec_push(&s->submodules, sub);
	}
	s->changed_bytes += from->changed_bytes;
	s->filtered += from->filtered;
	if (!s->filter)
		s->filter = xstrdup_null(from->filter);
}

static int add_submodule(struct vcs_state *s, const char *path, const char *recorded, int depth,
			 struct mlp_error *err)
{
	struct vcs_submodule sub = { .path = xstrdup(path) };
	struct vcs_nested nested = { .path = xstrdup(path) };
	_cleanup_free_ char *root = path_join(s->root, path);
	_cleanup_free_ char *found = depth < VCS_DEPTH_MAX ? vcs_find(root) : NULL;
	int r = 0;

	sub.present = found && !strcmp(found, root);
	if (sub.present)
		r = read_state(s->walk->git, steal_ptr(&found), depth + 1, &nested.state, err);
	sub.commit = xstrdup_null(sub.present ? nested.state.commit : recorded);
	sub.url = submodule_url(s, path);
	if (!sub.url)
		sub.url = xstrdup_null(nested.state.remote);
	sub.dirty = nested.state.dirty || !commit_recorded(s, path, sub.commit);
	s->dirty |= sub.dirty;
	if (nested.state.problem && !s->problem)
		s->problem = xstrdup(nested.state.problem);
	adopt(s, path, &nested.state);
	vec_push(&s->submodules, sub);
	vec_push(&s->walk->nested, nested);
	return r;
}

static int read_submodules(struct vcs_state *s, int depth, struct mlp_error *err)
{
	const struct libgit2 *git = s->walk->git;
	git_index *index = NULL;
	int r = git->git_repository_index(&index, s->walk->repo);
	size_t n;

	if (r)
		return libgit2_error(git, err, "cannot read the index of", s->root);
	vcs_count_filtered(s, index);
	n = git->git_index_entrycount(index);
	for (size_t i = 0; !r && i < n; i++) {
		const git_index_entry *e = git->git_index_get_byindex(index, i);
		char hex[GIT_OID_HEXSZ + 1];

		if (e->mode == GIT_FILEMODE_COMMIT)
			r = add_submodule(s, e->path,
					  git->git_oid_tostr(hex, sizeof(hex), &e->id), depth, err);
	}
	git->git_index_free(index);
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct vcs_file *)a)->path, ((const struct vcs_file *)b)->path);
}

/* Takes root. */
static int read_state(const struct libgit2 *git, char *root, int depth, struct vcs_state *out,
		      struct mlp_error *err)
{
	struct mlp_error why = MLP_ERROR_INIT;
	struct stat st;
	int r;

	out->root = root;
	out->walk = xcalloc(1, sizeof(*out->walk));
	out->walk->git = git;
	out->foreign = !stat(root, &st) && st.st_uid != geteuid();
	r = libgit2_open(git, root, &out->walk->repo, err);
	if (r)
		return r;
	read_branch(out);
	read_remote(out);
	r = read_commit(out, err);
	if (r)
		return r;
	r = compare_files(out);
	if (r)
		libgit2_error(git, &why, "cannot compare the files of", root);
	else
		r = read_submodules(out, depth, &why);
	if (r && !out->problem)
		out->problem = xstrdup(why.text);
	out->dirty |= out->problem || out->walk->changed || out->untracked.len;
	if (out->untracked.len)
		qsort(out->untracked.v, out->untracked.len, sizeof(*out->untracked.v),
		      compare_paths);
	return 0;
}

int vcs_state_read(const char *dir, struct vcs_state *out, struct mlp_error *err)
{
	_release_(vcs_state_release) struct vcs_state state = { 0 };
	_cleanup_free_ char *root = vcs_find(dir);
	const struct libgit2 *git;
	int r;

	if (!root)
		return mlp_error_set(err, MLP_ENOTFOUND, "'%s' is in no git work tree", dir);
	git = libgit2_load(err);
	if (!git)
		return MLP_EUNSUPPORTED;
	r = read_state(git, steal_ptr(&root), 0, &state, err);
	if (!r && git->git_repository_is_bare(state.walk->repo))
		r = mlp_error_set(err, MLP_ENOTFOUND, "'%s' is a bare git repository", state.root);
	if (r)
		return r;
	*out = state;
	state = (struct vcs_state){ 0 };
	return 0;
}

char *vcs_head(const char *dir)
{
	_cleanup_free_ char *root = vcs_find(dir);
	const struct libgit2 *git = root ? libgit2_load(NULL) : NULL;
	char hex[GIT_OID_HEXSZ + 1];
	git_repository *repo = NULL;
	char *commit = NULL;
	git_oid oid;

	if (!git || libgit2_open(git, root, &repo, NULL))
		return NULL;
	if (!git->git_reference_name_to_id(&oid, repo, "HEAD"))
		commit = xstrdup(git->git_oid_tostr(hex, sizeof(hex), &oid));
	git->git_repository_free(repo);
	return commit;
}
