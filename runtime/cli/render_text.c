#include "render_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "memory.h"
#include "result.h"

#define CALLS_MAX        256 /* more are shown without their arguments */
#define ARGUMENTS_MAX    160 /* columns, where there is no terminal to measure */
#define NAME_MAX_COLUMNS 64
#define INDENT           2

struct shown_call {
    char *id;        /* owned */
    char *name;      /* one line, safe to show; owned */
    char *arguments; /* the same */
    bool told;       /* its end has been shown */
};

void render_text_init(struct render_text *r, struct stream *out, struct stream *err, bool quiet,
                      bool verbose)
{
    *r = (struct render_text){.out = out, .err = err, .quiet = quiet, .verbose = verbose};
    struct stream *live = quiet ? NULL : out->terminal ? out : err->terminal ? err : NULL;
    prose_init(&r->answer, live, live == err ? STYLE_DIM : STYLE_NONE);
    prose_init(&r->reasoning, err->terminal && verbose ? err : NULL, STYLE_DIM);
    status_init(&r->status, err, err->animate && !quiet);
}

static void call_release(struct shown_call *call)
{
    free(call->id);
    free(call->name);
    free(call->arguments);
}

void render_text_release(struct render_text *r)
{
    status_hide(&r->status);
    for (size_t i = 0; i < r->call_count; i++)
        call_release(&r->calls[i]);
    free(r->calls);
    free(r->doing);
    free(r->on_stdout);
    *r = (struct render_text){0};
}

/* ---- Standard error ---- */

/* Everything that is half written is ended first. */
static FILE *begin_note(struct render_text *r)
{
    prose_end(&r->reasoning);
    prose_end(&r->answer);
    status_hide(&r->status);
    return r->err->file;
}

static size_t columns_left(const struct render_text *r, size_t used)
{
    size_t columns = stream_columns(r->err);
    if (columns == 0)
        return ARGUMENTS_MAX;
    return columns > used + 10 ? columns - used : 10;
}

/* One indented dim line. */
static void put_aside(struct render_text *r, const char *label, const char *text, size_t len)
{
    char *line = line_make(text, len, columns_left(r, INDENT + strlen(label)), r->err->utf8);
    (void)fprintf(begin_note(r), "%s%*s%s%s%s\n", stream_style(r->err, STYLE_DIM), INDENT, "",
                  label, line, stream_style(r->err, STYLE_NONE));
    free(line);
}

static void put_warning(struct render_text *r, const char *text)
{
    char *line = line_make(text, strlen(text), 0, r->err->utf8);
    (void)fprintf(begin_note(r), "%swarning:%s %s\n", stream_style(r->err, STYLE_YELLOW),
                  stream_style(r->err, STYLE_NONE), line);
    free(line);
}

static void set_doing(struct render_text *r, char *doing)
{
    free(r->doing);
    r->doing = doing;
    status_begin(&r->status);
}

/* ---- Tool calls ---- */

static struct shown_call *call_find(struct render_text *r, const char *id)
{
    for (size_t i = 0; i < r->call_count; i++)
        if (strcmp(r->calls[i].id, id) == 0)
            return &r->calls[i];
    return NULL;
}

static void call_drop(struct render_text *r, struct shown_call *call)
{
    call_release(call);
    *call = r->calls[--r->call_count];
}

/* How a call ended, beside well or not. */
struct ending {
    bool ok;
    const char *time;
    char *note; /* one line, safe to show; NULL: nothing more to say; owned */
};

static void put_call(struct render_text *r, const char *name, const char *arguments,
                     const struct ending *end)
{
    const char *mark = r->err->utf8 ? (end->ok ? "\u2713" : "\u2717") : (end->ok ? "ok" : "failed");
    const char *note = end->note ? end->note : "";
    size_t used = line_columns(mark) + line_columns(name) + line_columns(end->time) +
                  line_columns(note) + 6; /* the blanks between them */
    char *shown = line_make(arguments, strlen(arguments), columns_left(r, used), r->err->utf8);
    (void)fprintf(begin_note(r), "%s%s%s %s%s%s  %s%s%s%s%s\n",
                  stream_style(r->err, end->ok ? STYLE_GREEN : STYLE_RED), mark,
                  stream_style(r->err, STYLE_NONE), name, *shown ? " " : "", shown,
                  stream_style(r->err, STYLE_DIM), end->time, stream_style(r->err, STYLE_NONE),
                  *note ? "  " : "", note);
    free(shown);
}

static void on_tool_requested(struct render_text *r, const json_t *event)
{
    const char *id = json_text(event, "call"), *name = json_text(event, "name");
    if (r->call_count == CALLS_MAX || call_find(r, id))
        return;
    r->calls = must(realloc(r->calls, (r->call_count + 1) * sizeof *r->calls));
    r->calls[r->call_count++] = (struct shown_call){
        .id = must(strdup(id)),
        .name = line_make(name, strlen(name), NAME_MAX_COLUMNS, r->err->utf8),
        .arguments = line_call(json_object_get(event, "arguments")),
    };
}

