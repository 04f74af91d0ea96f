#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp reproduce: the same code, inputs and command give the same results, and what does
# not is named.
. "${srcdir:-.}/t/test-lib.sh"

if ! test_have_prereq GIT
then
	test_expect_success GIT 'git' ':'
	test_done
fi

# A training that is a pure function of code, data and seed.
new()
{
	cd "$TRASH" && git init -q "$1" && cd "$1" && cat >train.sh <<-\SH &&
	. ./factor.sh
	n=$(wc -c <data/in.txt)
	echo "{\"loss\": $((n * factor + ${MLP_SEED:-0})), \"step\": 1}" >&$MLP_FD
	mkdir -p out && cat data/in.txt extra.txt >out/model
	echo trained
	SH
	echo factor=2 >factor.sh && mkdir data && echo abc >data/in.txt &&
	printf "data\nout\n" >.gitignore && git add . && git commit -q -m one &&
	echo factor=3 >factor.sh && echo extra >extra.txt && mlp -q init &&
	mlp -q train --seed 5 -i data -o out -- sh train.sh
}

test_expect_success 'identical: 0, also when the folder has moved on' '
	new same && echo factor=9 >factor.sh && rm extra.txt && git commit -qam later && rm -r out &&
	mlp reproduce @ >table 2>err && test_grep "trained" err && ! grep trained table &&
	test_grep "^metric *loss *17 *17 *same" table && test_grep "^output *out/model .*same" table &&
	test_grep "3 of 3 results are the same" err
'

test_expect_success 'nothing of the user is touched, and no work tree is left' '
	cd same && test ! -e out && test ! -e extra.txt && git diff --quiet HEAD && git worktree list >w &&
	test_line_count = 1 w && ls .mlp/tmp >left && test_cmp /dev/null left
'

test_expect_success 'the new run says of which it is a copy' '
	cd same && mlp tag @ >tags && test_grep mlp.reproduceOf tags
'

test_expect_success 'a reproduction can be reproduced' '
	cd same && mlp reproduce @ >table && test_grep "^metric *loss .*same" table
'

test_expect_success '--check runs nothing' '
	new check && mlp log >before && mlp reproduce --check @ && mlp log >after &&
	test_cmp before after
'

test_expect_success 'a changed input: 3, with what it was and is' '
	cd check && echo changed >data/in.txt && test_expect_code 3 mlp reproduce --check @ >table &&
	test_grep "^input *data/in.txt .*changed" table
'

test_expect_success 'a missing input: 3' '
	cd check && rm data/in.txt && test_expect_code 3 mlp reproduce @ >table &&
	test_grep "^input *data/in.txt .*missing" table
'

test_expect_success 'an input that the store has is taken from there' '
	new stored && mlp -q train -i out/model -o copy -- sh -c "cat out/model >copy" && rm -r out &&
	mlp reproduce @ >table && test_grep "^output *copy .*same" table
'

test_expect_success 'nothing is written through a link of the work tree' '
	new link && rm -rf data && mkdir "$TRASH/mnt" && ln -s "$TRASH/mnt" data && git add -f data && git commit -q -m link &&
	mlp -q train -o data/in -- sh -c "echo 1 >data/in" && mlp -q train -i data/in -- cat data/in &&
	mlp reproduce --check @ && echo 2 >data/in && test_expect_code 3 mlp reproduce @ >table &&
	test_grep "^input *data/in .*changed" table && test "$(cat "$TRASH/mnt/in")" = 2 &&
	rm data/in && test_expect_code 3 mlp reproduce @ >table &&
	test_grep "^input *data/in .*missing" table && test_path_is_missing "$TRASH/mnt/in"
'

test_expect_success 'a link that leads elsewhere from the work tree' '
	new relative && rm -rf data && mkdir ../beside && ln -s ../beside data && git add -f data && git commit -q -m link &&
	echo 1 >data/in && mlp -q train -i data/in -- cat data/in &&
	test_expect_code 3 mlp reproduce @ >table && test_grep "^input *data/in .*missing" table &&
	test "$(cat ../beside/in)" = 1 && test_path_is_missing .mlp/tmp/beside &&
	mlp -q train -i data -- cat data/in && mlp reproduce @
