#include "junit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "memory.h"
#include "result.h"

#define ANSWER_MAX ((size_t)1 << 20)

/* Text that has been cleaned, with what XML 1.0 gives a meaning escaped; what it has no place for
 * (section 2.2: controls, U+FFFE and U+FFFF) is left out. */
static void put_xml(FILE *to, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            (void)fputs("&amp;", to);
        else if (c == '<')
            (void)fputs("&lt;", to);
        else if (c == '>')
            (void)fputs("&gt;", to);
        else if (c == '"')
            (void)fputs("&quot;", to);
        else if (c == '\n' || c == '\t')
            (void)fprintf(to, "&#%d;", c); /* an attribute would turn it into a blank */
        else if (strncmp(text, "\xEF\xBF\xBE", 3) == 0 || strncmp(text, "\xEF\xBF\xBF", 3) == 0)
            text += 2;
        else if (c >= 0x20)
            (void)fputc(c, to);
    }
}

static void put_attribute(FILE *to, const char *name, const char *text)
{
    (void)fprintf(to, " %s=\"", name);
    put_xml(to, text);
    (void)fputc('"', to);
}

static void put_property(FILE *to, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    (void)fprintf(to, "      <property name=\"%s\"", name);
    put_attribute(to, "value", text);
    (void)fputs("/>\n", to);
}

static void put_number(FILE *to, const char *name, const json_t *value)
{
    char *text =
        json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) : NULL;
    put_property(to, name, text);
    free(text);
}

static void put_properties(FILE *to, const struct report *r)
{
    const json_t *usage = json_object_get(r->result, "usage");
    (void)fputs("    <properties>\n", to);
    put_property(to, "run", r->run);
    put_property(to, "agent", r->agent);
    put_property(to, "model", r->model);
    put_property(to, "status", json_text(r->result, "status"));
    put_property(to, "stop_reason", json_text(r->result, "stop_reason"));
    put_number(to, "exit_code", json_object_get(r->result, "exit_code"));
    put_number(to, "input_tokens", json_object_get(usage, "input_tokens"));
    put_number(to, "output_tokens", json_object_get(usage, "output_tokens"));
    put_number(to, "cost_usd", json_object_get(r->result, "cost_usd"));
    (void)fputs("    </properties>\n", to);
}

static void put_time(FILE *to, int64_t ms)
{
    (void)fprintf(to, " time=\"%" PRId64 ".%03" PRId64 "\"", ms / 1000, ms % 1000);
}

static bool is_error(const struct report *r)
{
    return strcmp(json_text(r->result, "status"), "error") == 0;
}

static void put_answer(FILE *to, const struct report *r)
{
    char *clean = NULL;
    size_t len = 0;
    const char *text = json_text(r->result, "text");
    size_t whole = strlen(text);
    if (whole == 0)
        return;
    FILE *file = memory_file(&clean, &len);
    clean_text(CLEAN_TERMINAL, file, text, whole < ANSWER_MAX ? whole : ANSWER_MAX);
    memory_close(file, &clean);
    (void)fputs("      <system-out>", to);
    put_xml(to, clean);
    (void)fprintf(to, "%s</system-out>\n", whole > ANSWER_MAX ? "&#10;(cut)" : "");
    free(clean);
}

static void put_run(FILE *to, const struct report *r)
{
    (void)fputs("    <testcase classname=\"tackle\" name=\"run\"", to);
    put_time(to, json_number(r->result, "duration_ms"));
    (void)fputs(">\n", to);
    char *problem = result_problem(r->result);
    if (problem) {
        const char *element = is_error(r) ? "error" : "failure";
        (void)fprintf(to, "      <%s", element);
        put_attribute(to, "type", json_text(r->result, "stop_reason"));
        put_attribute(to, "message", problem);
        (void)fputs("/>\n", to);
    }
    free(problem);
    put_answer(to, r);
    (void)fputs("    </testcase>\n", to);
}

static void put_call(FILE *to, const struct report_call *call, size_t number)
{
    char *name = memory_format("%zu %s%s%s", number, call->name, *call->arguments ? " " : "",
                               call->arguments);
    char *class = memory_format("tackle.%s", call->name);
    (void)fputs("    <testcase", to);
    put_attribute(to, "classname", class);
    put_attribute(to, "name", name);
    put_time(to, call->duration_ms);
    if (call->outcome == CALL_OK) {
        (void)fputs("/>\n", to);
    } else {
        (void)fprintf(to, ">\n      <%s", call->outcome == CALL_FAILED ? "failure" : "skipped");
        put_attribute(to, "message", call->why ? call->why : "the run ended before this call did");
        (void)fputs("/>\n    </testcase>\n", to);
    }
    free(class);
    free(name);
}

static void put_totals(FILE *to, const struct report *r)
{
    bool failed = json_number(r->result, "exit_code") != 0;
    (void)fprintf(to, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\"",
                  r->call_count + 1, report_count(r, CALL_FAILED) + (failed && !is_error(r)),
                  failed && is_error(r), report_count(r, CALL_DENIED) + report_count(r, CALL_OPEN));
    put_time(to, json_number(r->result, "duration_ms"));
}

char *junit_make(const struct report *report)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = memory_file(&text, &len);
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tackle\"", to);
    put_totals(to, report);
    (void)fputs(">\n  <testsuite name=\"tackle\"", to);
    put_totals(to, report);
    /* ISO 8601 without zone, which is how the JUnit schema has it. */
    if (report->started && strlen(report->started) >= 19)
        (void)fprintf(to, " timestamp=\"%.19s\"", report->started);
    (void)fputs(">\n", to);
    put_properties(to, report);
    put_run(to, report);
    for (size_t i = 0; i < report->call_count; i++)
        put_call(to, &report->calls[i], i + 1);
    if (report->calls_more)
        (void)fprintf(to, "    <system-err>%zu more tool calls are not listed</system-err>\n",
                      report->calls_more);
    (void)fputs("  </testsuite>\n</testsuites>\n", to);
    memory_close(to, &text);
    return text;
}
