/* A server that says exact bytes, in a process of its own: for what no honest server would say. */
#ifndef TESTS_RAW_SERVER_H
#define TESTS_RAW_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct raw_server {
    pid_t pid;
    unsigned port;
    int record_fd; /* the heads of all requests, in order */
};

/* Says something to one connection, whose request was read up to its empty line; then it is
 * closed. Runs in the server's process. `number` counts the connections from 1. */
typedef void (*raw_say)(int fd, unsigned number, const void *user);

/* Listens on an IPv4 address, port 0 for any. Fails the test when that cannot be. */
void raw_server_start(struct raw_server *s, const char *address, unsigned port, raw_say say,
                      const void *user);

/* Ends it; returns the heads of the requests, malloc'd, "" for none. */
char *raw_server_stop(struct raw_server *s);

/* For a raw_say: 0, or -1 once the other side is gone. */
int raw_write(int fd, const void *data, size_t len);
int raw_text(int fd, const char *text);

#endif
