/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/capture/packages.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/json/read.h"
#include "lib/util/file.h"
#include "lib/util/path.h"
#include "lib/vcs/git.h"

enum { PACKAGES_MAX = 50000, RECORD_MAX = 1 << 20 };

static void package_free(struct package *pkg)
{
	if (!pkg)
		return;
	free(pkg->version);
	free(pkg->url);
	free(pkg->commit);
	free(pkg);
}

void packages_release(struct packages *p)
{
	for (size_t i = 0; i < p->by_name.len; i++)
		package_free(p->by_name.entries[i].value);
	strmap_release(&p->by_name);
	strvec_release(&p->names);
}

void packages_sort(struct packages *p)
{
	strvec_release(&p->names);
	for (size_t i = 0; i < p->by_name.len; i++)
		strvec_push(&p->names, p->by_name.entries[i].key);
	if (p->names.len)
		strvec_sort(&p->names);
}

struct package *packages_get(const struct packages *p, const char *name)
{
	return strmap_get(&p->by_name, name);
}

/* Takes version. */
static struct package *add(struct packages *p, const char *name, char *version)
{
	struct package *pkg;

	if (strmap_get(&p->by_name, name) || p->by_name.len >= PACKAGES_MAX) {
		free(version);
		return NULL;
	}
	pkg = xcalloc(1, sizeof(*pkg));
	pkg->version = version;
	strmap_set(&p->by_name, name, pkg);
	return pkg;
}

/* Lower case, runs of "-_." as one dash. */
static char *normalized(const char *s, size_t len)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < len; i++)
		if (!strchr("-_.", s[i]))
			strbuf_addch(&sb, tolower((unsigned char)s[i]));
		else if (sb.len && sb.buf[sb.len - 1] != '-')
			strbuf_addch(&sb, '-');
	return strbuf_detach(&sb);
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

/* Versions hold no dash in these names, names may. */
static void split_last(const char *s, size_t len, char **name, char **version)
{
	const char *dash = memrchr(s, '-', len);
	size_t n = dash && dash > s && isdigit((unsigned char)dash[1]) ? (size_t)(dash - s) : len;

	*name = normalized(s, n);
	*version = n < len ? xmemdupz(s + n + 1, len - n - 1) : NULL;
}

bool package_parse_record(const char *entry, char **name, char **version)
{
	size_t len = strlen(entry);
	const char *dash;

	if (entry[0] == '~') /* pip's leftovers */
		return false;
	if (ends_with(entry, len, ".dist-info")) {
		split_last(entry, len - 10, name, version);
		return true;
	}
	if (!ends_with(entry, len, ".egg-info"))
		return false;
	len -= 9;
	dash = memrchr(entry, '-', len);
	if (dash && len - (size_t)(dash - entry) > 3 && !strncmp(dash, "-py", 3) &&
	    isdigit((unsigned char)dash[3]))
		len = (size_t)(dash - entry);
	split_last(entry, len, name, version);
	return true;
}

bool package_parse_conda(const char *entry, char **name, char **version)
{
	size_t len = strlen(entry);
	const char *build, *dash;

	if (!ends_with(entry, len, ".json"))
		return false;
	len -= 5;
	build = memrchr(entry, '-', len);
	dash = build ? memrchr(entry, '-', (size_t)(build - entry)) : NULL;
	if (!dash || dash == entry)
		return false;
	*name = xmemdupz(entry, (size_t)(dash - entry));
	*version = xasprintf("%.*s %.*s", (int)(build - dash - 1), dash + 1,
			     (int)(len - (size_t)(build - entry) - 1), build + 1);
	return true;
}

void package_parse_direct_url(const char *text, size_t len, struct package *out)
{
	_cleanup_(json_free) struct json *doc = json_parse(text, len, NULL);
	const char *url = json_text(json_get(doc, "url"));
	const char *commit = json_text(json_get(json_get(doc, "vcs_info"), "commit_id"));

	if (!url)
		return;
	free(out->url);
	free(out->commit);
	out->url = vcs_clean_url(url);
	out->commit = xstrdup_null(commit);
	out->editable = json_truth(json_get(json_get(doc, "dir_info"), "editable"), false);
}

/* The value of a header of METADATA or PKG-INFO. */
static char *metadata_version(const char *path)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *line, *end;

	if (file_read(path, RECORD_MAX, &text))
		return NULL;
	end = strstr(text.buf, "\n\n");
	line = strstr(text.buf, "\nVersion: ");
	if (!line || (end && line > end))
		return NULL;
	line += 10;
	return xmemdupz(line, strcspn(line, "\r\n"));
}

static void read_direct_url(const char *path, struct package *pkg)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (!file_read(path, RECORD_MAX, &text))
		package_parse_direct_url(text.buf, text.len, pkg);
	/* A local folder is not a version; its commit is. */
	if (pkg->url && !pkg->commit && !strncmp(pkg->url, "file:///", 8))
		pkg->commit = vcs_head(pkg->url + 7);
}

static void scan_record(struct packages *p, const char *site, int dirfd, const char *entry)
{
	_cleanup_free_ char *name = NULL, *version = NULL, *direct = NULL;
	struct package *pkg;

	if (!package_parse_record(entry, &name, &version))
		return;
	if (!version) {
		_cleanup_free_ char *path =
			xasprintf("%s/%s/%s", site, entry,
				  strstr(entry, ".egg-info") ? "PKG-INFO" : "METADATA");

		version = metadata_version(path);
	}
	pkg = add(p, name, steal_ptr(&version));
	direct = xasprintf("%s/direct_url.json", entry);
	if (pkg && !faccessat(dirfd, direct, F_OK, 0)) {
		_cleanup_free_ char *path = path_join(site, direct);

		read_direct_url(path, pkg);
	}
}

/* "setup.py develop" leaves NAME.egg-link, whose first line is the folder. */
static void scan_egg_link(struct packages *p, const char *site, const char *entry)
{
	_cleanup_free_ char *path = path_join(site, entry), *folder = NULL, *name = NULL;
	_cleanup_free_ char *info = NULL;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	size_t len = strlen(entry) - strlen(".egg-link");
	struct package *pkg;

	if (file_read(path, RECORD_MAX, &text))
		return;
	folder = xmemdupz(text.buf, strcspn(text.buf, "\r\n"));
	info = xasprintf("%s/%.*s.egg-info/PKG-INFO", folder, (int)len, entry);
	name = normalized(entry, len);
	pkg = add(p, name, metadata_version(info));
	if (!pkg || folder[0] != '/')
		return;
	pkg->url = xasprintf("file://%s", folder);
	pkg->commit = vcs_head(folder);
	pkg->editable = true;
}

void packages_scan_site(struct packages *p, const char *site)
{
	DIR *dir = opendir(site);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (ends_with(e->d_name, strlen(e->d_name), ".egg-link"))
			scan_egg_link(p, site, e->d_name);
		else
			scan_record(p, site, dirfd(dir), e->d_name);
	closedir(dir);
}

void packages_scan_conda(struct packages *p, const char *prefix)
{
	_cleanup_free_ char *path = path_join(prefix, "conda-meta");
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		_cleanup_free_ char *name = NULL, *version = NULL;

		if (package_parse_conda(e->d_name, &name, &version))
			add(p, name, steal_ptr(&version));
	}
	closedir(dir);
}
