#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp train: metrics by descriptor and by FIFO.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

# latest KEY: "step value points" of the newest run.
latest()
{
	sqlite3 .mlp/mlp.db "SELECT m.step, m.value, m.points FROM metric m
		JOIN metric_key k ON k.id = m.key_id WHERE k.name = '$1' ORDER BY m.run_id DESC LIMIT 1"
}

test_expect_success 'lines on the descriptor' '
	mlp train -- sh -c "
		echo \"{\\\"step\\\": 3, \\\"loss\\\": 0.5, \\\"val\\\": {\\\"auc\\\": 0.9}}\" >&\$MLP_FD
		printf \"{\\\"last\\\": 1}\" >&\$MLP_FD" 2>err &&
	test "$(latest loss)" = "3|0.5|1" &&
	test "$(latest val/auc)" = "3|0.9|1" &&
	test "$(latest last)" = "0|1.0|1" &&
	test_grep "loss 0.5" err
'

test_expect_success 'lines on the FIFO, from a process further down' '
	mlp -q train -- sh -c "sh -c \"echo {\\\\\\\"deep\\\\\\\": 2} >\\\$MLP_METRICS\"; printf \"{\\\"tail\\\": 4}\" >\$MLP_METRICS" &&
	test "$(latest deep)" = "0|2.0|1" &&
	test "$(latest tail)" = "0|4.0|1"
'

