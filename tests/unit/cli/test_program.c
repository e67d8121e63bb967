/* run and chat as people and scripts see them: what is on standard output, what on standard error,
 * and the exit code. */
#include "program.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- run ---- */

static void answer_goes_to_standard_output(void **state)
{
    struct program p = {.script = FINAL};
    (void)state;
    RUN(&p, "run", "Is it?");
    assert_program(&p, 0, "Yes.\n", "1 step, 0 in + 0 out tokens, 5 ms\n");
    program_release(&p);
}

static void prompt_may_come_from_standard_input(void **state)
{
    struct program p = {.script = FINAL, .input = "Is it?\n"};
    (void)state;
    RUN(&p, "run", "-q", "-");
    assert_program(&p, 0, "Yes.\n", "");
    program_release(&p);
    RUN(&p, "run", "-q");
    assert_program(&p, 0, "Yes.\n", "");
    program_release(&p);
}

static void a_prompt_is_needed(void **state)
{
    struct program p = {.script = FINAL};
    (void)state;
    RUN(&p, "run");
    assert_program(&p, 2, "", "tackle: the prompt is empty; write: tackle run \"...\"\n");
    program_release(&p);
    RUN(&p, "run", " \n");
    assert_int_equal(p.code, 2);
    program_release(&p);
    RUN(&p, "run", "two", "words");
    assert_program(&p, 2, "",
                   "tackle: the prompt must be one argument, so put it in quotes: tackle run "
                   "\"two words ...\"\n");
    program_release(&p);
}

static void large_and_binary_input_is_refused(void **state)
{
    struct program p = {.dir = test_temp_dir()};
    (void)state;
    assert_int_equal(program_shell(&p, "head -c 11000000 /dev/zero | tr '\\0' x | '" PROGRAM
                                       "' run >out 2>err; [ $? = 2 ] && [ ! -s out ] && "
                                       "grep -q 'holds more than 10 MiB' err"),
                     0);
    assert_int_equal(program_shell(&p, "printf 'a\\0b' | '" PROGRAM "' run >out 2>err; "
                                       "[ $? = 2 ] && grep -q 'holds a zero byte' err"),
                     0);
    program_release(&p);
}

/* Exactly one object on standard output; the caller's. */
static json_t *only_object(const struct program *p)
{
    json_error_t error;
    json_t *object = json_loads(p->out, 0, &error);
    assert_non_null(object);
    assert_true(p->out[strlen(p->out) - 1] == '\n');
    assert_string_equal(json_string_value(json_object_get(object, "type")), "result");
    return object;
}

static void json_is_the_result_alone(void **state)
{
    struct program p = {.script = FINAL};
    (void)state;
    RUN(&p, "run", "--output-format", "json", "x");
    assert_int_equal(p.code, 0);
    assert_string_equal(p.err, "");
    json_t *result = only_object(&p);
    assert_string_equal(json_string_value(json_object_get(result, "text")), "Yes.");
    json_decref(result);
    program_release(&p);
}

static void stream_json_is_every_event(void **state)
{
    struct program p = {.script =
                            "{\"type\":\"message.delta\",\"text\":\"\\u001b\\u009bYes.\"}\n" FINAL};
    (void)state;
    RUN(&p, "run", "--output-format=stream-json", "x");
    assert_int_equal(p.code, 0);
    int seq = 0;
    for (char *line = p.out; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        json_t *event = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(event, "seq")), ++seq);
        json_decref(event);
        line = end + 1;
    }
    assert_int_equal(seq, 3);
    program_release(&p);
}

