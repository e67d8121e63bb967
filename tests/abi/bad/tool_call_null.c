#include "bad.h"

BAD_TOOL(.call = NULL);
