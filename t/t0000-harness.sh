#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The harness tells good from bad.
. "${srcdir:-.}/t/test-lib.sh"

# inner NAME <body: runs a script of its own against the harness.
inner()
{
	{
		echo ". '$TEST_SOURCE/t/test-lib.sh'"
		cat
		echo test_done
	} >"$1.sh" &&
	(
		srcdir=$TEST_SOURCE MLP_BUILD=$TEST_BUILD TMPDIR=$TRASH
		export srcdir MLP_BUILD TMPDIR
		unset TEST_UNDER_MAKE
		sh "./$1.sh" >"$1.out" 2>"$1.err"
	)
}

test_expect_success 'a passing script' '
	inner pass <<-\END &&
	test_expect_success "one" "true"
	test_expect_success "two" "x=1 && test \$x = 1"
	test_expect_success "variables stay" "test \$x = 1"
	END
	test_write_lines "ok 1 - one" "ok 2 - two" "ok 3 - variables stay" 1..3 >expect &&
	test_cmp expect pass.out &&
	! ls -d mlp-pass.*
'

test_expect_success 'a failing test fails the script and keeps its files' '
	test_expect_code 1 inner fail <<-\END &&
	test_expect_success "one" "echo x >kept && false"
	test_expect_success "two" "true"
	END
	test_grep "^not ok 1 - one" fail.out &&
	test_grep "^ok 2 - two" fail.out &&
	test_grep "^# files kept in " fail.out &&
	test_path_is_file mlp-fail.*/trash/kept
'

test_expect_success 'a broken chain of commands fails' '
	test_expect_code 1 inner chain <<-\END &&
	test_expect_success "broken" "
		false
		true
	"
	END
	test_grep "joined with" chain.out
'

test_expect_success 'a script that ends early fails' '
	test_expect_code 1 inner early <<-\END &&
	exit 0
	END
	test_grep "Bail out" early.out
'

test_expect_success 'prerequisites: lazy, negated, listed' '
	inner prereq <<-\END &&
	test_lazy_prereq YES true
	test_lazy_prereq NO false
	test_expect_success YES,!NO "runs" "true"
	test_expect_success YES,NO "skipped" "false"
	test_expect_success UNHEARD "skipped too" "false"
	END
	test_grep "^ok 1 - runs$" prereq.out &&
	test_grep "^ok 2 .*# SKIP needs YES,NO" prereq.out &&
	test_grep "^ok 3 .*# SKIP" prereq.out
'

test_expect_success 'a known problem does not fail the script' '
	inner known <<-\END &&
	test_expect_failure "known" "false"
	END
	test_grep "^not ok 1 - known # TODO" known.out
'

test_expect_success 'test_when_finished runs after a failure' '
	test_expect_code 1 inner finish <<-\END &&
	test_expect_success "one" "test_when_finished \"echo done >../mark\" && false"
	END
	test_path_is_file mlp-finish.*/mark
'

test_expect_success 'test_must_fail refuses success, crash and absence' '
	test_must_fail false &&
	test_must_fail sh -c "exit 128" &&
	! test_must_fail true 2>/dev/null &&
	! test_must_fail ./absent 2>/dev/null &&
	! test_must_fail sh -c "kill -ABRT \$\$" 2>/dev/null
'

test_expect_success 'test_expect_code, test_grep, test_line_count' '
	test_expect_code 7 sh -c "exit 7" &&
	! test_expect_code 7 true 2>/dev/null &&
	test_write_lines a b >lines &&
	test_grep b lines &&
	test_grep ! c lines &&
	! test_grep c lines 2>/dev/null &&
	! test_grep ! b lines 2>/dev/null &&
	test_line_count = 2 lines &&
	! test_line_count -gt 2 lines 2>/dev/null
'

test_expect_success 'the folder is empty of settings, and mlp is the one built' '
	test "$HOME" = "$TRASH" &&
	test "$(command -v mlp)" -ef "$TEST_BUILD/mlp" &&
	test -z "${NO_COLOR+x}"
'

test_done
