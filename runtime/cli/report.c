#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "memory.h"
#include "result.h"

#define NAME_COLUMNS 64
#define TEXT_COLUMNS 200
#define WHY_COLUMNS  500

void report_init(struct report *r)
{
    *r = (struct report){0};
}

void report_release(struct report *r)
{
    for (size_t i = 0; i < r->call_count; i++) {
        free(r->calls[i].id);
        free(r->calls[i].name);
        free(r->calls[i].arguments);
        free(r->calls[i].why);
    }
    for (size_t i = 0; i < r->warning_count; i++)
        free(r->warnings[i]);
    free(r->calls);
    free(r->warnings);
    free(r->run);
    free(r->agent);
    free(r->model);
    free(r->started);
    json_decref(r->result);
    *r = (struct report){0};
}

/* A member as one line; malloc'd. */
static char *line_of(const json_t *event, const char *key, size_t columns)
{
    const char *text = json_text(event, key);
    return line_make(text, strlen(text), columns, true);
}

static struct report_call *find_call(struct report *r, const char *id)
{
    for (size_t i = r->call_count; i > 0; i--)
        if (strcmp(r->calls[i - 1].id, id) == 0)
            return &r->calls[i - 1];
    return NULL;
}

static void on_started(struct report *r, const json_t *event)
{
    if (r->run)
        return;
    r->run = line_of(event, "run", NAME_COLUMNS);
    r->agent = line_of(event, "agent", NAME_COLUMNS);
    r->model = line_of(event, "model", NAME_COLUMNS);
    r->started = line_of(event, "ts", NAME_COLUMNS);
}

static void on_requested(struct report *r, const json_t *event)
{
    if (r->call_count == REPORT_CALLS_MAX) {
        r->calls_more++;
        return;
    }
    char *arguments = line_call(json_object_get(event, "arguments"));
    if ((r->call_count & (r->call_count - 1)) == 0) /* full at each power of two */
        r->calls = must(realloc(r->calls, (r->call_count * 2 + 1) * sizeof *r->calls));
    r->calls[r->call_count++] = (struct report_call){
        .id = must(strdup(json_text(event, "call"))),
        .name = line_of(event, "name", NAME_COLUMNS),
        .arguments = line_make(arguments, strlen(arguments), TEXT_COLUMNS, true),
    };
    free(arguments);
}

static void add_warning(struct report *r, char *text)
{
    if (r->warning_count == REPORT_WARNINGS_MAX) {
        r->warnings_more++;
        free(text);
        return;
    }
    r->warnings = must(realloc(r->warnings, (r->warning_count + 1) * sizeof *r->warnings));
    r->warnings[r->warning_count++] = text;
}

static void on_permission(struct report *r, const json_t *event)
{
    struct report_call *call = find_call(r, json_text(event, "call"));
    if (!call || strcmp(json_text(event, "decision"), "deny") != 0)
        return;
    call->outcome = CALL_DENIED;
    call->why = line_of(event, "reason", WHY_COLUMNS);
    add_warning(r, memory_format("%s was denied: %s", call->name, call->why));
}

static void on_completed(struct report *r, const json_t *event)
{
    struct report_call *call = find_call(r, json_text(event, "call"));
    if (!call)
        return;
    call->duration_ms = json_number(event, "duration_ms");
    if (call->outcome == CALL_DENIED)
        return;
    call->outcome = json_is_true(json_object_get(event, "ok")) ? CALL_OK : CALL_FAILED;
    if (call->outcome == CALL_FAILED) {
        const char *why = line_failure(json_text(event, "output"));
        call->why = line_first(why, strlen(why), WHY_COLUMNS, true);
    }
}

static void on_warning(struct report *r, const json_t *event)
{
    add_warning(r, line_of(event, "message", WHY_COLUMNS));
}

static void on_budget(struct report *r, const json_t *event)
{
    add_warning(r, result_budget_line(event));
}

static void on_fallback(struct report *r, const json_t *event)
{
    char *from = line_of(event, "from", NAME_COLUMNS), *to = line_of(event, "to", NAME_COLUMNS);
    char *why = line_of(event, "reason", WHY_COLUMNS);
    add_warning(r, memory_format("%s was asked instead of %s: %s", to, from, why));
    free(why);
    free(to);
    free(from);
}

static void on_result(struct report *r, const json_t *event)
{
    json_decref(r->result);
    r->result = json_deep_copy(event);
}

static const struct {
    const char *type;
    void (*take)(struct report *r, const json_t *event);
} taken[] = {
    {"run.started", on_started},
    {"tool.requested", on_requested},
    {"permission.decided", on_permission},
    {"tool.completed", on_completed},
    {"warning", on_warning},
    {"budget.warning", on_budget},
    {"model.fallback", on_fallback},
    {"result", on_result},
};

void report_event(struct report *r, const tackle_event *event)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(taken[i].type, event->type) != 0)
            continue;
        json_t *parsed = json_loadb(event->json, event->json_len, JSON_ALLOW_NUL, NULL);
        if (parsed)
            taken[i].take(r, parsed);
        json_decref(parsed);
    }
}

void report_error(struct report *r, const tackle_error *error)
{
    json_decref(r->result);
    r->result = result_of_error(error, 1, r->run);
}

void report_lost(struct report *r, int exit_code, const char *message)
{
    const char *reason = exit_code == TACKLE_EXIT_SESSION ? "session_error" : "internal";
    json_t *changed =
        must(json_pack("{ss ss si s{ss ss}}", "status", "error", "stop_reason", reason, "exit_code",
                       exit_code, "error", "reason", reason, "message", message));
    (void)json_object_update(r->result, changed);
    json_decref(changed);
}

size_t report_count(const struct report *r, enum report_outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < r->call_count; i++)
        count += r->calls[i].outcome == outcome;
    return count;
}
