/* The recorded responses of ../shared/wire_cases, when that folder is there, and our own few in
 * tests/unit/wire/fixtures: the same form, so that the same tests run on both. */
#ifndef TESTS_WIRE_CASES_H
#define TESTS_WIRE_CASES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

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

/* Adds the cases of a folder, in no order; says so when it is not there. */
void wire_cases_load(struct wire_cases *cases, const char *folder);
void wire_cases_release(struct wire_cases *cases);

bool wire_case_is_stream(const struct wire_case *item);

/* Equal values; null and absent are the same. */
bool wire_same(const json_t *a, const json_t *b);

/* Is what was read (in the form of chat_turn_json()) what the case expects? `done_too`: the marker
 * of the end as well. */
bool wire_case_fits(const struct wire_case *item, const json_t *got, bool done_too);

/* The body with each `from` as `to`; malloc'd. */
char *wire_replaced(const char *body, size_t len, const char *from, const char *to,
                    size_t *out_len);

#endif
