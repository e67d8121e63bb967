/* case-runner [--keep] [-v] [--bin DIR] [--user] CASE...: runs case files and says what did not
 * come as expected. Exit code 0: all passed; 1: one failed; 2: a case cannot be read; 77: skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "check.h"
#include "endpoint/memory.h"

#define EXIT_FAILED  1
#define EXIT_BROKEN  2
#define EXIT_SKIPPED 77

struct options {
    struct build build;    /* what is tested */
    struct schema *schema; /* of the events */
    bool keep;
    bool verbose;
};

/* All that belongs to one case while it runs. */
struct session {
    const struct options *options;
    struct place place;
    struct endpoints endpoints;
    struct test_case test;
    struct words environment; /* "NAME=value" */
    struct process *processes;
    size_t process_count;
    struct report report;
};

/* ---- Environment ---- */

static void set_variable(struct session *session, const char *assignment)
{
    size_t name_len = strcspn(assignment, "=") + 1;
    struct words *all = &session->environment;
    for (size_t i = 0; i < all->count; i++)
        if (strncmp(all->items[i], assignment, name_len) == 0) {
            free(all->items[i]);
            all->items[i] = memory_text(assignment);
            return;
        }
    all->items[all->count++] = memory_text(assignment);
    (void)memory_item(&all->items, all->count, sizeof(char *));
}

static void unset_variable(struct session *session, const char *name)
{
    struct words *all = &session->environment;
    size_t len = strlen(name);
    for (size_t i = 0; i < all->count; i++)
        if (strncmp(all->items[i], name, len) == 0 && all->items[i][len] == '=') {
            free(all->items[i]);
            all->items[i] = all->items[--all->count];
            all->items[all->count] = NULL;
            return;
        }
}

static void set_format(struct session *session, const char *format, const char *value)
{
    struct buf text;
    buf_init(&text, 8192);
    put_text(&text, format);
    put_text(&text, value);
    set_variable(session, text.data);
    buf_release(&text);
}

static void set_folder(struct session *session, const char *name, const char *below_root)
{
    struct buf text;
    buf_init(&text, 4096);
    put_format(&text, "%s=%s/%s", name, session->place.root, below_root);
    set_variable(session, text.data);
    buf_release(&text);
}

/* A clean environment: nothing of the caller's gets in. */
static void base_environment(struct session *session)
{
    const struct build *build = &session->options->build;
    struct buf path;
    (void)memory_item(&session->environment.items, 0, sizeof(char *));
    buf_init(&path, 8192);
    put_format(&path, "PATH=%s:/usr/local/bin:/usr/bin:/bin", session->options->build.bin);
    set_variable(session, path.data);
    buf_release(&path);
    set_folder(session, "HOME", "home");
    set_folder(session, "XDG_CONFIG_HOME", "config");
    set_folder(session, "XDG_STATE_HOME", "state");
    set_folder(session, "XDG_CACHE_HOME", "cache");
    set_folder(session, "XDG_DATA_HOME", "data");
    set_folder(session, "XDG_RUNTIME_DIR", "runtime");
    set_folder(session, "TMPDIR", "tmp");
    set_variable(session, "LANG=C.UTF-8");
    set_variable(session, "TZ=UTC");
#ifdef TACKLE_MUTATE
    if (getenv("TACKLE_MUTANT"))
        set_format(session, "TACKLE_MUTANT=", getenv("TACKLE_MUTANT"));
#endif
    set_variable(session, "ASAN_OPTIONS=exitcode=99:detect_leaks=1:handle_abort=1");
    set_variable(session, "UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:halt_on_error=1");
    set_format(session, "TACKLE_HOST_PROGRAM=", build->host);
    set_format(session, "TACKLE_PLUGIN_PATH=", build->plugins);
    set_format(session, "TACKLE_AGENT_PATH=", build->agents);
    set_format(session, "TACKLE_DATA_DIR=", build->data);
    set_format(session, "TACKLE_BASE_URL=", endpoint_url(session->endpoints.items[0]));
    set_variable(session, "TACKLE_API_KEY=" PLACE_KEY);
}

