/* What a run looks like: on a terminal, in a pipe, quiet, with a model that is out to deceive. */
#include "test_support.h"

#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "render_text.h"

/* Two streams into memory, and a renderer on them. */
struct screen {
    struct stream out, err;
    char *out_text, *err_text;
    size_t out_len, err_len;
    struct render_text render;
    uint64_t seq;
};

struct look {
    bool out_terminal, err_terminal, quiet, verbose;
};

static void screen_init(struct screen *s, const struct look *look)
{
    memset(s, 0, sizeof *s);
    s->out = (struct stream){.file = open_memstream(&s->out_text, &s->out_len),
                             .fd = -1,
                             .terminal = look->out_terminal,
                             .utf8 = true,
                             .form = look->out_terminal ? CLEAN_TERMINAL : CLEAN_NONE};
    s->err = (struct stream){.file = open_memstream(&s->err_text, &s->err_len),
                             .fd = -1,
                             .terminal = look->err_terminal,
                             .utf8 = true,
                             .form = CLEAN_TERMINAL};
    assert_non_null(s->out.file);
    assert_non_null(s->err.file);
    render_text_init(&s->render, &s->out, &s->err, look->quiet, look->verbose);
}

static void screen_release(struct screen *s)
{
    render_text_release(&s->render);
    (void)fclose(s->out.file);
    (void)fclose(s->err.file);
    free(s->out_text);
    free(s->err_text);
}

static void show(struct screen *s, const char *json, const char *final)
{
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    const json_t *text = json_object_get(object, "text");
    tackle_event event = {.size = sizeof event,
                          .seq = ++s->seq,
                          .type = json_string_value(json_object_get(object, "type")),
                          .json = json,
                          .json_len = strlen(json)};
    if (strstr(event.type, ".delta")) {
        event.text = json_string_value(text);
        event.text_len = json_string_length(text);
    }
    render_text_event(&s->render, &event, final);
    json_decref(object);
}

static void assert_shown(struct screen *s, const char *out, const char *err)
{
    (void)fflush(s->out.file);
    (void)fflush(s->err.file);
    assert_string_equal(s->out_text, out);
    assert_string_equal(s->err_text, err);
}

#define RESULT(text)                                                                               \
    "{\"type\":\"result\",\"exit_code\":0,\"text\":\"" text                                        \
    "\",\"usage\":{\"input_tokens\":10,\"output_tokens\":2},\"counts\":{\"steps\":1},"             \
    "\"duration_ms\":40}"
#define SUMMARY "1 step \u00b7 10 in + 2 out tokens \u00b7 40 ms\n"

static void two_step_run(struct screen *s)
{
    show(s, "{\"type\":\"message.delta\",\"text\":\"\\nI look\"}", NULL);
    show(s, "{\"type\":\"message.delta\",\"text\":\" first.\\n\\n\"}", NULL);
    show(s,
         "{\"type\":\"message.completed\",\"text\":\"\\nI look first.\\n\\n\","
         "\"tool_calls\":[{\"id\":\"a\"}]}",
         NULL);
    show(s,
         "{\"type\":\"tool.requested\",\"call\":\"a\",\"name\":\"read_file\","
         "\"arguments\":{\"path\":\"README.md\"}}",
         NULL);
    show(s, "{\"type\":\"tool.started\",\"call\":\"a\",\"name\":\"read_file\"}", NULL);
    show(s,
         "{\"type\":\"tool.completed\",\"call\":\"a\",\"name\":\"read_file\",\"ok\":true,"
         "\"duration_ms\":3,\"output\":\"text\"}",
         NULL);
    show(s, "{\"type\":\"message.delta\",\"text\":\"It is \\n\"}", NULL);
    show(s, "{\"type\":\"message.delta\",\"text\":\"good.\\n\"}", NULL);
    show(s, "{\"type\":\"message.completed\",\"text\":\"It is \\ngood.\\n\",\"tool_calls\":[]}",
         NULL);
    show(s, RESULT("It is \\ngood.\\n"), "It is \ngood.\n");
}

static void a_pipe_gets_the_answer_alone(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){0});
    two_step_run(&s);
    assert_shown(&s, "It is \ngood.\n",
                 "I look first.\n\u2713 read_file README.md  3 ms\n" SUMMARY);
    screen_release(&s);
}

