/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/net/net.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/net/load.h"
#include "lib/util/xalloc.h"

enum {
	CONNECT_MS = 15000,
	STALL_SECONDS = 120, /* as MLflow's client */
	STALL_BYTES = 1000,  /* a second: a peer that sends a byte now and then holds nobody */
	TRIES = 5,
	WAIT_FIRST_MS = 200,
	WAIT_MAX_MS = 20000,
	ANSWER_MAX = 64 << 20,
	ERROR_MAX = 64 << 10, /* of the body of an error where a sink takes the others */
};

struct net {
	const struct net_functions *curl;
	CURL *handle;
	char *base;
	char *token, *user, *password, *ca_file;
	bool insecure;
	long stall_seconds;
	int tries;
};

/* One try of a request. */
struct transfer {
	struct net *net;
	const struct net_request *request;
	struct net_answer *answer;
	struct mlp_error *err; /* of the sink or the file, set when .failed */
	int failed;	       /* MLP_E*, or 0 */
	size_t sent;
	size_t answer_max;
	bool begun, too_large;
	char reason[CURL_ERROR_SIZE];
};

void net_answer_release(struct net_answer *answer)
{
	strbuf_release(&answer->body);
}

const char *net_base(const struct net *net)
{
	return net->base;
}

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void net_close(struct net *net)
{
	if (!net)
		return;
	if (net->handle)
		net->curl->curl_easy_cleanup(net->handle);
	forget(net->token);
	forget(net->password);
	free(net->user);
	free(net->ca_file);
	free(net->base);
	free(net);
}

static bool has_part(const struct net_functions *curl, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = !curl->curl_url_get(url, part, &text, 0);

	if (has)
		curl->curl_free(text);
	return has;
}

/* What is wrong with it, or NULL. */
static const char *base_problem(const struct net_functions *curl, const char *base)
{
	CURLU *url = curl->curl_url();
	const char *problem = NULL;

	if (strncasecmp(base, "http://", 7) && strncasecmp(base, "https://", 8))
		problem = "not an http or https address";
	else if (!url || curl->curl_url_set(url, CURLUPART_URL, base, 0))
		problem = "not an address";
	else if (has_part(curl, url, CURLUPART_USER) || has_part(curl, url, CURLUPART_PASSWORD))
		problem = "user names and passwords are not taken from an address";
	else if (has_part(curl, url, CURLUPART_QUERY) || has_part(curl, url, CURLUPART_FRAGMENT))
		problem = "has more than a host and a path";
	curl->curl_url_cleanup(url);
	return problem;
}

int net_open(struct net **out, const struct net_options *options, struct mlp_error *err)
{
	_cleanup_(net_close) struct net *net = NULL;
	const struct net_functions *curl = net_load(err);
	const char *problem = curl ? base_problem(curl, options->base) : NULL;
	size_t len = strlen(options->base);

	if (!curl)
		return MLP_EUNSUPPORTED;
	if (problem) /* the address itself may hold a secret */
		return mlp_error_set(err, MLP_EINVAL, "cannot use the server's address: %s",
				     problem);
	while (len && options->base[len - 1] == '/')
		len--;
	net = xcalloc(1, sizeof(*net));
	net->curl = curl;
	net->base = xmemdupz(options->base, len);
	net->token = xstrdup_null(options->token);
	net->user = xstrdup_null(options->user);
	net->password = xstrdup_null(options->password);
	net->ca_file = xstrdup_null(options->ca_file);
	net->insecure = options->insecure;
	net->stall_seconds = options->stall_seconds ? (long)options->stall_seconds : STALL_SECONDS;
	net->tries = options->tries ? options->tries : TRIES;
	net->handle = curl->curl_easy_init();
	if (!net->handle)
		return mlp_error_set(err, MLP_EFAIL, "cannot start '%s'", CURL_SONAME);
	*out = steal_ptr(&net);
	return 0;
}

static int status_of(const struct transfer *t)
{
	long status = 0;

	t->net->curl->curl_easy_getinfo(t->net->handle, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static size_t take_piece(char *piece, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	const struct net_sink *sink = t->request->sink;
	size_t len = size * n, most = t->answer_max;
	int status = status_of(t);

	if (sink && status >= 200 && status < 300) {
		if (!t->begun)
			t->failed = sink->begin(sink->data, t->err);
		t->begun = true;
		if (!t->failed)
			t->failed = sink->piece(sink->data, piece, len, t->err);
		return t->failed ? 0 : len;
	}
	if (sink) /* an error's body: its start says what is wrong */
		most = ERROR_MAX;
	if (len > most || t->answer->body.len > most - len) {
		t->too_large = true;
		return 0;
	}
	strbuf_add(&t->answer->body, piece, len);
	return len;
}

static size_t give_piece(char *to, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	size_t left = (size_t)t->request->file_size - t->sent, len = MIN(size * n, left);
	ssize_t got;

	do
		got = pread(t->request->fd, to, len, (off_t)t->sent);
	while (got < 0 && errno == EINTR);
	if (got < 0 || (!got && len)) {
		t->failed = got < 0 ? mlp_error_errno(t->err, errno, "cannot read what is to be sent") :
				      mlp_error_set(t->err, MLP_ECORRUPT,
						    "a file became shorter while it was sent");
		return CURL_READFUNC_ABORT;
	}
	t->sent += (size_t)got;
	return (size_t)got;
}

static int rewind_file(void *data, curl_off_t offset, int origin)
{
	struct transfer *t = data;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

#define SET(option, value) (void)curl->curl_easy_setopt(h, option, value)

static void set_server(struct net *net)
{
	const struct net_functions *curl = net->curl;
	CURL *h = net->handle;

	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, net->stall_seconds);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	SET(CURLOPT_SSL_VERIFYPEER, net->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, net->insecure ? 0L : 2L);
	if (net->ca_file)
		SET(CURLOPT_CAINFO, net->ca_file);
	if (net->token) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, net->token);
	} else if (net->user) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, net->user);
		SET(CURLOPT_PASSWORD, net->password ? net->password : "");
	}
}

