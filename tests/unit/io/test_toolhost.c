/* Calls into plugins that do not behave, through the real tackle-host: whatever a plugin does, a
 * call ends, and the next one works. */
#include "test_support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "endpoint/endpoint.h"
#include "io/toolhost.h"

#define HOST    TEST_BUILD_DIR "/bin/tackle-host"
#define PLUGIN  TEST_BUILD_DIR "/tests/plugins/unruly.so"
#define SOON_MS 100 /* a deadline that is meant to pass */
#define LONG_MS 60000

struct world {
    struct loop *loop;
    struct http *http;
    struct scratch scratch;
    struct toolhost *hosts;
    struct plugin *plugin;
    struct toolhost_place place;
    struct network network;
    char *workspace;
    json_t *options, *confine;
};

/* One call, and what came of it. */
struct trip {
    struct world *world;
    struct toolhost_call *call;
    int dones;
    int32_t code;
    char *output, *message;
    size_t len;
    uint64_t omitted;
    bool died;
    int progress, logs;
    char changed[100], log[300];
    bool cancel_on_progress, abandon_on_progress;
    const char *remember_error; /* "" : remembering works */
};

/* What OPEN says of the sandbox, as engine/confine makes it. */
static json_t *confined(const char *tier, bool write)
{
    json_t *all = json_pack("{s:{s:s, s:b, s:b, s:s, s:s, s:[], s:[], s:i, s:i, s:i}}", "sandbox",
                            "tier", tier, "write", write, "runs", false, "git", "write", "network",
                            "none", "read", "hide", "memory_mib", 0, "processes", 0, "file_mib", 0);
    assert_non_null(all);
    return all;
}

static void confine_anew(struct world *w, const char *tier, bool write)
{
    json_decref(w->confine);
    w->confine = confined(tier, write);
    w->place.confine = w->confine;
}

static const char *no_variable(void *user, const char *name)
{
    (void)user;
    (void)name;
    return NULL;
}

static void make_world(struct world *w, const char *host, const char *plugin)
{
    struct err err;
    char *dir = test_temp_dir();
    w->workspace = realpath(dir, NULL);
    free(dir);
    w->loop = loop_new(&err);
    w->http = http_new(w->loop, &err);
    assert_non_null(w->http);
    w->hosts = toolhost_new(w->loop, w->http, host, &w->scratch, &err);
    assert_non_null(w->hosts);
    w->plugin = plugin_load(HOST, NULL, plugin, &err);
    if (!w->plugin)
        fail_msg("%s", err.text);
    w->options = json_object();
    w->confine = confined("external", false);
    w->place = (struct toolhost_place){
        .plugin = w->plugin,
        .options = w->options,
        .confine = w->confine,
        .workspace = w->workspace,
        .workspace_fd = open(w->workspace, O_PATH | O_DIRECTORY | O_CLOEXEC),
        .network = &w->network,
    };
    w->network.env = no_variable;
    assert_int_equal(hosts_add(&w->network.allow, "127.0.0.1", &err), 0);
    assert_true(w->place.workspace_fd >= 0);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_world(w, HOST, PLUGIN);
    *state = w;
    return 0;
}

static void release_world(struct world *w)
{
    network_release(&w->network);
    toolhost_free(w->hosts);
    plugin_free(w->plugin);
    http_free(w->http);
    loop_free(w->loop);
    scratch_remove(&w->scratch);
    json_decref(w->options);
    json_decref(w->confine);
    (void)close(w->place.workspace_fd);
    test_remove_tree(w->workspace);
    free(w->workspace);
    free(w);
}

static int tear_down(void **state)
{
    release_world(*state);
    return 0;
}

static void on_progress(void *user, const char *text, size_t len)
{
    struct trip *t = user;
    assert_true(len > 0);
    assert_non_null(text);
    t->progress++;
    if (t->cancel_on_progress)
        toolhost_cancel(t->call);
    if (t->abandon_on_progress)
        toolhost_abandon(t->call);
}

