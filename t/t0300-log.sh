#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp log: which runs, in what order, with which columns.
. "${srcdir:-.}/t/test-lib.sh"

test_require SQLITE3

# Seven runs of two experiments: nested, reproduced, failed, killed, lost, with a name that
# is not fit for a terminal, and one that nobody supervises.
test_expect_success 'set up' '
	mlp -q init &&
	mlp log >out 2>err &&
	test_must_be_empty out &&
	test_grep "no runs yet" err &&
	sqlite3 .mlp/mlp.db <"$TEST_SOURCE/t/fixtures/runs.sql"
'

test_expect_success 'newest first, one line a run' '
	mlp log >out 2>err &&
	test_must_be_empty err &&
	test_line_count = 8 out &&
	sed -n "2s/ .*//p; 8s/ .*//p" out >ids &&
	test_write_lines f7077777 00000a11 >exp &&
	test_cmp exp ids
'

test_expect_success 'columns follow the runs' '
	mlp log >out &&
	sed 1q out >head &&
	test_grep "EXPERIMENT" head &&
	test_grep "auc  *val.auc  *lr  *depth" head &&
	test_grep ! "system/cpu" head &&
	test_grep ! "data" head &&
	mlp log -e credit >out &&
	sed 1q out >head &&
	test_grep ! EXPERIMENT head
'

test_expect_success 'control characters do not reach the terminal' '
	mlp log >out &&
	test_grep "a.x0aname.x0a.x1b.31m" out &&
	test_grep ! "$(printf "\033")" out
'

test_expect_success 'a run without its supervisor is lost' '
	mlp log --status lost -c name,status >out &&
	test_line_count = 2 out &&
	test_grep lost out &&
	mlp log --live -c name >out &&
	test_write_lines NAME imported >exp &&
	test_cmp exp out &&
	mlp log --status running,failed -c name >out &&
	test_write_lines NAME imported calm-crane-7 >exp &&
	test_cmp exp out
'

test_expect_success '-n, and a note when there are more' '
	mlp log -n 2 -c name >out 2>err &&
	test_line_count = 3 out &&
	test_grep "2 of 7 runs; -n 0 shows all" err &&
	mlp log -n 7 >out 2>err &&
	test_must_be_empty err &&
	mlp -q log -n 2 >out 2>err &&
	test_must_be_empty err &&
	mlp log -n 1 -w "metrics.auc > 0" >out 2>err &&
	test_grep "the first 1 runs" err &&
	test_expect_code 129 mlp log -n -1
'

test_expect_success '--where' '
	mlp log -w "metrics.auc > 0.8 and not params.lr = 0.1" -c name >out &&
	test_write_lines NAME wise-heron-99 >exp &&
	test_cmp exp out &&
	mlp log -w "metrics.auc > 7" >out 2>err &&
	test_must_be_empty out &&
	test_grep "no such runs" err &&
	test_expect_code 129 mlp log -w "metrics.auc >" 2>err &&
	test_grep "expected a value at the end" err
'

test_expect_success '--sort' '
	mlp -q log -s -auc -s started -c name -n 3 >out &&
	test_write_lines NAME brave-otter-412 brave-otter-again wise-heron-99 >exp &&
	test_cmp exp out &&
	mlp -q log -s params.depth -c name -n 2 >out &&
	test_write_lines NAME calm-crane-7 brave-otter-again >exp &&
	test_cmp exp out &&
	mlp -q log --reverse -c name -n 2 >out &&
	test_write_lines NAME brave-otter-412 sweep >exp &&
	test_cmp exp out &&
	test_expect_code 129 mlp log -s nothing 2>err &&
	test_grep "unknown attribute .nothing." err
'

test_expect_success 'a key that is two things must be said in full' '
	sqlite3 .mlp/mlp.db "INSERT INTO param VALUES(2, '\''loss'\'', '\''mse'\'')" &&
	test_when_finished "sqlite3 .mlp/mlp.db \"DELETE FROM param WHERE key = '\''loss'\''\"" &&
	test_expect_code 128 mlp log -s loss 2>err &&
	test_grep "hint: write metrics.loss" err &&
	mlp log -s metrics.loss
'

