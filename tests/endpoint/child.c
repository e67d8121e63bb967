/* An endpoint in a process of its own, for tests that block; see endpoint.h. */
#include "endpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

static _Noreturn void serve(struct endpoint *endpoint, pid_t parent)
{
    struct err err;
    (void)signal(SIGTERM, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    while (endpoint_step(endpoint, -1, &err) == 0)
        ;
    (void)fprintf(stderr, "%s\n", err.text);
    _exit(1);
}

int endpoint_child_start(const char *script, struct endpoint_child *out, struct err *err)
{
    int status = -1;
    pid_t parent = getpid();
    struct endpoint *endpoint = endpoint_new(0, err);
    *out = (struct endpoint_child){.pid = -1, .record_fd = -1};
    if (!endpoint || endpoint_load_text(endpoint, script, err))
        goto out;
    out->record_fd = memfd_create("endpoint-record", MFD_CLOEXEC);
    if (out->record_fd < 0) {
        (void)err_set(err, ERR_IO, "memfd_create: %s", strerror(errno));
        goto out;
    }
    endpoint_record(endpoint, out->record_fd);
    (void)snprintf(out->url, sizeof out->url, "%s", endpoint_url(endpoint));
    out->pid = fork();
    if (out->pid == 0)
        serve(endpoint, parent);
    if (out->pid > 0) {
        status = 0;
    } else {
        (void)err_set(err, ERR_IO, "fork: %s", strerror(errno));
        (void)close(out->record_fd);
    }
out:
    endpoint_free(endpoint);
    return status;
}

static char *read_record(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return memory_text("");
    char *text = memory_new((size_t)st.st_size + 1);
    ssize_t got = pread(fd, text, (size_t)st.st_size, 0);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void add_request(json_t *requests, const char *line, size_t len)
{
    json_t *request = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    const json_t *body = json_object_get(request, "body");
    json_t *value =
        body ? json_loadb(json_string_value(body), json_string_length(body), JSON_ALLOW_NUL, NULL)
             : NULL;
    if (value)
        (void)json_object_set_new(request, "json", value);
    (void)json_array_append_new(requests, request);
}

json_t *endpoint_child_stop(struct endpoint_child *child)
{
    json_t *requests = json_array();
    (void)kill(child->pid, SIGTERM);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    char *text = read_record(child->record_fd);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        add_request(requests, line, (size_t)(end - line));
    free(text);
    (void)close(child->record_fd);
    *child = (struct endpoint_child){.pid = -1, .record_fd = -1};
    return requests;
}
