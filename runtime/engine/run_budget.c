/* Budgets that hold: looked at before a request is sent, not after. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/run_answer.h"
#include "engine/run_state.h"

#define OUTPUT_MIN    256   /* tokens: less room than this is no use */
#define OUTPUT_USUAL  2048  /* what a turn takes; a budget without room for two is near its end */
#define OUTPUT_MOST   65536 /* more than this no model writes at once */
#define LANDING_SHARE 80    /* percent */
#define WARNINGS      2

enum kind { STEPS, CALLS, TOKENS, COST, TIME, KINDS };

static const struct {
    const char *name;
    enum stop_reason reason;
} kinds[KINDS] = {
    [STEPS] = {"steps", STOP_MAX_STEPS},    [CALLS] = {"tool_calls", STOP_MAX_TOOL_CALLS},
    [TOKENS] = {"tokens", STOP_MAX_TOKENS}, [COST] = {"cost", STOP_MAX_COST},
    [TIME] = {"time", STOP_MAX_TIME},
};

static int64_t tokens_used(const struct run *r)
{
    return r->counts.input_tokens - r->before.input_tokens + r->counts.output_tokens -
           r->before.output_tokens;
}

static double cost_used(const struct run *r)
{
    return r->cost_usd < 0 ? 0 : r->cost_usd - r->cost_before_usd;
}

/* Used and allowed, in the unit of the kind (USD for cost, ms for time). False: no limit. */
static bool measure(const struct run *r, enum kind kind, double *used, double *limit)
{
    const struct run_config *c = &r->config;
    switch (kind) {
    case STEPS:
        *used = (double)r->step;
        *limit = (double)c->max_steps;
        break;
    case CALLS:
        *used = (double)r->calls_used;
        *limit = (double)c->max_tool_calls;
        break;
    case TOKENS:
        *used = (double)tokens_used(r);
        *limit = (double)c->max_tokens;
        break;
    case COST:
        *used = cost_used(r);
        *limit = c->max_cost_usd;
        break;
    case TIME:
    case KINDS:
    default:
        *used = (double)(clock_ms() - r->started_ms);
        *limit = (double)c->max_time_ms;
    }
    return *limit > 0;
}

/*
 * The most tokens the next request can have. No tokeniser makes more tokens than there are bytes;
 * what the endpoint measured of the conversation so far makes the bound a good one. Media are not
 * known: their bytes count, and a URL counts as its text.
 */
static int64_t input_bound(const struct run *r)
{
    size_t bytes = r->messages.len + r->tools.len + 512;
    if (r->known_tokens > 0)
        return r->known_tokens + (bytes > r->known_bytes ? (int64_t)(bytes - r->known_bytes) : 0);
    return (int64_t)bytes;
}

/* Tokens of output that are left when the input takes `input`; OUTPUT_MOST when nothing limits it.
 * *by tells which budget it is. */
static int64_t output_left(const struct run *r, int64_t input, enum kind *by)
{
    const struct run_config *c = &r->config;
    const struct provider *p = r->provider;
    int64_t left = OUTPUT_MOST;
    if (c->max_tokens > 0 && c->max_tokens - tokens_used(r) - input < left) {
        left = c->max_tokens - tokens_used(r) - input;
        *by = TOKENS;
    }
    if (c->max_cost_usd > 0 && p->output_usd > 0 && p->input_usd >= 0) {
        double usd = c->max_cost_usd - cost_used(r) - (double)input * p->input_usd / 1e6;
        double tokens = usd * 1e6 / p->output_usd;
        if (tokens < (double)left) {
            left = tokens < 0 ? -1 : (int64_t)tokens;
            *by = COST;
        }
    }
    return left;
}

static void refuse(struct run *r, enum kind kind)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "the limit on %s was reached: the next request might go beyond it",
                   kinds[kind].name);
    run_end(r, kinds[kind].reason, text);
}

/* The budget that has no room for a turn with tools and one more; KINDS when there is none. */
static enum kind nearly_used_up(const struct run *r, int64_t input)
{
    double used, limit;
    if (r->step >= r->config.max_steps)
        return STEPS;
    if (r->calls_refused)
        return CALLS;
    for (enum kind kind = TOKENS; kind < KINDS; kind++)
        if (measure(r, kind, &used, &limit) && used * 100 >= limit * LANDING_SHARE)
            return kind;
    enum kind by = KINDS;
    return output_left(r, 2 * input + OUTPUT_USUAL, &by) < OUTPUT_USUAL ? by : KINDS;
}

