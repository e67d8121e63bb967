/* Results too large for a conversation: kept whole in a file, and a tool that reads them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "api/runtime.h"
#include "base/path.h"
#include "base/text.h"

#define PIECE_USUAL 32768
#define PIECE_MAX   131072
#define KEPT_MAX    (256u << 20) /* of one run, together */

static const char params[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\",\"description\":\"as the cut result names it\"},"
    "\"offset\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"first byte, default 0\"},"
    "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":131072,"
    "\"description\":\"bytes, default 32768\"}},\"required\":[\"id\"]}";

static void on_read(void *user, tackle_pending *pending, const char *args_json);

int results_init(struct results *r, struct tackle_runtime *rt, struct err *err)
{
    *r = (struct results){.rt = rt};
    r->function.call = on_read;
    r->function.user = r;
    if (tool_from_parts("read_result", "Reads part of a tool result that was cut.", params, 0,
                        TACKLE_EFFECT_SAFE, &r->function.tool, err) != 0)
        return -1;
    r->function.tool.parallel = true;
    return 0;
}

void results_release(struct results *r)
{
    tool_release(&r->function.tool);
    if (r->dir && !r->journal_dir)
        scratch_delete(r->dir);
    free(r->dir);
    *r = (struct results){.rt = r->rt};
}

/* Ids are digits with a dot, so the name leads nowhere else. */
static int open_kept(const struct results *r, const char *id, int flags)
{
    char path[4096];
    if (!r->dir || strspn(id, "0123456789.") != strlen(id) || !*id || *id == '.')
        return -1;
    int len = snprintf(path, sizeof path, "%s/%s", r->dir, id);
    if (len < 0 || (size_t)len >= sizeof path)
        return -1;
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, text, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        text += put;
        len -= (size_t)put;
    }
    return 0;
}

/* With a journal they stay beside it, else they go with the run. */
static int make_folder(struct results *r)
{
    struct err ignored;
    char name[32];
    if (r->dir)
        return 0;
    if (r->journal_dir) {
        r->dir = path_join(r->journal_dir, "results");
        if (r->dir && mkdir(r->dir, 0700) == 0)
            return 0;
        free(r->dir);
        r->dir = NULL;
        return -1;
    }
    (void)snprintf(name, sizeof name, "results-%u", ++r->rt->result_folders);
    r->dir = scratch_dir(&r->rt->scratch, name, &ignored);
    return r->dir ? 0 : -1;
}

void results_find(struct results *r)
{
    char *dir = path_join(r->journal_dir, "results");
    if (dir && access(dir, F_OK) == 0)
        r->dir = dir;
    else
        free(dir);
}

char *results_keep(void *user, const char *id, const char *text, size_t len)
{
    struct results *r = user;
    if (len > KEPT_MAX - r->kept || make_folder(r) != 0)
        return NULL;
    int fd = open_kept(r, id, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return NULL;
    int status = write_all(fd, text, len);
    if (close(fd) != 0 || status != 0)
        return NULL;
    r->kept += len;
    return path_join(r->dir, id);
}

static void answer(tackle_pending *pending, int fd, int64_t offset, int64_t limit)
{
    struct stat st;
    struct buf text;
    char *piece = malloc((size_t)limit + 4); /* and what tells whether a character is cut */
    buf_init(&text, PIECE_MAX + 256);
    ssize_t got = -1;
    if (piece && fstat(fd, &st) == 0)
        got = pread(fd, piece, (size_t)limit + 4, offset);
    if (got < 0) {
        tackle_pending_finish(pending, TACKLE_E_FAILED, "it cannot be read any more", 26);
    } else {
        size_t len = (size_t)got;
        if (got > limit)
            len = text_edge(piece, (size_t)got, (size_t)limit);
        (void)text_fix_utf8(&text, piece, len, NULL);
        (void)buf_format(&text, "\n[bytes %" PRId64 " to %" PRId64 " of %" PRId64 "]", offset,
                         offset + (int64_t)len, (int64_t)st.st_size);
        tackle_pending_finish(pending, 0, text.data, text.len);
    }
    buf_release(&text);
    free(piece);
}

static void on_read(void *user, tackle_pending *pending, const char *args_json)
{
    const struct results *r = user;
    json_t *args = json_loads(args_json, 0, NULL);
    const char *id = json_string_value(json_object_get(args, "id"));
    int64_t offset = json_integer_value(json_object_get(args, "offset"));
    int64_t limit = json_integer_value(json_object_get(args, "limit"));
    int fd = id ? open_kept(r, id, O_RDONLY) : -1;
    if (fd < 0) {
        static const char none[] = "there is no kept result of this id";
        tackle_pending_finish(pending, TACKLE_E_NOT_FOUND, none, sizeof none - 1);
    } else {
        answer(pending, fd, offset, limit > 0 && limit <= PIECE_MAX ? limit : PIECE_USUAL);
        (void)close(fd);
    }
    json_decref(args);
}
