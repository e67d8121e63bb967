/* tackle chat: a conversation, line by line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "drive.h"
#include "signals.h"

struct chat {
    struct cli *cli;
    tackle_runtime *rt;
    struct drive drive;
    tackle_run *run; /* NULL: nothing has been said yet */
    bool terminal;   /* a person types */
};

enum line { LINE_TEXT, LINE_NOTHING, LINE_END };

/* Reads one line; it is the caller's to free, whatever comes back. */
static enum line read_line(struct chat *chat, char **line, size_t *size)
{
    if (chat->terminal)
        (void)fputs("> ", chat->cli->err.file);
    (void)stream_flush(&chat->cli->err);
    errno = 0;
    ssize_t len = getline(line, size, stdin);
    if (len < 0) {
        bool interrupted = errno == EINTR && signals_caught() == SIGINT;
        clearerr(stdin);
        if (chat->terminal)
            (void)fputs(interrupted ? "\n(Ctrl-C once more or Ctrl-D ends)\n" : "\n",
                        chat->cli->err.file);
        return interrupted ? LINE_NOTHING : LINE_END;
    }
    while (len > 0 && ((*line)[len - 1] == '\n' || (*line)[len - 1] == '\r'))
        (*line)[--len] = '\0';
    if ((*line)[strspn(*line, " \t")] == '\0' || strlen(*line) != (size_t)len)
        return LINE_NOTHING;
    return LINE_TEXT;
}

/* One message and its answer. Returns the exit code. */
static int say(struct chat *chat, const char *text)
{
    tackle_error error = TACKLE_ERROR_INIT;
    if (chat->run && tackle_run_continue(chat->run, text, &error) != 0) {
        cli_complain(chat->cli, error.message);
        cli_complain(chat->cli, "the conversation begins anew with this message");
        tackle_run_free(chat->run);
        chat->run = NULL;
    }
    if (!chat->run) {
        tackle_run_options options = {.size = sizeof options,
                                      .flags = approve_flags(&chat->drive.approve),
                                      .prompt = text,
                                      .files = chat->cli->options.files,
                                      .on_event = drive_event,
                                      .user = &chat->drive};
        if (tackle_run_start(chat->rt, &options, &chat->run, &error) != 0)
            return drive_refused(&chat->drive, &error);
    }
    return drive_run(&chat->drive, chat->run);
}

static void print_help(struct cli *cli)
{
    (void)fputs("Each line is a message. /quit or Ctrl-D ends; Ctrl-C stops the answer that is "
                "being written and keeps the conversation.\n",
                cli->err.file);
}

/* The signal that ends the conversation, 0 for none: a person's SIGINT ends an answer only. */
static int ending_signal(const struct chat *chat)
{
    int caught = signals_caught();
    return caught == SIGINT && chat->terminal ? 0 : caught;
}

static bool is_quit(const char *line)
{
    return strcmp(line, "/quit") == 0 || strcmp(line, "/exit") == 0;
}

static int talk(struct chat *chat)
{
    char *line = NULL;
    size_t size = 0;
    int code = TACKLE_EXIT_OK;
    while (!ending_signal(chat)) {
        /* A first SIGINT at the prompt is remembered: the next one ends the program. */
        enum line what = read_line(chat, &line, &size);
        if (what == LINE_END || (what == LINE_TEXT && is_quit(line)))
            break;
        if (what == LINE_NOTHING)
            continue;
        if (line[0] == '/' && !strchr(line, ' ')) {
            print_help(chat->cli);
            continue;
        }
        signals_forget();
        code = say(chat, line);
        if (!chat->run) /* it could not begin */
            break;
        if (!ending_signal(chat))
            signals_forget();
    }
    free(line);
    if (ending_signal(chat))
        return TACKLE_EXIT_SIGNALLED + ending_signal(chat);
    /* A person has seen how each answer ended; a script has only the exit code. */
    return chat->terminal && chat->run ? TACKLE_EXIT_OK : code;
}

static int run(struct cli *cli)
{
    struct chat chat = {.cli = cli, .terminal = isatty(STDIN_FILENO) == 1};
    struct signals signals;
    tackle_error error = TACKLE_ERROR_INIT;
    int code = cli_check_words(cli, 0, 0, "no words: type the messages");
    if (code != 0)
        return code;
    if (cli_runtime(cli, &chat.rt, &error) != 0)
        return cli_fail(cli, &error);
    drive_init(&chat.drive, cli, chat.rt);
    signals_install(&signals);
    signals_wake(chat.rt);
    if (chat.terminal && !cli->options.quiet)
        print_help(cli);
    code = talk(&chat);
    tackle_run_free(chat.run);
    signals_restore(&signals);
    drive_release(&chat.drive);
    tackle_runtime_free(chat.rt);
    return code;
}

const struct command command_chat = {
    .name = "chat",
    .usage = "",
    .summary = "talk with an agent, line by line",
    .details = "Each line of standard input is a message. /quit or the end of input ends the "
               "conversation; Ctrl-C stops the answer that is being written and keeps it.",
    .examples = "tackle chat\n"
                "tackle chat --agent repo-chores -C ~/src/app\n"
                "printf 'Name three rivers.\\nNow their lengths.\\n' | tackle chat\n",
    .groups = "*",
    .run = run,
};
