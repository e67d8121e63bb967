/* tackle runs: the runs that were recorded. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"
#include "table.h"

#define LINES_SHOWN 12

/* ---- Which there are ---- */

/* "2026-11-23 18:51" of "2026-11-23T18:51:51.304Z". malloc'd. */
static char *short_time(const char *started)
{
    char *text = memory_format("%.16s", started);
    char *letter = strchr(text, 'T');
    if (letter)
        *letter = ' ';
    return text;
}

static void add_run(struct table *table, const json_t *run)
{
    const char *problem = json_text(run, "problem");
    const json_t *cost = json_object_get(run, "cost_usd");
    char *when = short_time(json_text(run, "started"));
    char *status =
        memory_format("%s%s", json_text(run, "status"),
                      json_is_true(json_object_get(run, "resumable")) ? " (resumable)" : "");
    char *steps = memory_format("%lld", (long long)json_number(run, "steps"));
    char *price = json_is_number(cost) && json_number_value(cost) >= 0
                      ? memory_format("$%.4f", json_number_value(cost))
                      : must(strdup("-"));
    table_cell(table, json_text(run, "id"));
    table_cell(table, when);
    table_cell(table, status);
    table_cell(table, steps);
    table_cell(table, price);
    table_cell(table, *problem ? problem : json_text(run, "prompt"));
    free(when);
    free(status);
    free(steps);
    free(price);
}

static int list_runs(struct cli *cli, const char **words)
{
    static const char *const headings[] = {"RUN",   "BEGUN (UTC)", "STATUS",
                                           "STEPS", "COST",        "PROMPT"};
    json_t *runs;
    (void)words;
    int code = lookup(cli, tackle_list_runs, &runs);
    if (code == 0 && !lookup_print(cli, runs)) {
        struct table table;
        size_t i;
        json_t *run;
        table_init(&table, headings, 6);
        json_array_foreach(runs, i, run)
        {
            add_run(&table, run);
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(runs);
    return code;
}

/* ---- One of them ---- */

static void heading(struct cli *cli, const char *who, const char *what)
{
    (void)fprintf(cli->out.file, "\n%s%s%s ", stream_style(&cli->out, STYLE_BOLD), who,
                  stream_style(&cli->out, STYLE_NONE));
    stream_text(&cli->out, what, strlen(what));
    (void)fputc('\n', cli->out.file);
}

/* A text with its first lines, all of it with -v. */
static void print_lines(struct cli *cli, const char *text)
{
    size_t lines = 0, len = 0;
    while (text[len] && (cli->options.verbose || lines < LINES_SHOWN))
        lines += text[len++] == '\n';
    stream_text(&cli->out, text, len);
    if (len == 0 || text[len - 1] != '\n')
        (void)fputc('\n', cli->out.file);
    if (text[len])
        (void)fputs("[...; -v shows all]\n", cli->out.file);
}

static void print_content(struct cli *cli, const json_t *content)
{
    size_t i;
    json_t *part;
    if (json_is_string(content))
        print_lines(cli, json_string_value(content));
    json_array_foreach(content, i, part)
    {
        const char *text = json_text(part, "text");
        print_lines(cli, *text ? text : "[a file]");
    }
}

static void print_message(struct cli *cli, const json_t *message)
{
    size_t i;
    json_t *call;
    const char *role = json_text(message, "role");
    if (strcmp(role, "tool") == 0 || (strcmp(role, "system") == 0 && !cli->options.verbose))
        return; /* results are told with their calls */
    heading(cli, role, "");
    print_content(cli, json_object_get(message, "content"));
    json_array_foreach(json_object_get(message, "tool_calls"), i, call)
    {
        const json_t *function = json_object_get(call, "function");
        char *line = memory_format("-> %s %s\n", json_text(function, "name"),
                                   json_text(function, "arguments"));
        stream_text(&cli->out, line, strlen(line));
        free(line);
    }
}

static void print_record(struct cli *cli, const json_t *record)
{
    const char *kind = json_text(record, "k");
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(record, "messages"), i, message)
    {
        print_message(cli, message);
    }
    if (strcmp(kind, "tool_finished") == 0) {
        heading(cli, "result", json_text(record, "name"));
        print_lines(cli, json_text(record, "result"));
    } else if (strcmp(kind, "run_finished") == 0) {
        const json_t *result = json_object_get(record, "result");
        heading(cli, json_text(result, "status"), json_text(result, "stop_reason"));
    }
}

static int show_run(struct cli *cli, const char **words)
{
    json_t *run, *record;
    size_t i;
    int code = lookup_named(cli, tackle_show_run, words[0], &run);
    if (code == 0 && !lookup_print(cli, run)) {
        lookup_field(cli, "run", json_text(run, "id"));
        lookup_field(cli, "begun", json_text(run, "started"));
        lookup_field(cli, "status", json_text(run, "status"));
        lookup_field(cli, "forked from", json_text(run, "forked_from"));
        lookup_field(cli, "agent", json_text(run, "agent"));
        lookup_field(cli, "model", json_text(run, "model"));
        lookup_field(cli, "workspace", json_text(run, "workspace"));
        json_array_foreach(json_object_get(run, "records"), i, record)
        {
            print_record(cli, record);
        }
    }
    json_decref(run);
    return code;
}

static int export_run(struct cli *cli, const char **words)
{
    json_t *run;
    int code = lookup_named(cli, tackle_export_run, words[0], &run);
    if (code == 0) {
        char *text = must(json_dumps(run, JSON_COMPACT));
        result_print_json(&cli->out, text, strlen(text));
        free(text);
    }
    json_decref(run);
    return code;
}

/* ---- Removing ---- */

static int remove_run(struct cli *cli, tackle_runtime *rt, const char *id)
{
    tackle_error error = TACKLE_ERROR_INIT;
    if (tackle_remove_run(rt, id, &error) != 0)
        return cli_fail(cli, &error);
    if (!cli->options.quiet)
        lookup_field(cli, "removed", id);
    return 0;
}

/* "30d", "12h", "90m", "45s" in seconds; -1: it is none of these. */
static long long parse_age(const char *text)
{
    static const char units[] = "smhd";
    static const int seconds[] = {1, 60, 3600, 86400};
    char *end = NULL;
    errno = 0;
    long long number = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    if (number < 0 || errno || number > 36500 || !*end || end[1])
        return -1;
    const char *unit = strchr(units, *end);
    return unit ? number * seconds[unit - units] : -1;
}

/* Did it begin before `limit`, a time in the same form, its second included? Those that cannot be
 * read stay. */
static bool is_older(const json_t *run, const char *limit)
{
    const char *started = json_text(run, "started");
    return *started && strcmp(started, limit) < 0 &&
           strcmp(json_text(run, "status"), "running") != 0;
}

static int remove_older(struct cli *cli, tackle_runtime *rt, long long seconds)
{
    char limit[32] = "", *text = NULL;
    tackle_error error = TACKLE_ERROR_INIT;
    struct tm tm;
    time_t then = time(NULL) - (time_t)seconds;
    size_t i;
    json_t *run;
    int code = 0;
    if (!gmtime_r(&then, &tm) || !strftime(limit, sizeof limit, "%Y-%m-%dT%H:%M:%S.999Z", &tm) ||
        tackle_list_runs(rt, &text, &error) != 0)
        return cli_fail(cli, &error);
    json_t *runs = json_loads(text, JSON_ALLOW_NUL, NULL);
    json_array_foreach(runs, i, run)
    {
        if (code == 0 && is_older(run, limit))
            code = remove_run(cli, rt, json_text(run, "id"));
    }
    json_decref(runs);
    tackle_free(text);
    return code;
}

static int remove_runs(struct cli *cli, const char **words)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    const char *age = cli->options.older_than;
    long long seconds = age ? parse_age(age) : 0;
    int code = 0;
    if (!age == !words[0])
        return cli_usage(cli, "write: tackle runs rm RUN..., or: tackle runs rm --older-than 30d");
    if (seconds < 0)
        return cli_usage(cli, "--older-than: '%.40s' is no age; write 30d, 12h, 90m or 45s", age);
    if (cli_runtime(cli, &rt, &error) != 0)
        code = cli_fail(cli, &error);
    else if (age)
        code = remove_older(cli, rt, seconds);
    for (; rt && *words && code == 0; words++)
        code = remove_run(cli, rt, *words);
    tackle_runtime_free(rt);
    return code;
}

