/* What servers do to a chat completion, one quirk a test: framing that is none, calls keyed in
 * strange ways, ends that are missing. The recorded responses are in test_chat_cases.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/chat_reply.h"

static struct chat_turn turn;

static void read_as(const char *body, size_t len, int status, const char *broken)
{
    chat_turn_release(&turn);
    struct chat_reply *reply = chat_reply_new(status, NULL, NULL);
    assert_non_null(reply);
    for (size_t at = 0; at < len; at += 11)
        if (chat_reply_feed(reply, body + at, len - at < 11 ? len - at : 11))
            break;
    chat_reply_end(reply, broken, &turn);
    chat_reply_free(reply);
}

static void read_body(const char *body)
{
    read_as(body, strlen(body), 200, NULL);
}

/* A stream of one choice: each delta as JSON, a finish_reason behind "|" if there is one. */
static void read_deltas(const char *const *deltas)
{
    struct buf body;
    buf_init(&body, 1 << 20);
    for (; *deltas; deltas++) {
        const char *bar = strrchr(*deltas, '|');
        int len = (int)(bar ? (size_t)(bar - *deltas) : strlen(*deltas));
        assert_int_equal(buf_format(&body,
                                    "data: {\"choices\":[{\"index\":0,\"delta\":%.*s%s%s%s}]}\n\n",
                                    len, *deltas, bar ? ",\"finish_reason\":\"" : "",
                                    bar ? bar + 1 : "", bar ? "\"" : ""),
                         0);
    }
    assert_int_equal(buf_text(&body, "data: [DONE]\n\n"), 0);
    read_as(body.data, body.len, 200, NULL);
    buf_release(&body);
}

#define DELTAS(...) read_deltas((const char *const[]){__VA_ARGS__, NULL})

static void expect_stop(enum chat_stop stop)
{
    assert_string_equal(chat_stop_name(turn.stop), chat_stop_name(stop));
}

/* id NULL: the wire had none. args NULL: they cannot be used. */
static void expect_call(size_t i, const char *id, const char *name, const char *args)
{
    assert_true(i < turn.call_count);
    const struct chat_call *call = &turn.calls[i];
    assert_string_equal(call->name, name);
    if (id)
        assert_string_equal(call->id, id);
    else
        assert_null(call->id);
    if (!args) {
        assert_null(call->args);
        assert_non_null(call->problem);
        return;
    }
    char *got = json_dumps(call->args, JSON_COMPACT);
    assert_string_equal(got, args);
    free(got);
}

#define CALL(index, id, name, args) "{\"tool_calls\":[{" index id "\"function\":{" name args "}}]}"
#define INDEX(n)                    "\"index\":" #n ","
#define ID(text)                    "\"id\":\"" text "\","
#define NAME(text)                  "\"name\":\"" text "\","
#define ARGS(text)                  "\"arguments\":\"" text "\""

/* ---- framing ---- */

static void test_data_without_blank_lines(void **state)
{
    (void)state;
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
              "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n"
              "data: [DONE]\n");
    assert_string_equal(turn.text.data, "ab");
    assert_true(turn.done_marker);
    expect_stop(CHAT_STOP_STOP);
}

static void test_nothing_counts_behind_done(void **state)
{
    (void)state;
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE] \n\n"
              "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\ndata: rubbish\n\n{\n");
    assert_string_equal(turn.text.data, "a");
    expect_stop(CHAT_STOP_STOP);
}

static void test_bare_json_body_under_any_type(void **state)
{
    (void)state;
    read_body(" \n {\"choices\":[{\"message\":{\"content\":\"text with data: in it\"}}]}");
    assert_string_equal(turn.text.data, "text with data: in it");
    assert_false(turn.stream);
    expect_stop(CHAT_STOP_STOP);
}

static void test_json_behind_comments(void **state)
{
    (void)state;
    read_body(": WORKING\n\n: WORKING\n\n{\"choices\":[{\"message\":{\"content\":\"x\"},"
              "\"finish_reason\":\"stop\"}]}\n");
    assert_string_equal(turn.text.data, "x");
    expect_stop(CHAT_STOP_STOP);
}

static void test_documents_by_the_line(void **state)
{
    (void)state;
    read_body("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
              "{\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n");
    assert_string_equal(turn.text.data, "ab");
    expect_stop(CHAT_STOP_STOP);
    read_body("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
              "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n");
    expect_stop(CHAT_STOP_INCOMPLETE);
}

