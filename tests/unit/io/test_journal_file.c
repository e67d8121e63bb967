/* The journal on disk: its rights, its lock, its end after a fault. */
#include "test_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/journal_file.h"

struct place {
    char *root, *runs, *file;
    struct err err;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->root = test_temp_dir();
    p->runs = test_join(p->root, "state/tackle/runs");
    p->file = test_join(p->runs, "r1/journal.jsonl");
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    test_remove_tree(p->root);
    free(p->root);
    free(p->runs);
    free(p->file);
    free(p);
    return 0;
}

static int append(struct journal_file *f, const char *kind, const char *body, struct err *err)
{
    return journal_file_append(f, kind, body, strlen(body), true, err);
}

static struct journal_file *begin(struct place *p, enum durability durability)
{
    struct journal_file *f = journal_file_create(p->runs, "r1", durability, &p->err);
    if (!f)
        fail_msg("%s", p->err.text);
    assert_int_equal(append(f, "run_started", "\"v\":1,\"run\":\"r1\"", &p->err), 0);
    return f;
}

static struct journal_file *reopen(struct place *p, struct buf *text, size_t *torn)
{
    buf_init(text, 8 << 20);
    return journal_file_open(p->runs, "r1", DURABILITY_PROCESS, text, torn, &p->err);
}

static size_t count_lines(const struct buf *text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void only_its_owner_can_read_it(void **state)
{
    struct place *p = *state;
    struct journal_file *f = begin(p, DURABILITY_PROCESS);
    assert_int_equal(mode_of(p->file), 0600);
    assert_int_equal(mode_of(journal_file_dir(f)), 0700);
    assert_int_equal(mode_of(p->runs), 0700);
    journal_file_close(f);
}

static void it_goes_on_behind_the_last_record(void **state)
{
    struct place *p = *state;
    struct buf text;
    size_t torn;
    struct journal_file *f = begin(p, DURABILITY_POWER);
    assert_int_equal(append(f, "answered", "", &p->err), 0);
    journal_file_close(f);
    f = reopen(p, &text, &torn);
    assert_non_null(f);
    assert_int_equal(torn, 0);
    assert_int_equal(count_lines(&text), 2);
    assert_int_equal(append(f, "answered", "", &p->err), 0);
    journal_file_close(f);
    buf_release(&text);
    f = reopen(p, &text, &torn);
    assert_non_null(f);
    assert_int_equal(count_lines(&text), 3);
    journal_file_close(f);
    buf_release(&text);
}

static void a_second_owner_is_told_so(void **state)
{
    struct place *p = *state;
    struct buf text;
    size_t torn;
    struct journal_file *f = begin(p, DURABILITY_PROCESS);
    assert_null(reopen(p, &text, &torn));
    assert_int_equal(p->err.code, ERR_SESSION);
    assert_non_null(strstr(p->err.text, "another process"));
    buf_release(&text);
    journal_file_close(f);
    f = reopen(p, &text, &torn);
    assert_non_null(f);
    journal_file_close(f);
    buf_release(&text);
}

static void a_torn_tail_is_cut_off(void **state)
{
    struct place *p = *state;
    struct buf text;
    size_t torn, len;
    journal_file_close(begin(p, DURABILITY_PROCESS));
    char *whole = test_read_file(p->file, &len);
    assert_non_null(whole);
    char *longer = malloc(len + 9);
    assert_non_null(longer);
    memcpy(longer, whole, len);
    memcpy(longer + len, "{\"n\":2,\"t", 9);
    test_write_file(p->file, longer, len + 9);
    struct journal_file *f = reopen(p, &text, &torn);
    assert_non_null(f);
    assert_int_equal(torn, 9);
    journal_file_close(f);
    buf_release(&text);
    char *after = test_read_file(p->file, &torn);
    assert_int_equal(torn, len);
    free(after);
    free(longer);
    free(whole);
}

static void damage_and_no_beginning_are_told(void **state)
{
    struct place *p = *state;
    struct buf text;
    size_t torn, len;
    struct journal_file *f = begin(p, DURABILITY_PROCESS);
    assert_int_equal(append(f, "answered", "", &p->err), 0);
    journal_file_close(f);
    char *bytes = test_read_file(p->file, &len);
    assert_non_null(bytes);
    bytes[10]++;
    test_write_file(p->file, bytes, len);
    assert_null(reopen(p, &text, &torn));
    assert_non_null(strstr(p->err.text, "record 1 of the journal is damaged"));
    buf_release(&text);
    test_write_file(p->file, "", 0);
    assert_null(reopen(p, &text, &torn));
    assert_non_null(strstr(p->err.text, "nothing in it"));
    buf_release(&text);
    free(bytes);
}

static void a_run_is_not_looked_for_elsewhere(void **state)
{
    struct place *p = *state;
    static const char *const ids[] = {"", "..", "r1/../r1", "R1", "unknown"};
    struct buf text;
    journal_file_close(begin(p, DURABILITY_PROCESS));
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(journal_file_read(p->runs, ids[i], &text, &p->err), -1);
        assert_int_equal(p->err.code, ERR_SESSION);
    }
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), 0);
    buf_release(&text);
}

