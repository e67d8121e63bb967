#include "api/keys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/enforce.h"

#define GUESSED_MIN 12   /* bytes of a value that is a secret by its variable's name alone */
#define FILE_MAX    4096 /* bytes of a key file */

/* ---- The keys ---- */

static const struct key *find(const struct tackle_runtime *rt, const char *variable)
{
    const struct key *key = rt->keys;
    while (key && strcmp(key->variable, variable) != 0)
        key = key->next;
    return key;
}

/* What it had been before stays in the set: it is no less a secret. */
static int keep(struct tackle_runtime *rt, const char *variable, const char *value)
{
    const struct key *known = find(rt, variable);
    if (known && known->value && value && strcmp(known->value, value) == 0)
        return 0;
    struct key *key = calloc(1, sizeof *key);
    if (key) {
        key->variable = strdup(variable);
        key->value = value ? locked_copy(&rt->locked, value, strlen(value)) : NULL;
    }
    if (!key || !key->variable || (value && !key->value)) {
        free(key ? key->variable : NULL);
        free(key);
        return -1;
    }
    key->next = rt->keys; /* a later one hides an earlier one */
    rt->keys = key;
    (void)redact_add(rt->own, *variable ? variable : "API_KEY", value ? value : "");
    return keys_learn(rt, *variable ? variable : "API_KEY", value);
}

static bool is_key_variable(const char *name)
{
    for (const char *const *known = provider_key_variables(); *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

const char *api_getenv(void *user, const char *name)
{
    struct tackle_runtime *rt = user;
    const struct key *key = find(rt, name);
    if (key)
        return key->value;
    const char *value = *name ? getenv(name) : NULL;
    if (!value || !*value || !is_key_variable(name))
        return value;
    /* It is used from here on: a copy, so that the environment may change. */
    return keep(rt, name, value) == 0 ? find(rt, name)->value : NULL;
}

void keys_release(struct tackle_runtime *rt)
{
    while (rt->keys) {
        struct key *next = rt->keys->next;
        free(rt->keys->variable);
        free(rt->keys);
        rt->keys = next;
    }
    locked_release(&rt->locked);
    redact_free(rt->redact);
    redact_free(rt->own);
}

int32_t tackle_set_key(tackle_runtime *rt, const char *variable, const char *value,
                       tackle_error *error)
{
    rt->key_given = variable ? rt->key_given : value != NULL;
    return keep(rt, variable ? variable : "", value) == 0
               ? 0
               : api_fail_as(error, STOP_INTERNAL, "out of memory");
}

int32_t tackle_take_keys(tackle_runtime *rt, tackle_error *err)
{
    if (keys_learn_environment(rt) != 0)
        return api_fail_as(err, STOP_INTERNAL, "out of memory");
    for (const char *const *name = provider_key_variables(); *name; name++) {
        char *value = getenv(*name);
        if (!value)
            continue;
        if (tackle_set_key(rt, *name, value, err) != 0)
            return -1;
        if (ENFORCED(environment_wiped))
            explicit_bzero(value, strlen(value));
        (void)unsetenv(*name);
    }
    /* With it libcurl would write down what decrypts its connections. */
    if (ENFORCED(tls_key_log))
        (void)unsetenv("SSLKEYLOGFILE");
    return 0;
}

/* ---- What else is a secret ---- */

int keys_learn(struct tackle_runtime *rt, const char *name, const char *value)
{
    return value ? redact_add(rt->redact, name, value) : 0;
}

/* Does a word of the name, words being what "_" separates, end with one of these? So
 * GIT_AUTHOR_NAME and KEYBOARD are none, and PGPASSWORD is. */
static bool names_a_secret(const char *name, size_t len)
{
    static const char *const ends[] = {"TOKEN", "SECRET", "PASSWORD",  "PASSWD",
                                       "KEY",   "AUTH",   "CREDENTIAL"};
    for (size_t start = 0, end; start < len; start = end + 1) {
        for (end = start; end < len && name[end] != '_';)
            end++;
        size_t word = end;
        while (word > start && isdigit((unsigned char)name[word - 1]))
            word--;
        if (word > start && (name[word - 1] == 'S' || name[word - 1] == 's'))
            word--;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            size_t n = strlen(ends[i]);
            if (word - start >= n && strncasecmp(name + word - n, ends[i], n) == 0)
                return true;
        }
    }
    return false;
}

/* "SSH_AUTH_SOCK=/tmp/ssh.1/agent": a secret may begin with a slash, but no file has its name. */
static bool is_path(const char *value)
{
    struct stat st;
    return *value == '/' && lstat(value, &st) == 0;
}

/* The user and the password of "scheme://user:password@host/". */
static int learn_userinfo(struct tackle_runtime *rt, const char *name, const char *url)
{
    const char *start = strstr(url, "://");
    const char *end = start ? strpbrk(start + 3, "@/?#") : NULL;
    const char *colon =
        end && *end == '@' ? memchr(start + 3, ':', (size_t)(end - start - 3)) : NULL;
    char *password = colon ? strndup(colon + 1, (size_t)(end - colon - 1)) : NULL;
    int status = colon ? (password ? keys_learn(rt, name, password) : -1) : 0;
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
    return status;
}

int keys_learn_environment(struct tackle_runtime *rt)
{
    char name[REDACT_NAME_MAX + 1];
    int status = 0;
    for (char **variable = environ; variable && *variable && status == 0; variable++) {
        size_t len = strcspn(*variable, "=");
        const char *value = *variable + len + ((*variable)[len] == '=');
        (void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1),
                       *variable);
        if (strstr(value, "://"))
            status = learn_userinfo(rt, name, value);
        else if (names_a_secret(*variable, len) && strlen(value) >= GUESSED_MIN && !is_path(value))
            /* More than fit are left out: these are guesses. */
            (void)keys_learn(rt, name, value);
    }
    return status;
}

