/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/store. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

/* Read and hashed at once; fits the second cache of any core. */
enum { STORE_BLOCK = 1 << 17 };

/* A name that nothing has, "<start><16 digits>"; caller frees. */
char *store_random_name(const char *start);

#endif
