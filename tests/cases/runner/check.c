/* Compares what came with what the case expects; see check.h. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "endpoint/match.h"
#include "endpoint/memory.h"

json_t *check_lines(const struct buf *out)
{
    json_t *lines = json_array();
    for (const char *at = out->data, *end = at + out->len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        json_t *line = json_loadb(at, (size_t)(stop - at), JSON_ALLOW_NUL, NULL);
        if (line)
            (void)json_array_append_new(lines, line);
        at = newline ? newline + 1 : end;
    }
    return lines;
}

const char *check_output_format(const struct run *run)
{
    static const char flag[] = "--output-format";
    const size_t len = sizeof flag - 1;
    bool is_run = run->words.count > 1 && (strcmp(run->words.items[1], "run") == 0 ||
                                           strcmp(run->words.items[1], "resume") == 0);
    for (size_t i = 2; is_run && i < run->words.count; i++) {
        const char *word = run->words.items[i];
        if (strncmp(word, flag, len) == 0 && word[len] == '=')
            return word + len + 1;
        if (strcmp(word, flag) == 0 && i + 1 < run->words.count)
            return run->words.items[i + 1];
    }
    return "text";
}

/* The events of one type ("*": all), or with type NULL the last "result", as a new reference. */
static json_t *select_events(const struct buf *out, const char *type)
{
    json_t *lines = check_lines(out), *selected = json_array(), *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        const char *has = json_string_value(json_object_get(line, "type"));
        const char *wanted = type ? type : "result";
        if (strcmp(wanted, "*") == 0 || (has && strcmp(has, wanted) == 0))
            (void)json_array_append(selected, line);
    }
    json_decref(lines);
    if (type)
        return selected;
    json_t *last = json_incref(json_array_get(selected, json_array_size(selected) - 1));
    json_decref(selected);
    return last;
}

/* Tells what came when the condition does not hold. */
static void judge_json(const struct expectation *item, const json_t *root, const char *pointer,
                       struct report *report)
{
    if (match_json(item->match, root, pointer))
        return;
    struct buf came;
    buf_init(&came, PROCESS_OUTPUT_MAX);
    match_show(&came, root, pointer);
    report_failure(report, item->line, item->text, came.data);
    buf_release(&came);
}

static void judge_text(const struct expectation *item, const char *text, size_t len,
                       struct report *report)
{
    if (!match_text(item->match, text, len))
        report_failure(report, item->line, item->text, text ? text : "(nothing)");
}

static void judge_events(const struct expectation *item, const struct buf *out,
                         struct report *report)
{
    struct buf pointer;
    json_t *events = select_events(out, item->name);
    buf_init(&pointer, 4096);
    put_format(&pointer, "/*%s", item->pointer);
    judge_json(item, events, pointer.data, report);
    buf_release(&pointer);
    json_decref(events);
}

static void judge_parsed(const struct expectation *item, const struct buf *out,
                         struct report *report)
{
    json_t *root = item->subject == SUBJECT_RESULT
                       ? select_events(out, NULL)
                       : json_loadb(out->data, out->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    judge_json(item, root, item->pointer, report);
    json_decref(root);
}

static const struct request *requests_of(const struct endpoints *endpoints, const char *name,
                                         size_t *count)
{
    *count = 0;
    for (int i = 0; i < endpoints->count; i++)
        if (strcmp(endpoints->names[i], name) == 0)
            return endpoint_requests(endpoints->items[i], count);
    return NULL;
}

static void judge_request_count(const struct expectation *item, const struct endpoints *endpoints,
                                struct report *report)
{
    size_t count;
    char text[32];
    (void)requests_of(endpoints, item->endpoint, &count);
    (void)snprintf(text, sizeof text, "%zu", count);
    judge_text(item, text, strlen(text), report);
}

static void judge_request(const struct expectation *item, const struct endpoints *endpoints,
                          struct report *report)
{
    size_t count;
    struct buf came;
    const struct request *requests = requests_of(endpoints, item->endpoint, &count);
    bool holds = false;
    buf_init(&came, 2 * REQUEST_BODY_MAX);
    for (size_t i = 0; i < count && !holds; i++) {
        bool is_it = item->request == REQUEST_ANY || (size_t)item->request == i + 1 ||
                     (item->request == REQUEST_LAST && i + 1 == count);
        if (!is_it)
            continue;
        holds = condition_holds(item->condition, &requests[i]);
        if (came.len < REQUEST_BODY_MAX)
            condition_show(item->condition, &requests[i], &came);
        put_text(&came, "\n");
    }
    if (!holds)
        report_failure(report, item->line, item->text,
                       came.len > 0 ? came.data : "there was no such request");
    buf_release(&came);
}

static void judge_file(const struct expectation *item, const struct place *place,
                       struct report *report)
{
    char *path = place_path(place, item->name);
    size_t len = 0;
    struct stat st;
    char *text = place_read(path, &len);
    /* A folder, or a file that cannot be read, is there all the same. */
    if (!text && lstat(path, &st) == 0)
        text = memory_text("");
    judge_text(item, text, len, report);
    free(text);
    free(path);
}

static void judge_mode(const struct expectation *item, const struct place *place,
                       struct report *report)
{
    char *path = place_path(place, item->name);
    struct stat st;
    char text[16];
    bool there = lstat(path, &st) == 0;
    (void)snprintf(text, sizeof text, "0%03o", there ? (unsigned)st.st_mode & 07777 : 0);
    judge_text(item, there ? text : NULL, strlen(text), report);
    free(path);
}

static void judge_commits(const struct expectation *item, const struct place *place,
                          struct report *report)
{
    struct buf text;
    struct err err;
    char *workspace = place_path(place, "");
    buf_init(&text, 1 << 20);
    if (place_commits(workspace, &text, &err))
        report_failure(report, item->line, item->text, err.text);
    else
        judge_text(item, text.data, text.len, report);
    buf_release(&text);
    free(workspace);
}

void check_expectations(const struct process *process, const struct endpoints *endpoints,
                        const struct place *place, struct report *report)
{
    char exit_text[32];
    process_exit_text(process, exit_text);
    for (size_t i = 0; i < process->run->expectation_count; i++) {
        const struct expectation *item = &process->run->expectations[i];
        switch (item->subject) {
        case SUBJECT_EXIT:
            judge_text(item, exit_text, strlen(exit_text), report);
            break;
        case SUBJECT_STDOUT:
            judge_text(item, process->out.data, process->out.len, report);
            break;
        case SUBJECT_STDERR:
            judge_text(item, process->err.data, process->err.len, report);
            break;
        case SUBJECT_JSON:
        case SUBJECT_RESULT:
            judge_parsed(item, &process->out, report);
            break;
        case SUBJECT_EVENT:
            judge_events(item, &process->out, report);
            break;
        case SUBJECT_REQUESTS:
            judge_request_count(item, endpoints, report);
            break;
        case SUBJECT_REQUEST:
            judge_request(item, endpoints, report);
            break;
        case SUBJECT_FILE:
            judge_file(item, place, report);
            break;
        case SUBJECT_MODE:
            judge_mode(item, place, report);
            break;
        case SUBJECT_COMMITS:
            judge_commits(item, place, report);
            break;
        }
    }
}
