/* What a tackle-host process says, frame by frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "engine/confine.h"
#include "io/toolhost_state.h"

static void on_output(struct toolhost_call *c, const struct link_frame *frame)
{
    size_t room = TOOLHOST_OUTPUT_MAX - c->output.len;
    size_t take = frame->len < room ? frame->len : room;
    if (buf_append(&c->output, frame->payload, take) != 0)
        take = 0;
    c->omitted += frame->len - take;
}

static void on_log(struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *log = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *level = json_string_value(json_object_get(log, "level"));
    const char *text = json_string_value(json_object_get(log, "text"));
    if (c->events.log && text)
        c->events.log(c->events.user, level ? level : "info", text);
    json_decref(log);
}

static void on_changed(struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *change = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *path = json_string_value(json_object_get(change, "path"));
    const char *what = json_string_value(json_object_get(change, "what"));
    if (c->events.changed && path && what)
        c->events.changed(c->events.user, path, what);
    json_decref(change);
}

static void on_remember(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    struct err err = {.code = ERR_NONE};
    if (c->events.remember)
        (void)c->events.remember(c->events.user, frame->payload, frame->len, &err);
    (void)link_write(&p->out, LINK_REMEMBERED, c->number, err.text, strlen(err.text));
    toolhost_process_flush(p);
}

static void answer_fetch(struct process *p, uint32_t call, const struct fetch_result *r)
{
    json_t *head = r->code ? json_pack("{s:i, s:s}", "code", r->code, "message", r->message)
                           : json_pack("{s:i, s:s, s:s}", "status", r->status, "content_type",
                                       r->content_type, "location", r->location);
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    const char *plain = "{\"code\":-1,\"message\":\"the answer could not be read\"}";
    (void)link_write_parts(&p->out, LINK_FETCHED, call, text ? text : plain,
                           strlen(text ? text : plain), r->body, text ? r->len : 0);
    free(text);
    json_decref(head);
    toolhost_process_flush(p);
}

static void on_fetched(void *user, const struct fetch_result *result)
{
    struct toolhost_call *c = user;
    c->fetch = NULL;
    if (c->process && c->process->state == BUSY)
        answer_fetch(c->process, c->number, result);
}

static void on_contacted(void *user, const char *host, bool allowed)
{
    const struct toolhost_call *c = user;
    if (c->events.contacted)
        c->events.contacted(c->events.user, host, allowed);
}

/* In the form of reach_option. Only the operator sets options; a default is the plugin's word. */
static const char *find_option(void *user, const char *name, bool *by_operator)
{
    const struct toolhost_call *c = user;
    const char *text = json_string_value(json_object_get(c->group->options, name));
    *by_operator = text != NULL;
    return text ? text : plugin_option_default(c->tool->owner, name);
}

static struct fetch *start_fetch(struct toolhost_call *c, const char *head, size_t head_len,
                                 const char *body, size_t body_len)
{
    static const struct tool nothing = {.name = NULL}; /* reaches no host */
    const struct fetch_events events = {on_contacted, on_fetched, c};
    const struct toolhost *hosts = c->hosts;
    struct reach reach;
    const struct tool *tool = c->tool->does & TACKLE_NETWORK ? c->tool : &nothing;
    if (reach_init(&reach, c->network, tool, &c->granted, find_option, c, NULL) != 0)
        return NULL;
    struct fetch *f = fetch_start(hosts->http, hosts->loop, head, head_len, body, body_len, &reach,
                                  c->deadline_ms - clock_ms(), &events);
    reach_release(&reach);
    return f;
}

static void on_fetch(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    const char *head, *body;
    size_t head_len, body_len;
    if (c->fetch || link_read_parts(frame, &head, &head_len, &body, &body_len) != 0) {
        toolhost_process_kill(p, "a broken request to http/1");
        return;
    }
    c->fetch = start_fetch(c, head, head_len, body, body_len);
    if (!c->fetch) {
        const struct fetch_result r = {
            .code = TACKLE_E_NOMEM, .message = "out of memory", .location = "", .body = ""};
        answer_fetch(p, c->number, &r);
    }
}

static void on_call_done(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *done = json_loadb(frame->payload, frame->len, 0, NULL);
    const json_t *code = json_object_get(done, "code");
    const char *message = json_string_value(json_object_get(done, "message"));
    if (!json_is_integer(code)) {
        json_decref(done);
        toolhost_process_kill(p, "a broken result");
        return;
    }
    int32_t value = (int32_t)json_integer_value(code);
    c->omitted += (uint64_t)json_integer_value(json_object_get(done, "omitted"));
    if (json_is_true(json_object_get(done, "recycle")))
        p->recycle = true;
    toolhost_process_rest(p);
    if (p->recycle)
        toolhost_process_kill(p, NULL);
    if (value < 0 && (!message || !*message))
        message = "the tool gave no reason";
    struct group *g = p->group;
    toolhost_end_call(c, c->cancelled && value < 0 ? TACKLE_E_CANCELLED : value,
                      message ? message : "", false);
    json_decref(done);
    toolhost_serve(g);
}