static void on_log(void *user, const char *level, const char *text)
{
    struct trip *t = user;
    t->logs++;
    (void)snprintf(t->log, sizeof t->log, "%s: %s", level, text);
}

static void on_changed(void *user, const char *path, const char *what)
{
    struct trip *t = user;
    (void)snprintf(t->changed, sizeof t->changed, "%s %s", path, what);
}

static int on_remember(void *user, const char *note, size_t len, struct err *err)
{
    const struct trip *t = user;
    assert_memory_equal(note, "a note", len);
    return *t->remember_error ? err_set(err, ERR_IO, "%s", t->remember_error) : 0;
}

static void on_done(void *user, const struct toolhost_result *r)
{
    struct trip *t = user;
    t->dones++;
    t->call = NULL;
    t->code = r->code;
    t->output = malloc(r->len + 1);
    assert_non_null(t->output);
    memcpy(t->output, r->output, r->len);
    t->output[r->len] = '\0';
    t->len = r->len;
    t->message = strdup(r->message);
    t->omitted = r->omitted;
    t->died = r->died;
    assert_true(r->duration_ms >= 0);
}

static void release(struct trip *t)
{
    free(t->output);
    free(t->message);
    t->output = t->message = NULL;
    t->dones = 0;
}

static void start_with(struct world *w, struct trip *t, const struct tool *tool, const char *what,
                       const char *with, int64_t timeout_ms)
{
    t->world = w;
    const struct toolhost_events events = {.progress = on_progress,
                                           .log = on_log,
                                           .changed = on_changed,
                                           .remember = t->remember_error ? on_remember : NULL,
                                           .done = on_done,
                                           .user = t};
    json_t *args = json_pack("{s:s, s:s}", "do", what, "with", with);
    char *text = json_dumps(args, JSON_COMPACT);
    release(t);
    t->call =
        toolhost_call(w->hosts, &w->place, tool, text, strlen(text), "key", timeout_ms, &events);
    assert_non_null(t->call);
    assert_int_equal(t->dones, 0);
    free(text);
    json_decref(args);
}

static void start(struct world *w, struct trip *t, const char *what, const char *with)
{
    start_with(w, t, &w->plugin->tools[0], what, with, LONG_MS);
}

static void turn(struct world *w)
{
    struct err err;
    assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
}

static void finish(struct trip *t)
{
    while (!t->dones)
        turn(t->world);
    assert_int_equal(t->dones, 1);
}

static void call(struct world *w, struct trip *t, const char *what, const char *with)
{
    start(w, t, what, with);
    finish(t);
}

/* The runtime is as good as new: a call works. */
static void check_works(struct world *w)
{
    struct trip t = {0};
    call(w, &t, "echo", "fine");
    if (t.code != 0)
        fail_msg("%s", t.message);
    assert_string_equal(t.output, "fine");
    release(&t);
}

static void check_failed(const struct trip *t, int32_t code, const char *message, bool died)
{
    if (t->code != code || !strstr(t->message, message) || t->died != died)
        fail_msg("code %d, died %d: %s", (int)t->code, t->died, t->message);
}

static void calls_end_with_what_the_plugin_says(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    check_works(w);
    call(w, &t, "refuse", "spoon");
    check_failed(&t, TACKLE_E_NOT_FOUND, "there is no spoon", false);
    assert_string_equal(t.output, "so far");
    call(w, &t, "no such thing", "");
    check_failed(&t, TACKLE_E_ARGS, "cannot do that", false);
    call(w, &t, "log", "something odd");
    assert_string_equal(t.log, "warn: something odd");
    call(w, &t, "option", "open");
    assert_string_equal(t.output, "well");
    release(&t);
    check_works(w);
}

static void a_process_is_used_again(void **state)
{
    struct world *w = *state;
    struct trip one = {0}, two = {0};
    call(w, &one, "pid", "");
    call(w, &two, "pid", "");
    assert_string_equal(one.output, two.output);
    release(&one);
    release(&two);
}

