/* SPDX-License-Identifier: Apache-2.0 */
/* Each situation is made with git itself; then the patch must take a checkout of the
 * commit to the work tree's files, by "git apply" and by vcs_apply(). */
#include "config.h"

#include <errno.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/vcs/git.h"
#include "t/unit/tap.h"

extern char **environ;

/* Exit code of a script, run in dir. */
static int sh(const char *dir, const char *script)
{
	_cleanup_free_ char *full = xasprintf("set -e; exec >&2; cd '%s'; %s", dir, script);
	char name[] = "sh", flag[] = "-c";
	char *argv[] = { name, flag, full, NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, "sh", NULL, NULL, argv, environ))
		return -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int collect(void *data, const char *text, size_t len, struct mlp_error *err)
{
	(void)err;
	strbuf_add(data, text, len);
	return 0;
}

static const char base[] =
	"git init -q; seq 1 50 >a.txt; mkdir d; seq 1 9 >d/b.txt; printf x >no-newline;"
	"head -c 3000 /dev/urandom >bin; ln -s a.txt link; : >empty; printf '#!/bin/sh\\n' >run.sh;"
	"chmod +x run.sh; seq 1 30 >'with space'; git add .; git commit -qm one; git tag base;";

static const struct {
	const char *name, *script;
} cases[] = {
	{ "nothing", ":" },
	{ "text", "sed -i s/7/seven/ a.txt; echo 10 >>d/b.txt" },
	{ "no newline at the end", "printf y >no-newline; printf 51 >>a.txt" },
	{ "binary", "head -c 5000 /dev/urandom >bin" },
	{ "binary delta", "printf 'zz' >>bin" },
	{ "binary made", "head -c 100 /dev/urandom >new.bin; git add new.bin" },
	{ "binary deleted", "rm bin" },
	{ "binary to empty", ": >bin" },
	{ "mode", "chmod -x run.sh; chmod +x a.txt" },
	{ "mode and text", "chmod +x a.txt; echo more >>a.txt" },
	{ "deleted", "rm d/b.txt; git rm -q a.txt" },
	{ "added to the index", "echo n >new; mkdir e; echo m >e/new; git add new e" },
	{ "empty file added", ": >new; git add new" },
	{ "added, then deleted", "echo n >new; git add new; rm new" },
	{ "staged, then changed", "echo s >a.txt; git add a.txt; echo w >>a.txt" },
	{ "staged, then changed back", "echo s >a.txt; git add a.txt; git show HEAD:a.txt >a.txt" },
	{ "renamed", "git mv a.txt z.txt; echo x >>z.txt" },
	{ "link changed", "ln -sfn d link" },
	{ "link to file", "rm link; echo plain >link" },
	{ "file to link", "rm a.txt; ln -s d a.txt" },
	{ "file to folder", "rm empty; mkdir empty; echo x >empty/f; git add -A empty" },
	{ "folder to file", "git rm -qr d; echo file >d; git add d" },
	{ "spaces and tabs", "echo x >>'with space'; echo y >'t\tb'; git add -A" },
	{ "hostile names",
	  "n=$(printf 'new\\nline'); q=$(printf 'q\"\\\\\\047'); b=$(printf '\\377\\376bad');"
	  "echo 1 >\"$n\"; echo 2 >\"$q\"; echo 3 >\"$b\"; echo 4 >-dash; git add -A;"
	  "git commit -qm names; echo 5 >>\"$n\"; echo 6 >>\"$q\"; rm \"$b\"; echo 7 >>-dash;"
	  "printf '\\303\\244' >ümlaut; git add -A" },
	{ "intent to add", "echo later >ita; git add -N ita" },
	{ "settings that change patches",
	  "git config diff.noprefix true; git config diff.mnemonicPrefix true;"
	  "git config diff.context 0; git config core.quotePath false; echo x >>a.txt" },
	{ "conflict",
	  "git checkout -qb other; sed -i s/25/other/ a.txt; git commit -qam other;"
	  "git checkout -q main; sed -i s/25/main/ a.txt; git commit -qam main;"
	  "git merge -q other || :; grep -q '<<<<' a.txt" },
	{ "detached", "git checkout -q --detach; echo x >>a.txt" },
	{ "crlf in content", "printf 'a\\r\\nb\\r\\n' >a.txt" },
	{ "patch-like content", "printf -- '--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n' >a.txt" },
	{ "submodule changed",
	  "git init -q ../sub; (cd ../sub; seq 1 9 >s; git add s; git commit -qm s);"
	  "git -c protocol.file.allow=always submodule --quiet add ../sub mod 2>/dev/null;"
	  "git commit -qm mod; sed -i s/5/five/ mod/s; echo x >>a.txt" },
	{ "worktree",
	  "git worktree add -q ../wt; cd ../wt; echo x >>a.txt; rm bin;"
	  "cd ..; mv repo repo.main; mv wt repo; git -C repo.main worktree repair -q ../repo"
	  " 2>/dev/null || git -C repo.main worktree repair \"$PWD/repo\"" },
};

