/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as strings, and folders. */
#ifndef UTIL_PATH_H
#define UTIL_PATH_H

#include <stdbool.h>
#include <sys/types.h>

/* "a/b"; b is returned alone when it is absolute.  Caller frees. */
char *path_join(const char *a, const char *b);
/* Absolute form of path without touching links: relative paths are taken from
 * the current folder, "." and ".." are folded.  Caller frees. */
char *path_absolute(const char *path);
/* The same of a relative path, which stays one: "a/./b/../c" is "a/c", "../x" itself, and
 * what is left of nothing ".".  Caller frees. */
char *path_normal(const char *path);
/* The part after the last slash; borrowed. */
const char *path_basename(const char *path);
/* The part before the last slash, "." or "/".  Caller frees. */
char *path_dirname(const char *path);
/* True for a relative path that stays below its base whatever the base is: no
 * empty, "." or ".." component, no leading slash, no NUL or control byte. */
bool path_is_safe(const char *path);
/* path below dir ("" when equal), or NULL when it is not; borrowed from path. */
const char *path_below(const char *path, const char *dir);
/* Makes path and its parents.  0, or -errno. */
int path_mkdirs(const char *path, mode_t mode);
/* Removes a file or a whole tree; never follows links.  0 (also when absent), or
 * -errno of the first thing that could not be removed. */
int path_remove_tree(const char *path);
/* The executable that execvp() would run for name, or NULL.  Caller frees. */
char *path_find_program(const char *name);

#endif
