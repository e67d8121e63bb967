/* Serves the calls of one plugin over the link: `tackle-host serve PATH`. */
#ifndef HOST_SERVE_H
#define HOST_SERVE_H

#include <stdint.h>

#define SERVE_EXIT_REFUSED  3  /* the plugin cannot be used; REFUSED says why */
#define SERVE_EXIT_PROTOCOL 70 /* the other side breaks the rules of the link */

/* Runs until CLOSE, and returns the exit status of the process. Ends the process at once when the
 * link breaks: there is nobody left to work for. */
int serve_plugin(const char *path);

/* The same inside bubblewrap, where OPEN and the plugin's file are handed on as descriptors;
 * `outer_pids` is the process namespace around, `cgroup` what controllers hold it. */
int serve_inside(const char *path, uint64_t outer_pids, const char *cgroup);

#endif
