#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/api/api_world.h"

extern char **environ;

static void clear_environment(void)
{
    bool found = true;
    while (found) {
        found = false;
        for (char **entry = environ; *entry && !found; entry++) {
            char name[200];
            size_t len = strcspn(*entry, "=");
            bool ours = strncmp(*entry, "TACKLE_", 7) == 0 || strstr(*entry, "_API_KEY=") ||
                        strncmp(*entry, "OPENAI_", 7) == 0 || strncmp(*entry, "XDG_", 4) == 0;
            if (!ours || len >= sizeof name)
                continue;
            memcpy(name, *entry, len);
            name[len] = '\0';
            found = unsetenv(name) == 0;
        }
    }
}

int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    char *made = test_temp_dir();
    w->dir = realpath(made, NULL);
    free(made);
    w->workspace = world_path(w, "workspace");
    w->home = world_path(w, "home");
    w->agent = world_path(w, "tester.md");
    assert_int_equal(mkdir(w->workspace, 0700), 0);
    assert_int_equal(mkdir(w->home, 0700), 0);
    world_write(w, "tester.md", "---\nplugins: [\"" UNRULY "\"]\n---\nBe brief.\n");
    clear_environment();
    assert_int_equal(setenv("HOME", w->home, 1), 0);
    world_runtime(w);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *w = *state;
    tackle_runtime_free(w->rt);
    test_remove_tree(w->dir);
    free(w->dir);
    free(w->workspace);
    free(w->home);
    free(w->agent);
    free(w);
    return 0;
}

void world_runtime(struct world *w)
{
    tackle_runtime_free(w->rt);
    w->err = (tackle_error)TACKLE_ERROR_INIT;
    assert_int_equal(tackle_runtime_new(&w->rt, &w->err), 0);
    world_set(w, "workspace", w->workspace);
    world_set(w, "agent", w->agent);
}

void world_set(struct world *w, const char *key, const char *value)
{
    if (tackle_set(w->rt, key, value, &w->err) != 0)
        fail_msg("%s", w->err.message);
}

char *world_path(const struct world *w, const char *path)
{
    return test_join(w->dir, path);
}

void world_write(struct world *w, const char *path, const char *text)
{
    char *file = world_path(w, path);
    test_write_file(file, text, strlen(text));
    free(file);
}

static json_t *calls_of(const char *text, int reply)
{
    json_t *calls = json_array();
    for (int n = 0; *text; n++) {
        char id[40], name[80];
        size_t line = strcspn(text, "\n"), len = strcspn(text, " \n");
        (void)snprintf(id, sizeof id, "c%d_%d", reply, n);
        (void)snprintf(name, sizeof name, "%.*s", (int)len - 1, text + 1);
        size_t skip = len < line ? len + 1 : line;
        json_t *args = json_stringn(text + skip, line - skip);
        assert_int_equal(json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:o}}", "id",
                                                                id, "type", "function", "function",
                                                                "name", name, "arguments", args)),
                         0);
        text += line + (text[line] == '\n');
    }
    return calls;
}

static void write_reply(struct world *w, int reply, const char *text)
{
    char path[80];
    bool calls = *text == '@';
    json_t *message = json_pack("{s:s}", "role", "assistant");
    (void)json_object_set_new(message, "content", calls ? json_null() : json_string(text));
    if (calls)
        (void)json_object_set_new(message, "tool_calls", calls_of(text, reply));
    json_t *body = json_pack("{s:[{s:s, s:o}], s:{s:i, s:i}}", "choices", "finish_reason",
                             calls ? "tool_calls" : "stop", "message", message, "usage",
                             "prompt_tokens", 100, "completion_tokens", 10);
    char *json = json_dumps(body, 0);
    assert_non_null(json);
    (void)snprintf(path, sizeof path, "replay%d/%03d.json", w->recordings, reply);
    world_write(w, path, json);
    free(json);
    json_decref(body);
}

