/* tackle wire: what goes over the wire, looked at without sending anything. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"

#define FILE_MAX ((size_t)256 << 20)

/* A whole file, or standard input for "-". NULL with `error`: exit code 3. */
static char *read_file(const char *path, size_t *len, tackle_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        cli_error(error, TACKLE_EXIT_CONFIG, "config_error", "cannot read %s: %s", path,
                  strerror(errno));
        return NULL;
    }
    char *bytes = cli_read_bytes(fd, standard ? "standard input" : path, FILE_MAX, len, error);
    if (!standard)
        (void)close(fd);
    if (!bytes) {
        error->exit_code = TACKLE_EXIT_CONFIG;
        (void)snprintf(error->reason, sizeof error->reason, "config_error");
    }
    return bytes;
}

/* A whole number from `least` to `most`, which are positive; 0 for anything else. */
static long number(const char *text, long least, long most)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    bool whole = text[strspn(text, "0123456789")] == '\0' && *text;
    return whole && errno == 0 && value >= least && value <= most ? value : 0;
}

/* 0, or the exit code after telling. */
static int read_options(struct cli *cli, tackle_wire_options *out)
{
    const struct options *o = &cli->options;
    *out = (tackle_wire_options){.size = sizeof *out};
    if (o->status) {
        out->status = (int32_t)number(o->status, 100, 599);
        if (out->status == 0)
            return cli_usage(cli, "--status: '%s' is not an HTTP status from 100 to 599",
                             o->status);
    }
    if (o->chunk && strcmp(o->chunk, "random") == 0) {
        out->random = 1;
    } else if (o->chunk) {
        out->chunk = (uint64_t)number(o->chunk, 1, INT32_MAX);
        if (out->chunk == 0)
            return cli_usage(cli, "--chunk: '%s' is neither a number of bytes from 1 up nor random",
                             o->chunk);
    }
    return 0;
}

/* One line for programs; for a person on a terminal, spread out. */
static void print(struct cli *cli, const char *json)
{
    char *spread = NULL;
    if (cli->out.terminal && cli->options.format == FORMAT_TEXT) {
        json_t *value = json_loads(json, JSON_ALLOW_NUL, NULL);
        spread = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
        json_decref(value);
    }
    const char *text = spread ? spread : json;
    result_print_json(&cli->out, text, strlen(text));
    free(spread);
}

static int finish(struct cli *cli, int32_t status, char *json, const tackle_error *error)
{
    if (status != 0)
        return cli_fail(cli, error);
    print(cli, json);
    tackle_free(json);
    return TACKLE_EXIT_OK;
}

static int parse(struct cli *cli, const char **words)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_wire_options options;
    size_t len;
    char *json = NULL;
    int code = read_options(cli, &options);
    if (code != 0)
        return code;
    char *body = read_file(words[0], &len, &error);
    if (!body)
        return cli_fail(cli, &error);
    int32_t status = tackle_wire_parse(body, len, &options, &json, &error);
    free(body);
    return finish(cli, status, json, &error);
}

static int schema(struct cli *cli, const char **words)
{
    tackle_error error = TACKLE_ERROR_INIT;
    size_t len;
    char *json = NULL;
    char *text = read_file(words[0], &len, &error);
    if (!text)
        return cli_fail(cli, &error);
    int32_t status = tackle_wire_schema(text, len, &json, &error);
    free(text);
    return finish(cli, status, json, &error);
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {
        {"parse", "[--status N] [--chunk N|random] FILE|-", 1, 1, parse},
        {"schema", "FILE|-", 1, 1, schema}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_wire = {
    .name = "wire",
    .usage = "parse FILE|- | schema FILE|-",
    .summary = "show what is read in an endpoint's response, or sent of a tool's schema",
    .details =
        "'parse' reads a saved response body, a stream or not, as a run would: text, reasoning, "
        "tool calls, how it ended, usage, the error in it. 'schema' shows a JSON Schema as "
        "endpoints are given it, and what was changed. Nothing is sent anywhere. Exit code 0 "
        "whatever the response says, 3 when the file cannot be read.",
    .examples = "# save what your endpoint sends, then look at it\n"
                "curl -sN --compressed \"$URL/chat/completions\" -d @request.json >body\n"
                "tackle wire parse body\n"
                "tackle wire parse --status 429 error.json\n"
                "tackle wire schema tool.json\n",
    .actions = "parse schema",
    .run = run,
};
