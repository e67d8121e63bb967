/* Names, and reading. Writing is in beneath_replace.c. */
#include "base/beneath.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enforce.h"
#include "base/locate.h"

/* ---- Names ---- */

static int check_name(const char *path, struct err *err)
{
    if (!*path)
        return err_set(err, ERR_USAGE, "the path is empty; \".\" is the workspace itself");
    if (strlen(path) >= BENEATH_PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path is too long: over %d bytes", BENEATH_PATH_MAX - 1);
    for (const char *c = path; *c; c++) {
        if (ENFORCED(path_control) && iscntrl((unsigned char)*c))
            return err_set(err, ERR_USAGE,
                           "the path has a control character (0x%02x), which no path here may have",
                           (unsigned)(unsigned char)*c);
    }
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, "/");
        if (len > LOCATE_NAME_MAX)
            return err_set(err, ERR_LIMIT, "a name in the path is too long: over %d bytes",
                           LOCATE_NAME_MAX);
        part += len;
        part += strspn(part, "/");
    }
    return 0;
}

int beneath_relative(const char *root_real, const char *path, char *out, struct err *err)
{
    if (check_name(path, err))
        return -1;
    char clean[BENEATH_PATH_MAX];
    locate_clean(path, clean);
    const char *relative = clean;
    if (*clean == '/') {
        size_t len = strcmp(root_real, "/") == 0 ? 0 : strlen(root_real);
        if (strncmp(clean, root_real, len) != 0 || (clean[len] != '/' && clean[len] != '\0'))
            return err_set(err, ERR_DENIED, "outside the workspace %s: %s", root_real, clean);
        relative = clean + len;
        relative += *relative == '/';
    }
    (void)snprintf(out, BENEATH_PATH_MAX, "%s", *relative ? relative : ".");
    return 0;
}

bool beneath_is_protected_name(const char *name, size_t len)
{
    return (len == 4 && strncasecmp(name, ".git", len) == 0) ||
           (len == 7 && strncasecmp(name, ".tackle", len) == 0);
}

bool beneath_is_protected(const char *relative)
{
    while (*relative) {
        size_t len = strcspn(relative, "/");
        if (beneath_is_protected_name(relative, len))
            return true;
        relative += len;
        relative += strspn(relative, "/");
    }
    return false;
}

int beneath_name(int root, int fd, char *out, struct err *err)
{
    char link[LOCATE_FD_PATH], top[BENEATH_PATH_MAX], full[BENEATH_PATH_MAX];
    locate_fd_path(root, link);
    ssize_t top_len = readlink(link, top, sizeof top - 1);
    locate_fd_path(fd, link);
    ssize_t full_len = readlink(link, full, sizeof full - 1);
    if (top_len < 0 || full_len < 0)
        return err_set(err, ERR_IO, "cannot read %s: %s", link, strerror(errno));
    top[top_len] = full[full_len] = '\0';
    if (strcmp(top, "/") == 0)
        top_len = 0;
    if (strncmp(full, top, (size_t)top_len) != 0 || (full[top_len] != '/' && full[top_len] != '\0'))
        return err_set(err, ERR_DENIED, "moved out of the workspace meanwhile: %s", full);
    const char *below = full + top_len;
    (void)snprintf(out, BENEATH_PATH_MAX, "%s", below + (*below == '/'));
    return 0;
}

int beneath_real(int root, const char *relative, char *out, struct err *err)
{
    char clean[BENEATH_PATH_MAX], have[BENEATH_PATH_MAX];
    if (strlen(relative) >= sizeof clean)
        return locate_fail(err, ENAMETOOLONG, relative);
    locate_clean(relative, clean);
    size_t len = strlen(clean); /* of what exists */
    memcpy(have, clean, len + 1);
    int fd = locate(root, len ? have : ".", BENEATH_MOUNTS);
    while (fd < 0 && errno == ENOENT && len > 0) {
        while (len > 0 && have[len - 1] != '/')
            len--;
        len -= len > 0;
        have[len] = '\0';
        fd = locate(root, len ? have : ".", BENEATH_MOUNTS);
    }
    if (fd < 0)
        return locate_fail(err, errno, relative);
    int status = beneath_name(root, fd, out, err);
    (void)close(fd);
    const char *missing = clean + len + (clean[len] == '/');
    size_t used = status == 0 ? strlen(out) : 0;
    if (status == 0 && locate_leads_up(missing))
        status = locate_fail(err, ENOENT, relative);
    else if (status == 0 && used + strlen(missing) + 2 > BENEATH_PATH_MAX)
        status = locate_fail(err, ENAMETOOLONG, relative);
    else if (status == 0 && *missing)
        (void)snprintf(out + used, BENEATH_PATH_MAX - used, "%s%s", used ? "/" : "", missing);
    return status;
}

