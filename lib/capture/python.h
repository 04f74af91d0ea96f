/* SPDX-License-Identifier: Apache-2.0 */
/* A Python interpreter, known without running it. */
#ifndef CAPTURE_PYTHON_H
#define CAPTURE_PYTHON_H

#include <stdbool.h>

#include "lib/util/vec.h"

struct python {
	char *path;    /* as found; a link in a virtual environment */
	char *binary;  /* behind all links */
	char *version; /* "3.11.2", or only "3.11", or NULL: not known */
	char *series;  /* "3.11"; or NULL */
	char *prefix;  /* of the environment */
	char *base;    /* of the interpreter itself */
	bool venv;
	bool system_site; /* a venv that sees its base's packages */
	struct strvec sites; /* folders of packages, first wins */
};

/* What a pyvenv.cfg says. */
struct pyvenv {
	char *home;    /* folder of the base's binary; or NULL */
	char *version; /* or NULL */
	bool system_site;
};

/* dir: what relative entries of PYTHONPATH are seen from. */
void python_read(const char *path, const char *dir, struct python *out);
void python_release(struct python *py);

void pyvenv_parse(const char *text, struct pyvenv *out);
void pyvenv_release(struct pyvenv *cfg);
/* The version of series ("3.11") that stands as a string, or else ends one, among the
 * constants of a binary: "3.11.2".  Caller frees. */
char *python_version_in(const char *data, size_t len, const char *series);

#endif
