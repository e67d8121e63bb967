/* Measures tackle beside the floor, and prints one table.
 * usage: tackle-bench [--check] [--json] [--smoke] BUILD_DIR
 *        tackle-bench --serve STEPS: only the endpoint, for a profiler
 *
 * Runs of tackle and of the floor take turns, so that a machine that slows down slows both. */
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "figures.h"
#include "measure.h"
#include "server.h"

#define PATH_SIZE   4352
#define SHORT_STEPS 20
#define RESULT_LEN  4096
#define SAMPLES_MAX 128
#define DESCRIPTORS 65536

#define EXIT_USAGE  2
#define EXIT_MISSED 3 /* with --check: a target */

struct bench {
    struct server *server;
    const char *build;
    char home[64]; /* a new folder: everything that is written is below it */
    struct figures figures;
    long serve; /* steps; 0: measure */
    bool smoke; /* once, and small: does it work at all? */
    char cache[PATH_SIZE], config[PATH_SIZE], work[PATH_SIZE], body[PATH_SIZE], sizes[PATH_SIZE];
    char *env[8];
    struct err err;
};

/* ---- What is measured ---- */

struct command {
    const char *argv[24];
    char program[PATH_SIZE], url[SERVER_URL_SIZE + 32], steps[24];
    struct server_script script;
};

static void tackle_run(const struct bench *b, struct command *c, long steps)
{
    (void)snprintf(c->program, sizeof c->program, "%s/bin/tackle", b->build);
    (void)snprintf(c->url, sizeof c->url, "%s/0/v1", server_url(b->server));
    (void)snprintf(c->steps, sizeof c->steps, "%ld", steps + 10);
    const char *const argv[] = {c->program, "run",           "--base-url", c->url,         "-C",
                                b->work,    "--max-steps",   c->steps,     "--loop-limit", "0",
                                "-q",       "Read data.txt", NULL};
    memcpy(c->argv, argv, sizeof argv);
    c->script = (struct server_script){.steps = steps, .tool = "read_file", .path = "data.txt"};
}

static void floor_run(const struct bench *b, struct command *c, long steps)
{
    (void)snprintf(c->program, sizeof c->program, "%s/tests/bench-floor", b->build);
    (void)snprintf(c->url, sizeof c->url, "%s/floor/chat/completions", server_url(b->server));
    const char *const argv[] = {c->program, c->url, b->body, b->sizes, NULL};
    memcpy(c->argv, argv, sizeof argv);
    c->script = (struct server_script){.steps = steps, .tool = "read_file", .path = "data.txt"};
}

static int go(struct bench *b, const struct command *c, struct measured *out)
{
    return measure(b->server, &c->script, c->argv, (const char *const *)b->env, out, &b->err);
}

