#include "bad.h"

BAD_PLUGIN(.needs = (const char *const[]){"log/1", "process/9", NULL});
