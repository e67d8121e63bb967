#include "io/cassette.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/buf.h"
#include "io/backend.h"
#include "wire/canon.h"

#define BARE_PIECE    160 /* bytes of a body without a recorded timing: about one event */
#define BARE_PIECE_MS 24
#define PIECES_MAX    (1u << 20)
#define WAIT_MAX_MS   3600000

struct cassette {
    char *dir; /* owned */
    int dir_fd;
    struct volatile_rules *rules; /* borrowed */
    json_t *manifest;             /* owned; NULL: bodies alone */
    bool compares;
    struct dirent **names; /* of bodies alone, sorted */
    unsigned count, next;  /* requests there are; the number of the last one asked */
    size_t ends;           /* of the run that have been seen */
    struct canon canon;
    struct buf diff;
    /* The last request's. */
    char *body; /* owned */
    size_t body_len;
    json_t *response; /* owned; the texts of `end` are in it */
    struct backend_end end;
    struct cassette_piece *pieces; /* owned */
    size_t piece_count;
    json_t *calls; /* owned: those that are left; NULL: none were recorded */
};

void cassette_name(unsigned request, enum cassette_file file, char out[CASSETTE_NAME_SIZE])
{
    static const char *const kinds[] = {"request.json", "response", "response.json", "calls.json"};
    (void)snprintf(out, CASSETTE_NAME_SIZE, "%03u.%s", request, kinds[file]);
}

/* ---- Files ---- */

static int read_file(const struct cassette *c, const char *name, char **data, size_t *len,
                     struct err *err)
{
    if (beneath_read(c->dir_fd, name, CASSETTE_FILE_MAX, data, len, err) == 0)
        return 0;
    err->code = ERR_CONFIG;
    return err_prefix(err, "the recording in %s is damaged", c->dir);
}

static json_t *read_json(const struct cassette *c, const char *name, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    json_error_t problem;
    if (read_file(c, name, &data, &len, err) != 0)
        return NULL;
    json_t *value = json_loadb(data, len, JSON_ALLOW_NUL, &problem);
    free(data);
    if (!value)
        err_set(err, ERR_CONFIG, "the recording in %s is damaged: %s, line %d: %s", c->dir, name,
                problem.line, problem.text);
    return value;
}

static json_t *read_part(const struct cassette *c, enum cassette_file file, struct err *err)
{
    char name[CASSETTE_NAME_SIZE];
    cassette_name(c->next, file, name);
    return read_json(c, name, err);
}

/* ---- Opening ---- */

static int is_body(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 &&
           (strcmp(entry->d_name + len - 4, ".sse") == 0 ||
            strcmp(entry->d_name + len - 5, ".json") == 0);
}

static int list_bodies(struct cassette *c, struct err *err)
{
    int count = scandir(c->dir, &c->names, is_body, alphasort);
    if (count > 0 && (unsigned)count <= CASSETTE_REQUESTS) {
        c->count = (unsigned)count;
        return 0;
    }
    for (int i = 0; i < count; i++)
        free(c->names[i]);
    free(c->names);
    c->names = NULL;
    return err_set(err, ERR_CONFIG,
                   "replay: %s holds no recording: neither a " CASSETTE_MANIFEST
                   ", which --record writes, nor bodies of responses (001.sse, 002.sse, ...)",
                   c->dir);
}

static int check_manifest(struct cassette *c, struct err *err)
{
    json_int_t version = json_integer_value(json_object_get(c->manifest, "cassette"));
    json_int_t requests = json_integer_value(json_object_get(c->manifest, "requests"));
    if (version < 1)
        return err_set(err, ERR_CONFIG, "replay: %s/" CASSETTE_MANIFEST " is no manifest of one",
                       c->dir);
    if (version > CASSETTE_VERSION)
        return err_set(err, ERR_CONFIG,
                       "replay: the recording in %s is of format %" JSON_INTEGER_FORMAT
                       ", and this tackle reads up to %d; a newer one is needed",
                       c->dir, version, CASSETTE_VERSION);
    if (!json_is_true(json_object_get(c->manifest, "finished")))
        return err_set(err, ERR_CONFIG,
                       "replay: the recording in %s was never finished: its run was interrupted; "
                       "record it again with --record %s --refresh",
                       c->dir, c->dir);
    if (requests < 0 || requests > CASSETTE_REQUESTS)
        return err_set(err, ERR_CONFIG, "replay: %s/" CASSETTE_MANIFEST ": \"requests\" is wrong",
                       c->dir);
    c->count = (unsigned)requests;
    if (volatile_read(c->rules, json_object_get(c->manifest, "rules"), err) != 0)
        return err_prefix(err, "replay: %s/" CASSETTE_MANIFEST, c->dir);
    return 0;
}

