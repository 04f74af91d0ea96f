#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 64 mlp train at once in one project, each with 1,000 points: all there, nobody is told
# that the store is locked, each ends with its own command's code.
. "${srcdir:-.}/t/test-lib.sh"

runs=64

test_write_script trainer.sh <<'EOF'
i=0
while test $i -lt 1000
do
	echo "{\"loss\": 0.$i, \"step\": $i}"
	i=$((i + 1))
done >&"$MLP_FD"
exit "$1"
EOF

# In a project that has no store yet: the first to come make it.
test_expect_success "$runs runs at once" '
	mlp init &&
	for n in $(seq $runs)
	do
		{
			mlp train -n "stress-$n" -- ./trainer.sh $((n % 8)) >"out-$n" 2>"err-$n"
			echo $? >"code-$n"
		} &
	done &&
	wait &&
	cat err-* >all-errors &&
	test_grep ! "locked\|in use\|busy" all-errors
'

test_expect_success 'each ended with the code of its command' '
	for n in $(seq $runs)
	do
		echo "$n $(cat "code-$n")"
	done >actual &&
	for n in $(seq $runs)
	do
		echo "$n $((n % 8))"
	done >expect &&
	test_cmp expect actual
'

test_expect_success 'every point is there' '
	for n in $(seq $runs)
	do
		test $((n % 8)) = 0 && status=finished || status=failed
		echo "stress-$n $status loss 1000"
	done | sort >expect &&
	"$TEST_BUILD/t/helper/list-points" >points &&
	grep -v " system/" points | sort >actual &&
	test_cmp expect actual
'

test_expect_success 'nothing is left of the live runs' '
	find .mlp/runs .mlp/tmp -mindepth 1 >left &&
	test_must_be_empty left
'

test_done