int keys_learn_named(struct tackle_runtime *rt, const struct settings *s, struct err *err)
{
    for (size_t i = 0; i < settings_count(s, SET_REDACT); i++) {
        const char *at = settings_item(s, SET_REDACT, i); /* of the environment: "A,B" */
        for (size_t len; *(at += strspn(at, ", ")); at += len) {
            char name[REDACT_NAME_MAX + 1];
            len = strcspn(at, ", ");
            if (len >= sizeof name)
                return err_set(err, ERR_USAGE, "redact: '%.20s...' is no variable's name", at);
            memcpy(name, at, len);
            name[len] = '\0';
            if (keys_learn(rt, name, api_getenv(rt, name)) != 0)
                return err_set(err, ERR_LIMIT, "redact: more than %d secrets", REDACT_SECRETS_MAX);
        }
    }
    return 0;
}

int keys_refuse_in(const struct tackle_runtime *rt, const struct chat_part *parts, size_t count,
                   struct err *err)
{
    for (size_t i = 0; ENFORCED(key_in_prompt_refused) && i < count; i++) {
        const char *text = parts[i].text ? parts[i].text : parts[i].url;
        const char *found = redact_find(rt->own, text, parts[i].len);
        const char *name = found ? found + sizeof "[redacted:" - 1 : NULL;
        if (name)
            return err_set(err, ERR_USAGE,
                           "the prompt or a file of it holds the key %.*s, which must not be sent "
                           "to a model; take it out",
                           (int)strcspn(name, "]"), name);
    }
    return 0;
}

/* ---- The key file ---- */

static int refuse(const char *path, struct err *err, const char *why)
{
    return err_set(err, ERR_AUTH, "api_key_file: %s %s", path, why);
}

/* A model's tools can read what is in the workspace. */
static bool is_within(int fd, const char *folder)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return true; /* nobody knows */
    path[len] = '\0';
    size_t prefix = strlen(folder);
    return strncmp(path, folder, prefix) == 0 &&
           (path[prefix] == '/' || (prefix > 0 && folder[prefix - 1] == '/'));
}

static int check_file(int fd, const char *path, const char *workspace, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return refuse(path, err, "is no regular file");
    if (ENFORCED(key_file_private) && (st.st_mode & 077) != 0)
        return refuse(path, err, "can be read by others; chmod 600 it");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return refuse(path, err, "belongs to somebody else");
    if (ENFORCED(key_file_outside_workspace) && is_within(fd, workspace))
        return refuse(path, err, "is in the workspace, where tools can read it; keep it elsewhere");
    return 0;
}

/* One byte more than may be, so that too much shows. */
static ssize_t read_all(int fd, char *room, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, room + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static int take_file(struct tackle_runtime *rt, int fd, const char *path, struct err *err)
{
    char text[FILE_MAX + 2];
    struct err why;
    ssize_t len = read_all(fd, text, sizeof text - 1);
    int status = -1;
    text[len > 0 ? len : 0] = '\0';
    if (len < 0)
        status = refuse(path, err, strerror(errno));
    else if (provider_trim_key(text, (size_t)len, &why) != 0)
        status = err_set(err, ERR_AUTH, "api_key_file: %s: %s", path, why.text);
    else
        status = keep(rt, "", text) == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    explicit_bzero(text, sizeof text);
    return status;
}

int keys_read_file(struct tackle_runtime *rt, const struct settings *s, struct err *err)
{
    const char *path = settings_text(s, SET_API_KEY_FILE);
    char workspace[BENEATH_PATH_MAX];
    if (!path || rt->key_given)
        return 0;
    int root = beneath_open_root(settings_text(s, SET_WORKSPACE), workspace, err);
    if (root < 0)
        return err_prefix(err, "workspace");
    (void)close(root);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return refuse(path, err, strerror(errno));
    int status = check_file(fd, path, workspace, err);
    if (status == 0)
        status = take_file(rt, fd, path, err);
    (void)close(fd);
    return status;
}
