#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp train: signals, limits, attempts, and what outlives the command.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

stored()
{
	sqlite3 .mlp/mlp.db "$1"
}
last()
{
	stored "SELECT $1 FROM run ORDER BY id DESC LIMIT 1"
}
# until_true COMMAND: for at most 10 s.
until_true()
{
	for _ in $(seq 200)
	do
		eval "$1" && return 0
		sleep 0.05
	done
	return 1
}
# A background shell would have SIGINT ignored: this does not.
start()
{
	rm -f ready
	env --default-signal=INT mlp train "$@" >out 2>err &
	pid=$!
	until_true 'test -f ready'
}
waits='touch ready; while :; do sleep 0.05; done'
left=$((100000 + $$)) # seconds of sleep, found by pgrep among all processes of the machine

mlp init >/dev/null

test_expect_success 'the first interrupt is passed on' '
	start -- sh -c "trap \"echo saved; exit 5\" INT; $waits" &&
	kill -INT $pid &&
	test_expect_code 5 wait $pid &&
	test_grep saved out &&
	test "$(last "status, exit_code, reason")" = "5|5|interrupted"
'

test_expect_success 'SIGCHLD that is ignored around us' '
	test_expect_code 5 timeout 20 env --ignore-signal=CHLD mlp train -- sh -c "exit 5" &&
	test "$(last "status, exit_code")" = "4|5"
'

test_expect_success 'the second one kills' '
	start -- sh -c "trap \"echo no\" INT; $waits" &&
	kill -INT $pid && until_true "grep -q no out" && kill -INT $pid &&
	test_expect_code 137 wait $pid &&
	test "$(last "status, exit_signal, reason")" = "5|9|interrupted"
'

test_expect_success 'SIGTERM, then the grace, then SIGKILL' '
	start --grace 0.3 -- sh -c "trap \"\" TERM; $waits" &&
	kill -TERM $pid &&
	test_expect_code 137 wait $pid &&
	test "$(last "status, reason")" = "5|stopped"
'

test_expect_success 'SIGUSR1 is passed on' '
	start -- sh -c "trap \"exit 3\" USR1; $waits" &&
	kill -USR1 $pid &&
	test_expect_code 3 wait $pid &&
	test "$(last "status, reason")" = "4|"
'

test_expect_success 'what is ignored from the start stays so, for the command too' '
	rm -f ready &&
	{ env --ignore-signal=HUP,INT,QUIT,TERM mlp train --grace 0.2 -- \
		sh -c "trap \"exit 3\" USR1; $waits" >out 2>err & } && pid=$! &&
	until_true "test -f ready" &&
	kill -HUP $pid && kill -INT $pid && kill -QUIT $pid && kill -TERM $pid &&
	sh -c "kill -HUP \$1; kill -TERM \$1" - $(pgrep -P $pid) &&
	kill -USR1 $pid &&
	test_expect_code 3 wait $pid &&
	test "$(last "status, reason")" = "4|"
'

test_expect_success 'a timeout is 124' '
	test_expect_code 124 mlp -q train --timeout 0.2 -- sleep 20 &&
	test "$(last "status, exit_signal, reason")" = "5|15|timeout" &&
	test_expect_code 124 mlp -q train --timeout 2 --grace 0.2 -- sh -c "trap \"\" TERM; sleep 20; sleep 20" &&
	test "$(last "exit_signal, reason")" = "9|timeout"
'

test_expect_success 'attempts: one run, until it succeeds' '
	mlp train --retry 3 -- sh -c "echo \$MLP_ATTEMPT >>tries; test \$MLP_ATTEMPT = 2" 2>err &&
	printf "1\n2\n" >expect && test_cmp expect tries &&
	test "$(last "status, exit_code")" = "3|0" &&
	test "$(stored "SELECT number, exit_code FROM attempt ORDER BY id DESC LIMIT 2" | tr "\n" " ")" = "2|0 1|1 "
'

test_expect_success 'attempts run out; a stopped run is not tried again' '
	test_expect_code 6 mlp -q train --retry 1 -- sh -c "exit 6" &&
	test "$(last "exit_code")" = 6 &&
	start --retry 5 -- sh -c "trap \"exit 1\" TERM; $waits" &&
	kill -TERM $pid &&
	test_expect_code 1 wait $pid &&
	test "$(stored "SELECT max(number) FROM attempt WHERE run_id = (SELECT max(id) FROM run)")" = 1
'

test_expect_success 'what outlives the command is ended, also a daemon' '
	test_expect_code 2 mlp train -- sh -c "sleep $left &
		setsid sleep $left >/dev/null 2>&1 </dev/null & exit 2" 2>err &&
	test_grep "ending 2 processes that outlived" err &&
	test_must_fail pgrep -f "^sleep $left"
'

test_expect_success 'a process that ignores SIGTERM is killed after the grace' '
	mlp -q train --grace 0.3 -- sh -c "(trap \"\" TERM; sleep $left; sleep $left) & exit 0" &&
	test_must_fail pgrep -f "^sleep $left"
'

test_expect_success 'use of the whole tree is recorded' '
	mlp -q train -- sh -c "sh -c \"i=0; while test \\\$i -lt 200000; do i=\\\$((i + 1)); done\"" &&
	test "$(stored "SELECT user_ms + system_ms > 20, max_rss_kib > 500 FROM attempt ORDER BY id DESC LIMIT 1")" = "1|1" &&
	test "$(stored "SELECT device_ms > 20, closed FROM usage ORDER BY id DESC LIMIT 1")" = "1|1"
'

test_expect_success 'low priority' '
	mlp -q train --nice -- nice >out &&
	nice -n 10 nice >expect &&
	test_cmp expect out
