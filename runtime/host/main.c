/* tackle-host: a process for one plugin. `serve PATH` is started by tackle, which talks to it over
 * descriptor 3; `describe PATH` prints what a plugin is, or what is wrong with it; `probe TIER`
 * whether this machine can close that sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host/describe.h"
#include "host/load.h"
#include "host/probe.h"
#include "host/sandbox.h"
#include "host/serve.h"

#define EXIT_USAGE    2
#define EXIT_PROBLEMS 3

/* The plugin's constructors may print: what they print goes to standard error, and the answer to
 * the standard output that is taken aside here. */
static int take_output(void)
{
    int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 64);
    if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return -1;
    return output;
}

/* Not dprintf(): a signal of the plugin's would cut it off. */
static int write_all(int output, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = write(output, text, len);
        if (put < 0 && errno != EINTR)
            return -1;
        text += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* Not json_dumpfd(): it writes piece by piece. */
static int print(int output, json_t *description)
{
    char *text = description ? json_dumps(description, JSON_COMPACT) : NULL;
    int status =
        text && write_all(output, text, strlen(text)) == 0 ? write_all(output, "\n", 1) : -1;
    free(text);
    json_decref(description);
    return status;
}

static int describe(const char *path)
{
    struct manifest manifest = {.tool_count = 0};
    struct problems problems = {.count = 0};
    struct stat file;
    struct step_failure failure;
    int output = take_output();
    if (output < 0) {
        perror("tackle-host: standard output");
        return EXIT_FAILURE;
    }
    char real[PATH_MAX];
    int plugin = load_open(path, &file, &problems), status = -1;
    if (plugin >= 0 && !realpath(path, real))
        (void)problems_add(&problems, "look where it is", "the file is gone");
    else if (plugin >= 0 && sandbox_describe(real, plugin, &failure))
        (void)problems_add(&problems, "run tackle doctor", "%s: %s", failure.step, failure.text);
    else if (plugin >= 0)
        status = load_object(plugin, &manifest, &problems);
    int printed = print(output, status ? describe_problems(path, &problems)
                                       : describe_plugin(path, &manifest, &file));
    manifest_release(&manifest);
    if (printed)
        return EXIT_FAILURE;
    return status ? EXIT_PROBLEMS : EXIT_SUCCESS;
}

static int usage(void)
{
    (void)fputs("usage: tackle-host describe PLUGIN.so\n"
                "       tackle-host serve PLUGIN.so    (started by tackle)\n"
                "       tackle-host probe TIER         (can t3, t2, external or off be had?)\n"
                "       tackle-host --version\n",
                stderr);
    return EXIT_USAGE;
}

/* `inside NAMESPACE CGROUP serve PATH`, `... probe TIER`: what bwrap.c starts. */
static int run_inside(char **argv)
{
    char *end;
    unsigned long long outer_pids = strtoull(argv[0], &end, 10);
    if (*end || outer_pids == 0)
        return usage();
    if (strcmp(argv[2], "serve") == 0)
        return serve_inside(argv[3], outer_pids, argv[1]);
    return strcmp(argv[2], "probe") == 0 ? probe_inside(argv[3], outer_pids, argv[1]) : usage();
}

static int run(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("tackle-host " TACKLE_VERSION_TEXT) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (argc == 3 && strcmp(argv[1], "describe") == 0)
        return describe(argv[2]);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve_plugin(argv[2]);
    if (argc == 3 && strcmp(argv[1], "probe") == 0)
        return probe_tier(argv[2]);
    if (argc == 6 && strcmp(argv[1], "inside") == 0)
        return run_inside(argv + 2);
    return usage();
}

int main(int argc, char **argv)
{
    /* Dies with its runtime. One that died before this line shows as the end of the link. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* Lines of a plugin appear when they are printed, not when the process ends. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int status = run(argc, argv);
    /* Not exit(): it would run what the plugin has registered for the end. */
    if (fflush(NULL))
        status = status ? status : EXIT_FAILURE;
    _exit(status);
}
