/* A runtime in folders of its own, recordings for its runs, and a receipt for their events. Shared
 * by the tests of the public header; nothing here looks behind it. */
#ifndef TESTS_UNIT_API_API_WORLD_H
#define TESTS_UNIT_API_API_WORLD_H

#include <jansson.h>
#include <stdbool.h>

#include <tackle/plugin.h>
#include <tackle/tackle.h>

#define UNRULY TEST_BUILD_DIR "/tests/plugins/unruly.so"
#define TWIN   TEST_BUILD_DIR "/tests/plugins/twin.so"

struct world {
    char *dir, *workspace, *home, *agent; /* the agent is a file: one line of prompt, no plugin */
    tackle_runtime *rt;
    tackle_error err;
    int recordings;
};

/* HOME and XDG_* lie in the world's folder, and TACKLE_* is gone. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* A fresh runtime with the world's workspace and agent, nothing read from files. */
void world_runtime(struct world *w);
void world_set(struct world *w, const char *key, const char *value);

/* A file below the world's folder: "workspace/a.txt". */
void world_write(struct world *w, const char *path, const char *text);
char *world_path(const struct world *w, const char *path);

/* A folder with these replies, ended by NULL, as "replay=...": a final text as it stands, or calls
 * as "@name {arguments}", several with a line each. malloc'd. */
char *world_replay(struct world *w, ...) __attribute__((sentinel));

/* What a run told. Checked as it comes: numbered, valid, nothing after the result. */
struct receipt {
    struct world *world;
    json_t *events;
    uint64_t seq; /* of the last one */
    size_t results;
    uint64_t cancel_at; /* the seq at which the run is cancelled from inside */
    bool cancelled;
    void (*inside)(struct receipt *r, tackle_run *run, const tackle_event *event);
    void *user;
};

void receipt_init(struct receipt *r, struct world *w);
void receipt_release(struct receipt *r);
void receipt_take(void *user, tackle_run *run, const tackle_event *event);
size_t receipt_count(const struct receipt *r, const char *type);
const json_t *receipt_last(const struct receipt *r, const char *type);

/* Starts a run; fails the test when it does not start. `settings` are for it alone; may be NULL. */
tackle_run *world_start(struct world *w, const char *const *settings, struct receipt *r);

/* Waits for its end, which must be this one; the result is parsed. */
json_t *world_end(struct world *w, tackle_run *run, const char *reason, int exit_code);

/* It must not start, with this exit code and these words. */
void world_start_fails(struct world *w, const char *const *settings, int exit_code,
                       const char *words);

/* What looking things up gave; takes the text. */
json_t *world_json(char *text);
const char *text_at(const json_t *object, const char *key);

#endif
