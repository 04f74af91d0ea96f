/* SPDX-License-Identifier: Apache-2.0 */
/* ask URL METHOD TARGET [JSON]: one request, its status and body on standard output. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/net/net.h"

int main(int argc, char **argv)
{
	_cleanup_(net_close) struct net *net = NULL;
	_release_(net_answer_release) struct net_answer answer = NET_ANSWER_INIT;
	struct net_request request = { 0 };
	struct mlp_error err = MLP_ERROR_INIT;

	if (argc < 4)
		return 129;
	request.method = argv[2];
	request.path = argv[3];
	if (argc > 4) {
		request.type = "application/json";
		request.body = argv[4];
		request.len = strlen(argv[4]);
	}
	if (net_open(&net, &(struct net_options){ .base = argv[1] }, &err) ||
	    net_send(net, &request, &answer, &err)) {
		fprintf(stderr, "ask: %s\n", err.text);
		return 128;
	}
	printf("%d\n%s\n", answer.status, answer.body.buf);
	return answer.status < 300 ? 0 : 1;
}
