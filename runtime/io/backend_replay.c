/* A recording in place of the endpoint: the same bytes through the same parser, no network. */
#include <stdlib.h>

#include "base/clock.h"
#include "io/backend_ops.h"

struct replay_backend {
    struct backend base;
    struct loop *loop;
    struct cassette *cassette;
    int speed;
};

struct replay_ask {
    struct backend_ask base;
    struct replay_backend *backend;
    struct loop_task task;
    struct loop_timer timer;
    struct cassette_response response;
    size_t fed, piece; /* bytes; the piece that is next */
    struct err err;    /* code ERR_NONE unless there is no response */
};

static void ask_free(struct replay_ask *a)
{
    loop_unpost(&a->task);
    loop_clear_timer(a->backend->loop, &a->timer);
    chat_reply_free(a->base.reply);
    free(a);
}

static void finish(struct replay_ask *a)
{
    if (a->err.code != ERR_NONE)
        a->base.events.failed(a->base.events.user, &a->err);
    else
        backend_finish(&a->base, a->response.end);
    ask_free(a);
}

/* When the next piece is due. */
static void wait_for_next(struct replay_ask *a)
{
    struct replay_backend *b = a->backend;
    int64_t wait_ms = b->speed ? a->response.pieces[a->piece].wait_ms / b->speed : 0;
    if (wait_ms == 0 || loop_set_timer(b->loop, &a->timer, clock_ms() + wait_ms) != 0)
        loop_post(b->loop, &a->task);
}

static void feed(void *user)
{
    struct replay_ask *a = user;
    const struct cassette_response *r = &a->response;
    if (a->err.code != ERR_NONE || a->fed == r->len) {
        finish(a);
        return;
    }
    size_t len = a->backend->speed ? r->pieces[a->piece].len : r->len;
    if (backend_receive(&a->base, r->end->status, r->data + a->fed, len) != 0)
        len = r->len - a->fed;
    a->fed += len;
    a->piece++;
    if (a->fed == r->len)
        finish(a);
    else
        wait_for_next(a);
}

static struct backend_ask *replay_ask(struct backend *backend, const struct chat_body *body,
                                      const struct backend_events *events, struct err *err)
{
    struct replay_backend *b = (struct replay_backend *)backend;
    struct replay_ask *a = calloc(1, sizeof *a);
    if (!a) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->base.ops = backend->ops;
    a->base.events = *events;
    a->backend = b;
    a->task = (struct loop_task){.run = feed, .user = a};
    a->timer = (struct loop_timer){.due = feed, .user = a};
    if (cassette_ask(b->cassette, body, &a->err) == 0 &&
        cassette_response(b->cassette, &a->response, &a->err) == 0)
        a->err.code = ERR_NONE;
    if (a->err.code == ERR_NONE && a->response.piece_count > 0)
        wait_for_next(a);
    else
        loop_post(b->loop, &a->task);
    return &a->base;
}

static void replay_ask_cancel(struct backend_ask *ask)
{
    ask_free((struct replay_ask *)ask);
}

static void replay_backend_free(struct backend *backend)
{
    free(backend);
}

struct backend *backend_replay_new(struct loop *loop, struct cassette *cassette, int speed,
                                   struct err *err)
{
    static const struct backend_ops ops = {replay_ask, replay_ask_cancel, replay_backend_free};
    struct replay_backend *b = calloc(1, sizeof *b);
    if (!b) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    *b = (struct replay_backend){
        .base = {&ops}, .loop = loop, .cassette = cassette, .speed = speed > 0 ? speed : 0};
    return &b->base;
}
