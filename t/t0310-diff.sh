#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp diff: only what differs, of two runs and of more.
. "${srcdir:-.}/t/test-lib.sh"

test_require SQLITE3

test_expect_success 'set up' '
	mlp -q init &&
	sqlite3 .mlp/mlp.db <"$TEST_SOURCE/t/fixtures/runs.sql"
'

test_expect_success 'two runs side by side' '
	mlp diff brave-otter-412 wise-heron-99 >out &&
	cat >exp <<-\EOF &&
	            00000a11         0d044444
	run
	  name      brave-otter-412  wise-heron-99
	  status    finished         killed
	  duration  3m07s            7m12s
	  exit      0                signal 15
	  reason    -                timeout
	  user      ann              bob

	params
	  depth     6                8
	  lr        0.1              0.003

	metrics
	  auc       0.8123           0.8001         -0.0122 (-1.5%)
	  loss      0.4123           0.43           +0.0177 (+4.3%)
	  val/auc   0.7999           -

	tags
	  team      risk             -
	EOF
	test_cmp exp out
'

test_expect_success 'three runs; digits that matter are shown' '
	mlp diff 00000a11 f6066666 0d044444 >out &&
	test_grep "loss  *0.4123  *0.41229  *0.43$" out &&
	test_grep ! "data" out &&
	mlp diff --all 00000a11 f6066666 >out &&
	test_grep "data  *credit.csv  *credit.csv" out
'

test_expect_success 'a run and itself' '
	mlp diff @ @ >out 2>err &&
	test_must_be_empty out &&
	test_grep "do not differ" err &&
	mlp diff --exit-code @ @ &&
	test_expect_code 1 mlp diff --exit-code @ @~1 &&
	mlp diff @ @~1
'

test_expect_success 'what is wrong' '
	test_expect_code 129 mlp diff @ &&
	test_expect_code 128 mlp diff @ nobody 2>err &&
	test_grep nobody err &&
	test_expect_code 129 mlp diff --code --json @ @~1
'

test_expect_success '--json and -z' '
	mlp diff --json 00000a11 0d044444 >out &&
	test_grep "^{\"section\":\"run\",\"key\":\"id\",\"values\":\[\"0193512fa1b07c3e8a4f51cc00000a11\"" out &&
	test_grep "{\"section\":\"metrics\",\"key\":\"val/auc\",\"values\":\[0.7999,null\],\"delta\":null,\"differs\":true}" out &&
	mlp diff -z 00000a11 0d044444 | tr "\000" "\n" >out &&
	test_grep "^key=depth$" out &&
	test_grep "^value.[12]=8$" out &&
	test $(grep -c "^value.1=" out) = $(grep -c "^key=" out) &&
	test $(grep -c "^value.2=" out) = $(grep -c "^key=" out)
'

test_expect_success 'control characters do not reach the terminal' '
	mlp diff 00000a11 e5055555 >out &&
	test_grep "a.x0aname" out &&
	test_grep ! "$(printf "\033")" out
'

test_expect_success GIT 'code, inputs, outputs and environment of real runs' '
	git init -q work &&
	cd work &&
	mlp -q init &&
	echo 1 >train.py && echo a >in.csv &&
	git add train.py in.csv && git -c user.name=a -c user.email=a@b commit -qm one &&
	mlp train -n one -p lr=0.1 -i in.csv -o out -- sh -c "echo 1 >out" &&
	echo 2 >train.py && echo new >more.py && echo b >>in.csv &&
	mlp train -n two -p lr=0.2 -i in.csv -o out -- sh -c "echo 2 >out" &&
	mlp diff one two >out.txt &&
	test_grep "uncommitted changes  *no  *yes" out.txt &&
	test_grep "train.py  *-  *+1 -1" out.txt &&
	test_grep "more.py (untracked)  *-  *[0-9a-f]\{12\}" out.txt &&
	sed -n "/^inputs/,/^outputs/p" out.txt >inputs &&
	test_grep "in.csv  *[0-9a-f]\{12\}  *[0-9a-f]\{12\}" inputs &&
	mlp diff --code one two >out.txt &&
	test_grep "^+2$" out.txt &&
	test_grep "^-1$" out.txt
'

test_done