static void calls_side_by_side_have_their_own_processes(void **state)
{
    struct world *w = *state;
    struct trip trips[12] = {{0}};
    for (size_t i = 0; i < 12; i++)
        start(w, &trips[i], i < 3 ? "wait" : "pid", "");
    for (size_t i = 3; i < 12; i++)
        finish(&trips[i]); /* although three processes are waiting */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(trips[i].dones, 0);
        toolhost_cancel(trips[i].call);
        toolhost_cancel(trips[i].call);
    }
    for (size_t i = 0; i < 3; i++) {
        finish(&trips[i]);
        check_failed(&trips[i], TACKLE_E_CANCELLED, "", false);
    }
    for (size_t i = 0; i < 12; i++)
        release(&trips[i]);
    check_works(w);
}

static void a_crash_costs_its_call_only(void **state)
{
    struct world *w = *state;
    struct trip crash = {0}, beside = {0};
    start(w, &crash, "crash", "so far");
    start(w, &beside, "echo", "beside");
    finish(&crash);
    finish(&beside);
    check_failed(&crash, TACKLE_E_FAILED,
                 "the plugin unruly was killed by SIGSEGV in the middle of the call", true);
    assert_non_null(strstr(crash.message, "it printed last: the last"));
    assert_string_equal(beside.output, "beside");
    release(&crash);
    release(&beside);
    check_works(w);
}

static void an_exit_is_no_success(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "exit", "0");
    check_failed(&t, TACKLE_E_FAILED, "ended with exit status 0 in the middle of the call", true);
    call(w, &t, "exit", "5");
    check_failed(&t, TACKLE_E_FAILED, "exit status 5", true);
    release(&t);
    check_works(w);
}

static void what_was_done_before_a_crash_counts(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        struct trip t = {0};
        call(w, &t, "change and crash", "a.txt");
        check_failed(&t, TACKLE_E_FAILED, "SIGABRT", true);
        assert_string_equal(t.changed, "a.txt modified");
        assert_int_equal(t.len, 1 << 19);
        release(&t);
    }
    check_works(w);
}

static void a_hang_is_ended_after_its_deadline(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    start_with(w, &t, &w->plugin->tools[0], "hang", "", SOON_MS);
    finish(&t);
    check_failed(&t, TACKLE_E_TIMEOUT, "timed out after 100 ms", true);
    release(&t);
    check_works(w);
}

static void a_deadline_that_is_kept_costs_no_process(void **state)
{
    struct world *w = *state;
    struct trip t = {0}, before = {0}, after = {0};
    call(w, &before, "pid", "");
    start_with(w, &t, &w->plugin->tools[0], "wait", "", SOON_MS);
    finish(&t);
    check_failed(&t, TACKLE_E_TIMEOUT, "", false);
    call(w, &after, "pid", "");
    assert_string_equal(before.output, after.output);
    release(&t);
    release(&before);
    release(&after);
}

static void cancelling_what_hangs(void **state)
{
    struct world *w = *state;
    struct trip t = {.cancel_on_progress = true};
    call(w, &t, "hang", "");
    check_failed(&t, TACKLE_E_CANCELLED, "cancelled", true);
    release(&t);
    check_works(w);
}

static void cancelling_what_listens(void **state)
{
    struct world *w = *state;
    struct trip t = {.cancel_on_progress = true};
    call(w, &t, "wait", "");
    check_failed(&t, TACKLE_E_CANCELLED, "", false);
    release(&t);
    check_works(w);
}

static void cancelling_what_waits_for_a_process(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    start(w, &t, "echo", "x");
    toolhost_cancel(t.call);
    assert_int_equal(t.dones, 0);
    finish(&t);
    check_failed(&t, TACKLE_E_CANCELLED, "cancelled", false);
    release(&t);
    check_works(w);
}

