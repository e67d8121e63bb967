/* The format of a journal: what was written is read, and nothing else passes. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"

#define RECORDS 4

struct lines {
    struct buf text;
    struct journal_chain chain;
    size_t ends[RECORDS]; /* where each record ends */
};

static void add(struct lines *l, size_t place, const char *kind, const char *body)
{
    assert_int_equal(journal_write(&l->chain, 1795428672345, kind, body, strlen(body), &l->text),
                     0);
    l->ends[place] = l->text.len;
}

static int set_up(void **state)
{
    struct lines *l = calloc(1, sizeof *l);
    assert_non_null(l);
    buf_init(&l->text, 1 << 20);
    add(l, 0, "run_started", "\"v\":1,\"run\":\"r1\"");
    add(l, 1, "messages",
        "\"messages\":[{\"role\":\"user\",\"content\":\"a } \\n \\\",\\\"c\\\":\"}]");
    add(l, 2, "answered", "");
    add(l, 3, "tool_finished", "\"call\":\"r1.1.1\",\"result\":\"gr\xc3\xbc\xc3\x9f\"");
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    struct lines *l = *state;
    buf_release(&l->text);
    free(l);
    return 0;
}

/* Reads to the end; *count are the whole records. */
static enum journal_found read_all(const char *data, size_t len, size_t *count, size_t *good,
                                   struct err *err)
{
    struct journal_reader reader = {.data = data, .len = len};
    struct journal_record record;
    enum journal_found found;
    *count = 0;
    while ((found = journal_next(&reader, &record, err)) == JOURNAL_RECORD)
        assert_int_equal(record.number, ++*count);
    *good = reader.at;
    return found;
}

static void what_is_written_is_read(void **state)
{
    const struct lines *l = *state;
    struct journal_reader reader = {.data = l->text.data, .len = l->text.len};
    struct journal_record record;
    struct err err;
    assert_int_equal(journal_next(&reader, &record, &err), JOURNAL_RECORD);
    assert_string_equal(record.kind, "run_started");
    assert_int_equal(record.time_len, strlen("2026-11-23T10:11:12.345Z"));
    assert_memory_equal(record.time, "2026-11-23T10:11:12.345Z", record.time_len);
    assert_int_equal(record.len, strlen("\"v\":1,\"run\":\"r1\""));
    assert_memory_equal(record.body, "\"v\":1,\"run\":\"r1\"", record.len);
    assert_int_equal(journal_check_version(&record, &err), 0);
    assert_int_equal(journal_next(&reader, &record, &err), JOURNAL_RECORD);
    assert_int_equal(journal_next(&reader, &record, &err), JOURNAL_RECORD);
    assert_string_equal(record.kind, "answered");
    assert_int_equal(record.len, 0);
    assert_int_equal(journal_next(&reader, &record, &err), JOURNAL_RECORD);
    assert_int_equal(journal_next(&reader, &record, &err), JOURNAL_END);
    assert_int_equal(reader.at, l->text.len);
    assert_int_equal(reader.chain.check, l->chain.check);
}

static void cut_anywhere_it_is_torn_and_keeps_what_is_whole(void **state)
{
    const struct lines *l = *state;
    struct err err;
    size_t count, good;
    for (size_t len = 0; len <= l->text.len; len++) {
        size_t whole = 0;
        while (whole < RECORDS && l->ends[whole] <= len)
            whole++;
        bool at_edge = len == 0 || (whole > 0 && l->ends[whole - 1] == len);
        assert_int_equal(read_all(l->text.data, len, &count, &good, &err),
                         at_edge ? JOURNAL_END : JOURNAL_TORN);
        assert_int_equal(count, whole);
        assert_int_equal(good, whole ? l->ends[whole - 1] : 0);
    }
}

/* Every bit of every byte. In the last record it may pass as torn: that record is dropped, no
 * other. */
