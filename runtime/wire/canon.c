#include "wire/canon.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diff.h"

#define REQUEST_MAX (512u << 20)
#define TEXT_MAX    (64u << 20)
#define DIFF_LINES  60
#define DEPTH_MAX   128

int canon_init(struct canon *canon, struct volatile_rules *rules)
{
    *canon = (struct canon){.rules = rules, .ids = json_object(), .members = json_object()};
    buf_init(&canon->head, REQUEST_MAX);
    buf_init(&canon->tools, REQUEST_MAX);
    buf_init(&canon->messages, REQUEST_MAX);
    return canon->ids && canon->members ? 0 : -1;
}

void canon_release(struct canon *canon)
{
    buf_release(&canon->head);
    buf_release(&canon->tools);
    buf_release(&canon->messages);
    json_decref(canon->ids);
    json_decref(canon->members);
    canon->ids = canon->members = NULL;
}

/* ---- Texts ---- */

typedef int (*change_fn)(void *user, const char *text, size_t len, struct buf *out);

static int change_text(json_t *text, change_fn change, void *user)
{
    struct buf out;
    size_t len = json_string_length(text);
    buf_init(&out, TEXT_MAX);
    int status = change(user, json_string_value(text), len, &out);
    if (status == 0 && (out.len != len || memcmp(out.data, json_string_value(text), len) != 0))
        status = json_string_setn(text, out.data, out.len);
    buf_release(&out);
    return status;
}

/* All texts of a value, its keys not. */
static int change_all(json_t *value, change_fn change, void *user, int depth)
{
    const char *key;
    size_t i;
    json_t *item;
    int status = depth < DEPTH_MAX ? 0 : -1;
    if (json_is_string(value))
        return change_text(value, change, user);
    json_array_foreach(value, i, item)
    {
        if (status == 0)
            status = change_all(item, change, user, depth + 1);
    }
    json_object_foreach(value, key, item)
    {
        if (status == 0)
            status = change_all(item, change, user, depth + 1);
    }
    return status;
}

struct mask {
    struct volatile_rules *rules;
    bool by_model;
};

static int mask_text(void *user, const char *text, size_t len, struct buf *out)
{
    const struct mask *m = user;
    return volatile_mask(m->rules, text, len, m->by_model, out);
}

int canon_mask(struct volatile_rules *rules, json_t *value, bool by_model)
{
    struct mask mask = {rules, by_model};
    return change_all(value, mask_text, &mask, 0);
}

/* ---- One request ---- */

static bool is_role(const json_t *message, const char *role)
{
    const char *text = json_string_value(json_object_get(message, "role"));
    return text && strcmp(text, role) == 0;
}

/* An assistant's calls get numbers; results have those of their calls. */
static int number_calls(struct canon *c, json_t *message)
{
    size_t i;
    json_t *call;
    json_array_foreach(json_object_get(message, "tool_calls"), i, call)
    {
        char name[40];
        const char *id = json_string_value(json_object_get(call, "id"));
        (void)snprintf(name, sizeof name, "${call-%zu}", json_object_size(c->ids) + 1);
        if (id && !json_object_get(c->ids, id) &&
            json_object_set_new(c->ids, id, json_string(name)) != 0)
            return -1;
        if (id && json_object_set(call, "id", json_object_get(c->ids, id)) != 0)
            return -1;
    }
    const char *id = json_string_value(json_object_get(message, "tool_call_id"));
    json_t *known = id ? json_object_get(c->ids, id) : NULL;
    return known ? json_object_set(message, "tool_call_id", known) : 0;
}

static int canon_message(struct canon *c, json_t *message)
{
    if (!json_is_object(message) || number_calls(c, message) != 0)
        return -1;
    return canon_mask(c->rules, message, is_role(message, "assistant"));
}

static bool same_bytes(const struct buf *before, const struct chat_slice *now)
{
    return before->len == now->len && memcmp(before->data, now->data, now->len) == 0;
}

