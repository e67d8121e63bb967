/* Runs: the state machine of engine/run.h, driven by the loop. */
#include <stdlib.h>
#include <string.h>

#include "api/runtime.h"
#include "base/clock.h"
#include "engine/run_restore.h"

struct tackle_run {
    struct tackle_runtime *rt;
    struct tackle_run *next, *prev;
    tackle_event_fn on_event;
    void *user;
    struct prepared prepared;
    struct provider provider, fallback;
    struct backend *backend, *fallback_backend; /* the second is NULL when there is no fallback */
    struct results results;
    struct journal_file *journal; /* NULL: none is kept */
    bool resumed;                 /* it goes on from a journal of the past */
    char *schema;                 /* owned text of --output-schema; NULL */
    struct run *run;
    struct chat_body body; /* of the request in flight */
    bool body_in_use;
    struct backend_ask *ask;
    struct loop_task drive;
    struct loop_timer wake;  /* between two tries */
    struct loop_timer limit; /* max_time */
    int64_t started_ms;
    bool active; /* counted in rt->active: it has begun and has not ended */
    bool finished;
};

struct call_context {
    struct tackle_run *run;
    struct run_call *call;
    struct api_call *started;
};

static void on_event(void *user, uint64_t seq, const char *type, const char *json, size_t json_len,
                     const char *text, size_t text_len)
{
    struct tackle_run *r = user;
    const tackle_event event = {.size = sizeof event,
                                .seq = seq,
                                .type = type,
                                .json = json,
                                .json_len = json_len,
                                .text = text,
                                .text_len = text_len};
    if (r->on_event)
        r->on_event(r->user, r, &event);
}

static int on_record(void *user, const char *kind, const char *body, size_t len, bool sync,
                     struct err *err)
{
    const struct tackle_run *r = user;
    return journal_file_append(r->journal, kind, body, len, sync, err);
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

static void on_ask_failed(void *user, const struct err *err)
{
    struct tackle_run *r = user;
    r->ask = NULL;
    release_body(r);
    run_stop(r->run, outcome_of_error(err->code), 0, err->text);
    loop_post(r->rt->loop, &r->drive);
}

static void ask_model(struct tackle_run *r)
{
    struct err err;
    const struct backend_events events = {
        .delta = on_delta, .done = on_reply, .failed = on_ask_failed, .user = r};
    if (run_body(r->run, &r->body, &err) == 0) {
        r->body_in_use = true;
        bool first = run_provider(r->run) == &r->provider;
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
    const struct call_context *c = user;
    run_file_changed(c->run->run, c->call, path, what);
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
    run_call_done(r->run, c->call, result);
    free(c);
    loop_post(r->rt->loop, &r->drive);
}

static void on_probe_done(void *user, const struct run_result_of_call *result)
{
    struct call_context *c = user;
    struct tackle_run *r = c->run;
    run_call_probed(r->run, c->call, result);
    free(c);
    loop_post(r->rt->loop, &r->drive);
}

static void start_call(struct tackle_run *r, struct run_call *call)
{
    struct err err = {.code = ERR_NOMEM, .text = "out of memory"};
    struct call_context *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct call_context){.run = r, .call = call};
        const struct api_call_events events = {.progress = on_call_progress,
                                               .log = on_call_log,
                                               .changed = on_call_changed,
                                               .remember = on_call_remember,
                                               .done = call->probe ? on_probe_done : on_call_done,
                                               .user = c};
        c->started = call->probe
                         ? api_call_probe(r->rt, &r->prepared, call->tool, call->args,
                                          call->args_len, call->key, call->note, &events, &err)
                         : api_call_start(r->rt, &r->prepared, call->tool, call->args,
                                          call->args_len, call->key, &events, &err);
        if (c->started) {
            call->handle = c;
            return;
        }
        free(c);
    }
    const struct run_result_of_call result = {.code = -1, .output = "", .message = err.text};
    run_call_done(r->run, call, &result);
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
        free(context);
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

static void finish(struct tackle_run *r)
{
    if (r->finished)
        return;
    drop_everything(r);
    r->finished = true;
    set_active(r, false);
    run_finish(r->run, clock_ms() - r->started_ms);
}

static void sleep_for(struct tackle_run *r, int64_t ms)
{
    if (loop_set_timer(r->rt->loop, &r->wake, clock_ms() + ms) != 0)
        run_stop(r->run, STOP_INTERNAL, 0, "out of memory");
}

static void drive(void *user)
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
    drive(r);
}

