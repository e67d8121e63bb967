#include "bad.h"

BAD_TOOL(.description = "", .params = "[]", .call = NULL,
         .hosts = (const char *const[]){"a", NULL});
