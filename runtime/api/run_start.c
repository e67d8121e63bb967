/* How a run begins: from options and settings to a struct tackle_run that is driven. */
#include <stdlib.h>
#include <string.h>

#include "api/keys.h"
#include "api/run_inside.h"
#include "base/clock.h"
#include "engine/run_restore.h"

/* ---- What the state machine tells ---- */

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

/* ---- Starting ---- */

static json_t *tool_names(const struct prepared *p)
{
    json_t *names = json_array();
    for (size_t i = 0; names && i < p->tool_count; i++)
        if (policy_offers(p->policy, p->tools[i]))
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
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:O, s:O, s:o, s:b, s:b, s:s*}", "agent",
                         p->agent.name, "model", r->provider.model, "provider", r->provider.name,
                         "base_url", r->provider.base_url, "workspace", p->workspace, "tools",
                         tool_names(p), "instructions", p->instructions, "sandbox", r->sandbox,
                         "limits", limits(&p->settings), "replay", replay != NULL, "resumed",
                         r->resumed, "forked_from", *r->forked_from ? r->forked_from : NULL));
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

static struct backend *new_backend(struct tackle_run *r, const struct provider *provider,
                                   struct err *err)
{
    const struct settings *s = &r->prepared.settings;
    return r->tape.cassette ? backend_replay_new(r->rt->loop, r->tape.cassette, r->tape.speed, err)
                            : backend_http_new(r->rt->http, provider,
                                               settings_number(s, SET_MODEL_TIMEOUT), err);
}

static int make_backends(struct tackle_run *r, struct err *err)
{
    const struct settings *s = &r->prepared.settings;
    if (tape_open(&r->tape, r->rt, &r->prepared, err) != 0)
        return -1;
    bool need_key = !r->tape.cassette;
    if (need_key && keys_read_file(r->rt, s, err) != 0)
        return -1;
    if (provider_resolve(s, api_getenv, r->rt, need_key, &r->provider, err) != 0)
        return -1;
    r->backend = new_backend(r, &r->provider, err);
    if (!r->backend || !settings_text(s, SET_FALLBACK_MODEL))
        return r->backend ? 0 : -1;
    if (provider_resolve_fallback(s, &r->provider, api_getenv, r->rt, need_key, &r->fallback,
                                  err) != 0)
        return -1;
    r->fallback_backend = new_backend(r, &r->fallback, err);
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
    r->sandbox = api_sandbox_json(p);
    const struct run_config config = {
        .provider = &r->provider,
        .tools = p->tools,
        .tool_count = p->tool_count,
        .policy = p->policy,
        .sandbox = r->sandbox,
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
        .ask = !r->unattended && strcmp(settings_text(s, SET_APPROVAL), "ask") == 0,
        .on_deny_fail = strcmp(settings_text(s, SET_ON_DENY), "fail") == 0,
        .max_denials = settings_number(s, SET_MAX_DENIALS),
        .read_result = &r->results.function.tool,
        .keep = results_keep,
        .keep_user = &r->results,
        .journal = journal_wanted(r->rt, s) ? on_record : NULL,
        .journal_user = r,
        .redact = r->rt->redact,
        .sink = r->on_event ? on_event : NULL,
        .user = r,
    };
    r->run = results_init(&r->results, r->rt, err) == 0 ? run_new(&config, err) : NULL;
    return r->run ? 0 : -1;
}

bool api_is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static int add_prompt(struct tackle_run *r, const tackle_run_options *options, struct err *err)
{
    struct prompt prompt;
    prompt_init(&prompt);
    int status = prompt_build(&prompt, &r->prepared.settings, options->files, options->prompt, err);
    if (status == 0)
        status = keys_refuse_in(r->rt, prompt.parts, prompt.count, err);
    if (status == 0)
        status =
            tape_begin(&r->tape, r->rt, &r->prepared, &r->provider, run_events(r->run)->run, err);
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
    char tools[16], rules[16];
    r->resumed = true;
    memcpy(r->forked_from, past->forked_from, sizeof r->forked_from);
    if (settings_text(&r->prepared.settings, SET_RECORD))
        return err_set(err, ERR_USAGE,
                       "a recording begins with its run: leave out --record, or begin a new run");
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
    policy_sum(r->prepared.policy, rules);
    if (past->policy[0] && strcmp(rules, past->policy) != 0)
        (void)json_array_append_new(
            r->prepared.warnings,
            json_string("the rules are not those that this run had before; those of now hold"));
    if (past->results_lost > 0)
        (void)json_array_append_new(
            r->prepared.warnings,
            json_string("results that were kept beside the conversation could not be copied"));
    if (past->torn > 0)
        (void)json_array_append_new(
            r->prepared.warnings,
            json_string("the journal ended in the middle of a record, which was dropped"));
    if (!api_is_blank(options->prompt))
        return add_prompt(r, options, err);
    return run_resume(r->run, err);
}

/* The first turn: events come from tackle_step(), the first one too. */
static void on_start(void *user)
{
    struct tackle_run *r = user;
    r->drive.run = api_run_drive;
    emit_started(r);
    api_run_drive(r);
}

static int set_up(struct tackle_run *r, const tackle_run_options *options, struct err *err)
{
    struct past past = {.file = NULL};
    bool fork = options->flags & TACKLE_RUN_FORK;
    if (fork && !options->resume)
        return err_set(err, ERR_USAGE, "a fork is made of a run of the past: name one to resume");
    if (options->resume &&
        past_open(r->rt, options->settings, options->resume, fork, &past, err) != 0)
        return -1;
    const struct occasion occasion = {.extra = options->settings,
                                      .recorded = past.settings,
                                      .ask = (options->flags & TACKLE_RUN_ASK) != 0};
    int status = prepare(r->rt, &occasion, &r->prepared, err);
    if (status == 0 && !tape_runs_nothing(&r->prepared.settings))
        status = api_require_sandbox(r->rt, &r->prepared, err);
    if (status == 0 && (make_backends(r, err) != 0 || make_run(r, err) != 0))
        status = -1;
    if (status == 0)
        status = options->resume ? take_past(r, &past, options, err) : add_prompt(r, options, err);
    if (status != 0 && r->journal && *r->forked_from) {
        journal_file_discard(r->journal);
        r->journal = NULL;
    }
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
    if (api_is_blank(options->prompt) && !options->resume)
        return api_fail_as(error, STOP_USAGE, "the prompt is empty");
    struct tackle_run *r = calloc(1, sizeof *r);
    if (!r)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    api_run_init(r, rt);
    r->on_event = options->on_event;
    r->user = options->user;
    r->unattended = (options->flags & TACKLE_RUN_UNATTENDED) != 0;
    if (set_up(r, options, &err) != 0) {
        tackle_run_free(r);
        return api_fail(rt, error, &err);
    }
    r->next = rt->runs;
    if (r->next)
        r->next->prev = r;
    rt->runs = r;
    *out = r;
    api_run_begin(r, on_start);
    return 0;
}
