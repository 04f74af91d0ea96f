#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp config: levels, origins, what wins.
. "${srcdir:-.}/t/test-lib.sh"

test_expect_success 'set needs a project or a level' '
	test_expect_code 128 mlp config set a.b c 2>err &&
	test_grep "not a project" err &&
	test_grep "hint:.*--global" err
'
test_expect_success 'set --global works without a project' '
	mlp config --global set user.x "one two" &&
	echo "one two" >expect &&
	mlp config get user.x >actual &&
	test_cmp expect actual
'
test_expect_success 'a project overrides the user' '
	mlp init &&
	mlp config set user.x local &&
	test "$(mlp config get user.x)" = local &&
	test "$(mlp config --global get user.x)" = "one two" &&
	test "$(mlp -c user.x=cli config get user.x)" = cli
'
test_expect_success 'an environment overrides the project' '
	test "$(MLP_CONFIG_COUNT=1 MLP_CONFIG_KEY_0=user.x MLP_CONFIG_VALUE_0=env \
		mlp config get user.x)" = env
'
test_expect_success 'get of an absent key is exit code 1 and silent' '
	test_expect_code 1 mlp config get no.such >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err
'
test_expect_success '--show-origin names file and line' '
	mlp config --show-origin get user.x >out &&
	test_grep "^file:$TRASH/.mlp/config:[0-9]*	local$" out
'
test_expect_success 'list shows what counts, with --show-origin all of it' '
	mlp config list --json >out &&
	test "$(grep -c "user.x" out)" = 1 &&
	mlp config list --show-origin --json >out &&
	test "$(grep -c "user.x" out)" = 2 &&
	test_grep "\"overridden\":true" out
'
test_expect_success 'unset takes it away, twice is an error' '
	mlp config unset user.x &&
	test "$(mlp config get user.x)" = "one two" &&
	test_expect_code 128 mlp config unset user.x 2>err &&
	test_grep "no setting .user.x." err
'
test_expect_success 'misuse is exit code 129' '
	test_expect_code 129 mlp config get &&
	test_expect_code 129 mlp config set a.b &&
	test_expect_code 129 mlp config frobnicate &&
	test_expect_code 129 mlp config --global --local list
'
test_expect_success 'a bad key is named' '
	test_expect_code 129 mlp config set nodot x 2>err &&
	test_grep "bad setting name .nodot." err &&
	test_expect_code 129 mlp config get nodot 2>err &&
	test_grep "bad setting name .nodot." err &&
	test_expect_code 129 mlp -c nodot=x config list 2>err &&
	test_grep "bad setting name .nodot." err
'
test_expect_success 'a value with every kind of character comes back' '
	v="a\"b\\c;d#e  " &&
	mlp config set odd.value "$v" &&
	test "$(mlp config get odd.value)" = "$v"
'
test_expect_success 'two writers at once both win' '
	{ mlp config set one.a 1 & } && pid=$! &&
	mlp config set two.b 2 &&
	wait $pid &&
	test "$(mlp config get one.a)$(mlp config get two.b)" = 12
'
test_expect_success ROOT 'what the project of somebody else would execute does not count' '
	test_when_finished "chown 0 .mlp" &&
	mlp train -n own -- true &&
	mlp config set core.editor "touch hacked;" &&
	mlp config set alias.last "log --json" &&
	mlp config set odd.foreign yes &&
	chown 12345 .mlp &&
	EDITOR="sed -i 1s/.*/mine/" mlp note -e own &&
	test_path_is_missing hacked &&
	test "$(mlp note own)" = mine &&
	test_expect_code 129 mlp last 2>err &&
	test_grep "unknown command .last." err &&
	test_expect_code 128 mlp help last &&
	mlp completion-data -- la >out && test_grep ! last out &&
	test "$(mlp config get odd.foreign)" = yes &&
	mlp -c core.editor="sed -i 1s/.*/called/" note -e own &&
	test "$(mlp note own)" = called &&
	chown 0 .mlp && mv .mlp real && ln -s real .mlp && chown -h 12345 .mlp &&
	test_expect_code 129 mlp last 2>err &&
	rm .mlp && mv real .mlp && chown 0 .mlp &&
	mlp last >out
'
test_done
