#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp watch and mlp train --detach.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success '--detach prints the id at once' '
	id=$(mlp train -d -n one -- sh -c "for i in 1 2 3; do echo line \$i; sleep 0.1; done; exit 4" 2>err) &&
	expr "$id" : "[0-9a-f]\{32\}$" &&
	test_grep ! finished err
'

test_expect_success 'watch follows it to its end' '
	test_expect_code 4 mlp watch --exit-status -s $id >out 2>err &&
	printf "line 1\nline 2\nline 3\n" >expect &&
	test_cmp expect out &&
	test_grep "run '\''one'\'' failed after .* with code 4" err &&
	mlp -q watch one >out && test_cmp expect out
'

test_expect_success 'a run that cannot start is told where it was asked for' '
	test_expect_code 127 mlp train -d -- no-such-program >out 2>err &&
	test_must_be_empty out &&
	test_grep "no such command" err &&
	test_expect_code 3 mlp train -d -i gone -- true 2>err
'

test_expect_success 'the last ten lines, or all' '
	mlp -q train -n long -- seq 100 >/dev/null &&
	mlp -q watch long >out && seq 91 100 >expect && test_cmp expect out &&
	mlp -q watch -s long >out && seq 100 >expect && test_cmp expect out
'

test_expect_success 'several runs: lines with names' '
	a=$(mlp train -d -n a -- sh -c "printf no; sleep 0.3; echo body; echo x") &&
	b=$(mlp train -d -n b -- sh -c "echo y; sleep 0.2; printf z") &&
	mlp -q watch -s $a $b | LC_ALL=C sort >out &&
	printf "a: nobody\na: x\nb: y\nb: z\n" >expect &&
	test_cmp expect out
'

test_expect_success 'attempts follow one another' '
	id=$(mlp train -d --retry 1 -- sh -c "echo try \$MLP_ATTEMPT; exit 1") &&
	test_expect_code 1 mlp -q watch --exit-status -s $id >out &&
	printf "try 1\ntry 2\n" >expect &&
	test_cmp expect out
'

test_expect_success 'metrics instead of output' '
	id=$(mlp train -d -- sh -c "echo no; echo \"{\\\"loss\\\": 0.5, \\\"step\\\": 7}\" >&3; sleep 0.3") &&
	mlp -q watch -m $id >out &&
	echo "loss 0.5 step 7" >expect &&
	test_cmp expect out
'

test_expect_success 'how it ended, as an exit code' '
	test_expect_code 124 mlp -q train -n limit --timeout 0.1 -- sleep 9 &&
	test_expect_code 124 mlp -q watch --exit-status limit &&
	test_expect_code 137 mlp -q train -n killed -- sh -c "kill -9 \$\$" &&
	test_expect_code 137 mlp -q watch --exit-status killed &&
	mlp -q watch killed &&
	test_must_fail mlp watch nobody 2>err &&
	test_grep "nobody" err
'

test_expect_success 'a detached run has no input and survives its terminal' '
	id=$(echo secret | mlp train -d -n quiet -- cat) &&
	mlp -q watch -s --exit-status $id >out &&
	test_must_be_empty out
'

test_done
