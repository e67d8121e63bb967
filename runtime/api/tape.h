/* What stands between a run and the world when it is recorded (--record) or replayed (--replay). */
#ifndef API_TAPE_H
#define API_TAPE_H

#include "api/runtime.h"
#include "io/cassette.h"
#include "io/recorder.h"

struct tape {
    struct volatile_rules *rules; /* NULL: neither */
    struct cassette *cassette;    /* NULL: the run is not replayed */
    bool full;                    /* calls are replayed as well */
    int speed;
    struct recorder *recorder; /* NULL: it is not recorded */
};

/* Do these settings want a replay in which no tool is run? */
bool tape_runs_nothing(const struct settings *s);

/* Before the back ends are made: opens the cassette that the settings name. */
int tape_open(struct tape *tape, struct tackle_runtime *rt, const struct prepared *p,
              struct err *err);

/* When all is known of the run but its first message: begins the recording that the settings
 * want. `run` is its id. */
int tape_begin(struct tape *tape, struct tackle_runtime *rt, const struct prepared *p,
               const struct provider *provider, const char *run, struct err *err);
void tape_release(struct tape *tape);

/* Of a request that does not fit: names in *err what else is not as it was when it was recorded. */
void tape_explain(const struct tape *tape, const struct prepared *p,
                  const struct provider *provider, struct err *err);

/* A call is about to be run. 0: it may be, with `args`, where the places of the recording are those
 * of now; or in full mode *out is its result instead, which the caller releases. -1 with *err when
 * the recording has another. */
int tape_call(struct tape *tape, const struct run_call *call, struct buf *args,
              struct cassette_result *out, struct err *err);

/* It has ended; `files` are those that it changed. */
int tape_call_done(struct tape *tape, const struct run_call *call,
                   const struct run_result_of_call *result, const json_t *files, struct err *err);

/* A wait of the run, as long as its replay takes. */
int64_t tape_wait_ms(const struct tape *tape, int64_t ms);

#endif
