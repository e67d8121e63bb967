/* measure TIMES PROGRAM ARG...: starts the program that often, one after the other, and prints
 * "MEDIAN LEAST CPU RSS": milliseconds from start to end, the mean milliseconds of processor time
 * of it and its children, and the most MiB that one of these ever held. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define TIMES_MAX 1000

extern char **environ;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double cpu_ms(const struct rusage *usage)
{
    return ((double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec) * 1e3 +
           ((double)usage->ru_utime.tv_usec + (double)usage->ru_stime.tv_usec) / 1e3;
}

/* Its output goes nowhere; a failure is the end, for what fails fast looks quick. */
static double run_once(char **argv, posix_spawn_file_actions_t *actions)
{
    pid_t pid;
    int status;
    double began = now_ms();
    int error = posix_spawnp(&pid, argv[0], actions, NULL, argv, environ);
    if (error != 0) {
        fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(error));
        exit(1);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            perror("measure: waitpid");
            exit(1);
        }
    }
    double took = now_ms() - began;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "measure: %s %s: it failed, status %d\n", argv[0], argv[1] ? argv[1] : "",
                status);
        exit(1);
    }
    return took;
}

int main(int argc, char **argv)
{
    static double took[TIMES_MAX];
    posix_spawn_file_actions_t actions;
    struct rusage before, after;
    long times = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (times < 1 || times > TIMES_MAX) {
        fprintf(stderr, "usage: measure TIMES PROGRAM ARG...; TIMES is 1 to %d\n", TIMES_MAX);
        return 2;
    }
    if (posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0)
        return 1;
    (void)run_once(argv + 2, &actions); /* files come into memory, descriptions into the cache */
    if (getrusage(RUSAGE_CHILDREN, &before) != 0)
        return 1;
    for (long i = 0; i < times; i++)
        took[i] = run_once(argv + 2, &actions);
    (void)posix_spawn_file_actions_destroy(&actions);
    qsort(took, (size_t)times, sizeof *took, compare);
    if (getrusage(RUSAGE_CHILDREN, &after) != 0)
        return 1;
    printf("%.2f %.2f %.2f %.1f\n", took[times / 2], took[0],
           (cpu_ms(&after) - cpu_ms(&before)) / (double)times, (double)after.ru_maxrss / 1024);
    return 0;
}
