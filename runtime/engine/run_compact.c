#include "engine/run_compact.h"

#include <string.h>

#include "engine/run_state.h"

#define KEEP_MESSAGES 6   /* the newest ones are left as they are */
#define WORTH_BYTES   512 /* shorter results are not worth the loss */

static const char gone[] = "(removed to make room; call the tool again if this is needed)";

static json_t *read_messages(const struct run *r)
{
    struct buf text;
    json_t *list = NULL;
    buf_init(&text, RUN_CONVERSATION_MAX + 2);
    if (buf_byte(&text, '[') == 0 && buf_append(&text, r->messages.data, r->messages.len) == 0 &&
        buf_byte(&text, ']') == 0)
        list = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    buf_release(&text);
    return list;
}

static bool is_worth_it(const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    const json_t *content = json_object_get(message, "content");
    return role && strcmp(role, "tool") == 0 && json_string_length(content) > WORTH_BYTES;
}

static int append(const char *data, size_t len, void *user)
{
    return buf_append(user, data, len);
}

static int write_messages(const json_t *list, struct buf *out)
{
    size_t index;
    json_t *message;
    json_array_foreach(list, index, message)
    {
        if ((index > 0 && buf_byte(out, ',') != 0) ||
            json_dump_callback(message, append, out, JSON_COMPACT | JSON_REAL_PRECISION(17)) != 0)
            return -1;
    }
    return 0;
}

static size_t shorten(json_t *list)
{
    size_t count = json_array_size(list), changed = 0;
    for (size_t i = 0; i + KEEP_MESSAGES < count; i++) {
        json_t *message = json_array_get(list, i);
        if (is_worth_it(message) && json_object_set_new(message, "content", json_string(gone)) == 0)
            changed++;
    }
    return changed;
}

bool run_compact(struct run *run)
{
    struct buf shorter;
    if (run->compacted)
        return false;
    json_t *list = read_messages(run);
    size_t changed = list ? shorten(list) : 0;
    size_t before = run->messages.len;
    buf_init(&shorter, RUN_CONVERSATION_MAX);
    bool done = changed > 0 && write_messages(list, &shorter) == 0;
    json_decref(list);
    if (!done) {
        buf_release(&shorter);
        return false;
    }
    buf_release(&run->messages);
    run->messages = shorter;
    run->compacted = true;
    run->recorded = 0; /* it is another conversation */
    run->messages_clean = 0;
    run->known_tokens = 0; /* what was measured is no longer what is sent */
    event_emit(&run->events, "context.compacted",
               json_pack("{s:I, s:I, s:I, s:I}", "step", (json_int_t)run->step, "results",
                         (json_int_t)changed, "bytes_before", (json_int_t)before, "bytes_after",
                         (json_int_t)run->messages.len));
    return true;
}
