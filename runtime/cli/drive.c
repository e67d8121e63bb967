#include "drive.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "result.h"
#include "signals.h"

void drive_init(struct drive *d, struct cli *cli, tackle_runtime *rt)
{
    const struct options *o = &cli->options;
    *d = (struct drive){.cli = cli, .rt = rt};
    approve_init(&d->approve, cli);
    bool text = o->format == FORMAT_TEXT;
    /* In the JSON formats nothing but errors goes to standard error. */
    render_text_init(&d->text, &cli->out, &cli->err, o->quiet || !text, o->verbose > 0 && text);
}

static void forget_result(struct drive *d)
{
    free(d->run);
    free(d->result);
    d->run = NULL;
    d->result = NULL;
    d->seq = 0;
}

void drive_release(struct drive *d)
{
    approve_release(&d->approve);
    render_text_release(&d->text);
    forget_result(d);
}

/* ---- Events ---- */

static void note_run(struct drive *d, const tackle_event *event)
{
    json_t *parsed = json_loadb(event->json, event->json_len, JSON_ALLOW_NUL, NULL);
    const char *run = json_text(parsed, "run");
    if (*run)
        d->run = must(strdup(run));
    json_decref(parsed);
}

void drive_event(void *user, tackle_run *run, const tackle_event *event)
{
    struct drive *d = user;
    struct cli *cli = d->cli;
    enum output_format format = cli->options.format;
    bool last = strcmp(event->type, "result") == 0;
    d->seq = event->seq;
    if (!d->run)
        note_run(d, event);
    approve_event(&d->approve, event);
    if (last) {
        free(d->result);
        d->result = must(strndup(event->json, event->json_len));
    }
    if (format == FORMAT_TEXT)
        render_text_event(&d->text, event, last ? tackle_run_text(run) : NULL);
    else if (last || format == FORMAT_STREAM_JSON)
        result_print_json(&cli->out, event->json, event->json_len);
    /* A reader that has gone away wants no more of this. */
    if (stream_flush(&cli->out) != 0 && !last && !d->unread) {
        d->unread = true;
        tackle_run_cancel(run, SIGPIPE);
    }
}

/* ---- Without a key ---- */

static json_t *ask(int32_t (*fn)(tackle_runtime *, char **, tackle_error *), tackle_runtime *rt)
{
    char *text = NULL;
    if (fn(rt, &text, NULL) != 0)
        return NULL;
    json_t *value = json_loads(text, 0, NULL);
    tackle_free(text);
    return value;
}

/* The value of a setting; "" when it has none. */
static const char *setting_value(const json_t *settings, const char *key)
{
    size_t i;
    json_t *setting;
    json_array_foreach(settings, i, setting)
    {
        if (strcmp(json_text(setting, "key"), key) == 0)
            return json_text(setting, "value");
    }
    return "";
}

/* The provider that "PROVIDER/MODEL" names; the first one when it names none. */
static const json_t *provider_of(const json_t *providers, const char *model)
{
    size_t i;
    json_t *provider;
    json_array_foreach(providers, i, provider)
    {
        const char *name = json_text(provider, "name");
        size_t len = strlen(name);
        if (strncmp(model, name, len) == 0 && model[len] == '/')
            return provider;
    }
    return json_array_get(providers, 0);
}

/* Does the provider that was chosen need a key that is not there? */
static bool key_is_missing(tackle_runtime *rt)
{
    json_t *providers = ask(tackle_list_providers, rt);
    json_t *settings = ask(tackle_show_settings, rt);
    const json_t *provider = provider_of(providers, setting_value(settings, "model"));
    bool missing =
        *json_text(provider, "key_env") && !json_is_true(json_object_get(provider, "key_present"));
    json_decref(settings);
    json_decref(providers);
    return missing;
}