static void test_bare_error_in_mid_stream(void **state)
{
    (void)state;
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n{\n  \"error\": {\n"
              "    \"code\": 503,\n    \"message\": \"overloaded\",\n"
              "    \"status\": \"UNAVAILABLE\"\n  }\n}\n");
    expect_stop(CHAT_STOP_ERROR);
    assert_string_equal(turn.error.message, "overloaded");
    assert_int_equal(turn.error.http_status, 503);
    assert_int_equal(turn.error.class, CHAT_ERROR_TRANSIENT);
}

static void test_error_events(void **state)
{
    (void)state;
    read_body("event: error\ndata: {\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}"
              "\n\n");
    expect_stop(CHAT_STOP_ERROR);
    assert_int_equal(turn.error.class, CHAT_ERROR_RATE);
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
              "error: {\"code\":500,\"message\":\"slot lost\",\"type\":\"server_error\"}\n\n");
    expect_stop(CHAT_STOP_ERROR);
    assert_string_equal(turn.error.message, "slot lost");
    read_body("event: error\ndata: out of memory\n\n");
    expect_stop(CHAT_STOP_ERROR);
    assert_string_equal(turn.error.message, "out of memory");
}

static void test_bad_chunks(void **state)
{
    (void)state;
    /* one is skipped ... */
    read_body(
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {oops\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    expect_stop(CHAT_STOP_STOP);
    assert_true(turn.warnings.len > 0);
    /* ... but a stream that had one and no finish_reason is not whole */
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {oops\n\n"
              "data: [DONE]\n\n");
    expect_stop(CHAT_STOP_INCOMPLETE);
    /* half a surrogate pair and a raw control character are mended */
    read_body("data: {\"choices\":[{\"delta\":{\"content\":\"a\\ud83d\x01\"}}]}\n\n"
              "data: [DONE]\n\n");
    expect_stop(CHAT_STOP_STOP);
    assert_string_equal(turn.text.data, "a\xef\xbf\xbd\x01");
}

static void test_pages_and_words(void **state)
{
    (void)state;
    read_body("<html><head><title>Sign in</title></head></html>");
    expect_stop(CHAT_STOP_ERROR);
    assert_string_equal(turn.error.message, "Sign in");
    assert_int_equal(turn.error.class, CHAT_ERROR_FATAL);
    read_body("method=POST path=/v1");
    expect_stop(CHAT_STOP_ERROR);
    read_body("{\"hello\":\"world\"}");
    expect_stop(CHAT_STOP_ERROR);
    read_body("");
    expect_stop(CHAT_STOP_INCOMPLETE);
    read_as("", 0, 500, NULL);
    expect_stop(CHAT_STOP_ERROR);
    assert_int_equal(turn.error.class, CHAT_ERROR_TRANSIENT);
    read_as("upstream connect error", 22, 503, NULL);
    assert_string_equal(turn.error.message, "upstream connect error");
}

/* ---- ends ---- */

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        enum chat_stop with_text, alone;
    } cases[] = {
        {"stop", CHAT_STOP_STOP, CHAT_STOP_EMPTY},
        {"STOP", CHAT_STOP_STOP, CHAT_STOP_EMPTY},
        {"eos", CHAT_STOP_STOP, CHAT_STOP_EMPTY},
        {"end_turn", CHAT_STOP_STOP, CHAT_STOP_EMPTY},
        {"completed", CHAT_STOP_STOP, CHAT_STOP_EMPTY},
        {"length", CHAT_STOP_LENGTH, CHAT_STOP_LENGTH},
        {"MAX_TOKENS", CHAT_STOP_LENGTH, CHAT_STOP_LENGTH},
        {"content_filter", CHAT_STOP_CONTENT_FILTER, CHAT_STOP_CONTENT_FILTER},
        {"content_filter: RECITATION", CHAT_STOP_CONTENT_FILTER, CHAT_STOP_CONTENT_FILTER},
        {"SAFETY", CHAT_STOP_CONTENT_FILTER, CHAT_STOP_CONTENT_FILTER},
        {"PROHIBITED_CONTENT", CHAT_STOP_CONTENT_FILTER, CHAT_STOP_CONTENT_FILTER},
        {"function_call_filter: MALFORMED_FUNCTION_CALL", CHAT_STOP_MALFORMED_TOOL_CALL,
         CHAT_STOP_MALFORMED_TOOL_CALL},
        {"malformed_function_call", CHAT_STOP_MALFORMED_TOOL_CALL, CHAT_STOP_MALFORMED_TOOL_CALL},
        {"UNEXPECTED_TOOL_CALL", CHAT_STOP_MALFORMED_TOOL_CALL, CHAT_STOP_MALFORMED_TOOL_CALL},
        {"error", CHAT_STOP_ERROR, CHAT_STOP_ERROR},
        {"because", CHAT_STOP_UNKNOWN, CHAT_STOP_UNKNOWN},
    };
    char last[96];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(last, sizeof last, "{}|%s", cases[i].reason);
        DELTAS("{\"content\":\"x\"}", last);
        expect_stop(cases[i].with_text);
        DELTAS("{\"content\":\"\"}", last);
        expect_stop(cases[i].alone);
        assert_string_equal(turn.finish_reason, cases[i].reason);
    }
}

