#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp train: output, input and terminals.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

stored()
{
	sqlite3 .mlp/mlp.db "$1"
}
input_of_last()
{
	stored "SELECT stdin_kind, stdin_sha256, stdin_bytes FROM run_command ORDER BY run_id DESC LIMIT 1"
}

test_expect_success 'stdout and stderr stay apart' '
	mlp -q train -- sh -c "echo out; echo err >&2" >out 2>err &&
	echo out >expect && test_cmp expect out &&
	echo err >expect && test_cmp expect err
'

test_expect_success 'the record has them in order' '
	mlp -q train -n order -- sh -c "for i in 1 2 3; do echo o\$i; sleep 0.05; echo e\$i >&2; sleep 0.05; done" \
		>/dev/null 2>&1 &&
	mlp -q watch -s order >all 2>&1 &&
	printf "o1\ne1\no2\ne2\no3\ne3\n" >expect &&
	test_cmp expect all
'

test_expect_success 'binary output passes and is recorded unchanged' '
	head -c 3000000 /dev/urandom >random &&
	mlp -q train -n binary -- cat random >out &&
	cmp random out &&
	mlp -q watch -s binary >out &&
	cmp random out
'

test_expect_success 'output comes as it is written, not at the end' '
	mkfifo way &&
	{ mlp -q train -- sh -c "printf first; cat way; echo last" >out & } &&
	test_wait_for 20 grep -qx first out &&
	echo >way && wait
'

test_expect_success '100 MB of output in bounded memory' '
	mlp -q train -n big -- sh -c "head -c 100000000 /dev/zero | tr \"\\0\" x" >/dev/null &
	pid=$! peak=0 &&
	while kill -0 $pid 2>/dev/null
	do
		now=$(sed -n "s/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p" /proc/$pid/status 2>/dev/null)
		peak=${now:-$peak}
	done &&
	wait $pid &&
	echo "peak $peak KiB" &&
	test "$peak" -gt 0 && { test_have_prereq SANITIZERS || test "$peak" -lt 40000; } &&
	test "$(stored "SELECT log_bytes FROM attempt ORDER BY id DESC LIMIT 1")" = 100000000
'

test_expect_success 'a reader that is gone does not end the run' '
	mlp -q train -n unread -- sh -c "for i in 1 2 3 4 5 6; do echo \$i; sleep 0.05; done; echo done >finished" | true &&
	for i in 1 2 3 4 5 6 7 8 9 10; do test -f finished && break; sleep 0.1; done &&
	test -f finished &&
	sleep 0.3 &&
	mlp -q watch -s unread >out && test_line_count = 6 out
'

test_expect_success 'a slow reader slows the command, and gets all' '
	mlp -q train -- seq 200000 | { sleep 0.3; cat >out; } &&
	seq 200000 >expect &&
	cmp expect out
'

# What fits into the pipes is there when the command has ended, however late it is read.
late_is_over()
{
	test "$(stored "SELECT status FROM run WHERE name = 'late'")" = 3
}

test_expect_success 'a reader slower than the command ends gets all, as the record has' '
	mlp -q train -n late -- seq 1 20000 | { test_wait_for 20 late_is_over && sleep 1.2 && wc -l; } >lines &&
	test "$(cat lines)" = 20000 &&
	test "$(mlp -q watch -s late | wc -l)" = 20000
'

# A pipe that cannot be opened anew, as that of another user.
test_write_script closed /bin/sh <<'EOF'
chmod 0 /proc/self/fd/1
echo $$ >pid
test "$(id -u)" != 0 || exec setpriv --bounding-set -dac_override,-dac_read_search "$@"
exec "$@"
EOF
test_lazy_prereq CLOSED 'test "$(id -u)" != 0 || setpriv --bounding-set -dac_override true'

# With its run in the record it takes signals for what they are.
is_recorded()
{
	test "$(stored "SELECT max(id) FROM run")" -gt "$1"
}

test_expect_success CLOSED 'told to end it does, though a reader of another user is stuck' '
	before=$(stored "SELECT max(id) FROM run") &&
	./closed mlp -q train --grace 0.1 -- seq 1 2000000 | {
		test_wait_for 20 is_recorded "$before" && sleep 1 &&
		kill $(cat pid) && test_wait_for 20 test_is_gone $(cat pid) && echo gone >said
		kill -9 $(cat pid) 2>/dev/null
		cat >/dev/null
	} &&
	test -s said &&
	test "$(stored "SELECT reason FROM run ORDER BY id DESC LIMIT 1")" = stopped
'

test_expect_success 'a pipe is passed on and hashed' '
	seq 50000 >numbers &&
	cat numbers | mlp -q train -- cat >out &&
	cmp numbers out &&
	test "$(input_of_last)" = "pipe|$(sha256sum numbers | cut -d" " -f1)|$(wc -c <numbers)"
'

test_expect_success 'of a file, what the command consumed' '
	mlp -q train -- head -c 0 <numbers &&
	test "$(input_of_last)" = "file||" &&
	: >empty && mlp -q train -- cat <empty &&
	test "$(input_of_last)" = "file|$(sha256sum empty | cut -d" " -f1)|0" &&
	mlp -q train -- cat <numbers >out &&
	cmp numbers out &&
	test "$(input_of_last)" = "file|$(sha256sum numbers | cut -d" " -f1)|$(wc -c <numbers)"
'

test_expect_success '/dev/null, and a pipe nobody writes to' '
	mlp -q train -- cat </dev/null &&
	test "$(input_of_last)" = "null||" &&
	sleep 30 | { mlp -q train -- true; kill $(pgrep -P $$ sleep) 2>/dev/null; }
'

test_expect_success 'a command that reads no input does not hold mlp up' '
	yes | timeout 20 mlp -q train -- true
'

# in_terminal COMMAND: runs it with a terminal for all three; output in $out.
in_terminal()
{
	script -qec "$1" /dev/null </dev/null >out
}
if script -qec true /dev/null </dev/null >/dev/null 2>&1
then
	test_set_prereq SCRIPT
fi

test_expect_success SCRIPT 'at a terminal the command has one' '
	in_terminal "mlp -q train -- sh -c \"test -t 0 && test -t 1 && test -t 2 && echo yes\"" &&
	test_grep yes out
'

test_expect_success SCRIPT 'what it writes arrives unchanged, in the record too' '
	in_terminal "mlp -q train -n term -- printf \"a\\rb\\n\"" &&
	printf "a\rb\r\n" >expect &&
	test_cmp expect out &&
	mlp -q watch -s term >out &&
	printf "a\rb\n" >expect &&
	test_cmp expect out
'

test_expect_success SCRIPT 'with stdout elsewhere it has none' '
	in_terminal "mlp -q train -- sh -c \"test -t 1 || echo no\" | cat" &&
	test_grep no out
'

test_done
