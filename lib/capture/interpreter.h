/* SPDX-License-Identifier: Apache-2.0 */
/* Which program a command starts, and which Python runs it in the end. */
#ifndef CAPTURE_INTERPRETER_H
#define CAPTURE_INTERPRETER_H

/* The file that argv[0] names, seen from dir; NULL when there is none.  Caller frees. */
char *program_find(const char *name, const char *dir);
/* The python that argv leads to: itself, by a "#!" line, behind a launcher (uv run,
 * conda run, ...) or behind a program that runs another (env, nice, mpirun, ...).
 * NULL when there is none, as for a shell script.  Links are not followed, because a
 * virtual environment is known by its link.  Caller frees. */
char *interpreter_find(const char *const *argv, const char *dir);
/* The same; where there is none, the python that argv may start in the end: that of the
 * active environment, or the one on PATH where a shell or make chooses.  by gets the name
 * of the variable that tells, NULL for no guess.  Caller frees. */
char *interpreter_guess(const char *const *argv, const char *dir, const char **by);
/* What a script of pyenv's folder "shims" would start in dir; NULL for any other path.
 * Caller frees. */
char *pyenv_resolve(const char *shim, const char *dir);
/* The program of a script whose first bytes are head ("#!..."), or NULL; env and the
 * form that pip writes for long paths are looked through.  Caller frees. */
char *interpreter_of_script(const char *head);

#endif
