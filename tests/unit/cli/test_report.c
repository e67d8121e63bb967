/* What is told of a run afterwards: gathered from events, as JUnit XML, as a GitHub summary and
 * annotations. */
#include "test_support.h"

#include <jansson.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "github.h"
#include "junit.h"
#include "memory.h"
#include "report.h"

/* Takes `fields`, an object without the members that every event has. */
static void feed(struct report *r, const char *type, json_t *fields)
{
    assert_non_null(fields);
    assert_int_equal(json_object_set_new(fields, "type", json_string(type)), 0);
    assert_int_equal(json_object_set_new(fields, "run", json_string("r1m84swmdwheg3eq9hh")), 0);
    assert_int_equal(json_object_set_new(fields, "ts", json_string("2026-11-23T18:15:00.285Z")), 0);
    char *text = json_dumps(fields, JSON_COMPACT);
    assert_non_null(text);
    const tackle_event event = {
        .size = sizeof event, .type = type, .json = text, .json_len = strlen(text)};
    report_event(r, &event);
    free(text);
    json_decref(fields);
}

static void start(struct report *r)
{
    report_init(r);
    feed(r, "run.started", json_pack("{ss ss}", "agent", "assistant", "model", "m-1"));
}

static void ask(struct report *r, const char *call, const char *name, const char *path)
{
    feed(r, "tool.requested",
         json_pack("{ss ss s{ss}}", "call", call, "name", name, "arguments", "path", path));
}

static void end_call(struct report *r, const char *call, bool ok, const char *output)
{
    feed(r, "tool.completed",
         json_pack("{ss sb sI ss}", "call", call, "ok", ok, "duration_ms", (json_int_t)1500,
                   "output", output));
}

static void end(struct report *r, const char *status, const char *reason, int code,
                const char *text)
{
    feed(r, "result",
         json_pack("{ss ss si ss s{sI sI} sn sI s[{ss ss}]}", "status", status, "stop_reason",
                   reason, "exit_code", code, "text", text, "usage", "input_tokens",
                   (json_int_t)1200, "output_tokens", (json_int_t)30, "cost_usd", "duration_ms",
                   (json_int_t)61000, "files", "path", "a_b.c", "what", "created"));
}

static void make_sample(struct report *r)
{
    start(r);
    ask(r, "1", "read_file", "a.txt");
    ask(r, "2", "read_file", "no\x1b[2J<such>|file");
    ask(r, "3", "write_file", "b");
    ask(r, "4", "read_file", "slow");
    feed(r, "permission.decided",
         json_pack("{ss ss ss}", "call", "3", "decision", "deny", "reason", "it may only read"));
    end_call(r, "3", false, "error: denied");
    end_call(r, "1", true, "text");
    end_call(r, "2", false, "half\nerror: no \"such\" file & folder\nmore");
    end(r, "partial", "max_steps", 9, "An answer\x01 & <more>");
}

