/* SPDX-License-Identifier: Apache-2.0 */
/* System, processor, memory, limits and GPUs, each as members of an open JSON object. */
#ifndef CAPTURE_MACHINE_H
#define CAPTURE_MACHINE_H

#include "lib/json/write.h"

void machine_describe_system(struct json_writer *w); /* "host", "os" */
void machine_describe_cpu(struct json_writer *w);    /* "cpu", "memory" */
void machine_describe_limits(struct json_writer *w); /* "limits" */
void machine_describe_gpu(struct json_writer *w);    /* "gpu" */

/* The value of key in lines of "key<blanks>: value" (/proc/cpuinfo) or key="value"
 * (os-release), or NULL.  Caller frees. */
char *machine_field(const char *text, const char *key, char separator);
/* Boot parameters without the values that look like secrets.  Caller frees. */
char *machine_boot_parameters(const char *cmdline);

#endif
