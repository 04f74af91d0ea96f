#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stores written by every version of the schema that was ever released open, keep what
# they hold, and end with the schema that a new store has.  t/fixtures/make-store-vN
# made them.
. "${srcdir:-.}/t/test-lib.sh"

test_lazy_prereq TAR 'gzip --version && tar --version'
test_require TAR

unpack()
{
	rm -rf "$1" && mkdir "$1" && gzip -dc "$TEST_SOURCE/t/fixtures/$1.tar.gz" | tar -xC "$1"
}

test_expect_success 'version 1: runs and points' '
	unpack store-v1 &&
	cd store-v1 &&
	"$TEST_BUILD/t/helper/list-points" >points &&
	grep -v " system/" points >actual &&
	cat >expect <<-\EOF &&
	first finished accuracy 200
	first finished odd 1
	first finished train/loss 200
	second failed accuracy 200
	second failed odd 1
	second failed train/loss 200
	interrupted failed
	EOF
	test_cmp expect actual
'

test_expect_success 'version 1: read by the commands' '
	cd store-v1 &&
	mlp show first >shown &&
	test_grep "lr *0.1" shown &&
	test_grep "train/loss" shown &&
	test_grep "data.csv" shown &&
	mlp show first:stdout >out &&
	echo "trained with 0.1" >expect &&
	test_cmp expect out
'

test_expect_success 'version 1: written by the commands' '
	cd store-v1 &&
	mlp train -n third -e credit -- true &&
	mlp tag first seen=again &&
	mlp show first >shown &&
	test_grep "seen=again" shown
'

# When this fails the schema of a released version was changed: add a migration instead.
test_expect_success 'version 1: ends with the schema of a new store' '
	mkdir new &&
	(cd new && mlp init >../made && mlp train -- true && "$TEST_BUILD/t/helper/list-points" --schema) >expect &&
	(cd store-v1 && "$TEST_BUILD/t/helper/list-points" --schema) >actual &&
	test_cmp expect actual
'

test_expect_success 'objects of version 1 are sound' '
	unpack store-v1 &&
	cd store-v1 &&
	find .mlp/objects -type f >objects &&
	test_line_count -ge 4 objects &&
	while read -r path
	do
		name=$(sha256sum <"$path" | cut -d" " -f1) &&
		test "$(echo "$path" | tr -d /)" = ".mlpobjects$name" || return 1
	done <objects
'

test_done
