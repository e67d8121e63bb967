/* Runs: the state machine of engine/run.h, driven by the loop. How one begins is in run_start.c. */
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "api/keys.h"
#include "api/run_inside.h"
#include "base/clock.h"

struct call_context {
    struct tackle_run *run;
    struct run_call *call;
    struct api_call *started;
    json_t *files; /* owned: what it changed, for a recording; NULL: nothing yet */
};

static void context_free(struct call_context *c)
{
    json_decref(c->files);
    free(c);
}

/* A recording that cannot be written is of no use: the run ends. */
static void check_recording(struct tackle_run *r, int status, const struct err *err)
{
    if (status != 0)
        run_stop(r->run, outcome_of_error(err->code), 0, err->text);
}

/* ---- The model ---- */

static void release_body(struct tackle_run *r)
{
    if (r->body_in_use)
        chat_body_release(&r->body);
    r->body_in_use = false;
}

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    struct tackle_run *r = user;
    run_delta(r->run, kind, text, len);
}

static void on_reply(void *user, struct chat_turn *turn, const struct chat_wait_headers *headers)
{
    struct tackle_run *r = user;
    r->ask = NULL;
    release_body(r);
    run_reply(r->run, turn, headers);
    loop_post(r->rt->loop, &r->drive);
}

/* What a replay did not find as it was recorded ends the run, also one that has ended already. */
static void stop_replay(struct tackle_run *r, const struct err *err)
{
    struct err whole = *err;
    const char *diff = r->tape.cassette ? cassette_diff(r->tape.cassette) : "";
    if (err->code != ERR_REPLAY) {
        run_stop(r->run, outcome_of_error(err->code), 0, err->text);
        return;
    }
    tape_explain(&r->tape, &r->prepared, &r->provider, &whole);
    run_mismatch(r->run, whole.text, diff);
}

static void on_ask_failed(void *user, const struct err *err)
{
    struct tackle_run *r = user;
    r->ask = NULL;
    release_body(r);
    stop_replay(r, err);
    loop_post(r->rt->loop, &r->drive);
}

static void on_received(void *user, const char *data, size_t len)
{
    const struct tackle_run *r = user;
    recorder_received(r->tape.recorder, data, len);
}

static void on_ended(void *user, const struct backend_end *end)
{
    struct tackle_run *r = user;
    struct err err;
    check_recording(r, recorder_response(r->tape.recorder, end, &err), &err);
}

static void ask_model(struct tackle_run *r)
{
    struct err err;
    struct recorder *recorder = r->tape.recorder;
    const struct backend_events events = {.delta = on_delta,
                                          .received = recorder ? on_received : NULL,
                                          .ended = recorder ? on_ended : NULL,
                                          .done = on_reply,
                                          .failed = on_ask_failed,
                                          .user = r};
    if (run_body(r->run, &r->body, &err) == 0) {
        r->body_in_use = true;
        bool first = run_provider(r->run) == &r->provider;
        if (!recorder || recorder_request(recorder, &r->body, &err) == 0)
            r->ask = backend_ask(first ? r->backend : r->fallback_backend, &r->body, &events, &err);
    }
    if (!r->ask)
        on_ask_failed(r, &err);
}

/* ---- Calls ---- */

static void on_call_progress(void *user, const char *text, size_t len)
{
    const struct call_context *c = user;
    run_call_progress(c->run->run, c->call, text, len);
}

static void on_call_log(void *user, const char *level, const char *text)
{
    const struct call_context *c = user;
    if (strcmp(level, "warn") == 0 || strcmp(level, "error") == 0)
        run_warn(c->run->run, text);
}

static void on_call_changed(void *user, const char *path, const char *what)
{
    struct call_context *c = user;
    run_file_changed(c->run->run, c->call, path, what);
    if (!c->run->tape.recorder)
        return;
    if (!c->files)
        c->files = json_array();
    (void)json_array_append_new(c->files, json_pack("{s:s, s:s}", "path", path, "what", what));
}

static void on_call_contacted(void *user, const char *host, bool allowed)
{
    const struct call_context *c = user;
    run_host_contacted(c->run->run, host, allowed);
}

static int on_call_remember(void *user, const char *note, size_t len, struct err *err)
{
    const struct call_context *c = user;
    return run_call_remember(c->run->run, c->call, note, len, err);
}

static void on_call_done(void *user, const struct run_result_of_call *result)
{
    struct call_context *c = user;
    struct tackle_run *r = c->run;
    struct err err;
    check_recording(r, tape_call_done(&r->tape, c->call, result, c->files, &err), &err);
    run_call_done(r->run, c->call, result);
    context_free(c);
    loop_post(r->rt->loop, &r->drive);
}

static void on_probe_done(void *user, const struct run_result_of_call *result)
{
    struct call_context *c = user;
    struct tackle_run *r = c->run;
    run_call_probed(r->run, c->call, result);
    context_free(c);
    loop_post(r->rt->loop, &r->drive);
}

