/* What must hold after every case, whether it says so or not (security.md 2.0, G1 to G8; DESIGN,
 * "The result" and "Events"); see check.h. */
#include "check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "endpoint/match.h"
#include "endpoint/memory.h"

/* ---- One run ---- */

static void check_sanitizers(const struct process *process, struct report *report)
{
    static const char *const signs[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                        "runtime error: "};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (match_has(process->err.data, process->err.len, signs[i], strlen(signs[i])))
            report_failuref(report, process->run->line, "no \"%s\" on stderr", signs[i]);
}

/* The result tells the exit code that the program had. */
static void check_result(const struct process *process, const json_t *result, struct report *report)
{
    char text[32], told[32];
    process_exit_text(process, text);
    const json_t *code = json_object_get(result, "exit_code");
    (void)snprintf(told, sizeof told, "%d", (int)json_integer_value(code));
    if (!json_is_integer(code) || strcmp(text, told) != 0)
        report_failuref(report, process->run->line,
                        "the result's exit_code (%s) is the exit code (%s)",
                        json_is_integer(code) ? told : "missing", text);
}

/* It is what docs/events.schema.json says. */
static void check_form(const struct process *process, const struct schema *schema,
                       const json_t *event, struct report *report)
{
    struct buf problems;
    if (case_tolerates(process->run, "schema"))
        return;
    buf_init(&problems, 1 << 20);
    if (schema_check(schema, event, &problems) != 0) {
        char *text = json_dumps(event, JSON_COMPACT);
        put_format(&problems, "\n%s", text ? text : "");
        free(text);
        report_failure(report, process->run->line, "each event fits docs/events.schema.json",
                       problems.data);
    }
    buf_release(&problems);
}

static void check_event(const struct process *process, const json_t *event, size_t index,
                        size_t count, struct report *report)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    bool is_result = type && strcmp(type, "result") == 0;
    int line = process->run->line;
    if (!type)
        report_failuref(report, line, "event %zu has a type", index + 1);
    if (json_integer_value(json_object_get(event, "v")) != 1)
        report_failuref(report, line, "event %zu has v 1", index + 1);
    if (json_integer_value(json_object_get(event, "seq")) != (json_int_t)index + 1)
        report_failuref(report, line, "event %zu has seq %zu, without a gap", index + 1, index + 1);
    if (is_result != (index + 1 == count))
        report_failuref(report, line,
                        "the last event, and no other, is the result; event %zu of "
                        "%zu is %s",
                        index + 1, count, type ? type : "(none)");
    if (is_result)
        check_result(process, event, report);
}

static void check_stream(const struct process *process, const struct schema *schema,
                         struct report *report)
{
    json_t *events = check_lines(&process->out), *event;
    size_t i, lines = 0, count = json_array_size(events);
    for (size_t at = 0; at < process->out.len; at++)
        lines += process->out.data[at] == '\n';
    if (lines != count)
        report_failuref(report, process->run->line,
                        "each line of stdout is JSON: %zu lines, %zu are", lines, count);
    if (count == 0)
        report_failuref(report, process->run->line, "stdout ends with a result");
    json_array_foreach(events, i, event)
    {
        check_event(process, event, i, count, report);
        check_form(process, schema, event, report);
    }
    json_decref(events);
}

static void check_single(const struct process *process, const struct schema *schema,
                         struct report *report)
{
    json_t *result = json_loadb(process->out.data, process->out.len, JSON_ALLOW_NUL, NULL);
    const char *type = json_string_value(json_object_get(result, "type"));
    if (!type || strcmp(type, "result") != 0) {
        report_failure(report, process->run->line, "stdout is one result object",
                       process->out.data);
    } else {
        check_result(process, result, report);
        check_form(process, schema, result, report);
    }
    json_decref(result);
}

static bool expects_signal(const struct run *run)
{
    for (size_t i = 0; i < run->expectation_count; i++)
        if (run->expectations[i].subject == SUBJECT_EXIT &&
            strstr(run->expectations[i].text, "signal"))
            return true;
    return false;
}

/* G7, as far as can be seen from outside: of all requests, the last one finds about as many open as
 * the first one. Each plugin's process needs some, and may be gone when it is looked for. */