static void abandoned_calls_say_nothing(void **state)
{
    struct world *w = *state;
    struct trip early = {0}, late = {.abandon_on_progress = true};
    start(w, &early, "echo", "x");
    toolhost_abandon(early.call);
    start(w, &late, "wait", "");
    while (late.progress == 0)
        turn(w);
    check_works(w);
    check_works(w);
    assert_int_equal(early.dones + late.dones, 0);
}

static void a_flood_is_cut(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "flood", "");
    assert_int_equal(t.len, TOOLHOST_OUTPUT_MAX);
    assert_int_equal(t.omitted, 4u << 20);
    assert_false(t.died);
    release(&t);
    check_works(w);
}

static void what_is_printed_goes_to_the_log(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "print", "hello there");
    assert_int_equal(t.code, 0);
    assert_string_equal(t.output, "printed");
    for (int i = 0; i < 10 && t.logs == 0; i++)
        check_works(w); /* it comes on another way than the result */
    call(w, &t, "print much", "");
    assert_int_equal(t.code, 0);
    release(&t);
    check_works(w);
}

static void a_process_that_leaks_is_replaced(void **state)
{
    struct world *w = *state;
    struct trip leak = {0}, after = {0};
    call(w, &leak, "leak", "");
    assert_int_equal(leak.code, 0);
    call(w, &after, "pid", "");
    assert_string_not_equal(leak.output, after.output);
    release(&leak);
    release(&after);
}

/* A child that it left behind holds its output open and never stops talking. */
static void what_it_leaves_behind_does_not_hold_us_up(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "orphan", "");
    check_failed(&t, TACKLE_E_FAILED, "SIGABRT", true);
    release(&t);
    check_works(w);
}

static void a_link_that_is_closed_ends_the_call(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "close link", "");
    check_failed(&t, TACKLE_E_FAILED, "", true);
    release(&t);
    check_works(w);
}

static void rubbish_on_the_link_ends_the_call(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "lie", "");
    check_failed(&t, TACKLE_E_FAILED, "broke the rules", true);
    release(&t);
    check_works(w);
}

/* A plugin that does not open as it should: each call says so, and none waits for ever. */
static void check_opening(struct world *w, const char *how, int32_t code, const char *message)
{
    struct trip trips[3] = {{0}};
    assert_int_equal(json_object_set_new(w->options, "open", json_string(how)), 0);
    for (size_t i = 0; i < 3; i++)
        start_with(w, &trips[i], &w->plugin->tools[0], "echo", "x",
                   strcmp(how, "hang") == 0 ? SOON_MS : LONG_MS);
    for (size_t i = 0; i < 3; i++) {
        finish(&trips[i]);
        if (trips[i].code != code || !strstr(trips[i].message, message))
            fail_msg("%s: code %d: %s", how, (int)trips[i].code, trips[i].message);
        release(&trips[i]);
    }
    assert_int_equal(json_object_set_new(w->options, "open", json_string("well")), 0);
    check_works(w);
}

static void opening_may_be_refused(void **state)
{
    check_opening(*state, "refuse", TACKLE_E_FAILED, "cannot be used: not in the mood");
}

static void opening_may_crash(void **state)
{
    check_opening(*state, "crash", TACKLE_E_FAILED, "SIGABRT while it was opened");
}

static void opening_may_exit(void **state)
{
    check_opening(*state, "exit", TACKLE_E_FAILED, "exit status 7 while it was opened");
}

static void opening_may_hang(void **state)
{
    check_opening(*state, "hang", TACKLE_E_TIMEOUT, "timed out");
}

static void closing_may_hang(void **state)
{
    struct world *w = *state;
    assert_int_equal(json_object_set_new(w->options, "open", json_string("never close")), 0);
    check_works(w); /* and then the end of the test */
}

