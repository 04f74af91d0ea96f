/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of mlp server, and what it has to do with whoever started it. */
#ifndef CMD_SERVER_SERVER_H
#define CMD_SERVER_SERVER_H

#include "cmd/cmd.h"
#include "lib/util/strbuf.h"

extern const struct mlp_cmd cmd_server_token;

/* The listening socket that systemd passed, or -1. */
int service_listen_fd(void);
/* Is the address that the socket listens on of this machine only? */
bool service_is_local(int fd);
/* Tells systemd, where it asked to be told: "READY=1". */
void service_notify(const char *state);
/* "RELOADING=1" with the time, as Type=notify-reload needs it. */
void service_notify_reload(void);

#endif