static void check_descriptors(const struct process *process, struct report *report)
{
    enum { OF_ONE_CHILD = 6, CHILDREN_AT_LEAST = 8, IN_PASSING = 8 };
    const struct watch *first = &process->at_first, *last = &process->at_last;
    long children = process->children_max;
    if (first->descriptors < 0 || last->descriptors < 0)
        return;
    if (children < CHILDREN_AT_LEAST)
        children = CHILDREN_AT_LEAST;
    if (last->descriptors - first->descriptors > IN_PASSING + OF_ONE_CHILD * children)
        report_failuref(report, process->run->line,
                        "no descriptor is left open: %ld at the first request, %ld at the last",
                        first->descriptors, last->descriptors);
}

void check_process(const struct process *process, const struct schema *schema,
                   struct report *report)
{
    const struct run *run = process->run;
    check_sanitizers(process, report);
    if (process->over_limit)
        report_failuref(report, run->line, "an end within %lld ms; it was killed",
                        (long long)run->limit_ms);
    if (process->flooded)
        report_failuref(report, run->line, "at most %u bytes of output", PROCESS_OUTPUT_MAX);
    if (process->peak_kib > run->memory_mib * 1024)
        report_failuref(report, run->line, "at most %ld MiB of memory; it had %ld at its peak",
                        run->memory_mib, process->peak_kib / 1024);
    check_descriptors(process, report);
    for (size_t i = 0; i < run->trigger_count && i < 32; i++)
        if (!(process->fired & (1u << i)))
            report_failuref(report, run->line, "that signal %zu was reached; it ended before",
                            i + 1);
    if (process->over_limit || expects_signal(run) || run->out_kind != OUTPUT_READ)
        return;
    const char *format = check_output_format(run);
    if (strcmp(format, "stream-json") == 0)
        check_stream(process, schema, report);
    else if (strcmp(format, "json") == 0)
        check_single(process, schema, report);
}

/* ---- Requests ---- */

/* Each call of the assistant message at `index` has its tool message, in order, right behind it:
 * G3. Returns the index of the message that follows. */
static size_t check_turn(const json_t *messages, size_t index, unsigned number,
                         struct report *report)
{
    const json_t *calls = json_object_get(json_array_get(messages, index), "tool_calls");
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const char *id = json_string_value(json_object_get(json_array_get(calls, i), "id"));
        const json_t *answer = json_array_get(messages, ++index);
        const char *role = json_string_value(json_object_get(answer, "role"));
        const char *for_id = json_string_value(json_object_get(answer, "tool_call_id"));
        if (!id || !role || !for_id || strcmp(role, "tool") != 0 || strcmp(id, for_id) != 0)
            report_failuref(report, 0,
                            "in request %u message %zu is the tool message for the call %s", number,
                            index, id ? id : "(no id)");
    }
    return index + 1;
}

static void check_messages(const struct request *request, struct report *report)
{
    const json_t *messages = json_object_get(request->json, "messages");
    for (size_t i = 0; i < json_array_size(messages);) {
        const char *role = json_string_value(json_object_get(json_array_get(messages, i), "role"));
        if (role && strcmp(role, "tool") == 0)
            report_failuref(report, 0, "in request %u message %zu answers a call before it",
                            request->number, i);
        i = check_turn(messages, i, request->number, report);
    }
}

static bool tolerated_by_any(const struct test_case *test, const char *word)
{
    for (size_t i = 0; i < test->run_count; i++)
        if (case_tolerates(&test->runs[i], word))
            return true;
    return false;
}

void check_requests(const struct endpoints *endpoints, const struct test_case *test,
                    struct report *report)
{
    for (int i = 0; i < endpoints->count; i++) {
        size_t count;
        const struct request *requests = endpoint_requests(endpoints->items[i], &count);
        for (size_t j = 0; j < count; j++) {
            const struct request *request = &requests[j];
            if (request->reply == 0 && !tolerated_by_any(test, "exhausted"))
                report_failuref(report, 0, "a reply in the script for request %u of %s (%s)",
                                request->number, endpoints->names[i], request->path);
            if (!strstr(request->path, "/chat/completions"))
                continue;
            if (!request->json) /* G4 */
                report_failuref(report, 0, "the body of request %u is JSON in UTF-8",
                                request->number);
            check_messages(request, report);
        }
    }
}

/* ---- Secrets: G2 ---- */

/* The canary as it is, and as it looks in base64 (at each of three offsets), hex and percent
 * encoding; the characters that depend on its neighbours are left out. */
static const char *const canary_forms[] = {
    PLACE_CANARY,
    "Q0FOQVJZL",
    "NBTkFSWS",
    "DQU5BUlkt",
    "43414e4152592d",
    "43414E4152592D",
    "%43%41%4E%41%52%59%2D",
};

struct search {
    const struct test_case *test;
    const struct place *place;
    struct report *report;
};

