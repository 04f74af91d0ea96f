#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp stop: gently, then firmly.
. "${srcdir:-.}/t/test-lib.sh"

waits='touch ready; while :; do sleep 0.05; done'
start()
{
	rm -f ready
	id=$(mlp train -d "$@") || return 1
	for _ in $(seq 200)
	do
		test -f ready && return 0
		sleep 0.05
	done
	return 1
}

test_expect_success 'a run is asked to end' '
	start -n soft -- sh -c "trap \"echo bye; exit 0\" TERM; $waits" &&
	mlp stop soft &&
	mlp watch -s soft >out 2>err &&
	echo bye >expect && test_cmp expect out &&
	test_grep "killed after .*(stopped)" err
'

test_expect_success 'one that does not hear is killed after the grace' '
	start --grace 1h -- sh -c "trap \"\" TERM; $waits" &&
	mlp stop --grace 0.3 $id &&
	test_expect_code 137 mlp -q watch --exit-status $id
'

test_expect_success 'or at once' '
	start --grace 1h -- sh -c "trap \"\" TERM; $waits" &&
	mlp stop -f $id &&
	test_expect_code 137 mlp -q watch --exit-status $id
'

test_expect_success 'at once also where the supervisor is slow to hear' '
	start --grace 1h -- sh -c "trap \"\" TERM; $waits" &&
	supervisor=$(sed 1q .mlp/runs/$id/lock) && kill -STOP $supervisor &&
	{ timeout -s KILL 60 mlp stop -f $id & } && stopping=$! &&
	sleep 0.3 && kill -CONT $supervisor &&
	wait $stopping &&
	test_expect_code 137 mlp -q watch --exit-status $id
'

test_expect_success 'several at once' '
	start -n x -- sh -c "$waits" && start -n y -- sh -c "$waits" &&
	mlp stop x y &&
	test_expect_code 143 mlp -q watch --exit-status x &&
	test_expect_code 143 mlp -q watch --exit-status y
'

test_lazy_prereq PID_NAMESPACE '
	unshare -pf sh -c "echo 1000 >/proc/sys/kernel/ns_last_pid"
'
test_expect_success PID_NAMESPACE 'the pid of another namespace is nobody to be stopped here' '
	{ sleep 1000 & } && decoy=$! && test_when_finished "kill $decoy; rm -f ready" &&
	rm -f ready &&
	{ unshare -pf sh -c "echo $((decoy - 1)) >/proc/sys/kernel/ns_last_pid &&
		mlp train -n far -- sh -c \"touch ready; while test -f ready; do sleep 0.05; done\" && :" & } &&
	far=$! &&
	test_wait_for 20 test -f ready &&
	test "$(sed 1q .mlp/runs/*/lock)" = "$decoy" &&
	test_expect_code 128 mlp stop far 2>err &&
	test_grep "another container" err &&
	kill -0 $decoy &&
	rm ready && wait $far
'

test_expect_success 'what cannot be stopped is said' '
	test_expect_code 128 mlp stop soft 2>err &&
	test_grep "not running: it is killed" err &&
	test_expect_code 128 mlp stop nobody &&
	start -n orphan -- sh -c "$waits" &&
	supervisor=$(sed 1q .mlp/runs/$id/lock) && kill -9 "$supervisor" &&
	test_wait_for 20 test_is_gone "$supervisor" &&
	test_expect_code 128 mlp stop orphan 2>err &&
	test_grep "is lost" err && test_grep "hint: .*--reap" err &&
	mlp train --reap >/dev/null
'

test_done
