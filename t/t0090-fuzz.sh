#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each parser takes its corpus and a second of mutations of it; FUZZ_SECONDS for more.
. "${srcdir:-.}/t/test-lib.sh"

for target in $(sed -n 's|^FUZZERS += t/fuzz/fuzz-||p' "$TEST_SOURCE/t/t.am")
do
	corpus=$TEST_SOURCE/t/fuzz/corpus/$target
	test_expect_success "fuzz-$target" '
		if grep -q "^FUZZ_LIBS = .*fuzzer-" "$TEST_BUILD/Makefile"
		then
			set -- -max_total_time="${FUZZ_SECONDS:-1}" -timeout=10 -max_len=4096 "$TRASH/new"
		else
			set --
		fi &&
		mkdir -p new &&
		if test -d "$corpus"
		then
			set -- "$@" "$corpus"
		fi &&
		"$TEST_BUILD/t/fuzz/fuzz-$target" "$@"
	'
done

test_done
