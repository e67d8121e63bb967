/* A recording in place of the endpoint: the same bytes through the same parser, no network. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "io/backend_ops.h"

#include <unistd.h>

#define REPLIES_MAX 10000
#define REPLY_MAX   (64u << 20)
#define PIECE_BYTES 160 /* about one event */
#define PIECE_MS    24  /* between two pieces at speed 1 */

struct replay_backend {
    struct backend base;
    struct loop *loop;
    char *dir;
    int dir_fd;
    struct dirent **names; /* sorted */
    int count, next;
    int speed;
};

struct replay_ask {
    struct backend_ask base;
    struct replay_backend *backend;
    struct loop_task task;
    struct loop_timer timer;
    char *data;
    size_t len, fed;
    struct err err; /* code ERR_NONE unless there is no reply */
};

static void ask_free(struct replay_ask *a)
{
    loop_unpost(&a->task);
    loop_clear_timer(a->backend->loop, &a->timer);
    chat_reply_free(a->base.reply);
    free(a->data);
    free(a);
}

static void finish(struct replay_ask *a)
{
    if (a->err.code != ERR_NONE)
        a->base.events.failed(a->base.events.user, &a->err);
    else
        backend_finish(&a->base, NULL, NULL);
    ask_free(a);
}

static void feed(void *user)
{
    struct replay_ask *a = user;
    size_t piece = a->len - a->fed;
    if (a->err.code == ERR_NONE && piece > 0) {
        if (a->backend->speed > 0 && piece > PIECE_BYTES)
            piece = PIECE_BYTES;
        if (chat_reply_feed(a->base.reply, a->data + a->fed, piece) != 0)
            a->fed = a->len;
        else
            a->fed += piece;
    }
    if (a->err.code != ERR_NONE || a->fed == a->len)
        finish(a);
    else if (loop_set_timer(a->backend->loop, &a->timer,
                            clock_ms() + PIECE_MS / a->backend->speed) != 0)
        loop_post(a->backend->loop, &a->task);
}

static int is_reply(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 4 &&
           (strcmp(entry->d_name + len - 4, ".sse") == 0 ||
            (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0));
}

static struct backend_ask *replay_ask(struct backend *backend, const struct chat_body *body,
                                      const struct backend_events *events, struct err *err)
{
    (void)body;
    struct replay_backend *b = (struct replay_backend *)backend;
    struct replay_ask *a = calloc(1, sizeof *a);
    if (!a || !(a->base.reply = chat_reply_new(200, events->delta, events->user))) {
        free(a);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->base.ops = backend->ops;
    a->base.events = *events;
    a->backend = b;
    a->task = (struct loop_task){.run = feed, .user = a};
    a->timer = (struct loop_timer){.due = feed, .user = a};
    if (b->next == b->count)
        err_set(&a->err, ERR_REPLAY,
                "the recording in %s ends after %d replies, and the run asks for another", b->dir,
                b->count);
    else if (beneath_read(b->dir_fd, b->names[b->next]->d_name, REPLY_MAX, &a->data, &a->len,
                          &a->err) == 0)
        b->next++;
    loop_post(b->loop, &a->task);
    return &a->base;
}

static void replay_ask_cancel(struct backend_ask *ask)
{
    ask_free((struct replay_ask *)ask);
}

static void replay_backend_free(struct backend *backend)
{
    struct replay_backend *b = (struct replay_backend *)backend;
    for (int i = 0; i < b->count; i++)
        free(b->names[i]);
    free(b->names);
    if (b->dir_fd >= 0)
        (void)close(b->dir_fd);
    free(b->dir);
    free(b);
}

struct backend *backend_replay_new(struct loop *loop, const char *dir, int speed, struct err *err)
{
    static const struct backend_ops ops = {replay_ask, replay_ask_cancel, replay_backend_free};
    char real[BENEATH_PATH_MAX];
    struct replay_backend *b = calloc(1, sizeof *b);
    if (!b) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    b->base.ops = &ops;
    b->loop = loop;
    b->speed = speed;
    b->dir_fd = beneath_open_root(dir, real, err);
    if (b->dir_fd < 0) {
        err_prefix(err, "replay");
        goto fail;
    }
    b->dir = strdup(dir);
    b->count = b->dir ? scandir(dir, &b->names, is_reply, alphasort) : -1;
    if (b->count <= 0 || b->count > REPLIES_MAX) {
        err_set(err, ERR_CONFIG, "replay: %s holds no recorded replies (001.sse, 002.sse, ...)",
                dir);
        b->count = b->count < 0 ? 0 : b->count;
        goto fail;
    }
    return &b->base;
fail:
    replay_backend_free(&b->base);
    return NULL;
}
