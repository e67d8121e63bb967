/* Kills a run at every write of its journal, and at random instants; resumes it; and looks whether
 * a recorded result was lost, a recorded effect repeated, or the outcome another one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tracer.h"

#define PATH_SIZE   512
#define RESUMES_MAX 6
#define JOBS_MAX    16

struct crash {
    const char *program, *endpoint;
    const char *preload; /* what makes allocations fail; NULL: they do not */
    long steps, every, random, jobs, allocs;
    long job;      /* which of them this is, from 0 on */
    bool starving; /* calls may fail, and steps that failed count: only repeats are looked for */
    bool commits;  /* there is a git plugin, and git to look at what it did */
    char root[64], workspace[PATH_SIZE], state[PATH_SIZE], script[PATH_SIZE], log[PATH_SIZE];
    char url[256];
    pid_t served_by;
    long kills, starved, resumed, unknown, failures;
    unsigned chance;
};

static _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static void format(char *out, size_t size, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
static void format(char *out, size_t size, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    int len = vsnprintf(out, size, text, args);
    va_end(args);
    if (len < 0 || (size_t)len >= size)
        die("a path is too long");
}

/* ---- Files ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 4u << 20);
    if (!text)
        die("out of memory");
    if (file) {
        (void)!fread(text, 1, (4u << 20) - 1, file);
        (void)fclose(file);
    }
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        die("cannot write %s: %s", path, strerror(errno));
}

static void remove_tree(const char *path)
{
    const char *const argv[] = {"/bin/rm", "-rf", path, NULL};
    struct kill_point none = {0};
    long writes;
    if (tracer_run(argv, "/dev/null", &none, &writes) != 0)
        die("cannot remove %s", path);
}

static void run_quietly(const char *const *argv)
{
    struct kill_point none = {0};
    long writes;
    if (tracer_run(argv, "/dev/null", &none, &writes) != 0)
        die("%s fails", argv[0]);
}

static void begin_anew(const struct crash *c)
{
    char path[PATH_SIZE + 16];
    remove_tree(c->workspace);
    remove_tree(c->state);
    if (mkdir(c->workspace, 0700) != 0 || mkdir(c->state, 0700) != 0)
        die("cannot make %s", c->workspace);
    if (c->commits)
        run_quietly((const char *const[]){"/usr/bin/git", "init", "-q", c->workspace, NULL});
    format(path, sizeof path, "%s/count.txt", c->workspace);
    write_file(path, "n=0\n");
    (void)unlink(c->log);
}

/* ---- The model ---- */

/* The kinds of steps, in turn: each effect that the plugins declare is among them. */
enum kind { WRITE, EDIT, RUN, READ, ADD, COMMIT, KINDS };

static enum kind kind_of(const struct crash *c, long step)
{
    return (enum kind)((step - 1) % (c->commits ? KINDS : ADD));
}

/* How many steps up to this one are of its kind. */
static long place_of(const struct crash *c, long step)
{
    return (step - 1) / (c->commits ? KINDS : ADD) + 1;
}

static void write_call(const struct crash *c, FILE *file, long i)
{
    long n = place_of(c, i);
    (void)fprintf(file, "call id=c%ld ", i);
    switch (kind_of(c, i)) {
    case WRITE:
        (void)fprintf(file, "write_file {\"path\":\"file%ld.txt\",\"content\":\"number %ld\\n\"}\n",
                      n, n);
        break;
    case EDIT:
        (void)fprintf(file,
                      "edit_file {\"path\":\"count.txt\",\"old_text\":\"n=%ld\",\"new_text\":"
                      "\"n=%ld\"}\n",
                      n - 1, n);
        break;
    case RUN:
        (void)fprintf(file, "run_command {\"command\":\"echo %ld >> log.txt\"}\n", n);
        break;
    case ADD:
        (void)fprintf(file, "git_add {\"paths\":[\"file%ld.txt\"]}\n", n);
        break;
    case COMMIT:
        (void)fprintf(file,
                      "git_commit {\"message\":\"commit %ld\",\"author\":\"Ann "
                      "<ann@example.org>\"}\n",
                      n);
        break;
    default:
        (void)fprintf(file, "read_file {\"path\":\"count.txt\"}\n");
    }
}

/* Each step is told by the result before it, so that a request that is sent twice gets the same
 * answer. */
static void write_script(const struct crash *c)
{
    FILE *file = fopen(c->script, "we");
    if (!file)
        die("cannot write %s", c->script);
    for (long i = 1; i <= c->steps + 1; i++) {
        (void)fprintf(file, "=== reply\ntimes forever\n");
        if (i == 1)
            (void)fprintf(file, "when /messages/-1/role is user\n");
        else
            (void)fprintf(file, "when /messages/-1/tool_call_id is c%ld\n", i - 1);
        if (i > c->steps)
            (void)fprintf(file, "text All done.\n");
        else
            write_call(c, file, i);
    }
    if (fclose(file) != 0)
        die("cannot write %s", c->script);
}

static void serve(struct crash *c)
{
    int ends[2];
    if (pipe(ends) != 0 || (c->served_by = fork()) < 0)
        die("cannot start the endpoint");
    if (c->served_by == 0) {
        (void)dup2(ends[1], 1);
        (void)close(ends[0]);
        (void)execl(c->endpoint, c->endpoint, c->script, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    for (size_t len = 0; len + 1 < sizeof c->url && read(ends[0], c->url + len, 1) == 1; len++)
        if (c->url[len] == '\n') {
            c->url[len] = '\0';
            break;
        }
    if (strncmp(c->url, "http://", 7) != 0)
        die("the endpoint does not start");
}

/* ---- A run ---- */

static int start(const struct crash *c, const struct kill_point *point, long *writes)
{
    const char *const argv[] = {c->program,     "run",   "-C",        c->workspace,
                                "--base-url",   c->url,  "--sandbox", "workspace-write",
                                "--plugin",     "file",  "--plugin",  "shell",
                                "--durability", "power", "--plugin",  c->commits ? "git" : "file",
                                "Go.",          NULL};
    return tracer_run(argv, c->log, point, writes);
}

static int resume(const struct crash *c, const struct kill_point *point, long *writes)
{
    const char *const argv[] = {c->program, "resume", "-C", c->workspace, NULL};
    return tracer_run(argv, c->log, point, writes);
}

/* The text of the run's journal, malloc'd; NULL when there is none. */
static char *read_journal(const struct crash *c)
{
    char dir[PATH_SIZE + 32], path[PATH_SIZE + 320];
    char *text = NULL;
    format(dir, sizeof dir, "%s/tackle/runs", c->state);
    DIR *runs = opendir(dir);
    struct dirent *entry;
    while (runs && !text && (entry = readdir(runs)))
        if (entry->d_name[0] == 'r') {
            format(path, sizeof path, "%s/%s/journal.jsonl", dir, entry->d_name);
            text = read_file(path);
        }
    if (runs)
        (void)closedir(runs);
    return text;
}

/* Every whole record that was there is there still, at the same place. */
static bool is_continued(const char *before, const char *after)
{
    const char *end = strrchr(before, '\n');
    return !end || strncmp(before, after, (size_t)(end - before) + 1) == 0;
}

static bool has_begun(const char *journal)
{
    return strstr(journal, "\"k\":\"conversation\"") && strchr(journal, '\n');
}

/* ---- What must hold at the end ---- */

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        found++;
    return found;
}

static void complain(struct crash *c, const char *what, const char *where)
{
    char *log = read_file(c->log);
    c->failures++;
    (void)fprintf(stderr, "%s: %s\n%.2000s\n", where, what, log);
    free(log);
}

/* The lines of a file, each between two newlines of its own; malloc'd. */
static char *read_lines(const char *path)
{
    char *text = read_file(path), *lines = calloc(1, strlen(text) * 2 + 4);
    size_t used = 0;
    if (!lines)
        die("out of memory");
    lines[used++] = '\n';
    for (const char *at = text; *at; at++) {
        lines[used++] = *at;
        if (*at == '\n')
            lines[used++] = '\n';
    }
    free(text);
    return lines;
}

/* An effect that happened `times` times: recorded once, done once if it says so, and never twice.
 */
static void check_effect(struct crash *c, long step, const char *tool, size_t times,
                         const char *journal, const char *where)
{
    char finished[96];
    format(finished, sizeof finished, ".%ld.1\",\"name\":\"%s\",\"ok\":", step, tool);
    size_t results = count(journal, finished);
    const char *result = strstr(journal, finished);
    bool ok = result && strncmp(result + strlen(finished), "true", 4) == 0;
    if (times > 1)
        complain(c, "an effect was repeated", where);
    else if (c->starving)
        return;
    else if (results != 1)
        complain(c, "a call has no result, or two", where);
    else if (ok && times != 1)
        complain(c, "a recorded effect is not there", where);
    c->unknown += results == 1 && !ok;
}

static void check_file(struct crash *c, const char *name, const char *wanted, const char *where)
{
    char path[PATH_SIZE + 64];
    format(path, sizeof path, "%s/%s", c->workspace, name);
    char *text = read_file(path);
    if (!c->starving && strcmp(text, wanted) != 0)
        complain(c, "a file is not as it would be", where);
    free(text);
}

/* The subjects of all commits, as lines; malloc'd. */
static char *read_commits(const struct crash *c)
{
    char path[PATH_SIZE + 16];
    struct kill_point none = {0};
    long writes;
    const char *const argv[] = {"/usr/bin/git", "-C", c->workspace, "log", "--format=%s", NULL};
    format(path, sizeof path, "%s/commits", c->root);
    (void)unlink(path);
    (void)tracer_run(argv, path, &none, &writes); /* fails where there is no commit */
    return read_lines(path);
}

static void check_end(struct crash *c, const char *where)
{
    char path[PATH_SIZE + 64], name[32], text[64];
    char *journal = read_journal(c);
    format(path, sizeof path, "%s/log.txt", c->workspace);
    char *log = read_lines(path), *commits = c->commits ? read_commits(c) : NULL;
    long edits = 0;
    if (!journal)
        die("no journal");
    for (long i = 1; i <= c->steps; i++) {
        long n = place_of(c, i);
        switch (kind_of(c, i)) {
        case WRITE:
            format(name, sizeof name, "file%ld.txt", n);
            format(text, sizeof text, "number %ld\n", n);
            check_file(c, name, text, where);
            break;
        case EDIT:
            edits = n;
            break;
        case RUN:
            format(text, sizeof text, "\n%ld\n", n);
            check_effect(c, i, "run_command", count(log, text), journal, where);
            break;
        case COMMIT:
            format(text, sizeof text, "\ncommit %ld\n", n);
            check_effect(c, i, "git_commit", count(commits, text), journal, where);
            break;
        default:
            break;
        }
    }
    format(text, sizeof text, "n=%ld\n", edits);
    check_file(c, "count.txt", text, where);
    size_t ends = count(journal, "\"k\":\"run_finished\"");
    if (!strstr(journal, "All done.") || ends < 1 || (ends > 1 && !c->starving))
        complain(c, "the journal does not end as it would", where);
    free(commits);
    free(log);
    free(journal);
}

/* ---- Kills ---- */

/* Kills it there; then resumes it until it ends, with one more kill on the way. */
static bool crash_at(struct crash *c, const struct kill_point *point, const char *where)
{
    long writes;
    struct kill_point second = {0};
    begin_anew(c);
    int code = start(c, point, &writes);
    if (code >= 0) {
        check_end(c, where);
        return false;
    }
    c->kills++;
    char *before = read_journal(c);
    if (!before || !has_begun(before)) {
        free(before); /* nothing was recorded, and nothing done */
        return true;
    }
    second.write = 1 + (long)(++c->chance * 7 % 23);
    second.after = c->chance % 2;
    for (int i = 0; i < RESUMES_MAX && code < 0; i++) {
        code = resume(c, &second, &writes);
        c->resumed++;
        c->kills += code < 0;
        second = (struct kill_point){0};
        char *after = read_journal(c);
        if (!after || !is_continued(before, after))
            complain(c, "a record was lost", where);
        free(before);
        before = after;
    }
    free(before);
    bool had_ended = code == 2; /* killed behind its last record */
    if (code != 0 && !had_ended)
        complain(c, "it does not go on", where);
    else
        check_end(c, where);
    return true;
}

static void crash_at_writes(struct crash *c)
{
    char where[64];
    struct kill_point point = {.write = 1 + c->job * c->every};
    for (bool killed = true; killed; point.write += c->every * c->jobs)
        for (int after = 0; after < 2; after++) {
            point.after = after;
            format(where, sizeof where, "%s write %ld", after ? "after" : "before", point.write);
            killed = crash_at(c, &point, where);
        }
}

static long now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void crash_at_random(struct crash *c, long whole_us)
{
    char where[64];
    for (long i = c->job; i < c->random; i += c->jobs) {
        struct kill_point point = {.after_us = 1000 + random() % whole_us};
        format(where, sizeof where, "after %ld us", point.after_us);
        (void)crash_at(c, &point, where);
    }
}

/* ---- Memory that is missing ---- */

/* The dynamic linker ends the process when it has no memory for a thread's variables. */
static bool libc_gave_up(const struct crash *c)
{
    char *log = read_file(c->log);
    bool gave_up = strstr(log, "cannot allocate memory for thread-local data") != NULL;
    free(log);
    return gave_up;
}

/* However it ends, it is no crash, and it can go on. */
static void starve(struct crash *c, const struct kill_point *point, const char *where)
{
    const struct kill_point none = {0};
    long writes;
    begin_anew(c);
    int code = start(c, point, &writes);
    c->starved++;
    if ((code < 0 || code > 14) && !libc_gave_up(c))
        complain(c, "it crashes when memory is missing", where);
    char *journal = read_journal(c);
    if (code != 0 && journal && has_begun(journal)) {
        code = resume(c, &none, &writes);
        c->resumed++;
        if (code != 0 && code != 2) /* it had ended, and could only not say so */
            complain(c, "it does not go on after memory was missing", where);
    } else if (code != 0) {
        free(journal);
        return; /* it had not begun */
    }
    free(journal);
    check_end(c, where);
}

static long count_allocations(struct crash *c)
{
    char path[PATH_SIZE + 16];
    const struct kill_point count = {.alloc = 1L << 40, .preload = c->preload};
    long writes;
    begin_anew(c);
    format(path, sizeof path, "%s/count", c->root);
    if (setenv("FAIL_ALLOC_COUNT", path, 1) != 0 || start(c, &count, &writes) != 0 ||
        unsetenv("FAIL_ALLOC_COUNT") != 0)
        die("allocations cannot be counted");
    char *text = read_file(path);
    long number = strtol(text, NULL, 10);
    free(text);
    return number;
}

static void starve_all(struct crash *c)
{
    char where[64];
    long number = c->preload ? count_allocations(c) : 0;
    c->starving = true;
    long apart = c->allocs > 0 ? number / c->allocs + 1 : 1;
    for (long n = 1 + c->job * apart; n <= number; n += apart * c->jobs) {
        struct kill_point point = {.alloc = n, .all = n / apart % 2, .preload = c->preload};
        format(where, sizeof where, "allocation %ld%s", n, point.all ? " and all behind it" : "");
        starve(c, &point, where);
    }
}

/* ---- The program ---- */

static long number_of(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*end || number < 0)
        die("'%s' is no number", text);
    return number;
}

static void read_options(struct crash *c, int argc, char **argv)
{
    static const char usage[] =
        "crash-runner --program TACKLE --endpoint SCRIPTED-ENDPOINT\n"
        "             [--steps 30] [--every 1: kill at each Nth write] [--random 2000]\n"
        "             [--jobs 2] [--commits yes] [--preload fail_alloc.so] [--allocs 500: as many "
        "of "
        "them fail]";
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            die("%s", usage);
        if (strcmp(argv[i], "--program") == 0)
            c->program = argv[i + 1];
        else if (strcmp(argv[i], "--endpoint") == 0)
            c->endpoint = argv[i + 1];
        else if (strcmp(argv[i], "--steps") == 0)
            c->steps = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--every") == 0)
            c->every = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--random") == 0)
            c->random = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--jobs") == 0)
            c->jobs = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--preload") == 0)
            c->preload = argv[i + 1];
        else if (strcmp(argv[i], "--allocs") == 0)
            c->allocs = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--commits") == 0)
            c->commits = strcmp(argv[i + 1], "yes") == 0;
        else
            die("%s", usage);
    }
    if (!c->program || !c->endpoint || c->every < 1 || c->steps < 1 || c->jobs < 1 ||
        c->jobs > JOBS_MAX)
        die("%s", usage);
}

