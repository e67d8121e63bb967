#include "engine/run_restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/run_answer.h"
#include "engine/run_approve.h"
#include "engine/run_result.h"
#include "engine/run_state.h"
#include "wire/chat_args.h"

static const char unknown[] =
    "the process stopped while this call was running; it may or may not have taken effect; check "
    "before repeating it";

/* ---- Reading ---- */

static int nonsense(struct err *err, const char *kind)
{
    return err_set(err, ERR_SESSION, "a record '%s' of the journal cannot be understood", kind);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool flag_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void read_counts(const json_t *list, struct run_counts *out)
{
    int64_t *const fields[] = {&out->steps,         &out->tool_calls,       &out->tool_errors,
                               &out->denials,       &out->retries,          &out->input_tokens,
                               &out->output_tokens, &out->reasoning_tokens, &out->cached_tokens};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = json_integer_value(json_array_get(list, i));
}

/* ---- The conversation ---- */

/* The call as the endpoint sent it: as far as it can be known again. */
static int read_call(const json_t *item, struct chat_call *out)
{
    const json_t *function = json_object_get(item, "function");
    struct err ignored;
    *out = (struct chat_call){.id = strdup(text_of(item, "id")),
                              .name = strdup(text_of(function, "name")),
                              .text = strdup(text_of(function, "arguments"))};
    if (!out->id || !out->name || !out->text)
        return -1;
    out->len = strlen(out->text);
    out->args = chat_args_parse(out->text, out->len, NULL, &ignored);
    return 0;
}

static int take_calls(struct run *r, const json_t *list, const json_t *unreadable)
{
    struct chat_turn turn;
    size_t count = json_array_size(list);
    int status = 0;
    if (count == 0)
        return 0;
    chat_turn_init(&turn);
    turn.calls = calloc(count, sizeof *turn.calls);
    for (; turn.calls && turn.call_count < count && status == 0; turn.call_count++)
        status = read_call(json_array_get(list, turn.call_count), &turn.calls[turn.call_count]);
    if (turn.calls && status == 0)
        run_take_calls(r, &turn);
    if (r->call_count < count)
        status = -1;
    for (size_t i = 0; i < json_array_size(unreadable); i++) {
        size_t place = (size_t)json_integer_value(json_array_get(unreadable, i));
        if (place < r->call_count)
            r->calls[place].unreadable = true;
    }
    r->state = STATE_ENDED;
    chat_turn_release(&turn);
    return status;
}

/* What the last message says of where the run stands. */
static int take_last(struct run *r, const json_t *record)
{
    const json_t *list = json_object_get(record, "messages");
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    const json_t *content = json_object_get(last, "content");
    bool assistant = strcmp(text_of(last, "role"), "assistant") == 0;
    r->answered = assistant && !json_object_get(last, "tool_calls");
    if (assistant && json_is_string(content)) {
        buf_clear(&r->text);
        if (buf_append(&r->text, json_string_value(content), json_string_length(content)) != 0)
            return -1;
    }
    run_forget_calls(r);
    return assistant ? take_calls(r, json_object_get(last, "tool_calls"),
                                  json_object_get(record, "unreadable"))
                     : 0;
}

/* ---- Where it stood ---- */

static int restore_state(struct run *r, const json_t *record)
{
    const struct tool *reader = r->config.read_result;
    r->step = number_of(record, "step");
    r->calls_used = number_of(record, "calls_used");
    read_counts(json_object_get(record, "counts"), &r->counts);
    read_counts(json_object_get(record, "before"), &r->before);
    r->cost_usd = json_number_value(json_object_get(record, "cost_usd"));
    r->cost_before_usd = json_number_value(json_object_get(record, "cost_before_usd"));
    r->call_ids = (unsigned long)number_of(record, "call_ids");
    r->left_out = (unsigned)number_of(record, "left_out");
    r->known_tokens = number_of(record, "known_tokens");
    r->known_bytes = (size_t)number_of(record, "known_bytes");
    r->structuring = flag_of(record, "structuring");
    r->corrected = flag_of(record, "corrected");
    r->calls_refused = flag_of(record, "calls_refused");
    r->limited = strcmp(text_of(record, "landing"), outcome_name(STOP_FINAL)) != 0;
    if (flag_of(record, "fallback") && r->config.fallback)
        r->provider = r->config.fallback;
    if (!flag_of(record, "kept") || r->offers_kept || !r->config.keep)
        return 0;
    r->offers_kept = true;
    return chat_add_function(&r->tools, reader->name, reader->description, reader->params);
}

/* The messages go into the conversation as the bytes they are. */
static int restore_messages(struct run *r, const char *body, size_t len, const json_t *record)
{
    static const char key[] = "\"messages\":[";
    const char *start = strstr(body, key);
    if (restore_state(r, json_object_get(record, "state")) != 0)
        return -1;
    if (!start || !json_is_array(json_object_get(record, "messages")))
        return -1;
    start += sizeof key - 1;
    size_t bytes = len - (size_t)(start - body) - 1; /* without the bracket */
    if ((r->messages.len > 0 && buf_byte(&r->messages, ',') != 0) ||
        buf_append(&r->messages, start, bytes) != 0)
        return -1;
    return take_last(r, record);
}

/* ---- Calls ---- */

static struct run_call *find_call(struct run *r, const json_t *record)
{
    const char *key = text_of(record, "call");
    for (size_t i = 0; i < r->call_count; i++)
        if (strcmp(r->calls[i].key, key) == 0)
            return &r->calls[i];
    return NULL;
}

static int restore_note(struct run_call *c, const json_t *record)
{
    free(c->note);
    c->note = strdup(text_of(record, "note"));
    return c->note ? 0 : -1;
}

static int restore_result(struct run *r, struct run_call *c, const json_t *record)
{
    const json_t *result = json_object_get(record, "result");
    c->state = CALL_DONE;
    buf_clear(&c->result);
    r->counts.tool_errors += !flag_of(record, "ok");
    return json_is_string(result)
               ? buf_append(&c->result, json_string_value(result), json_string_length(result))
               : -1;
}

static int restore_call(struct run *r, const char *kind, const json_t *record)
{
    struct run_call *c = find_call(r, record);
    if (!c)
        return -1;
    if (strcmp(kind, "tool_started") == 0) {
        c->begun = true;
        c->effect_then = text_of(record, "effect")[0];
    } else if (strcmp(kind, "remember") == 0) {
        return restore_note(c, record);
    } else if (strcmp(kind, "tool_finished") == 0) {
        return restore_result(r, c, record);
    } else if (strcmp(kind, "decision") == 0) {
        return approve_restore_decision(r, c, record);
    } else if (strcmp(kind, "asked") == 0) {
        return approve_restore_asked(c, record);
    } else {
        run_note_file(r, text_of(record, "path"), text_of(record, "what"));
    }
    return 0;
}

/* Calls are counted when they are checked, which is after the state was recorded. */
static void count_calls(struct run *r)
{
    for (size_t i = 0; i < r->call_count; i++) {
        r->counts.tool_calls += r->calls[i].begun || r->calls[i].state == CALL_DONE;
        r->calls_used += r->calls[i].begun;
    }
}

/* ---- All records ---- */

int run_restore_begin(struct run *run, const char *id, struct err *err)
{
    if (strlen(id) >= sizeof run->events.run)
        return err_set(err, ERR_SESSION, "'%.64s' is no id of a run", id);
    memcpy(run->events.run, id, strlen(id) + 1);
    run->restoring = true;
    return 0;
}

int run_restore(struct run *run, const char *kind, const char *body, size_t len, struct err *err)
{
    static const char *const of_calls[] = {"tool_started", "remember", "tool_finished",
                                           "asked",        "decision", "file_changed"};
    struct buf whole;
    int status = 0;
    buf_init(&whole, len + 2);
    json_t *record = NULL;
    if (buf_byte(&whole, '{') == 0 && buf_append(&whole, body, len) == 0 &&
        buf_byte(&whole, '}') == 0)
        record = json_loadb(whole.data, whole.len, JSON_ALLOW_NUL, NULL);
    buf_release(&whole);
    if (!record)
        return nonsense(err, kind);
    if (strcmp(kind, "conversation") == 0) {
        buf_clear(&run->messages);
        status = restore_messages(run, body, len, record);
    } else if (strcmp(kind, "messages") == 0) {
        status = restore_messages(run, body, len, record);
    } else if (strcmp(kind, "state") == 0) {
        status = restore_state(run, json_object_get(record, "state"));
    } else if (strcmp(kind, "answered") == 0) {
        count_calls(run);
        run_answer_calls(run, text_of(record, "text"));
    }
    for (size_t i = 0; status == 0 && i < sizeof of_calls / sizeof *of_calls; i++)
        if (strcmp(kind, of_calls[i]) == 0)
            status = restore_call(run, kind, record);
    json_decref(record);
    run->recorded = run->messages.len;
    run->ended_before = strcmp(kind, "run_finished") == 0;
    return status == 0 ? 0 : nonsense(err, kind);
}

/* ---- Going on ---- */

int run_resume(struct run *run, struct err *err)
{
    static const char more[] = "The limit was raised. Go on with the task; tools are available "
                               "again.";
    if (run->messages.len == 0)
        return err_set(err, ERR_SESSION, "the run had not begun; there is nothing to go on with");
    if (run->answered && !run->limited && run->ended_before)
        return err_set(err, ERR_USAGE,
                       "the run has ended with its answer; to go on from there: tackle run "
                       "--resume %s \"...\"",
                       run->events.run);
    if (!(run->answered && !run->limited) && run->config.max_steps > 0 &&
        run->step >= run->config.max_steps)
        return err_set(err, ERR_USAGE,
                       "the limit on steps is used up (%" PRId64 " of %" PRId64
                       "); give a higher one: --max-steps N",
                       run->step, run->config.max_steps);
    run->restoring = false;
    count_calls(run);
    run->landing = STOP_FINAL;
    run->structuring = run->structuring && !run->limited;
    run->started_ms = clock_ms();
    run->answered = run->answered && !run->limited; /* and was never told: that is left to do */
    run->state = run->call_count > 0 || run->answered ? STATE_RESUMING : STATE_ASK;
    if (run->limited && run->call_count == 0 &&
        chat_add_user(&run->messages, more, sizeof more - 1) != 0)
        return err_set(err, ERR_LIMIT, "the conversation is too large");
    run->limited = false;
    return 0;
}

/* May it be done once more? The careful one of what was declared then and what is declared now. */
static uint32_t effect_of(const struct run_call *c)
{
    if (!c->tool || tool_effect_name(c->tool)[0] != c->effect_then ||
        (c->tool->effect == TACKLE_EFFECT_PROBE && !c->tool->owner))
        return TACKLE_EFFECT_NEVER;
    return c->tool->effect;
}

static void go_on_with(struct run *r, struct run_call *c)
{
    static const char lost[] = "the arguments could not be read; call it again with a JSON object";
    static const char incomplete[] =
        "the arguments held something that looked like a secret and was not recorded, so the call "
        "cannot be repeated; whether it had taken effect is not known";
    struct err ignored;
    struct chat_call asked = {.id = c->id, .name = c->name, .text = c->args, .len = c->args_len};
    asked.args = chat_args_parse(c->args, c->args_len, NULL, &ignored);
    if (c->begun || c->unreadable)
        run_tell_call(r, c, &asked);
    if (r->state != STATE_CALLING) {
        /* the receiver of the event has stopped the run */
    } else if (c->unreadable) {
        r->counts.tool_calls++;
        run_answer_call(r, c, TACKLE_E_ARGS, lost);
    } else if (!c->begun) {
        run_check_call(r, c, &asked);
    } else if (strstr(c->args, "[redacted:")) {
        r->report.unknown++;
        run_answer_call(r, c, TACKLE_E_ARGS, incomplete);
    } else if (effect_of(c) == TACKLE_EFFECT_NEVER) {
        r->report.unknown++;
        run_answer_call(r, c, TACKLE_E_FAILED, unknown);
    } else {
        c->probe = effect_of(c) == TACKLE_EFFECT_PROBE;
        (void)run_permit_call(r, c, asked.args);
    }
    json_decref(asked.args);
}

void run_settle_calls(struct run *r)
{
    r->state = r->call_count > 0 ? STATE_CALLING : STATE_ASK;
    if (r->answered && !answer_take(r))
        run_end(r, STOP_FINAL, NULL);
    for (size_t i = 0; i < r->call_count && r->state == STATE_CALLING; i++)
        if (r->calls[i].state == CALL_READY)
            go_on_with(r, &r->calls[i]);
}

void run_call_probed(struct run *run, struct run_call *call,
                     const struct run_result_of_call *result)
{
    struct run_result_of_call done = *result;
    call->probe = false;
    call->handle = NULL;
    done.code = 0;
    if (result->unconfined) { /* it was not asked: the next resume asks again */
        run_end(run, STOP_SANDBOX_UNAVAILABLE, result->message);
        return;
    }
    if (result->code == TACKLE_PROBE_DONE)
        run_call_done(run, call, &done);
    else if (result->code == TACKLE_PROBE_NOT_DONE)
        call->state = CALL_READY;
    else {
        run->report.unknown++;
        run_answer_call(run, call, TACKLE_E_FAILED, unknown);
    }
}
