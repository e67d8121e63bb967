/* Kills a run at every write of its journal, and at random instants; resumes it; and looks whether
 * a recorded result was lost, a recorded effect repeated, or the outcome another one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
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

struct crash {
    const char *program, *endpoint;
    long steps, every, random;
    char root[64], workspace[PATH_SIZE], state[PATH_SIZE], script[PATH_SIZE], log[PATH_SIZE];
    char url[256];
    pid_t served_by;
    long kills, resumed, unknown, failures;
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

static void begin_anew(const struct crash *c)
{
    char path[PATH_SIZE + 16];
    remove_tree(c->workspace);
    remove_tree(c->state);
    if (mkdir(c->workspace, 0700) != 0 || mkdir(c->state, 0700) != 0)
        die("cannot make %s", c->workspace);
    format(path, sizeof path, "%s/count.txt", c->workspace);
    write_file(path, "n=0\n");
    (void)unlink(c->log);
}

/* ---- The model ---- */

/* Each step is told by the result before it, so that a request that is sent twice gets the same
 * answer. Four kinds of steps: a file is written, one is edited, one is read, a command is run. */
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
        else if (i % 4 == 1)
            (void)fprintf(file,
                          "call id=c%ld write_file {\"path\":\"file%ld.txt\",\"content\":"
                          "\"number %ld\\n\"}\n",
                          i, i, i);
        else if (i % 4 == 2)
            (void)fprintf(file,
                          "call id=c%ld edit_file {\"path\":\"count.txt\",\"old_text\":\"n=%ld\","
                          "\"new_text\":\"n=%ld\"}\n",
                          i, i / 4, i / 4 + 1);
        else if (i % 4 == 3)
            (void)fprintf(file, "call id=c%ld run_command {\"command\":\"echo %ld >> log.txt\"}\n",
                          i, i);
        else
            (void)fprintf(file, "call id=c%ld read_file {\"path\":\"count.txt\"}\n", i);
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
                                "--durability", "power", "Go.",       NULL};
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

static void check_command(struct crash *c, long step, const char *log, const char *journal,
                          const char *where)
{
    char line[32], finished[64];
    format(line, sizeof line, "\n%ld\n", step);
    format(finished, sizeof finished, ".%ld.1\",\"name\":\"run_command\",\"ok\":", step);
    size_t times = count(log, line), results = count(journal, finished);
    const char *result = strstr(journal, finished);
    bool ok = result && strncmp(result + strlen(finished), "true", 4) == 0;
    if (results != 1)
        complain(c, "a command has no result, or two", where);
    else if (times > 1)
        complain(c, "an effect was repeated", where);
    else if (ok && times != 1)
        complain(c, "a recorded effect is not there", where);
    c->unknown += results == 1 && !ok;
}

static void check_end(struct crash *c, const char *where)
{
    char path[PATH_SIZE + 64], wanted[64];
    char *journal = read_journal(c);
    format(path, sizeof path, "%s/log.txt", c->workspace);
    char *lines = read_file(path), *log = calloc(1, strlen(lines) * 2 + 4);
    if (!log || !journal)
        die("no journal, or no memory");
    size_t used = 0; /* each line between two newlines of its own */
    log[used++] = '\n';
    for (const char *at = lines; *at; at++) {
        log[used++] = *at;
        if (*at == '\n')
            log[used++] = '\n';
    }
    for (long i = 1; i <= c->steps; i++) {
        if (i % 4 == 3)
            check_command(c, i, log, journal, where);
        if (i % 4 != 1)
            continue;
        format(path, sizeof path, "%s/file%ld.txt", c->workspace, i);
        format(wanted, sizeof wanted, "number %ld\n", i);
        char *text = read_file(path);
        if (strcmp(text, wanted) != 0)
            complain(c, "a file is not as it would be", where);
        free(text);
    }
    format(path, sizeof path, "%s/count.txt", c->workspace);
    format(wanted, sizeof wanted, "n=%ld\n", (c->steps + 2) / 4);
    char *text = read_file(path);
    if (strcmp(text, wanted) != 0)
        complain(c, "the file that was edited is not as it would be", where);
    free(text);
    if (!strstr(journal, "All done.") || count(journal, "\"k\":\"run_finished\"") != 1)
        complain(c, "the journal does not end as it would", where);
    free(lines);
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
    struct kill_point point = {.write = 1};
    for (bool killed = true; killed; point.write += c->every)
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
    for (long i = 0; i < c->random; i++) {
        struct kill_point point = {.after_us = 1000 + random() % whole_us};
        format(where, sizeof where, "after %ld us", point.after_us);
        (void)crash_at(c, &point, where);
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
        "             [--steps 30] [--every 1: kill at each Nth write] [--random 2000]";
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
        else
            die("%s", usage);
    }
    if (!c->program || !c->endpoint || c->every < 1 || c->steps < 1)
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

int main(int argc, char **argv)
{
    struct crash c = {.steps = 30, .every = 1, .random = 2000};
    const struct kill_point none = {0};
    long writes;
    read_options(&c, argc, argv);
    set_up(&c);
    begin_anew(&c);
    int code = start(&c, &none, &writes); /* with cold caches */
    begin_anew(&c);
    long start_us = now_us();
    code = code ? code : start(&c, &none, &writes);
    long whole_us = now_us() - start_us;
    if (code != 0)
        complain(&c, "the undisturbed run fails", "at first");
    else
        check_end(&c, "undisturbed");
    if (c.failures == 0) {
        crash_at_writes(&c);
        crash_at_random(&c, whole_us);
    }
    (void)kill(c.served_by, SIGTERM);
    (void)waitpid(c.served_by, NULL, 0);
    remove_tree(c.root);
    (void)printf("%ld kills, %ld resumes, %ld calls whose outcome was unknown, %ld failures\n",
                 c.kills, c.resumed, c.unknown, c.failures);
    return c.failures == 0 ? 0 : 1;
}
