#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#if defined(__SANITIZE_ADDRESS__)
#define BUILD "with sanitizers: the figures mean nothing"
#elif defined(__OPTIMIZE__)
#define BUILD "optimised"
#else
#define BUILD "not optimised: the figures mean nothing"
#endif

void figures_add(struct figures *figures, struct figure figure)
{
    if (figures->count < FIGURES_MAX)
        figures->list[figures->count++] = figure;
}

bool figure_met(const struct figure *f)
{
    if (f->target <= 0)
        return true;
    switch (f->kind) {
    case AT_LEAST:
        return f->value >= f->target;
    case AT_MOST_OF_FLOOR:
        return f->value <= f->target * f->floor;
    case AT_MOST:
    default:
        return f->value <= f->target;
    }
}

size_t figures_missed(const struct figures *figures)
{
    size_t missed = 0;
    for (size_t i = 0; i < figures->count; i++)
        missed += !figure_met(&figures->list[i]);
    return missed;
}

/* ---- The machine ---- */

/* The value of a line "name : value" in a file of /proc. */
static void read_line(const char *path, const char *name, char *out, size_t size)
{
    char line[256];
    FILE *file = fopen(path, "re");
    out[0] = '\0';
    while (file && !out[0] && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, name, strlen(name)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        (void)snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
    }
    if (file)
        (void)fclose(file);
}

json_t *machine_describe(void)
{
    char processor[128], memory[64];
    struct utsname name = {.sysname = ""};
    double load = 0;
    read_line("/proc/cpuinfo", "model name", processor, sizeof processor);
    read_line("/proc/meminfo", "MemTotal", memory, sizeof memory);
    (void)uname(&name);
    (void)getloadavg(&load, 1);
    return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:f}", "processor", processor, "cores",
                     (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mib",
                     (json_int_t)(strtol(memory, NULL, 10) / 1024), "kernel", name.release,
                     "compiler", COMPILER, "build", BUILD, "load", load);
}

static const char *machine_text(const json_t *machine, const char *key)
{
    const char *text = json_string_value(json_object_get(machine, key));
    return text ? text : "?";
}

/* ---- For people ---- */

static void print_number(double value)
{
    (void)printf("%10.*f", value < 1 ? 3 : value < 100 ? 2 : 0, value);
}

static void print_figure(const struct figure *f)
{
    (void)printf("%-46s", f->name);
    print_number(f->value);
    (void)printf(" %-5s", f->unit);
    if (f->floor > 0) {
        print_number(f->floor);
        (void)printf("%7.2f", f->value / f->floor);
    } else {
        (void)printf("%10s%7s", "", "");
    }
    if (f->target > 0)
        (void)printf("  %s %g%s%s", f->kind == AT_LEAST ? ">=" : "<=", f->target,
                     f->kind == AT_MOST_OF_FLOOR ? " x" : "", figure_met(f) ? "" : "  MISSED");
    (void)putchar('\n');
}

void figures_print(const struct figures *figures, const json_t *machine)
{
    (void)printf("%s, %lld cores, Linux %s, %s, %s; load %.1f\n\n",
                 machine_text(machine, "processor"),
                 (long long)json_integer_value(json_object_get(machine, "cores")),
                 machine_text(machine, "kernel"), machine_text(machine, "compiler"),
                 machine_text(machine, "build"), json_real_value(json_object_get(machine, "load")));
    (void)printf("%-46s%10s %-5s%10s%7s  %s\n", "figure", "tackle", "", "floor", "ratio", "target");
    for (size_t i = 0; i < figures->count; i++)
        print_figure(&figures->list[i]);
}

/* ---- For programs ---- */

static json_t *figure_to_json(const struct figure *f)
{
    static const char *const kinds[] = {"at_most", "at_most_of_floor", "at_least"};
    json_t *item = json_pack("{s:s, s:s, s:f, s:b}", "name", f->name, "unit", f->unit, "value",
                             f->value, "met", figure_met(f));
    if (item && f->floor > 0)
        (void)json_object_set_new(item, "floor", json_real(f->floor));
    if (item && f->target > 0)
        (void)json_object_set_new(item, kinds[f->kind], json_real(f->target));
    return item;
}

json_t *figures_to_json(const struct figures *figures, json_t *machine)
{
    json_t *list = json_array();
    for (size_t i = 0; i < figures->count; i++)
        (void)json_array_append_new(list, figure_to_json(&figures->list[i]));
    return json_pack("{s:O, s:o}", "machine", machine, "figures", list);
}