static void a_file_that_was_replaced_is_not_called(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct trip t = {0};
    size_t len;
    char *dir = test_temp_dir(), *so = test_join(dir, "p.so"), *new = test_join(dir, "new.so");
    char *data = test_read_file(PLUGIN, &len);
    assert_non_null(w);
    test_write_file(so, data, len);
    make_world(w, HOST, so);
    test_write_file(new, data, len);
    assert_int_equal(rename(new, so), 0);
    call(w, &t, "echo", "x");
    check_failed(&t, TACKLE_E_FAILED, "its file has changed", true);
    release(&t);
    assert_int_equal(unlink(so), 0);
    call(w, &t, "echo", "x");
    check_failed(&t, TACKLE_E_FAILED, "", true);
    release(&t);
    release_world(w);
    test_remove_tree(dir);
    free(data);
    free(dir);
    free(so);
    free(new);
}

static void a_host_that_cannot_start_ends_every_call(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct trip trips[5] = {{0}};
    assert_non_null(w);
    make_world(w, "/no/such/tackle-host", PLUGIN);
    for (size_t i = 0; i < 5; i++)
        start(w, &trips[i], "echo", "x");
    for (size_t i = 0; i < 5; i++) {
        finish(&trips[i]);
        check_failed(&trips[i], TACKLE_E_FAILED, "/no/such/tackle-host", false);
        release(&trips[i]);
    }
    release_world(w);
}

static void a_host_that_is_none_ends_every_call(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct trip trips[3] = {{0}};
    assert_non_null(w);
    make_world(w, "/bin/true", PLUGIN);
    for (size_t i = 0; i < 3; i++)
        start(w, &trips[i], "echo", "x");
    for (size_t i = 0; i < 3; i++) {
        finish(&trips[i]);
        check_failed(&trips[i], TACKLE_E_FAILED, "while it was opened", true);
        release(&trips[i]);
    }
    release_world(w);
}

static void the_workspace_is_the_one_that_is_given(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    char *file = test_join(w->workspace, "a.txt");
    test_write_file(file, "first", 5);
    call(w, &t, "read", "a.txt");
    assert_string_equal(t.output, "first");
    call(w, &t, "read", "/etc/passwd");
    assert_int_equal(t.code, TACKLE_E_DENIED);
    start_with(w, &t, &w->plugin->tools[1], "write", "a.txt", LONG_MS);
    finish(&t);
    assert_int_equal(t.code, TACKLE_E_DENIED);
    confine_anew(w, "external", true);
    start_with(w, &t, &w->plugin->tools[1], "write", "a.txt", LONG_MS);
    finish(&t);
    assert_int_equal(t.code, 0);
    assert_string_equal(t.changed, "a.txt modified");
    /* Another folder under the same name is another workspace. */
    (void)close(w->place.workspace_fd);
    test_remove_tree(w->workspace);
    test_write_file(file, "second", 6);
    w->place.workspace_fd = open(w->workspace, O_PATH | O_DIRECTORY | O_CLOEXEC);
    call(w, &t, "read", "a.txt");
    if (t.code != 0)
        fail_msg("%s", t.message);
    assert_string_equal(t.output, "second");
    release(&t);
    free(file);
}

static void other_options_are_another_process(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    call(w, &t, "option", "count");
    assert_string_equal(t.output, "(unset)");
    assert_int_equal(json_object_set_new(w->options, "count", json_string("7")), 0);
    call(w, &t, "option", "count");
    assert_string_equal(t.output, "7");
    release(&t);
}