/* ---- Opening ---- */

int beneath_open_root(const char *dir, char *real, struct err *err)
{
    char link[LOCATE_FD_PATH];
    struct stat opened, named;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", dir,
                       strerror(errno));
    locate_fd_path(fd, link);
    ssize_t len = readlink(link, real, BENEATH_PATH_MAX - 1);
    if (len < 0) {
        err_set(err, ERR_IO, "%s: cannot read %s: %s", dir, link, strerror(errno));
        goto fail;
    }
    real[len] = '\0';
    if (fstat(fd, &opened) || stat(real, &named) || opened.st_dev != named.st_dev ||
        opened.st_ino != named.st_ino) {
        err_set(err, ERR_IO, "%s: has no usable path (over %d bytes, or removed)", dir,
                BENEATH_PATH_MAX - 1);
        goto fail;
    }
    return fd;
fail:
    (void)close(fd);
    return -1;
}

int beneath_open_file(int root, const char *relative, unsigned how, struct stat *st,
                      struct err *err)
{
    char path[LOCATE_FD_PATH];
    struct stat found;
    int fd = -1;
    int located = locate(root, relative, how);
    if (located < 0)
        return locate_fail(err, errno, relative);
    if (fstat(located, &found)) {
        locate_fail(err, errno, relative);
        goto out;
    }
    if (ENFORCED(path_regular) && !S_ISREG(found.st_mode)) {
        err_set(err, ERR_USAGE, "%s, not a file that can be read: %s", locate_kind(found.st_mode),
                relative);
        goto out;
    }
    locate_fd_path(located, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        locate_fail(err, errno, relative);
    else if (st)
        *st = found;
out:
    (void)close(located);
    return fd;
}

int beneath_open_dir(int root, const char *relative, unsigned how, struct err *err)
{
    int located = locate(root, relative, how);
    if (located < 0)
        return locate_fail(err, errno, relative);
    int fd = openat(located, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        locate_fail(err, errno, relative);
    (void)close(located);
    return fd;
}

/* The size that fstat told is only a hint: the file may grow, or tell none at all. */
static int read_all(int fd, struct buf *out, struct err *err)
{
    char piece[16384];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "%s", strerror(errno));
        if (got == 0)
            return 0;
        if ((size_t)got > out->max - out->len)
            return err_set(err, ERR_LIMIT, "the file is over the limit of %zu bytes", out->max);
        if (buf_append(out, piece, (size_t)got))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
}

int beneath_read(int root, const char *relative, size_t max, char **data, size_t *len,
                 struct err *err)
{
    struct stat st;
    struct buf bytes;
    int status = -1;
    int fd = beneath_open_file(root, relative, 0, &st, err);
    if (fd < 0)
        return -1;
    buf_init(&bytes, max);
    if ((uintmax_t)st.st_size > max) {
        err_set(err, ERR_LIMIT, "the file has %jd bytes, over the limit of %zu: %s",
                (intmax_t)st.st_size, max, relative);
        goto out;
    }
    if (buf_reserve(&bytes, (size_t)st.st_size)) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    if (read_all(fd, &bytes, err))
        goto out;
    *len = bytes.len;
    *data = buf_take(&bytes);
    status = *data ? 0 : err_set(err, ERR_NOMEM, "out of memory");
out:
    buf_release(&bytes);
    (void)close(fd);
    return status;
}