static int look_inside(struct cassette *c, struct err *err)
{
    if (faccessat(c->dir_fd, CASSETTE_MANIFEST, F_OK, 0) != 0)
        return list_bodies(c, err);
    c->manifest = read_json(c, CASSETTE_MANIFEST, err);
    return c->manifest ? check_manifest(c, err) : -1;
}

struct cassette *cassette_open(const char *dir, struct volatile_rules *rules, bool compare,
                               struct err *err)
{
    char real[BENEATH_PATH_MAX];
    struct cassette *c = calloc(1, sizeof *c);
    if (!c) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    c->rules = rules;
    buf_init(&c->diff, 64u << 10);
    c->dir = strdup(dir);
    c->dir_fd = c->dir ? beneath_open_root(dir, real, err) : -1;
    if (canon_init(&c->canon, rules) != 0 || !c->dir)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (c->dir_fd < 0)
        err_prefix(err, "replay");
    else if (look_inside(c, err) == 0) {
        c->compares = compare && c->manifest;
        return c;
    }
    cassette_free(c);
    return NULL;
}

static void forget_response(struct cassette *c)
{
    free(c->body);
    free(c->pieces);
    json_decref(c->response);
    c->body = NULL;
    c->pieces = NULL;
    c->response = NULL;
    c->piece_count = 0;
}

void cassette_free(struct cassette *cassette)
{
    struct cassette *c = cassette;
    if (!c)
        return;
    for (unsigned i = 0; c->names && i < c->count; i++)
        free(c->names[i]);
    free(c->names);
    forget_response(c);
    json_decref(c->calls);
    json_decref(c->manifest);
    canon_release(&c->canon);
    buf_release(&c->diff);
    if (c->dir_fd >= 0)
        (void)close(c->dir_fd);
    free(c->dir);
    free(c);
}

const json_t *cassette_manifest(const struct cassette *cassette)
{
    return cassette->manifest;
}

bool cassette_compares(const struct cassette *cassette)
{
    return cassette->compares;
}

const char *cassette_diff(const struct cassette *cassette)
{
    return cassette->diff.data;
}

/* ---- Requests ---- */

/* Calls of the last response that were recorded and were not made. */
static int check_calls(const struct cassette *c, struct err *err)
{
    const json_t *left = json_array_get(c->calls, 0);
    const char *place = json_string_value(json_object_get(left, "call"));
    const char *name = json_string_value(json_object_get(left, "name"));
    if (!left)
        return 0;
    return err_set(err, ERR_REPLAY, "request %u: the call %s of %s was recorded and is missing now",
                   c->next, place ? place : "?", name ? name : "?");
}

static int compare(struct cassette *c, const struct chat_body *body, struct err *err)
{
    struct buf where;
    json_t *recorded = read_part(c, CASSETTE_REQUEST, err);
    json_t *now = recorded ? canon_request(&c->canon, body, err) : NULL;
    int status = now ? 0 : -1;
    buf_init(&where, 1000);
    if (status == 0 && !canon_matches(c->rules, recorded, now, &where, &c->diff))
        status = err_set(err, ERR_REPLAY, "request %u differs from the recorded one: %s", c->next,
                         where.data);
    buf_release(&where);
    json_decref(recorded);
    json_decref(now);
    return status;
}

