/* One program, run and measured from outside, while it talks to the endpoint. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "server.h"

#define MEASURE_OUTPUT_MAX 4096

struct measured {
    double start_ms;    /* from the start of the process to its first request; 0: it made none */
    double total_ms;    /* to its end */
    double cpu_ms;      /* user and system, of it and its children */
    long peak_kib;      /* resident, of the process itself */
    long tree_pss_kib;  /* of it and its children, at the last request */
    long child_pss_kib; /* of the largest child */
    size_t bytes;       /* sent */
    size_t count;       /* requests */
    size_t *body_len;   /* owned: of each */
    double *gap_ms;     /* owned: between the answer before and each; [0] is 0 */
    double *cpu_at_ms;  /* owned: CPU of the process when it came */
    char output[MEASURE_OUTPUT_MAX]; /* what it printed, the start of it */
};

/* Runs argv in `env` and answers its requests by `script` until it ends. 0; -1 with *err when it
 * cannot be started or its exit status is not 0. Release in any case. */
int measure(struct server *server, const struct server_script *script, const char *const argv[],
            const char *const env[], struct measured *out, struct err *err);
void measured_release(struct measured *m);

/* The middle one; sorts the values. */
double median(double *values, size_t count);

#endif
