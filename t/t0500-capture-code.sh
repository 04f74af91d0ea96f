#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a run records of the code it was started in.  That the patch itself is right is
# u-vcs's business; here it is what mlp train makes of each kind of repository.
. "${srcdir:-.}/t/test-lib.sh"

# code KEY: a member of "code" of the newest run, as JSON.
code()
{
	mlp show --json @ >shown &&
	python3 -c "
import json, sys
v = json.load(open('shown'))
for k in sys.argv[1].split('.'):
    v = v and v[int(k) if k.isdigit() else k]
print(json.dumps(v))" "$1" >"$TRASH/value" &&
	rm shown &&
	cat "$TRASH/value"
}

# is KEY VALUE
is()
{
	code "$1" >"$TRASH/got" && echo "$2" >"$TRASH/want" && test_cmp "$TRASH/want" "$TRASH/got"
}

if ! test_have_prereq GIT,PYTHON
then
	test_expect_success GIT,PYTHON 'git and python3' ':'
	test_done
fi

# new NAME: a repository with a commit and a project in it.
new()
{
	cd "$TRASH" && git init -q "$1" && cd "$1" && echo one >a && git add a &&
	git commit -q -m one && mlp -q init
}

test_expect_success 'outside of git no code is recorded, and nothing is said' '
	mkdir plain && cd plain && mlp -q train -- true 2>"$TRASH/err" && is code null && test_cmp /dev/null "$TRASH/err"
'

test_expect_success 'a clean repository' '
	new clean && mlp -q train -- true &&
	is code.commit "\"$(git rev-parse HEAD)\"" && is code.branch "\"main\"" &&
	is code.dirty false && is code.diff null && is untracked "[]"
'

test_expect_success 'its own folder is not part of the code' '
	cd clean && rm .mlp/.gitignore && mlp -q train -- true && is code.dirty false
'

test_expect_success 'a change is a patch, started in a folder below too' '
	cd clean && mkdir -p sub/dir && echo two >>a && (cd sub/dir && mlp -q train -- true) &&
	is code.dirty true && mlp show @:diff >"$TRASH/patch" && git diff --binary --full-index HEAD >"$TRASH/want" &&
	test_cmp "$TRASH/want" "$TRASH/patch"
'

test_expect_success 'the index of the user is not written' '
	cd clean && touch -d "2020-01-01" a && cp -p .git/index "$TRASH/index" && mlp -q train -- true &&
	cmp .git/index "$TRASH/index"
'

test_expect_success 'detached HEAD' '
	cd clean && git checkout -q --detach && mlp -q train -- true && is code.branch null &&
	is code.commit "\"$(git rev-parse HEAD)\""
'

test_expect_success 'an empty repository' '
	cd "$TRASH" && git init -q empty && cd empty && mlp -q init && echo x >staged && git add staged &&
	echo y >loose && mlp -q train -- true && is code.commit null && is code.branch "\"main\"" &&
	is untracked.0.path "\"loose\"" && mlp show @:diff >patch && test_grep "new file mode" patch
'

test_expect_success 'a worktree' '
	cd "$TRASH/clean" && git worktree add -q ../wt -b side && cd ../wt && echo w >>a &&
	mlp -q init && mlp -q train -- true && is code.branch "\"side\"" && is code.dirty true
'

test_expect_success 'a bare repository counts as none' '
	cd "$TRASH" && git init -q --bare bare.git && cd bare.git && mlp -q init && mlp -q train -- true 2>"$TRASH/err" &&
	is code null && test_cmp /dev/null "$TRASH/err"
'

test_expect_success 'a submodule, changed and with an untracked file' '
	new super && git init -q "$TRASH/module" && (cd "$TRASH/module" && echo m >m && git add m && git commit -q -m m) &&
	git -c protocol.file.allow=always submodule --quiet add "$TRASH/module" mod && git commit -q -m mod &&
	mlp -q train -- true && is code.dirty false && is code.detail.submodules.0.path "\"mod\"" &&
	echo more >>mod/m && echo u >mod/u && mlp -q train -- true && is code.dirty true &&
	is code.detail.submodules.0.dirty true && is untracked.0.path "\"mod/u\"" &&
	mlp show @:diff >patch && test_grep "b/mod/m" patch
'

test_expect_success 'started within a submodule' '
	cd super/mod && mlp -q train -- true && is code.root "\"$TRASH/super/mod\""
'

test_expect_success 'the remote, without its credentials' '
	new remote && git remote add origin https://me:secret@host.example/r.git && mlp -q train -- true &&
	is code.remote "\"https://host.example/r.git\"" && ! grep -r secret .mlp
'

test_expect_success 'untracked files: links, modes, hostile names; ignored ones are left out' '
	new untracked && echo "*.o" >.gitignore && git add .gitignore && git commit -q -m i &&
	echo x >x.o && printf "#!/bin/sh\n" >run && chmod +x run && ln -s nowhere link &&
	echo n >"$(printf "new\nline")" && echo q >"quo\"te" && echo b >"$(printf "b\377d")" &&
	mlp -q train -- true && mlp show --json @ >../shown && python3 - <<-\PY
	import json
	files = {f["path"]: f for f in json.load(open("../shown", errors="replace"))["untracked"]}
	assert len(files) == 5, files.keys()
	assert files["run"]["mode"] == 0o100755 and files["link"]["mode"] & 0o170000 == 0o120000
	assert all(f["stored"] and f["sha256"] for f in files.values())
	assert "new\nline" in files and "quo\"te" in files
	PY
