/* The journals of all runs in a folder: which there are, whether one is whole, removing one. */
#ifndef IO_JOURNAL_STORE_H
#define IO_JOURNAL_STORE_H

#include "io/journal_file.h"

/* The ids of the runs in `runs`, sorted, so the oldest first; *ids and its texts are malloc'd. A
 * folder that is not there has none. */
int journal_store_list(const char *runs, char ***ids, size_t *count, struct err *err);
void journal_store_free(char **ids, size_t count);

/* Does a process hold the run's lock? */
bool journal_store_in_use(const char *runs, const char *id);

/* Deletes a run, whole or damaged, that is not in use. */
int journal_store_remove(const char *runs, const char *id, struct err *err);

struct journal_health {
    uint64_t records;   /* that are whole */
    size_t bytes, good; /* of the file; up to the end of the last whole record */
    bool torn;          /* it ends in the middle of a record: that is no damage */
    struct err damage;  /* code ERR_NONE: none; else with the record's number */
};

/* Reads all records, and the blobs they name. 0 whatever it finds, -1 when it cannot be read. */
int journal_store_verify(const char *runs, const char *id, struct journal_health *out,
                         struct err *err);

/* Cuts the journal behind its last whole record. What it was before stays beside it, as
 * journal.damaged, when it was damaged. Not for one in use. */
int journal_store_repair(const char *runs, const char *id, struct journal_health *out,
                         struct err *err);

#endif
