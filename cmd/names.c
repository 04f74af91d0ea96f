/* SPDX-License-Identifier: Apache-2.0 */
/* The words that may follow mlp: commands, aliases, programs mlp-NAME on PATH. */
#include "config.h"

#include "cmd/cmd.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static void each_program(void (*fn)(void *data, const char *name, const char *what), void *data)
{
	_release_(strvec_release) struct strvec dirs = STRVEC_INIT;
	const char *path = getenv("PATH");

	strvec_split(&dirs, path ? path : "", ':');
	for (size_t i = 0; i < dirs.len; i++) {
		DIR *dir = opendir(dirs.v[i]);
		struct dirent *e;

		while (dir && (e = readdir(dir)))
			if (!strncmp(e->d_name, "mlp-", 4))
				fn(data, e->d_name + 4, "external command");
		if (dir)
			closedir(dir);
	}
}

void cmd_each_name(const struct settings *settings,
		   void (*fn)(void *data, const char *name, const char *what), void *data)
{
	for (const struct mlp_cmd *const *c = mlp_commands; *c; c++)
		if (!((*c)->needs & IS_HIDDEN))
			fn(data, (*c)->name, (*c)->summary);
	if (!settings)
		return;
	for (size_t i = 0; i < settings->len; i++)
		if (!strncmp(settings->v[i].key, "alias.", 6) && !settings->v[i].foreign)
			fn(data, settings->v[i].key + 6, settings->v[i].value);
	each_program(fn, data);
}