char *world_replay(struct world *w, ...)
{
    va_list args;
    int count = 0;
    w->recordings++;
    va_start(args, w);
    for (const char *text; (text = va_arg(args, const char *)) != NULL;)
        write_reply(w, ++count, text);
    va_end(args);
    size_t size = strlen(w->dir) + 40;
    char *setting = malloc(size);
    assert_non_null(setting);
    (void)snprintf(setting, size, "replay=%s/replay%d", w->dir, w->recordings);
    return setting;
}

void receipt_init(struct receipt *r, struct world *w)
{
    *r = (struct receipt){.world = w, .events = json_array()};
    assert_non_null(r->events);
}

void receipt_release(struct receipt *r)
{
    json_decref(r->events);
    r->events = NULL;
}

void receipt_take(void *user, tackle_run *run, const tackle_event *event)
{
    struct receipt *r = user;
    json_t *json = json_loadb(event->json, event->json_len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_int_equal(event->size, sizeof *event);
    assert_int_equal(event->seq, ++r->seq);
    assert_int_equal(json_integer_value(json_object_get(json, "seq")), event->seq);
    assert_string_equal(text_at(json, "type"), event->type);
    assert_int_equal(json_array_append_new(r->events, json), 0);
    r->results += strcmp(event->type, "result") == 0;
    if (r->inside)
        r->inside(r, run, event);
    if (event->seq == r->cancel_at && !tackle_run_done(run)) {
        r->cancelled = true;
        tackle_run_cancel(run, 15);
    }
}

size_t receipt_count(const struct receipt *r, const char *type)
{
    size_t index, count = 0;
    json_t *event;
    json_array_foreach(r->events, index, event) count += strcmp(text_at(event, "type"), type) == 0;
    return count;
}

const json_t *receipt_last(const struct receipt *r, const char *type)
{
    for (size_t i = json_array_size(r->events); i > 0; i--) {
        const json_t *event = json_array_get(r->events, i - 1);
        if (strcmp(text_at(event, "type"), type) == 0)
            return event;
    }
    fail_msg("there is no event %s", type);
    return NULL;
}

static int32_t start(struct world *w, const char *const *settings, struct receipt *r,
                     tackle_run **run)
{
    const tackle_run_options options = {.size = sizeof options,
                                        .prompt = "Go.",
                                        .settings = settings,
                                        .on_event = r ? receipt_take : NULL,
                                        .user = r};
    w->err = (tackle_error)TACKLE_ERROR_INIT;
    return tackle_run_start(w->rt, &options, run, &w->err);
}

tackle_run *world_start(struct world *w, const char *const *settings, struct receipt *r)
{
    tackle_run *run;
    if (start(w, settings, r, &run) != 0)
        fail_msg("%s", w->err.message);
    return run;
}

void world_start_fails(struct world *w, const char *const *settings, int exit_code,
                       const char *words)
{
    struct receipt r;
    tackle_run *run = (tackle_run *)w;
    receipt_init(&r, w);
    assert_int_equal(start(w, settings, &r, &run), -1);
    assert_null(run);
    if (w->err.exit_code != exit_code || !strstr(w->err.message, words))
        fail_msg("%d: %s", w->err.exit_code, w->err.message);
    assert_null(strchr(w->err.message, '\n'));
    assert_int_equal(json_array_size(r.events), 0);
    receipt_release(&r);
}

json_t *world_end(struct world *w, tackle_run *run, const char *reason, int exit_code)
{
    if (tackle_run_wait(run, &w->err) != 0)
        fail_msg("%s", w->err.message);
    assert_int_equal(tackle_run_done(run), 1);
    json_t *result = json_loads(tackle_run_result(run), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(result);
    if (strcmp(text_at(result, "stop_reason"), reason) != 0)
        fail_msg("%s", tackle_run_result(run));
    assert_int_equal(json_integer_value(json_object_get(result, "exit_code")), exit_code);
    assert_int_equal(tackle_run_exit_code(run), exit_code);
    assert_string_equal(text_at(result, "text"), tackle_run_text(run));
    return result;
}

json_t *world_json(char *text)
{
    assert_non_null(text);
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    tackle_free(text);
    return value;
}

const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        fail_msg("no text '%s' in the object", key);
    return text;
}
