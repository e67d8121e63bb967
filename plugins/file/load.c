/* Whole files in memory. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Old content past this is not hashed; a probe then knows the new content only. */
#define PROBE_MAX (64u << 20)
#define NO_FILE   "none"
#define NOT_KNOWN "unknown"

static int read_all(int fd, size_t max, struct load *out)
{
    if (fstat(fd, &out->st) != 0)
        return LOAD_ERROR;
    if (out->st.st_size > 0 && (uint64_t)out->st.st_size > max)
        return LOAD_TOO_BIG;
    size_t size = (size_t)out->st.st_size + 4096;
    for (;;) {
        char *data = realloc(out->data, size + 1);
        if (!data)
            return LOAD_ERROR;
        out->data = data;
        while (out->len < size) {
            ssize_t n = read(fd, data + out->len, size - out->len);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return LOAD_ERROR;
            out->len += (size_t)n;
            if (out->len > max)
                return LOAD_TOO_BIG;
            if (n == 0) {
                data[out->len] = '\0';
                return 0;
            }
        }
        size *= 2;
    }
}

int load_fd(int fd, size_t max, struct load *out)
{
    *out = (struct load){0};
    int rc = read_all(fd, max, out);
    int saved = errno;
    (void)close(fd);
    if (rc != 0) {
        free(out->data);
        out->data = NULL;
        out->len = 0;
    }
    errno = saved;
    return rc;
}

int32_t load_file(const struct file_plugin *plugin, tackle_call *call, const char *path, size_t max,
                  struct load *out)
{
    *out = (struct load){0};
    int32_t fd = plugin->workspace->open(call, path, TACKLE_OPEN_FILE);
    if (fd < 0)
        return fd;
    int rc = load_fd(fd, max, out);
    if (rc == LOAD_TOO_BIG)
        return tackle_failf(call, TACKLE_E_LIMIT, "%s is larger than %zu MiB", path, max >> 20);
    if (rc != 0)
        return tackle_failf(call, TACKLE_E_FAILED, "%s cannot be read: %s", path, strerror(errno));
    return TACKLE_OK;
}

void load_release(struct load *file)
{
    free(file->data);
    *file = (struct load){0};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool load_is_current(const struct file_plugin *plugin, tackle_call *call, const char *path,
                     const struct load *file)
{
    struct stat now;
    int32_t fd = plugin->workspace->open(call, path, TACKLE_OPEN_FILE);
    if (fd < 0)
        return false;
    int rc = fstat(fd, &now);
    (void)close(fd);
    const struct stat *then = &file->st;
    return rc == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
           now.st_size == then->st_size && same_time(now.st_mtim, then->st_mtim) &&
           same_time(now.st_ctim, then->st_ctim);
}

/* ---- The note: "1 HASH-OF-OLD HASH-OF-NEW" ---- */

int32_t load_remember(tackle_call *call, const struct load *old, const void *data, size_t len)
{
    char before[HASH_HEX_SIZE] = NO_FILE, after[HASH_HEX_SIZE], note[2 * HASH_HEX_SIZE + 8];
    if (old && !old->data)
        memcpy(before, NOT_KNOWN, sizeof NOT_KNOWN);
    else if (old)
        hash_hex(old->data, old->len, before);
    hash_hex(data, len, after);
    int n = snprintf(note, sizeof note, "1 %s %s", before, after);
    return call->api->remember(call, note, (size_t)n);
}

/* The file's hash, NO_FILE or NOT_KNOWN. */
static void hash_now(const struct file_plugin *plugin, tackle_call *call, const char *path,
                     char out[HASH_HEX_SIZE])
{
    struct load file;
    int32_t code = load_file(plugin, call, path, PROBE_MAX, &file);
    if (code == TACKLE_OK)
        hash_hex(file.data, file.len, out);
    else if (code == TACKLE_E_NOT_FOUND)
        memcpy(out, NO_FILE, sizeof NO_FILE);
    else
        memcpy(out, NOT_KNOWN, sizeof NOT_KNOWN);
    load_release(&file);
}

int32_t load_probe(const struct file_plugin *plugin, tackle_call *call, const char *path)
{
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE], now[HASH_HEX_SIZE];
    size_t len;
    const char *note = call->api->remembered(call, &len);
    if (!note) /* the note is written before the file is touched */
        return TACKLE_PROBE_NOT_DONE;
    if (sscanf(note, "1 %64s %64s", before, after) != 2)
        return TACKLE_PROBE_UNKNOWN;
    hash_now(plugin, call, path, now);
    if (strcmp(now, after) == 0)
        return TACKLE_PROBE_DONE;
    if (strcmp(now, before) == 0 && strcmp(now, NOT_KNOWN) != 0)
        return TACKLE_PROBE_NOT_DONE;
    return TACKLE_PROBE_UNKNOWN;
}