static void junit_is_whole(void **state)
{
    static const char wanted[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"tackle\" tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"2\" "
        "time=\"61.000\">\n"
        "  <testsuite name=\"tackle\" tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"2\" "
        "time=\"61.000\" timestamp=\"2026-11-23T18:15:00\">\n"
        "    <properties>\n"
        "      <property name=\"run\" value=\"r1m84swmdwheg3eq9hh\"/>\n"
        "      <property name=\"agent\" value=\"assistant\"/>\n"
        "      <property name=\"model\" value=\"m-1\"/>\n"
        "      <property name=\"status\" value=\"partial\"/>\n"
        "      <property name=\"stop_reason\" value=\"max_steps\"/>\n"
        "      <property name=\"exit_code\" value=\"9\"/>\n"
        "      <property name=\"input_tokens\" value=\"1200\"/>\n"
        "      <property name=\"output_tokens\" value=\"30\"/>\n"
        "    </properties>\n"
        "    <testcase classname=\"tackle\" name=\"run\" time=\"61.000\">\n"
        "      <failure type=\"max_steps\" message=\"stopped: the limit of steps is reached; "
        "--max-steps N allows more\"/>\n"
        "      <system-out>An answer\\x01 &amp; &lt;more&gt;</system-out>\n"
        "    </testcase>\n"
        "    <testcase classname=\"tackle.read_file\" name=\"1 read_file a.txt\" time=\"1.500\"/>\n"
        "    <testcase classname=\"tackle.read_file\" name=\"2 read_file "
        "no\\x1b[2J&lt;such&gt;|file\" time=\"1.500\">\n"
        "      <failure message=\"no &quot;such&quot; file &amp; folder\"/>\n"
        "    </testcase>\n"
        "    <testcase classname=\"tackle.write_file\" name=\"3 write_file b\" time=\"1.500\">\n"
        "      <skipped message=\"it may only read\"/>\n"
        "    </testcase>\n"
        "    <testcase classname=\"tackle.read_file\" name=\"4 read_file slow\" time=\"0.000\">\n"
        "      <skipped message=\"the run ended before this call did\"/>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n";
    struct report r;
    (void)state;
    make_sample(&r);
    char *text = junit_make(&r);
    assert_string_equal(text, wanted);
    free(text);
    report_release(&r);
}

/* XML 1.0 has no place for these, not even escaped. */
static void junit_leaves_out_what_xml_cannot_hold(void **state)
{
    struct report r;
    (void)state;
    start(&r);
    end(&r, "success", "final", 0,
        "a\xEF\xBF\xBE"
        "b\xEF\xBF\xBF"
        "c\xEF\xBF\xBD"
        "d\x7f");
    char *text = junit_make(&r);
    assert_non_null(strstr(text, "<system-out>abc\xEF\xBF\xBD"
                                 "d\\x7f</system-out>"));
    free(text);
    report_release(&r);
}

static void calls_without_end_are_counted(void **state)
{
    struct report r;
    char id[32];
    (void)state;
    start(&r);
    for (int i = 0; i < REPORT_CALLS_MAX + 3; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        ask(&r, id, "read_file", "a");
    }
    end(&r, "success", "final", 0, "x");
    assert_int_equal(r.call_count, REPORT_CALLS_MAX);
    char *text = junit_make(&r);
    assert_non_null(strstr(text, "<system-err>3 more tool calls are not listed</system-err>"));
    free(text);
    text = github_summary(&r, GITHUB_SUMMARY_MAX);
    assert_non_null(strstr(text, "\n9903 more calls are not listed.\n"));
    free(text);
    report_release(&r);
}

static void an_error_has_a_report(void **state)
{
    struct report r;
    tackle_error error = TACKLE_ERROR_INIT;
    (void)state;
    error.exit_code = TACKLE_EXIT_CONFIG;
    (void)snprintf(error.reason, sizeof error.reason, "config_error");
    (void)snprintf(error.message, sizeof error.message, "line 3: what is 'modle'?");
    report_init(&r);
    report_error(&r, &error);
    char *text = junit_make(&r);
    assert_non_null(strstr(text, "tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\""));
    assert_non_null(
        strstr(text, "<error type=\"config_error\" message=\"line 3: what is 'modle'?\"/>"));
    free(text);
    text = github_summary(&r, GITHUB_SUMMARY_MAX);
    assert_non_null(strstr(text, "## tackle: error\n"));
    assert_non_null(strstr(text, "line 3&#58; what is &#39;modle&#39;&#63;"));
    free(text);
    report_release(&r);
}

/* ---- GitHub ---- */

static void summary_holds_no_markdown_of_others(void **state)
{
    struct report r;
    (void)state;
    make_sample(&r);
    char *text = github_summary(&r, GITHUB_SUMMARY_MAX);
    assert_non_null(strstr(text, "## tackle: partial\n"));
    assert_non_null(strstr(text, "\n```text\nAn answer\\x01 & <more>\n```\n"));
    assert_non_null(strstr(text, "<code>no&#92;x1b&#91;2J&#60;such&#62;&#124;file</code>"));
    assert_non_null(strstr(text, "- created <code>a&#95;b&#46;c</code>\n"));
    assert_non_null(strstr(text, "4 tool calls, 1 failed, 1 denied"));
    assert_null(strstr(text, "<such>"));
    free(text);
    report_release(&r);
}

static void no_answer_ends_its_fence(void **state)
{
    struct report r;
    (void)state;
    start(&r);
    end(&r, "success", "final", 0, "```\n`````\n# Not a heading");
    char *text = github_summary(&r, GITHUB_SUMMARY_MAX);
    assert_non_null(strstr(text, "\n``````text\n```\n`````\n# Not a heading\n``````\n"));
    free(text);
    report_release(&r);
}

/* Whatever the room: never more than it, and every fence that is opened is closed. */
static void summary_fits_its_room(void **state)
{
    static const size_t rooms[] = {0, 1, 100, 400, 600, 1000, 2000, 5000, 100000};
    struct report r;
    char *answer = malloc(20001);
    (void)state;
    assert_non_null(answer);
    for (int i = 0; i < 10000; i++)
        memcpy(answer + 2 * i, "\xC3\xA9", 2);
    answer[20000] = '\0';
    make_sample(&r);
    end(&r, "partial", "max_steps", 9, answer);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char *text = github_summary(&r, rooms[i]);
        assert_true(strlen(text) <= rooms[i]);
        const char *open = strstr(text, "\n```text\n");
        assert_true(!open || strstr(open + 1, "\n```\n"));
        /* not cut within a character */
        assert_true(!open || !strstr(open, "\xC3\n"));
        free(text);
    }
    char *whole = github_summary(&r, 100000), *cut = github_summary(&r, 5000);
    assert_non_null(strstr(whole, answer));
    assert_null(strstr(whole, "Cut;"));
    assert_non_null(strstr(cut, "\nCut; the answer has 20000 bytes.\n"));
    free(whole);
    free(cut);
    free(answer);
    report_release(&r);
}