static void test_native_reason_of_a_malformed_call(void **state)
{
    (void)state;
    read_body("{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"error\","
              "\"native_finish_reason\":\"MALFORMED_FUNCTION_CALL\"}]}");
    expect_stop(CHAT_STOP_MALFORMED_TOOL_CALL);
}

static void test_broken_transfers(void **state)
{
    (void)state;
    const char *text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    const char *ended = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},"
                        "\"finish_reason\":\"stop\"}]}\n\n";
    read_body(text);
    expect_stop(CHAT_STOP_INCOMPLETE);
    read_as(text, strlen(text), 200, "connection reset");
    expect_stop(CHAT_STOP_INCOMPLETE);
    read_body(ended);
    expect_stop(CHAT_STOP_STOP);
    read_as(ended, strlen(ended), 200, "connection reset");
    expect_stop(CHAT_STOP_STOP);
    assert_true(turn.warnings.len > 0);
    /* a server that puts "stop" on every chunk: a broken transfer may have lost more of them */
    char twice[256];
    (void)snprintf(twice, sizeof twice, "%s%s", ended, ended);
    read_body(twice);
    expect_stop(CHAT_STOP_STOP);
    read_as(twice, strlen(twice), 200, "connection reset");
    expect_stop(CHAT_STOP_INCOMPLETE);
    const char *call = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\","
                       "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]},"
                       "\"finish_reason\":\"stop\"}]}\n\n";
    read_as(call, strlen(call), 200, "connection reset");
    expect_stop(CHAT_STOP_INCOMPLETE);
    read_body(call);
    expect_stop(CHAT_STOP_TOOL_CALLS);
}

static void test_length_with_calls_runs_none(void **state)
{
    (void)state;
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{\\\"x\\\":1}")),
           CALL(INDEX(1), ID("b"), NAME("f"), ARGS("{\\\"x\\\":")), "{}|length");
    expect_stop(CHAT_STOP_LENGTH);
    expect_call(1, "b", "f", NULL);
}

static void test_refusal(void **state)
{
    (void)state;
    DELTAS("{\"refusal\":\"I can\"}", "{\"refusal\":\"not.\"}|stop");
    expect_stop(CHAT_STOP_CONTENT_FILTER);
    assert_string_equal(turn.text.data, "I cannot.");
}

/* ---- calls ---- */

static void test_calls_by_index(void **state)
{
    (void)state;
    /* indexes start at 1, have gaps, and the pieces are mixed; names and empty ids are repeated */
    DELTAS(CALL(INDEX(1), ID("a"), NAME("f"), ARGS("")),
           CALL(INDEX(5), ID("b"), NAME("g"), ARGS("{")),
           CALL(INDEX(1), ID(""), NAME("f"), ARGS("{\\\"x\\\"")),
           CALL(INDEX(5), "", NAME(""), ARGS("}")), CALL(INDEX(1), "", "", ARGS(":1}")),
           "{}|tool_calls");
    assert_int_equal(turn.call_count, 2);
    expect_call(0, "a", "f", "{\"x\":1}");
    expect_call(1, "b", "g", "{}");
    expect_stop(CHAT_STOP_TOOL_CALLS);
}

static void test_parallel_calls_all_with_index_0(void **state)
{
    (void)state;
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{\\\"x\\\":1}")),
           CALL(INDEX(0), ID("b"), NAME("f"), ARGS("{\\\"x\\\":")),
           CALL(INDEX(0), "", "", ARGS("2}")), "{}|tool_calls");
    assert_int_equal(turn.call_count, 2);
    expect_call(0, "a", "f", "{\"x\":1}");
    expect_call(1, "b", "f", "{\"x\":2}");
}

