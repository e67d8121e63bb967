#include "bad.h"

BAD_TOOL(.description = "");
