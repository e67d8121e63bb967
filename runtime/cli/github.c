#include "github.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean.h"
#include "line.h"
#include "memory.h"
#include "result.h"

#define ROWS_MAX    100
#define SECTION_MAX (256l << 10) /* a section gets no more rows after this */
#define CUT_NOTE    96           /* room for the line that says what was cut */

/* ---- Annotations ---- */

/* The escapes of actions/toolkit, command.ts. */
static void put_command(FILE *to, const char *command, const char *title, const char *text)
{
    (void)fprintf(to, "::%s title=%s::", command, title);
    for (; *text; text++) {
        if (*text == '%')
            (void)fputs("%25", to);
        else if (*text == '\r')
            (void)fputs("%0D", to);
        else if (*text == '\n')
            (void)fputs("%0A", to);
        else
            (void)fputc(*text, to);
    }
    (void)fputc('\n', to);
}

void github_annotate(const struct report *report, FILE *to)
{
    char *problem = result_problem(report->result);
    if (problem) {
        char *line = line_make(problem, strlen(problem), 0, true);
        put_command(to, "error", "tackle", line);
        free(line);
    }
    free(problem);
    size_t shown = report->warning_count;
    if (shown > GITHUB_ANNOTATIONS_MAX)
        shown = GITHUB_ANNOTATIONS_MAX;
    for (size_t i = 0; i < shown; i++)
        put_command(to, "warning", "tackle", report->warnings[i]);
    size_t more = report->warning_count - shown + report->warnings_more;
    if (more > 0) {
        char *text = memory_format("%zu more warning%s in the log", more, more == 1 ? "" : "s");
        put_command(to, "notice", "tackle", text);
        free(text);
    }
}

/* ---- The summary ---- */

/* A line as text that Markdown leaves alone: every ASCII character that could mean something is a
 * character reference, which is never structure (CommonMark 6.2); in a code element, so that GitHub
 * makes no mention or link of it. */
static void put_text(FILE *to, const char *line)
{
    (void)fputs("<code>", to);
    for (; *line; line++) {
        unsigned char c = (unsigned char)*line;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == ' ' || c >= 0x80;
        if (plain)
            (void)fputc(c, to);
        else
            (void)fprintf(to, "&#%d;", c);
    }
    (void)fputs("</code>", to);
}

static void put_row(FILE *to, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    (void)fprintf(to, "| %s | ", label);
    put_text(to, text);
    (void)fputs(" |\n", to);
}

static void put_numbers(FILE *to, const json_t *result)
{
    const json_t *usage = json_object_get(result, "usage"),
                 *cost = json_object_get(result, "cost_usd");
    char in[LINE_SHORT], out[LINE_SHORT], time[LINE_SHORT];
    line_count(json_number(usage, "input_tokens"), in);
    line_count(json_number(usage, "output_tokens"), out);
    line_duration(json_number(result, "duration_ms"), time);
    (void)fprintf(to, "| Tokens | %s in, %s out |\n", in, out);
    if (json_is_number(cost))
        (void)fprintf(to, "| Cost | $%.4f |\n", json_number_value(cost));
    (void)fprintf(to, "| Time | %s |\n", time);
}

static char *make_head(const struct report *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = memory_file(&text, &len);
    const json_t *result = r->result;
    char *problem = result_problem(result);
    char *end = memory_format("%s, exit %lld", json_text(result, "stop_reason"),
                              (long long)json_number(result, "exit_code"));
    (void)fprintf(to, "## tackle: %s\n\n", json_text(result, "status"));
    if (problem) {
        char *line = line_make(problem, strlen(problem), 0, true);
        put_text(to, line);
        (void)fputs("\n\n", to);
        free(line);
    }
    (void)fputs("| | |\n|---|---|\n", to);
    put_row(to, "End", end);
    put_row(to, "Agent", r->agent);
    put_row(to, "Model", r->model);
    put_row(to, "Run", r->run);
    put_numbers(to, result);
    free(end);
    free(problem);
    memory_close(to, &text);
    return text;
}

static bool full(FILE *to, size_t rows)
{
    return rows == ROWS_MAX || ftell(to) > SECTION_MAX;
}

static void put_more(FILE *to, size_t count, const char *what)
{
    if (count > 0)
        (void)fprintf(to, "\n%zu more %s%s not listed.\n", count, what,
                      count == 1 ? " is" : "s are");
}

static void put_calls(FILE *to, const struct report *r)
{
    static const char *const outcomes[] = {[CALL_OPEN] = "not ended",
                                           [CALL_OK] = "ok",
                                           [CALL_FAILED] = "failed",
                                           [CALL_DENIED] = "denied"};
    size_t all = r->call_count + r->calls_more, i = 0;
    if (all == 0)
        return;
    (void)fprintf(to, "\n<details><summary>%zu tool call%s, %zu failed, %zu denied</summary>\n\n",
                  all, all == 1 ? "" : "s", report_count(r, CALL_FAILED),
                  report_count(r, CALL_DENIED));
    (void)fputs("| # | Tool | About | Time | End |\n|---:|---|---|---:|---|\n", to);
    for (; i < r->call_count && !full(to, i); i++) {
        const struct report_call *call = &r->calls[i];
        char time[LINE_SHORT];
        line_duration(call->duration_ms, time);
        (void)fprintf(to, "| %zu | ", i + 1);
        put_text(to, call->name);
        (void)fputs(" | ", to);
        if (*call->arguments)
            put_text(to, call->arguments);
        (void)fprintf(to, " | %s | %s |\n", time, outcomes[call->outcome]);
    }
    put_more(to, all - i, "call");
    (void)fputs("\n</details>\n", to);
}

