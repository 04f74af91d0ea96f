/* SPDX-License-Identifier: Apache-2.0 */
/* mlp server: MLflow's protocol over this project's store. */
#include "config.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/server/server.h"
#include "lib/api/auth.h"
#include "lib/api/server.h"
#include "lib/track/schema.h"
#include "lib/store/object.h"
#include "lib/util/file.h"

enum { GRACE_MS = 10000, PEM_MAX = 1 << 20, THREADS_MAX = 64, DESCRIPTORS = 4096 };

struct server_opts {
	const char *listen, *tls_cert, *tls_key, *access_log;
	int64_t port, threads;
	bool auth;
};

static const struct opt opts[] = {
	OPT_STRING(0, "listen", "ADDRESS", struct server_opts, listen,
		   "address to listen on, 127.0.0.1 by default"),
	OPT_INT('p', "port", "N", struct server_opts, port, "port, 5000 by default; 0 for any"),
	OPT_FLAG(0, "auth", struct server_opts, auth, "every request needs a token"),
	OPT_STRING(0, "tls-cert", "FILE", struct server_opts, tls_cert,
		   "certificate and those above it, PEM", .complete = COMPLETE_FILE),
	OPT_STRING(0, "tls-key", "FILE", struct server_opts, tls_key, "its key, PEM",
		   .complete = COMPLETE_FILE),
	OPT_STRING(0, "access-log", "FILE", struct server_opts, access_log,
		   "a line of JSON for each request; '-' for standard output",
		   .complete = COMPLETE_FILE),
	OPT_INT(0, "threads", "N", struct server_opts, threads,
		"threads that answer, by default one a processor"),
	OPT_END
};

static const struct server_opts defaults = { .port = 5000 };

struct tls {
	struct strbuf cert, key;
};

static void tls_release(struct tls *tls)
{
	strbuf_release(&tls->cert);
	strbuf_release(&tls->key);
}

static int read_pem(const char *path, struct strbuf *out, struct mlp_error *err)
{
	int r = file_read(path, PEM_MAX, out);

	return r ? mlp_error_errno(err, r, "cannot read '%s'", path) : 0;
}

static int tls_read(const struct server_opts *o, struct tls *tls, struct mlp_error *err)
{
	int r = o->tls_cert ? read_pem(o->tls_cert, &tls->cert, err) : 0;

	return r || !o->tls_key ? r : read_pem(o->tls_key, &tls->key, err);
}

static bool is_remote(const struct server_opts *o, int listen_fd)
{
	if (listen_fd >= 0)
		return !service_is_local(listen_fd);
	return o->listen && strncmp(o->listen, "127.", 4) != 0 && strcmp(o->listen, "::1") != 0 &&
	       strcmp(o->listen, "localhost") != 0;
}

/* Of a server that others reach. */
static int check_access(struct cmd_ctx *ctx, const struct server_opts *o)
{
	if (!o->auth) {
		mlp_error_set(&ctx->err, MLP_EINVAL,
			      "others could write to this project on '%s': --auth is needed",
			      o->listen ? o->listen : "the socket given");
		mlp_error_hint(&ctx->err, "'mlp server token add NAME --scope write' makes a token");
		return MLP_EINVAL;
	}
	if (!o->tls_cert)
		cmd_warn("without --tls-cert tokens can be read on the way");
	return 0;
}

static void warn_without_tokens(struct cmd_ctx *ctx)
{
	_cleanup_(db_close) struct db *db = NULL;
	struct tokens tokens = { 0 };
	bool any = false;

	if (!track_open(&db, &ctx->repo, DB_CREATE, NULL) && !token_list(db, &tokens, NULL))
		for (size_t i = 0; i < tokens.len; i++)
			any |= !tokens.v[i].revoked_ms;
	free(tokens.v);
	if (!any)
		cmd_warn("there is no token yet: 'mlp server token add NAME --scope write' makes one");
}

