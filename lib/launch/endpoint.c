/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/join.h"
#include "lib/api/server.h"
#include "lib/capture/interpreter.h"
#include "lib/crypto/secret.h"
#include "lib/util/path.h"
#include "lib/util/xalloc.h"

/* A command that ended leaves nobody to wait for. */
enum { GRACE_MS = 0, THREADS = 2, BACKLOG = 128, SECRET_LEN = 32 };

struct endpoint {
	const struct repo *repo;
	const struct mlp_events *events;
	int listen_fd, stop_fd;
	uint16_t port;
	/* Any program of this machine, of whichever user, reaches a port. */
	char made[2 * SECRET_LEN + 1];
	const char *secret; /* made, or the user's own */
	struct api_join join;
	bool waiting; /* thread runs */
	pthread_t thread;
	struct api_server *server; /* the thread's until it is joined */
};

/* Is there one in this folder of packages? */
static bool has_client(const char *pattern)
{
	glob_t found;
	bool any = !glob(pattern, GLOB_NOSORT, NULL, &found) && found.gl_pathc;

	globfree(&found);
	return any;
}

static bool python_has_client(const char *python)
{
	_cleanup_free_ char *bin = path_dirname(python), *prefix = path_dirname(bin);
	_cleanup_free_ char *pattern =
		xasprintf("%s/lib*/python3*/*-packages/mlflow*.dist-info", prefix);

	return has_client(pattern);
}

/* Packages of the user and those that PYTHONPATH adds. */
static bool user_has_client(void)
{
	const char *home = getenv("HOME"), *more = getenv("PYTHONPATH");
	_release_(strvec_release) struct strvec folders = STRVEC_INIT;

	if (more)
		strvec_split(&folders, more, ':');
	for (size_t i = 0; i < folders.len; i++) {
		_cleanup_free_ char *package = path_join(folders.v[i], "mlflow");

		if (!access(package, F_OK))
			return true;
	}
	if (home) {
		_cleanup_free_ char *pattern = xasprintf(
			"%s/.local/lib/python3*/site-packages/mlflow*.dist-info", home);

		return has_client(pattern);
	}
	return false;
}

/* A shell script may start any python: the one on PATH is the best guess. */
static bool command_has_client(const struct job *job)
{
	_cleanup_free_ char *python = interpreter_find((const char *const *)job->argv.v, ".");

	if (!python)
		python = path_find_program("python3");
	return python && (python_has_client(python) || user_has_client());
}

static bool is_wanted(const struct repo *repo, const struct job *job)
{
	const char *when = settings_get(&repo->settings, "train.mlflow");
	const char *named = getenv("MLFLOW_TRACKING_URI"), *outer = getenv("MLP_ENDPOINT");

	if (when && !strcmp(when, "never"))
		return false;
	/* The endpoint of an outer mlp train is no wish of the user. */
	if (named && *named && (!outer || strcmp(named, outer)))
		return false;
	return (when && !strcmp(when, "always")) || command_has_client(job);
}

static int listen_here(struct endpoint *e, struct mlp_error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	e->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	e->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (e->listen_fd < 0 || e->stop_fd < 0 ||
	    bind(e->listen_fd, (struct sockaddr *)&address, len) ||
	    listen(e->listen_fd, BACKLOG) ||
	    getsockname(e->listen_fd, (struct sockaddr *)&address, &len))
		return mlp_error_errno(err, errno, "cannot listen for MLflow clients");
	e->port = ntohs(address.sin_port);
	return 0;
}

/* What clients send by the environment as it is: a name and a password rather than a token.
 * NULL when there is none. */
static const char *users_secret(void)
{
	const char *user = getenv("MLFLOW_TRACKING_USERNAME");
	const char *password = getenv("MLFLOW_TRACKING_PASSWORD");
	const char *token = getenv("MLFLOW_TRACKING_TOKEN");

	if (user && *user && password && *password)
		return password;
	return token && *token ? token : NULL;
}

static void warn(const struct mlp_events *events, const struct mlp_error *err)
{
	mlp_warn(events, "MLflow clients of the command are not recorded: %s", err->text);
}

