/* Requests in canonical form, and what is said of two that differ. */
#include "test_support.h"

#include <string.h>

#include "wire/canon.h"

/* One side: a conversation that is asked again and again. */
struct side {
    struct volatile_rules *rules;
    struct redact *secrets;
    struct canon canon;
    struct buf messages, tools;
    const char *model;
};

static void side_init(struct side *s, const char *workspace)
{
    *s = (struct side){.rules = volatile_new(), .model = "m"};
    assert_non_null(s->rules);
    assert_int_equal(volatile_set(s->rules, "workspace", workspace), 0);
    s->secrets = redact_new();
    assert_int_equal(redact_add(s->secrets, "KEY", "sk-12345678"), 0);
    volatile_hide(s->rules, s->secrets);
    assert_int_equal(canon_init(&s->canon, s->rules), 0);
    buf_init(&s->messages, 1u << 20);
    buf_init(&s->tools, 1u << 20);
}

static void side_release(struct side *s)
{
    canon_release(&s->canon);
    volatile_free(s->rules);
    redact_free(s->secrets);
    buf_release(&s->messages);
    buf_release(&s->tools);
}

static void say(struct side *s, const char *text)
{
    assert_int_equal(chat_add_user(&s->messages, text, strlen(text)), 0);
}

static void answer(struct side *s, const char *id, const char *args, const char *result)
{
    struct buf *m = &s->messages;
    assert_int_equal(buf_format(m,
                                ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
                                "\"%s\",\"type\":\"function\",\"function\":{\"name\":\"read_file\","
                                "\"arguments\":\"%s\"}}]}",
                                id, args),
                     0);
    assert_int_equal(chat_add_tool(m, id, "read_file", result, strlen(result)), 0);
}

static json_t *ask(struct side *s)
{
    struct chat_body body;
    struct err err;
    const struct chat_request request = {
        .model = s->model, .stream = true, .tools = &s->tools, .messages = &s->messages};
    assert_int_equal(chat_body_init(&body, &request, &err), 0);
    json_t *value = canon_request(&s->canon, &body, &err);
    assert_non_null(value);
    chat_body_release(&body);
    return value;
}

static void is_json(json_t *value, const char *wanted)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(value);
}

static void a_request_tells_what_is_new(void **state)
{
    struct side s;
    (void)state;
    side_init(&s, "/home/ann/shop");
    say(&s, "Look into /home/ann/shop, key sk-12345678.");
    is_json(ask(&s), "{\"messages\":[{\"content\":\"Look into ${workspace}, key [redacted:KEY].\","
                     "\"role\":\"user\"}],\"messages_before\":0,\"model\":\"m\",\"stream\":true}");
    is_json(ask(&s), "{\"messages\":[],\"messages_before\":1}"); /* a retry */
    answer(&s, "call_x9", "{}", "/home/ann/shop/a");
    is_json(ask(&s),
            "{\"messages\":[{\"content\":null,\"role\":\"assistant\",\"tool_calls\":[{"
            "\"function\":{\"arguments\":\"{}\",\"name\":\"read_file\"},\"id\":\"${call-1}\","
            "\"type\":\"function\"}]},{\"content\":\"${workspace}/a\",\"name\":\"read_file\","
            "\"role\":\"tool\",\"tool_call_id\":\"${call-1}\"}],\"messages_before\":1}");
    assert_int_equal(chat_add_function(&s.tools, "t", "d", NULL), 0);
    json_t *with_tools = ask(&s);
    assert_int_equal(json_array_size(json_object_get(with_tools, "tools")), 1);
    assert_null(json_object_get(with_tools, "model"));
    json_decref(with_tools);
    buf_clear(&s.tools);
    is_json(ask(&s), "{\"messages\":[],\"messages_before\":3,\"tools\":null}");
    buf_clear(&s.messages); /* a conversation that was made shorter is another */
    say(&s, "Go on.");
    is_json(ask(&s), "{\"messages\":[{\"content\":\"Go on.\",\"role\":\"user\"}],"
                     "\"messages_before\":0}");
    side_release(&s);
}

/* What is said of the first difference; "" when there is none. */
static void compare(struct side *then, struct side *now, const char *where, const char *in_diff)
{
    struct buf place, diff;
    buf_init(&place, 4096);
    buf_init(&diff, 65536);
    json_t *recorded = ask(then), *asked = ask(now);
    bool same = canon_matches(now->rules, recorded, asked, &place, &diff);
    assert_string_equal(place.data, where);
    assert_int_equal(same, !*where);
    if (!strstr(diff.data, in_diff))
        fail_msg("no \"%s\" in:\n%s", in_diff, diff.data);
    json_decref(recorded);
    json_decref(asked);
    buf_release(&place);
    buf_release(&diff);
}

