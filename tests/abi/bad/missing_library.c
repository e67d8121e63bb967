/* Linked with a library that is not to be found when it is loaded. */
#include "bad.h"

int32_t in_absent_library(void *self, tackle_call *call);

BAD_TOOL(.call = in_absent_library);