/* A process that can serve no call at all. */
static void give_up(struct process *p)
{
    p->state = IDLE; /* not STARTING: nobody else has to pay for it */
    toolhost_process_kill(p, NULL);
}

static struct toolhost_call *take_waiting(struct group *g)
{
    struct toolhost_call *c = g->waiting;
    if (c)
        toolhost_unlink(c);
    return c;
}

/* The plugin cannot be used: every call that waits is told why. */
static void refuse(struct process *p, const char *problem)
{
    char message[1024];
    struct toolhost_call *c;
    (void)snprintf(message, sizeof message, "the plugin %s cannot be used: %.800s", p->group->name,
                   problem ? problem : "it does not say why");
    give_up(p);
    while ((c = take_waiting(p->group)))
        toolhost_end_call(c, TACKLE_E_FAILED, message, true);
}

static const char *tier_of(const struct process *p)
{
    return json_string_value(
        json_object_get(json_object_get(p->group->confine, "sandbox"), "tier"));
}

/* It cannot be confined as asked, and is not used with less. */
static void refuse_unconfined(struct process *p, const char *step, const char *problem)
{
    struct err err;
    struct toolhost_call *c;
    (void)confine_fail(&err, tier_of(p), step, problem);
    give_up(p);
    while ((c = take_waiting(p->group)))
        toolhost_refuse_call(c, err.text);
}

static void on_refused(struct process *p, const struct link_frame *frame)
{
    json_t *refusal = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *problem = json_string_value(json_object_get(refusal, "problem"));
    const char *step = json_string_value(json_object_get(refusal, "step"));
    if (json_is_true(json_object_get(refusal, "sandbox")))
        refuse_unconfined(p, step, problem);
    else
        refuse(p, problem);
    json_decref(refusal);
}

/* A host that does not know tiers says none: then the kernel does not hold it to one either. */
static bool is_confined(const struct process *p, const json_t *opened)
{
    const char *asked = tier_of(p);
    const char *had = json_string_value(json_object_get(opened, "tier"));
    if (!asked || !confine_is_enforced(asked))
        return true;
    return had && strcmp(asked, had) == 0;
}

/* What was loaded must be what was described: the model and the policy know only that. */
static void on_opened(struct process *p, const struct link_frame *frame)
{
    json_t *opened = json_loadb(frame->payload, frame->len, 0, NULL);
    bool same = json_equal(json_object_get(opened, "file"), p->group->file);
    bool confined = is_confined(p, opened);
    json_decref(opened);
    if (ENFORCED(host_tier_achieved) && !confined) {
        refuse_unconfined(p, NULL, "tackle-host runs without it; install both from one release");
        return;
    }
    if (!same) {
        refuse(p, "its file has changed since the run began; start the run again");
        return;
    }
    if (p->recycle)
        return; /* it has ended since */
    toolhost_process_rest(p);
    toolhost_serve(p->group);
}

void toolhost_take_frame(struct process *p, const struct link_frame *frame)
{
    struct toolhost_call *c = p->call;
    if (p->state == STARTING && frame->type == LINK_OPENED) {
        on_opened(p, frame);
        return;
    }
    if (p->state == STARTING && frame->type == LINK_REFUSED) {
        on_refused(p, frame);
        return;
    }
    if (frame->type == LINK_LOG) {
        if (c)
            on_log(c, frame);
        return;
    }
    if (p->state != BUSY || !c || frame->call != c->number) {
        toolhost_process_kill(p, "a frame that nobody waits for");
        return;
    }
    switch (frame->type) {
    case LINK_OUTPUT:
        on_output(c, frame);
        break;
    case LINK_PROGRESS:
        if (c->events.progress)
            c->events.progress(c->events.user, frame->payload, frame->len);
        break;
    case LINK_CHANGED:
        on_changed(c, frame);
        break;
    case LINK_REMEMBER:
        on_remember(p, c, frame);
        break;
    case LINK_FETCH:
        on_fetch(p, c, frame);
        break;
    case LINK_DONE:
        on_call_done(p, c, frame);
        break;
    default:
        toolhost_process_kill(p, "a frame of the wrong kind");
    }
}