static void place_time_and_ids_may_differ(void **state)
{
    struct side then, now;
    (void)state;
    side_init(&then, "/home/ann/shop");
    side_init(&now, "/build/7");
    say(&then, "On 2026-11-23 in /home/ann/shop");
    say(&now, "On 2031-01-02 in /build/7");
    compare(&then, &now, "", "");
    answer(&then, "call_abc", "{}", "took 12 ms, commit 1a2b3c4");
    answer(&now, "call_xyz", "{}", "took 7 ms, commit 9d8e7f6");
    compare(&then, &now, "", "");
    side_release(&then);
    side_release(&now);
}

static void what_differs_is_shown(void **state)
{
    struct side then, now;
    (void)state;
    side_init(&then, "/w");
    side_init(&now, "/w");
    say(&then, "One\nTwo\nThree");
    say(&now, "One\n2\nThree");
    compare(&then, &now, "message 1 (user)", " One\n-Two\n+2\n Three\n");
    answer(&then, "c", "{\\\"path\\\":\\\"a\\\"}", "x");
    answer(&now, "c", "{\\\"path\\\":\\\"b\\\"}", "x");
    compare(&then, &now, "message 2 (assistant)", "-  \"path\": \"a\"\n+  \"path\": \"b\"\n");
    say(&then, "more");
    compare(&then, &now, "message 4 (user) is missing", "-more");
    say(&now, "more");
    say(&now, "and more");
    json_decref(ask(&then));
    json_decref(ask(&now));
    now.model = "n";
    compare(&then, &now, "model is new", "+\"n\"");
    side_release(&then);
    side_release(&now);
}

static void tools_are_told_by_name(void **state)
{
    struct side then, now;
    (void)state;
    side_init(&then, "/w");
    side_init(&now, "/w");
    say(&then, "x");
    say(&now, "x");
    for (int i = 0; i < 2; i++) {
        struct side *s = i ? &now : &then;
        assert_int_equal(chat_add_function(&s->tools, "one", i ? "Does one" : "Does 1", NULL), 0);
        assert_int_equal(chat_add_function(&s->tools, "two", "Does two", NULL), 0);
    }
    compare(&then, &now, "the tool one", "-    \"description\": \"Does 1\"");
    buf_clear(&now.tools);
    assert_int_equal(chat_add_function(&now.tools, "two", "Does two", NULL), 0);
    json_t *first = ask(&now); /* as if this side began here */
    json_decref(first);
    canon_release(&then.canon);
    canon_release(&now.canon);
    assert_int_equal(canon_init(&then.canon, then.rules), 0);
    assert_int_equal(canon_init(&now.canon, now.rules), 0);
    compare(&then, &now, "the tool one is missing", "");
    side_release(&then);
    side_release(&now);
}

static void another_conversation_is_another(void **state)
{
    struct side then, now;
    (void)state;
    side_init(&then, "/w");
    side_init(&now, "/w");
    say(&then, "x");
    say(&now, "x");
    compare(&then, &now, "", "");
    say(&then, "y");
    buf_clear(&now.messages);
    say(&now, "y");
    compare(&then, &now, "the conversation: 0 messages went before, and there were 1", "");
    side_release(&then);
    side_release(&now);
}

static void arguments_are_compared_like_texts(void **state)
{
    struct buf diff;
    (void)state;
    struct volatile_rules *rules = volatile_new();
    json_t *a = json_pack("{s:s, s:[i]}", "when", "2026-11-23", "n", 1);
    json_t *b = json_pack("{s:s, s:[i]}", "when", "2027-01-01", "n", 1);
    json_t *c = json_pack("{s:s, s:[i]}", "when", "2027-01-01", "n", 2);
    buf_init(&diff, 65536);
    assert_true(canon_arguments_match(rules, a, b, &diff));
    assert_int_equal(diff.len, 0);
    assert_false(canon_arguments_match(rules, a, c, &diff));
    assert_non_null(strstr(diff.data, "-    1"));
    json_decref(a);
    json_decref(b);
    json_decref(c);
    buf_release(&diff);
    volatile_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_tells_what_is_new),
        cmocka_unit_test(place_time_and_ids_may_differ),
        cmocka_unit_test(what_differs_is_shown),
        cmocka_unit_test(tools_are_told_by_name),
        cmocka_unit_test(another_conversation_is_another),
        cmocka_unit_test(arguments_are_compared_like_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
