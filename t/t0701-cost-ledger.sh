#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What mlp train writes to the ledger, on GPUs played by a fake driver.
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

FAKENVML=$TRASH/gpus
MLP_NVML_LIB=$TEST_BUILD/t/fakenvml/.libs/libfakenvml.so
export FAKENVML MLP_NVML_LIB

sql() { sqlite3 .mlp/mlp.db "$@"; }
unbalanced='SELECT count(*) FROM usage_device d WHERE counted_mj <> idle_mj +
	(SELECT coalesce(sum(energy_mj), 0) FROM usage u WHERE u.device = d.device)'
# newest COLUMN: of the GPU row of the newest run
newest() {
	sql "SELECT coalesce($1, 'null') FROM usage WHERE device <> 'cpu'
		AND attempt_id = (SELECT max(id) FROM usage_attempt)"
}

# Puts itself on a GPU by a line in the control file, for as long as it lives.
test_write_script on-gpu <<'EOT'
#!/bin/sh
# on-gpu GPU SM SECONDS
echo "process $1 pid=$$ memory=1000 sm=$2 living=1" >>"$FAKENVML"
echo "gpu $1 watts=300 util=50 used=$$" >>"$FAKENVML"
exec sleep "$3"
EOT

gpus() {
	test_write_lines "gpu 0 watts=300 util=50 used=10" "gpu 1 watts=100 util=0 used=10" >gpus.new &&
	mv gpus.new gpus
}

test_expect_success 'a long run, in a project of its own, for the last test' '
	gpus && mkdir long && mlp init long >/dev/null &&
	mlp -C long train --gpus 0, --detach -- sleep 100 >long.id &&
	date +%s >long.start
'

test_expect_success 'a run holds the GPU it was given, from start to end' '
	mlp init >/dev/null &&
	mlp train --gpus 0, -- ./on-gpu 0 40 1 2>err &&
	test "$(newest device)" = GPU-fake-0 &&
	test "$(newest "busy_ms > 0 AND busy_ms < device_ms")" = 1 &&
	test "$(newest "device_ms >= 1000 AND device_ms <= end_ms - start_ms")" = 1 &&
	test "$(newest "energy_mj > 200000")" = 1 &&
	test "$(newest closed)" = 1 &&
	test "$(sql "$unbalanced")" = 0 &&
	mlp cost show @ >out &&
	test_grep "NVIDIA L4 .*USD" out
'

test_expect_success 'a run that says nothing is seen on the GPU it uses' '
	gpus &&
	mlp train -- ./on-gpu 1 40 3 2>err &&
	test "$(newest device)" = GPU-fake-1 &&
	test "$(newest "energy_mj > 0")" = 1 &&
	test "$(sql "$unbalanced")" = 0
'

test_expect_success 'two runs on one GPU share it to the last millijoule' '
	gpus &&
	{ mlp train --gpus 0, -e left -- ./on-gpu 0 30 3 2>err.left & } && left=$! &&
	mlp train --gpus 0, -e right -- ./on-gpu 0 10 3 2>err.right &&
	wait $left &&
	test "$(sql "$unbalanced")" = 0 &&
	test "$(sql "SELECT count(*) FROM usage u JOIN usage_attempt a ON a.id = attempt_id
		WHERE experiment IN (\"left\", \"right\") AND device = \"GPU-fake-0\" AND energy_mj > 0")" = 2 &&
	test "$(sql "SELECT count(*) FROM usage WHERE closed = 0")" = 0 &&
	test "$(sql "SELECT count(*) FROM usage_process")" = 0
'

test_expect_success 'a driver without energy: unknown, not 0' '
	gpus &&
	MLP_NVML_LIB=$TEST_BUILD/t/fakenvml/.libs/libfakenvml-old.so \
		mlp train --gpus 0, -- ./on-gpu 0 40 1 2>err &&
	test "$(newest energy_mj)" = null &&
	mlp cost show --json @ >out &&
	test_grep "GPU-fake-0.*\"joules\":null" out
'