static void a_terminal_gets_the_text_as_it_comes(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true, .err_terminal = true});
    show(&s, "{\"type\":\"message.delta\",\"text\":\"It \"}", NULL);
    assert_shown(&s, "It ", "");
    show(&s, "{\"type\":\"message.delta\",\"text\":\"is.\\n\\n\"}", NULL);
    assert_shown(&s, "It is.", ""); /* newlines wait for more text */
    show(&s, "{\"type\":\"message.completed\",\"text\":\"It is.\\n\\n\",\"tool_calls\":[]}", NULL);
    show(&s, RESULT("It is.\\n\\n"), "It is.\n\n");
    assert_shown(&s, "It is.\n", "\n" SUMMARY);
    screen_release(&s);
}

static void a_terminal_beside_a_file_sees_it_too(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.err_terminal = true});
    two_step_run(&s);
    assert_shown(&s, "It is \ngood.\n",
                 "I look first.\n\u2713 read_file README.md  3 ms\nIt is \ngood.\n\n" SUMMARY);
    screen_release(&s);
}

static void quiet_leaves_the_answer(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true, .err_terminal = true, .quiet = true});
    two_step_run(&s);
    assert_shown(&s, "It is \ngood.\n", "");
    screen_release(&s);
}

static void text_without_stream_is_shown(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true});
    show(&s, "{\"type\":\"message.completed\",\"text\":\"Hi\",\"tool_calls\":[]}", NULL);
    show(&s, RESULT("Hi"), "Hi");
    assert_shown(&s, "Hi\n", SUMMARY);
    screen_release(&s);
}

static void a_partial_answer_is_printed(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true, .quiet = true});
    show(&s, "{\"type\":\"message.delta\",\"text\":\"Looking\"}", NULL);
    show(&s,
         "{\"type\":\"message.completed\",\"text\":\"Looking\",\"tool_calls\":[{\"id\":\"a\"}]}",
         NULL);
    show(&s, RESULT("As far as I got"), "As far as I got");
    assert_shown(&s, "As far as I got\n", "");
    screen_release(&s);
}

static void a_retry_begins_the_text_anew(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true});
    show(&s, "{\"type\":\"message.delta\",\"text\":\"Half\"}", NULL);
    show(&s,
         "{\"type\":\"model.retry\",\"attempt\":2,\"wait_ms\":1500,"
         "\"error\":{\"message\":\"cut\"}}",
         NULL);
    show(&s, "{\"type\":\"message.completed\",\"text\":\"Whole\",\"tool_calls\":[]}", NULL);
    show(&s, RESULT("Whole"), "Whole");
    assert_shown(&s, "Half\nWhole\n", "warning: asking again in 1.5 s (attempt 2): cut\n" SUMMARY);
    screen_release(&s);
}

static void a_replay_says_that_the_cost_is_recorded(void **state)
{
    static const char result[] = "{\"type\":\"result\",\"exit_code\":0,\"usage\":{},\"counts\":{"
                                 "\"steps\":2,\"tool_calls\":3,\"tool_errors\":1,\"denials\":1},"
                                 "\"cost_usd\":0.0123,\"duration_ms\":2000,"
                                 "\"files\":[{\"path\":\"a.c\"},\"b.c\"]}";
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){0});
    show(&s, "{\"type\":\"run.started\",\"replay\":true}", NULL);
    show(&s, result, "");
    assert_shown(
        &s, "",
        "2 steps \u00b7 3 tool calls (1 failed, 1 denied) \u00b7 0 in + 0 out tokens \u00b7 "
        "$0.0123 when it was recorded \u00b7 2.0 s\nchanged: a.c, b.c\n");
    screen_release(&s);
}

static void failures_say_why(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){0});
    show(&s,
         "{\"type\":\"tool.requested\",\"call\":\"a\",\"name\":\"search\","
         "\"arguments\":\"{\\\"pattern\\\":\\\"x\\\"}\"}",
         NULL);
    show(&s,
         "{\"type\":\"tool.completed\",\"call\":\"a\",\"name\":\"search\",\"ok\":false,"
         "\"duration_ms\":2,\"output\":\"some text\\nerror: no such folder\"}",
         NULL);
    show(&s,
         "{\"type\":\"tool.requested\",\"call\":\"b\",\"name\":\"git_add\","
         "\"arguments\":{\"paths\":[\"a\"]}}",
         NULL);
    show(&s,
         "{\"type\":\"permission.decided\",\"call\":\"b\",\"decision\":\"deny\","
         "\"reason\":\"read-only\"}",
         NULL);
    show(&s,
         "{\"type\":\"tool.completed\",\"call\":\"b\",\"name\":\"git_add\",\"ok\":false,"
         "\"duration_ms\":0,\"output\":\"denied\"}",
         NULL);
    show(&s,
         "{\"type\":\"tool.completed\",\"call\":\"c\",\"name\":\"run_command\",\"ok\":true,"
         "\"duration_ms\":1200,\"output\":\"exit 2 in 1.2 s\\nboo\"}",
         NULL);
    assert_shown(&s, "",
                 "\u2717 search \"x\"  2 ms\n  no such folder\n"
                 "\u2717 git_add a  denied\n  read-only\n"
                 "\u2713 run_command  1.2 s  exit 2\n");
    screen_release(&s);
}