static void on_permission(struct render_text *r, const json_t *event)
{
    struct shown_call *call = call_find(r, json_text(event, "call"));
    if (!call || strcmp(json_text(event, "decision"), "deny") != 0)
        return;
    /* Who said no knows why. */
    const char *reason =
        strcmp(json_text(event, "by"), "person") == 0 ? "" : json_text(event, "reason");
    put_call(r, call->name, call->arguments, &(struct ending){.time = "denied"});
    if (*reason)
        put_aside(r, "", reason, strlen(reason));
    call->told = true;
}

static void on_tool_started(struct render_text *r, const json_t *event)
{
    const struct shown_call *call = call_find(r, json_text(event, "call"));
    if (call)
        set_doing(r, memory_format("%s %s", call->name, call->arguments));
}

/* A command that ran is a success of the tool, however the command ended: that is said too, and
 * is in the first line of the tool's output. malloc'd, NULL when there is nothing to say. */
static char *command_outcome(const char *name, const char *output, size_t len)
{
    if (strcmp(name, "run_command") != 0 || strncmp(output, "exit 0 ", 7) == 0)
        return NULL;
    char *line = line_first(output, len, 60, true);
    char *time = strncmp(line, "exit ", 5) == 0 ? strstr(line, " in ") : NULL;
    if (time)
        *time = '\0'; /* it is shown anyway */
    return line;
}

static void on_tool_completed(struct render_text *r, const json_t *event)
{
    struct shown_call *call = call_find(r, json_text(event, "call"));
    bool told = call && call->told;
    const char *output = json_text(event, "output");
    size_t len = json_string_length(json_object_get(event, "output"));
    const char *raw = json_text(event, "name");
    char *name = line_make(raw, strlen(raw), NAME_MAX_COLUMNS, r->err->utf8);
    char time[LINE_SHORT];
    struct ending end = {.ok = json_is_true(json_object_get(event, "ok")), .time = time};
    line_duration(json_number(event, "duration_ms"), time);
    if (end.ok)
        end.note = command_outcome(raw, output, len);
    if (!told)
        put_call(r, name, call ? call->arguments : "", &end);
    if (!told && !end.ok && len > 0) {
        const char *last = line_failure(output);
        char *why = line_first(last, strlen(last), 0, true);
        put_aside(r, "", why, strlen(why));
        free(why);
    }
    if (call)
        call_drop(r, call);
    if (r->call_count == 0)
        set_doing(r, NULL);
    free(end.note);
    free(name);
}

/* ---- The rest ---- */

static void on_run_started(struct render_text *r, const json_t *event)
{
    static const char *const keys[] = {"agent", "provider", "model", "sandbox", "workspace"};
    r->replayed = json_is_true(json_object_get(event, "replay"));
    if (!r->verbose)
        return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *member = json_object_get(event, keys[i]);
        const char *value =
            json_is_object(member) ? json_text(member, "mode") : json_text(event, keys[i]);
        char label[16];
        (void)snprintf(label, sizeof label, "%-10s", keys[i]);
        if (*value)
            put_aside(r, label, value, strlen(value));
    }
    size_t i;
    json_t *path;
    json_array_foreach(json_object_get(event, "instructions"), i, path)
    {
        const char *name = json_is_string(path) ? json_string_value(path) : json_text(path, "path");
        put_aside(r, "reads     ", name, strlen(name));
    }
}

static void on_message_completed(struct render_text *r, const json_t *event)
{
    const json_t *text = json_object_get(event, "text");
    const char *data = json_is_string(text) ? json_string_value(text) : "";
    size_t len = json_string_length(text);
    bool goes_on = json_array_size(json_object_get(event, "tool_calls")) > 0;
    prose_end(&r->reasoning);
    if (r->answer.to) {
        if (!r->answer_streamed) {
            status_hide(&r->status);
            prose_feed(&r->answer, data, len);
        }
        prose_end(&r->answer);
    } else if (goes_on && !r->quiet && len > 0) {
        struct prose aside;
        prose_init(&aside, r->err, STYLE_DIM);
        prose_feed(&aside, data, len);
        prose_end(&aside);
    }
    if (r->answer.to == r->out && len > 0) {
        free(r->on_stdout);
        r->on_stdout = must(strdup(data));
    }
    r->answer_streamed = false;
}

static void on_retry(struct render_text *r, const json_t *event)
{
    const json_t *error = json_object_get(event, "error");
    const char *why =
        json_is_string(error) ? json_string_value(error) : json_text(error, "message");
    char wait[LINE_SHORT];
    line_duration(json_number(event, "wait_ms"), wait);
    char *text = memory_format("asking again in %s (attempt %" PRId64 "): %s", wait,
                               json_number(event, "attempt"), why);
    (void)begin_note(r);
    r->answer_streamed = false; /* the answer begins anew */
    if (!r->quiet)
        put_warning(r, text);
    set_doing(r, must(strdup("waiting to ask again")));
    free(text);
}