/* What a command changes nobody reports. */
static void before_command(struct tackle_run *r)
{
    if (!r->tripwire && !(r->tripwire = tripwire_set(r->prepared.workspace_fd)))
        run_tripped_unsure(r->run);
}

/* Hands a call to its tool, or to what was recorded of it. NULL with *err. */
static struct api_call *start_tool(struct tackle_run *r, const struct run_call *call,
                                   const struct buf *args, struct cassette_result *recorded,
                                   const struct api_call_events *events, struct err *err)
{
    if (recorded->output)
        return api_call_recorded(r->rt, recorded, tape_wait_ms(&r->tape, recorded->duration_ms),
                                 events, err);
    return call->probe ? api_call_probe(r->rt, &r->prepared, call->tool, args->data, args->len,
                                        call->key, call->note, events, err)
                       : api_call_start(r->rt, &r->prepared, call->tool, args->data, args->len,
                                        call->key, call->write, events, err);
}

/* It could not be started. */
static void answer_call(struct tackle_run *r, struct run_call *call, const char *why)
{
    struct err err;
    const struct run_result_of_call result = {.code = -1, .output = "", .message = why};
    check_recording(r, tape_call_done(&r->tape, call, &result, NULL, &err), &err);
    run_call_done(r->run, call, &result);
}

static void start_call(struct tackle_run *r, struct run_call *call)
{
    if ((call->tool->does & TACKLE_RUNS) && !r->tape.full)
        before_command(r);
    struct err err = {.code = ERR_NOMEM, .text = "out of memory"};
    struct call_context *c = calloc(1, sizeof *c);
    struct cassette_result recorded = {0};
    struct buf args;
    buf_init(&args, 2 * call->args_len + 65536);
    bool fits = c && tape_call(&r->tape, call, &args, &recorded, &err) == 0;
    if (fits) {
        *c = (struct call_context){.run = r, .call = call};
        const struct api_call_events events = {.progress = on_call_progress,
                                               .log = on_call_log,
                                               .changed = on_call_changed,
                                               .remember = on_call_remember,
                                               .contacted = on_call_contacted,
                                               .done = call->probe ? on_probe_done : on_call_done,
                                               .user = c};
        c->started = start_tool(r, call, &args, &recorded, &events, &err);
    }
    if (c && c->started) {
        call->handle = c;
    } else {
        if (c && !fits)
            stop_replay(r, &err);
        else
            answer_call(r, call, err.text);
        free(c);
    }
    cassette_result_release(&recorded);
    buf_release(&args);
}

/* ---- Driving ---- */

static void drop_everything(struct tackle_run *r)
{
    if (r->ask)
        backend_cancel(r->ask);
    r->ask = NULL;
    release_body(r);
    for (struct run_call *c = run_running(r->run, NULL); c; c = run_running(r->run, c)) {
        struct call_context *context = c->handle;
        if (!context)
            continue;
        api_call_abandon(context->started);
        context_free(context);
        c->handle = NULL;
    }
    loop_clear_timer(r->rt->loop, &r->wake);
    loop_clear_timer(r->rt->loop, &r->limit);
}

static void set_active(struct tackle_run *r, bool active)
{
    r->rt->active += active - r->active;
    r->active = active;
}

static void on_tripped(void *user, const char *path, const char *what)
{
    run_tripped(user, path, what);
}

static void look_at_changes(struct tackle_run *r)
{
    if (r->tripwire &&
        (!tripwire_compare(r->tripwire, r->prepared.workspace_fd, on_tripped, r->run) ||
         run_running(r->run, NULL)))
        run_tripped_unsure(r->run);
    instructions_note(r->rt, &r->prepared, r->run);
}

/* Did it come to its end by what was said and done in it? */
static bool is_own_end(enum stop_reason reason)
{
    static const enum stop_reason others[] = {STOP_INTERRUPTED,   STOP_INTERNAL,
                                              STOP_SESSION_ERROR, STOP_REPLAY_MISMATCH,
                                              STOP_CONFIG_ERROR,  STOP_PLUGIN_ERROR};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (reason == others[i])
            return false;
    return true;
}

/* The end of a run is part of its recording. */
static void end_tape(struct tackle_run *r)
{
    struct err err;
    enum stop_reason reason = run_stop_reason(r->run);
    if (!is_own_end(reason))
        return;
    if (r->tape.cassette && cassette_end(r->tape.cassette, &err) != 0)
        stop_replay(r, &err);
    if (r->tape.recorder &&
        recorder_end(r->tape.recorder, outcome_name(reason), run_exit_code(r->run), &err) != 0)
        run_overrule(r->run, outcome_of_error(err.code), err.text);
}

static void finish(struct tackle_run *r)
{
    if (r->finished)
        return;
    drop_everything(r);
    look_at_changes(r);
    end_tape(r);
    r->finished = true;
    set_active(r, false);
    run_finish(r->run, clock_ms() - r->started_ms);
}

static void sleep_for(struct tackle_run *r, int64_t ms)
{
    if (loop_set_timer(r->rt->loop, &r->wake, clock_ms() + tape_wait_ms(&r->tape, ms)) != 0)
        run_stop(r->run, STOP_INTERNAL, 0, "out of memory");
}

