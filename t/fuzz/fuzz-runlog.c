/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of runs: any bytes are read to an end or to an error, in bounded memory. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/track/runlog.h"
#include "lib/util/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct runlog_reader *reader;
	struct runlog_record record;
	int fd = memfd_create("runlog", MFD_CLOEXEC), r;
	int64_t last = INT64_MIN;
	size_t total = 0;

	if (fd < 0 || file_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		abort();
	if (runlog_open_fd(&reader, fd, NULL))
		abort();
	while ((r = runlog_next(reader, &record, NULL)) > 0) {
		if (!record.len || record.len > RUNLOG_RECORD_MAX || record.time_us < last)
			abort();
		last = record.time_us;
		total += record.len;
	}
	if (total > size)
		abort();
	runlog_reader_close(reader);
	return 0;
}
