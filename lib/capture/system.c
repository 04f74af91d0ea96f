/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/capture/machine.h"
#include "lib/capture/variables.h"
#include "lib/util/file.h"
#include "lib/util/vec.h"

enum { TEXT_MAX = 1 << 20 };

char *machine_field(const char *text, const char *key, char separator)
{
	size_t klen = strlen(key);

	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *s = text + klen, *end = text + n;

		if (n > klen && !strncmp(text, key, klen)) {
			s += strspn(s, " \t");
			if (s < end && *s == separator) {
				s++;
				while (s < end && (isspace((unsigned char)*s) || *s == '"'))
					s++;
				while (end > s && (isspace((unsigned char)end[-1]) || end[-1] == '"'))
					end--;
				return xmemdupz(s, (size_t)(end - s));
			}
		}
		text += n + (text[n] == '\n');
	}
	return NULL;
}

char *machine_boot_parameters(const char *cmdline)
{
	_cleanup_free_ char *line = xmemdupz(cmdline, strcspn(cmdline, "\n"));
	_release_(strvec_release) struct strvec words = STRVEC_INIT;
	struct strbuf out = STRBUF_INIT;

	strvec_split(&words, line, ' ');
	for (size_t i = 0; i < words.len; i++) {
		char *eq = strchr(words.v[i], '=');

		if (!*words.v[i])
			continue;
		if (eq) {
			*eq = '\0';
			/* Installers and clouds hand passwords over this way. */
			if (variable_is_secret(words.v[i]) || strstr(eq + 1, "://"))
				strbuf_addf(&out, "%s=... ", words.v[i]);
			else
				strbuf_addf(&out, "%s=%s ", words.v[i], eq + 1);
		} else {
			strbuf_addf(&out, "%s ", words.v[i]);
		}
	}
	strbuf_rtrim(&out);
	return strbuf_detach(&out);
}

static void put_field(struct json_writer *w, const char *as, const char *text, const char *key)
{
	_cleanup_free_ char *value = machine_field(text, key, '=');

	json_put_string(w, as, value);
}

void machine_describe_system(struct json_writer *w)
{
	_release_(strbuf_release) struct strbuf release = STRBUF_INIT, cmdline = STRBUF_INIT;
	_cleanup_free_ char *boot = NULL;
	struct utsname u = { 0 };

	uname(&u);
	if (file_read("/etc/os-release", TEXT_MAX, &release))
		file_read("/usr/lib/os-release", TEXT_MAX, &release);
	file_read("/proc/cmdline", TEXT_MAX, &cmdline);
	boot = machine_boot_parameters(cmdline.buf);
	json_key(w, "host");
	json_open(w, '{');
	json_put_string(w, "name", u.nodename);
	json_close(w, '}');
	json_key(w, "os");
	json_open(w, '{');
	put_field(w, "id", release.buf, "ID");
	put_field(w, "version", release.buf, "VERSION_ID");
	put_field(w, "name", release.buf, "PRETTY_NAME");
	json_put_string(w, "kernel", u.release);
	json_put_string(w, "kernel_build", u.version);
	json_put_string(w, "architecture", u.machine);
	json_put_string(w, "boot_parameters", boot);
	json_put_string(w, "libc", "glibc");
	json_put_string(w, "libc_version", gnu_get_libc_version());
	json_close(w, '}');
}