/* NAME=value sets, -NAME unsets. */
static int apply_environment(struct session *session, const struct section *section,
                             struct err *err)
{
    struct section_lines lines;
    int status = 0;
    section_lines_init(&lines, section);
    while (status == 0 && section_lines_next(&lines)) {
        const char *line = lines.text.data;
        if (*line == '-')
            unset_variable(session, line + 1);
        else if (strchr(line, '='))
            set_variable(session, line);
        else
            status = err_set(err, ERR_PARSE, "write NAME=value or -NAME, not \"%s\"", line);
    }
    section_lines_release(&lines);
    return status;
}

/* ---- Reading the case ---- */

static int open_endpoints(struct session *session, const struct sections *sections,
                          const char *path, struct err *err)
{
    bool refusing[CASE_ENDPOINTS_MAX];
    struct endpoints *endpoints = &session->endpoints;
    int count = case_endpoints(path, sections, endpoints->names, refusing, err);
    for (int i = 0; i < count; i++) {
        endpoints->items[i] = refusing[i] ? endpoint_new_refusing(err) : endpoint_new(0, err);
        if (!endpoints->items[i])
            return -1;
        endpoints->count++;
    }
    return count < 0 ? -1 : 0;
}

/* The replies go to the endpoint that is named last above them. */
static int load_replies(struct session *session, const char *path, struct err *err)
{
    const struct sections *sections = &session->test.sections;
    const struct endpoints *endpoints = &session->endpoints;
    const char *slash = strrchr(path, '/');
    char *dir = slash ? memory_copy(path, (size_t)(slash - path)) : memory_text(".");
    int status = 0, current = 0;
    for (size_t i = 0; i < sections->count && status >= 0; i++) {
        const struct section *section = &sections->items[i];
        if (strcmp(section->name, "endpoint") == 0)
            for (current = 0; strcmp(endpoints->names[current], section->words) != 0;)
                current++;
        else
            status =
                script_add(endpoint_script(endpoints->items[current]), section, path, dir, err);
    }
    free(dir);
    return status < 0 ? -1 : 0;
}

static void expand_placeholders(struct session *session, struct sections *sections)
{
    const struct endpoints *endpoints = &session->endpoints;
    struct placeholder table[16 + 2 * CASE_ENDPOINTS_MAX];
    char *owned[16 + 3 * CASE_ENDPOINTS_MAX];
    static const struct {
        const char *name, *below_root;
    } folders[] = {{"{workspace}", "/workspace"},
                   {"{home}", "/home"},
                   {"{config}", "/config"},
                   {"{state}", "/state"},
                   {"{cache}", "/cache"},
                   {"{outside}", "/outside"},
                   {"{tmp}", "/tmp"},
                   {"{root}", ""}};
    size_t count = 0, folder_count = sizeof folders / sizeof *folders, owned_count = 0;
    table[count++] = (struct placeholder){"{url}", endpoint_url(endpoints->items[0])};
    table[count++] = (struct placeholder){"{key}", PLACE_KEY};
    table[count++] = (struct placeholder){"{plugins}", session->options->build.test_plugins};
    table[count++] = (struct placeholder){"{host}", session->options->build.host};
    table[count++] = (struct placeholder){"{tools}", session->options->build.tools};
    table[count++] = (struct placeholder){"{source}", CASES_SOURCE_DIR};
    for (size_t i = 0; i < folder_count; i++) {
        struct buf path;
        buf_init(&path, 4096);
        put_format(&path, "%s%s", session->place.root, folders[i].below_root);
        owned[owned_count] = buf_take(&path);
        table[count++] = (struct placeholder){folders[i].name, owned[owned_count++]};
    }
    for (int i = 0; i < endpoints->count; i++) {
        struct buf name;
        buf_init(&name, 4096);
        put_format(&name, "{url:%s}", endpoints->names[i]);
        owned[owned_count] = buf_take(&name);
        table[count++] =
            (struct placeholder){owned[owned_count++], endpoint_url(endpoints->items[i])};
        struct buf port_name, port;
        buf_init(&port_name, 4096);
        buf_init(&port, 16);
        put_format(&port_name, "{port:%s}", endpoints->names[i]);
        put_format(&port, "%u", endpoint_port(endpoints->items[i]));
        owned[owned_count] = buf_take(&port_name);
        owned[owned_count + 1] = buf_take(&port);
        table[count++] = (struct placeholder){owned[owned_count], owned[owned_count + 1]};
        owned_count += 2;
    }
    table[count] = (struct placeholder){NULL, NULL};
    sections_expand(sections, table);
    for (size_t i = 0; i < owned_count; i++)
        free(owned[i]);
}