static void on_limit(void *user)
{
    struct tackle_run *r = user;
    run_stop(r->run, STOP_MAX_TIME, 0, "the limit on time was reached (--max-time)");
    drive(r);
}

/* ---- Starting ---- */

static json_t *tool_names(const struct prepared *p)
{
    json_t *names = json_array();
    for (size_t i = 0; names && i < p->tool_count; i++)
        if (policy_allows(&p->policy, p->tools[i], NULL))
            (void)json_array_append_new(names, json_string(p->tools[i]->name));
    return names;
}

static json_t *limits(const struct settings *s)
{
    json_t *limits = json_object();
    static const enum setting ids[] = {SET_MAX_STEPS, SET_MAX_TOOL_CALLS, SET_MAX_TOKENS,
                                       SET_MAX_TIME, SET_TOOL_TIMEOUT};
    for (size_t i = 0; limits && i < sizeof ids / sizeof *ids; i++) {
        const char *text = settings_text(s, ids[i]);
        (void)json_object_set_new(limits, settings_key(ids[i]),
                                  text ? json_integer(settings_number(s, ids[i])) : json_null());
    }
    return limits;
}

static void emit_started(struct tackle_run *r)
{
    const struct prepared *p = &r->prepared;
    const char *replay = settings_text(&p->settings, SET_REPLAY);
    event_emit(run_events(r->run), "run.started",
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:O, s:{s:s, s:b}, s:o, s:b, s:b}",
                         "agent", p->agent.name, "model", r->provider.model, "provider",
                         r->provider.name, "base_url", r->provider.base_url, "workspace",
                         p->workspace, "tools", tool_names(p), "instructions", p->instructions,
                         "sandbox", "mode", p->policy.write ? "workspace-write" : "read-only",
                         "enforced", 0, "limits", limits(&p->settings), "replay", replay != NULL,
                         "resumed", r->resumed));
    size_t index;
    json_t *text;
    json_array_foreach(p->warnings, index, text)
    {
        run_warn(r->run, json_string_value(text));
    }
}

static enum chat_choice choice_of(const struct settings *s, enum setting id)
{
    if (!settings_text(s, id))
        return CHAT_CHOICE_UNSET;
    return settings_flag(s, id) ? CHAT_CHOICE_TRUE : CHAT_CHOICE_FALSE;
}

static int make_backend(struct tackle_run *r, struct err *err)
{
    const struct settings *s = &r->prepared.settings;
    const char *replay = settings_text(s, SET_REPLAY);
    if (provider_resolve(s, api_getenv, r->rt, !replay, &r->provider, err) != 0)
        return -1;
    r->backend = replay ? backend_replay_new(r->rt->loop, replay,
                                             (int)settings_number(s, SET_REPLAY_SPEED), err)
                        : backend_http_new(r->rt->http, &r->provider,
                                           settings_number(s, SET_MODEL_TIMEOUT), err);
    if (!r->backend || replay || !settings_text(s, SET_FALLBACK_MODEL))
        return r->backend ? 0 : -1;
    if (provider_resolve_fallback(s, &r->provider, api_getenv, r->rt, &r->fallback, err) != 0)
        return -1;
    r->fallback_backend =
        backend_http_new(r->rt->http, &r->fallback, settings_number(s, SET_MODEL_TIMEOUT), err);
    return r->fallback_backend ? 0 : -1;
}

