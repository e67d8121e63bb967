/* Reads case files; see case.h. */
#include "case.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/match.h"
#include "endpoint/memory.h"
#include "terminal.h"

int case_endpoints(const char *path, const struct sections *sections,
                   const char *names[CASE_ENDPOINTS_MAX], bool refusing[CASE_ENDPOINTS_MAX],
                   struct err *err)
{
    int count = 1;
    names[0] = CASE_MAIN_ENDPOINT;
    refusing[0] = false;
    for (size_t i = 0; i < sections->count; i++) {
        struct section *section = &sections->items[i];
        if (strcmp(section->name, "endpoint") != 0)
            continue;
        char *mode = strchr(section->words, ' ');
        if (!*section->words || (mode && strcmp(mode + 1, "refusing") != 0))
            return err_set(err, ERR_PARSE, "%s:%d: write === endpoint NAME [refusing]", path,
                           section->line);
        if (mode)
            *mode = '\0';
        int known = 0;
        while (known < count && strcmp(names[known], section->words) != 0)
            known++;
        if (known == CASE_ENDPOINTS_MAX)
            return err_set(err, ERR_LIMIT, "%s:%d: over %d endpoints", path, section->line,
                           CASE_ENDPOINTS_MAX);
        names[known] = section->words;
        refusing[known] = mode != NULL;
        count += known == count;
    }
    return count;
}

/* ---- Sections about the run above them ---- */

static int read_signal_name(const char *name)
{
    static const struct {
        const char *name;
        int signal;
    } signals[] = {{"INT", SIGINT},   {"TERM", SIGTERM}, {"HUP", SIGHUP},
                   {"KILL", SIGKILL}, {"TSTP", SIGTSTP}, {"CONT", SIGCONT},
                   {"STOP", SIGSTOP}, {"USR1", SIGUSR1}, {"ABRT", SIGABRT}};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].signal;
    return 0;
}

/* What comes behind "after": "request 2", "300ms", ... */
static int read_moment(struct trigger *trigger, const char *rest, struct err *err)
{
    if (words_skip(&rest, "request")) {
        trigger->after = AFTER_REQUEST;
        return words_number(rest, 1000000, &trigger->request, err);
    }
    if (words_skip(&rest, "stdout"))
        trigger->after = AFTER_STDOUT;
    else if (words_skip(&rest, "stderr"))
        trigger->after = AFTER_STDERR;
    else if (words_skip(&rest, "file"))
        trigger->after = AFTER_FILE;
    else
        return words_duration(rest, &trigger->ms, err);
    return words_value(rest, &trigger->text, NULL, err);
}

/* "INT after request 2" */
static int read_signal(struct run *run, const struct section *section, struct err *err)
{
    const char *rest = section->words;
    char *name = words_take(&rest);
    int signal = read_signal_name(name);
    free(name);
    if (!signal || !words_skip(&rest, "after") || !*rest)
        return err_set(err, ERR_PARSE,
                       "write === signal INT|TERM|HUP|KILL|TSTP|CONT|STOP|USR1|ABRT after 300ms, "
                       "request N, stdout TEXT, stderr TEXT or file PATH");
    struct trigger *trigger = memory_item(&run->triggers, run->trigger_count++, sizeof *trigger);
    trigger->signal = signal;
    return read_moment(trigger, rest, err);
}

static int read_memory(struct run *run, const struct section *section, struct err *err)
{
    return words_number(section->words, 65536, &run->memory_mib, err);
}

static int read_command(const struct section *section, struct words *out, struct err *err);

static int read_beside(struct run *run, const struct section *section, struct err *err)
{
    if (run->beside_count == CASE_BESIDES_MAX)
        return err_set(err, ERR_LIMIT, "over %d programs beside one run", CASE_BESIDES_MAX);
    return read_command(section,
                        memory_item(&run->besides, run->beside_count++, sizeof *run->besides), err);
}

static int read_limit(struct run *run, const struct section *section, struct err *err)
{
    return words_duration(section->words, &run->limit_ms, err);
}

static int read_input(struct run *run, const struct section *section, struct err *err)
{
    static const char *const kinds[] = {"null", "closed", "", "open"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(section->words, kinds[i]) == 0) {
            run->input = (enum input_kind)i;
            free(run->input_text);
            run->input_text = memory_copy(section->body, section->body_len);
            run->input_len = section->body_len;
            return 0;
        }
    return err_set(err, ERR_PARSE,
                   "write === stdin null, closed or open, or === stdin with the text below it");
}

