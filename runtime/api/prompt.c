/* The user's message: text, and files as a model takes them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/runtime.h"
#include "base/text.h"
#include "wire/media.h"

#define TEXT_MAX      (16u << 20) /* the prompt and all text files */
#define TEXT_FILE_MAX (1u << 20)
#define MEDIA_MAX     (20u << 20) /* what endpoints commonly take in a request */

void prompt_init(struct prompt *p)
{
    *p = (struct prompt){.count = 0};
    for (size_t i = 0; i < PROMPT_PARTS_MAX; i++)
        buf_init(&p->texts[i], i ? MEDIA_MAX / 3 * 4 + 64 : TEXT_MAX);
}

void prompt_release(struct prompt *p)
{
    for (size_t i = 0; i < PROMPT_PARTS_MAX; i++)
        buf_release(&p->texts[i]);
}

int prompt_read_file(const char *path, size_t max, char **data, size_t *len, struct err *err)
{
    struct stat st;
    *data = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int status = err_set(err, ERR_USAGE, "file %s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    size_t size = S_ISREG(st.st_mode) && st.st_size >= 0 && (size_t)st.st_size < max
                      ? (size_t)st.st_size + 1
                      : max + 1;
    char *text = malloc(size + 1);
    size_t used = 0;
    ssize_t got = 1;
    while (text && got > 0 && used < size) {
        got = read(fd, text + used, size - used);
        if (got > 0)
            used += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    int saved = errno;
    (void)close(fd);
    int status = 0;
    if (!text)
        status = err_set(err, ERR_NOMEM, "out of memory");
    else if (got < 0)
        status = err_set(err, ERR_USAGE, "file %s: %s", path, strerror(saved));
    else if (used > max)
        status = err_set(err, ERR_USAGE, "file %s: over %zu KiB", path, max >> 10);
    if (status != 0) {
        free(text);
        return status;
    }
    text[used] = '\0';
    *data = text;
    *len = used;
    return 0;
}

static bool is_url(const char *name)
{
    return strncasecmp(name, "https://", 8) == 0 || strncasecmp(name, "http://", 7) == 0;
}

static int add_media(struct prompt *p, const char *type, const char *url, const char *data,
                     size_t len, struct err *err)
{
    if (p->count == PROMPT_PARTS_MAX)
        return err_set(err, ERR_USAGE, "more than %d images and other media", PROMPT_PARTS_MAX - 1);
    struct buf *text = &p->texts[p->count];
    if ((url ? buf_text(text, url) : media_data_url(text, type, data, len)) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->parts[p->count++] = (struct chat_part){.url = text->data, .len = text->len};
    return 0;
}

static int add_text_file(struct buf *text, const char *name, const char *data, size_t len,
                         struct err *err)
{
    if (len > TEXT_FILE_MAX)
        return err_set(err, ERR_USAGE, "file %s: text of over %u KiB", name, TEXT_FILE_MAX >> 10);
    if (text_is_binary(data, len) || !text_is_utf8(data, len))
        return err_set(err, ERR_USAGE,
                       "file %s: neither UTF-8 text nor an image, a sound, a film or a PDF", name);
    if (buf_format(text, "<file path=\"%s\">\n", name) != 0 || buf_append(text, data, len) != 0 ||
        buf_text(text, "\n</file>\n\n") != 0)
        return err_set(err, ERR_USAGE, "the files are too large together");
    return 0;
}

static int add_file(struct prompt *p, struct buf *text, const char *name, struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    if (is_url(name))
        return add_media(p, NULL, name, NULL, 0, err);
    if (prompt_read_file(name, MEDIA_MAX, &data, &len, err) != 0)
        return -1;
    const char *type = media_type(data, len);
    int status =
        type ? add_media(p, type, NULL, data, len, err) : add_text_file(text, name, data, len, err);
    free(data);
    return status;
}

int prompt_build(struct prompt *p, const struct settings *s, const char *const *files,
                 const char *text, struct err *err)
{
    struct buf *all = &p->texts[0];
    p->count = 1;
    for (size_t i = 0; i < settings_count(s, SET_FILE); i++)
        if (add_file(p, all, settings_item(s, SET_FILE, i), err) != 0)
            return -1;
    for (; files && *files; files++)
        if (add_file(p, all, *files, err) != 0)
            return -1;
    if (text_fix_utf8(all, text, strlen(text), NULL) != 0)
        return err_set(err, ERR_USAGE, "the prompt is over %u MiB", TEXT_MAX >> 20);
    p->parts[0] = (struct chat_part){.text = all->data, .len = all->len};
    return 0;
}