static void requests_are_made_for_it(void **state)
{
    struct world *w = *state;
    struct trip t = {0};
    struct endpoint_child endpoint;
    struct err err;
    char url[200];
    assert_int_equal(endpoint_child_start("=== reply\nbody Hello.\n=== reply\nbody x\nstall start\n"
                                          "times forever\n",
                                          &endpoint, &err),
                     0);
    call(w, &t, "fetch", endpoint.url);
    assert_string_equal(t.output, "200 Hello.");
    call(w, &t, "fetch", "http://example.org/");
    check_failed(&t, TACKLE_E_DENIED, "may not ask the host example.org", false);
    call(w, &t, "fetch", "not a URL");
    assert_int_equal(t.code, TACKLE_E_ARGS);
    start_with(w, &t, &w->plugin->tools[0], "fetch", endpoint.url, SOON_MS);
    finish(&t); /* at its deadline */
    assert_true(t.code < 0);
    start_with(w, &t, &w->plugin->tools[1], "fetch", endpoint.url, LONG_MS);
    finish(&t); /* a tool that does not say that it uses the network */
    assert_int_equal(t.code, TACKLE_E_DENIED);
    /* The host of the URL in an option. */
    (void)snprintf(url, sizeof url, "http://localhost%s", strchr(endpoint.url + 7, ':'));
    call(w, &t, "fetch", "http://localhost:1/"); /* the plugin's own default */
    check_failed(&t, TACKLE_E_DENIED, "--allow-host http://localhost:1", false);
    assert_int_equal(json_object_set_new(w->options, "url", json_string("http://localhost:1/")), 0);
    call(w, &t, "fetch", "http://localhost:1/");
    check_failed(&t, TACKLE_E_FAILED, "", false);
    assert_int_equal(json_object_set_new(w->options, "url", json_string("http://h.example/")), 0);
    call(w, &t, "fetch", url);
    assert_int_equal(t.code, TACKLE_E_DENIED);
    json_decref(endpoint_child_stop(&endpoint));
    /* Cancelled while the request is out. */
    release(&t);
    check_works(w);
}

static void notes_are_kept_before_the_call_goes_on(void **state)
{
    struct world *w = *state;
    struct trip t = {.remember_error = ""};
    call(w, &t, "remember", "a note");
    assert_string_equal(t.output, "noted");
    t.remember_error = "the disk is full";
    call(w, &t, "remember", "a note");
    assert_true(t.code < 0);
    assert_non_null(strstr(t.message, "the disk is full"));
    release(&t);
    check_works(w);
}

static void calls_that_run_end_with_the_runtime(void **state)
{
    struct world *w = *state;
    struct trip running = {0}, waiting = {0};
    start(w, &running, "hang", "");
    while (running.progress == 0)
        turn(w);
    start(w, &waiting, "echo", "x");
    toolhost_free(w->hosts);
    w->hosts = NULL;
    assert_int_equal(running.dones + waiting.dones, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_end_with_what_the_plugin_says),
        TEST(a_process_is_used_again),
        TEST(calls_side_by_side_have_their_own_processes),
        TEST(a_crash_costs_its_call_only),
        TEST(an_exit_is_no_success),
        TEST(what_was_done_before_a_crash_counts),
        TEST(a_hang_is_ended_after_its_deadline),
        TEST(a_deadline_that_is_kept_costs_no_process),
        TEST(cancelling_what_hangs),
        TEST(cancelling_what_listens),
        TEST(cancelling_what_waits_for_a_process),
        TEST(abandoned_calls_say_nothing),
        TEST(a_flood_is_cut),
        TEST(what_is_printed_goes_to_the_log),
        TEST(a_process_that_leaks_is_replaced),
        TEST(what_it_leaves_behind_does_not_hold_us_up),
        TEST(a_link_that_is_closed_ends_the_call),
        TEST(rubbish_on_the_link_ends_the_call),
        TEST(opening_may_be_refused),
        TEST(opening_may_crash),
        TEST(opening_may_exit),
        TEST(opening_may_hang),
        TEST(closing_may_hang),
        cmocka_unit_test(a_file_that_was_replaced_is_not_called),
        cmocka_unit_test(a_host_that_cannot_start_ends_every_call),
        cmocka_unit_test(a_host_that_is_none_ends_every_call),
        TEST(the_workspace_is_the_one_that_is_given),
        TEST(other_options_are_another_process),
        TEST(requests_are_made_for_it),
        TEST(notes_are_kept_before_the_call_goes_on),
        TEST(calls_that_run_end_with_the_runtime),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
