/* What may differ between a recording and its replay. */
#include "test_support.h"

#include <string.h>

#include "wire/volatile.h"

static struct redact *secrets;

static int learn(void **state)
{
    (void)state;
    secrets = redact_new();
    assert_non_null(secrets);
    return redact_add(secrets, "KEY", "sk-12345678");
}

static int forget(void **state)
{
    (void)state;
    redact_free(secrets);
    return 0;
}

static struct volatile_rules *on_this_machine(void)
{
    struct volatile_rules *rules = volatile_new();
    assert_non_null(rules);
    assert_int_equal(volatile_set(rules, "home", "/home/ann"), 0);
    assert_int_equal(volatile_set(rules, "workspace", "/home/ann/shop"), 0);
    assert_int_equal(volatile_set(rules, "tmp", "/tmp"), 0);
    assert_int_equal(volatile_set(rules, "host", "ann-laptop"), 0);
    volatile_hide(rules, secrets);
    return rules;
}

typedef int (*change_fn)(struct volatile_rules *rules, const char *text, struct buf *out);

static void becomes(struct volatile_rules *rules, change_fn change, const char *text,
                    const char *wanted)
{
    struct buf out;
    buf_init(&out, 100000);
    assert_int_equal(change(rules, text, &out), 0);
    assert_string_equal(out.data, wanted);
    buf_release(&out);
}

static int mask(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_mask(rules, text, strlen(text), false, out);
}

static int mask_of_model(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_mask(rules, text, strlen(text), true, out);
}

static int unmask(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_unmask(rules, text, strlen(text), out);
}

static int redact(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_redact(rules, text, strlen(text), out);
}

static int move(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_move(rules, text, strlen(text), out);
}

static int smooth(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_smooth(rules, VOLATILE_RESULT, text, strlen(text), out);
}

static int smooth_prose(struct volatile_rules *rules, const char *text, struct buf *out)
{
    return volatile_smooth(rules, VOLATILE_PROSE, text, strlen(text), out);
}

static void places_become_placeholders(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"nothing", "nothing"},
        {"in /home/ann/shop", "in ${workspace}"},
        {"/home/ann/shop/a.c:3, /home/ann/.bashrc", "${workspace}/a.c:3, ${home}/.bashrc"},
        {"\"/tmp\",/tmp/x on ann-laptop:", "\"${tmp}\",${tmp}/x on ${host}:"},
        /* what only looks like one */
        {"/home/ann/shop2 /home/anna /var/tmp ./tmp ${dir}/tmp",
         "${home}/shop2 /home/anna /var/tmp "
         "./tmp ${dir}/tmp"},
        {"my-ann-laptop ann-laptop-2 \xC3\xA9"
         "ann-laptop",
         "my-ann-laptop ann-laptop-2 \xC3\xA9"
         "ann-laptop"},
    };
    (void)state;
    struct volatile_rules *rules = on_this_machine();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        becomes(rules, mask, pairs[i][0], pairs[i][1]);
        becomes(rules, unmask, pairs[i][1], pairs[i][0]);
    }
    becomes(rules, unmask, "${other} ${workspace ${} $", "${other} ${workspace ${} $");
    volatile_free(rules);
}

static void secrets_are_in_nothing(void **state)
{
    (void)state;
    struct volatile_rules *rules = on_this_machine();
    becomes(rules, mask, "in /home/ann key=sk-12345678x", "in ${home} key=[redacted:KEY]x");
    becomes(rules, redact, "sk-12345678 /home/ann", "[redacted:KEY] /home/ann");
    becomes(rules, unmask, "[redacted:KEY]", "[redacted:KEY]");
    json_t *list = volatile_json(rules);
    char *text = json_dumps(list, 0);
    assert_null(strstr(text, "sk-"));
    assert_null(strstr(text, "/home/ann"));
    free(text);
    json_decref(list);
    volatile_free(rules);
}

static void short_and_common_values_are_left_alone(void **state)
{
    (void)state;
    struct volatile_rules *rules = volatile_new();
    assert_int_equal(volatile_set(rules, "workspace", "/"), 0);
    assert_int_equal(volatile_set(rules, "host", "localhost"), 0);
    assert_int_equal(volatile_set(rules, "home", NULL), 0);
    assert_int_equal(volatile_set(rules, "unknown", "value"), 0);
    becomes(rules, mask, "http://localhost/ value", "http://localhost/ value");
    volatile_free(rules);
}