static void summary_is_appended_up_to_the_limit(void **state)
{
    struct report r;
    (void)state;
    char *dir = test_temp_dir(), *path = test_join(dir, "summary.md");
    size_t len = GITHUB_SUMMARY_MAX - 10;
    char *before = malloc(len);
    assert_non_null(before);
    memset(before, 'x', len);
    make_sample(&r);
    assert_int_equal(github_append_summary(&r, path), 0);
    assert_int_equal(github_append_summary(&r, path), 0);
    char *text = test_read_file(path, NULL);
    const char *first = strstr(text, "## tackle: partial");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "## tackle: partial"));
    free(text);
    test_write_file(path, before, len);
    assert_int_equal(github_append_summary(&r, path), 0);
    text = test_read_file(path, &len);
    assert_int_equal(len, GITHUB_SUMMARY_MAX - 10);
    free(text);
    assert_int_equal(github_append_summary(&r, dir), -1);
    free(before);
    report_release(&r);
    test_remove_tree(dir);
    free(path);
    free(dir);
}

static char *annotations(const struct report *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = memory_file(&text, &len);
    github_annotate(r, to);
    (void)fclose(to);
    return text;
}

static void annotations_are_escaped(void **state)
{
    struct report r;
    (void)state;
    start(&r);
    feed(&r, "warning", json_pack("{ss}", "message", "100 %\r\n::error::mine"));
    end(&r, "success", "final", 0, "x");
    char *text = annotations(&r);
    assert_string_equal(text, "::warning title=tackle::100 %25 ::error::mine\n");
    free(text);
    report_release(&r);
}

static void what_is_worth_a_warning(void **state)
{
    struct report r;
    (void)state;
    start(&r);
    feed(&r, "budget.warning",
         json_pack("{ss si si si}", "kind", "max_tool_calls", "used", 8, "limit", 10, "percent",
                   80));
    feed(&r, "model.fallback",
         json_pack("{ss ss ss}", "from", "a", "to", "b", "reason", "a is\nill"));
    end(&r, "success", "final", 0, "x");
    char *text = annotations(&r);
    assert_string_equal(text, "::warning title=tackle::80 %25 of the limit on tool calls is used\n"
                              "::warning title=tackle::b was asked instead of a: a is ill\n");
    free(text);
    report_release(&r);
}

static void annotations_are_capped(void **state)
{
    struct report r;
    size_t lines = 0;
    (void)state;
    start(&r);
    for (int i = 0; i < REPORT_WARNINGS_MAX + 50; i++)
        feed(&r, "warning", json_pack("{ss}", "message", "again"));
    end(&r, "partial", "max_time", 9, "x");
    char *text = annotations(&r);
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1 + GITHUB_ANNOTATIONS_MAX + 1);
    assert_non_null(strstr(text, "::error title=tackle::stopped: the time is up"));
    assert_non_null(strstr(text, "::notice title=tackle::140 more warnings in the log\n"));
    free(text);
    report_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junit_is_whole),
        cmocka_unit_test(junit_leaves_out_what_xml_cannot_hold),
        cmocka_unit_test(calls_without_end_are_counted),
        cmocka_unit_test(an_error_has_a_report),
        cmocka_unit_test(summary_holds_no_markdown_of_others),
        cmocka_unit_test(no_answer_ends_its_fence),
        cmocka_unit_test(summary_fits_its_room),
        cmocka_unit_test(summary_is_appended_up_to_the_limit),
        cmocka_unit_test(annotations_are_escaped),
        cmocka_unit_test(what_is_worth_a_warning),
        cmocka_unit_test(annotations_are_capped),
    };
    (void)setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
