/* The frame round every subcommand: streams, options, errors, exit code. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "key.h"
#include "memory.h"
#include "result.h"
#include "usage.h"

void cli_error(tackle_error *error, int32_t exit_code, const char *reason, const char *format, ...)
{
    *error = (tackle_error)TACKLE_ERROR_INIT;
    error->exit_code = exit_code;
    (void)snprintf(error->reason, sizeof error->reason, "%s", reason);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
}

void cli_complain(struct cli *cli, const char *message)
{
    (void)fprintf(cli->err.file, "%stackle:%s ", stream_style(&cli->err, STYLE_RED),
                  stream_style(&cli->err, STYLE_NONE));
    stream_text(&cli->err, message, strlen(message));
    (void)fputc('\n', cli->err.file);
}

int cli_fail(struct cli *cli, const tackle_error *error)
{
    int code = error->exit_code ? error->exit_code : TACKLE_EXIT_INTERNAL;
    cli_complain(cli, *error->message ? error->message : "failed, and nobody said why");
    if (cli->options.format != FORMAT_TEXT)
        result_print_error(&cli->out, error, 1, NULL);
    return code;
}

int cli_usage(struct cli *cli, const char *format, ...)
{
    tackle_error error = TACKLE_ERROR_INIT;
    error.exit_code = TACKLE_EXIT_USAGE;
    (void)snprintf(error.reason, sizeof error.reason, "usage");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error.message, sizeof error.message, format, args);
    va_end(args);
    return cli_fail(cli, &error);
}

int cli_check_words(struct cli *cli, size_t least, size_t most, const char *wanted)
{
    const struct options *o = &cli->options;
    if (o->word_count >= least && o->word_count <= most)
        return 0;
    if (o->word_count > most)
        return cli_usage(cli, "'tackle %s': '%s' is one word too many; it takes %s",
                         o->command->name, o->words[most], wanted);
    return cli_usage(cli, "'tackle %s' needs %s; see 'tackle help %s'", o->command->name, wanted,
                     o->command->name);
}

int cli_runtime_bare(struct cli *cli, tackle_runtime **out, tackle_error *error)
{
    const struct options *o = &cli->options;
    tackle_runtime *rt = NULL;
    if (tackle_runtime_new(&rt, error) != 0)
        return -1;
    if (tackle_take_keys(rt, error) != 0)
        goto fail;
    if (o->api_key_fd && key_from_descriptor(rt, o->api_key_fd, error) != 0)
        goto fail;
    for (size_t i = 0; i < o->setting_count; i++)
        if (tackle_set(rt, o->settings[i].key, o->settings[i].value, error) != 0)
            goto fail;
    *out = rt;
    return 0;
fail:
    tackle_runtime_free(rt);
    return -1;
}

int cli_runtime(struct cli *cli, tackle_runtime **out, tackle_error *error)
{
    if (cli_runtime_bare(cli, out, error) != 0)
        return -1;
    if (cli->options.bare || tackle_load_config(*out, error) == 0)
        return 0;
    tackle_runtime_free(*out);
    *out = NULL;
    return -1;
}

char *cli_read_bytes(int fd, const char *what, size_t most, size_t *len, tackle_error *error)
{
    return input_read_bytes(fd, what, most, &(struct input_wait){.max_ms = -1}, len, error);
}

char *cli_read_all(int fd, const char *what, tackle_error *error)
{
    return input_read(fd, what, &(struct input_wait){.max_ms = -1}, error);
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
    char problem[OPTION_PROBLEM_SIZE];
    struct options *o = &cli->options;
    int bad = options_parse(o, &cli->table, argc, argv, problem);
    stream_set_colour(&cli->out, o->colour);
    stream_set_colour(&cli->err, o->colour);
    if (bad)
        return cli_usage(cli, "%s", problem);
    if (o->version)
        return command_find("version")->run(cli);
    if (o->help && o->command)
        usage_command(cli, o->command, &cli->out);
    else if (o->help)
        usage_full(&cli->out);
    else if (o->command)
        return o->command->run(cli);
    else
        usage_short(&cli->err);
    return o->help ? TACKLE_EXIT_OK : TACKLE_EXIT_USAGE;
}

int cli_output_code(const struct cli *cli, int code)
{
    const int broken_pipe = TACKLE_EXIT_SIGNALLED + SIGPIPE;
    if (cli->out.error == 0)
        return code;
    if (cli->out.error == EPIPE)
        return code >= TACKLE_EXIT_SIGNALLED ? code : broken_pipe;
    /* A run that was told to end because nobody can read it is told so in the same way. */
    return code == 0 || code == broken_pipe ? TACKLE_EXIT_SESSION : code;
}

/* A closed pipe is the reader's wish, told by the exit code alone; a full disk is an error. */
static int check_output(struct cli *cli, int code)
{
    if (stream_flush(&cli->out) != 0 && cli->out.error != EPIPE) {
        char *message =
            memory_format("cannot write to standard output: %s", strerror(cli->out.error));
        cli_complain(cli, message);
        free(message);
    }
    return cli_output_code(cli, code);
}

/* Descriptors 0 to 2 must be something, or a file that is opened later becomes one of them. */
static int fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
            return -1;
    return 0;
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    int code = TACKLE_EXIT_INTERNAL;
    if (tackle_protect_process(NULL) != 0)
        return code;
    (void)signal(SIGPIPE, SIG_IGN); /* a failed write tells the same */
    if (fill_standard_descriptors() != 0 || stream_init(&cli.out, STDOUT_FILENO, false) != 0)
        return code;
    if (stream_init(&cli.err, STDERR_FILENO, true) != 0)
        goto out;
    option_table_init(&cli.table);
    code = check_output(&cli, dispatch(&cli, argc, argv));
    options_release(&cli.options);
    option_table_release(&cli.table);
    stream_release(&cli.err);
out:
    stream_release(&cli.out);
    return code;
}
