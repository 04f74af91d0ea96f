#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp status
. "${srcdir:-.}/t/test-lib.sh"
test_require SQLITE3

MLP_NVML_LIB=/nonexistent
export MLP_NVML_LIB

test_expect_success 'an empty project' '
	mlp init &&
	mlp status >out &&
	test_grep "nothing is running" out &&
	test_grep "no GPU" out
'
test_expect_success 'a live run, with its last metric and supervisor' '
	test_write_script job <<-\EOS &&
	echo "{\"loss\": 0.25, \"step\": 3}" >"$MLP_METRICS"
	echo $$ >job.pid
	exec sleep 60
	EOS
	{ mlp train -n alive -- ./job >/dev/null 2>&1 & } && pid=$! &&
	test_when_finished "kill -9 $pid; wait $pid || :" &&
	test_wait_for 20 sh -c "mlp status | grep -q loss" &&
	mlp status >out &&
	test_grep "alive  .* $pid  .*loss 0.25 at 3" out &&
	mlp status --json >out &&
	test_grep "\"kind\":\"run\".*\"status\":\"running\".*\"supervisor\":$pid" out
'
test_expect_success 'then lost, with a hint' '
	mlp status >out &&
	test_grep "^lost" out &&
	test_grep "mlp train --reap" out &&
	mlp status --json >out &&
	test_grep "\"status\":\"lost\"" out &&
	test_wait_for 20 test_is_gone "$(cat job.pid)"
'
test_expect_success GIT 'what is uncommitted' '
	git init -q repo && (
		cd repo &&
		mlp init &&
		echo a >file &&
		mlp status >out &&
		test_grep "^code .*no commit yet" out &&
		git add file && git -c user.name=a -c user.email=a@b commit -q -m x &&
		rm -f out &&
		mlp status >../out &&
		test_grep "all is committed" ../out &&
		echo b >>file && echo c >other &&
		mlp status >../out &&
		test_grep "uncommitted changes, 1 untracked file" ../out &&
		mlp status --json >../out &&
		test_grep "\"kind\":\"code\".*\"dirty\":true.*\"untracked\":1" ../out
	)
'
test_expect_success 'GPUs: use, who holds them, what they cost' '
	test_write_lines "gpu 0 watts=300 util=50 memory=1073741824 used=536870912" \
		"gpu 1 watts=20 model=\"Unheard of\"" >gpus &&
	MLP_NVML_LIB=$TEST_BUILD/t/fakenvml/.libs/libfakenvml.so FAKENVML=$PWD/gpus &&
	export MLP_NVML_LIB FAKENVML &&
	test_write_script on-gpu <<-\EOS &&
	echo "process 0 pid=$$ memory=1000 sm=50 living=1" >>"$FAKENVML"
	exec sleep 60
	EOS
	id=$(mlp train --detach --gpus 0, -- ./on-gpu) &&
	test_when_finished "mlp -q stop $id" &&
	short=$(mlp log -n 1 --json | sed "s/.*\"short\":\"\([^\"]*\)\".*/\1/") &&
	test_wait_for 20 sh -c "mlp status | grep -q \"NVIDIA L4.*$short\"" &&
	test_wait_for 20 sh -c "sqlite3 .mlp/mlp.db \"SELECT pid FROM usage_process\" | grep -q ." &&
	mlp status >out &&
	test_grep "0  NVIDIA L4 .* 50%  *512 MiB of 1.0 GiB .* 300 W  *$short .* USD/h" out &&
	test_grep "1  Unheard of .* idle  *no price" out &&
	mlp status --json >out &&
	test_grep "\"uuid\":\"GPU-fake-0\".*\"power_mw\":300000.*\"runs\":\"$short\"" out &&
	test_grep "\"model\":\"Unheard of\".*\"price_per_hour\":null" out
'
test_done
