#include "bad.h"

int32_t nowhere_defined(void *self, tackle_call *call);

BAD_TOOL(.call = nowhere_defined);
