/* What stands behind call->api: arguments, result, time. */
#include "host/call.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* ---- For services ---- */

int32_t call_fail(struct call *call, int32_t code, const char *format, ...)
{
    char text[SESSION_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    return call->base.api->fail(&call->base, code, text);
}

int32_t call_fail_err(struct call *call, const struct err *err)
{
    int32_t code = TACKLE_E_FAILED;
    if (err->code == ERR_DENIED)
        code = TACKLE_E_DENIED;
    else if (err->code == ERR_LIMIT)
        code = TACKLE_E_LIMIT;
    else if (err->code == ERR_NOT_FOUND)
        code = TACKLE_E_NOT_FOUND;
    else if (err->code == ERR_USAGE)
        code = TACKLE_E_ARGS;
    else if (err->code == ERR_NOMEM)
        code = TACKLE_E_NOMEM;
    return call_fail(call, code, "%s", err->text);
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

int64_t call_ms_left(const struct call *call)
{
    int64_t left = call->deadline_ms - clock_ms();
    return left > 0 ? left : 0;
}

int32_t call_ended(struct call *call)
{
    if (is_readable(call->session->cancel_fd))
        return call_fail(call, TACKLE_E_CANCELLED, "the call was cancelled");
    if (is_readable(call->session->end_fd))
        return call_fail(call, TACKLE_E_TIMEOUT, "the call ran past its deadline of %lld ms",
                         (long long)call->spec->ms);
    return 0;
}

int32_t call_may(struct call *call, uint32_t does, const char *what)
{
    if (call->tool->does & does)
        return 0;
    return call_fail(call, TACKLE_E_DENIED, "the tool %s does not declare that it %s",
                     call->tool->name, what);
}

void call_keep_text(struct buf *out, const char *text, size_t len)
{
    buf_clear(out);
    (void)text_fix_utf8(out, text, text_edge(text, len, SESSION_MESSAGE_MAX), NULL);
}

int32_t call_copy(struct call *call, const void *from, size_t least, void *own, size_t own_size)
{
    uint32_t size = 0;
    if (from)
        memcpy(&size, from, sizeof size);
    if (size < least || size > MANIFEST_STRUCT_MAX)
        return call_fail(call, TACKLE_E_ARGS,
                         "the plugin %s passes a struct without a proper size (%u)",
                         call->session->manifest->plugin.name, size);
    memset(own, 0, own_size);
    memcpy(own, from, size < own_size ? size : own_size);
    return 0;
}

void call_give(const void *own, size_t own_size, void *to)
{
    uint32_t size;
    memcpy(&size, to, sizeof size);
    size_t len = size < own_size ? size : own_size;
    if (len > sizeof size)
        memcpy((char *)to + sizeof size, (const char *)own + sizeof size, len - sizeof size);
}

/* ---- Arguments ---- */

static const char *args_json(tackle_call *call, size_t *len)
{
    const struct session_call *spec = call_of(call)->spec;
    if (len)
        *len = spec->args_len;
    return spec->args;
}

static const json_t *argument(tackle_call *call, const char *key)
{
    return key ? json_object_get(call_of(call)->args, key) : NULL;
}

/* No copy: jansson ends its texts with a zero byte and lets none stand inside. */
static const char *text_of(const json_t *value, size_t *len)
{
    if (!json_is_string(value))
        return NULL;
    if (len)
        *len = json_string_length(value);
    return json_string_value(value);
}

static const char *arg_text(tackle_call *call, const char *key, size_t *len)
{
    return text_of(argument(call, key), len);
}

/* 3.0 is an integer for JSON Schema, and models send it. */
static int32_t arg_int(tackle_call *call, const char *key, int64_t *out)
{
    const json_t *value = argument(call, key);
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return 1;
    }
    double real = json_real_value(value);
    if (!json_is_real(value) || real < -0x1p63 || real >= 0x1p63 || real != (double)(int64_t)real)
        return 0;
    *out = (int64_t)real;
    return 1;
}

static int32_t arg_real(tackle_call *call, const char *key, double *out)
{
    const json_t *value = argument(call, key);
    if (!json_is_number(value))
        return 0;
    *out = json_number_value(value);
    return 1;
}

static int32_t arg_bool(tackle_call *call, const char *key, int32_t *out)
{
    const json_t *value = argument(call, key);
    if (!json_is_boolean(value))
        return 0;
    *out = json_is_true(value);
    return 1;
}

static int64_t arg_count(tackle_call *call, const char *key)
{
    const json_t *value = argument(call, key);
    return json_is_array(value) ? (int64_t)json_array_size(value) : -1;
}

static const char *arg_item(tackle_call *call, const char *key, int64_t index, size_t *len)
{
    return index < 0 ? NULL : text_of(json_array_get(argument(call, key), (size_t)index), len);
}

/* ---- Result ---- */

static int32_t write_result(tackle_call *base, const char *text, size_t len)
{
    struct call *call = call_of(base);
    size_t room = call->omitted ? 0 : call->spec->cap - call->written;
    size_t fits = len;
    if (!text && len > 0)
        return TACKLE_E_ARGS;
    if (len > room)
        fits = room ? text_edge(text, len, room) : 0;
    if (fits > 0)
        call->session->sink.output(call->session->sink.user, text, fits);
    call->written += fits;
    call->omitted += len - fits;
    return call->omitted ? TACKLE_E_LIMIT : TACKLE_OK;
}

static int32_t fail(tackle_call *base, int32_t code, const char *message)
{
    const char *text = message ? message : "";
    call_keep_text(&call_of(base)->message, text, strnlen(text, SESSION_MESSAGE_MAX + 1));
    return code < 0 ? code : TACKLE_E_FAILED;
}

static int32_t progress(tackle_call *base, const char *text)
{
    struct call *call = call_of(base);
    struct buf line;
    if (!text)
        return TACKLE_E_ARGS;
    buf_init(&line, SESSION_TEXT_MAX);
    call_keep_text(&line, text, strcspn(text, "\r\n"));
    call->session->sink.progress(call->session->sink.user, line.data, line.len);
    buf_release(&line);
    return TACKLE_OK;
}

/* ---- Time ---- */

static int32_t cancelled(tackle_call *call)
{
    return is_readable(call_of(call)->session->end_fd);
}

static int32_t cancel_fd(tackle_call *call)
{
    return call_of(call)->session->end_fd;
}

static int64_t ms_left(tackle_call *call)
{
    return call_ms_left(call_of(call));
}

/* ---- Crash and repeat ---- */

static const char *call_key(tackle_call *call)
{
    return call_of(call)->spec->key;
}

static int32_t remember(tackle_call *base, const char *note, size_t len)
{
    struct call *call = call_of(base);
    struct err err;
    note = note || len > 0 ? note : "";
    if (call->spec->probe || call->noted)
        return call_fail(call, TACKLE_E_FAILED, "a call has one note, and probe() has none");
    if (len > SESSION_NOTE_MAX)
        return call_fail(call, TACKLE_E_LIMIT, "the note has %zu bytes, over the limit of %u", len,
                         SESSION_NOTE_MAX);
    if (!note || !text_is_utf8(note, len) || memchr(note, '\0', len))
        return call_fail(call, TACKLE_E_ARGS, "the note is no text");
    call->noted = true;
    if (call->session->sink.remember(call->session->sink.user, note, len, &err))
        return call_fail_err(call, &err);
    return TACKLE_OK;
}

static const char *remembered(tackle_call *call, size_t *len)
{
    const struct session_call *spec = call_of(call)->spec;
    if (!spec->probe || !spec->note)
        return NULL;
    if (len)
        *len = spec->note_len;
    return spec->note;
}

const tackle_call_api call_api = {
    .size = sizeof(tackle_call_api),
    .args_json = args_json,
    .arg_text = arg_text,
    .arg_int = arg_int,
    .arg_real = arg_real,
    .arg_bool = arg_bool,
    .arg_count = arg_count,
    .arg_item = arg_item,
    .write = write_result,
    .fail = fail,
    .progress = progress,
    .cancelled = cancelled,
    .cancel_fd = cancel_fd,
    .ms_left = ms_left,
    .call_key = call_key,
    .remember = remember,
    .remembered = remembered,
};