/* Is the canary at `at` one that the case lets pass? */
static bool is_tolerated(const struct test_case *test, const char *at, size_t left)
{
    for (size_t i = 0; i < test->run_count; i++)
        for (size_t j = 0; j < test->runs[i].tolerated.count; j++) {
            const char *word = test->runs[i].tolerated.items[j];
            size_t len = strlen(word);
            if (len <= left && strncmp(word, PLACE_CANARY, sizeof PLACE_CANARY - 1) == 0 &&
                memcmp(at, word, len) == 0)
                return true;
        }
    return false;
}

static bool has_secret(const struct test_case *test, const char *data, size_t len)
{
    for (size_t i = 0; i < sizeof canary_forms / sizeof *canary_forms; i++) {
        size_t form_len = strlen(canary_forms[i]);
        const char *at = data, *end = data + len;
        while ((at = memmem(at, (size_t)(end - at), canary_forms[i], form_len))) {
            if (!is_tolerated(test, at, (size_t)(end - at)))
                return true;
            at += form_len;
        }
    }
    return false;
}

static void search_text(const struct search *search, const char *where, const char *data,
                        size_t len)
{
    if (has_secret(search->test, data, len))
        report_failuref(search->report, 0, "no secret (\"%s...\", in any encoding) in %s",
                        PLACE_CANARY, where);
}

static void search_request(const struct search *search, const struct request *request,
                           const char *endpoint)
{
    char where[128];
    (void)snprintf(where, sizeof where, "request %u of %.40s", request->number, endpoint);
    search_text(search, where, request->path, strlen(request->path));
    search_text(search, where, request->body, request->body_len);
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, "Authorization") != 0)
            search_text(search, where, request->headers[i].value,
                        strlen(request->headers[i].value));
}

/* Did the case itself put this file there, as it is now? */
static bool is_from_case(const struct search *search, const char *path, const char *data,
                         size_t len)
{
    for (size_t i = 0; i < search->test->sections.count; i++) {
        const struct section *section = &search->test->sections.items[i];
        struct words words;
        if (strcmp(section->name, "file") != 0 || words_split(section->words, &words, NULL))
            continue;
        char *own = place_path(search->place, words.count > 0 ? words.items[0] : "");
        bool same = strcmp(own, path) == 0 && len <= section->body_len &&
                    memcmp(section->body, data, len) == 0;
        free(own);
        words_release(&words);
        if (same)
            return true;
    }
    return false;
}

/* Is it a planted secret under another name, a hard link that the case has made? */
static bool is_planted(const struct search *search, const char *path)
{
    static const char *const planted[] = {"outside/secret.txt", "home/.ssh/id_ed25519",
                                          "home/.aws/credentials"};
    struct stat st, secret;
    bool same = false;
    for (size_t i = 0; i < sizeof planted / sizeof *planted && !same; i++) {
        struct buf name;
        buf_init(&name, 4096);
        put_format(&name, "%s/%s", search->place->root, planted[i]);
        same = stat(path, &st) == 0 && stat(name.data, &secret) == 0 &&
               st.st_dev == secret.st_dev && st.st_ino == secret.st_ino;
        buf_release(&name);
    }
    return same;
}

static void search_file(void *user, const char *path)
{
    const struct search *search = user;
    size_t len = 0;
    if (is_planted(search, path))
        return;
    char *data = place_read(path, &len);
    if (data && !is_from_case(search, path, data, len))
        search_text(search, path, data, len);
    free(data);
}

void check_secrets(const struct process *processes, size_t count, const struct endpoints *endpoints,
                   const struct test_case *test, const struct place *place, struct report *report)
{
    /* home and outside are not searched but must not change at all. */
    static const char *const dirs[] = {"workspace", "config", "state",  "cache",
                                       "data",      "tmp",    "runtime"};
    struct search search = {test, place, report};
    for (size_t i = 0; i < count; i++) {
        search_text(&search, "stdout", processes[i].out.data, processes[i].out.len);
        search_text(&search, "stderr", processes[i].err.data, processes[i].err.len);
    }
    for (int i = 0; i < endpoints->count; i++) {
        size_t asked;
        const struct request *requests = endpoint_requests(endpoints->items[i], &asked);
        for (size_t j = 0; j < asked; j++)
            search_request(&search, &requests[j], endpoints->names[i]);
    }
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        struct buf dir;
        buf_init(&dir, 4096);
        put_format(&dir, "%s/%s", place->root, dirs[i]);
        place_walk(dir.data, search_file, &search);
        buf_release(&dir);
    }
}
