/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACK_NAME_H
#define TRACK_NAME_H

/* A run name people can say: "calm-heron-412".  Caller frees. */
char *name_generate(void);

#endif