static void test_calls_without_index(void **state)
{
    (void)state;
    DELTAS(CALL("", ID(""), NAME("f"), ARGS("{\\\"x\\\":1}")), CALL("", "", NAME("f"), ARGS("{")),
           CALL("\"index\":null,", "", "", ARGS("}")), "{}|stop");
    assert_int_equal(turn.call_count, 2);
    expect_call(0, NULL, "f", "{\"x\":1}");
    expect_call(1, NULL, "f", "{}");
    unsigned long next = 7;
    assert_int_equal(chat_turn_complete_ids(&turn, &next), 0);
    assert_string_equal(turn.calls[0].id, "call_7");
    assert_string_equal(turn.calls[1].id, "call_8");
    assert_int_equal(next, 9);
}

static void test_ids_that_cannot_be_used(void **state)
{
    (void)state;
    char body[1024], id[300];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    (void)snprintf(body, sizeof body,
                   "{\"choices\":[{\"message\":{\"tool_calls\":["
                   "{\"id\":\"call_1\",\"function\":{\"name\":\"f\"}},"
                   "{\"id\":\"call_1\",\"function\":{\"name\":\"g\"}},"
                   "{\"id\":\"%s\",\"function\":{\"name\":\"h\"}}]}}]}",
                   id);
    read_body(body);
    assert_int_equal(turn.call_count, 3);
    unsigned long next = 1;
    assert_int_equal(chat_turn_complete_ids(&turn, &next), 0);
    assert_string_equal(turn.calls[0].id, "call_1");
    assert_string_equal(turn.calls[1].id, "call_2");
    assert_string_equal(turn.calls[2].id, "call_3");
}

static void test_same_id_under_two_indexes(void **state)
{
    (void)state;
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{}")),
           CALL(INDEX(1), ID("a"), NAME("g"), ARGS("{}")), "{}|tool_calls");
    assert_int_equal(turn.call_count, 2);
    expect_call(1, "a", "g", "{}");
}

static void test_names_in_pieces(void **state)
{
    (void)state;
    DELTAS(CALL(INDEX(0), ID("a"), NAME("get_"), ARGS("")),
           CALL(INDEX(0), "", NAME("weather"), ARGS("")),
           CALL(INDEX(0), "", NAME("get_weather"), ARGS("{}")),
           CALL(INDEX(0), "", NAME("other"), ARGS(" ")), "{}|tool_calls");
    expect_call(0, "a", "get_weather", "{}");
}

static void test_arguments_of_all_kinds(void **state)
{
    (void)state;
    DELTAS(
        "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":[1]}}},"
        "{\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":null}},"
        "{\"id\":\"c\",\"function\":{\"name\":\"f\"}},"
        "{\"id\":\"d\",\"function\":{\"name\":\"f\",\"arguments\":\"not JSON\"}},"
        "{\"id\":\"e\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"s\\\":\\\"\\ud83d\\\"}\"}}"
        ","
        "{\"id\":\"f\",\"type\":\"custom\",\"custom\":{\"name\":\"shell\",\"input\":\"ls\"}}]}|"
        "tool_calls");
    assert_int_equal(turn.call_count, 6);
    expect_call(0, "a", "f", "{\"x\":[1]}");
    assert_string_equal(turn.calls[0].text, "{\"x\":[1]}");
    expect_call(1, "b", "f", "{}");
    assert_string_equal(turn.calls[1].text, "{}");
    expect_call(2, "c", "f", "{}");
    expect_call(3, "d", "f", NULL);
    expect_call(4, "e", "f", "{\"s\":\"\xef\xbf\xbd\"}");
    expect_call(5, "f", "shell", NULL);
    expect_stop(CHAT_STOP_TOOL_CALLS);
}

static void test_runs_of_arguments_are_split(void **state)
{
    (void)state;
    /* a placeholder in front */
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{}")),
           CALL(INDEX(0), "", "", ARGS("{\\\"x\\\":1}")), "{}|tool_calls");
    assert_int_equal(turn.call_count, 1);
    expect_call(0, "a", "f", "{\"x\":1}");
    /* a second call on the first one's index */
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{\\\"x\\\":1}")),
           CALL(INDEX(0), "", "", ARGS(" {\\\"x\\\":2}")), "{}|tool_calls");
    assert_int_equal(turn.call_count, 2);
    expect_call(0, "a", "f", "{\"x\":1}");
    expect_call(1, NULL, "f", "{\"x\":2}");
    assert_true(turn.warnings.len > 0);
    /* rubbish behind an object is no run */
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{\\\"x\\\":1}{\\\"x\\\"")), "{}|tool_calls");
    assert_int_equal(turn.call_count, 1);
    expect_call(0, "a", "f", NULL);
}

