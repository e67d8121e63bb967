/* Starting the program under test: the command line on a scripted runtime (fake_tackle.c). */
#ifndef TESTS_CLI_PROGRAM_H
#define TESTS_CLI_PROGRAM_H

#include <sys/types.h>

#include "test_support.h"

#define PROGRAM TEST_BUILD_DIR "/tests/tackle_fake"

/* The end of a script: a model that says "Yes." */
#define FINAL                                                                                      \
    "{\"type\":\"message.completed\",\"text\":\"Yes.\",\"tool_calls\":[]}\n"                       \
    "{\"type\":\"result\",\"status\":\"success\",\"stop_reason\":\"final\",\"exit_code\":0,"       \
    "\"text\":\"Yes.\",\"usage\":{},\"counts\":{\"steps\":1},\"error\":null,\"duration_ms\":5}\n"

struct program {
    const char *script; /* lines for fake_tackle.c; NULL: none */
    const char *input;  /* standard input; NULL: /dev/null */
    const char *set;    /* one more environment variable; NULL: none */
    int out_fd;         /* standard output; 0: a file that is read */
    /* What came of it. */
    char *dir; /* the working folder, removed at the end */
    char *out, *err;
    int code; /* exit code; 1000 and the signal when one ended it */
};

/* `args` are ended by NULL. Starts, or starts and waits. Input is a file, so that it has an end. */
pid_t program_start(struct program *p, const char *const *args);
void program_finish(struct program *p, pid_t child);
void program_run(struct program *p, const char *const *args);
void program_release(struct program *p);

#define RUN(p, ...) program_run(p, (const char *const[]){__VA_ARGS__, NULL})

void assert_program(const struct program *p, int code, const char *out, const char *err);

/* Runs on a pseudo-terminal where somebody has typed `typed`, and gives all that it showed;
 * malloc'd. */
char *program_show(struct program *p, const char *typed, const char *const *args);

/* Runs a shell command in the folder where the program left its output; its exit code. */
int program_shell(const struct program *p, const char *command);

/* What the environment of whoever runs the tests must not change. */
void program_clean_environment(void);

#endif