'

test_expect_success 'a result that differs: 1' '
	cd "$TRASH" && git init -q random && cd random && git commit -q --allow-empty -m e && mlp -q init &&
	mlp -q train -o r -- sh -c "echo \$\$ >r; echo {\\\"x\\\": \$\$} >&\$MLP_FD" &&
	test_expect_code 1 mlp reproduce @ >table && test_grep "^output *r .*differs" table &&
	test_grep "^metric *x .*differs" table
'

test_expect_success '--tolerance and --ignore' '
	cd random && mlp reproduce --tolerance 1 --ignore r @~1 >table && test_grep "^metric *x .*same" table &&
	test_expect_code 129 mlp reproduce --tolerance x @ && test_expect_code 129 mlp reproduce --tolerance -1 @
'

test_expect_success 'without outputs and metrics the end is compared' '
	cd random && mlp -q train -- true && mlp reproduce @ >table 2>err && test_grep "neither outputs nor metrics" err &&
	test_grep "^exit *code *0 *0 *same" table
'

test_expect_success 'a failed run fails again: identical' '
	cd random && test_expect_code 7 mlp -q train -- sh -c "exit 7" && mlp reproduce @ >table && test_grep "^exit *code *7 *7 *same" table
'

test_expect_success '--dir makes the work tree there, at the commit, and keeps it' '
	new dir && mlp reproduce --check --dir ../there @ && test "$(cat ../there/factor.sh)" = factor=3 &&
	test -f ../there/extra.txt && test "$(git -C ../there rev-parse HEAD)" = "$(git rev-parse HEAD)" &&
	test_expect_code 128 mlp reproduce --check --dir ../there @ 2>err && test_grep "cannot use the folder" err
'

test_expect_success 'started in a folder below' '
	new below && mkdir sub && printf "cat ../factor.sh >o\n" >sub/s.sh && git add sub && (cd sub && mlp -q train -o o -- sh s.sh) &&
	mlp reproduce @ >table && test_grep "^output *o .*same" table
'

test_expect_success 'hostile names, links and modes come back' '
	new names && n=$(printf "new\nline") && echo 1 >"$n" && ln -s "$n" link && printf "#!/bin/sh\n" >"q\"x" && chmod +x "q\"x" &&
	mkdir "a b" && echo 2 >"a b/$(printf "b\377d")" && mlp -q train -- true &&
	mlp reproduce --check --dir ../names2 @ && for f in "$n" "a b/$(printf "b\377d")"; do cmp "$f" "../names2/$f" || return 1; done &&
	test "$(readlink ../names2/link)" = "$n" && test -x "../names2/q\"x"
'

test_expect_success 'a submodule at another commit, changed' '
	new super && git init -q "$TRASH/module" && (cd "$TRASH/module" && echo 1 >m && git add m && git commit -q -m 1) &&
	git -c protocol.file.allow=always submodule --quiet add "$TRASH/module" mod && git commit -q -m mod &&
	(cd mod && echo 2 >m && git commit -q -am 2 && echo 3 >>m && echo u >u) &&
	mlp -q train -o o -- sh -c "cat mod/* >o" && mlp reproduce @ >table && test_grep "^output *o .*same" table
'

test_expect_success 'a folder with a line end in its name' '
	new "$(printf "line\nend")" && mlp reproduce @ >table && test_grep "^output *out/model .*same" table
'

test_expect_success 'a filter of git is not run, which is said' '
	new filter && echo "*.up filter=upper" >.gitattributes && echo abc >a.up && echo abc >b.txt && git add . &&
	git commit -q -m filter && mlp -q train -- true 2>err && test_grep "1 tracked files go through the filter .upper." err &&
	mlp reproduce --check @ 2>err && test_grep "the filter .upper. of git is not run" err
'

test_expect_success 'an empty repository' '
	cd "$TRASH" && git init -q unborn && cd unborn && mlp -q init && echo s >s && git add s && echo u >u &&
	mlp -q train -o o -- sh -c "cat s u >o" && mlp reproduce @ >table && test_grep "^output *o .*same" table
