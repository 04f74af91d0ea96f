/* SPDX-License-Identifier: Apache-2.0 */
/* The project: the folder .mlp found by walking up from the current one, or named
 * by MLP_DIR, and where everything lies in it. */
#ifndef CORE_REPO_H
#define CORE_REPO_H

#include "lib/core/error.h"
#include "lib/core/settings.h"

struct repo {
	char *root;    /* the folder that holds .mlp; absolute */
	char *dir;     /* the .mlp folder itself; absolute */
	char *db_path; /* dir/mlp.db */
	struct settings settings;
};
#define REPO_INIT { 0 }

void repo_release(struct repo *repo);
/* Finds the project and reads all settings layers.  MLP_ENOTFOUND with a hint when
 * there is none. */
int repo_discover(struct repo *repo, struct mlp_error *err);
/* The project whose folder .mlp is root/.mlp, settings included. */
int repo_open_at(struct repo *repo, const char *root, struct mlp_error *err);
/* The layers that exist without a project: system, user, environment. */
int repo_read_settings(struct settings *s, const char *project_file, struct mlp_error *err);
/* Makes root/.mlp with its folders; an existing one is completed and left as it is
 * otherwise.  *made tells which.  The database is made by whoever opens it first. */
int repo_create(const char *root, bool *made, struct mlp_error *err);
/* dir joined with a path inside it; caller frees. */
char *repo_path(const struct repo *repo, const char *inside);
/* The user's and the system's settings files; caller frees; NULL without HOME. */
char *repo_user_settings_path(void);
char *repo_system_settings_path(void);

#endif
