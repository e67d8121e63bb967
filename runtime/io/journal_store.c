#include "io/journal_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "io/scratch.h"

#define RUNS_MAX    100000
#define JOURNAL_MAX (1u << 30)

static int fail(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_SESSION, "cannot %s %s: %s", what, path, strerror(errno));
}

/* "RUNS/ID/NAME", malloc'd; "" for the folder of the run. */
static char *path_in(const char *runs, const char *id, const char *name, struct err *err)
{
    char *dir = NULL, *path = NULL;
    if (!journal_is_id(id)) {
        err_set(err, ERR_SESSION, "there is no run '%.64s'; 'tackle runs ls' lists them", id);
        return NULL;
    }
    dir = path_join(runs, id);
    path = dir && *name ? path_join(dir, name) : dir;
    if (path != dir)
        free(dir);
    if (!path)
        err_set(err, ERR_NOMEM, "out of memory");
    return path;
}

/* ---- Which there are ---- */

static int is_run(const struct dirent *entry)
{
    return journal_is_id(entry->d_name);
}

int journal_store_list(const char *runs, char ***ids, size_t *count, struct err *err)
{
    struct dirent **entries = NULL;
    int found = scandir(runs, &entries, is_run, alphasort);
    *ids = NULL;
    *count = 0;
    if (found < 0)
        return errno == ENOENT ? 0 : fail(err, "read", runs);
    char **names = calloc((size_t)found + 1, sizeof *names);
    for (int i = 0; i < found; i++) {
        if (names && *count < RUNS_MAX && (names[*count] = strdup(entries[i]->d_name)))
            ++*count;
        free(entries[i]);
    }
    free(entries);
    *ids = names;
    return names ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

void journal_store_free(char **ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(ids[i]);
    free(ids);
}

/* ---- One of them ---- */

/* The file, not locked; -1 when it is not there. */
static int open_journal(const char *runs, const char *id, int flags)
{
    struct err ignored;
    char *path = path_in(runs, id, JOURNAL_FILE_NAME, &ignored);
    int fd = path ? open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    free(path);
    return fd;
}

bool journal_store_in_use(const char *runs, const char *id)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open_journal(runs, id, O_RDONLY);
    bool in_use = fd >= 0 && fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
    if (fd >= 0)
        (void)close(fd);
    return in_use;
}

int journal_store_remove(const char *runs, const char *id, struct err *err)
{
    char *dir = path_in(runs, id, "", err);
    int fd = -1, status = -1;
    if (!dir)
        return -1;
    if (access(dir, F_OK) != 0) {
        err_set(err, ERR_SESSION, "there is no run '%s'; 'tackle runs ls' lists them", id);
        goto out;
    }
    fd = open_journal(runs, id, O_RDWR);
    if (fd >= 0 && journal_file_lock(fd, dir, err) != 0)
        goto out;
    scratch_delete(dir);
    status = access(dir, F_OK) == 0
                 ? err_set(err, ERR_SESSION, "%s cannot be removed as a whole", dir)
                 : 0;
out:
    if (fd >= 0)
        (void)close(fd);
    free(dir);
    return status;
}

/* ---- Whole or not ---- */

static void walk(const char *dir, const struct buf *text, struct journal_health *out)
{
    struct journal_reader reader = {.data = text->data, .len = text->len};
    struct journal_record record;
    struct buf body;
    enum journal_found found = JOURNAL_RECORD;
    *out = (struct journal_health){.bytes = text->len};
    buf_init(&body, JOURNAL_BODY_MAX);
    while (out->damage.code == ERR_NONE &&
           (found = journal_next(&reader, &record, &out->damage)) == JOURNAL_RECORD) {
        buf_clear(&body);
        if ((record.number == 1 && journal_check_version(&record, &out->damage) != 0) ||
            journal_file_body(dir, &record, &body, &out->damage) != 0)
            break;
        out->records = record.number;
        out->good = reader.at;
    }
    out->torn = found == JOURNAL_TORN;
    buf_release(&body);
}

int journal_store_verify(const char *runs, const char *id, struct journal_health *out,
                         struct err *err)
{
    struct buf text;
    buf_init(&text, JOURNAL_MAX);
    char *dir = path_in(runs, id, "", err);
    int status = dir ? journal_file_read(runs, id, &text, err) : -1;
    if (status == 0)
        walk(dir, &text, out);
    buf_release(&text);
    free(dir);
    return status;
}

static int write_copy(const char *path, const struct buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t done = 0;
    if (fd < 0)
        return -1;
    while (done < text->len) {
        ssize_t put = write(fd, text->data + done, text->len - done);
        if (put < 0 && errno != EINTR)
            break;
        done += put > 0 ? (size_t)put : 0;
    }
    int status = done == text->len ? fsync(fd) : -1;
    return close(fd) == 0 ? status : -1;
}

static int cut(const char *runs, const char *id, int fd, const struct journal_health *health,
               struct err *err)
{
    struct buf text;
    int status = 0;
    buf_init(&text, JOURNAL_MAX);
    char *copy = path_in(runs, id, "journal.damaged", err);
    if (!copy || (!health->torn && journal_file_read(runs, id, &text, err) != 0))
        status = -1;
    else if (!health->torn && write_copy(copy, &text) != 0)
        status = fail(err, "write", copy);
    else if (ftruncate(fd, (off_t)health->good) != 0 || fsync(fd) != 0)
        status = fail(err, "cut the journal beside", copy);
    buf_release(&text);
    free(copy);
    return status;
}

int journal_store_repair(const char *runs, const char *id, struct journal_health *out,
                         struct err *err)
{
    char *dir = path_in(runs, id, "", err);
    int status = -1, fd = dir ? open_journal(runs, id, O_RDWR) : -1;
    if (dir && fd < 0)
        err_set(err, ERR_SESSION, "there is no run '%s'; 'tackle runs ls' lists them", id);
    if (fd >= 0 && journal_file_lock(fd, dir, err) == 0 &&
        journal_store_verify(runs, id, out, err) == 0) {
        if (out->records == 0)
            err_set(err, ERR_SESSION, "nothing of %s can be kept: %s", dir,
                    out->damage.code ? out->damage.text : "it had not begun");
        else
            status = out->good == out->bytes ? 0 : cut(runs, id, fd, out, err);
    }
    if (fd >= 0)
        (void)close(fd);
    free(dir);
    return status;
}