static void set_body(struct transfer *t)
{
	const struct net_functions *curl = t->net->curl;
	const struct net_request *request = t->request;
	CURL *h = t->net->handle;

	if (request->file) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->file_size);
		SET(CURLOPT_READFUNCTION, give_piece);
		SET(CURLOPT_READDATA, t);
		SET(CURLOPT_SEEKFUNCTION, rewind_file);
		SET(CURLOPT_SEEKDATA, t);
	} else if (request->type) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, request->body);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
	}
	SET(CURLOPT_CUSTOMREQUEST, request->method);
}

/* 0 with an answer; else curl's code, t->failed when the caller's part failed. */
static CURLcode try_once(struct transfer *t)
{
	const struct net_functions *curl = t->net->curl;
	_cleanup_free_ char *url = xasprintf("%s%s", t->net->base, t->request->path);
	_cleanup_free_ char *type = t->request->type ?
					    xasprintf("Content-Type: %s", t->request->type) : NULL;
	/* Without the header an upload does not wait for "100 Continue". */
	struct curl_slist *headers = curl->curl_slist_append(NULL, "Expect:");
	CURL *h = t->net->handle;
	CURLcode code;

	if (type)
		headers = curl->curl_slist_append(headers, type);
	curl->curl_easy_reset(h); /* its connections stay */
	set_server(t->net);
	set_body(t);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_WRITEFUNCTION, take_piece);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->reason);
	code = curl->curl_easy_perform(h);
	curl->curl_slist_free_all(headers);
	t->answer->status = status_of(t);
	SET(CURLOPT_ERRORBUFFER, NULL);
	return code;
}

/* An empty body calls nothing: the sink is told all the same. */
static void begin_empty(struct transfer *t)
{
	const struct net_sink *sink = t->request->sink;

	if (sink && !t->begun && t->answer->status >= 200 && t->answer->status < 300)
		t->failed = sink->begin(sink->data, t->err);
}

static bool may_try_again(const struct transfer *t, CURLcode code)
{
	int status = t->answer->status;

	if (t->failed || t->too_large)
		return false;
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		return true; /* nothing was sent */
	if (!t->request->repeatable)
		return false;
	if (!code)
		return status == 408 || status == 429 || (status >= 500 && status != 501);
	return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
	       code == CURLE_PARTIAL_FILE; /* not after a timeout: that was long enough */
}

/* Doubling, or as the server asks. */
static void wait_before(const struct transfer *t, int tried)
{
	const struct net_functions *curl = t->net->curl;
	int64_t ms = MIN((int64_t)WAIT_FIRST_MS << (tried - 1), (int64_t)WAIT_MAX_MS);
	curl_off_t asked = 0;

	curl->curl_easy_getinfo(t->net->handle, CURLINFO_RETRY_AFTER, &asked);
	if (asked > 0)
		ms = MIN((int64_t)asked * 1000, (int64_t)WAIT_MAX_MS);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int tell(const struct transfer *t, CURLcode code)
{
	const struct net *net = t->net;
	int r;

	if (t->failed)
		return t->failed;
	if (t->too_large)
		return mlp_error_set(t->err, MLP_EFAIL, "'%s' answers with more than %zu bytes",
				     net->base, t->answer_max);
	r = mlp_error_set(t->err, MLP_EFAIL, "no answer from '%s': %s", net->base,
			  *t->reason ? t->reason : net->curl->curl_easy_strerror(code));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		mlp_error_hint(t->err, "its authority's certificate goes to "
				       "MLFLOW_TRACKING_SERVER_CERT_PATH");
	return r;
}

int net_send(struct net *net, const struct net_request *request, struct net_answer *answer,
	     struct mlp_error *err)
{
	int tried = 0;

	for (;;) {
		struct transfer t = {
			.net = net, .request = request, .answer = answer, .err = err,
			.answer_max = request->answer_max ? request->answer_max : ANSWER_MAX,
		};
		CURLcode code;

		strbuf_clear(&answer->body);
		code = try_once(&t);
		if (++tried < net->tries && may_try_again(&t, code)) {
			wait_before(&t, tried);
			continue;
		}
		if (!code)
			begin_empty(&t);
		return code || t.failed ? tell(&t, code) : 0;
	}
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~", c));
}

static void add_escaped(struct strbuf *sb, const char *text, const char *keep)
{
	for (; *text; text++)
		if (is_plain(*text) || strchr(keep, *text))
			strbuf_addch(sb, *text);
		else
			strbuf_addf(sb, "%%%02X", (unsigned char)*text);
}

void net_add_escaped(struct strbuf *sb, const char *text)
{
	add_escaped(sb, text, "");
}

void net_add_path(struct strbuf *sb, const char *path)
{
	add_escaped(sb, path, "/");
}