/* ---- Checking and repairing ---- */

static int tell_health(struct cli *cli, lookup_named_fn *look, const char *id, bool *ok)
{
    json_t *health;
    int code = lookup_named(cli, look, id, &health);
    *ok = json_is_true(json_object_get(health, "ok"));
    if (code == 0 && !lookup_print(cli, health)) {
        char *records = memory_format("%lld", (long long)json_number(health, "records"));
        char *dropped =
            memory_format("%lld bytes", (long long)json_number(health, "dropped_bytes"));
        lookup_field(cli, *ok ? "ok" : "damaged", json_text(health, "id"));
        lookup_field(cli, "records", records);
        if (json_number(health, "dropped_bytes") > 0)
            lookup_field(cli, json_is_true(json_object_get(health, "torn")) ? "torn" : "behind it",
                         dropped);
        lookup_field(cli, "problem", json_text(health, "problem"));
        free(records);
        free(dropped);
    }
    json_decref(health);
    return code;
}

static int verify_run(struct cli *cli, const char **words)
{
    bool ok;
    int code = tell_health(cli, tackle_verify_run, words[0], &ok);
    return code ? code : ok ? TACKLE_EXIT_OK : TACKLE_EXIT_SESSION;
}

static int repair_run(struct cli *cli, const char **words)
{
    bool was_ok;
    return tell_health(cli, tackle_repair_run, words[0], &was_ok);
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {
        {"ls", "", 0, 0, list_runs},         {"show", "RUN", 1, 1, show_run},
        {"export", "RUN", 1, 1, export_run}, {"rm", "RUN...", 0, 1000, remove_runs},
        {"verify", "RUN", 1, 1, verify_run}, {"repair", "RUN", 1, 1, repair_run}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_runs = {
    .name = "runs",
    .usage = "ls | show RUN | export RUN | rm RUN... | verify RUN | repair RUN",
    .summary = "look at, export and remove the runs that were recorded",
    .details =
        "'show' prints what was said and done, -v all of it. 'export' prints one JSON object "
        "with every record, keys redacted. 'verify' says whether a journal is whole (exit "
        "code 13: it is not); 'repair' cuts off what is not, and keeps the damaged file "
        "beside it.",
    .examples = "tackle runs ls\n"
                "tackle runs show r1m84w03m79dsvk9a1q\n"
                "tackle runs rm --older-than 30d\n",
    .groups = " state ",
    .actions = "ls show export rm verify repair",
    .run = run,
};
