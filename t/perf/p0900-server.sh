#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What requests cost mlp server, as processor time of the server; the rival is the stock
# server in the same run, where MLP_PERF_VENV is a virtual environment that has mlflow, or
# PATH has it (it takes minutes to be given 1,000 runs).  The client is one program for both,
# and its own time stands apart.  MLP_PERF_RUNS (2,000) runs of MLP_PERF_POINTS (1,000) points
# make the large store; 100000 of 1000 are what the server has to bear, and take some minutes.
. "$(dirname "$0")/lib.sh"

runs=${MLP_PERF_RUNS:-2000} points=${MLP_PERF_POINTS:-1000}
for program in bench-server fill-store
do
	test -x "$build/t/perf/$program" || make -s -C "$build" "t/perf/$program" >/dev/null
done
server=
stop()
{
	test -z "$server" || kill "$server" 2>/dev/null || :
	test -z "$server" || wait "$server" || :
	server=
}
trap 'stop; rm -rf "$work"' EXIT

now_us() { echo $(($(date +%s%N) / 1000)); }

# wait_for PORT SECONDS: until something answers.
wait_for()
{
	wait_end=$(($(date +%s) + $2))
	until "$build/t/perf/bench-server" "$1" 0 health >/dev/null 2>&1
	do
		test "$(date +%s)" -lt "$wait_end" && kill -0 "$server" || return 1
		sleep 0.01
	done
}

# start: sets server, port, first_us (from the start to the first answer) and idle_kib.
start()
{
	: >"$work/address"
	first_us=$(now_us)
	mlp -q server -p 0 --threads 2 >"$work/address" 2>"$work/server.err" &
	server=$!
	until test -s "$work/address"
	do
		kill -0 "$server" || { cat "$work/server.err" >&2; exit 1; }
	done
	port=$(sed 's/.*://' "$work/address")
	wait_for "$port" 10
	first_us=$(($(now_us) - first_us))
	sleep 1
	idle_kib=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$server/status")
}

# start_stock: 1 when there is no stock server, or it does not start.
start_stock()
{
	mlflow=${MLP_PERF_VENV:+$MLP_PERF_VENV/bin/mlflow}
	mlflow=${mlflow:-$(command -v mlflow || :)}
	test -x "$mlflow" || {
		echo 'no mlflow (MLP_PERF_VENV, or PATH): no stock server beside ours' >&2
		return 1
	}
	port=$((20000 + $$ % 20000))
	(cd "$work" && exec "$mlflow" server --host 127.0.0.1 --port "$port" --workers 1 \
		--backend-store-uri sqlite:///stock.db --default-artifact-root stock \
		>stock.log 2>&1) &
	server=$!
	wait_for "$port" 240 || { echo 'the stock server does not start' >&2; stop; return 1; }
}

value() { awk -v k="$2" -v c="$3" '$1 == k { print $c }' "$1"; }

# check NAME WHAT LIMIT-US: ours beside the stock server's.
check()
{
	check_stock=$(value "$work/stock" "$1" 2)
	budget "$2" "$(value "$work/ours" "$1" 2)" "$3" \
		${check_stock:+'stock server' "$check_stock"}
	row '  wall' "$(ms "$(value "$work/ours" "$1" 3)")" \
		"of it the client $(ms "$(value "$work/ours" "$1" 4)")${check_stock:+, stock server $(ms \
			"$(value "$work/stock" "$1" 3)")}"
}

# grown NAME WHAT: in the large store at most twice as much, and half a tick.
grown()
{
	budget "  $2" "$(value "$work/large" "$1" 2)" \
		"$(($(value "$work/ours" "$1" 2) * 2 + 5000 / ${3:-20}))"
}

cases='log-metric=4000 log-batch=100 history=50 interval=100 search=20 filtered=50'
: >"$work/stock"
if start_stock
then
	"$build/t/perf/bench-server" "$port" "$server" log-metric=50 log-batch=3 history=2 \
		interval=3 search=1 filtered=2 >"$work/stock" || echo 'the stock server failed' >&2
	stop
fi

mlp -q init
start
# shellcheck disable=SC2086
"$build/t/perf/bench-server" "$port" "$server" $cases crowd=1000 >"$work/ours"
stop
check log-metric 'log-metric' 100
check log-batch 'log-batch of 1000' 2000
check history 'get-history, 10,000 points' 8000
check interval 'get-history-bulk-interval, 320 of 11,000' 2000
check search 'search, 1000 runs x (20 + 20)' 50000
check filtered 'search, filter and order, 100 of 1000' 5000
budget '16 clients x 1,000 log-metric: p99' "$(value "$work/ours" crowd 3)" 20000
row '  p50' "$(ms "$(value "$work/ours" crowd 2)")" "errors: $(value "$work/ours" crowd 4)"
test "$(value "$work/ours" crowd 4)" = 0 || perf_missed=$((perf_missed + 1))
budget 'first answer after the start' "$first_us" 50000
limit 'idle' "$idle_kib" 20480 KiB

rm -rf .mlp
mlp -q init
"$build/t/perf/fill-store" "$runs" "$points" >"$work/filled"
read -r all filled_ms <"$work/filled"
row "large store: $runs runs, $all points" "$((filled_ms / 1000)) s" 'to write'
limit '  hundredths of a byte a point' "$(($(du -sk .mlp | cut -f1) * 102400 / all))" 400
start
# shellcheck disable=SC2086
"$build/t/perf/bench-server" "$port" "$server" $cases >"$work/large"
stop
grown log-metric 'log-metric' 4000
grown log-batch 'log-batch of 1000' 100
grown history 'get-history, 10,000 points' 50
grown interval 'get-history-bulk-interval, 320 of 11,000' 100
grown search 'search, 1000 runs x (20 + 20)'
grown filtered 'search, filter and order, 100 of 1000' 50
budget '  first answer after the start' "$first_us" 100000
limit '  idle' "$idle_kib" 40960 KiB
perf_done
