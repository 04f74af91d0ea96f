/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/elf.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/text.h"

enum { HEADERS_MAX = 1 << 20, NOTES_MAX = 1 << 16, BUILD_ID_MAX = 64 };

static bool read_at(int fd, uint64_t offset, uint64_t len, struct strbuf *out)
{
	size_t start = out->len;

	if (offset > INT64_MAX - len)
		return false;
	strbuf_grow(out, len);
	while (out->len - start < len) {
		size_t done = out->len - start;
		ssize_t n = pread(fd, out->buf + out->len, len - done, (off_t)(offset + done));

		if (n <= 0) {
			strbuf_setlen(out, start);
			return false;
		}
		strbuf_setlen(out, out->len + (size_t)n);
	}
	return true;
}

static bool read_header(int fd, ElfW(Ehdr) *h)
{
	return pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
	       !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       h->e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

static bool find_build_id(const char *notes, size_t len, struct strbuf *out)
{
	ElfW(Nhdr) n;

	while (len >= sizeof(n)) {
		size_t name, desc;

		memcpy(&n, notes, sizeof(n));
		name = ((size_t)n.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)n.n_descsz + 3) & ~(size_t)3;
		if (name > len - sizeof(n) || desc > len - sizeof(n) - name)
			return false;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && n.n_descsz <= BUILD_ID_MAX &&
		    !memcmp(notes + sizeof(n), "GNU", 4)) {
			char hex[2 * BUILD_ID_MAX + 1];

			text_hex(hex, notes + sizeof(n) + name, n.n_descsz);
			strbuf_addstr(out, hex);
			return n.n_descsz > 0;
		}
		notes += sizeof(n) + name + desc;
		len -= sizeof(n) + name + desc;
	}
	return false;
}

bool elf_build_id(int fd, struct strbuf *out)
{
	_release_(strbuf_release) struct strbuf table = STRBUF_INIT;
	ElfW(Ehdr) h;
	ElfW(Phdr) p;

	if (!read_header(fd, &h) || h.e_phentsize != sizeof(p) ||
	    !read_at(fd, h.e_phoff, (uint64_t)h.e_phnum * sizeof(p), &table))
		return false;
	for (size_t i = 0; i < h.e_phnum; i++) {
		_release_(strbuf_release) struct strbuf notes = STRBUF_INIT;

		memcpy(&p, table.buf + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_NOTE && p.p_filesz <= NOTES_MAX &&
		    read_at(fd, p.p_offset, p.p_filesz, &notes) &&
		    find_build_id(notes.buf, notes.len, out))
			return true;
	}
	return false;
}

bool elf_constants(int fd, size_t max, struct strbuf *out)
{
	_release_(strbuf_release) struct strbuf table = STRBUF_INIT, names = STRBUF_INIT;
	ElfW(Ehdr) h;
	ElfW(Shdr) s;

	if (!read_header(fd, &h) || h.e_shentsize != sizeof(s) || h.e_shstrndx >= h.e_shnum ||
	    !read_at(fd, h.e_shoff, (uint64_t)h.e_shnum * sizeof(s), &table))
		return false;
	memcpy(&s, table.buf + h.e_shstrndx * sizeof(s), sizeof(s));
	if (s.sh_size > HEADERS_MAX || !read_at(fd, s.sh_offset, s.sh_size, &names))
		return false;
	for (size_t i = 0; i < h.e_shnum; i++) {
		memcpy(&s, table.buf + i * sizeof(s), sizeof(s));
		/* names.buf ends with NUL whatever the file says. */
		if (s.sh_name < names.len && !strcmp(names.buf + s.sh_name, ".rodata"))
			return s.sh_type == SHT_PROGBITS && s.sh_size <= max &&
			       read_at(fd, s.sh_offset, s.sh_size, out);
	}
	return false;
}