/* One last turn, without tools, to answer with what there is. */
static void land(struct run *r, enum kind kind)
{
    struct buf text;
    buf_init(&text, 2u << 20);
    (void)buf_format(
        &text,
        "The limit on %s of this run is nearly reached. This is your last turn, without "
        "tools: answer now with what you have, and say what is missing.",
        kinds[kind].name);
    r->landing = kinds[kind].reason;
    if (r->schema) {
        r->structuring = true;
        (void)buf_format(&text, " Answer as JSON only, in the form of this JSON Schema:\n%s",
                         r->config.answer_schema);
    }
    if (chat_add_user(&r->messages, text.data, text.len) != 0)
        run_end(r, STOP_INTERNAL, "the conversation is too large");
    buf_release(&text);
}

bool budget_before_request(struct run *run)
{
    struct run *r = run;
    enum kind by = KINDS;
    /* The first turn is never the last one: nothing could be told of. */
    if (!r->landing && r->step > 1 && r->tools.len > 0 && !r->structuring) {
        enum kind kind = nearly_used_up(r, input_bound(r));
        if (kind != KINDS)
            land(r, kind);
    }
    int64_t left = output_left(r, input_bound(r), &by);
    if (r->state != STATE_ENDED && left < OUTPUT_MIN)
        refuse(r, by);
    r->output_limit = by == KINDS ? 0 : left;
    r->limited_by = by == KINDS ? STOP_FINAL : kinds[by].reason;
    r->request_bytes = r->messages.len + r->tools.len + 512;
    return r->state != STATE_ENDED;
}

const char *run_landing_message(const struct run *run)
{
    switch (run->landing) {
    case STOP_FINAL:
        return NULL;
    case STOP_MAX_STEPS:
        return "the limit on steps was reached (--max-steps); the answer is what there was by then";
    case STOP_MAX_TOOL_CALLS:
        return "the limit on tool calls was reached (--max-tool-calls); the answer is what there "
               "was "
               "by then";
    case STOP_MAX_TOKENS:
        return "the limit on tokens was near (--max-tokens); the answer is what there was by then";
    case STOP_MAX_COST:
        return "the limit on cost was near (--max-cost-usd); the answer is what there was by then";
    default:
        return "the limit on time was near (--max-time); the answer is what there was by then";
    }
}

static void warn(struct run *r, enum kind kind, unsigned percent, double used, double limit)
{
    bool whole = kind != COST;
    r->warned[kind] = percent;
    event_emit(&r->events, "budget.warning",
               json_pack("{s:s, s:o, s:o, s:i}", "kind", outcome_name(kinds[kind].reason), "used",
                         whole ? json_integer((json_int_t)used) : json_real(used), "limit",
                         whole ? json_integer((json_int_t)limit) : json_real(limit), "percent",
                         (int)percent));
}

void budget_warn(struct run *run)
{
    static const unsigned percents[WARNINGS] = {95, 80};
    double used, limit;
    for (enum kind kind = STEPS; kind < KINDS; kind++) {
        if (!measure(run, kind, &used, &limit))
            continue;
        for (size_t i = 0; i < WARNINGS; i++)
            if (used * 100 >= limit * percents[i] && run->warned[kind] < percents[i]) {
                warn(run, kind, percents[i], used, limit);
                break;
            }
    }
}

/* ---- Loops ---- */

static uint64_t add_hash(uint64_t hash, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    return (hash ^ 0xff) * UINT64_C(1099511628211);
}

/* How often this call has given this result; a change to the workspace makes all things new. */
static unsigned count_again(struct run *r, const struct run_call *c)
{
    uint64_t hash = add_hash(UINT64_C(14695981039346656037), c->name, strlen(c->name));
    hash = add_hash(hash, c->args, c->args_len);
    hash = add_hash(hash, c->result.data, c->result.len);
    for (size_t i = 0; i < r->seen_count; i++)
        if (r->seen[i].hash == hash)
            return ++r->seen[i].count;
    if (c->tool && (c->tool->does & TACKLE_WRITES) && !(c->tool->does & TACKLE_RUNS))
        r->seen_count = 0;
    if (r->seen_count == RUN_LOOP_MEMORY) {
        memmove(r->seen, r->seen + 1, (RUN_LOOP_MEMORY - 1) * sizeof *r->seen);
        r->seen_count--;
    }
    r->seen[r->seen_count].hash = hash;
    r->seen[r->seen_count++].count = 1;
    return 1;
}

void budget_watch_loop(struct run *run, struct run_call *call)
{
    char text[160];
    int64_t limit = run->config.loop_limit;
    if (limit <= 0)
        return;
    unsigned count = count_again(run, call);
    if ((int64_t)count == limit)
        (void)buf_format(&call->result,
                         "\n[this call has now given this result %u times; the run ends if it does "
                         "so again: do something else, or answer]",
                         count);
    if ((int64_t)count <= limit)
        return;
    (void)snprintf(text, sizeof text,
                   "%.64s was called %u times with the same arguments and result", call->name,
                   count);
    run_end(run, STOP_LOOP_DETECTED, text);
}