/* The headings are replaced when placeholders are: the names must be found again. */
static int name_endpoints(struct session *session, const char *path, struct err *err)
{
    bool refusing[CASE_ENDPOINTS_MAX];
    return case_endpoints(path, &session->test.sections, session->endpoints.names, refusing, err);
}

static int open_case(struct session *session, const char *path, struct err *err)
{
    struct sections sections;
    if (sections_read(path, &sections, err))
        return -1;
    int status = place_new(&session->place, err);
    if (status == 0)
        status = open_endpoints(session, &sections, path, err);
    if (status == 0) {
        expand_placeholders(session, &sections);
        status = case_read(path, &sections, &session->test, err);
    }
    sections_release(&sections);
    if (status == 0 && name_endpoints(session, path, err) < 0)
        status = -1;
    return status ? status : load_replies(session, path, err);
}

/* Why this case cannot be run here; NULL when it can. */
static const char *why_skip(const struct session *session)
{
    const struct words *needs = &session->test.needs;
    for (size_t i = 0; i < needs->count; i++) {
        const char *need = needs->items[i];
        bool met = false;
        if (strcmp(need, "git") == 0)
            met = place_has_git() && access(CASES_PLUGIN_DIR "/git.so", F_OK) == 0;
        else if (strcmp(need, "root") == 0)
            met = geteuid() == 0 && !session->options->build.user;
        else if (strcmp(need, "not-root") == 0)
            met = geteuid() != 0 || session->options->build.user;
        else if (*need == '/')
            met = access(need, F_OK) == 0;
        if (!met)
            return need;
    }
    return NULL;
}

/* ---- Running ---- */

static char *snapshot(const struct session *session)
{
    struct buf out;
    buf_init(&out, 64u << 20);
    place_snapshot_unchanging(&session->place, &out);
    return buf_take(&out);
}

static void check_untouched(struct session *session, const char *before, const struct run *run)
{
    int line = run->line;
    struct buf left, tmp;
    char *after = snapshot(session);
    if (strcmp(before, after) != 0) {
        report_failure(&session->report, line,
                       "nothing changes in home, outside and beside them; before:", before);
        report_failure(&session->report, line, "... and after:", after);
    }
    free(after);
    buf_init(&left, 64u << 20);
    buf_init(&tmp, 4096);
    put_format(&tmp, "%s/tmp", session->place.root);
    place_snapshot(tmp.data, &left);
    if (left.len > 0 && !case_tolerates(run, "tmp"))
        report_failure(&session->report, line, "nothing is left in $TMPDIR", left.data);
    buf_release(&tmp);
    buf_release(&left);
}

/* Runs the run `first` and those that start together with it. Returns how many runs that were, or
 * -1 when they could not be run. */
static int run_group(struct session *session, size_t first, struct err *err)
{
    struct test_case *test = &session->test;
    struct buf survivors;
    size_t count = 1, started = 0;
    int status = 0;
    while (first + count < test->run_count && test->runs[first + count].together &&
           count < PROCESS_TOGETHER_MAX)
        count++;
    struct process *group = &session->processes[first];
    char *before = snapshot(session);
    buf_init(&survivors, 1 << 20);
    while (started < count && status == 0) {
        status = process_start(&group[started], &test->runs[first + started], &session->place,
                               &session->endpoints, &session->options->build,
                               session->environment.items, err);
        started++;
        session->process_count++;
    }
    if (status == 0)
        status = process_wait(group, count, &session->endpoints, &session->place, &survivors, err);
    if (survivors.len > 0)
        report_failure(&session->report, test->runs[first].line,
                       "no process of the run is alive one second after its end", survivors.data);
    buf_release(&survivors);
    check_untouched(session, before, &test->runs[first]);
    free(before);
    for (size_t i = 0; i < count && status == 0; i++) {
        check_process(&group[i], session->options->schema, &session->report);
        check_expectations(&group[i], &session->endpoints, &session->place, &session->report);
    }
    return status ? -1 : (int)count;
}