static int read_output(enum output_kind *kind, const struct section *section, struct err *err)
{
    static const char *const kinds[] = {"read", "closed", "full", "head"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(section->words, kinds[i]) == 0) {
            *kind = (enum output_kind)i;
            return 0;
        }
    return err_set(err, ERR_PARSE, "write === %s read, closed, full or head", section->name);
}

static int tolerate(struct run *run, const char *rest, struct err *err)
{
    if (!*rest)
        return err_set(err, ERR_PARSE, "write tolerate WORD");
    *(char **)memory_item(&run->tolerated.items, run->tolerated.count++, sizeof(char *)) =
        memory_text(rest);
    return 0;
}

static int read_expectations(struct run *run, const char *path, const struct section *section,
                             struct err *err)
{
    struct section_lines lines;
    int status = 0;
    if (*section->words) {
        struct expectation *item =
            memory_item(&run->expectations, run->expectation_count++, sizeof *item);
        return expectation_read_body(section, item, err);
    }
    section_lines_init(&lines, section);
    while (status == 0 && section_lines_next(&lines)) {
        const char *text = lines.text.data;
        if (words_skip(&text, "tolerate")) {
            status = tolerate(run, text, err);
        } else {
            struct expectation *item =
                memory_item(&run->expectations, run->expectation_count++, sizeof *item);
            status = expectation_read(text, lines.line, item, err);
        }
        if (status)
            (void)err_prefix(err, "%s:%d", path, lines.line);
    }
    section_lines_release(&lines);
    return status;
}

static int read_stdout(struct run *run, const struct section *section, struct err *err)
{
    return read_output(&run->out_kind, section, err);
}

static int read_stderr(struct run *run, const struct section *section, struct err *err)
{
    return read_output(&run->err_kind, section, err);
}

/* 1: it is no such section; 0; -1. */
static int read_about_run(struct test_case *test, const struct section *section, struct err *err)
{
    static const struct {
        const char *name;
        int (*read)(struct run *run, const struct section *section, struct err *err);
    } kinds[] = {{"stdin", read_input},  {"stdout", read_stdout}, {"stderr", read_stderr},
                 {"limit", read_limit},  {"memory", read_memory}, {"signal", read_signal},
                 {"beside", read_beside}};
    size_t which = 0, count = sizeof kinds / sizeof *kinds;
    while (which < count && strcmp(kinds[which].name, section->name) != 0)
        which++;
    bool is_expect = strcmp(section->name, "expect") == 0;
    bool is_terminal = strcmp(section->name, "terminal") == 0;
    if (which == count && !is_expect && !is_terminal)
        return 1;
    if (test->run_count == 0)
        return err_set(err, ERR_PARSE, "%s belongs to the run above it, and there is none",
                       section->name);
    struct run *run = &test->runs[test->run_count - 1];
    if (is_terminal)
        return terminal_read(run, test->path, section, err);
    return is_expect ? read_expectations(run, test->path, section, err)
                     : kinds[which].read(run, section, err);
}

/* ---- Steps ---- */

static struct step *add_step(struct test_case *test)
{
    return memory_item(&test->steps, test->step_count++, sizeof *test->steps);
}

/* The lines of the command, put together with spaces. */
static int read_command(const struct section *section, struct words *out, struct err *err)
{
    struct section_lines lines;
    struct buf line;
    buf_init(&line, SECTIONS_FILE_MAX);
    section_lines_init(&lines, section);
    while (section_lines_next(&lines))
        put_format(&line, "%s ", lines.text.data);
    section_lines_release(&lines);
    int status = words_split(line.data, out, err);
    buf_release(&line);
    if (status == 0 && out->count == 0)
        status = err_set(err, ERR_PARSE, "which command?");
    return status;
}

