/* RES-18: a journal of 100,000 records and 200 MB. It is listed without being read, verified, and
 * gone on with, in memory that is bounded by its size. */
#include "test_support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tackle/tackle.h>

#include "base/clock.h"
#include "base/path.h"
#include "endpoint/endpoint.h"
#include "io/journal_file.h"

#define RECORDS    100000
#define MESSAGES   10000
#define FILLER     2000
#define MEMORY_KIB (1500L * 1024) /* the journal, what is made of it, and the sanitizer's own */

struct world {
    char *dir, *runs;
    struct endpoint_child endpoint;
    tackle_runtime *rt;
    tackle_error err;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err problem;
    assert_non_null(w);
    w->err = (tackle_error)TACKLE_ERROR_INIT;
    w->dir = test_temp_dir();
    w->runs = path_join(w->dir, "runs");
    if (endpoint_child_start("=== reply\ntext Done.\ntimes forever\n", &w->endpoint, &problem) != 0)
        fail_msg("%s", problem.text);
    assert_int_equal(tackle_runtime_new(&w->rt, &w->err), 0);
    const char *const settings[][2] = {{"state_dir", w->dir},
                                       {"workspace", w->dir},
                                       {"base_url", w->endpoint.url},
                                       {"no_tools", "true"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(tackle_set(w->rt, settings[i][0], settings[i][1], &w->err), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    tackle_runtime_free(w->rt);
    json_decref(endpoint_child_stop(&w->endpoint));
    test_remove_tree(w->dir);
    free(w->runs);
    free(w->dir);
    free(w);
    return 0;
}

static void run(struct world *w, const char *resume, const char *prompt)
{
    tackle_run *run = NULL;
    const tackle_run_options options = {.size = sizeof options, .prompt = prompt, .resume = resume};
    if (tackle_run_start(w->rt, &options, &run, &w->err) != 0 || tackle_run_wait(run, &w->err) != 0)
        fail_msg("%s", w->err.message);
    if (tackle_run_exit_code(run) != 0)
        fail_msg("%s", tackle_run_result(run));
    tackle_run_free(run);
}

static json_t *first_run(struct world *w)
{
    char *text = NULL;
    assert_int_equal(tackle_list_runs(w->rt, &text, &w->err), 0);
    json_t *list = json_loads(text, 0, NULL), *row = json_incref(json_array_get(list, 0));
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    tackle_free(text);
    return row;
}

/* The state of the run, as text, from the last record that has one. */
static char *last_state(const struct buf *text)
{
    const char *at = text->data, *found = NULL;
    while ((at = strstr(at, "\"state\":")))
        found = at++;
    assert_non_null(found);
    json_error_t problem;
    json_t *state = json_loads(found + 8, JSON_DISABLE_EOF_CHECK, &problem);
    char *out = json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_non_null(out);
    json_decref(state);
    return out;
}

static void make_it_long(struct world *w, const char *id)
{
    struct buf text, body;
    struct err err;
    size_t torn = 0;
    char filler[FILLER + 1];
    memset(filler, 'x', FILLER);
    filler[FILLER] = '\0';
    buf_init(&text, 1u << 30);
    buf_init(&body, 1u << 20);
    struct journal_file *file = journal_file_open(w->runs, id, DURABILITY_NONE, &text, &torn, &err);
    if (!file)
        fail_msg("%s", err.text);
    char *state = last_state(&text);
    for (int i = 0; i < RECORDS; i++) {
        bool message = i % (RECORDS / MESSAGES) == 0;
        buf_clear(&body);
        assert_int_equal(message ? buf_format(&body,
                                              "\"state\":%s,\"messages\":[{\"role\":\"user\","
                                              "\"content\":\"%d\"}]",
                                              state, i)
                                 : buf_format(&body, "\"text\":\"%s\"", filler),
                         0);
        if (journal_file_append(file, message ? "messages" : "filler", body.data, body.len, false,
                                &err) != 0)
            fail_msg("%s", err.text);
    }
    journal_file_close(file);
    free(state);
    buf_release(&text);
    buf_release(&body);
}

static void a_long_journal_is_gone_on_with(void **state)
{
    struct world *w = *state;
    struct rusage usage;
    char *text = NULL;
    run(w, NULL, "Begin");
    json_t *row = first_run(w);
    const char *id = json_string_value(json_object_get(row, "id"));
    make_it_long(w, id);

    long before_kib = getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
    int64_t began = clock_ms();
    json_decref(first_run(w));
    int64_t listed = clock_ms();
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_true(usage.ru_maxrss - before_kib < 64L * 1024); /* it was not read */
    assert_int_equal(tackle_verify_run(w->rt, id, &text, &w->err), 0);
    json_t *health = json_loads(text, 0, NULL);
    tackle_free(text);
    assert_true(json_is_true(json_object_get(health, "ok")));
    assert_true(json_integer_value(json_object_get(health, "records")) > RECORDS);
    json_decref(health);
    int64_t verified = clock_ms();
    run(w, id, "Go on");
    int64_t resumed = clock_ms();
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    print_message("listed in %lld ms, verified in %lld, gone on in %lld; at most %ld MiB\n",
                  (long long)(listed - began), (long long)(verified - listed),
                  (long long)(resumed - verified), usage.ru_maxrss / 1024);
    assert_true(usage.ru_maxrss < MEMORY_KIB);

    json_t *requests = endpoint_child_stop(&w->endpoint);
    const json_t *last =
        json_object_get(json_array_get(requests, json_array_size(requests) - 1), "json");
    assert_true(json_array_size(json_object_get(last, "messages")) > MESSAGES);
    json_decref(requests);
    w->endpoint = (struct endpoint_child){.pid = 0};
    struct err ignored;
    assert_int_equal(endpoint_child_start("=== reply\ntext x\n", &w->endpoint, &ignored), 0);
    json_decref(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_long_journal_is_gone_on_with, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
