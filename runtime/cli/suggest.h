/* "Did you mean": the nearest of the known words. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

struct suggest {
    const char *word; /* what was typed; borrowed */
    const char *best; /* borrowed from the caller of suggest_add; NULL: nothing is near */
    size_t distance;  /* of best */
};

/* Near is: at most a third of the word is typed wrongly, and never more than 3 letters. */
void suggest_init(struct suggest *s, const char *word);
void suggest_add(struct suggest *s, const char *known);

#endif