'

test_expect_success 'over the limit: names and hashes, and a warning with numbers' '
	new large && head -c 3000 /dev/zero >big && echo s >small &&
	mlp -q -c capture.untrackedMax=1k train -- true 2>"$TRASH/err" &&
	test_grep "1 of 2 untracked files" "$TRASH/err" && test_grep capture.untrackedMax "$TRASH/err" &&
	is untracked.0.stored false && is untracked.1.stored true &&
	is untracked.0.sha256 "\"$(sha256sum <big | cut -d" " -f1)\""
'

test_expect_success 'too many files: the fullest folder comes last' '
	new many && mkdir data && for i in 1 2 3 4 5; do echo $i >data/$i || return 1; done && echo z >z.py &&
	mlp -q -c capture.untrackedFiles=2 train -- true 2>"$TRASH/err" &&
	test_grep "4 of 6 untracked files" "$TRASH/err" && test_grep capture.untrackedFiles "$TRASH/err" &&
	is untracked.5.path "\"z.py\"" && is untracked.5.stored true && is untracked.0.stored true &&
	is untracked.1.stored false && is untracked.1.sha256 "\"$(sha256sum <data/2 | cut -d" " -f1)\""
'

test_expect_success 'secrets by name: their hashes only, and it is said' '
	new secrets && mkdir .ssh && echo hidden-word >.env && echo hidden-word >.ssh/id_rsa && echo x=1 >.env.example &&
	echo p >my.secret && echo k >fine.key && mlp config set capture.secret "*.secret !fine.key" &&
	mlp train --dry-run true >plan && test_grep "hash only *.env$" plan && rm plan &&
	mlp train -- true 2>"$TRASH/err" && test_grep "3 untracked files look like secrets.*: .env, .ssh/id_rsa, my.secret" "$TRASH/err" &&
	is untracked.0.path "\".env\"" && is untracked.0.stored false &&
	is untracked.0.sha256 "\"$(sha256sum <.env | cut -d" " -f1)\"" &&
	is untracked.1.stored true && is untracked.2.stored false && is untracked.3.stored true && is untracked.4.stored false &&
	is code.detail.untracked.hash_only_files 3 && ! grep -rq hidden-word .mlp &&
	mlp show @ >"$TRASH/out" && test_grep "not stored.*3 untracked" "$TRASH/out"
'

test_expect_success 'what others may not read they may not read in the store' '
	new private && echo mine >mine && chmod 600 mine && echo ours >ours && chmod 644 ours &&
	(umask 022 && mlp -q train -o mine -- true) &&
	object() { sha256sum <"$1" | sed "s|^\(..\)\([^ ]*\).*|.mlp/objects/\1/\2|"; } &&
	test "$(stat -c %a "$(object mine)")" = 400 && test "$(stat -c %a "$(object ours)")" = 444 &&
	test "$(mlp show @:mine)" = mine &&
	cp mine also && chmod 644 also && (umask 022 && mlp -q train -- true) &&
	test "$(stat -c %a "$(object mine)")" = 444
'

test_expect_success 'a patch over the limit is not stored, and is said' '
	new huge && head -c 100000 /dev/urandom >a && mlp -q -c capture.diffMax=10k train -- true 2>"$TRASH/err" &&
	test_grep capture.diffMax "$TRASH/err" && is code.diff null && is code.detail.diff_complete false
'

test_expect_success BOUND 'an unreadable file is a name' '
	new unreadable && echo x >secret && chmod 0 secret && test_bound mlp -q train -- true 2>"$TRASH/err" &&
	test_grep "by name only" "$TRASH/err" && is untracked.0.sha256 null
'

test_expect_success 'a repository within that is no submodule' '
	new within && git init -q inner && (cd inner && echo i >i && git add i && git commit -q -m i) &&
	mlp -q train -- true 2>"$TRASH/err" && is untracked.0.path "\"inner\"" && test_grep "by name only" "$TRASH/err"
'

test_expect_success ROOT 'of another user: recorded, with a warning' '
	new foreign && echo z >>a && chown -R 12345 . && mlp -q train -- true 2>"$TRASH/err" &&
	test_grep "belongs to another user" "$TRASH/err" && is code.dirty true
'

test_expect_success 'a broken repository does not keep anybody from working' '
	new broken && echo z >>a && rm -rf .git/objects/?? && mlp -q train -- echo ran >"$TRASH/out" 2>"$TRASH/err" &&
	test_grep ran "$TRASH/out" && test_grep "not recorded" "$TRASH/err"
'

test_expect_success 'a broken index: the commit is kept' '
	new badindex && printf garbage >.git/index && mlp -q train -- echo ran >"$TRASH/out" 2>"$TRASH/err" &&
	test_grep ran "$TRASH/out" && test_grep "only the commit is recorded" "$TRASH/err" &&
	is code.commit "\"$(git rev-parse HEAD)\""
'

test_expect_success 'a .git that is none' '
	cd "$TRASH" && mkdir not && cd not && mkdir .git && mlp -q init && mlp -q train -- true 2>"$TRASH/err" &&
	is code null && rmdir .git && echo "gitdir: /nowhere" >.git && mlp -q train -- true 2>"$TRASH/err" &&
	test_grep "not recorded" "$TRASH/err"
'

test_done