static void errors_before_a_run_are_results_too(void **state)
{
    static const struct {
        const char *args[6], *set, *script, *reason;
        int code;
    } cases[] = {
        {{"run", "--output-format", "json", "--nope"}, NULL, FINAL, "usage", 2},
        {{"run", "--output-format", "json"}, NULL, FINAL, "usage", 2},
        {{"run", "--output-format", "json", "--max-steps", "x"}, NULL, FINAL, "usage", 2},
        {{"run", "--output-format", "json", "-o", "/no/where", "x"}, NULL, FINAL, "usage", 2},
        {{"run", "--output-format", "json", "x"}, "FAKE_BAD_CONFIG=1", FINAL, "config_error", 3},
        {{"run", "--output-format", "stream-json", "x"},
         NULL,
         "{\"type\":\"refuse\",\"exit_code\":4,\"reason\":\"auth_error\",\"message\":\"no key\"}",
         "auth_error",
         4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct program p = {.script = cases[i].script, .set = cases[i].set};
        const char *args[8] = {0};
        memcpy(args, cases[i].args, sizeof cases[i].args);
        if (i == 2)
            args[5] = "y";
        program_run(&p, args);
        assert_int_equal(p.code, cases[i].code);
        json_t *result = only_object(&p);
        assert_string_equal(json_string_value(json_object_get(result, "stop_reason")),
                            cases[i].reason);
        assert_int_equal(json_integer_value(json_object_get(result, "exit_code")), cases[i].code);
        assert_string_equal(json_string_value(json_object_get(result, "status")), "error");
        assert_true(strncmp(p.err, "tackle: ", 8) == 0);
        json_decref(result);
        program_release(&p);
    }
}

static void a_broken_loop_still_ends_with_one_result(void **state)
{
    struct program p = {.script = "{\"type\":\"step.started\",\"step\":1}\n{\"type\":\"break\"}\n"};
    (void)state;
    RUN(&p, "run", "--output-format", "stream-json", "x");
    assert_int_equal(p.code, 1);
    char *second = strchr(p.out, '\n') + 1;
    json_t *result = json_loads(second, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(result, "type")), "result");
    assert_int_equal(json_integer_value(json_object_get(result, "seq")), 2);
    assert_string_equal(json_string_value(json_object_get(result, "run")), "r1");
    json_decref(result);
    program_release(&p);
}

static void a_limit_prints_what_there_is(void **state)
{
    struct program p = {.script = "{\"type\":\"result\",\"exit_code\":9,\"stop_reason\":"
                                  "\"max_steps\",\"text\":\"Half\",\"error\":null}\n"};
    (void)state;
    RUN(&p, "run", "-q", "x");
    assert_program(&p, 9, "Half\n",
                   "tackle: stopped: the limit of steps is reached; --max-steps N allows more\n");
    program_release(&p);
}

