#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stores that cannot be used: one line that says why, the right code, the command not
# started, and the store left as it was.
. "${srcdir:-.}/t/test-lib.sh"

# One error line of ours on stderr (hints and usage apart), which has the text.
one_error()
{
	test "$(grep -c '^mlp: ' "$1")" = 1 || { cat "$1" >&2; return 1; }
	test_grep "$2" "$1"
}

# refused TEXT [VAR=VALUE]: writers and readers both.
refused()
{
	test_expect_code 128 env ${2:+"$2"} mlp train -- touch started 2>err &&
	one_error err "$1" &&
	test_path_is_missing started &&
	test_expect_code 128 env ${2:+"$2"} mlp show @ 2>err &&
	one_error err "$1"
}

# put_bytes FILE OFFSET ESCAPES
put_bytes()
{
	# shellcheck disable=SC2059 # escapes
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# in_read_only CODE: runs here with the project's folder read-only.
in_read_only()
{
	unshare -m sh -c 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && '"$1"
}

test_lazy_prereq UNSHARE 'unshare -m true'

test_expect_success 'a project with a run' '
	mlp init &&
	echo data >model.bin &&
	mlp train -n first -t kind=x -o model.bin -- sh -c "echo printed" &&
	mlp note @ words &&
	cp -R .mlp sound
'

restore()
{
	rm -rf .mlp && cp -R sound .mlp
}

test_expect_success 'no project' '
	mkdir -p elsewhere &&
	(
		cd elsewhere &&
		MLP_DIR=$TRASH/nowhere &&
		export MLP_DIR &&
		refused "no project at .*nowhere. (from MLP_DIR)"
	) &&
	test_path_is_missing nowhere
'

test_expect_success 'MLP_DIR names a file' '
	echo text >a-file &&
	(
		MLP_DIR=$TRASH/a-file &&
		export MLP_DIR &&
		refused "a-file"
	) &&
	test "$(cat a-file)" = text
'

test_expect_success ROOT,UNSHARE 'a folder that cannot be written can be read' '
	in_read_only "mlp show @ >$TEST_ROOT/shown 2>$TEST_ROOT/err" &&
	test_grep first "$TEST_ROOT/shown" &&
	test_must_be_empty "$TEST_ROOT/err" &&
	in_read_only "mlp tag @ >$TEST_ROOT/shown" &&
	test_grep kind "$TEST_ROOT/shown" &&
	in_read_only "mlp note @ >$TEST_ROOT/shown </dev/null" &&
	echo words >expect && test_cmp expect "$TEST_ROOT/shown" &&
	in_read_only "mlp -q reproduce --check @"
'

test_expect_success ROOT,UNSHARE 'and writing is refused' '
	test_expect_code 128 in_read_only "mlp train -- true 2>$TEST_ROOT/err" &&
	one_error "$TEST_ROOT/err" "read-only" &&
	test_expect_code 128 in_read_only "mlp tag @ a=b 2>$TEST_ROOT/err" &&
	one_error "$TEST_ROOT/err" "read-only"
'

test_expect_success BOUND 'a store without permission' '
	test_when_finished "chmod u+rwx .mlp" &&
	chmod a-w .mlp .mlp/mlp.db &&
	test_expect_code 128 test_bound mlp train -- touch started 2>err &&
	one_error err "read-only\|permission denied" &&
	test_path_is_missing started &&
	test_bound mlp show @
'

test_expect_success 'a store that is no database' '
	test_when_finished restore &&
	echo "these are not the bytes of a database, however long one looks" >.mlp/mlp.db &&
	cp .mlp/mlp.db before &&
	refused "damaged" &&
	cmp before .mlp/mlp.db
'

test_expect_success 'a store cut short' '
	test_when_finished restore &&
	dd if=sound/mlp.db of=.mlp/mlp.db bs=4096 count=3 2>/dev/null &&
	rm -f .mlp/mlp.db-* &&
	cp .mlp/mlp.db before &&
	refused "damaged" &&
	cmp before .mlp/mlp.db
'

test_expect_success 'a database of another program' '
	test_when_finished restore &&
	rm -f .mlp/mlp.db-* &&
	put_bytes .mlp/mlp.db 68 "GPKG" &&
	cp .mlp/mlp.db before &&
	refused "is not a store of mlp" &&
	cmp before .mlp/mlp.db
'

test_expect_success 'a store of a newer program' '
	test_when_finished restore &&
	rm -f .mlp/mlp.db-* &&
	put_bytes .mlp/mlp.db 60 "\000\000\000\143" &&
	cp .mlp/mlp.db before &&
	refused "version 99" &&
	test_grep "^hint: " err &&
	cmp before .mlp/mlp.db
'

test_expect_success 'settings that do not parse' '
	test_when_finished restore &&
	echo "[core" >.mlp/config &&
	refused "config at line"
'

test_expect_success 'an object cut short is said, and the rest is shown' '
	test_when_finished restore &&
	find .mlp/objects -type f -exec chmod u+w {} + -exec truncate -s 1 {} + &&
	test_expect_code 128 mlp show @:stdout >out 2>err &&
	one_error err "@\|object\|log" &&
	mlp show @ >out &&
	test_grep first out
'

test_expect_success 'objects that are gone are said' '
	test_when_finished restore &&
	rm -rf .mlp/objects/* &&
	test_expect_code 128 mlp show @:stdout >out 2>err &&
	one_error err "not in the store" &&
	mlp show @ >out
'

test_expect_success 'folders of the project that are gone are made again' '
	test_when_finished restore &&
	rm -rf .mlp/tmp .mlp/runs .mlp/objects &&
	mlp train -o model.bin -- true &&
	find .mlp/objects -type f >objects &&
	test_line_count -ge 1 objects
'

test_expect_success SMALL_DISK 'a full disk: the run is recorded, outputs are not, nothing is half there' '
	test_with_small_disk 1500k "
		mlp init &&
		mlp train -n small -o big.bin -- sh -c \"head -c 900000 /dev/urandom >big.bin\" 2>'\''$TEST_ROOT'\''/err
		echo \$? >'\''$TEST_ROOT'\''/code
		rm -f big.bin
		'\''$TEST_BUILD'\''/t/helper/list-points >'\''$TEST_ROOT'\''/points &&
		find .mlp/tmp .mlp/runs -mindepth 1 >'\''$TEST_ROOT'\''/left
	" &&
	one_error "$TEST_ROOT/err" "no space left" &&
	test_grep "^small f" "$TEST_ROOT/points" &&
	test_must_be_empty "$TEST_ROOT/left"
'

test_expect_success 'after all this the store is as it was' '
	"$TEST_BUILD/t/helper/list-points" | grep -v " system/" >points &&
	echo "first finished" >expect &&
	test_cmp expect points
'

test_done
