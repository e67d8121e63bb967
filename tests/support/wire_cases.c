#include "wire_cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "test_support.h"

void wire_cases_load(struct wire_cases *cases, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        print_message("SKIPPED: %s is not there; its cases are not run\n", folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        json_error_t error;
        if (!strstr(entry->d_name, ".expected.json"))
            continue;
        char *path = test_join(folder, entry->d_name);
        json_t *expected = json_load_file(path, 0, &error);
        assert_non_null(expected);
        free(path);
        cases->items = reallocarray(cases->items, cases->count + 1, sizeof *cases->items);
        assert_non_null(cases->items);
        struct wire_case *item = &cases->items[cases->count++];
        path = test_join(folder, json_string_value(json_object_get(expected, "file")));
        *item = (struct wire_case){.name = strdup(entry->d_name), .expected = expected};
        item->status = (int)json_integer_value(json_object_get(expected, "http_status"));
        item->body = test_read_file(path, &item->len);
        assert_non_null(item->body);
        free(path);
    }
    assert_int_equal(closedir(dir), 0);
}

void wire_cases_release(struct wire_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        free(cases->items[i].name);
        free(cases->items[i].body);
        json_decref(cases->items[i].expected);
    }
    free(cases->items);
}

bool wire_same(const json_t *a, const json_t *b)
{
    bool a_null = !a || json_is_null(a), b_null = !b || json_is_null(b);
    return a_null || b_null ? a_null == b_null : json_equal(a, b) == 1;
}

static bool same_members(const json_t *got, const json_t *want, const char *const *keys)
{
    for (; *keys; keys++)
        if (!wire_same(json_object_get(got, *keys), json_object_get(want, *keys)))
            return false;
    return true;
}

static bool same_calls(const json_t *got, const json_t *want)
{
    static const char *const keys[] = {"id", "name", "arguments", "extra_content", NULL};
    size_t i;
    json_t *call;
    if (json_array_size(got) != json_array_size(want))
        return false;
    json_array_foreach(want, i,
                       call) if (!same_members(json_array_get(got, i), call, keys)) return false;
    return true;
}

static bool same_error(const json_t *got, const json_t *want)
{
    static const char *const keys[] = {"message", "type",  "code",        "status",
                                       "param",   "class", "retry_delay", NULL};
    const char *message = json_string_value(json_object_get(want, "message"));
    if (!want || json_is_null(want) || !json_is_object(got))
        return wire_same(got, want);
    for (size_t i = 0; keys[i]; i++) {
        if (strcmp(keys[i], "class") == 0 && !json_object_get(want, "class"))
            continue;
        if (message && strcmp(message, "non-JSON body") != 0 &&
            !wire_same(json_object_get(got, keys[i]), json_object_get(want, keys[i])))
            return false;
    }
    return true;
}

bool wire_case_fits(const struct wire_case *item, const json_t *got, bool done_too)
{
    static const char *const keys[] = {"text", "reasoning", "finish_reason", "stop", "usage",
                                       "echo", NULL};
    const json_t *want = item->expected;
    return same_members(got, want, keys) &&
           same_calls(json_object_get(got, "tool_calls"), json_object_get(want, "tool_calls")) &&
           same_error(json_object_get(got, "error"), json_object_get(want, "error")) &&
           (!done_too || !json_object_get(want, "done_marker") ||
            wire_same(json_object_get(got, "done_marker"), json_object_get(want, "done_marker")));
}

bool wire_case_is_stream(const struct wire_case *item)
{
    return json_object_get(item->expected, "done_marker") != NULL;
}

char *wire_replaced(const char *body, size_t len, const char *from, const char *to, size_t *out_len)
{
    struct buf out;
    buf_init(&out, 64 << 20);
    const char *end = body + len;
    for (const char *hit; (hit = memmem(body, (size_t)(end - body), from, strlen(from))) != NULL;
         body = hit + strlen(from)) {
        assert_int_equal(buf_append(&out, body, (size_t)(hit - body)), 0);
        assert_int_equal(buf_text(&out, to), 0);
    }
    assert_int_equal(buf_append(&out, body, (size_t)(end - body)), 0);
    *out_len = out.len;
    return buf_take(&out);
}
