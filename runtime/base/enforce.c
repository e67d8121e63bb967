#include "base/enforce.h"

#ifdef TACKLE_MUTATE

#include <stdlib.h>
#include <string.h>

bool enforce_is_on(const char *point)
{
    const char *off = getenv("TACKLE_MUTANT");
    return !off || strcmp(off, point) != 0;
}

#else

typedef int enforce_has_no_code; /* ISO C wants something in every file */

#endif
