/* The journal of a run on disk: RUNS/<id>/journal.jsonl and blobs/, for their owner only. A run has
 * one owner, who holds the lock. */
#ifndef IO_JOURNAL_FILE_H
#define IO_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "engine/journal.h"

/* What a record outlives once it is written. */
enum durability {
    DURABILITY_NONE,    /* nothing: records are gathered before they are written */
    DURABILITY_PROCESS, /* the end of this process, kill -9 included */
    DURABILITY_POWER    /* a power cut as well, for records whose `sync` is set */
};

struct journal_file;

#define JOURNAL_FILE_NAME "journal.jsonl"

/* Could this be the id of a run? It then leads to no other folder. */
bool journal_is_id(const char *id);

/* Takes the lock of an open journal, until that is closed. ERR_SESSION: another has it. `dir` is
 * for the message. */
int journal_file_lock(int fd, const char *dir, struct err *err);

/* All errors are ERR_SESSION but for ERR_NOMEM. `runs` is a directory, made with its parents when
 * it is missing; links are not followed in it. */

/* A new journal, empty and locked. */
struct journal_file *journal_file_create(const char *runs, const char *id,
                                         enum durability durability, struct err *err);

/* Goes on with one: locks it (one that is locked is in use), reads it into `text`, checks it, cuts
 * a torn tail off (*torn: so many bytes) and writes behind the last record. */
struct journal_file *journal_file_open(const char *runs, const char *id, enum durability durability,
                                       struct buf *text, size_t *torn, struct err *err);

/* Appends a record; with `sync` it is as safe as the durability says when this returns. After an
 * error the file ends with the record before, and every later call fails with the same error. */
int journal_file_append(struct journal_file *file, const char *kind, const char *body, size_t len,
                        bool sync, struct err *err);

/* For the records from here on. */
void journal_file_set_durability(struct journal_file *file, enum durability durability);

/* The directory of the run; borrowed. */
const char *journal_file_dir(const struct journal_file *file);

/* NULL is fine. */
void journal_file_close(struct journal_file *file);

/* Forgets the run: for one that could not begin. */
void journal_file_discard(struct journal_file *file);

/* Reads a journal that may be in use. */
int journal_file_read(const char *runs, const char *id, struct buf *text, struct err *err);

/* The same for a look at it: of one that is larger than both, only its first `head` bytes, and its
 * last `tail` bytes in `rest`, which is empty else. */
int journal_file_read_ends(const char *runs, const char *id, size_t head, size_t tail,
                           struct buf *text, struct buf *rest, struct err *err);

/* The members of a record, from its blob when they are there; appended to `out`. `dir` is the run's
 * directory. */
int journal_file_body(const char *dir, const struct journal_record *record, struct buf *out,
                      struct err *err);

#endif
