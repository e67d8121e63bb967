#include "bad.h"

BAD_TOOL(.name = NULL);