static void print_ways_to_go(struct cli *cli)
{
    (void)fputs(
        "\nWays to go:\n"
        "  a key for the default endpoint   export TACKLE_API_KEY=sk-...\n"
        "  OpenAI                           export OPENAI_API_KEY=...      and  -m openai/MODEL\n"
        "  Google                           export GEMINI_API_KEY=...      and  "
        "-m google/gemini-2.5-pro\n"
        "  OpenRouter                       export OPENROUTER_API_KEY=...  and  "
        "-m openrouter/MODEL\n"
        "  a model on this machine          -m ollama/qwen3   or a llama.cpp server: "
        "-m llama.cpp/any\n"
        "  no key, no network               tackle demo\n",
        cli->err.file);
}

int drive_refused(struct drive *d, const tackle_error *error)
{
    int code = cli_fail(d->cli, error);
    if (strcmp(error->reason, "auth_error") == 0 && key_is_missing(d->rt))
        print_ways_to_go(d->cli);
    return code;
}

/* ---- The loop ---- */

/* Steps until done; passes on the first signal. 0, or -1 with `error`. */
static int step_until_done(struct drive *d, tackle_run *run, tackle_error *error)
{
    bool stopping = false;
    int timeout_ms = d->text.status.enabled ? STATUS_PERIOD_MS : -1;
    while (!tackle_run_done(run)) {
        int caught = signals_caught();
        if (caught && !stopping) {
            stopping = true;
            approve_close(&d->approve);
            if (caught == SIGINT)
                render_text_stopping(&d->text);
            tackle_run_cancel(run, caught);
        }
        bool asking = !stopping && approve_has_question(&d->approve);
        if (asking) {
            status_hide(&d->text.status);
            approve_turn(&d->approve, d->rt, run);
        }
        if (tackle_step(d->rt, asking ? 0 : timeout_ms, error) < 0)
            return -1;
        if (!asking)
            render_text_tick(&d->text);
    }
    return 0;
}

/* Where a replay is not what was recorded. */
static void print_diff(struct cli *cli, const char *diff)
{
    while (*diff) {
        size_t len = strcspn(diff, "\n");
        const char *style = stream_style(&cli->err, *diff == '-'   ? STYLE_RED
                                                    : *diff == '+' ? STYLE_GREEN
                                                    : *diff == '@' ? STYLE_DIM
                                                                   : STYLE_NONE);
        (void)fputs(style, cli->err.file);
        stream_text(&cli->err, diff, len);
        (void)fprintf(cli->err.file, "%s\n", stream_style(&cli->err, STYLE_NONE));
        diff += len + (diff[len] == '\n');
    }
}

/* The line for people that says why it did not work; every format has it. */
static void tell_problem(struct drive *d)
{
    json_t *result = d->result ? json_loads(d->result, JSON_ALLOW_NUL, NULL) : NULL;
    char *problem = result_problem(result);
    bool pipe = json_number(result, "exit_code") == TACKLE_EXIT_SIGNALLED + SIGPIPE;
    if (problem && !pipe)
        cli_complain(d->cli, problem);
    free(problem);
    if (d->cli->options.format == FORMAT_TEXT)
        print_diff(d->cli, json_text(json_object_get(result, "error"), "diff"));
    if (strcmp(json_text(result, "stop_reason"), "auth_error") == 0 && key_is_missing(d->rt))
        print_ways_to_go(d->cli);
    json_decref(result);
}

int drive_run(struct drive *d, tackle_run *run)
{
    tackle_error error = TACKLE_ERROR_INIT;
    forget_result(d);
    if (step_until_done(d, run, &error) == 0) {
        tell_problem(d);
        (void)stream_flush(&d->cli->err);
        return tackle_run_exit_code(run);
    }
    /* The loop itself has failed: there is still exactly one result. */
    approve_close(&d->approve);
    status_hide(&d->text.status);
    cli_complain(d->cli, error.message);
    if (d->cli->options.format != FORMAT_TEXT && !d->result)
        result_print_error(&d->cli->out, &error, d->seq + 1, d->run);
    return error.exit_code ? error.exit_code : TACKLE_EXIT_INTERNAL;
}
