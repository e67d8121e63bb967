#include "engine/run_answer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/run_state.h"
#include "wire/sanitise.h"

/* ---- The form of the answer ---- */

int answer_prepare(struct run *run, struct err *err)
{
    const char *text = run->config.answer_schema;
    if (!text)
        return 0;
    run->schema = schema_compile(text, strlen(text), 0, err);
    if (!run->schema) {
        if (err->code != ERR_NOMEM)
            err->code = ERR_CONFIG;
        return err_prefix(err, "output_schema");
    }
    json_t *declared = json_loads(text, 0, NULL);
    json_t *clean = declared ? sanitise_schema(declared, NULL, err) : NULL;
    json_t *format = clean ? json_pack("{s:s, s:{s:s, s:O}}", "type", "json_schema", "json_schema",
                                       "name", "answer", "schema", clean)
                           : NULL;
    run->format = format ? json_dumps(format, JSON_COMPACT) : NULL;
    json_decref(format);
    json_decref(clean);
    json_decref(declared);
    return run->format ? 0 : err_set(err, ERR_CONFIG, "output_schema: it must be a JSON object");
}

/* The default endpoint takes tools or response_format, never both (its documentation); so an agent
 * with tools works without, and its answer is asked for once more in the form. */
bool answer_wants_format(const struct run *run)
{
    return run->schema && !(run->left_out & LEFT_OUT_FORMAT) &&
           (run->structuring || run->tools.len == 0);
}

static void ask_once_more(struct run *r, const char *text)
{
    if (r->step >= r->config.max_steps) {
        run_end(r, STOP_MAX_STEPS,
                "the limit on steps was reached (--max-steps) before the answer had its form");
        return;
    }
    if (chat_add_user(&r->messages, text, strlen(text)) != 0) {
        run_stop(r, STOP_INTERNAL, 0, "the conversation is too large");
        return;
    }
    r->state = STATE_ASK;
}

static void ask_for_form(struct run *r)
{
    struct buf text;
    buf_init(&text, 2u << 20);
    r->structuring = true;
    (void)buf_format(&text,
                     "Give this answer again, as JSON only, in the form of this JSON Schema:\n%s",
                     r->config.answer_schema);
    ask_once_more(r, text.data);
    buf_release(&text);
}

/* Some models wrap JSON in a fenced block all the same. */
static const char *without_fence(const char *text, size_t *len)
{
    while (*len && strchr(" \t\r\n", *text))
        text++, (*len)--;
    while (*len && strchr(" \t\r\n", text[*len - 1]))
        (*len)--;
    if (*len < 7 || strncmp(text, "```", 3) != 0 || strncmp(text + *len - 3, "```", 3) != 0)
        return text;
    const char *line = memchr(text, '\n', *len);
    if (!line)
        return text;
    *len -= (size_t)(line + 1 - text) + 3;
    return line + 1;
}

static json_t *read_answer(struct run *r, struct buf *problems)
{
    json_error_t where;
    size_t len = r->text.len;
    const char *text = without_fence(r->text.data, &len);
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    if (!value)
        (void)buf_format(problems, "it is not JSON: %s (line %d)", where.text, where.line);
    else if (schema_check(r->schema, value, problems) == 0)
        return value;
    json_decref(value);
    return NULL;
}

static void correct_or_fail(struct run *r, const char *problems)
{
    struct buf text;
    buf_init(&text, 64u << 10);
    if (r->corrected || r->landing) {
        (void)buf_format(&text, "the answer does not fit the schema: %.900s", problems);
        run_stop(r, STOP_SCHEMA_INVALID, 0, text.data);
    } else {
        r->corrected = true;
        (void)buf_format(&text,
                         "That answer does not fit the schema: %s\nAnswer again, as JSON only.",
                         problems);
        ask_once_more(r, text.data);
    }
    buf_release(&text);
}

bool answer_take(struct run *run)
{
    struct buf problems;
    if (!run->schema)
        return false;
    if (run->tools.len > 0 && !run->structuring) {
        ask_for_form(run);
        return true;
    }
    buf_init(&problems, 8192);
    json_decref(run->structured);
    run->structured = read_answer(run, &problems);
    if (run->structured) {
        char *text =
            json_dumps(run->structured, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        buf_clear(&run->text);
        if (!text || buf_text(&run->text, text) != 0)
            run_stop(run, STOP_INTERNAL, 0, "out of memory");
        else
            run_stop(run, run->landing, 0, run_landing_message(run));
        free(text);
    } else {
        correct_or_fail(run, problems.data);
    }
    buf_release(&problems);
    return true;
}

/* ---- What an endpoint does not take ---- */

static bool names(const struct chat_error *e, const char *field)
{
    return (e->message && strstr(e->message, field)) || (e->detail && strstr(e->detail, field)) ||
           (e->param && strstr(e->param, field));
}

/* Without response_format the schema has to stand in the conversation. */
static void say_form(struct run *r)
{
    struct buf text;
    if (r->structuring)
        return; /* it does already */
    buf_init(&text, 2u << 20);
    (void)buf_format(&text, "Answer as JSON only, in the form of this JSON Schema:\n%s",
                     r->config.answer_schema);
    if (chat_add_user(&r->messages, text.data, text.len) != 0)
        run_stop(r, STOP_INTERNAL, 0, "the conversation is too large");
    buf_release(&text);
}

bool answer_leave_out(struct run *run, const struct chat_error *error)
{
    const struct {
        const char *field;
        unsigned bit;
        bool sent;
    } fields[] = {
        {"stream_options", LEFT_OUT_USAGE, run->config.stream},
        {"include_thoughts", LEFT_OUT_THOUGHTS, run->config.thoughts != CHAT_CHOICE_UNSET},
        {"reasoning_effort", LEFT_OUT_EFFORT, run->config.effort != NULL},
        {"response_format", LEFT_OUT_FORMAT, answer_wants_format(run)},
        {"max_tokens", LEFT_OUT_MAX, run->output_limit > 0},
    };
    if (error->http_status != 400 && error->http_status != 422)
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!fields[i].sent || (run->left_out & fields[i].bit) || !names(error, fields[i].field))
            continue;
        run->left_out |= fields[i].bit;
        if (fields[i].bit == LEFT_OUT_FORMAT)
            say_form(run);
        return true;
    }
    return false;
}