static void set_up(struct crash *c)
{
    format(c->root, sizeof c->root, "/tmp/tackle-crash-XXXXXX");
    if (!mkdtemp(c->root))
        die("cannot make %s", c->root);
    format(c->workspace, sizeof c->workspace, "%s/workspace", c->root);
    format(c->state, sizeof c->state, "%s/state", c->root);
    format(c->script, sizeof c->script, "%s/script", c->root);
    format(c->log, sizeof c->log, "%s/log", c->root);
    /* A traced process cannot look for leaks; what is killed leaves them anyway. */
    if (setenv("XDG_STATE_HOME", c->state, 1) || setenv("HOME", c->root, 1) ||
        setenv("XDG_CONFIG_HOME", c->root, 1) || setenv("XDG_CACHE_HOME", c->root, 1) ||
        setenv("TMPDIR", c->root, 1) || setenv("TACKLE_API_KEY", "k", 1) ||
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1))
        die("out of memory");
    write_script(c);
    serve(c);
}

/* All that one job does; its counts are left in *c. */
static void work(struct crash *c)
{
    const struct kill_point none = {0};
    long writes;
    srandom((unsigned)(now_us() + c->job));
    set_up(c);
    begin_anew(c);
    int code = start(c, &none, &writes); /* with cold caches */
    begin_anew(c);
    long start_us = now_us();
    code = code ? code : start(c, &none, &writes);
    long whole_us = now_us() - start_us;
    if (code != 0)
        complain(c, "the undisturbed run fails", "at first");
    else
        check_end(c, "undisturbed");
    if (c->failures == 0) {
        crash_at_writes(c);
        crash_at_random(c, whole_us);
        starve_all(c);
    }
    (void)kill(c->served_by, SIGTERM);
    (void)waitpid(c->served_by, NULL, 0);
    remove_tree(c->root);
}

