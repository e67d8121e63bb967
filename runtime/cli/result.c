#include "result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "line.h"
#include "memory.h"

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

int64_t json_number(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

void result_print_json(struct stream *to, const char *json, size_t len)
{
    clean_text(to->ci_log     ? CLEAN_JSON_LOG
               : to->terminal ? CLEAN_JSON
                              : CLEAN_NONE,
               to->file, json, len);
    (void)fputc('\n', to->file);
}

/* RFC 3339, UTC, as the events have it. */
static void timestamp(char *out, size_t size)
{
    struct timespec now = {0};
    struct tm utc;
    char seconds[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    (void)snprintf(out, size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

static const char *status_of(int32_t exit_code)
{
    if (exit_code > TACKLE_EXIT_SIGNALLED)
        return "interrupted";
    return exit_code == TACKLE_EXIT_BUDGET ? "partial" : "error";
}

json_t *result_of_error(const tackle_error *error, uint64_t seq, const char *run)
{
    char ts[48];
    timestamp(ts, sizeof ts);
    /* The message may quote anything; this makes it UTF-8. */
    char *message = line_make(error->message, strlen(error->message), 0, true);
    json_t *result = must(json_pack(
        "{si sI ss ss? ss ss ss si ss sn s{si si si si} sn s{si si si si si} s[] s[] s[] s{ss ss} "
        "si sb sn sn sn}",
        "v", 1, "seq", (json_int_t)seq, "ts", ts, "run", run, "type", "result", "status",
        status_of(error->exit_code), "stop_reason", *error->reason ? error->reason : "internal",
        "exit_code", error->exit_code ? (int)error->exit_code : TACKLE_EXIT_INTERNAL, "text", "",
        "structured", "usage", "input_tokens", 0, "output_tokens", 0, "reasoning_tokens", 0,
        "cached_tokens", 0, "cost_usd", "counts", "steps", 0, "tool_calls", 0, "tool_errors", 0,
        "denials", 0, "retries", 0, "denials", "approvals", "files", "error", "reason",
        *error->reason ? error->reason : "internal", "message", message, "duration_ms", 0,
        "resumable", 0, "resume_cmd", "sandbox", "report"));
    free(message);
    return result;
}

void result_print_error(struct stream *to, const tackle_error *error, uint64_t seq, const char *run)
{
    json_t *result = result_of_error(error, seq, run);
    char *line = must(json_dumps(result, JSON_COMPACT));
    result_print_json(to, line, strlen(line));
    free(line);
    json_decref(result);
}

char *result_problem(const json_t *result)
{
    static const struct {
        const char *reason, *problem;
    } problems[] = {
        {"max_steps", "stopped: the limit of steps is reached; --max-steps N allows more"},
        {"max_tool_calls", "stopped: the limit of tool calls is reached; --max-tool-calls N allows "
                           "more"},
        {"max_tokens", "stopped: the limit of tokens is reached; --max-tokens N allows more"},
        {"max_cost", "stopped: the limit of cost is reached; --max-cost-usd X allows more"},
        {"max_time", "stopped: the time is up; --max-time TIME allows more"},
        {"loop_detected", "stopped: the same tool calls came again and again"},
        {"empty_answer", "the model gave an empty answer; try again, or another model"},
        {"output_truncated", "the answer was cut at the model's own limit of output"},
        {"refusal", "the model refused to answer"},
        {"content_filter", "the endpoint's content filter ended the answer"},
        {"denied", "stopped after a denial; the run would need more rights, see --sandbox"},
        {"interrupted", "interrupted"},
    };
    if (json_number(result, "exit_code") == 0)
        return NULL;
    const char *reason = json_text(result, "stop_reason");
    const char *message = json_text(json_object_get(result, "error"), "message");
    if (*message)
        return must(strdup(message));
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        if (strcmp(problems[i].reason, reason) == 0)
            return must(strdup(problems[i].problem));
    return memory_format("stopped: %s", *reason ? reason : "unknown reason");
}

char *result_budget_line(const json_t *event)
{
    static const struct {
        const char *kind, *of;
    } limits[] = {{"max_steps", "steps"},
                  {"max_tool_calls", "tool calls"},
                  {"max_tokens", "tokens"},
                  {"max_cost", "cost"},
                  {"max_time", "time"}};
    const char *kind = json_text(event, "kind"), *of = "this run";
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(limits[i].kind, kind) == 0)
            of = limits[i].of;
    return memory_format("%" PRId64 " %% of the limit on %s is used", json_number(event, "percent"),
                         of);
}

static void put_counted(struct stream *to, int64_t count, const char *what)
{
    (void)fprintf(to->file, "%" PRId64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void put_tool_counts(struct stream *to, const json_t *counts, const char *dot)
{
    int64_t errors = json_number(counts, "tool_errors"), denials = json_number(counts, "denials");
    if (json_number(counts, "tool_calls") == 0)
        return;
    (void)fputs(dot, to->file);
    put_counted(to, json_number(counts, "tool_calls"), "tool call");
    if (errors > 0 && denials > 0)
        (void)fprintf(to->file, " (%" PRId64 " failed, %" PRId64 " denied)", errors, denials);
    else if (errors > 0 || denials > 0)
        (void)fprintf(to->file, " (%" PRId64 " %s)", errors + denials,
                      errors > 0 ? "failed" : "denied");
}

static void put_files(struct stream *to, const json_t *files)
{
    size_t i;
    json_t *file;
    if (json_array_size(files) == 0)
        return;
    (void)fputs("changed: ", to->file);
    json_array_foreach(files, i, file)
    {
        const char *path = json_is_string(file) ? json_string_value(file) : json_text(file, "path");
        char *line = line_make(path, strlen(path), 0, true);
        (void)fprintf(to->file, "%s%s", i ? ", " : "", line);
        free(line);
    }
    (void)fputc('\n', to->file);
}

/* One line of the report: a label and names, those of `list` for which `wanted` holds. */
static void put_names(struct stream *to, const char *label, const json_t *list, const char *key,
                      const char *by, const bool *allowed)
{
    size_t i, shown = 0;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *name = json_text(item, key);
        if (allowed && json_is_true(json_object_get(item, "allowed")) != *allowed)
            continue;
        char *line = line_make(name, strlen(name), 0, true);
        (void)fprintf(to->file, "%s%s", shown++ ? ", " : label, line);
        if (by)
            (void)fprintf(to->file, " (%s)", json_text(item, by));
        free(line);
    }
    if (shown > 0)
        (void)fputc('\n', to->file);
}

static void put_some(struct stream *to, int64_t count, const char *what, const char *more)
{
    if (count == 0)
        return;
    put_counted(to, count, what);
    (void)fprintf(to->file, " %s\n", more);
}

/* Only what is worth a look. */
static void put_report(struct stream *to, const json_t *report)
{
    static const bool yes = true, no = false;
    const json_t *hosts = json_object_get(report, "hosts");
    const json_t *calls = json_object_get(report, "calls");
    (void)fputs(stream_style(to, STYLE_DIM), to->file);
    put_names(to, "hosts: ", hosts, "host", NULL, &yes);
    put_some(to, (int64_t)json_array_size(json_object_get(report, "truncated")), "result",
             "too long for the model, and cut");
    (void)fprintf(to->file, "%s%s", stream_style(to, STYLE_NONE), stream_style(to, STYLE_YELLOW));
    put_names(to, "hosts refused: ", hosts, "host", NULL, &no);
    put_names(to, "look at these, other programs run them: ", json_object_get(report, "executed"),
              "path", "by", NULL);
    if (report && !json_is_true(json_object_get(report, "executed_complete")))
        (void)fputs("not all files that commands may have changed were looked at\n", to->file);
    put_some(to, (int64_t)json_array_size(json_object_get(report, "killed")), "call",
             "had to be killed");
    put_some(to, json_number(calls, "unknown"), "call", "may or may not have taken effect");
    (void)fputs(stream_style(to, STYLE_NONE), to->file);
}

/* Who turns the sandbox off is told so each time. */
static void put_unconfined(struct stream *to, const json_t *sandbox)
{
    if (strcmp(json_text(sandbox, "tier"), "off") == 0)
        (void)fprintf(to->file, "%sthe sandbox was off: tools ran with all of your rights%s\n",
                      stream_style(to, STYLE_RED), stream_style(to, STYLE_NONE));
}

void result_print_summary(struct stream *to, const json_t *result, bool replayed)
{
    const char *dot = to->utf8 ? " \xC2\xB7 " : ", ";
    const json_t *usage = json_object_get(result, "usage");
    const json_t *counts = json_object_get(result, "counts");
    const json_t *cost = json_object_get(result, "cost_usd");
    char in[LINE_SHORT], out[LINE_SHORT], time[LINE_SHORT];
    line_count(json_number(usage, "input_tokens"), in);
    line_count(json_number(usage, "output_tokens"), out);
    line_duration(json_number(result, "duration_ms"), time);
    (void)fputs(stream_style(to, STYLE_DIM), to->file);
    put_counted(to, json_number(counts, "steps"), "step");
    put_tool_counts(to, counts, dot);
    (void)fprintf(to->file, "%s%s in + %s out tokens", dot, in, out);
    if (json_is_number(cost))
        (void)fprintf(to->file, "%s$%.4f%s", dot, json_number_value(cost),
                      replayed ? " when it was recorded" : "");
    (void)fprintf(to->file, "%s%s\n", dot, time);
    put_files(to, json_object_get(result, "files"));
    (void)fputs(stream_style(to, STYLE_NONE), to->file);
    put_report(to, json_object_get(result, "report"));
    put_unconfined(to, json_object_get(result, "sandbox"));
}
