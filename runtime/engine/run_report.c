#include "engine/run_report.h"

#include <string.h>

#include <tackle/plugin.h>

#include "base/buf.h"
#include "base/enforce.h"
#include "base/text.h"
#include "engine/executed.h"
#include "engine/run_state.h"

#define TEXT_MAX 4096

int run_report_init(struct run_report *report)
{
    *report = (struct run_report){.hosts = json_array(),
                                  .tripped = json_array(),
                                  .truncated = json_array(),
                                  .killed = json_array()};
    return report->hosts && report->tripped && report->truncated && report->killed ? 0 : -1;
}

void run_report_release(struct run_report *report)
{
    json_decref(report->hosts);
    json_decref(report->tripped);
    json_decref(report->truncated);
    json_decref(report->killed);
    *report = (struct run_report){.allowed = 0};
}

/* Takes over the item. */
static void add(struct run_report *report, json_t *list, json_t *item)
{
    if (json_array_size(list) < REPORT_LIST_MAX) {
        (void)json_array_append_new(list, item);
        return;
    }
    report->more++;
    json_decref(item);
}

/* Names of hosts and files are somebody else's bytes. */
static json_t *text_of(const char *bytes)
{
    struct buf fixed;
    buf_init(&fixed, 3 * TEXT_MAX + 1);
    (void)text_fix_utf8(&fixed, bytes, strnlen(bytes, TEXT_MAX), NULL);
    json_t *text = json_stringn(fixed.data, fixed.len);
    buf_release(&fixed);
    return text;
}

void run_report_open(struct run_report *report, const struct run_call *call)
{
    report->unknown += call->tool && call->tool->effect != TACKLE_EFFECT_SAFE;
}

void run_report_call(struct run_report *report, const struct run_call *call,
                     const struct run_result_of_call *result, bool cut)
{
    bool may_have_done = call->tool && call->tool->effect != TACKLE_EFFECT_SAFE;
    if (cut)
        add(report, report->truncated, json_string(call->key));
    if (result->killed)
        add(report, report->killed, json_string(call->key));
    report->unknown += result->killed && may_have_done;
}

void run_host_contacted(struct run *run, const char *host, bool allowed)
{
    struct run_report *report = &run->report;
    json_t *name = text_of(host), *item;
    size_t i;
    json_array_foreach(report->hosts, i, item)
    {
        json_t *requests = json_object_get(item, "requests");
        if (json_equal(json_object_get(item, "host"), name) &&
            json_is_true(json_object_get(item, "allowed")) == allowed) {
            (void)json_integer_set(requests, json_integer_value(requests) + 1);
            json_decref(name);
            return;
        }
    }
    add(report, report->hosts,
        json_pack("{s:o, s:b, s:i}", "host", name, "allowed", allowed, "requests", 1));
}

void run_tripped_unsure(struct run *run)
{
    run->report.unsure = true;
}

static void tell_instructions(const json_t *files, void (*tell)(void *user, const char *path),
                              void *user)
{
    size_t i;
    json_t *file;
    json_array_foreach(files, i, file)
    {
        const char *path = json_string_value(json_object_get(file, "path"));
        if (path && executed_is_instructions(path))
            tell(user, path);
    }
}

void run_changed_instructions(const struct run *run, void (*tell)(void *user, const char *path),
                              void *user)
{
    tell_instructions(run->files, tell, user);
    tell_instructions(run->report.tripped, tell, user);
}

static bool has_path(const json_t *list, const json_t *path)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_equal(json_object_get(item, "path"), path))
            return true;
    }
    return false;
}

void run_tripped(struct run *run, const char *path, const char *what)
{
    json_t *name = text_of(path);
    if (has_path(run->report.tripped, name))
        json_decref(name);
    else
        add(&run->report, run->report.tripped, json_pack("{s:o, s:s}", "path", name, "what", what));
}

static void add_executed(json_t *out, const json_t *files)
{
    size_t i;
    json_t *file;
    json_array_foreach(files, i, file)
    {
        json_t *path = json_object_get(file, "path");
        const char *by = json_is_string(path) ? executed_by(json_string_value(path)) : NULL;
        if (by && ENFORCED(report_executed) && !has_path(out, path) &&
            json_array_size(out) < REPORT_LIST_MAX)
            (void)json_array_append_new(out, json_pack("{s:O, s:O, s:s}", "path", path, "what",
                                                       json_object_get(file, "what"), "by", by));
    }
}

json_t *run_report_json(const struct run_report *report, int64_t denied, const json_t *files)
{
    json_t *executed = json_array();
    add_executed(executed, files);
    add_executed(executed, report->tripped);
    return json_pack("{s:{s:I, s:I, s:I}, s:O, s:o, s:b, s:O, s:O, s:I}", "calls", "allowed",
                     (json_int_t)report->allowed, "denied", (json_int_t)denied, "unknown",
                     (json_int_t)report->unknown, "hosts", report->hosts, "executed", executed,
                     "executed_complete", !report->unsure, "truncated", report->truncated, "killed",
                     report->killed, "more", (json_int_t)report->more);
}
