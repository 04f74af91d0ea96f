/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "lib/store/upload.h"
#include "lib/util/path.h"
#include "t/unit/tap.h"

static struct mlp_error err;
static struct repo repo = REPO_INIT;

/* The end of an upload, waited for. */
struct end {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool here;
	int code;
	struct object_id id;
};
#define END_INIT { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

static void note_end(void *data, const struct object_id *id, const struct mlp_error *e)
{
	struct end *end = data;

	pthread_mutex_lock(&end->lock);
	end->here = true;
	end->code = e->code;
	if (id)
		end->id = *id;
	pthread_cond_signal(&end->changed);
	pthread_mutex_unlock(&end->lock);
}

static int wait_end(struct end *end)
{
	pthread_mutex_lock(&end->lock);
	while (!end->here)
		pthread_cond_wait(&end->changed, &end->lock);
	pthread_mutex_unlock(&end->lock);
	return end->code;
}

/* Sends a part in two pieces; its etag is pushed unless NULL. */
static int send_part(struct uploads *all, const struct upload_ticket *t, int64_t number,
		     const char *text, char etag[SHA256_HEX + 1])
{
	_cleanup_(upload_part_free) struct upload_part *part = NULL;
	size_t len = strlen(text);
	int r = upload_part_begin(all, t, number, (int64_t)len, &part, &err);

	if (!r)
		r = upload_part_write(part, text, len / 2, &err);
	if (!r)
		r = upload_part_write(part, text + len / 2, len - len / 2, &err);
	return r ? r : upload_part_end(part, etag, &err);
}

static void test_whole(struct uploads *all)
{
	_release_(strvec_release) struct strvec etags = STRVEC_INIT;
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char etag[3][SHA256_HEX + 1];
	struct upload_ticket t, other;
	struct end end = END_INIT;
	struct upload_then then = { note_end, &end };

	is_int(upload_begin(all, "x", 3, &t, &err), 0, "an upload of three parts");
	is_int(send_part(all, &t, 3, "an earlier last one", etag[2]), 0, "the last part");
	is_int(send_part(all, &t, 3, "c", etag[2]), 0, "again, shorter");
	is_int(send_part(all, &t, 1, "aaaa", etag[0]), 0, "the first part");
	is_int(send_part(all, &t, 2, "bbb", etag[1]), MLP_EINVAL, "one of another size");
	is_int(send_part(all, &t, 4, "bbbb", etag[1]), MLP_EINVAL, "one too many");
	other = t;
	other.secret[0] ^= 1;
	is_int(send_part(all, &other, 2, "bbbb", etag[1]), MLP_ENOTFOUND, "with another secret");
	is_int(send_part(all, &t, 2, "bbbb", etag[1]), 0, "the second part");
	for (int i = 0; i < 3; i++)
		strvec_push(&etags, etag[i]);
	is_int(upload_finish(all, t.id, "y", &etags, &then, &err), MLP_ENOTFOUND, "for another thing");
	is_int(upload_finish(all, t.id, "x", &etags, &then, &err), 0, "the end");
	is_int(wait_end(&end), 0, "is reached");
	is_int(upload_finish(all, t.id, "x", &etags, &then, &err), MLP_EBUSY, "once");
	is_int(upload_abort(all, t.id, "x", &err), MLP_ECONFLICT, "and cannot be called off");
	upload_settle(all, t.id, true);
	is_int(upload_finish(all, t.id, "x", &etags, &then, &err), 1, "it is known to be stored");
	is_int(end.id.size, 9, "the object has all bytes");
	is_int(object_read(&repo, end.id.hex, 100, &text, &err), 0, "it is there");
	is_str(text.buf, "aaaabbbbc", "in order");
}

static void test_broken(struct uploads *all)
{
	_release_(strvec_release) struct strvec etags = STRVEC_INIT;
	struct upload_part *part = NULL, *same = NULL;
	char etag[SHA256_HEX + 1] = "";
	struct upload_ticket t;
	struct end end = END_INIT;
	struct upload_then then = { note_end, &end };

	is_int(upload_begin(all, "x", 0, &t, &err), MLP_EINVAL, "no upload without parts");
	is_int(upload_begin(all, "x", UPLOAD_PARTS_MAX + 1, &t, &err), MLP_EINVAL, "nor of too many");
	is_int(upload_begin(all, "x", 1, &t, &err), 0, "an upload of one part");
	is_int(upload_part_begin(all, &t, 1, 4, &part, &err), 0, "the part begins");
	is_int(upload_part_begin(all, &t, 1, 4, &same, &err), MLP_ECONFLICT, "once at a time");
	is_int(upload_part_write(part, "abcde", 5, &err), MLP_EINVAL, "no more than was said");
	is_int(upload_part_write(part, "abc", 3, &err), 0, "some of it");
	is_int(upload_part_end(part, etag, &err), MLP_EINVAL, "no less either");
	upload_part_free(part);
	strvec_push(&etags, etag);
	is_int(upload_finish(all, t.id, "x", &etags, &then, &err), MLP_EINVAL, "it is not there");
	is_int(upload_part_begin(all, &t, 1, 4, &part, &err), 0, "the part begins anew");
	is_int(upload_abort(all, t.id, "x", &err), 0, "the upload is given up");
	is_int(upload_part_write(part, "abcd", 4, &err), 0, "while a part comes");
	is_int(upload_part_end(part, etag, &err), 0, "to its end");
	upload_part_free(part);
	is_int(upload_abort(all, t.id, "x", &err), 0, "giving up again is fine");
	is_int(upload_finish(all, t.id, "x", &etags, &then, &err), MLP_ENOTFOUND, "it is gone");
	ok(!end.here, "and was never finished");
}

int main(void)
{
	_cleanup_free_ char *folder = tap_folder();
	struct uploads *all;
	bool made;

	plan_lazy();
	if (repo_create(folder, &made, &err) || repo_open_at(&repo, folder, &err)) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	all = uploads_new(&repo);
	test_whole(all);
	test_broken(all);
	uploads_free(all);
	repo_release(&repo);
	path_remove_tree(folder);
	return done_testing();
}
