/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPUs of a job (--gpus).  A GPU is taken by a lock on a file named after its UUID in
 * /tmp, the same for all projects and users of the host; the kernel gives the lock up with
 * its process, however that ends.
 */
#ifndef LAUNCH_GPUS_H
#define LAUNCH_GPUS_H

#include "lib/core/error.h"
#include "lib/gpu/nvml.h"
#include "lib/util/vec.h"

struct gpus {
	struct nvml *nvml; /* NULL: not opened, or none here */
	bool told;	   /* by --gpus; else every GPU may be used */
	struct {
		unsigned *v;
		size_t len, cap;
	} index; /* of the driver, when told */
	struct {
		int *v;
		size_t len, cap;
	} locks;
	char *visible; /* for CUDA_VISIBLE_DEVICES; NULL: leave it alone */
};
#define GPUS_INIT { 0 }

void gpus_release(struct gpus *gpus);
/* Can spec be given to gpus_take(), whatever GPUs there are? */
bool gpus_is_spec(const char *spec);
/* spec: "N", that many free ones (0: none at all); "0,1" or "1,", these indices; or UUIDs.
 * A GPU is free when no process computes on it and nobody holds its lock; of those that
 * CUDA_VISIBLE_DEVICES names, where it is set.  MLP_EBUSY when there are too few. */
int gpus_take(struct gpus *gpus, const char *spec, struct mlp_error *err);

#endif
