/* A case as it is written: what is there before, what is run, what must come of it. The form is
 * described in tests/README.md. */
#ifndef CASES_CASE_H
#define CASES_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "endpoint/request.h"
#include "endpoint/sections.h"
#include "endpoint/words.h"

#define CASE_LIMIT_MS 20000
#ifdef __SANITIZE_ADDRESS__
#define CASE_MEMORY_MIB 1024 /* shadow memory, and what was freed */
#else
#define CASE_MEMORY_MIB 256
#endif
#define CASE_BESIDES_MAX   4
#define CASE_MAIN_ENDPOINT "model"
#define CASE_ENDPOINTS_MAX 8

enum input_kind { INPUT_NULL, INPUT_CLOSED, INPUT_TEXT, INPUT_OPEN };
enum output_kind { OUTPUT_READ, OUTPUT_CLOSED, OUTPUT_FULL, OUTPUT_HEAD };

/* A signal for the program, once something has happened. */
struct trigger {
    int signal;
    enum { AFTER_TIME, AFTER_REQUEST, AFTER_STDOUT, AFTER_STDERR, AFTER_FILE } after;
    int64_t ms;
    long request;
    char *text; /* of AFTER_STDOUT, AFTER_STDERR; the path of AFTER_FILE */
};

/* What the person at the terminal does next. */
enum act_kind { ACT_WAIT, ACT_TYPE, ACT_PRESS };

struct act {
    enum act_kind kind;
    char *text; /* shown by the program; typed, with Enter behind it or without */
};

enum subject {
    SUBJECT_EXIT,
    SUBJECT_STDOUT,
    SUBJECT_STDERR,
    SUBJECT_JSON,
    SUBJECT_RESULT,
    SUBJECT_EVENT,
    SUBJECT_REQUESTS,
    SUBJECT_REQUEST,
    SUBJECT_FILE,
    SUBJECT_MODE,
    SUBJECT_COMMITS
};

#define REQUEST_ANY  0
#define REQUEST_LAST (-1)

/* One line of an `expect` section, or one verbatim section. */
struct expectation {
    int line;
    char *text; /* as written, for the report */
    enum subject subject;
    char *endpoint; /* of REQUESTS and REQUEST: its name */
    long request;   /* a number from 1, REQUEST_ANY or REQUEST_LAST */
    char *name;     /* path of FILE and MODE, type of EVENT; else "" */
    char *pointer;  /* of JSON, RESULT, EVENT; else "" */
    struct match *match;
    struct condition *condition; /* of REQUEST, instead of match */
};

struct run {
    int line;
    struct words words;
    char *cwd;     /* "" is the workspace */
    bool together; /* starts at the same time as the run before it */
    enum input_kind input;
    char *input_text;
    size_t input_len;
    enum output_kind out_kind;
    enum output_kind err_kind;
    int64_t limit_ms;
    long memory_mib;       /* its peak may not be above that */
    struct words *besides; /* programs that run meanwhile, CASE_BESIDES_MAX at most */
    size_t beside_count;
    struct trigger *triggers;
    size_t trigger_count;
    bool terminal; /* standard input and standard error are one, with a person at it */
    struct act *acts;
    size_t act_count;
    struct expectation *expectations;
    size_t expectation_count;
    struct words tolerated; /* what the checks made after every case let pass */
};

enum step_kind { STEP_PLACE, STEP_PREPARE, STEP_ENVIRONMENT, STEP_RUN };

/* Steps are taken in the order of the file. */
struct step {
    enum step_kind kind;
    const struct section *section; /* of all but STEP_RUN; borrowed */
    size_t run;                    /* of STEP_RUN: index */
};

struct test_case {
    const char *path; /* of the file; borrowed */
    struct sections sections;
    struct step *steps;
    size_t step_count;
    struct run *runs;
    size_t run_count;
    struct words needs;
};

/* The names of the endpoints that a case declares, with the main one first. `refusing[i]` says that
 * connections to it are to be refused. Returns their number, -1 when a section is wrong. The names
 * are borrowed from `sections`. */
int case_endpoints(const char *path, const struct sections *sections,
                   const char *names[CASE_ENDPOINTS_MAX], bool refusing[CASE_ENDPOINTS_MAX],
                   struct err *err);

/* Reads the sections, in which placeholders have been replaced, and takes them over. Sections of
 * the endpoints are skipped. 0 or -1; errors name file and line. */
int case_read(const char *path, struct sections *sections, struct test_case *out, struct err *err);
void case_release(struct test_case *test);

/* Is `word` among those that the run tolerates? */
bool case_tolerates(const struct run *run, const char *word);

/* Reads one expectation. 0 or -1. (expectation.c) */
int expectation_read(const char *text, int line, struct expectation *out, struct err *err);
/* A text that must be equal to the body of `section`: "expect stdout", "expect file PATH". */
int expectation_read_body(const struct section *section, struct expectation *out, struct err *err);
void expectation_release(struct expectation *expectation);

#endif
