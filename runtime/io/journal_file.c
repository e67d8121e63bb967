#include "io/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/path.h"
#include "io/scratch.h"

#define LOCK_WAIT_MS 200
#define LOCK_TRIES   10
#define JOURNAL_MAX  (1u << 30)
#define GATHERED_MAX (64u << 10)

struct journal_file {
    char *dir; /* owned */
    int dir_fd, fd;
    enum durability durability;
    struct journal_chain chain;
    off_t size;         /* of the records that are on the file */
    struct buf pending; /* whole lines */
    struct err broken;  /* code ERR_NONE while it can be written */
};

static int fail(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_SESSION, "cannot %s %s: %s", what, path, strerror(errno));
}

/* ---- Bytes ---- */

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        len -= (size_t)put;
    }
    return 0;
}

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        if (buf_reserve(out, GATHERED_MAX) != 0) {
            errno = EFBIG;
            return -1;
        }
        ssize_t got = read(fd, out->data + out->len, GATHERED_MAX);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        out->len += (size_t)got;
        out->data[out->len] = '\0';
    }
}

/* An interrupted sync is begun again; after any other error it is not known what is on disk, and a
 * second one would not tell. */
static int sync_file(int fd)
{
    int status;
    do
        status = fsync(fd);
    while (status != 0 && errno == EINTR);
    return status;
}

static int sync_data(int fd)
{
    int status;
    do
        status = fdatasync(fd);
    while (status != 0 && errno == EINTR);
    return status;
}

/* ---- Directories ---- */

/* mkdir -p */
static int make_path(const char *path, struct err *err)
{
    char *copy = strdup(path);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    int status = 0;
    for (char *slash = strchr(copy + 1, '/'); status == 0; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            status = fail(err, "make", copy);
        if (!slash)
            break;
        *slash = '/';
    }
    free(copy);
    return status;
}

static struct journal_file *file_new(const char *runs, const char *id, enum durability durability,
                                     struct err *err)
{
    struct journal_file *f = calloc(1, sizeof *f);
    char *dir = path_join(runs, id);
    if (!f || !dir) {
        free(f);
        free(dir);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    *f = (struct journal_file){.dir = dir, .dir_fd = -1, .fd = -1, .durability = durability};
    buf_init(&f->pending, JOURNAL_LINE_MAX + GATHERED_MAX + 4096);
    return f;
}

static void file_free(struct journal_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd); /* and unlocks */
    if (f->dir_fd >= 0)
        (void)close(f->dir_fd);
    buf_release(&f->pending);
    free(f->dir);
    free(f);
}

static int open_dir(struct journal_file *f, struct err *err)
{
    f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return f->dir_fd >= 0 ? 0 : fail(err, "open", f->dir);
}

/* An open file description has it, so other journal_files of this process count as others. A
 * process that was killed while it started another has left its descriptors to that one until it
 * has become another program: a moment later the lock is free. */
int journal_file_lock(int fd, const char *dir, struct err *err)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const struct timespec moment = {.tv_nsec = LOCK_WAIT_MS * 1000000L / LOCK_TRIES};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (fcntl(fd, F_OFD_SETLK, &all) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES)
            break;
        (void)nanosleep(&moment, NULL);
    }
    if (errno != EAGAIN && errno != EACCES)
        return fail(err, "lock", dir);
    return err_set(err, ERR_SESSION,
                   "the run in %s is going on in another process; wait until that has ended", dir);
}

