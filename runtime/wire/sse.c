/* The event stream parser. Lines are found with memchr in the caller's bytes; a byte is copied only
 * when a line or an event is cut between two feeds, or an event has several data lines. */
#include "wire/sse.h"

#include <string.h>

#define NAME_MAX_BYTES 256u
#define ID_MAX_BYTES   1024u

static const char byte_order_mark[3] = {'\xef', '\xbb', '\xbf'};

void sse_init(struct sse *s, sse_event_fn on_event, void *user)
{
    *s = (struct sse){.on_event = on_event, .user = user};
    buf_init(&s->line, SSE_LINE_MAX);
    buf_init(&s->data, SSE_LINE_MAX);
    buf_init(&s->name, NAME_MAX_BYTES);
    buf_init(&s->id, ID_MAX_BYTES);
    buf_init(&s->unframed, SSE_UNFRAMED_MAX);
}

void sse_release(struct sse *s)
{
    buf_release(&s->line);
    buf_release(&s->data);
    buf_release(&s->name);
    buf_release(&s->id);
    buf_release(&s->unframed);
}

static int too_long(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the event stream has a line or an event over %u MiB",
                   SSE_LINE_MAX >> 20);
}

/* Moves the held data line into our own memory, before the caller's bytes go away. */
static int keep_held(struct sse *s, struct err *err)
{
    if (!s->held)
        return 0;
    int status = buf_append(&s->data, s->held, s->held_len);
    s->held = NULL;
    return status ? too_long(err) : 0;
}

static int add_data(struct sse *s, const char *value, size_t len, struct err *err)
{
    if (!s->has_data) {
        s->has_data = true;
        s->held = value;
        s->held_len = len;
        return 0;
    }
    if (keep_held(s, err))
        return -1;
    if (buf_byte(&s->data, '\n') || buf_append(&s->data, value, len))
        return too_long(err);
    return 0;
}

static int deliver(struct sse *s, const char *name, const char *data, size_t len)
{
    const struct sse_event event = {.name = name, .id = s->id.data, .data = data, .len = len};
    return s->on_event(s->user, &event) ? -1 : 0;
}

/* A blank line: the pending event is whole. One without data is dropped. */
static int dispatch(struct sse *s)
{
    int status = 0;
    if (s->has_data) {
        const char *name = s->name.len ? s->name.data : "message";
        status = s->held ? deliver(s, name, s->held, s->held_len)
                         : deliver(s, name, s->data.data, s->data.len);
    }
    s->has_data = false;
    s->held = NULL;
    buf_clear(&s->data);
    buf_clear(&s->name);
    return status;
}

static void set_id(struct sse *s, const char *value, size_t len)
{
    if (len > ID_MAX_BYTES || (len && memchr(value, 0, len)))
        return;
    buf_clear(&s->id);
    if (buf_append(&s->id, value, len))
        buf_clear(&s->id);
}

static void set_name(struct sse *s, const char *value, size_t len)
{
    buf_clear(&s->name);
    if (len > NAME_MAX_BYTES || buf_append(&s->name, value, len))
        buf_clear(&s->name);
}

static int keep_unframed(struct sse *s, const char *line, size_t len, struct err *err)
{
    if (buf_append(&s->unframed, line, len) || buf_byte(&s->unframed, '\n'))
        return err_set(err, ERR_LIMIT, "over %u KiB came that are no event stream",
                       SSE_UNFRAMED_MAX >> 10);
    return 0;
}

static bool is(const char *name, size_t len, const char *field)
{
    return len == strlen(field) && memcmp(name, field, len) == 0;
}

/* One line without its end. `value` stays valid until the next line is taken. */
static int take_line(struct sse *s, const char *line, size_t len, struct err *err)
{
    if (!s->started) {
        s->started = true;
        if (len >= sizeof byte_order_mark &&
            memcmp(line, byte_order_mark, sizeof byte_order_mark) == 0) {
            line += sizeof byte_order_mark;
            len -= sizeof byte_order_mark;
        }
    }
    if (len == 0)
        return dispatch(s);
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : len;
    size_t skip = colon ? name_len + 1 : len;
    if (skip < len && line[skip] == ' ')
        skip++;
    const char *value = line + skip;
    size_t value_len = len - skip;
    if (is(line, name_len, "data"))
        return add_data(s, value, value_len, err);
    if (is(line, name_len, "event"))
        set_name(s, value, value_len);
    else if (is(line, name_len, "id"))
        set_id(s, value, value_len);
    else if (is(line, name_len, "error"))
        return deliver(s, "error", value, value_len);
    else if (name_len > 0 && !is(line, name_len, "retry"))
        return keep_unframed(s, line, len, err);
    return 0;
}

/* The line that began in an earlier feed and ends here. */
static int take_kept_line(struct sse *s, const char *rest, size_t len, struct err *err)
{
    if (buf_append(&s->line, rest, len))
        return too_long(err);
    if (take_line(s, s->line.data, s->line.len, err) || keep_held(s, err))
        return -1;
    buf_clear(&s->line);
    return 0;
}

/* The next `c` at or after `from`, or `end`; `known` is the last answer, still good while it lies
 * ahead, so that no byte is searched twice. */
static const char *next(const char *known, const char *from, const char *end, char c)
{
    if (known && known >= from)
        return known;
    const char *found = from < end ? memchr(from, c, (size_t)(end - from)) : NULL;
    return found ? found : end;
}

int sse_feed(struct sse *s, const char *data, size_t len, struct err *err)
{
    const char *p = data, *end = data + len, *lf = NULL, *cr = NULL;
    if (s->after_cr && len > 0) {
        s->after_cr = false;
        p += *p == '\n';
    }
    while (p < end) {
        lf = next(lf, p, end, '\n');
        cr = next(cr, p, end, '\r');
        const char *eol = lf < cr ? lf : cr;
        size_t n = (size_t)(eol - p);
        if (n > SSE_LINE_MAX)
            return too_long(err);
        if (eol == end) {
            if (buf_append(&s->line, p, n))
                return too_long(err);
            break;
        }
        if (s->line.len ? take_kept_line(s, p, n, err) : take_line(s, p, n, err))
            return -1;
        p = eol + 1;
        if (eol == cr) {
            s->after_cr = p == end;
            p += p < end && *p == '\n';
        }
    }
    return keep_held(s, err);
}

/* The start of a field's name, cut by the end of the stream: not worth keeping. */
static bool is_cut_field(const struct buf *line)
{
    static const char *const fields[] = {"data", "event", "error", "id", "retry"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (line->len < strlen(fields[i]) && memcmp(line->data, fields[i], line->len) == 0)
            return true;
    return false;
}

int sse_end(struct sse *s, struct err *err)
{
    if (is_cut_field(&s->line))
        buf_clear(&s->line);
    if (s->line.len && take_kept_line(s, "", 0, err))
        return -1;
    return dispatch(s);
}
