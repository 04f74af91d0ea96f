/* SPDX-License-Identifier: Apache-2.0 */
/* Names and small files of foreign making that the environment is read from. */
#include "config.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/capture/container.h"
#include "lib/capture/elf.h"
#include "lib/capture/interpreter.h"
#include "lib/capture/machine.h"
#include "lib/capture/packages.h"
#include "lib/capture/python.h"
#include "lib/util/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_names(const char *text)
{
	char *name = NULL, *version = NULL;

	if (package_parse_record(text, &name, &version) && !name)
		abort();
	free(name);
	free(version);
	name = version = NULL;
	if (package_parse_conda(text, &name, &version) && (!name || !version))
		abort();
	free(name);
	free(version);
	free(interpreter_of_script(text));
	free(machine_field(text, "key", ':'));
	free(machine_boot_parameters(text));
}

static void parse_files(const char *text, size_t size)
{
	struct container c = { 0 };
	struct pyvenv cfg = { 0 };
	struct package pkg = { 0 };

	container_parse_cgroup(text, &c);
	container_parse_mountinfo(text, &c);
	container_parse_containerenv(text, &c);
	container_release(&c);
	pyvenv_parse(text, &cfg);
	pyvenv_release(&cfg);
	package_parse_direct_url(text, size, &pkg);
	free(pkg.url);
	free(pkg.commit);
	free(python_version_in(text, size, "3.1"));
}

static void parse_program(const uint8_t *data, size_t size)
{
	/* Else no input would get beyond the first bytes. */
	static const unsigned char ident[EI_NIDENT] = {
		ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
		sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32,
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
	};
	struct strbuf out = STRBUF_INIT;
	int fd = memfd_create("elf", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, ident, sizeof(ident)) == (ssize_t)sizeof(ident) &&
	    write(fd, data, size) == (ssize_t)size) {
		elf_build_id(fd, &out);
		elf_constants(fd, 1 << 20, &out);
	}
	close(fd);
	strbuf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdupz(data, size);

	parse_names(text);
	parse_files(text, size);
	parse_program(data, size);
	free(text);
	return 0;
}
