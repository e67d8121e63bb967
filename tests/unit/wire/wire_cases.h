/* The recorded responses of ../shared/wire_cases, when that folder is there, and our own few in
 * fixtures/: the same form, so that the same tests run on both. */
#ifndef TESTS_WIRE_CASES_H
#define TESTS_WIRE_CASES_H

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define WIRE_CASES_SHARED   TEST_SOURCE_DIR "/../shared/wire_cases"
#define WIRE_CASES_FIXTURES TEST_SOURCE_DIR "/tests/unit/wire/fixtures"

struct wire_case {
    char *name;
    char *body;
    size_t len;
    int status;
    json_t *expected;
};

struct wire_cases {
    struct wire_case *items;
    size_t count;
};

static void wire_cases_load(struct wire_cases *cases, const char *folder)
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

static void wire_cases_release(struct wire_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        free(cases->items[i].name);
        free(cases->items[i].body);
        json_decref(cases->items[i].expected);
    }
    free(cases->items);
}

#endif
