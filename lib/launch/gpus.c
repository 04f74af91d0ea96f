/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/launch/gpus.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { CHOICE_PAUSE_MS = 10, CHOICE_PAUSES = 500 };

void gpus_release(struct gpus *gpus)
{
	for (size_t i = 0; i < gpus->locks.len; i++)
		close(gpus->locks.v[i]);
	vec_free(&gpus->locks);
	vec_free(&gpus->index);
	nvml_close(gpus->nvml);
	free(gpus->visible);
	*gpus = (struct gpus)GPUS_INIT;
}

/* The lock file of a name; others may own it: reading is enough to lock.  What anybody may
 * have put there instead, as a FIFO, must not keep us waiting. */
static int open_lock(const char *name)
{
	_cleanup_free_ char *path = xasprintf("/tmp/mlp-gpu-%s.lock", name);
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	_cleanup_close_ int fd = open(path, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		fd = open(path, flags | O_CREAT | O_EXCL, 0644);
		if (fd >= 0)
			fchmod(fd, 0644); /* whatever the umask */
		else if (errno == EEXIST)
			fd = open(path, flags);
	}
	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) ? steal_fd(&fd) : -1;
}

/* One chooser at a time: two that each got half would both give up.  Any user can hold the
 * lock for ever, so it is not waited for as long. */
static void lock_choice(int fd)
{
	const struct timespec pause = { 0, CHOICE_PAUSE_MS * 1000000L };

	for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && i < CHOICE_PAUSES; i++)
		nanosleep(&pause, NULL);
}

static bool lock_gpu(struct gpus *gpus, const char *uuid, int operation)
{
	int fd = open_lock(uuid);

	if (fd < 0 || flock(fd, operation | LOCK_NB)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	vec_push(&gpus->locks, fd);
	return true;
}

static bool is_idle(struct gpus *gpus, unsigned index)
{
	struct gpu_process one[1];
	bool known;
	int n = nvml_processes(gpus->nvml, index, one, ARRAY_SIZE(one), &known, NULL);

	return n == 0 || (n > 0 && !known);
}

/* The GPU of an index or UUID (a prefix of it, as CUDA takes), or -1. */
static int find_gpu(struct gpus *gpus, const char *name)
{
	struct gpu_info info;
	int64_t index;

	if (text_parse_int(name, &index))
		return index >= 0 && index < nvml_count(gpus->nvml) ? (int)index : -1;
	for (unsigned i = 0; i < nvml_count(gpus->nvml); i++)
		if (*name && !nvml_info(gpus->nvml, i, &info, NULL) &&
		    !strncasecmp(info.uuid, name, strlen(name)))
			return (int)i;
	return -1;
}

/* True when the GPU is among those that whoever started us may use. */
static bool is_visible(struct gpus *gpus, unsigned index)
{
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	_release_(strvec_release) struct strvec names = STRVEC_INIT;

	if (!visible)
		return true;
	strvec_split(&names, visible, ',');
	for (size_t i = 0; i < names.len; i++)
		if (find_gpu(gpus, names.v[i]) == (int)index)
			return true;
	return false;
}

static int take_free(struct gpus *gpus, size_t wanted, struct mlp_error *err)
{
	_cleanup_close_ int choosing = open_lock("choice");
	unsigned count = nvml_count(gpus->nvml);

	lock_choice(choosing);
	for (unsigned i = 0; i < count && gpus->index.len < wanted; i++) {
		struct gpu_info info;

		if (!is_visible(gpus, i) || nvml_info(gpus->nvml, i, &info, err) ||
		    !is_idle(gpus, i) || !lock_gpu(gpus, info.uuid, LOCK_EX))
			continue;
		vec_push(&gpus->index, i);
	}
	if (gpus->index.len == wanted)
		return 0;
	if (wanted > count)
		return mlp_error_set(err, MLP_EFAIL, "cannot use %zu GPUs: there are %u here", wanted,
				     count);
	return mlp_error_set(err, MLP_EBUSY, "%zu of the %zu GPUs asked for are free", gpus->index.len,
			     wanted);
}

static int take_list(struct gpus *gpus, const char *spec, struct mlp_error *err)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;

	strvec_split(&names, spec, ',');
	for (size_t i = 0; i < names.len; i++) {
		struct gpu_info info;
		int index;

		if (!*names.v[i] && i && i == names.len - 1) /* "1," is a list of one */
			continue;
		index = find_gpu(gpus, names.v[i]);
		if (index < 0)
			return mlp_error_set(err, MLP_EINVAL, "no GPU '%s' here", names.v[i]);
		for (size_t j = 0; j < gpus->index.len; j++)
			if (gpus->index.v[j] == (unsigned)index)
				return mlp_error_set(err, MLP_EINVAL, "GPU '%s' is named twice",
						     names.v[i]);
		if (nvml_info(gpus->nvml, (unsigned)index, &info, err))
			return MLP_EFAIL;
		/* Named ones may be shared; the lock only tells those who look for free ones. */
		lock_gpu(gpus, info.uuid, LOCK_SH);
		vec_push(&gpus->index, (unsigned)index);
	}
	return 0;
}

/* By UUID: CUDA numbers GPUs by speed, the driver by place. */
static int name_visible(struct gpus *gpus, struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < gpus->index.len; i++) {
		struct gpu_info info;
		int r = nvml_info(gpus->nvml, gpus->index.v[i], &info, err);

		if (r)
			return r;
		strbuf_addf(&list, "%s%s", i ? "," : "", info.uuid);
	}
	gpus->visible = strbuf_detach(&list);
	return 0;
}

bool gpus_is_spec(const char *spec)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;

	strvec_split(&names, spec, ',');
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.v[i];
		int64_t index;

		if (!*name && i && i == names.len - 1)
			continue;
		if (text_parse_int(name, &index) ? index < 0 : strncasecmp(name, "GPU-", 4) &&
							       strncasecmp(name, "MIG-", 4))
			return false;
	}
	return names.len > 0;
}

int gpus_take(struct gpus *gpus, const char *spec, struct mlp_error *err)
{
	int64_t wanted;
	bool number = text_parse_int(spec, &wanted);
	int r;

	if (!gpus_is_spec(spec))
		return mlp_error_set(err, MLP_EINVAL, "--gpus takes a number or a list, not '%s'", spec);
	gpus->told = true;
	if (number && !wanted) {
		gpus->visible = xstrdup("");
		return 0;
	}
	if (!gpus->nvml) {
		r = nvml_open(&gpus->nvml, err);
		if (r) {
			mlp_error_prefix(err, "cannot choose GPUs: ");
			return r;
		}
	}
	r = number ? take_free(gpus, (size_t)wanted, err) : take_list(gpus, spec, err);
	return r ? r : name_visible(gpus, err);
}
