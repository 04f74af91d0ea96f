#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libmlp from a program built elsewhere, with pkg-config, in C and C++.
. "${srcdir:-.}/t/test-lib.sh"

make_variable()
{
	sed -n "s/^$1 = //p" "$TEST_BUILD/Makefile"
}
CC=$(make_variable CC)
SANITIZE=$(make_variable SANITIZE_FLAGS)
ROOT=$TRASH/root
LIBDIR=$ROOT$(make_variable prefix)/lib

test_lazy_prereq BUILD 'command -v pkg-config && command -v make && echo "int x;" | $CC -c -x c -o o -'
test_lazy_prereq CXX 'echo "int main() {}" | c++ -x c++ -o o -'
test_require BUILD
test_require SQLITE3

# flags: what pkg-config says of the installed library.
flags()
{
	PKG_CONFIG_PATH=$LIBDIR/pkgconfig pkg-config \
		--define-variable=prefix="$ROOT$(make_variable prefix)" --cflags --libs libmlp
}

test_expect_success 'the library installs' '
	make -C "$TEST_BUILD" DESTDIR="$ROOT" install-libLTLIBRARIES install-includeHEADERS \
		install-pkgconfigDATA &&
	flags
'

cat >log.c <<\END
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <mlp.h>

static void *log_many(void *name)
{
	for (int i = 0; i < 1000; i++)
		if (mlp_log_metric(name, i / 8.0, i))
			abort();
	return NULL;
}

static int threads(void)
{
	char names[4][8] = { "t/a", "t/b", "t/c", "t/d" };
	pthread_t id[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&id[i], NULL, log_many, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	return mlp_flush();
}

/* Children made while another thread has the library's lock, or so it was. */
static int forks(void)
{
	char name[] = "t/a";
	pthread_t id;
	int status, failed = 0;

	pthread_create(&id, NULL, log_many, name);
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			_exit(mlp_log_metric("child", i, i) != 0);
		}
		failed |= waitpid(pid, &status, 0) != pid || status;
	}
	pthread_join(id, NULL);
	return failed;
}

int main(int argc, char **argv)
{
	char error[MLP_ERROR_SIZE] = "";
	const char *keys[] = { "a", "b\xc3\xa9" };
	double values[] = { 0.1, NAN };
	int r = -1;

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "metrics"))
		r = mlp_log_metric("loss", 0.25, 3) ? : mlp_log_metric("loss", -INFINITY, -1) ? :
			mlp_log_metrics(2, keys, values, 7);
	else if (!strcmp(argv[1], "threads"))
		r = threads();
	else if (!strcmp(argv[1], "forks"))
		r = forks();
	else if (!strcmp(argv[1], "kill"))
		r = mlp_log_metric("last", 1, 0) ? : (abort(), 0);
	else if (!strcmp(argv[1], "bad"))
		r = mlp_log_metric("../x", 1, 0);
	else if (!strcmp(argv[1], "meant"))
		r = mlp_log_metrics(2, (const char *[]){ "loss", argv[2] }, values, 7);
	else if (!strcmp(argv[1], "late"))
		r = mlp_log_metric("late", 1, (INT64_C(1) << 53) + 1);
	else if (!strcmp(argv[1], "param"))
		r = mlp_log_param(argv[2], argv[3], error);
	else if (!strcmp(argv[1], "tag"))
		r = mlp_log_tag(argv[2], argv[3], error);
	else if (!strcmp(argv[1], "artifact"))
		r = mlp_log_artifact(argv[2], argv[3], error);
	else if (!strcmp(argv[1], "given"))
		r = printf("%s %s\n", mlp_run_id(), mlp_param("batch-size")) < 0;
	if (r < 0)
		printf("%s: %s\n", strerror(-r), error);
	return r < 0 ? 3 : r;
}
END

test_expect_success 'a C program builds with what pkg-config says' '
	flags="$(flags)" &&
	$CC $SANITIZE -Wall -o log log.c $flags -lm -pthread
'
LD_LIBRARY_PATH=$LIBDIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

test_expect_success 'outside of a run nothing happens, and the program is told' '
	for what in metrics "param a b" "tag a b" "artifact log.c"
	do
		# shellcheck disable=SC2086 # the words of what
		test_expect_code 1 ./log $what >out || return 1
		test_must_be_empty out || return 1
	done
'

test_expect_success 'metrics to the descriptor in MLP_FD' '
	: >metrics &&
	MLP_FD=7 ./log metrics 7>>metrics &&
	sed "s/\"time\":[0-9]*/\"time\":T/" metrics >act &&
	cat >exp <<-\END &&
	{"step":3,"time":T,"loss":0.25}
	{"time":T,"loss":"-Infinity"}
	{"step":7,"time":T,"a":0.1,"bé":"NaN"}
	END
	test_cmp exp act
'

