#include "io/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/cassette.h"
#include "wire/canon.h"

#define OUTPUT_INLINE (16u << 10) /* a larger output of a call is a file */
#define PIECES_MAX    (4u << 20)  /* bytes of their list */

struct recorder {
    char *dir; /* owned */
    int dir_fd;
    struct volatile_rules *rules; /* borrowed */
    struct canon canon;
    json_t *manifest; /* owned */
    json_t *ends;     /* owned */
    unsigned requests;
    bool finished; /* the manifest says so */
    /* Of the request in flight. */
    struct buf body, pieces;
    int64_t last_ms;
    bool too_large;
    json_t *calls; /* owned: of the last response, in the order of their places */
};

static int fail(const struct recorder *r, struct err *err)
{
    return err_set(err, ERR_SESSION, "the recording in %s cannot be written: %s", r->dir,
                   strerror(errno));
}

/* ---- Files ---- */

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        len -= (size_t)put;
    }
    return 0;
}

static int write_file(const struct recorder *r, const char *name, const char *data, size_t len,
                      struct err *err)
{
    int fd = openat(r->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0664);
    if (fd < 0)
        return fail(r, err);
    int status = write_all(fd, data, len);
    int error = errno;
    if (close(fd) != 0 && status == 0)
        return fail(r, err);
    errno = error;
    return status == 0 ? 0 : fail(r, err);
}

/* Laid out for people and for diffs. */
static int write_json(const struct recorder *r, const char *name, const json_t *value, size_t flags,
                      struct err *err)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17) | flags);
    if (!text)
        return err_set(err, ERR_NOMEM, "out of memory");
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of the zero byte, which is not written */
    int status = write_file(r, name, text, len + 1, err);
    free(text);
    return status;
}

/* Whole or not at all: it is what says that the rest is there. */
static int write_manifest(struct recorder *r, bool finished, struct err *err)
{
    static const char temporary[] = CASSETTE_MANIFEST ".new";
    json_t *rules = volatile_json(r->rules);
    int bad = json_object_set_new(r->manifest, "finished", json_boolean(finished));
    bad |= json_object_set_new(r->manifest, "requests", json_integer(r->requests));
    bad |= json_object_set(r->manifest, "ends", r->ends);
    bad |= json_object_set_new(r->manifest, "rules", rules);
    if (bad)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (write_json(r, temporary, r->manifest, 0, err) != 0)
        return -1;
    r->finished = finished;
    return renameat(r->dir_fd, temporary, r->dir_fd, CASSETTE_MANIFEST) == 0 ? 0 : fail(r, err);
}

/* ---- The folder ---- */

/* "003.request.json", "012.output.1" */
static bool is_ours(const char *name)
{
    static const char *const kinds[] = {".request.json", ".response", ".response.json",
                                        ".calls.json"};
    size_t digits = strspn(name, "0123456789");
    if (strcmp(name, CASSETTE_MANIFEST) == 0 || strcmp(name, CASSETTE_MANIFEST ".new") == 0)
        return true;
    if (digits < 3)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name + digits, kinds[i]) == 0)
            return true;
    return strncmp(name + digits, ".output.", 8) == 0;
}

/* Looks at what is in the folder; with `remove` the files of a recording go. *foreign: there is
 * something else; *old: there are files of a recording. */
static int look_through(const struct recorder *r, bool remove, bool *foreign, bool *old,
                        struct err *err)
{
    int fd = openat(r->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = 0;
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    *foreign = *old = false;
    if (!stream) {
        if (fd >= 0)
            (void)close(fd);
        return fail(r, err);
    }
    for (struct dirent *entry; status == 0 && (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        bool ours = is_ours(entry->d_name);
        *old = *old || ours;
        *foreign = *foreign || !ours;
        if (remove && ours && unlinkat(r->dir_fd, entry->d_name, 0) != 0)
            status = fail(r, err);
    }
    (void)closedir(stream);
    return status;
}

/* The rules of the recording that is replaced are its user's to keep. */
static int take_rules(const struct recorder *r, struct err *err)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", r->dir, CASSETTE_MANIFEST);
    json_t *old = len > 0 && (size_t)len < sizeof path ? json_load_file(path, 0, NULL) : NULL;
    const json_t *rules = json_object_get(old, "rules");
    int status = rules ? volatile_read(r->rules, rules, err) : 0;
    json_decref(old);
    return status == 0 ? 0 : err_prefix(err, "%s/%s", r->dir, CASSETTE_MANIFEST);
}

static int open_folder(struct recorder *r, bool refresh, struct err *err)
{
    bool foreign, old;
    if (mkdir(r->dir, 0775) != 0 && errno != EEXIST)
        return err_set(err, ERR_USAGE, "record: cannot make %s: %s", r->dir, strerror(errno));
    r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir_fd < 0)
        return err_set(err, ERR_USAGE, "record: cannot open %s: %s", r->dir, strerror(errno));
    if (look_through(r, false, &foreign, &old, err) != 0)
        return -1;
    if (old && !refresh)
        return err_set(err, ERR_USAGE,
                       "record: there is a recording in %s already; --refresh records over it",
                       r->dir);
    if (foreign && !old)
        return err_set(err, ERR_USAGE, "record: %s holds other files; name a new folder", r->dir);
    return old ? take_rules(r, err) || look_through(r, true, &foreign, &old, err) : 0;
}

