/* The table of figures, for people and as JSON. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <jansson.h>
#include <stdbool.h>

#define FIGURES_MAX 40

struct figure {
    const char *name;
    const char *unit;
    double value;
    double floor;  /* 0: there is none */
    double target; /* 0: none, for information */
    enum { AT_MOST, AT_MOST_OF_FLOOR, AT_LEAST } kind;
};

struct figures {
    struct figure list[FIGURES_MAX];
    size_t count;
};

void figures_add(struct figures *figures, struct figure figure);

bool figure_met(const struct figure *figure);

/* How many targets are missed. */
size_t figures_missed(const struct figures *figures);

void figures_print(const struct figures *figures, const json_t *machine);

/* {"machine":{...},"figures":[{...}]}; a new reference, or NULL. */
json_t *figures_to_json(const struct figures *figures, json_t *machine);

/* {"processor","cores","memory_mib","kernel","compiler","curl"?,"build","load"}: of this machine; a
 * new reference, or NULL. */
json_t *machine_describe(void);

#endif