/* What the case has made so far belongs to the user that it is run as. */
static int give_place(const struct session *session, struct err *err)
{
    uid_t user = session->options->build.user;
    return user ? place_give(&session->place, user, err) : 0;
}

static int prepare(struct session *session, const struct section *section, struct err *err)
{
    return give_place(session, err)
               ? -1
               : process_prepare(section->body, &session->place, &session->options->build,
                                 session->environment.items, err);
}

static int run_steps(struct session *session, struct err *err)
{
    struct test_case *test = &session->test;
    size_t next_run = 0;
    session->processes = memory_new((test->run_count + 1) * sizeof *session->processes);
    for (size_t i = 0; i < test->step_count; i++) {
        const struct step *step = &test->steps[i];
        int status = 0;
        if (step->kind == STEP_PLACE)
            status = place_apply(&session->place, step->section, err);
        else if (step->kind == STEP_PREPARE)
            status = prepare(session, step->section, err);
        else if (step->kind == STEP_ENVIRONMENT)
            status = apply_environment(session, step->section, err);
        else if (step->run >= next_run)
            status = give_place(session, err) ? -1 : run_group(session, step->run, err);
        if (status < 0 && step->section)
            (void)err_prefix(err, "%s:%d", test->path, step->section->line);
        if (status < 0)
            return -1;
        if (step->kind == STEP_RUN && step->run >= next_run)
            next_run = step->run + (size_t)status;
    }
    check_requests(&session->endpoints, test, &session->report);
    check_secrets(session->processes, session->process_count, &session->endpoints, test,
                  &session->place, &session->report);
    return 0;
}

/* ---- Telling ---- */

static void show_process(const struct process *process, size_t index, int whole, struct buf *out)
{
    char exit_text[32];
    process_exit_text(process, exit_text);
    put_format(out, "--- run %zu:", index + 1);
    for (size_t i = 0; i < process->run->words.count; i++)
        put_format(out, " %s", process->run->words.items[i]);
    put_format(out, "\n  exit %s\n  stdout:\n", exit_text);
    report_quote(out, process->out.data, process->out.len, whole);
    put_text(out, "  stderr:\n");
    report_quote(out, process->err.data, process->err.len, 1);
}

static void show_requests(const struct endpoints *endpoints, int whole, struct buf *out)
{
    for (int i = 0; i < endpoints->count; i++) {
        size_t count;
        const struct request *requests = endpoint_requests(endpoints->items[i], &count);
        for (size_t j = 0; j < count; j++) {
            put_format(out, "--- request %u of %s: %s %s, answered by the reply of line %d\n",
                       requests[j].number, endpoints->names[i], requests[j].method,
                       requests[j].path, requests[j].reply);
            report_quote(out, requests[j].body, requests[j].body_len, whole);
        }
    }
}

static void tell(const struct session *session, const char *path)
{
    struct buf out;
    bool failed = session->report.failures > 0;
    buf_init(&out, 512u << 20);
    put_format(&out, "%s %s: %s\n", failed ? "FAILED" : "passed", path,
               session->test.sections.title);
    put(&out, session->report.text.data, session->report.text.len);
    if (failed || session->options->verbose) {
        for (size_t i = 0; i < session->process_count; i++)
            show_process(&session->processes[i], i, session->options->verbose, &out);
        show_requests(&session->endpoints, session->options->verbose, &out);
    }
    if (session->options->keep)
        put_format(&out, "kept: %s\n", session->place.root);
    (void)fwrite(out.data, 1, out.len, stdout);
    (void)fflush(stdout);
    buf_release(&out);
}

