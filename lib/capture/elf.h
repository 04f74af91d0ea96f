/* SPDX-License-Identifier: Apache-2.0 */
/* The little of an executable that names it. */
#ifndef CAPTURE_ELF_H
#define CAPTURE_ELF_H

#include <stdbool.h>

#include "lib/util/strbuf.h"

/* Appends the build id in hex; false when the file has none or is no ELF file of this
 * machine's word size. */
bool elf_build_id(int fd, struct strbuf *out);
/* Appends the section of constants (.rodata); false without one, or one above max bytes. */
bool elf_constants(int fd, size_t max, struct strbuf *out);

#endif