static int keep(struct buf *to, const struct chat_slice *from)
{
    buf_clear(to);
    return buf_append(to, from->data, from->len);
}

/* The body in its parts: what stands before the tools, the tools, the messages. */
struct parts {
    struct chat_slice head, tools, messages;
};

static struct parts take_apart(const struct chat_body *body)
{
    bool tools = body->count > 3;
    return (struct parts){.head = body->slices[0],
                          .tools = tools ? body->slices[1] : (struct chat_slice){"", 0},
                          .messages = body->slices[tools ? 3 : 1]};
}

/* All members but the messages, as an object. */
static json_t *read_members(const struct parts *p)
{
    struct buf text;
    json_t *members = NULL;
    buf_init(&text, REQUEST_MAX);
    /* The head ends with `"tools":[` or `"messages":[`. */
    if (buf_append(&text, p->head.data, p->head.len) == 0 &&
        buf_append(&text, p->tools.data, p->tools.len) == 0 && buf_text(&text, "]}") == 0)
        members = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    buf_release(&text);
    if (members)
        (void)json_object_del(members, "messages");
    return members;
}

/* What is new among the members goes into `out`. */
static int add_members(struct canon *c, const struct parts *p, json_t *out)
{
    const char *key;
    json_t *value;
    if (same_bytes(&c->head, &p->head) && same_bytes(&c->tools, &p->tools))
        return 0;
    json_t *members = read_members(p);
    int status = members && canon_mask(c->rules, members, false) == 0 ? 0 : -1;
    json_object_foreach(members, key, value)
    {
        if (status == 0 && !json_equal(value, json_object_get(c->members, key)))
            status = json_object_set(out, key, value);
    }
    json_object_foreach(c->members, key, value)
    {
        if (status == 0 && !json_object_get(members, key))
            status = json_object_set_new(out, key, json_null());
    }
    if (status == 0)
        status = keep(&c->head, &p->head) || keep(&c->tools, &p->tools) ? -1 : 0;
    json_decref(c->members);
    c->members = members ? members : json_object();
    return status;
}