/* Files, modes and link targets, without git's own and what is untracked. */
static const char compare[] =
	"list() { (cd $1; find . -name .git -prune -o ! -type d -printf '%P %y %l ' "
	"\\( -perm -100 -printf x -o -printf - \\) -printf '\\n' | LC_ALL=C sort); };"
	"list plain >1; list $d >2; diff -u 1 2; diff -r --no-dereference -x .git plain $d";

static void check_case(const char *dir, const char *name, const char *script)
{
	_cleanup_free_ char *repo = path_join(dir, "repo"), *out = path_join(dir, "out");
	_cleanup_free_ char *made = xasprintf("mkdir repo; cd repo; %s %s", base, script);
	_cleanup_free_ char *patch = path_join(dir, "patch");
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(vcs_state_release) struct vcs_state s = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;
	int r;

	is_int(sh(dir, made), 0, "%s: made", name);
	is_int(vcs_state_read(repo, &s, &err), 0, "%s: read %s", name, err.text);
	ok(!s.problem, "%s: no problem %s", name, s.problem ? s.problem : "");
	is_int(vcs_diff(&s, collect, &text, &err), 0, "%s: diff %s", name, err.text);
	is_int(file_replace(patch, text.buf, text.len, 0666), 0, "%s: written", name);
	is_int(sh(dir, "cp -a repo plain; cd plain; rm -rf .git; cp -a ../repo/.git .;"
		       "git ls-files -z -o --exclude-standard | xargs -0r rm --;"
		       "find . -name .git -prune -o -type d -empty -print | xargs -r rmdir"),
	       0, "%s: copied", name);
	is_int(sh(dir, "git clone -q --no-local --recurse-submodules -c protocol.file.allow=always"
		       " repo applied 2>/dev/null; cd applied;"
		       "test ! -s ../patch || { git apply --binary --check ../patch;"
		       " git apply --binary ../patch; }; cd ..; d=applied;" ), 0, "%s: git apply", name);
	_cleanup_free_ char *cmp1 = xasprintf("d=applied; %s", compare);
	is_int(sh(dir, cmp1), 0, "%s: git apply gives the files", name);
	is_int(vcs_export(repo, s.commit, out, &err), 0, "%s: exported %s", name, err.text);
	r = vcs_apply(out, text.buf, text.len, &err);
	is_int(r, 0, "%s: applied %s", name, err.text);
	_cleanup_free_ char *cmp2 = xasprintf("d=out; %s", compare);
	is_int(sh(dir, cmp2), 0, "%s: same files", name);
	is_int(sh(dir, "cd out; test \"$(git rev-parse HEAD)\" = \"$(git -C ../repo rev-parse HEAD)\""),
	       0, "%s: at the commit", name);
}

static void check_patches(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *dir = tap_folder();

		check_case(dir, cases[i].name, cases[i].script);
		if (!getenv("KEEP"))
			path_remove_tree(dir);
	}
}

int main(void)
{
	char *home = tap_folder();

	plan_lazy();
	setenv("HOME", home, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_ALLOW_PROTOCOL", "file", 1);
	setenv("GIT_AUTHOR_NAME", "A U Thor", 1);
	setenv("GIT_AUTHOR_EMAIL", "author@example.com", 1);
	setenv("GIT_COMMITTER_NAME", "C O Mitter", 1);
	setenv("GIT_COMMITTER_EMAIL", "committer@example.com", 1);
	if (sh(home, "git config --global init.defaultBranch main")) {
		skip(1, "no git");
		return done_testing();
	}
	check_patches();
	path_remove_tree(home);
	free(home);
	return done_testing();
}