'

test_expect_success 'the commit is gone: 3, with where to fetch it' '
	cd "$TRASH" && git init -q gone && cd gone && git commit -q --allow-empty -m e && mlp -q init &&
	git remote add origin https://host.example/r.git && mlp -q train -- true && rm -rf .git &&
	test_expect_code 3 mlp reproduce --check @ 2>err && test_grep "fetch it from" err
'

test_expect_success 'code that was not stored: 1 with --check, and named' '
	new large && head -c 3000 /dev/zero >big && mlp -q -c capture.untrackedMax=1k train -- true 2>/dev/null &&
	mlp reproduce --check @ && rm big && test_expect_code 1 mlp reproduce --check @ >table &&
	test_grep "^code *big .*missing" table
'

test_expect_success 'a damaged object is not taken for the code' '
	new damaged && f=$(mlp show --json @ | sed "s/.*extra.txt[^}]*sha256\":\"\([0-9a-f]*\).*/\1/") &&
	o=$(find .mlp/objects -type f | grep "$(echo "$f" | cut -c3-)") && chmod u+w "$o" && echo X >"$o" &&
	test_must_fail mlp reproduce --check @ >table 2>err && cat table err >both && test_grep "extra.txt\|damaged\|corrupt\|not what" both
'

test_expect_success 'outside of git: in place, with a warning' '
	cd "$TRASH" && mkdir plain && cd plain && mlp -q init && mlp -q train -o o -- sh -c "echo x >o" && rm o &&
	mlp reproduce @ >table 2>err && test_grep "in place" err && test_grep "^output *o .*same" table
'

test_expect_success 'environment: what breaks decides --check' '
	new env && PYTHONHASHSEED=1 mlp -q train -- true && test_expect_code 1 mlp reproduce --check @ >table 2>err &&
	test_grep "variables.PYTHONHASHSEED .*breaking" table && test_grep "1 breaking" err &&
	OMP_NUM_THREADS=2 PYTHONHASHSEED=1 mlp reproduce --check @ >table && test_grep "variables.OMP_NUM_THREADS .*tolerable" table
'

test_expect_success 'standard input is compared: the same is a result, another differs' '
	new stdin && echo hello | mlp -q train -- sh -c "cat >/dev/null" && echo hello >../hello &&
	echo hello | mlp reproduce @ >table && test_grep "^input *standard input .*same" table &&
	mlp reproduce @ <../hello >table && test_grep "^input *standard input .*same" table &&
	echo other | test_expect_code 1 mlp reproduce @ >table && test_grep "^input *standard input .*differs" table &&
	echo other | mlp reproduce --ignore "standard*" @
'

test_expect_success 'standard input that cannot come is missing: 3, before anything runs' '
	cd stdin && echo hello | mlp -q train -- sh -c "cat >/dev/null" && mlp log >before &&
	test_expect_code 3 mlp reproduce @ </dev/null >table && test_grep "^input *standard input .*missing" table &&
	test_expect_code 3 mlp reproduce --check @ </dev/null && test_expect_code 3 mlp reproduce --check @ <&- &&
	echo other >../other && test_expect_code 3 mlp reproduce @ <../other >table &&
	test_grep "^input *standard input .*changed" table && mlp log >after && test_cmp before after &&
	mlp reproduce --check @ <../hello && echo hello | mlp reproduce --check @
'

test_expect_success 'standard input that only the new run reads differs' '
	new unread && mlp -q train -- cat </dev/null && echo x | test_expect_code 1 mlp reproduce @ >table &&
	test_grep "^input *standard input .*new" table
'

test_expect_success '--json: one object a line' '
	new json && mlp reproduce --json @ >lines 2>/dev/null &&
	test_grep "^{\"kind\":\"metric\",\"name\":\"loss\",\"was\":\"17\",\"is\":\"17\",\"result\":\"same\"}$" lines
'

test_expect_success 'what cannot be reproduced' '
	test_expect_code 128 mlp reproduce nothing-like-it 2>err && test_expect_code 129 mlp reproduce
'

test_done
