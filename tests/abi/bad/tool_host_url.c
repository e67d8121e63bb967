#include "bad.h"

BAD_TOOL(.does = TACKLE_NETWORK, .hosts = (const char *const[]){"https://example.org", NULL});