/* ---- Cases ---- */

static void close_case(struct session *session)
{
    for (size_t i = 0; i < session->process_count; i++)
        process_release(&session->processes[i]);
    free(session->processes);
    for (int i = 0; i < session->endpoints.count; i++)
        endpoint_free(session->endpoints.items[i]);
    words_release(&session->environment);
    case_release(&session->test);
    buf_release(&session->report.text);
    if (!session->options->keep)
        place_remove(&session->place);
}

static int run_case(const struct options *options, const char *path)
{
    struct session session = {.options = options, .report = {.path = path}};
    struct err err = {.text = "failed"};
    const char *missing = NULL;
    int code = EXIT_BROKEN;
    buf_init(&session.report.text, 256u << 20);
    if (open_case(&session, path, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
    } else if ((missing = why_skip(&session))) {
        (void)printf("skipped %s: needs %s\n", path, missing);
        code = EXIT_SKIPPED;
    } else {
        base_environment(&session);
        if (run_steps(&session, &err))
            (void)fprintf(stderr, "%s\n", err.text);
        else
            code = session.report.failures > 0 ? EXIT_FAILED : 0;
        tell(&session, path);
    }
    close_case(&session);
    return code;
}

static struct schema *read_schema(struct err *err)
{
    static const char path[] = CASES_SOURCE_DIR "/docs/events.schema.json";
    size_t len = 0;
    char *text = place_read(path, &len);
    struct schema *schema = NULL;
    if (!text)
        (void)err_set(err, ERR_IO, "it cannot be read");
    else
        schema = schema_compile(text, len, 0, err);
    if (!schema)
        (void)err_prefix(err, "%s", path);
    free(text);
    return schema;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: case-runner [--keep] [-v] [--bin DIR] [--user] CASE...\n"
                          "  --keep     leave the folder of the case, and say where it is\n"
                          "  -v         show outputs and requests of cases that pass, uncut\n"
                          "  --bin DIR  where the program tackle is\n"
                          "  --user     as root: run the programs as an ordinary user\n");
    return EXIT_BROKEN;
}

/* The worst of two codes: broken, failed, passed, skipped. */
static int worse(int a, int b)
{
    static const int order[] = {EXIT_BROKEN, EXIT_FAILED, 0, EXIT_SKIPPED};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return EXIT_BROKEN;
}

/* The options in front of the cases; the index of the first case, or -1. */
static int read_options(int argc, char **argv, struct options *options, const char **bin,
                        bool *as_user)
{
    int at = 1;
    for (; at < argc && *argv[at] == '-'; at++) {
        if (strcmp(argv[at], "--keep") == 0)
            options->keep = true;
        else if (strcmp(argv[at], "-v") == 0)
            options->verbose = true;
        else if (strcmp(argv[at], "--user") == 0)
            *as_user = true;
        else if (strcmp(argv[at], "--bin") == 0 && at + 1 < argc)
            *bin = argv[++at];
        else
            return -1;
    }
    return at < argc ? at : -1;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct err err;
    const char *bin = NULL;
    bool as_user = false;
    int code = EXIT_SKIPPED, at = read_options(argc, argv, &options, &bin, &as_user);
    if (at < 0)
        return usage();
    if (as_user && geteuid() != 0) {
        (void)puts("skipped: needs root, to run as an ordinary user; this is one already");
        return EXIT_SKIPPED;
    }
    (void)umask(022);
    build_init(&options.build, bin);
    options.schema = read_schema(&err);
    if (!options.schema || process_adopt_orphans(&err) ||
        (as_user && build_use_user(&options.build, &err))) {
        (void)fprintf(stderr, "%s\n", err.text);
        code = EXIT_BROKEN;
        at = argc;
    }
    for (; at < argc; at++)
        code = worse(code, run_case(&options, argv[at]));
    schema_free(options.schema);
    build_release(&options.build);
    return code;
}
