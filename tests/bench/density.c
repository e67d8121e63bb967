/* Many runs at once in one process and one thread, as the back end of an assistant would have them.
 * usage: bench-density URL RUNS [WORKSPACE]
 *
 * Each run calls a function of this program in every step; with WORKSPACE it calls read_file there
 * instead, through the plugin's processes. Prints one JSON object. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <jansson.h>
#include <tackle/tackle.h>

#define STEPS_MAX   64
#define RESULT_SIZE 1024

struct density {
    tackle_runtime *rt;
    long runs;
    tackle_run **run;
    double *last_ms; /* of each run: when its last step ended */
    float *steps_ms;
    size_t step_count, step_size;
};

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A step is the time from one call to the next, or to the end. */
static void count_step(struct density *d, long run)
{
    double now = now_ms();
    if (run < 0 || run >= d->runs)
        return;
    if (d->last_ms[run] > 0 && d->step_count < d->step_size)
        d->steps_ms[d->step_count++] = (float)(now - d->last_ms[run]);
    d->last_ms[run] = now;
}

static void on_call(void *user, tackle_pending *pending, const char *args_json)
{
    char result[RESULT_SIZE];
    json_t *args = json_loads(args_json, 0, NULL);
    count_step(user, (long)json_integer_value(json_object_get(args, "run")));
    json_decref(args);
    memset(result, 'x', sizeof result);
    tackle_pending_finish(pending, 0, result, sizeof result);
}

static int add_function(struct density *d, tackle_error *err)
{
    const tackle_function work = {
        .size = sizeof work,
        .name = "work",
        .description = "Does a piece of work.",
        .params = "{\"type\":\"object\",\"properties\":{\"run\":{\"type\":\"integer\"},"
                  "\"step\":{\"type\":\"integer\"}},\"required\":[\"run\",\"step\"]}",
        .call = on_call,
        .user = d,
    };
    return tackle_add_function(d->rt, &work, err);
}

static int start(struct density *d, long i, const char *url, const char *workspace,
                 tackle_error *err)
{
    char base_url[128], place[4200];
    const char *settings[] = {base_url, "loop_limit=0",
                              workspace ? "tools=read_file" : "tools=work",
                              workspace ? place : NULL, NULL};
    (void)snprintf(base_url, sizeof base_url, "base_url=%s/%ld/v1", url, i);
    (void)snprintf(place, sizeof place, "workspace=%s", workspace ? workspace : "");
    const tackle_run_options options = {
        .size = sizeof options, .prompt = "Work until it is done.", .settings = settings};
    return tackle_run_start(d->rt, &options, &d->run[i], err);
}

/* Not ru_maxrss, which begins with that of the process that started this one. */
static long read_peak_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (status)
        (void)fclose(status);
    return kib;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print(struct density *d, double began_ms)
{
    struct rusage usage;
    long finished = 0;
    (void)getrusage(RUSAGE_SELF, &usage);
    for (long i = 0; i < d->runs; i++)
        finished += tackle_run_done(d->run[i]) && tackle_run_exit_code(d->run[i]) == 0;
    qsort(d->steps_ms, d->step_count, sizeof *d->steps_ms, compare);
    (void)printf(
        "{\"runs\":%ld,\"finished\":%ld,\"ms\":%.3f,\"cpu_ms\":%.3f,\"median_step_ms\":%.4f,"
        "\"slowest_step_ms\":%.4f,\"peak_kib\":%ld}\n",
        d->runs, finished, now_ms() - began_ms,
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3,
        d->step_count ? (double)d->steps_ms[d->step_count / 2] : 0.0,
        d->step_count ? (double)d->steps_ms[d->step_count - 1] : 0.0, read_peak_kib());
}

static int run_all(struct density *d, const char *url, const char *workspace, tackle_error *err)
{
    int32_t left = 1;
    double began_ms = now_ms();
    for (long i = 0; i < d->runs; i++)
        if (start(d, i, url, workspace, err) != 0)
            return -1;
    while (left > 0)
        left = tackle_step(d->rt, -1, err);
    if (left == 0)
        print(d, began_ms);
    return left;
}

int main(int argc, char **argv)
{
    struct density d = {.runs = argc >= 3 ? strtol(argv[2], NULL, 10) : 0};
    tackle_error err = TACKLE_ERROR_INIT;
    int status = 1;
    if (d.runs < 1 || d.runs > 1000000) {
        (void)fputs("usage: bench-density URL RUNS [WORKSPACE]\n", stderr);
        return 2;
    }
    d.step_size = (size_t)d.runs * STEPS_MAX;
    d.run = calloc((size_t)d.runs, sizeof *d.run);
    d.last_ms = calloc((size_t)d.runs, sizeof *d.last_ms);
    d.steps_ms = calloc(d.step_size, sizeof *d.steps_ms);
    if (d.run && d.last_ms && d.steps_ms && tackle_runtime_new(&d.rt, &err) == 0 &&
        tackle_set_key(d.rt, "TACKLE_API_KEY", "bench", &err) == 0 && add_function(&d, &err) == 0 &&
        run_all(&d, argv[1], argc > 3 ? argv[3] : NULL, &err) == 0)
        status = 0;
    else
        (void)fprintf(stderr, "bench-density: %s\n", err.message);
    tackle_runtime_free(d.rt);
    free(d.run);
    free(d.last_ms);
    free(d.steps_ms);
    return status;
}
