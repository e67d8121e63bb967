/* Runs the tools of a plugin in the test's own process, with the real services of runtime/host
 * (workspace, process, config, log) and, for http/1, answers that the test gives. */
#ifndef TESTS_PLUGIN_TEST_H
#define TESTS_PLUGIN_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tackle/plugin.h>

struct plugin_test;

/* What a call came to; valid until the next call or plugin_test_free(). */
struct plugin_result {
    int32_t code;       /* TACKLE_OK, a negative code, or TACKLE_PROBE_... */
    const char *output; /* zero-terminated */
    size_t output_len;
    const char *message;  /* of fail(); "" when the call succeeded */
    const char *note;     /* what the call gave to remember(); "" when nothing */
    const char *progress; /* all progress lines, each with a newline */
    const char *changed;  /* one line a change: "created a.txt", "modified b.txt", "deleted c" */
};

/* A stand-in for http/1: fills *response with borrowed data and returns a TACKLE_ code. */
typedef int32_t (*plugin_test_fetch)(void *user, const tackle_http_request *request,
                                     tackle_http_response *response);

/* Makes a workspace of its own (a temporary directory, removed by plugin_test_free) and opens the
 * plugin. options: "name=value", NULL-terminated, or NULL. Fails the test when the plugin does not
 * pass the load checks or does not open. */
struct plugin_test *plugin_test_new(const tackle_plugin *plugin, const char *const *options);
void plugin_test_free(struct plugin_test *t);

/* Absolute path of the workspace. */
const char *plugin_test_root(const struct plugin_test *t);

/* Writes a file of the workspace, making its directories. */
void plugin_test_put(struct plugin_test *t, const char *path, const char *text);
/* Reads one; malloc'd, NULL when it does not exist. */
char *plugin_test_get(struct plugin_test *t, const char *path);

void plugin_test_on_fetch(struct plugin_test *t, plugin_test_fetch fetch, void *user);

/* The deadline for the calls that follow; 10,000 ms at first. */
void plugin_test_deadline(struct plugin_test *t, int64_t ms);

/* The next call is cancelled from its start. */
void plugin_test_cancel(struct plugin_test *t);

/* Checks the arguments against the tool's params, as the runtime does (those that do not fit are
 * TACKLE_E_ARGS, with all that is wrong in the message), and calls the tool. */
const struct plugin_result *plugin_test_call(struct plugin_test *t, const char *tool,
                                             const char *args_json);

/* Calls the tool's probe with the same arguments and a note. */
const struct plugin_result *plugin_test_probe(struct plugin_test *t, const char *tool,
                                              const char *args_json, const char *note);

#endif
