/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of source something is. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/mlflow/source.h"

/* "sqlite:///relative" and "sqlite:////absolute", as MLflow's own options have it. */
static const char *without_scheme(const char *where)
{
	if (!strncmp(where, "sqlite:///", 10))
		return where + 10;
	return strncmp(where, "file://", 7) ? where : where + 7;
}

int mlflow_source_open(struct mlflow_source **out, const char *where,
		       const struct mlflow_source_options *options, struct mlp_error *err)
{
	const char *path = without_scheme(where);
	struct stat st;

	if (!strncmp(where, "http://", 7) || !strncmp(where, "https://", 8))
		return mlflow_source_live(out, where, options, err);
	if (strstr(path, "://"))
		return mlp_error_set(err, MLP_EINVAL,
				     "cannot import from '%s': neither a folder nor a file", where);
	if (stat(path, &st)) {
		mlp_error_errno(err, errno, "cannot import from '%s'", path);
		return err ? err->code = MLP_EMISSING : MLP_EMISSING;
	}
	if (S_ISDIR(st.st_mode))
		return mlflow_source_files(out, path, options, err);
	return mlflow_source_db(out, path, options, err);
}
