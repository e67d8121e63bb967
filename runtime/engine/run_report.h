/* What a person wants to know of a run besides its answer: which calls were allowed, which hosts
 * were asked, which files that other programs execute were changed, what was cut or killed. The
 * result's member "report". */
#ifndef ENGINE_RUN_REPORT_H
#define ENGINE_RUN_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/run.h"

#define REPORT_LIST_MAX 100 /* items of a list; more are only counted */

struct run_report {
    int64_t allowed;   /* calls that were begun */
    int64_t unknown;   /* calls that may or may not have taken effect */
    json_t *hosts;     /* owned: [{"host","allowed","requests"}] */
    json_t *tripped;   /* owned: [{"path","what"}], what commands changed */
    json_t *truncated; /* owned: ids of calls */
    json_t *killed;    /* owned: ids of calls */
    int64_t more;      /* that the lists have no room for */
    bool unsure;       /* not all of the workspace was looked at */
};

/* 0, or -1: out of memory. */
int run_report_init(struct run_report *report);
void run_report_release(struct run_report *report);

/* A call ended; its result was cut. */
void run_report_call(struct run_report *report, const struct run_call *call,
                     const struct run_result_of_call *result, bool cut);

/* The run ends while this call is under way. */
void run_report_open(struct run_report *report, const struct run_call *call);

/* A new reference; `files` are those that tools say they changed. */
json_t *run_report_json(const struct run_report *report, int64_t denied, const json_t *files);

#endif