static void nothing_from_outside_acts_on_a_terminal(void **state)
{
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.out_terminal = true, .err_terminal = true, .verbose = true});
    show(&s, "{\"type\":\"reasoning.delta\",\"text\":\"\\u001b[1A\"}", NULL);
    show(&s, "{\"type\":\"message.delta\",\"text\":\"a\\u001b\"}", NULL);
    show(&s, "{\"type\":\"message.delta\",\"text\":\"]52;c;x\\u0007\"}", NULL);
    show(&s,
         "{\"type\":\"tool.requested\",\"call\":\"a\",\"name\":\"\\u001b[2Jx\","
         "\"arguments\":{\"path\":\"\\u202e\\u009b\"}}",
         NULL);
    show(&s, "{\"type\":\"tool.output\",\"call\":\"a\",\"text\":\"\\u001b]0;t\\u0007\"}", NULL);
    show(&s,
         "{\"type\":\"tool.completed\",\"call\":\"a\",\"name\":\"\\u001b[2Jx\",\"ok\":false,"
         "\"duration_ms\":1,\"output\":\"\\u001bc\"}",
         NULL);
    show(&s, "{\"type\":\"warning\",\"message\":\"\\u001b[m\"}", NULL);
    show(&s, "{\"type\":\"file.changed\",\"what\":\"\\u001b\",\"path\":\"\\u001b\"}", NULL);
    show(&s, "{\"type\":\"run.started\",\"agent\":\"\\u001b\",\"instructions\":[\"\\u001b\"]}",
         NULL);
    show(&s, "{\"type\":\"result\",\"exit_code\":0,\"files\":[\"\\u001b\"]}", "\x1b[2J");
    (void)fflush(s.out.file);
    (void)fflush(s.err.file);
    assert_null(strchr(s.out_text, '\x1b'));
    assert_null(strchr(s.err_text, '\x1b')); /* colours are off, nothing is drawn over */
    assert_null(strchr(s.out_text, '\a'));
    assert_null(strchr(s.err_text, '\a'));
    assert_null(strstr(s.err_text, "\u202e"));
    assert_null(strstr(s.err_text, "\xC2\x9B"));
    assert_non_null(strstr(s.out_text, "a\\x1b]52;c;x\\x07"));
    assert_non_null(strstr(s.err_text, "\u2717 \\x1b[2Jx <U+202E><U+009B>"));
    screen_release(&s);
}

/* Every member has a type that it should not have. */
#define ODD                                                                                        \
    "{\"call\":1,\"name\":[],\"arguments\":7,\"text\":{},\"output\":[1],\"tool_calls\":3,"         \
    "\"usage\":\"x\",\"counts\":[],\"files\":{},\"error\":4,\"instructions\":[3,{}]}"

static void odd_events_do_no_harm(void **state)
{
    static const char *const types[] = {"run.started",    "step.started",       "message.completed",
                                        "tool.requested", "permission.decided", "tool.started",
                                        "tool.output",    "tool.completed",     "model.retry",
                                        "budget.warning", "file.changed",       "warning",
                                        "error",          "something.new",      "result"};
    static const char *const bodies[] = {"{}", "[]", "null", "not json", ODD};
    struct screen s;
    (void)state;
    screen_init(&s, &(struct look){.err_terminal = true, .verbose = true});
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (size_t j = 0; j < sizeof bodies / sizeof *bodies; j++) {
            tackle_event event = {.size = sizeof event,
                                  .type = types[i],
                                  .json = bodies[j],
                                  .json_len = strlen(bodies[j])};
            render_text_event(&s.render, &event, "");
        }
    }
    (void)fflush(s.out.file);
    assert_string_equal(s.out_text, "");
    screen_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_the_answer_alone),
        cmocka_unit_test(a_terminal_gets_the_text_as_it_comes),
        cmocka_unit_test(a_terminal_beside_a_file_sees_it_too),
        cmocka_unit_test(quiet_leaves_the_answer),
        cmocka_unit_test(text_without_stream_is_shown),
        cmocka_unit_test(a_partial_answer_is_printed),
        cmocka_unit_test(a_retry_begins_the_text_anew),
        cmocka_unit_test(a_replay_says_that_the_cost_is_recorded),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(nothing_from_outside_acts_on_a_terminal),
        cmocka_unit_test(odd_events_do_no_harm),
    };
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