/* A limit on cost that cannot be checked is none. */
static int check_price(const struct settings *s, const struct provider *p, struct err *err)
{
    bool limited = settings_text(s, SET_MAX_COST_USD) != NULL;
    if (!limited || p->input_usd >= 0 || strcmp(settings_text(s, SET_UNPRICED), "allow") == 0)
        return 0;
    return err_set(err, ERR_USAGE,
                   "max_cost_usd: the price of %s at %s is not known; --unpriced allow runs it "
                   "without this limit",
                   p->model, p->base_url);
}

static int make_run(struct tackle_run *r, struct err *err)
{
    const struct prepared *p = &r->prepared;
    const struct settings *s = &p->settings;
    const char *schema_path = settings_text(s, SET_OUTPUT_SCHEMA);
    if (check_price(s, &r->provider, err) != 0 ||
        (r->fallback_backend && check_price(s, &r->fallback, err) != 0))
        return -1;
    size_t len = 0;
    if (schema_path && prompt_read_file(schema_path, SCHEMA_TEXT_MAX, &r->schema, &len, err) != 0) {
        err->code = ERR_CONFIG;
        return err_prefix(err, "output_schema");
    }
    const struct run_config config = {
        .provider = &r->provider,
        .tools = p->tools,
        .tool_count = p->tool_count,
        .policy = p->policy,
        .system = p->system,
        .fallback = r->fallback_backend ? &r->fallback : NULL,
        .answer_schema = r->schema,
        .google_search = settings_flag(s, SET_GOOGLE_SEARCH),
        .stream = settings_flag(s, SET_STREAM),
        .effort = settings_text(s, SET_EFFORT),
        .thoughts = choice_of(s, SET_THOUGHTS),
        .max_steps = settings_number(s, SET_MAX_STEPS),
        .max_tool_calls = settings_number(s, SET_MAX_TOOL_CALLS),
        .max_tokens = settings_number(s, SET_MAX_TOKENS),
        .max_cost_usd = settings_money(s, SET_MAX_COST_USD),
        .max_time_ms = settings_number(s, SET_MAX_TIME),
        .loop_limit = settings_number(s, SET_LOOP_LIMIT),
        .retries = settings_number(s, SET_RETRIES),
        .read_result = &r->results.function.tool,
        .keep = results_keep,
        .keep_user = &r->results,
        .journal = journal_wanted(r->rt, s) ? on_record : NULL,
        .journal_user = r,
        .sink = r->on_event ? on_event : NULL,
        .user = r,
    };
    r->run = results_init(&r->results, r->rt, err) == 0 ? run_new(&config, err) : NULL;
    return r->run ? 0 : -1;
}

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static int add_prompt(struct tackle_run *r, const tackle_run_options *options, struct err *err)
{
    struct prompt prompt;
    prompt_init(&prompt);
    int status = prompt_build(&prompt, &r->prepared.settings, options->files, options->prompt, err);
    if (status == 0 && !r->resumed)
        status = journal_begin(r->rt, &r->prepared, &r->provider, run_events(r->run)->run,
                               options->prompt, &r->journal, err);
    if (status == 0 && r->journal)
        r->results.journal_dir = journal_file_dir(r->journal);
    if (status == 0)
        status = run_prompt(r->run, prompt.parts, prompt.count, err);
    prompt_release(&prompt);
    return status;
}

/* The run's journal becomes ours, and the run goes on. */
static int take_past(struct tackle_run *r, struct past *past, const tackle_run_options *options,
                     struct err *err)
{
    char tools[16];
    r->resumed = true;
    if (!journal_wanted(r->rt, &r->prepared.settings))
        return err_set(err, ERR_USAGE,
                       "a run that is resumed keeps its journal: leave out --ephemeral and "
                       "--replay");
    if (past_restore(past, r->run, err) != 0)
        return -1;
    r->journal = past->file;
    past->file = NULL;
    journal_file_set_durability(r->journal, journal_durability(&r->prepared.settings));
    r->results.journal_dir = journal_file_dir(r->journal);
    results_find(&r->results);
    journal_tools_sum(&r->prepared, tools);
    if (strcmp(tools, past->tools) != 0)
        (void)json_array_append_new(
            r->prepared.warnings,
            json_string("the tools are not those that this run had before: calls that are open "
                        "are treated by what their tools say now"));
    if (past->torn > 0)
        (void)json_array_append_new(
            r->prepared.warnings,
            json_string("the journal ended in the middle of a record, which was dropped"));
    if (!is_blank(options->prompt))
        return add_prompt(r, options, err);
    return run_resume(r->run, err);
}

