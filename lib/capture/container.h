/* SPDX-License-Identifier: Apache-2.0 */
/* The container this process is in, if any. */
#ifndef CAPTURE_CONTAINER_H
#define CAPTURE_CONTAINER_H

#include "lib/json/write.h"

struct container {
	const char *kind; /* docker, podman, kubernetes, apptainer, lxc, ...; NULL: none */
	char *id;	  /* 64 hex digits, or what the engine calls it; or NULL */
	char *pod;	  /* uid of the Kubernetes pod; or NULL */
	char *image;	  /* or NULL */
	char *digest;	  /* of the image, "sha256:..."; or NULL */
};

/* root: "" here; tests give a folder that holds proc/, run/ and so on. */
void container_read(const char *root, struct container *out);
void container_release(struct container *c);
/* Writes "container", null outside of one. */
void container_describe(struct json_writer *w, const struct container *c);

/* The parts, each taking what one file says. */
void container_parse_cgroup(const char *text, struct container *out);
void container_parse_mountinfo(const char *text, struct container *out);
void container_parse_containerenv(const char *text, struct container *out);

#endif