static void put_files(FILE *to, const json_t *files)
{
    size_t i;
    json_t *file;
    if (json_array_size(files) > 0)
        (void)fputs("\n### Files changed\n\n", to);
    json_array_foreach(files, i, file)
    {
        if (full(to, i)) {
            put_more(to, json_array_size(files) - i, "file");
            return;
        }
        const char *path = json_text(file, "path");
        char *line = line_make(path, strlen(path), 0, true);
        (void)fprintf(to, "- %s ", json_text(file, "what"));
        put_text(to, line);
        (void)fputc('\n', to);
        free(line);
    }
}

/* What is to be looked at before it is merged: one line each, with a note behind the name. */
static void put_look(FILE *to, const json_t *list, const char *key, const char *by, bool refused)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *name = json_text(item, key);
        if (full(to, i) || (refused && json_is_true(json_object_get(item, "allowed"))))
            continue;
        char *line = line_make(name, strlen(name), 0, true);
        (void)fputs("- ", to);
        put_text(to, line);
        (void)fprintf(to, ": %s%s\n",
                      by ? "is run or obeyed by " : "was refused, a tool asked for it",
                      by ? json_text(item, by) : "");
        free(line);
    }
}

static void put_report(FILE *to, const json_t *report)
{
    char *text = NULL;
    size_t len = 0;
    FILE *lines = memory_file(&text, &len);
    put_look(lines, json_object_get(report, "executed"), "path", "by", false);
    put_look(lines, json_object_get(report, "hosts"), "host", NULL, true);
    memory_close(lines, &text);
    if (len > 0)
        (void)fprintf(to, "\n### Look at these\n\n%s", text);
    free(text);
}

static void put_warnings(FILE *to, const struct report *r)
{
    size_t i = 0;
    if (r->warning_count > 0)
        (void)fputs("\n### Warnings\n\n", to);
    for (; i < r->warning_count && !full(to, i); i++) {
        (void)fputs("- ", to);
        put_text(to, r->warnings[i]);
        (void)fputc('\n', to);
    }
    put_more(to, r->warning_count - i + r->warnings_more, "warning");
}

static char *make_rest(const struct report *r)
{
    char *text = NULL, *part = NULL;
    size_t len = 0, part_len = 0;
    FILE *to = memory_file(&text, &len);
    for (int i = 0; i < 4; i++) { /* each is measured by itself */
        FILE *section = memory_file(&part, &part_len);
        if (i == 0)
            put_report(section, json_object_get(r->result, "report"));
        else if (i == 1)
            put_files(section, json_object_get(r->result, "files"));
        else if (i == 2)
            put_warnings(section, r);
        else
            put_calls(section, r);
        memory_close(section, &part);
        (void)fwrite(part, 1, part_len, to);
        free(part);
    }
    memory_close(to, &text);
    return text;
}

/* A fence longer than any run of backticks in the text. */
static size_t fence_length(const char *text)
{
    size_t longest = 2, run = 0;
    for (; *text; text++) {
        run = *text == '`' ? run + 1 : 0;
        if (run > longest)
            longest = run;
    }
    return longest + 1;
}

/* The start of `text` that fits, and does not end within a character. */
static size_t cut_at(const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

/* Nothing when there is no room worth it. */
static void put_answer(FILE *to, const char *answer, size_t room)
{
    char *text = NULL, *fence;
    size_t len = 0;
    if (!*answer)
        return;
    FILE *file = memory_file(&text, &len);
    clean_text(CLEAN_TERMINAL, file, answer, strlen(answer));
    memory_close(file, &text);
    size_t marks = fence_length(text), around = 2 * marks + CUT_NOTE;
    if (room > around) {
        size_t shown = cut_at(text, room - around);
        fence = must(malloc(marks + 1));
        memset(fence, '`', marks);
        fence[marks] = '\0';
        (void)fprintf(to, "\n### Answer\n\n%stext\n%.*s\n%s\n", fence, (int)shown, text, fence);
        if (shown < len)
            (void)fprintf(to, "\nCut; the answer has %zu bytes.\n", len);
        free(fence);
    }
    free(text);
}

char *github_summary(const struct report *report, size_t room)
{
    char *text = NULL;
    size_t len = 0;
    char *head = make_head(report), *rest = make_rest(report);
    FILE *to = memory_file(&text, &len);
    size_t used = strlen(head);
    if (used <= room) {
        (void)fputs(head, to);
        bool has_rest = used + strlen(rest) <= room;
        used += has_rest ? strlen(rest) : 0;
        put_answer(to, json_text(report->result, "text"), room - used);
        if (has_rest)
            (void)fputs(rest, to);
    }
    memory_close(to, &text);
    free(rest);
    free(head);
    return text;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

int github_append_summary(const struct report *report, const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd < 0)
        return -1;
    int status = fstat(fd, &st);
    if (status == 0 && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        status = -1;
    }
    size_t used = status == 0 ? (size_t)st.st_size : 0;
    if (status == 0 && used < GITHUB_SUMMARY_MAX) {
        char *text = github_summary(report, GITHUB_SUMMARY_MAX - used);
        status = write_all(fd, text, strlen(text));
        free(text);
    }
    int saved = errno;
    if (close(fd) != 0 && status == 0)
        return -1;
    errno = saved;
    return status;
}