static char *url_of(const struct server_opts *o, uint16_t port)
{
	const char *scheme = o->tls_cert ? "https" : "http";
	const char *host = o->listen ? o->listen : "127.0.0.1";
	char name[256] = "";

	/* Any address is none that a client could use. */
	if ((!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) && !gethostname(name, sizeof(name) - 1))
		host = name;
	return xasprintf(strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u", scheme, host, port);
}

static void announce(const struct cmd_ctx *ctx, const struct server_opts *o, uint16_t port)
{
	_cleanup_free_ char *url = url_of(o, port);

	printf("listening on %s\n", url);
	fflush(stdout);
	if (!ctx->quiet)
		fprintf(stderr, "hint: export MLFLOW_TRACKING_URI=%s\n", url);
	service_notify("READY=1");
}

static void reload(struct cmd_ctx *ctx, const struct server_opts *o, struct api_server *server)
{
	_release_(tls_release) struct tls tls = { STRBUF_INIT, STRBUF_INIT };
	int r;

	service_notify_reload();
	r = tls_read(o, &tls, &ctx->err);
	if (!r)
		r = api_server_reload(server, o->tls_cert ? tls.cert.buf : NULL, tls.key.buf,
				      &ctx->err);
	if (r)
		cmd_warn("all stays as it was: %s", ctx->err.text);
	service_notify("READY=1");
}

/* Until the server is told to end. */
static void serve(struct cmd_ctx *ctx, const struct server_opts *o, struct api_server *server,
		  const sigset_t *signals)
{
	int sig = 0;

	while (!sigwait(signals, &sig) && sig == SIGHUP)
		reload(ctx, o, server);
	service_notify("STOPPING=1");
}

/* A connection takes a descriptor, and another while a file is sent or received. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)DESCRIPTORS);
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What a large answer took goes back to the system with it: the allocator would else learn to
 * keep memory of that size, for each thread. */
static void return_memory(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
#endif
}

static int start(struct cmd_ctx *ctx, const struct server_opts *o, struct api_server **out)
{
	_release_(tls_release) struct tls tls = { STRBUF_INIT, STRBUF_INIT };
	struct api_server_options options = {
		.address = o->listen && !strcmp(o->listen, "localhost") ? NULL : o->listen,
		.port = (uint16_t)o->port,
		.listen_fd = service_listen_fd(),
		.threads = (unsigned)o->threads,
		.auth = o->auth,
		.access_log = o->access_log,
	};
	int r;

	options.remote = is_remote(o, options.listen_fd);
	r = options.remote ? check_access(ctx, o) : 0;
	if (!r)
		r = tls_read(o, &tls, &ctx->err);
	if (r)
		return r;
	if (o->tls_cert) {
		options.tls_cert = tls.cert.buf;
		options.tls_key = tls.key.buf;
	}
	if (o->auth)
		warn_without_tokens(ctx);
	/* What a server that was killed left; if it cannot be removed, it only takes room. */
	object_tmp_clean(&ctx->repo, NULL);
	return api_server_start(out, &ctx->repo, &options, &ctx->err);
}

static int run(struct cmd_ctx *ctx, const void *values, int argc, char **argv)
{
	const struct server_opts *o = values;
	struct api_server *server;
	sigset_t signals;
	int r;

	(void)argc;
	(void)argv;
	if (o->port < 0 || o->port > 65535)
		return cmd_usage(ctx, "--port must be from 0 to 65535");
	if (o->threads < 0 || o->threads > THREADS_MAX)
		return cmd_usage(ctx, "--threads must be from 1 to %d", THREADS_MAX);
	if (!o->tls_cert != !o->tls_key)
		return cmd_usage(ctx, "--tls-cert and --tls-key need each other");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an answer, not the end */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	allow_descriptors();
	return_memory();
	r = start(ctx, o, &server);
	if (r)
		return r;
	announce(ctx, o, api_server_port(server));
	serve(ctx, o, server, &signals);
	api_server_stop(server, GRACE_MS);
	return 0;
}

static const struct mlp_cmd *const verbs[] = { &cmd_server_token, NULL };

const struct mlp_cmd cmd_server = {
	.name = "server",
	.group = "serve",
	.summary = "serve MLflow's protocol over this project",
	.usage = "[--listen ADDRESS] [-p N] [--auth] [--tls-cert FILE --tls-key FILE]"
		 " [--access-log FILE] [--threads N]\n"
		 "token add NAME --scope SCOPE [--experiment E]\n"
		 "token list\n"
		 "token revoke NAME",
	.opts = opts,
	.opts_size = sizeof(struct server_opts),
	.defaults = &defaults,
	.needs = NEED_REPO | NEED_AUTO_INIT,
	.run = run,
	.verbs = verbs,
};
