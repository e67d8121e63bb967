/* The environment of a program that a tool runs: a fixed list, so that no secret of the caller and
 * no setting of the person's shell can get in by being forgotten in a deny-list. */
#include "host/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

#define VARS_MAX  256
#define BYTES_MAX (128u << 10)

static const char *const fixed[] = {
    ("PATH=" PATH_OF_COMMANDS),
    "LANG=C.UTF-8",
    "LC_ALL=C.UTF-8",
    "TERM=dumb",
    "NO_COLOR=1",
    "PAGER=cat",
    "GIT_PAGER=cat",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_EDITOR=false",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_OPTIONAL_LOCKS=0",
    "DEBIAN_FRONTEND=noninteractive",
};

/* Facts about the machine and the person that are no secret. */
static const char *const inherited[] = {"USER", "TZ", "CI"};

/* Takes over `var`, which replaces an earlier one of the same name. */
static int put(struct process_env *env, char *var, struct err *err)
{
    if (!var)
        return err_set(err, ERR_NOMEM, "out of memory");
    size_t name = strcspn(var, "=") + 1;
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->vars[i], var, name) == 0) {
            free(env->vars[i]);
            env->vars[i] = var;
            return 0;
        }
    if (env->count == VARS_MAX) {
        free(var);
        return err_set(err, ERR_LIMIT, "a program gets at most %d environment variables", VARS_MAX);
    }
    env->vars[env->count++] = var;
    return 0;
}

static int put_value(struct process_env *env, const char *name, const char *value, struct err *err)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *var = malloc(size);
    if (var)
        (void)snprintf(var, size, "%s=%s", name, value);
    return put(env, var, err);
}

static int put_extra(struct process_env *env, const char *const *extra, struct err *err)
{
    size_t bytes = 0;
    for (; extra && *extra; extra++) {
        const char *equals = strchr(*extra, '=');
        if (!equals || equals == *extra)
            return err_set(err, ERR_USAGE,
                           "environment entry \"%.64s\" must have the form NAME=value", *extra);
        bytes += strlen(*extra) + 1;
        if (bytes > BYTES_MAX)
            return err_set(err, ERR_LIMIT,
                           "the environment entries of a program are over %u bytes together",
                           BYTES_MAX);
        if (put(env, strdup(*extra), err))
            return -1;
    }
    return 0;
}

static int fill(struct process_env *env, const char *home, const char *tmp,
                const char *const *extra, struct err *err)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (put(env, strdup(fixed[i]), err))
            return -1;
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++) {
        const char *value = getenv(inherited[i]);
        if (value && put_value(env, inherited[i], value, err))
            return -1;
    }
    if (put_value(env, "HOME", home ? home : "/nonexistent", err))
        return -1;
    if (tmp && put_value(env, "TMPDIR", tmp, err))
        return -1;
    return put_extra(env, extra, err);
}

int process_env_init(struct process_env *env, const char *home, const char *tmp,
                     const char *const *extra, struct err *err)
{
    *env = (struct process_env){.vars = calloc(VARS_MAX + 1, sizeof *env->vars)};
    if (!env->vars)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (fill(env, home, tmp, extra, err)) {
        process_env_release(env);
        return -1;
    }
    return 0;
}

void process_env_release(struct process_env *env)
{
    for (size_t i = 0; i < env->count; i++)
        free(env->vars[i]);
    free(env->vars);
    *env = (struct process_env){0};
}
