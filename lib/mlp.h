/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmlp: log to the current run of mlp train from C, C++ or CUDA; see libmlp(3).
 *
 *	cc train.c $(pkg-config --cflags --libs libmlp)
 *
 * The current run is the one whose supervisor started this program.  Outside of a run every
 * call does nothing and returns MLP_NO_RUN, so a program needs no test for it.
 * All functions may be called from any thread at any time.
 */
#ifndef MLP_H
#define MLP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MLP_API __attribute__((visibility("default")))

enum {
	MLP_NO_RUN = 1,	       /* not started by mlp train: nothing was done */
	MLP_ERROR_SIZE = 512, /* room for any error text */
};

/* The id of the current run, 32 hex digits, or NULL.  Valid as long as the environment is
 * not changed. */
MLP_API const char *mlp_run_id(void);
/* The value of a parameter given with mlp train -p, or NULL. */
MLP_API const char *mlp_param(const char *name);

/* Adds a point to a metric, now; a negative step means one after the last.  Once it returns 0
 * the point survives the end of this program, kill -9 too.  Returns 0, MLP_NO_RUN, or a
 * negative errno value: -EINVAL for a key that cannot name a metric, "step" and "time" among
 * them. */
MLP_API int mlp_log_metric(const char *key, double value, int64_t step);
/* The same for several metrics at one step; none is written when a key is bad. */
MLP_API int mlp_log_metrics(size_t n, const char *const *keys, const double *values,
			    int64_t step);
/* Waits until all points logged so far are on disk, safe from a power cut. */
MLP_API int mlp_flush(void);

/* These write to the store of the run, in milliseconds.  0, MLP_NO_RUN, or a negative errno
 * value, with one line of text in error, which has MLP_ERROR_SIZE bytes or is NULL. */

/* A parameter may be set once; another value later is -EEXIST. */
MLP_API int mlp_log_param(const char *key, const char *value, char *error);
MLP_API int mlp_log_tag(const char *key, const char *value, char *error);
/* Stores a file, or a folder with all below it, under name (NULL: the last part of path). */
MLP_API int mlp_log_artifact(const char *path, const char *name, char *error);

#ifdef __cplusplus
}
#endif

#endif
