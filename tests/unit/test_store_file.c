/* SPDX-License-Identifier: MIT */
/* The files that keep translations between runs: found again, appended, merged; damage is noticed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "coregrind/store/store_file.h"

#define NAME "x" STORE_SUFFIX
enum { LIMIT = 1 << 20, PURPOSE = 77 };

static char directory[] = "/tmp/gimle-store-XXXXXX";
static int dir;

static int make_directory(void **state)
{
    (void)state;
    const char *why;
    if (!mkdtemp(directory))
        return -1;
    dir = store_directory_open(directory, false, &why);
    return dir < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    store_directory_trim(dir, 0);
    unlinkat(dir, "other", 0);
    close(dir);
    return rmdir(directory);
}

static StoreFile *fresh(void) { return store_file_open(dir, NAME, PURPOSE); }

static void add(StoreFile *f, uint64_t key, const char *text)
{
    store_file_add(f, key, text, strlen(text) + 1);
}

static void assert_has(StoreFile *f, uint64_t key, const char *text)
{
    const void *data;
    size_t len;
    assert_true(store_file_find(f, key, &data, &len));
    assert_int_equal(len, strlen(text) + 1);
    assert_string_equal(data, text);
}

static void assert_has_not(StoreFile *f, uint64_t key)
{
    const void *data;
    size_t len;
    assert_false(store_file_find(f, key, &data, &len));
}

static void save(StoreFile *f)
{
    assert_int_equal(store_file_save(f, dir, LIMIT), 0);
    assert_int_equal(store_file_pending(f), 0);
    store_file_close(f);
}

static void test_found_again(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    StoreFile *f = fresh();
    assert_has_not(f, 1);
    add(f, 9, "nine");
    add(f, 3, "a longer text for three");
    add(f, 5, "five");
    save(f);
    f = fresh();
    assert_has(f, 3, "a longer text for three");
    assert_has(f, 5, "five");
    assert_has(f, 9, "nine");
    assert_has_not(f, 4);
    store_file_close(f);
    f = store_file_open(dir, NAME, PURPOSE + 1);
    assert_has_not(f, 3);
    store_file_close(f);
}

static void test_many_segments(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    for (uint64_t i = 1; i <= 50; i++) {
        char text[32];
        StoreFile *f = fresh();
        snprintf(text, sizeof text, "text %d", (int)i);
        add(f, i, text);
        add(f, 1000, text); /* the newest counts */
        save(f);
    }
    StoreFile *f = fresh();
    assert_has(f, 1, "text 1");
    assert_has(f, 33, "text 33");
    assert_has(f, 1000, "text 50");
    store_file_close(f);
    struct stat st;
    assert_int_equal(fstatat(dir, NAME, &st, 0), 0);
    assert_in_range(st.st_size, 1, 50 * 120);
}

static void test_two_writers(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    StoreFile *a = fresh(), *b = fresh();
    add(a, 1, "a");
    add(b, 2, "b");
    save(a);
    save(b);
    a = fresh();
    assert_has(a, 2, "b");
    store_file_close(a);
}

static void test_limit(void **state)
{
    (void)state;
    static char big[LIMIT / 2];
    unlinkat(dir, NAME, 0);
    memset(big, 'x', sizeof big - 1);
    for (uint64_t i = 1; i <= 5; i++) {
        StoreFile *f = fresh();
        add(f, i, big);
        save(f);
        struct stat st;
        assert_int_equal(fstatat(dir, NAME, &st, 0), 0);
        assert_in_range(st.st_size, 1, LIMIT + 4096);
    }
    StoreFile *f = fresh();
    assert_has(f, 5, big);
    store_file_close(f);
}

/** Cut or change the file at each place in turn: records are right or missing, never wrong. */
static void test_damage(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    StoreFile *f = fresh();
    add(f, 1, "one");
    add(f, 2, "two");
    save(f);
    f = fresh();
    add(f, 3, "three");
    save(f);
    uint8_t good[4096];
    int fd = openat(dir, NAME, O_RDONLY);
    ssize_t size = read(fd, good, sizeof good);
    close(fd);
    assert_in_range(size, 100, 1000);
    for (ssize_t i = 0; i < size; i++) {
        for (int cut = 0; cut < 2; cut++) {
            uint8_t bad[4096];
            memcpy(bad, good, (size_t)size);
            bad[i] ^= 0x41;
            fd = openat(dir, NAME, O_WRONLY | O_TRUNC);
            assert_int_equal(write(fd, bad, (size_t)(cut ? i : size)), cut ? i : size);
            close(fd);
            f = fresh();
            static const char *const text[] = { "one", "two", "three" };
            for (uint64_t k = 1; k <= 3; k++) {
                const void *data;
                size_t len;
                if (store_file_find(f, k, &data, &len))
                    assert_has(f, k, text[k - 1]);
            }
            add(f, 4, "four"); /* and it can be mended */
            save(f);
            f = fresh();
            assert_has(f, 4, "four");
            store_file_close(f);
        }
    }
}

static void test_not_ours(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    StoreFile *f = fresh();
    add(f, 1, "one");
    save(f);
    assert_int_equal(fchmodat(dir, NAME, 0622, 0), 0);
    f = fresh();
    assert_has_not(f, 1);
    store_file_close(f);
    unlinkat(dir, NAME, 0);
    assert_int_equal(symlinkat("other", dir, NAME), 0);
    f = fresh();
    add(f, 1, "one");
    store_file_save(f, dir, LIMIT);
    store_file_close(f);
    assert_int_not_equal(faccessat(dir, "other", F_OK, 0), 0); /* not written through the link */

    const char *why = NULL;
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(store_directory_open(directory, false, &why), -1);
    assert_non_null(why);
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(store_directory_open("/nowhere/at/all", true, &why), -1);
}

static void test_trim(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    close(openat(dir, "other", O_WRONLY | O_CREAT, 0600));
    StoreFile *f = fresh();
    add(f, 1, "one");
    save(f);
    store_directory_trim(dir, 1 << 20);
    assert_int_equal(faccessat(dir, NAME, F_OK, 0), 0);
    store_directory_trim(dir, 0);
    assert_int_not_equal(faccessat(dir, NAME, F_OK, 0), 0);
    assert_int_equal(faccessat(dir, "other", F_OK, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again), cmocka_unit_test(test_many_segments),
        cmocka_unit_test(test_two_writers), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_not_ours), cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