struct recorder *recorder_new(const char *dir, bool refresh, const json_t *manifest,
                              struct volatile_rules *rules, struct err *err)
{
    struct recorder *r = calloc(1, sizeof *r);
    char now[CLOCK_RFC3339_SIZE];
    if (!r) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    r->dir_fd = -1;
    r->rules = rules;
    buf_init(&r->body, CASSETTE_FILE_MAX);
    buf_init(&r->pieces, PIECES_MAX);
    clock_rfc3339(clock_wall_ms(), now);
    r->dir = strdup(dir);
    r->ends = json_array();
    r->calls = json_array();
    r->manifest =
        json_pack("{s:i, s:b, s:s}", "cassette", CASSETTE_VERSION, "finished", 0, "recorded", now);
    if (!r->dir || !r->ends || !r->calls || !r->manifest || canon_init(&r->canon, rules) != 0 ||
        json_object_update(r->manifest, (json_t *)(uintptr_t)manifest) != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (open_folder(r, refresh, err) == 0 && write_manifest(r, false, err) == 0)
        return r;
    recorder_free(r);
    return NULL;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    if (recorder->dir_fd >= 0)
        (void)close(recorder->dir_fd);
    canon_release(&recorder->canon);
    buf_release(&recorder->body);
    buf_release(&recorder->pieces);
    json_decref(recorder->manifest);
    json_decref(recorder->ends);
    json_decref(recorder->calls);
    free(recorder->dir);
    free(recorder);
}

/* ---- Requests ---- */

/* The calls that the last response asked for. */
static int write_calls(struct recorder *r, struct err *err)
{
    char name[CASSETTE_NAME_SIZE];
    if (json_array_size(r->calls) == 0)
        return 0;
    cassette_name(r->requests, CASSETTE_CALLS, name);
    int status = write_json(r, name, r->calls, 0, err);
    (void)json_array_clear(r->calls);
    return status;
}

int recorder_request(struct recorder *recorder, const struct chat_body *body, struct err *err)
{
    struct recorder *r = recorder;
    char name[CASSETTE_NAME_SIZE];
    if (write_calls(r, err) != 0 || (r->finished && write_manifest(r, false, err) != 0))
        return -1;
    if (r->requests == CASSETTE_REQUESTS)
        return err_set(err, ERR_SESSION, "a recording has %u requests at most", CASSETTE_REQUESTS);
    json_t *request = canon_request(&r->canon, body, err);
    if (!request)
        return -1;
    cassette_name(++r->requests, CASSETTE_REQUEST, name);
    int status = write_json(r, name, request, JSON_SORT_KEYS, err);
    json_decref(request);
    buf_clear(&r->body);
    buf_clear(&r->pieces);
    r->too_large = false;
    r->last_ms = clock_ms();
    return status;
}

void recorder_received(struct recorder *recorder, const char *data, size_t len)
{
    struct recorder *r = recorder;
    int64_t now = clock_ms();
    if (r->too_large || len == 0)
        return;
    if (buf_append(&r->body, data, len) != 0 ||
        buf_format(&r->pieces, "%s%" PRId64 ":%zu", r->pieces.len ? " " : "", now - r->last_ms,
                   len) != 0)
        r->too_large = true;
    r->last_ms = now;
}

static void add_header(json_t *headers, const char *name, const char *value)
{
    if (value)
        (void)json_object_set_new(headers, name, json_string(value));
}

static json_t *response_json(const struct recorder *r, const struct backend_end *end)
{
    json_t *headers = json_object();
    add_header(headers, "location", end->location);
    add_header(headers, "retry-after", end->headers.retry_after);
    add_header(headers, "retry-after-ms", end->headers.retry_after_ms);
    add_header(headers, "x-ratelimit-reset", end->headers.ratelimit_reset);
    add_header(headers, "x-should-retry", end->headers.should_retry);
    return json_pack("{s:i, s:o, s:s, s:s?, s:b, s:I}", "status", end->status, "headers", headers,
                     "pieces", r->pieces.data, "error", end->error, "may_pass", end->worth_retrying,
                     "ended_ms", (json_int_t)(clock_ms() - r->last_ms));
}

/* A secret in a response would have other pieces without it. */
static int redact_body(struct recorder *r)
{
    struct buf clean;
    buf_init(&clean, CASSETTE_FILE_MAX);
    int status = volatile_redact(r->rules, r->body.data, r->body.len, &clean);
    if (status == 0 && clean.len == r->body.len &&
        memcmp(clean.data, r->body.data, clean.len) == 0) {
        buf_release(&clean);
        return 0;
    }
    buf_release(&r->body);
    r->body = clean;
    buf_clear(&r->pieces);
    return status == 0 ? buf_format(&r->pieces, "0:%zu", r->body.len) : -1;
}

int recorder_response(struct recorder *recorder, const struct backend_end *end, struct err *err)
{
    struct recorder *r = recorder;
    char name[CASSETTE_NAME_SIZE];
    if (r->too_large || redact_body(r) != 0)
        return err_set(err, ERR_SESSION, "a response is too large to be recorded");
    cassette_name(r->requests, CASSETTE_BODY, name);
    if (write_file(r, name, r->body.data, r->body.len, err) != 0)
        return -1;
    json_t *response = response_json(r, end);
    if (!response || canon_mask(r->rules, response, false) != 0) {
        json_decref(response);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    cassette_name(r->requests, CASSETTE_RESPONSE, name);
    int status = write_json(r, name, response, 0, err);
    json_decref(response);
    return status;
}

/* ---- Calls ---- */

/* The output: in the record when it is a text of some lines, else a file, which the record names.
 */
static int add_output(struct recorder *r, json_t *call, const char *place, const char *text,
                      size_t len, struct err *err)
{
    char name[CASSETTE_NAME_SIZE];
    struct buf masked;
    const char *last = strchr(place, '.');
    buf_init(&masked, CASSETTE_FILE_MAX);
    int status = volatile_mask(r->rules, text, len, false, &masked) == 0
                     ? 0
                     : err_set(err, ERR_SESSION, "an output is too large to be recorded");
    if (status == 0 && masked.len <= OUTPUT_INLINE && text_is_utf8(masked.data, masked.len)) {
        (void)json_object_set_new(call, "output", json_stringn(masked.data, masked.len));
    } else if (status == 0) {
        (void)snprintf(name, sizeof name, "%03u.output.%.12s", r->requests, last ? last + 1 : "0");
        (void)json_object_set_new(call, "output_file", json_string(name));
        status = write_file(r, name, masked.data, masked.len, err);
    }
    buf_release(&masked);
    return status;
}

static unsigned long number_in_step(const char *place)
{
    const char *dot = place ? strchr(place, '.') : NULL;
    return dot ? strtoul(dot + 1, NULL, 10) : 0;
}

/* Calls that run side by side end in any order. */
static int add_in_order(json_t *calls, json_t *call, const char *place)
{
    size_t at = json_array_size(calls);
    while (at > 0 && number_in_step(json_string_value(json_object_get(
                         json_array_get(calls, at - 1), "call"))) > number_in_step(place))
        at--;
    return json_array_insert_new(calls, at, call);
}

/* A reason may be no UTF-8. */
static json_t *message_json(const char *message)
{
    struct buf clean;
    if (!message)
        return json_null();
    buf_init(&clean, 1u << 20);
    (void)text_fix_utf8(&clean, message, strlen(message), NULL);
    json_t *value = json_stringn(clean.data, clean.len);
    buf_release(&clean);
    return value;
}

int recorder_call(struct recorder *recorder, const char *place, const char *name, const char *args,
                  size_t args_len, const struct run_result_of_call *result, const json_t *files,
                  struct err *err)
{
    struct recorder *r = recorder;
    json_t *arguments = json_loadb(args, args_len, JSON_ALLOW_NUL, NULL);
    json_t *call = json_pack("{s:s, s:s, s:o, s:i, s:o, s:I, s:I, s:O?}", "call", place, "name",
                             name, "arguments", arguments, "code", (int)result->code, "message",
                             message_json(result->code ? result->message : NULL), "omitted",
                             (json_int_t)result->omitted, "duration_ms",
                             (json_int_t)result->duration_ms, "files", files);
    if (!call || canon_mask(r->rules, json_object_get(call, "arguments"), true) != 0 ||
        canon_mask(r->rules, call, false) != 0) {
        json_decref(call);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (add_output(r, call, place, result->output, result->len, err) != 0) {
        json_decref(call);
        return -1;
    }
    return add_in_order(r->calls, call, place) == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- The end ---- */

int recorder_end(struct recorder *recorder, const char *stop_reason, int exit_code, struct err *err)
{
    struct recorder *r = recorder;
    if (write_calls(r, err) != 0)
        return -1;
    if (json_array_append_new(r->ends,
                              json_pack("{s:I, s:s, s:i}", "requests", (json_int_t)r->requests,
                                        "stop_reason", stop_reason, "exit_code", exit_code)) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return write_manifest(r, true, err);
}
