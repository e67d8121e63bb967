#include "approve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "line.h"
#include "memory.h"
#include "result.h"

#define LINES_MAX  24 /* of a call; of more the first and the last are shown */
#define LINES_HEAD 14
#define LINES_TAIL 8

static bool somebody_is_there(void)
{
    const char *ci = getenv("CI");
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 && !(ci && *ci) &&
           tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void approve_init(struct approve *a, struct cli *cli)
{
    *a = (struct approve){.cli = cli, .possible = somebody_is_there()};
    a->waiting = must(json_array());
    a->workspace = must(strdup(""));
}

void approve_release(struct approve *a)
{
    approve_close(a);
    json_decref(a->waiting);
    free(a->workspace);
    *a = (struct approve){0};
}

uint32_t approve_flags(const struct approve *a)
{
    return a->possible ? TACKLE_RUN_ASK : TACKLE_RUN_UNATTENDED;
}

/* ---- What is asked ---- */

static void stop_waiting_for(struct approve *a, const char *call)
{
    size_t i;
    json_t *event;
    json_array_foreach(a->waiting, i, event)
    {
        if (strcmp(json_text(event, "call"), call) != 0)
            continue;
        if (i == 0)
            approve_close(a);
        (void)json_array_remove(a->waiting, i);
        return;
    }
}

void approve_event(struct approve *a, const tackle_event *event)
{
    bool asked = strcmp(event->type, "approval.requested") == 0;
    bool decided = strcmp(event->type, "permission.decided") == 0;
    bool started = strcmp(event->type, "run.started") == 0;
    bool ended = strcmp(event->type, "result") == 0;
    if (!a->possible || !(asked || decided || started || ended))
        return;
    json_t *value = json_loadb(event->json, event->json_len, JSON_ALLOW_NUL, NULL);
    if (asked && value) {
        (void)json_array_append(a->waiting, value);
    } else if (decided) {
        stop_waiting_for(a, json_text(value, "call"));
    } else if (started) {
        free(a->workspace);
        a->workspace = must(strdup(json_text(value, "workspace")));
    } else {
        approve_close(a);
        (void)json_array_clear(a->waiting);
    }
    json_decref(value);
}

bool approve_has_question(const struct approve *a)
{
    return json_array_size(a->waiting) > 0;
}

/* ---- The question ---- */

static void put_line(struct approve *a, const struct preview_line *line, const char *gutter)
{
    struct stream *err = &a->cli->err;
    (void)fprintf(err->file, "%s%s%s%s%s%s\n", stream_style(err, STYLE_DIM), gutter,
                  stream_style(err, STYLE_NONE), stream_style(err, line->style), line->text,
                  stream_style(err, STYLE_NONE));
}

/* Everything that comes from the model stands behind a bar, so that none of it can be taken for the
 * question. True: it was shown whole. */
static bool put_call(struct approve *a, bool whole)
{
    const struct preview *p = &a->preview;
    FILE *file = a->cli->err.file;
    const char *bar = a->cli->err.utf8 ? "\u2502 " : "| ";
    bool cut = !whole && p->count > LINES_MAX;
    for (size_t i = 0; i < p->count; i++) {
        if (cut && i == LINES_HEAD) {
            (void)fprintf(file, "... %zu more lines, v shows all\n",
                          p->count - LINES_HEAD - LINES_TAIL);
            i = p->count - LINES_TAIL;
        }
        put_line(a, &p->lines[i], bar);
    }
    return !cut;
}

/* A line in the words of the runtime, which may quote the call: what is too long for it goes on
 * below, indented, so that none of it begins in the first column. */
static void put_row(struct approve *a, const char *label, const char *before, const char *quoted)
{
    struct preview row = {.columns = a->preview.columns};
    char *line = line_make(quoted, strlen(quoted), 0, true);
    char *text = memory_format("%s%s", before, line);
    preview_add(&row, STYLE_NONE, label, text);
    for (size_t i = 0; i < row.count; i++)
        put_line(a, &row.lines[i], "");
    preview_release(&row);
    free(text);
    free(line);
}

static void put_about(struct approve *a, const json_t *event, bool whole)
{
    put_row(a, "  why   ", "", json_text(event, "why"));
    put_row(a, "  rule  ", "", json_text(event, "rule"));
    put_row(a, "  y     ", "yes, this once",
            json_is_true(json_object_get(event, "write"))
                ? ", and for this call the right to write, which the run has not"
                : "");
    put_row(a, "  a     ", "yes, and for the rest of this run: ", json_text(event, "always"));
    put_row(a, "  n     ", "no; what you write behind it is told to the model", "");
    if (!whole)
        put_row(a, "  v     ", "view all of it", "");
    put_row(a, "  q     ", "no, and stop the run", "");
}

static void put_prompt(struct approve *a)
{
    struct stream *err = &a->cli->err;
    (void)fprintf(err->file, "%sAllow it?%s [y/a/N/q] ", stream_style(err, STYLE_YELLOW),
                  stream_style(err, STYLE_NONE));
    (void)stream_flush(err);
}

/* What was typed before the question could be read answers nothing. */
static void ask(struct approve *a)
{
    const json_t *event = json_array_get(a->waiting, 0);
    struct stream *err = &a->cli->err;
    size_t columns = stream_columns(err), others = json_array_size(a->waiting) - 1;
    const char *raw = json_text(event, "name");
    char *name = line_make(raw, strlen(raw), 64, err->utf8);
    preview_init(&a->preview, event, a->workspace, columns - 3);
    a->open = true;
    a->len = 0;
    (void)tcflush(STDIN_FILENO, TCIFLUSH);
    (void)fprintf(err->file, "\n%s%s%s wants to run", stream_style(err, STYLE_YELLOW), name,
                  stream_style(err, STYLE_NONE));
    if (others > 0)
        (void)fprintf(err->file, " (%zu more after it)", others);
    (void)fputs(":\n", err->file);
    bool whole = put_call(a, false);
    put_about(a, event, whole);
    put_prompt(a);
    stream_hold(err, true);
    if (a->cli->out.terminal)
        stream_hold(&a->cli->out, true);
    free(name);
}

void approve_close(struct approve *a)
{
    if (!a->open)
        return;
    a->open = false;
    preview_release(&a->preview);
    stream_hold(&a->cli->err, false);
    stream_hold(&a->cli->out, false);
}

/* ---- The answer ---- */

static bool is_word(const char *line, const char *letter, const char *word)
{
    return strcmp(line, letter) == 0 || strcmp(line, word) == 0;
}

/* "n", "no", and the words behind it; NULL: it is no no. */
static const char *reason_of_no(const char *line)
{
    size_t len = strcspn(line, " ,:");
    bool no = (len == 1 && *line == 'n') || (len == 2 && strncmp(line, "no", 2) == 0);
    return *line == '\0' || no ? line + len + strspn(line + len, " ,:") : NULL;
}

static void ask_again(struct approve *a, const char *hint)
{
    struct stream *err = &a->cli->err;
    stream_hold(err, false);
    if (hint)
        (void)fprintf(err->file, "%s\n", hint);
    else
        (void)put_call(a, true);
    put_prompt(a);
    stream_hold(err, true);
}

static void decide(struct approve *a, tackle_run *run, int32_t decision, const char *reason)
{
    char *call = must(strdup(json_text(json_array_get(a->waiting, 0), "call")));
    approve_close(a);
    /* Fails only when it was decided otherwise in the meantime. */
    (void)tackle_run_decide(run, call, decision, reason, NULL);
    stop_waiting_for(a, call);
    free(call);
}

static void take_answer(struct approve *a, tackle_run *run)
{
    a->line[a->len] = '\0';
    char *line = a->line + strspn(a->line, " \t");
    for (size_t end = strlen(line); end > 0 && strchr(" \t\r\n", line[end - 1]); end--)
        line[end - 1] = '\0';
    const char *reason = reason_of_no(line);
    a->len = 0;
    if (is_word(line, "y", "yes")) {
        decide(a, run, TACKLE_ALLOW_ONCE, NULL);
    } else if (is_word(line, "a", "always")) {
        decide(a, run, TACKLE_ALLOW_RUN, NULL);
    } else if (is_word(line, "q", "quit")) {
        decide(a, run, TACKLE_DENY, NULL);
        tackle_run_cancel(run, 0);
    } else if (is_word(line, "v", "view")) {
        ask_again(a, NULL);
    } else if (reason) {
        decide(a, run, TACKLE_DENY, reason);
    } else {
        ask_again(a, "y, a, n or q, please; Enter alone is no");
    }
}

/* Reads what is there. The end of the input is a no: nobody is there any more. */
static void read_answer(struct approve *a, tackle_run *run)
{
    ssize_t n = read(STDIN_FILENO, a->line + a->len, sizeof a->line - 1 - a->len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        stream_hold(&a->cli->err, false);
        (void)fputc('\n', a->cli->err.file);
        a->len = 0;
        decide(a, run, TACKLE_DENY, NULL);
        return;
    }
    a->len += (size_t)n;
    if (a->line[a->len - 1] == '\n' || a->len == sizeof a->line - 1)
        take_answer(a, run);
}

void approve_turn(struct approve *a, tackle_runtime *rt, tackle_run *run)
{
    if (!a->open)
        ask(a);
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = tackle_fd(rt), .events = POLLIN}};
    if (poll(fds, 2, -1) > 0 && fds[0].revents)
        read_answer(a, run);
}
