/* Readers, writers, replacement of files, SHA-256. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "support.h"
#include "base/io.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static gm_context *ctx;
static char folder[64], path[128];

static void setup(void)
{
    ctx = test_context(NULL);
    strcpy(folder, "/tmp/genmod-io-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void teardown(void)
{
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    ck_assert_int_eq(system(command), 0);
    gm_context_free(ctx);
}

/* ---- Helpers ---- */

static int files_in_folder(void)
{
    char command[128];
    int n = -1;
    snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *p = popen(command, "r");
    ck_assert_int_eq(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

static void file_is(const char *text)
{
    char found[256] = "";
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    found[fread(found, 1, sizeof found - 1, f)] = 0;
    fclose(f);
    ck_assert_str_eq(found, text);
}

static gm_status save(gm_context *c, const char *to, const char *text)
{
    gm__replacement *r;
    gm_writer w;
    gm_status code = gm__replace_begin(c, to, &r, &w);
    if (code)
        return code;
    if ((code = gm__write(c, &w, text, (int64_t)strlen(text)))) {
        gm__replace_abandon(r);
        return code;
    }
    return gm__replace_finish(c, r);
}

/* ---- Replacement ---- */

START_TEST(replaces_at_once)
{
    gm__replacement *r;
    gm_writer w;
    test_ok(ctx, save(ctx, path, "first"));
    file_is("first");
    test_ok(ctx, gm__replace_begin(ctx, path, &r, &w));
    test_ok(ctx, gm__write(ctx, &w, "second", 6));
    file_is("first");
    ck_assert_int_eq(files_in_folder(), 2);
    test_ok(ctx, gm__replace_finish(ctx, r));
    file_is("second");
    ck_assert_int_eq(files_in_folder(), 1);
    test_ok(ctx, gm__replace_begin(ctx, path, &r, &w));
    test_ok(ctx, gm__write(ctx, &w, "third", 5));
    gm__replace_abandon(r);
    gm__replace_abandon(NULL);
    file_is("second");
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

START_TEST(keeps_permissions)
{
    struct stat s;
    mode_t before = umask(027);
    test_ok(ctx, save(ctx, path, "x"));
    ck_assert_int_eq(stat(path, &s), 0);
    ck_assert_int_eq(s.st_mode & 07777, 0640);
    ck_assert_int_eq(chmod(path, 0604), 0);
    test_ok(ctx, save(ctx, path, "y"));
    ck_assert_int_eq(stat(path, &s), 0);
    ck_assert_int_eq(s.st_mode & 07777, 0604);
    ck_assert_int_eq(umask(before), 027); /* not changed by us */
}
END_TEST

START_TEST(follows_links)
{
    char link[128];
    struct stat s;
    snprintf(link, sizeof link, "%s/link", folder);
    test_ok(ctx, save(ctx, path, "x"));
    ck_assert_int_eq(symlink(path, link), 0);
    test_ok(ctx, save(ctx, link, "through"));
    file_is("through");
    ck_assert_int_eq(lstat(link, &s), 0);
    ck_assert(S_ISLNK(s.st_mode));
    ck_assert_int_eq(files_in_folder(), 2);
}
END_TEST

START_TEST(writes_devices_in_place)
{
    struct stat s;
    test_ok(ctx, save(ctx, "/dev/null", "gone"));
    ck_assert_int_eq(stat("/dev/null", &s), 0);
    ck_assert(S_ISCHR(s.st_mode));
    if (access("/dev/full", W_OK) == 0)
        test_fails(ctx, save(ctx, "/dev/full", "x"), GM_E_IO,
                   "cannot write '/dev/full': no space left on the device");
}
END_TEST

START_TEST(tells_why_it_cannot)
{
    char inside[160];
    test_fails(ctx, save(ctx, "/no/such/folder/file", "x"), GM_E_IO,
               "cannot create a file beside '/no/such/folder/file': no such file or directory");
    test_fails(ctx, save(ctx, folder, "x"), GM_E_IO, "is a directory");
    test_fails(ctx, save(ctx, "", "x"), GM_E_ARG, NULL);
    test_fails(ctx, save(ctx, NULL, "x"), GM_E_ARG, NULL);
    test_ok(ctx, save(ctx, path, "x"));
    snprintf(inside, sizeof inside, "%s/inside", path);
    test_fails(ctx, save(ctx, inside, "x"), GM_E_IO, "not a directory");
    if (geteuid() != 0) { /* nothing stops root */
        chmod(folder, 0555);
        test_fails(ctx, save(ctx, path, "y"), GM_E_IO, "permission denied");
        file_is("x");
    }
    static char longest[6000];
    memset(longest, 'x', sizeof longest - 1);
    test_fails(ctx, save(ctx, longest, "x"), GM_E_IO, "the name is too long");
}
END_TEST

START_TEST(writes_much)
{
    gm__replacement *r;
    gm_writer w;
    static char block[200000];
    struct stat s;
    int64_t total = 0;
    memset(block, 'b', sizeof block);
    test_ok(ctx, gm__replace_begin(ctx, path, &r, &w));
    for (int64_t n = 1; n < (int64_t)sizeof block; n = n * 3 + 1)
        test_ok(ctx, gm__write(ctx, &w, block, n));
    total = 0;
    for (int64_t n = 1; n < (int64_t)sizeof block; n = n * 3 + 1)
        total += n;
    test_ok(ctx, gm__replace_finish(ctx, r));
    ck_assert_int_eq(stat(path, &s), 0);
    ck_assert_int_eq(s.st_size, total);
}
END_TEST

/* ---- Reading ---- */

static gm_status read_text(gm_context *c, const gm_reader *r, int64_t limit, const char *expected)
{
    char *data;
    int64_t size;
    gm_status code = gm__read_all(c, r, "input", limit, &data, &size);
    if (code) {
        ck_assert_ptr_null(data);
        return code;
    }
    ck_assert_int_eq(size, (int64_t)strlen(expected));
    ck_assert_str_eq(data, expected);
    gm__free(&c->allocator, data, (size_t)size + 1);
    return GM_OK;
}

START_TEST(reads_files)
{
    gm_reader r;
    test_ok(ctx, save(ctx, path, "contents"));
    test_ok(ctx, gm__file_reader(ctx, path, &r));
    ck_assert_int_eq(r.size(r.user), 8);
    test_ok(ctx, read_text(ctx, &r, 100, "contents"));
    gm__file_reader_close(&r);
    gm__file_reader_close(&r);
    test_fails(ctx, gm__file_reader(ctx, "/no/such", &r), GM_E_IO,
               "cannot open '/no/such': no such file or directory");
    ck_assert_ptr_null(r.read);
    test_fails(ctx, gm__file_reader(ctx, NULL, &r), GM_E_ARG, NULL);
    test_ok(ctx, gm__file_reader(ctx, folder, &r));
    test_fails(ctx, read_text(ctx, &r, 100, ""), GM_E_IO, "cannot read 'input': is a directory");
    gm__file_reader_close(&r);
    test_ok(ctx, gm__file_reader(ctx, "/dev/zero", &r)); /* no end */
    test_fails(ctx, read_text(ctx, &r, 1000000, ""), GM_E_RANGE,
               "'input' is larger than 1000000 bytes");
    gm__file_reader_close(&r);
}
END_TEST

START_TEST(reads_memory_in_pieces)
{
    gm_reader r;
    gm__memory_source m = {(const unsigned char *)"0123456789", 10, 0};
    char part[4];
    int64_t got;
    gm__memory_reader(&r, &m);
    test_ok(ctx, gm__read(ctx, &r, "m", part, 4, &got));
    ck_assert(got == 4 && memcmp(part, "0123", 4) == 0);
    test_ok(ctx, read_text(ctx, &r, 6, "456789"));
    test_ok(ctx, gm__read(ctx, &r, "m", part, 4, &got));
    ck_assert_int_eq(got, 0);
}
END_TEST

START_TEST(reads_hooks)
{
    for (int tell = 0; tell < 2; tell++)
        for (int64_t chunk = 0; chunk < 12; chunk++) {
            test_source s = {.data = "hello world", .size = 11, .chunk = chunk, .tell_size = tell};
            gm_reader r = test_source_reader(&s);
            test_ok(ctx, gm__reader_check(ctx, &r));
            test_ok(ctx, read_text(ctx, &r, 11, "hello world"));
            s.at = 0;
            test_fails(ctx, read_text(ctx, &r, 10, ""), GM_E_RANGE, "larger than 10");
            for (int64_t at = 1; at < 4; at++) {
                test_source bad = {.data = "hello", .size = 5, .chunk = 2, .fail_at = at};
                r = test_source_reader(&bad);
                test_fails(ctx, read_text(ctx, &r, 100, ""), GM_E_IO,
                           "cannot read 'input': the reader failed");
            }
        }
    test_source empty = {.data = "", .size = 0};
    gm_reader r = test_source_reader(&empty);
    test_ok(ctx, read_text(ctx, &r, 10, ""));
    r.read = NULL;
    test_fails(ctx, gm__reader_check(ctx, &r), GM_E_ARG, NULL);
    test_fails(ctx, gm__reader_check(ctx, NULL), GM_E_ARG, NULL);
    gm_writer w = {.struct_size = 3};
    test_fails(ctx, gm__writer_check(ctx, &w), GM_E_ARG, NULL);
}
END_TEST

static int64_t liar_size(void *user)
{
    (void)user;
    return INT64_MAX;
}

static int64_t liar_read(void *user, void *buffer, int64_t size)
{
    (void)user, (void)buffer;
    return size + 1;
}

START_TEST(believes_no_hook)
{
    test_memory m = {0};
    gm_allocator a = test_memory_allocator(&m);
    gm_context *c = test_context(&a);
    test_source s = {.data = "small", .size = 5};
    gm_reader r = test_source_reader(&s);
    r.size = liar_size;
    test_ok(c, read_text(c, &r, (int64_t)1 << 40, "small"));
    ck_assert_int_lt(m.peak, 300000);
    r.read = liar_read;
    test_fails(c, read_text(c, &r, 100, ""), GM_E_IO, "more than was asked");
    gm_context_free(c);
    ck_assert_int_eq(m.blocks, 0);
}
END_TEST

START_TEST(heeds_the_cancel_token)
{
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    gm_context *c;
    gm_reader r;
    ck_assert_int_eq(gm_context_create(&config, &c), GM_OK);
    gm_cancel_trip(token);
    ck_assert(gm_cancel_tripped(token));
    test_ok(c, gm__file_reader(c, "/dev/zero", &r));
    test_fails(c, read_text(c, &r, (int64_t)1 << 40, ""), GM_E_CANCELLED, "cancelled");
    gm__file_reader_close(&r);
    gm_cancel_reset(token);
    ck_assert(!gm_cancel_tripped(token));
    gm_cancel_free(token); /* the context has it still */
    test_ok(c, gm__check_cancel(c));
    gm_context_free(c);
    gm_cancel_free(NULL);
    gm_cancel_trip(NULL);
}
END_TEST

static gm_status save_and_load(const gm_allocator *a, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_context *c = NULL;
    gm_reader r = {0};
    (void)arg;
    gm_status code = gm_context_create(&config, &c);
    if (code)
        return code;
    if (!(code = save(c, path, "text")) && !(code = gm__file_reader(c, path, &r)))
        code = read_text(c, &r, 100, "text");
    gm__file_reader_close(&r);
    gm_context_free(c);
    ck_assert_int_le(files_in_folder(), 1);
    return code;
}

START_TEST(survives_refused_memory)
{
    ck_assert_int_gt(test_every_failure(save_and_load, NULL, 0), 10);
}
END_TEST

/* ---- SHA-256: the examples of FIPS 180-2, appendix B, and the empty text ---- */

static void digest_is(const char *text, int64_t times, const char *expected)
{
    gm__sha256 s;
    unsigned char digest[32];
    char hex[65];
    gm__sha256_begin(&s);
    for (int64_t i = 0; i < times; i++)
        gm__sha256_add(&s, text, strlen(text));
    gm__sha256_end(&s, digest);
    gm__sha256_text(digest, hex);
    ck_assert_str_eq(hex, expected);
}

START_TEST(sha256_known_answers)
{
    digest_is("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_is("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_is("aaaaaaaaaa", 100000,
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(sha256_in_any_pieces)
{
    static unsigned char bytes[300], once[32], pieces[32];
    gm__sha256 s;
    for (int i = 0; i < 300; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n <= 300; n += 13) {
        gm__sha256_begin(&s);
        gm__sha256_add(&s, bytes, n);
        gm__sha256_end(&s, once);
        for (size_t cut = 0; cut <= n; cut++) {
            gm__sha256_begin(&s);
            gm__sha256_add(&s, bytes, cut);
            gm__sha256_add(&s, bytes + cut, n - cut);
            gm__sha256_end(&s, pieces);
            ck_assert_mem_eq(once, pieces, 32);
        }
    }
}
END_TEST

START_TEST(clocks_go_forward)
{
    double a = gm__clock(), b = gm__clock();
    ck_assert(b >= a);
    ck_assert_int_gt(gm__wall_time(), 1700000000);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("io");
    TCase *c = tcase_create("io");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, replaces_at_once);
    tcase_add_test(c, keeps_permissions);
    tcase_add_test(c, follows_links);
    tcase_add_test(c, writes_devices_in_place);
    tcase_add_test(c, tells_why_it_cannot);
    tcase_add_test(c, writes_much);
    tcase_add_test(c, reads_files);
    tcase_add_test(c, reads_memory_in_pieces);
    tcase_add_test(c, reads_hooks);
    tcase_add_test(c, believes_no_hook);
    tcase_add_test(c, heeds_the_cancel_token);
    tcase_add_test(c, survives_refused_memory);
    tcase_add_test(c, sha256_known_answers);
    tcase_add_test(c, sha256_in_any_pieces);
    tcase_add_test(c, clocks_go_forward);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