static void start_job(const struct crash *all, long job, int report)
{
    struct crash own = *all;
    pid_t pid = fork();
    if (pid < 0)
        die("cannot start a job");
    if (pid > 0)
        return;
    own.job = job;
    work(&own);
    if (write(report, &own, sizeof own) != (ssize_t)sizeof own)
        _exit(2);
    _exit(0);
}

int main(int argc, char **argv)
{
    struct crash c = {.steps = 30, .every = 1, .random = 2000, .jobs = 1, .allocs = 500}, done;
    int reports[2];
    long heard = 0;
    read_options(&c, argc, argv);
    if (pipe2(reports, O_CLOEXEC) != 0)
        die("no pipe");
    for (long job = 0; job < c.jobs; job++)
        start_job(&c, job, reports[1]);
    (void)close(reports[1]);
    for (; read(reports[0], &done, sizeof done) == (ssize_t)sizeof done; heard++) {
        c.kills += done.kills;
        c.starved += done.starved;
        c.resumed += done.resumed;
        c.unknown += done.unknown;
        c.failures += done.failures;
    }
    while (wait(NULL) > 0)
        continue;
    c.failures += c.jobs - heard; /* a job that died has said why */
    (void)printf("%ld kills, %ld runs with memory missing, %ld resumes, %ld calls whose outcome "
                 "was told as unknown; "
                 "%ld failures: records lost, effects lost or repeated, other ends\n",
                 c.kills, c.starved, c.resumed, c.unknown, c.failures);
    return c.failures == 0 ? 0 : 1;
}
