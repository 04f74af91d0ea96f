#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What mlp train stores: plain files named by their SHA-256, once, read-only.
. "${srcdir:-.}/t/test-lib.sh"

# The object that should hold a file's bytes.
object_of()
{
	sha256sum <"$1" | sed 's|^\(..\)\([0-9a-f]*\).*|.mlp/objects/\1/\2|'
}

stored()
{
	cmp "$1" "$(object_of "$1")"
}

all_objects_are_sound()
{
	find .mlp/objects -type f >list &&
	while read -r path
	do
		test "$path" = "$(object_of "$path")" || { echo "damaged: $path"; return 1; }
	done <list
}

test_expect_success 'an output file' '
	mlp init &&
	mlp train -o model.bin -- sh -c "echo weights >model.bin" &&
	stored model.bin &&
	ls -l "$(object_of model.bin)" >mode &&
	test_grep "^-r--r--r--" mode
'

test_expect_success 'an output folder, with links and odd names' '
	test_write_script make-folder <<-\EOF &&
	mkdir -p out/deep/er out/.git out/.mlp
	echo one >out/one
	echo two >"out/deep/er/two words"
	echo "three" >"out/$(printf "new\nline\377")"
	: >out/empty
	ln -s one out/link
	ln -s /etc/passwd out/outside
	echo "not this" >out/.git/config
	echo "nor this" >out/.mlp/config
	EOF
	mlp train -o out -- ./make-folder &&
	stored out/one &&
	stored "out/deep/er/two words" &&
	stored "out/$(printf "new\nline\377")" &&
	stored out/empty &&
	printf one >target &&
	stored target &&
	printf /etc/passwd >target &&
	stored target &&
	test_path_is_missing "$(object_of /etc/passwd)" &&
	test_path_is_missing "$(object_of out/.git/config)" &&
	test_path_is_missing "$(object_of out/.mlp/config)" &&
	all_objects_are_sound
'

test_expect_success 'the same bytes are stored once' '
	mlp train -o out -- true &&
	object_of out/one >name &&
	ls -i "$(cat name)" >inode &&
	mlp train -o copy -- cp out/one copy &&
	ls -i "$(cat name)" >inode.after &&
	test_cmp inode inode.after
'

test_expect_success 'a large output is hashed and stored' '
	head -c 20000003 /dev/urandom >big.bin &&
	mlp train -o big.bin -- true &&
	stored big.bin
'

test_expect_success 'an input is hashed, not stored' '
	echo "some data" >data.csv &&
	mlp train -i data.csv -- true &&
	test_path_is_missing "$(object_of data.csv)" &&
	mlp show @ >shown &&
	test_grep "data.csv" shown
'

test_expect_success 'an input that is missing: nothing is started' '
	test_expect_code 3 mlp train -i nothing.csv -- touch started 2>err &&
	test_grep "nothing.csv" err &&
	test_path_is_missing started
'

test_expect_success 'an output has one name, however it is written' '
	mkdir named && cd named && mlp -q init &&
	mlp -q train -o a -o ./a -o "$PWD/a" -o sub//b/ -- sh -c "echo 1 >a; mkdir -p sub/b; echo 2 >sub/b/c" 2>err &&
	paths() { mlp show --json @ | sed "s/.*\"outputs\":\[\([^]]*\).*/\1/" | tr "," "\n" | sed -n "s/.*\"path\":\"\(.*\)\"/\1/p"; } &&
	paths >got && test_write_lines a sub/b/c >want && test_cmp want got && test_must_be_empty err && rm got want err &&
	mlp -q train -o . -- true && paths >../got && test_write_lines a sub/b/c >../want && test_cmp ../want ../got &&
	cd .. && mkdir -p far/deep && ln -s far/deep link && mlp -q train -o link/../x -- sh -c "echo 3 >far/x" &&
	test "$(mlp show @:link/../x)" = 3
'

test_expect_success 'pipes and sockets in an output are left out with a warning' '
	mkdir odd &&
	mkfifo odd/pipe &&
	echo file >odd/file &&
	mlp train -o odd -- true 2>err &&
	stored odd/file &&
	test_grep "warning: .odd/pipe. is left out" err
'

test_expect_success 'an output that was not made is said' '
	mlp train -o not-made -- true 2>err &&
	test_grep "not-made" err
'

test_expect_success 'an output that is still written to is stored as it was at some time' '
	test_write_script endless <<-\EOF &&
	while echo more
	do
		:
	done >>growing
	EOF
	truncate -s 60M growing &&
	{ ./endless & } && pid=$! &&
	test_when_finished "kill $pid" &&
	mlp train -o growing -- true 2>err &&
	test_grep "kept changing" err &&
	all_objects_are_sound
'

test_expect_success 'a damaged object of another size is repaired by the next run' '
	object=$(object_of model.bin) &&
	chmod u+w "$object" &&
	echo damage >>"$object" &&
	mlp train -o model.bin -- true &&
	stored model.bin
'

test_expect_success 'many small files' '
	mkdir many &&
	awk "BEGIN { for (i = 0; i < 1500; i++) { f = \"many/\" i; print i >f; close(f) } }" &&
	mlp train -o many -- true &&
	stored many/0 &&
	stored many/1499 &&
	all_objects_are_sound
'

test_expect_success 'nothing is left in tmp' '
	find .mlp/tmp .mlp/runs -mindepth 1 >left &&
	test_must_be_empty left
'

test_expect_success 'without libcrypto that is said' '
	mkdir bad &&
	soname=$(sed -n "s/^#define CRYPTO_SONAME \"\(.*\)\"/\1/p" "$TEST_BUILD/config.h") &&
	echo "no library" >"bad/$soname" &&
	test_expect_code 128 env LD_LIBRARY_PATH="$PWD/bad" mlp train -i data.csv -- touch started 2>err &&
	test_grep "cannot load .libcrypto" err &&
	test_grep "^hint: " err
'

test_done
