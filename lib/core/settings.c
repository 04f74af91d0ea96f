/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/core/settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/settings_parse.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/util/text.h"
#include "lib/util/vec.h"

enum { FILE_MAX = 1 << 20, LINKS_MAX = 40 };

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < s->len; i++) {
		free(s->v[i].key);
		free(s->v[i].value);
		free(s->v[i].origin);
	}
	vec_free(s);
}

char *settings_key(const char *key)
{
	const char *first = strchr(key, '.'), *last = strrchr(key, '.');
	char *out;

	if (!first || first == key || !isalpha((unsigned char)last[1]))
		return NULL;
	for (const char *p = key; p < first; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			return NULL;
	for (const char *p = last + 1; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			return NULL;
	for (const char *p = first; p < last; p++)
		if (*p == '\n')
			return NULL;
	out = xstrdup(key);
	for (char *p = out; *p; p++)
		if (p < out + (first - key) || p > out + (last - key))
			*p = (char)tolower((unsigned char)*p);
	return out;
}

static void push(struct settings *s, char *key, const char *value, enum settings_level level,
		 const char *origin, int line)
{
	struct setting setting = { .key = key, .value = xstrdup(value), .level = level,
				   .origin = xstrdup(origin), .line = line };

	vec_push(s, setting);
}

int settings_add(struct settings *s, const char *key, const char *value,
		 enum settings_level level, const char *origin, struct mlp_error *err)
{
	char *canonical = settings_key(key);

	if (!canonical)
		return mlp_error_set(err, MLP_EINVAL, "bad setting name '%s'", key);
	push(s, canonical, value, level, origin, 0);
	return 0;
}

int settings_parse(struct settings *s, const char *text, size_t len, const char *origin,
		   enum settings_level level, struct mlp_error *err)
{
	_release_(settings_parser_release) struct settings_parser p;
	int r;

	settings_parser_init(&p, text, len);
	while ((r = settings_parser_next(&p)) > 0)
		push(s, xstrdup(p.key.buf), p.value.buf, level, origin, p.key_line);
	if (r)
		return mlp_error_set(err, MLP_EINVAL, "bad setting in %s at line %d: %s", origin,
				     p.line, p.problem);
	return 0;
}

int settings_read_file(struct settings *s, const char *path, enum settings_level level,
		       struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *origin = xasprintf("file:%s", path);
	int r = file_read(path, FILE_MAX, &text);

	if (r == -ENOENT || r == -ENOTDIR || r == -EACCES)
		return 0;
	if (r)
		return mlp_error_errno(err, r, "cannot read '%s'", path);
	return settings_parse(s, text.buf, text.len, origin, level, err);
}

const struct setting *settings_find(const struct settings *s, const char *key)
{
	_cleanup_free_ char *canonical = settings_key(key);

	for (size_t i = s->len; canonical && i-- > 0;)
		if (!strcmp(s->v[i].key, canonical))
			return &s->v[i];
	return NULL;
}

const char *settings_get(const struct settings *s, const char *key)
{
	const struct setting *found = settings_find(s, key);

	return found ? found->value : NULL;
}

const char *settings_get_command(const struct settings *s, const char *key)
{
	_cleanup_free_ char *canonical = settings_key(key);

	for (size_t i = s->len; canonical && i-- > 0;)
		if (!s->v[i].foreign && !strcmp(s->v[i].key, canonical))
			return s->v[i].value;
	return NULL;
}

int settings_get_size(const struct settings *s, const char *key, int64_t def, int64_t *out,
		      struct mlp_error *err)
{
	const struct setting *found = settings_find(s, key);

	*out = def;
	if (!found || text_parse_size(found->value, out))
		return 0;
	return mlp_error_set(err, MLP_EINVAL, "bad size '%s' for setting '%s' in %s", found->value,
			     found->key, found->origin);
}

/* "section.sub.name" as a header and a line of a file. */
static void add_header(struct strbuf *out, const char *key)
{
	const char *first = strchr(key, '.'), *last = strrchr(key, '.');

	if (out->len && out->buf[out->len - 1] != '\n')
		strbuf_addch(out, '\n');
	strbuf_addf(out, "[%.*s", (int)(first - key), key);
	if (last > first) {
		strbuf_addstr(out, " \"");
		for (const char *p = first + 1; p < last; p++) {
			if (*p == '"' || *p == '\\')
				strbuf_addch(out, '\\');
			strbuf_addch(out, *p);
		}
		strbuf_addch(out, '"');
	}
	strbuf_addstr(out, "]\n");
}

static void add_line(struct strbuf *out, const char *key, const char *value)
{
	bool quote = !*value || isspace((unsigned char)value[0]) ||
		     isspace((unsigned char)value[strlen(value) - 1]) || strpbrk(value, "#;");

	strbuf_addf(out, "\t%s = %s", strrchr(key, '.') + 1, quote ? "\"" : "");
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_addf(out, "\\%c", *p);
		else if (*p == '\n')
			strbuf_addstr(out, "\\n");
		else if (*p == '\t')
			strbuf_addstr(out, "\\t");
		else
			strbuf_addch(out, *p);
	}
	strbuf_addstr(out, quote ? "\"\n" : "\n");
}

static bool same_section(const char *a, const char *b)
{
	size_t n = (size_t)(strrchr(a, '.') - a);

	return (size_t)(strrchr(b, '.') - b) == n && !strncmp(a, b, n);
}

struct place {
	size_t last_start, last_end; /* the last line that sets the key */
	size_t section_end;	     /* end of the last line of the key's section */
	bool has_key, has_section;
};

/* Writes the text with the key's lines dropped (all) or replaced (the last one). */
static int edit(struct strbuf *out, const struct strbuf *old, const char *key, const char *value,
		struct place *at, struct settings_parser *p)
{
	size_t copied = 0;
	int r;

	while ((r = settings_parser_next(p)) > 0) {
		if (same_section(p->key.buf, key)) {
			at->has_section = true;
			at->section_end = p->entry_end;
		}
		if (strcmp(p->key.buf, key))
			continue;
		if (!value) {
			strbuf_add(out, old->buf + copied, p->entry_start - copied);
			copied = p->entry_end;
		}
		at->has_key = true;
		at->last_start = p->entry_start;
		at->last_end = p->entry_end;
	}
	if (r)
		return r;
	if (value && at->has_section) {
		size_t start = at->has_key ? at->last_start : at->section_end;

		strbuf_add(out, old->buf, start);
		if (start && out->buf[start - 1] != '\n')
			strbuf_addch(out, '\n');
		add_line(out, key, value);
		copied = at->has_key ? at->last_end : at->section_end;
	}
	strbuf_add(out, old->buf + copied, old->len - copied);
	if (value && !at->has_section) {
		add_header(out, key);
		add_line(out, key, value);
	}
	return 0;
}

static int write_locked(const char *path, const char *key, const char *value,
			struct mlp_error *err)
{
	_release_(strbuf_release) struct strbuf old = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_release_(settings_parser_release) struct settings_parser p = { 0 };
	struct place at = { 0 };
	struct stat st;
	int r = file_read(path, FILE_MAX, &old);

	settings_parser_init(&p, old.buf, old.len);
	if (r && r != -ENOENT)
		return mlp_error_errno(err, r, "cannot read '%s'", path);
	if (edit(&text, &old, key, value, &at, &p))
		return mlp_error_set(err, MLP_EINVAL, "bad setting in '%s' at line %d: %s", path,
				     p.line, p.problem);
	if (!value && !at.has_key)
		return mlp_error_set(err, MLP_ENOTFOUND, "no setting '%s' in '%s'", key, path);
	r = file_replace(path, text.buf, text.len, !stat(path, &st) ? st.st_mode & 0777 : 0644);
	return r ? mlp_error_errno(err, r, "cannot write '%s'", path) : 0;
}

/* A lock of the kernel's: it ends with its holder, however that ends.  The descriptor, or
 * -errno. */
static int open_locked(const char *lock)
{
	for (;;) {
		_cleanup_close_ int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		struct stat held, named;

		if (fd < 0 || lockf(fd, F_LOCK, 0) || fstat(fd, &held))
			return -errno;
		/* Whoever held it has taken its name away, and another may have it by now. */
		if (!stat(lock, &named) && named.st_ino == held.st_ino &&
		    named.st_dev == held.st_dev)
			return steal_fd(&fd);
	}
}

/* The file that a path leads to, which need not be there.  A file of settings is often a
 * link into a folder of its owner's, and stays one. */
static char *follow(const char *path)
{
	char *at = xstrdup(path), target[PATH_MAX];
	ssize_t n;

	for (int links = 0; links < LINKS_MAX; links++) {
		_cleanup_free_ char *link = at, *dir = path_dirname(link);

		n = readlink(link, target, sizeof(target) - 1);
		if (n < 0)
			return steal_ptr(&link);
		target[n] = '\0';
		at = path_join(dir, target);
	}
	return at;
}

int settings_write(const char *name, const char *key, const char *value, struct mlp_error *err)
{
	_cleanup_free_ char *canonical = settings_key(key);
	_cleanup_free_ char *path = follow(name);
	_cleanup_free_ char *lock = xasprintf("%s.lock", path);
	_cleanup_free_ char *dir = path_dirname(path);
	_cleanup_close_ int fd = -1;
	int r;

	if (!canonical)
		return mlp_error_set(err, MLP_EINVAL, "bad setting name '%s'", key);
	path_mkdirs(dir, 0777);
	fd = open_locked(lock);
	if (fd < 0)
		return mlp_error_errno(err, fd, "cannot write '%s'", path);
	r = write_locked(path, canonical, value, err);
	unlink(lock);
	return r;
}
