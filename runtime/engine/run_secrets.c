#include "engine/run_secrets.h"

#include "base/enforce.h"
#include "engine/run_state.h"

static const struct redact *set_of(const struct run *run)
{
    return run->config.redact;
}

int secrets_from_messages(struct run *run)
{
    size_t from = run->messages_clean;
    if (!ENFORCED(secrets_not_in_messages) || from >= run->messages.len)
        return 0;
    from += from > 0; /* the comma */
    long count = redact_buf(set_of(run), REDACT_JSON, &run->messages, from);
    if (count < 0) {
        run_end(run, STOP_INTERNAL, "the conversation is too large");
        return -1;
    }
    if (count > 0 && from < run->recorded)
        run->recorded = 0; /* of a run that was restored: it is another conversation */
    run->messages_clean = run->messages.len;
    return 0;
}

static struct redact_stream *stream_of(struct run *run, enum chat_delta kind)
{
    return &run->deltas[kind == CHAT_DELTA_TEXT ? 0 : 1];
}

static void emit_delta(struct run *run, enum chat_delta kind, const struct buf *text)
{
    if (text->len > 0)
        event_delta(&run->events, kind == CHAT_DELTA_TEXT ? "message.delta" : "reasoning.delta",
                    (long)run->step, text->data, text->len);
}

void secrets_from_delta(struct run *run, enum chat_delta kind, const char *text, size_t len)
{
    struct buf out;
    buf_init(&out, 2 * CHAT_TEXT_MAX);
    if (redact_stream_feed(stream_of(run, kind), text, len, &out) == 0)
        emit_delta(run, kind, &out);
    buf_release(&out);
}

void secrets_from_deltas_end(struct run *run, bool whole)
{
    static const enum chat_delta kinds[] = {CHAT_DELTA_REASONING, CHAT_DELTA_TEXT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct redact_stream *stream = stream_of(run, kinds[i]);
        struct buf out;
        buf_init(&out, 2 * CHAT_TEXT_MAX);
        if (whole && redact_stream_end(stream, &out) == 0)
            emit_delta(run, kinds[i], &out);
        redact_stream_drop(stream);
        buf_release(&out);
    }
}

int secrets_from_text(struct run *run)
{
    long count = redact_buf(set_of(run), REDACT_TEXT, &run->text, 0);
    if (count < 0)
        buf_clear(&run->text);
    return count < 0 ? -1 : 0;
}

long secrets_from_output(const struct run *run, struct buf *text)
{
    long count = redact_buf(set_of(run), REDACT_TEXT, text, 0);
    if (count < 0)
        buf_clear(text);
    return count;
}

void secrets_from_progress(const struct run *run, struct run_call *call, const char *text,
                           size_t len, struct buf *out)
{
    if (!call->progress.set)
        redact_stream_init(&call->progress, set_of(run));
    if (text)
        (void)redact_stream_feed(&call->progress, text, len, out);
    else
        (void)redact_stream_end(&call->progress, out);
}