static void test_old_function_call(void **state)
{
    (void)state;
    DELTAS("{\"function_call\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\"\"}}",
           "{\"function_call\":{\"arguments\":\":1}\"}}|function_call");
    expect_call(0, NULL, "f", "{\"x\":1}");
    expect_stop(CHAT_STOP_TOOL_CALLS);
    DELTAS("{\"content\":\"x\",\"function_call\":{\"name\":\"\",\"arguments\":\"\"}}|stop");
    assert_int_equal(turn.call_count, 0);
    expect_stop(CHAT_STOP_STOP);
}

static void test_what_goes_back_with_a_call(void **state)
{
    (void)state;
    DELTAS(CALL(INDEX(0), ID("a"), NAME("f"), ARGS("{}")),
           "{\"tool_calls\":[{\"index\":0,\"extra_content\":{\"google\":{\"thought_signature\":"
           "\"S\"}}}],"
           "\"extra_content\":{\"google\":{\"thought_signature\":\"M\"}}}",
           "{\"extra_content\":{\"google\":{\"thought\":true}}}|tool_calls");
    assert_int_equal(turn.call_count, 1);
    char *extra = json_dumps(turn.calls[0].extra, JSON_COMPACT);
    char *echo = json_dumps(turn.echo, JSON_COMPACT);
    assert_string_equal(extra, "{\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}}");
    assert_string_equal(echo, "{\"extra_content\":{\"google\":{\"thought_signature\":\"M\"}}}");
    free(extra);
    free(echo);
}

static void test_too_many_calls(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 1 << 20);
    assert_int_equal(buf_text(&body, "{\"choices\":[{\"message\":{\"tool_calls\":["), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(
            buf_format(&body, "%s{\"id\":\"c%d\",\"function\":{\"name\":\"f\"}}", i ? "," : "", i),
            0);
    assert_int_equal(buf_text(&body, "]}}]}"), 0);
    read_as(body.data, body.len, 200, NULL);
    expect_stop(CHAT_STOP_ERROR);
    assert_int_equal(turn.error.class, CHAT_ERROR_MODEL);
    assert_non_null(strstr(turn.error.message, "tool calls"));
    buf_release(&body);
}

static void test_plain_names(void **state)
{
    (void)state;
    assert_string_equal(chat_call_plain_name("default_api:read_file"), "read_file");
    assert_string_equal(chat_call_plain_name("default_api.read_file"), "read_file");
    assert_string_equal(chat_call_plain_name("read_file"), "read_file");
}

/* ---- text, reasoning, usage ---- */

static void test_other_choices_are_ignored(void **state)
{
    (void)state;
    read_body("{\"choices\":[{\"index\":1,\"message\":{\"content\":\"b\"}},"
              "{\"index\":0,\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}");
    assert_string_equal(turn.text.data, "a");
}

static void test_one_reasoning_a_chunk(void **state)
{
    (void)state;
    DELTAS("{\"reasoning_content\":\"a\",\"reasoning\":\"a\"}",
           "{\"reasoning\":\"b\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
           "\"b\"}]}",
           "{\"reasoning_details\":[{\"type\":\"reasoning.summary\",\"summary\":\"c\"}]}",
           "{\"content\":\"x\"}|stop");
    assert_string_equal(turn.reasoning.data, "abc");
}

#define THOUGHT(text) "{\"content\":\"" text "\",\"extra_content\":{\"google\":{\"thought\":true}}}"

static void test_thoughts_in_the_text(void **state)
{
    (void)state;
    DELTAS(THOUGHT("<thought>a"), THOUGHT("b"), "{\"content\":\"</thought>c\"}",
           "{\"content\":\"d\"}|stop");
    assert_string_equal(turn.reasoning.data, "ab");
    assert_string_equal(turn.text.data, "cd");
    /* all in one message */
    DELTAS(THOUGHT("<thought>a</thought>b") "|stop");
    assert_string_equal(turn.reasoning.data, "a");
    assert_string_equal(turn.text.data, "b");
    /* the flag without the marker, and the marker without the flag, are answers */
    DELTAS(THOUGHT("a"), "{\"content\":\"<thought>b\"}|stop");
    assert_string_equal(turn.reasoning.data, "");
    assert_string_equal(turn.text.data, "a<thought>b");
    /* the closing marker comes with the call */
    DELTAS(THOUGHT("<thought>a"),
           "{\"content\":\"</"
           "thought>\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\"}}]}|stop");
    assert_string_equal(turn.text.data, "");
    expect_stop(CHAT_STOP_TOOL_CALLS);
}

