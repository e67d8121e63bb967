/* tackle doctor: could a run work here, and if not, what is to be done? */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"

static void add_check(json_t *report, const char *name, const char *status, const char *text,
                      const char *fix)
{
    json_t *check =
        must(json_pack("{ss ss ss ss?}", "name", name, "status", status, "text", text, "fix", fix));
    (void)json_array_append_new(json_object_get(report, "checks"), check);
    if (strcmp(status, "broken") == 0)
        (void)json_object_set_new(report, "ok", json_false());
}

static void look_at_terminal(struct cli *cli, json_t *report)
{
    const struct stream *out = &cli->out, *err = &cli->err;
    const char *term = getenv("TERM");
    char *text = memory_format("standard output is %s, standard error %s, TERM=%s, colours %s, %s",
                               out->terminal ? "a terminal" : "none",
                               err->terminal ? "is one" : "is none", term ? term : "",
                               out->colour ? "on" : "off", out->utf8 ? "UTF-8" : "no UTF-8");
    add_check(report, "terminal", out->utf8 ? "ok" : "note", text,
              out->utf8 ? NULL : "set LANG to a UTF-8 locale, such as C.UTF-8");
    free(text);
}

/* ---- For people ---- */

static void put_check(struct cli *cli, const json_t *check)
{
    struct stream *to = &cli->out;
    const char *status = json_text(check, "status"), *text = json_text(check, "text");
    const char *fix = json_text(check, "fix");
    enum style style = strcmp(status, "ok") == 0       ? STYLE_GREEN
                       : strcmp(status, "broken") == 0 ? STYLE_RED
                       : strcmp(status, "note") == 0   ? STYLE_YELLOW
                                                       : STYLE_DIM;
    (void)fprintf(to->file, "%s%-8s%s %-14s ", stream_style(to, style), status,
                  stream_style(to, STYLE_NONE), json_text(check, "name"));
    stream_text(to, text, strlen(text));
    (void)fputc('\n', to->file);
    if (!*fix)
        return;
    (void)fprintf(to->file, "%-24sto do: ", "");
    stream_text(to, fix, strlen(fix));
    (void)fputc('\n', to->file);
}

static void put_list(struct cli *cli, const json_t *list, const char *first, const char *second)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        const json_t *value = json_object_get(row, second);
        char *other = json_is_string(value) ? must(strdup(json_string_value(value)))
                      : json_is_boolean(value)
                          ? must(strdup(json_is_true(value) ? "read" : "not there"))
                      : json_is_array(value) ? lookup_join(value)
                                             : json_dumps(value, JSON_ENCODE_ANY);
        char *line = memory_format("%s: %s", json_text(row, first), other ? other : "");
        const char *origin = json_text(row, "origin");
        (void)fputs("  ", cli->out.file);
        stream_text(&cli->out, line, strlen(line));
        (void)fprintf(cli->out.file, *origin ? " (%s)\n" : "%s\n", origin);
        free(line);
        free(other);
    }
}

static void put_versions(struct cli *cli, const json_t *versions)
{
    const char *name;
    json_t *version;
    (void)fputs("versions\n", cli->out.file);
    json_object_foreach((json_t *)versions, name, version)(void)
        fprintf(cli->out.file, "  %s: %s\n", name, json_string_value(version));
}

static void put_report(struct cli *cli, const json_t *report)
{
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(report, "checks"), i, check) put_check(cli, check);
    (void)fputs("\nconfiguration files, the last one wins\n", cli->out.file);
    put_list(cli, json_object_get(report, "configuration"), "path", "found");
    (void)fputs("settings that are not the default\n", cli->out.file);
    put_list(cli, json_object_get(report, "settings"), "key", "value");
    (void)fputs("plugins\n", cli->out.file);
    put_list(cli, json_object_get(report, "plugins"), "path", "status");
    put_versions(cli, json_object_get(report, "versions"));
}

/* ---- Asking ---- */

/* Configuration that cannot be read is a finding like any other. NULL with the exit code. */
static json_t *examine(struct cli *cli, int *code)
{
    tackle_error error = TACKLE_ERROR_INIT, unread = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    char *text = NULL;
    json_t *report = NULL;
    uint32_t flags = cli->options.offline ? TACKLE_DOCTOR_OFFLINE : 0;
    if (cli_runtime_bare(cli, &rt, &error) != 0)
        goto out;
    bool bad = !cli->options.bare && tackle_load_config(rt, &unread) != 0;
    if (tackle_doctor(rt, flags, &text, &error) != 0)
        goto out;
    report = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (!report)
        cli_error(&error, TACKLE_EXIT_INTERNAL, "internal", "the library gave no valid JSON");
    else if (bad)
        add_check(report, "configuration", "broken", unread.message, "correct that line");
out:
    if (!report)
        *code = cli_fail(cli, &error);
    tackle_free(text);
    tackle_runtime_free(rt);
    return report;
}

static int run(struct cli *cli)
{
    int code = cli_check_words(cli, 0, 0, "no words");
    if (code != 0)
        return code;
    json_t *report = examine(cli, &code);
    if (!report)
        return code;
    look_at_terminal(cli, report);
    if (!lookup_print(cli, report))
        put_report(cli, report);
    code = json_is_true(json_object_get(report, "ok")) ? TACKLE_EXIT_OK : TACKLE_EXIT_CONFIG;
    json_decref(report);
    return code;
}

const struct command command_doctor = {
    .name = "doctor",
    .usage = "[--json] [--offline]",
    .summary = "find out whether a run could work here, and what is missing",
    .details = "Looks at configuration, key, endpoint (one GET of its list of models, which costs "
               "nothing), plugins, sandbox and terminal, with the settings that 'tackle run' would "
               "have. Exit code 3 when something that is needed is broken. Keys are never shown.",
    .examples = "tackle doctor\n"
                "tackle doctor --agent repo-chores -m ollama/qwen3\n"
                "tackle doctor --offline --json\n",
    .groups = " model ",
    .run = run,
};