/* A model that named a folder names it again when its words are replayed. */
static void what_the_model_said_is_known_again_elsewhere(void **state)
{
    struct err err;
    (void)state;
    struct volatile_rules *then = on_this_machine(), *now = volatile_new();
    becomes(then, mask, "see /home/ann", "see ${home}");
    becomes(then, mask_of_model, "see /home/ann/shop", "see ${workspace}");
    json_t *list = volatile_json(then);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "was")),
                        "/home/ann/shop");
    assert_null(json_object_get(json_array_get(list, 1), "was"));
    assert_int_equal(volatile_set(now, "workspace", "/build/7"), 0);
    assert_int_equal(volatile_read(now, list, &err), 0);
    becomes(now, mask, "/home/ann/shop and /build/7", "${workspace} and ${workspace}");
    becomes(now, unmask, "${workspace}", "/build/7");
    becomes(now, move, "{\"path\":\"/home/ann/shop/a\"} ${workspace}",
            "{\"path\":\"/build/7/a\"} ${workspace}");
    json_decref(list);
    volatile_free(then);
    volatile_free(now);
}

static void what_is_never_the_same_counts_as_equal(void **state)
{
    static const char *const pairs[][2] = {
        {"at 2026-11-23T10:11:12.345Z.", "at <time>."},
        {"2026-11-23 10:11", "<time>"},
        {"2026-11-23_10:11:12.123456789", "<time>"},
        {"on 2026-11-23, v2026-11-234", "on <date>, v2026-11-234"},
        {"Mon Nov 23 20:42:13 2026 +0000", "<date>"},
        {"took 12 ms, 0.5s; 3 seconds", "took <duration>, <duration>; <duration>"},
        {"commit 1a2b3c4 of 12 files", "commit <hash> of 12 files"},
        {"${tmp}/cc8xyz.o: no", "<temporary>: no"},
    };
    (void)state;
    struct volatile_rules *rules = volatile_new();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        becomes(rules, smooth, pairs[i][0], pairs[i][1]);
    /* prose is compared more closely */
    becomes(rules, smooth_prose, "12 ms on 2026-11-23 1a2b3c4", "12 ms on <date> 1a2b3c4");
    volatile_free(rules);
}

static int read_list(struct volatile_rules *rules, const char *text, struct err *err)
{
    json_t *list = json_loads(text, 0, NULL);
    assert_non_null(list);
    int status = volatile_read(rules, list, err);
    json_decref(list);
    return status;
}

static void the_list_of_a_manifest_is_what_counts(void **state)
{
    struct err err;
    (void)state;
    struct volatile_rules *rules = on_this_machine();
    assert_int_equal(
        read_list(rules,
                  "[{\"name\":\"home\"},"
                  "{\"name\":\"ticket\",\"pattern\":\"T-[0-9]+\",\"in\":\"messages\"}]",
                  &err),
        0);
    becomes(rules, mask, "/home/ann/shop /tmp", "${home}/shop /tmp");
    becomes(rules, smooth_prose, "T-12 2026-11-23", "<ticket> 2026-11-23");
    json_t *list = volatile_json(rules);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    static const char *const wrong[][2] = {
        {"{}", "no list"},
        {"[{}]", "name"},
        {"[7]", "name"},
        {"[{\"name\":\"x\"}]", "rule 'x'"},
        {"[{\"name\":\"x\",\"pattern\":\"(\"}]", "no regular expression"},
        {"[{\"name\":\"x\",\"pattern\":\"a\",\"in\":\"tools\"}]", "\"in\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(read_list(rules, wrong[i][0], &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, wrong[i][1]))
            fail_msg("%s: %s", wrong[i][0], err.text);
    }
    volatile_free(rules);
}

/* A pattern that never ends, or that matches nothing, changes nothing. */
static void hopeless_patterns_do_no_harm(void **state)
{
    struct err err;
    (void)state;
    struct volatile_rules *rules = volatile_new();
    assert_int_equal(read_list(rules,
                               "[{\"name\":\"slow\",\"pattern\":\"(a+)+$\"},"
                               "{\"name\":\"empty\",\"pattern\":\"x*\"}]",
                               &err),
                     0);
    becomes(rules, smooth, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    volatile_free(rules);
    volatile_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_become_placeholders),
        cmocka_unit_test(secrets_are_in_nothing),
        cmocka_unit_test(short_and_common_values_are_left_alone),
        cmocka_unit_test(what_the_model_said_is_known_again_elsewhere),
        cmocka_unit_test(what_is_never_the_same_counts_as_equal),
        cmocka_unit_test(the_list_of_a_manifest_is_what_counts),
        cmocka_unit_test(hopeless_patterns_do_no_harm),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