/* The first turn: events come from tackle_step(), the first one too. */
static void on_start(void *user)
{
    struct tackle_run *r = user;
    r->drive.run = drive;
    emit_started(r);
    drive(r);
}

static void begin(struct tackle_run *r)
{
    r->finished = false;
    set_active(r, true);
    r->started_ms = clock_ms();
    int64_t limit_ms = settings_number(&r->prepared.settings, SET_MAX_TIME);
    if (limit_ms > 0)
        (void)loop_set_timer(r->rt->loop, &r->limit, r->started_ms + limit_ms);
    loop_post(r->rt->loop, &r->drive);
}

static int set_up(struct tackle_run *r, const tackle_run_options *options, struct err *err)
{
    struct past past = {.file = NULL};
    if (options->resume && past_open(r->rt, options->settings, options->resume, &past, err) != 0)
        return -1;
    int status = prepare(r->rt, options->settings, past.settings, &r->prepared, err) == 0 &&
                         make_backend(r, err) == 0 && make_run(r, err) == 0
                     ? 0
                     : -1;
    if (status == 0)
        status = options->resume ? take_past(r, &past, options, err) : add_prompt(r, options, err);
    if (options->resume)
        past_release(&past);
    return status;
}

int32_t tackle_run_start(tackle_runtime *rt, const tackle_run_options *options, tackle_run **out,
                         tackle_error *error)
{
    struct err err;
    *out = NULL;
    if (options->size < sizeof *options)
        return api_fail_as(error, STOP_USAGE, "tackle_run_options: size is not set");
    if (is_blank(options->prompt) && !options->resume)
        return api_fail_as(error, STOP_USAGE, "the prompt is empty");
    struct tackle_run *r = calloc(1, sizeof *r);
    if (!r)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    r->rt = rt;
    r->on_event = options->on_event;
    r->user = options->user;
    r->prepared.workspace_fd = -1;
    r->drive = (struct loop_task){.run = drive, .user = r};
    r->wake = (struct loop_timer){.due = on_wake, .user = r};
    r->limit = (struct loop_timer){.due = on_limit, .user = r};
    if (set_up(r, options, &err) != 0) {
        tackle_run_free(r);
        return api_fail(error, &err);
    }
    r->next = rt->runs;
    if (r->next)
        r->next->prev = r;
    rt->runs = r;
    *out = r;
    r->drive.run = on_start;
    begin(r);
    return 0;
}

int32_t tackle_run_continue(tackle_run *run, const char *prompt, tackle_error *error)
{
    struct err err;
    if (!run->finished)
        return api_fail_as(error, STOP_USAGE, "the run is still going on");
    if (is_blank(prompt))
        return api_fail_as(error, STOP_USAGE, "the prompt is empty");
    const struct chat_part part = {.text = prompt, .len = strlen(prompt)};
    if (run_prompt(run->run, &part, 1, &err) != 0)
        return api_fail(error, &err);
    begin(run);
    return 0;
}

void tackle_run_cancel(tackle_run *run, int32_t signal)
{
    run_stop(run->run, STOP_INTERRUPTED, signal, NULL);
    loop_post(run->rt->loop, &run->drive);
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
    provider_release(&r->provider);
    provider_release(&r->fallback);
    free(r->schema);
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
    return status == 0 ? rt->active : api_fail(error, &err);
}

int32_t tackle_run_wait(tackle_run *run, tackle_error *error)
{
    while (!run->finished)
        if (tackle_step(run->rt, -1, error) < 0)
            return -1;
    return 0;
}