test_expect_success 'both at once, lines stay whole' '
	mlp -q train -- sh -c "
		(for i in \$(seq 500); do echo \"{\\\"a\\\": \$i}\" >&3; done) &
		(for i in \$(seq 500); do echo \"{\\\"b\\\": \$i}\"; done >\$MLP_METRICS) & wait" &&
	test "$(latest a)" = "499|500.0|500" &&
	test "$(latest b)" = "499|500.0|500" &&
	test "$(sqlite3 .mlp/mlp.db "SELECT bad_lines FROM attempt ORDER BY id DESC LIMIT 1")" = 0
'

test_expect_success 'bad lines are counted and do no harm' '
	mlp train -- sh -c "echo nonsense >&3; echo \"{\\\"ok\\\": 1}\" >&3; head -c 3000000 /dev/zero >&3; echo >&3; echo \"{\\\"ok\\\": 2}\" >&3" 2>err &&
	test "$(latest ok)" = "1|2.0|2" &&
	test_grep "2 bad metric lines" err
'

test_expect_success 'what is no metric is kept in the log' '
	mlp -q train -- sh -c "echo nonsense >&3; echo \"{\\\"ok\\\": 1}\" >&3; echo \"{\\\"phase\\\": \\\"warm\\\", \\\"ok\\\": 2}\" >\$MLP_METRICS" 2>err &&
	test_must_be_empty err &&
	test "$(latest ok)" = "1|2.0|2" &&
	mlp show @:stderr >out &&
	test_write_lines "{\"phase\": \"warm\", \"ok\": 2}" nonsense >expect &&
	LC_ALL=C sort -r out >sorted && test_cmp expect sorted &&
	mlp show --json @ >out && test_grep "\"bad_lines\":1,\"ignored_values\":1" out
'

test_expect_success 'nor what has a key that cannot name a metric' '
	mlp train -- sh -c "
		echo \"{\\\"/lead\\\": 1}\" >&3
		echo \"{\\\"a//b\\\": 1, \\\"\\\": {\\\"c\\\": 2}}\" >\$MLP_METRICS
		echo \"{\\\"good\\\": 1, \\\"../up\\\": 2, \\\"$(printf %0251d 0)\\\": 3}\" >&3" 2>err &&
	test_grep "5 ignored metric values" err &&
	test "$(latest good)" = "0|1.0|1" &&
	mlp show @:stderr >out && test_line_count = 3 out &&
	test_grep "{\"/lead\": 1}" out &&
	mlp show --json @ >out && test_grep "\"bad_lines\":0,\"ignored_values\":5" out
'

test_expect_success 'each attempt has a descriptor of its own, one series' '
	test_expect_code 1 mlp -q train --retry 1 -- sh -c "echo \"{\\\"t\\\": \$MLP_ATTEMPT, \\\"step\\\": \$MLP_ATTEMPT}\" >&3; exit 1" &&
	test "$(latest t)" = "2|2.0|2"
'

test_expect_success 'a metric is in the store while the command runs' '
	mlp -q train -n live -- sh -c "echo \"{\\\"now\\\": 1}\" >&3; for i in \$(seq 100); do
		test -n \"\$(sqlite3 .mlp/mlp.db \"SELECT 1 FROM metric m JOIN metric_key k ON k.id = m.key_id WHERE k.name = '\''now'\''\")\" && exit 0
		sleep 0.05; done; exit 1"
'

test_expect_success 'what was taken in does not fill the disk' '
	mlp -q train -- sh -c "seq -f \"{\\\"v\\\": %g}\" 400000 >&3
		for i in \$(seq 600); do
			kib=\$(du -k \$MLP_DIR/runs/\$MLP_RUN_ID | tail -1 | cut -f1)
			test \$kib -lt 2500 && exit 0
			sleep 0.1
		done
		echo \$kib KiB left; exit 1" &&
	test "$(latest v)" = "399999|400000.0|400000"
'

test_expect_success 'use of the processes is sampled' '
	mlp -q train -- sleep 1.3 &&
	test "$(sqlite3 .mlp/mlp.db "SELECT count(*) FROM metric m JOIN metric_key k ON k.id = m.key_id
		WHERE m.run_id = (SELECT max(id) FROM run) AND k.name IN
		('\''system/cpu_percent'\'', '\''system/rss_bytes'\'', '\''system/processes'\'')")" = 3
'

query()
{
	sqlite3 -cmd ".timeout 10000" .mlp/mlp.db "$1"
}

test_expect_success 'what the store did not take at the end it gets by --reap' '
	test_write_script late <<-\EOT &&
	echo out
	test $MLP_ATTEMPT = 1 && sqlite3 -cmd ".timeout 10000" .mlp/mlp.db "CREATE TRIGGER held
		BEFORE UPDATE OF metrics_offset ON attempt BEGIN SELECT RAISE(ABORT, '\''not now'\''); END"
	echo "{\"late\": $MLP_ATTEMPT, \"step\": $MLP_ATTEMPT}" >&3
	test $MLP_ATTEMPT = 2
	EOT
	mlp -q train --retry 1 -n held -- ./late 2>err &&
	test_grep "not stored before .mlp train --reap.: .*not now" err &&
	mlp show --json held >out && test_grep "\"status\":\"finished\"" out &&
	test_grep "\"metrics\":{}" out &&
	test_must_fail mlp train --reap 2>err && test_grep "not now" err &&
	held="run_id = (SELECT max(id) FROM run)" &&
	query "DROP TRIGGER held; UPDATE attempt SET log = NULL WHERE $held" &&
	mlp train --reap --json >out && test_must_be_empty out &&
	test "$(latest late)" = "2|2.0|2" &&
	test "$(query "SELECT count(log) FROM attempt WHERE $held")" = 2 &&
	ls -A .mlp/runs >left && test_must_be_empty left &&
	mlp show --json held >out && test_grep "\"status\":\"finished\"" out
'

# One record: step 5, loss 0.25.
printf '\032\000\000\000\000\000\000\000\022\233\330\055\011\000\000\000\260\117\105\332\101\020\005\052\015\012\013\012\004\154\157\163\163\025\000\000\200\076\273\257\056\050' >events.out.tfevents.1763000000.host

test_expect_success 'TensorBoard files among the outputs' '
	mlp -q train -o logs -- sh -c "mkdir -p logs/train; cp events.out.tfevents.* logs; cp events.out.tfevents.* logs/train" &&
	test "$(latest loss)" = "5|0.25|1" &&
	test "$(latest train/loss)" = "5|0.25|1"
'

# The same with the tag "/oss".
printf '\032\000\000\000\000\000\000\000\022\233\330\055\011\000\000\000\260\117\105\332\101\020\005\052\015\012\013\012\004/oss\025\000\000\200\076\021\077\145\221' >odd

test_expect_success 'tags that cannot name a metric are told, once' '
	mlp -q train -o odd-logs -- sh -c "mkdir -p odd-logs; cp odd odd-logs/a.tfevents.1; cp odd odd-logs/b.tfevents.1" 2>err &&
	test_grep "files left out for their name: 2" err &&
	test_line_count = 1 err
'

test_done
