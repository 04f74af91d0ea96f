# SPDX-License-Identifier: Apache-2.0
# For tests of the server.
# shellcheck shell=sh disable=SC2034 # variables here are for the tests
test_require MICROHTTPD

server=
# A test that failed leaves none behind; the harness's own trap goes by the code of the end.
trap 'code=$?; test -z "$server" || kill "$server" 2>/dev/null; (exit $code); test_exit' EXIT

# serve DIR [ARG...]: a server of the project in DIR.  Sets server (its pid), url and port,
# which commands see, too; it writes to server.out and server.err.
serve()
{
	served=$1 && shift && rm -f server.out &&
	{ mlp -C "$served" server -p 0 "$@" >server.out 2>server.err & } && server=$! &&
	test_wait_for 60 is_listening && test -s server.out &&
	url=$(sed -n 's/^listening on //p' server.out) && port=${url##*:} &&
	export server url port
}

# Told so, or gone.
is_listening()
{
	grep -qs '^listening' server.out || ! kill -0 "$server" 2>/dev/null
}

# Ends it, and is as true as its exit code.
stop()
{
	stopped=$server && server= && kill "$stopped" && wait "$stopped"
}