int cassette_ask(struct cassette *cassette, const struct chat_body *body, struct err *err)
{
    struct cassette *c = cassette;
    buf_clear(&c->diff);
    forget_response(c);
    /* What the calls gave is in the request: that tells more than that one is missing. */
    if (c->next == c->count)
        return err_set(err, ERR_REPLAY,
                       "the recording in %s ends with reply %u, and the run asks for another",
                       c->dir, c->count);
    c->next++;
    if (c->compares && (compare(c, body, err) != 0 || check_calls(c, err) != 0))
        return -1;
    json_decref(c->calls);
    c->calls = NULL;
    return 0;
}

/* ---- Responses ---- */

static int add_piece(struct cassette *c, int64_t wait_ms, size_t len)
{
    if (c->piece_count % 64 == 0) {
        void *more = realloc(c->pieces, (c->piece_count + 64) * sizeof *c->pieces);
        if (!more || c->piece_count == PIECES_MAX)
            return -1;
        c->pieces = more;
    }
    c->pieces[c->piece_count++] = (struct cassette_piece){wait_ms, len};
    return 0;
}

/* "412:160 36:154": they must make up the body. */
static int read_pieces(struct cassette *c, const char *text)
{
    size_t total = 0;
    while (text && *text) {
        char *end = NULL;
        long long wait = strtoll(text, &end, 10);
        if (end == text || *end != ':' || wait < 0 || wait > WAIT_MAX_MS)
            return -1;
        text = end + 1;
        long long len = strtoll(text, &end, 10);
        if (end == text || len <= 0 || (size_t)len > c->body_len - total ||
            add_piece(c, wait, (size_t)len) != 0)
            return -1;
        total += (size_t)len;
        text = end + (*end == ' ');
    }
    return total == c->body_len ? 0 : -1;
}

static const char *header(const json_t *response, const char *name)
{
    return json_string_value(json_object_get(json_object_get(response, "headers"), name));
}

static int read_response(struct cassette *c, struct err *err)
{
    char name[CASSETTE_NAME_SIZE];
    cassette_name(c->next, CASSETTE_BODY, name);
    if (read_file(c, name, &c->body, &c->body_len, err) != 0 ||
        !(c->response = read_part(c, CASSETTE_RESPONSE, err)))
        return -1;
    const json_t *r = c->response, *status = json_object_get(r, "status");
    const char *pieces = json_string_value(json_object_get(r, "pieces"));
    if (!json_is_integer(status) || !pieces || read_pieces(c, pieces) != 0)
        return err_set(err, ERR_CONFIG,
                       "the recording in %s is damaged: %s is not as long as the pieces of it, or "
                       "was changed",
                       c->dir, name);
    c->end = (struct backend_end){.status = (int)json_integer_value(status),
                                  .error = json_string_value(json_object_get(r, "error")),
                                  .worth_retrying = json_is_true(json_object_get(r, "may_pass")),
                                  .headers = {header(r, "retry-after-ms"), header(r, "retry-after"),
                                              header(r, "x-ratelimit-reset"),
                                              header(r, "x-should-retry")},
                                  .location = header(r, "location")};
    cassette_name(c->next, CASSETTE_CALLS, name);
    if (faccessat(c->dir_fd, name, F_OK, 0) == 0)
        c->calls = read_part(c, CASSETTE_CALLS, err);
    else
        c->calls = json_array();
    return json_is_array(c->calls)
               ? 0
               : err_set(err, ERR_CONFIG, "the recording in %s is damaged: %s", c->dir, name);
}