static void links_are_not_followed(void **state)
{
    struct place *p = *state;
    struct buf text;
    char *elsewhere = test_join(p->root, "elsewhere");
    journal_file_close(begin(p, DURABILITY_PROCESS));
    assert_int_equal(rename(p->file, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, p->file), 0);
    buf_init(&text, 1 << 20);
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), -1);
    assert_int_equal(unlink(p->file), 0);
    assert_int_equal(mkfifo(p->file, 0600), 0);
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), -1);
    buf_release(&text);
    free(elsewhere);
}

static void a_large_body_is_a_file_of_its_own(void **state)
{
    struct place *p = *state;
    struct buf text, body;
    struct journal_record record;
    size_t len = JOURNAL_LINE_MAX + 1;
    char *large = malloc(len + 1);
    assert_non_null(large);
    memset(large, 'x', len);
    large[len] = '\0';
    memcpy(large, "\"a\":\"", 5);
    large[len - 1] = '"';
    struct journal_file *f = begin(p, DURABILITY_POWER);
    assert_int_equal(append(f, "messages", large, &p->err), 0);
    journal_file_close(f);
    buf_init(&text, 8 << 20);
    buf_init(&body, 8 << 20);
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), 0);
    assert_true(text.len < 1024);
    struct journal_reader reader = {.data = text.data, .len = text.len};
    assert_int_equal(journal_next(&reader, &record, &p->err), JOURNAL_RECORD);
    assert_int_equal(journal_next(&reader, &record, &p->err), JOURNAL_RECORD);
    char *dir = test_join(p->runs, "r1"), *blob = test_join(dir, "blobs/2");
    assert_int_equal(journal_file_body(dir, &record, &body, &p->err), 0);
    assert_int_equal(body.len, len);
    assert_memory_equal(body.data, large, len);
    assert_int_equal(mode_of(blob), 0600);
    large[100] = 'y';
    test_write_file(blob, large, len);
    assert_int_equal(journal_file_body(dir, &record, &body, &p->err), -1);
    assert_non_null(strstr(p->err.text, "record 2"));
    assert_int_equal(unlink(blob), 0);
    assert_int_equal(journal_file_body(dir, &record, &body, &p->err), -1);
    buf_release(&text);
    buf_release(&body);
    free(large);
    free(dir);
    free(blob);
}

/* A limit on the size of files ends a write as a full disk does: a short one first. */
static void a_full_disk_loses_nothing_that_was_recorded(void **state)
{
    struct place *p = *state;
    struct buf text;
    struct rlimit before, small;
    size_t torn, written = 1;
    char body[200] = "";
    (void)snprintf(body, sizeof body, "\"text\":\"%0150d\"", 7);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t room = 300; room < 900; room += 37) {
        struct journal_file *f = begin(p, DURABILITY_PROCESS);
        written = 1;
        small = before;
        small.rlim_cur = room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        while (append(f, "answered", body, &p->err) == 0)
            written++;
        assert_int_equal(p->err.code, ERR_SESSION);
        p->err.text[0] = '\0';
        int again = append(f, "answered", "", &p->err); /* would fit, and must not be there */
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(again, -1);
        assert_non_null(strstr(p->err.text, "cannot be written"));
        journal_file_close(f);
        f = reopen(p, &text, &torn);
        assert_non_null(f);
        assert_int_equal(torn, 0);
        assert_int_equal(count_lines(&text), written);
        assert_int_equal(append(f, "answered", body, &p->err), 0);
        journal_file_discard(f);
        buf_release(&text);
        assert_int_not_equal(access(p->file, F_OK), 0);
    }
}

static void gathered_records_are_there_at_the_end(void **state)
{
    struct place *p = *state;
    struct buf text;
    struct journal_file *f = begin(p, DURABILITY_NONE);
    buf_init(&text, 1 << 20);
    assert_int_equal(append(f, "answered", "", &p->err), 0);
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), 0);
    assert_int_equal(text.len, 0);
    journal_file_close(f);
    assert_int_equal(journal_file_read(p->runs, "r1", &text, &p->err), 0);
    assert_int_equal(count_lines(&text), 2);
    buf_release(&text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_its_owner_can_read_it),
        CASE(it_goes_on_behind_the_last_record),
        CASE(a_second_owner_is_told_so),
        CASE(a_torn_tail_is_cut_off),
        CASE(damage_and_no_beginning_are_told),
        CASE(a_run_is_not_looked_for_elsewhere),
        CASE(links_are_not_followed),
        CASE(a_large_body_is_a_file_of_its_own),
        CASE(a_full_disk_loses_nothing_that_was_recorded),
        CASE(gathered_records_are_there_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
