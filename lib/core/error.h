/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error value.  A function that can fail returns 0 or a negative MLP_E* code
 * and fills the struct mlp_error passed as its last argument (which may be
 * NULL).  The text is one line without a full stop, lower case, naming the thing
 * in quotes and then the cause: cannot open 'x': no such file or directory.
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include "lib/util/cleanup.h"

enum mlp_code {
	MLP_OK = 0,
	MLP_EFAIL = -1,	     /* anything without a code of its own */
	MLP_EINVAL = -2,     /* what the caller or user gave is malformed */
	MLP_ENOTFOUND = -3,  /* the thing named does not exist */
	MLP_EEXIST = -4,     /* it exists already */
	MLP_EAMBIGUOUS = -5, /* the name fits more than one thing */
	MLP_EBUSY = -6,	     /* held by somebody else; try again */
	MLP_ECORRUPT = -7,   /* stored bytes are not what was written */
	MLP_EVERSION = -8,   /* written by a newer program */
	MLP_ESYSTEM = -9,    /* a system call failed; errno text is in the message */
	MLP_EREADONLY = -10, /* the store cannot be written */
	MLP_ECONFLICT = -11, /* contradicts what is recorded (param change) */
	MLP_EMISSING = -12,  /* an input of the command is not there (exit code 3) */
	MLP_EUNSUPPORTED = -13, /* a library or feature is not installed */
	MLP_EFULL = -14,     /* no space left where it is to be written */
};

struct mlp_error {
	int code;
	char text[512];
	char hint[512]; /* a next step for the user, or "" */
};
#define MLP_ERROR_INIT { 0 }

/* Sets code and text, clears the hint; returns code. */
int mlp_error_set(struct mlp_error *err, int code, const char *fmt, ...) PRINTF(3, 4);
/* The same with ": " and the text of errnum (positive or negative) appended;
 * code is MLP_ESYSTEM, or MLP_ENOTFOUND/MLP_EREADONLY/MLP_EFULL where errnum means that. */
int mlp_error_errno(struct mlp_error *err, int errnum, const char *fmt, ...) PRINTF(3, 4);
/* Puts text before the message: "reading config: " + old text. */
void mlp_error_prefix(struct mlp_error *err, const char *fmt, ...) PRINTF(2, 3);
/* Sets the hint. */
void mlp_error_hint(struct mlp_error *err, const char *fmt, ...) PRINTF(2, 3);

#endif