static int read_bare(struct cassette *c, struct err *err)
{
    if (read_file(c, c->names[c->next - 1]->d_name, &c->body, &c->body_len, err) != 0)
        return -1;
    c->end = (struct backend_end){.status = 200};
    for (size_t at = 0; at < c->body_len; at += BARE_PIECE) {
        size_t left = c->body_len - at;
        if (add_piece(c, BARE_PIECE_MS, left < BARE_PIECE ? left : BARE_PIECE) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

int cassette_response(struct cassette *cassette, struct cassette_response *out, struct err *err)
{
    struct cassette *c = cassette;
    if ((c->manifest ? read_response(c, err) : read_bare(c, err)) != 0)
        return -1;
    *out = (struct cassette_response){c->body, c->body_len, c->pieces, c->piece_count, &c->end};
    return 0;
}

/* ---- Calls ---- */

static json_t *find_call(const struct cassette *c, const char *place, size_t *index)
{
    for (*index = 0; *index < json_array_size(c->calls); ++*index) {
        json_t *call = json_array_get(c->calls, *index);
        const char *text = json_string_value(json_object_get(call, "call"));
        if (text && strcmp(text, place) == 0)
            return call;
    }
    return NULL;
}

static int check_arguments(struct cassette *c, const json_t *call, const char *place,
                           const char *name, const char *args, size_t args_len, struct err *err)
{
    const char *recorded = json_string_value(json_object_get(call, "name"));
    if (!recorded || strcmp(recorded, name) != 0)
        return err_set(err, ERR_REPLAY, "call %s is of %s, and was of %s", place, name,
                       recorded ? recorded : "?");
    json_t *now = json_loadb(args, args_len, JSON_ALLOW_NUL, NULL);
    int status = 0;
    if (!now || canon_mask(c->rules, now, false) != 0)
        status = err_set(err, ERR_NOMEM, "out of memory");
    else if (!canon_arguments_match(c->rules, json_object_get(call, "arguments"), now, &c->diff))
        status = err_set(err, ERR_REPLAY, "call %s of %s has other arguments than were recorded",
                         place, name);
    json_decref(now);
    return status;
}

static char *unmasked(const struct cassette *c, const char *text, size_t len, size_t *out_len)
{
    struct buf out;
    buf_init(&out, CASSETTE_FILE_MAX);
    char *result = NULL;
    if (volatile_unmask(c->rules, text, len, &out) == 0) {
        *out_len = out.len;
        result = buf_take(&out);
    }
    buf_release(&out);
    return result;
}

static int take_output(const struct cassette *c, const json_t *call, struct cassette_result *out,
                       struct err *err)
{
    const json_t *inline_text = json_object_get(call, "output");
    const char *file = json_string_value(json_object_get(call, "output_file"));
    const char *message = json_string_value(json_object_get(call, "message"));
    char *text = NULL;
    size_t len = json_string_length(inline_text), ignored;
    if (file && read_file(c, file, &text, &len, err) != 0)
        return -1;
    const char *output = file ? text : json_string_value(inline_text);
    out->output = unmasked(c, output ? output : "", len, &out->len);
    out->message = message ? unmasked(c, message, strlen(message), &ignored) : NULL;
    free(text);
    return out->output && (out->message || !message) ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int cassette_call(struct cassette *cassette, const char *place, const char *name, const char *args,
                  size_t args_len, struct cassette_result *out, struct err *err)
{
    struct cassette *c = cassette;
    size_t index;
    *out = (struct cassette_result){0};
    buf_clear(&c->diff);
    json_t *call = find_call(c, place, &index);
    if (!call)
        return err_set(err, ERR_REPLAY, "call %s of %s was not recorded", place, name);
    if (check_arguments(c, call, place, name, args, args_len, err) != 0)
        return -1;
    out->code = (int32_t)json_integer_value(json_object_get(call, "code"));
    out->omitted = (uint64_t)json_integer_value(json_object_get(call, "omitted"));
    out->duration_ms = json_integer_value(json_object_get(call, "duration_ms"));
    out->files = json_incref(json_object_get(call, "files"));
    if (take_output(c, call, out, err) != 0) {
        cassette_result_release(out);
        return -1;
    }
    (void)json_array_remove(c->calls, index);
    return 0;
}

void cassette_result_release(struct cassette_result *result)
{
    free(result->output);
    free(result->message);
    json_decref(result->files);
    *result = (struct cassette_result){0};
}

/* ---- The end ---- */

int cassette_end(struct cassette *cassette, struct err *err)
{
    struct cassette *c = cassette;
    const json_t *end = json_array_get(json_object_get(c->manifest, "ends"), c->ends++);
    json_int_t requests = json_integer_value(json_object_get(end, "requests"));
    buf_clear(&c->diff);
    if (!c->compares)
        return 0;
    if (!end || requests != (json_int_t)c->next)
        return err_set(err, ERR_REPLAY,
                       "the run ended after request %u of %" JSON_INTEGER_FORMAT
                       " that were recorded",
                       c->next, end ? requests : (json_int_t)c->count);
    return check_calls(c, err);
}