static int read_run(struct test_case *test, const struct section *section, struct err *err)
{
    struct words options;
    struct step *step = add_step(test);
    step->kind = STEP_RUN;
    step->run = test->run_count;
    struct run *run = memory_item(&test->runs, test->run_count++, sizeof *run);
    run->line = section->line;
    run->limit_ms = CASE_LIMIT_MS;
    run->memory_mib = CASE_MEMORY_MIB;
    run->cwd = memory_text("");
    if (words_split(section->words, &options, err))
        return -1;
    int status = 0;
    for (size_t i = 0; i < options.count && status == 0; i++) {
        if (strcmp(options.items[i], "together") == 0 && test->run_count > 1) {
            run->together = true;
        } else if (strncmp(options.items[i], "cwd=", 4) == 0) {
            free(run->cwd);
            run->cwd = memory_text(options.items[i] + 4);
        } else {
            status = err_set(err, ERR_PARSE, "write === run [together] [cwd=DIR]");
        }
    }
    words_release(&options);
    return status ? status : read_command(section, &run->words, err);
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int read_section(struct test_case *test, const struct section *section, struct err *err)
{
    static const char *const of_endpoints[] = {"endpoint", "reply", "body", NULL};
    static const char *const of_place[] = {"file", "link", "dir", "git", NULL};
    if (is_among(section->name, of_endpoints))
        return 0;
    static const struct {
        const char *name;
        int kind;
    } others[] = {{"env", STEP_ENVIRONMENT}, {"prepare", STEP_PREPARE}};
    int kind = is_among(section->name, of_place) ? STEP_PLACE : -1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(section->name, others[i].name) == 0)
            kind = others[i].kind;
    if (kind >= 0) {
        struct step *step = add_step(test);
        step->kind = (enum step_kind)kind;
        step->section = section;
        return 0;
    }
    if (strcmp(section->name, "also") == 0) /* read by tests/attack/CMakeLists.txt */
        return strcmp(section->words, "user") == 0 ? 0
                                                   : err_set(err, ERR_PARSE, "write === also user");
    if (strcmp(section->name, "run") == 0)
        return read_run(test, section, err);
    if (strcmp(section->name, "needs") == 0) {
        words_release(&test->needs);
        return words_split(section->words, &test->needs, err);
    }
    int status = read_about_run(test, section, err);
    if (status > 0)
        return err_set(err, ERR_PARSE,
                       "\"%s\" is no section of a case: file, link, dir, git, prepare, env, needs, "
                       "also, endpoint, reply, body, run, beside, stdin, stdout, stderr, terminal, "
                       "limit, memory, signal, expect",
                       section->name);
    return status;
}

/* A case that says nothing about its end would pass whatever happens. */
static int check_complete(const struct test_case *test, struct err *err)
{
    if (!*test->sections.title)
        return err_set(err, ERR_PARSE, "%s:1: the first line says what the case shows: # ...",
                       test->path);
    if (test->run_count == 0)
        return err_set(err, ERR_PARSE, "%s: has no section run", test->path);
    for (size_t i = 0; i < test->run_count; i++) {
        bool has_exit = false;
        for (size_t j = 0; j < test->runs[i].expectation_count; j++)
            has_exit = has_exit || test->runs[i].expectations[j].subject == SUBJECT_EXIT;
        if (!has_exit)
            return err_set(err, ERR_PARSE, "%s:%d: expects no exit code of this run", test->path,
                           test->runs[i].line);
    }
    return 0;
}

int case_read(const char *path, struct sections *sections, struct test_case *out, struct err *err)
{
    *out = (struct test_case){.path = path, .sections = *sections};
    *sections = (struct sections){0};
    for (size_t i = 0; i < out->sections.count; i++) {
        const struct section *section = &out->sections.items[i];
        if (read_section(out, section, err)) {
            if (strncmp(err->text, path, strlen(path)) != 0)
                (void)err_prefix(err, "%s:%d", path, section->line);
            return -1;
        }
    }
    return check_complete(out, err);
}

void case_release(struct test_case *test)
{
    for (size_t i = 0; i < test->run_count; i++) {
        struct run *run = &test->runs[i];
        for (size_t j = 0; j < run->trigger_count; j++)
            free(run->triggers[j].text);
        for (size_t j = 0; j < run->expectation_count; j++)
            expectation_release(&run->expectations[j]);
        for (size_t j = 0; j < run->beside_count; j++)
            words_release(&run->besides[j]);
        free(run->besides);
        free(run->triggers);
        terminal_release(run);
        free(run->expectations);
        free(run->cwd);
        free(run->input_text);
        words_release(&run->words);
        words_release(&run->tolerated);
    }
    free(test->runs);
    free(test->steps);
    words_release(&test->needs);
    sections_release(&test->sections);
}

bool case_tolerates(const struct run *run, const char *word)
{
    for (size_t i = 0; i < run->tolerated.count; i++)
        if (strcmp(run->tolerated.items[i], word) == 0)
            return true;
    return false;
}