test_expect_success 'a GPU whose every value fails does not harm the run' '
	{ echo "gpu 0" && for f in UtilizationRates MemoryInfo MemoryInfo_v2 PowerUsage \
		TotalEnergyConsumption ComputeRunningProcesses_v3 ProcessUtilization ClockInfo \
		Temperature CurrentClocksEventReasons
	do
		echo "fail nvmlDeviceGet$f 999" || return 1
	done; } >gpus &&
	mlp train --gpus 0, -- true 2>err &&
	test "$(newest energy_mj)" = null
'

test_expect_success 'without a driver a run has CPU time' '
	MLP_NVML_LIB=/nonexistent/libnvidia-ml.so mlp train -- true 2>err &&
	mlp cost show @ >out &&
	test_grep "^ *1  cpu" out &&
	test_grep ! GPU-fake out
'

test_expect_success 'a run within a run is charged once' '
	busy="i=0; while test \$i -lt 150000; do i=\$((i + 1)); done" &&
	mlp -q train -n outer -- mlp -q train -n middle -- mlp -q train -n inner -- sh -c "$busy" &&
	sql "SELECT r.name, u.device_ms FROM usage u JOIN usage_attempt a ON a.id = u.attempt_id
		JOIN run r ON r.uuid = a.run_uuid WHERE u.device = \"cpu\" ORDER BY r.id DESC LIMIT 3" >used &&
	gross=$(sql "SELECT user_ms + system_ms FROM attempt JOIN run r ON r.id = run_id
		WHERE r.name = \"outer\"") &&
	cat used && echo "of $gross" &&
	sum=$(cut -d "|" -f 2 used | paste -sd + -) &&
	test $((sum)) -ge $((gross - 10)) && test $((sum)) -le $((gross + 40)) &&
	test "$(sed -n "s/^inner.//p" used)" -gt 50 &&
	test "$(sed -n "s/^middle.//p" used)" -lt $((gross - 50))
'

test_expect_success 'a budget is for the runs within, too' '
	test_expect_code 124 mlp -q -c cost.cpu.price="3600000 USD" train --max-cost 0.01 -- \
		mlp -q -c cost.cpu.price="3600000 USD" train -- sh -c "while :; do :; done"
'

test_expect_success 'the ledger outlives the run' '
	uuid=$(sql "SELECT uuid FROM run ORDER BY id LIMIT 1") &&
	mlp cost report --json >before 2>/dev/null &&
	mlp rm --force "$uuid" &&
	mlp cost report --json >after 2>/dev/null &&
	test_cmp before after &&
	mlp cost show "$uuid" >out &&
	test_grep GPU-fake-0 out
'

test_expect_success 'kill -9 loses 10 seconds at most' '
	gpus &&
	pid=$(sqlite3 long/.mlp/mlp.db "SELECT supervisor_pid FROM attempt") &&
	child=$(sqlite3 long/.mlp/mlp.db "SELECT child_pid FROM attempt") &&
	test_wait_for 20 sh -c "test \$((\$(date +%s) - $(cat long.start))) -ge 13" &&
	kill -9 "$pid" && killed=$(date +%s) &&
	held=$(sqlite3 long/.mlp/mlp.db "SELECT device_ms FROM usage WHERE device = \"GPU-fake-0\"") &&
	test "$held" -ge $(((killed - $(cat long.start) - 11) * 1000)) &&
	test "$held" -gt 0 &&
	test_wait_for 20 test_is_gone "$pid" &&
	mlp -C long train --reap &&
	test "$(sqlite3 long/.mlp/mlp.db "SELECT min(closed) FROM usage")" = 1 &&
	test "$(sqlite3 long/.mlp/mlp.db "$unbalanced")" = 0 &&
	test_wait_for 20 test_is_gone "$child"
'

test_expect_success 'what somebody put where the lock of a GPU is' '
	lock=/tmp/mlp-gpu-GPU-$$.lock && test_when_finished "rm -f $lock" &&
	echo "gpu 0 uuid=GPU-$$ watts=300" >gpus && mkfifo $lock &&
	timeout 60 mlp train --gpus 0, -- true &&
	test_expect_code 75 timeout 60 mlp train --gpus 1 -- true
'

test_done