/* Messages behind those of the request before; all of them when it is another conversation. */
static json_t *new_messages(struct canon *c, const struct chat_slice *now, size_t *before)
{
    struct buf text;
    size_t from = c->messages.len, i;
    json_t *list = NULL, *message;
    bool goes_on = from > 0 && now->len >= from && memcmp(c->messages.data, now->data, from) == 0 &&
                   (now->len == from || now->data[from] == ',');
    if (!goes_on) {
        from = c->count = 0;
        (void)json_object_clear(c->ids);
    } else if (now->len > from) {
        from++; /* the comma */
    }
    *before = c->count;
    buf_init(&text, REQUEST_MAX);
    if (buf_byte(&text, '[') == 0 && buf_append(&text, now->data + from, now->len - from) == 0 &&
        buf_byte(&text, ']') == 0)
        list = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    buf_release(&text);
    bool bad = !json_is_array(list);
    json_array_foreach(list, i, message)
    {
        bad = bad || canon_message(c, message) != 0;
    }
    c->count += json_array_size(list);
    if (!bad && keep(&c->messages, now) == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *canon_request(struct canon *canon, const struct chat_body *body, struct err *err)
{
    struct parts parts = take_apart(body);
    size_t before = 0;
    json_t *out = json_object();
    json_t *messages = new_messages(canon, &parts.messages, &before);
    if (out && messages && add_members(canon, &parts, out) == 0 &&
        json_object_set_new(out, "messages_before", json_integer((json_int_t)before)) == 0 &&
        json_object_set(out, "messages", messages) == 0) {
        json_decref(messages);
        return out;
    }
    json_decref(messages);
    json_decref(out);
    err_set(err, ERR_NOMEM, "the request cannot be brought into its canonical form");
    return NULL;
}

/* ---- Comparing ---- */

struct smooth {
    const struct volatile_rules *rules;
    enum volatile_place place;
};

static int smooth_text(void *user, const char *text, size_t len, struct buf *out)
{
    const struct smooth *s = user;
    return volatile_smooth(s->rules, s->place, text, len, out);
}

/* A copy in which what matches a pattern is its name. */
static json_t *smoothed(const struct volatile_rules *rules, const json_t *value)
{
    struct smooth smooth = {rules, is_role(value, "tool") ? VOLATILE_RESULT : VOLATILE_PROSE};
    json_t *copy = json_deep_copy(value);
    if (copy && change_all(copy, smooth_text, &smooth, 0) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

static void append_json(struct buf *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    (void)buf_text(out, text ? text : "");
    (void)buf_byte(out, '\n');
    free(text);
}

static void append_call(struct buf *out, const json_t *call)
{
    const json_t *function = json_object_get(call, "function");
    const char *name = json_string_value(json_object_get(function, "name"));
    const char *args = json_string_value(json_object_get(function, "arguments"));
    json_t *parsed = args ? json_loads(args, JSON_ALLOW_NUL, NULL) : NULL;
    (void)buf_format(out, "-> %s ", name ? name : "?");
    if (parsed)
        append_json(out, parsed);
    else
        (void)buf_format(out, "%s\n", args ? args : "");
    json_decref(parsed);
}

static bool is_shown_apart(const char *key)
{
    static const char *const keys[] = {"role", "name", "tool_call_id", "content", "tool_calls"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* A message as people read one: who speaks, its text line by line, its calls, the rest as JSON. */
static void append_message(struct buf *out, const json_t *message)
{
    static const char *const heads[] = {"role", "name", "tool_call_id"};
    const json_t *content = json_object_get(message, "content");
    const char *key;
    size_t i;
    json_t *value, *rest = json_object();
    for (i = 0; i < sizeof heads / sizeof *heads; i++) {
        const char *text = json_string_value(json_object_get(message, heads[i]));
        (void)buf_format(out, "%s%s", i > 0 && text ? " " : "", text ? text : "");
    }
    (void)buf_text(out, ":\n");
    if (json_is_string(content))
        (void)buf_format(out, "%s\n", json_string_value(content));
    else if (content && !json_is_null(content))
        append_json(out, content);
    json_array_foreach(json_object_get(message, "tool_calls"), i, value)
    {
        append_call(out, value);
    }
    json_object_foreach((json_t *)(uintptr_t)message, key, value)
    {
        if (!is_shown_apart(key))
            (void)json_object_set(rest, key, value);
    }
    if (json_object_size(rest) > 0)
        append_json(out, rest);
    json_decref(rest);
}

static void diff_json(const json_t *recorded, const json_t *now, bool messages, struct buf *diff)
{
    struct buf texts[2];
    const json_t *values[2] = {recorded, now};
    for (size_t i = 0; i < 2; i++) {
        buf_init(&texts[i], TEXT_MAX);
        if (values[i] && messages)
            append_message(&texts[i], values[i]);
        else if (values[i])
            append_json(&texts[i], values[i]);
    }
    (void)buf_text(diff, "--- recorded\n+++ now\n");
    (void)diff_text(diff, texts[0].data, texts[1].data, DIFF_LINES);
    buf_release(&texts[0]);
    buf_release(&texts[1]);
}

/* NULL: there is none. */
static bool message_matches(const struct volatile_rules *rules, const json_t *recorded,
                            const json_t *now, struct buf *diff)
{
    if (recorded && now && json_equal(recorded, now))
        return true;
    json_t *a = recorded ? smoothed(rules, recorded) : NULL;
    json_t *b = now ? smoothed(rules, now) : NULL;
    bool same = a && b && json_equal(a, b);
    if (!same)
        diff_json(a, b, true, diff);
    json_decref(a);
    json_decref(b);
    return same;
}

static bool messages_match(const struct volatile_rules *rules, const json_t *recorded,
                           const json_t *now, struct buf *where, struct buf *diff)
{
    const json_t *a = json_object_get(recorded, "messages"), *b = json_object_get(now, "messages");
    json_int_t before[2] = {json_integer_value(json_object_get(recorded, "messages_before")),
                            json_integer_value(json_object_get(now, "messages_before"))};
    if (before[0] != before[1]) {
        (void)buf_format(where,
                         "the conversation: %" JSON_INTEGER_FORMAT
                         " messages went before, and there were %" JSON_INTEGER_FORMAT,
                         before[1], before[0]);
        return false;
    }
    for (size_t i = 0; i < json_array_size(a) || i < json_array_size(b); i++) {
        const json_t *was = json_array_get(a, i), *is = json_array_get(b, i);
        if (message_matches(rules, was, is, diff))
            continue;
        const char *role = json_string_value(json_object_get(is ? is : was, "role"));
        (void)buf_format(where, "message %zu (%s)%s", (size_t)before[0] + i + 1, role ? role : "?",
                         !is    ? " is missing"
                         : !was ? " is new"
                                : "");
        return false;
    }
    return true;
}

static const char *tool_name(const json_t *tool)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(tool, "function"), "name"));
    return name ? name : "?";
}

static const json_t *tool_named(const json_t *tools, const char *name)
{
    size_t i;
    json_t *tool;
    json_array_foreach(tools, i, tool)
    {
        if (strcmp(tool_name(tool), name) == 0)
            return tool;
    }
    return NULL;
}

/* Lists of tools differ: by one that is gone, new, or another; or by their order alone. */
static void compare_tools(const json_t *recorded, const json_t *now, struct buf *where,
                          struct buf *diff)
{
    const json_t *lists[2] = {recorded, now};
    size_t i;
    json_t *tool;
    for (size_t side = 0; side < 2; side++)
        json_array_foreach(lists[side], i, tool)
        {
            const char *name = tool_name(tool);
            const json_t *was = tool_named(recorded, name), *is = tool_named(now, name);
            if (was && is && json_equal(was, is))
                continue;
            (void)buf_format(where, "the tool %s%s", name,
                             !is    ? " is missing"
                             : !was ? " is new"
                                    : "");
            if (was && is)
                diff_json(was, is, false, diff);
            return;
        }
    (void)buf_text(where, "the order of the tools");
}

static bool is_message_key(const char *key)
{
    return strcmp(key, "messages") == 0 || strcmp(key, "messages_before") == 0;
}

static bool member_matches(const json_t *recorded, const json_t *now, const char *key,
                           struct buf *where, struct buf *diff)
{
    const json_t *was = json_object_get(recorded, key), *is = json_object_get(now, key);
    if (is_message_key(key) || (was && is && json_equal(was, is)))
        return true;
    if (strcmp(key, "tools") == 0) {
        compare_tools(was, is, where, diff);
        return false;
    }
    (void)buf_format(where, "%s%s", key, !is ? " is missing" : !was ? " is new" : "");
    diff_json(was, is, false, diff);
    return false;
}

bool canon_matches(const struct volatile_rules *rules, const json_t *recorded, const json_t *now,
                   struct buf *where, struct buf *diff)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)recorded, key, value)
    {
        if (!member_matches(recorded, now, key, where, diff))
            return false;
    }
    json_object_foreach((json_t *)(uintptr_t)now, key, value)
    {
        if (!member_matches(recorded, now, key, where, diff))
            return false;
    }
    return messages_match(rules, recorded, now, where, diff);
}

bool canon_arguments_match(const struct volatile_rules *rules, const json_t *recorded,
                           const json_t *now, struct buf *diff)
{
    if (json_equal(recorded, now))
        return true;
    json_t *a = smoothed(rules, recorded), *b = smoothed(rules, now);
    bool same = a && b && json_equal(a, b);
    if (!same)
        diff_json(a, b, false, diff);
    json_decref(a);
    json_decref(b);
    return same;
}
