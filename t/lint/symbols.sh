#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared library exports what lib/mlp.h declares, and nothing else.
. "${srcdir:-.}/t/lint/lint-lib.sh"

library=$(find "$TEST_BUILD" "$TEST_BUILD/.libs" "$TEST_BUILD/lib/.libs" -maxdepth 1 \
	-name 'libmlp.so' 2>/dev/null | head -1)
test -f lib/mlp.h && test -n "$library" || test_skip_all 'no libmlp.so built'
lint_have nm || test_skip_all 'no nm'

# The name before the first parenthesis of each declaration marked MLP_API.
awk '
	/^MLP_API/ { text = ""; on = 1 }
	on { text = text " " $0 }
	on && /;/ {
		on = 0
		sub(/^ *MLP_API(\([^)]*\))? */, "", text)
		if (match(text, /[[:alnum:]_]+ *\(/)) {
			name = substr(text, RSTART, RLENGTH - 1)
			gsub(/ /, "", name)
			print name
		}
	}' lib/mlp.h | LC_ALL=C sort >"$TRASH/declared"
nm -D --defined-only "$library" | awk 'NF == 3 && $2 ~ /[A-Z]/ && $2 != "A" { sub(/@.*/, "", $3); print $3 }' |
LC_ALL=C sort >"$TRASH/exported"

lint_empty 'lib/mlp.h declares functions' 'test -s "$TRASH/declared" || echo none'
# A sanitizer adds symbols of its own.
lint_empty 'what is declared is exported, and nothing else' '
	grep -vE "^__(asan|odr_asan|ubsan|tsan|start_|stop_)|^_(init|fini)$" "$TRASH/exported" |
	diff "$TRASH/declared" - | grep "^[<>]" | sed "s/^</not exported:/; s/^>/not declared:/" || :'
lint_empty 'every name starts with mlp_' 'grep -v ^mlp_ "$TRASH/declared" || :'

test_done