static void no_change_goes_unseen(void **state)
{
    const struct lines *l = *state;
    char *copy = malloc(l->text.len);
    assert_non_null(copy);
    for (size_t at = 0; at < l->text.len * 8; at++) {
        struct err err = {.text = ""};
        size_t count, good, record = 0;
        char number[32];
        memcpy(copy, l->text.data, l->text.len);
        copy[at / 8] ^= (char)(1 << at % 8);
        while (l->ends[record] <= at / 8)
            record++;
        enum journal_found found = read_all(copy, l->text.len, &count, &good, &err);
        assert_int_equal(count, record);
        if (record < RECORDS - 1 && found != JOURNAL_DAMAGED)
            fail_msg("bit %zu of byte %zu is not seen as damage", at % 8, at / 8);
        assert_true(found == JOURNAL_DAMAGED || found == JOURNAL_TORN);
        (void)snprintf(number, sizeof number, "record %zu ", record + 1);
        if (found == JOURNAL_DAMAGED)
            assert_non_null(strstr(err.text, number));
    }
    free(copy);
}

static void lines_cannot_be_left_out_repeated_or_exchanged(void **state)
{
    const struct lines *l = *state;
    static const size_t orders[][RECORDS] = {
        {0, 2, 3, 3}, {0, 1, 1, 2}, {0, 2, 1, 3}, {1, 2, 3, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct err err;
        struct buf text;
        size_t count, good;
        buf_init(&text, 1 << 20);
        for (size_t j = 0; j < RECORDS; j++) {
            size_t from = orders[i][j] ? l->ends[orders[i][j] - 1] : 0;
            assert_int_equal(buf_append(&text, l->text.data + from, l->ends[orders[i][j]] - from),
                             0);
        }
        assert_int_equal(read_all(text.data, text.len, &count, &good, &err), JOURNAL_DAMAGED);
        buf_release(&text);
    }
}

static void zeros_behind_a_power_cut_are_torn(void **state)
{
    struct lines *l = *state;
    struct err err;
    size_t count, good;
    char zeros[512] = {0};
    assert_int_equal(buf_append(&l->text, zeros, sizeof zeros), 0);
    assert_int_equal(read_all(l->text.data, l->text.len, &count, &good, &err), JOURNAL_TORN);
    assert_int_equal(count, RECORDS);
    assert_int_equal(good, l->ends[RECORDS - 1]);
}

static void a_newer_format_is_refused_by_name(void **state)
{
    struct journal_record first = {.kind = "run_started"};
    struct err err;
    (void)state;
    first.body = "\"v\":2,\"run\":\"r1\"";
    first.len = strlen(first.body);
    assert_int_equal(journal_check_version(&first, &err), -1);
    assert_int_equal(err.code, ERR_SESSION);
    assert_non_null(strstr(err.text, "newer"));
    first.body = "\"run\":\"r1\"";
    first.len = strlen(first.body);
    assert_int_equal(journal_check_version(&first, &err), -1);
    first = (struct journal_record){.kind = "state", .body = "\"v\":1", .len = 5};
    assert_int_equal(journal_check_version(&first, &err), -1);
}

static void a_blob_stands_for_a_body(void **state)
{
    struct buf body;
    struct journal_record record = {.number = 3};
    size_t len;
    uint32_t sum;
    (void)state;
    buf_init(&body, 100);
    assert_int_equal(journal_blob_body(&body, "123456789", 9), 0);
    record.body = body.data;
    record.len = body.len;
    assert_true(journal_is_blob(&record, &len, &sum));
    assert_int_equal(len, 9);
    assert_int_equal(sum, 0xe3069283);
    record.len--;
    assert_false(journal_is_blob(&record, &len, &sum));
    record.body = "\"blob\":99999999999999999,\"sum\":\"e3069283\"";
    record.len = strlen(record.body);
    assert_false(journal_is_blob(&record, &len, &sum));
    buf_release(&body);
}

static void what_does_not_fit_is_not_begun(void **state)
{
    struct buf small;
    struct journal_chain chain = {0};
    (void)state;
    buf_init(&small, 60);
    assert_int_equal(journal_write(&chain, 0, "answered", "", 0, &small), -1);
    assert_int_equal(small.len, 0);
    assert_int_equal(chain.number, 0);
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_anywhere_it_is_torn_and_keeps_what_is_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_change_goes_unseen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_cannot_be_left_out_repeated_or_exchanged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(zeros_behind_a_power_cut_are_torn, set_up, tear_down),
        cmocka_unit_test(a_newer_format_is_refused_by_name),
        cmocka_unit_test(a_blob_stands_for_a_body),
        cmocka_unit_test(what_does_not_fit_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
