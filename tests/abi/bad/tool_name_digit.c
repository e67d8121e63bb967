#include "bad.h"

BAD_TOOL(.name = "1st");
