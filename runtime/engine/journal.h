/*
 * The journal of a run, as bytes: one record a line, each checked together with all before it. Pure
 * functions; io/journal_file.h has the file.
 *
 *     {"n":17,"t":"2026-11-23T10:11:12.345Z","k":"tool_started", ... ,"c":"9f3a01bc"}
 *
 * n counts from 1. c is the CRC-32C of the bytes before `,"c":`, begun with the c of the record
 * before: so a record that is missing, repeated or out of order shows as well. Between k and c are
 * the members of the record, its body. The first record is "run_started" and holds "v", the version
 * of this format.
 *
 * A body that is large stands in a file of its own, blobs/N with N the record's number; the record
 * then holds {"blob":bytes,"sum":crc-32c of them} in its place.
 *
 * What ends in the middle of a record is torn: the process stopped while it wrote, and nobody has
 * acted on that record. Anything else that does not check is damage.
 */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JOURNAL_VERSION  1
#define JOURNAL_LINE_MAX (256u << 10) /* a longer body becomes a blob */
#define JOURNAL_BODY_MAX (640u << 20)
#define JOURNAL_KIND_MAX 24

/* Where a journal stands: number and check of the last record. Begins as {0}. */
struct journal_chain {
    uint64_t number;
    uint32_t check;
};

/* Appends the next record as a line to `out`; the chain moves on only when that worked. `body` are
 * the members, `"a":1,"b":2`, without a newline; it may be empty. 0 or -1. */
int journal_write(struct journal_chain *chain, int64_t wall_ms, const char *kind, const char *body,
                  size_t len, struct buf *out);

/* The body that stands for a blob. 0 or -1. */
int journal_blob_body(struct buf *out, const char *blob, size_t len);

struct journal_record {
    uint64_t number;
    const char *time; /* of CLOCK_RFC3339_SIZE - 1 bytes at most, not terminated */
    size_t time_len;
    char kind[JOURNAL_KIND_MAX];
    const char *body; /* members; not terminated */
    size_t len;
};

enum journal_found {
    JOURNAL_RECORD,
    JOURNAL_END,    /* behind the last record */
    JOURNAL_TORN,   /* bytes behind the last whole record that never became one */
    JOURNAL_DAMAGED /* with the reason in *err, which names the record */
};

struct journal_reader {
    const char *data; /* borrowed */
    size_t len;
    size_t at; /* where the next record begins: the length of what is good */
    struct journal_chain chain;
};

/* The next record; it borrows from the data. After anything but JOURNAL_RECORD there is no next. */
enum journal_found journal_next(struct journal_reader *reader, struct journal_record *out,
                                struct err *err);

/* For the end of a journal whose beginning was not read: goes behind the first whole line of the
 * data, which is taken on trust, and from there on all is checked. False: there is no such line. */
bool journal_join(struct journal_reader *reader);

/* May this program read on? Looks at the first record. ERR_SESSION: a newer format, or no beginning
 * of a run. */
int journal_check_version(const struct journal_record *first, struct err *err);

/* Is the body a blob's? Then its length and sum. */
bool journal_is_blob(const struct journal_record *record, size_t *len, uint32_t *sum);

#endif