static void without_a_key_the_ways_are_shown(void **state)
{
    struct program p = {.script = "{\"type\":\"refuse\",\"exit_code\":4,\"reason\":\"auth_error\","
                                  "\"message\":\"no key for the default endpoint\"}\n"};
    (void)state;
    RUN(&p, "run", "x");
    assert_int_equal(p.code, 4);
    assert_true(strncmp(p.err, "tackle: no key for the default endpoint\n", 40) == 0);
    static const char *const ways[] = {"TACKLE_API_KEY",     "OPENAI_API_KEY",  "GEMINI_API_KEY",
                                       "OPENROUTER_API_KEY", "-m ollama/qwen3", "-m llama.cpp/any",
                                       "tackle demo"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        assert_non_null(strstr(p.err, ways[i]));
    program_release(&p);
    p.set = "FAKE_KEY=1"; /* a key that was refused is another matter */
    RUN(&p, "run", "x");
    assert_null(strstr(p.err, "Ways to go"));
    program_release(&p);
}

static void the_answer_is_written_to_a_file(void **state)
{
    struct program p = {.script = FINAL};
    (void)state;
    RUN(&p, "run", "-q", "-o", "answer", "--output-format", "json", "x");
    assert_int_equal(p.code, 0);
    char *path = test_join(p.dir, "answer");
    char *text = test_read_file(path, NULL);
    assert_string_equal(text, "Yes.\n");
    free(text);
    free(path);
    program_release(&p);
}

static void ci_logs_get_no_commands(void **state)
{
    struct program p = {.set = "GITHUB_ACTIONS=true",
                        .script = "{\"type\":\"result\",\"exit_code\":0,\"text\":"
                                  "\"::add-mask::x\"}\n"};
    (void)state;
    RUN(&p, "run", "-q", "x");
    assert_program(&p, 0, ": :add-mask::x\n", "");
    program_release(&p);
}

/* ---- Signals and broken output ---- */

#define WAITING "{\"type\":\"step.started\",\"step\":1}\n{\"type\":\"wait\"}\n"

/* Waits until the child has written something: its handlers are there. */
static void wait_for_output(const struct program *p)
{
    char *path = test_join(p->dir, "out");
    for (;;) {
        char *text = test_read_file(path, NULL);
        bool there = text && *text;
        free(text);
        if (there)
            break;
        (void)poll(NULL, 0, 5);
    }
    free(path);
}

static void signals_cancel(void **state)
{
    static const int signals[][2] = {{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}, {SIGQUIT, 143}};
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct program p = {.script = WAITING};
        pid_t child = program_start(
            &p, (const char *const[]){"run", "--output-format", "stream-json", "x", NULL});
        wait_for_output(&p);
        assert_int_equal(kill(child, signals[i][0]), 0);
        program_finish(&p, child);
        assert_int_equal(p.code, signals[i][1]);
        assert_string_equal(p.err, "tackle: interrupted\n");
        assert_non_null(strstr(p.out, "\"type\":\"result\""));
        program_release(&p);
    }
}

static void a_closed_pipe_ends_quietly(void **state)
{
    struct program p = {.script = "{\"type\":\"step.started\",\"step\":1}\n" WAITING};
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[0]);
    p.out_fd = ends[1];
    RUN(&p, "run", "--output-format", "stream-json", "x");
    (void)close(ends[1]);
    assert_int_equal(p.code, 141);
    assert_string_equal(p.err, "");
    program_release(&p);
}

static void a_full_disk_is_told(void **state)
{
    struct program p = {.script = FINAL, .out_fd = open("/dev/full", O_WRONLY | O_CLOEXEC)};
    (void)state;
    RUN(&p, "run", "-q", "x");
    (void)close(p.out_fd);
    assert_int_equal(p.code, 13);
    assert_string_equal(p.err,
                        "tackle: cannot write to standard output: No space left on device\n");
    program_release(&p);
    p.out_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    RUN(&p, "tools", "ls");
    (void)close(p.out_fd);
    assert_int_equal(p.code, 13);
    program_release(&p);
}

static void a_slow_pipe_loses_nothing(void **state)
{
    struct program p = {0};
    char *script = NULL;
    size_t len = 0;
    (void)state;
    FILE *file = open_memstream(&script, &len);
    for (int i = 0; i < 2000; i++)
        (void)fprintf(file, "{\"type\":\"message.delta\",\"text\":\"%0100d\"}\n", i);
    (void)fputs(FINAL, file);
    assert_int_equal(fclose(file), 0);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    p.script = script;
    p.out_fd = ends[1];
    pid_t child = program_start(
        &p, (const char *const[]){"run", "--output-format", "stream-json", "x", NULL});
    (void)close(ends[1]);
    size_t lines = 0;
    char block[512];
    for (;;) {
        (void)poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1);
        ssize_t n = read(ends[0], block, sizeof block);
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            lines += block[i] == '\n';
    }
    (void)close(ends[0]);
    program_finish(&p, child);
    assert_int_equal(p.code, 0);
    assert_int_equal(lines, 2002);
    free(script);
    program_release(&p);
}

/* ---- On a terminal ---- */