test_expect_success 'from several threads, line by line' '
	: >metrics &&
	MLP_FD=7 ./log threads 7>>metrics &&
	test_line_count = 4000 metrics &&
	{ grep -vE "^\{\"step\":[0-9]+,\"time\":[0-9]+,\"t/[abcd]\":[0-9.]+\}$" metrics >bad || : ; } &&
	test_must_be_empty bad
'

test_expect_success 'from children of a program with threads' '
	: >metrics &&
	MLP_FD=7 ./log forks 7>>metrics &&
	grep child metrics >children && test_line_count = 200 children
'

test_expect_success 'they are there when the program is killed right after' '
	: >metrics &&
	{ (MLP_FD=7 ./log kill 7>>metrics) || : ; } 2>/dev/null &&
	test_grep "\"last\":1" metrics
'

test_expect_success 'a descriptor that is not for metrics is not written to' '
	echo precious >file &&
	MLP_FD=7 test_expect_code 1 ./log metrics 7<>file >out &&
	test "$(cat file)" = precious &&
	MLP_FD=7 test_expect_code 1 ./log metrics 7<file &&
	MLP_FD=99 test_expect_code 1 ./log metrics &&
	MLP_FD=x test_expect_code 1 ./log metrics
'

test_expect_success 'to the path in MLP_METRICS when MLP_FD is closed' '
	mkfifo fifo &&
	: >metrics &&
	{ cat fifo >got & } && pid=$! &&
	exec 8>fifo &&
	MLP_FD=7 MLP_METRICS=fifo ./log metrics &&
	exec 8>&- &&
	wait $pid &&
	test_line_count = 3 got &&
	MLP_METRICS=fifo test_expect_code 3 ./log metrics >out &&
	test_grep "No such device" out
'

test_expect_success 'a key that cannot name a metric' '
	MLP_FD=7 test_expect_code 3 ./log bad 7>>metrics >out &&
	test_grep "Invalid argument" out
'

test_expect_success 'nor do the names that a line has for itself, and nothing is written' '
	: >metrics &&
	for name in step time
	do
		MLP_FD=7 test_expect_code 3 ./log meant $name 7>>metrics >out || return 1
		test_grep "Invalid argument" out || return 1
	done &&
	test_must_be_empty metrics
'

test_expect_success 'parameters, tags and files go to the store' '
	mlp init &&
	sqlite3 .mlp/mlp.db "INSERT INTO run(uuid, experiment_id, name, user, status, started_ms)
		VALUES('\''0195c0de0000700080000000000000aa'\'', 0, '\''one'\'', '\''u'\'', 1, 1)" &&
	MLP_DIR=$TRASH/.mlp MLP_RUN_ID=0195c0de0000700080000000000000aa &&
	export MLP_DIR MLP_RUN_ID &&
	./log param lr 0.1 &&
	./log param lr 0.1 &&
	test_expect_code 3 ./log param lr 0.2 >out &&
	test_grep "File exists: parameter .lr. is .0.1. already" out &&
	./log tag stage done &&
	./log artifact log.c src/log.c &&
	test_expect_code 3 ./log artifact absent >out &&
	test_grep "No such file.*absent" out &&
	sqlite3 .mlp/mlp.db "SELECT key, value FROM param UNION SELECT key, value FROM tag
		UNION SELECT path, stored FROM run_file" >act &&
	test_write_lines "lr|0.1" "src/log.c|1" "stage|done" >exp &&
	test_cmp exp act
'

test_expect_success 'what the run was given' '
	MLP_PARAM_BATCH_SIZE=32 ./log given >act &&
	echo "0195c0de0000700080000000000000aa 32" >exp &&
	test_cmp exp act
'
unset MLP_DIR MLP_RUN_ID

test_expect_success CXX 'a C++ program' '
	cat >log.cc <<-\END &&
	#include <mlp.h>
	int main() { return mlp_log_metric("loss", 0.5, -1) == MLP_NO_RUN ? 0 : 1; }
	END
	flags="$(flags)" &&
	c++ $SANITIZE -Wall -o logcc log.cc $flags &&
	./logcc
'

test_expect_success 'inside of mlp train' '
	cat >train.sh <<-\END &&
	./log metrics && ./log late && ./log param from-c yes && ./log artifact log.c
	END
	mlp train -- sh train.sh >out 2>err &&
	sqlite3 .mlp/mlp.db "SELECT k.name, m.points FROM metric m JOIN metric_key k ON k.id = m.key_id
		WHERE k.name IN ('\''a'\'', '\''loss'\'') ORDER BY 1" >act &&
	test_write_lines "a|1" "loss|2" >exp &&
	test_cmp exp act &&
	test "$(sqlite3 .mlp/mlp.db "SELECT m.step FROM metric m JOIN metric_key k ON k.id = m.key_id
		WHERE k.name = '\''late'\''")" = 9007199254740993
'

test_done
