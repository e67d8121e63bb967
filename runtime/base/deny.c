#include "base/deny.h"

#include <string.h>
#include <strings.h>

#include "base/glob.h"

#define PATH_BYTES 4096

static void lower(char *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    out[len] = '\0';
}

/* A name without anything special is compared with each part: most globs are such. */
static bool has_part(const char *name, const char *path)
{
    size_t len = strlen(name);
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == len && strncasecmp(path, name, len) == 0)
            return true;
        path += part + (path[part] == '/');
    }
    return false;
}

static bool is_plain(const char *glob)
{
    return !strpbrk(glob, "*?[]{}\\/");
}

bool deny_matches(const char *glob, const char *path)
{
    char small[GLOB_MAX + 1], part[PATH_BYTES];
    size_t len = strlen(path), glob_len = strlen(glob);
    if (is_plain(glob))
        return has_part(glob, path);
    if (len >= sizeof part || glob_len > GLOB_MAX)
        return true; /* too long to tell: rather denied */
    lower(small, glob, glob_len);
    lower(part, path, len);
    for (;;) {
        if (glob_path(small, part))
            return true;
        char *slash = strrchr(part, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
}

const char *deny_find(const char *const *globs, size_t count, const char *path)
{
    while (count > 0) {
        const char *glob = globs[--count];
        if (*glob == '!' && glob_path(glob + 1, path))
            return NULL;
        if (*glob != '!' && deny_matches(glob, path))
            return glob;
    }
    return NULL;
}

static bool matches_itself(const char *glob, const char *lowered)
{
    char small[GLOB_MAX + 1];
    const char *slash = strrchr(lowered, '/');
    size_t len = strlen(glob);
    if (is_plain(glob))
        return strcasecmp(glob, slash ? slash + 1 : lowered) == 0;
    if (len > GLOB_MAX)
        return true;
    lower(small, glob, len);
    return glob_path(small, lowered);
}

const char *deny_find_next(const char *const *globs, size_t count, const char *path)
{
    char lowered[PATH_BYTES];
    size_t len = strlen(path);
    if (len >= sizeof lowered)
        return deny_find(globs, count, path);
    lower(lowered, path, len);
    while (count > 0) {
        const char *glob = globs[--count];
        if (*glob == '!' && glob_path(glob + 1, path))
            return NULL;
        if (*glob != '!' && matches_itself(glob, lowered))
            return glob;
    }
    return NULL;
}
