#include "bad.h"

BAD_TOOL(.hosts = (const char *const[]){"example.org", NULL});
