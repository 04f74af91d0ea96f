# SPDX-License-Identifier: Apache-2.0
# For t/lint/*.sh: the files to look at, and tests whose code prints what is wrong.
# shellcheck shell=sh disable=SC2154
. "${srcdir:-.}/t/test-lib.sh"
cd "$TEST_SOURCE" || exit 1

# lint_files PATTERN...: find's -name patterns, over our own sources.
lint_files()
{
	for lint_dir in cmd lib cuda t completions man m4 demo .ci
	do
		test -d "$lint_dir" || continue
		for lint_pattern
		do
			find "$lint_dir" -type f -name "$lint_pattern"
		done
	done | grep -vE '^m4/(libtool|lt.*)\.m4$|/__pycache__/' | LC_ALL=C sort
}

# lint_empty TITLE CODE: good when CODE prints nothing and does not fail.
lint_empty()
{
	test_count=$((test_count + 1))
	if ! lint_found=$(eval "$2")
	then
		lint_found="$lint_found${lint_found:+$LF}the check itself failed"
	fi
	if test -z "$lint_found"
	then
		test_result ok "$1"
	else
		test_result 'not ok' "$1"
		printf '%s\n' "$lint_found" | sed 's/^/# /' >&5
		test_failures=$((test_failures + 1))
	fi
}

# lint_skip TITLE REASON
lint_skip()
{
	test_count=$((test_count + 1))
	test_result ok "$1 # SKIP $2"
}

# lint_have PROGRAM
lint_have()
{
	command -v "$1" >/dev/null
}