/* A name is on disk when its directory is. */
static int sync_names(const struct journal_file *f, const char *runs)
{
    if (f->durability != DURABILITY_POWER)
        return 0;
    int fd = open(runs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd >= 0 ? sync_file(fd) : -1;
    if (fd >= 0)
        (void)close(fd);
    return status == 0 ? sync_file(f->dir_fd) : -1;
}

struct journal_file *journal_file_create(const char *runs, const char *id,
                                         enum durability durability, struct err *err)
{
    struct journal_file *f = file_new(runs, id, durability, err);
    if (!f || make_path(runs, err) != 0)
        goto fail;
    if (mkdir(f->dir, 0700) != 0) {
        fail(err, "make", f->dir);
        goto fail;
    }
    if (open_dir(f, err) != 0)
        goto fail;
    f->fd = openat(f->dir_fd, JOURNAL_FILE_NAME,
                   O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0 || sync_names(f, runs) != 0) {
        fail(err, "make a journal in", f->dir);
        goto fail;
    }
    if (journal_file_lock(f->fd, f->dir, err) == 0)
        return f;
fail:
    if (f)
        file_free(f);
    return NULL;
}

/* ---- Reading ---- */

bool journal_is_id(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len < 64 && strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz") == len;
}

static int open_file(struct journal_file *f, const char *id, int flags, struct err *err)
{
    struct stat st;
    if (!journal_is_id(id) || access(f->dir, F_OK) != 0)
        return err_set(err, ERR_SESSION, "there is no run '%.64s'; 'tackle runs ls' lists them",
                       id);
    if (open_dir(f, err) != 0)
        return -1;
    f->fd = openat(f->dir_fd, JOURNAL_FILE_NAME, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return fail(err, "open the journal in", f->dir);
    return S_ISREG(st.st_mode)
               ? 0
               : err_set(err, ERR_SESSION, "the journal in %s is no regular file", f->dir);
}

static int read_file(struct journal_file *f, struct buf *text, struct err *err)
{
    buf_clear(text);
    return read_all(f->fd, text) == 0 ? 0 : fail(err, "read the journal in", f->dir);
}

/* Walks over all records; puts the file to the end of the last. */
static int check(struct journal_file *f, const struct buf *text, size_t *torn, struct err *err)
{
    struct journal_reader reader = {.data = text->data, .len = text->len};
    struct journal_record record;
    enum journal_found found;
    while ((found = journal_next(&reader, &record, err)) == JOURNAL_RECORD)
        if (record.number == 1 && journal_check_version(&record, err) != 0)
            return -1;
    if (found == JOURNAL_DAMAGED)
        return err_prefix(err, "%s", f->dir);
    if (reader.chain.number == 0)
        return err_set(err, ERR_SESSION, "the run in %s had not begun; there is nothing in it",
                       f->dir);
    *torn = text->len - reader.at;
    f->chain = reader.chain;
    f->size = (off_t)reader.at;
    return *torn == 0 || ftruncate(f->fd, f->size) == 0 ? 0 : fail(err, "cut", f->dir);
}

struct journal_file *journal_file_open(const char *runs, const char *id, enum durability durability,
                                       struct buf *text, size_t *torn, struct err *err)
{
    struct journal_file *f = file_new(runs, id, durability, err);
    if (!f)
        return NULL;
    if (open_file(f, id, O_RDWR | O_APPEND, err) == 0 &&
        journal_file_lock(f->fd, f->dir, err) == 0 && read_file(f, text, err) == 0 &&
        check(f, text, torn, err) == 0) {
        buf_cut(text, (size_t)f->size);
        return f;
    }
    file_free(f);
    return NULL;
}

int journal_file_read(const char *runs, const char *id, struct buf *text, struct err *err)
{
    struct journal_file *f = file_new(runs, id, DURABILITY_NONE, err);
    if (!f)
        return -1;
    int status = open_file(f, id, O_RDONLY, err) == 0 ? read_file(f, text, err) : -1;
    file_free(f);
    return status;
}

/* len bytes from `from` on, fewer at the end of the file. */
static int read_piece(int fd, off_t from, size_t len, struct buf *out)
{
    size_t done = 0;
    if (buf_reserve(out, len) != 0) {
        errno = EFBIG;
        return -1;
    }
    while (done < len) {
        ssize_t got = pread(fd, out->data + out->len, len - done, from + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
        out->len += (size_t)got;
    }
    if (out->len > 0)
        out->data[out->len] = '\0';
    return 0;
}

int journal_file_read_ends(const char *runs, const char *id, size_t head, size_t tail,
                           struct buf *text, struct buf *rest, struct err *err)
{
    struct stat st;
    struct journal_file *f = file_new(runs, id, DURABILITY_NONE, err);
    if (!f)
        return -1;
    int status = open_file(f, id, O_RDONLY, err);
    if (status == 0 && fstat(f->fd, &st) != 0)
        status = fail(err, "read the journal in", f->dir);
    bool whole = status == 0 && (uint64_t)st.st_size <= head + tail;
    if (status == 0 && whole)
        status = read_file(f, text, err);
    else if (status == 0 && (read_piece(f->fd, 0, head, text) != 0 ||
                             read_piece(f->fd, st.st_size - (off_t)tail, tail, rest) != 0))
        status = fail(err, "read the journal in", f->dir);
    file_free(f);
    return status;
}

static int read_blob(const char *dir, uint64_t number, struct buf *out)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/blobs/%" PRIu64, dir, number);
    if (len < 0 || (size_t)len >= sizeof path)
        return -1;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int status = fd >= 0 ? read_all(fd, out) : -1;
    if (fd >= 0)
        (void)close(fd);
    return status;
}

int journal_file_body(const char *dir, const struct journal_record *record, struct buf *out,
                      struct err *err)
{
    size_t before = out->len, len;
    uint32_t sum;
    if (!journal_is_blob(record, &len, &sum))
        return buf_append(out, record->body, record->len) == 0
                   ? 0
                   : err_set(err, ERR_NOMEM, "out of memory");
    if (read_blob(dir, record->number, out) == 0 && out->len - before == len &&
        crc32c(0, out->data + before, len) == sum)
        return 0;
    buf_cut(out, before);
    return err_set(err, ERR_SESSION,
                   "record %" PRIu64 " of the journal is damaged: %s/blobs/%" PRIu64
                   " is missing or has changed",
                   record->number, dir, record->number);
}

/* ---- Writing ---- */

/* No more is written: what follows a record that is missing would be of no use. */
static int break_down(struct journal_file *f, int error, struct err *err)
{
    (void)err_set(&f->broken, ERR_SESSION,
                  "the journal in %s cannot be written: %s; what was recorded before is safe",
                  f->dir, strerror(error));
    if (err)
        *err = f->broken;
    return -1;
}

static int flush(struct journal_file *f, struct err *err)
{
    if (write_all(f->fd, f->pending.data, f->pending.len) != 0) {
        int error = errno;
        int cut = ftruncate(f->fd, f->size);
        (void)cut; /* else the tail is torn, which a reader can tell */
        return break_down(f, error, err);
    }
    f->size += (off_t)f->pending.len;
    buf_clear(&f->pending);
    return 0;
}

static int sync_blob_names(const struct journal_file *f)
{
    int fd = openat(f->dir_fd, "blobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = sync_file(fd) == 0 && sync_file(f->dir_fd) == 0 ? 0 : -1;
    int error = errno;
    (void)close(fd);
    errno = error;
    return status;
}

static int write_blob(struct journal_file *f, uint64_t number, const char *body, size_t len)
{
    char name[48];
    (void)snprintf(name, sizeof name, "blobs/%" PRIu64, number);
    if (mkdirat(f->dir_fd, "blobs", 0700) != 0 && errno != EEXIST)
        return -1;
    /* One that is there belongs to a record that was never written. */
    int fd = openat(f->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int status = write_all(fd, body, len);
    if (status == 0 && f->durability == DURABILITY_POWER)
        status = sync_file(fd) == 0 ? sync_blob_names(f) : -1;
    int error = errno;
    if (close(fd) != 0 && status == 0)
        return -1;
    errno = error;
    return status;
}

int journal_file_append(struct journal_file *file, const char *kind, const char *body, size_t len,
                        bool sync, struct err *err)
{
    struct journal_file *f = file;
    struct buf blob;
    int status = 0;
    if (f->broken.code != ERR_NONE) {
        *err = f->broken;
        return -1;
    }
    buf_init(&blob, 128);
    if (len > JOURNAL_LINE_MAX) {
        status = write_blob(f, f->chain.number + 1, body, len);
        if (status == 0 && journal_blob_body(&blob, body, len) != 0) {
            errno = ENOMEM;
            status = -1;
        }
        body = blob.data;
        len = blob.len;
    }
    if (status == 0 &&
        journal_write(&f->chain, clock_wall_ms(), kind, body, len, &f->pending) != 0) {
        errno = ENOMEM;
        status = -1;
    }
    if (status != 0)
        status = break_down(f, errno, err);
    else if (f->durability != DURABILITY_NONE || f->pending.len > GATHERED_MAX)
        status = flush(f, err);
    if (status == 0 && sync && f->durability == DURABILITY_POWER && sync_data(f->fd) != 0)
        status = break_down(f, errno, err); /* what a second try says would not be true */
    buf_release(&blob);
    return status;
}

void journal_file_set_durability(struct journal_file *file, enum durability durability)
{
    file->durability = durability;
}

const char *journal_file_dir(const struct journal_file *file)
{
    return file->dir;
}

void journal_file_close(struct journal_file *file)
{
    struct err ignored;
    if (!file)
        return;
    if (file->broken.code == ERR_NONE && file->pending.len > 0)
        (void)flush(file, &ignored);
    file_free(file);
}

void journal_file_discard(struct journal_file *file)
{
    scratch_delete(file->dir);
    buf_clear(&file->pending);
    file_free(file);
}