static void a_terminal_without_prompt_is_not_read(void **state)
{
    struct program p = {.script = FINAL};
    (void)state;
    char *text = program_show(&p, NULL, (const char *const[]){"run", NULL});
    assert_int_equal(p.code, 2);
    assert_non_null(strstr(text, "no prompt; write: tackle run"));
    free(text);
    program_release(&p);
}

static void a_terminal_shows_nothing_that_acts(void **state)
{
    struct program p = {.script =
                            "{\"type\":\"message.delta\",\"text\":\"\\u001b]52;c;x\"}\n"
                            "{\"type\":\"message.delta\",\"text\":\"\\u0007\\u009b\"}\n" FINAL};
    (void)state;
    char *text = program_show(&p, NULL, (const char *const[]){"run", "x", NULL});
    assert_int_equal(p.code, 0);
    assert_non_null(strstr(text, "\\x1b]52;c;x\\x07<U+009B>"));
    assert_null(strstr(text, "\x1b]"));
    assert_null(strchr(text, '\a'));
    free(text);
    program_release(&p);
    text = program_show(&p, NULL,
                        (const char *const[]){"run", "--output-format", "stream-json", "x", NULL});
    assert_non_null(strstr(text, "\\u009b"));
    assert_null(strchr(text, '\x1b'));
    free(text);
    program_release(&p);
}

static void chat_on_a_terminal_goes_on_until_the_end(void **state)
{
    struct program p = {.script = FINAL "{\"type\":\"turn\"}\n" FINAL};
    (void)state;
    char *text =
        program_show(&p, "one\ntwo\n\x04", (const char *const[]){"chat", "--color", "never", NULL});
    assert_int_equal(p.code, 0);
    const char *first = strstr(text, "Yes.");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "Yes."));
    free(text);
    program_release(&p);
}

/* ---- chat in a pipe ---- */

static void chat_reads_lines(void **state)
{
    struct program p = {.script = FINAL "{\"type\":\"turn\"}\n" FINAL,
                        .input = "one\n\n/help\ntwo\n/quit\nthree\n"};
    (void)state;
    RUN(&p, "chat", "-q");
    assert_string_equal(p.out, "Yes.\nYes.\n");
    assert_int_equal(p.code, 0);
    program_release(&p);
}

static void chat_without_a_key_ends(void **state)
{
    struct program p = {.script = "{\"type\":\"refuse\",\"exit_code\":4,\"reason\":\"auth_error\","
                                  "\"message\":\"no key\"}\n",
                        .input = "one\ntwo\n"};
    (void)state;
    RUN(&p, "chat");
    assert_int_equal(p.code, 4);
    assert_true(strncmp(p.err, "tackle: no key\n\nWays to go", 26) == 0);
    program_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_goes_to_standard_output),
        cmocka_unit_test(prompt_may_come_from_standard_input),
        cmocka_unit_test(a_prompt_is_needed),
        cmocka_unit_test(large_and_binary_input_is_refused),
        cmocka_unit_test(json_is_the_result_alone),
        cmocka_unit_test(stream_json_is_every_event),
        cmocka_unit_test(errors_before_a_run_are_results_too),
        cmocka_unit_test(a_broken_loop_still_ends_with_one_result),
        cmocka_unit_test(a_limit_prints_what_there_is),
        cmocka_unit_test(without_a_key_the_ways_are_shown),
        cmocka_unit_test(the_answer_is_written_to_a_file),
        cmocka_unit_test(ci_logs_get_no_commands),
        cmocka_unit_test(signals_cancel),
        cmocka_unit_test(a_closed_pipe_ends_quietly),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_slow_pipe_loses_nothing),
        cmocka_unit_test(a_terminal_without_prompt_is_not_read),
        cmocka_unit_test(a_terminal_shows_nothing_that_acts),
        cmocka_unit_test(chat_on_a_terminal_goes_on_until_the_end),
        cmocka_unit_test(chat_reads_lines),
        cmocka_unit_test(chat_without_a_key_ends),
    };
    program_clean_environment();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