static void test_usage(void **state)
{
    (void)state;
    read_body(
        "data: "
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":1,\"total_tokens\":5}"
        "}\n\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":3,"
        "\"completion_tokens\":12,\"total_tokens\":109,\"x\":null}}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":null,\"completion_tokens\":null}}\n\n"
        "data: {\"choices\":[],\"usage\":null}\n\ndata: [DONE]\n\n");
    assert_true(turn.has_usage);
    assert_int_equal(turn.usage.prompt, 3);
    assert_int_equal(turn.usage.completion, 12);
    assert_int_equal(turn.usage.cached, -1);
    /* thinking is in total only */
    assert_int_equal(chat_usage_output(&turn.usage), 106);
    const struct chat_usage unknown = {-1, -1, -1, -1, -1}, plain = {10, 20, 30, 15, 0};
    assert_int_equal(chat_usage_output(&unknown), 0);
    assert_int_equal(chat_usage_output(&plain), 20);
}

static void test_strange_types_do_no_harm(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"choices\":5}",
        "{\"choices\":[5,null,[]]}",
        "{\"choices\":[{\"message\":5,\"finish_reason\":7}]}",
        "{\"choices\":[{\"message\":{\"content\":true,\"tool_calls\":7,\"reasoning\":{}}}]}",
        "{\"choices\":[{\"message\":{\"content\":[[[[[[[[[[[\"deep\"]]]]]]]]]]]}}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[5,{},{\"function\":5},{\"id\":7}]}}]}",
        "{\"choices\":[{\"message\":{\"reasoning_details\":[5,{\"type\":7,\"text\":8}]}}]}",
        "{\"choices\":[{\"message\":{\"extra_content\":5,\"function_call\":[]}}]}",
        "{\"error\":{\"message\":{\"a\":[]},\"code\":{},\"details\":5}}",
        "{\"error\":[[]],\"detail\":[]}",
        "[]",
        "[[[]]]",
        "data: 5\n\ndata: \"x\"\n\ndata: null\n\ndata: [1,{\"choices\":null}]\n\n",
        "\xef\xbb\xbf",
        "{\"usage\":[]}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        read_body(bodies[i]);
        assert_int_not_equal(turn.stop, CHAT_STOP_TOOL_CALLS);
        json_t *json = chat_turn_json(&turn);
        assert_non_null(json);
        json_decref(json);
    }
}

static int release(void **state)
{
    (void)state;
    chat_turn_release(&turn);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_without_blank_lines),
        cmocka_unit_test(test_nothing_counts_behind_done),
        cmocka_unit_test(test_bare_json_body_under_any_type),
        cmocka_unit_test(test_json_behind_comments),
        cmocka_unit_test(test_documents_by_the_line),
        cmocka_unit_test(test_bare_error_in_mid_stream),
        cmocka_unit_test(test_error_events),
        cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_pages_and_words),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_native_reason_of_a_malformed_call),
        cmocka_unit_test(test_broken_transfers),
        cmocka_unit_test(test_length_with_calls_runs_none),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_calls_by_index),
        cmocka_unit_test(test_parallel_calls_all_with_index_0),
        cmocka_unit_test(test_calls_without_index),
        cmocka_unit_test(test_ids_that_cannot_be_used),
        cmocka_unit_test(test_same_id_under_two_indexes),
        cmocka_unit_test(test_names_in_pieces),
        cmocka_unit_test(test_arguments_of_all_kinds),
        cmocka_unit_test(test_runs_of_arguments_are_split),
        cmocka_unit_test(test_old_function_call),
        cmocka_unit_test(test_what_goes_back_with_a_call),
        cmocka_unit_test(test_too_many_calls),
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_other_choices_are_ignored),
        cmocka_unit_test(test_one_reasoning_a_chunk),
        cmocka_unit_test(test_thoughts_in_the_text),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_strange_types_do_no_harm),
    };
    chat_turn_init(&turn);
    return cmocka_run_group_tests(tests, NULL, release);
}
