#include "engine/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enforce.h"

#define EVENT_MAX (64u << 20)

void event_make_run_id(char out[EVENT_RUN_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t time = (uint64_t)clock_wall_ms(), chance = 0;
    arc4random_buf(&chance, sizeof chance);
    out[0] = 'r';
    for (int i = 9; i >= 1; i--, time >>= 5)
        out[i] = digits[time & 31];
    for (int i = 10; i <= 18; i++, chance >>= 5)
        out[i] = digits[chance & 31];
    out[19] = '\0';
}

void events_init(struct events *e, event_sink sink, void *user)
{
    *e = (struct events){.sink = sink, .user = user};
    event_make_run_id(e->run);
    buf_init(&e->line, EVENT_MAX);
}

void events_release(struct events *e)
{
    buf_release(&e->line);
}

/* The head of every line. */
static int begin(struct events *e, const char *type)
{
    char ts[CLOCK_RFC3339_SIZE];
    clock_rfc3339(clock_wall_ms(), ts);
    buf_clear(&e->line);
    struct json_members m = {.out = &e->line};
    m.failed = buf_text(&e->line, "{\"v\":1") != 0;
    member_int(&m, "seq", (int64_t)e->seq);
    member_text(&m, "ts", ts);
    member_text(&m, "run", e->run);
    member_text(&m, "type", type);
    return m.failed ? -1 : 0;
}

static int dump(const char *data, size_t len, void *user)
{
    return buf_append(user, data, len);
}

/* -1: it cannot be told without them. */
static int take_secrets_out(struct events *e)
{
    return ENFORCED(secrets_not_in_events) && redact_buf(e->redact, REDACT_JSON, &e->line, 0) < 0
               ? -1
               : 0;
}

/* The line is taken aside while its receiver reads it: what he does may emit another event. */
static void hand_over(struct events *e, const char *type, const char *text, size_t len)
{
    struct buf line = e->line;
    buf_init(&e->line, EVENT_MAX);
    e->sink(e->user, e->seq, type, line.data, line.len, text, len);
    buf_release(&e->line);
    e->line = line;
}

/* One that cannot be told in full is told without its fields, so that no number is missing. */
static void tell(struct events *e, const char *type)
{
    if (take_secrets_out(e) == 0 || (begin(e, type) == 0 && buf_byte(&e->line, '}') == 0))
        hand_over(e, type, NULL, 0);
}

void event_emit(struct events *e, const char *type, json_t *fields)
{
    e->seq++;
    if (e->sink && begin(e, type) == 0) {
        size_t start = e->line.len;
        if (fields && json_object_size(fields) > 0 &&
            json_dump_callback(fields, dump, &e->line, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0)
            e->line.data[start] = ','; /* the fields' opening brace */
        else
            buf_cut(&e->line, start);
        if (e->line.len == start)
            (void)buf_byte(&e->line, '}');
        tell(e, type);
    }
    json_decref(fields);
}

struct json_members *event_begin(struct events *e, const char *type)
{
    e->seq++;
    e->type = type;
    e->members = (struct json_members){.out = e->sink ? &e->line : NULL};
    e->members.failed = e->sink && begin(e, type) != 0;
    return &e->members;
}

/* One that became too long is still told of, without its fields, so that no number is missing. */
void event_end(struct events *e)
{
    if (!e->sink)
        return;
    if ((!e->members.failed || begin(e, e->type) == 0) && buf_byte(&e->line, '}') == 0)
        tell(e, e->type);
}

void event_delta(struct events *e, const char *type, long step, const char *text, size_t len)
{
    e->seq++;
    if (!e->sink)
        return;
    struct json_members m = {.out = &e->line, .failed = begin(e, type) != 0};
    member_int(&m, "step", step);
    member_bytes(&m, "text", text, len);
    if (!m.failed && buf_byte(&e->line, '}') == 0)
        hand_over(e, type, text, len);
}