'

test_expect_success 'without GPUs --gpus says so, 0 hides them' '
	MLP_NVML_LIB=/nonexistent test_must_fail mlp train --gpus 1 -- true 2>err &&
	test_grep "cannot choose GPUs" err &&
	mlp -q train --gpus 0 -- sh -c "echo \"[\$CUDA_VISIBLE_DEVICES]\"" >out &&
	echo "[]" >expect && test_cmp expect out &&
	for gpus in x "" -1 0,,1 0,x
	do
		test_expect_code 129 mlp train --gpus "$gpus" -- true 2>err &&
		test_grep "gpus takes a number or a list" err || return 1
	done
'

test_expect_success 'a budget needs a price and ends the run' '
	test_expect_code 128 mlp train --max-cost 5 -- true 2>err &&
	test_grep "no price is known" err &&
	test_expect_code 124 mlp -q -c cost.cpu.price="3600000 USD" train --max-cost 0.01 -- \
		sh -c "while :; do :; done" &&
	test "$(last "status, reason")" = "5|budget" &&
	test_expect_code 129 mlp train --max-cost lots -- true
'

test_expect_success 'a supervisor killed: the run is lost, reaping settles it' '
	start -n lost -- sh -c "trap \"\" TERM; echo \"{\\\"m\\\": 1}\" >&3; echo said; echo odd >&3; printf \"{\\\"m\\\": 2}\" >&3; $waits; exec sleep $left" &&
	until_true "grep -q said out" && kill -9 $pid &&
	test_expect_code 137 wait $pid &&
	pgrep -f "exec sleep $left" &&
	mlp train --reap --grace 0.2 >out &&
	test_grep " lost " out &&
	test_must_fail pgrep -f "exec sleep $left" &&
	test "$(last "status, reason")" = "6|supervisor died" &&
	test "$(stored "SELECT points FROM metric m JOIN metric_key k ON k.id = m.key_id WHERE k.name = '\''m'\''")" = 2 &&
	mlp -q watch -s lost >out 2>err && echo said >expect && test_cmp expect out &&
	test_grep odd err &&
	test -z "$(ls .mlp/runs)" &&
	mlp train --reap --json >out && test_must_be_empty out &&
	test "$(stored "SELECT count(*) FROM usage WHERE closed = 0")" = 0
'

test_expect_success 'a lost run lasted until it was last heard of' '
	start -n quiet -- sh -c "$waits" && touch mark &&
	until_true "test -n \"\$(find .mlp/runs -name lock -newer mark)\"" &&
	kill -9 $pid && test_expect_code 137 wait $pid &&
	stored "UPDATE run SET started_ms = started_ms - 60000, heartbeat_ms = started_ms - 60000
		WHERE name = '\''quiet'\''" &&
	mlp show quiet >out && test_grep "duration *1m0.*nothing was heard" out &&
	mlp log -n 0 -c name,duration >out && test_grep "quiet *1m0" out &&
	mlp train --reap --grace 0.2 &&
	test "$(last "ended_ms - started_ms BETWEEN 60000 AND 90000")" = 1
'

test_expect_success 'reaping leaves live runs alone' '
	start -- sh -c "$waits" &&
	mlp train --reap --json >reaped && test_must_be_empty reaped &&
	kill -TERM $pid &&
	test_expect_code 143 wait $pid
'

# With ever fewer descriptors, until there is a folder left.
start_with_few()
{
	for n in 64 24 23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5
	do
		# shellcheck disable=SC3045 # dash and bash have it
		(ulimit -n $n && mlp -q train --retry 1 -- true) 2>>err
		echo "$n $?"
		test -z "$(ls -A .mlp/runs)" || return 1
	done
}
test_expect_success 'what cannot be started leaves a run that failed, or none' '
	before=$(last id) &&
	start_with_few >tried &&
	test_grep "^64 0" tried && test_grep "^6 [^0]" tried &&
	test "$(stored "SELECT count(*) FROM run WHERE id > $before AND status NOT IN (3, 4)")" = 0 &&
	test "$(stored "SELECT count(*) > 0 FROM run WHERE id > $before AND status = 4
		AND reason LIKE '\''%too many open files%'\''")" = 1 &&
	test "$(stored "SELECT count(*) FROM attempt WHERE ended_ms IS NULL")" = 0
'

# Of files; not in this shell, whose own output is one.
limited()
{
	(ulimit -f "$1" && shift && exec env --default-signal=XFSZ "$@") 2>err
}
test_expect_success 'a limit on the size of files is an error, and for the command what it is' '
	mkdir small && (cd small && test_expect_code 128 limited 20 mlp train -- true) &&
	test_grep "disk I/O error\|large\|full" small/err &&
	limited 8192 mlp -q train -n wide -- head -c 20000000 /dev/zero | tail -c 1 >out &&
	test_grep "output is not recorded.*large" err &&
	test "$(last status)" = 3 &&
	test_expect_code 153 limited 8192 mlp -q train -- sh -c "exec head -c 20000000 /dev/zero >large" &&
	test "$(last exit_signal)" = 25
'

# Sixty short runs, and what is said of the newest meanwhile.
look_on()
{
	(i=0; while test $i -lt 60; do mlp -q train -n brief -- true; i=$((i + 1)); done; : >all) &
	until test -e all
	do
		mlp log -n 2 --json
	done
	wait $!
}
test_expect_success 'a run that ends is not taken for a lost one meanwhile' '
	look_on >seen 2>err &&
	test_grep "\"brief\",\"status\":\"running\"" seen >/dev/null &&
	test_grep ! "\"brief\",\"status\":\"lost\"" seen
'

test_done
