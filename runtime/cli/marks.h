/* Words in a log that its CI runner would obey (GitHub, Azure, GitLab), found as they are written:
 * a blank in front of their last byte makes them mere words. */
#ifndef CLI_MARKS_H
#define CLI_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#define MARKS_WORD 16

struct marks {
    bool ended;            /* the line cannot begin with one any more */
    char word[MARKS_WORD]; /* the line so far, without blanks in front */
    size_t len;
    unsigned inner; /* how far "##[" or "##vso[" has come */
};

/* The next byte of the log. True when it would make such a word whole. */
bool marks_next(struct marks *m, char byte);

#endif