struct endpoint *endpoint_open(const struct repo *repo, const struct job *job, const char *uuid,
			       const struct mlp_events *events)
{
	struct mlp_error err = MLP_ERROR_INIT;
	struct endpoint *e;

	if (!is_wanted(repo, job))
		return NULL;
	e = xcalloc(1, sizeof(*e));
	*e = (struct endpoint){ .repo = repo, .events = events, .listen_fd = -1, .stop_fd = -1,
				.join = { .run = uuid, .params = &job->params,
					  .keep_experiment = job->experiment,
					  .keep_name = job->name } };
	e->secret = users_secret();
	if (!e->secret && !secret_new(e->made, SECRET_LEN, &err))
		e->secret = e->made;
	if (e->secret && !listen_here(e, &err))
		return e;
	warn(events, &err);
	endpoint_close(e);
	return NULL;
}

void endpoint_environ(const struct endpoint *e, const struct job *job,
		      struct key_values *out)
{
	_cleanup_free_ char *url = e ? xasprintf("http://127.0.0.1:%u", e->port) : NULL;
	const char *quiet = getenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT");
	/* Credentials of the user's in the environment stay: a script may turn to the server that
	 * they are for.  Those in MLflow's file would be sent instead of a token of ours: clients
	 * prefer a name and a password, so both are given. */
	const char *made = e && e->secret == e->made ? e->made : NULL;
	const char *const more[][2] = {
		/* Where the user named none it would only be in the way of one that the script
		 * sets, in the processes that it starts. */
		{ "MLFLOW_EXPERIMENT_NAME", job->experiment },
		/* Addresses of an interface that is gone when the run is. */
		{ "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", quiet ? quiet : "true" },
		{ "MLFLOW_TRACKING_PASSWORD", made },
		{ "MLFLOW_TRACKING_TOKEN", made },
		{ "MLFLOW_TRACKING_URI", url },
		{ "MLFLOW_TRACKING_USERNAME", made ? "mlp" : NULL },
		{ "MLP_ENDPOINT", url },
	};

	for (size_t i = 0; e && i < ARRAY_SIZE(more); i++) {
		struct key_value kv = { xstrdup(more[i][0]), xstrdup_null(more[i][1]) };

		if (!kv.value)
			free(kv.key);
		else
			vec_push(out, kv);
	}
}

/* Better refused than kept waiting. */
static void refuse(struct endpoint *e, const struct mlp_error *err)
{
	shutdown(e->listen_fd, SHUT_RDWR);
	warn(e->events, err);
}

static void *serve(void *data)
{
	struct endpoint *e = data;
	struct pollfd fds[] = { { e->listen_fd, POLLIN, 0 }, { e->stop_fd, POLLIN, 0 } };
	struct api_server_options options = { .threads = THREADS, .secret = e->secret,
					      .join = &e->join };
	struct mlp_error err = MLP_ERROR_INIT;

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents || !fds[0].revents)
		return NULL;
	options.listen_fd = fcntl(e->listen_fd, F_DUPFD_CLOEXEC, 0);
	if (options.listen_fd < 0)
		mlp_error_errno(&err, errno, "cannot listen for them");
	if (options.listen_fd < 0 || api_server_start(&e->server, e->repo, &options, &err))
		refuse(e, &err);
	return NULL;
}

void endpoint_start(struct endpoint *e)
{
	struct mlp_error err = MLP_ERROR_INIT;
	int r = e ? pthread_create(&e->thread, NULL, serve, e) : 0;

	if (r) {
		mlp_error_errno(&err, r, "cannot start a thread");
		refuse(e, &err);
	} else if (e) {
		e->waiting = true;
	}
}

void endpoint_close(struct endpoint *e)
{
	if (!e)
		return;
	if (e->waiting) {
		eventfd_write(e->stop_fd, 1);
		pthread_join(e->thread, NULL);
		api_server_stop(e->server, GRACE_MS);
	}
	if (e->listen_fd >= 0)
		close(e->listen_fd);
	if (e->stop_fd >= 0)
		close(e->stop_fd);
	free(e);
}