test_expect_success '--columns' '
	mlp log -e credit -c id,params.lr,metrics.auc,tags.team,user,exit -n 2 >out 2>err &&
	cat >exp <<-\EOF &&
	RUN       lr      auc  team  USER  EXIT
	f7077777  -         -  -     ann      -
	f6066666  0.1  0.8123  risk  ann      0
	EOF
	test_cmp exp out &&
	mlp log -c +host -n 1 >out &&
	test_grep HOST out &&
	test_expect_code 129 mlp log -c id,what 2>err &&
	test_grep "unknown attribute .what." err
'

test_expect_success '--experiment, --since, --until' '
	mlp log -e other -c name >out &&
	test_write_lines NAME calm-crane-7 >exp &&
	test_cmp exp out &&
	mlp log -e other -e credit >out &&
	test_line_count = 8 out &&
	test_expect_code 128 mlp log -e none 2>err &&
	test_grep "no experiment .none." err &&
	mlp log --since 2d --until 1h -c name >out &&
	test_write_lines NAME wise-heron-99 calm-crane-7 sweep >exp &&
	test_cmp exp out &&
	test_expect_code 129 mlp log --since soon 2>err &&
	test_grep "since. needs a time .*, not .soon." err &&
	test_expect_code 129 mlp log --status done 2>err &&
	test_grep "unknown status .done." err &&
	test_grep "^usage: mlp log" err
'

test_expect_success '--graph, with ASCII and with UTF-8' '
	LC_ALL=C mlp log -g -c id >out &&
	cat >exp <<-\EOF &&
	RUN
	* f7077777
	* e5055555
	* 0000b322
	|-* 0d044444
	`-* 00c03333
	* 00000a11
	`-o f6066666
	    attempt 1
	    attempt 2
	EOF
	test_cmp exp out &&
	LC_ALL=C.UTF-8 mlp log -g -c id >out &&
	test_grep "├─● 0d044444" out &&
	test_grep "└─○ f6066666" out
'

test_expect_success '--json holds everything' '
	mlp log --json -c id -w "name = '\''brave-otter-again'\''" >out &&
	test_line_count = 1 out &&
	test_grep "\"short\":\"f6066666\",\"name\":\"brave-otter-again\"" out &&
	test_grep "\"params\":{\"data\":\"credit.csv\",\"depth\":\"6\",\"lr\":\"0.1\"}" out &&
	test_grep "\"metrics\":{\"auc\":0.8123,\"loss\":0.41229,\"val/auc\":0.7999}" out &&
	test_grep "\"team\":\"risk\"" out &&
	test_grep "\"duration_ms\":59000" out &&
	mlp log --json -w "name = '\''calm-crane-7'\''" >out &&
	test_grep "\"metrics\":{\"loss\":\"NaN\"}" out &&
	test_grep "\"parent\":\"0193512fa1b07c3e8a4f51cc0000b322\"" out
'

test_expect_success PYTHON '--json is JSON, one object a line' '
	mlp log --json >out &&
	test_line_count = 7 out &&
	test_json out "len(o[\"id\"]) == 32 and o[\"id\"].endswith(o[\"short\"])" &&
	test_json out "o[\"name\"] and (o[\"ended\"] is None) == (o[\"duration_ms\"] is None)"
'

test_expect_success '-z ends fields and records with NUL' '
	mlp log -z -w "name = '\''sweep'\''" | tr "\000" "\n" >out &&
	test_grep "^status=finished$" out &&
	test_grep "^params.n=40$" out &&
	test_grep "^parent=$" out
'

test_expect_success '--trash and --all' '
	sqlite3 .mlp/mlp.db "UPDATE run SET deleted_ms = 1 WHERE id = 3" &&
	mlp log -c name >out &&
	test_line_count = 7 out &&
	test_grep ! calm-crane out &&
	mlp log --trash -c name >out &&
	test_write_lines NAME calm-crane-7 >exp &&
	test_cmp exp out &&
	mlp log --all >out &&
	test_line_count = 8 out &&
	test_expect_code 129 mlp log --all --trash
'

on_terminal()
{
	python3 -c "import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))" "$@" </dev/null
}

test_expect_success PTY,PYTHON 'a pager that is not there loses nothing' '
	PAGER="nosuch-pager -x" on_terminal mlp log >out &&
	test_grep "warning: there is no pager .nosuch-pager." out &&
	test_grep wise-heron-99 out &&
	PAGER="sed s/heron/crane/" on_terminal mlp log >out &&
	test_grep wise-crane-99 out &&
	MLP_PAGER="PAGER_A=1 sed s/heron/crane/" on_terminal mlp log >out &&
	test_grep wise-crane-99 out
'

test_done
