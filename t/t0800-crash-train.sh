#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mlp train killed at random moments: what was acknowledged is there, nothing is left
# over, no run stays running.  25 moments; 500 with --long.
. "${srcdir:-.}/t/test-lib.sh"

rounds=25
test_have_prereq LONG && rounds=500

test_expect_success 'a project' '
	mlp init
'

test_expect_success "killed at $rounds random moments (supervisor, child or both)" '
	"$TEST_BUILD/t/helper/crash-train" "$rounds" ${CRASH_SEED:-}
'

test_done