/* Keeps the requests of a run for the floor: the last body, and the length of each. */
static int record(struct bench *b, long steps)
{
    struct command c;
    struct measured m;
    int fd = open(b->body, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(&b->err, ERR_IO, "cannot write %s", b->body);
    tackle_run(b, &c, steps);
    server_record(b->server, fd);
    int status = go(b, &c, &m);
    server_record(b->server, -1);
    FILE *sizes = status == 0 ? fopen(b->sizes, "we") : NULL;
    for (size_t i = 0; sizes && i < m.count; i++)
        (void)fprintf(sizes, "%zu\n", m.body_len[i]);
    if (status == 0 && (!sizes || fclose(sizes) != 0))
        status = err_set(&b->err, ERR_IO, "cannot write %s", b->sizes);
    if (status == 0 && m.count != (size_t)steps + 1)
        status =
            err_set(&b->err, ERR_INTERNAL, "a run of %ld steps made %zu requests", steps, m.count);
    measured_release(&m);
    (void)close(fd);
    return status;
}

/* ---- Short runs ---- */

struct samples {
    double start[SAMPLES_MAX], step[SAMPLES_MAX], cpu[SAMPLES_MAX], peak[SAMPLES_MAX];
    double tree[SAMPLES_MAX], host[SAMPLES_MAX], first_bytes, bytes;
    size_t count;
};

static void take(struct samples *s, struct measured *m)
{
    s->start[s->count] = m->start_ms;
    s->step[s->count] = median(m->gap_ms + 1, m->count - 1);
    s->cpu[s->count] = m->cpu_ms;
    s->peak[s->count] = (double)m->peak_kib / 1024;
    s->tree[s->count] = (double)m->tree_pss_kib / 1024;
    s->host[s->count] = (double)m->child_pss_kib / 1024;
    s->first_bytes = (double)m->body_len[0];
    s->bytes = (double)m->bytes;
    s->count++;
}

static void add_short(struct bench *b, struct samples *t, struct samples *f)
{
    struct figures *all = &b->figures;
    figures_add(all, (struct figure){"launch to first request", "ms", median(t->start, t->count),
                                     median(f->start, f->count), 1.5, AT_MOST_OF_FLOOR});
    figures_add(all, (struct figure){"own time a step, read_file in its host", "ms",
                                     median(t->step, t->count), median(f->step, f->count), 2,
                                     AT_MOST_OF_FLOOR});
    figures_add(all,
                (struct figure){"CPU of a run of 20 steps, hosts included", "ms",
                                median(t->cpu, t->count), median(f->cpu, f->count), 0, AT_MOST});
    figures_add(all, (struct figure){"peak memory of a run", "MiB", median(t->peak, t->count),
                                     median(f->peak, f->count), 1.25, AT_MOST_OF_FLOOR});
    figures_add(all, (struct figure){"PSS of the process tree", "MiB", median(t->tree, t->count),
                                     median(f->tree, f->count), 0, AT_MOST});
    figures_add(all, (struct figure){"PSS of a plugin host", "MiB", median(t->host, t->count), 0, 4,
                                     AT_MOST});
    figures_add(all, (struct figure){"body of the first request", "KB", t->first_bytes / 1e3, 0, 0,
                                     AT_MOST});
    figures_add(all, (struct figure){"bytes sent in a run of 20 steps", "KB", t->bytes / 1e3,
                                     f->bytes / 1e3, 0, AT_MOST});
}

static int short_runs(struct bench *b)
{
    struct samples tackle = {.count = 0}, floor = {.count = 0};
    size_t rounds = b->smoke ? 1 : 25;
    if (record(b, SHORT_STEPS) != 0)
        return -1;
    for (size_t i = 0; i < rounds; i++) {
        struct command c;
        struct measured m;
        tackle_run(b, &c, SHORT_STEPS);
        int status = go(b, &c, &m);
        if (status == 0)
            take(&tackle, &m);
        measured_release(&m);
        if (status != 0)
            return -1;
        floor_run(b, &c, SHORT_STEPS);
        status = go(b, &c, &m);
        if (status == 0)
            take(&floor, &m);
        measured_release(&m);
        if (status != 0)
            return -1;
    }
    add_short(b, &tackle, &floor);
    return 0;
}

/* ---- Long runs ---- */

struct growth {
    double early[SAMPLES_MAX], late[SAMPLES_MAX], peak[SAMPLES_MAX], conversation;
    size_t count;
};

/* CPU between two requests, the median of ten steps before `step`. */
static double cpu_before(const struct measured *m, size_t step)
{
    double each[10];
    for (size_t i = 0; i < 10; i++)
        each[i] = m->cpu_at_ms[step - i] - m->cpu_at_ms[step - i - 1];
    return median(each, 10);
}

static int long_run(struct bench *b, const struct command *c, long steps, struct growth *g)
{
    struct measured m;
    int status = go(b, c, &m);
    if (status == 0 && m.count == (size_t)steps + 1) {
        g->early[g->count] = cpu_before(&m, 15);
        g->late[g->count] = cpu_before(&m, (size_t)steps);
        g->peak[g->count] = (double)m.peak_kib * 1024;
        g->conversation = (double)(m.body_len[m.count - 1] - m.body_len[0]);
        g->count++;
    }
    measured_release(&m);
    return status;
}

static int long_runs(struct bench *b)
{
    struct growth tackle = {.count = 0}, floor = {.count = 0}, brief = {.count = 0};
    long steps = b->smoke ? 30 : 1000;
    struct command c;
    tackle_run(b, &c, SHORT_STEPS);
    if (long_run(b, &c, SHORT_STEPS, &brief) != 0 || record(b, steps) != 0)
        return -1;
    for (size_t i = 0; i < (b->smoke ? 1 : 5); i++) {
        tackle_run(b, &c, steps);
        if (long_run(b, &c, steps, &tackle) != 0)
            return -1;
        floor_run(b, &c, steps);
        if (long_run(b, &c, steps, &floor) != 0)
            return -1;
    }
    double early = median(tackle.early, tackle.count), late = median(tackle.late, tackle.count);
    double sending = median(floor.late, floor.count) - median(floor.early, floor.count);
    figures_add(&b->figures, (struct figure){"CPU of step 10", "ms", early,
                                             median(floor.early, floor.count), 0, AT_MOST});
    figures_add(&b->figures, (struct figure){"CPU of step 1,000", "ms", late,
                                             median(floor.late, floor.count), 0, AT_MOST});
    figures_add(&b->figures, (struct figure){"step 1,000 less sending, of step 10", "ms",
                                             late - sending, early, 1.2, AT_MOST_OF_FLOOR});
    double grown = (median(tackle.peak, tackle.count) - brief.peak[0]) / 1048576;
    figures_add(&b->figures,
                (struct figure){"growth in 1,000 steps, of its conversation", "MiB", grown,
                                tackle.conversation / 1048576, 2.5, AT_MOST_OF_FLOOR});
    return 0;
}

/* ---- Commands that ask nobody ---- */

static int time_command(struct bench *b, const char *name, const char *const words[], double target)
{
    double total[SAMPLES_MAX];
    struct command c = {.script = {.tool = "none"}};
    size_t rounds = b->smoke ? 1 : 41, count = 1;
    (void)snprintf(c.program, sizeof c.program, "%s/bin/tackle", b->build);
    c.argv[0] = c.program;
    for (; words[count - 1]; count++)
        c.argv[count] = words[count - 1];
    for (size_t i = 0; i < rounds; i++) {
        struct measured m;
        int status = go(b, &c, &m);
        total[i] = m.total_ms;
        measured_release(&m);
        if (status != 0)
            return -1;
    }
    figures_add(&b->figures,
                (struct figure){name, "ms", median(total, rounds), 0, target, AT_MOST});
    return 0;
}

static int commands(struct bench *b)
{
    const char *const version[] = {"version", NULL};
    const char *const tools[] = {"tools", "ls", "-C", b->work, NULL};
    return time_command(b, "tackle version", version, 3) ||
                   time_command(b, "tackle tools ls", tools, 10)
               ? -1
               : 0;
}

/* ---- Replays ---- */

/* The command of a short run, with two options in front of its prompt. */
static void with_tape(const struct bench *b, struct command *c, const char *option,
                      const char *tape)
{
    tackle_run(b, c, SHORT_STEPS);
    const char *const words[] = {option, tape, "--replay-mode=full", "Read data.txt", NULL};
    memcpy(&c->argv[11], words, sizeof words);
}

static int replays(struct bench *b)
{
    double total[SAMPLES_MAX], cpu[SAMPLES_MAX];
    size_t rounds = b->smoke ? 1 : 41;
    char tape[PATH_SIZE];
    struct command c;
    struct measured m;
    (void)snprintf(tape, sizeof tape, "%s/tape", b->home);
    with_tape(b, &c, "--record", tape);
    int status = go(b, &c, &m);
    measured_release(&m);
    for (size_t i = 0; status == 0 && i < rounds; i++) {
        with_tape(b, &c, "--replay", tape);
        status = go(b, &c, &m);
        total[i] = m.total_ms;
        cpu[i] = m.cpu_ms;
        if (status == 0 && m.count > 0)
            status = err_set(&b->err, ERR_INTERNAL, "a replay made %zu requests", m.count);
        measured_release(&m);
    }
    if (status != 0)
        return -1;
    double used = median(cpu, rounds);
    figures_add(&b->figures, (struct figure){"replay of 20 steps and their calls, whole process",
                                             "ms", median(total, rounds), 0, 30, AT_MOST});
    figures_add(&b->figures, (struct figure){"such replays a minute on one core", "runs",
                                             used > 0 ? 60000 / used : 0, 0, 1000, AT_LEAST});
    return 0;
}

/* ---- Density ---- */

static int density_run(struct bench *b, const char *runs, bool plugin, json_t **result)
{
    struct measured m;
    struct command c = {
        .script = {.steps = SHORT_STEPS, .tool = plugin ? "read_file" : "work", .path = NULL}};
    if (plugin)
        c.script.path = "data.txt";
    (void)snprintf(c.program, sizeof c.program, "%s/tests/bench-density", b->build);
    const char *const argv[] = {c.program, server_url(b->server), runs, plugin ? b->work : NULL,
                                NULL};
    memcpy(c.argv, argv, sizeof argv);
    int status = go(b, &c, &m);
    *result = status == 0 ? json_loads(m.output, 0, NULL) : NULL;
    if (status == 0 && !*result)
        status = err_set(&b->err, ERR_INTERNAL, "bench-density said: %.500s", m.output);
    measured_release(&m);
    return status;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

struct density_names {
    const char *runs, *memory, *step, *finished, *cpu;
};

static int density(struct bench *b, const struct density_names *names, double targets)
{
    json_t *one = NULL, *many = NULL;
    int status = density_run(b, "1", false, &one) || density_run(b, names->runs, false, &many);
    if (status == 0) {
        double runs = number(many, "runs");
        double more =
            runs > 1 ? (number(many, "peak_kib") - number(one, "peak_kib")) / (runs - 1) : 0;
        figures_add(&b->figures, (struct figure){names->memory, "KiB", more, 0, 256, AT_MOST});
        figures_add(&b->figures,
                    (struct figure){names->step, "ms", number(many, "slowest_step_ms"),
                                    number(many, "median_step_ms"), 5 * targets, AT_MOST_OF_FLOOR});
        figures_add(&b->figures, (struct figure){names->finished, "runs", number(many, "finished"),
                                                 0, runs, AT_LEAST});
        figures_add(&b->figures,
                    (struct figure){names->cpu, "ms", number(many, "cpu_ms") / runs / SHORT_STEPS,
                                    0, 0, AT_MOST});
    }
    json_decref(one);
    json_decref(many);
    return status ? -1 : 0;
}

static int densities(struct bench *b)
{
    static const struct density_names smoke = {"20", "memory a run, of 20 at once",
                                               "slowest step of 20 runs, of the median",
                                               "finished of 20", "CPU a step, 20 runs"};
    static const struct density_names thousand = {"1000", "memory a run, of 1,000 at once",
                                                  "slowest step of 1,000 runs, of the median",
                                                  "finished of 1,000", "CPU a step, 1,000 runs"};
    static const struct density_names ten = {"10000", "memory a run, of 10,000 at once",
                                             "slowest step of 10,000 runs, of the median",
                                             "finished of 10,000", "CPU a step, 10,000 runs"};
    if (b->smoke)
        return density(b, &smoke, 0);
    return density(b, &thousand, 1) || density(b, &ten, 1) ? -1 : 0;
}

/* ---- The sandbox ---- */

static int sandbox(struct bench *b)
{
    struct command c = {.script = {.tool = "none"}};
    struct measured m;
    (void)snprintf(c.program, sizeof c.program, "%s/tests/bench-sandbox", b->build);
    const char *const argv[] = {c.program, b->build, b->work, b->smoke ? "1" : "200", NULL};
    memcpy(c.argv, argv, sizeof argv);
    int status = go(b, &c, &m);
    json_t *times = status == 0 ? json_loads(m.output, 0, NULL) : NULL;
    if (times) {
        double command = number(times, "command_ms"), bare = number(times, "bare_ms");
        figures_add(&b->figures, (struct figure){"start of a host in t3, and without", "ms",
                                                 number(times, "start_ms"),
                                                 number(times, "start_off_ms"), 0, AT_MOST});
        figures_add(&b->figures, (struct figure){"a command in t3, and by spawn alone", "ms",
                                                 command, bare, 0, AT_MOST});
        figures_add(&b->figures, (struct figure){"a command in t3, more than that", "ms",
                                                 command - bare, 0, 6, AT_MOST});
        figures_add(&b->figures, (struct figure){"call and result of a host in t3", "us",
                                                 number(times, "call_us"), 0, 50, AT_MOST});
    }
    json_decref(times);
    measured_release(&m);
    return status;
}

/* ---- Reading responses, large results ---- */

static int wire(struct bench *b)
{
    static const struct {
        const char *key, *name;
    } rows[] = {{"sse", "server-sent events"},
                {"chat_stream", "a streamed answer, events included"},
                {"chat_document", "an answer in one piece"}};
    struct command c = {.script = {.tool = "none"}};
    struct measured m;
    (void)snprintf(c.program, sizeof c.program, "%s/tests/bench-wire", b->build);
    c.argv[0] = c.program;
    c.argv[1] = b->smoke ? "1" : "16";
    int status = go(b, &c, &m);
    json_t *speeds = status == 0 ? json_loads(m.output, 0, NULL) : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        figures_add(&b->figures, (struct figure){rows[i].name, "MB/s", number(speeds, rows[i].key),
                                                 0, 200, AT_LEAST});
    json_decref(speeds);
    measured_release(&m);
    return status;
}

static int large_result(struct bench *b)
{
    struct command c;
    struct measured small, large;
    char plugin[PATH_SIZE];
    (void)snprintf(plugin, sizeof plugin, "--plugin=%s/tests/plugins/large.so", b->build);
    tackle_run(b, &c, 1);
    int status = go(b, &c, &small);
    c.argv[11] = plugin; /* in place of the prompt, which follows */
    c.argv[12] = "Read";
    c.argv[13] = NULL;
    c.script = (struct server_script){.steps = 1, .tool = "large"};
    if (status == 0) {
        status = go(b, &c, &large);
        if (status == 0)
            figures_add(&b->figures,
                        (struct figure){"memory for a result of 10 MiB, of its size", "MiB",
                                        (double)(large.peak_kib - small.peak_kib) / 1024, 10, 3,
                                        AT_MOST_OF_FLOOR});
        measured_release(&large);
    }
    measured_release(&small);
    return status;
}

/* ---- The place ---- */

static int write_data(const struct bench *b)
{
    char path[PATH_SIZE + 16];
    (void)snprintf(path, sizeof path, "%.4300s/data.txt", b->work);
    FILE *file = fopen(path, "we");
    for (int i = 0; file && i < RESULT_LEN / 64; i++)
        (void)fprintf(file, "%-63d\n", i);
    return file && fclose(file) == 0 ? 0 : -1;
}

static int make_place(struct bench *b)
{
    static const char *const names[] = {"cache", "config", "work", "body", "sizes"};
    char *const places[] = {b->cache, b->config, b->work, b->body, b->sizes};
    (void)snprintf(b->home, sizeof b->home, "/tmp/tackle-bench-XXXXXX");
    if (!mkdtemp(b->home))
        return err_set(&b->err, ERR_IO, "cannot make a folder in /tmp");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(places[i], PATH_SIZE, "%s/%s", b->home, names[i]);
        if (i < 3 && mkdir(places[i], 0700) != 0)
            return err_set(&b->err, ERR_IO, "cannot make %s", places[i]);
    }
    const char *const variables[][2] = {{"HOME", b->home},
                                        {"XDG_CACHE_HOME", b->cache},
                                        {"XDG_CONFIG_HOME", b->config},
                                        {"TACKLE_API_KEY", "bench"},
                                        {"PATH", "/usr/bin:/bin"}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (asprintf(&b->env[i], "%s=%s", variables[i][0], variables[i][1]) < 0) {
            b->env[i] = NULL;
            return err_set(&b->err, ERR_NOMEM, "out of memory");
        }
    return write_data(b) == 0 ? 0 : err_set(&b->err, ERR_IO, "cannot write into %s", b->work);
}

static int delete_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

static void release_place(struct bench *b)
{
    if (b->home[0])
        (void)nftw(b->home, delete_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; b->env[i]; i++)
        free(b->env[i]);
}

/* 10,000 runs have a socket and a workspace each. More than the hard limit is for root only. */
static void raise_limit(void)
{
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int show(const struct bench *b, bool as_json)
{
    json_t *machine = machine_describe();
    int status = 0;
    if (as_json) {
        json_t *all = figures_to_json(&b->figures, machine);
        status = all && json_dumpf(all, stdout, JSON_INDENT(2)) == 0 ? 0 : -1;
        (void)putchar('\n');
        json_decref(all);
    } else {
        figures_print(&b->figures, machine);
    }
    json_decref(machine);
    return status;
}

/* Until it is killed. The tool asked for is read_file, of data.txt. */
static int serve(struct server *server, long steps)
{
    const struct server_script script = {.steps = steps, .tool = "read_file", .path = "data.txt"};
    struct pollfd ready = {.fd = server_fd(server), .events = POLLIN};
    server_script(server, &script, NULL, NULL);
    (void)printf("%s/0/v1\n", server_url(server));
    if (fflush(stdout) != 0)
        return -1;
    while (poll(&ready, 1, -1) >= 0)
        server_step(server);
    return -1;
}

static int read_arguments(int argc, char **argv, struct bench *b, bool *check, bool *as_json)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            *check = true;
        else if (strcmp(argv[i], "--json") == 0)
            *as_json = true;
        else if (strcmp(argv[i], "--smoke") == 0)
            b->smoke = true;
        else if (strcmp(argv[i], "--serve") == 0 && i + 1 < argc)
            b->serve = strtol(argv[++i], NULL, 10);
        else if (!b->build && argv[i][0] != '-')
            b->build = argv[i];
        else
            return -1;
    }
    return b->build || b->serve > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct bench b = {.home = ""};
    bool check = false, as_json = false;
    if (read_arguments(argc, argv, &b, &check, &as_json) != 0) {
        (void)fputs("usage: tackle-bench [--check] [--json] [--smoke] BUILD_DIR\n"
                    "       tackle-bench --serve STEPS\n",
                    stderr);
        return EXIT_USAGE;
    }
    raise_limit();
    b.server = server_new(&b.err);
    if (b.server && b.serve)
        return serve(b.server, b.serve) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    /* The densities last: a process that is started has the memory of this one as its peak, until
     * it has a larger one. */
    int status = !b.server || make_place(&b) || short_runs(&b) || long_runs(&b) ||
                 large_result(&b) || commands(&b) || replays(&b) || sandbox(&b) || wire(&b) ||
                 densities(&b);
    if (status)
        (void)fprintf(stderr, "bench: %s\n", b.err.text);
    else
        status = show(&b, as_json) != 0;
    release_place(&b);
    server_free(b.server);
    if (status)
        return EXIT_FAILURE;
    return check && figures_missed(&b.figures) > 0 ? EXIT_MISSED : EXIT_SUCCESS;
}