void api_run_drive(void *user)
{
    struct tackle_run *r = user;
    struct run_action action;
    for (;;) {
        run_next(r->run, &action);
        switch (action.kind) {
        case RUN_ASK:
            ask_model(r);
            break;
        case RUN_SLEEP:
            sleep_for(r, action.wait_ms);
            break;
        case RUN_CALL:
            start_call(r, action.call);
            break;
        case RUN_ENDED:
            finish(r);
            return;
        case RUN_WAIT:
        default:
            return;
        }
    }
}

static void on_wake(void *user)
{
    struct tackle_run *r = user;
    run_awake(r->run);
    api_run_drive(r);
}

static void on_limit(void *user)
{
    struct tackle_run *r = user;
    run_stop(r->run, STOP_MAX_TIME, 0, "the limit on time was reached (--max-time)");
    api_run_drive(r);
}

void api_run_begin(struct tackle_run *r, void (*first)(void *user))
{
    r->finished = false;
    set_active(r, true);
    r->started_ms = clock_ms();
    int64_t limit_ms = settings_number(&r->prepared.settings, SET_MAX_TIME);
    if (limit_ms > 0)
        (void)loop_set_timer(r->rt->loop, &r->limit, r->started_ms + limit_ms);
    r->drive.run = first ? first : api_run_drive;
    loop_post(r->rt->loop, &r->drive);
}

void api_run_init(struct tackle_run *r, struct tackle_runtime *rt)
{
    *r = (struct tackle_run){.rt = rt, .prepared = {.workspace_fd = -1}};
    r->drive = (struct loop_task){.run = api_run_drive, .user = r};
    r->wake = (struct loop_timer){.due = on_wake, .user = r};
    r->limit = (struct loop_timer){.due = on_limit, .user = r};
}

int32_t tackle_run_continue(tackle_run *run, const char *prompt, tackle_error *error)
{
    struct err err;
    if (!run->finished)
        return api_fail_as(error, STOP_USAGE, "the run is still going on");
    if (api_is_blank(prompt))
        return api_fail_as(error, STOP_USAGE, "the prompt is empty");
    const struct chat_part part = {.text = prompt, .len = strlen(prompt)};
    if (keys_refuse_in(run->rt, &part, 1, &err) != 0 || run_prompt(run->run, &part, 1, &err) != 0)
        return api_fail(run->rt, error, &err);
    api_run_begin(run, NULL);
    return 0;
}

void tackle_run_cancel(tackle_run *run, int32_t signal)
{
    run_stop(run->run, STOP_INTERRUPTED, signal, NULL);
    loop_post(run->rt->loop, &run->drive);
}

int32_t tackle_run_decide(tackle_run *run, const char *call, int32_t decision, const char *reason,
                          tackle_error *error)
{
    struct err err;
    if (run_decide(run->run, call, (enum run_choice)decision, reason, &err) != 0)
        return api_fail(run->rt, error, &err);
    loop_post(run->rt->loop, &run->drive);
    return 0;
}

int32_t tackle_run_done(const tackle_run *run)
{
    return run->finished;
}

int32_t tackle_run_exit_code(const tackle_run *run)
{
    return run->finished ? run_exit_code(run->run) : TACKLE_EXIT_INTERNAL;
}

const char *tackle_run_result(const tackle_run *run)
{
    return run->finished ? run_result(run->run) : "{}";
}

const char *tackle_run_text(const tackle_run *run)
{
    return run_text(run->run);
}

void tackle_run_free(tackle_run *run)
{
    struct tackle_run *r = run;
    if (!r)
        return;
    r->on_event = NULL;
    if (r->run)
        drop_everything(r);
    loop_unpost(&r->drive);
    set_active(r, false);
    if (r->prev)
        r->prev->next = r->next;
    else if (r->rt->runs == r)
        r->rt->runs = r->next;
    if (r->next)
        r->next->prev = r->prev;
    run_free(r->run);
    journal_file_close(r->journal);
    results_release(&r->results);
    backend_free(r->backend);
    backend_free(r->fallback_backend);
    tape_release(&r->tape);
    provider_release(&r->provider);
    provider_release(&r->fallback);
    free(r->schema);
    json_decref(r->sandbox);
    tripwire_free(r->tripwire);
    prepared_release(&r->prepared);
    free(r);
}

/* ---- The loop ---- */

int32_t tackle_step(tackle_runtime *rt, int32_t timeout_ms, tackle_error *error)
{
    struct err err;
    if (rt->stepping)
        return api_fail_as(error, STOP_USAGE, "tackle_step() called from a callback");
    rt->stepping = true;
    int status = loop_turn(rt->loop, timeout_ms, &err);
    rt->stepping = false;
    return status == 0 ? rt->active : api_fail(rt, error, &err);
}

int32_t tackle_run_wait(tackle_run *run, tackle_error *error)
{
    while (!run->finished)
        if (tackle_step(run->rt, -1, error) < 0)
            return -1;
    return 0;
}
