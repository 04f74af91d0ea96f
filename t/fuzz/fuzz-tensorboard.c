/* SPDX-License-Identifier: Apache-2.0 */
/* TensorBoard event files; the checksums of the input are made right, or nothing behind
 * them would ever be reached. */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/track/tensorboard.h"
#include "lib/util/crc32c.h"
#include "lib/util/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *data, const char *tag, size_t len, const struct metric_point *point,
		  struct mlp_error *err)
{
	(void)point;
	(void)err;
	return len && memchr(tag, '\xff', len) ? (*(int *)data)++, 0 : 0;
}

static uint32_t mask(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void fix_checksums(unsigned char *p, size_t size)
{
	while (size >= 16) {
		uint64_t len = (p[0] | (uint64_t)p[1] << 8) % (size - 15);
		uint32_t crc;

		memcpy(p, &len, 8);
		crc = mask(crc32c(p, 8));
		memcpy(p + 8, &crc, 4);
		crc = mask(crc32c(p + 12, len));
		memcpy(p + 12 + len, &crc, 4);
		p += 16 + len;
		size -= 16 + len;
	}
}

static void read_all(const void *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	int odd = 0;

	if (fd < 0 || file_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		return;
	tensorboard_read(fd, ignore, &odd, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ unsigned char *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	read_all(copy, size);
	fix_checksums(copy, size);
	read_all(copy, size);
	return 0;
}