static void on_budget_warning(struct render_text *r, const json_t *event)
{
    char *text = result_budget_line(event);
    put_warning(r, text);
    free(text);
}

static void on_file_changed(struct render_text *r, const json_t *event)
{
    if (!r->verbose)
        return;
    char *text = memory_format("%s %s", json_text(event, "what"), json_text(event, "path"));
    put_aside(r, "", text, strlen(text));
    free(text);
}

static void on_step_started(struct render_text *r, const json_t *event)
{
    set_doing(r,
              memory_format("step %" PRId64 ": the model is at work", json_number(event, "step")));
}

static void put_answer(struct render_text *r, const char *text)
{
    struct prose answer;
    prose_init(&answer, r->out, STYLE_NONE);
    prose_feed(&answer, text, strlen(text));
    prose_end(&answer);
}

static void on_result(struct render_text *r, const json_t *event, const char *text)
{
    (void)begin_note(r);
    if (*text && !(r->on_stdout && strcmp(r->on_stdout, text) == 0))
        put_answer(r, text);
    (void)stream_flush(r->out);
    while (r->call_count > 0)
        call_drop(r, r->calls);
    free(r->on_stdout);
    r->on_stdout = NULL;
    r->answer_streamed = false;
    set_doing(r, NULL);
    if (json_number(event, "exit_code") == TACKLE_EXIT_SIGNALLED + SIGPIPE)
        return; /* nobody reads any more */
    if (!r->quiet) {
        if (r->err->terminal)
            (void)fputc('\n', r->err->file);
        result_print_summary(r->err, event, r->replayed);
    }
}

static void on_tool_output(struct render_text *r, const json_t *event)
{
    const json_t *text = json_object_get(event, "text");
    if (r->verbose && json_is_string(text))
        put_aside(r, r->err->utf8 ? "\u2502 " : "| ", json_string_value(text),
                  json_string_length(text));
}

static void on_warning(struct render_text *r, const json_t *event)
{
    put_warning(r, json_text(event, "message"));
}

/* What is shown of an event that needs its members; all of it goes to standard error. */
typedef void (*show_fn)(struct render_text *r, const json_t *event);

static const struct {
    const char *type;
    bool when_quiet;
    show_fn show;
} shown[] = {
    {"run.started", false, on_run_started},
    {"step.started", false, on_step_started},
    {"message.completed", true, on_message_completed},
    {"tool.requested", false, on_tool_requested},
    {"permission.decided", false, on_permission},
    {"tool.started", false, on_tool_started},
    {"tool.output", false, on_tool_output},
    {"tool.completed", false, on_tool_completed},
    {"model.retry", true, on_retry},
    {"budget.warning", false, on_budget_warning},
    {"file.changed", false, on_file_changed},
    {"warning", false, on_warning},
};

static void on_delta(struct render_text *r, struct prose *to, struct prose *other,
                     const tackle_event *event)
{
    if (!to->to)
        return;
    status_hide(&r->status);
    prose_end(other);
    prose_feed(to, event->text, event->text_len);
    (void)stream_flush(to->to);
}

/* What shows an event of this type; NULL: nothing does, so it need not be parsed. */
static show_fn find_shown(const struct render_text *r, const char *type)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(type, shown[i].type) == 0 && (shown[i].when_quiet || !r->quiet))
            return shown[i].show;
    return NULL;
}

static void on_members(struct render_text *r, const tackle_event *event, const char *text)
{
    show_fn show = find_shown(r, event->type);
    bool is_result = strcmp(event->type, "result") == 0;
    if (!show && !is_result)
        return;
    json_t *members = json_loadb(event->json, event->json_len, JSON_ALLOW_NUL, NULL);
    if (is_result)
        on_result(r, members, text);
    else
        show(r, members);
    json_decref(members);
}

void render_text_event(struct render_text *r, const tackle_event *event, const char *text)
{
    if (strcmp(event->type, "message.delta") == 0) {
        on_delta(r, &r->answer, &r->reasoning, event);
        r->answer_streamed = r->answer_streamed || event->text_len > 0;
    } else if (strcmp(event->type, "reasoning.delta") == 0) {
        on_delta(r, &r->reasoning, &r->answer, event);
    } else {
        on_members(r, event, text);
    }
    (void)stream_flush(r->err);
}

void render_text_tick(struct render_text *r)
{
    /* A line that is being written is itself the sign that something goes on. */
    if (r->doing && !r->answer.open && !r->reasoning.open)
        status_draw(&r->status, r->doing);
}

void render_text_stopping(struct render_text *r)
{
    if (r->err->terminal && !r->quiet)
        (void)fputs("stopping; Ctrl-C once more ends at once\n", begin_note(r));
    (void)stream_flush(r->err);
}
