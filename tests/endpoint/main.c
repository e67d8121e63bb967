/* scripted-endpoint SCRIPT [--port N] [--record FILE]: plays a script until it is ended by a
 * signal. Prints its URL when it listens. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"
#include "words.h"

struct options {
    const char *script;
    const char *record;
    long port;
};

static int usage(const char *problem)
{
    (void)fprintf(stderr,
                  "scripted-endpoint: %s\n"
                  "usage: scripted-endpoint SCRIPT [--port N] [--record FILE]\n",
                  problem);
    return 2;
}

/* 0, or the exit code. */
static int read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        struct err err;
        if (strncmp(argv[i], "--", 2) != 0) {
            if (options->script)
                return usage("one script, please");
            options->script = argv[i];
        } else if (!value) {
            return usage("an option without its value");
        } else if (strcmp(argv[i], "--port") == 0) {
            if (words_number(value, 65535, &options->port, &err))
                return usage(err.text);
            i++;
        } else if (strcmp(argv[i], "--record") == 0) {
            options->record = argv[++i];
        } else {
            return usage("unknown option");
        }
    }
    return options->script ? 0 : usage("which script?");
}

static int serve(const struct options *options, struct endpoint *endpoint, struct err *err)
{
    if (endpoint_load(endpoint, options->script, err))
        return -1;
    int record = -1;
    if (options->record) {
        record = open(options->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (record < 0)
            return err_set(err, ERR_IO, "%s: %s", options->record, strerror(errno));
        endpoint_record(endpoint, record);
    }
    int status = printf("%s\n", endpoint_url(endpoint)) < 0 || fflush(stdout) ? -1 : 0;
    while (status == 0)
        status = endpoint_step(endpoint, -1, err);
    if (record >= 0)
        (void)close(record);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct err err = {.text = "standard output is closed"};
    int code = read_options(argc, argv, &options);
    if (code)
        return code;
    struct endpoint *endpoint = endpoint_new((unsigned)options.port, &err);
    if (!endpoint || serve(&options, endpoint, &err)) {
        (void)fprintf(stderr, "scripted-endpoint: %s\n", err.text);
        code = 1;
    }
    endpoint_free(endpoint);
    return code;
}
